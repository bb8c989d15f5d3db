//! The headline: how often the model is right, and what stands beside that number.

use std::collections::BTreeMap;

use crate::{
    BatchId, Cell, ConfidenceLevel, Estimate, InclusionProbability, Interval, LabelledPrediction, Membership, Method,
    Missing, NoneInside, Outcome, Stratum, Tallies, Tally, Window, interval::wilson, proportion,
};

/// Inside: photos with a true class. Success: the model gave that class.
fn correctness(label: &LabelledPrediction) -> Membership {
    label.correct().map_or(Membership::Outside, Membership::inside)
}

/// Accuracy of the model over the window's photos that have a true class: post-stratified, see [`mod@crate::proportion`].
pub fn accuracy(window: &Window, level: ConfidenceLevel) -> Estimate {
    accuracy_where(window, |_| true, level)
}

/// Accuracy over a slice: the photos for which `inside` holds.
///
/// Where it is known how many photos of each cell the slice has, build a window of those cells instead: knowing N is
/// worth labels.
pub fn accuracy_where(
    window: &Window,
    inside: impl Fn(&LabelledPrediction) -> bool,
    level: ConfidenceLevel,
) -> Estimate {
    let tallies = window.tally(|label| if inside(label) { correctness(label) } else { Membership::Outside });
    proportion(&tallies, NoneInside::Possible, level)
}

/// The share of all photos with this outcome, for "not food" and "unreadable".
pub fn outcome_share(window: &Window, outcome: Outcome, level: ConfidenceLevel) -> Estimate {
    proportion(&window.tally(|label| Membership::inside(label.outcome == outcome)), NoneInside::Possible, level)
}

/// What the tutorial would print: right answers divided by labels, wherever they came from, with the interval one
/// would give it who took the labels for a random sample.
///
/// It is shown to be understood, not to be used: see docs/statistics.md.
pub fn tutorial_pooled(window: &Window, level: ConfidenceLevel) -> Estimate {
    let tallies = window.tally(correctness);
    let sum = |count: fn(&Tally) -> u64| tallies.as_slice().iter().map(count).sum::<u64>();
    let (labelled, successes) = (sum(|tally| tally.inside), sum(|tally| tally.successes));
    let value = (labelled > 0).then(|| successes as f64 / labelled as f64);
    Estimate {
        value,
        interval: value.map_or(Interval::UNKNOWN, |value| wilson(value, labelled as f64, level)),
        level,
        labelled,
        population: tallies.population(),
        method: Method::TutorialPooled,
        missing: Missing::default(),
    }
}

/// Accuracy from the random sample of all photos alone: fewer labels, one assumption less. A check on [`accuracy()`], whose
/// interval should overlap.
///
/// A batch's rate is that of its stratum `others`, which nothing else draws from; where rates differ between batches,
/// labels are weighted by them. Batches without such a stratum are left out, labels and photos.
pub fn random_sample_accuracy(window: &Window, level: ConfidenceLevel) -> Estimate {
    let mut batches: BTreeMap<BatchId, (Option<InclusionProbability>, u64)> = BTreeMap::new();
    for cell in window.cells() {
        let (rate, size) = batches.entry(cell.batch).or_default();
        *size += cell.size;
        if cell.stratum == Stratum::Others {
            *rate = Some(cell.inclusion);
        }
    }
    let mut counts: BTreeMap<BatchId, (u64, u64, u64)> = BTreeMap::new();
    for label in window.labels().iter().filter(|label| label.selection.by_random_sample()) {
        let (labelled, inside, successes) = counts.entry(label.selection.batch()).or_default();
        let membership = correctness(label);
        *labelled += 1;
        *inside += u64::from(membership != Membership::Outside);
        *successes += u64::from(membership == Membership::Success);
    }
    let tallies = batches.into_iter().filter_map(|(batch, (rate, size))| {
        let (labelled, inside, successes) = counts.get(&batch).copied().unwrap_or_default();
        let cell = Cell { batch, stratum: Stratum::Others, inclusion: rate?, size, selected: labelled };
        Some(Tally { cell, labelled, inside, successes })
    });
    let estimate = proportion(&Tallies(tallies.collect()), NoneInside::Possible, level);
    Estimate { method: Method::RandomSample, missing: Missing::default(), ..estimate }
}

/// What accuracy could be if the labels that are missing were not missing at random: all of them wrong, or all right,
/// with no sampling error on top. The width says how much the assumption carries (Manski 2003, Partial Identification of
/// Probability Distributions, section 1.1).
pub fn nonresponse_bounds(window: &Window) -> Option<Interval> {
    nonresponse_bounds_of(&window.tally(correctness))
}

/// The same from counts that were kept, of labels with a true class (inside) and right answers (successes).
pub fn nonresponse_bounds_of(tallies: &Tallies) -> Option<Interval> {
    let (mut lower, mut upper, mut photos) = (0.0, 0.0, 0.0);
    for counts in crate::weights::strata(tallies) {
        let size = counts.size as f64;
        let answered = if counts.selected == 0 { 0.0 } else { counts.labelled as f64 / counts.selected as f64 };
        let seen = answered * counts.weighted(|group| group.inside);
        let right = answered * counts.weighted(|group| group.successes);
        let unknown = size * (1.0 - answered);
        lower += right;
        upper += right + unknown;
        photos += seen + unknown;
    }
    (photos > 0.0).then(|| Interval::proportion(lower / photos, upper / photos))
}
