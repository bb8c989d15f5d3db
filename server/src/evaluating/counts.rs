//! What is counted of photos: everything that an evaluation reads, and nothing that grows with their number.
//!
//! Counts add up: those of a day are those of its hours. They hold whole numbers only (sums of confidence in billionths), so
//! that the order in which they are added changes no digit.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use gourmetgram_api::{DeviceComparison, Seen};
use serde::{Deserialize, Serialize};

use super::fact::{Considered, Fact};

/// Bins of confidence, of equal width from 0 to 1. The usual threshold, 0.7, lies between two of them.
pub const BINS: u8 = 40;
/// In these parts sums of numbers from 0 to 1 are counted.
pub const PARTS: f64 = 1e9;

/// The bin of a confidence.
pub fn bin_of(confidence: f32) -> u8 {
    // In 32 bits, so that 0.7 is not below 0.7. A confidence of 1 belongs to the last bin.
    ((confidence * f32::from(BINS)) as u8).min(BINS - 1)
}

fn parts(number: f64) -> i64 {
    (number * PARTS).round() as i64
}

/// The photos of one stratum of one batch. With batch 0: of all batches that drew it alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CellKey {
    /// Number of the batch.
    pub batch: i64,
    /// Index in [`Stratum::ALL`](gourmetgram_evaluation::Stratum::ALL).
    pub stratum: u8,
    /// The bits of π.
    pub inclusion: u64,
    /// The bits of the random sample's share of the batch.
    pub rate: u64,
}

/// Labels of one class that got one answer, or of one bin of confidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BinCounts {
    /// Labels with a true class.
    pub labels: u64,
    /// Of these, right answers.
    pub right: u64,
    /// Sum of their confidences, in billionths.
    pub confidence: i64,
}

/// What is counted of a cell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CellCounts {
    /// N: photos.
    pub size: u64,
    /// Sum of their confidences, in billionths.
    pub confidence: i64,
    /// Photos that were drawn.
    pub drawn: u64,
    /// Of these, photos with a label.
    pub labelled: u64,
    /// Of these, with a true class.
    pub classed: u64,
    /// Of these, right answers.
    pub right: u64,
    /// Labels "not food".
    pub not_food: u64,
    /// Labels "unreadable".
    pub unreadable: u64,
    /// Sum of the confidences of photos with either of these labels, in billionths.
    pub classless: i64,
    /// Sum of their squares, in billionths.
    pub classless_squares: i64,
    /// Of the labels, those that the random sample took; the next two likewise.
    pub random_labelled: u64,
    /// With a true class.
    pub random_classed: u64,
    /// Right answers.
    pub random_right: u64,
    /// Of labels with a true class, those flagged when they were considered.
    pub flagged: u64,
    /// Of these, wrong answers.
    pub flagged_wrong: u64,
    /// Of labels with a true class, those corrected when they were considered.
    pub corrected: u64,
    /// Of these, corrections that were right.
    pub corrected_right: u64,
    /// Σ (right − confidence), in billionths.
    pub residual: i64,
    /// Σ (right − confidence)², in billionths: of the answers' confidence, so Brier's score too.
    pub squares: i64,
    /// Log loss of the answers' confidence, in billionths of a nat.
    pub log_loss: i64,
    /// Labels with a true class, by answer and true class.
    #[serde(with = "super::pairs")]
    pub confusion: BTreeMap<(String, String), u64>,
    /// The same by bin of confidence.
    #[serde(with = "super::pairs")]
    pub bins: BTreeMap<u8, BinCounts>,
}

/// What is counted of all photos, labelled or not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Traffic {
    /// Photos.
    pub photos: u64,
    /// Photos that the campaign has considered.
    pub considered: u64,
    /// Sum of confidences, in billionths.
    pub confidence: i64,
    /// Σ confidence·(1 − confidence), in billionths.
    pub spread: i64,
    /// Photos with a flag.
    pub flagged: u64,
    /// Photos with a correction.
    pub corrected: u64,
    /// Photos with either.
    pub complained: u64,
    /// Visitors of each whole day, added up.
    pub visits: u64,
    /// Of these, visitors who had been there on an earlier day.
    pub returning: u64,
    /// Photos for which the visitor's device answered, by what that is beside the server's answer.
    #[serde(with = "super::pairs")]
    pub devices: BTreeMap<DeviceComparison, u64>,
    /// By answer.
    #[serde(with = "super::pairs")]
    pub classes: BTreeMap<String, u64>,
    /// By bin of confidence.
    #[serde(with = "super::pairs")]
    pub bins: BTreeMap<u8, u64>,
}

/// Tasks that wait for a label.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Waiting {
    /// How many.
    pub tasks: u64,
    /// Since when the oldest does.
    pub since: Option<DateTime<Utc>>,
}

/// What two people said of one photo.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PairKey {
    /// Their names, in order.
    pub annotators: [String; 2],
    /// What each saw.
    pub seen: [Seen; 2],
}

/// Everything that is counted of some photos of one model version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Of all of them.
    pub traffic: Traffic,
    /// Of those that the campaign has considered.
    #[serde(with = "super::pairs")]
    pub cells: BTreeMap<CellKey, CellCounts>,
    /// Of those that wait for a label.
    pub waiting: Waiting,
    /// Of those that two people have labelled.
    #[serde(with = "super::pairs")]
    pub agreement: BTreeMap<PairKey, u64>,
}

impl Counts {
    /// Counts one more photo.
    pub fn add(&mut self, fact: &Fact) {
        let confidence = f64::from(fact.confidence);
        let traffic = &mut self.traffic;
        traffic.photos += 1;
        traffic.confidence += parts(confidence);
        traffic.spread += parts(confidence * (1.0 - confidence));
        traffic.flagged += u64::from(fact.flagged);
        traffic.corrected += u64::from(fact.corrected);
        traffic.complained += u64::from(fact.flagged || fact.corrected);
        if let Some(device) = fact.device {
            count(&mut traffic.devices, device);
        }
        count(&mut traffic.classes, fact.class.clone());
        count(&mut traffic.bins, bin_of(fact.confidence));
        let Some(considered) = &fact.considered else { return };
        traffic.considered += 1;
        let key = CellKey {
            batch: considered.batch,
            stratum: considered.stratum.index() as u8,
            inclusion: considered.inclusion.to_bits(),
            rate: considered.rate.to_bits(),
        };
        let cell = self.cells.entry(key).or_default();
        cell.size += 1;
        cell.confidence += parts(confidence);
        let Some(task) = &considered.task else { return };
        cell.drawn += 1;
        if let Some(since) = task.waits_since {
            self.waiting.add(&Waiting { tasks: 1, since: Some(since) });
        }
        if let Some(seen) = &task.seen {
            cell.label(fact, considered, seen);
        }
        if let Some([(first, one), (second, other)]) = &task.pair {
            let annotators = [first.clone(), second.clone()];
            count(&mut self.agreement, PairKey { annotators, seen: [one.clone(), other.clone()] });
        }
    }

    /// Counts one photo after the other.
    pub fn of<'a>(facts: impl IntoIterator<Item = &'a Fact>) -> Self {
        facts.into_iter().fold(Self::default(), |mut counts, fact| {
            counts.add(fact);
            counts
        })
    }

    /// Adds other photos' counts.
    pub fn merge(&mut self, other: &Self) {
        self.traffic.merge(&other.traffic);
        self.waiting.add(&other.waiting);
        add_all(&mut self.agreement, &other.agreement);
        for (key, cell) in &other.cells {
            self.cells.entry(*key).or_default().merge(cell);
        }
    }

    /// The same with batches that drew a stratum alike taken together: what an estimate reads, and far less of it.
    pub fn without_batches(self) -> Self {
        let mut cells: BTreeMap<CellKey, CellCounts> = BTreeMap::new();
        for (key, cell) in self.cells {
            cells.entry(CellKey { batch: 0, ..key }).or_default().merge(&cell);
        }
        Self { cells, ..self }
    }

    /// Adds up a count over the cells.
    pub fn sum(&self, of: impl Fn(&CellCounts) -> u64) -> u64 {
        self.cells.values().map(of).sum()
    }
}

impl CellCounts {
    fn label(&mut self, fact: &Fact, considered: &Considered, seen: &Seen) {
        self.labelled += 1;
        self.random_labelled += u64::from(considered.by_random_sample);
        let confidence = f64::from(fact.confidence);
        let Some(truth) = seen.label() else {
            self.not_food += u64::from(*seen == Seen::NotFood);
            self.unreadable += u64::from(*seen == Seen::Unreadable);
            self.classless += parts(confidence);
            self.classless_squares += parts(confidence * confidence);
            return;
        };
        let right = truth == fact.class;
        let one = u64::from(right);
        self.classed += 1;
        self.right += one;
        if considered.by_random_sample {
            self.random_classed += 1;
            self.random_right += one;
        }
        if considered.flagged {
            self.flagged += 1;
            self.flagged_wrong += 1 - one;
        }
        if let Some(correction) = &considered.correction {
            self.corrected += 1;
            self.corrected_right += u64::from(correction == truth);
        }
        let residual = one as f64 - confidence;
        self.residual += parts(residual);
        self.squares += parts(residual * residual);
        let sure = confidence.clamp(1e-15, 1.0 - 1e-15);
        self.log_loss += parts(if right { -sure.ln() } else { -(1.0 - sure).ln() });
        count(&mut self.confusion, (fact.class.clone(), truth.to_owned()));
        let bin = self.bins.entry(bin_of(fact.confidence)).or_default();
        bin.labels += 1;
        bin.right += one;
        bin.confidence += parts(confidence);
    }

    fn merge(&mut self, other: &Self) {
        self.size += other.size;
        self.confidence += other.confidence;
        self.drawn += other.drawn;
        self.labelled += other.labelled;
        self.classed += other.classed;
        self.right += other.right;
        self.not_food += other.not_food;
        self.unreadable += other.unreadable;
        self.classless += other.classless;
        self.classless_squares += other.classless_squares;
        self.random_labelled += other.random_labelled;
        self.random_classed += other.random_classed;
        self.random_right += other.random_right;
        self.flagged += other.flagged;
        self.flagged_wrong += other.flagged_wrong;
        self.corrected += other.corrected;
        self.corrected_right += other.corrected_right;
        self.residual += other.residual;
        self.squares += other.squares;
        self.log_loss += other.log_loss;
        add_all(&mut self.confusion, &other.confusion);
        for (bin, counts) in &other.bins {
            let own = self.bins.entry(*bin).or_default();
            own.labels += counts.labels;
            own.right += counts.right;
            own.confidence += counts.confidence;
        }
    }
}

impl Traffic {
    /// Adds other photos.
    pub fn merge(&mut self, other: &Self) {
        self.photos += other.photos;
        self.considered += other.considered;
        self.confidence += other.confidence;
        self.spread += other.spread;
        self.flagged += other.flagged;
        self.corrected += other.corrected;
        self.complained += other.complained;
        self.visits += other.visits;
        self.returning += other.returning;
        add_all(&mut self.devices, &other.devices);
        add_all(&mut self.classes, &other.classes);
        add_all(&mut self.bins, &other.bins);
    }
}

impl Waiting {
    /// Adds other tasks.
    pub fn add(&mut self, other: &Self) {
        self.tasks += other.tasks;
        self.since = match (self.since, other.since) {
            (Some(own), Some(other)) => Some(own.min(other)),
            (own, other) => own.or(other),
        };
    }
}

fn count<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    *counts.entry(key).or_default() += 1;
}

fn add_all<K: Ord + Clone>(own: &mut BTreeMap<K, u64>, other: &BTreeMap<K, u64>) {
    for (key, count) in other {
        match own.get_mut(key) {
            Some(own) => *own += count,
            None => {
                own.insert(key.clone(), *count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use gourmetgram_evaluation::Stratum;
    use proptest::prelude::*;

    use super::*;
    use crate::evaluating::fact::Task;

    fn some_fact() -> impl Strategy<Value = Fact> {
        let seen = prop_oneof![
            Just(None),
            Just(Some(Seen::NotFood)),
            Just(Some(Seen::Unreadable)),
            prop_oneof!["Soup", "Rice"].prop_map(|label| Some(Seen::Class { label })),
        ];
        let pair = |seen: &Option<Seen>, second: bool| {
            let seen = seen.clone().filter(|_| second)?;
            Some([("ann".to_owned(), seen), ("bob".to_owned(), Seen::NotFood)])
        };
        let considered = (0_i64..3, 0_usize..4, any::<bool>(), any::<bool>(), any::<bool>(), seen).prop_map(
            move |(batch, stratum, random, drawn, flagged, seen)| Considered {
                batch,
                stratum: Stratum::ALL[stratum],
                inclusion: if batch == 0 { 0.1 } else { 0.3 },
                rate: 0.1,
                by_random_sample: random && drawn,
                flagged,
                correction: flagged.then(|| "Soup".to_owned()),
                task: drawn.then(|| Task {
                    waits_since: seen.is_none().then(DateTime::<Utc>::default),
                    pair: pair(&seen, random),
                    seen,
                }),
            },
        );
        let device = proptest::option::of(proptest::sample::select(DeviceComparison::ALL.to_vec()));
        let fact = (0.0_f32..=1.0, any::<bool>(), any::<bool>(), prop_oneof!["Soup", "Rice"], device);
        (fact, proptest::option::of(considered)).prop_map(|(fact, considered)| {
            let (confidence, flagged, corrected, class, device) = fact;
            Fact {
                at: DateTime::default(),
                model: "m".to_owned(),
                class,
                confidence,
                flagged,
                corrected,
                source: None,
                device,
                considered,
            }
        })
    }

    proptest! {
        #[test]
        fn counts_add_up_in_any_order_and_are_read_as_they_were_written(
            facts in proptest::collection::vec(some_fact(), 0..40), cut in 0_usize..40
        ) {
            let whole = Counts::of(&facts);
            let cut = cut.min(facts.len());
            let mut parts = Counts::of(&facts[cut..]);
            parts.merge(&Counts::of(facts[..cut].iter().rev()));
            prop_assert_eq!(&parts, &whole);
            let text = serde_json::to_string(&whole).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Counts>(&text).unwrap(), &whole);
            let mut merged = parts.without_batches();
            prop_assert_eq!(merged.sum(|cell| cell.right), whole.sum(|cell| cell.right));
            let again = whole.without_batches();
            prop_assert_eq!(&merged, &again);
            merged.merge(&Counts::default());
            prop_assert_eq!(&merged, &again);
        }
    }

    #[test]
    fn bins_part_where_the_usual_threshold_lies() {
        assert_eq!((bin_of(0.0), bin_of(1.0)), (0, 39));
        assert_eq!((bin_of(0.699), bin_of(0.7)), (27, 28));
    }
}
