//! Filling a catalog from records: all of it in one transaction.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr,
    EntityTrait, IdenStatic, IntoActiveModel, Iterable, PaginatorTrait, PrimaryKeyToColumn, QueryFilter, QuerySelect,
    SqlErr, TransactionTrait, sea_query::OnConflict,
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    Catalog, CatalogError,
    entity::{
        annotation, batch, campaign, collection, draw, draw_part, feedback, lease, mirror, outbox, placement,
        prediction, record_log, record_mark, record_mention, record_object, selection, skip, task,
    },
    migration::{m008_records::MIRRORS, m010_collections_recorded::marks_of_everything},
    predictions::with_device_compared,
};
use crate::records::{RecordKind, read_row};

/// Rows that are written by one statement.
const ROWS: usize = 500;

/// Why lines cannot be taken in.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// One of them is not what it should be.
    #[error("line {line}: {why}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// The database does not take them.
    #[error("{0}")]
    Catalog(#[from] CatalogError),
}

/// The rows of these lines.
fn read_lines<R: DeserializeOwned>(lines: &[(usize, &str)]) -> Result<Vec<R>, ImportError> {
    let read = |(number, line): &(usize, &str)| {
        read_row(line).map_err(|error| ImportError::Line { line: *number, why: error.to_string() })
    };
    lines.iter().map(read).collect()
}

/// A row that refers to another that is not there.
fn is_orphan(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::ForeignKeyConstraintViolation(_)))
}

/// Marks every row, so that it is recorded anew; part of a transaction.
pub(super) async fn mark_everything(transaction: &DatabaseTransaction) -> Result<(), CatalogError> {
    record_mark::Entity::delete_many().exec(transaction).await?;
    for sql in marks_of_everything(transaction.get_database_backend()) {
        transaction.execute_unprepared(&sql).await?;
    }
    Ok(())
}

/// A catalog that is being filled. Dropped before [`Import::finish`], it leaves everything as it was.
pub struct Import {
    transaction: DatabaseTransaction,
    despite_gaps: bool,
    orphans: AtomicU64,
}

impl Catalog {
    /// Whether there is nothing that filling it could overwrite.
    pub async fn is_empty(&self) -> Result<bool, CatalogError> {
        let prediction = prediction::Entity::find().limit(1).one(&self.read).await?;
        Ok(prediction.is_none() && campaign::Entity::find().limit(1).one(&self.read).await?.is_none())
    }

    /// Empties the catalog of everything that is recorded, to fill it anew. People's accounts and tokens stay.
    ///
    /// With `despite_gaps`, rows that refer to others that are not there are left out; otherwise they are an error.
    pub async fn begin_import(&self, despite_gaps: bool) -> Result<Import, CatalogError> {
        let transaction = self.begin().await?;
        // What refers to others goes before them.
        outbox::Entity::delete_many().exec(&transaction).await?;
        lease::Entity::delete_many().exec(&transaction).await?;
        skip::Entity::delete_many().exec(&transaction).await?;
        collection::Entity::delete_many().exec(&transaction).await?;
        placement::Entity::delete_many().exec(&transaction).await?;
        annotation::Entity::delete_many().exec(&transaction).await?;
        task::Entity::delete_many().exec(&transaction).await?;
        draw_part::Entity::delete_many().exec(&transaction).await?;
        draw::Entity::delete_many().exec(&transaction).await?;
        selection::Entity::delete_many().exec(&transaction).await?;
        batch::Entity::delete_many().exec(&transaction).await?;
        feedback::Entity::delete_many().exec(&transaction).await?;
        campaign::Entity::delete_many().exec(&transaction).await?;
        prediction::Entity::delete_many().exec(&transaction).await?;
        mirror::Entity::delete_many().exec(&transaction).await?;
        record_mention::Entity::delete_many().exec(&transaction).await?;
        record_object::Entity::delete_many().exec(&transaction).await?;
        Ok(Import { transaction, despite_gaps, orphans: AtomicU64::new(0) })
    }
}

impl Import {
    /// Takes in predictions as they are said to be, in place of what was said before.
    pub async fn predictions(&self, rows: Vec<prediction::Model>) -> Result<(), CatalogError> {
        self.put::<prediction::Entity>(rows).await
    }

    /// Takes in the rows of these lines, each with its number in its object. None of them is of a row that is gone.
    pub async fn rows(&self, kind: RecordKind, lines: &[(usize, &str)]) -> Result<(), ImportError> {
        match kind {
            RecordKind::Prediction => {
                let rows = read_lines::<prediction::Model>(lines)?;
                Ok(self.predictions(rows.into_iter().map(with_device_compared).collect()).await?)
            }
            RecordKind::Campaign => self.lines::<campaign::Entity>(lines).await,
            RecordKind::Batch => self.lines::<batch::Entity>(lines).await,
            RecordKind::Selection => self.lines::<selection::Entity>(lines).await,
            RecordKind::Task => self.lines::<task::Entity>(lines).await,
            RecordKind::Feedback => self.lines::<feedback::Entity>(lines).await,
            RecordKind::Annotation => self.lines::<annotation::Entity>(lines).await,
            RecordKind::Placement => self.lines::<placement::Entity>(lines).await,
            RecordKind::Skip => self.lines::<skip::Entity>(lines).await,
            RecordKind::Collection => self.lines::<collection::Entity>(lines).await,
        }
    }

    async fn lines<E>(&self, lines: &[(usize, &str)]) -> Result<(), ImportError>
    where
        E: EntityTrait,
        E::Model: DeserializeOwned + IntoActiveModel<E::ActiveModel>,
        E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
    {
        Ok(self.put::<E>(read_lines(lines)?).await?)
    }

    async fn put<E>(&self, rows: Vec<E::Model>) -> Result<(), CatalogError>
    where
        E: EntityTrait,
        E::Model: IntoActiveModel<E::ActiveModel>,
        E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
    {
        let key: Vec<E::Column> = E::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column).collect();
        let is_key = |column: &E::Column| key.iter().any(|key| key.as_str() == column.as_str());
        let others: Vec<E::Column> = E::Column::iter().filter(|column| !is_key(column)).collect();
        let mut rows = rows.into_iter().map(IntoActiveModel::into_active_model).peekable();
        while rows.peek().is_some() {
            let some: Vec<E::ActiveModel> = rows.by_ref().take(ROWS).collect();
            let in_place = OnConflict::columns(key.clone()).update_columns(others.clone()).to_owned();
            if !self.despite_gaps {
                E::insert_many(some).on_conflict(in_place).exec_without_returning(&self.transaction).await?;
                continue;
            }
            let together = self.transaction.begin().await?;
            let written = E::insert_many(some.clone()).on_conflict(in_place.clone()).exec_without_returning(&together);
            if written.await.is_ok() {
                together.commit().await?;
                continue;
            }
            together.rollback().await?;
            for row in some {
                let alone = self.transaction.begin().await?;
                match E::insert(row).on_conflict(in_place.clone()).exec_without_returning(&alone).await {
                    Ok(_) => alone.commit().await?,
                    Err(error) if is_orphan(&error) => {
                        alone.rollback().await?;
                        self.orphans.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    /// Rows that were left out because others that they refer to are not there.
    pub fn orphans(&self) -> u64 {
        self.orphans.load(Ordering::Relaxed)
    }

    /// Removes a row by the fields of its primary key; answers whether such rows can vanish at all.
    pub async fn remove(&self, kind: RecordKind, key: &Map<String, Value>) -> Result<bool, CatalogError> {
        let text = |name: &str| key.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        match kind {
            RecordKind::Placement => {
                placement::Entity::delete_by_id((text("bucket"), text("object_key"))).exec(&self.transaction).await?;
            }
            RecordKind::Skip => {
                let task: Uuid = text("task_id").parse().unwrap_or_default();
                skip::Entity::delete_by_id((task, text("annotator"))).exec(&self.transaction).await?;
            }
            RecordKind::Feedback => {
                let id = key.get("id").and_then(Value::as_i64).unwrap_or_default();
                feedback::Entity::delete_by_id(id).exec(&self.transaction).await?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Notes an object that was read, and which predictions it tells of.
    pub async fn object(
        &self,
        kind: RecordKind,
        number: i64,
        key: &str,
        at: DateTime<Utc>,
        mentions: &[Uuid],
    ) -> Result<(), CatalogError> {
        record_object::ActiveModel {
            number: Set(number),
            kind: Set(kind.as_str().to_owned()),
            object_key: Set(key.to_owned()),
            body: Set(None),
            revision: Set(1),
            planned_at: Set(at),
            written_at: Set(Some(at)),
        }
        .insert(&self.transaction)
        .await?;
        for mentions in mentions.chunks(ROWS) {
            let rows = mentions
                .iter()
                .map(|id| record_mention::ActiveModel { prediction_id: Set(*id), object_number: Set(number) });
            record_mention::Entity::insert_many(rows)
                .on_conflict_do_nothing()
                .exec_without_returning(&self.transaction)
                .await?;
        }
        Ok(())
    }

    /// Batches that have other numbers of selections than they say: batch, how many it says, how many there are.
    pub async fn incomplete_batches(&self) -> Result<Vec<(i64, u64, u64)>, CatalogError> {
        let found: Vec<(i64, i64)> = selection::Entity::find()
            .select_only()
            .column(selection::Column::BatchId)
            .column_as(selection::Column::PredictionId.count(), "photos")
            .group_by(selection::Column::BatchId)
            .into_tuple()
            .all(&self.transaction)
            .await?;
        let found: BTreeMap<i64, i64> = found.into_iter().collect();
        let batches = batch::Entity::find().all(&self.transaction).await?;
        let told = batches.into_iter().map(|batch| {
            let there = found.get(&batch.id).copied().unwrap_or_default();
            (batch.id, batch.considered.unsigned_abs(), there.unsigned_abs())
        });
        Ok(told.filter(|(_, said, there)| said != there).collect())
    }

    /// The numbers of the batches there are.
    pub async fn batches(&self) -> Result<BTreeSet<i64>, CatalogError> {
        let numbers = batch::Entity::find().select_only().column(batch::Column::Id).into_tuple::<i64>();
        Ok(numbers.all(&self.transaction).await?.into_iter().collect())
    }

    /// Goes on where the records end, and has the outbox look at what may not have been carried over: photos that are
    /// not in the object store yet, and those named.
    pub async fn finish(
        self,
        log: Uuid,
        last_number: i64,
        last_seq: i64,
        look_at: &[Uuid],
    ) -> Result<(), CatalogError> {
        let transaction = &self.transaction;
        // Those of filling it: what it says is recorded already.
        record_mark::Entity::delete_many().exec(transaction).await?;
        match transaction.get_database_backend() {
            DbBackend::Postgres => {
                let counting = [("record_marks", last_seq), ("feedback", 0), ("batches", 0), ("collections", 0)];
                for (table, least) in counting {
                    let last = format!("GREATEST({least}, (SELECT COALESCE(MAX(id), 0) FROM {table}))");
                    let sql = format!(
                        "SELECT setval(pg_get_serial_sequence('{table}', 'id'), GREATEST({last}, 1), {last} > 0)"
                    );
                    transaction.execute_unprepared(&sql).await?;
                }
            }
            // SQLite goes on behind the greatest number that a table has ever had.
            _ => {
                let last = record_mark::Model { id: last_seq, kind: String::new(), row_key: String::new() };
                last.into_active_model().insert(transaction).await?;
                record_mark::Entity::delete_many().exec(transaction).await?;
            }
        }
        record_log::ActiveModel { id: Set(1), log: Set(Some(log)), last_number: Set(last_number) }
            .update(transaction)
            .await?;
        let not_stored: Vec<Uuid> = prediction::Entity::find()
            .select_only()
            .column(prediction::Column::Id)
            .filter(prediction::Column::StoredAt.is_null())
            .filter(prediction::Column::ErasedAt.is_null())
            .into_tuple()
            .all(transaction)
            .await?;
        for ids in [not_stored.as_slice(), look_at].into_iter().flat_map(|ids| ids.chunks(ROWS)) {
            super::outbox::enqueue_many(transaction, ids.iter().copied()).await?;
        }
        for sql in MIRRORS {
            transaction.execute_unprepared(sql).await?;
        }
        Ok(self.transaction.commit().await?)
    }

    /// The erased ones among these predictions.
    pub async fn erased_among(&self, ids: &[Uuid]) -> Result<Vec<Uuid>, CatalogError> {
        let mut erased = Vec::new();
        for ids in ids.chunks(ROWS) {
            let some: Vec<Uuid> = prediction::Entity::find()
                .select_only()
                .column(prediction::Column::Id)
                .filter(prediction::Column::Id.is_in(ids.iter().copied()))
                .filter(prediction::Column::ErasedAt.is_not_null())
                .into_tuple()
                .all(&self.transaction)
                .await?;
            erased.extend(some);
        }
        Ok(erased)
    }

    /// How many rows of a kind there are now.
    pub async fn count(&self, kind: RecordKind) -> Result<u64, CatalogError> {
        let connection = &self.transaction;
        Ok(match kind {
            RecordKind::Prediction => prediction::Entity::find().count(connection).await?,
            RecordKind::Campaign => campaign::Entity::find().count(connection).await?,
            RecordKind::Batch => batch::Entity::find().count(connection).await?,
            RecordKind::Selection => selection::Entity::find().count(connection).await?,
            RecordKind::Task => task::Entity::find().count(connection).await?,
            RecordKind::Feedback => feedback::Entity::find().count(connection).await?,
            RecordKind::Annotation => annotation::Entity::find().count(connection).await?,
            RecordKind::Placement => placement::Entity::find().count(connection).await?,
            RecordKind::Skip => skip::Entity::find().count(connection).await?,
            RecordKind::Collection => collection::Entity::find().count(connection).await?,
        })
    }
}
