//! What holds for every window, not only for those somebody thought of.

use gourmetgram_evaluation::{
    BatchId, Cell, ConfidenceLevel, Estimate, InclusionProbability, Method, NoneInside, Stratum, Tallies, Tally,
    effective_labels, proportion, wilson, wilson_finite,
};
use proptest::prelude::*;

const LEVEL: ConfidenceLevel = ConfidenceLevel::NINETY_FIVE;

fn tally(batch: u64, stratum: Stratum, inclusion: f64, counts: [u64; 5]) -> Tally {
    let [size, selected, labelled, inside, successes] = counts;
    let inclusion = InclusionProbability::new(inclusion).unwrap();
    Tally { cell: Cell { batch: BatchId(batch), stratum, inclusion, size, selected }, labelled, inside, successes }
}

/// Size ≥ selected ≥ labelled ≥ inside ≥ successes.
fn counts() -> impl Strategy<Value = [u64; 5]> {
    prop::array::uniform5(0_u64..400).prop_map(|mut counts| {
        counts.sort_unstable_by(|left, right| right.cmp(left));
        counts
    })
}

fn tallies() -> impl Strategy<Value = Vec<Tally>> {
    let one = (0_u64..4, 0_usize..4, 0.01_f64..=1.0, counts());
    prop::collection::vec(one, 0..12).prop_map(|all| {
        let mut tallies: Vec<Tally> = Vec::new();
        for (batch, stratum, inclusion, counts) in all {
            let stratum = Stratum::ALL[stratum];
            if tallies.iter().all(|it| (it.cell.batch, it.cell.stratum) != (BatchId(batch), stratum)) {
                tallies.push(tally(batch, stratum, inclusion, counts));
            }
        }
        tallies
    })
}

fn estimate(tallies: &[Tally]) -> Estimate {
    proportion(&Tallies::new(tallies.to_vec()).unwrap(), NoneInside::Possible, LEVEL)
}

fn agree(left: &Estimate, right: &Estimate) -> bool {
    let near = |left: f64, right: f64| (left - right).abs() < 1e-9;
    let values = match (left.value, right.value) {
        (Some(left), Some(right)) => near(left, right),
        (left, right) => left == right,
    };
    values && near(left.interval.lower(), right.interval.lower()) && near(left.interval.upper(), right.interval.upper())
}

proptest! {
    #[test]
    fn every_estimate_lies_in_its_interval_and_that_within_0_to_1(tallies in tallies()) {
        let estimate = estimate(&tallies);
        let (lower, upper) = (estimate.interval.lower(), estimate.interval.upper());
        prop_assert!((0.0..=1.0).contains(&lower) && (0.0..=1.0).contains(&upper) && lower <= upper);
        if let Some(value) = estimate.value {
            // Photos that may be inside, unseen, are not part of the value but of the interval.
            prop_assert!(lower <= value + 1e-12 && value <= upper + 1e-12, "{estimate:?}");
        }
    }

    #[test]
    fn the_order_of_cells_changes_nothing(tallies in tallies(), turn in 0_usize..12) {
        let mut turned = tallies.clone();
        turned.reverse();
        let length = turned.len().max(1);
        turned.rotate_left(turn % length);
        prop_assert_eq!(estimate(&tallies).interval, estimate(&turned).interval);
        prop_assert_eq!(estimate(&tallies).value, estimate(&turned).value);
    }

    #[test]
    fn only_a_census_has_no_width(tallies in tallies()) {
        let estimate = estimate(&tallies);
        let is_census = tallies.iter().any(|it| it.cell.size > 0)
            && tallies.iter().all(|it| it.labelled == it.cell.size);
        prop_assert_eq!(estimate.method == Method::Census, is_census);
        if !is_census {
            prop_assert!(estimate.interval.width() > 0.0, "{estimate:?}");
        }
    }

    #[test]
    fn a_census_is_exact_whatever_its_strata(all in prop::collection::vec((0_usize..4, 1_u64..200, 0.0_f64..=1.0), 1..8)) {
        let tallies: Vec<Tally> = all.iter().enumerate().map(|(batch, (stratum, size, share))| {
            let right = (*size as f64 * share) as u64;
            tally(batch as u64, Stratum::ALL[*stratum], 1.0, [*size, *size, *size, *size, right])
        }).collect();
        let estimate = estimate(&tallies);
        let sum = |of: fn(&Tally) -> u64| tallies.iter().map(of).sum::<u64>() as f64;
        let truth = sum(|it| it.successes) / sum(|it| it.inside);
        prop_assert!((estimate.value.unwrap() - truth).abs() < 1e-12);
        prop_assert!(estimate.interval.width() < 1e-12);
    }

    #[test]
    fn batches_of_equal_rates_are_one_stratum(first in counts(), second in counts(), inclusion in 0.01_f64..1.0) {
        let sum: [u64; 5] = std::array::from_fn(|index| first[index] + second[index]);
        let apart = [tally(1, Stratum::Others, inclusion, first), tally(2, Stratum::Others, inclusion, second)];
        prop_assert!(agree(&estimate(&apart), &estimate(&[tally(1, Stratum::Others, inclusion, sum)])));
    }

    #[test]
    fn one_stratum_alone_is_wilson_s_interval(size in 2_u64..5000, part in 0.01_f64..1.0, share in 0.0_f64..=1.0) {
        let labelled = ((size as f64 * part) as u64).max(1);
        let right = (labelled as f64 * share) as u64;
        let ours = estimate(&[tally(1, Stratum::Others, 0.5, [size, labelled, labelled, labelled, right])]);
        let theirs = wilson_finite(right, labelled, size, LEVEL);
        prop_assert!((ours.interval.lower() - theirs.lower()).abs() < 1e-9);
        prop_assert!((ours.interval.upper() - theirs.upper()).abs() < 1e-9);
    }

    #[test]
    fn a_stratum_without_labels_is_named_and_widens_the_bounds_by_its_share(tallies in tallies(), size in 1_u64..400) {
        let known: Vec<Tally> =
            tallies.into_iter().filter(|it| it.cell.stratum != Stratum::Corrected && it.inside > 0).collect();
        prop_assume!(!known.is_empty());
        let mut with = known.clone();
        with.push(tally(9, Stratum::Corrected, 1.0, [size, size, 0, 0, 0]));
        let (before, after) = (estimate(&known), estimate(&with));
        prop_assert!(after.missing.unlabelled.iter().any(|it| it.stratum == Stratum::Corrected && it.size == size));
        prop_assert!(after.interval.lower() <= before.interval.lower() + 1e-12);
        prop_assert!(after.interval.upper() >= before.interval.upper() - 1e-12);
        prop_assert!(after.interval.width() > before.interval.width() || before.interval.width() == 1.0);
    }

    #[test]
    fn one_more_right_answer_never_lowers_anything(tallies in tallies(), pick in 0_usize..12) {
        let open: Vec<usize> = (0..tallies.len()).filter(|&it| tallies[it].successes < tallies[it].inside).collect();
        prop_assume!(!open.is_empty());
        let mut better = tallies.clone();
        better[open[pick % open.len()]].successes += 1;
        prop_assert!(estimate(&better).value >= estimate(&tallies).value);
    }

    #[test]
    fn wilson_narrows_with_labels_and_rises_with_the_share(p in 0.0_f64..=1.0, n in 1.0_f64..1e6, more in 1.0_f64..10.0) {
        prop_assert!(wilson(p, n * more, LEVEL).width() <= wilson(p, n, LEVEL).width() + 1e-12);
        let higher = wilson((p + 0.01).min(1.0), n, LEVEL);
        prop_assert!(higher.lower() >= wilson(p, n, LEVEL).lower() - 1e-12);
        prop_assert!(higher.upper() >= wilson(p, n, LEVEL).upper() - 1e-12);
    }

    #[test]
    fn a_finite_population_makes_labels_worth_more(n in 1_u64..1000, unseen in 1_u64..100_000) {
        let worth = effective_labels(n, n + unseen);
        prop_assert!(worth >= n as f64 - 1e-9 && worth.is_finite());
    }
}

#[test]
fn nothing_labelled_is_nothing_known() {
    let none = estimate(&[]);
    assert_eq!((none.value, none.interval.lower(), none.interval.upper()), (None, 0.0, 1.0));
    let unlabelled = estimate(&[tally(1, Stratum::Others, 0.1, [1_000_000, 0, 0, 0, 0])]);
    assert_eq!((unlabelled.value, unlabelled.labelled, unlabelled.interval.width()), (None, 0, 1.0));
    assert_eq!(unlabelled.missing.unlabelled[0].share, 1.0);
}

#[test]
fn counts_that_cannot_be_are_refused() {
    let possible = tally(1, Stratum::Others, 0.5, [10, 5, 5, 5, 5]);
    assert!(Tallies::new(vec![possible]).is_ok());
    assert!(Tallies::new(vec![possible, possible]).is_err());
    assert!(Tallies::new(vec![Tally { successes: 6, ..possible }]).is_err());
    assert!(Tallies::new(vec![Tally { labelled: 6, ..possible }]).is_err());
}
