//! The pipeline `tags`: takes in what other tools have changed in the tags of an interval's photos.
//!
//! One request to the object store for each photo of the interval, however many there are in the bucket. The outbox does
//! the same for the photos that it visits, so nothing is lost where nobody runs this; it is only found later.

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, stream};
use uuid::Uuid;

use super::{Pipeline, Progress, Schedule, Scheduled, StepError, Work};
use crate::{
    catalog::{Catalog, CatalogError, now},
    outbox::TagReader,
};

/// Its name.
pub const NAME: &str = "tags";

const READ: &str = "read";

/// Photos that are looked at at the same time.
const CONCURRENCY: usize = 8;
/// Photos that are asked for at once.
const PAGE: u64 = 500;

/// The pipeline.
pub struct Tags {
    catalog: Catalog,
    reader: Option<TagReader>,
    /// When it runs by itself, and how far back it looks then.
    schedule: Option<(Schedule, TimeDelta)>,
    since: DateTime<Utc>,
}

impl Tags {
    /// Reads tags with this reader; by itself at this schedule, of the photos that were received so long before.
    pub fn new(catalog: Catalog, reader: Option<TagReader>, schedule: Option<(Schedule, TimeDelta)>) -> Self {
        Self { catalog, reader, schedule, since: now() }
    }

    fn reader(&self) -> Result<&TagReader, StepError> {
        self.reader.as_ref().ok_or_else(|| StepError::last("this process has no way to the object store"))
    }

    /// Looks at one photo; answers how many changes there are.
    async fn look_at(&self, id: Uuid, key: String, work: &Work) -> Result<u64, StepError> {
        let reader = self.reader()?;
        if work.dry_run {
            return Ok(u64::from(reader.differs(id, &key).await?));
        }
        // Erased meanwhile, or removed by somebody: nothing is to be taken in.
        let Some(taken) = reader.take_in(id, &key).await? else { return Ok(0) };
        if let Some(label) = taken.unknown_class {
            work.warn(format!("{key}: the tag corrected_class is {label:?}, and no model has such a class")).await;
        }
        Ok(taken.changes.len() as u64)
    }
}

#[async_trait::async_trait]
impl Pipeline for Tags {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Takes in flags and corrections that other tools have written to the tags of an interval’s photos."
    }

    fn steps(&self) -> &'static [&'static str] {
        &[READ]
    }

    async fn check(&self, _: &str) -> Result<(), StepError> {
        self.reader().map(drop)
    }

    async fn schedules(&self) -> Result<Vec<Scheduled>, CatalogError> {
        let scheduled = self.schedule.as_ref().map(|(schedule, looks_back)| Scheduled {
            subject: String::new(),
            schedule: schedule.clone(),
            since: self.since,
            // The next run looks back over what was missed.
            catch_up: false,
            // Others write tags long after a photo came.
            looks_back: *looks_back,
            overlap: TimeDelta::zero(),
        });
        Ok(scheduled.into_iter().collect())
    }

    async fn step(&self, _: &'static str, work: &Work) -> Result<Progress, StepError> {
        let (mut looked_at, mut changed, mut after) = (0_u64, 0_u64, None);
        loop {
            let photos = self.catalog.photos_with_tags(work.interval.start, work.interval.end, after, PAGE).await?;
            let Some((id, _, at)) = photos.last() else { break };
            after = Some((*at, *id));
            looked_at += photos.len() as u64;
            let looks = stream::iter(photos).map(|(id, key, _)| self.look_at(id, key, work));
            let found: Vec<Result<u64, StepError>> = looks.buffer_unordered(CONCURRENCY).collect().await;
            for found in found {
                changed += found?;
            }
        }
        let would = if work.dry_run { "differ" } else { "taken in" };
        work.say(format!("{looked_at} photos looked at, {changed} changes {would}")).await;
        Ok(Progress::done([("looked_at", looked_at), ("changed", changed)]))
    }
}
