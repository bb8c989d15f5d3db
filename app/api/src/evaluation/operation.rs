//! What people do with an evaluation: what users say, how labelling goes on, what labels would buy, whether to retrain.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{KappaMeasure, Measure};
use crate::PhotoStratum;

/// How many of a day's visitors had been there on an earlier day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Returning {
    /// Visitors of each day, added up over the window's days.
    pub visits: u64,
    /// Of these, visits of somebody who had sent a photo on an earlier day.
    pub returning: u64,
}

/// What users said and did. Rates are over all photos and known; precisions are estimated from labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = FeedbackFigures))]
pub struct Feedback {
    /// Photos of the window.
    pub photos: u64,
    /// Flags that stand.
    pub flagged: u64,
    /// Corrections that stand.
    pub corrected: u64,
    /// Photos with a flag or a correction.
    pub complained: u64,
    /// Flagged by all; absent without photos.
    pub flag_rate: Option<f64>,
    /// Corrected by all.
    pub correction_rate: Option<f64>,
    /// Answers nobody complained about, by all. No accuracy: most people who get a wrong answer say nothing.
    pub accepted_rate: Option<f64>,
    /// Of photos flagged when they were considered, how many the model got wrong.
    pub flag_precision: Measure,
    /// Of wrong answers, how many were flagged when they were considered.
    pub flag_recall: Measure,
    /// Of photos corrected when they were considered, how many corrections were right.
    pub correction_precision: Measure,
    /// Returning visitors; absent where no photo of the window has a visitor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visitors: Option<Returning>,
}

/// How often visitors' devices took photos for other classes than the server.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceShare {
    /// Photos that a device answered.
    pub answered: u64,
    /// Of these, those that it took for another class.
    pub disagreed: u64,
    /// The second by the first; absent where no device answered.
    pub share: Option<f64>,
    /// The lower bound of its 95 % interval (Wilson's); 0 where nothing is known.
    pub lower: f64,
    /// Its upper bound; 1 where nothing is known.
    pub upper: f64,
}

/// What visitors' devices answered beside the server. Devices that ran another model version than the server stand by
/// themselves: that two versions differ says nothing about either as it runs on devices.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeviceFigures {
    /// Photos of the window.
    pub photos: u64,
    /// Where the device ran the version that answered on the server.
    pub same_version: DeviceShare,
    /// Where it ran another.
    pub other_versions: DeviceShare,
}

/// From photos to labels, in the campaign of evaluation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Funnel {
    /// Photos of the window and model.
    pub photos: u64,
    /// Of these, considered.
    pub considered: u64,
    /// Of these, drawn for a label.
    pub drawn: u64,
    /// Of these, labelled.
    pub labelled: u64,
    /// Of these, with a class,
    pub classed: u64,
    /// as no food,
    pub not_food: u64,
    /// and as unreadable.
    pub unreadable: u64,
    /// Photos that wait for a label now, of any model and time.
    pub backlog: u64,
    /// For how long the oldest of them has waited, in seconds; absent where none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_seconds: Option<u64>,
}

/// Two annotators over the photos that both labelled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AnnotatorPair {
    /// One of them,
    pub first: String,
    /// and the other.
    pub second: String,
    /// Photos of which they said the same.
    pub agreed: u64,
    /// Cohen's kappa.
    pub kappa: KappaMeasure,
}

/// How far annotators agree, over the window's photos that two of them labelled in the campaign of evaluation. "Not food" and
/// "unreadable" are answers like a class.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AnnotatorAgreement {
    /// People who labelled some of them.
    pub annotators: u64,
    /// Photos of which both said the same.
    pub agreed: u64,
    /// Fleiss' kappa, whoever they were.
    pub fleiss: KappaMeasure,
    /// The pairs, those with the most photos first, at most 20.
    pub pairs: Vec<AnnotatorPair>,
    /// What annotators' mistakes would do to accuracy; absent where no photo was labelled twice, accuracy is not known, or people
    /// disagree as often as if they guessed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<AnnotatorErrors>,
}

/// How much annotators' mistakes matter. The headline is not corrected by it: the rate is rarely known well enough.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AnnotatorErrors {
    /// The share of wrong annotations, from 0 to 1, that would have two people disagree as often as they did.
    pub rate: f64,
    /// With so many mistakes accuracy lies from here
    pub lower: f64,
    /// to here: from mistakes never agreeing with the model's to always.
    pub upper: f64,
    /// Photos that two people labelled.
    pub photos: u64,
    /// Whether these, and accuracy's labels, are enough ([`ENOUGH_LABELS`](crate::ENOUGH_LABELS)) to show it without a warning.
    pub enough: bool,
}

/// What some more labels would buy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlanPoint {
    /// Labels on top of those there are.
    pub labels: u64,
    /// Half the interval's width to expect then, from 0 to 0.5.
    pub half_width: f64,
}

/// Where labels of a budget go.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = PlannedLabels))]
pub struct PlannedStratum {
    /// To which stratum.
    pub stratum: PhotoStratum,
    /// Its photos.
    pub photos: u64,
    /// Labels it has.
    pub labelled: u64,
    /// The accuracy to expect there.
    pub accuracy: f64,
    /// Of the budget, labels that go there (Neyman's allocation).
    pub labels: u64,
}

/// What a label budget buys, and where to spend it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = LabelPlan))]
pub struct Plan {
    /// The curve, from no label more to all that are left; empty without photos.
    pub curve: Vec<PlanPoint>,
    /// The budget that `allocation` spends.
    pub budget: u64,
    /// Where it goes.
    pub allocation: Vec<PlannedStratum>,
}

/// What to do about the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// There is no target, or too few labels to say.
    Unknown,
    /// Nothing speaks for it.
    Keep,
    /// Something is to be looked at, and it is no proof.
    Watch,
    /// It is shown to be below its target.
    Retrain,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Keep, Self::Watch, Self::Retrain];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Keep => "keep",
            Self::Watch => "watch",
            Self::Retrain => "retrain",
        }
    }
}

/// The verdict at an earlier time, as it was published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PastDecision {
    /// Its number: `GET /api/v1/evaluation/published/{number}/manifest` says from what it can be computed again.
    pub number: u64,
    /// When.
    pub computed_at: DateTime<Utc>,
    /// The verdict.
    pub verdict: Verdict,
    /// Accuracy then, with its interval.
    pub accuracy: Measure,
}

/// Retrain? Always by the same rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Decision {
    /// The verdict.
    pub verdict: Verdict,
    /// The rule, in a sentence.
    pub rule: String,
    /// What led to the verdict, a sentence each.
    pub reasons: Vec<String>,
    /// What was published before, newest first.
    pub history: Vec<PastDecision>,
}

/// A result that was published, and is never changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PublishedEvaluation {
    /// Counts up.
    pub number: u64,
    /// When it was computed.
    pub computed_at: DateTime<Utc>,
    /// The window's start,
    pub from: DateTime<Utc>,
    /// and its end.
    pub to: DateTime<Utc>,
    /// The model version.
    pub model: String,
    /// Accuracy.
    pub accuracy: Measure,
    /// The random sample alone.
    pub check: Measure,
    /// The verdict.
    pub verdict: Verdict,
}
