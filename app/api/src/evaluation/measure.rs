//! A number with its interval, and what it rests on.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::PhotoStratum;

/// Fewer labels than this and a number of a class, a bin or a slice is shown as "n too small".
pub const ENOUGH_LABELS: u64 = 30;

/// How a number was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MeasureMethod {
    /// Weighted by stratum, Wilson's intervals of the strata combined (MOVER).
    Poststratified,
    /// Every photo has a label.
    Census,
    /// The random sample of all photos alone, Wilson's interval.
    RandomSample,
    /// Right answers divided by labels, wherever they came from: what the tutorial would print, and no accuracy.
    TutorialPooled,
    /// The confidence of every photo, corrected by the labels (prediction-powered).
    Difference,
}

impl fmt::Display for MeasureMethod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Poststratified => "post-stratified, Wilson intervals combined (MOVER)",
            Self::Census => "every photo labelled",
            Self::RandomSample => "random sample alone, Wilson interval",
            Self::TutorialPooled => "what the tutorial would print (labels pooled, unweighted)",
            Self::Difference => "difference estimator (prediction-powered)",
        })
    }
}

/// A share, from 0 to 1, with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Measure {
    /// The estimate, from 0 to 1; `null` where no label says anything about it.
    pub value: Option<f64>,
    /// The interval's lower bound; 0 where nothing is known.
    pub lower: f64,
    /// Its upper bound; 1 where nothing is known.
    pub upper: f64,
    /// n: labels the number is over.
    pub labels: u64,
    /// N: photos it speaks for, labelled or not.
    pub photos: u64,
    /// How it was made.
    pub method: MeasureMethod,
    /// Whether there are labels enough ([`ENOUGH_LABELS`]) to show it without a warning.
    pub enough: bool,
}

impl Measure {
    /// What is known before there is a label.
    pub const UNKNOWN: Self = Self {
        value: None,
        lower: 0.0,
        upper: 1.0,
        labels: 0,
        photos: 0,
        method: MeasureMethod::Poststratified,
        enough: false,
    };

    /// Half the interval's width: the "± points" people speak of, from 0 to 0.5.
    pub fn half_width(&self) -> f64 {
        (self.upper - self.lower) / 2.0
    }
}

/// Agreement beyond chance (kappa), with its 95 % interval: 1 is full agreement, 0 what chance would give.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KappaMeasure {
    /// The estimate, from −1 to 1; `null` without photos, or where all answers are the same one.
    pub value: Option<f64>,
    /// The interval's lower bound; −1 where nothing is known.
    pub lower: f64,
    /// Its upper bound; 1 where nothing is known.
    pub upper: f64,
    /// Photos that two people labelled.
    pub photos: u64,
    /// Whether they are enough ([`ENOUGH_LABELS`]) to show it without a warning.
    pub enough: bool,
}

impl KappaMeasure {
    /// What is known before two people have labelled the same photo.
    pub const UNKNOWN: Self = Self { value: None, lower: -1.0, upper: 1.0, photos: 0, enough: false };
}

impl Default for KappaMeasure {
    fn default() -> Self {
        Self::UNKNOWN
    }
}

/// How far the labelling of one stratum is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StratumResponse {
    /// Which.
    pub stratum: PhotoStratum,
    /// N_h: photos considered.
    pub photos: u64,
    /// Photos drawn.
    pub drawn: u64,
    /// Drawn photos that have a label.
    pub labelled: u64,
    /// Its photos as a share of all that were considered, from 0 to 1.
    pub share: f64,
}

/// Accuracy if the labels that are missing were not missing at random: all wrong, or all right.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Bounds {
    /// All of them wrong, from 0 to 1.
    pub lower: f64,
    /// All of them right.
    pub upper: f64,
}

/// Accuracy as the model's own confidences would have it, without any label (CBPE): the dashed line, and no evidence.
/// They are taken as the model gives them; whether they are calibrated says the reliability curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Expected {
    /// Mean confidence, from 0 to 1.
    pub value: f64,
    /// How far the window's real accuracy would scatter about it if every confidence were right (one deviation).
    pub deviation: f64,
    /// Photos it is over.
    pub photos: u64,
}
