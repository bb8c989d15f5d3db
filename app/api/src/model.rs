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
