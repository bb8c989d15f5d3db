//! Where records are read from: the bucket, or a copy of it in a folder.

use std::path::{Path, PathBuf};

use gourmetgram_object_store::{Bucket, ObjectKey, ObjectStore};

use super::{
    LogFile, RecordKind, RecordsError, SCHEMA,
    compaction::{FOLDER as COMPACTED, Parts, read_parts},
    read_log,
};

/// The largest file that is read: an object of the records has a few megabytes.
const MAX_FILE: u64 = 256 * 1024 * 1024;

/// Records.
#[derive(Clone, Debug)]
pub enum RecordsSource {
    /// In the object store.
    Bucket(Box<ObjectStore>),
    /// In a folder that was made of the bucket, for example by `aws s3 sync`.
    Folder(PathBuf),
}

impl RecordsSource {
    /// Names it for people.
    pub fn name(&self) -> String {
        match self {
            Self::Bucket(store) => store.bucket_names().records.clone(),
            Self::Folder(folder) => folder.display().to_string(),
        }
    }

    /// Whose records these are; nothing where there are none.
    pub(super) async fn log(&self) -> Result<Option<LogFile>, RecordsError> {
        let folder = match self {
            Self::Bucket(store) => return read_log(store).await,
            Self::Folder(folder) => folder,
        };
        let bytes = match tokio::fs::read(folder.join("_log.json")).await {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.unreadable("_log.json", error.to_string())),
        };
        let file: LogFile =
            serde_json::from_slice(&bytes).map_err(|error| self.unreadable("_log.json", error.to_string()))?;
        if file.schema != SCHEMA {
            let why = format!("schema {}, and this version knows {SCHEMA}", file.schema);
            return Err(self.unreadable("_log.json", why));
        }
        Ok(Some(file))
    }

    /// Every object of a kind, in no order.
    pub(super) async fn keys(&self, kind: RecordKind) -> Result<Vec<ObjectKey>, RecordsError> {
        let store = match self {
            Self::Bucket(store) => store,
            Self::Folder(folder) => return self.keys_of_folder(folder, kind).await,
        };
        let (mut keys, mut go_on) = (Vec::new(), None);
        loop {
            let page = store.list(Bucket::Records, &format!("{}/", kind.folder()), go_on).await?;
            keys.extend(page.keys);
            go_on = page.next;
            if go_on.is_none() {
                return Ok(keys);
            }
        }
    }

    async fn keys_of_folder(&self, folder: &Path, kind: RecordKind) -> Result<Vec<ObjectKey>, RecordsError> {
        let wrong = |error: std::io::Error| self.unreadable(kind.folder(), error.to_string());
        let mut keys = Vec::new();
        let mut days = match tokio::fs::read_dir(folder.join(kind.folder())).await {
            Ok(days) => days,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(keys),
            Err(error) => return Err(wrong(error)),
        };
        while let Some(day) = days.next_entry().await.map_err(wrong)? {
            if !day.file_type().await.map_err(wrong)?.is_dir() {
                continue;
            }
            let mut files = tokio::fs::read_dir(day.path()).await.map_err(wrong)?;
            while let Some(file) = files.next_entry().await.map_err(wrong)? {
                if !file.file_type().await.map_err(wrong)?.is_file() {
                    continue;
                }
                let (day, file) = (day.file_name(), file.file_name());
                let key = format!("{}/{}/{}", kind.folder(), day.to_string_lossy(), file.to_string_lossy());
                keys.push(key.parse()?);
            }
        }
        Ok(keys)
    }

    /// What objects that were merged are made of.
    pub(super) async fn compactions(&self) -> Result<Vec<Parts>, RecordsError> {
        let mut keys: Vec<ObjectKey> = Vec::new();
        match self {
            Self::Bucket(store) => {
                let mut go_on = None;
                loop {
                    let page = store.list(Bucket::Records, &format!("{COMPACTED}/"), go_on).await?;
                    keys.extend(page.keys);
                    go_on = page.next;
                    if go_on.is_none() {
                        break;
                    }
                }
            }
            Self::Folder(folder) => {
                let wrong = |error: std::io::Error| self.unreadable(COMPACTED, error.to_string());
                let mut files = match tokio::fs::read_dir(folder.join(COMPACTED)).await {
                    Ok(files) => files,
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
                    Err(error) => return Err(wrong(error)),
                };
                while let Some(file) = files.next_entry().await.map_err(wrong)? {
                    keys.push(format!("{COMPACTED}/{}", file.file_name().to_string_lossy()).parse()?);
                }
            }
        }
        let mut all = Vec::with_capacity(keys.len());
        for key in keys {
            all.push(read_parts(&self.name(), &key, &self.read(&key).await?)?);
        }
        Ok(all)
    }

    /// What an object says.
    pub(super) async fn read(&self, key: &ObjectKey) -> Result<Vec<u8>, RecordsError> {
        let folder = match self {
            Self::Bucket(store) => return Ok(store.get(Bucket::Records, key).await?.bytes.to_vec()),
            Self::Folder(folder) => folder,
        };
        let path = folder.join(key.as_str());
        let wrong = |error: std::io::Error| self.unreadable(key.as_str(), error.to_string());
        let size = tokio::fs::metadata(&path).await.map_err(wrong)?.len();
        if size > MAX_FILE {
            return Err(self.unreadable(key.as_str(), format!("{size} bytes are too many for records")));
        }
        tokio::fs::read(&path).await.map_err(wrong)
    }

    fn unreadable(&self, key: &str, why: String) -> RecordsError {
        RecordsError::Unreadable { bucket: self.name(), key: key.to_owned(), why }
    }
}
