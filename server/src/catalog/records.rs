//! What is to be written to the bucket `records`: marks of changed rows become objects, a bounded number at a time.
//!
//! A mark says that a row has changed, not how: a line tells what the row is when it is read. Whatever changes after that
//! makes another mark, and a later line with a greater number.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{OnConflict, Query},
};
use uuid::Uuid;

use super::{
    Catalog, CatalogError,
    entity::{compaction, prediction, record_log, record_mark, record_mention, record_object, selection},
    record_rows::{Row, corrupt, key_fields, read_rows, uuid},
};
use crate::records::{Envelope, RecordKind};

/// Marks that become objects in one transaction.
const MARKS: u64 = 2000;
/// Most lines of an object: about a megabyte of predictions.
const LINES: usize = 1000;
/// Rows that are asked for by one statement.
const ROWS: usize = 500;
/// Objects that are read at once to be written.
const OBJECTS: u64 = 8;

impl Catalog {
    /// Whether anything has changed, or waits to be put.
    pub async fn has_records_to_write(&self) -> Result<bool, CatalogError> {
        let mark = record_mark::Entity::find().limit(1).one(&self.read).await?;
        Ok(mark.is_some() || !self.unwritten(1).await?.is_empty())
    }

    /// Changes that are in no object of the records yet, counted to 1,000.
    pub async fn records_waiting(&self) -> Result<u64, CatalogError> {
        let ids = record_mark::Entity::find().select_only().column(record_mark::Column::Id).limit(1000);
        Ok(ids.into_tuple::<i64>().all(&self.read).await?.len() as u64)
    }

    /// Which history this catalog writes, and how far it is.
    pub async fn records_log(&self) -> Result<record_log::Model, CatalogError> {
        let row = record_log::Entity::find_by_id(1).one(&self.read).await?;
        row.ok_or_else(|| CatalogError::Corrupt("record_log has no row".to_owned()))
    }

    /// Begins a history in a bucket that has none; everything there is will be written to it. Answers its name, which is
    /// another one where another server was faster.
    pub async fn begin_records_log(&self, log: Uuid) -> Result<Uuid, CatalogError> {
        let transaction = self.begin().await?;
        let row = lock_log(&transaction).await?;
        if row.last_number == 0
            && let Some(log) = row.log
        {
            return Ok(log);
        }
        record_log::ActiveModel { id: Set(1), log: Set(Some(log)), last_number: Set(0) }.update(&transaction).await?;
        if row.last_number > 0 {
            record_mention::Entity::delete_many().exec(&transaction).await?;
            record_object::Entity::delete_many().exec(&transaction).await?;
            super::reindex::mark_everything(&transaction).await?;
        }
        transaction.commit().await?;
        Ok(log)
    }

    /// Turns the oldest marks into objects that are to be put. Answers how many marks are dealt with.
    pub async fn plan_records(&self, at: DateTime<Utc>) -> Result<usize, CatalogError> {
        let transaction = self.begin().await?;
        let mut last_number = lock_log(&transaction).await?.last_number;
        let marks = record_mark::Entity::find().order_by_asc(record_mark::Column::Id).limit(MARKS);
        let marks = marks.all(&transaction).await?;
        if marks.is_empty() {
            return Ok(0);
        }
        let mut latest: BTreeMap<RecordKind, HashMap<String, i64>> = BTreeMap::new();
        for mark in &marks {
            let kind = mark.kind.parse::<RecordKind>().map_err(|error| CatalogError::Corrupt(error.to_string()))?;
            latest.entry(kind).or_default().insert(mark.row_key.clone(), mark.id);
        }
        let mut waiting = Vec::new();
        for (kind, rows) in latest {
            let mut keys: Vec<(String, i64)> = rows.into_iter().collect();
            keys.sort_unstable_by_key(|(_, seq)| *seq);
            let mut lines = Vec::with_capacity(keys.len());
            for keys in keys.chunks(ROWS) {
                let mut found = read_rows(&transaction, kind, keys, at).await?;
                for (key, seq) in keys {
                    match found.remove(key) {
                        Some(Row::There(line)) => lines.push((key, line)),
                        Some(Row::Unacknowledged) => waiting.push((kind, key.clone())),
                        Some(Row::Unfinished) => {}
                        // Predictions vanish only while nobody was told of them.
                        None if kind == RecordKind::Prediction => {}
                        None => {
                            let deleted = Envelope::new(kind, *seq, at).deleted_line(&key_fields(kind, key)?);
                            lines.push((key, deleted.map_err(corrupt)?));
                        }
                    }
                }
            }
            for lines in lines.chunks(LINES) {
                last_number += 1;
                freeze(&transaction, kind, last_number, at, lines).await?;
            }
        }
        for marks in marks.chunks(ROWS) {
            record_mark::Entity::delete_many()
                .filter(record_mark::Column::Id.is_in(marks.iter().map(|mark| mark.id)))
                .exec(&transaction)
                .await?;
        }
        let dealt_with = marks.len() - waiting.len().min(marks.len());
        // To the end of the line, so that they keep no others waiting.
        let again = waiting.into_iter().map(|(kind, key)| record_mark::ActiveModel {
            kind: Set(kind.as_str().to_owned()),
            row_key: Set(key),
            ..Default::default()
        });
        let again: Vec<_> = again.collect();
        if !again.is_empty() {
            record_mark::Entity::insert_many(again).exec_without_returning(&transaction).await?;
        }
        record_log::ActiveModel { id: Set(1), last_number: Set(last_number), ..Default::default() }
            .update(&transaction)
            .await?;
        transaction.commit().await?;
        Ok(dealt_with)
    }

    /// The next objects to put, oldest first.
    pub async fn records_to_write(&self) -> Result<Vec<record_object::Model>, CatalogError> {
        self.unwritten(OBJECTS).await
    }

    async fn unwritten(&self, most: u64) -> Result<Vec<record_object::Model>, CatalogError> {
        Ok(record_object::Entity::find()
            .filter(record_object::Column::WrittenAt.is_null())
            .order_by_asc(record_object::Column::Number)
            .limit(most)
            .all(&self.read)
            .await?)
    }

    /// The key of the newest object of a kind.
    pub async fn newest_record(&self, kind: RecordKind) -> Result<Option<String>, CatalogError> {
        let newest = record_object::Entity::find()
            .filter(record_object::Column::Kind.eq(kind.as_str()))
            .order_by_desc(record_object::Column::Number)
            .limit(1)
            .one(&self.read)
            .await?;
        Ok(newest.map(|object| object.object_key))
    }

    /// One of the objects.
    pub async fn record_object(&self, number: i64) -> Result<Option<record_object::Model>, CatalogError> {
        Ok(record_object::Entity::find_by_id(number).one(&self.write).await?)
    }

    /// Notes that an object was put. Answers whether what was put is what it is to hold.
    pub async fn record_written(&self, number: i64, revision: i64) -> Result<bool, CatalogError> {
        let noted = record_object::Entity::update_many()
            .set(record_object::ActiveModel {
                body: Set(None),
                written_at: Set(Some(super::now())),
                ..Default::default()
            })
            .filter(record_object::Column::Number.eq(number))
            .filter(record_object::Column::Revision.eq(revision))
            .exec(&self.write)
            .await?;
        Ok(noted.rows_affected == 1)
    }

    /// Changes what an object that is not put yet is to hold. Answers whether it could be changed.
    pub async fn change_record(&self, number: i64, revision: i64, body: String) -> Result<bool, CatalogError> {
        let changed = record_object::Entity::update_many()
            .set(record_object::ActiveModel {
                body: Set(Some(body)),
                revision: Set(revision + 1),
                ..Default::default()
            })
            .filter(record_object::Column::Number.eq(number))
            .filter(record_object::Column::Revision.eq(revision))
            .filter(record_object::Column::WrittenAt.is_null())
            .exec(&self.write)
            .await?;
        Ok(changed.rows_affected == 1)
    }

    /// Numbers of the objects that tell of a prediction.
    pub async fn records_of(&self, prediction: Uuid) -> Result<Vec<i64>, CatalogError> {
        Ok(record_mention::Entity::find()
            .select_only()
            .column(record_mention::Column::ObjectNumber)
            .filter(record_mention::Column::PredictionId.eq(prediction))
            .order_by_asc(record_mention::Column::ObjectNumber)
            .into_tuple()
            .all(&self.write)
            .await?)
    }

    /// The erased ones among the predictions that an object tells of.
    pub async fn erased_in(&self, number: i64) -> Result<HashSet<Uuid>, CatalogError> {
        erased_in(&self.write, number).await
    }

    /// Objects that are put, planned before a time, in the order of their numbers.
    pub async fn written_records(&self, before: DateTime<Utc>) -> Result<Vec<record_object::Model>, CatalogError> {
        Ok(record_object::Entity::find()
            .filter(record_object::Column::WrittenAt.is_not_null())
            .filter(record_object::Column::PlannedAt.lt(before))
            .order_by_asc(record_object::Column::Number)
            .all(&self.read)
            .await?)
    }

    /// Those of these objects that there are.
    pub async fn record_objects(&self, numbers: &[i64]) -> Result<Vec<record_object::Model>, CatalogError> {
        let mut found = Vec::new();
        for numbers in numbers.chunks(ROWS) {
            let some = record_object::Entity::find()
                .filter(record_object::Column::Number.is_in(numbers.iter().copied()))
                .order_by_asc(record_object::Column::Number);
            found.extend(some.all(&self.write).await?);
        }
        Ok(found)
    }

    /// Begins a compaction, or keeps one for longer: `holder` names it. Answers whether it may go on; not where another one is
    /// under way that is not thought dead.
    pub async fn lease_compaction(&self, holder: Uuid, lease_for: Duration) -> Result<bool, CatalogError> {
        use compaction::Column as C;
        let at = super::now();
        let free = Condition::any().add(C::Holder.is_null()).add(C::Holder.eq(holder)).add(C::LeasedUntil.lt(at));
        let leased = compaction::Entity::update_many()
            .set(compaction::ActiveModel {
                holder: Set(Some(holder)),
                leased_until: Set(Some(at + lease_for)),
                ..Default::default()
            })
            .filter(C::Id.eq(1))
            .filter(free)
            .exec(&self.write)
            .await?;
        Ok(leased.rows_affected == 1)
    }

    /// Ends a compaction, so that another may begin.
    pub async fn end_compaction(&self, holder: Uuid) -> Result<(), CatalogError> {
        compaction::Entity::update_many()
            .set(compaction::ActiveModel { holder: Set(None), leased_until: Set(None), ..Default::default() })
            .filter(compaction::Column::Holder.eq(holder))
            .exec(&self.write)
            .await?;
        Ok(())
    }

    /// Has an object that was put hold the lines of others too, and be put anew: from now on it tells of all predictions that
    /// these `numbers` tell of. `body` says what it is to hold, given the erased ones among them. Answers whether it could be
    /// changed: it must be as it was at this revision, and the compaction still be this holder's.
    pub async fn merge_records(
        &self,
        holder: Uuid,
        number: i64,
        revision: i64,
        numbers: &[i64],
        body: impl FnOnce(&HashSet<Uuid>) -> Result<String, CatalogError>,
    ) -> Result<bool, CatalogError> {
        let transaction = self.begin().await?;
        let compaction = compaction::Entity::find_by_id(1).lock_exclusive().one(&transaction).await?;
        if compaction.is_none_or(|row| row.holder != Some(holder)) {
            return Ok(false);
        }
        let row = record_object::Entity::find_by_id(number).lock_exclusive().one(&transaction).await?;
        if row.is_none_or(|row| row.revision != revision || row.written_at.is_none()) {
            return Ok(false);
        }
        let mut told: HashSet<Uuid> = HashSet::new();
        for numbers in numbers.chunks(ROWS) {
            let some: Vec<Uuid> = record_mention::Entity::find()
                .select_only()
                .column(record_mention::Column::PredictionId)
                .filter(record_mention::Column::ObjectNumber.is_in(numbers.iter().copied()))
                .into_tuple()
                .all(&transaction)
                .await?;
            told.extend(some);
        }
        let told: Vec<Uuid> = told.into_iter().collect();
        for told in told.chunks(ROWS) {
            let mentions = told
                .iter()
                .map(|id| record_mention::ActiveModel { prediction_id: Set(*id), object_number: Set(number) });
            record_mention::Entity::insert_many(mentions)
                .on_conflict(OnConflict::new().do_nothing().to_owned())
                .exec_without_returning(&transaction)
                .await?;
        }
        let erased = erased_in(&transaction, number).await?;
        record_object::ActiveModel {
            number: Set(number),
            body: Set(Some(body(&erased)?)),
            revision: Set(revision + 1),
            written_at: Set(None),
            ..Default::default()
        }
        .update(&transaction)
        .await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Forgets objects whose lines are in another one.
    pub async fn remove_merged_records(&self, numbers: &[i64]) -> Result<(), CatalogError> {
        for numbers in numbers.chunks(ROWS) {
            let transaction = self.begin().await?;
            record_mention::Entity::delete_many()
                .filter(record_mention::Column::ObjectNumber.is_in(numbers.iter().copied()))
                .exec(&transaction)
                .await?;
            record_object::Entity::delete_many()
                .filter(record_object::Column::Number.is_in(numbers.iter().copied()))
                .exec(&transaction)
                .await?;
            transaction.commit().await?;
        }
        Ok(())
    }

    /// What a batch has considered, by id, from behind one id on.
    pub async fn selections_of(
        &self,
        batch: i64,
        after: Option<Uuid>,
        most: u64,
    ) -> Result<Vec<selection::Model>, CatalogError> {
        let mut select = selection::Entity::find().filter(selection::Column::BatchId.eq(batch));
        if let Some(after) = after {
            select = select.filter(selection::Column::PredictionId.gt(after));
        }
        Ok(select.order_by_asc(selection::Column::PredictionId).limit(most).all(&self.read).await?)
    }
}

async fn erased_in(connection: &impl ConnectionTrait, number: i64) -> Result<HashSet<Uuid>, CatalogError> {
    let mentioned = Query::select()
        .column(record_mention::Column::PredictionId)
        .from(record_mention::Entity)
        .and_where(record_mention::Column::ObjectNumber.eq(number))
        .to_owned();
    let erased: Vec<Uuid> = prediction::Entity::find()
        .select_only()
        .column(prediction::Column::Id)
        .filter(prediction::Column::ErasedAt.is_not_null())
        .filter(prediction::Column::Id.in_subquery(mentioned))
        .into_tuple()
        .all(connection)
        .await?;
    Ok(erased.into_iter().collect())
}

async fn lock_log(transaction: &DatabaseTransaction) -> Result<record_log::Model, CatalogError> {
    let row = record_log::Entity::find_by_id(1).lock_exclusive().one(transaction).await?;
    row.ok_or_else(|| CatalogError::Corrupt("record_log has no row".to_owned()))
}

async fn freeze(
    transaction: &DatabaseTransaction,
    kind: RecordKind,
    number: i64,
    at: DateTime<Utc>,
    lines: &[(&String, String)],
) -> Result<(), CatalogError> {
    let mut body = String::with_capacity(lines.iter().map(|(_, line)| line.len() + 1).sum());
    for (_, line) in lines {
        body.push_str(line);
        body.push('\n');
    }
    record_object::ActiveModel {
        number: Set(number),
        kind: Set(kind.as_str().to_owned()),
        object_key: Set(kind.object_key(at, number)),
        body: Set(Some(body)),
        revision: Set(1),
        planned_at: Set(at),
        written_at: Set(None),
    }
    .insert(transaction)
    .await?;
    if kind == RecordKind::Prediction {
        let mentions: Result<Vec<_>, CatalogError> = lines
            .iter()
            .map(|(key, _)| {
                Ok(record_mention::ActiveModel { prediction_id: Set(uuid(key)?), object_number: Set(number) })
            })
            .collect();
        record_mention::Entity::insert_many(mentions?).exec_without_returning(transaction).await?;
    }
    Ok(())
}
