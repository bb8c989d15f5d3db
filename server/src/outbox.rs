//! The outbox: makes the object store like the catalog.
//!
//! A worker claims predictions whose objects are behind, and for each puts the photo if it is not there yet, sets our
//! tags (others' stay) and makes its copies for labelling like the catalog's rows, or removes every object of an erased
//! one. All of that can be done twice. A claim is leased
//! and fenced, so several servers may share a catalog; a failed try waits longer each time, and the first success
//! after an outage hurries the rest.

mod copies;
mod tags;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::StreamExt;
use gourmetgram_api::Confidence;
use gourmetgram_object_store::{Bucket, ObjectKey, ObjectStore, ObjectStoreError, TagChanges, Tags};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    app::App,
    catalog::{CatalogError, Claim, Outcome, TaggedFeedback, entity::prediction},
    pipelines::collect_soon,
    records::{self, RecordsError},
    spool::SpoolError,
};

pub use tags::{TagReader, TagsUnread};

/// How often claims are renewed, where a silent server is waited for longer than four times that.
const RENEWAL: Duration = Duration::from_secs(15);
/// Predictions carried over at the same time.
const CONCURRENCY: usize = 8;
/// Predictions claimed at once.
const BATCH: u64 = 32;
/// How often to look without being woken: for other servers' feedback, and for tries that have waited long enough.
const POLL: Duration = Duration::from_millis(500);
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LAST_RETRY: Duration = Duration::from_secs(60);
/// An erased photo's objects are removed once more after this: longer than any write that was under way can linger.
const LOOK_AGAIN: Duration = Duration::from_secs(10 * 60);

/// Why a visit failed.
#[derive(Debug, thiserror::Error)]
enum VisitError {
    #[error(transparent)]
    ObjectStore(#[from] ObjectStoreError),
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    #[error(transparent)]
    Records(#[from] RecordsError),
    #[error("the photo is missing from the spool ({0}): was the data directory changed by hand?")]
    SpoolFileMissing(String),
    #[error("the catalog's row cannot be understood: {0}")]
    Row(String),
}

/// What one step of the worker did, for the loop and for tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Predictions carried over.
    pub done: usize,
    /// Predictions that failed and wait for their next try.
    pub failed: usize,
}

/// Works until `stop`. What is under way then is finished first.
pub async fn run(app: App, stop: CancellationToken) {
    let wakeup = Arc::clone(app.outbox_wakeup());
    while !stop.is_cancelled() {
        let idle = match step(&app).await {
            Ok(step) => step.done + step.failed == 0,
            Err(error) => {
                tracing::warn!(%error, "the outbox cannot read the catalog; it tries again");
                true
            }
        };
        report_backlog(&app).await;
        if idle {
            tokio::select! {
                () = stop.cancelled() => {}
                () = wakeup.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }
}

/// Claims what is due, up to one batch, and carries it over.
pub async fn step(app: &App) -> Result<Step, CatalogError> {
    let lease = app.settings().pipelines.lease();
    let claims = app.catalog().claim_outbox(app.node(), BATCH, lease).await?;
    if claims.is_empty() {
        return Ok(Step::default());
    }
    let held: Vec<_> = claims.iter().map(|claim| (claim.id(), claim.order.lease)).collect();
    let mut outcomes: Vec<(Claim, bool)> = Vec::with_capacity(claims.len());
    let mut visits = futures::stream::iter(claims).map(|claim| carry_over(app, claim)).buffer_unordered(CONCURRENCY);
    let visiting = async {
        while let Some(outcome) = visits.next().await {
            outcomes.push(outcome);
        }
    };
    tokio::select! {
        () = visiting => {}
        // Others may be at these photos by now: what is under way is dropped, and all of it can be done twice.
        () = keep(app, &held, lease) => {
            tracing::warn!("the catalog did not answer for {lease:?}: what the outbox was at is left to any server");
        }
    }
    let done = outcomes.iter().filter(|(_, done)| *done).count();
    let recovered = outcomes.iter().any(|(claim, done)| *done && claim.order.attempts > 0);
    if recovered {
        app.catalog().hurry_outbox().await?;
    }
    Ok(Step { done, failed: outcomes.len() - done })
}

/// Renews claims for as long as it is polled; ends when they have run out, because the catalog did not answer.
async fn keep(app: &App, held: &[(Uuid, Option<Uuid>)], lease: Duration) {
    let mut until = Instant::now() + lease;
    loop {
        tokio::time::sleep(RENEWAL.min(lease / 4)).await;
        let asked = Instant::now();
        match tokio::time::timeout_at(until, app.catalog().renew_outbox(held, lease)).await {
            Ok(Ok(())) => until = asked + lease,
            Ok(Err(error)) => tracing::warn!(%error, "the outbox cannot renew what it has claimed"),
            Err(_) => {}
        }
        if Instant::now() >= until {
            return;
        }
    }
}

async fn carry_over(app: &App, claim: Claim) -> (Claim, bool) {
    let outcome = match visit(app, &claim).await {
        Ok(outcome) => outcome,
        Err(error) => {
            let retry_after = wait_before(claim.order.attempts);
            let (prediction, attempt) = (claim.id(), claim.order.attempts + 1);
            let retry_after_seconds = retry_after.as_secs_f32();
            tracing::warn!(%prediction, attempt, retry_after_seconds, %error, "a photo waits in the outbox");
            Outcome::Failed { error: error.to_string(), retry_after }
        }
    };
    let done = !matches!(outcome, Outcome::Failed { .. });
    match app.catalog().finish_outbox(&claim, &outcome).await {
        Ok(Some(file)) => {
            if let Err(error) = app.spool().remove(&file).await {
                tracing::warn!(%error, file, "a file stays in the spool until the next start");
            }
        }
        Ok(None) => {}
        // The lease ends by itself, and the visit is made again.
        Err(error) => tracing::warn!(prediction = %claim.id(), %error, "the outbox cannot note what it did"),
    }
    metrics::counter!("gourmetgram_outbox_visits_total", "outcome" => if done { "done" } else { "failed" })
        .increment(1);
    (claim, done)
}

async fn visit(app: &App, claim: &Claim) -> Result<Outcome, VisitError> {
    let row = &claim.prediction;
    let store = app.object_store();
    if row.erased_at.is_some() {
        let seen_twice = claim.order.erase_passes > 0;
        if !seen_twice {
            // Its tasks in Label Studio are that pipeline's to remove.
            for campaign in app.catalog().campaigns_that_show(row.id).await? {
                collect_soon(app.catalog(), campaign).await?;
            }
        }
        remove_everywhere(store, &row.object_key).await?;
        copies::remove_all(app, row, seen_twice).await?;
        records::forget(app, row.id).await?;
        if let Ok(id) = row.id.try_into()
            && let Err(error) = app.thumbnails().forget(id).await
        {
            tracing::warn!(%error, "small pictures of an erased photo stay until the next sweep");
        }
        return Ok(if seen_twice { Outcome::Done } else { Outcome::RemovedOnce { again_after: LOOK_AGAIN } });
    }
    let confidence = Confidence::new(row.confidence).map_err(|error| VisitError::Row(error.to_string()))?;
    let tags_for = |row: &prediction::Model| {
        tags_of(row.created_at, &row.predicted_class, confidence, &row.model_version)
            .set("source", row.source.as_deref())
            .set("flagged", row.flag.as_ref().map(|_| "true"))
            .set("corrected_class", row.corrected_class.as_deref())
    };
    if row.stored_at.is_some() {
        let (row, standing) = tags::carry_over(app, row, tags_for).await?;
        copies::arrange(app, &row, &tags_for(&row), &standing).await?;
        return Ok(Outcome::Done);
    }
    let Some(file) = &row.spool_file else {
        return give_up(app, row).await;
    };
    let photo = app.spool().read(file).await?.ok_or_else(|| VisitError::SpoolFileMissing(file.clone()))?;
    let (tags, said) = (tags_for(row), TaggedFeedback::of(row));
    let is_news = app.catalog().announce_tags(row.id, &said).await?;
    let standing = put_photo(store, &row.object_key, photo, &row.content_type, &tags).await?;
    if is_news {
        app.catalog().confirm_tags(row.id, &said).await?;
    }
    copies::arrange(app, row, &tags, &standing).await?;
    Ok(Outcome::Done)
}

/// An upload through the object store that was cut off before it was acknowledged.
async fn give_up(app: &App, row: &prediction::Model) -> Result<Outcome, VisitError> {
    remove_everywhere(app.object_store(), &row.object_key).await?;
    let id = row.id.try_into().map_err(|_| VisitError::Row(format!("{} is no prediction id", row.id)))?;
    app.catalog().forget(id).await.map_err(|error| VisitError::Row(error.to_string()))?;
    Ok(Outcome::Done)
}

async fn remove_everywhere(store: &ObjectStore, object_key: &str) -> Result<(), VisitError> {
    let key = key(object_key)?;
    for bucket in [Bucket::Production, Bucket::LabelWait, Bucket::Noisy, Bucket::Clean] {
        store.delete(bucket, &key).await?;
    }
    Ok(())
}

fn key(object_key: &str) -> Result<ObjectKey, VisitError> {
    object_key.parse().map_err(|error| VisitError::Row(format!("object key {object_key:?}: {error}")))
}

/// The tags every photo carries: the tutorial's three, and the model's version.
pub fn tags_of(
    created_at: DateTime<Utc>,
    predicted_class: &str,
    confidence: Confidence,
    model_version: &str,
) -> TagChanges {
    TagChanges::new()
        .set("predicted_class", Some(predicted_class))
        .set("confidence", Some(&format!("{:.3}", confidence.get())))
        .set("timestamp", Some(&created_at.format("%Y-%m-%dT%H:%M:%SZ").to_string()))
        .set("model_version", Some(model_version))
}

/// Puts a photo into the bucket `production`, keeping tags that others may have set on an earlier copy of it. Answers
/// the tags it has there.
pub async fn put_photo(
    store: &ObjectStore,
    object_key: &str,
    photo: Bytes,
    content_type: &str,
    tags: &TagChanges,
) -> Result<Tags, ObjectStoreError> {
    let key: ObjectKey = object_key.parse()?;
    let standing = match store.read_tags(Bucket::Production, &key).await {
        Ok(standing) => standing,
        Err(ObjectStoreError::NotFound { .. }) => Tags::default(),
        Err(error) => return Err(error),
    };
    let tags = standing.merge(tags)?;
    store.put(Bucket::Production, &key, photo, content_type, &tags).await?;
    Ok(tags)
}

/// Doubles with every failed try, with some chance in it so that servers don't knock in step.
fn wait_before(attempts: i32) -> Duration {
    let doubled = FIRST_RETRY.saturating_mul(1 << attempts.clamp(0, 16)).min(LAST_RETRY);
    doubled.mul_f32(0.5 + 0.5 * rand::random::<f32>())
}

async fn report_backlog(app: &App) {
    if let Ok(backlog) = app.catalog().backlog().await {
        metrics::gauge!("gourmetgram_outbox_backlog").set(backlog.count as f64);
        let age = backlog.oldest.map_or(0.0, |oldest| (Utc::now() - oldest).as_seconds_f64());
        metrics::gauge!("gourmetgram_outbox_oldest_seconds").set(age);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_minute_and_no_further() {
        for attempts in [0, 1, 5, 16, 1000, i32::MAX] {
            let wait = wait_before(attempts);
            assert!(wait >= FIRST_RETRY / 2 && wait <= LAST_RETRY, "{attempts}: {wait:?}");
        }
        assert!(wait_before(20) >= LAST_RETRY / 2);
    }
}
