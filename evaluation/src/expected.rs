//! Accuracy expected from confidence alone, without labels (CBPE): the dashed line on the chart.
//!
//! If confidences are calibrated, the model is right about a photo with the probability it says, so mean confidence
//! is expected accuracy. NannyML's confidence-based performance estimation, Białek, Kivimäki and Kuberski 2024,
//! arXiv:2407.08649. It fails under concept drift, when confidences no longer mean what they meant: never the headline.

use serde::{Deserialize, Serialize};

use crate::Probability;

/// What confidences promise.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExpectedAccuracy {
    /// Mean of the photos' confidences in their answers.
    pub value: f64,
    /// Spread of the window's real accuracy about it if every confidence is calibrated: √Σp(1 − p)/N, the
    /// Poisson-binomial deviation. It says nothing of how wrong the confidences may be.
    pub standard_deviation: f64,
    /// Photos.
    pub photos: u64,
}

/// Expected accuracy of photos whose answers have these calibrated confidences; `None` of no photos.
pub fn expected_accuracy(confidences: impl IntoIterator<Item = Probability>) -> Option<ExpectedAccuracy> {
    let (mut photos, mut sum, mut variance) = (0_u64, 0.0, 0.0);
    for confidence in confidences {
        let p = confidence.get();
        photos += 1;
        sum += p;
        variance += p * (1.0 - p);
    }
    let count = photos as f64;
    (photos > 0).then(|| ExpectedAccuracy { value: sum / count, standard_deviation: variance.sqrt() / count, photos })
}
