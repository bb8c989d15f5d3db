//! Does a confidence of 80 % mean right in 80 of 100 cases?

use serde::{Deserialize, Serialize};

use crate::{
    ConfidenceLevel, Estimate, LabelledPrediction, Membership, NoneInside, WeightedMean, Weights, Window, proportion,
    weighted_mean,
};

/// Photos of similar confidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Lowest confidence in the bin.
    pub from: f64,
    /// Highest confidence in the bin.
    pub to: f64,
    /// Photos of the window it stands for.
    pub photos: f64,
    /// Their mean confidence.
    pub confidence: f64,
    /// How often the model was right about them.
    pub accuracy: Estimate,
}

/// The reliability curve: accuracy by confidence, in bins that stand for equally many photos.
///
/// Bins of equal mass have steadier errors than bins of equal width (Nixon et al. 2019, arXiv:1904.01685). Labels of the
/// same confidence stay in one bin, so there may be fewer bins than asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    /// From low to high confidence.
    pub bins: Vec<ReliabilityBin>,
}

impl Reliability {
    /// Groups the window's labels with a true class into at most `bins` bins.
    pub fn of(window: &Window, bins: usize, level: ConfidenceLevel) -> Self {
        let weights = Weights::of(window);
        let mut labels: Vec<(f64, f64)> = window
            .labels()
            .iter()
            .filter(|label| label.outcome.class().is_some())
            .map(|label| (confidence(label), weights.get(label).unwrap_or_default()))
            .collect();
        labels.sort_by(|left, right| left.0.total_cmp(&right.0));
        let bins = equal_mass(&labels, bins).into_iter().map(|bin| {
            let (from, to) = (bin[0].0, bin[bin.len() - 1].0);
            let photos: f64 = bin.iter().map(|(_, weight)| weight).sum();
            let mean = bin.iter().map(|(confidence, weight)| confidence * weight).sum::<f64>() / photos;
            let tallies = window.tally(|label| match label.correct() {
                Some(correct) if (from..=to).contains(&confidence(label)) => Membership::inside(correct),
                _ => Membership::Outside,
            });
            let accuracy = proportion(&tallies, NoneInside::Ignored, level);
            ReliabilityBin { from, to, photos, confidence: mean, accuracy }
        });
        Self { bins: bins.collect() }
    }

    /// Expected calibration error: the mean distance between confidence and accuracy, weighted by photos; `None` without
    /// labels. Naeini, Cooper and Hauskrecht 2015; Guo et al. 2017, arXiv:1706.04599, equation (3).
    ///
    /// **Biased upward**: noise in a bin's accuracy counts as distance, the more the fewer labels a bin has, so a
    /// perfectly calibrated model does not reach 0 (Kumar, Liang and Ma 2019, arXiv:1909.10155). Compare only between
    /// samples of similar size, and show [`brier`] beside it.
    pub fn expected_calibration_error(&self) -> Option<f64> {
        let photos: f64 = self.bins.iter().map(|bin| bin.photos).sum();
        let distances = self
            .bins
            .iter()
            .filter_map(|bin| bin.accuracy.value.map(|accuracy| bin.photos * (accuracy - bin.confidence).abs()));
        (photos > 0.0).then(|| distances.sum::<f64>() / photos)
    }
}

fn confidence(label: &LabelledPrediction) -> f64 {
    f64::from(label.confidence.get())
}

/// Cuts (confidence, weight) pairs, sorted by confidence, where the weight passes each k-th part, never between equals.
fn equal_mass(labels: &[(f64, f64)], bins: usize) -> Vec<&[(f64, f64)]> {
    let total: f64 = labels.iter().map(|(_, weight)| weight).sum();
    let (mut cut, mut start, mut mass, mut next) = (Vec::new(), 0, 0.0, 1);
    for (index, (confidence, weight)) in labels.iter().enumerate() {
        mass += weight;
        let ends_run = labels.get(index + 1).is_none_or(|(following, _)| following != confidence);
        let is_last = index + 1 == labels.len();
        if ends_run && (is_last || mass * bins as f64 >= total * next as f64 * (1.0 - 1e-12)) {
            cut.push(&labels[start..=index]);
            start = index + 1;
            next = ((mass * bins as f64 / total).floor() as usize + 1).max(next + 1);
        }
    }
    cut
}

/// The Brier score of the model's own confidence in its answer: the mean of (confidence − right)², from 0 (good) to 1.
/// Brier 1950. Unlike the calibration error it needs no bins and is unbiased at any size.
pub fn brier(window: &Window) -> Option<WeightedMean> {
    weighted_mean(window, |label| label.correct().map(|it| (confidence(label) - f64::from(u8::from(it))).powi(2)))
}

/// Log loss of the model's own confidence in its answer: the mean of −ln(confidence) where it was right and
/// −ln(1 − confidence) where not, in nats. Confidences are kept 1e-15 away from 0 and 1, so that one certain mistake
/// costs 34.5 and not infinity.
pub fn log_loss(window: &Window) -> Option<WeightedMean> {
    weighted_mean(window, |label| {
        let sure = confidence(label).clamp(1e-15, 1.0 - 1e-15);
        label.correct().map(|it| if it { -sure.ln() } else { -(1.0 - sure).ln() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_have_equal_mass_and_never_part_equal_confidences() {
        let labels = [(0.1, 1.0), (0.2, 1.0), (0.3, 2.0), (0.3, 2.0), (0.4, 1.0), (0.5, 1.0)];
        let sizes: Vec<_> = equal_mass(&labels, 4).iter().map(|bin| bin.len()).collect();
        assert_eq!(sizes, [2, 2, 2]);
        assert_eq!(equal_mass(&labels, 1).len(), 1);
        assert!(equal_mass(&[], 5).is_empty());
    }
}
