//! The lines of rows that have changed: what they are at this moment.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    CatalogError,
    entity::{annotation, batch, campaign, collection, feedback, placement, prediction, skip, task},
};
use crate::records::{Envelope, RecordKind};

/// What became of a row that was marked.
pub(super) enum Row {
    /// It is there: its line.
    There(String),
    /// Nobody was told of it yet, and it may still vanish without a trace.
    Unacknowledged,
    /// It is not complete; when it is, there is another mark.
    Unfinished,
}

pub(super) fn corrupt(error: serde_json::Error) -> CatalogError {
    CatalogError::Corrupt(error.to_string())
}

fn unknown_key(key: &str) -> CatalogError {
    CatalogError::Corrupt(format!("record_marks: {key:?} is no key"))
}

pub(super) fn uuid(key: &str) -> Result<Uuid, CatalogError> {
    key.parse().map_err(|_| unknown_key(key))
}

fn number(key: &str) -> Result<i64, CatalogError> {
    key.parse().map_err(|_| unknown_key(key))
}

fn pair(key: &str) -> Result<(&str, &str), CatalogError> {
    key.split_once('/').ok_or_else(|| unknown_key(key))
}

fn all<'a, T>(keys: &[&'a str], read: impl Fn(&'a str) -> Result<T, CatalogError>) -> Result<Vec<T>, CatalogError> {
    keys.iter().map(|key| read(key)).collect()
}

/// The primary key of a row that is gone.
pub(super) fn key_fields(kind: RecordKind, key: &str) -> Result<Map<String, Value>, CatalogError> {
    let fields = match kind {
        RecordKind::Feedback | RecordKind::Batch | RecordKind::Collection => vec![("id", json!(number(key)?))],
        RecordKind::Placement => {
            let (bucket, object_key) = pair(key)?;
            vec![("bucket", json!(bucket)), ("object_key", json!(object_key))]
        }
        RecordKind::Skip => {
            let (task, annotator) = pair(key)?;
            vec![("task_id", json!(uuid(task)?)), ("annotator", json!(annotator))]
        }
        _ => vec![("id", json!(uuid(key)?))],
    };
    Ok(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The rows of these keys that are there, as lines with these numbers.
pub(super) async fn read_rows(
    transaction: &DatabaseTransaction,
    kind: RecordKind,
    marked: &[(String, i64)],
    at: DateTime<Utc>,
) -> Result<HashMap<String, Row>, CatalogError> {
    let keys: Vec<&str> = marked.iter().map(|(key, _)| key.as_str()).collect();
    let keys = keys.as_slice();
    let lines = Lines { kind, at, seqs: marked.iter().map(|(key, seq)| (key.as_str(), *seq)).collect() };
    /// Rows of a table whose primary key is one column, by that column.
    macro_rules! rows {
        ($table:ident, $read:ident, $key:expr) => {{
            let rows = $table::Entity::find().filter($table::Column::Id.is_in(all(keys, $read)?));
            lines.of(rows.all(transaction).await?, $key, |_| false)
        }};
    }
    let simple = |id: Uuid| id.simple().to_string();
    match kind {
        RecordKind::Prediction => {
            let rows = prediction::Entity::find().filter(prediction::Column::Id.is_in(all(keys, uuid)?));
            let is_unacknowledged = |row: &prediction::Model| {
                row.stored_at.is_none() && row.spool_file.is_none() && row.erased_at.is_none()
            };
            lines.of(rows.all(transaction).await?, |row| simple(row.id), is_unacknowledged)
        }
        RecordKind::Campaign => rows!(campaign, uuid, |row| simple(row.id)),
        RecordKind::Batch => {
            let mut rows = rows!(batch, number, |row| row.id.to_string())?;
            let unfinished = batch::Entity::find()
                .select_only()
                .column(batch::Column::Id)
                .filter(batch::Column::Id.is_in(all(keys, number)?))
                .filter(batch::Column::Considered.eq(0));
            for id in unfinished.into_tuple::<i64>().all(transaction).await? {
                rows.insert(id.to_string(), Row::Unfinished);
            }
            Ok(rows)
        }
        // They go with their batch.
        RecordKind::Selection => Ok(HashMap::new()),
        RecordKind::Task => rows!(task, uuid, |row| simple(row.id)),
        RecordKind::Feedback => {
            let rows = feedback::Entity::find().filter(feedback::Column::Id.is_in(all(keys, number)?));
            let rows = rows.all(transaction).await?;
            let unacknowledged = unacknowledged_among(transaction, &rows).await?;
            lines.of(rows, |row| row.id.to_string(), |row| unacknowledged.contains(&row.prediction_id))
        }
        RecordKind::Annotation => rows!(annotation, uuid, |row| simple(row.id)),
        RecordKind::Placement => {
            let object_keys = all(keys, |key| pair(key).map(|(_, key)| key))?;
            let rows = placement::Entity::find().filter(placement::Column::ObjectKey.is_in(object_keys));
            lines.of(rows.all(transaction).await?, |row| format!("{}/{}", row.bucket, row.object_key), |_| false)
        }
        RecordKind::Skip => {
            let tasks = all(keys, |key| pair(key).and_then(|(task, _)| uuid(task)))?;
            let rows = skip::Entity::find().filter(skip::Column::TaskId.is_in(tasks)).all(transaction).await?;
            lines.of(rows, |row| format!("{}/{}", simple(row.task_id), row.annotator), |_| false)
        }
        RecordKind::Collection => rows!(collection, number, |row| row.id.to_string()),
    }
}

async fn unacknowledged_among(
    transaction: &DatabaseTransaction,
    steps: &[feedback::Model],
) -> Result<HashSet<Uuid>, CatalogError> {
    let ids: Vec<Uuid> = prediction::Entity::find()
        .select_only()
        .column(prediction::Column::Id)
        .filter(prediction::Column::Id.is_in(steps.iter().map(|step| step.prediction_id)))
        .filter(prediction::Column::StoredAt.is_null())
        .filter(prediction::Column::SpoolFile.is_null())
        .filter(prediction::Column::ErasedAt.is_null())
        .into_tuple()
        .all(transaction)
        .await?;
    Ok(ids.into_iter().collect())
}

/// Makes lines of rows.
struct Lines<'a> {
    kind: RecordKind,
    at: DateTime<Utc>,
    /// Number of each line, by the key of its row.
    seqs: HashMap<&'a str, i64>,
}

impl Lines<'_> {
    /// Rows that were not asked for are left out.
    fn of<R: Serialize>(
        &self,
        rows: Vec<R>,
        key: impl Fn(&R) -> String,
        is_unacknowledged: impl Fn(&R) -> bool,
    ) -> Result<HashMap<String, Row>, CatalogError> {
        let mut lines = HashMap::with_capacity(rows.len());
        for row in rows {
            let key = key(&row);
            let Some(seq) = self.seqs.get(key.as_str()) else { continue };
            let line = match is_unacknowledged(&row) {
                true => Row::Unacknowledged,
                false => Row::There(Envelope::new(self.kind, *seq, self.at).line(&row).map_err(corrupt)?),
            };
            lines.insert(key, line);
        }
        Ok(lines)
    }
}
