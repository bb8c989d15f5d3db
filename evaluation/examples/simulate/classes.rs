//! How precision, recall and F1 of single classes hold, by how many labels they rest on.

use gourmetgram_api::ClassIndex;
use gourmetgram_evaluation::{ClassReport, ConfidenceLevel, Estimate};

use crate::{
    population::{Batch, Behaviour, CLASSES, Photo, Random, observe, photo},
    scenario::BatchPlan,
};

/// Coverage of one number within one range of label counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub seen: u64,
    pub held: u64,
    pub width: f64,
}

impl Tally {
    pub fn coverage(&self) -> f64 {
        self.held as f64 / self.seen as f64
    }
}

/// Ranges of label counts: under 10, 10 to 29, 30 to 99, 100 and more.
pub const RANGES: [&str; 4] = ["1 to 9", "10 to 29", "30 to 99", "100 or more"];

/// Coverage of precision, recall and F1, each by range.
pub type ClassScores = [[Tally; 4]; 3];

fn range(labels: u64) -> usize {
    match labels {
        0..10 => 0,
        10..30 => 1,
        30..100 => 2,
        _ => 3,
    }
}

/// Draws one batch `replicates` times and compares each class's numbers with the traffic's truth.
pub fn simulate_classes(behaviour: Behaviour, plan: &BatchPlan, replicates: u64, seed: u64) -> ClassScores {
    let mut random = Random::new(seed);
    let mut scores = ClassScores::default();
    for _ in 0..replicates {
        let photos: Vec<Photo> = (0..plan.photos).map(|_| photo(behaviour, &mut random)).collect();
        let batch = Batch { photos: &photos, design: &plan.design, answered: plan.answered };
        let window = observe(&[batch], |_, _| true, &mut random);
        let mut counts = vec![[0.0; 3]; usize::from(CLASSES)];
        for photo in &photos {
            let Some(truth) = photo.outcome.class() else { continue };
            counts[usize::from(truth.0)][0] += 1.0;
            counts[usize::from(photo.predicted)][1] += 1.0;
            counts[usize::from(truth.0)][2] += f64::from(u8::from(photo.correct()));
        }
        for (index, [is, called, hits]) in counts.into_iter().enumerate() {
            let report = ClassReport::of(&window, ClassIndex(index as u16), ConfidenceLevel::NINETY_FIVE);
            let truths = [hits / called, hits / is, 2.0 * hits / (is + called)];
            for (number, (estimate, truth)) in
                [report.precision, report.recall, report.f1].iter().zip(truths).enumerate()
            {
                count(&mut scores[number], estimate, truth);
            }
        }
    }
    scores
}

fn count(tallies: &mut [Tally; 4], estimate: &Estimate, truth: f64) {
    if estimate.value.is_none() || truth.is_nan() {
        return;
    }
    let tally = &mut tallies[range(estimate.labelled)];
    tally.seen += 1;
    tally.held += u64::from(estimate.interval.lower() - 1e-9 <= truth && truth <= estimate.interval.upper() + 1e-9);
    tally.width += estimate.interval.width();
}
