//! Runs of pipelines: asked for once, claimed by one server at a time, and never lost when that one dies.
//!
//! A run's row is the truth about it. Whoever works on it holds a lease, renews it, and may write to the run only while
//! the lease is its own: a server that was thought dead and comes back changes nothing.

use std::{collections::HashSet, time::Duration};

use chrono::{DateTime, Utc};
use gourmetgram_api::{Cause, Counts, Interval, LogLine, Run, RunState, RunStep};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Alias, Expr, OnConflict, Query},
};
use uuid::Uuid;

use super::{
    Catalog, CatalogError,
    entity::{
        run::{self, Column},
        run_log, run_step,
    },
    now,
};

/// Lines of a run's log that are shown: the newest.
const SHOWN_LINES: u64 = 500;
/// Runs that are asked for in one transaction.
const RUNS_AT_ONCE: usize = 500;
/// Runs in trouble that are looked through.
const SHOWN_TROUBLES: u64 = 500;

/// Which run is meant: there is one for each, dry runs aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunKey {
    /// Name of the pipeline.
    pub pipeline: String,
    /// What it is about: a campaign's id, or empty.
    pub subject: String,
    /// The interval's start.
    pub start: DateTime<Utc>,
    /// The interval's end, without it.
    pub end: DateTime<Utc>,
}

/// How a try ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunEnd {
    /// Everything is done.
    Succeeded,
    /// It failed, and is not tried again.
    Failed(String),
    /// It failed, and is tried again at this time.
    Again(String, DateTime<Utc>),
    /// It waits for something else, and is looked at again at this time; that is no failure.
    Later(DateTime<Utc>),
}

/// The lease of a run: who may write to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunLease {
    /// The run.
    pub run: Uuid,
    token: Uuid,
}

/// Another server has taken the run over, or it was called off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the run is no longer ours: another server took it over, or it was called off")]
pub struct LeaseLost;

/// Why something could not be written to a run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The lease is gone.
    #[error(transparent)]
    Lost(#[from] LeaseLost),
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

impl From<sea_orm::DbErr> for RunError {
    fn from(error: sea_orm::DbErr) -> Self {
        Self::Catalog(error.into())
    }
}

impl Catalog {
    /// Asks for a run. Where there is one for this key already, a schedule leaves it as it is, and a backfill one that
    /// went well; whoever asks by hand has it done again from its first step, unless it is waiting or under way. Answers the run, and whether this call
    /// made it.
    pub async fn ask_for_run(
        &self,
        key: &RunKey,
        cause: Cause,
        dry_run: bool,
        steps: &[&str],
    ) -> Result<(run::Model, bool), CatalogError> {
        self.ask_for_run_at(key, cause, dry_run, steps, now()).await
    }

    /// The same, to be done not before `due_at`. A run that waits already keeps its time.
    pub async fn ask_for_run_at(
        &self,
        key: &RunKey,
        cause: Cause,
        dry_run: bool,
        steps: &[&str],
        due_at: DateTime<Utc>,
    ) -> Result<(run::Model, bool), CatalogError> {
        let transaction = self.begin().await?;
        let id = Uuid::now_v7();
        let row = new_run(id, key, cause, dry_run, due_at);
        let made = run::Entity::insert(row)
            .on_conflict(OnConflict::new().do_nothing().to_owned())
            .exec_without_returning(&transaction)
            .await?;
        if made == 0 {
            let standing = run::Entity::find()
                .filter(is(key))
                .filter(Column::DryRun.eq(false))
                .lock_exclusive()
                .one(&transaction)
                .await?
                .ok_or(CatalogError::NotFound)?;
            let state = state_of(&standing)?;
            let is_done = cause == Cause::Backfill && state == RunState::Succeeded;
            if cause == Cause::Schedule || is_done || !state.is_over() {
                transaction.rollback().await?;
                return Ok((standing, false));
            }
            do_again(&transaction, &[standing.id], cause, due_at, steps).await?;
            transaction.commit().await?;
            let again = run::Entity::find_by_id(standing.id).one(&self.write).await?;
            return Ok((again.ok_or(CatalogError::NotFound)?, false));
        }
        add_steps(&transaction, &[id], steps).await?;
        let row = run::Entity::find_by_id(id).one(&transaction).await?.ok_or(CatalogError::NotFound)?;
        transaction.commit().await?;
        Ok((row, true))
    }

    /// Asks for a run of each of these intervals, as a backfill does: what went well before, waits or is under way stays as
    /// it is, what failed or was called off is done again; dry runs are always new. A bounded number of them in one
    /// transaction, so that nobody waits for long; asked again after a death in between, it asks for the rest. Answers how many
    /// runs wait because of this.
    pub async fn ask_for_backfill(
        &self,
        pipeline: &str,
        subject: &str,
        intervals: &[Interval],
        dry_run: bool,
        steps: &[&str],
    ) -> Result<u64, CatalogError> {
        let due_at = now();
        let mut asked = 0;
        for intervals in intervals.chunks(RUNS_AT_ONCE) {
            let (Some(first), Some(last)) = (intervals.first(), intervals.last()) else { continue };
            let transaction = self.begin().await?;
            let rows: Vec<_> = intervals
                .iter()
                .map(|interval| {
                    let Interval { start, end } = *interval;
                    let key = RunKey { pipeline: pipeline.to_owned(), subject: subject.to_owned(), start, end };
                    new_run(Uuid::now_v7(), &key, Cause::Backfill, dry_run, due_at)
                })
                .collect();
            let ids: Vec<Uuid> = rows.iter().filter_map(|row| row.id.try_as_ref().copied()).collect();
            run::Entity::insert_many(rows)
                .on_conflict(OnConflict::new().do_nothing().to_owned())
                .exec_without_returning(&transaction)
                .await?;
            let made: Vec<Uuid> = run::Entity::find()
                .select_only()
                .column(Column::Id)
                .filter(Column::Id.is_in(ids))
                .into_tuple()
                .all(&transaction)
                .await?;
            add_steps(&transaction, &made, steps).await?;
            let mut again = Vec::new();
            if made.len() < intervals.len() {
                let wanted: HashSet<_> = intervals.iter().map(|interval| (interval.start, interval.end)).collect();
                let over = [RunState::Failed.as_str(), RunState::Cancelled.as_str()];
                let failed = run::Entity::find()
                    .filter(Column::Pipeline.eq(pipeline))
                    .filter(Column::Subject.eq(subject))
                    .filter(Column::IntervalStart.gte(first.start))
                    .filter(Column::IntervalEnd.lte(last.end))
                    .filter(Column::DryRun.eq(false))
                    .filter(Column::State.is_in(over))
                    .order_by_asc(Column::Id)
                    .lock_exclusive()
                    .all(&transaction)
                    .await?;
                again.extend(
                    failed
                        .iter()
                        .filter(|run| wanted.contains(&(run.interval_start, run.interval_end)))
                        .map(|run| run.id),
                );
                do_again(&transaction, &again, Cause::Backfill, due_at, steps).await?;
            }
            transaction.commit().await?;
            asked += (made.len() + again.len()) as u64;
        }
        Ok(asked)
    }

    /// Claims the run of one of these pipelines that has been due longest: one that waits, or one whose server has let
    /// its lease run out. Runs of a backfill, of which there may be thousands, let all others pass.
    pub async fn claim_run(
        &self,
        node: Uuid,
        pipelines: &[&str],
        lease_for: Duration,
    ) -> Result<Option<(run::Model, RunLease)>, CatalogError> {
        let known = Column::Pipeline.is_in(pipelines.iter().copied());
        self.claim_one(node, Condition::all().add(known), lease_for).await
    }

    /// Claims this very run, if it is due and nobody works on it.
    pub async fn claim_this_run(
        &self,
        node: Uuid,
        run: Uuid,
        lease_for: Duration,
    ) -> Result<Option<(run::Model, RunLease)>, CatalogError> {
        self.claim_one(node, Condition::all().add(Column::Id.eq(run)), lease_for).await
    }

    async fn claim_one(
        &self,
        node: Uuid,
        among: Condition,
        lease_for: Duration,
    ) -> Result<Option<(run::Model, RunLease)>, CatalogError> {
        loop {
            let at = now();
            let waits = Condition::all().add(Column::State.eq(RunState::Waiting.as_str())).add(Column::DueAt.lte(at));
            let left =
                Condition::all().add(Column::State.eq(RunState::Running.as_str())).add(Column::LeasedUntil.lt(at));
            let free = Condition::all().add(among.clone()).add(Condition::any().add(waits).add(left));
            let candidate = run::Entity::find()
                .filter(free.clone())
                .order_by_asc(Expr::col(Column::Cause).eq(Cause::Backfill.as_str()))
                .order_by_asc(Column::DueAt)
                .order_by_asc(Column::IntervalStart)
                .order_by_asc(Column::Id)
                .limit(1)
                .one(&self.read)
                .await?;
            let Some(candidate) = candidate else { return Ok(None) };
            let token = Uuid::now_v7();
            let taken_over = i32::from(state_of(&candidate)? == RunState::Running);
            let won = run::Entity::update_many()
                .set(run::ActiveModel {
                    state: Set(RunState::Running.as_str().to_owned()),
                    started_at: Set(Some(at)),
                    lease: Set(Some(token)),
                    leased_by: Set(Some(node)),
                    leased_until: Set(Some(at + lease_for)),
                    ..Default::default()
                })
                .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
                .col_expr(Column::Takeovers, Expr::col(Column::Takeovers).add(taken_over))
                .filter(Column::Id.eq(candidate.id))
                // It is counted by how it was found.
                .filter(Column::State.eq(&candidate.state))
                .filter(free)
                .exec(&self.write)
                .await?;
            if won.rows_affected == 1 {
                let row = run::Entity::find_by_id(candidate.id).one(&self.write).await?;
                let row = row.ok_or(CatalogError::NotFound)?;
                return Ok(Some((row, RunLease { run: candidate.id, token })));
            }
            // Another server was faster: there may be another run.
        }
    }

    /// Keeps a lease for longer.
    pub async fn renew_run(&self, lease: RunLease, lease_for: Duration) -> Result<(), RunError> {
        let renewed = run::Entity::update_many()
            .set(run::ActiveModel { leased_until: Set(Some(now() + lease_for)), ..Default::default() })
            .filter(held(lease))
            .exec(&self.write)
            .await?;
        if renewed.rows_affected == 1 { Ok(()) } else { Err(LeaseLost.into()) }
    }

    /// Gives back what this node held when it died. To be called at start, by the only process of that node.
    pub async fn release_runs(&self, node: Uuid) -> Result<(), CatalogError> {
        run::Entity::update_many()
            .set(run::ActiveModel { leased_until: Set(Some(DateTime::UNIX_EPOCH)), ..Default::default() })
            .filter(Column::LeasedBy.eq(node))
            .filter(Column::State.eq(RunState::Running.as_str()))
            .exec(&self.write)
            .await?;
        Ok(())
    }

    /// Notes that a step begins.
    pub async fn begin_step(&self, lease: RunLease, position: usize) -> Result<(), RunError> {
        let step = run_step::ActiveModel {
            state: Set(RunState::Running.as_str().to_owned()),
            started_at: Set(Some(now())),
            ended_at: Set(None),
            ..Default::default()
        };
        self.write_step(lease, position, step).await
    }

    /// Notes what a step did, and how far it came.
    pub async fn end_step(
        &self,
        lease: RunLease,
        position: usize,
        state: RunState,
        counts: &Counts,
    ) -> Result<(), RunError> {
        let step = run_step::ActiveModel {
            state: Set(state.as_str().to_owned()),
            ended_at: Set(state.is_over().then(now)),
            counts: Set(to_json(counts)?),
            ..Default::default()
        };
        self.write_step(lease, position, step).await
    }

    async fn write_step(&self, lease: RunLease, position: usize, step: run_step::ActiveModel) -> Result<(), RunError> {
        let transaction = self.begin().await?;
        hold(&transaction, lease).await?;
        run_step::Entity::update_many()
            .set(step)
            .filter(run_step::Column::RunId.eq(lease.run))
            .filter(run_step::Column::Position.eq(position as i32))
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Ends a try. The counts of the run are those of its steps together.
    pub async fn end_run(&self, lease: RunLease, end: &RunEnd) -> Result<(), RunError> {
        let transaction = self.begin().await?;
        let standing = hold(&transaction, lease).await?;
        let mut counts = Counts::new();
        for step in steps_of(&transaction, lease.run).await? {
            for (word, number) in from_json(&step.counts)? {
                *counts.entry(word).or_default() += number;
            }
        }
        let over = |state: RunState, error: Option<String>| run::ActiveModel {
            state: Set(state.as_str().to_owned()),
            ended_at: Set(Some(now())),
            error: Set(error),
            ..Default::default()
        };
        let later = |at: DateTime<Utc>| run::ActiveModel {
            state: Set(RunState::Waiting.as_str().to_owned()),
            due_at: Set(at),
            ..Default::default()
        };
        let changed = match end {
            RunEnd::Succeeded => over(RunState::Succeeded, None),
            RunEnd::Failed(error) => over(RunState::Failed, Some(error.clone())),
            RunEnd::Again(error, at) => run::ActiveModel { error: Set(Some(error.clone())), ..later(*at) },
            RunEnd::Later(at) => run::ActiveModel { attempts: Set(standing.attempts.saturating_sub(1)), ..later(*at) },
        };
        run::ActiveModel {
            id: Set(lease.run),
            lease: Set(None),
            leased_by: Set(None),
            leased_until: Set(None),
            counts: Set(to_json(&counts)?),
            ..changed
        }
        .update(&transaction)
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Calls a run off; one that is over stays as it is. Answers whether it was called off.
    pub async fn cancel_run(&self, id: Uuid) -> Result<bool, CatalogError> {
        let open = [RunState::Waiting.as_str(), RunState::Running.as_str()];
        let transaction = self.begin().await?;
        let cancelled = run::Entity::update_many()
            .set(run::ActiveModel {
                state: Set(RunState::Cancelled.as_str().to_owned()),
                ended_at: Set(Some(now())),
                lease: Set(None),
                leased_by: Set(None),
                leased_until: Set(None),
                ..Default::default()
            })
            .filter(Column::Id.eq(id))
            .filter(Column::State.is_in(open))
            .exec(&transaction)
            .await?;
        if cancelled.rows_affected == 0 {
            transaction.rollback().await?;
            return match run::Entity::find_by_id(id).one(&self.read).await? {
                Some(_) => Ok(false),
                None => Err(CatalogError::NotFound),
            };
        }
        run_step::Entity::update_many()
            .set(run_step::ActiveModel {
                state: Set(RunState::Cancelled.as_str().to_owned()),
                ended_at: Set(Some(now())),
                ..Default::default()
            })
            .filter(run_step::Column::RunId.eq(id))
            .filter(run_step::Column::State.is_in(open))
            .exec(&transaction)
            .await?;
        add_line(&transaction, id, "info", "called off").await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Appends a line to a run's log.
    pub async fn log_run(&self, id: Uuid, level: &str, text: &str) -> Result<(), CatalogError> {
        let line = line(id, level, text);
        run_log::Entity::insert(line).exec_without_returning(&self.write).await?;
        Ok(())
    }

    /// The steps of a run, in order.
    pub async fn steps_of_run(&self, id: Uuid) -> Result<Vec<run_step::Model>, CatalogError> {
        steps_of(&self.write, id).await
    }

    /// Up to where a pipeline's schedule has asked for runs of this subject.
    pub async fn scheduled_until(&self, pipeline: &str, subject: &str) -> Result<Option<DateTime<Utc>>, CatalogError> {
        let last: Option<Option<DateTime<Utc>>> = run::Entity::find()
            .select_only()
            .column_as(Column::IntervalEnd.max(), "last")
            .filter(Column::Pipeline.eq(pipeline))
            .filter(Column::Subject.eq(subject))
            .filter(Column::Cause.eq(Cause::Schedule.as_str()))
            .into_tuple()
            .one(&self.read)
            .await?;
        Ok(last.flatten())
    }

    /// The newest runs, of one pipeline or of all, before `before` where that is given.
    pub async fn runs(
        &self,
        pipeline: Option<&str>,
        before: Option<Uuid>,
        most: u64,
    ) -> Result<Vec<Run>, CatalogError> {
        let mut query = run::Entity::find();
        if let Some(pipeline) = pipeline {
            query = query.filter(Column::Pipeline.eq(pipeline));
        }
        if let Some(before) = before {
            // Ids are made in the order of time.
            query = query.filter(Column::Id.lt(before));
        }
        let rows = query.order_by_desc(Column::Id).limit(most).all(&self.read).await?;
        rows.into_iter().map(|row| to_run(row, Vec::new(), Vec::new())).collect()
    }

    /// The newest run of a pipeline, with its steps.
    pub async fn last_run(&self, pipeline: &str) -> Result<Option<Run>, CatalogError> {
        let newest = run::Entity::find().filter(Column::Pipeline.eq(pipeline)).order_by_desc(Column::Id).limit(1);
        let Some(row) = newest.one(&self.read).await? else { return Ok(None) };
        let steps = steps_of(&self.read, row.id).await?;
        to_run(row, steps, Vec::new()).map(Some)
    }

    /// For each of these campaigns and each pipeline the last run that went wrong, unless a later one went well.
    pub async fn runs_in_trouble(&self, campaigns: &[Uuid]) -> Result<Vec<Run>, CatalogError> {
        let later = Alias::new("later");
        let went_well = Query::select()
            .expr(Expr::val(1))
            .from_as(run::Entity, later.clone())
            .and_where(Expr::col((later.clone(), Column::Subject)).equals((run::Entity, Column::Subject)))
            .and_where(Expr::col((later.clone(), Column::Pipeline)).equals((run::Entity, Column::Pipeline)))
            .and_where(Expr::col((later.clone(), Column::State)).eq(RunState::Succeeded.as_str()))
            .and_where(Expr::col((later.clone(), Column::DryRun)).eq(false))
            .and_where(Expr::col((later, Column::StartedAt)).gt(Expr::col((run::Entity, Column::StartedAt))))
            .to_owned();
        let rows = run::Entity::find()
            .filter(Column::Error.is_not_null())
            .filter(Column::State.ne(RunState::Cancelled.as_str()))
            .filter(Column::DryRun.eq(false))
            .filter(Column::Subject.is_in(campaigns.iter().map(Uuid::to_string)))
            .filter(Expr::exists(went_well).not())
            .order_by_desc(Column::StartedAt)
            .limit(SHOWN_TROUBLES)
            .all(&self.read)
            .await?;
        let mut seen = HashSet::new();
        let newest = rows.into_iter().filter(|row| seen.insert((row.subject.clone(), row.pipeline.clone())));
        newest.map(|row| to_run(row, Vec::new(), Vec::new())).collect()
    }

    /// One run with its steps and the newest lines of its log.
    pub async fn run(&self, id: Uuid) -> Result<Option<Run>, CatalogError> {
        let Some(row) = run::Entity::find_by_id(id).one(&self.read).await? else { return Ok(None) };
        let steps = steps_of(&self.read, id).await?;
        let mut lines = run_log::Entity::find()
            .filter(run_log::Column::RunId.eq(id))
            .order_by_desc(run_log::Column::Id)
            .limit(SHOWN_LINES)
            .all(&self.read)
            .await?;
        lines.reverse();
        to_run(row, steps, lines).map(Some)
    }
}

fn is(key: &RunKey) -> Condition {
    Condition::all()
        .add(Column::Pipeline.eq(&key.pipeline))
        .add(Column::Subject.eq(&key.subject))
        .add(Column::IntervalStart.eq(key.start))
        .add(Column::IntervalEnd.eq(key.end))
}

fn held(lease: RunLease) -> Condition {
    Condition::all().add(Column::Id.eq(lease.run)).add(Column::Lease.eq(lease.token))
}

/// Locks the run for this transaction, if the lease is still ours.
async fn hold(transaction: &DatabaseTransaction, lease: RunLease) -> Result<run::Model, RunError> {
    let row = run::Entity::find().filter(held(lease)).lock_exclusive().one(transaction).await?;
    row.ok_or_else(|| LeaseLost.into())
}

async fn steps_of(connection: &impl sea_orm::ConnectionTrait, run: Uuid) -> Result<Vec<run_step::Model>, CatalogError> {
    Ok(run_step::Entity::find()
        .filter(run_step::Column::RunId.eq(run))
        .order_by_asc(run_step::Column::Position)
        .all(connection)
        .await?)
}

/// The row of a run that waits to be begun.
fn new_run(id: Uuid, key: &RunKey, cause: Cause, dry_run: bool, due_at: DateTime<Utc>) -> run::ActiveModel {
    run::ActiveModel {
        id: Set(id),
        pipeline: Set(key.pipeline.clone()),
        subject: Set(key.subject.clone()),
        interval_start: Set(key.start),
        interval_end: Set(key.end),
        cause: Set(cause.as_str().to_owned()),
        dry_run: Set(dry_run),
        state: Set(RunState::Waiting.as_str().to_owned()),
        attempts: Set(0),
        takeovers: Set(0),
        due_at: Set(due_at),
        lease: Set(None),
        leased_by: Set(None),
        leased_until: Set(None),
        created_at: Set(now()),
        started_at: Set(None),
        ended_at: Set(None),
        counts: Set(nothing_counted()),
        error: Set(None),
    }
}

/// Has runs that are over done once more, from their first step.
async fn do_again(
    transaction: &DatabaseTransaction,
    runs: &[Uuid],
    cause: Cause,
    due_at: DateTime<Utc>,
    steps: &[&str],
) -> Result<(), CatalogError> {
    if runs.is_empty() {
        return Ok(());
    }
    run::Entity::update_many()
        .set(run::ActiveModel {
            cause: Set(cause.as_str().to_owned()),
            state: Set(RunState::Waiting.as_str().to_owned()),
            attempts: Set(0),
            takeovers: Set(0),
            due_at: Set(due_at),
            ended_at: Set(None),
            counts: Set(nothing_counted()),
            error: Set(None),
            ..Default::default()
        })
        .filter(Column::Id.is_in(runs.iter().copied()))
        .exec(transaction)
        .await?;
    run_step::Entity::delete_many()
        .filter(run_step::Column::RunId.is_in(runs.iter().copied()))
        .exec(transaction)
        .await?;
    add_steps(transaction, runs, steps).await?;
    let lines = runs.iter().map(|id| line(*id, "info", "asked for again"));
    run_log::Entity::insert_many(lines).exec_without_returning(transaction).await?;
    Ok(())
}

async fn add_steps(transaction: &DatabaseTransaction, runs: &[Uuid], steps: &[&str]) -> Result<(), CatalogError> {
    if runs.is_empty() {
        return Ok(());
    }
    let rows = runs.iter().flat_map(|id| {
        steps.iter().enumerate().map(|(position, name)| run_step::ActiveModel {
            run_id: Set(*id),
            position: Set(position as i32),
            name: Set((*name).to_owned()),
            state: Set(RunState::Waiting.as_str().to_owned()),
            started_at: Set(None),
            ended_at: Set(None),
            counts: Set(nothing_counted()),
        })
    });
    run_step::Entity::insert_many(rows).exec_without_returning(transaction).await?;
    Ok(())
}

fn line(run: Uuid, level: &str, text: &str) -> run_log::ActiveModel {
    run_log::ActiveModel {
        run_id: Set(run),
        at: Set(now()),
        level: Set(level.to_owned()),
        text: Set(text.to_owned()),
        ..Default::default()
    }
}

async fn add_line(transaction: &DatabaseTransaction, run: Uuid, level: &str, text: &str) -> Result<(), CatalogError> {
    run_log::Entity::insert(line(run, level, text)).exec_without_returning(transaction).await?;
    Ok(())
}

fn nothing_counted() -> serde_json::Value {
    serde_json::Value::Object(serde_json::Map::new())
}

fn to_json(counts: &Counts) -> Result<serde_json::Value, CatalogError> {
    serde_json::to_value(counts).map_err(|error| CatalogError::Corrupt(error.to_string()))
}

fn from_json(counts: &serde_json::Value) -> Result<Counts, CatalogError> {
    serde_json::from_value(counts.clone()).map_err(|error| CatalogError::Corrupt(format!("counts of a run: {error}")))
}

fn state_of(row: &run::Model) -> Result<RunState, CatalogError> {
    row.state.parse().map_err(|error| CatalogError::Corrupt(format!("run {}: {error}", row.id)))
}

fn to_run(row: run::Model, steps: Vec<run_step::Model>, lines: Vec<run_log::Model>) -> Result<Run, CatalogError> {
    let corrupt = |what: String| CatalogError::Corrupt(format!("run {}: {what}", row.id));
    let state = state_of(&row)?;
    let campaign = match row.subject.as_str() {
        "" => None,
        subject => Some(subject.parse().map_err(|_| corrupt(format!("subject {subject:?}")))?),
    };
    let steps = steps.into_iter().map(|step| {
        Ok(RunStep {
            state: step.state.parse().map_err(|error| corrupt(format!("step {}: {error}", step.name)))?,
            counts: from_json(&step.counts)?,
            name: step.name,
            started_at: step.started_at,
            ended_at: step.ended_at,
        })
    });
    Ok(Run {
        id: row.id,
        campaign,
        cause: row.cause.parse().map_err(|error| corrupt(format!("{error}")))?,
        due_at: (state == RunState::Waiting).then_some(row.due_at),
        counts: from_json(&row.counts)?,
        steps: steps.collect::<Result<_, CatalogError>>()?,
        log: lines.into_iter().map(|line| LogLine { at: line.at, level: line.level, text: line.text }).collect(),
        pipeline: row.pipeline,
        start: row.interval_start,
        end: row.interval_end,
        dry_run: row.dry_run,
        state,
        attempts: u32::try_from(row.attempts).unwrap_or_default(),
        created_at: row.created_at,
        started_at: row.started_at,
        ended_at: row.ended_at,
        error: row.error,
    })
}
