//! The model that answers now.

use serde::{Deserialize, Serialize};

use crate::{Classes, UploadLimits};

/// Answer of `GET /api/v1/models/live`: what a client needs to know before it sends a photo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LiveModel {
    /// Version that goes into every prediction, for example `food64-1`.
    pub version: String,
    /// Its classes, in order.
    pub classes: Classes,
    /// What it accepts.
    pub limits: UploadLimits,
}

/// Answer of `GET /api/v1/models/live/device`: where the parts of the live model are, for classifying on a device. Each is
/// named by its content and may be kept for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceModel {
    /// The live model's version.
    pub version: String,
    /// Path of `manifest.toml`.
    pub manifest: String,
    /// Path of the backbone, packed for devices.
    pub backbone: String,
    /// Path of `head.safetensors`, if the model has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
}
