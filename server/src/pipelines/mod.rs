//! Pipelines: work that is done interval by interval, by itself or when asked for, on whichever server is free.
//!
//! A pipeline is a list of steps that can each be done twice. What is known of a run stands in the catalog
//! ([`Catalog::ask_for_run`](crate::catalog::Catalog::ask_for_run)): every server looks there for schedules whose time has
//! come and for runs that nobody works on, so none is lost with a server, and none is done twice at a time.

pub mod backfill;
mod collect;
mod publish;
mod schedule;
mod select;
mod tags;
mod worker;

use std::{fmt, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use gourmetgram_api::{Campaign, Counts, Interval};
use uuid::Uuid;

pub use collect::soon as collect_soon;
pub use schedule::{Schedule, UnusableSchedule, check_campaign};
pub use tags::NAME as READS_TAGS;
pub use worker::{Retries, Worker};

use self::{collect::Collect, select::Select, tags::Tags};
use crate::{
    catalog::{Catalog, CatalogError},
    config,
    label_studio::Studio,
    outbox::TagReader,
};

/// Every pipeline of this version. `tags`: what takes in the tags of other tools; without it that pipeline cannot be run
/// here.
pub fn all(
    catalog: &Catalog,
    settings: &config::Pipelines,
    studio: Option<&Arc<Studio>>,
    tags: Option<TagReader>,
) -> Vec<Box<dyn Pipeline>> {
    // A schedule that is none was refused with the settings.
    let collects_at = settings.collect_schedule().ok().flatten();
    let reads_tags_at = settings.tags_schedule().ok().flatten();
    let reads_back = TimeDelta::days(i64::from(settings.tags_days));
    vec![
        Box::new(Select::new(catalog.clone(), settings.catch_up, studio.cloned())),
        Box::new(Collect::new(catalog.clone(), collects_at, studio.cloned())),
        Box::new(Tags::new(catalog.clone(), tags, reads_tags_at.map(|schedule| (schedule, reads_back)))),
    ]
}

/// Where a campaign is labelled that is labelled in Label Studio.
fn studio_for<'a>(studio: Option<&'a Studio>, campaign: &Campaign) -> Result<&'a Studio, StepError> {
    studio.ok_or_else(|| {
        StepError::last(format!(
            "the campaign {:?} is labelled in Label Studio, and this server knows none: set label_studio.url and \
             label_studio.token",
            campaign.asked.name
        ))
    })
}

/// One kind of work.
#[async_trait::async_trait]
pub trait Pipeline: Send + Sync {
    /// Its name in addresses and commands, for example `select`.
    fn name(&self) -> &'static str;

    /// What it is for, in a sentence.
    fn about(&self) -> &'static str;

    /// Whether each run is about one campaign.
    fn needs_subject(&self) -> bool {
        false
    }

    /// Whether it can be run for this subject; asked before a run is made by hand.
    async fn check(&self, _subject: &str) -> Result<(), StepError> {
        Ok(())
    }

    /// Its steps, in the order in which they are done.
    fn steps(&self) -> &'static [&'static str];

    /// What it is to be run for by itself, and when.
    async fn schedules(&self) -> Result<Vec<Scheduled>, CatalogError>;

    /// Does one step of a run. It may be called again for the same run: after a failure, or after a server has died.
    async fn step(&self, step: &'static str, work: &Work) -> Result<Progress, StepError>;
}

/// Something that a pipeline is run for by itself.
#[derive(Clone, Debug)]
pub struct Scheduled {
    /// A campaign's id, or empty.
    pub subject: String,
    /// When.
    pub schedule: Schedule,
    /// From when on.
    pub since: DateTime<Utc>,
    /// Whether intervals that were missed are done later.
    pub catch_up: bool,
    /// How far before its end an interval reaches at least, over what earlier ones have looked at.
    pub looks_back: TimeDelta,
    /// How far an interval reaches back into the one before, for what came late; never before `since`.
    pub overlap: TimeDelta,
}

/// How far a step came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is done.
    Done(Counts),
    /// It waits for something that others do, and is to be looked at again.
    NotYet(Counts, Duration),
}

impl Progress {
    /// Done, with these counts.
    pub fn done<const N: usize>(counts: [(&str, u64); N]) -> Self {
        Self::Done(counts.into_iter().map(|(word, number)| (word.to_owned(), number)).collect())
    }
}

/// Why a step failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepError {
    /// For people: what was wrong and what to do.
    pub message: String,
    /// Trying again would not help.
    pub is_final: bool,
}

impl StepError {
    /// A failure that trying again would not mend.
    pub fn last(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), is_final: true }
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl<E: std::error::Error> From<E> for StepError {
    fn from(error: E) -> Self {
        Self { message: error.to_string(), is_final: false }
    }
}

/// The run a step belongs to.
#[derive(Clone, Debug)]
pub struct Work {
    /// The run's id.
    pub run: Uuid,
    /// A campaign's id, or empty.
    pub subject: String,
    /// The interval.
    pub interval: Interval,
    /// Only to find out what would be done.
    pub dry_run: bool,
    catalog: Catalog,
}

impl Work {
    /// Writes a line into the run's log. A line that cannot be written is no reason to stop.
    pub async fn say(&self, text: impl fmt::Display) {
        self.write("info", &text.to_string()).await;
    }

    /// Writes a warning into the run's log.
    pub async fn warn(&self, text: impl fmt::Display) {
        self.write("warn", &text.to_string()).await;
    }

    async fn write(&self, level: &str, text: &str) {
        if let Err(error) = self.catalog.log_run(self.run, level, text).await {
            tracing::warn!(run = %self.run, %error, "a line of a run's log is lost: {text}");
        }
    }
}
