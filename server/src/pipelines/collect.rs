//! The pipeline `collect`: what people said about a campaign's photos comes into the record, and the photos go where
//! their labels say.
//!
//! 1. **pull** compares everything that stands in the campaign's project with what stood when it was last looked at, and
//!    records what is different, task by task;
//! 2. **erase** removes the tasks of erased photos from Label Studio;
//! 3. **move** waits until the outbox has made the buckets like the labels;
//! 4. **record** writes how much of the campaign is labelled now.
//!
//! On our own pages labels are recorded as they are given, so the first two have nothing to do there.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use chrono::{DurationRound, TimeDelta};
use gourmetgram_api::{Campaign, CampaignName, Cause, Classes, Interval, LabelledIn, RunState};
use gourmetgram_label_studio::{
    AnnotationId, RemoteTask, RemoteTaskId,
    collect::{Changes, Collected, Standing},
};
use uuid::Uuid;

use super::{Pipeline, Progress, Schedule, Scheduled, StepError, Work, publish};
use crate::{
    catalog::{Catalog, CatalogError, CopiesUnderWay, KnownTask, RemoteChanges, RunKey, now},
    label_studio::Studio,
};

/// Its name.
pub const NAME: &str = "collect";

const PULL: &str = "pull";
const ERASE: &str = "erase";
const MOVE: &str = "move";
const RECORD: &str = "record";
const STEPS: &[&str] = &[PULL, ERASE, MOVE, RECORD];

/// How often it is looked whether the photos are where they are to be.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Tries of the outbox before a photo that does not move is a failure of the run.
const PATIENCE: i32 = 6;
/// Useless annotations that a run's log names.
const NAMED: usize = 10;

/// The pipeline.
pub struct Collect {
    catalog: Catalog,
    schedule: Option<Schedule>,
    studio: Option<Arc<Studio>>,
}

/// Has a campaign's labels collected soon: something happened that makes it worth while. However often it is said within
/// a minute, there is one run, when the minute is over.
pub async fn soon(catalog: &Catalog, campaign: Uuid) -> Result<(), CatalogError> {
    let minute = TimeDelta::minutes(1);
    let mut start = now().duration_trunc(minute).unwrap_or_else(|_| now());
    // One that has begun may have looked already: then it is the next minute's.
    for _ in 0..2 {
        let key = RunKey { pipeline: NAME.to_owned(), subject: campaign.to_string(), start, end: start + minute };
        let (run, _) = catalog.ask_for_run_at(&key, Cause::Hint, false, STEPS, start + minute).await?;
        if run.state != RunState::Running.as_str() {
            break;
        }
        start += minute;
    }
    Ok(())
}

impl Collect {
    /// Works with this catalog, by itself at this schedule.
    pub fn new(catalog: Catalog, schedule: Option<Schedule>, studio: Option<Arc<Studio>>) -> Self {
        Self { catalog, schedule, studio }
    }

    async fn campaign(&self, subject: &str) -> Result<Campaign, StepError> {
        let id: Uuid = subject.parse().map_err(|_| StepError::last(format!("{subject:?} is no campaign's id")))?;
        let campaign = self.catalog.campaign(&CampaignName::Id(id)).await?;
        campaign.ok_or_else(|| StepError::last(format!("there is no campaign {id}")))
    }

    async fn pull(&self, campaign: &Campaign, work: &Work) -> Result<Progress, StepError> {
        if campaign.asked.labelled_in == LabelledIn::Review {
            return Ok(Progress::done([]));
        }
        let studio = super::studio_for(self.studio.as_deref(), campaign)?;
        let Some(project) = self.catalog.project_of(campaign.id).await? else {
            work.say("nothing of it is in Label Studio yet").await;
            return Ok(Progress::done([]));
        };
        // What is known is read first: what others record meanwhile must not look as if it had been taken back.
        let known = self.catalog.standing_in_label_studio(campaign.id).await?;
        let tasks = self.catalog.known_tasks(campaign.id).await?;
        let users = studio.client().users().await?;
        let mut pulled = studio.client().tasks(project).await?;
        let is_ours = |remote: &RemoteTask| remote.task.is_none_or(|task| tasks.contains_key(&task));
        let all = pulled.len();
        pulled.retain(is_ours);
        let strangers = all - pulled.len();

        let collected = Collected::new(&pulled, &users, &answers(studio.classes(), &known));
        let changes = Changes::between(&known, &collected.standing);
        for useless in collected.useless.iter().take(NAMED) {
            work.warn(format!("annotation {} is left out: {}", useless.annotation, useless.why)).await;
        }
        let (added, changed, withdrawn) = (changes.added.len(), changes.changed.len(), changes.withdrawn.len());
        if !work.dry_run {
            self.note_numbers(&tasks, &pulled, work).await?;
            for (task, changes) in by_task(&known, changes) {
                match self.catalog.follow_label_studio(task, &changes).await {
                    Ok(_) => {}
                    // Its task goes in the next step.
                    Err(CatalogError::Erased) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        work.say(format!(
            "{} tasks in Label Studio, {} annotations stand: {added} new, {changed} changed, {withdrawn} taken back",
            pulled.len(),
            collected.standing.len(),
        ))
        .await;
        let count = |number: usize| number as u64;
        Ok(Progress::done([
            ("new", count(added)),
            ("changed", count(changed)),
            ("taken back", count(withdrawn)),
            ("useless", count(collected.useless.len())),
            ("not ours", count(collected.foreign.len() + strangers)),
        ]))
    }

    /// Notes the numbers of tasks whose import was cut off before they were noted, and forgets those that are gone: the
    /// next select brings these tasks again.
    async fn note_numbers(
        &self,
        tasks: &HashMap<Uuid, KnownTask>,
        pulled: &[RemoteTask],
        work: &Work,
    ) -> Result<(), StepError> {
        let mut there: HashMap<Uuid, Vec<RemoteTaskId>> = HashMap::new();
        for remote in pulled {
            if let Some(task) = remote.task {
                there.entry(task).or_default().push(remote.id);
            }
        }
        let (mut found, mut gone) = (Vec::new(), Vec::new());
        for (task, known) in tasks {
            match (known.remote, there.get(task).and_then(|numbers| numbers.iter().min())) {
                (None, Some(number)) => found.push((*task, *number)),
                (Some(number), None) => gone.push((*task, number)),
                _ => {}
            }
        }
        self.catalog.note_imported(&found).await?;
        self.catalog.note_gone(&gone).await?;
        let lacking = gone.iter().filter(|(task, _)| tasks.get(task).is_some_and(|known| !known.is_closed)).count();
        if lacking > 0 {
            work.warn(format!(
                "{lacking} tasks were deleted in Label Studio before they were labelled; select brings them again"
            ))
            .await;
        }
        Ok(())
    }

    async fn erase(&self, campaign: &Campaign, work: &Work) -> Result<Progress, StepError> {
        let project = self.catalog.project_of(campaign.id).await?;
        let (Some(project), false) = (project, work.dry_run) else { return Ok(Progress::done([])) };
        let studio = super::studio_for(self.studio.as_deref(), campaign)?;
        let mut erased = 0;
        for (task, remote) in self.catalog.tasks_to_take_away(campaign.id).await? {
            publish::take_away(&self.catalog, studio, project, task, remote).await?;
            erased += 1;
        }
        Ok(Progress::done([("erased", erased)]))
    }

    async fn follow(&self, campaign: &Campaign, work: &Work) -> Result<Progress, StepError> {
        if work.dry_run {
            return Ok(Progress::done([]));
        }
        let CopiesUnderWay { waiting, failing, error } = self.catalog.moves_under_way(campaign.id, PATIENCE).await?;
        if failing > 0 {
            let why = error.unwrap_or_default();
            let message = format!("{failing} photos cannot be moved; the outbox goes on trying: {why}");
            return Err(StepError { message, is_final: false });
        }
        Ok(match waiting {
            0 => Progress::done([]),
            _ => Progress::NotYet(Default::default(), LOOK_AGAIN),
        })
    }

    async fn record(&self, campaign: &Campaign, work: &Work) -> Result<Progress, StepError> {
        let tally = self.catalog.tally(campaign.id).await?;
        if !work.dry_run {
            let Interval { start, end } = work.interval;
            self.catalog.record_collection(work.run, campaign.id, Interval { start, end }, tally).await?;
        }
        work.say(format!("{} of {} photos are labelled", tally.labelled, tally.chosen)).await;
        Ok(Progress::done([
            ("labelled", tally.labelled),
            ("not food", tally.not_food),
            ("unreadable", tally.unreadable),
        ]))
    }
}

/// What counts as an answer: the classes of the model, and those that people have chosen before it came.
fn answers(classes: &Classes, known: &BTreeMap<AnnotationId, Standing>) -> Classes {
    let mut labels: Vec<String> = classes.iter().map(|(_, label)| label.to_owned()).collect();
    for label in known.values().filter_map(|standing| standing.seen.label()) {
        if !labels.iter().any(|known| known == label) {
            labels.push(label.to_owned());
        }
    }
    Classes::new(labels).unwrap_or_else(|_| classes.clone())
}

fn by_task(known: &BTreeMap<AnnotationId, Standing>, changes: Changes) -> BTreeMap<Uuid, RemoteChanges> {
    let mut tasks: BTreeMap<Uuid, RemoteChanges> = BTreeMap::new();
    for id in changes.withdrawn {
        if let Some(standing) = known.get(&id) {
            tasks.entry(standing.task).or_default().withdrawn.push(id);
        }
    }
    for standing in changes.added.into_iter().chain(changes.changed) {
        tasks.entry(standing.task).or_default().said.push(standing);
    }
    tasks
}

#[async_trait::async_trait]
impl Pipeline for Collect {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> &'static str {
        "Takes in what people said about a campaign's photos, and has the photos follow their labels."
    }

    fn steps(&self) -> &'static [&'static str] {
        STEPS
    }

    fn needs_subject(&self) -> bool {
        true
    }

    async fn check(&self, subject: &str) -> Result<(), StepError> {
        let campaign = self.campaign(subject).await?;
        match campaign.asked.labelled_in {
            LabelledIn::Review => Ok(()),
            LabelledIn::LabelStudio => super::studio_for(self.studio.as_deref(), &campaign).map(drop),
        }
    }

    async fn schedules(&self) -> Result<Vec<Scheduled>, CatalogError> {
        let Some(schedule) = &self.schedule else { return Ok(Vec::new()) };
        let scheduled = self.catalog.campaigns_to_collect().await?.into_iter().map(|campaign| Scheduled {
            subject: campaign.id.to_string(),
            schedule: schedule.clone(),
            since: campaign.created_at,
            // Each run looks at everything: one is as good as all that were missed.
            catch_up: false,
            looks_back: TimeDelta::zero(),
            overlap: TimeDelta::zero(),
        });
        Ok(scheduled.collect())
    }

    async fn step(&self, step: &'static str, work: &Work) -> Result<Progress, StepError> {
        let campaign = self.campaign(&work.subject).await?;
        match step {
            PULL => self.pull(&campaign, work).await,
            ERASE => self.erase(&campaign, work).await,
            MOVE => self.follow(&campaign, work).await,
            _ => self.record(&campaign, work).await,
        }
    }
}
