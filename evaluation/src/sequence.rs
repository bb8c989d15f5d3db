//! Alerts that stay honest when looked at every day.
//!
//! A 95 % interval holds the truth in 95 of 100 looks. Who looks daily and alarms at the first interval below the target
//! will be alarmed sooner or later about a model that is fine. What follows may be looked at after every label, as
//! often as one likes, and stopped at will.

use serde::{Deserialize, Serialize};
use statrs::function::beta::ln_beta;

use crate::{ConfidenceLevel, ENOUGH_LABELS, Interval, Probability, wilson};

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

/// A window whose labels are all there, for [`two_bad_windows`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CompleteWindow {
    /// Accuracy of the window's photos.
    pub accuracy: f64,
    /// Upper bound of its interval.
    pub upper: f64,
    /// Labels with a true class.
    pub labels: u64,
    /// Photos.
    pub photos: u64,
}

impl CompleteWindow {
    /// Upper bound for the model's accuracy, as far as one window shows it.
    ///
    /// [`upper`](Self::upper) is of the window's N photos, and where all are labelled it is their accuracy itself; but
    /// a model that is as good as ever has worse days. How far N photos lie from the model's accuracy is Wilson's
    /// interval of N, and the two errors add up as variances do (MOVER): p + √((upper − p)² + (Wilson(p, N) − p)²).
    fn model_upper(&self, level: ConfidenceLevel) -> f64 {
        let of_photos = wilson(self.accuracy, self.photos as f64, level).upper();
        self.accuracy + (self.upper - self.accuracy).hypot(of_photos - self.accuracy)
    }
}

/// The simpler rule: the last two windows each show that accuracy is below the target. Windows in order of time, those
/// with intervals at `level`, provisional ones left out.
///
/// Windows with fewer than [`ENOUGH_LABELS`] labels are passed over as if they were not there: one wrong label of one
/// would be a bad window, and one right label of one would end a row of bad ones. How many labels a window has does not
/// depend on whether answers are right, so passing over some makes the rule no more often false. It is false in about
/// one look of a thousand at a model exactly at its target (`evaluation/tests/false_alarms.rs`), so, unlike
/// [`AccuracyAlarm`], it is false some day.
pub fn two_bad_windows(windows: &[CompleteWindow], target: Probability, level: ConfidenceLevel) -> bool {
    let mut last = windows.iter().rev().filter(|window| window.labels >= ENOUGH_LABELS);
    let is_bad = |window: &CompleteWindow| window.model_upper(level) < target.get();
    last.next().is_some_and(is_bad) && last.next().is_some_and(is_bad)
}
