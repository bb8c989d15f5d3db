//! ONNX graphs: read, drawn for our own kernels where they are for it, or run on tract.

use std::{io::Cursor, panic, sync::Arc};

use tract_onnx::{pb::ModelProto, prelude::*};

use super::{Engine, Network, NetworkError, drafting, instructions::Arch, packed, plan::Plan};

impl From<TractError> for NetworkError {
    fn from(error: TractError) -> Self {
        // The whole chain: tract's outermost message alone only names a node.
        Self(format!("{error:#}"))
    }
}

impl Network {
    /// From an ONNX file with the SHA-256 `hash`; and the same for devices, where our kernels run it.
    pub(crate) fn from_onnx(
        bytes: &[u8],
        hash: &str,
        input_shape: [usize; 4],
    ) -> Result<(Self, Option<Vec<u8>>), NetworkError> {
        guarded(|| {
            let model = onnx().proto_model_for_read(&mut Cursor::new(bytes))?;
            let packed =
                draw(&model, input_shape).and_then(|(drawing, last)| packed::pack(&drawing, last, input_shape, hash));
            Ok((Self::from_proto(&model, input_shape)?, packed))
        })
    }

    /// The first graph input takes the image.
    pub(crate) fn from_proto(model: &ModelProto, input_shape: [usize; 4]) -> Result<Self, NetworkError> {
        let plan = guarded(|| {
            let drawn = draw(model, input_shape);
            Ok(drawn.and_then(|(drawing, last)| Plan::of(drawing, last, Arch::new())))
        })?;
        match plan {
            Some(plan) => Ok(Self { engine: Engine::Plan(Box::new(plan)), input_shape }),
            None => Self::on_tract(model, input_shape),
        }
    }

    /// On tract, whatever the graph: what other kernels are compared with.
    pub(crate) fn on_tract(model: &ModelProto, input_shape: [usize; 4]) -> Result<Self, NetworkError> {
        // PyTorch writes a symbolic batch into outputs and intermediate shapes, which does not unify with the 1 we
        // ask for; tract works the shapes out by itself.
        let onnx = onnx().with_ignore_output_shapes(true).with_ignore_value_info(true);
        guarded(|| {
            let graph = onnx
                .model_for_proto_model(model)?
                .with_input_fact(0, InferenceFact::dt_shape(f32::datum_type(), input_shape))?
                .into_optimized()?;
            Ok(Self { engine: Engine::Tract(graph.into_runnable()?), input_shape })
        })
    }
}

pub(super) fn draw(model: &ModelProto, input_shape: [usize; 4]) -> Option<(super::drawing::Drawing, usize)> {
    drafting::draw(model.graph.as_ref()?, input_shape)
}

pub(super) fn run(
    graph: &Arc<TypedRunnableModel>,
    input_shape: [usize; 4],
    image: &[f32],
) -> Result<Vec<Vec<f32>>, NetworkError> {
    let image = Tensor::from_shape(&input_shape, image)?;
    let outputs = graph.run(tvec!(image.into()))?;
    let flat = |output: &TValue| -> Result<Vec<f32>, NetworkError> {
        let values = output.cast_to::<f32>()?;
        Ok(values.to_plain_array_view::<f32>()?.iter().copied().collect())
    };
    outputs.iter().map(flat).collect()
}

/// tract checks much of a graph with assertions: a forged one may panic instead of failing.
fn guarded<T>(work: impl FnOnce() -> Result<T, NetworkError>) -> Result<T, NetworkError> {
    panic::catch_unwind(panic::AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(NetworkError("the inference engine panicked on this graph".to_owned())))
}
