//! The spool: photos that are durable on this node and on their way to the object store.
//!
//! A photo's name in the spool is its id and a random part, so that two requests with the same id never write to the
//! same file. The catalog's row names the file; a file that no row names was never acknowledged.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use gourmetgram_api::PredictionId;
use rand::Rng;

/// What can go wrong in the spool.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The disk (or a quota on it) is full, or so nearly that the rest is kept for the catalog.
    #[error("the spool's disk is full")]
    Full(#[source] io::Error),
    /// Everything else a file system may say.
    #[error("the spool failed: {0}")]
    Io(#[source] io::Error),
}

impl From<io::Error> for SpoolError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                Self::Full(error)
            }
            _ => Self::Io(error),
        }
    }
}

/// A folder of photos. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Spool {
    folder: Arc<PathBuf>,
    keep_free_bytes: u64,
}

impl Spool {
    /// Opens the spool in `folder`, which is made where it is missing.
    ///
    /// `keep_free_bytes` of the disk are left alone: a catalog on the same disk needs room to note that a photo has
    /// left the spool, or a full disk would stay full for ever.
    pub fn open(folder: &Path, keep_free_bytes: u64) -> Result<Self, SpoolError> {
        create_durable_folder(folder)?;
        Ok(Self { folder: Arc::new(folder.to_owned()), keep_free_bytes })
    }

    /// Stores a photo. When this answers, the file and its name are on the disk. On an error nothing of it remains.
    pub async fn store(&self, id: PredictionId, photo: Bytes) -> Result<String, SpoolError> {
        let name = format!("{id}-{:08x}", rand::rng().random::<u32>());
        let path = self.folder.join(&name);
        let (folder, needed) = (Arc::clone(&self.folder), photo.len() as u64 + self.keep_free_bytes);
        run_blocking(move || {
            let disk = rustix::fs::statvfs(folder.as_path())?;
            if disk.f_bavail.saturating_mul(disk.f_frsize) < needed {
                return Err(io::ErrorKind::StorageFull.into());
            }
            write_durably(&path, &photo)
        })
        .await?;
        Ok(name)
    }

    /// Reads a photo; `None` when it is not (or no longer) here.
    pub async fn read(&self, name: &str) -> Result<Option<Bytes>, SpoolError> {
        let path = self.folder.join(name);
        run_blocking(move || match fs::read(path) {
            Ok(bytes) => Ok(Some(Bytes::from(bytes))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    /// Removes a photo. One that is gone already is no error.
    pub async fn remove(&self, name: &str) -> Result<(), SpoolError> {
        let path = self.folder.join(name);
        run_blocking(move || match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
        .await
    }

    /// Removes every file that is not `wanted`, at start, before anybody writes: uploads that were cut off before they
    /// were acknowledged. Answers how many.
    pub async fn sweep(&self, wanted: HashSet<String>) -> Result<usize, SpoolError> {
        let folder = Arc::clone(&self.folder);
        run_blocking(move || {
            let mut removed = 0;
            for entry in fs::read_dir(folder.as_path())? {
                let entry = entry?;
                if entry.file_name().to_str().is_none_or(|name| !wanted.contains(name)) {
                    fs::remove_file(entry.path())?;
                    removed += 1;
                }
            }
            Ok(removed)
        })
        .await
    }
}

async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, SpoolError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
        Err(stopped) => Err(SpoolError::Io(io::Error::other(stopped))),
    }
}

/// Writes a file so that it is there whole, or not at all, whatever happens: content to disk, then its name.
pub fn write_durably(path: &Path, content: &[u8]) -> io::Result<()> {
    let partial = path.with_extension("partial");
    let written = (|| {
        let mut file = File::create(&partial)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&partial, path)?;
        sync_folder_of(path)
    })();
    if written.is_err() {
        // Whichever of the two is there; the caller hears of the first error, not of this one.
        let _ = fs::remove_file(&partial);
        let _ = fs::remove_file(path);
    }
    written
}

/// Makes a folder and sees to it that its name is on the disk.
pub fn create_durable_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    File::open(folder)?.sync_all()?;
    sync_folder_of(folder)
}

/// Has the names in the folder that holds `path` written to the disk.
pub fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn an_id() -> PredictionId {
        uuid::Uuid::now_v7().try_into().unwrap()
    }

    #[tokio::test]
    async fn a_photo_is_read_as_it_was_stored_until_it_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(&folder.path().join("spool"), 0).unwrap();
        let name = spool.store(an_id(), Bytes::from_static(b"photo")).await.unwrap();
        assert_eq!(spool.read(&name).await.unwrap().unwrap(), "photo");
        spool.remove(&name).await.unwrap();
        spool.remove(&name).await.unwrap();
        assert_eq!(spool.read(&name).await.unwrap(), None);
    }

    #[tokio::test]
    async fn the_same_id_twice_makes_two_files() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), 0).unwrap();
        let id = an_id();
        let first = spool.store(id, Bytes::from_static(b"first")).await.unwrap();
        let second = spool.store(id, Bytes::from_static(b"second")).await.unwrap();
        assert_ne!(first, second);
        assert_eq!(spool.read(&first).await.unwrap().unwrap(), "first");
    }

    #[tokio::test]
    async fn a_sweep_leaves_only_what_the_catalog_knows() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), 0).unwrap();
        let known = spool.store(an_id(), Bytes::from_static(b"known")).await.unwrap();
        spool.store(an_id(), Bytes::from_static(b"cut off")).await.unwrap();
        fs::write(folder.path().join("half.partial"), b"ha").unwrap();
        assert_eq!(spool.sweep(HashSet::from([known.clone()])).await.unwrap(), 2);
        assert_eq!(spool.read(&known).await.unwrap().unwrap(), "known");
    }

    #[tokio::test]
    async fn a_photo_that_would_not_leave_the_room_to_keep_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::open(folder.path(), u64::MAX / 2).unwrap();
        assert!(matches!(spool.store(an_id(), Bytes::from_static(b"photo")).await, Err(SpoolError::Full(_))));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_full_disk_is_told_apart_from_a_broken_one() {
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert!(matches!(SpoolError::from(full), SpoolError::Full(_)));
        let broken = io::Error::from(io::ErrorKind::PermissionDenied);
        assert!(matches!(SpoolError::from(broken), SpoolError::Io(_)));
    }
}
