//! From any ONNX image classifier to a model directory.
//!
//! What most classifiers share is looked for in the graph: one image comes in, and the last thing that happens is a
//! linear layer. That layer becomes `head.safetensors`, which retraining may replace; everything before it becomes
//! `backbone.onnx`, which gives the embedding. A softmax at the end is taken off, because the temperature must act
//! before it. A graph without such a layer becomes a serve-only model: its backbone gives logits.
//!
//! The result is never trusted: both graphs are run on the same images, and must answer alike.

mod graph;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use gourmetgram_api::{Classes, ClassesError};
use prost::Message;
use tract_onnx::pb::ModelProto;

use self::graph::{Graph, ImageInput};
use crate::{
    Head, HeadError, Input, Licence, Manifest, ManifestError, Output, ResizeRule, Sha256Hex, Sha256Sums, Version,
    model::softmax,
    network::{Network, NetworkError},
};

/// How far split and unsplit graph may be apart, in logits: rounding of sums taken in another order.
const TOLERANCE: f32 = 1e-3;

/// Operators of quantised graphs, which the engine runs one to two orders of magnitude slower than float32.
const QUANTISED_OPERATORS: [&str; 6] =
    ["ConvInteger", "DynamicQuantizeLinear", "MatMulInteger", "QLinearConv", "QLinearMatMul", "QuantizeLinear"];

/// What an ONNX file does not say by itself.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// Name of the new version.
    pub version: Version,
    /// The labels, in the order of the model's outputs.
    pub classes: Classes,
    /// Terms of the weights.
    pub licence: Licence,
    /// Mean of R, G and B (0 to 1) that the model was trained with.
    pub mean: [f32; 3],
    /// Standard deviation of R, G and B (0 to 1) that the model was trained with.
    pub std: [f32; 3],
    /// How photos were brought to the input's size in training.
    pub resize: ResizeRule,
    /// Width and height of the input, in pixels; needed only where the graph leaves them open.
    pub size: Option<(u32, u32)>,
    /// Name of the output to serve; needed only where several fit.
    pub output: Option<String>,
}

/// Why a file cannot be imported, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Not ONNX.
    #[error("the file is no ONNX model ({0}): export it anew, for example with torch.onnx.export")]
    NotOnnx(String),
    /// The weights are in a file beside it.
    #[error(
        "the weight `{0}` is kept in another file: save the model as one file, \
         onnx.save(onnx.load(\"model.onnx\"), \"whole.onnx\", save_as_external_data=False)"
    )]
    ExternalData(String),
    /// Not one image comes in.
    #[error(
        "no image input was found ({0}): the model must take one float32 tensor [batch, 3, height, width] or [batch, height, width, 3]"
    )]
    NoImageInput(String),
    /// The graph does not fix the input's size.
    #[error("the input's width and height are not fixed in the file: say them, for example --size 224x224")]
    SizeUnknown,
    /// The graph fixes another size.
    #[error("the model takes {found:?} pixels (width, height), not {said:?}: leave --size away")]
    OtherSize {
        /// In the options.
        said: (u32, u32),
        /// In the file.
        found: (u32, u32),
    },
    /// The engine does not know an operator, or the graph is damaged.
    #[error("the inference engine cannot run this model: {0}")]
    Engine(String),
    /// No output, or too many, have one value a class.
    #[error("{found} of the model's outputs have {classes} values ({outputs}): {advice}")]
    Outputs {
        /// How many fit.
        found: usize,
        /// Number of class labels given.
        classes: usize,
        /// Names and lengths of the outputs.
        outputs: String,
        /// What to do.
        advice: &'static str,
    },
    /// The output holds probabilities, and no softmax to take off was found.
    #[error("the output `{0}` holds probabilities already: export the model with logits, without its last activation")]
    Probabilities(String),
    /// Split and whole model answer differently.
    #[error(
        "after the import the model answers differently (by {0} in a logit): \
         this is a defect of the import, please report it with the file"
    )]
    AnswersDiffer(f32),
    /// The options make no manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The last layer cannot be kept.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The target is taken.
    #[error("{} exists already: choose another version or folder, or remove it first", .0.display())]
    Exists(PathBuf),
    /// The target cannot be written.
    #[error("{} cannot be written", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl From<NetworkError> for ImportError {
    fn from(error: NetworkError) -> Self {
        Self::Engine(error.0)
    }
}

/// An imported model, still in memory.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Its manifest.
    pub manifest: Manifest,
    /// Contents of `backbone.onnx`.
    pub backbone: Vec<u8>,
    /// Contents of `head.safetensors`; `None` for a serve-only model.
    pub head: Option<Vec<u8>>,
    /// Whether a softmax at the end was taken off.
    pub softmax_removed: bool,
    /// The largest difference seen between the file's and the import's logits (or probabilities, where the file has
    /// only those).
    pub largest_difference: f32,
    /// What the user should know, one sentence each.
    pub warnings: Vec<String>,
}

impl Imported {
    /// Writes the model directory. It appears whole or not at all, and never replaces another.
    ///
    /// # Errors
    /// [`ImportError::Exists`], [`ImportError::Write`], [`ImportError::Manifest`].
    pub fn write(&self, directory: &Path) -> Result<(), ImportError> {
        if directory.exists() {
            return Err(ImportError::Exists(directory.to_owned()));
        }
        let manifest = self.manifest.to_toml()?;
        let mut name = directory.file_name().unwrap_or_default().to_owned();
        name.push(format!(".importing-{}", std::process::id()));
        let unfinished = directory.with_file_name(name);
        let written = self.write_files(&unfinished, &manifest).and_then(|()| fs::rename(&unfinished, directory));
        written.map_err(|source| {
            // Nothing more can be done about what may be left of it.
            let _ = fs::remove_dir_all(&unfinished);
            ImportError::Write { path: directory.to_owned(), source }
        })
    }

    fn write_files(&self, directory: &Path, manifest: &str) -> io::Result<()> {
        fs::create_dir_all(directory)?;
        fs::write(directory.join("backbone.onnx"), &self.backbone)?;
        if let Some(head) = &self.head {
            fs::write(directory.join("head.safetensors"), head)?;
        }
        fs::write(directory.join("manifest.toml"), manifest)
    }
}

/// Reads class labels from a text: one a line, or, if it is a single line, separated by commas.
///
/// # Errors
/// [`ClassesError`]: fewer than two, twice the same, or a label that cannot be an object tag.
pub fn classes_from_text(text: &str) -> Result<Classes, ClassesError> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let labels = match lines[..] {
        [line] => line.split(',').map(str::trim).collect(),
        _ => lines,
    };
    Classes::new(labels.into_iter().map(str::to_owned).collect())
}

/// Reads an ONNX file and imports it; see [`import`].
///
/// # Errors
/// [`ImportError`].
pub fn import_file(path: &Path, options: &ImportOptions) -> Result<Imported, ImportError> {
    let bytes = fs::read(path).map_err(|source| ImportError::Read { path: path.to_owned(), source })?;
    import(&bytes, options)
}

/// Makes a model of an ONNX file's contents: finds the image input and the output with one value a class, takes off a
/// softmax, splits the last linear layer from the rest, and checks that the parts answer as the whole did.
///
/// # Errors
/// [`ImportError`].
pub fn import(onnx: &[u8], options: &ImportOptions) -> Result<Imported, ImportError> {
    let mut graph = Graph::read(onnx)?;
    let image = graph.image_input()?;
    let input = input_of(&image, options)?;
    graph.put_first(&image.name);

    let whole = Network::on_tract(graph.model(), input.shape())?;
    let output = choose_output(&graph, &whole, &input, options)?;
    let whole = Network::on_tract(&graph.ending_at(&output), input.shape())?;
    let (logits, softmax_removed) = graph.without_softmax(&output);
    if !softmax_removed {
        refuse_probabilities(&whole, &input, &output)?;
    }

    let mut warnings = quantisation_warning(&graph);
    let classes = options.classes.len();
    let (backbone, head) = match graph.linear_layer(&logits, classes) {
        Some(layer) => {
            let head = Head::new(layer.weight, layer.bias, classes, layer.embedding)?;
            (graph.ending_at(&layer.input), Some(head))
        }
        None => {
            warnings.push(
                "no linear layer was found at the end: the model can be served but not retrained, \
                 and has no embeddings for drift"
                    .to_owned(),
            );
            (graph.ending_at(&logits), None)
        }
    };
    let largest_difference = compare(&whole, &backbone, head.as_ref(), &input, softmax_removed)?;

    let backbone = backbone.encode_to_vec();
    let embedding = head.as_ref().map(Head::embedding);
    let head = head.map(|head| head.to_safetensors()).transpose()?;
    let manifest = Manifest {
        version: options.version.clone(),
        classes: options.classes.clone(),
        licence: options.licence.clone(),
        input,
        output: Output { embedding, temperature: 1.0 },
        sha256: Sha256Sums { backbone: Sha256Hex::of(&backbone), head: head.as_deref().map(Sha256Hex::of) },
        accuracy: None,
    };
    // Says now what loading would say later.
    manifest.to_toml()?;
    Ok(Imported { manifest, backbone, head, softmax_removed, largest_difference, warnings })
}

fn input_of(image: &ImageInput, options: &ImportOptions) -> Result<Input, ImportError> {
    let (width, height) = match (image.size, options.size) {
        (Some(found), Some(said)) if found != said => return Err(ImportError::OtherSize { said, found }),
        (Some(size), _) | (None, Some(size)) => size,
        (None, None) => return Err(ImportError::SizeUnknown),
    };
    let ImportOptions { mean, std, resize, .. } = *options;
    Ok(Input { width, height, layout: image.layout, mean, std, resize })
}

/// The graph output with one value a class: the one asked for, or the only one.
fn choose_output(
    graph: &Graph,
    whole: &Network,
    input: &Input,
    options: &ImportOptions,
) -> Result<String, ImportError> {
    let lengths = whole.run(&vec![0.0; input.shape().iter().product()])?.into_iter().map(|values| values.len());
    let outputs: Vec<(String, usize)> = graph.outputs().into_iter().zip(lengths).collect();
    let classes = options.classes.len();
    let asked_for = |name: &str| options.output.as_deref().is_none_or(|asked| asked == name);
    let fitting: Vec<&(String, usize)> =
        outputs.iter().filter(|(name, length)| *length == classes && asked_for(name)).collect();
    match fitting[..] {
        [(name, _)] => Ok(name.clone()),
        _ => Err(ImportError::Outputs {
            found: fitting.len(),
            classes,
            outputs: outputs.iter().map(|(name, length)| format!("`{name}`: {length}")).collect::<Vec<_>>().join(", "),
            advice: if fitting.is_empty() {
                "give exactly as many class labels as the output has values"
            } else {
                "choose one with --output"
            },
        }),
    }
}

fn refuse_probabilities(whole: &Network, input: &Input, output: &str) -> Result<(), ImportError> {
    for image in test_images(input) {
        let values = first(whole.run(&image)?);
        let sum: f32 = values.iter().sum();
        let looks_like = values.iter().all(|value| (0.0..=1.0).contains(value)) && (sum - 1.0).abs() < 1e-3;
        if !looks_like {
            return Ok(());
        }
    }
    Err(ImportError::Probabilities(output.to_owned()))
}

fn quantisation_warning(graph: &Graph) -> Vec<String> {
    let found = graph.operators_among(&QUANTISED_OPERATORS);
    if found.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "the model is quantised ({}): the engine runs such graphs up to a hundred times slower than float32; \
         import the float32 model it was made from",
        found.join(", ")
    )]
}

/// Runs whole and parts on the same images; the largest difference.
fn compare(
    whole: &Network,
    backbone: &ModelProto,
    head: Option<&Head>,
    input: &Input,
    softmax_removed: bool,
) -> Result<f32, ImportError> {
    let backbone = Network::from_proto(backbone, input.shape())?;
    let mut largest = 0.0_f32;
    for image in test_images(input) {
        let expected = first(whole.run(&image)?);
        let output = first(backbone.run(&image)?);
        let logits = match head {
            Some(head) if head.embedding() == output.len() => head.logits(&output),
            Some(_) => return Err(ImportError::AnswersDiffer(f32::INFINITY)),
            None => output,
        };
        let found = if softmax_removed { softmax(&logits, 1.0) } else { logits };
        if found.len() != expected.len() {
            return Err(ImportError::AnswersDiffer(f32::INFINITY));
        }
        for (found, expected) in found.iter().zip(&expected) {
            let difference = (found - expected).abs() / expected.abs().max(1.0);
            if difference.is_nan() || difference > TOLERANCE {
                return Err(ImportError::AnswersDiffer(difference));
            }
            largest = largest.max(difference);
        }
    }
    Ok(largest)
}

/// A gray image, and two of noise within the range of normalised photos; the same in every run.
fn test_images(input: &Input) -> impl Iterator<Item = Vec<f32>> + use<> {
    let length = input.shape().iter().product::<usize>();
    let mut state = 1_u32;
    [0.0_f32, 1.0, 2.0].into_iter().map(move |amplitude| {
        (0..length)
            .map(|_| {
                // Numerical Recipes' linear congruential generator.
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                amplitude * ((state >> 8) as f32 / (1 << 23) as f32 - 1.0)
            })
            .collect()
    })
}

fn first(outputs: Vec<Vec<f32>>) -> Vec<f32> {
    outputs.into_iter().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_come_one_a_line_or_separated_by_commas() {
        let lines = classes_from_text("Bread\n\n Noodles/Pasta \nSoup\n").unwrap();
        assert_eq!(classes_from_text("Bread, Noodles/Pasta,Soup").unwrap(), lines);
        assert_eq!(lines.len(), 3);
        assert!(classes_from_text("").is_err());
        assert!(classes_from_text("Bread,Bread").is_err());
    }
}
