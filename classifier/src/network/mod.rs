//! A graph, ready to run on one image at a time.
//!
//! Graphs of convolutions, which image classifiers are, run on kernels of our own (`plan`), which take half the time of
//! tract's. Every other graph runs on tract. Devices get the former alone, packed (`packed`), and need no tract.

mod blocked;
mod convolution;
#[cfg(feature = "onnx")]
mod drafting;
mod drawing;
mod instructions;
#[cfg(feature = "onnx")]
mod on_tract;
#[cfg(feature = "onnx")]
pub(crate) mod onnx;
mod packed;
mod plan;
#[cfg(all(test, feature = "onnx", not(target_arch = "wasm32")))]
mod tests;
mod unfolding;
mod winograd;

use std::fmt;

use self::{instructions::Arch, plan::Plan};

/// What the engine says, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NetworkError(pub(crate) String);

/// A graph optimised for one float32 input of fixed shape. One run takes one thread; runs may go side by side.
pub(crate) struct Network {
    engine: Engine,
    input_shape: [usize; 4],
}

enum Engine {
    Plan(Box<Plan>),
    #[cfg(feature = "onnx")]
    Tract(std::sync::Arc<tract_onnx::prelude::TypedRunnableModel>),
}

impl Network {
    /// From a file that [`from_onnx`](Self::from_onnx) gave for devices; and the SHA-256 of the ONNX file it is of.
    pub(crate) fn from_packed(bytes: &[u8]) -> Result<(Self, String), NetworkError> {
        let packed::Unpacked { drawing, last, image, backbone } = packed::unpack(bytes)?;
        let plan = Plan::of(drawing, last, Arch::new())
            .ok_or_else(|| NetworkError("the packed backbone is too large for this device".to_owned()))?;
        Ok((Self { engine: Engine::Plan(Box::new(plan)), input_shape: image }, backbone))
    }

    pub(crate) fn input_shape(&self) -> [usize; 4] {
        self.input_shape
    }

    /// Every output for one image, each flattened; not yet checked for NaN.
    pub(crate) fn run(&self, image: &[f32]) -> Result<Vec<Vec<f32>>, NetworkError> {
        let expected: usize = self.input_shape.iter().product();
        if image.len() != expected {
            return Err(NetworkError(format!("the image has {} values instead of {expected}", image.len())));
        }
        match &self.engine {
            Engine::Plan(plan) => Ok(vec![plan.run(image)]),
            #[cfg(feature = "onnx")]
            Engine::Tract(graph) => on_tract::run(graph, self.input_shape, image),
        }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let engine = match self.engine {
            Engine::Plan(_) => "own kernels",
            #[cfg(feature = "onnx")]
            Engine::Tract(_) => "tract",
        };
        write!(formatter, "Network({engine}, input {:?})", self.input_shape)
    }
}
