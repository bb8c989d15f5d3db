//! Writing so that it is still there after the power failed: a file is durable once its contents *and* the folder
//! that names it are synced. Everything here blocks.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

/// Syncs the contents of the file at `path`.
pub(crate) fn sync_file(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Syncs a folder: the names in it, not what they name.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Syncs `folder` and every folder above it up to and including `root`, which must contain it.
///
/// All of them, each time: whether another task has just made one of them and not yet synced it cannot be seen.
pub(crate) fn sync_folders_up_to(folder: &Path, root: &Path) -> io::Result<()> {
    for ancestor in folder.ancestors() {
        sync_folder(ancestor)?;
        if ancestor == root {
            return Ok(());
        }
    }
    Err(io::Error::other(format!("{} is not in {}", folder.display(), root.display())))
}

/// Puts a file with `contents` at `destination` (folders made as needed, up to `root`): after this answers the file is
/// durable, and at no moment is there half of it. `scratch` is where it is written first: on the same file system.
pub(crate) fn write_file(scratch: &Path, destination: &Path, root: &Path, contents: &[u8]) -> io::Result<()> {
    let draft = scratch.join(uuid::Uuid::new_v4().to_string());
    let folder = destination.parent().unwrap_or(root);
    let written = write_and_sync(&draft, contents)
        .and_then(|()| fs::create_dir_all(folder))
        .and_then(|()| fs::rename(&draft, destination));
    if written.is_err() {
        // Best effort: what stays behind is removed at the next start.
        let _ = fs::remove_file(&draft);
    }
    written?;
    sync_folders_up_to(folder, root)
}

fn write_and_sync(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(contents)?;
    file.sync_all()
}

/// Removes a file; that there was none is no error. Answers whether there was one.
pub(crate) fn remove_if_there(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
