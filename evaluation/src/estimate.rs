//! What an estimator answers: a number, an interval, what they rest on, and what was missing.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{ConfidenceLevel, Interval, Stratum};

/// By which method a number was made; its name belongs beside the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Weighted by stratum, Wilson's intervals of the strata combined.
    Poststratified,
    /// Every photo has a label.
    Census,
    /// The random sample of all photos alone.
    RandomSample,
    /// Right answers divided by labels, wherever they came from: what the tutorial would print. Not an estimate of
    /// accuracy: the photos that were labelled were chosen because the model was likely to be wrong.
    TutorialPooled,
    /// A prediction for every photo, corrected by the labels (prediction-powered).
    Difference,
    /// A difference between two proportions over the same photos.
    Paired,
    /// A weighted mean with a normal interval.
    WeightedMean,
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Poststratified => "post-stratified, Wilson intervals combined (MOVER)",
            Self::Census => "every photo labelled",
            Self::RandomSample => "random sample alone, Wilson interval",
            Self::TutorialPooled => "what the tutorial would print (labels pooled, unweighted)",
            Self::Difference => "difference estimator (prediction-powered)",
            Self::Paired => "paired difference, weighted",
            Self::WeightedMean => "weighted mean, normal interval",
        })
    }
}

/// A stratum that has photos and no label: nothing is known of it, so it widens the interval by its share.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnlabelledStratum {
    /// Which.
    pub stratum: Stratum,
    /// Its photos in the window.
    pub size: u64,
    /// Its photos as a share of the window's.
    pub share: f64,
}

/// How many of a stratum's drawn photos have a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// Which stratum.
    pub stratum: Stratum,
    /// Photos in the window.
    pub size: u64,
    /// Photos drawn.
    pub selected: u64,
    /// Drawn photos with a label.
    pub labelled: u64,
}

impl Response {
    /// Labelled by drawn; `None` where nothing was drawn.
    pub fn rate(&self) -> Option<f64> {
        (self.selected > 0).then(|| self.labelled as f64 / self.selected as f64)
    }
}

/// What an estimate had to do without.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Missing {
    /// Strata with photos but without any label.
    pub unlabelled: Vec<UnlabelledStratum>,
    /// Labels by photos drawn, for every stratum with photos. What is missing there is taken to be missing at random.
    pub response: Vec<Response>,
}

impl Missing {
    /// Whether every drawn photo has its label and every stratum has some.
    pub fn is_nothing(&self) -> bool {
        self.unlabelled.is_empty() && self.response.iter().all(|response| response.labelled == response.selected)
    }
}

/// A number with its interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The estimate, over the strata that have labels; `None` where no label says anything about it.
    pub value: Option<f64>,
    /// Holds the truth as often as `level` says, under the design's assumptions; 0 to 1 where nothing is known.
    pub interval: Interval,
    /// How often that is meant to be.
    pub level: ConfidenceLevel,
    /// n: labels the number is over (for accuracy, labels with a true class).
    pub labelled: u64,
    /// N: photos of the window, drawn or not.
    pub population: u64,
    /// How it was made.
    pub method: Method,
    /// What it had to do without.
    pub missing: Missing,
}

/// Fewer labels than this and a number per class, bin or slice is shown as "n too small".
///
/// A convention (a proportion's interval is then up to ±17 points), whose consequences docs/statistics.md shows.
pub const ENOUGH_LABELS: u64 = 30;

impl Estimate {
    /// Whether there are enough labels ([`ENOUGH_LABELS`]) to show the number without a warning. A census of fewer photos is
    /// exact about them, and says next to nothing of the model.
    pub fn is_enough(&self) -> bool {
        self.labelled >= ENOUGH_LABELS
    }
}
