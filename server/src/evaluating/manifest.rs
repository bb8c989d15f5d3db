//! From what an evaluation can be computed again, by anybody, without touching the service.

use chrono::{DateTime, Utc};
use gourmetgram_api::{EvaluationQuery, Measure, OfflineAccuracy};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Reference;

/// The version of what a manifest means.
pub const MANIFEST_SCHEMA: u32 = 1;

/// What was asked, by which settings, of which records, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`MANIFEST_SCHEMA`].
    pub schema: u32,
    /// How to compute it again, in words.
    pub how: String,
    /// When it was computed: ages and what is provisional follow from it.
    pub computed_at: DateTime<Utc>,
    /// What was asked, with its window, model and step spelled out.
    pub query: EvaluationQuery,
    /// The campaign whose labels count.
    pub campaign: Option<Uuid>,
    /// The model version that answered then.
    pub live: String,
    /// Its offline accuracy.
    pub offline: Option<OfflineAccuracy>,
    /// The setting `evaluation.target`.
    pub target: Option<f64>,
    /// The setting `evaluation.provisional_days`.
    pub provisional_days: u32,
    /// What drift was measured against: it was frozen when there were no other photos yet.
    pub reference: Option<Reference>,
    /// The records it rests on.
    pub records: RecordsState,
    /// Accuracy, to compare.
    pub accuracy: Measure,
    /// The random sample alone, to compare.
    pub check: Measure,
}

/// How far the bucket `records` was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordsState {
    /// Whose history: the field `log` of `_log.json`; absent before the first record.
    pub log: Option<Uuid>,
    /// Number of the last object that was planned: later ones are not to be read.
    pub last_number: i64,
    /// Changes that were in no object yet. Only with 0 do the records say all that the evaluation knew.
    pub waiting: u64,
}
