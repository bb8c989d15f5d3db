//! Whether photos are still like those a model version saw first.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use gourmetgram_api::{Drift, DriftFinding, DriftWord, NotTested};
use gourmetgram_evaluation::drift::{
    DriftTest, DriftThresholds, DriftVerdict, chi_square, kolmogorov_smirnov_binned, population_stability_index,
    verdict,
};
use serde::{Deserialize, Serialize};

use super::counts::{BINS, Traffic};

/// Photos that a reference takes.
pub const REFERENCE_PHOTOS: u64 = 1000;
/// Effects from which a difference matters: Cohen's "small" for Cramér's V, the usual word of PSI, a tenth of all photos for
/// Kolmogorov and Smirnov's distance.
const CRAMERS_V: f64 = 0.1;
const PSI: f64 = 0.25;
const DISTANCE: f64 = 0.1;

/// What is looked at, and by which test, in the order of the findings.
pub(super) const TESTS: [(&str, &str); 4] =
    [("class_mix", "chi_square"), ("class_mix", "psi"), ("confidence", "psi"), ("confidence", "kolmogorov_smirnov")];

/// What a model version saw first; frozen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Start of its first hour,
    pub from: DateTime<Utc>,
    /// and end of the last.
    pub to: DateTime<Utc>,
    /// The photos between.
    pub traffic: Traffic,
}

/// Compares photos with the reference; `later` are those of the window that came after it.
pub(super) fn drift(reference: Option<&Reference>, later: &Traffic) -> Drift {
    let Some(reference) = reference else {
        return Drift { photos_for_reference: REFERENCE_PHOTOS, not_tested: not_tested(), ..Drift::default() };
    };
    let then = &reference.traffic;
    let classes: BTreeSet<&String> = then.classes.keys().chain(later.classes.keys()).collect();
    let by_class = |traffic: &Traffic| -> Vec<u64> {
        classes.iter().map(|class| traffic.classes.get(*class).copied().unwrap_or_default()).collect()
    };
    let by_bin = |traffic: &Traffic| -> Vec<u64> {
        (0..BINS).map(|bin| traffic.bins.get(&bin).copied().unwrap_or_default()).collect()
    };
    let (old_classes, new_classes) = (by_class(then), by_class(later));
    let (old_bins, new_bins) = (by_bin(then), by_bin(later));
    let mut tests = Vec::new();
    let mut add = |what: &'static str, test: &'static str, effect: f64, effect_that_matters: f64, p_value: f64| {
        let own = DriftTest { photos: later.photos, effect, effect_that_matters, p_value };
        tests.push((what, test, own));
    };
    for (what, old, new) in [("class_mix", &old_classes, &new_classes), ("confidence", &old_bins, &new_bins)] {
        let Ok(chi_square) = chi_square(old, new) else { continue };
        if what == "class_mix" {
            add(what, "chi_square", chi_square.cramers_v, CRAMERS_V, chi_square.p_value);
        }
        if let Ok(index) = population_stability_index(old, new) {
            add(what, "psi", index, PSI, chi_square.p_value);
        }
    }
    if let Some(distance) = kolmogorov_smirnov_binned(&old_bins, &new_bins) {
        add("confidence", "kolmogorov_smirnov", distance.statistic, DISTANCE, distance.p_value);
    }
    let own: Vec<DriftTest> = tests.iter().map(|(.., test)| *test).collect();
    let findings =
        tests.iter().zip(verdict(&own, DriftThresholds::default())).map(|((what, name, test), verdict)| DriftFinding {
            what: (*what).to_owned(),
            test: (*name).to_owned(),
            effect: test.effect,
            effect_that_matters: test.effect_that_matters,
            p_value: test.p_value,
            verdict: match verdict {
                DriftVerdict::TooFew => DriftWord::TooFew,
                DriftVerdict::Stable => DriftWord::Stable,
                DriftVerdict::Negligible => DriftWord::Negligible,
                DriftVerdict::Drifted => DriftWord::Drifted,
            },
        });
    Drift {
        reference_from: Some(reference.from),
        reference_to: Some(reference.to),
        reference_photos: then.photos,
        photos: later.photos,
        photos_for_reference: REFERENCE_PHOTOS,
        findings: findings.collect(),
        not_tested: not_tested(),
    }
}

/// What the statistics could do and the catalog has no numbers for.
fn not_tested() -> Vec<NotTested> {
    let why =
        "the service keeps what the model answered of each photo, not its embedding, so there is nothing to compare";
    vec![NotTested { what: "embedding".to_owned(), why: why.to_owned() }]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traffic(soup: u64, rice: u64, bin: u8) -> Traffic {
        Traffic {
            photos: soup + rice,
            classes: [("Soup".to_owned(), soup), ("Rice".to_owned(), rice)].into(),
            bins: [(bin, soup), (bin + 1, rice)].into(),
            ..Traffic::default()
        }
    }

    #[test]
    fn without_a_reference_nothing_is_said() {
        let drift = drift(None, &traffic(500, 500, 3));
        assert!(drift.findings.is_empty() && drift.reference_from.is_none());
        assert_eq!(drift.not_tested.len(), 1, "what is not looked at is said, not left out");
    }

    #[test]
    fn the_same_photos_are_stable_and_others_are_not() {
        let at = DateTime::<Utc>::default();
        let reference = Reference { from: at, to: at, traffic: traffic(500, 500, 3) };
        let words = |later: &Traffic| -> Vec<DriftWord> {
            drift(Some(&reference), later).findings.iter().map(|finding| finding.verdict).collect()
        };
        assert_eq!(words(&traffic(505, 495, 3)), [DriftWord::Stable; 4]);
        assert_eq!(words(&traffic(900, 100, 20)), [DriftWord::Drifted; 4]);
        assert_eq!(words(&traffic(9, 1, 20)), [DriftWord::TooFew; 4]);
        assert!(words(&Traffic::default()).is_empty());
        let found = drift(Some(&reference), &traffic(900, 100, 20)).findings;
        assert_eq!(found.iter().map(|it| (it.what.as_str(), it.test.as_str())).collect::<Vec<_>>(), TESTS);
    }
}
