//! Drift of a number, such as confidence: the greatest distance between two distribution functions.

use serde::{Deserialize, Serialize};

/// The two-sample Kolmogorov–Smirnov test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct KolmogorovSmirnov {
    /// Greatest distance between the two empirical distribution functions, from 0 to 1: also the effect.
    pub statistic: f64,
    /// Probability of as great a distance if both came from one continuous distribution. With ties it is on the safe side.
    pub p_value: f64,
    /// Whether the p-value is exact; otherwise it is Kolmogorov's limit for many photos.
    pub is_exact: bool,
}

/// As many steps the exact p-value may take: about 0.03 s.
const EXACT_STEPS: usize = 4_000_000;

/// Compares two samples; `None` where one is empty or holds what is no number.
///
/// Up to a product of 4,000,000 photos the p-value is exact: the share of the lattice paths from (0, 0) to (n, m) that
/// stray as far from the diagonal (Hodges 1958, Arkiv för Matematik 3(43)). Beyond, it is Kolmogorov's limit
/// 2·Σ (−1)^(k−1) e^(−2k²λ²) with λ = D·√(nm/(n + m)).
pub fn kolmogorov_smirnov(reference: &[f64], current: &[f64]) -> Option<KolmogorovSmirnov> {
    if reference.is_empty() || current.is_empty() || reference.iter().chain(current).any(|value| value.is_nan()) {
        return None;
    }
    let sorted = |values: &[f64]| {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        values
    };
    let (reference, current) = (sorted(reference), sorted(current));
    let (n, m) = (reference.len(), current.len());
    let (mut i, mut j, mut greatest) = (0, 0, 0_u128);
    while i < n && j < m {
        let value = reference[i].min(current[j]);
        i += reference[i..].iter().take_while(|it| **it <= value).count();
        j += current[j..].iter().take_while(|it| **it <= value).count();
        // In whole numbers, so that equal distances are equal: |i/n − j/m|·nm.
        greatest = greatest.max((i as u128 * m as u128).abs_diff(j as u128 * n as u128));
    }
    let statistic = greatest as f64 / (n as f64 * m as f64);
    let is_exact = n.saturating_mul(m) <= EXACT_STEPS;
    let p_value = if is_exact {
        share_of_straying_paths(n, m, greatest)
    } else {
        kolmogorov_tail(statistic * (n as f64 * m as f64 / (n as f64 + m as f64)).sqrt())
    };
    Some(KolmogorovSmirnov { statistic, p_value: p_value.clamp(0.0, 1.0), is_exact })
}

/// Compares two samples of which only the numbers in each of the same bins are known, from low to high; `None` where one is
/// empty, or they have different bins. The distance is the greatest at a bin's end, so it is at most the samples' own, and
/// the p-value, Kolmogorov's limit, is on the safe side.
pub fn kolmogorov_smirnov_binned(reference: &[u64], current: &[u64]) -> Option<KolmogorovSmirnov> {
    let (n, m) = (reference.iter().sum::<u64>(), current.iter().sum::<u64>());
    if n == 0 || m == 0 || reference.len() != current.len() {
        return None;
    }
    let (mut below, mut greatest) = ((0_u64, 0_u64), 0_u128);
    for (reference, current) in reference.iter().zip(current) {
        below = (below.0 + reference, below.1 + current);
        let products = (u128::from(below.0) * u128::from(m), u128::from(below.1) * u128::from(n));
        greatest = greatest.max(products.0.abs_diff(products.1));
    }
    let (n, m) = (n as f64, m as f64);
    let statistic = greatest as f64 / (n * m);
    let p_value = kolmogorov_tail(statistic * (n * m / (n + m)).sqrt()).clamp(0.0, 1.0);
    Some(KolmogorovSmirnov { statistic, p_value, is_exact: false })
}

/// The share of monotone lattice paths from (0, 0) to (n, m) that touch a point with |i·m − j·n| ≥ `distance`.
///
/// Paths are counted as the probability, walking back from the end, of having touched: at (i, j) with i + j steps left, the
/// last step came from the left with probability i/(i + j). So no number grows beyond 1.
fn share_of_straying_paths(n: usize, m: usize, distance: u128) -> f64 {
    if distance == 0 {
        return 1.0;
    }
    let strays = |i: usize, j: usize| (i as u128 * m as u128).abs_diff(j as u128 * n as u128) >= distance;
    let mut row = vec![0.0; m + 1];
    for i in 0..=n {
        for j in 0..=m {
            row[j] = if strays(i, j) {
                1.0
            } else if i + j == 0 {
                0.0
            } else {
                let steps = (i + j) as f64;
                let from_left = if i > 0 { i as f64 / steps * row[j] } else { 0.0 };
                let from_below = if j > 0 { j as f64 / steps * row[j - 1] } else { 0.0 };
                from_left + from_below
            };
        }
    }
    row[m]
}

/// Kolmogorov's limit: the probability that √n·D exceeds λ.
fn kolmogorov_tail(lambda: f64) -> f64 {
    if lambda < 0.2 {
        // The series converges slowly there, and the answer is 1 to fifteen digits.
        return 1.0;
    }
    let term = |k: i32| f64::from(1 - 2 * ((k + 1) % 2)) * (-2.0 * f64::from(k * k) * lambda * lambda).exp();
    2.0 * (1..=40).map(term).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_cases_can_be_counted_by_hand() {
        // Of the 6 orders of two and two, 2 part them wholly (D = 1).
        let apart = kolmogorov_smirnov(&[1.0, 2.0], &[3.0, 4.0]).unwrap();
        assert_eq!(apart.statistic, 1.0);
        assert!((apart.p_value - 2.0 / 6.0).abs() < 1e-12);
        let same = kolmogorov_smirnov(&[1.0, 2.0], &[1.0, 2.0]).unwrap();
        assert_eq!((same.statistic, same.p_value), (0.0, 1.0));
        assert_eq!(kolmogorov_smirnov(&[], &[1.0]), None);
        assert_eq!(kolmogorov_smirnov(&[f64::NAN], &[1.0]), None);
    }

    #[test]
    fn bins_that_part_every_value_give_the_samples_distance() {
        let reference: Vec<f64> = (0..3000).map(|index| f64::from(index % 40)).collect();
        let current: Vec<f64> = (0..2500).map(|index| f64::from((index * index) % 40)).collect();
        let bins = |sample: &[f64]| {
            let mut bins = [0; 40];
            sample.iter().for_each(|value| bins[*value as usize] += 1);
            bins
        };
        let of_samples = kolmogorov_smirnov(&reference, &current).unwrap();
        let binned = kolmogorov_smirnov_binned(&bins(&reference), &bins(&current)).unwrap();
        assert_eq!(binned, of_samples);
        assert_eq!(kolmogorov_smirnov_binned(&[0, 0], &[1, 0]), None);
        assert_eq!(kolmogorov_smirnov_binned(&[1], &[1, 0]), None);
    }

    #[test]
    fn the_limit_meets_the_exact_value_where_both_are_good() {
        let reference: Vec<f64> = (0..2000).map(f64::from).collect();
        let current: Vec<f64> = (0..2000).map(|index| f64::from(index) + 80.5).collect();
        let exact = kolmogorov_smirnov(&reference, &current).unwrap();
        let limit = kolmogorov_tail(exact.statistic * 1000.0_f64.sqrt());
        assert!(exact.is_exact && (exact.p_value - limit).abs() < 0.005, "{exact:?} {limit}");
    }
}
