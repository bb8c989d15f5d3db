//! What a label budget buys, and where to spend it.

use serde::{Deserialize, Serialize};

use crate::{
    ConfidenceLevel, InclusionProbability, Stratum, Tallies,
    interval::{Term, combine, effective_labels, wilson},
    weights::strata,
};

/// A stratum as a plan sees it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedStratum {
    /// Which.
    pub stratum: Stratum,
    /// N_h: its photos.
    pub size: u64,
    /// Labels it has; at most `size`.
    pub labelled: u64,
    /// Accuracy expected there, from 0 to 1.
    pub accuracy: f64,
}

impl PlannedStratum {
    /// √(p(1 − p)).
    fn deviation(&self) -> f64 {
        (self.accuracy * (1.0 - self.accuracy)).max(0.0).sqrt()
    }
}

/// The strata of a window with the accuracy to expect of each: (successes + 1)/(labels + 2), Laplace's rule, so that a
/// stratum that was all right so far is not taken for certain.
pub fn planned_strata(tallies: &Tallies) -> Vec<PlannedStratum> {
    let plan = |counts: crate::weights::StratumCounts| {
        let sum = |count: fn(&crate::weights::Group) -> u64| counts.groups.iter().map(count).sum::<u64>();
        let (inside, successes) = (sum(|group| group.inside), sum(|group| group.successes));
        PlannedStratum {
            stratum: counts.stratum,
            size: counts.size,
            labelled: counts.labelled,
            accuracy: (successes as f64 + 1.0) / (inside as f64 + 2.0),
        }
    };
    strata(tallies).into_iter().map(plan).collect()
}

/// How to spread `budget` more labels so that accuracy's variance falls most; in the order of `strata`, fewer where
/// everything is labelled.
///
/// Neyman 1934 allocates in proportion to N_h·S_h; this is its exact version in whole labels (Wright 2012, The American
/// Statistician 66(4)): each label goes where N_h²S_h²/(n(n + 1)) is greatest. A stratum without labels is served first.
pub fn neyman_allocation(strata: &[PlannedStratum], budget: u64) -> Vec<u64> {
    let mut added = vec![0_u64; strata.len()];
    let priority = |index: usize, added: u64| {
        let (it, n) = (&strata[index], (strata[index].labelled + added) as f64);
        (it.size as f64 * it.deviation()).powi(2) / (n * (n + 1.0))
    };
    for _ in 0..budget {
        let open = (0..strata.len()).filter(|&index| strata[index].labelled + added[index] < strata[index].size);
        let best = open.max_by(|&left, &right| {
            // Of equals the first, so that a plan is the same each time.
            priority(left, added[left]).total_cmp(&priority(right, added[right])).then(right.cmp(&left))
        });
        let Some(best) = best else { break };
        added[best] += 1;
    }
    added
}

/// Half the width of accuracy's interval to expect with `added` more labels by stratum ("± points"), if accuracy in the
/// strata is as planned. 0.5 where no stratum has photos.
pub fn expected_half_width(strata: &[PlannedStratum], added: &[u64], level: ConfidenceLevel) -> f64 {
    let population: f64 = strata.iter().map(|it| it.size as f64).sum();
    if population == 0.0 {
        return 0.5;
    }
    let term = |(it, added): (&PlannedStratum, &u64)| {
        let labels = effective_labels((it.labelled + added).min(it.size), it.size);
        let interval = wilson(it.accuracy, labels, level);
        Term { weight: it.size as f64 / population, proportion: it.accuracy, interval }
    };
    let terms: Vec<_> = strata.iter().zip(added).filter(|(it, _)| it.size > 0).map(term).collect();
    combine(&terms, 0.0, level).1.half_width()
}

/// Labels of a simple random sample of `population` photos for ± `half_width` about `accuracy`, by the normal formula
/// with finite-population correction (Cochran, equations 4.1 and 4.2): the planner's first guess before there is any label.
pub fn labels_for_half_width(
    accuracy: f64,
    half_width: InclusionProbability,
    population: u64,
    level: ConfidenceLevel,
) -> u64 {
    let infinite = (level.z() / half_width.get()).powi(2) * accuracy.clamp(0.0, 1.0) * (1.0 - accuracy.clamp(0.0, 1.0));
    let population = population as f64;
    if population == 0.0 {
        return 0;
    }
    (infinite / (1.0 + (infinite - 1.0) / population)).max(1.0).ceil().min(population) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stratum(stratum: Stratum, size: u64, labelled: u64, accuracy: f64) -> PlannedStratum {
        PlannedStratum { stratum, size, labelled, accuracy }
    }

    #[test]
    fn labels_go_where_photos_are_many_and_doubt_is_great() {
        let strata = [stratum(Stratum::LowConfidence, 100, 0, 0.5), stratum(Stratum::Others, 900, 0, 0.9)];
        let allocation = neyman_allocation(&strata, 64);
        // N·S is 50 and 270.
        assert_eq!(allocation.iter().sum::<u64>(), 64);
        assert_eq!(allocation, [10, 54]);
    }

    #[test]
    fn nothing_is_labelled_twice() {
        let strata = [stratum(Stratum::LowConfidence, 5, 3, 0.5), stratum(Stratum::Others, 4, 4, 0.9)];
        assert_eq!(neyman_allocation(&strata, 100), [2, 0]);
        assert_eq!(expected_half_width(&strata, &[2, 0], ConfidenceLevel::NINETY_FIVE), 0.0);
    }

    #[test]
    fn more_labels_never_widen_the_expected_interval() {
        let strata = [stratum(Stratum::LowConfidence, 200, 20, 0.4), stratum(Stratum::Others, 2000, 30, 0.9)];
        let widths = (0..40).map(|step| {
            expected_half_width(&strata, &neyman_allocation(&strata, step * 25), ConfidenceLevel::NINETY_FIVE)
        });
        let widths: Vec<f64> = widths.collect();
        assert!(widths.windows(2).all(|pair| pair[1] <= pair[0]), "{widths:?}");
    }

    #[test]
    fn three_points_about_eighty_percent_take_683_labels_of_many_photos() {
        let three = InclusionProbability::new(0.03).unwrap();
        assert_eq!(labels_for_half_width(0.8, three, 1_000_000_000, ConfidenceLevel::NINETY_FIVE), 683);
        assert_eq!(labels_for_half_width(0.8, three, 100, ConfidenceLevel::NINETY_FIVE), 88);
    }
}
