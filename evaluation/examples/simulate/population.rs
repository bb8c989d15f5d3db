//! Traffic that is made up, with its truth, and the draw of a batch from it by the rules of the design.

use gourmetgram_api::{ClassIndex, Confidence, PredictionId};
use gourmetgram_evaluation::{
    BatchDesign, BatchId, Cell, LabelledPrediction, Outcome, Oversampling, RandomSample, Selection, Signals, Stratum,
    StratumSizes, Window,
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};

/// Classes of the made-up model, as many as Food-11 has.
pub const CLASSES: u16 = 11;

/// Under this confidence a photo is special.
const THRESHOLD: f64 = 0.6;

/// How the model and its users behave.
#[derive(Clone, Copy, Debug)]
pub struct Behaviour {
    /// Share of right answers among photos with a true class.
    pub accuracy: f64,
    /// 1: confidences are calibrated; 2: a probability of 0.25 is given as 0.5.
    pub overconfidence: f64,
    /// Share of photos that are no food.
    pub not_food: f64,
}

/// One photo.
#[derive(Clone, Copy, Debug)]
pub struct Photo {
    pub predicted: u16,
    pub confidence: f32,
    pub outcome: Outcome,
    pub flagged: bool,
    pub correction: Option<u16>,
    pub stratum: Stratum,
    /// Whether another model version was right, too.
    pub challenger_correct: bool,
}

impl Photo {
    pub fn correct(&self) -> bool {
        self.outcome == Outcome::Class(ClassIndex(self.predicted))
    }
}

/// Seeded randomness.
pub struct Random(ChaCha8Rng);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// Evenly from 0 to 1, 1 excluded.
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Evenly from 0 to `end` − 1.
    pub fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.0.next_u64()) * end as u128) >> 64) as usize
    }

    /// `count` of `items`, every choice equally likely.
    pub fn sample(&mut self, mut items: Vec<usize>, count: usize) -> Vec<usize> {
        let count = count.min(items.len());
        for position in 0..count {
            let pick = position + self.below(items.len() - position);
            items.swap(position, pick);
        }
        items.truncate(count);
        items
    }
}

/// A photo of somebody's meal. The model's chance of being right, u^((1 − A)/A) for a uniform u, has mean A; users
/// complain mostly, not only, about wrong answers.
pub fn photo(behaviour: Behaviour, random: &mut Random) -> Photo {
    let chance = random.unit().powf((1.0 - behaviour.accuracy) / behaviour.accuracy);
    let confidence = chance.powf(1.0 / behaviour.overconfidence).max(1.0 / f64::from(CLASSES));
    // Classes are not equally frequent: the square pulls towards the first.
    let predicted = (random.unit().powi(2) * f64::from(CLASSES)) as u16;
    let right = random.chance(chance);
    let outcome = if random.chance(behaviour.not_food) {
        Outcome::NotFood
    } else if right {
        Outcome::Class(ClassIndex(predicted))
    } else {
        Outcome::Class(ClassIndex((predicted + 1 + random.below(usize::from(CLASSES) - 1) as u16) % CLASSES))
    };
    let right = outcome == Outcome::Class(ClassIndex(predicted));
    let flagged = random.chance(if right { 0.01 } else { 0.2 });
    let correction = random.chance(if right { 0.005 } else { 0.1 }).then(|| match outcome {
        Outcome::Class(class) if random.chance(0.8) => class.0,
        _ => (predicted + 1) % CLASSES,
    });
    let signals = Signals {
        low_confidence: confidence < THRESHOLD,
        flagged,
        corrected: correction.is_some(),
        ..Signals::default()
    };
    Photo {
        predicted,
        confidence: confidence as f32,
        outcome,
        flagged,
        correction,
        stratum: Stratum::of(signals),
        // The other version is right about most of what this one is right about, and about a third of the rest.
        challenger_correct: outcome != Outcome::NotFood && random.chance(if right { 0.93 } else { 0.33 }),
    }
}

/// Of each photo of a batch, whether the design draws it, and if so whether the random sample took it.
pub fn draw(photos: &[Photo], design: &BatchDesign, random: &mut Random) -> Vec<Option<bool>> {
    let mut drawn = vec![None; photos.len()];
    for stratum in Stratum::ALL {
        let members = || (0..photos.len()).filter(|&index| photos[index].stratum == stratum);
        let taken = match design.oversampling(stratum) {
            Oversampling::Everything => members().collect(),
            Oversampling::AtMost(cap) => random.sample(members().collect(), cap.get() as usize),
            Oversampling::Nothing => Vec::new(),
        };
        taken.into_iter().for_each(|index| drawn[index] = Some(false));
    }
    let by_chance: Vec<usize> = match design.random {
        RandomSample::Rate(rate) => (0..photos.len()).filter(|_| random.chance(rate.get())).collect(),
        RandomSample::Count(count) => random.sample((0..photos.len()).collect(), count.get() as usize),
    };
    by_chance.into_iter().for_each(|index| drawn[index] = Some(true));
    drawn
}

/// A batch of traffic with its design, and how likely a drawn photo has its label by now.
pub struct Batch<'a> {
    pub photos: &'a [Photo],
    pub design: &'a BatchDesign,
    pub answered: f64,
}

/// Draws and labels batches, and keeps what belongs to the photos `belongs` says: one version's, one slice's.
///
/// Labels carry their photo's position in `(batch, photo)`, packed into the id, for what an evaluation cannot know.
pub fn observe(batches: &[Batch<'_>], belongs: impl Fn(usize, usize) -> bool, random: &mut Random) -> Window {
    let (mut cells, mut labels) = (Vec::new(), Vec::new());
    for (number, batch) in batches.iter().enumerate() {
        let mut sizes = StratumSizes::default();
        let mut own = [(0, 0); Stratum::ALL.len()];
        for (index, photo) in batch.photos.iter().enumerate() {
            sizes.0[photo.stratum.index()] += 1;
            own[photo.stratum.index()].0 += u64::from(belongs(number, index));
        }
        let drawn = draw(batch.photos, batch.design, random).into_iter().enumerate();
        for (index, by_random_sample) in drawn.filter_map(|(index, drawn)| Some((index, drawn?))) {
            let photo = &batch.photos[index];
            let is_answered = random.chance(batch.answered);
            if !belongs(number, index) {
                continue;
            }
            own[photo.stratum.index()].1 += 1;
            let Some(inclusion) = batch.design.inclusion(photo.stratum, sizes) else { continue };
            let size = sizes.of(photo.stratum);
            let (id, batch) = (prediction_id(number, index), BatchId(number as u64));
            let selection = Selection::new(id, batch, photo.stratum, inclusion, size, by_random_sample).unwrap();
            if is_answered {
                labels.push(LabelledPrediction {
                    selection,
                    predicted: ClassIndex(photo.predicted),
                    confidence: Confidence::new(photo.confidence).unwrap(),
                    flagged: photo.flagged,
                    correction: photo.correction.map(ClassIndex),
                    outcome: photo.outcome,
                });
            }
        }
        for stratum in Stratum::ALL {
            let (size, selected) = own[stratum.index()];
            if let Some(inclusion) = batch.design.inclusion(stratum, sizes).filter(|_| size > 0) {
                cells.push(Cell { batch: BatchId(number as u64), stratum, inclusion, size, selected });
            }
        }
    }
    Window::new(cells, labels).unwrap()
}

fn prediction_id(batch: usize, photo: usize) -> PredictionId {
    let position = ((batch as u128) << 32 | photo as u128).to_be_bytes();
    let mut bytes = [0; 10];
    bytes.copy_from_slice(&position[6..]);
    uuid::Builder::from_unix_timestamp_millis(0, &bytes).into_uuid().try_into().unwrap()
}

/// The photo a label is of.
pub fn position(label: &LabelledPrediction) -> (usize, usize) {
    let bytes = label.selection.prediction().as_uuid().into_bytes();
    let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte));
    (number(&bytes[9..12]), number(&bytes[12..16]))
}
