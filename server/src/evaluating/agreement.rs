//! How far annotators agree, over the photos that two of them labelled.

use std::collections::{BTreeMap, BTreeSet};

use gourmetgram_api::{AnnotatorAgreement, AnnotatorPair, KappaMeasure, Seen};
use gourmetgram_evaluation::{Kappa, cohen_counted, fleiss_counted};

use super::{
    counts::{Counts, PairKey},
    numbers::LEVEL,
};

/// Most pairs of annotators that are told of, those with the most photos.
const MOST: usize = 20;

/// Fleiss' kappa over all pairs, and Cohen's for each.
pub(super) fn agreement(counts: &Counts) -> AnnotatorAgreement {
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
    let mut pairs: BTreeMap<&[String; 2], Vec<((&Seen, &Seen), u64)>> = BTreeMap::new();
    for (PairKey { annotators, seen: [one, other] }, count) in all {
        pairs.entry(annotators).or_default().push(((one, other), *count));
    }
    let annotators: BTreeSet<&String> = pairs.keys().copied().flatten().collect();
    let agreed = |pairs: &[((&Seen, &Seen), u64)]| {
        pairs.iter().filter(|((one, other), _)| one == other).map(|(_, count)| count).sum::<u64>()
    };
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
    AnnotatorAgreement {
        annotators: annotators.len() as u64,
        agreed: pairs.values().map(|said| agreed(said)).sum(),
        fleiss: measure(
            fleiss_counted(photos.iter().map(|(photo, count)| (photo.as_slice(), *count))).ok(),
            all.values().sum(),
        ),
        pairs: told,
    }
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
        assert_eq!(agreement(&Counts::default()).fleiss.value, None);
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
        let found = agreement(&counts);
        assert_eq!((found.annotators, found.agreed, found.fleiss.photos), (3, 42, 44));
        let pairs: Vec<_> = found.pairs.iter().map(|it| (it.second.as_str(), it.agreed, it.kappa.value)).collect();
        assert_eq!(pairs, [("bob", 40, Some(1.0)), ("cleo", 2, Some(0.0))]);
        assert!(found.pairs[0].kappa.enough && !found.pairs[1].kappa.enough);
        let KappaMeasure { value, lower, upper, .. } = found.fleiss;
        assert!(value.is_some_and(|value| lower < value && value < upper && upper <= 1.0), "{found:?}");
    }
}
