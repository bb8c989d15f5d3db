//! The pipeline `select`: a campaign chooses the photos of an interval that people are to label.
//!
//! 1. **choose** freezes in one commit which photos were considered, which were chosen and with which probability;
//! 2. **copy** waits until the outbox has brought what was chosen into the buckets;
//! 3. **project** sees to the campaign's project in Label Studio;
//! 4. **tasks** brings the photos there.
//!
//! Where a campaign is labelled on our own pages, the last two have nothing to do.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use gourmetgram_api::{Campaign, CampaignName, Interval, LabelledIn};
use uuid::Uuid;

use super::{Pipeline, Progress, Scheduled, StepError, Work, collect_soon, publish, studio_for};
use crate::{
    catalog::{Catalog, CatalogError, CopiesUnderWay},
    intake::ACKNOWLEDGED_WITHIN,
    label_studio::Studio,
};

const CHOOSE: &str = "choose";
const COPY: &str = "copy";
const PROJECT: &str = "project";
const TASKS: &str = "tasks";

/// How often it is looked whether the copies are there.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Tries of the outbox before a copy that does not come is a failure of the run.
const PATIENCE: i32 = 6;

/// The pipeline.
pub struct Select {
    catalog: Catalog,
    catch_up: bool,
    studio: Option<Arc<Studio>>,
}

impl Select {
    /// Works with this catalog. `catch_up`: intervals that passed while no server was there are done later.
    pub fn new(catalog: Catalog, catch_up: bool, studio: Option<Arc<Studio>>) -> Self {
        Self { catalog, catch_up, studio }
    }

    async fn campaign(&self, subject: &str) -> Result<Campaign, StepError> {
        let id: Uuid = subject.parse().map_err(|_| StepError::last(format!("{subject:?} is no campaign's id")))?;
        match self.catalog.campaign(&CampaignName::Id(id)).await? {
            None => Err(StepError::last(format!("there is no campaign {id}"))),
            Some(campaign) if campaign.archived_at.is_some() => Err(StepError::last(format!(
                "the campaign {:?} is archived: it selects nothing more",
                campaign.asked.name
            ))),
            Some(campaign) => {
                if campaign.asked.labelled_in == LabelledIn::LabelStudio {
                    studio_for(self.studio.as_deref(), &campaign)?;
                }
                Ok(campaign)
            }
        }
    }

    async fn choose(&self, campaign: &Campaign, work: &Work) -> Result<Progress, StepError> {
        let selected = self.catalog.select(campaign.id, work.interval, work.dry_run).await?;
        for counts in &selected.strata {
            work.say(format!(
                "{}: {} of {}, each with probability {:.4}",
                counts.stratum, counts.chosen, counts.considered, counts.inclusion
            ))
            .await;
        }
        // Asked again after a server died in between, it chooses nothing more: what counts is what was frozen.
        let (considered, chosen) = match looked_at(campaign, work) {
            Some(interval) if !work.dry_run => self.catalog.selected_of(campaign.id, interval).await?,
            _ => (selected.considered, selected.chosen),
        };
        work.say(format!(
            "{chosen} of {considered} photos {}",
            if work.dry_run { "would be chosen" } else { "chosen" }
        ))
        .await;
        Ok(Progress::done([("considered", considered), ("chosen", chosen)]))
    }

    async fn copy(&self, campaign: &Campaign, work: &Work) -> Result<Progress, StepError> {
        let Some(interval) = looked_at(campaign, work) else { return Ok(Progress::done([])) };
        let CopiesUnderWay { waiting, failing, error } =
            self.catalog.copies_under_way(campaign.id, interval, PATIENCE).await?;
        if failing > 0 {
            let why = error.unwrap_or_default();
            let message = format!("{failing} photos cannot be copied for labelling; the outbox goes on trying: {why}");
            return Err(StepError { message, is_final: false });
        }
        Ok(match waiting {
            0 => Progress::done([]),
            _ => Progress::NotYet(Default::default(), LOOK_AGAIN),
        })
    }

    async fn publish(&self, step: &str, campaign: &Campaign, work: &Work) -> Result<Progress, StepError> {
        let progress = match campaign.asked.labelled_in {
            LabelledIn::Review => Progress::done([]),
            LabelledIn::LabelStudio => {
                let studio = studio_for(self.studio.as_deref(), campaign)?;
                match step {
                    PROJECT => publish::project(&self.catalog, studio, campaign, work).await?,
                    _ => publish::tasks(&self.catalog, studio, campaign, work).await?,
                }
            }
        };
        if step == TASKS {
            collect_soon(&self.catalog, campaign.id).await?;
        }
        Ok(progress)
    }
}

/// What of a run's interval lies within its campaign's window: the interval of the batches that it makes.
fn looked_at(campaign: &Campaign, work: &Work) -> Option<Interval> {
    work.interval.within(campaign.asked.starts_at, campaign.asked.ends_at)
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
        &[CHOOSE, COPY, PROJECT, TASKS]
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
                looks_back: TimeDelta::zero(),
                // A photo counts as received before it is acknowledged, and is looked at only afterwards.
                overlap: ACKNOWLEDGED_WITHIN,
            })
        });
        Ok(scheduled.collect())
    }

    async fn step(&self, step: &'static str, work: &Work) -> Result<Progress, StepError> {
        if step == CHOOSE && !work.dry_run {
            // What was begun is finished, also where the campaign was archived in between.
            let id = work.subject.parse().unwrap_or_default();
            self.catalog.finish_draws(id).await?;
        }
        let campaign = self.campaign(&work.subject).await?;
        match step {
            CHOOSE => self.choose(&campaign, work).await,
            _ if work.dry_run => Ok(Progress::done([])),
            COPY => self.copy(&campaign, work).await,
            _ => self.publish(step, &campaign, work).await,
        }
    }
}
