//! One replay: the photos arrive over a week, users complain, select draws, people label.

use gourmetgram::labelling::{Candidate, Plan};
use gourmetgram_api::{CampaignRule, ClassIndex, Confidence, FlagReason, LowConfidence, PredictionId, RandomDraw};
use gourmetgram_evaluation::{
    BatchId, Cell, InclusionProbability, LabelledPrediction, Outcome, Selection, Stratum, Window,
};
use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha12Rng;
use uuid::Uuid;

use crate::predictions::{CLASSES, Recorded};

pub const DAYS: usize = 7;
/// Times a day at which select runs.
const BATCHES_A_DAY: usize = 4;

/// What happens in a week, and what is known of it.
pub struct Week {
    /// Photos of each day, by their number.
    photos: [Vec<ReplayedPhoto>; DAYS],
    cells: Vec<Cell>,
    labels: Vec<LabelledPrediction>,
}

/// A photo with its truth, which only the replay knows of all of them.
#[derive(Clone, Copy)]
pub struct ReplayedPhoto {
    pub class: u16,
    pub predicted: u16,
    confidence: f32,
    flag: Option<FlagReason>,
    correction: Option<u16>,
    id: Uuid,
}

impl ReplayedPhoto {
    pub fn correct(&self) -> bool {
        self.class == self.predicted
    }
}

/// The mix, with caps: of about 250 photos an interval 14 special ones at most, and a twentieth of all by chance.
fn rule() -> CampaignRule {
    CampaignRule::Continuous {
        unsure: LowConfidence::default(),
        low_confidence_at_most: Some(8),
        flagged_at_most: Some(4),
        corrected_at_most: Some(2),
        random: RandomDraw::Rate(0.05),
    }
}

impl Week {
    /// Replays a model's answers; `replay` is the seed of everything.
    pub fn replay(recorded: &[Recorded], model: usize, replay: u32) -> anyhow::Result<Self> {
        let mut random = ChaCha12Rng::seed_from_u64(u64::from(replay));
        // Days differ in what is eaten: each class has days with up to three times as many photos as others.
        let busy: Vec<[f64; DAYS]> =
            CLASSES.iter().map(|_| std::array::from_fn(|_| random.random_range(0.5..1.5))).collect();
        let mut batches: Vec<Vec<ReplayedPhoto>> = vec![Vec::new(); DAYS * BATCHES_A_DAY];
        for (index, recorded) in recorded.iter().enumerate() {
            let days: Vec<usize> = (0..DAYS).collect();
            let day = *days.choose_weighted(&mut random, |day| busy[usize::from(recorded.class)][*day])?;
            let batch = day * BATCHES_A_DAY + random.random_range(0..BATCHES_A_DAY);
            batches[batch].push(photo(recorded, model, index, &mut random));
        }
        let plan = Plan::new(&rule())?;
        let mut week = Self { photos: Default::default(), cells: Vec::new(), labels: Vec::new() };
        for (number, batch) in batches.into_iter().enumerate() {
            week.select(&plan, replay, BatchId(number as u64), &batch)?;
            week.photos[number / BATCHES_A_DAY].extend(batch);
        }
        Ok(week)
    }

    /// Draws from a batch as select does, and has what was chosen labelled.
    fn select(&mut self, plan: &Plan, seed: u32, batch: BatchId, photos: &[ReplayedPhoto]) -> anyhow::Result<()> {
        let candidates: Vec<Candidate> = photos
            .iter()
            .map(|photo| Candidate {
                id: photo.id,
                unsure: plan.is_unsure(photo.confidence, &[]),
                flag: photo.flag,
                corrected: photo.correction.is_some(),
                device: None,
            })
            .collect();
        let draw = plan.draw(seed, 0.05, &candidates);
        for stratum in Stratum::ALL {
            let size = draw.tally.considered.of(stratum);
            if size > 0 {
                let inclusion = InclusionProbability::new(plan.inclusion(stratum, draw.tally.considered))?;
                self.cells.push(Cell { batch, stratum, inclusion, size, selected: draw.tally.chosen.of(stratum) });
            }
        }
        let mut by_id: Vec<&ReplayedPhoto> = photos.iter().collect();
        by_id.sort_unstable_by_key(|photo| photo.id);
        // Decisions come in the order of ids.
        for (photo, decision) in by_id.into_iter().zip(&draw.decisions).filter(|(_, decision)| decision.chosen) {
            anyhow::ensure!(photo.id == decision.id, "a decision about another photo");
            let selection = Selection::new(
                PredictionId::try_from(photo.id)?,
                batch,
                decision.stratum,
                InclusionProbability::new(decision.inclusion)?,
                draw.tally.considered.of(decision.stratum),
                decision.by_random_sample,
            )?;
            self.labels.push(LabelledPrediction {
                selection,
                predicted: ClassIndex(photo.predicted),
                confidence: Confidence::new(photo.confidence)?,
                flagged: photo.flag.is_some(),
                correction: photo.correction.map(ClassIndex),
                outcome: Outcome::Class(ClassIndex(photo.class)),
            });
        }
        Ok(())
    }

    /// All photos, of one day or of the week.
    pub fn photos(&self, day: Option<usize>) -> impl Iterator<Item = &ReplayedPhoto> {
        self.photos
            .iter()
            .enumerate()
            .filter(move |(number, _)| day.is_none_or(|day| day == *number))
            .flat_map(|it| it.1)
    }

    /// What is known of one day or of the week.
    pub fn window(&self, day: Option<usize>) -> Window {
        let inside = |batch: BatchId| day.is_none_or(|day| batch.0 as usize / BATCHES_A_DAY == day);
        let cells = self.cells.iter().filter(|cell| inside(cell.batch)).copied().collect();
        let labels = self.labels.iter().filter(|label| inside(label.selection.batch())).copied().collect();
        Window::new(cells, labels).expect("what was drawn belongs together")
    }
}

/// Users complain mostly, not only, about wrong answers, and four of five corrections are right.
fn photo(recorded: &Recorded, model: usize, index: usize, random: &mut ChaCha12Rng) -> ReplayedPhoto {
    let (predicted, confidence) = recorded.answer(model);
    let right = predicted == recorded.class;
    let flag = random.random_bool(if right { 0.01 } else { 0.2 }).then_some(FlagReason::WrongLabel);
    let corrects = random.random_bool(if right { 0.005 } else { 0.1 });
    let sees_it = random.random_bool(0.8);
    let correction = corrects.then_some(if sees_it && !right { recorded.class } else { (predicted + 1) % 11 });
    let id = uuid::Builder::from_unix_timestamp_millis(index as u64, &random.random()).into_uuid();
    ReplayedPhoto { class: recorded.class, predicted, confidence, flag, correction, id }
}
