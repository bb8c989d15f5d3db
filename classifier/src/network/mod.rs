//! An ONNX graph, ready to run on one image at a time.
//!
//! Graphs of convolutions, which image classifiers are, run natively on kernels of our own (`plan`), which take half
//! the time of tract's. Every other graph, and every graph in a browser, runs on tract.

#[cfg(not(target_arch = "wasm32"))]
mod blocked;
#[cfg(not(target_arch = "wasm32"))]
mod convolution;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod onnx;
#[cfg(not(target_arch = "wasm32"))]
mod plan;
#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
#[cfg(not(target_arch = "wasm32"))]
mod unfolding;
#[cfg(not(target_arch = "wasm32"))]
mod winograd;

use std::{fmt, io::Cursor, panic, sync::Arc};

use tract_onnx::{pb::ModelProto, prelude::*};

/// What the engine says, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NetworkError(pub(crate) String);

impl From<TractError> for NetworkError {
    fn from(error: TractError) -> Self {
        // The whole chain: tract's outermost message alone only names a node.
        Self(format!("{error:#}"))
    }
}

/// A graph optimised for one float32 input of fixed shape. One run takes one thread; runs may go side by side.
pub(crate) struct Network {
    engine: Engine,
    input_shape: [usize; 4],
}

enum Engine {
    #[cfg(not(target_arch = "wasm32"))]
    Plan(Box<plan::Plan>),
    Tract(Arc<TypedRunnableModel>),
}

impl Network {
    pub(crate) fn from_onnx(bytes: &[u8], input_shape: [usize; 4]) -> Result<Self, NetworkError> {
        guarded(|| Self::from_proto(&onnx().proto_model_for_read(&mut Cursor::new(bytes))?, input_shape))
    }

    /// The first graph input takes the image.
    pub(crate) fn from_proto(model: &ModelProto, input_shape: [usize; 4]) -> Result<Self, NetworkError> {
        #[cfg(not(target_arch = "wasm32"))]
        if let Some(plan) = guarded(|| Ok(plan::Plan::of(model, input_shape, pulp::Arch::new())))? {
            return Ok(Self { engine: Engine::Plan(Box::new(plan)), input_shape });
        }
        Self::on_tract(model, input_shape)
    }

    /// On tract, whatever the graph: what other kernels are compared with.
    pub(crate) fn on_tract(model: &ModelProto, input_shape: [usize; 4]) -> Result<Self, NetworkError> {
        // PyTorch writes a symbolic batch into outputs and intermediate shapes, which does not unify with the 1 we ask
        // for; tract works the shapes out by itself.
        let onnx = onnx().with_ignore_output_shapes(true).with_ignore_value_info(true);
        guarded(|| {
            let graph = onnx
                .model_for_proto_model(model)?
                .with_input_fact(0, InferenceFact::dt_shape(f32::datum_type(), input_shape))?
                .into_optimized()?;
            Ok(Self { engine: Engine::Tract(graph.into_runnable()?), input_shape })
        })
    }

    /// Every output for one image, each flattened; not yet checked for NaN.
    pub(crate) fn run(&self, image: &[f32]) -> Result<Vec<Vec<f32>>, NetworkError> {
        let expected: usize = self.input_shape.iter().product();
        if image.len() != expected {
            return Err(NetworkError(format!("the image has {} values instead of {expected}", image.len())));
        }
        match &self.engine {
            #[cfg(not(target_arch = "wasm32"))]
            Engine::Plan(plan) => Ok(vec![plan.run(image)]),
            Engine::Tract(plan) => {
                let image = Tensor::from_shape(&self.input_shape, image)?;
                let outputs = plan.run(tvec!(image.into()))?;
                let flat = |output: &TValue| -> Result<Vec<f32>, NetworkError> {
                    let values = output.cast_to::<f32>()?;
                    Ok(values.to_plain_array_view::<f32>()?.iter().copied().collect())
                };
                outputs.iter().map(flat).collect()
            }
        }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let engine = match self.engine {
            #[cfg(not(target_arch = "wasm32"))]
            Engine::Plan(_) => "own kernels",
            Engine::Tract(_) => "tract",
        };
        write!(formatter, "Network({engine}, input {:?})", self.input_shape)
    }
}

/// tract checks much of a graph with assertions: a forged one may panic instead of failing.
fn guarded<T>(work: impl FnOnce() -> Result<T, NetworkError>) -> Result<T, NetworkError> {
    panic::catch_unwind(panic::AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(NetworkError("the inference engine panicked on this graph".to_owned())))
}
