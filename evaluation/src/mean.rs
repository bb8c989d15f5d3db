//! The weighted mean of a number known for every label: a loss, a difference.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{ConfidenceLevel, LabelledPrediction, Missing, Stratum, Weights, Window, window::Membership};

/// A mean with the standard error the design gives it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightedMean {
    /// The mean over the window's photos, in strata that have labels.
    pub value: f64,
    /// Its standard error. Too small with few labels; zero after a census, or where all values of a stratum are equal.
    pub standard_error: f64,
    /// Labels it is over.
    pub labelled: u64,
    /// What it had to do without. Strata without labels are left out of the mean and named here.
    pub missing: Missing,
}

impl WeightedMean {
    /// Value ± z·standard error, not cut to anything.
    pub fn normal_bounds(&self, level: ConfidenceLevel) -> (f64, f64) {
        let half = level.z() * self.standard_error;
        (self.value - half, self.value + half)
    }
}

/// Mean of `value` over the photos for which it is defined; `None` where no label defines it.
///
/// A ratio mean R = Σwy/Σwx with x = 1 where defined, and its variance by linearisation: in stratum h, with
/// z = (y − Rx)/X̂, n_h/(n_h − 1)·Σ w(w − 1)(z − z̄_h)², which for equal weights is the textbook's
/// N_h²(1 − n_h/N_h)s²/n_h. Särndal, Swensson and Wretman, equations 5.6.9 and 7.6.6.
pub fn weighted_mean(window: &Window, value: impl Fn(&LabelledPrediction) -> Option<f64>) -> Option<WeightedMean> {
    let weights = Weights::of(window);
    let values: Vec<_> = window
        .labels()
        .iter()
        .map(|label| (label.selection.stratum(), weights.get(label).unwrap_or_default(), value(label)))
        .collect();
    let defined = || values.iter().filter_map(|(_, weight, value)| value.map(|value| (weight, value)));
    let photos: f64 = defined().map(|(weight, _)| weight).sum();
    if photos == 0.0 {
        return None;
    }
    let mean = defined().map(|(weight, value)| weight * value).sum::<f64>() / photos;
    let mut strata: BTreeMap<Stratum, Vec<(f64, f64)>> = BTreeMap::new();
    for (stratum, weight, value) in &values {
        let residual = value.map_or(0.0, |value| (value - mean) / photos);
        strata.entry(*stratum).or_default().push((*weight, residual));
    }
    let variance: f64 = strata.values().map(|labels| stratum_variance(labels)).sum();
    let missing = crate::weights::missing(&crate::weights::strata(&window.tally(|_| Membership::Outside)));
    Some(WeightedMean {
        value: mean,
        standard_error: variance.max(0.0).sqrt(),
        labelled: defined().count() as u64,
        missing,
    })
}

/// Variance of Σ w z over one stratum's (weight, residual) pairs.
pub(crate) fn stratum_variance(labels: &[(f64, f64)]) -> f64 {
    let photos: f64 = labels.iter().map(|(weight, _)| weight).sum();
    let count = labels.len() as f64;
    // One label alone shows no spread; its distance from the overall mean stands in for it.
    let (centre, correction) = if labels.len() < 2 {
        (0.0, 1.0)
    } else {
        (labels.iter().map(|(weight, z)| weight * z).sum::<f64>() / photos, count / (count - 1.0))
    };
    let spread = |(weight, z): &(f64, f64)| (weight * (weight - 1.0)).max(0.0) * (z - centre).powi(2);
    correction * labels.iter().map(spread).sum::<f64>()
}
