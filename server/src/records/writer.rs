//! Writes what has changed to the bucket `records`.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use gourmetgram_object_store::{Bucket, ObjectKey, ObjectStore, ObjectStoreError, Tags};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{CONTENT_TYPE, Envelope, RecordKind, RecordsError, SCHEMA, read_row, reindex::number_of};
use crate::{
    app::App,
    catalog::{
        Catalog, CatalogError,
        entity::{batch, record_object},
        now,
    },
};

/// Names whose records the bucket holds.
const LOG_FILE: &str = "_log.json";
/// Photos that a batch has considered, in one object.
const SELECTIONS: u64 = 10_000;
/// Longest pause after a step that failed.
const LAST_RETRY: Duration = Duration::from_secs(5 * 60);

/// What the object `_log.json` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogFile {
    /// Version of the records.
    pub schema: u32,
    /// Names the history that the bucket holds.
    pub log: Uuid,
    /// When it began.
    pub began_at: DateTime<Utc>,
}

/// What a step has written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Objects.
    pub objects: usize,
}

/// Works until `stop`, and writes once more then.
pub async fn run(app: App, stop: CancellationToken) {
    let every = Duration::from_secs(app.settings().records.every_seconds.max(1));
    let (mut wait, mut has_failed) = (every, false);
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
        if stop.is_cancelled() && has_failed {
            return;
        }
        let outcome = step(&app).await;
        has_failed = outcome.is_err();
        match outcome {
            Ok(Step { objects }) => {
                metrics::counter!("gourmetgram_records_objects_total").increment(objects as u64);
                wait = every;
            }
            Err(error) => {
                metrics::counter!("gourmetgram_records_failures_total").increment(1);
                wait = (wait * 2).min(LAST_RETRY).max(every);
                let retry_after_seconds = wait.as_secs();
                tracing::warn!(%error, retry_after_seconds, "records are not written; changes wait in the catalog");
            }
        }
    }
}

/// Writes everything that has changed and is not written yet.
pub async fn step(app: &App) -> Result<Step, RecordsError> {
    let (catalog, store) = (app.catalog(), app.object_store());
    if !catalog.has_records_to_write().await? {
        return Ok(Step::default());
    }
    ensure_ours(catalog, store).await?;
    app.records_checked().get_or_try_init(|| ensure_newest(catalog, store)).await?;
    let mut step = Step::default();
    loop {
        for object in catalog.records_to_write().await? {
            write(catalog, store, object).await?;
            step.objects += 1;
        }
        if catalog.plan_records(now()).await? == 0 {
            return Ok(step);
        }
    }
}

/// What the bucket says about whose records it holds.
pub async fn read_log(store: &ObjectStore) -> Result<Option<LogFile>, RecordsError> {
    let object = match store.get_at_most(Bucket::Records, &LOG_FILE.parse()?, 64 * 1024).await {
        Ok(object) => object,
        Err(ObjectStoreError::NotFound { .. } | ObjectStoreError::BucketMissing { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let unreadable = |why: String| RecordsError::Unreadable {
        bucket: store.bucket_names().records.clone(),
        key: LOG_FILE.to_owned(),
        why,
    };
    let file: LogFile = serde_json::from_slice(&object.bytes).map_err(|error| unreadable(error.to_string()))?;
    if file.schema != SCHEMA {
        return Err(unreadable(format!("schema {}, and this version knows {SCHEMA}", file.schema)));
    }
    Ok(Some(file))
}

/// Two catalogs must not write into one history. A bucket that is empty, for whatever reason, gets everything anew.
pub(super) async fn ensure_ours(catalog: &Catalog, store: &ObjectStore) -> Result<(), RecordsError> {
    let own = catalog.records_log().await?;
    match (own.log, read_log(store).await?) {
        (Some(own), Some(found)) if own == found.log => Ok(()),
        (_, Some(found)) => Err(RecordsError::Foreign { bucket: store.bucket_names().records.clone(), log: found.log }),
        (known, None) => {
            // The first time, or after a server died right here, or because the bucket was emptied.
            let log = match known {
                Some(log) if own.last_number == 0 => log,
                _ => catalog.begin_records_log(Uuid::now_v7()).await?,
            };
            let file = LogFile { schema: SCHEMA, log, began_at: now() };
            let bytes = serde_json::to_vec(&file).map_err(|error| CatalogError::Corrupt(error.to_string()))?;
            store.put(Bucket::Records, &LOG_FILE.parse()?, bytes, "application/json", &Tags::default()).await?;
            Ok(())
        }
    }
}

/// A catalog that was set back by other means than ours would write over what it has forgotten: asked once at each start,
/// one request a kind.
async fn ensure_newest(catalog: &Catalog, store: &ObjectStore) -> Result<(), RecordsError> {
    let own = catalog.records_log().await?;
    for kind in RecordKind::ALL.into_iter().filter(|kind| *kind != RecordKind::Selection) {
        let newest = catalog.newest_record(kind).await?;
        let later = store.list_after(Bucket::Records, &format!("{}/", kind.folder()), newest.as_deref()).await?;
        let is_unknown = |key: &ObjectKey| number_of(kind, key.as_str()).is_some_and(|it| it > own.last_number);
        if later.iter().any(is_unknown) {
            let bucket = store.bucket_names().records.clone();
            return Err(RecordsError::Foreign { bucket, log: own.log.unwrap_or_default() });
        }
    }
    Ok(())
}

pub(super) async fn write(
    catalog: &Catalog,
    store: &ObjectStore,
    object: record_object::Model,
) -> Result<(), RecordsError> {
    let mut object = object;
    loop {
        let Some(body) = object.body else { return Ok(()) };
        // Of a later revision they are there already.
        if object.kind == RecordKind::Batch.as_str() && object.revision == 1 {
            for line in body.lines() {
                write_selections(catalog, store, line).await?;
            }
        }
        put(store, &object.object_key, body).await?;
        if catalog.record_written(object.number, object.revision).await? {
            return Ok(());
        }
        // An erasure has changed what it is to hold, or another server has written it.
        match catalog.record_object(object.number).await? {
            Some(now) => object = now,
            None => return Ok(()),
        }
    }
}

/// What a batch has considered. Its rows never change, so doing it again writes the same objects.
async fn write_selections(catalog: &Catalog, store: &ObjectStore, line: &str) -> Result<(), RecordsError> {
    let corrupt = |error: serde_json::Error| CatalogError::Corrupt(format!("a line of a batch: {error}"));
    let envelope: Envelope = serde_json::from_str(line).map_err(corrupt)?;
    if envelope.deleted {
        return Ok(());
    }
    let batch: batch::Model = read_row(line).map_err(corrupt)?;
    let mut after = None;
    for part in 0.. {
        let rows = catalog.selections_of(batch.id, after, SELECTIONS).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some(last.prediction_id);
        let mut body = String::new();
        for row in &rows {
            let envelope = Envelope::new(RecordKind::Selection, envelope.seq, envelope.recorded_at);
            body.push_str(&envelope.line(row).map_err(corrupt)?);
            body.push('\n');
        }
        put(store, &RecordKind::selections_key(batch.drawn_at, batch.id, part), body).await?;
    }
    Ok(())
}

pub(super) async fn put(store: &ObjectStore, key: &str, body: String) -> Result<(), RecordsError> {
    let key: ObjectKey = key.parse()?;
    Ok(store.put(Bucket::Records, &key, Bytes::from(body), CONTENT_TYPE, &Tags::default()).await?)
}
