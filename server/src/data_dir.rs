//! The data directory: one process at a time has it.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use anyhow::Context;

use crate::{config::Settings, spool};

/// Holds the data directory for as long as what is answered lives.
///
/// # Errors
/// Where a server, or a command like it, holds it.
pub fn lock(settings: &Settings) -> anyhow::Result<File> {
    try_lock(&settings.data_dir)?.with_context(|| {
        format!(
            "another server uses the data directory {}: stop it, or set data_dir to another folder",
            settings.data_dir.display()
        )
    })
}

/// One server at a time: a second one would take the first one's photos in the spool for leftovers. Nothing where there
/// is one.
pub fn try_lock(data_dir: &Path) -> anyhow::Result<Option<File>> {
    spool::create_durable_folder(data_dir)
        .with_context(|| format!("cannot use data_dir {}: make it writable or set another", data_dir.display()))?;
    let path = data_dir.join("lock");
    let lock = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}
