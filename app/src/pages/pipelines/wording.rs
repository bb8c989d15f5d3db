//! How runs are spoken of.

use chrono::{DateTime, TimeDelta, Utc};
use gourmetgram_api::{Cause, Counts, RunState};

/// How far something is.
pub(in crate::pages) fn state_word(state: RunState) -> &'static str {
    match state {
        RunState::Waiting => "waiting",
        RunState::Running => "running",
        RunState::Succeeded => "done",
        RunState::Failed => "failed",
        RunState::Cancelled => "cancelled",
    }
}

/// Why there is a run.
pub(in crate::pages) fn cause_word(cause: Cause) -> &'static str {
    match cause {
        Cause::Schedule => "by schedule",
        Cause::Manual => "by hand",
        Cause::Backfill => "backfill",
        Cause::Hint => "by a hint",
    }
}

/// A step's name with a capital.
pub(super) fn step_word(step: &str) -> String {
    let mut letters = step.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// An interval in UTC; of one day, the day is said once.
pub(in crate::pages) fn interval(start: DateTime<Utc>, end: DateTime<Utc>) -> String {
    let to = if start.date_naive() == end.date_naive() { "%H:%M" } else { "%Y-%m-%d %H:%M" };
    format!("{} to {} UTC", start.format("%Y-%m-%d %H:%M"), end.format(to))
}

/// What came of asking for a backfill.
pub(super) fn asked_words(asked: u64, kept: u64) -> String {
    let runs = |number: u64| if number == 1 { "1 run".to_owned() } else { format!("{number} runs") };
    let waits = match asked {
        0 => "No run was missing.".to_owned(),
        1 => "1 run waits for its turn, after those that others ask for.".to_owned(),
        _ => format!("{} wait for their turn, oldest first, after those that others ask for.", runs(asked)),
    };
    match kept {
        0 => waits,
        1 => format!("{waits} 1 run stays as it is."),
        _ => format!("{waits} {} stay as they are.", runs(kept)),
    }
}

/// How long something took.
pub(super) fn duration(took: TimeDelta) -> String {
    let seconds = took.as_seconds_f64().max(0.0);
    match seconds {
        s if s < 0.1 => format!("{:.0} ms", s * 1e3),
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

/// What was done, counted.
pub(super) fn counted(counts: &Counts) -> String {
    counts.iter().map(|(word, number)| format!("{number} {word}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn an_interval_says_its_day_once() {
        assert_eq!(interval(at("2026-11-24T10:00:00Z"), at("2026-11-24T10:30:00Z")), "2026-11-24 10:00 to 10:30 UTC");
        assert_eq!(
            interval(at("2026-11-24T23:30:00Z"), at("2026-11-25T00:00:00Z")),
            "2026-11-24 23:30 to 2026-11-25 00:00 UTC"
        );
    }

    #[test]
    fn a_backfill_says_what_waits_and_what_stays() {
        assert_eq!(asked_words(0, 3), "No run was missing. 3 runs stay as they are.");
        assert_eq!(asked_words(1, 0), "1 run waits for its turn, after those that others ask for.");
        assert!(
            asked_words(24, 1).starts_with("24 runs wait") && asked_words(24, 1).ends_with("1 run stays as it is.")
        );
    }

    #[test]
    fn durations_have_the_unit_people_would_take() {
        let said = |seconds: f64| duration(TimeDelta::milliseconds((seconds * 1e3) as i64));
        assert_eq!(
            (said(0.42), said(75.0), said(600.0), said(9000.0)),
            ("0.4 s".to_owned(), "75 s".to_owned(), "10 min".to_owned(), "2.5 h".to_owned())
        );
        assert_eq!(said(-3.0), "0 ms", "clocks of two servers differ");
    }

    #[test]
    fn steps_and_counts_are_words() {
        assert_eq!((step_word("choose"), step_word("")), ("Choose".to_owned(), String::new()));
        let counts = Counts::from([("chosen".to_owned(), 5), ("considered".to_owned(), 90)]);
        assert_eq!(counted(&counts), "5 chosen, 90 considered");
    }
}
