//! How often the interval held the truth, over all replays.

use std::fmt::Write;

use gourmetgram_api::ClassIndex;
use gourmetgram_evaluation::{
    ClassReport, ConfidenceLevel, Estimate, accuracy, random_sample_accuracy, tutorial_pooled,
};

use crate::{
    predictions::CLASSES,
    week::{DAYS, ReplayedPhoto, Week},
};

const LEVEL: ConfidenceLevel = ConfidenceLevel::NINETY_FIVE;

/// One number's.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    seen: u32,
    held: u32,
    error: f64,
    width: f64,
    truth: f64,
    labels: u64,
    /// Times that it was shown as "n too small", and not counted.
    too_small: u32,
}

impl Tally {
    fn add(&mut self, estimate: &Estimate, truth: f64) {
        let Some(value) = estimate.value.filter(|_| estimate.is_enough() && !truth.is_nan()) else {
            self.too_small += 1;
            return;
        };
        self.seen += 1;
        // A bound that is the truth but for rounding holds it.
        let interval = estimate.interval;
        self.held += u32::from(interval.lower() - 1e-9 <= truth && truth <= interval.upper() + 1e-9);
        self.error += value - truth;
        self.width += interval.width();
        self.truth += truth;
        self.labels += estimate.labelled;
    }

    fn coverage(&self) -> f64 {
        f64::from(self.held) / f64::from(self.seen)
    }

    fn mean(&self, sum: f64) -> f64 {
        sum / f64::from(self.seen)
    }

    fn line(&self, name: &str) -> String {
        if self.seen == 0 {
            return format!("| {name} | – | – | – | n too small | – | {} |", self.too_small);
        }
        format!(
            "| {name} | {:.1} % | {:+.2} | {:.0} | {:.1} % | {:.3} | {} |",
            100.0 * self.mean(self.truth),
            100.0 * self.mean(self.error),
            self.mean(self.labels as f64),
            100.0 * self.coverage(),
            self.mean(self.width),
            self.too_small,
        )
    }
}

/// One model's.
#[derive(Default)]
pub struct Scores {
    photos: u64,
    labels: u64,
    week: Tally,
    days: Tally,
    random_sample: Tally,
    pooled: Tally,
    precision: [Tally; CLASSES.len()],
    recall: [Tally; CLASSES.len()],
}

/// The share of photos inside for which `right` holds.
fn share<'a>(inside: impl Iterator<Item = &'a ReplayedPhoto>) -> f64 {
    let (mut right, mut all) = (0.0, 0.0);
    for photo in inside {
        right += f64::from(u8::from(photo.correct()));
        all += 1.0;
    }
    right / all
}

impl Scores {
    /// Compares a replay's numbers with its truth.
    pub fn add(&mut self, week: &Week) {
        let (window, truth) = (week.window(None), share(week.photos(None)));
        self.photos += window.population();
        self.labels += window.labels().len() as u64;
        self.week.add(&accuracy(&window, LEVEL), truth);
        self.random_sample.add(&random_sample_accuracy(&window, LEVEL), truth);
        self.pooled.add(&tutorial_pooled(&window, LEVEL), truth);
        for day in 0..DAYS {
            self.days.add(&accuracy(&week.window(Some(day)), LEVEL), share(week.photos(Some(day))));
        }
        for class in 0..CLASSES.len() {
            let report = ClassReport::of(&window, ClassIndex(class as u16), LEVEL);
            let called = week.photos(None).filter(|photo| usize::from(photo.predicted) == class);
            self.precision[class].add(&report.precision, share(called));
            let is = week.photos(None).filter(|photo| usize::from(photo.class) == class);
            self.recall[class].add(&report.recall, share(is));
        }
    }

    /// As Markdown.
    pub fn table(&self, model: &str) -> String {
        let labelled = 100.0 * self.labels as f64 / self.photos as f64;
        let mut table = format!("\n**{model}**, {labelled:.1} % of photos labelled\n\n");
        table += "| number | truth | bias | labels | coverage | width | n too small |\n|---|---|---|---|---|---|---|\n";
        let mut line = |name: &str, tally: &Tally| writeln!(table, "{}", tally.line(name)).expect("room for a line");
        line("accuracy, the week", &self.week);
        line("accuracy, each day", &self.days);
        line("random sample alone, the week", &self.random_sample);
        line("pooled (what the tutorial would print)", &self.pooled);
        for (number, tallies) in [("precision", &self.precision), ("recall", &self.recall)] {
            for (class, tally) in CLASSES.iter().zip(tallies) {
                line(&format!("{number}, {class}"), tally);
            }
        }
        table
    }

    /// What docs/statistics.md claims and is not so.
    pub fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        let mut claim = |what: &str, holds: bool| {
            if !holds {
                failures.push(what.to_owned());
            }
        };
        // 400 replays know a coverage to two points either way; 2,800 days to one.
        claim("the week's interval must hold what it says", (0.93..=0.98).contains(&self.week.coverage()));
        claim("so must a day's", (0.94..=0.97).contains(&self.days.coverage()));
        claim("accuracy must not be biased", self.week.mean(self.week.error).abs() < 0.005);
        let classes = || self.precision.iter().chain(&self.recall).filter(|tally| tally.seen > 0);
        let sum = |of: fn(&Tally) -> u32| f64::from(classes().map(of).sum::<u32>());
        let coverage = sum(|tally| tally.held) / sum(|tally| tally.seen);
        claim("classes' intervals must hold what they say", (0.94..=0.97).contains(&coverage));
        claim("the pooled number must fail", self.pooled.coverage() < 0.5);
        failures
    }
}
