//! How often the rule of two bad windows is false: looked at every day, for years, with a model exactly at its target.
//! What docs/statistics.md says of it is asserted here. Seeded, so that a test passes always or never.

use gourmetgram_evaluation::{CompleteWindow, ConfidenceLevel, Probability, two_bad_windows, wilson_finite};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};

const LEVEL: ConfidenceLevel = ConfidenceLevel::NINETY_FIVE;
const DAYS: usize = 365;

/// Evenly from 0 to 1, 1 excluded.
fn unit(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// A day with that many labels, and `photos_per_label` times as many photos.
fn day(labels: u64, photos_per_label: u64, accuracy: f64, random: &mut ChaCha8Rng) -> CompleteWindow {
    let right = (0..labels).filter(|_| unit(random) < accuracy).count() as u64;
    let photos = labels * photos_per_label;
    let upper = wilson_finite(right, labels, photos, LEVEL).upper();
    CompleteWindow { accuracy: right as f64 / labels as f64, upper, labels, photos }
}

/// Of looks on every day of `years` years, how many say "retrain", and in how many years one does.
fn looks(years: usize, target: f64, mut of_a_day: impl FnMut() -> CompleteWindow) -> (f64, f64) {
    let target = Probability::new(target).unwrap();
    let (mut said, mut years_with) = (0_u32, 0_u32);
    for _ in 0..years {
        let (mut days, mut ever) = (Vec::with_capacity(DAYS), false);
        for _ in 0..DAYS {
            days.push(of_a_day());
            let says = two_bad_windows(&days, target, LEVEL);
            said += u32::from(says);
            ever |= says;
        }
        years_with += u32::from(ever);
    }
    (f64::from(said) / (years * DAYS) as f64, f64::from(years_with) / years as f64)
}

#[test]
fn two_bad_days_are_false_in_fewer_than_one_look_of_400() {
    for (target, seed) in [(0.8, 1), (0.9, 2), (0.95, 3)] {
        // A few of the photos labelled, a fifth, half, all of them.
        for photos_per_label in [1000, 5, 2, 1] {
            let mut random = ChaCha8Rng::seed_from_u64(seed * 10_000 + photos_per_label);
            let (looks, years) = looks(200, target, || {
                let labels = 1 + random.next_u64() % 60;
                day(labels, photos_per_label, target, &mut random)
            });
            let case =
                format!("target {target}, a label of {photos_per_label} photos: {looks} of looks, {years} of years");
            assert!(looks < 1.0 / 400.0, "{case}");
            assert!(years < 0.4, "{case}");
        }
    }
}

#[test]
fn days_with_few_labels_never_say_it_and_a_bad_model_is_soon_seen() {
    for labels in [1, 2, 29] {
        let mut random = ChaCha8Rng::seed_from_u64(labels);
        assert_eq!(looks(20, 0.9, || day(labels, 1, 0.9, &mut random)), (0.0, 0.0), "{labels} labels a day");
    }
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let (looks, years) = looks(20, 0.9, || day(40, 10, 0.7, &mut random));
    assert!(looks > 0.5 && years == 1.0, "twenty points too low: {looks} of looks");
}
