//! Alerts that stay honest when looked at every day.
//!
//! A 95 % interval holds the truth in 95 of 100 looks. Who looks daily and alarms at the first interval below the target
//! will be alarmed sooner or later about a model that is fine. What follows may be looked at after every label, as
//! often as one likes, and stopped at will.

use serde::{Deserialize, Serialize};
use statrs::function::beta::ln_beta;

use crate::{ConfidenceLevel, Interval, Probability};

/// A confidence sequence for a rate that does not change: intervals that *all* hold it, at every look, with the
/// probability `level`. Over the random sample's labels, in the order they came.
///
/// A uniform mixture of likelihood ratios is a martingale, M(p) = B(s + 1, f + 1)/(p^s(1 − p)^f) after s successes and f
/// failures; by Ville's inequality it reaches 1/α with probability at most α, so the interval is where it stays below.
/// Robbins 1970, Annals of Mathematical Statistics 41(5); Howard et al. 2021, arXiv:1810.08240, section 3.2.
pub fn confidence_sequence(successes: u64, failures: u64, level: ConfidenceLevel) -> Interval {
    let (s, f) = (successes as f64, failures as f64);
    if successes + failures == 0 {
        return Interval::UNKNOWN;
    }
    let limit = -(1.0 - level.get()).ln();
    let mixture = ln_beta(s + 1.0, f + 1.0);
    let log_power = |count: f64, p: f64| if count == 0.0 { 0.0 } else { count * p.ln() };
    let inside = |p: f64| mixture - log_power(s, p) - log_power(f, 1.0 - p) < limit;
    let best = s / (s + f);
    // The mixture falls towards the observed rate and rises beyond it, so each bound is found by halving.
    let bound = |mut outside: f64, mut within: f64| {
        if inside(outside) {
            return outside;
        }
        for _ in 0..60 {
            let middle = f64::midpoint(outside, within);
            if inside(middle) { within = middle } else { outside = middle }
        }
        outside
    };
    Interval::proportion(bound(0.0, best), bound(1.0, best))
}

/// An alarm that accuracy has fallen below a target, which may be looked at after every label.
///
/// It bets against "accuracy is at least the target, today and every day": a product, over labels, of (θ/p₀) for a right
/// answer and (1 − θ)/(1 − p₀) for a wrong one, averaged over several θ below the target p₀. While the claim is true, also
/// with an accuracy that moves above the target, the stake does not grow on average (a non-negative supermartingale), so
/// it ever reaches 1/α with probability at most α. Waudby-Smith and Ramdas 2024, arXiv:2010.09686, section 4; the use for a
/// deployed model: Podkopaev and Ramdas 2022, arXiv:2110.06177.
///
/// Feed it labels of the random sample only: the others were drawn for being likely wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccuracyAlarm {
    target: f64,
    /// Logarithm of each bet's stake.
    stakes: Vec<f64>,
    labels: u64,
    highest: f64,
}

/// Bets on accuracies spread evenly below the target.
const BETS: u32 = 40;

/// A target at which nothing can be won or lost.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("the target accuracy {0} must lie strictly between 0 and 1")]
pub struct ImpossibleTarget(pub f64);

impl AccuracyAlarm {
    /// Watches that accuracy is at least `target`.
    pub fn new(target: Probability) -> Result<Self, ImpossibleTarget> {
        let target = target.get();
        if target <= 0.0 || target >= 1.0 {
            return Err(ImpossibleTarget(target));
        }
        Ok(Self { target, stakes: vec![0.0; BETS as usize], labels: 0, highest: 0.0 })
    }

    /// Takes one label of the random sample, in the order of the photos.
    pub fn observe(&mut self, correct: bool) {
        self.observe_many(u64::from(correct), u64::from(!correct));
    }

    /// Takes labels that are looked at all at once: what the stakes were between them is not seen, which costs the alarm
    /// some of its power and none of its honesty.
    pub fn observe_many(&mut self, right: u64, wrong: u64) {
        for (stake, step) in self.stakes.iter_mut().zip(1..) {
            let theta = self.target * f64::from(step) / f64::from(BETS + 1);
            *stake += right as f64 * (theta / self.target).ln();
            *stake += wrong as f64 * ((1.0 - theta) / (1.0 - self.target)).ln();
        }
        self.labels += right + wrong;
        self.highest = self.highest.max(self.log_stake());
    }

    /// Logarithm of the mean stake.
    fn log_stake(&self) -> f64 {
        let greatest = self.stakes.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        greatest + (self.stakes.iter().map(|stake| (stake - greatest).exp()).sum::<f64>() / f64::from(BETS)).ln()
    }

    /// A p-value that holds at every look: 1 divided by the highest stake so far.
    pub fn p_value(&self) -> f64 {
        (-self.highest).exp().min(1.0)
    }

    /// Labels seen.
    pub fn labels(&self) -> u64 {
        self.labels
    }

    /// Whether accuracy is shown to have been below the target, being wrong about that at most once in 1/(1 − level)
    /// watches, however often one looks.
    pub fn is_raised(&self, level: ConfidenceLevel) -> bool {
        self.p_value() <= 1.0 - level.get()
    }
}

/// The simpler rule: the last two complete windows each lie wholly below the target. Upper bounds of the windows that have a
/// label, in order of time, provisional windows left out.
pub fn two_bad_windows(upper_bounds: &[f64], target: Probability) -> bool {
    matches!(upper_bounds, [.., before, last] if *before < target.get() && *last < target.get())
}
