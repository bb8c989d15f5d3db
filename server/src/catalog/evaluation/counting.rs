//! Counting anew what has changed: hours from the photos themselves, days from their hours, months from their days.
//!
//! Marks say which hours have changed. They are removed before an hour is read, in one transaction: a change that is not
//! read yet has a mark that is not removed yet. Counting an hour twice is harmless, so whoever comes first counts, the
//! server's worker or whoever asks.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use gourmetgram_api::SeriesStep;
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QuerySelect, Select,
    prelude::Uuid,
    sea_query::{Expr, Query},
};

use super::{
    design,
    facts::{self, Rates},
};
use crate::{
    catalog::{
        Catalog, CatalogError, Pauses,
        entity::{
            evaluation_count::{self, Column as CountColumn},
            evaluation_mark::{self, Column as MarkColumn},
            evaluation_reference, evaluation_state,
            prediction::{self, Column},
        },
        migration::m009_evaluation,
    },
    evaluating::{Counts, REFERENCE_PHOTOS, Traffic, next, start_of},
};

/// Hours that one transaction counts: others that write wait for as long.
const HOURS: usize = 24;
/// Marks that are looked at to find them.
const MARKS: u64 = 2000;
/// Hours of a model's beginning that are looked at for a reference.
const BEGINNING: u64 = 24 * 31;

impl Catalog {
    /// Counts what has changed, the newest hours first, `most` hours at most (about; with the rest of their transaction).
    /// `named` is the campaign that the settings name. Answers whether everything is counted.
    pub async fn count_evaluations(
        &self,
        named: Option<&str>,
        most: usize,
        at: DateTime<Utc>,
    ) -> Result<bool, CatalogError> {
        let (mut counted, mut pauses) = (0, Pauses::new(self));
        while self.has_to_count(named, at).await? {
            if counted >= most {
                return Ok(false);
            }
            let transaction = self.begin().await?;
            counted += count_some(&transaction, named, at).await?.max(1);
            transaction.commit().await?;
            pauses.leave_one().await;
        }
        Ok(true)
    }

    /// Changes that are not counted, up to 1,000 of them.
    pub async fn evaluation_marks(&self) -> Result<u64, CatalogError> {
        let mut marks: u64 = 0;
        for ids in waiting_marks() {
            marks += ids.limit(1000).into_tuple::<i64>().all(&self.read).await?.len() as u64;
        }
        Ok(Ord::min(marks, 1000))
    }

    /// Without a transaction that writes: mostly there is nothing to do.
    async fn has_to_count(&self, named: Option<&str>, at: DateTime<Utc>) -> Result<bool, CatalogError> {
        for ids in waiting_marks() {
            if ids.limit(1).into_tuple::<i64>().one(&self.read).await?.is_some() {
                return Ok(true);
            }
        }
        let state = evaluation_state::Entity::find_by_id(1).one(&self.read).await?;
        let campaign = design(&self.read, named).await?.campaign().map(|row| row.id);
        Ok(state.is_none_or(|state| {
            state.campaign_id != campaign || state.visitors_until != Some(start_of(SeriesStep::Day, at))
        }))
    }
}

/// The marks of hours, and those of stretches, each by its index: where a million were removed a minute ago, PostgreSQL finds
/// that none is left without a look at every dead row.
fn waiting_marks() -> [Select<evaluation_mark::Entity>; 2] {
    let ids = || evaluation_mark::Entity::find().select_only().column(MarkColumn::Id);
    [
        ids().filter(MarkColumn::Until.is_null()).order_by_desc(MarkColumn::At),
        ids().filter(MarkColumn::Until.is_not_null()).order_by_asc(MarkColumn::Id),
    ]
}

/// Answers how many hours were counted.
async fn count_some(
    transaction: &DatabaseTransaction,
    named: Option<&str>,
    at: DateTime<Utc>,
) -> Result<usize, CatalogError> {
    if transaction.get_database_backend() == DbBackend::Postgres {
        // Servers take turns.
        transaction.execute_unprepared("SELECT pg_advisory_xact_lock(4916012)").await?;
    }
    let campaign = settle_state(transaction, named, at).await?;
    let hours = hours_to_count(transaction).await?;
    let mut rates = Rates::default();
    let mut models = BTreeSet::new();
    for &hour in &hours {
        let window = (hour, next(SeriesStep::Hour, hour));
        let facts = facts::read(transaction, &mut rates, campaign, None, window, None).await?.unwrap_or_default();
        let mut counts: BTreeMap<&str, Counts> = BTreeMap::new();
        for fact in &facts {
            counts.entry(&fact.model).or_default().add(fact);
        }
        let counts = counts.into_iter().map(|(model, counts)| (model.to_owned(), counts)).collect();
        models.extend(write(transaction, SeriesStep::Hour, hour, counts).await?);
    }
    let days: BTreeSet<_> = hours.iter().map(|hour| start_of(SeriesStep::Day, *hour)).collect();
    for &day in &days {
        let mut counts = sum_of(transaction, SeriesStep::Hour, day, next(SeriesStep::Day, day)).await?;
        if day < start_of(SeriesStep::Day, at) {
            for (model, counts) in &mut counts {
                (counts.traffic.visits, counts.traffic.returning) = visits(transaction, model, day).await?;
            }
        }
        write(transaction, SeriesStep::Day, day, counts).await?;
    }
    let months: BTreeSet<_> = days.iter().map(|day| start_of(SeriesStep::Month, *day)).collect();
    for &month in &months {
        let counts = sum_of(transaction, SeriesStep::Day, month, next(SeriesStep::Month, month)).await?;
        write(transaction, SeriesStep::Month, month, counts).await?;
    }
    for model in models {
        freeze_reference(transaction, &model, at).await?;
    }
    Ok(hours.len())
}

/// Has everything counted anew where another campaign's labels are to count, and visitors of days that have ended since.
async fn settle_state(
    transaction: &DatabaseTransaction,
    named: Option<&str>,
    at: DateTime<Utc>,
) -> Result<Option<Uuid>, CatalogError> {
    let campaign = design(transaction, named).await?.campaign().map(|row| row.id);
    let state = evaluation_state::Entity::find_by_id(1).one(transaction).await?;
    let state = state.ok_or_else(|| CatalogError::Corrupt("evaluation_state has no row".to_owned()))?;
    if state.campaign_id != campaign {
        evaluation_count::Entity::delete_many().exec(transaction).await?;
        m009_evaluation::mark_everything(transaction).await?;
    }
    let today = start_of(SeriesStep::Day, at);
    if let Some(since) = state.visitors_until.filter(|since| *since < today) {
        let mark = evaluation_mark::ActiveModel { at: Set(since), until: Set(Some(today)), ..Default::default() };
        mark.insert(transaction).await?;
    }
    if state.campaign_id != campaign || state.visitors_until != Some(today) {
        evaluation_state::ActiveModel { id: Set(1), campaign_id: Set(campaign), visitors_until: Set(Some(today)) }
            .update(transaction)
            .await?;
    }
    Ok(campaign)
}

/// Some hours that are marked, their marks removed.
async fn hours_to_count(transaction: &DatabaseTransaction) -> Result<BTreeSet<DateTime<Utc>>, CatalogError> {
    let mut hours = BTreeSet::new();
    let marked: Vec<DateTime<Utc>> = evaluation_mark::Entity::find()
        .select_only()
        .column(MarkColumn::At)
        .filter(MarkColumn::Until.is_null())
        .order_by_desc(MarkColumn::At)
        .limit(MARKS)
        .into_tuple()
        .all(transaction)
        .await?;
    for time in marked {
        let hour = start_of(SeriesStep::Hour, time);
        if hours.len() == HOURS && !hours.contains(&hour) {
            break;
        }
        hours.insert(hour);
    }
    for &hour in &hours {
        evaluation_mark::Entity::delete_many()
            .filter(MarkColumn::Until.is_null())
            .filter(MarkColumn::At.gte(hour))
            .filter(MarkColumn::At.lt(next(SeriesStep::Hour, hour)))
            .exec(transaction)
            .await?;
    }
    let ranges = evaluation_mark::Entity::find()
        .filter(MarkColumn::Until.is_not_null())
        .order_by_asc(MarkColumn::Id)
        .limit(MARKS)
        .all(transaction)
        .await?;
    for range in ranges {
        shorten(transaction, range, &mut hours).await?;
    }
    Ok(hours)
}

/// Takes hours that have photos, or counts, off a stretch's end.
async fn shorten(
    transaction: &DatabaseTransaction,
    range: evaluation_mark::Model,
    hours: &mut BTreeSet<DateTime<Utc>>,
) -> Result<(), CatalogError> {
    let mut until = range.until.unwrap_or(range.at);
    loop {
        let Some(last) = last_hour(transaction, range.at, until).await? else {
            evaluation_mark::Entity::delete_by_id(range.id).exec(transaction).await?;
            return Ok(());
        };
        if hours.len() >= HOURS && !hours.contains(&last) {
            break;
        }
        hours.insert(last);
        until = last;
    }
    if Some(until) == range.until {
        return Ok(());
    }
    evaluation_mark::ActiveModel { id: Set(range.id), until: Set(Some(until)), ..Default::default() }
        .update(transaction)
        .await?;
    Ok(())
}

/// The last hour of a stretch in which photos were received.
async fn last_hour(
    transaction: &DatabaseTransaction,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, CatalogError> {
    let mut last: Option<DateTime<Utc>> = None;
    for erased in [Column::ErasedAt.is_null(), Column::ErasedAt.is_not_null()] {
        let newest = prediction::Entity::find()
            .select_only()
            .column(Column::CreatedAt)
            .filter(erased)
            .filter(Column::CreatedAt.gte(from))
            .filter(Column::CreatedAt.lt(to))
            .order_by_desc(Column::CreatedAt)
            .limit(1);
        last = Ord::max(last, newest.into_tuple::<DateTime<Utc>>().one(transaction).await?);
    }
    Ok(last.map(|last| start_of(SeriesStep::Hour, last)))
}

fn count_of(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Puts the counts of a period in the place of those there are. Answers whose they are.
async fn write(
    transaction: &DatabaseTransaction,
    step: SeriesStep,
    start: DateTime<Utc>,
    counts: BTreeMap<String, Counts>,
) -> Result<Vec<String>, CatalogError> {
    evaluation_count::Entity::delete_many()
        .filter(CountColumn::Step.eq(step.as_str()))
        .filter(CountColumn::StartAt.eq(start))
        .exec(transaction)
        .await?;
    let mut models = Vec::with_capacity(counts.len());
    for (model, counts) in counts {
        let text = serde_json::to_string(&counts).map_err(|error| CatalogError::Corrupt(error.to_string()))?;
        let right = counts.sum(|cell| cell.random_right);
        let wrong = counts.sum(|cell| cell.random_classed - cell.random_right);
        let row = evaluation_count::ActiveModel {
            model: Set(model.clone()),
            step: Set(step.as_str().to_owned()),
            start_at: Set(start),
            photos: Set(count_of(counts.traffic.photos)),
            random_right: Set(count_of(right)),
            random_wrong: Set(count_of(wrong)),
            waiting: Set(count_of(counts.waiting.tasks)),
            waiting_since: Set(counts.waiting.since),
            counts: Set(text),
        };
        evaluation_count::Entity::insert(row).exec_without_returning(transaction).await?;
        models.push(model);
    }
    Ok(models)
}

/// What the periods of one length between two times add up to, by model.
async fn sum_of(
    transaction: &DatabaseTransaction,
    step: SeriesStep,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Result<BTreeMap<String, Counts>, CatalogError> {
    let rows = evaluation_count::Entity::find()
        .filter(CountColumn::Step.eq(step.as_str()))
        .filter(CountColumn::StartAt.gte(from))
        .filter(CountColumn::StartAt.lt(to))
        .all(transaction)
        .await?;
    let mut sums: BTreeMap<String, Counts> = BTreeMap::new();
    for row in rows {
        let counts = read_counts(&row)?;
        sums.entry(row.model).or_default().merge(&counts.without_batches());
    }
    Ok(sums)
}

/// The counts of a row.
pub(super) fn read_counts(row: &evaluation_count::Model) -> Result<Counts, CatalogError> {
    serde_json::from_str(&row.counts).map_err(|error| {
        CatalogError::Corrupt(format!("evaluation_counts {} {} {}: {error}", row.model, row.step, row.start_at))
    })
}

/// Visitors of a day, and how many of them had sent a photo on an earlier day.
async fn visits(
    transaction: &DatabaseTransaction,
    model: &str,
    day: DateTime<Utc>,
) -> Result<(u64, u64), CatalogError> {
    // What was never acknowledged was never sent.
    let acknowledged = || Condition::any().add(Column::StoredAt.is_not_null()).add(Column::SpoolFile.is_not_null());
    let of_day = prediction::Entity::find()
        .select_only()
        .column(Column::Visitor)
        .distinct()
        .filter(Column::ErasedAt.is_null())
        .filter(acknowledged())
        .filter(Column::Visitor.is_not_null())
        .filter(Column::ModelVersion.eq(model))
        .filter(Column::CreatedAt.gte(day))
        .filter(Column::CreatedAt.lt(next(SeriesStep::Day, day)));
    let visitors: Vec<Option<String>> = of_day.into_tuple().all(transaction).await?;
    let visitors: Vec<String> = visitors.into_iter().flatten().collect();
    let mut returning = 0;
    for visitors in visitors.chunks(500) {
        let before: Vec<Option<String>> = prediction::Entity::find()
            .select_only()
            .column(Column::Visitor)
            .distinct()
            .filter(Column::Visitor.is_in(visitors.iter().cloned()))
            .filter(Column::CreatedAt.lt(day))
            .filter(acknowledged())
            .into_tuple()
            .all(transaction)
            .await?;
        returning += before.len() as u64;
    }
    Ok((visitors.len() as u64, returning))
}

/// Keeps what a model version saw first, once it has seen enough: whole hours that are over.
async fn freeze_reference(
    transaction: &DatabaseTransaction,
    model: &str,
    at: DateTime<Utc>,
) -> Result<(), CatalogError> {
    if evaluation_reference::Entity::find_by_id(model.to_owned()).one(transaction).await?.is_some() {
        return Ok(());
    }
    let photos = evaluation_count::Entity::find()
        .select_only()
        .expr_as(Expr::col(CountColumn::Photos).sum().cast_as("bigint"), "photos")
        .filter(CountColumn::Model.eq(model))
        .filter(CountColumn::Step.eq(SeriesStep::Month.as_str()))
        .into_tuple::<Option<i64>>()
        .one(transaction)
        .await?;
    if photos.flatten().unwrap_or_default().unsigned_abs() < REFERENCE_PHOTOS {
        return Ok(());
    }
    // Nothing earlier may be waiting to be counted.
    let waiting = Query::select().expr(Expr::val(1)).from(evaluation_mark::Entity).limit(1).to_owned();
    if transaction.query_one(&waiting).await?.is_some() {
        return Ok(());
    }
    let hours = evaluation_count::Entity::find()
        .filter(CountColumn::Model.eq(model))
        .filter(CountColumn::Step.eq(SeriesStep::Hour.as_str()))
        .filter(CountColumn::StartAt.lt(start_of(SeriesStep::Hour, at)))
        .order_by_asc(CountColumn::StartAt)
        .limit(BEGINNING)
        .all(transaction)
        .await?;
    let mut traffic = Traffic::default();
    let Some(first) = hours.first().map(|row| row.start_at) else { return Ok(()) };
    for row in &hours {
        traffic.merge(&read_counts(row)?.traffic);
        if traffic.photos >= REFERENCE_PHOTOS {
            let counts = serde_json::to_string(&traffic).map_err(|error| CatalogError::Corrupt(error.to_string()))?;
            let reference = evaluation_reference::ActiveModel {
                model: Set(model.to_owned()),
                from_at: Set(first),
                to_at: Set(row.start_at + TimeDelta::hours(1)),
                counts: Set(counts),
            };
            evaluation_reference::Entity::insert(reference).exec_without_returning(transaction).await?;
            return Ok(());
        }
    }
    Ok(())
}
