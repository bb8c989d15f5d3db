//! Versions: the bytes of objects, each written once under a fresh name and never changed.
//!
//! `s3s-fs` keeps them (bytes, headers and checksums). Because nothing points to a version before a record does, it
//! does not matter that `s3s-fs` writes several files one after the other: a crash leaves a version that nobody sees.
//! Such left-overs are found at the next start by their *marker*, a small file made before a version is begun or given
//! up, and removed when its fate is settled.

use std::{fs, io, path::PathBuf, sync::Arc};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{durable, records::Records};

/// Where the versions are.
#[derive(Debug)]
pub(crate) struct Versions {
    /// The folder that `s3s-fs` serves.
    root: PathBuf,
    /// One marker for each version whose fate is open.
    unsettled: PathBuf,
}

/// Says of which object an unsettled version was, or was to be, the bytes.
#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    bucket: String,
    key: String,
}

impl Versions {
    pub(crate) fn new(root: PathBuf, unsettled: PathBuf) -> Self {
        Self { root, unsettled }
    }

    /// Says that `version` may have to go. Not synced: a marker lost with the power costs disk space, nothing else.
    pub(crate) fn mark(&self, bucket: &str, key: &str, version: Uuid) -> io::Result<()> {
        let marker = Marker { bucket: bucket.to_owned(), key: key.to_owned() };
        fs::write(self.unsettled.join(version.to_string()), serde_json::to_vec(&marker)?)
    }

    /// Says that `version` stays, or is gone.
    pub(crate) fn settle(&self, version: Uuid) {
        // If it cannot be removed now, the next start looks at the marker again and finds the same.
        let _ = durable::remove_if_there(&self.unsettled.join(version.to_string()));
    }

    /// Makes a version durable: its bytes, what `s3s-fs` keeps beside them, and their names.
    pub(crate) fn sync(&self, bucket: &str, version: Uuid) -> io::Result<()> {
        let files = self.files(bucket, version);
        for file in &files {
            durable::sync_file(file)?;
        }
        durable::sync_folder(&self.root.join(bucket))?;
        durable::sync_folder(&self.root)
    }

    /// Makes a part of a multipart upload durable.
    pub(crate) fn sync_part(&self, upload_id: &str, part_number: i32) -> io::Result<()> {
        durable::sync_file(&self.part(upload_id, part_number))?;
        durable::sync_folder(&self.root)
    }

    /// Removes a part of a multipart upload.
    pub(crate) fn remove_part(&self, upload_id: &str, part_number: i32) -> io::Result<()> {
        durable::remove_if_there(&self.part(upload_id, part_number)).map(drop)
    }

    /// Makes the names of the buckets durable.
    pub(crate) fn sync_buckets(&self) -> io::Result<()> {
        durable::sync_folder(&self.root)
    }

    /// Size of a part of a multipart upload, in bytes; `None` where it was never sent.
    pub(crate) fn part_size(&self, upload_id: &str, part_number: i32) -> io::Result<Option<u64>> {
        match fs::metadata(self.part(upload_id, part_number)) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes a version that no record names, and then its marker. What cannot be removed is tried again at the next
    /// start.
    pub(crate) fn discard(&self, bucket: &str, version: Uuid) {
        let removed = self.files(bucket, version).iter().try_for_each(|file| durable::remove_if_there(file).map(drop));
        match removed {
            Ok(()) => self.settle(version),
            Err(error) => tracing::warn!(%version, %error, "a replaced version could not be removed yet"),
        }
    }

    /// Removes what `s3s-fs` keeps of a multipart upload: its parts, joined or not, and its headers.
    pub(crate) fn forget_upload(&self, bucket: &str, version: Uuid, upload_id: Uuid) -> io::Result<()> {
        let parts = format!(".upload_id-{upload_id}.part-");
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            if entry.file_name().to_str().is_some_and(|name| name.starts_with(&parts)) {
                durable::remove_if_there(&entry.path())?;
            }
        }
        durable::remove_if_there(&self.beside(bucket, version, &format!("upload-{upload_id}.metadata")))?;
        durable::remove_if_there(&self.root.join(format!(".upload-{upload_id}.json"))).map(drop)
    }

    /// Removes what a crash left behind: every marked version that is not the one its object's record names.
    pub(crate) fn sweep(&self, records: &Records) -> io::Result<()> {
        for entry in fs::read_dir(&self.unsettled)? {
            let entry = entry?;
            let version = entry.file_name().to_str().and_then(|name| name.parse::<Uuid>().ok());
            let marker = serde_json::from_slice::<Marker>(&fs::read(entry.path())?);
            match (version, marker) {
                (Some(version), Ok(Marker { bucket, key })) => match records.read(&bucket, &key)? {
                    Some(record) if record.version == version => self.settle(version),
                    _ => self.discard(&bucket, version),
                },
                // Torn by the crash. Which version it meant cannot be known, so nothing is removed but the marker.
                _ => fs::remove_file(entry.path())?,
            }
        }
        Ok(())
    }

    /// The files `s3s-fs` 0.14 keeps for one object: its bytes, its headers, its checksums.
    fn files(&self, bucket: &str, version: Uuid) -> [PathBuf; 3] {
        [
            self.root.join(bucket).join(version.to_string()),
            self.beside(bucket, version, "metadata"),
            self.beside(bucket, version, "internal"),
        ]
    }

    /// A file `s3s-fs` 0.14 keeps beside the buckets for one object.
    fn beside(&self, bucket: &str, version: Uuid, kind: &str) -> PathBuf {
        let encode = |name: &str| BASE64_URL_SAFE_NO_PAD.encode(name);
        let (bucket, object) = (encode(bucket), encode(&version.to_string()));
        self.root.join(format!(".bucket-{bucket}.object-{object}.{kind}.json"))
    }

    /// The file `s3s-fs` 0.14 keeps for one part of a multipart upload.
    fn part(&self, upload_id: &str, part_number: i32) -> PathBuf {
        self.root.join(format!(".upload_id-{upload_id}.part-{part_number}"))
    }
}

/// A version on its way to becoming an object's bytes. Dropped before that, it is removed.
#[derive(Debug)]
pub(crate) struct Draft {
    versions: Arc<Versions>,
    bucket: String,
    version: Uuid,
    is_kept: bool,
}

impl Draft {
    /// Begins a version for the object `key` of `bucket`.
    pub(crate) fn begin(versions: &Arc<Versions>, bucket: &str, key: &str, version: Uuid) -> io::Result<Self> {
        versions.mark(bucket, key, version)?;
        Ok(Self { versions: versions.clone(), bucket: bucket.to_owned(), version, is_kept: false })
    }

    pub(crate) fn version(&self) -> Uuid {
        self.version
    }

    /// Makes it durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.versions.sync(&self.bucket, self.version)
    }

    /// A record names it now: it stays.
    pub(crate) fn keep(mut self) {
        self.is_kept = true;
        self.versions.settle(self.version);
    }

    /// It cannot be known whether a record names it: the next start decides.
    pub(crate) fn leave_open(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_kept {
            self.versions.discard(&self.bucket, self.version);
        }
    }
}
