//! Networks of convolutions, run by our own kernels.
//!
//! Most image classifiers are, at inference, nothing but convolutions with something small between them. Such a graph
//! becomes a [`Plan`]: a list of convolutions with bias, shortcut (`Add`) and activation (`Relu`, `Clip`) taken into
//! them, and the mean over all pixels at the end. Any other graph is left to tract.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pulp::{Simd, WithSimd};

use super::{
    blocked::{BLOCK, Line, Shape},
    convolution::{Convolution, Layer},
    drawing::Drawing,
    instructions::Arch,
    unfolding::Unfolding,
    winograd::Winograd,
};

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
pub(super) struct Step {
    pub(super) kernel: Kernel,
    pub(super) input: usize,
    pub(super) shortcut: Option<usize>,
    pub(super) output: usize,
}

/// How a convolution is done.
#[derive(Debug)]
pub(super) enum Kernel {
    Direct(Convolution),
    Winograd(Winograd),
}

impl Kernel {
    pub(super) fn of(layer: &Layer<'_>, lanes: usize) -> Self {
        Winograd::new(layer, lanes).map_or_else(|| Self::Direct(Convolution::new(layer, lanes)), Self::Winograd)
    }
}

impl Plan {
    /// `None` where it would take too much memory. The answer is the mean of the map `last`.
    pub(super) fn of(drawing: Drawing, last: usize, arch: Arch) -> Option<Self> {
        drawing.into_plan(last, arch, arch.dispatch(Lanes))
    }

    pub(super) fn new(arch: Arch, unfolding: Unfolding, steps: Vec<Step>, buffers: Vec<Shape>, last: usize) -> Self {
        let scratch = |step: &Step| match &step.kernel {
            Kernel::Direct(_) => 0,
            Kernel::Winograd(winograd) => winograd.scratch(),
        };
        let scratch = steps.iter().map(scratch).max().unwrap_or(0);
        Self { arch, unfolding, steps, buffers, last, scratch, idle: Mutex::default() }
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
