//! A model: manifest, backbone and head together, from a photo to probabilities.

#[cfg(all(feature = "onnx", not(target_arch = "wasm32")))]
use std::{
    fs, io,
    path::{Path, PathBuf},
};

use gourmetgram_api::{ClassIndex, Classes};

use crate::{
    Head, HeadError, Manifest, ManifestError, Preprocessing, ResamplingError, RgbPhoto, Sha256Hex, Version,
    network::{Network, NetworkError},
};

#[cfg(all(feature = "onnx", not(target_arch = "wasm32")))]
const MAX_MANIFEST_BYTES: u64 = 1 << 20;
#[cfg(all(feature = "onnx", not(target_arch = "wasm32")))]
const MAX_BACKBONE_BYTES: u64 = 1 << 30;
#[cfg(all(feature = "onnx", not(target_arch = "wasm32")))]
const MAX_HEAD_BYTES: u64 = 1 << 28;

/// A model ready to answer. Share it between threads behind an `Arc`; each answer takes one thread.
#[derive(Debug)]
pub struct Model {
    manifest: Manifest,
    backbone: Network,
    head: Option<Head>,
    packed: Option<PackedModel>,
}

/// A model as devices take it: what [`Model::from_packed`] is made of. Each part may be kept by its hash: of a model
/// whose head was trained anew, only manifest and head are others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedModel {
    /// `manifest.toml`.
    pub manifest: String,
    /// The backbone without ONNX, its weights in half precision.
    pub backbone: Vec<u8>,
    /// `head.safetensors`, if there is one.
    pub head: Option<Vec<u8>>,
}

/// What a model says about one photo.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// One a class, in the model's order; each from 0 to 1, their sum is 1.
    pub probabilities: Vec<f32>,
    /// The most probable class; of equals the first.
    pub top: ClassIndex,
    /// What the backbone saw; `None` from a serve-only model.
    pub embedding: Option<Vec<f32>>,
}

impl Answer {
    /// The probability of the top class.
    pub fn confidence(&self) -> f32 {
        self.probabilities.get(usize::from(self.top.0)).copied().unwrap_or_default()
    }
}

/// Why a directory (or its parts) is no model we can run.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file cannot be read.
    #[cfg(all(feature = "onnx", not(target_arch = "wasm32")))]
    #[error("the model file {} cannot be read", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is implausibly large.
    #[cfg(all(feature = "onnx", not(target_arch = "wasm32")))]
    #[error("the model file {} has {bytes} bytes, at most {max_bytes} are read", path.display())]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The limit.
        max_bytes: u64,
    },
    /// The manifest makes no sense.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A file is not the one the manifest speaks of.
    #[error("{file} has the SHA-256 {found}, the manifest says {expected}: the file was changed or damaged")]
    Hash {
        /// Its name.
        file: &'static str,
        /// By the manifest.
        expected: Sha256Hex,
        /// In fact.
        found: Sha256Hex,
    },
    /// The manifest names a head, but there is none, or the other way round.
    #[error("head.safetensors is {0}")]
    HeadPresence(&'static str),
    /// The head is damaged or has another shape than the manifest says.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The graph is damaged, or uses something the engine does not know.
    #[error("backbone.onnx cannot be run: {0}")]
    Backbone(String),
    /// The graph gives something else than the manifest says.
    #[error("backbone.onnx gives {found} values, the manifest says {expected}")]
    OutputLength {
        /// By the manifest.
        expected: usize,
        /// In fact.
        found: usize,
    },
}

/// Why a model has no answer for a photo.
#[derive(Debug, thiserror::Error)]
pub enum ClassifyError {
    /// The photo could not be resized.
    #[error(transparent)]
    Preprocessing(#[from] ResamplingError),
    /// The graph failed.
    #[error("the model failed: {0}")]
    Backbone(String),
    /// A logit or embedding value is infinite or not a number.
    #[error("the model's output holds a value that is no finite number")]
    NotFinite,
    /// The graph gave another number of values than it did when it was loaded.
    #[error("the model gave {found} values instead of {expected}")]
    OutputLength {
        /// By the manifest.
        expected: usize,
        /// In fact.
        found: usize,
    },
}

impl From<NetworkError> for ClassifyError {
    fn from(error: NetworkError) -> Self {
        Self::Backbone(error.0)
    }
}

impl Model {
    /// Loads a model directory: `manifest.toml`, `backbone.onnx` and, if the manifest names one, `head.safetensors`.
    ///
    /// # Errors
    /// [`ModelError`]; the hashes are checked.
    #[cfg(all(feature = "onnx", not(target_arch = "wasm32")))]
    pub fn load(directory: &Path) -> Result<Self, ModelError> {
        let manifest_path = directory.join("manifest.toml");
        let text = String::from_utf8(read_at_most(&manifest_path, MAX_MANIFEST_BYTES)?).map_err(|error| {
            ModelError::Read { path: manifest_path, source: io::Error::new(io::ErrorKind::InvalidData, error) }
        })?;
        let backbone = read_at_most(&directory.join("backbone.onnx"), MAX_BACKBONE_BYTES)?;
        let has_head = Manifest::parse(&text)?.sha256.head.is_some();
        let head =
            if has_head { Some(read_at_most(&directory.join("head.safetensors"), MAX_HEAD_BYTES)?) } else { None };
        Self::from_parts(&text, &backbone, head.as_deref())
    }

    /// Builds a model from the contents of its three files; for a model inside a binary or fetched by a browser.
    ///
    /// The model is run once, on a gray image, so that one that loads also answers.
    ///
    /// # Errors
    /// [`ModelError`]; the hashes are checked.
    #[cfg(feature = "onnx")]
    pub fn from_parts(manifest: &str, backbone: &[u8], head: Option<&[u8]>) -> Result<Self, ModelError> {
        let text = manifest;
        let manifest = Manifest::parse(text)?;
        check_hash("backbone.onnx", backbone, &manifest.sha256.backbone)?;
        let weights = read_head(&manifest, head)?;
        let hash = manifest.sha256.backbone.to_string();
        let (network, packed) = Network::from_onnx(backbone, &hash, manifest.input.shape())
            .map_err(|error| ModelError::Backbone(error.0))?;
        let packed =
            packed.map(|backbone| PackedModel { manifest: text.to_owned(), backbone, head: head.map(<[u8]>::to_vec) });
        let model = Self { manifest, backbone: network, head: weights, packed };
        model.check_output()?;
        Ok(model)
    }

    /// Builds a model on a device, from the parts of a [`PackedModel`].
    ///
    /// # Errors
    /// [`ModelError`]; parts that do not belong together are refused.
    pub fn from_packed(manifest: &str, backbone: &[u8], head: Option<&[u8]>) -> Result<Self, ModelError> {
        let manifest = Manifest::parse(manifest)?;
        let head = read_head(&manifest, head)?;
        let (network, hash) = Network::from_packed(backbone).map_err(|error| ModelError::Backbone(error.0))?;
        let expected = &manifest.sha256.backbone;
        if hash != expected.to_string() {
            return Err(ModelError::Backbone(format!(
                "the packed backbone is of {hash}, the manifest's is {expected}"
            )));
        }
        if network.input_shape() != manifest.input.shape() {
            return Err(ModelError::Backbone(
                "the packed backbone takes another input than the manifest says".to_owned(),
            ));
        }
        let model = Self { manifest, backbone: network, head, packed: None };
        model.check_output()?;
        Ok(model)
    }

    /// The model as devices take it; `None` where the graph is one that only the server can run.
    pub fn packed(&self) -> Option<&PackedModel> {
        self.packed.as_ref()
    }

    /// What the manifest says.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The version's name, which goes into every prediction.
    pub fn version(&self) -> &Version {
        &self.manifest.version
    }

    /// What the model tells apart.
    pub fn classes(&self) -> &Classes {
        &self.manifest.classes
    }

    /// The side, in pixels, of what photos are resized to: the `target_side` of [`crate::decode`].
    pub fn input_side(&self) -> u32 {
        self.manifest.input.side()
    }

    /// Answers for one photo.
    ///
    /// # Errors
    /// [`ClassifyError`]; an answer always holds finite numbers.
    pub fn classify(&self, photo: &RgbPhoto) -> Result<Answer, ClassifyError> {
        self.answer(&Preprocessing::new(&self.manifest.input).tensor(photo)?)
    }

    fn answer(&self, image: &[f32]) -> Result<Answer, ClassifyError> {
        let output = self.backbone.run(image)?.into_iter().next().unwrap_or_default();
        let expected = self.manifest.output.embedding.unwrap_or(self.manifest.classes.len());
        if output.len() != expected {
            return Err(ClassifyError::OutputLength { expected, found: output.len() });
        }
        let (logits, embedding) = match &self.head {
            Some(head) => (head.logits(&output), Some(output)),
            None => (output, None),
        };
        if !logits.iter().chain(embedding.iter().flatten()).all(|value| value.is_finite()) {
            return Err(ClassifyError::NotFinite);
        }
        let probabilities = softmax(&logits, self.manifest.output.temperature);
        let top = first_largest(&probabilities);
        Ok(Answer { probabilities, top, embedding })
    }

    fn check_output(&self) -> Result<(), ModelError> {
        let gray = vec![0.0; self.manifest.input.shape().iter().product()];
        match self.answer(&gray) {
            // Weights may overflow on an image that no photo gives; that is for `classify` to say.
            Ok(_) | Err(ClassifyError::NotFinite) => Ok(()),
            Err(ClassifyError::OutputLength { expected, found }) => Err(ModelError::OutputLength { expected, found }),
            Err(other) => Err(ModelError::Backbone(other.to_string())),
        }
    }
}

/// `exp(logit / temperature)`, divided by their sum; shifted by the largest, so that nothing overflows. Finite logits.
pub(crate) fn softmax(logits: &[f32], temperature: f32) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let shares: Vec<f64> = logits.iter().map(|logit| f64::from((logit - largest) / temperature).exp()).collect();
    let sum: f64 = shares.iter().sum();
    shares.iter().map(|share| (share / sum) as f32).collect()
}

fn first_largest(values: &[f32]) -> ClassIndex {
    let mut top = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[top] {
            top = index;
        }
    }
    // There are at most 1,000 classes.
    ClassIndex(top as u16)
}

fn check_hash(file: &'static str, bytes: &[u8], expected: &Sha256Hex) -> Result<(), ModelError> {
    let found = Sha256Hex::of(bytes);
    if found == *expected { Ok(()) } else { Err(ModelError::Hash { file, expected: expected.clone(), found }) }
}

#[cfg(all(feature = "onnx", not(target_arch = "wasm32")))]
fn read_at_most(path: &Path, max_bytes: u64) -> Result<Vec<u8>, ModelError> {
    let unreadable = |source| ModelError::Read { path: path.to_owned(), source };
    let bytes = fs::metadata(path).map_err(unreadable)?.len();
    if bytes > max_bytes {
        return Err(ModelError::TooLarge { path: path.to_owned(), bytes, max_bytes });
    }
    fs::read(path).map_err(unreadable)
}

/// The head that `manifest` names.
fn read_head(manifest: &Manifest, head: Option<&[u8]>) -> Result<Option<Head>, ModelError> {
    match (head, &manifest.sha256.head, manifest.output.embedding) {
        (Some(bytes), Some(hash), Some(embedding)) => {
            check_hash("head.safetensors", bytes, hash)?;
            Ok(Some(Head::from_safetensors(bytes, manifest.classes.len(), embedding)?))
        }
        (None, None, None) => Ok(None),
        (Some(_), ..) => Err(ModelError::HeadPresence("there, but the manifest does not name it")),
        (None, ..) => Err(ModelError::HeadPresence("missing, but the manifest names it")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_can_be_shared_between_threads() {
        fn shareable<T: Send + Sync>() {}
        shareable::<Model>();
    }

    #[test]
    fn softmax_sums_to_one_and_never_overflows() {
        for logits in [vec![0.0, 0.0], vec![1e30, -1e30, 0.0], vec![88.0, 89.0, 90.0], vec![-1e38, 1e38]] {
            for temperature in [0.01, 1.0, 100.0] {
                let probabilities = softmax(&logits, temperature);
                let sum: f32 = probabilities.iter().sum();
                assert!((sum - 1.0).abs() < 1e-6, "{logits:?} at {temperature}: {probabilities:?}");
                assert!(probabilities.iter().all(|share| (0.0..=1.0).contains(share)));
            }
        }
    }

    #[test]
    fn a_higher_temperature_is_less_sure() {
        let sure = softmax(&[2.0, 0.0], 1.0)[0];
        let doubtful = softmax(&[2.0, 0.0], 2.0)[0];
        assert!((sure - 0.880_797).abs() < 1e-5 && (doubtful - 0.731_059).abs() < 1e-5);
    }

    #[test]
    fn of_equals_the_first_wins() {
        assert_eq!(first_largest(&[0.25, 0.375, 0.375]), ClassIndex(1));
    }
}
