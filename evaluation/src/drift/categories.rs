//! Drift of counts by category: the class mix, or confidence in bins.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// Counts that cannot be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CountsError {
    /// Reference and current have different categories.
    #[error("the reference has {reference} categories, the current window {current}")]
    DifferentCategories {
        /// Categories of the reference.
        reference: usize,
        /// Categories of the current window.
        current: usize,
    },
    /// One of them has no photos.
    #[error("drift needs photos in both the reference and the current window")]
    Empty,
}

fn totals(reference: &[u64], current: &[u64]) -> Result<(f64, f64), CountsError> {
    if reference.len() != current.len() {
        return Err(CountsError::DifferentCategories { reference: reference.len(), current: current.len() });
    }
    let (reference, current) = (reference.iter().sum::<u64>(), current.iter().sum::<u64>());
    if reference == 0 || current == 0 { Err(CountsError::Empty) } else { Ok((reference as f64, current as f64)) }
}

/// What stands in for a share of zero.
const EMPTY_SHARE: f64 = 0.0001;

/// Population stability index, Σ (r − c)·ln(r/c) over the shares of each category; 0 for no difference. Siddiqi 2006,
/// Credit Risk Scorecards. Rule of thumb: below 0.1 stable, above 0.25 shifted; with n photos in each of K categories
/// chance alone gives about 2(K − 1)/n (Yurdakul 2018), so it needs many.
///
/// A share of zero counts as 0.0001, or, where the smallest other share is no greater, as a millionth of that, as
/// Evidently has it; categories empty in both count for nothing.
pub fn population_stability_index(reference: &[u64], current: &[u64]) -> Result<f64, CountsError> {
    let (reference_total, current_total) = totals(reference, current)?;
    let shares = |counts: &[u64], total: f64| -> Vec<f64> {
        let least = counts.iter().filter(|count| **count > 0).min().map_or(1.0, |count| *count as f64 / total);
        let empty = if least <= EMPTY_SHARE { least / 1e6 } else { EMPTY_SHARE };
        counts.iter().map(|count| if *count == 0 { empty } else { *count as f64 / total }).collect()
    };
    let pairs = shares(reference, reference_total).into_iter().zip(shares(current, current_total));
    let seen = reference.iter().zip(current).map(|(reference, current)| reference + current > 0);
    Ok(pairs.zip(seen).filter(|(_, seen)| *seen).map(|((r, c), _)| (r - c) * (r / c).ln()).sum())
}

/// Pearson's chi-square test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChiSquare {
    /// Σ (observed − expected)²/expected.
    pub statistic: f64,
    /// Categories that occur, less one.
    pub degrees_of_freedom: u64,
    /// Probability of as great a statistic if both came from the same mix.
    pub p_value: f64,
    /// Cramér's V, the effect: from 0 (same mix) to 1 (nothing in common), whatever the number of photos.
    pub cramers_v: f64,
}

/// Chi-square test of homogeneity: do both come from the same mix? Both are samples, so expected counts come from both
/// together (Agresti, Categorical Data Analysis, 3rd ed., section 3.2.1). Categories empty in both count for nothing; a
/// single category that remains cannot differ.
pub fn chi_square(reference: &[u64], current: &[u64]) -> Result<ChiSquare, CountsError> {
    let (reference_total, current_total) = totals(reference, current)?;
    let all = reference_total + current_total;
    let (mut statistic, mut categories) = (0.0, 0_u64);
    for (reference, current) in reference.iter().zip(current) {
        let both = (reference + current) as f64;
        if both == 0.0 {
            continue;
        }
        categories += 1;
        for (observed, total) in [(*reference as f64, reference_total), (*current as f64, current_total)] {
            let expected = both * total / all;
            statistic += (observed - expected).powi(2) / expected;
        }
    }
    let degrees_of_freedom = categories.saturating_sub(1);
    let p_value = ChiSquared::new(degrees_of_freedom as f64).map_or(1.0, |it| it.sf(statistic));
    Ok(ChiSquare { statistic, degrees_of_freedom, p_value, cramers_v: (statistic / all).sqrt().min(1.0) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_mix_shows_no_drift_and_another_does() {
        assert_eq!(population_stability_index(&[10, 30, 0], &[100, 300, 0]).unwrap(), 0.0);
        let same = chi_square(&[10, 30, 0], &[100, 300, 0]).unwrap();
        assert!((same.statistic, same.degrees_of_freedom) == (0.0, 1) && same.p_value == 1.0);
        let other = chi_square(&[100, 0], &[0, 100]).unwrap();
        assert_eq!(other.cramers_v, 1.0);
        assert!(other.p_value < 1e-40);
        assert_eq!(chi_square(&[5], &[7]).unwrap().p_value, 1.0, "one category cannot differ");
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        assert_eq!(chi_square(&[1, 2], &[0, 0]), Err(CountsError::Empty));
        let different = CountsError::DifferentCategories { reference: 2, current: 1 };
        assert_eq!(population_stability_index(&[1, 2], &[1]), Err(different));
    }
}
