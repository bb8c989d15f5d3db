//! How far annotators agree, over the photos that two of them labelled.

use std::collections::{BTreeMap, BTreeSet};

use gourmetgram_api::{AnnotatorAgreement, AnnotatorErrors, AnnotatorPair, KappaMeasure, Measure, Seen};
use gourmetgram_evaluation::{
    Kappa, Probability, cohen_counted, error_rate_from_disagreement, fleiss_counted, sensitivity,
};

use super::{
    counts::{Counts, PairKey},
    numbers::LEVEL,
};

/// Most pairs of annotators that are told of, those with the most photos.
const MOST: usize = 20;

/// What two annotators said of a photo, and of how many photos.
type Said<'a> = ((&'a Seen, &'a Seen), u64);

/// Fleiss' kappa over all pairs, and Cohen's for each; what their mistakes would do to an accuracy over so many classes.
pub(super) fn agreement(counts: &Counts, classes: usize, accuracy: &Measure) -> AnnotatorAgreement {
    let all = &counts.agreement;
    // A class, "not food" and "unreadable" are answers alike.
    let answers: BTreeSet<&Seen> = all.keys().flat_map(|key| &key.seen).collect();
    let places: BTreeMap<&Seen, usize> = answers.into_iter().zip(0..).collect();
    let photo = |PairKey { seen, .. }: &PairKey| {
        let mut photo = vec![0; places.len()];
        for seen in seen {
            if let Some(count) = places.get(seen).and_then(|place| photo.get_mut(*place)) {
                *count += 1;
            }
        }
        photo
    };
    let photos: Vec<(Vec<u64>, u64)> = all.iter().map(|(key, count)| (photo(key), *count)).collect();
    let mut pairs: BTreeMap<&[String; 2], Vec<Said<'_>>> = BTreeMap::new();
    for (PairKey { annotators, seen: [one, other] }, count) in all {
        pairs.entry(annotators).or_default().push(((one, other), *count));
    }
    let annotators: BTreeSet<&String> = pairs.keys().copied().flatten().collect();
    let agreed =
        |pairs: &[Said<'_>]| pairs.iter().filter(|((one, other), _)| one == other).map(|(_, count)| count).sum::<u64>();
    let mut told: Vec<AnnotatorPair> = pairs
        .iter()
        .map(|(names, said)| AnnotatorPair {
            first: names[0].clone(),
            second: names[1].clone(),
            agreed: agreed(said),
            kappa: measure(cohen_counted(said.iter().copied()), said.iter().map(|(_, count)| count).sum()),
        })
        .collect();
    told.sort_by_key(|pair| std::cmp::Reverse(pair.kappa.photos));
    told.truncate(MOST);
    let all_agreed = pairs.values().map(|said| agreed(said)).sum();
    AnnotatorAgreement {
        annotators: annotators.len() as u64,
        agreed: all_agreed,
        fleiss: measure(
            fleiss_counted(photos.iter().map(|(photo, count)| (photo.as_slice(), *count))).ok(),
            all.values().sum(),
        ),
        pairs: told,
        errors: errors(all_agreed, all.values().sum(), classes, accuracy),
    }
}

/// What mistakes as many as these disagreements would do to accuracy.
fn errors(agreed: u64, photos: u64, classes: usize, accuracy: &Measure) -> Option<AnnotatorErrors> {
    let share = |part: f64| Probability::new(part).ok();
    let disagreement = (photos > 0).then(|| (photos - agreed) as f64 / photos as f64).and_then(share)?;
    // "Not food" and "unreadable" are answers like a class.
    let rate = error_rate_from_disagreement(disagreement, classes + 2)?;
    let range = sensitivity(accuracy.value.and_then(share)?, share(rate)?)?;
    Some(AnnotatorErrors {
        rate,
        lower: range.lower(),
        upper: range.upper(),
        photos,
        enough: photos >= gourmetgram_api::ENOUGH_LABELS && accuracy.enough,
    })
}

fn measure(kappa: Option<Kappa>, photos: u64) -> KappaMeasure {
    let interval = kappa.map(|kappa| kappa.interval(LEVEL));
    KappaMeasure {
        value: kappa.map(|kappa| kappa.value),
        lower: interval.map_or(-1.0, |it| it.lower()),
        upper: interval.map_or(1.0, |it| it.upper()),
        photos,
        enough: photos >= gourmetgram_api::ENOUGH_LABELS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(annotators: [&str; 2], seen: [&str; 2]) -> PairKey {
        let seen = seen.map(|label| Seen::Class { label: label.to_owned() });
        PairKey { annotators: annotators.map(str::to_owned), seen }
    }

    #[test]
    fn each_pair_has_its_own_kappa_and_all_have_one_together() {
        let nothing = agreement(&Counts::default(), 3, &Measure::UNKNOWN);
        assert_eq!((nothing.fleiss.value, nothing.errors), (None, None));
        let counts = Counts {
            agreement: [
                (key(["ann", "bob"], ["Soup", "Soup"]), 20),
                (key(["ann", "bob"], ["Rice", "Rice"]), 20),
                (key(["ann", "cleo"], ["Soup", "Rice"]), 2),
                (key(["ann", "cleo"], ["Soup", "Soup"]), 2),
            ]
            .into(),
            ..Counts::default()
        };
        let found = agreement(&counts, 3, &Measure::UNKNOWN);
        assert_eq!((found.annotators, found.agreed, found.fleiss.photos), (3, 42, 44));
        let pairs: Vec<_> = found.pairs.iter().map(|it| (it.second.as_str(), it.agreed, it.kappa.value)).collect();
        assert_eq!(pairs, [("bob", 40, Some(1.0)), ("cleo", 2, Some(0.0))]);
        assert!(found.pairs[0].kappa.enough && !found.pairs[1].kappa.enough);
        let KappaMeasure { value, lower, upper, .. } = found.fleiss;
        assert!(value.is_some_and(|value| lower < value && value < upper && upper <= 1.0), "{found:?}");
    }

    #[test]
    fn how_often_two_people_disagree_says_how_much_their_mistakes_matter() {
        let counts = |agreed, other| Counts {
            agreement: [
                (key(["ann", "bob"], ["Soup", "Soup"]), agreed),
                (key(["ann", "bob"], ["Soup", "Rice"]), other),
            ]
            .into(),
            ..Counts::default()
        };
        let measured = |value: f64, labels: u64| Measure {
            value: Some(value),
            labels,
            enough: labels >= gourmetgram_api::ENOUGH_LABELS,
            ..Measure::UNKNOWN
        };
        let errors = |agreed, other, accuracy| agreement(&counts(agreed, other), 9, &accuracy).errors;
        // Nobody contradicts anybody: no mistakes, and accuracy is what was measured.
        let none = errors(40, 0, measured(0.8, 100)).unwrap();
        assert_eq!((none.rate, none.lower, none.upper, none.photos, none.enough), (0.0, 0.8, 0.8, 40, true));
        // Two who each err once in twenty, over nine classes and two answers more, disagree about 2·0.05·0.95 + 0.05²·0.9.
        let some = errors(361, 39, measured(0.8, 100)).unwrap();
        assert!((some.rate - 0.05).abs() < 1e-3, "{some:?}");
        // Mistakes that never agree with the model's, and such that always do.
        assert!((some.upper - 0.8 / (1.0 - some.rate)).abs() < 1e-12, "{some:?}");
        assert!((some.lower - (0.8 - some.rate) / (1.0 - 2.0 * some.rate)).abs() < 1e-12, "{some:?}");
        // Of few photos, or of an accuracy with few labels, it is not enough to be shown.
        assert!(!errors(29, 0, measured(0.8, 100)).unwrap().enough && errors(30, 0, measured(0.8, 30)).unwrap().enough);
        assert!(!errors(40, 0, measured(0.8, 29)).unwrap().enough);
        // People who disagree more than if they guessed say nothing, nor is there anything without an accuracy.
        assert_eq!(errors(0, 40, measured(0.8, 100)), None);
        assert_eq!(errors(40, 0, Measure::UNKNOWN), None);
    }
}
