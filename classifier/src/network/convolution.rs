//! Convolutions on blocked maps.
//!
//! A tile of pixels by output channels is summed up in vector registers over all taps (input block, row and column of
//! the kernel), and stored once, with bias, shortcut and activation already in it. `pulp` compiles the same code for
//! each instruction set and chooses at run time; the tile's size is what fills that set's registers.

use std::array;

use pulp::{Simd, WithSimd};

use super::{
    blocked::{BLOCK, Line, Shape},
    instructions::Arch,
};

/// What bounds the values that leave a layer: `Relu`, `Clip`, or nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Activation {
    pub(super) low: f32,
    pub(super) high: f32,
}

impl Activation {
    pub(super) const NONE: Self = Self { low: f32::NEG_INFINITY, high: f32::INFINITY };
}

/// Kernel size, strides and padding of a convolution: rows first, then columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) kernel: [usize; 2],
    pub(super) strides: [usize; 2],
    /// Above and left.
    pub(super) before: [usize; 2],
    /// Below and right.
    pub(super) after: [usize; 2],
}

impl Window {
    /// Height and width of what comes out, if anything does.
    pub(super) fn output(&self, input: [usize; 2]) -> Option<[usize; 2]> {
        let side = |axis: usize| {
            let padded = input[axis].checked_add(self.before[axis])?.checked_add(self.after[axis])?;
            Some(padded.checked_sub(self.kernel[axis])? / self.strides[axis] + 1)
        };
        Some([side(0)?, side(1)?])
    }

    /// The border of zeros that an input needs.
    pub(super) fn border(&self) -> usize {
        self.before.into_iter().chain(self.after).max().unwrap_or(0)
    }
}

/// Whether every output channel sees every input channel, or only its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mixing {
    Dense,
    Depthwise,
}

/// One convolution, ready to run.
#[derive(Debug)]
pub(super) struct Convolution {
    mixing: Mixing,
    /// Lines from a pixel's first tap to each of its taps; of a depthwise one, within a block.
    taps: Vec<usize>,
    /// For each output pixel, where its first tap lies; the last one is repeated to a whole number of tiles.
    sources: Vec<usize>,
    /// For each output pixel, where it goes.
    targets: Vec<usize>,
    /// The same for the map that is added, if one is.
    shortcuts: Vec<usize>,
    weights: Vec<Line>,
    bias: Vec<Line>,
    input: Shape,
    output: Shape,
    shortcut: Option<Shape>,
    activation: Activation,
    /// How many blocks of output channels are computed together, from the first to the last.
    groups: Vec<usize>,
    /// Input channels of a tap that are computed with: in the first layer not the whole block.
    depth: usize,
}

/// The largest tile of any instruction set, in pixels.
const MOST_PIXELS: usize = 12;

/// `weight` is `[output channels, input channels, rows, columns]`; of a depthwise one, `[channels, 1, rows, columns]`.
pub(super) struct Layer<'a> {
    pub(super) mixing: Mixing,
    pub(super) window: Window,
    pub(super) weight: &'a [f32],
    pub(super) bias: &'a [f32],
    pub(super) activation: Activation,
    pub(super) input: Shape,
    pub(super) output: Shape,
    pub(super) shortcut: Option<Shape>,
}

impl Layer<'_> {
    pub(super) fn bias_lines(&self) -> Vec<Line> {
        (0..self.output.blocks()).map(|block| line(|lane| value(self.bias, block * BLOCK + lane))).collect()
    }
}

impl Convolution {
    /// `lanes` is how many numbers a vector register holds.
    pub(super) fn new(layer: &Layer<'_>, lanes: usize) -> Self {
        let Layer { mixing, window, input, output, shortcut, .. } = *layer;
        let groups = match mixing {
            Mixing::Dense => groups(output.blocks(), lanes),
            Mixing::Depthwise => vec![1; output.blocks()],
        };
        let [rows, columns] = window.kernel;
        let in_block = || (0..rows).flat_map(|y| (0..columns).map(move |x| y * input.row() + x));
        let taps = match mixing {
            Mixing::Dense => {
                (0..input.blocks()).flat_map(|block| in_block().map(move |tap| block * input.plane() + tap)).collect()
            }
            Mixing::Depthwise => in_block().collect(),
        };
        let first_tap = |y: usize, x: usize| {
            let [top, left] = window.before.map(|before| input.border - before);
            (y * window.strides[0] + top) * input.row() + x * window.strides[1] + left
        };
        let depth = input.channels.min(BLOCK);
        Self {
            mixing,
            taps,
            sources: in_tiles(output, first_tap),
            targets: in_tiles(output, |y, x| output.pixel(y, x)),
            shortcuts: shortcut.map(|shape| in_tiles(output, |y, x| shape.pixel(y, x))).unwrap_or_default(),
            weights: match mixing {
                Mixing::Dense => dense_weights(layer, &groups, depth),
                Mixing::Depthwise => depthwise_weights(layer),
            },
            bias: layer.bias_lines(),
            input,
            output,
            shortcut,
            activation: layer.activation,
            groups,
            depth,
        }
    }

    /// Runs on maps of the shapes it was made for.
    pub(super) fn run(&self, arch: Arch, input: &[Line], shortcut: Option<&[Line]>, output: &mut [Line]) {
        arch.dispatch(Run { layer: self, input, shortcut, output });
    }
}

/// Two by two or four by four blocks keep the 32 registers of AVX-512 busy; others have fewer or narrower ones.
fn groups(blocks: usize, lanes: usize) -> Vec<usize> {
    if lanes < BLOCK {
        return vec![1; blocks];
    }
    let mut groups = vec![4; blocks / 4];
    groups.extend([2, 1].into_iter().filter(|size| blocks & size != 0));
    groups
}

/// `place` of each pixel of `shape`, row by row, the last one repeated until any tile fits.
fn in_tiles(shape: Shape, place: impl Fn(usize, usize) -> usize) -> Vec<usize> {
    let mut places: Vec<usize> =
        (0..shape.height).flat_map(|y| (0..shape.width).map(move |x| (y, x))).map(|(y, x)| place(y, x)).collect();
    if let Some(&last) = places.last() {
        places.resize(places.len() + MOST_PIXELS, last);
    }
    places
}

fn value(values: &[f32], index: usize) -> f32 {
    values.get(index).copied().unwrap_or(0.0)
}

fn line(value: impl FnMut(usize) -> f32) -> Line {
    Line(array::from_fn(value))
}

/// In the order in which tiles take them: group, tap, input channel, block of the group.
fn dense_weights(layer: &Layer<'_>, groups: &[usize], depth: usize) -> Vec<Line> {
    let [rows, columns] = layer.window.kernel;
    let (inputs, outputs) = (layer.input.channels, layer.output.channels);
    let weight = |output: usize, input: usize, y: usize, x: usize| {
        let is_padding = output >= outputs || input >= inputs;
        if is_padding { 0.0 } else { value(layer.weight, ((output * inputs + input) * rows + y) * columns + x) }
    };
    let mut lines = Vec::new();
    let mut first_block = 0;
    for &group in groups {
        for block in 0..layer.input.blocks() {
            for (y, x) in (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x))) {
                for input in block * BLOCK..block * BLOCK + depth {
                    lines.extend(
                        (first_block..first_block + group)
                            .map(|output_block| line(|lane| weight(output_block * BLOCK + lane, input, y, x))),
                    );
                }
            }
        }
        first_block += group;
    }
    lines
}

/// In the order: block, tap.
fn depthwise_weights(layer: &Layer<'_>) -> Vec<Line> {
    let taps: usize = layer.window.kernel.iter().product();
    (0..layer.output.blocks())
        .flat_map(|block| {
            (0..taps).map(move |tap| line(|lane| value(layer.weight, (block * BLOCK + lane) * taps + tap)))
        })
        .collect()
}

struct Run<'a> {
    layer: &'a Convolution,
    input: &'a [Line],
    shortcut: Option<&'a [Line]>,
    output: &'a mut [Line],
}

impl WithSimd for Run<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let mut first_block = 0;
        let mut first_weight = 0;
        for &group in &self.layer.groups {
            // Only the branch of this instruction set is compiled. The numbers are pixels of a tile, vectors of its
            // output channels, and the blocks that these make up.
            match S::F32_LANES {
                16 => match (self.layer.mixing, group) {
                    (Mixing::Depthwise, _) => self.depthwise::<S, 8, 1>(simd, first_block),
                    (Mixing::Dense, 4) => self.dense::<S, 4, 4, 4>(simd, first_block, first_weight),
                    (Mixing::Dense, 2) => self.dense::<S, 8, 2, 2>(simd, first_block, first_weight),
                    (Mixing::Dense, _) => self.dense::<S, 12, 1, 1>(simd, first_block, first_weight),
                },
                8 => match self.layer.mixing {
                    Mixing::Depthwise => self.depthwise::<S, 4, 2>(simd, first_block),
                    Mixing::Dense => self.dense::<S, 6, 2, 1>(simd, first_block, first_weight),
                },
                4 => match self.layer.mixing {
                    Mixing::Depthwise => self.depthwise::<S, 2, 4>(simd, first_block),
                    Mixing::Dense => self.dense::<S, 3, 4, 1>(simd, first_block, first_weight),
                },
                _ => match self.layer.mixing {
                    Mixing::Depthwise => self.depthwise::<S, 1, 16>(simd, first_block),
                    Mixing::Dense => self.dense::<S, 1, 16, 1>(simd, first_block, first_weight),
                },
            }
            first_block += group;
            first_weight += self.layer.taps.len() * self.layer.depth * group;
        }
    }
}

// What follows counts with indices and takes neither closures nor iterators over vectors. Those are functions of the
// standard library, compiled without the instruction set that is in use here; where the compiler does not put one of them
// into the loop, its vectors go through memory, and the network takes ten times as long.

/// A tile: for each pixel, the vectors of its output channels.
type Sums<V, const PIXELS: usize, const VECTORS: usize> = [[V; VECTORS]; PIXELS];

impl Run<'_> {
    #[inline(always)]
    fn dense<S: Simd, const PIXELS: usize, const VECTORS: usize, const GROUP: usize>(
        &mut self,
        simd: S,
        first_block: usize,
        first_weight: usize,
    ) {
        // A loop of known length is unrolled.
        if self.layer.depth == BLOCK {
            self.dense_to_depth::<S, PIXELS, VECTORS, GROUP>(simd, first_block, first_weight, BLOCK);
        } else {
            self.dense_to_depth::<S, PIXELS, VECTORS, GROUP>(simd, first_block, first_weight, self.layer.depth);
        }
    }

    #[inline(always)]
    fn dense_to_depth<S: Simd, const PIXELS: usize, const VECTORS: usize, const GROUP: usize>(
        &mut self,
        simd: S,
        first_block: usize,
        first_weight: usize,
        depth: usize,
    ) {
        let layer = self.layer;
        let step = depth * GROUP;
        let weights = &layer.weights[first_weight..first_weight + layer.taps.len() * step];
        let bias = vectors::<S, VECTORS>(&layer.bias[first_block..first_block + GROUP]);
        let pixels = layer.output.height * layer.output.width;
        for first in (0..pixels).step_by(PIXELS) {
            let Some(sources) = layer.sources[first..].first_chunk::<PIXELS>() else { return };
            let mut sums: Sums<S::f32s, PIXELS, VECTORS> = [bias; PIXELS];
            for (tap, weights) in layer.taps.iter().zip(weights.chunks_exact(step)) {
                let input = &self.input[*tap..];
                let mut values: [&[f32; BLOCK]; PIXELS] = [&input[sources[0]].0; PIXELS];
                for pixel in 1..PIXELS {
                    values[pixel] = &input[sources[pixel]].0;
                }
                for channel in 0..depth {
                    let weights = vectors::<S, VECTORS>(&weights[channel * GROUP..][..GROUP]);
                    for pixel in 0..PIXELS {
                        let value = simd.splat_f32s(values[pixel][channel]);
                        for vector in 0..VECTORS {
                            sums[pixel][vector] = simd.mul_add_e_f32s(value, weights[vector], sums[pixel][vector]);
                        }
                    }
                }
            }
            self.store::<S, PIXELS, VECTORS, GROUP>(simd, first, first_block, &sums);
        }
    }

    #[inline(always)]
    fn depthwise<S: Simd, const PIXELS: usize, const VECTORS: usize>(&mut self, simd: S, block: usize) {
        let layer = self.layer;
        let plane = layer.input.plane();
        let input = &self.input[block * plane..(block + 1) * plane];
        let weights = &layer.weights[block * layer.taps.len()..(block + 1) * layer.taps.len()];
        let bias = vectors::<S, VECTORS>(&layer.bias[block..=block]);
        let pixels = layer.output.height * layer.output.width;
        for first in (0..pixels).step_by(PIXELS) {
            let Some(sources) = layer.sources[first..].first_chunk::<PIXELS>() else { return };
            let mut sums: Sums<S::f32s, PIXELS, VECTORS> = [bias; PIXELS];
            for (tap, weight) in layer.taps.iter().zip(weights) {
                let weights = vectors::<S, VECTORS>(std::slice::from_ref(weight));
                for pixel in 0..PIXELS {
                    let values = vectors::<S, VECTORS>(std::slice::from_ref(&input[sources[pixel] + tap]));
                    for vector in 0..VECTORS {
                        sums[pixel][vector] = simd.mul_add_e_f32s(values[vector], weights[vector], sums[pixel][vector]);
                    }
                }
            }
            self.store::<S, PIXELS, VECTORS, 1>(simd, first, block, &sums);
        }
    }

    /// Adds the shortcut, bounds the sums and writes them to the pixels from `first` on.
    #[inline(always)]
    fn store<S: Simd, const PIXELS: usize, const VECTORS: usize, const GROUP: usize>(
        &mut self,
        simd: S,
        first: usize,
        first_block: usize,
        sums: &Sums<S::f32s, PIXELS, VECTORS>,
    ) {
        let layer = self.layer;
        let (low, high) = (simd.splat_f32s(layer.activation.low), simd.splat_f32s(layer.activation.high));
        let Some(targets) = layer.targets[first..].first_chunk::<PIXELS>() else { return };
        for index in 0..GROUP {
            let block = first_block + index;
            let (first_vector, in_a_line) = (index * (VECTORS / GROUP), VECTORS / GROUP);
            let output = &mut self.output[block * layer.output.plane()..][..layer.output.plane()];
            let added = match (self.shortcut, layer.shortcut) {
                (Some(map), Some(shape)) => Some((&map[block * shape.plane()..], &layer.shortcuts[first..])),
                _ => None,
            };
            for pixel in 0..PIXELS {
                let (line, _) = S::as_mut_simd_f32s(&mut output[targets[pixel]].0);
                for vector in 0..in_a_line {
                    let mut sum = sums[pixel][first_vector + vector];
                    if let Some((map, places)) = added {
                        sum = simd.add_f32s(sum, S::as_simd_f32s(&map[places[pixel]].0).0[vector]);
                    }
                    line[vector] = simd.min_f32s(simd.max_f32s(sum, low), high);
                }
            }
        }
    }
}

/// Lines as `VECTORS` vectors.
#[inline(always)]
fn vectors<S: Simd, const VECTORS: usize>(lines: &[Line]) -> [S::f32s; VECTORS] {
    let in_a_line = BLOCK / S::F32_LANES;
    let mut vectors = [S::as_simd_f32s(&lines[0].0).0[0]; VECTORS];
    for vector in 1..VECTORS {
        vectors[vector] = S::as_simd_f32s(&lines[vector / in_a_line].0).0[vector % in_a_line];
    }
    vectors
}
