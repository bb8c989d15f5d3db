//! A network of convolutions as it is written down: what is computed from what, before anything is laid out to run.

use super::{
    blocked::{BLOCK, Shape},
    convolution::{Activation, Layer, Mixing, Window},
    instructions::Arch,
    plan::{Kernel, Plan, Step},
    unfolding::Unfolding,
    winograd::Winograd,
};

/// Most lines that all maps and weights may take together: 512 MiB.
const MAX_LINES: usize = 1 << 23;
/// Most pixels and channels of a map, kernel sides, strides: far from where products overflow.
const MAX_SIDE: usize = 1 << 14;

/// Convolutions of an image and of each other's maps, and the map whose mean is the answer.
///
/// The first layer reads the image; each other one the map of a layer before it. Map 0 is the unfolded image, map n what
/// layer n - 1 writes.
#[derive(Debug)]
pub(super) struct Drawing {
    unfolding: Unfolding,
    maps: Vec<Shape>,
    layers: Vec<DrawnLayer>,
}

/// One convolution with what is taken into it.
#[derive(Debug)]
pub(super) struct DrawnLayer {
    pub(super) mixing: Mixing,
    pub(super) window: Window,
    /// `[output channels, input channels, rows, columns]`; of a depthwise one, `[channels, 1, rows, columns]`.
    pub(super) shape: [usize; 4],
    pub(super) weight: Vec<f32>,
    pub(super) bias: Vec<f32>,
    pub(super) activation: Option<Activation>,
    /// The map it reads; of the first layer 0, for the image.
    pub(super) input: usize,
    /// The map that is added before the activation.
    pub(super) shortcut: Option<usize>,
}

impl DrawnLayer {
    /// Whether its numbers fit each other and are small enough to be multiplied.
    fn is_sound(&self) -> bool {
        let [outputs, depth, rows, columns] = self.shape;
        let Window { kernel, strides, before, after } = self.window;
        let sides = self.shape.into_iter().chain(strides).chain(before).chain(after);
        let length = self.shape.iter().try_fold(1_usize, |length, side| length.checked_mul(*side));
        sides.max().is_some_and(|side| side <= MAX_SIDE)
            && kernel == [rows, columns]
            && ![outputs, depth, rows, columns, strides[0], strides[1]].contains(&0)
            && length == Some(self.weight.len())
            && self.bias.len() == outputs
    }
}

impl Drawing {
    /// The first layer, which reads an image of the shape `[1, channels, height, width]`; `None` where that makes no
    /// sense.
    pub(super) fn of_image(shape: [usize; 4], first: DrawnLayer) -> Option<Self> {
        let [1, channels, height, width] = shape else { return None };
        if !first.is_sound() || first.shape[1] != channels || channels > BLOCK || first.input != 0 {
            return None;
        }
        let unfolding = Unfolding::new(channels, height, width, &first.window)?;
        let left = unfolding.window(&first.window);
        let mut drawing = Self { maps: vec![unfolding.shape], unfolding, layers: Vec::new() };
        drawing.push(first, &left)?;
        Some(drawing)
    }

    /// One more layer; the map it writes, or `None` where it makes no sense.
    pub(super) fn add(&mut self, layer: DrawnLayer) -> Option<usize> {
        let channels = self.maps.get(layer.input).filter(|_| layer.input > 0)?.channels;
        let [outputs, depth, ..] = layer.shape;
        let fits = match layer.mixing {
            Mixing::Dense => depth == channels,
            Mixing::Depthwise => outputs == channels && depth == 1,
        };
        let window = layer.window;
        if fits && layer.is_sound() { self.push(layer, &window) } else { None }
    }

    /// `window` is what is left of the layer's own once the image is unfolded.
    fn push(&mut self, layer: DrawnLayer, window: &Window) -> Option<usize> {
        let Shape { height, width, .. } = self.maps[layer.input];
        let [height, width] = window.output([height, width])?;
        if height.max(width) > MAX_SIDE {
            return None;
        }
        self.maps.push(Shape { channels: layer.shape[0], height, width, border: 0 });
        let shortcut = layer.shortcut;
        self.layers.push(DrawnLayer { shortcut: None, ..layer });
        let map = self.layers.len();
        match shortcut {
            None => Some(map),
            Some(earlier) => self.add_shortcut(map, earlier).then_some(map),
        }
    }

    /// Has the layer that writes `map` add the map `earlier`; whether it can.
    pub(super) fn add_shortcut(&mut self, map: usize, earlier: usize) -> bool {
        let fits = earlier > 0 && earlier < map && self.maps.get(map) == self.maps.get(earlier);
        match self.writer(map) {
            Some(layer) if fits && layer.shortcut.is_none() => {
                layer.shortcut = Some(earlier);
                true
            }
            _ => false,
        }
    }

    /// The layer that writes `map`.
    pub(super) fn writer(&mut self, map: usize) -> Option<&mut DrawnLayer> {
        self.layers.get_mut(map.checked_sub(1)?)
    }

    /// How many channels a map has.
    #[cfg(feature = "onnx")]
    pub(super) fn channels(&self, map: usize) -> Option<usize> {
        self.maps.get(map).map(|shape| shape.channels)
    }

    /// All layers, first to last.
    #[cfg(feature = "onnx")]
    pub(super) fn layers(&self) -> &[DrawnLayer] {
        &self.layers
    }

    /// Lays everything out for an instruction set whose registers hold `lanes` numbers. The answer is the mean of each
    /// channel of the map `last`. `None` where that takes too much memory.
    pub(super) fn into_plan(mut self, last: usize, arch: Arch, lanes: usize) -> Option<Plan> {
        if last == 0 || last >= self.maps.len() {
            return None;
        }
        if let Some(first) = self.layers.first_mut() {
            first.weight = self.unfolding.weights(&first.weight, &first.window);
            first.window = self.unfolding.window(&first.window);
        }
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
        last_use[last] = self.layers.len();

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
        Some(Plan::new(arch, self.unfolding, steps, buffers, buffer_of[last]))
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
