//! What the page `/` is made of, however it came: from the server's own backend, or over HTTP.

use gourmetgram_api::{LiveModel, Prediction, PredictionPage};
use serde::{Deserialize, Serialize};

/// How many photos the page lists at first, and how many each "show more" adds.
pub const PHOTOS_PER_PAGE: u16 = 24;

/// Everything the page `/` shows to one visitor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Home {
    /// The model that answers now: its classes to correct to, its limits to check before an upload.
    pub model: LiveModel,
    /// The photo whose answer is asked for by `?photo={id}`. `None` where none is asked for, and also where that id
    /// is unknown, erased, or another visitor's: the page cannot tell these apart, and must not.
    pub shown: Option<Prediction>,
    /// The visitor's own photos, newest first, at most [`PHOTOS_PER_PAGE`].
    pub mine: PredictionPage,
}
