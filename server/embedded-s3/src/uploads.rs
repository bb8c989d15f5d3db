//! Multipart uploads in progress: of which object each will be the bytes, and with which tags. `s3s-fs` keeps the
//! parts. Everything here blocks.

use std::{fs, io, path::PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{durable, tags::Tags};

/// One upload in progress.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Upload {
    pub(crate) bucket: String,
    pub(crate) key: String,
    /// The version its parts become.
    pub(crate) version: Uuid,
    pub(crate) tags: Tags,
    /// Milliseconds since 1970.
    pub(crate) started_ms: u64,
}

/// The folder of all uploads in progress: one file each, called by its upload id.
#[derive(Debug)]
pub(crate) struct Uploads {
    root: PathBuf,
    scratch: PathBuf,
}

impl Uploads {
    pub(crate) fn new(root: PathBuf, scratch: PathBuf) -> Self {
        Self { root, scratch }
    }

    /// Remembers an upload; durable.
    pub(crate) fn add(&self, upload_id: Uuid, upload: &Upload) -> io::Result<()> {
        durable::write_file(&self.scratch, &self.path(upload_id), &self.root, &serde_json::to_vec(upload)?)
    }

    pub(crate) fn read(&self, upload_id: Uuid) -> io::Result<Option<Upload>> {
        match fs::read(self.path(upload_id)) {
            Ok(contents) => Ok(Some(serde_json::from_slice(&contents)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn remove(&self, upload_id: Uuid) -> io::Result<()> {
        durable::remove_if_there(&self.path(upload_id)).map(drop)
    }

    /// All uploads in progress, in no order.
    pub(crate) fn all(&self) -> io::Result<Vec<(Uuid, Upload)>> {
        let mut uploads = Vec::new();
        for entry in fs::read_dir(&self.root)? {
            let name = entry?.file_name();
            let Some(upload_id) = name.to_str().and_then(|name| name.strip_suffix(".json")?.parse::<Uuid>().ok())
            else {
                continue;
            };
            // One that was finished in between is simply no longer there.
            uploads.extend(self.read(upload_id)?.map(|upload| (upload_id, upload)));
        }
        Ok(uploads)
    }

    fn path(&self, upload_id: Uuid) -> PathBuf {
        self.root.join(format!("{upload_id}.json"))
    }
}
