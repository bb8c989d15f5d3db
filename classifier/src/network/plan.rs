//! Graphs of convolutions, run by our own kernels.
//!
//! Most image classifiers are, at inference, nothing but convolutions with something small between them. Such a graph
//! becomes a [`Plan`]: a list of convolutions with bias, shortcut (`Add`) and activation (`Relu`, `Clip`) taken into
//! them, and the mean over all pixels at the end. Any other graph is left to tract.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use pulp::{Arch, Simd, WithSimd};
use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorProto};

use super::{
    blocked::{BLOCK, Line, Shape},
    convolution::{Activation, Convolution, Layer, Mixing, Window},
    onnx,
    unfolding::Unfolding,
    winograd::Winograd,
};

/// Most lines that all maps and weights may take together: 512 MiB.
const MAX_LINES: usize = 1 << 23;
/// Most pixels and channels of a map, kernel sides, strides: far from where products overflow.
const MAX_SIDE: usize = 1 << 14;

/// A graph of convolutions, ready to run on one image at a time.
#[derive(Debug)]
pub(super) struct Plan {
    arch: Arch,
    unfolding: Unfolding,
    steps: Vec<Step>,
    /// Shapes of the buffers that maps are written to.
    buffers: Vec<Shape>,
    /// The buffer whose mean over all pixels is the answer.
    last: usize,
    /// Lines that a layer may need for itself.
    scratch: usize,
    /// Buffers that no run uses just now.
    idle: Mutex<Vec<Buffers>>,
}

/// What a run writes to.
#[derive(Debug)]
struct Buffers {
    /// One a shape of [`Plan::buffers`].
    maps: Vec<Vec<Line>>,
    scratch: Vec<Line>,
}

/// A convolution and the buffers it works on.
#[derive(Debug)]
struct Step {
    kernel: Kernel,
    input: usize,
    shortcut: Option<usize>,
    output: usize,
}

/// How a convolution is done.
#[derive(Debug)]
enum Kernel {
    Direct(Convolution),
    Winograd(Winograd),
}

impl Kernel {
    fn of(layer: &Layer<'_>, lanes: usize) -> Self {
        Winograd::new(layer, lanes).map_or_else(|| Self::Direct(Convolution::new(layer, lanes)), Self::Winograd)
    }
}

impl Plan {
    /// `None` where the graph holds anything else than what is said above.
    pub(super) fn of(model: &ModelProto, input_shape: [usize; 4], arch: Arch) -> Option<Self> {
        Drawing::of(model.graph.as_ref()?, input_shape)?.into_plan(arch, arch.dispatch(Lanes))
    }

    /// The mean of each channel over all pixels of the last map.
    pub(super) fn run(&self, image: &[f32]) -> Vec<f32> {
        let idle = self.idle().pop();
        let mut buffers = idle.unwrap_or_else(|| Buffers {
            maps: self.buffers.iter().map(|shape| vec![Line::default(); shape.lines()]).collect(),
            scratch: vec![Line::default(); self.scratch],
        });
        let Buffers { maps, scratch } = &mut buffers;
        self.unfolding.run(image, &mut maps[0]);
        for step in &self.steps {
            let mut output = std::mem::take(&mut maps[step.output]);
            let (input, shortcut) = (&maps[step.input], step.shortcut.map(|buffer| maps[buffer].as_slice()));
            match &step.kernel {
                Kernel::Direct(convolution) => convolution.run(self.arch, input, shortcut, &mut output),
                Kernel::Winograd(winograd) => winograd.run(self.arch, input, shortcut, &mut output, scratch),
            }
            maps[step.output] = output;
        }
        let means = means(&maps[self.last], self.buffers[self.last]);
        self.idle().push(buffers);
        means
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Buffers>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn means(map: &[Line], shape: Shape) -> Vec<f32> {
    let pixels = (shape.height * shape.width) as f32;
    let mut means = Vec::with_capacity(shape.blocks() * BLOCK);
    for plane in map.chunks_exact(shape.plane()) {
        let mut sums = [0.0; BLOCK];
        for y in 0..shape.height {
            for line in &plane[shape.pixel(y, 0)..][..shape.width] {
                sums.iter_mut().zip(&line.0).for_each(|(sum, value)| *sum += value);
            }
        }
        means.extend(sums.map(|sum| sum / pixels));
    }
    means.truncate(shape.channels);
    means
}

/// How many numbers a vector register holds on this machine.
struct Lanes;

impl WithSimd for Lanes {
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> usize {
        S::F32_LANES
    }
}

/// A plan whose maps have no buffers yet.
struct Drawing {
    unfolding: Unfolding,
    /// The index of a map is that of the layer that writes it, plus one: map 0 is the unfolded image.
    maps: Vec<Shape>,
    layers: Vec<DrawnLayer>,
    last: usize,
}

struct DrawnLayer {
    mixing: Mixing,
    window: Window,
    weight: Vec<f32>,
    bias: Vec<f32>,
    activation: Option<Activation>,
    input: usize,
    shortcut: Option<usize>,
}

/// What a tensor's name stands for.
#[derive(Clone, Copy)]
enum Meaning {
    Image,
    Map(usize),
    /// The mean over the pixels of a map.
    Mean(usize),
}

impl Drawing {
    fn of(graph: &GraphProto, input_shape: [usize; 4]) -> Option<Self> {
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
            unfolding: None,
            maps: Vec::new(),
            layers: Vec::new(),
        };
        for node in &graph.node {
            let meaning = drafting.meaning_of(node)?;
            drafting.meanings.insert(node.output.first()?, meaning);
        }
        let Some(Meaning::Mean(last)) = drafting.meanings.get(answer.name.as_str()).copied() else { return None };
        Some(Self { unfolding: drafting.unfolding?, maps: drafting.maps, layers: drafting.layers, last })
    }

    fn into_plan(mut self, arch: Arch, lanes: usize) -> Option<Plan> {
        for layer in &self.layers {
            let border = &mut self.maps[layer.input].border;
            *border = layer.window.border().max(*border);
        }
        if self.lines() > MAX_LINES {
            return None;
        }
        let mut last_use = vec![0; self.maps.len()];
        for (index, layer) in self.layers.iter().enumerate() {
            [Some(layer.input), layer.shortcut].into_iter().flatten().for_each(|map| last_use[map] = index);
        }
        last_use[self.last] = self.layers.len();

        // A map moves into the buffer of one that nobody reads any more, if it has the same shape: then the border
        // is where it was, and still zero.
        let mut buffers = vec![self.maps[0]];
        let mut buffer_of = vec![0; self.maps.len()];
        let mut free: Vec<usize> = Vec::new();
        let mut steps = Vec::new();
        for (index, layer) in self.layers.iter().enumerate() {
            let output = index + 1;
            let shape = self.maps[output];
            let reused = free.iter().position(|buffer| buffers[*buffer] == shape).map(|found| free.swap_remove(found));
            buffer_of[output] = reused.unwrap_or_else(|| {
                buffers.push(shape);
                buffers.len() - 1
            });
            let kernel = Kernel::of(
                &Layer {
                    mixing: layer.mixing,
                    window: layer.window,
                    weight: &layer.weight,
                    bias: &layer.bias,
                    activation: layer.activation.unwrap_or(Activation::NONE),
                    input: self.maps[layer.input],
                    output: shape,
                    shortcut: layer.shortcut.map(|map| self.maps[map]),
                },
                lanes,
            );
            steps.push(Step {
                kernel,
                input: buffer_of[layer.input],
                shortcut: layer.shortcut.map(|map| buffer_of[map]),
                output: buffer_of[output],
            });
            let mut read = vec![layer.input];
            read.extend(layer.shortcut.filter(|map| *map != layer.input));
            free.extend(read.into_iter().filter(|map| last_use[*map] == index).map(|map| buffer_of[map]));
        }
        let scratch = |step: &Step| match &step.kernel {
            Kernel::Direct(_) => 0,
            Kernel::Winograd(winograd) => winograd.scratch(),
        };
        Some(Plan {
            arch,
            unfolding: self.unfolding,
            scratch: steps.iter().map(scratch).max().unwrap_or(0),
            steps,
            buffers,
            last: buffer_of[self.last],
            idle: Mutex::default(),
        })
    }

    /// Of all maps and weights; padding to whole blocks included, which a forged graph may make the most of.
    fn lines(&self) -> usize {
        let maps = self.maps.iter().map(Shape::lines);
        let weights = self.layers.iter().zip(&self.maps[1..]).map(|(layer, output)| {
            let input = self.maps[layer.input];
            let taps: usize = layer.window.kernel.iter().product();
            Winograd::lines(layer.mixing, &layer.window, input, *output)
                .unwrap_or(taps * BLOCK * input.blocks() * output.blocks())
        });
        maps.chain(weights).fold(0, usize::saturating_add)
    }
}

/// A drawing in the making.
struct Drafting<'a> {
    weights: HashMap<&'a str, &'a TensorProto>,
    /// How often each tensor is read.
    uses: HashMap<&'a str, usize>,
    image: [usize; 4],
    meanings: HashMap<&'a str, Meaning>,
    unfolding: Option<Unfolding>,
    maps: Vec<Shape>,
    layers: Vec<DrawnLayer>,
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
        let &[outputs, depth, rows, columns] = &shape[..] else { return None };
        let bias = match bias {
            Some(name) => onnx::floats(self.weights.get(name)?)?.1,
            None => vec![0.0; outputs],
        };
        let mut window = window(node, [rows, columns])?;
        let group = usize::try_from(onnx::integer(node, "group", 1)).ok()?;
        let largest = [outputs, depth, rows, columns].into_iter().chain(window.strides).chain(window.before);
        if largest.chain(window.after).any(|side| side > MAX_SIDE) || bias.len() != outputs || outputs == 0 {
            return None;
        }
        let (input, weight, mixing) = match *self.meanings.get(input)? {
            // One image, planes first: what tract is told too.
            Meaning::Image if self.unfolding.is_none() && group == 1 => {
                let [1, channels, height, width] = self.image else { return None };
                if channels != depth || channels > BLOCK {
                    return None;
                }
                let unfolding = Unfolding::new(channels, height, width, &window)?;
                let weight = unfolding.weights(&weight, &window);
                window = unfolding.window(&window);
                self.maps.push(unfolding.shape);
                self.unfolding = Some(unfolding);
                (0, weight, Mixing::Dense)
            }
            Meaning::Map(map) => {
                let channels = self.maps[map].channels;
                let mixing = match group {
                    1 if depth == channels => Mixing::Dense,
                    _ if group == channels && outputs == channels && depth == 1 => Mixing::Depthwise,
                    _ => return None,
                };
                (map, weight, mixing)
            }
            Meaning::Image | Meaning::Mean(_) => return None,
        };
        let Shape { height, width, .. } = self.maps[input];
        let [height, width] = window.output([height, width])?;
        if height.max(width) > MAX_SIDE {
            return None;
        }
        self.maps.push(Shape { channels: outputs, height, width, border: 0 });
        self.layers.push(DrawnLayer { mixing, window, weight, bias, activation: None, input, shortcut: None });
        Some(Meaning::Map(self.layers.len()))
    }

    /// The layer that writes `tensor`, if nobody else reads it as it is: then what follows may become part of it.
    fn own_layer(&mut self, tensor: &str) -> Option<(usize, &mut DrawnLayer)> {
        let Some(&Meaning::Map(map)) = self.meanings.get(tensor) else { return None };
        let is_only_use = self.uses.get(tensor) == Some(&1);
        let layer = self.layers.get_mut(map.checked_sub(1)?)?;
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
        let (map, layer) = self.own_layer(later)?;
        if map == earlier || layer.shortcut.is_some() {
            return None;
        }
        layer.shortcut = Some(earlier);
        (self.maps[map] == self.maps[earlier]).then_some(Meaning::Map(map))
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
