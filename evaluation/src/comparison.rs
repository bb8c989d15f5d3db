//! Two model versions on the same photos.

use serde::{Deserialize, Serialize};
use statrs::distribution::{Binomial, DiscreteCDF};

use crate::{
    ConfidenceLevel, Estimate, Interval, LabelledPrediction, Method, Weights, Window,
    mean::stratum_variance,
    weights::{missing, strata},
    window::Membership,
};

/// Accuracy of the challenger minus that of the window's own model, over the photos both answered and that have a true
/// class. The interval lies within −1 to 1.
///
/// `challenger` says whether the other version was right about a labelled photo, `None` where it has no answer. Both
/// see the same photos, so each photo's difference d is −1, 0 or 1, and the mean of d is weighted as everything else: an
/// enriched sample, taken as it is, flatters the challenger, because it holds the champion's mistakes.
///
/// Interval: normal, from the linearised variance with finite-population correction, after adding to each stratum that
/// is not fully labelled two imagined photos, one for each side (Agresti and Min 2005, Statistics in Medicine 24(5)), so
/// that a sample without differences is no proof of equality. Strata without labels are left out of the estimate and
/// widen the interval by their share both ways.
pub fn paired_difference(
    window: &Window,
    challenger: impl Fn(&LabelledPrediction) -> Option<bool>,
    level: ConfidenceLevel,
) -> Estimate {
    let difference = |label: &LabelledPrediction| {
        let (champion, challenger) = (label.correct()?, challenger(label)?);
        Some(f64::from(i8::from(challenger) - i8::from(champion)))
    };
    let weights = Weights::of(window);
    let counts = strata(&window.tally(|label| match difference(label) {
        Some(_) => Membership::Failure,
        None => Membership::Outside,
    }));
    let photos: f64 = counts.iter().map(|it| it.weighted(|group| group.inside)).sum();
    let labelled = counts.iter().flat_map(|it| &it.groups).map(|group| group.inside).sum();
    let is_census = counts.iter().all(|it| it.labelled == it.size);
    let weighted = |label| Some((weights.get(label)?, difference(label)?));
    let value = window.labels().iter().filter_map(weighted).map(|(w, d)| w * d).sum::<f64>() / photos;
    let interval = if photos == 0.0 {
        Interval::within(-1.0, 1.0, -1.0, 1.0)
    } else {
        let mut variance = 0.0;
        for stratum in &counts {
            let own = window.labels().iter().filter(|label| label.selection.stratum() == stratum.stratum);
            let mut residuals: Vec<(f64, f64)> = own
                .filter_map(|label| Some((weights.get(label)?, difference(label))))
                .map(|(weight, d)| (weight, d.map_or(0.0, |d| (d - value) / photos)))
                .collect();
            let unseen = stratum.size.saturating_sub(stratum.labelled);
            if unseen > 0 && stratum.labelled > 0 {
                let weight = stratum.size as f64 / (stratum.labelled + 2) as f64;
                let scale = stratum.labelled as f64 / (stratum.labelled + 2) as f64;
                residuals.iter_mut().for_each(|(weight, _)| *weight = (*weight * scale).max(1.0));
                residuals.extend([1.0, -1.0].map(|d| (weight, (d - value) / photos)));
            }
            variance += stratum_variance(&residuals);
        }
        let unlabelled: f64 = counts.iter().filter(|it| it.labelled == 0).map(|it| it.size as f64).sum();
        let unknown = unlabelled / (photos + unlabelled);
        let half = level.z() * variance.max(0.0).sqrt();
        let (lower, upper) = ((value - half).max(-1.0), (value + half).min(1.0));
        Interval::within((1.0 - unknown) * lower - unknown, (1.0 - unknown) * upper + unknown, -1.0, 1.0)
    };
    Estimate {
        value: (photos > 0.0).then_some(value),
        interval,
        level,
        labelled,
        population: window.population(),
        method: if is_census && photos > 0.0 { Method::Census } else { Method::Paired },
        missing: missing(&counts),
    }
}

/// McNemar's exact test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct McNemar {
    /// Photos only the window's model got right.
    pub only_champion: u64,
    /// Photos only the challenger got right.
    pub only_challenger: u64,
    /// Probability of as uneven a split, or more, if both were equally good; 1 without any split.
    pub p_value: f64,
}

/// McNemar's exact (binomial) test from the two counts of photos that only one version got right. McNemar 1947;
/// Agresti, Categorical Data Analysis (3rd ed.), section 11.1.2.
pub fn mcnemar(only_champion: u64, only_challenger: u64) -> McNemar {
    let split = only_champion + only_challenger;
    let tail = Binomial::new(0.5, split).map_or(1.0, |it| it.cdf(only_champion.min(only_challenger)));
    McNemar { only_champion, only_challenger, p_value: (2.0 * tail).min(1.0) }
}

/// McNemar's test over the random sample of all photos. Over the other labels it would mean nothing: they were drawn
/// because the champion was likely to be wrong.
pub fn random_sample_mcnemar(window: &Window, challenger: impl Fn(&LabelledPrediction) -> Option<bool>) -> McNemar {
    let (mut only_champion, mut only_challenger) = (0, 0);
    for label in window.labels().iter().filter(|label| label.selection.by_random_sample()) {
        match (label.correct(), challenger(label)) {
            (Some(true), Some(false)) => only_champion += 1,
            (Some(false), Some(true)) => only_challenger += 1,
            _ => {}
        }
    }
    mcnemar(only_champion, only_challenger)
}
