//! Convolutions of 3 x 3 with less than half of the multiplications.
//!
//! Winograd's minimal filtering F(2 x 2, 3 x 3): a tile of 4 x 4 pixels that overlaps its neighbours becomes, by additions
//! alone, sixteen numbers; each is multiplied with a number made of the kernel beforehand; and 2 x 2 pixels of the answer
//! are sums of the sixteen products. What are 36 multiplications otherwise are 16. All tiles' numbers of one place make a
//! map of their own, and the products, summed over channels, are a convolution of 1 x 1 on it.
//!
//! Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015, <https://arxiv.org/abs/1509.09308>, has the
//! matrices that are written out here.

use pulp::{Simd, WithSimd};

use super::{
    blocked::{BLOCK, Line, Shape},
    convolution::{Activation, Convolution, Layer, Mixing, Window},
    instructions::Arch,
};

/// Pixels of a tile on each side, before and after.
const READ: usize = 4;
const WRITTEN: usize = 2;
/// Numbers of a tile.
const PLACES: usize = READ * READ;
/// With fewer tiles, the larger weights cost more than the multiplications that are saved.
const LEAST_TILES: usize = 16;
/// Tiles are taken in strips of at least so many, so that their numbers stay in the nearest caches.
const STRIP: usize = 16;

/// One convolution, ready to run.
#[derive(Debug)]
pub(super) struct Winograd {
    /// One for each place of a tile.
    products: Vec<Convolution>,
    bias: Vec<Line>,
    activation: Activation,
    /// Above and left of the map.
    before: [usize; 2],
    input: Shape,
    output: Shape,
    shortcut: Option<Shape>,
    strips: usize,
    /// The map of one place, made from a strip of the input.
    parts: Shape,
    /// The map of one place, of which a strip of the output is made.
    sums: Shape,
}

impl Winograd {
    /// `None` for layers that this is not for, or that it would not make faster.
    pub(super) fn new(layer: &Layer<'_>, lanes: usize) -> Option<Self> {
        let Layer { mixing, window, input, output, shortcut, .. } = *layer;
        if !Self::is_for(mixing, &window, input, output) {
            return None;
        }
        let (rows, width) = (output.height / WRITTEN, output.width / WRITTEN);
        let height = (1..rows).find(|height| rows.is_multiple_of(*height) && height * width >= STRIP).unwrap_or(rows);
        let parts = Shape { channels: input.channels, height, width, border: 0 };
        let sums = Shape { channels: output.channels, ..parts };
        let mut weights: Vec<Vec<f32>> = (0..PLACES).map(|_| Vec::with_capacity(layer.weight.len() / 9)).collect();
        for kernel in layer.weight.as_chunks::<9>().0 {
            weights.iter_mut().zip(transformed(kernel)).for_each(|(weights, weight)| weights.push(weight));
        }
        let product = |weight: &Vec<f32>| {
            let window = Window { kernel: [1, 1], strides: [1, 1], before: [0, 0], after: [0, 0] };
            let layer = Layer {
                mixing,
                window,
                weight,
                bias: &[],
                activation: Activation::NONE,
                input: parts,
                output: sums,
                shortcut: None,
            };
            Convolution::new(&layer, lanes)
        };
        Some(Self {
            products: weights.iter().map(product).collect(),
            bias: layer.bias_lines(),
            activation: layer.activation,
            before: window.before,
            input,
            output,
            shortcut,
            strips: rows / height,
            parts,
            sums,
        })
    }

    fn is_for(mixing: Mixing, window: &Window, input: Shape, output: Shape) -> bool {
        let whole_tiles = output.height.is_multiple_of(WRITTEN) && output.width.is_multiple_of(WRITTEN);
        let tiles = output.height * output.width / (WRITTEN * WRITTEN);
        mixing == Mixing::Dense
            && (window.kernel, window.strides) == ([3, 3], [1, 1])
            && whole_tiles
            && tiles >= LEAST_TILES
            && input.channels >= BLOCK
    }

    /// Lines that a run needs for itself.
    pub(super) fn scratch(&self) -> usize {
        PLACES * (stride(self.parts) + stride(self.sums))
    }

    /// Lines that a layer would need for its weights and for a run, were it done this way; `None` where it is not.
    pub(super) fn lines(mixing: Mixing, window: &Window, input: Shape, output: Shape) -> Option<usize> {
        let weights = BLOCK * input.blocks() * output.blocks();
        // One strip is at most all of it; and the line between places.
        let tiles = output.height * output.width / (WRITTEN * WRITTEN) + 1;
        let a_place = weights.saturating_add(tiles.saturating_mul(input.blocks() + output.blocks()));
        Self::is_for(mixing, window, input, output).then(|| a_place.saturating_mul(PLACES))
    }

    /// Runs on maps of the shapes it was made for. `scratch` may hold anything.
    pub(super) fn run(
        &self,
        arch: Arch,
        input: &[Line],
        shortcut: Option<&[Line]>,
        output: &mut [Line],
        scratch: &mut [Line],
    ) {
        let (parts, sums) = scratch.split_at_mut(PLACES * stride(self.parts));
        for strip in 0..self.strips {
            let first_row = strip * self.parts.height;
            arch.dispatch(Take { layer: self, first_row, input, parts });
            let maps = parts.chunks_exact(stride(self.parts)).zip(sums.chunks_exact_mut(stride(self.sums)));
            for (product, (parts, sums)) in self.products.iter().zip(maps) {
                product.run(arch, parts, None, sums);
            }
            arch.dispatch(Give { layer: self, first_row, sums, shortcut, output });
        }
    }
}

/// Lines from a place's map to the next one's. One line between them keeps the sixteen lines of a tile from all falling
/// into one set of the cache.
fn stride(map: Shape) -> usize {
    map.lines() + 1
}

/// What the kernel `[row, column]` is multiplied as: G g Gᵀ.
fn transformed(kernel: &[f32; 9]) -> [f32; PLACES] {
    let column = |[a, b, c]: [f32; 3]| [a, (a + b + c) / 2.0, (a - b + c) / 2.0, c];
    let rows: [[f32; READ]; 3] = std::array::from_fn(|row| column([0, 1, 2].map(|x| kernel[row * 3 + x])));
    let columns: [[f32; READ]; READ] = std::array::from_fn(|x| column(rows.map(|row| row[x])));
    std::array::from_fn(|place| columns[place % READ][place / READ])
}

// As in `convolution`, what follows counts with indices: closures over vectors are not compiled for the instruction set.

/// Tiles of the input to maps of places: Bᵀ d B.
struct Take<'a> {
    layer: &'a Winograd,
    /// Of the strip, counted in tiles.
    first_row: usize,
    input: &'a [Line],
    parts: &'a mut [Line],
}

impl WithSimd for Take<'_> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "iterators over vectors, see above")]
    fn with_simd<S: Simd>(self, simd: S) {
        let Winograd { input, parts, before, .. } = *self.layer;
        let (row, plane, all) = (input.row(), parts.plane(), stride(parts));
        for block in 0..parts.blocks() {
            let map = &self.input[block * input.plane()..][..input.plane()];
            for tile in 0..plane {
                let (y, x) = ((self.first_row + tile / parts.width) * WRITTEN, tile % parts.width * WRITTEN);
                let first = (y + input.border - before[0]) * row + x + input.border - before[1];
                for vector in 0..BLOCK / S::F32_LANES {
                    let mut halves = [[simd.splat_f32s(0.0); READ]; READ];
                    for x in 0..READ {
                        let mut d = [simd.splat_f32s(0.0); READ];
                        for y in 0..READ {
                            d[y] = S::as_simd_f32s(&map[first + y * row + x].0).0[vector];
                        }
                        halves[0][x] = simd.sub_f32s(d[0], d[2]);
                        halves[1][x] = simd.add_f32s(d[1], d[2]);
                        halves[2][x] = simd.sub_f32s(d[2], d[1]);
                        halves[3][x] = simd.sub_f32s(d[1], d[3]);
                    }
                    for y in 0..READ {
                        let d = halves[y];
                        let places = [
                            simd.sub_f32s(d[0], d[2]),
                            simd.add_f32s(d[1], d[2]),
                            simd.sub_f32s(d[2], d[1]),
                            simd.sub_f32s(d[1], d[3]),
                        ];
                        for x in 0..READ {
                            let line = &mut self.parts[(y * READ + x) * all + block * plane + tile].0;
                            S::as_mut_simd_f32s(line).0[vector] = places[x];
                        }
                    }
                }
            }
        }
    }
}

/// Maps of places to pixels of the output, with bias, shortcut and activation: Aᵀ m A.
struct Give<'a> {
    layer: &'a Winograd,
    first_row: usize,
    sums: &'a [Line],
    shortcut: Option<&'a [Line]>,
    output: &'a mut [Line],
}

impl WithSimd for Give<'_> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "iterators over vectors, see above")]
    fn with_simd<S: Simd>(self, simd: S) {
        let Winograd { output, sums, activation, .. } = *self.layer;
        let (low, high) = (simd.splat_f32s(activation.low), simd.splat_f32s(activation.high));
        let (plane, all) = (sums.plane(), stride(sums));
        for block in 0..sums.blocks() {
            let map = &mut self.output[block * output.plane()..][..output.plane()];
            let added = match (self.shortcut, self.layer.shortcut) {
                (Some(map), Some(shape)) => Some((&map[block * shape.plane()..][..shape.plane()], shape)),
                _ => None,
            };
            for tile in 0..plane {
                let (y, x) = ((self.first_row + tile / sums.width) * WRITTEN, tile % sums.width * WRITTEN);
                for vector in 0..BLOCK / S::F32_LANES {
                    let bias = S::as_simd_f32s(&self.layer.bias[block].0).0[vector];
                    let mut halves = [[bias; READ]; WRITTEN];
                    for column in 0..READ {
                        let mut m = [bias; READ];
                        for row in 0..READ {
                            let line = &self.sums[(row * READ + column) * all + block * plane + tile].0;
                            m[row] = S::as_simd_f32s(line).0[vector];
                        }
                        halves[0][column] = simd.add_f32s(simd.add_f32s(m[0], m[1]), m[2]);
                        halves[1][column] = simd.sub_f32s(simd.sub_f32s(m[1], m[2]), m[3]);
                    }
                    for row in 0..WRITTEN {
                        let m = halves[row];
                        let pair = [
                            simd.add_f32s(simd.add_f32s(m[0], m[1]), m[2]),
                            simd.sub_f32s(simd.sub_f32s(m[1], m[2]), m[3]),
                        ];
                        for column in 0..WRITTEN {
                            let mut sum = simd.add_f32s(pair[column], bias);
                            if let Some((map, shape)) = added {
                                let line = &map[shape.pixel(y + row, x + column)].0;
                                sum = simd.add_f32s(sum, S::as_simd_f32s(line).0[vector]);
                            }
                            let line = &mut map[output.pixel(y + row, x + column)].0;
                            S::as_mut_simd_f32s(line).0[vector] = simd.min_f32s(simd.max_f32s(sum, low), high);
                        }
                    }
                }
            }
        }
    }
}
