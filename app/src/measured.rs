//! What the page `/dashboard` shows.

use chrono::{DateTime, Utc};
use gourmetgram_api::Evaluation;
use serde::{Deserialize, Serialize};

use crate::work::WorkShown;

/// What `/dashboard` shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// How accurate the model is.
    pub evaluation: Evaluation,
    /// The pipelines and their last runs.
    pub work: WorkShown,
    /// Whether the service itself keeps up.
    pub operation: Operation,
}

/// Whether the service keeps up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Photos whose object in the store is not yet what the catalog says,
    pub outbox_backlog: u64,
    /// and since when the oldest waits.
    pub outbox_since: Option<DateTime<Utc>>,
    /// Changes that are not in the bucket `records` yet, counted to 1,000.
    pub records_waiting: u64,
}
