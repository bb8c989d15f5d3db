//! From an ONNX graph to a [`Drawing`].

use std::collections::HashMap;

use tract_onnx::pb::{GraphProto, NodeProto, TensorProto};

use super::{
    convolution::{Activation, Mixing, Window},
    drawing::{Drawing, DrawnLayer},
    onnx,
};

/// The network that `graph` is, and the map whose mean is its answer. `None` where the graph holds anything else than
/// convolutions with bias, shortcut (`Add`) and activation (`Relu`, `Clip`), and the mean over all pixels at the end.
pub(super) fn draw(graph: &GraphProto, input_shape: [usize; 4]) -> Option<(Drawing, usize)> {
    let weights: HashMap<&str, &TensorProto> =
        graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor)).collect();
    let mut inputs = graph.input.iter().filter(|input| !weights.contains_key(input.name.as_str()));
    let (Some(image), None, [answer]) = (inputs.next(), inputs.next(), &graph.output[..]) else { return None };
    let mut uses: HashMap<&str, usize> = HashMap::from([(answer.name.as_str(), 1)]);
    for name in graph.node.iter().flat_map(|node| &node.input) {
        *uses.entry(name).or_default() += 1;
    }
    let mut drafting = Drafting {
        weights,
        uses,
        image: input_shape,
        meanings: HashMap::from([(image.name.as_str(), Meaning::Image)]),
        drawing: None,
    };
    for node in &graph.node {
        let meaning = drafting.meaning_of(node)?;
        drafting.meanings.insert(node.output.first()?, meaning);
    }
    let Some(Meaning::Mean(last)) = drafting.meanings.get(answer.name.as_str()).copied() else { return None };
    Some((drafting.drawing?, last))
}

/// What a tensor's name stands for.
#[derive(Clone, Copy)]
enum Meaning {
    Image,
    Map(usize),
    /// The mean over the pixels of a map.
    Mean(usize),
}

/// A drawing in the making.
struct Drafting<'a> {
    weights: HashMap<&'a str, &'a TensorProto>,
    /// How often each tensor is read.
    uses: HashMap<&'a str, usize>,
    image: [usize; 4],
    meanings: HashMap<&'a str, Meaning>,
    drawing: Option<Drawing>,
}

impl<'a> Drafting<'a> {
    fn meaning_of(&mut self, node: &'a NodeProto) -> Option<Meaning> {
        let inputs: Vec<&str> = node.input.iter().map(String::as_str).collect();
        match (node.op_type.as_str(), &inputs[..]) {
            ("Conv", [input, weight, bias @ ..]) => self.convolution(node, input, weight, bias.first().copied()),
            ("Relu", [input]) => self.activation(input, Activation { low: 0.0, ..Activation::NONE }),
            ("Clip", [input, bounds @ ..]) => {
                let activation = self.clip(bounds)?;
                self.activation(input, activation)
            }
            ("Add", [left, right]) => self.shortcut(left, right),
            ("GlobalAveragePool", [input]) => self.mean(input),
            ("ReduceMean", [input]) if onnx::integers(node, "axes") == [2, 3] => self.mean(input),
            // A mean is one row of numbers, whatever shape it is given.
            ("Flatten" | "Identity" | "Reshape" | "Squeeze", [input, ..]) => {
                self.meanings.get(input).copied().filter(|meaning| matches!(meaning, Meaning::Mean(_)))
            }
            _ => None,
        }
    }

    fn convolution(&mut self, node: &NodeProto, input: &str, weight: &str, bias: Option<&str>) -> Option<Meaning> {
        let (shape, weight) = onnx::floats(self.weights.get(weight)?)?;
        let shape: [usize; 4] = shape.try_into().ok()?;
        let [outputs, depth, rows, columns] = shape;
        let bias = match bias {
            Some(name) => onnx::floats(self.weights.get(name)?)?.1,
            None => vec![0.0; outputs],
        };
        let window = window(node, [rows, columns])?;
        let group = usize::try_from(onnx::integer(node, "group", 1)).ok()?;
        let meaning = *self.meanings.get(input)?;
        let (input, mixing) = match (meaning, &self.drawing) {
            // One image, planes first: what tract is told too.
            (Meaning::Image, None) if group == 1 => (0, Mixing::Dense),
            (Meaning::Map(map), Some(drawing)) => match group {
                1 => (map, Mixing::Dense),
                _ if drawing.channels(map) == Some(group) && depth == 1 => (map, Mixing::Depthwise),
                _ => return None,
            },
            _ => return None,
        };
        let layer = DrawnLayer { mixing, window, shape, weight, bias, activation: None, input, shortcut: None };
        match &mut self.drawing {
            Some(drawing) => drawing.add(layer).map(Meaning::Map),
            None => {
                self.drawing = Some(Drawing::of_image(self.image, layer)?);
                Some(Meaning::Map(1))
            }
        }
    }

    /// The layer that writes `tensor`, if nobody else reads it as it is: then what follows may become part of it.
    fn own_layer(&mut self, tensor: &str) -> Option<(usize, &mut DrawnLayer)> {
        let Some(&Meaning::Map(map)) = self.meanings.get(tensor) else { return None };
        let is_only_use = self.uses.get(tensor) == Some(&1);
        let layer = self.drawing.as_mut()?.writer(map)?;
        (is_only_use && layer.activation.is_none()).then_some((map, layer))
    }

    fn activation(&mut self, input: &str, activation: Activation) -> Option<Meaning> {
        let (map, layer) = self.own_layer(input)?;
        layer.activation = Some(activation);
        Some(Meaning::Map(map))
    }

    /// `Clip`'s bounds, where they are constants.
    fn clip(&self, bounds: &[&str]) -> Option<Activation> {
        let bound = |index: usize, default: f32| match bounds.get(index) {
            None | Some(&"") => Some(default),
            Some(name) => onnx::floats(self.weights.get(name)?)?.1.first().copied(),
        };
        let (low, high) = (bound(0, f32::NEG_INFINITY)?, bound(1, f32::INFINITY)?);
        (low <= high).then_some(Activation { low, high })
    }

    /// The later of the two layers adds what the earlier one wrote.
    fn shortcut(&mut self, left: &str, right: &str) -> Option<Meaning> {
        let (&Meaning::Map(first), &Meaning::Map(second)) = (self.meanings.get(left)?, self.meanings.get(right)?)
        else {
            return None;
        };
        let (later, earlier) = if first > second { (left, second) } else { (right, first) };
        let (map, _) = self.own_layer(later)?;
        self.drawing.as_mut()?.add_shortcut(map, earlier).then_some(Meaning::Map(map))
    }

    fn mean(&self, input: &str) -> Option<Meaning> {
        match self.meanings.get(input)? {
            Meaning::Map(map) => Some(Meaning::Mean(*map)),
            Meaning::Image | Meaning::Mean(_) => None,
        }
    }
}

fn window(node: &NodeProto, kernel: [usize; 2]) -> Option<Window> {
    let is_padded_by_rule = onnx::text(node, "auto_pad").is_some_and(|rule| !rule.is_empty() && rule != b"NOTSET");
    let is_dilated = onnx::integers(node, "dilations").iter().any(|dilation| *dilation != 1);
    if is_padded_by_rule || is_dilated || kernel.contains(&0) {
        return None;
    }
    let counts = |name: &str| -> Option<Vec<usize>> {
        onnx::integers(node, name).iter().map(|count| usize::try_from(*count).ok()).collect()
    };
    let strides = match counts("strides")?[..] {
        [] => [1, 1],
        [rows, columns] if rows > 0 && columns > 0 => [rows, columns],
        _ => return None,
    };
    let (before, after) = match counts("pads")?[..] {
        [] => ([0, 0], [0, 0]),
        [top, left, bottom, right] => ([top, left], [bottom, right]),
        _ => return None,
    };
    Some(Window { kernel, strides, before, after })
}
