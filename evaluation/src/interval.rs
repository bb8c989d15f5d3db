//! Intervals for a proportion: Wilson's, and how intervals of strata combine into one.

use serde::{Deserialize, Serialize};

use crate::ConfidenceLevel;

/// A closed interval within 0 to 1, or, for differences, within −1 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    lower: f64,
    upper: f64,
}

impl Interval {
    /// What is known of a proportion before there is a label.
    pub const UNKNOWN: Self = Self { lower: 0.0, upper: 1.0 };

    /// From two bounds, whichever is lower, cut to `least` and `greatest`.
    pub(crate) fn within(lower: f64, upper: f64, least: f64, greatest: f64) -> Self {
        let (lower, upper) = if lower <= upper { (lower, upper) } else { (upper, lower) };
        Self { lower: lower.clamp(least, greatest), upper: upper.clamp(least, greatest) }
    }

    /// Within 0 to 1.
    pub(crate) fn proportion(lower: f64, upper: f64) -> Self {
        Self::within(lower, upper, 0.0, 1.0)
    }

    /// A known number.
    pub(crate) fn exact(value: f64) -> Self {
        Self { lower: value, upper: value }
    }

    /// The lower bound.
    pub fn lower(self) -> f64 {
        self.lower
    }

    /// The upper bound.
    pub fn upper(self) -> f64 {
        self.upper
    }

    /// Upper bound minus lower bound.
    pub fn width(self) -> f64 {
        self.upper - self.lower
    }

    /// Half the width: the "± points" people speak of.
    pub fn half_width(self) -> f64 {
        self.width() / 2.0
    }

    /// Whether `value` lies within, bounds included.
    pub fn contains(self, value: f64) -> bool {
        (self.lower..=self.upper).contains(&value)
    }

    /// Both bounds through a function that never falls.
    pub(crate) fn map(self, increasing: impl Fn(f64) -> f64) -> Self {
        Self::proportion(increasing(self.lower), increasing(self.upper))
    }
}

/// Wilson's score interval for a proportion seen in `n` independent labels; `n` need not be whole (an effective number
/// of labels), and an infinite one means that the proportion is known.
///
/// Centre (p + z²/2n)/(1 + z²/n), half-width z/(1 + z²/n)·√(p(1 − p)/n + z²/4n²). Brown, Cai and DasGupta 2001,
/// Statistical Science 16(2), equation (4). It never has zero width for a finite `n`, also where p is 0 or 1.
///
/// With no labels at all (`n` zero or less, or not a number) nothing is known: 0 to 1.
pub fn wilson(proportion: f64, n: f64, level: ConfidenceLevel) -> Interval {
    let p = proportion.clamp(0.0, 1.0);
    if n == f64::INFINITY {
        return Interval::exact(p);
    }
    if n.is_nan() || n <= 0.0 {
        return Interval::UNKNOWN;
    }
    let z = level.z();
    let z2_by_n = z * z / n;
    let centre = (p + z2_by_n / 2.0) / (1.0 + z2_by_n);
    let half = (p * (1.0 - p) * z2_by_n + z2_by_n * z2_by_n / 4.0).sqrt() / (1.0 + z2_by_n);
    // At the ends one bound is exact by algebra, and rounding must not move it past the proportion.
    Interval::proportion((centre - half).min(p), (centre + half).max(p))
}

/// How many independent labels a simple random sample of `n` out of `population` is worth: n(N − 1)/(N − n).
///
/// The variance of a sampled proportion is p(1 − p)/n·(N − n)/(N − 1) (Cochran, Sampling Techniques, 3rd ed., equation
/// 3.8); this is the `n` that gives the same without the correction. Infinite when everything was looked at.
pub fn effective_labels(n: u64, population: u64) -> f64 {
    if n == 0 {
        0.0
    } else if n >= population {
        f64::INFINITY
    } else {
        let (n, population) = (n as f64, population as f64);
        n * (population - 1.0) / (population - n)
    }
}

/// Wilson's interval for the share in a population of `population`, of which `n` were looked at at random and
/// `successes` counted: exact after a census, wider than nothing before.
pub fn wilson_finite(successes: u64, n: u64, population: u64, level: ConfidenceLevel) -> Interval {
    if n == 0 {
        return Interval::UNKNOWN;
    }
    wilson(successes as f64 / n as f64, effective_labels(n, population), level)
}

/// One term of a weighted sum of proportions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Term {
    pub weight: f64,
    pub proportion: f64,
    pub interval: Interval,
}

/// MOVER, the method of variance estimates recovery: the interval of Σ W_h p_h from the intervals (l_h, u_h) of its
/// terms, Σ W_h p_h − √(Σ W_h²(p_h − l_h)²) to Σ W_h p_h + √(Σ W_h²(u_h − p_h)²), with `extra_variance`·z² beneath both
/// roots for what else varies.
///
/// Zou, Huang and Zhang 2009, Computational Statistics & Data Analysis 53(4), equation (4); with Wilson's intervals
/// also Yan and Su 2010, Statistics in Biopharmaceutical Research 2(3).
pub(crate) fn combine(terms: &[Term], extra_variance: f64, level: ConfidenceLevel) -> (f64, Interval) {
    let extra = level.z().powi(2) * extra_variance;
    let (mut value, mut below, mut above) = (0.0, extra, extra);
    for term in terms {
        value += term.weight * term.proportion;
        below += (term.weight * (term.proportion - term.interval.lower)).powi(2);
        above += (term.weight * (term.interval.upper - term.proportion)).powi(2);
    }
    let value = value.clamp(0.0, 1.0);
    (value, Interval::proportion(value - below.sqrt(), value + above.sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEVEL: ConfidenceLevel = ConfidenceLevel::NINETY_FIVE;

    #[test]
    fn a_perfect_record_is_no_certainty() {
        let interval = wilson_finite(30, 30, 1000, LEVEL);
        assert_eq!(interval.upper(), 1.0);
        assert!(interval.lower() < 0.9 && interval.lower() > 0.8);
    }

    #[test]
    fn a_census_is_exact_and_no_label_is_no_knowledge() {
        assert_eq!(wilson_finite(7, 10, 10, LEVEL), Interval::exact(0.7));
        assert_eq!(wilson_finite(0, 0, 10, LEVEL), Interval::UNKNOWN);
        assert_eq!(wilson(0.5, f64::NAN, LEVEL), Interval::UNKNOWN);
    }

    #[test]
    fn one_term_combines_into_itself() {
        let interval = wilson(0.3, 40.0, LEVEL);
        let (value, combined) = combine(&[Term { weight: 1.0, proportion: 0.3, interval }], 0.0, LEVEL);
        assert_eq!(value, 0.3);
        assert!((combined.lower() - interval.lower()).abs() < 1e-12);
        assert!((combined.upper() - interval.upper()).abs() < 1e-12);
    }
}
