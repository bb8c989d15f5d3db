//! The grid: how good the model is, how sure of itself, how many photos, which design, what went missing.

use std::num::NonZeroU64;

use gourmetgram_evaluation::{
    BatchDesign, ConfidenceLevel, Estimate, GuessMean, InclusionProbability, Interval, LabelledPrediction, Outcome,
    Oversampling, RandomSample, Stratum, Window, accuracy, accuracy_where, difference_accuracy, flag_precision,
    outcome_share, paired_difference, random_sample_accuracy, tutorial_pooled,
};

use crate::population::{Batch, Behaviour, Photo, Random, observe, photo, position};

/// A batch to come.
#[derive(Clone, Copy, Debug)]
pub struct BatchPlan {
    pub photos: usize,
    pub design: BatchDesign,
    /// Added to the scenario's accuracy.
    pub accuracy_shift: f64,
    /// Share of drawn photos that have their label by now.
    pub answered: f64,
}

/// What is simulated.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: String,
    pub behaviour: Behaviour,
    pub batches: Vec<BatchPlan>,
    /// Share of traffic the evaluated version gets; the rest goes to a version 0.2 better or worse.
    pub traffic: f64,
}

fn rate(value: f64) -> InclusionProbability {
    InclusionProbability::new(value).unwrap()
}

fn capped(cap: u64, random: f64) -> BatchDesign {
    let cap = Oversampling::AtMost(NonZeroU64::new(cap).unwrap());
    BatchDesign { low_confidence: cap, flagged: cap, corrected: cap, random: RandomSample::Rate(rate(random)) }
}

fn plan(photos: usize, design: BatchDesign) -> BatchPlan {
    BatchPlan { photos, design, accuracy_shift: 0.0, answered: 1.0 }
}

/// The scenarios of docs/statistics.md.
pub fn grid() -> Vec<Scenario> {
    let mut grid = Vec::new();
    let mut add = |name: String, accuracy: f64, overconfidence: f64, batches: Vec<BatchPlan>| {
        let behaviour = Behaviour { accuracy, overconfidence, not_food: 0.0 };
        grid.push(Scenario { name, behaviour, batches, traffic: 1.0 });
    };
    let tutorial = |value| BatchDesign::tutorial(rate(value));
    for accuracy in [0.55, 0.707, 0.85, 0.95] {
        for overconfidence in [1.0, 2.0] {
            for (photos, random) in [(500, 0.2), (2000, 0.05), (2000, 0.2)] {
                let model = if overconfidence > 1.0 { "over-confident" } else { "calibrated" };
                let name = format!("{accuracy} {model}, {photos} photos, {random}");
                add(name, accuracy, overconfidence, vec![plan(photos, tutorial(random))]);
            }
        }
    }
    for accuracy in [0.707, 0.9] {
        for cap in [10, 40] {
            let name = format!("{accuracy} capped at {cap}, 2000 photos, 0.05");
            add(name, accuracy, 2.0, vec![plan(2000, capped(cap, 0.05))]);
        }
        let batches = vec![plan(300, tutorial(0.1)); 7];
        add(format!("{accuracy} seven equal batches"), accuracy, 2.0, batches);
        let batches = vec![plan(300, capped(10, 0.1)); 7];
        add(format!("{accuracy} seven capped batches"), accuracy, 2.0, batches);
        let batches = [0.05, 0.1, 0.3, 0.1].map(|random| plan(500, tutorial(random)));
        add(format!("{accuracy} merged, rates 0.05 to 0.3"), accuracy, 2.0, batches.to_vec());
        let shifts = [(-0.1, 0.3), (0.0, 0.05), (0.05, 0.1)];
        let drift = shifts.map(|(shift, random)| BatchPlan { accuracy_shift: shift, ..plan(700, capped(30, random)) });
        add(format!("{accuracy} merged, drifting, rates differ"), accuracy, 2.0, drift.to_vec());
        let late = [1.0, 1.0, 0.9, 0.5, 0.1].map(|answered| BatchPlan { answered, ..plan(400, tutorial(0.15)) });
        add(format!("{accuracy} late labels"), accuracy, 2.0, late.to_vec());
        let missing = vec![BatchPlan { answered: 0.6, ..plan(1500, tutorial(0.1)) }];
        add(format!("{accuracy} 40 % without an answer"), accuracy, 2.0, missing);
        let count = RandomSample::Count(NonZeroU64::new(60).unwrap());
        let design = BatchDesign { random: count, ..tutorial(0.1) };
        add(format!("{accuracy} random sample of 60"), accuracy, 2.0, vec![plan(1000, design)]);
        add(format!("{accuracy} random sample of about 15"), accuracy, 2.0, vec![plan(500, tutorial(0.03))]);
    }
    let two = |accuracy: f64, traffic: f64| Scenario {
        name: format!("{accuracy} with {traffic} of the traffic of two versions"),
        behaviour: Behaviour { accuracy, overconfidence: 2.0, not_food: 0.0 },
        batches: vec![plan(1500, tutorial(0.1)); 2],
        traffic,
    };
    let not_food = |accuracy: f64, design: BatchDesign, name: &str| Scenario {
        name: format!("{accuracy} {name}, 8 % not food"),
        behaviour: Behaviour { accuracy, overconfidence: 2.0, not_food: 0.08 },
        batches: vec![plan(2000, design)],
        traffic: 1.0,
    };
    grid.extend([two(0.707, 0.7), two(0.85, 0.3)]);
    grid.extend([not_food(0.707, tutorial(0.1), "tutorial's rules"), not_food(0.85, capped(40, 0.1), "capped")]);
    grid
}

/// How one estimator did over all replicates of a scenario.
#[derive(Clone, Copy, Debug, Default)]
pub struct Score {
    pub replicates: u64,
    error: f64,
    held: u64,
    width: f64,
}

impl Score {
    fn add(&mut self, value: Option<f64>, interval: Interval, truth: f64) {
        let Some(value) = value else { return };
        self.replicates += 1;
        self.error += value - truth;
        // A bound that is the truth but for rounding holds it.
        self.held += u64::from(interval.lower() - 1e-9 <= truth && truth <= interval.upper() + 1e-9);
        self.width += interval.width();
    }

    pub fn bias(&self) -> f64 {
        self.error / self.replicates as f64
    }

    pub fn coverage(&self) -> f64 {
        self.held as f64 / self.replicates as f64
    }

    pub fn width(&self) -> f64 {
        self.width / self.replicates as f64
    }
}

/// All estimators of one scenario.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scores {
    pub poststratified: Score,
    pub random_sample: Score,
    pub pooled: Score,
    pub others_only: Score,
    pub difference: Score,
    pub paired: Score,
    pub flags: Score,
    pub not_food: Score,
}

const LEVEL: ConfidenceLevel = ConfidenceLevel::NINETY_FIVE;

/// Samples drawn from each traffic.
const SAMPLES: u64 = 10;

/// Draws new traffic for every ten samples, until there are `replicates`. The truth is that of the traffic drawn.
pub fn simulate(scenario: &Scenario, replicates: u64, seed: u64) -> Scores {
    let mut random = Random::new(seed);
    let mut scores = Scores::default();
    for _ in 0..replicates.div_ceil(SAMPLES) {
        let traffic = Traffic::new(scenario, &mut random);
        for _ in 0..SAMPLES {
            traffic.replicate(scenario, &mut random, &mut scores);
        }
    }
    scores
}

/// Photos by batch, which of them the evaluated version served, and what is true of those.
pub struct Traffic {
    photos: Vec<Vec<Photo>>,
    own: Vec<Vec<bool>>,
    pub accuracy: f64,
    challenger: f64,
    flag_precision: f64,
    not_food: f64,
    guesses: Vec<GuessMean>,
}

impl Traffic {
    pub fn new(scenario: &Scenario, random: &mut Random) -> Self {
        let mut own = Vec::new();
        let photos: Vec<Vec<Photo>> =
            scenario.batches.iter().map(|plan| batch(scenario, plan, &mut own, random)).collect();
        let served = |(photos, own): (&Vec<Photo>, &Vec<bool>)| -> Vec<Photo> {
            photos.iter().zip(own).filter(|(_, own)| **own).map(|(photo, _)| *photo).collect()
        };
        let mine: Vec<Photo> = photos.iter().zip(&own).flat_map(served).collect();
        let mean = |inside: &dyn Fn(&Photo) -> bool, value: &dyn Fn(&Photo) -> f64| {
            let inside = || mine.iter().filter(|photo| inside(photo));
            inside().map(value).sum::<f64>() / inside().count() as f64
        };
        let has_class = |photo: &Photo| photo.outcome.class().is_some();
        let one_if = |it: bool| f64::from(u8::from(it));
        Self {
            accuracy: mean(&has_class, &|photo| one_if(photo.correct())),
            challenger: mean(&has_class, &|photo| one_if(photo.challenger_correct)),
            flag_precision: mean(&|photo| has_class(photo) && photo.flagged, &|photo| one_if(!photo.correct())),
            not_food: mean(&|_| true, &|photo| one_if(photo.outcome == Outcome::NotFood)),
            // No design here looks at devices.
            guesses: Stratum::ALL
                .into_iter()
                .filter(|stratum| mine.iter().any(|photo| photo.stratum == *stratum))
                .map(|stratum| GuessMean {
                    stratum,
                    mean: mean(&|photo| photo.stratum == stratum, &|photo| f64::from(photo.confidence)),
                })
                .collect(),
            photos,
            own,
        }
    }

    /// Draws and labels a sample.
    pub fn observe(&self, scenario: &Scenario, random: &mut Random) -> Window {
        let batch = |(photos, plan)| {
            let BatchPlan { design, answered, .. }: &BatchPlan = plan;
            Batch { photos, design, answered: *answered }
        };
        let batches: Vec<Batch<'_>> = self.photos.iter().map(Vec::as_slice).zip(&scenario.batches).map(batch).collect();
        observe(&batches, |number, index| self.own[number][index], random)
    }

    fn replicate(&self, scenario: &Scenario, random: &mut Random, scores: &mut Scores) {
        let window = self.observe(scenario, random);
        let truth = self.accuracy;
        let score = |score: &mut Score, it: &Estimate, truth| score.add(it.value, it.interval, truth);
        score(&mut scores.poststratified, &accuracy(&window, LEVEL), truth);
        score(&mut scores.random_sample, &random_sample_accuracy(&window, LEVEL), truth);
        score(&mut scores.pooled, &tutorial_pooled(&window, LEVEL), truth);
        let is_other = |label: &LabelledPrediction| label.selection.stratum() == Stratum::Others;
        score(&mut scores.others_only, &accuracy_where(&window, is_other, LEVEL), truth);
        let answer = |label: &LabelledPrediction| {
            let (batch, index) = position(label);
            label.outcome.class().map(|_| self.photos[batch][index].challenger_correct)
        };
        score(&mut scores.paired, &paired_difference(&window, answer, LEVEL), self.challenger - truth);
        score(&mut scores.flags, &flag_precision(&window, LEVEL), self.flag_precision);
        if scenario.behaviour.not_food > 0.0 {
            score(&mut scores.not_food, &outcome_share(&window, Outcome::NotFood, LEVEL), self.not_food);
        }
        let guess = |label: &LabelledPrediction| f64::from(label.confidence.get());
        if let Some(estimate) = difference_accuracy(&window, &self.guesses, guess, LEVEL) {
            score(&mut scores.difference, &estimate, truth);
        }
    }
}

fn batch(scenario: &Scenario, plan: &BatchPlan, own: &mut Vec<Vec<bool>>, random: &mut Random) -> Vec<Photo> {
    let accuracy = (scenario.behaviour.accuracy + plan.accuracy_shift).clamp(0.05, 0.99);
    let behaviour = Behaviour { accuracy, ..scenario.behaviour };
    let other = Behaviour { accuracy: if accuracy > 0.75 { accuracy - 0.2 } else { accuracy + 0.2 }, ..behaviour };
    let mine: Vec<bool> = (0..plan.photos).map(|_| random.chance(scenario.traffic)).collect();
    let photos = mine.iter().map(|mine| photo(if *mine { behaviour } else { other }, random)).collect();
    own.push(mine);
    photos
}
