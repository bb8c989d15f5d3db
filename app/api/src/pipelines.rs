//! Pipelines: work that goes on by itself, interval by interval, and what became of each run.

use std::{collections::BTreeMap, fmt, str::FromStr};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Interval;

/// What a run or a step did, counted: words like `chosen`, and how many.
pub type Counts = BTreeMap<String, u64>;

/// How far a run or one of its steps is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Not yet begun, or to be tried again.
    #[default]
    Waiting,
    /// Being done.
    Running,
    /// Done.
    Succeeded,
    /// Given up after its last try.
    Failed,
    /// Called off.
    Cancelled,
}

/// A word that is no [`RunState`] or [`Cause`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is none of the known words")]
pub struct UnknownWord(pub String);

impl RunState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Running, Self::Succeeded, Self::Failed, Self::Cancelled];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Nothing more will happen by itself.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for RunState {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

/// Why there is a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Its time had come.
    Schedule,
    /// Somebody asked for it.
    #[default]
    Manual,
    /// Somebody asked for a whole stretch of time.
    Backfill,
    /// Something happened that makes it worth while: labels were given, photos were chosen or erased.
    Hint,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 4] = [Self::Schedule, Self::Manual, Self::Backfill, Self::Hint];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::Manual => "manual",
            Self::Backfill => "backfill",
            Self::Hint => "hint",
        }
    }
}

impl FromStr for Cause {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == text).ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

/// A run that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewRun {
    /// What it is about: a campaign's id; absent where the pipeline has no subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<Uuid>,
    /// The interval's start; absent: half an hour before its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<DateTime<Utc>>,
    /// The interval's end, without it; absent: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<DateTime<Utc>>,
    /// Only says what would be done.
    #[serde(default)]
    pub dry_run: bool,
}

/// A backfill that is asked for: a run for each interval of a stretch of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewBackfill {
    /// What it is about: a campaign's id; absent where the pipeline has no subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<Uuid>,
    /// From here on.
    pub start: DateTime<Utc>,
    /// Up to here, without it.
    pub end: DateTime<Utc>,
    /// Where intervals end: the five fields of cron, in UTC; absent: as the pipeline runs by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// Only says what would be done.
    #[serde(default)]
    pub dry_run: bool,
}

/// A backfill that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Backfill {
    /// Intervals of the stretch of time.
    pub intervals: u64,
    /// Runs that wait because of this: new ones, and those that had failed or were called off.
    pub asked: u64,
    /// Runs that were left as they are: they went well before, or wait or are under way already.
    pub kept: u64,
    /// The first interval.
    pub first: Interval,
    /// The last interval.
    pub last: Interval,
}

/// One step of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunStep {
    /// Its name.
    pub name: String,
    /// How far it is.
    pub state: RunState,
    /// When it last began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// What it did.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::HashMap<String, u64>))]
    pub counts: Counts,
}

/// A line that a run wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LogLine {
    /// When.
    pub at: DateTime<Utc>,
    /// `info`, `warn` or `error`.
    pub level: String,
    /// The line.
    pub text: String,
}

/// A run of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Run {
    /// Names it.
    pub id: Uuid,
    /// The pipeline.
    pub pipeline: String,
    /// The campaign it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<Uuid>,
    /// The interval's start.
    pub start: DateTime<Utc>,
    /// The interval's end, without it.
    pub end: DateTime<Utc>,
    /// Why there is this run.
    pub cause: Cause,
    /// It only says what would be done.
    pub dry_run: bool,
    /// How far it is.
    pub state: RunState,
    /// Tries begun since it was last asked for.
    pub attempts: u32,
    /// When it is due, while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// When it was first asked for.
    pub created_at: DateTime<Utc>,
    /// When its last try began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// What it did.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::HashMap<String, u64>))]
    pub counts: Counts,
    /// Why the last try failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Its steps, in order; only where one run is asked for, and of a pipeline's last run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<RunStep>,
    /// What it said, oldest first; only where one run is asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<LogLine>,
}

/// Some of the runs of a pipeline, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunPage {
    /// The runs, without steps and logs.
    pub items: Vec<Run>,
    /// Ask for those before this one to go on; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_before: Option<Uuid>,
}

/// A pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PipelineInfo {
    /// Its name in addresses and commands.
    pub name: String,
    /// What it is for, in a sentence.
    pub about: String,
    /// Its steps, in order.
    pub steps: Vec<String>,
    /// Each run is about one campaign.
    pub needs_campaign: bool,
    /// How many schedules it has.
    pub schedules: u64,
    /// When it runs next by itself; absent: only when asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_run: Option<DateTime<Utc>>,
    /// The run that was asked for last, without steps and log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<Run>,
}

/// All pipelines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Pipelines {
    /// One each.
    pub items: Vec<PipelineInfo>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_read_back_as_they_are_written() {
        for state in RunState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
        for cause in Cause::ALL {
            assert_eq!(cause.as_str().parse(), Ok(cause));
            assert_eq!(serde_json::to_value(cause).unwrap(), cause.as_str());
        }
        assert!("done".parse::<RunState>().is_err());
    }
}
