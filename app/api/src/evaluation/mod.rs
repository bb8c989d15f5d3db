//! How accurate a model really is on what production sent it: what `GET /api/v1/evaluation` answers, and what the page
//! `/dashboard` shows. What each number means stands in docs/statistics.md.
//!
//! Shares and accuracies are from 0 to 1, times are UTC, ages are seconds. A number that nothing is known of is absent
//! or `null`, never 0.

mod measure;
mod operation;
mod parts;
mod query;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::PhotoStratum;

pub use measure::{Bounds, ENOUGH_LABELS, Expected, KappaMeasure, Measure, MeasureMethod, StratumResponse};
pub use operation::{
    AnnotatorAgreement, AnnotatorErrors, AnnotatorPair, Decision, DeviceFigures, DeviceShare,
    Feedback as FeedbackFigures, Funnel, PastDecision, Plan as LabelPlan, PlanPoint, PlannedStratum,
    PublishedEvaluation, Returning, Verdict,
};
pub use parts::{
    Calibration, ClassMeasures, ConfidenceBin, Confusion, ConfusionCount, Drift, DriftFinding, DriftWord, ModelPeriod,
    NotTested, ReliabilityPoint, Slice, Slices, SuspectLabel, SuspectLabels, Takeover, TrafficClass, WindowPoint,
};
pub use query::{EvaluationQuery, EvaluationWindow, SeriesStep, SliceBy, UnusableEvaluation};

/// Which photos an evaluation is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EvaluatedWindow {
    /// Photos received from then on: the start of an hour.
    pub from: DateTime<Utc>,
    /// Photos received before: the end of an hour, which may still be under way.
    pub to: DateTime<Utc>,
    /// Its name, where it was asked for by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<EvaluationWindow>,
    /// How long the points over time are.
    pub step: SeriesStep,
}

/// The campaign whose labels say how accurate the model is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EvaluationCampaign {
    /// Names it for machines.
    pub id: Uuid,
    /// Names it for people.
    pub name: String,
    /// It selects nothing more.
    pub archived: bool,
}

/// The number at the top, and everything that belongs beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Headline {
    /// How often the model is right, over the window's photos that have a true class.
    pub accuracy: Measure,
    /// Labelling by stratum, of strata that have photos. What is missing there is taken to be missing at random.
    pub strata: Vec<StratumResponse>,
    /// Strata with photos and no label at all; they widen the interval by their share.
    pub unlabelled: Vec<PhotoStratum>,
    /// Labels may still come, or photos be considered, that move the number.
    pub provisional: bool,
    /// Photos the model served in the window.
    pub photos: u64,
    /// Of these, photos that the campaign has not considered yet: the number does not speak for them.
    pub not_considered: u64,
    /// The share of photos that are no food, or none of the classes.
    pub not_food: Measure,
    /// The share of photos that nobody can make out.
    pub unreadable: Measure,
    /// What accuracy could be if missing labels were not missing at random; absent where nothing is missing or known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonresponse: Option<Bounds>,
    /// The random sample of all photos alone: a check whose interval should overlap.
    pub check: Measure,
    /// The difference estimator, of the same photos; absent where no label has a true class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<Measure>,
    /// Expected from the model's own confidences; absent where there are no photos.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Expected>,
    /// What the tutorial would print: right answers divided by labels. Shown to be understood, not to be used.
    pub tutorial_pooled: Measure,
    /// Accuracy in the model's card, measured offline; absent where it says none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offline: Option<OfflineAccuracy>,
    /// The accuracy to reach (setting `evaluation.target`); absent where none is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
}

/// What a model's card says of its accuracy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OfflineAccuracy {
    /// The share of right answers.
    pub value: f64,
    /// On which photos, in words.
    pub on: String,
    /// How many photos.
    pub photos: u64,
}

/// How accurate a model was in a window, with all that belongs to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Evaluation {
    /// When it was computed.
    pub computed_at: DateTime<Utc>,
    /// Of which photos.
    pub window: EvaluatedWindow,
    /// Of which model version.
    pub model: String,
    /// Its classes, in the order in which everything here refers to them: the model's own for the live one.
    pub classes: Vec<String>,
    /// Every version that has served, the latest first.
    pub models: Vec<ModelPeriod>,
    /// When another version took over within the window, oldest first.
    #[serde(default)]
    pub takeovers: Vec<Takeover>,
    /// Whose labels; absent where there is no blind campaign with a random sample yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<EvaluationCampaign>,
    /// Why the campaign that the settings name cannot be it, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign_trouble: Option<String>,
    /// The number.
    pub headline: Headline,
    /// The same over time, oldest first; points without photos are left out.
    pub series: Vec<WindowPoint>,
    /// One a class, in the order of `classes`.
    pub per_class: Vec<ClassMeasures>,
    /// True classes against answers.
    pub confusion: Confusion,
    /// Whether confidence means what it says.
    pub calibration: Calibration,
    /// How sure the model was, over all photos: bins of equal width from 0 to 1.
    pub confidence: Vec<ConfidenceBin>,
    /// Answers by class, over all photos, in the order of `classes`.
    pub traffic: Vec<TrafficClass>,
    /// Whether photos are still those the model began with.
    pub drift: Drift,
    /// What visitors' devices answered beside the server.
    pub devices: DeviceFigures,
    /// What people said and did.
    pub feedback: FeedbackFigures,
    /// From photos to labels.
    pub funnel: Funnel,
    /// How far annotators agree.
    pub agreement: AnnotatorAgreement,
    /// What more labels would buy.
    pub plan: LabelPlan,
    /// Retrain?
    pub decision: Decision,
    /// The parts that were asked for by `slice`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slices: Option<Slices>,
    /// Changes that these numbers do not have yet, up to 1,000 of them; they are being counted. 0 but for moments, and after
    /// a rebuild.
    pub uncounted: u64,
    /// Path of the manifest from which anybody can compute this again: see `gourmetgram evaluate --from records`.
    pub manifest: String,
}
