//! Do annotators agree with each other more than chance would have it?

use std::collections::BTreeMap;

use crate::{ConfidenceLevel, Interval, interval::wilson};

/// Agreement beyond chance, with what it takes for an interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kappa {
    /// κ: 1 for full agreement, 0 for chance, below for less.
    pub value: f64,
    /// Its large-sample standard error; 0 where all agree, which is no certainty: see [`Kappa::interval`].
    pub standard_error: f64,
    /// p_o: the share of agreement.
    pub observed: f64,
    /// p_e: the share expected by chance.
    pub expected: f64,
    /// Photos.
    pub photos: u64,
}

impl Kappa {
    /// Wilson's interval of the agreement, brought to kappa's scale, (p − p_e)/(1 − p_e), for as many photos as would give
    /// the agreement kappa's standard error (for the photos there are, where that is 0).
    ///
    /// κ ± z·SE has no width where all agree, and reaches beyond 1 where nearly all do: Wilson's interval does neither.
    /// Taking a proportion's interval at the number of observations that its error is worth is what [`mod@crate::weights`]
    /// does for accuracy. Its coverage is simulated in this module's tests.
    pub fn interval(&self, level: ConfidenceLevel) -> Interval {
        let variance = (self.standard_error * (1.0 - self.expected)).powi(2);
        let spread = self.observed * (1.0 - self.observed);
        let photos = if variance > 0.0 && spread > 0.0 { spread / variance } else { self.photos as f64 };
        let agreement = wilson(self.observed, photos, level);
        let kappa = |share: f64| (share - self.expected) / (1.0 - self.expected);
        Interval::within(kappa(agreement.lower()), kappa(agreement.upper()), -1.0, 1.0)
    }
}

/// Cohen's kappa of two annotators over the same photos: (p_o − p_e)/(1 − p_e), with p_o the share they agree on and p_e
/// the share expected if each kept their own class frequencies and chose at random. Cohen 1960, Educational and
/// Psychological Measurement 20(1).
///
/// The standard error is that of Fleiss, Cohen and Everitt 1969, Psychological Bulletin 72(5), equation 13, written as the
/// variance of each photo's share in kappa: \[agree\] − (1 − κ)(p_·i + p_j·) for a photo that one calls i and the other j.
///
/// `None` without photos, or where both always say the same one class, which leaves nothing to agree about.
pub fn cohen<Class: Ord>(pairs: &[(Class, Class)]) -> Option<Kappa> {
    cohen_counted(pairs.iter().map(|(first, second)| ((first, second), 1)))
}

/// The same of pairs that are counted: what each pair of answers is, and how many photos got it. It costs what there are
/// different pairs, however many photos there are.
pub fn cohen_counted<Class: Ord>(counted: impl Iterator<Item = ((Class, Class), u64)> + Clone) -> Option<Kappa> {
    let photos: u64 = counted.clone().map(|(_, count)| count).sum();
    if photos == 0 {
        return None;
    }
    let n = photos as f64;
    let mut counts: BTreeMap<Class, (f64, f64)> = BTreeMap::new();
    for ((first, second), count) in counted.clone() {
        counts.entry(first).or_default().0 += count as f64;
        counts.entry(second).or_default().1 += count as f64;
    }
    let agree = |(first, second): &(Class, Class)| f64::from(u8::from(first == second));
    let observed = counted.clone().map(|(pair, count)| agree(&pair) * count as f64).sum::<f64>() / n;
    let expected: f64 = counts.values().map(|(first, second)| first / n * (second / n)).sum();
    let value = chance_corrected(observed, expected)?;
    let influences = counted.map(|(pair, count)| {
        let frequency = |class| counts.get(class).copied().unwrap_or_default();
        (agree(&pair) - (1.0 - value) * (frequency(&pair.0).1 + frequency(&pair.1).0) / n, count)
    });
    let standard_error = (variance(influences, n) / n).sqrt() / (1.0 - expected);
    Some(Kappa { value, standard_error, observed, expected, photos })
}

/// The value of [`cohen`] alone.
pub fn cohen_kappa<Class: Ord>(pairs: &[(Class, Class)]) -> Option<f64> {
    cohen(pairs).map(|kappa| kappa.value)
}

/// Mean squared distance from the mean, of values that occur so often, `n` times in all.
fn variance(values: impl Iterator<Item = (f64, u64)> + Clone, n: f64) -> f64 {
    let mean = values.clone().map(|(value, count)| value * count as f64).sum::<f64>() / n;
    values.map(|(value, count)| (value - mean).powi(2) * count as f64).sum::<f64>() / n
}

/// Why Fleiss' kappa cannot be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FleissError {
    /// A photo with another number of classes or of annotations than the first.
    #[error("photo {0} has another number of classes or annotations than the first one")]
    Uneven(usize),
    /// Fewer than two annotations a photo.
    #[error("agreement needs at least two annotations a photo")]
    TooFew,
    /// Everybody always says the same one class.
    #[error("all annotations are of one class: there is nothing to agree about")]
    OneClass,
}

/// Fleiss' kappa for photos annotated equally often, by whomever: `counts[photo][class]` annotations. Fleiss 1971,
/// Psychological Bulletin 76(5).
///
/// The standard error is that of Gwet 2021, Educational and Psychological Measurement 81(4), for photos that stand for many
/// more: Fleiss' own of 1971 is right for κ = 0 alone.
pub fn fleiss(counts: &[Vec<u64>]) -> Result<Kappa, FleissError> {
    fleiss_counted(counts.iter().map(|photo| (photo.as_slice(), 1)))
}

/// The same of photos that are counted: how a photo was annotated, and how many were so. It costs what there are different
/// ways, however many photos there are.
pub fn fleiss_counted<'a>(counted: impl Iterator<Item = (&'a [u64], u64)> + Clone) -> Result<Kappa, FleissError> {
    let counted = counted.filter(|(_, count)| *count > 0);
    let (first, _) = counted.clone().next().ok_or(FleissError::TooFew)?;
    let annotations: u64 = first.iter().sum();
    if annotations < 2 {
        return Err(FleissError::TooFew);
    }
    let uneven = |photo: &[u64]| photo.len() != first.len() || photo.iter().sum::<u64>() != annotations;
    if let Some(photo) = counted.clone().position(|(photo, _)| uneven(photo)) {
        return Err(FleissError::Uneven(photo));
    }
    let photos: u64 = counted.clone().map(|(_, count)| count).sum();
    let (n, m) = (photos as f64, annotations as f64);
    let agreeing = |photo: &[u64]| {
        let squares: f64 = photo.iter().map(|count| (*count as f64).powi(2)).sum();
        (squares - m) / (m * (m - 1.0))
    };
    let observed = counted.clone().map(|(photo, count)| agreeing(photo) * count as f64).sum::<f64>() / n;
    let share =
        |class: usize| counted.clone().map(|(photo, count)| (photo[class] * count) as f64).sum::<f64>() / (n * m);
    let shares: Vec<f64> = (0..first.len()).map(share).collect();
    let expected = shares.iter().map(|share| share.powi(2)).sum();
    let value = chance_corrected(observed, expected).ok_or(FleissError::OneClass)?;
    let influences = counted.map(|(photo, count)| {
        let by_chance: f64 = photo.iter().zip(&shares).map(|(of_class, share)| *of_class as f64 / m * share).sum();
        (agreeing(photo) - 2.0 * (1.0 - value) * by_chance, count)
    });
    // Of one photo alone nothing is known of how far others lie from it.
    let standard_error = (variance(influences, n) / (n - 1.0).max(1.0)).sqrt() / (1.0 - expected);
    Ok(Kappa { value, standard_error, observed, expected, photos })
}

/// The value of [`fleiss`] alone.
pub fn fleiss_kappa(counts: &[Vec<u64>]) -> Result<f64, FleissError> {
    fleiss(counts).map(|kappa| kappa.value)
}

fn chance_corrected(observed: f64, expected: f64) -> Option<f64> {
    (expected < 1.0).then(|| (observed - expected) / (1.0 - expected))
}

/// One label from several annotations of a photo: the outcome that more than half of them name, otherwise `None`, and
/// the photo waits for another annotation. Cancelled annotations must have been left out.
pub fn majority<Label: Ord + Copy>(annotations: &[Label]) -> Option<Label> {
    let mut counts: BTreeMap<Label, usize> = BTreeMap::new();
    annotations.iter().for_each(|label| *counts.entry(*label).or_default() += 1);
    counts.into_iter().find(|(_, count)| 2 * count > annotations.len()).map(|(label, _)| label)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn agreement_by_chance_counts_for_nothing() {
        let chance = [(0, 0), (0, 1), (1, 0), (1, 1)];
        assert_eq!(cohen_kappa(&chance), Some(0.0));
        assert_eq!(cohen_kappa(&[(0, 0), (1, 1)]), Some(1.0));
        assert_eq!(cohen_kappa(&[(1, 1), (1, 1)]), None);
        assert_eq!(cohen_kappa::<u8>(&[]), None);
    }

    #[test]
    fn photos_must_be_annotated_equally_often() {
        assert_eq!(fleiss_kappa(&[vec![2, 0], vec![1, 0]]), Err(FleissError::Uneven(1)));
        assert_eq!(fleiss_kappa(&[vec![2, 0], vec![2, 0]]), Err(FleissError::OneClass));
        assert_eq!(fleiss_kappa(&[vec![2, 0], vec![0, 2]]), Ok(1.0));
        assert_eq!(fleiss_kappa(&[]), Err(FleissError::TooFew));
    }

    /// As many pairs of each kind as the table says.
    fn pairs(table: &[&[usize]]) -> Vec<(usize, usize)> {
        let cells =
            table.iter().enumerate().flat_map(|(row, counts)| counts.iter().enumerate().map(move |it| (row, it)));
        cells.flat_map(|(row, (column, count))| vec![(row, column); *count]).collect()
    }

    /// The same photos as Fleiss' kappa wants them.
    fn counted(pairs: &[(usize, usize)], classes: usize) -> Vec<Vec<u64>> {
        let count = |pair: &(usize, usize)| {
            let mut counts = vec![0; classes];
            counts[pair.0] += 1;
            counts[pair.1] += 1;
            counts
        };
        pairs.iter().map(count).collect()
    }

    #[test]
    fn the_textbook_s_example_has_the_textbook_s_error() {
        // Fleiss, Levin and Paik 2003, Statistical Methods for Rates and Proportions, tables 18.1 and 18.3: 0.676 and 0.087.
        let kappa = cohen(&pairs(&[&[75, 1, 4], &[5, 4, 1], &[0, 0, 10]])).unwrap();
        assert!((kappa.value - 0.676).abs() < 5e-4 && (kappa.standard_error - 0.087).abs() < 1e-3, "{kappa:?}");
        assert_eq!((kappa.observed, kappa.photos), (0.89, 100));
        let interval = kappa.interval(ConfidenceLevel::NINETY_FIVE);
        assert!(interval.contains(kappa.value) && (interval.width() - 2.0 * 1.96 * 0.087).abs() < 0.03, "{interval:?}");
    }

    #[test]
    fn all_agreeing_is_no_certainty_and_no_bound_lies_beyond_1() {
        let agreed = cohen(&pairs(&[&[20, 0], &[0, 20]])).unwrap();
        assert_eq!((agreed.value, agreed.standard_error), (1.0, 0.0));
        let interval = agreed.interval(ConfidenceLevel::NINETY_FIVE);
        assert!(interval.upper() == 1.0 && interval.lower() < 0.9, "{interval:?}");
        let nearly = fleiss(&counted(&pairs(&[&[20, 1], &[0, 20]]), 2)).unwrap();
        let interval = nearly.interval(ConfidenceLevel::NINETY_FIVE);
        assert!(interval.upper() <= 1.0 && interval.contains(nearly.value), "{interval:?} {nearly:?}");
    }

    proptest! {
        #[test]
        fn photos_counted_are_photos_one_by_one(table in prop::array::uniform9(0_usize..9)) {
            let pairs = pairs(&table.chunks(3).collect::<Vec<_>>());
            let cells = (0..3).flat_map(|one| (0..3).map(move |other| (one, other)));
            let counts: Vec<u64> = table.iter().map(|count| *count as u64).collect();
            let close = |one: Kappa, other: Kappa| {
                one.photos == other.photos
                    && (one.value - other.value).abs() < 1e-12
                    && (one.standard_error - other.standard_error).abs() < 1e-12
            };
            let both = cohen(&pairs).zip(cohen_counted(cells.clone().zip(counts.iter().copied())));
            prop_assert!(both.is_none_or(|(one, other)| close(one, other)), "{:?}", both);
            let ways: Vec<Vec<u64>> = counted(&cells.collect::<Vec<_>>(), 3);
            let together = fleiss_counted(ways.iter().map(Vec::as_slice).zip(counts));
            match (fleiss(&counted(&pairs, 3)), together) {
                (Ok(one), Ok(other)) => prop_assert!(close(one, other), "{:?} {:?}", one, other),
                (one, other) => prop_assert_eq!(one.err(), other.err()),
            }
        }

        #[test]
        fn intervals_hold_kappa_and_two_annotators_alike_have_one_kappa(table in prop::array::uniform9(0_usize..15)) {
            let both: Vec<&[usize]> = table.chunks(3).collect();
            let pairs = pairs(&both);
            // Each pair both ways round: then the two have the same frequencies, and Cohen's chance is Fleiss'.
            let turned: Vec<(usize, usize)> = pairs.iter().flat_map(|(one, other)| [(*one, *other), (*other, *one)]).collect();
            if let (Some(cohen), Ok(fleiss)) = (cohen(&turned), fleiss(&counted(&turned, 3))) {
                prop_assert!((cohen.value - fleiss.value).abs() < 1e-9);
                let ratio = turned.len() as f64 / (turned.len() as f64 - 1.0);
                prop_assert!((cohen.standard_error.powi(2) * ratio - fleiss.standard_error.powi(2)).abs() < 1e-9);
                for kappa in [cohen, fleiss] {
                    let interval = kappa.interval(ConfidenceLevel::NINETY_FIVE);
                    prop_assert!(interval.contains(kappa.value), "{:?} {:?}", kappa, interval);
                }
            }
        }
    }

    #[test]
    fn a_tie_is_no_label() {
        assert_eq!(majority(&[1, 2]), None);
        assert_eq!(majority(&[1, 2, 2]), Some(2));
        assert_eq!(majority::<u8>(&[]), None);
    }
}
