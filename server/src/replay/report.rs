//! What came of a replay.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::annotators::Labels;

/// Counts, rates and times.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// What the photos are recorded with.
    pub source: String,
    /// Photos of the plan.
    pub photos: usize,
    /// Photos that were sent now and taken.
    pub sent: usize,
    /// Photos the server had from an earlier run.
    pub already_there: usize,
    /// Photos that are not to be sent again, by reason.
    pub refused: BTreeMap<String, usize>,
    /// Photos or words that did not arrive, by reason; the same command again sends them.
    pub failed: BTreeMap<String, usize>,
    /// Predictions that were flagged now.
    pub flagged: usize,
    /// Flags that were taken back.
    pub taken_back: usize,
    /// Predictions that were corrected now.
    pub corrected: usize,
    /// Of those, the ones that name a wrong class.
    pub corrected_wrongly: usize,
    /// How often the model agreed with the folders' names.
    pub agreement: Agreement,
    /// The same, class by class.
    pub classes: BTreeMap<String, Agreement>,
    /// Simulated times.
    pub from: Option<DateTime<Utc>>,
    /// Simulated times.
    pub to: Option<DateTime<Utc>>,
    /// Time the run took, in seconds.
    pub seconds: f64,
    /// Photos sent now, a second.
    pub photos_per_second: f64,
    /// Largest delay of a photo behind its time, in seconds: how much faster the plan was than the server.
    pub behind_seconds: f64,
    /// Time an upload took, by the try that succeeded.
    pub upload: Option<Latency>,
    /// Time a flag or correction took.
    pub feedback: Option<Latency>,
    /// What simulated annotators said, where there were any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Labels>,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
}

/// How often the model's answer was the class that a folder's name says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Agreement {
    /// Photos whose folder names a class.
    pub of: usize,
    /// Those with that answer.
    pub right: usize,
}

impl Agreement {
    /// Counts one.
    pub fn count(&mut self, right: bool) {
        self.of += 1;
        self.right += usize::from(right);
    }
}

/// Times of many requests, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Latency {
    /// Half were faster.
    pub p50: f64,
    /// Nine of ten were faster.
    pub p90: f64,
    /// Ninety-nine of a hundred were faster.
    pub p99: f64,
    /// The slowest.
    pub max: f64,
}

impl Latency {
    /// Of these times (nearest rank); nothing of none.
    pub fn of(mut times: Vec<Duration>) -> Option<Self> {
        times.sort_unstable();
        let last = times.len().checked_sub(1)?;
        let rank = |share: f64| {
            let index = ((times.len() as f64 * share).ceil() as usize).saturating_sub(1).min(last);
            (times[index].as_secs_f64() * 100_000.0).round() / 100.0
        };
        Some(Self { p50: rank(0.5), p90: rank(0.9), p99: rank(0.99), max: rank(1.0) })
    }
}

impl Report {
    /// Photos and words that did not arrive.
    pub fn failures(&self) -> usize {
        self.failed.values().sum()
    }

    /// As a table for people.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: String| {
            let _ = writeln!(text, "{name:<16}{value}");
        };
        line("source", self.source.clone());
        line("photos", format!("{} sent, {} there already, of {}", self.sent, self.already_there, self.photos));
        for (reason, count) in &self.refused {
            line("  not taken", format!("{count}: {reason}"));
        }
        for (reason, count) in &self.failed {
            line("  failed", format!("{count}: {reason}"));
        }
        line("flags", format!("{}, {} taken back", self.flagged, self.taken_back));
        line("corrections", format!("{}, {} to a wrong class", self.corrected, self.corrected_wrongly));
        if let Some(Labels { campaign, chosen, given, wrong }) = &self.labels {
            line(
                "labels",
                format!("{given} given, {wrong} to a wrong class, of {chosen} photos chosen by {campaign:?}"),
            );
        }
        if let (Some(from), Some(to)) = (self.from, self.to) {
            let shown = |time: DateTime<Utc>| time.format("%Y-%m-%d %H:%M:%SZ").to_string();
            line("simulated time", format!("{} to {}", shown(from), shown(to)));
        }
        if let Some(share) = percent(self.agreement) {
            line("agreement", format!("{share} of {} with the folders' names", self.agreement.of));
            for (class, agreement) in &self.classes {
                line("", format!("{:<18}{:>8} of {}", class, percent(*agreement).unwrap_or_default(), agreement.of));
            }
        }
        line("throughput", format!("{:.1} photos a second, {:.1} s in all", self.photos_per_second, self.seconds));
        if self.behind_seconds >= 1.0 {
            line(
                "behind the plan",
                format!("{:.1} s at most: the server was slower than the rate", self.behind_seconds),
            );
        }
        for (name, latency) in [("upload", self.upload), ("feedback", self.feedback)] {
            if let Some(Latency { p50, p90, p99, max }) = latency {
                line(name, format!("p50 {p50} ms, p90 {p90} ms, p99 {p99} ms, longest {max} ms"));
            }
        }
        text
    }
}

fn percent(agreement: Agreement) -> Option<String> {
    (agreement.of > 0).then(|| format!("{:.1} %", 100.0 * agreement.right as f64 / agreement.of as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_times_that_were_measured() {
        let times = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(Latency::of(times), Some(Latency { p50: 50.0, p90: 90.0, p99: 99.0, max: 100.0 }));
        let one = Latency::of(vec![Duration::from_micros(1500)]).unwrap();
        assert_eq!((one.p50, one.max), (1.5, 1.5));
        assert_eq!(Latency::of(Vec::new()), None);
    }
}
