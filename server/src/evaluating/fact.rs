//! One photo, as far as evaluation goes.

use chrono::{DateTime, Utc};
use gourmetgram_api::{DeviceComparison, Seen};
use gourmetgram_evaluation::Stratum;

/// What is known of one photo, of its answer, and of what the campaign of evaluation made of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// When it was received.
    pub at: DateTime<Utc>,
    /// The model version that answered.
    pub model: String,
    /// The answer's label.
    pub class: String,
    /// Its probability.
    pub confidence: f32,
    /// A flag stands.
    pub flagged: bool,
    /// A correction stands.
    pub corrected: bool,
    /// Where a simulated photo comes from.
    pub source: Option<String>,
    /// What the visitor's device answered, beside the server.
    pub device: Option<DeviceComparison>,
    /// How the campaign looked at it; absent where it has not yet.
    pub considered: Option<Considered>,
}

/// What was frozen when the campaign considered a photo, and what people have said since.
#[derive(Clone, Debug, PartialEq)]
pub struct Considered {
    /// Number of the batch.
    pub batch: i64,
    /// Its stratum then.
    pub stratum: Stratum,
    /// π.
    pub inclusion: f64,
    /// The random sample's share of its batch; 0 where the batch has none.
    pub rate: f64,
    /// The random sample took it, whatever else did.
    pub by_random_sample: bool,
    /// A flag stood then.
    pub flagged: bool,
    /// The correction that stood then.
    pub correction: Option<String>,
    /// Its task, where it was drawn.
    pub task: Option<Task>,
}

/// A photo that was drawn for a label.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Since when it waits for one; absent where it waits no more: it has all its labels, or was withdrawn.
    pub waits_since: Option<DateTime<Utc>>,
    /// The label that stands.
    pub seen: Option<Seen>,
    /// Where two people have labelled it: who, in the order of their names, and what each saw. Of more than two, those who
    /// were first.
    pub pair: Option<[(String, Seen); 2]>,
}
