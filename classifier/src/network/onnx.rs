//! Reading the parts of an ONNX file.

use tract_onnx::pb::{NodeProto, TensorProto, tensor_proto::DataType};

/// Shape and values of a float32 tensor; `None` for any other, and where they do not fit each other.
pub(crate) fn floats(tensor: &TensorProto) -> Option<(Vec<usize>, Vec<f32>)> {
    if tensor.data_type != DataType::Float as i32 {
        return None;
    }
    let shape: Vec<usize> = tensor.dims.iter().map(|side| usize::try_from(*side).ok()).collect::<Option<_>>()?;
    let values = if tensor.raw_data.is_empty() {
        tensor.float_data.clone()
    } else {
        tensor.raw_data.as_chunks().0.iter().map(|value| f32::from_le_bytes(*value)).collect()
    };
    let length = shape.iter().try_fold(1_usize, |length, side| length.checked_mul(*side))?;
    (values.len() == length).then_some((shape, values))
}

pub(crate) fn integer(node: &NodeProto, name: &str, default: i64) -> i64 {
    node.attribute.iter().find(|attribute| attribute.name == name).map_or(default, |attribute| attribute.i)
}

pub(crate) fn integers<'a>(node: &'a NodeProto, name: &str) -> &'a [i64] {
    node.attribute.iter().find(|attribute| attribute.name == name).map_or(&[], |attribute| &attribute.ints)
}

pub(crate) fn float(node: &NodeProto, name: &str, default: f32) -> f32 {
    node.attribute.iter().find(|attribute| attribute.name == name).map_or(default, |attribute| attribute.f)
}

pub(crate) fn text<'a>(node: &'a NodeProto, name: &str) -> Option<&'a [u8]> {
    node.attribute.iter().find(|attribute| attribute.name == name).map(|attribute| attribute.s.as_slice())
}
