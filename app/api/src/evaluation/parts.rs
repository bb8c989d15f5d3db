//! What stands below the number: over time, by class, by confidence, against the past, by slice.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{EvaluatedWindow, Expected, Measure, SliceBy};
use crate::PredictionId;

/// When a model version served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ModelPeriod {
    /// The version.
    pub version: String,
    /// Start of the hour of its first photo: a mark on the chart where it lies in the window.
    pub first: DateTime<Utc>,
    /// End of the hour of its last photo so far.
    pub last: DateTime<Utc>,
    /// Photos it served, ever.
    pub photos: u64,
    /// It answers now.
    pub live: bool,
}

/// When a version took over that had answered before: after a trial, or by a rollback. Where a version answers its
/// first photo is told by [`ModelPeriod::first`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Takeover {
    /// Start of the first point of the series in which it answered nearly all photos and the version before it, which
    /// had until then, nearly none: fewer than one in ten of its own. A point with fewer than ten photos says nothing
    /// of it.
    pub at: DateTime<Utc>,
    /// The version.
    pub version: String,
}

/// One point of the series over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WindowPoint {
    /// Its start,
    pub from: DateTime<Utc>,
    /// and its end, cut to the window.
    pub to: DateTime<Utc>,
    /// Photos received.
    pub photos: u64,
    /// The estimate with its band.
    pub accuracy: Measure,
    /// The random sample's point.
    pub check: Measure,
    /// The dashed line; absent where there are no photos.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Expected>,
    /// Labels may still come, or photos be considered: to be hatched.
    pub provisional: bool,
}

/// How well the model does on one class. A measure that is not `enough` says "n too small".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClassMeasures {
    /// The class's label.
    pub class: String,
    /// Photos the model called so, of all that it served.
    pub answered: u64,
    /// Labels that say it is this class.
    pub labels: u64,
    /// Of the photos called so, how many are.
    pub precision: Measure,
    /// Of the photos that are, how many were called so.
    pub recall: Measure,
    /// The harmonic mean of the two.
    pub f1: Measure,
}

/// Photos of one true class that got one answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfusionCount {
    /// Index of the true class (row) in `classes`.
    pub truth: u16,
    /// Index of the answer (column).
    pub answer: u16,
    /// Labels counted.
    pub labels: u64,
    /// Photos of the window they stand for: a weighted estimate.
    pub photos: f64,
}

/// True classes against answers, weighted so that it speaks for all photos.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Confusion {
    /// The cells that have labels, by row, then by column.
    pub cells: Vec<ConfusionCount>,
    /// Macro F1: the mean of the classes' F1, from 0 to 1; `null` unless every class has one.
    pub macro_f1: Option<f64>,
    /// Whether every class has labels enough for its F1 to show the mean without a warning.
    pub macro_f1_enough: bool,
}

/// One point of the reliability curve.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReliabilityPoint {
    /// Confidences from here
    pub from: f64,
    /// to here.
    pub to: f64,
    /// Photos of the window it stands for.
    pub photos: f64,
    /// Their mean confidence.
    pub confidence: f64,
    /// How often the model was right about them.
    pub accuracy: Measure,
}

/// Whether a confidence of 80 % means right in 80 of 100 cases.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Calibration {
    /// The reliability curve, in at most ten bins that stand for about equally many photos.
    pub reliability: Vec<ReliabilityPoint>,
    /// Expected calibration error over these bins, from 0 to 1. Biased upward where labels are few.
    pub expected_error: Option<f64>,
    /// Brier score of the answer's confidence, from 0 (good) to 1.
    pub brier: Option<f64>,
    /// Log loss of the answer's confidence, in nats.
    pub log_loss: Option<f64>,
    /// Labels with a true class that these rest on.
    pub labels: u64,
    /// Whether they are enough ([`ENOUGH_LABELS`](crate::ENOUGH_LABELS)) to show these numbers without a warning.
    pub enough: bool,
}

/// One bar of the histogram of confidence, over all photos.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConfidenceBin {
    /// Confidences from here
    pub from: f64,
    /// up to here, without it (the last bin: with it).
    pub to: f64,
    /// Photos.
    pub photos: u64,
    /// Photos in the reference of drift; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<u64>,
}

/// Answers of one class, over all photos.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TrafficClass {
    /// The class's label.
    pub class: String,
    /// Photos in the window.
    pub photos: u64,
    /// Photos in the reference of drift; 0 where there is none.
    pub reference: u64,
}

/// What to make of a test of drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DriftWord {
    /// Too few photos to say anything.
    TooFew,
    /// No difference that could not be chance.
    Stable,
    /// A difference that is real and too small to matter.
    Negligible,
    /// A difference that is real and matters.
    Drifted,
}

/// One test of drift.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DriftFinding {
    /// What was looked at: `class_mix` or `confidence`.
    pub what: String,
    /// By which test: `chi_square` (effect: Cramér's V), `psi` (with chi-square's p-value) or `kolmogorov_smirnov`
    /// (effect: the greatest distance of the two distributions).
    pub test: String,
    /// How great the difference is.
    pub effect: f64,
    /// The effect from which it matters.
    pub effect_that_matters: f64,
    /// How likely such a difference is by chance, before it is corrected for the number of tests.
    pub p_value: f64,
    /// The verdict: enough photos, an effect that matters, and significance corrected for the number of tests.
    pub verdict: DriftWord,
}

/// What is not looked at, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NotTested {
    /// What: `embedding`.
    pub what: String,
    /// Why not.
    pub why: String,
}

/// Whether photos are still like those the model version saw first. Absent reference: it has not seen enough yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Drift {
    /// The reference's start; it was frozen once and does not move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_from: Option<DateTime<Utc>>,
    /// Its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_to: Option<DateTime<Utc>>,
    /// Photos of the reference.
    pub reference_photos: u64,
    /// Photos of the window that lie after the reference: what is compared with it.
    pub photos: u64,
    /// Photos a reference needs.
    pub photos_for_reference: u64,
    /// One a test; none without a reference, or without photos after it.
    pub findings: Vec<DriftFinding>,
    /// What this page would be expected to tell of, and does not.
    #[serde(default)]
    pub not_tested: Vec<NotTested>,
}

/// A label that the model contradicts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SuspectLabel {
    /// The photo.
    pub prediction: PredictionId,
    /// The label that stands in the campaign of evaluation.
    pub label: String,
    /// What the model answered,
    pub answer: String,
    /// and with which probability.
    pub confidence: f64,
    /// The probability that the model gave the label (self-confidence).
    pub self_confidence: f64,
    /// That, minus the greatest probability of any other class: from −1 to 0, the lower the more suspect.
    pub margin: f64,
}

/// Answer of `GET /api/v1/evaluation/suspects`: labels worth a second look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SuspectLabels {
    /// Of which photos.
    pub window: EvaluatedWindow,
    /// Of which model version.
    pub model: String,
    /// Labels of the window that name another class than the model did.
    pub contradicted: u64,
    /// Those that it contradicts most, by margin, then by self-confidence; at most 50. Photos that were erased are not
    /// among them.
    pub items: Vec<SuspectLabel>,
}

/// One part of the window's photos.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Slice {
    /// Names it: the class, `0.7–0.8`, the model version, the source (empty: real photos), the hour from 0 to 23, the tags (`flagged`,
    /// `corrected_class`, `flagged, corrected_class`; empty: none of them).
    pub name: String,
    /// Photos the model served in it.
    pub photos: u64,
    /// How often the model is right in it.
    pub accuracy: Measure,
}

/// The window's photos, taken apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Slices {
    /// By what.
    pub by: SliceBy,
    /// The parts, in their natural order.
    pub items: Vec<Slice>,
    /// The window has more photos than are taken apart at once, and nothing was: take a shorter one.
    pub too_many: bool,
}
