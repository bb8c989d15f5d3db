//! The estimator behind most numbers: a proportion over a window, post-stratified, with an interval that holds.
//!
//! Accuracy, precision, recall, the share of photos that are no food, the precision of flags: each is a share of
//! successes among the photos *inside* a domain, estimated from labels that were drawn with known probabilities.
//!
//! In stratum h let X̂_h = Σw over the labels inside (the photos inside, as far as known), p_h the weighted share of
//! successes among them, and n*_h what they are worth in independent labels (see [`crate::weights`]). Then
//!
//! - estimate: p = Σ X̂_h p_h / Σ X̂_h;
//! - interval: Wilson's interval of each p_h with n*_h, combined with weights X̂_h/Σ X̂_h (MOVER); where it is not known
//!   how many photos of a stratum are inside, the variance of the weights, Σ (N_h/X̂)²(p_h − p)² f_h(1 − f_h)/n*, is
//!   added (f_h the share inside; linearisation, Särndal, Swensson and Wretman, section 5.6);
//! - a stratum of N_h photos without any label could be all wrong or all right: with u its share, the interval becomes
//!   (1 − u)·lower to (1 − u)·upper + u, and the stratum is named.

use crate::{
    ConfidenceLevel, Estimate, Interval, Method, Tallies,
    interval::{Term, combine, wilson},
    weights::{StratumCounts, missing, strata},
};

/// What to make of a stratum that has labels, none of which fell inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoneInside {
    /// Photos there may still be inside: the interval allows for as many as Wilson's upper bound of their share. Right
    /// where nearly everything is inside, as for accuracy.
    Possible,
    /// The stratum says nothing about the domain. Right where the domain is small, as for one class: allowing for what
    /// was not seen would drown what was.
    Ignored,
}

/// The share of successes among the photos inside, over all strata.
///
/// Exact, with an interval of no width, if and only if every photo of every stratum has a label.
pub fn proportion(tallies: &Tallies, none_inside: NoneInside, level: ConfidenceLevel) -> Estimate {
    let strata = strata(tallies);
    let inside: f64 = strata.iter().map(|it| it.weighted(|group| group.inside)).sum();
    let value = strata.iter().map(|it| it.weighted(|group| group.successes)).sum::<f64>() / inside;
    let labelled = tallies.as_slice().iter().map(|tally| tally.inside).sum();
    let is_census = !strata.is_empty() && strata.iter().all(|it| it.labelled == it.size);
    let estimate = |value, interval| Estimate {
        value,
        interval,
        level,
        labelled,
        population: tallies.population(),
        method: if is_census { Method::Census } else { Method::Poststratified },
        missing: missing(&strata),
    };
    if inside == 0.0 {
        return estimate(None, Interval::UNKNOWN);
    }
    let (mut terms, mut extra_variance, mut unseen) = (Vec::with_capacity(strata.len()), 0.0, 0.0);
    for counts in &strata {
        unseen += unseen_photos(counts, none_inside, level);
        let photos = counts.weighted(|group| group.inside);
        if photos == 0.0 {
            continue;
        }
        let share = counts.weighted(|group| group.successes) / photos;
        let interval = wilson(share, counts.effective(|group| group.inside), level);
        terms.push(Term { weight: photos / inside, proportion: share, interval });
        let size = counts.size as f64;
        let inside_share = (photos / size).min(1.0);
        let of_labels = counts.effective(|group| group.labelled);
        extra_variance += (size / inside * (share - value)).powi(2) * inside_share * (1.0 - inside_share) / of_labels;
    }
    let (value, interval) = combine(&terms, extra_variance, level);
    let unknown = unseen / (inside + unseen);
    let widened =
        Interval::proportion((1.0 - unknown) * interval.lower(), (1.0 - unknown) * interval.upper() + unknown);
    estimate(Some(value), if unseen > 0.0 { widened } else { interval })
}

/// Photos that may be inside although no label says so.
pub(crate) fn unseen_photos(counts: &StratumCounts, none_inside: NoneInside, level: ConfidenceLevel) -> f64 {
    let size = counts.size as f64;
    if counts.labelled == 0 {
        return size;
    }
    let seen = counts.groups.iter().any(|group| group.inside > 0);
    if seen || none_inside == NoneInside::Ignored {
        return 0.0;
    }
    size * wilson(0.0, counts.effective(|group| group.labelled), level).upper()
}
