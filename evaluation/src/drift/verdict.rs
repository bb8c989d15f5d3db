//! From several tests to one word.

use serde::{Deserialize, Serialize};

/// One test of one thing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriftTest {
    /// Photos of the current window it saw.
    pub photos: u64,
    /// How great the difference is: PSI, Cramér's V, the Kolmogorov–Smirnov distance.
    pub effect: f64,
    /// The effect from which it matters.
    pub effect_that_matters: f64,
    /// How likely by chance.
    pub p_value: f64,
}

/// What a verdict asks for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriftThresholds {
    /// Fewer photos than this and nothing is said.
    pub least_photos: u64,
    /// Share of false alarms among alarms to accept.
    pub false_discovery_rate: f64,
}

impl Default for DriftThresholds {
    fn default() -> Self {
        Self { least_photos: 200, false_discovery_rate: 0.05 }
    }
}

/// What to make of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftVerdict {
    /// Too few photos to say anything.
    TooFew,
    /// No difference that could not be chance.
    Stable,
    /// A difference that is real and too small to matter.
    Negligible,
    /// A difference that is real and matters.
    Drifted,
}

/// A verdict a test, in their order. Tests with too few photos take no part in the correction.
pub fn verdict(tests: &[DriftTest], thresholds: DriftThresholds) -> Vec<DriftVerdict> {
    let enough = |test: &&DriftTest| test.photos >= thresholds.least_photos;
    let p_values: Vec<f64> = tests.iter().filter(enough).map(|test| test.p_value).collect();
    let mut adjusted = benjamini_hochberg(&p_values).into_iter();
    let judge = |test: &DriftTest| {
        if !enough(&test) {
            return DriftVerdict::TooFew;
        }
        let is_significant = adjusted.next().is_some_and(|p| p <= thresholds.false_discovery_rate);
        match (is_significant, test.effect >= test.effect_that_matters) {
            (false, _) => DriftVerdict::Stable,
            (true, false) => DriftVerdict::Negligible,
            (true, true) => DriftVerdict::Drifted,
        }
    };
    tests.iter().map(judge).collect()
}

/// P-values adjusted for their number: those at or below q are discoveries of which at most a share q is false on
/// average. Benjamini and Hochberg 1995, Journal of the Royal Statistical Society B 57(1).
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|left, right| p_values[*left].total_cmp(&p_values[*right]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut least = 1.0_f64;
    for (rank, index) in order.into_iter().enumerate().rev() {
        least = least.min(p_values[index] * p_values.len() as f64 / (rank + 1) as f64);
        adjusted[index] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_takes_photos_significance_and_an_effect() {
        let test = DriftTest { photos: 1000, effect: 0.3, effect_that_matters: 0.1, p_value: 1e-6 };
        let tests = [
            test,
            DriftTest { effect: 0.01, ..test },
            DriftTest { p_value: 0.5, ..test },
            DriftTest { photos: 10, ..test },
        ];
        use DriftVerdict::{Drifted, Negligible, Stable, TooFew};
        assert_eq!(verdict(&tests, DriftThresholds::default()), [Drifted, Negligible, Stable, TooFew]);
    }
}
