//! What the server accepts, so that a page can say so before an upload starts.

use serde::{Deserialize, Serialize};

/// Bounds on one uploaded photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UploadLimits {
    /// Size of the file, in bytes.
    pub max_bytes: u64,
    /// Width times height, in pixels.
    pub max_pixels: u64,
}

impl Default for UploadLimits {
    /// 20 MB and 50 megapixels.
    fn default() -> Self {
        Self { max_bytes: 20_000_000, max_pixels: 50_000_000 }
    }
}
