//! A network of convolutions as devices take it: no ONNX, most weights in half precision.
//!
//! A safetensors file. Its metadata hold `format`, `backbone` (the SHA-256 of the ONNX file it was made of) and `network`
//! (JSON: the layers, and which map is the answer); its tensors are `N.weight` (float16, or float32 where there are few)
//! and `N.bias` (float32).

use half::f16;
use safetensors::{SafeTensors, tensor::Dtype};
use serde::{Deserialize, Serialize};

use super::{
    NetworkError,
    convolution::{Activation, Mixing, Window},
    drawing::{Drawing, DrawnLayer},
};

const FORMAT: &str = "gourmetgram-device-2";

/// A layer of so many weights keeps them as they are: depthwise and early ones, which weigh little and round badly.
#[cfg(feature = "onnx")]
const WHOLE: usize = 16_000;

/// What the metadata's `network` says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Network {
    /// `[1, channels, height, width]`.
    image: [usize; 4],
    layers: Vec<Layer>,
    /// The map whose mean is the answer: that of layer `last - 1`.
    last: usize,
}

/// A layer without its numbers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Layer {
    input: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shortcut: Option<usize>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    depthwise: bool,
    strides: [usize; 2],
    /// Padding above and left.
    before: [usize; 2],
    /// Padding below and right.
    after: [usize; 2],
    #[serde(default, skip_serializing_if = "Option::is_none")]
    low: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    high: Option<f32>,
}

/// A network read back.
pub(super) struct Unpacked {
    pub(super) drawing: Drawing,
    pub(super) last: usize,
    pub(super) image: [usize; 4],
    /// The SHA-256 of the ONNX file it was made of.
    pub(super) backbone: String,
}

/// The file for `drawing`, made of the ONNX file with the SHA-256 `backbone`. `None` where a weight that has to does not fit
/// into half precision.
#[cfg(feature = "onnx")]
pub(super) fn pack(drawing: &Drawing, last: usize, image: [usize; 4], backbone: &str) -> Option<Vec<u8>> {
    use safetensors::tensor::TensorView;

    let network = Network { image, layers: drawing.layers().iter().map(Layer::of).collect(), last };
    let mut tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
    for (index, layer) in drawing.layers().iter().enumerate() {
        let (kind, weight) = if layer.weight.len() <= WHOLE {
            (Dtype::F32, layer.weight.iter().flat_map(|weight| weight.to_le_bytes()).collect())
        } else {
            let halves = rounded(&layer.weight, layer.weight.len() / layer.shape[0]);
            if !halves.iter().all(|weight| weight.is_finite()) {
                return None;
            }
            (Dtype::F16, halves.into_iter().flat_map(f16::to_le_bytes).collect())
        };
        let bias = layer.bias.iter().flat_map(|bias| bias.to_le_bytes()).collect();
        tensors.push((format!("{index}.weight"), kind, layer.shape.to_vec(), weight));
        tensors.push((format!("{index}.bias"), Dtype::F32, vec![layer.bias.len()], bias));
    }
    let views: Vec<(&str, TensorView<'_>)> = tensors
        .iter()
        .map(|(name, kind, shape, bytes)| Some((name.as_str(), TensorView::new(*kind, shape.clone(), bytes).ok()?)))
        .collect::<Option<_>>()?;
    let metadata = std::collections::HashMap::from([
        ("format".to_owned(), FORMAT.to_owned()),
        ("backbone".to_owned(), backbone.to_owned()),
        ("network".to_owned(), serde_json::to_string(&network).ok()?),
    ]);
    in_order(&safetensors::serialize(views, Some(metadata)).ok()?)
}

/// The weights in half precision, `filter` of them for each channel of the output. What rounding takes from one it gives to
/// the next of its filter, so that it comes to nothing where a map is smooth, which maps mostly are.
#[cfg(feature = "onnx")]
fn rounded(weights: &[f32], filter: usize) -> Vec<f16> {
    let mut halves = Vec::with_capacity(weights.len());
    for weights in weights.chunks(filter.max(1)) {
        let mut left = 0.0;
        for weight in weights {
            let wanted = weight + left;
            let half = f16::from_f32(wanted);
            left = wanted - half.to_f32();
            halves.push(half);
        }
    }
    halves
}

/// The same safetensors file with its names in alphabetical order. Those of its metadata come in another order each time it
/// is written, and the file's address is its hash: every start of a server would have browsers fetch it again.
#[cfg(feature = "onnx")]
fn in_order(file: &[u8]) -> Option<Vec<u8>> {
    use std::collections::BTreeMap;

    let (length, rest) = file.split_first_chunk::<8>()?;
    let (head, numbers) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    let names: BTreeMap<String, BTreeMap<String, serde_json::Value>> = serde_json::from_slice(head).ok()?;
    let mut head = serde_json::to_vec(&names).ok()?;
    // Numbers begin at a multiple of eight.
    head.resize(head.len().next_multiple_of(8), b' ');
    let mut ordered = (head.len() as u64).to_le_bytes().to_vec();
    ordered.extend_from_slice(&head);
    ordered.extend_from_slice(numbers);
    Some(ordered)
}

/// Reads such a file.
pub(super) fn unpack(bytes: &[u8]) -> Result<Unpacked, NetworkError> {
    let unreadable = |problem: &str| NetworkError(format!("the packed backbone {problem}"));
    let file = SafeTensors::deserialize(bytes).map_err(|error| unreadable(&format!("is damaged: {error}")))?;
    let (_, head) = SafeTensors::read_metadata(bytes).map_err(|error| unreadable(&format!("is damaged: {error}")))?;
    let metadata = head.metadata().as_ref().ok_or_else(|| unreadable("has no metadata"))?;
    let entry =
        |name: &str| metadata.get(name).map(String::as_str).ok_or_else(|| unreadable(&format!("lacks `{name}`")));
    if entry("format")? != FORMAT {
        return Err(unreadable("is of another format: reload the page"));
    }
    let network: Network =
        serde_json::from_str(entry("network")?).map_err(|error| unreadable(&format!("has no network: {error}")))?;
    let mut drawing = None;
    for (index, layer) in network.layers.iter().enumerate() {
        let layer = layer.drawn(&file, index).ok_or_else(|| unreadable(&format!("lacks numbers of layer {index}")))?;
        let fits = match &mut drawing {
            None => {
                drawing = Drawing::of_image(network.image, layer);
                drawing.is_some()
            }
            Some(drawing) => drawing.add(layer).is_some(),
        };
        if !fits {
            return Err(unreadable(&format!("has a layer {index} that does not fit")));
        }
    }
    let drawing = drawing.ok_or_else(|| unreadable("has no layers"))?;
    Ok(Unpacked { drawing, last: network.last, image: network.image, backbone: entry("backbone")?.to_owned() })
}

impl Layer {
    #[cfg(feature = "onnx")]
    fn of(layer: &DrawnLayer) -> Self {
        let Activation { low, high } = layer.activation.unwrap_or(Activation::NONE);
        Self {
            input: layer.input,
            shortcut: layer.shortcut,
            depthwise: layer.mixing == Mixing::Depthwise,
            strides: layer.window.strides,
            before: layer.window.before,
            after: layer.window.after,
            // JSON has no infinity.
            low: Some(low).filter(|bound| bound.is_finite()),
            high: Some(high).filter(|bound| bound.is_finite()),
        }
    }

    /// With its numbers, which are those of layer `index`.
    fn drawn(&self, file: &SafeTensors<'_>, index: usize) -> Option<DrawnLayer> {
        let weight = file.tensor(&format!("{index}.weight")).ok()?;
        let numbers = match weight.dtype() {
            Dtype::F16 => weight.data().as_chunks().0.iter().map(|bytes| f16::from_le_bytes(*bytes).to_f32()).collect(),
            Dtype::F32 => weight.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            _ => return None,
        };
        let bias = file.tensor(&format!("{index}.bias")).ok().filter(|tensor| tensor.dtype() == Dtype::F32)?;
        let shape: [usize; 4] = weight.shape().try_into().ok()?;
        let activation = Activation {
            low: self.low.unwrap_or(Activation::NONE.low),
            high: self.high.unwrap_or(Activation::NONE.high),
        };
        Some(DrawnLayer {
            mixing: if self.depthwise { Mixing::Depthwise } else { Mixing::Dense },
            window: Window {
                kernel: [shape[2], shape[3]],
                strides: self.strides,
                before: self.before,
                after: self.after,
            },
            shape,
            weight: numbers,
            bias: bias.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            activation: Some(activation),
            input: self.input,
            shortcut: self.shortcut,
        })
    }
}
