//! Records: one small file for each object, which says what the object is. An object exists when its record does.
//!
//! A record names the version that holds the bytes and carries the tags, so one rename of one file changes both at
//! once. Everything here blocks.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use s3s::dto::{ETag, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{durable, key_path, tags::Tags};

/// What is known of one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) key: String,
    /// The version that holds its bytes.
    pub(crate) version: Uuid,
    /// In bytes.
    pub(crate) size: u64,
    /// Without quotes.
    pub(crate) e_tag: String,
    /// Milliseconds since 1970.
    pub(crate) modified_ms: u64,
    pub(crate) tags: Tags,
}

impl Record {
    pub(crate) fn e_tag(&self) -> ETag {
        ETag::Strong(self.e_tag.clone())
    }

    pub(crate) fn modified(&self) -> Timestamp {
        time_of(self.modified_ms)
    }
}

/// The time now in milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}

/// A time from milliseconds since 1970.
pub(crate) fn time_of(milliseconds: u64) -> Timestamp {
    // What is later than the calendar has years was not written by us; then the time is merely wrong.
    let milliseconds = milliseconds.min(253_402_300_799_999);
    (UNIX_EPOCH + Duration::from_millis(milliseconds)).into()
}

/// The folder of all records: one folder a bucket, in it [`key_path`].
#[derive(Debug)]
pub(crate) struct Records {
    root: PathBuf,
    scratch: PathBuf,
}

impl Records {
    /// Records live in `root`; `scratch` is a folder on the same file system for files on their way there.
    pub(crate) fn new(root: PathBuf, scratch: PathBuf) -> Self {
        Self { root, scratch }
    }

    /// Makes room for a bucket's records; durable.
    pub(crate) fn add_bucket(&self, bucket: &str) -> io::Result<()> {
        fs::create_dir_all(self.root.join(bucket))?;
        durable::sync_folder(&self.root)
    }

    pub(crate) fn has_bucket(&self, bucket: &str) -> bool {
        self.root.join(bucket).is_dir()
    }

    /// Forgets a bucket without objects; durable.
    pub(crate) fn remove_bucket(&self, bucket: &str) -> io::Result<()> {
        fs::remove_dir_all(self.root.join(bucket))?;
        durable::sync_folder(&self.root)
    }

    pub(crate) fn read(&self, bucket: &str, key: &str) -> io::Result<Option<Record>> {
        let contents = match fs::read(self.path(bucket, key)) {
            Ok(contents) => contents,
            // Not a folder: an escaped part of the key is a record's file name, which no record's folder can be.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let record: Record = serde_json::from_slice(&contents)?;
        Ok(Some(record))
    }

    /// Makes `record` the object of its key; durable when this answers, and never half there.
    pub(crate) fn write(&self, bucket: &str, record: &Record) -> io::Result<()> {
        let contents = serde_json::to_vec(record)?;
        durable::write_file(&self.scratch, &self.path(bucket, &record.key), &self.root, &contents)
    }

    /// Removes the object of this key. Durable once the folder answered, where there is one, is synced.
    pub(crate) fn remove(&self, bucket: &str, key: &str) -> io::Result<Option<PathBuf>> {
        let path = self.path(bucket, key);
        let was_there = durable::remove_if_there(&path)?;
        Ok(path.parent().filter(|_| was_there).map(Path::to_owned))
    }

    /// All keys of a bucket that start with `prefix`, sorted by bytes. Folders that hold only keys before `after` are
    /// passed over; other keys before it may be among the answer.
    pub(crate) fn keys(&self, bucket: &str, prefix: &str, after: Option<&str>) -> io::Result<Vec<String>> {
        let wanted = |start: &str| {
            let leads_to_prefix = start.starts_with(prefix) || prefix.starts_with(start);
            let is_past = after.is_some_and(|after| start < after && !after.starts_with(start));
            leads_to_prefix && !is_past
        };
        let mut keys = Vec::new();
        let mut folders = vec![(self.root.join(bucket), String::new())];
        while let Some((folder, folder_keys)) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                let name = entry.file_name();
                let Some(name) = name.to_str() else { continue };
                if entry.file_type()?.is_dir() {
                    let below = key_path::keys_of_folder(&folder_keys, name);
                    folders.extend(below.filter(|start| wanted(start)).map(|start| (entry.path(), start)));
                } else {
                    let key = key_path::key_of_record(&folder_keys, name);
                    keys.extend(key.filter(|key| key.starts_with(prefix)));
                }
            }
        }
        keys.sort_unstable();
        Ok(keys)
    }

    fn path(&self, bucket: &str, key: &str) -> PathBuf {
        key_path::record_path(&self.root.join(bucket), key)
    }
}
