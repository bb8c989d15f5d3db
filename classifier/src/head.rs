//! `head.safetensors`: the last, linear layer, which retraining replaces.

use safetensors::{
    SafeTensors,
    tensor::{Dtype, SafeTensorError, TensorView},
};

/// A linear layer from an embedding to logits: `logits = weight · embedding + bias`.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// Row-major `[classes, embedding]`.
    weight: Vec<f32>,
    /// `[classes]`.
    bias: Vec<f32>,
}

/// Why a file is no head of the expected shape.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    /// Not a safetensors file, or a tensor is missing.
    #[error("head.safetensors cannot be read")]
    Format(#[from] SafeTensorError),
    /// A tensor of another type or shape.
    #[error("head.safetensors: `{name}` must be float32 {expected:?}, it is {found}")]
    Tensor {
        /// `weight` or `bias`.
        name: &'static str,
        /// Its right shape.
        expected: Vec<usize>,
        /// What is there.
        found: String,
    },
    /// A weight that is infinite or not a number.
    #[error("head.safetensors: `{0}` holds a value that is no finite number")]
    NotFinite(&'static str),
}

impl Head {
    /// From row-major `weight` `[classes, embedding]` and `bias` `[classes]`.
    ///
    /// # Errors
    /// [`HeadError`], if their lengths do not fit or a value is not finite.
    pub fn new(weight: Vec<f32>, bias: Vec<f32>, classes: usize, embedding: usize) -> Result<Self, HeadError> {
        for (name, values, expected) in [("weight", &weight, vec![classes, embedding]), ("bias", &bias, vec![classes])]
        {
            if values.len() != expected.iter().product::<usize>() {
                return Err(HeadError::Tensor { name, expected, found: format!("{} values", values.len()) });
            }
            if !values.iter().all(|value| value.is_finite()) {
                return Err(HeadError::NotFinite(name));
            }
        }
        Ok(Self { weight, bias })
    }

    /// Reads tensors `weight` `[classes, embedding]` and `bias` `[classes]`, float32.
    ///
    /// # Errors
    /// [`HeadError`].
    pub fn from_safetensors(bytes: &[u8], classes: usize, embedding: usize) -> Result<Self, HeadError> {
        let file = SafeTensors::deserialize(bytes)?;
        let read = |name: &'static str, expected: Vec<usize>| {
            let tensor = file.tensor(name)?;
            if tensor.dtype() != Dtype::F32 || tensor.shape() != expected {
                let found = format!("{:?} {:?}", tensor.dtype(), tensor.shape());
                return Err(HeadError::Tensor { name, expected, found });
            }
            let (values, _) = tensor.data().as_chunks();
            Ok(values.iter().map(|value| f32::from_le_bytes(*value)).collect())
        };
        Self::new(read("weight", vec![classes, embedding])?, read("bias", vec![classes])?, classes, embedding)
    }

    /// The bytes of `head.safetensors`.
    ///
    /// # Errors
    /// [`HeadError::Format`], where the library refuses.
    pub fn to_safetensors(&self) -> Result<Vec<u8>, HeadError> {
        let bytes = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let (weight, bias) = (bytes(&self.weight), bytes(&self.bias));
        let classes = self.bias.len();
        let tensors = [
            ("weight", TensorView::new(Dtype::F32, vec![classes, self.embedding()], &weight)?),
            ("bias", TensorView::new(Dtype::F32, vec![classes], &bias)?),
        ];
        Ok(safetensors::serialize(tensors, None)?)
    }

    /// Length of the embeddings it takes.
    pub fn embedding(&self) -> usize {
        self.weight.len() / self.bias.len().max(1)
    }

    /// One logit a class. `embedding` has the length [`Head::embedding`] says; what is longer is ignored.
    pub fn logits(&self, embedding: &[f32]) -> Vec<f32> {
        self.weight
            .chunks_exact(self.embedding().max(1))
            .zip(&self.bias)
            .map(|(row, bias)| row.iter().zip(embedding).map(|(weight, value)| weight * value).sum::<f32>() + bias)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> Head {
        Head::new(vec![1.0, 2.0, 3.0, 0.0, -1.0, 0.5], vec![0.25, -0.5], 2, 3).unwrap()
    }

    #[test]
    fn logits_are_weight_times_embedding_plus_bias() {
        assert_eq!(head().logits(&[1.0, 10.0, 100.0]), [321.25, 39.5]);
    }

    #[test]
    fn a_head_reads_back_as_it_was_written() {
        let bytes = head().to_safetensors().unwrap();
        assert_eq!(Head::from_safetensors(&bytes, 2, 3).unwrap(), head());
    }

    #[test]
    fn another_shape_is_refused_with_both_shapes() {
        let bytes = head().to_safetensors().unwrap();
        let error = Head::from_safetensors(&bytes, 3, 2).unwrap_err().to_string();
        assert!(error.contains("[3, 2]") && error.contains("[2, 3]"), "{error}");
        assert!(Head::from_safetensors(&bytes[..20], 2, 3).is_err());
        assert!(Head::from_safetensors(&[], 2, 3).is_err());
    }

    #[test]
    fn infinite_weights_are_refused() {
        assert!(matches!(Head::new(vec![f32::INFINITY, 0.0], vec![0.0; 2], 2, 1), Err(HeadError::NotFinite("weight"))));
    }
}
