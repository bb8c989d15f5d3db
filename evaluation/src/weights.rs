//! How many photos each label stands for.
//!
//! A label drawn with probability π stands for 1/π photos. Within a stratum these weights are scaled so that they add
//! up to the stratum's N_h photos (Hájek 1971; Särndal, Swensson and Wretman, equation 5.7.4). Scaling does three
//! things at once: it takes the number of photos really drawn for the number expected, it takes labels that are missing
//! for missing at random within the stratum, and it makes batches of equal π one stratum, in which π cancels.

use std::collections::BTreeMap;

use crate::{
    InclusionProbability, LabelledPrediction, Missing, Response, Stratum, Tallies, UnlabelledStratum, Window,
    window::Membership,
};

/// Labels of one stratum that share a weight.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Group {
    pub weight: f64,
    pub labelled: u64,
    pub inside: u64,
    pub successes: u64,
}

/// A stratum of a window, over all its batches.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StratumCounts {
    pub stratum: Stratum,
    pub size: u64,
    pub selected: u64,
    pub labelled: u64,
    /// By π, each with its scaled weight; only those with labels.
    pub groups: Vec<Group>,
}

impl StratumCounts {
    /// Scaled weights of what `count` counts, added up.
    pub fn weighted(&self, count: impl Fn(&Group) -> u64) -> f64 {
        self.groups.iter().map(|group| group.weight * count(group) as f64).sum()
    }

    /// How many independent labels what `count` counts is worth, for a proportion over it.
    ///
    /// With X = Σw, the photos they stand for, it is X(X − 1)/Σw(w − 1): the Kish effective size X²/Σw² (Kish 1965,
    /// section 11.7) with w(w − 1) for w², because a label that stands for itself alone adds no error, and with the
    /// N − 1 of a finite population. For n labels of equal weight N/n this is n(N − 1)/(N − n).
    pub fn effective(&self, count: impl Fn(&Group) -> u64) -> f64 {
        let sum = |of: fn(f64) -> f64| self.groups.iter().map(|it| of(it.weight) * count(it) as f64).sum::<f64>();
        let photos = sum(|weight| weight);
        if photos == 0.0 {
            return 0.0;
        }
        let uncertain = sum(|weight| (weight * (weight - 1.0)).max(0.0));
        if uncertain == 0.0 {
            return f64::INFINITY;
        }
        let kish = photos * photos / sum(|weight| weight * weight);
        (photos * (photos - 1.0) / uncertain).max(kish)
    }
}

/// The strata that have photos, in their order.
pub(crate) fn strata(tallies: &Tallies) -> Vec<StratumCounts> {
    let mut strata: BTreeMap<Stratum, (StratumCounts, BTreeMap<u64, Group>)> = BTreeMap::new();
    for tally in tallies.as_slice() {
        let stratum = tally.cell.stratum;
        let (counts, groups) = strata.entry(stratum).or_insert_with(|| {
            let none = StratumCounts { stratum, size: 0, selected: 0, labelled: 0, groups: Vec::new() };
            (none, BTreeMap::new())
        });
        counts.size += tally.cell.size;
        counts.selected += tally.cell.selected;
        counts.labelled += tally.labelled;
        if tally.labelled > 0 {
            // Positive floats sort like their bits, so that equal probabilities meet and order is the same each time.
            let group = groups.entry(tally.cell.inclusion.get().to_bits()).or_default();
            group.weight = tally.cell.inclusion.weight();
            group.labelled += tally.labelled;
            group.inside += tally.inside;
            group.successes += tally.successes;
        }
    }
    let scaled = strata.into_values().map(|(mut counts, groups)| {
        counts.groups = groups.into_values().collect();
        if let [group] = counts.groups.as_mut_slice() {
            group.weight = counts.size as f64 / group.labelled as f64;
        } else {
            let photos = counts.weighted(|group| group.labelled);
            counts.groups.iter_mut().for_each(|group| group.weight *= counts.size as f64 / photos);
        }
        counts
    });
    scaled.filter(|counts| counts.size > 0).collect()
}

/// What the strata lack.
pub(crate) fn missing(strata: &[StratumCounts]) -> Missing {
    let population: u64 = strata.iter().map(|it| it.size).sum();
    let unlabelled = strata.iter().filter(|it| it.labelled == 0).map(|it| UnlabelledStratum {
        stratum: it.stratum,
        size: it.size,
        share: it.size as f64 / population as f64,
    });
    let response = strata.iter().map(|it| Response {
        stratum: it.stratum,
        size: it.size,
        selected: it.selected,
        labelled: it.labelled,
    });
    Missing { unlabelled: unlabelled.collect(), response: response.collect() }
}

/// The weight of each label of a window.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights(BTreeMap<(Stratum, u64), f64>);

impl Weights {
    /// From the window's cells and how many labels each has.
    pub fn of(window: &Window) -> Self {
        Self::of_tallies(&window.tally(|_| Membership::Outside))
    }

    /// From counts that were kept; of each only how many labels there are matters.
    pub fn of_tallies(tallies: &Tallies) -> Self {
        let probabilities = tallies.as_slice().iter().filter(|tally| tally.labelled > 0);
        let keys: std::collections::BTreeSet<_> =
            probabilities.map(|tally| (tally.cell.stratum, tally.cell.inclusion.get().to_bits())).collect();
        let weights = strata(tallies).into_iter().flat_map(|counts| {
            let stratum = counts.stratum;
            counts.groups.into_iter().map(move |group| (stratum, group.weight))
        });
        // Both run by stratum, then by probability.
        Self(keys.into_iter().zip(weights.map(|(_, weight)| weight)).collect())
    }

    /// How many photos of the window this label stands for; `None` for a label of another window.
    pub fn get(&self, label: &LabelledPrediction) -> Option<f64> {
        self.in_cell(label.selection.stratum(), label.selection.inclusion())
    }

    /// How many photos each label stands for that was drawn from this stratum with this probability; `None` where there
    /// is none.
    pub fn in_cell(&self, stratum: Stratum, inclusion: InclusionProbability) -> Option<f64> {
        self.0.get(&(stratum, inclusion.get().to_bits())).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BatchId, Cell, InclusionProbability, Tally};

    fn tally(batch: u64, inclusion: f64, size: u64, labelled: u64) -> Tally {
        let inclusion = InclusionProbability::new(inclusion).unwrap();
        let cell = Cell { batch: BatchId(batch), stratum: Stratum::Others, inclusion, size, selected: labelled };
        Tally { cell, labelled, inside: labelled, successes: 0 }
    }

    #[test]
    fn equal_weights_are_worth_what_the_finite_population_formula_says() {
        let counts = &strata(&Tallies::new(vec![tally(1, 0.1, 300, 35), tally(2, 0.1, 500, 45)]).unwrap())[0];
        assert_eq!(counts.groups.len(), 1, "batches of equal probability collapse");
        assert!((counts.effective(|it| it.labelled) - crate::effective_labels(80, 800)).abs() < 1e-9);
    }

    #[test]
    fn weights_add_up_to_the_photos() {
        let counts = &strata(&Tallies::new(vec![tally(1, 0.1, 300, 35), tally(2, 0.5, 500, 245)]).unwrap())[0];
        assert!((counts.weighted(|it| it.labelled) - 800.0).abs() < 1e-9);
        let effective = counts.effective(|it| it.labelled);
        assert!(effective < crate::effective_labels(280, 800), "unequal weights are worth less: {effective}");
    }
}
