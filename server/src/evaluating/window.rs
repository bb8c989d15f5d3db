//! Which stretch of time a question is about, cut to whole hours, and how it is taken apart.

use chrono::{DateTime, Datelike, DurationRound, Months, TimeDelta, TimeZone, Utc};
use gourmetgram_api::{EvaluatedWindow, EvaluationQuery, EvaluationWindow, SeriesStep, UnusableEvaluation};

/// Most points of a series.
pub const MOST_POINTS: u64 = 400;

/// The start of the step that `at` lies in, in UTC.
pub fn start_of(step: SeriesStep, at: DateTime<Utc>) -> DateTime<Utc> {
    let whole = |length: TimeDelta| at.duration_trunc(length).unwrap_or(at);
    match step {
        SeriesStep::Hour => whole(TimeDelta::hours(1)),
        SeriesStep::Day => whole(TimeDelta::days(1)),
        SeriesStep::Month => Utc.with_ymd_and_hms(at.year(), at.month(), 1, 0, 0, 0).single().unwrap_or(at),
    }
}

/// The start of the step after the one that starts at `start`.
pub fn next(step: SeriesStep, start: DateTime<Utc>) -> DateTime<Utc> {
    match step {
        SeriesStep::Hour => start + TimeDelta::hours(1),
        SeriesStep::Day => start + TimeDelta::days(1),
        SeriesStep::Month => start.checked_add_months(Months::new(1)).unwrap_or(start + TimeDelta::days(31)),
    }
}

/// The end of the hour that `at` lies in; `at` itself where one ends there.
fn end_of_hour(at: DateTime<Utc>) -> DateTime<Utc> {
    let start = start_of(SeriesStep::Hour, at);
    if start == at { at } else { next(SeriesStep::Hour, start) }
}

/// The window of a question. `first` is when the first photo was received, for a window without a start.
///
/// # Errors
/// What [`EvaluationQuery::check`] finds; a window that would have too many points.
pub fn of(
    query: &EvaluationQuery,
    first: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<EvaluatedWindow, UnusableEvaluation> {
    query.check()?;
    let to = end_of_hour(query.to.unwrap_or(now));
    let name = match (query.window, query.from) {
        (Some(window), _) => Some(window),
        (None, None) => Some(EvaluationWindow::default()),
        (None, Some(_)) => None,
    };
    let from = match (query.from, name.and_then(EvaluationWindow::length)) {
        (Some(from), _) => start_of(SeriesStep::Hour, from),
        (None, Some(length)) => to - length,
        (None, None) => start_of(SeriesStep::Hour, first.unwrap_or(to).min(to - TimeDelta::hours(1))),
    };
    if from >= to {
        return Err(UnusableEvaluation::Backwards);
    }
    let step = query.step.unwrap_or_else(|| usual_step(to - from));
    if points(step, from, to) > MOST_POINTS {
        return Err(UnusableEvaluation::TooFine { step: step.as_str(), most: MOST_POINTS });
    }
    // A window that ends elsewhere than now has no name, however long it is.
    Ok(EvaluatedWindow { from, to, name: name.filter(|_| query.to.is_none()), step })
}

fn usual_step(length: TimeDelta) -> SeriesStep {
    if length <= TimeDelta::days(2) {
        SeriesStep::Hour
    } else if length <= TimeDelta::days(120) {
        SeriesStep::Day
    } else {
        SeriesStep::Month
    }
}

/// At least as many points as a series has.
fn points(step: SeriesStep, from: DateTime<Utc>, to: DateTime<Utc>) -> u64 {
    let length = match step {
        SeriesStep::Hour => TimeDelta::hours(1),
        SeriesStep::Day => TimeDelta::days(1),
        SeriesStep::Month => TimeDelta::days(28),
    };
    ((to - from).num_seconds() / length.num_seconds()).unsigned_abs() + 1
}

/// Runs of whole periods of one length that cover a stretch between two full hours, none of them longer than `step`: hours up
/// to the first whole day, days up to the first whole month, and so on back. There are five runs at most, and the number
/// of periods grows with the number of months alone.
pub fn runs(
    step: SeriesStep,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Vec<(SeriesStep, DateTime<Utc>, DateTime<Utc>)> {
    let mut runs = Vec::new();
    cover(step, from, to, &mut runs);
    runs
}

fn cover(
    step: SeriesStep,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    runs: &mut Vec<(SeriesStep, DateTime<Utc>, DateTime<Utc>)>,
) {
    if from >= to {
        return;
    }
    let finer = match step {
        SeriesStep::Hour => return runs.push((step, from, to)),
        SeriesStep::Day => SeriesStep::Hour,
        SeriesStep::Month => SeriesStep::Day,
    };
    let started = start_of(step, from);
    let first = if started == from { from } else { next(step, started) };
    let last = start_of(step, to);
    if first >= last {
        return cover(finer, from, to, runs);
    }
    cover(finer, from, first, runs);
    runs.push((step, first, last));
    cover(finer, last, to, runs);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_month_ends_with_the_hour_under_way() {
        let window = of(&EvaluationQuery::default(), None, at("2026-11-25T03:12:00Z")).unwrap();
        assert_eq!((window.from, window.to), (at("2026-10-26T04:00:00Z"), at("2026-11-25T04:00:00Z")));
        assert_eq!((window.step, window.name), (SeriesStep::Day, Some(EvaluationWindow::Month)));
    }

    #[test]
    fn everything_begins_with_the_first_photo() {
        let query = EvaluationQuery { window: Some(EvaluationWindow::All), ..EvaluationQuery::default() };
        let window = of(&query, Some(at("2024-02-29T10:30:00Z")), at("2026-11-25T03:00:00Z")).unwrap();
        assert_eq!((window.from, window.step), (at("2024-02-29T10:00:00Z"), SeriesStep::Month));
        let window = of(&query, None, at("2026-11-25T03:00:00Z")).unwrap();
        assert_eq!(window.to - window.from, TimeDelta::hours(1));
    }

    #[test]
    fn too_many_points_are_refused() {
        let query = EvaluationQuery { step: Some(SeriesStep::Hour), ..EvaluationQuery::default() };
        assert!(matches!(of(&query, None, Utc::now()), Err(UnusableEvaluation::TooFine { .. })));
    }

    #[test]
    fn two_years_are_hours_days_months_days_and_hours() {
        let runs = runs(SeriesStep::Month, at("2024-11-10T05:00:00Z"), at("2026-11-25T04:00:00Z"));
        let steps: Vec<SeriesStep> = runs.iter().map(|(step, ..)| *step).collect();
        use SeriesStep::{Day, Hour, Month};
        assert_eq!(steps, [Hour, Day, Month, Day, Hour]);
        assert_eq!(runs[2].1, at("2024-12-01T00:00:00Z"));
    }

    fn hours_of(step: SeriesStep) -> i64 {
        match step {
            SeriesStep::Hour => 1,
            SeriesStep::Day => 24,
            SeriesStep::Month => 28 * 24,
        }
    }

    proptest! {
        #[test]
        fn runs_cover_a_stretch_without_gap_or_overlap(start in 0_i64..40_000, hours in 1_i64..30_000) {
            let from = at("2024-01-01T00:00:00Z") + TimeDelta::hours(start);
            let to = from + TimeDelta::hours(hours);
            for step in SeriesStep::ALL {
                let runs = runs(step, from, to);
                prop_assert_eq!(runs.first().map(|run| run.1), Some(from));
                prop_assert_eq!(runs.last().map(|run| run.2), Some(to));
                prop_assert!(runs.len() <= 5);
                let rows: i64 = runs.iter().map(|(step, from, to)| (*to - *from).num_hours() / hours_of(*step) + 1).sum();
                if step == SeriesStep::Month {
                    // What years cost: their months, and a few days and hours at the ends.
                    prop_assert!(rows <= hours / (28 * 24) + 2 * (31 + 24) + 5, "{} rows", rows);
                }
                for pair in runs.windows(2) {
                    prop_assert_eq!(pair[0].2, pair[1].1);
                }
                for (step, from, to) in runs {
                    prop_assert_eq!(start_of(step, from), from);
                    prop_assert_eq!(start_of(step, to), to);
                }
            }
        }
    }
}
