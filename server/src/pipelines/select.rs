//! The pipeline `select`: a campaign chooses the photos of an interval that people are to label.
//!
//! 1. **choose** freezes in one commit which photos were considered, which were chosen and with which probability;
//! 2. **copy** waits until the outbox has brought what was chosen into the buckets.

use std::time::Duration;

use gourmetgram_api::CampaignName;
use uuid::Uuid;

use super::{Pipeline, Progress, Scheduled, StepError, Work};
use crate::catalog::{Catalog, CatalogError, CopiesUnderWay};

const CHOOSE: &str = "choose";
const COPY: &str = "copy";

/// How often it is looked whether the copies are there.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Tries of the outbox before a copy that does not come is a failure of the run.
const PATIENCE: i32 = 6;

/// The pipeline.
pub struct Select {
    catalog: Catalog,
    catch_up: bool,
}

impl Select {
    /// Works with this catalog. `catch_up`: intervals that passed while no server was there are done later.
    pub fn new(catalog: Catalog, catch_up: bool) -> Self {
        Self { catalog, catch_up }
    }

    async fn campaign(&self, subject: &str) -> Result<Uuid, StepError> {
        let id: Uuid = subject.parse().map_err(|_| StepError::last(format!("{subject:?} is no campaign's id")))?;
        match self.catalog.campaign(&CampaignName::Id(id)).await? {
            None => Err(StepError::last(format!("there is no campaign {id}"))),
            Some(campaign) if campaign.archived_at.is_some() => Err(StepError::last(format!(
                "the campaign {:?} is archived: it selects nothing more",
                campaign.asked.name
            ))),
            Some(campaign) => Ok(campaign.id),
        }
    }
}

#[async_trait::async_trait]
impl Pipeline for Select {
    fn name(&self) -> &'static str {
        "select"
    }

    fn about(&self) -> &'static str {
        "Chooses the photos of an interval that people are to label."
    }

    fn steps(&self) -> &'static [&'static str] {
        &[CHOOSE, COPY]
    }

    fn needs_subject(&self) -> bool {
        true
    }

    async fn check(&self, subject: &str) -> Result<(), StepError> {
        self.campaign(subject).await.map(drop)
    }

    async fn schedules(&self) -> Result<Vec<Scheduled>, CatalogError> {
        let scheduled = self.catalog.scheduled_campaigns().await?.into_iter().filter_map(|campaign| {
            let schedule = campaign.schedule.as_deref()?.parse();
            let schedule = schedule
                .inspect_err(|error| tracing::warn!(campaign = campaign.name, %error, "a schedule is not followed"))
                .ok()?;
            Some(Scheduled {
                subject: campaign.id.to_string(),
                schedule,
                since: campaign.starts_at.unwrap_or(campaign.created_at).max(campaign.created_at),
                catch_up: self.catch_up,
            })
        });
        Ok(scheduled.collect())
    }

    async fn step(&self, step: &'static str, work: &Work) -> Result<Progress, StepError> {
        let campaign = self.campaign(&work.subject).await?;
        if step == COPY {
            if work.dry_run {
                return Ok(Progress::done([]));
            }
            let CopiesUnderWay { waiting, failing, error } =
                self.catalog.copies_under_way(campaign, work.interval, PATIENCE).await?;
            if failing > 0 {
                let why = error.unwrap_or_default();
                return Err(StepError {
                    message: format!(
                        "{failing} photos cannot be copied for labelling; the outbox goes on trying: {why}"
                    ),
                    is_final: false,
                });
            }
            return Ok(match waiting {
                0 => Progress::done([]),
                _ => Progress::NotYet(Default::default(), LOOK_AGAIN),
            });
        }
        let selected = self.catalog.select(campaign, work.interval, work.dry_run).await?;
        // Asked again after a server died in between, it chooses nothing more: what counts is what was frozen.
        let (considered, chosen) = match work.dry_run {
            true => (selected.considered, selected.chosen),
            false => self.catalog.selected_within(campaign, work.interval).await?,
        };
        work.say(format!(
            "{chosen} of {considered} photos {}",
            if work.dry_run { "would be chosen" } else { "chosen" }
        ))
        .await;
        Ok(Progress::done([("considered", considered), ("chosen", chosen)]))
    }
}
