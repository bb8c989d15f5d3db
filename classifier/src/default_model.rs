//! The model inside the binary, so that one file is a whole service.

use crate::{Model, ModelError};

/// The default model, `models/food64`. Takes a moment: load it once.
///
/// # Errors
/// [`ModelError`]; not with the files this crate was built with, which its tests load.
pub fn default_model() -> Result<Model, ModelError> {
    Model::from_parts(
        include_str!("../../models/food64/manifest.toml"),
        include_bytes!("../../models/food64/backbone.onnx"),
        Some(include_bytes!("../../models/food64/head.safetensors")),
    )
}
