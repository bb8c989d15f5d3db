//! The store itself: versions, records and uploads in one folder, and the two steps every write takes.
//!
//! 1. The bytes are written as a *version* under a fresh name, and synced. Nobody can see them.
//! 2. A *record* with the tags and the version's name is synced and renamed to its place, and its folder is synced.
//!    That rename is the moment the object changes: bytes, headers and tags at once.
//!
//! Only then is the write answered. A crash before the rename leaves the object as it was, after it as it was to be;
//! in both cases a version nobody names stays behind and is removed at the next start. So no object is ever seen half,
//! or without the tags it was put with, and what was answered is durable.

use std::{
    fs::{self, File, TryLockError},
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::Path,
    sync::Arc,
};

use s3s::{S3, S3Request, S3Result, dto::HeadObjectInput, s3_error};
use s3s_fs::FileSystem;
use tokio::sync::{Mutex, OwnedMutexGuard};
use uuid::Uuid;

use crate::{
    StartError, failure,
    preconditions::WriteConditions,
    records::{Record, Records, now_ms},
    tags::Tags,
    uploads::Uploads,
    versions::{Draft, Versions},
};

/// How many objects can be written at the same moment. Others wait for their turn.
const LOCKS: usize = 64;

/// A multipart upload that was begun longer ago is given up at start: a week, in milliseconds.
const LONGEST_UPLOAD_MS: u64 = 7 * 24 * 60 * 60 * 1000;

/// A folder served as S3. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Storage {
    pub(crate) bytes: Arc<FileSystem>,
    pub(crate) versions: Arc<Versions>,
    pub(crate) records: Arc<Records>,
    pub(crate) uploads: Arc<Uploads>,
    /// Longest body of one request, in bytes.
    pub(crate) max_body_bytes: u64,
    /// Reading an object's record and writing it again happens under its lock.
    objects: Locks,
    /// An upload is finished or given up under its lock. Not one of the objects' locks: while it is held, the object's
    /// is waited for.
    unfinished: Locks,
    /// Held as long as the folder is served.
    _folder: Arc<File>,
}

impl Storage {
    /// Opens a folder, made if need be, and removes what a crash left in it. Blocks.
    pub(crate) fn open(folder: &Path, max_body_bytes: u64) -> Result<Self, StartError> {
        let refused = |source| StartError::Folder { folder: folder.to_owned(), source };
        let [versions, records, uploads, unsettled, scratch] =
            ["versions", "records", "uploads", "unsettled", "scratch"].map(|name| folder.join(name));
        fs::create_dir_all(folder).map_err(refused)?;

        let lock = File::create(folder.join("lock")).map_err(refused)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StartError::InUse { folder: folder.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(refused(source)),
        }

        if scratch.exists() {
            fs::remove_dir_all(&scratch).map_err(refused)?;
        }
        for made in [&versions, &records, &uploads, &unsettled, &scratch] {
            fs::create_dir_all(made).map_err(refused)?;
        }
        crate::durable::sync_folder(folder).map_err(refused)?;

        let bytes = FileSystem::new(&versions).map_err(|error| refused(io::Error::other(format!("{error:?}"))))?;
        let storage = Self {
            bytes: Arc::new(bytes),
            versions: Arc::new(Versions::new(versions, unsettled)),
            records: Arc::new(Records::new(records, scratch.clone())),
            uploads: Arc::new(Uploads::new(uploads, scratch)),
            max_body_bytes,
            objects: Locks::new(),
            unfinished: Locks::new(),
            _folder: Arc::new(lock),
        };
        storage.versions.sweep(&storage.records).map_err(refused)?;
        storage.give_up_old_uploads().map_err(refused)?;
        Ok(storage)
    }

    /// Removes multipart uploads that nobody has finished for so long that nobody will.
    fn give_up_old_uploads(&self) -> io::Result<()> {
        let youngest = now_ms().saturating_sub(LONGEST_UPLOAD_MS);
        for (upload_id, upload) in self.uploads.all()? {
            if upload.started_ms < youngest {
                self.versions.forget_upload(&upload.bucket, upload.version, upload_id)?;
                self.uploads.remove(upload_id)?;
            }
        }
        Ok(())
    }

    /// Runs something that waits for the disk where waiting is allowed. Runs to its end even if nobody waits for it.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> S3Result<T> + Send + 'static,
    ) -> S3Result<T> {
        let storage = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&storage)).await;
        done.unwrap_or_else(|panic| Err(s3_error!(panic, InternalError)))
    }

    /// Waits for the right to change the object of `key`.
    pub(crate) async fn lock(&self, bucket: &str, key: &str) -> OwnedMutexGuard<()> {
        self.objects.lock((bucket, key)).await
    }

    /// Waits for the right to end an upload.
    pub(crate) async fn lock_upload(&self, upload_id: &str) -> OwnedMutexGuard<()> {
        self.unfinished.lock(upload_id).await
    }

    /// Waits until nobody else changes any object.
    pub(crate) async fn lock_all(&self) -> Vec<OwnedMutexGuard<()>> {
        self.objects.lock_all().await
    }

    /// The record of an object; `NoSuchBucket` or `NoSuchKey` where there is none.
    pub(crate) async fn record(&self, bucket: &str, key: &str) -> S3Result<Record> {
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        self.blocking(move |storage| storage.record_now(&bucket, &key)).await
    }

    /// The same where waiting for the disk is allowed.
    pub(crate) fn record_now(&self, bucket: &str, key: &str) -> S3Result<Record> {
        match self.records.read(bucket, key).map_err(failure::from_disk)? {
            Some(record) => Ok(record),
            None if self.records.has_bucket(bucket) => Err(s3_error!(NoSuchKey)),
            None => Err(s3_error!(NoSuchBucket)),
        }
    }

    /// Refuses with `NoSuchBucket` where there is none.
    pub(crate) async fn require_bucket(&self, bucket: &str) -> S3Result<()> {
        let bucket = bucket.to_owned();
        let found = move |storage: &Self| Ok(storage.records.has_bucket(&bucket));
        if self.blocking(found).await? { Ok(()) } else { Err(s3_error!(NoSuchBucket)) }
    }

    /// Begins a version for the object of `key`.
    pub(crate) async fn begin(&self, bucket: &str, key: &str, version: Uuid) -> S3Result<Draft> {
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        let begun = move |storage: &Self| Draft::begin(&storage.versions, &bucket, &key, version);
        self.blocking(move |storage| begun(storage).map_err(failure::from_disk)).await
    }

    /// The second step of every write: makes `draft`, whose bytes are complete, the object of `key`.
    pub(crate) async fn publish(
        &self,
        draft: Draft,
        bucket: &str,
        key: &str,
        tags: Tags,
        conditions: WriteConditions,
    ) -> S3Result<Record> {
        let written = HeadObjectInput::builder().bucket(bucket.to_owned()).key(draft.version().to_string()).build();
        let written = written.map_err(|error| s3_error!(error, InternalError))?;
        let written = self.bytes.head_object(bare(written)).await.map_err(failure::from_s3s_fs)?.output;
        let record = Record {
            key: key.to_owned(),
            version: draft.version(),
            size: written.content_length.and_then(|length| u64::try_from(length).ok()).unwrap_or_default(),
            e_tag: written.e_tag.map(|e_tag| e_tag.into_value()).unwrap_or_default(),
            modified_ms: now_ms(),
            tags,
        };

        let draft = self
            .blocking(move |_| {
                draft.sync().map_err(failure::from_disk)?;
                Ok(draft)
            })
            .await?;
        let guard = self.lock(bucket, key).await;
        let bucket = bucket.to_owned();
        self.blocking(move |storage| {
            let _guard = guard;
            storage.replace(draft, &bucket, record, &conditions)
        })
        .await
    }

    /// Under the object's lock: lets `record` take the place of what is there, and removes that.
    fn replace(&self, draft: Draft, bucket: &str, record: Record, conditions: &WriteConditions) -> S3Result<Record> {
        if !self.records.has_bucket(bucket) {
            return Err(s3_error!(NoSuchBucket));
        }
        let replaced = self.records.read(bucket, &record.key).map_err(failure::from_disk)?;
        conditions.check(replaced.as_ref())?;
        if let Some(replaced) = &replaced {
            self.versions.mark(bucket, &record.key, replaced.version).map_err(failure::from_disk)?;
        }
        if let Err(error) = self.records.write(bucket, &record) {
            // It may have failed before or after the rename. Only a version that no record names may be removed.
            match self.records.read(bucket, &record.key) {
                Ok(found) if found.as_ref().map(|found| found.version) == replaced.map(|replaced| replaced.version) => {
                }
                _ => draft.leave_open(),
            }
            return Err(failure::from_disk(error));
        }
        draft.keep();
        if let Some(replaced) = replaced {
            self.versions.discard(bucket, replaced.version);
        }
        Ok(record)
    }

    /// Changes the tags of an object and nothing else.
    pub(crate) async fn retag(&self, bucket: &str, key: &str, tags: Tags) -> S3Result<()> {
        let guard = self.lock(bucket, key).await;
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        self.blocking(move |storage| {
            let _guard = guard;
            let record = storage.record_now(&bucket, &key)?;
            storage.records.write(&bucket, &Record { tags, ..record }).map_err(failure::from_disk)
        })
        .await
    }

    /// Removes objects, each with its tags; durable when this answers. Those that are not there count as removed.
    pub(crate) async fn remove(&self, bucket: &str, keys: Vec<String>) -> S3Result<()> {
        let mut gone = Vec::new();
        for key in keys {
            let guard = self.lock(bucket, &key).await;
            let bucket = bucket.to_owned();
            let removed = self.blocking(move |storage| {
                let _guard = guard;
                storage.unlink(&bucket, &key).map_err(failure::from_disk)
            });
            gone.extend(removed.await?);
        }
        let bucket = bucket.to_owned();
        self.blocking(move |storage| {
            let mut folders: Vec<_> = gone.iter().map(|(folder, _)| folder).collect();
            folders.sort_unstable();
            folders.dedup();
            for folder in folders {
                crate::durable::sync_folder(folder).map_err(failure::from_disk)?;
            }
            for (_, version) in &gone {
                storage.versions.discard(&bucket, *version);
            }
            Ok(())
        })
        .await
    }

    /// Removes a record, and answers its folder and the version that is now nobody's.
    fn unlink(&self, bucket: &str, key: &str) -> io::Result<Option<(std::path::PathBuf, Uuid)>> {
        let Some(record) = self.records.read(bucket, key)? else { return Ok(None) };
        self.versions.mark(bucket, key, record.version)?;
        Ok(self.records.remove(bucket, key)?.map(|folder| (folder, record.version)))
    }
}

/// A fixed number of locks for any number of things. Two things may share one, so whoever holds one takes no second.
#[derive(Clone)]
struct Locks(Arc<[Arc<Mutex<()>>]>);

impl Locks {
    fn new() -> Self {
        Self((0..LOCKS).map(|_| Arc::default()).collect())
    }

    async fn lock(&self, thing: impl Hash) -> OwnedMutexGuard<()> {
        let mut hasher = DefaultHasher::new();
        thing.hash(&mut hasher);
        let index = hasher.finish() as usize % self.0.len();
        self.0[index].clone().lock_owned().await
    }

    /// All of them, always in the same order, so that two callers never wait for each other.
    async fn lock_all(&self) -> Vec<OwnedMutexGuard<()>> {
        let mut guards = Vec::with_capacity(self.0.len());
        for lock in self.0.iter() {
            guards.push(lock.clone().lock_owned().await);
        }
        guards
    }
}

/// A request as `s3s-fs` needs it: nothing but the input.
pub(crate) fn bare<T>(input: T) -> S3Request<T> {
    S3Request {
        input,
        method: http::Method::GET,
        uri: http::Uri::default(),
        headers: http::HeaderMap::new(),
        extensions: http::Extensions::new(),
        credentials: None,
        region: None,
        service: None,
        trailing_headers: None,
    }
}
