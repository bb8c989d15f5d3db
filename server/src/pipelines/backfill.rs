//! A backfill: a stretch of time, cut into the intervals of a schedule, with a run for each.

use chrono::{DateTime, Utc};
use gourmetgram_api::Interval;

use super::{Pipeline, Schedule};
use crate::catalog::CatalogError;

/// Most runs of one backfill.
pub const MAX_INTERVALS: usize = 10_000;

/// Why a stretch of time cannot be cut into intervals.
#[derive(Debug, thiserror::Error)]
pub enum BackfillError {
    /// There is nothing in it.
    #[error("end must be after start")]
    Backwards,
    /// Nobody said where intervals end.
    #[error("say where intervals end, as schedule, for example '0 * * * *': {0} does not run by itself here")]
    NoSchedule(&'static str),
    /// More intervals than one backfill may have.
    #[error("that is more than {most} intervals: take a shorter stretch of time, or a schedule with longer ones")]
    TooMany {
        /// How many may be.
        most: usize,
    },
    /// The pipeline's own schedule cannot be read.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// The intervals from `start` up to `end`, oldest first: as `schedule` cuts them, or else as the pipeline runs by itself. What
/// is left over at the end is one more.
///
/// # Errors
/// [`BackfillError`] says what is to be asked differently.
pub async fn intervals(
    pipeline: &dyn Pipeline,
    subject: &str,
    (start, end): (DateTime<Utc>, DateTime<Utc>),
    schedule: Option<Schedule>,
) -> Result<Vec<Interval>, BackfillError> {
    if start >= end {
        return Err(BackfillError::Backwards);
    }
    let schedule = match schedule {
        Some(schedule) => schedule,
        None => {
            let own = pipeline.schedules().await?.into_iter().find(|scheduled| scheduled.subject == subject);
            own.ok_or_else(|| BackfillError::NoSchedule(pipeline.name()))?.schedule
        }
    };
    cut(start, end, &schedule)
}

fn cut(start: DateTime<Utc>, end: DateTime<Utc>, schedule: &Schedule) -> Result<Vec<Interval>, BackfillError> {
    let mut intervals = schedule.ended(start, end, true, MAX_INTERVALS + 1);
    let last = intervals.last().map_or(start, |interval| interval.end);
    if last < end {
        intervals.push(Interval { start: last, end });
    }
    match intervals.len() <= MAX_INTERVALS {
        true => Ok(intervals),
        false => Err(BackfillError::TooMany { most: MAX_INTERVALS }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        format!("2026-11-{text}:00Z").parse().unwrap()
    }

    #[test]
    fn intervals_lie_without_gaps_and_what_is_left_over_is_one_more() {
        let cut = cut(at("23T00:00"), at("24T00:00"), &"0 */7 * * *".parse().unwrap()).unwrap();
        let ends: Vec<_> = cut.iter().map(|interval| interval.end).collect();
        assert_eq!(ends, [at("23T07:00"), at("23T14:00"), at("23T21:00"), at("24T00:00")]);
        assert_eq!(cut[0].start, at("23T00:00"));
        assert!(cut.windows(2).all(|pair| pair[0].end == pair[1].start));
    }

    #[test]
    fn ten_thousand_intervals_are_the_most() {
        let minutes: Schedule = "* * * * *".parse().unwrap();
        let start = at("01T00:00");
        let most = start + chrono::TimeDelta::minutes(MAX_INTERVALS as i64);
        assert_eq!(cut(start, most, &minutes).unwrap().len(), MAX_INTERVALS);
        let refused = cut(start, most + chrono::TimeDelta::seconds(1), &minutes).unwrap_err();
        assert!(matches!(refused, BackfillError::TooMany { most: MAX_INTERVALS }), "{refused}");
    }
}
