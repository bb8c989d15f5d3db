//! `manifest.toml`: everything about a model that is not a weight.

use std::fmt;

use gourmetgram_api::{Classes, ClassesError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ResizeRule;

/// The largest side of a model's input, in pixels.
const MAX_SIDE: u32 = 2048;
/// The longest embedding.
const MAX_EMBEDDING: usize = 65_536;

/// A model's description, as it stands in `manifest.toml`. Checked: what [`Manifest::parse`] returns makes sense.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The name every prediction of this model carries.
    pub version: Version,
    /// What it tells apart, in the order of its logits.
    pub classes: Classes,
    /// Under which terms the weights may be used; theirs, not the code's.
    pub licence: Licence,
    /// What the backbone takes.
    pub input: Input,
    /// What it gives.
    pub output: Output,
    /// Hashes of the files beside the manifest.
    pub sha256: Sha256Sums,
    /// How often it was right offline; absent where nobody has looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<Accuracy>,
}

/// How often a model was right on photos with known classes, before it served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accuracy {
    /// The share of right answers, from 0 to 1.
    pub value: f64,
    /// How many photos.
    pub photos: u64,
    /// Which, in a few words.
    pub on: String,
}

/// What the backbone takes: one image, and how a photo becomes it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Order of the tensor's axes.
    pub layout: Layout,
    /// Subtracted from R, G and B, which lie in 0 to 1.
    pub mean: [f32; 3],
    /// R, G and B are then divided by it. (A model that takes 0 to 255 has mean 0 and std 1/255.)
    pub std: [f32; 3],
    /// How a photo fills the image.
    pub resize: ResizeRule,
}

impl Input {
    /// The longer side: what to tell [`crate::decode`].
    pub fn side(&self) -> u32 {
        self.width.max(self.height)
    }

    /// The tensor's shape: batch (always 1), then as the layout says.
    pub fn shape(&self) -> [usize; 4] {
        let (width, height) = (self.width as usize, self.height as usize);
        match self.layout {
            Layout::Nchw => [1, 3, height, width],
            Layout::Nhwc => [1, height, width, 3],
        }
    }
}

/// Order of the input tensor's axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Batch, channel, row, column: PyTorch's.
    Nchw,
    /// Batch, row, column, channel: TensorFlow's.
    Nhwc,
}

/// What comes out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Length of the embedding that the backbone gives and the head takes. Absent in a serve-only model, whose backbone
    /// gives logits and which has no head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedding: Option<usize>,
    /// Logits are divided by it before the softmax; 1 leaves them as they are. Above 1: less sure of itself.
    /// (Guo et al. 2017, arXiv:1706.04599.)
    #[serde(default = "one")]
    pub temperature: f32,
}

fn one() -> f32 {
    1.0
}

/// SHA-256 of the files beside the manifest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sha256Sums {
    /// Of `backbone.onnx`.
    pub backbone: Sha256Hex,
    /// Of `head.safetensors`; absent in a serve-only model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Sha256Hex>,
}

/// A SHA-256, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sha256Hex(String);

impl Sha256Hex {
    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(hex::encode(Sha256::digest(bytes)))
    }
}

impl TryFrom<String> for Sha256Hex {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_hash = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if is_hash { Ok(Self(text)) } else { Err("a SHA-256 is 64 lower-case hexadecimal digits".to_owned()) }
    }
}

impl From<Sha256Hex> for String {
    fn from(hash: Sha256Hex) -> Self {
        hash.0
    }
}

impl fmt::Display for Sha256Hex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A model version's name: 1 to 64 letters, digits, `-`, `_` or `.`, beginning with a letter or digit; so it can be a
/// folder, an object tag and a label of a metric.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(String);

impl Version {
    /// Checks the name.
    ///
    /// # Errors
    /// A sentence that says what a name may be.
    pub fn new(name: &str) -> Result<Self, String> {
        name.to_owned().try_into()
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let is_name = (1..=64).contains(&name.len())
            && name.starts_with(|first: char| first.is_ascii_alphanumeric())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if is_name {
            Ok(Self(name))
        } else {
            Err(format!(
                "{name:?} cannot be a model version: use 1 to 64 letters, digits, - _ or ., the first a letter or digit"
            ))
        }
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The licence of a model's weights, in a few words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Licence(pub String);

/// Why a text is no usable manifest.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ManifestError {
    /// Not TOML, a missing or unknown key, or a value of another type.
    #[error("manifest.toml: {0}")]
    Syntax(String),
    /// The classes are none.
    #[error("manifest.toml: classes: {0}")]
    Classes(#[from] ClassesError),
    /// A number that makes no sense.
    #[error("manifest.toml: {key}: {problem}")]
    Value {
        /// Where.
        key: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

impl Manifest {
    /// Reads and checks `manifest.toml`. Unknown keys are errors.
    ///
    /// # Errors
    /// [`ManifestError`], naming the key.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let manifest: Self = toml::from_str(text).map_err(|error| ManifestError::Syntax(error.to_string()))?;
        manifest.check()?;
        Ok(manifest)
    }

    /// The text of `manifest.toml`.
    ///
    /// # Errors
    /// [`ManifestError`], where [`Manifest::parse`] would not take it back.
    pub fn to_toml(&self) -> Result<String, ManifestError> {
        self.check()?;
        toml::to_string(self).map_err(|error| ManifestError::Syntax(error.to_string()))
    }

    fn check(&self) -> Result<(), ManifestError> {
        let refuse = |key, problem: String| Err(ManifestError::Value { key, problem });
        for (key, side) in [("input.width", self.input.width), ("input.height", self.input.height)] {
            if !(1..=MAX_SIDE).contains(&side) {
                return refuse(key, format!("{side} is not between 1 and {MAX_SIDE}"));
            }
        }
        if let Some(mean) = self.input.mean.iter().find(|mean| !mean.is_finite()) {
            return refuse("input.mean", format!("{mean} is no number to subtract"));
        }
        if let Some(std) = self.input.std.iter().find(|std| !std.is_finite() || **std <= 0.0) {
            return refuse("input.std", format!("{std} is not above 0"));
        }
        if let Some(accuracy) = &self.accuracy
            && !(0.0..=1.0).contains(&accuracy.value)
        {
            return refuse("accuracy.value", format!("{} does not lie between 0 and 1", accuracy.value));
        }
        let temperature = self.output.temperature;
        if !(0.01..=100.0).contains(&temperature) {
            return refuse("output.temperature", format!("{temperature} is not between 0.01 and 100"));
        }
        if let Some(length) = self.output.embedding
            && !(1..=MAX_EMBEDDING).contains(&length)
        {
            return refuse("output.embedding", format!("{length} is not between 1 and {MAX_EMBEDDING}"));
        }
        match (self.output.embedding, &self.sha256.head) {
            (Some(_), None) => refuse("sha256.head", "missing: a model with an embedding has a head".into()),
            (None, Some(_)) => refuse("output.embedding", "missing: a model with a head has an embedding".into()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        version = "food64-1"
        classes = ["Bread", "Soup"]
        licence = "research only"
        [input]
        width = 64
        height = 64
        layout = "nchw"
        mean = [0.5, 0.5, 0.5]
        std = [0.25, 0.25, 0.25]
        resize = "center-square"
        [output]
        embedding = 256
        temperature = 1.0
        [sha256]
        backbone = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        head = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    "#;

    #[test]
    fn a_manifest_reads_back_as_it_was_written() {
        let manifest = Manifest::parse(TEXT).unwrap();
        assert_eq!(Manifest::parse(&manifest.to_toml().unwrap()).unwrap(), manifest);
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        for (from, to, named) in [
            ("width = 64", "width = 0", "input.width"),
            ("height = 64", "height = 100000", "input.height"),
            ("std = [0.25, 0.25, 0.25]", "std = [0.25, 0.0, 0.25]", "input.std"),
            ("mean = [0.5, 0.5, 0.5]", "mean = [0.5, nan, 0.5]", "input.mean"),
            ("temperature = 1.0", "temperature = 0.0", "output.temperature"),
            ("embedding = 256", "embedding = 0", "output.embedding"),
            ("embedding = 256", "", "output.embedding"),
            ("version = \"food64-1\"", "version = \"../1\"", "model version"),
            ("\"Soup\"", "\"Bread\"", "listed twice"),
            ("layout = \"nchw\"", "layout = \"nchw\"\nchannels = 3", "channels"),
            ("head = \"e3", "head = \"E3", "hexadecimal"),
        ] {
            let text = TEXT.replace(from, to);
            assert_ne!(text, TEXT, "{from}");
            let error = Manifest::parse(&text).unwrap_err().to_string();
            assert!(error.contains(named), "{to}: {error}");
        }
    }
}
