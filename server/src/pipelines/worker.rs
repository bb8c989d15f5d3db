//! The worker of a server: asks for the runs whose time has come, and does those that nobody does.

use std::{sync::Arc, time::Duration};

use chrono::Utc;
use gourmetgram_api::{Cause, Interval, PipelineInfo, Run, RunState};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Pipeline, Progress, StepError, Work};
use crate::catalog::{
    Catalog, CatalogError, RunEnd, RunError, RunKey, RunLease,
    entity::{run, run_step},
    now,
};

/// How long a server may be silent before another takes its run over.
const LEASE: Duration = Duration::from_secs(60);
/// How often a lease is renewed.
const RENEWAL: Duration = Duration::from_secs(15);
/// How often to look without being woken.
const POLL: Duration = Duration::from_secs(2);
/// Missed intervals that are asked for at once, for one schedule.
const CAUGHT_UP_AT_ONCE: usize = 100;
/// However long a run is told to wait for its next try.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);
/// A run whose servers die over and over is not given to yet another one after so many.
const DEATHS: i32 = 10;

/// How often a run that failed is tried again by itself, and how soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retries {
    /// Further tries after the first.
    pub more: u32,
    /// Before the first of them; doubled before each other.
    pub wait: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self { more: 1, wait: Duration::from_secs(5 * 60) }
    }
}

impl Retries {
    /// Tries altogether.
    fn tries(self) -> i32 {
        i32::try_from(self.more).unwrap_or(i32::MAX - 1) + 1
    }

    /// How long a run waits that has failed so many times; nothing where it is not tried again.
    fn wait_after(self, failures: i32) -> Option<Duration> {
        let doubled = self.wait.saturating_mul(1 << (failures - 1).clamp(0, 16)).min(LONGEST_WAIT);
        (failures < self.tries()).then_some(doubled)
    }
}

/// Does the work of pipelines on this server. Cheap to clone.
#[derive(Clone)]
pub struct Worker {
    catalog: Catalog,
    node: Uuid,
    pipelines: Arc<[Box<dyn Pipeline>]>,
    retries: Retries,
    lease: Duration,
    wakeup: Arc<Notify>,
}

impl Worker {
    /// A worker on this node that knows these pipelines.
    pub fn new(catalog: Catalog, node: Uuid, pipelines: Vec<Box<dyn Pipeline>>, retries: Retries) -> Self {
        Self { catalog, node, pipelines: pipelines.into(), retries, lease: LEASE, wakeup: Arc::new(Notify::new()) }
    }

    /// The same with another patience with silent servers than a minute.
    #[must_use]
    pub fn with_lease(self, lease: Duration) -> Self {
        Self { lease, ..self }
    }

    /// The pipelines it knows.
    pub fn pipelines(&self) -> &[Box<dyn Pipeline>] {
        &self.pipelines
    }

    /// The pipeline of this name.
    pub fn pipeline(&self, name: &str) -> Option<&dyn Pipeline> {
        self.pipelines.iter().find(|pipeline| pipeline.name() == name).map(|pipeline| &**pipeline)
    }

    /// Asks for a run of a pipeline that it knows; a dry run is always a new one.
    pub async fn ask(
        &self,
        pipeline: &dyn Pipeline,
        subject: &str,
        interval: Interval,
        cause: Cause,
        dry_run: bool,
    ) -> Result<(Run, bool), CatalogError> {
        let key = RunKey {
            pipeline: pipeline.name().to_owned(),
            subject: subject.to_owned(),
            start: interval.start,
            end: interval.end,
        };
        let (row, is_new) = self.catalog.ask_for_run(&key, cause, dry_run, pipeline.steps()).await?;
        self.wakeup.notify_one();
        let run = self.catalog.run(row.id).await?.ok_or(CatalogError::NotFound)?;
        Ok((run, is_new))
    }

    /// Asks for a run of each interval. Those that went well before, wait or are under way stay as they are. Answers how many
    /// runs wait because of this.
    pub async fn backfill(
        &self,
        pipeline: &dyn Pipeline,
        subject: &str,
        intervals: &[Interval],
        dry_run: bool,
    ) -> Result<u64, CatalogError> {
        let asked =
            self.catalog.ask_for_backfill(pipeline.name(), subject, intervals, dry_run, pipeline.steps()).await?;
        self.wakeup.notify_one();
        Ok(asked)
    }

    /// Works until `stop`. A run that is under way then is given back at its next step.
    pub async fn run(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let idle = match self.turn(&stop).await {
                Ok(worked) => !worked,
                Err(error) => {
                    tracing::warn!(%error, "pipelines wait: the catalog does not answer");
                    true
                }
            };
            if idle {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = self.wakeup.notified() => {}
                    () = tokio::time::sleep(POLL) => {}
                }
            }
        }
    }

    /// Asks for what is due and works on one run. Answers whether there was one.
    pub async fn turn(&self, stop: &CancellationToken) -> Result<bool, CatalogError> {
        self.ask_for_what_is_due().await?;
        // Servers of another version may know others, which are left to them.
        let known: Vec<&str> = self.pipelines.iter().map(|pipeline| pipeline.name()).collect();
        let Some((row, lease)) = self.catalog.claim_run(self.node, &known, self.lease).await? else {
            return Ok(false);
        };
        self.work(row, lease, stop).await?;
        Ok(true)
    }

    /// Every server does this: the catalog keeps one run of each interval.
    async fn ask_for_what_is_due(&self) -> Result<(), CatalogError> {
        for pipeline in &*self.pipelines {
            for scheduled in pipeline.schedules().await? {
                let done = self.catalog.scheduled_until(pipeline.name(), &scheduled.subject).await?;
                let done = done.map_or(scheduled.since, |done| done.max(scheduled.since));
                let intervals = scheduled.schedule.ended(done, Utc::now(), scheduled.catch_up, CAUGHT_UP_AT_ONCE);
                for Interval { start, end } in intervals {
                    let start = (start - scheduled.overlap).max(scheduled.since).min(end - scheduled.looks_back);
                    let key =
                        RunKey { pipeline: pipeline.name().to_owned(), subject: scheduled.subject.clone(), start, end };
                    self.catalog.ask_for_run(&key, Cause::Schedule, false, pipeline.steps()).await?;
                }
            }
        }
        Ok(())
    }

    /// Works on this very run, if it is due and nobody else does. Answers whether it did.
    pub async fn work_on(&self, run: Uuid, stop: &CancellationToken) -> Result<bool, CatalogError> {
        let Some((row, lease)) = self.catalog.claim_this_run(self.node, run, self.lease).await? else {
            return Ok(false);
        };
        self.work(row, lease, stop).await?;
        Ok(true)
    }

    /// What there is to know of each pipeline: its steps, when it runs next by itself, and its last run.
    pub async fn describe(&self) -> Result<Vec<PipelineInfo>, CatalogError> {
        let at = Utc::now();
        let mut known = Vec::new();
        for pipeline in &*self.pipelines {
            let scheduled = pipeline.schedules().await?;
            let next = scheduled.iter().filter_map(|one| one.schedule.next_after(at.max(one.since))).min();
            known.push(PipelineInfo {
                name: pipeline.name().to_owned(),
                about: pipeline.about().to_owned(),
                steps: pipeline.steps().iter().map(|step| (*step).to_owned()).collect(),
                needs_campaign: pipeline.needs_subject(),
                schedules: scheduled.len() as u64,
                next_run: next,
                last_run: self.catalog.last_run(pipeline.name()).await?,
            });
        }
        Ok(known)
    }

    async fn work(&self, row: run::Model, lease: RunLease, stop: &CancellationToken) -> Result<(), CatalogError> {
        let ended = tokio::select! {
            end = self.steps(&row, lease, stop) => match end {
                Ok(end) => self.catalog.end_run(lease, &end).await,
                Err(error) => Err(error),
            },
            error = self.keep(lease) => Err(error),
        };
        match ended {
            Ok(()) => Ok(()),
            Err(RunError::Lost(lost)) => {
                tracing::info!(run = %row.id, "{lost}");
                Ok(())
            }
            // The lease runs out, and another turn takes the run up again.
            Err(RunError::Catalog(error)) => Err(error),
        }
    }

    /// Renews the lease for as long as it is polled; ends when the lease is lost.
    async fn keep(&self, lease: RunLease) -> RunError {
        let every = RENEWAL.min(self.lease / 4);
        loop {
            tokio::time::sleep(every).await;
            match self.catalog.renew_run(lease, self.lease).await {
                Ok(()) => {}
                Err(lost @ RunError::Lost(_)) => return lost,
                // It still holds for a while.
                Err(RunError::Catalog(error)) => tracing::warn!(run = %lease.run, %error, "a lease is not renewed"),
            }
        }
    }

    async fn steps(&self, row: &run::Model, lease: RunLease, stop: &CancellationToken) -> Result<RunEnd, RunError> {
        let Some(pipeline) = self.pipelines.iter().find(|pipeline| pipeline.name() == row.pipeline) else {
            return Ok(RunEnd::Failed(format!("this version knows no pipeline {:?}", row.pipeline)));
        };
        let Ok(interval) = Interval::between(Some(row.interval_start), Some(row.interval_end), Utc::now()) else {
            return Ok(RunEnd::Failed("its interval has nothing in it".to_owned()));
        };
        if row.takeovers >= DEATHS {
            return Ok(RunEnd::Failed(format!("{} servers ended while they worked on it", row.takeovers)));
        }
        let work = Work {
            run: row.id,
            subject: row.subject.clone(),
            interval,
            dry_run: row.dry_run,
            catalog: self.catalog.clone(),
        };
        let known = self.catalog.steps_of_run(row.id).await?;
        for (position, name) in pipeline.steps().iter().enumerate() {
            let is_done = known
                .get(position)
                .is_some_and(|step: &run_step::Model| step.name == *name && step.state == RunState::Succeeded.as_str());
            if is_done {
                continue;
            }
            if stop.is_cancelled() {
                return Ok(RunEnd::Later(now()));
            }
            self.catalog.begin_step(lease, position).await?;
            match guarded(pipeline.as_ref(), name, &work).await {
                Ok(Progress::Done(counts)) => {
                    die_where_a_test_says(row, name, "done");
                    self.catalog.end_step(lease, position, RunState::Succeeded, &counts).await?;
                    die_where_a_test_says(row, name, "noted");
                }
                Ok(Progress::NotYet(counts, wait)) => {
                    self.catalog.end_step(lease, position, RunState::Waiting, &counts).await?;
                    return Ok(RunEnd::Later(now() + wait));
                }
                Err(error) => {
                    work.write("error", &format!("{name}: {error}")).await;
                    self.catalog.end_step(lease, position, RunState::Failed, &Default::default()).await?;
                    tracing::warn!(run = %row.id, pipeline = row.pipeline, step = name, %error, "a step failed");
                    // A try that ended with its server says nothing about the run.
                    return Ok(self.after_failure(row.attempts - row.takeovers, error));
                }
            }
        }
        Ok(RunEnd::Succeeded)
    }

    fn after_failure(&self, failures: i32, error: StepError) -> RunEnd {
        match self.retries.wait_after(failures) {
            Some(wait) if !error.is_final => RunEnd::Again(error.message, now() + wait),
            _ => RunEnd::Failed(error.message),
        }
    }
}

/// Dies like a server whose power is cut, where `GOURMETGRAM_TEST_DIES_AT` names this place as
/// `pipeline/step/done|noted/subject`: a step is done and that is not noted yet, or it is. A build for production has none of it.
#[cfg(debug_assertions)]
fn die_where_a_test_says(row: &run::Model, step: &str, moment: &str) {
    let place = || format!("{}/{step}/{moment}/{}", row.pipeline, row.subject);
    if std::env::var("GOURMETGRAM_TEST_DIES_AT").is_ok_and(|wanted| wanted == place()) {
        use rustix::process::{Signal, getpid, kill_process};
        let _ = kill_process(getpid(), Signal::KILL);
    }
}

#[cfg(not(debug_assertions))]
fn die_where_a_test_says(_: &run::Model, _: &str, _: &str) {}

/// A step that panics has failed like any other.
async fn guarded(pipeline: &dyn Pipeline, name: &'static str, work: &Work) -> Result<Progress, StepError> {
    use futures::FutureExt;
    let step = std::panic::AssertUnwindSafe(pipeline.step(name, work)).catch_unwind().await;
    step.unwrap_or_else(|_| {
        Err(StepError { message: "the step panicked; the server's log has where".to_owned(), is_final: false })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn by_default_a_run_that_failed_is_tried_once_more_after_five_minutes() {
        for retries in [Retries::default(), config::Pipelines::default().retries()] {
            assert_eq!(retries.wait_after(1), Some(5 * MINUTE));
            assert_eq!(retries.wait_after(2), None);
        }
    }

    #[test]
    fn each_further_try_waits_twice_as_long_and_a_day_at_most() {
        let settings = config::Pipelines { retries: 40, retry_after_seconds: 300, ..config::Pipelines::default() };
        let retries = settings.retries();
        let waits: Vec<Duration> = (1..=40).map(|attempts| retries.wait_after(attempts).unwrap()).collect();
        assert_eq!(waits[..4], [5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 40 * MINUTE]);
        for pair in waits.windows(2) {
            assert_eq!(pair[1], (2 * pair[0]).min(24 * 60 * MINUTE));
        }
        assert_eq!(waits[39], 24 * 60 * MINUTE);
        assert_eq!(retries.wait_after(41), None);
    }

    #[test]
    fn settings_without_further_tries_or_with_countless_ones_are_taken_at_their_word() {
        let wait = MINUTE;
        assert_eq!(Retries { more: 0, wait }.wait_after(1), None);
        assert!(Retries { more: u32::MAX, wait }.wait_after(1_000_000).is_some());
    }
}
