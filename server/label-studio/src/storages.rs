//! Source storages: buckets of ours out of which Label Studio fetches photos itself, with a key that can only read.
//!
//! Photos in tasks are named `s3://bucket/key`. So nothing in a task goes stale, as presigned addresses do, and annotators
//! need no way to our object store.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::{LabelStudio, LabelStudioError, ProjectId, StorageId, call::Call};

/// What Label Studio says, with status 500, about every trouble with an object store whose name it does not know.
const SAYS_NOTHING: &str = "Debugging info is not available for s3 endpoints";
/// Matches no key.
const NOTHING: &str = "(?!)";
/// Matches every key.
const EVERYTHING: &str = ".*";

/// What a storage is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Photos of tasks that we import. Somebody who presses "Sync storage" gets no second task for each photo.
    ServePhotos,
    /// Label Studio makes a task for each photo itself, when it is told to synchronise. Each time it reads the whole bucket.
    MakeTasks,
}

/// A bucket as Label Studio is to know it.
#[derive(Clone, Debug)]
pub struct SourceStorage {
    /// What people call it, and what we find it again by.
    pub title: String,
    /// The S3 server as Label Studio reaches it. `None`: Amazon's.
    pub endpoint: Option<Url>,
    /// Its region.
    pub region: String,
    /// The bucket.
    pub bucket: String,
    /// Name of a key that may read, and nothing else.
    pub key: String,
    /// Its secret.
    pub secret: SecretString,
    /// What it is for.
    pub purpose: Purpose,
}

/// How a synchronisation ended.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Synchronised {
    /// `completed`, or how far it is.
    pub status: String,
    /// How many tasks it made.
    #[serde(rename = "last_sync_count")]
    pub made: Option<u64>,
}

#[derive(Deserialize)]
struct Known {
    id: StorageId,
    title: Option<String>,
}

impl SourceStorage {
    fn order(&self, project: ProjectId) -> Value {
        let makes_tasks = self.purpose == Purpose::MakeTasks;
        json!({
            "project": project,
            "title": self.title,
            "bucket": self.bucket,
            // With a prefix, Label Studio would refuse the storage until there is an object under it.
            "prefix": null,
            "s3_endpoint": self.endpoint.as_ref().map(|url| url.as_str().trim_end_matches('/')),
            "region_name": self.region,
            "aws_access_key_id": self.key,
            "aws_secret_access_key": self.secret.expose_secret(),
            // A task is a photo; without this, objects would have to be tasks written as JSON.
            "use_blob_urls": true,
            // Label Studio hands the bytes on itself: no address that ends, no access to S3 for annotators.
            "presign": false,
            "recursive_scan": makes_tasks,
            "regex_filter": if makes_tasks { EVERYTHING } else { NOTHING },
        })
    }
}

impl LabelStudio {
    /// Sees to it that a project knows a bucket, once, with the present key.
    ///
    /// # Errors
    /// [`LabelStudioError::BucketUnreadable`] or [`Refused`](LabelStudioError::Refused), where Label Studio cannot read the
    /// bucket, and as every call.
    pub async fn ensure_storage(
        &self,
        project: ProjectId,
        wanted: &SourceStorage,
    ) -> Result<StorageId, LabelStudioError> {
        let mut attempt = 1;
        loop {
            let call = Call::get("list the storages of a project", "api/storages/s3/").query("project", project);
            let known: Vec<Known> = self.ask(call).await?;
            let there = known.iter().filter(|storage| storage.title.as_deref() == Some(&wanted.title));
            let order = wanted.order(project);
            let call = match there.map(|storage| storage.id).min() {
                // Its key is not shown, so nobody knows whether it is still the same.
                Some(id) => Call::patch("change a storage", format!("api/storages/s3/{id}"), order),
                None => Call::post("attach a storage", "api/storages/s3/", order),
            };
            match self.ask::<Known>(call.secret(&wanted.secret)).await {
                Ok(storage) => return Ok(storage.id),
                Err(LabelStudioError::Unavailable { reason, url, .. }) if reason.contains(SAYS_NOTHING) => {
                    let endpoint = wanted.endpoint.as_ref().map_or("Amazon's S3", Url::as_str).to_owned();
                    return Err(LabelStudioError::BucketUnreadable { bucket: wanted.bucket.clone(), endpoint, url });
                }
                // It may have been made all the same: look again.
                Err(error) if error.is_retryable() && attempt < self.attempts() => {
                    self.rest(attempt).await;
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Has Label Studio read the bucket and make a task for each photo it has none for. It does so while we wait, and reads
    /// the whole bucket, so a large one takes longer than our patience; it goes on all the same.
    ///
    /// # Errors
    /// [`LabelStudioError`], as every call.
    pub async fn synchronise(&self, storage: StorageId) -> Result<Synchronised, LabelStudioError> {
        let path = format!("api/storages/s3/{storage}/sync");
        self.ask(Call::post("synchronise a storage", path, json!({}))).await
    }
}
