//! An ONNX graph, ready to run on one image at a time.

use std::{fmt, io::Cursor, panic, sync::Arc};

use tract_onnx::{pb::ModelProto, prelude::*};

/// What tract says, in one line.
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
    plan: Arc<TypedRunnableModel>,
    input_shape: [usize; 4],
}

impl Network {
    pub(crate) fn from_onnx(bytes: &[u8], input_shape: [usize; 4]) -> Result<Self, NetworkError> {
        guarded(|| Self::from_proto(&onnx().proto_model_for_read(&mut Cursor::new(bytes))?, input_shape))
    }

    /// The first graph input takes the image.
    pub(crate) fn from_proto(model: &ModelProto, input_shape: [usize; 4]) -> Result<Self, NetworkError> {
        // PyTorch writes a symbolic batch into outputs and intermediate shapes, which does not unify with the 1 we ask
        // for; tract works the shapes out by itself.
        let onnx = onnx().with_ignore_output_shapes(true).with_ignore_value_info(true);
        guarded(|| {
            let graph = onnx
                .model_for_proto_model(model)?
                .with_input_fact(0, InferenceFact::dt_shape(f32::datum_type(), input_shape))?
                .into_optimized()?;
            Ok(Self { plan: graph.into_runnable()?, input_shape })
        })
    }

    /// Every output for one image, each flattened; not yet checked for NaN.
    pub(crate) fn run(&self, image: &[f32]) -> Result<Vec<Vec<f32>>, NetworkError> {
        let image = Tensor::from_shape(&self.input_shape, image)?;
        let outputs = self.plan.run(tvec!(image.into()))?;
        let flat = |output: &TValue| -> Result<Vec<f32>, NetworkError> {
            let values = output.cast_to::<f32>()?;
            Ok(values.to_plain_array_view::<f32>()?.iter().copied().collect())
        };
        outputs.iter().map(flat).collect()
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Network(input {:?})", self.input_shape)
    }
}

/// tract checks much of a graph with assertions: a forged one may panic instead of failing.
fn guarded<T>(work: impl FnOnce() -> Result<T, NetworkError>) -> Result<T, NetworkError> {
    panic::catch_unwind(panic::AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(NetworkError("the inference engine panicked on this graph".to_owned())))
}
