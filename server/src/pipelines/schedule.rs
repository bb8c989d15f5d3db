//! Schedules: five fields of cron, in UTC, and the intervals they cut time into.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};
use gourmetgram_api::{Interval, LabelledIn, NewCampaign, UnusableCampaign};

use crate::config::Settings;

/// When something happens by itself: the five fields of cron, in UTC.
#[derive(Clone, Debug)]
pub struct Schedule(Cron);

/// A text that is no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no schedule: write the five fields of cron, in UTC, for example */30 * * * * ({1})")]
pub struct UnusableSchedule(String, String);

impl FromStr for Schedule {
    type Err = UnusableSchedule;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let unusable = |why: String| UnusableSchedule(text.to_owned(), why);
        let cron = parser.parse(text).map_err(|error| unusable(error.to_string()))?;
        let schedule = Self(cron);
        // A date that never comes, such as the 31st of February, is no schedule.
        match schedule.next_after(DateTime::UNIX_EPOCH) {
            Some(_) => Ok(schedule),
            None => Err(unusable("its time never comes".to_owned())),
        }
    }
}

/// Checks what a campaign is asked to be: by itself, its schedule (whether that is one takes a parser of cron), and whether
/// the place where it is labelled is there.
///
/// # Errors
/// [`UnusableCampaign`] names the first that cannot be.
pub fn check_campaign(asked: &NewCampaign, settings: &Settings) -> Result<(), UnusableCampaign> {
    asked.check()?;
    if asked.labelled_in == LabelledIn::LabelStudio && settings.label_studio.url.is_none() {
        return Err(UnusableCampaign::NoLabelStudio);
    }
    match &asked.schedule {
        Some(schedule) if schedule.parse::<Schedule>().is_err() => {
            Err(UnusableCampaign::Schedule(schedule.chars().take(100).collect()))
        }
        _ => Ok(()),
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.as_str())
    }
}

impl Schedule {
    /// The first time after `time`.
    pub fn next_after(&self, time: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.0.find_next_occurrence(&time, false).ok()
    }

    /// The intervals that have ended by `now` since `done`, oldest first, at most `most` of them. The first begins
    /// where the last one that was done ended, so nothing lies between, also after the schedule was changed.
    ///
    /// Without `catch_up`, of those that were missed only the last is taken, and the time before it is given up.
    pub fn ended(&self, done: DateTime<Utc>, now: DateTime<Utc>, catch_up: bool, most: usize) -> Vec<Interval> {
        if catch_up {
            let mut start = done;
            let mut intervals = Vec::new();
            while intervals.len() < most
                && let Some(end) = self.next_after(start).filter(|end| *end <= now)
            {
                intervals.push(Interval { start, end });
                start = end;
            }
            return intervals;
        }
        let last = self.0.find_previous_occurrence(&now, true).ok().filter(|end| *end > done);
        let start = last.and_then(|end| self.0.find_previous_occurrence(&end, false).ok());
        let start = start.unwrap_or(done).max(done);
        last.map(|end| Interval { start, end }).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        format!("2026-11-{text}Z").parse().unwrap()
    }

    fn ended(schedule: &str, done: &str, now: &str, catch_up: bool) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
        let schedule: Schedule = schedule.parse().unwrap();
        schedule.ended(at(done), at(now), catch_up, 100).into_iter().map(|it| (it.start, it.end)).collect()
    }

    #[test]
    fn five_fields_are_a_schedule_and_nothing_else_is() {
        for good in ["*/30 * * * *", "0 3 * * 1", "15 */6 1 * *", "0 0 29 2 *", "@daily"] {
            assert!(good.parse::<Schedule>().is_ok(), "{good}");
        }
        for bad in ["", "often", "* * * *", "* * * * * *", "61 * * * *", "0 0 31 2 *", "*/0 * * * *"] {
            let error = bad.parse::<Schedule>().unwrap_err().to_string();
            assert!(error.contains("for example"), "{bad}: {error}");
        }
    }

    #[test]
    fn the_first_interval_begins_where_something_began() {
        assert_eq!(ended("*/30 * * * *", "24T10:07:00", "24T10:29:59", true), []);
        assert_eq!(
            ended("*/30 * * * *", "24T10:07:00", "24T11:00:00", true),
            [(at("24T10:07:00"), at("24T10:30:00")), (at("24T10:30:00"), at("24T11:00:00"))]
        );
    }

    #[test]
    fn what_was_missed_is_caught_up_or_given_up() {
        assert_eq!(ended("0 * * * *", "24T00:00:00", "24T05:10:00", true).len(), 5);
        assert_eq!(ended("0 * * * *", "24T00:00:00", "24T05:10:00", false), [(at("24T04:00:00"), at("24T05:00:00"))]);
        assert_eq!(ended("0 * * * *", "24T05:00:00", "24T05:10:00", false), []);
    }

    #[test]
    fn a_changed_schedule_leaves_no_gap() {
        let intervals = ended("0 * * * *", "24T00:10:00", "24T02:00:00", true);
        assert_eq!(intervals[0], (at("24T00:10:00"), at("24T01:00:00")));
    }

    #[test]
    fn a_long_absence_is_caught_up_in_portions() {
        let schedule: Schedule = "* * * * *".parse().unwrap();
        let intervals = schedule.ended(at("01T00:00:00"), at("24T00:00:00"), true, 100);
        assert_eq!(intervals.len(), 100);
        assert!(intervals.windows(2).all(|pair| pair[0].end == pair[1].start));
    }
}
