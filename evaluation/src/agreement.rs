//! Do annotators agree with each other more than chance would have it?

use std::collections::BTreeMap;

/// Cohen's kappa of two annotators over the same photos: (p_o − p_e)/(1 − p_e), with p_o the share they agree on and p_e
/// the share expected if each kept their own class frequencies and chose at random. Cohen 1960, Educational and
/// Psychological Measurement 20(1).
///
/// 1 for full agreement, 0 for chance, below for less. `None` without photos, or where both always say the same one
/// class, which leaves nothing to agree about.
pub fn cohen_kappa<Class: Ord>(pairs: &[(Class, Class)]) -> Option<f64> {
    if pairs.is_empty() {
        return None;
    }
    let n = pairs.len() as f64;
    let mut counts: BTreeMap<&Class, (f64, f64)> = BTreeMap::new();
    for (first, second) in pairs {
        counts.entry(first).or_default().0 += 1.0;
        counts.entry(second).or_default().1 += 1.0;
    }
    let observed = pairs.iter().filter(|(first, second)| first == second).count() as f64 / n;
    let expected: f64 = counts.values().map(|(first, second)| first * second / (n * n)).sum();
    chance_corrected(observed, expected)
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
pub fn fleiss_kappa(counts: &[Vec<u64>]) -> Result<f64, FleissError> {
    let first = counts.first().ok_or(FleissError::TooFew)?;
    let annotations: u64 = first.iter().sum();
    if annotations < 2 {
        return Err(FleissError::TooFew);
    }
    let uneven = |photo: &Vec<u64>| photo.len() != first.len() || photo.iter().sum::<u64>() != annotations;
    if let Some(photo) = counts.iter().position(uneven) {
        return Err(FleissError::Uneven(photo));
    }
    let (photos, m) = (counts.len() as f64, annotations as f64);
    let agreeing = |photo: &Vec<u64>| {
        let squares: f64 = photo.iter().map(|count| (*count as f64).powi(2)).sum();
        (squares - m) / (m * (m - 1.0))
    };
    let observed = counts.iter().map(agreeing).sum::<f64>() / photos;
    let share = |class: usize| counts.iter().map(|photo| photo[class] as f64).sum::<f64>() / (photos * m);
    let expected = (0..first.len()).map(|class| share(class).powi(2)).sum();
    chance_corrected(observed, expected).ok_or(FleissError::OneClass)
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

    #[test]
    fn a_tie_is_no_label() {
        assert_eq!(majority(&[1, 2]), None);
        assert_eq!(majority(&[1, 2, 2]), Some(2));
        assert_eq!(majority::<u8>(&[]), None);
    }
}
