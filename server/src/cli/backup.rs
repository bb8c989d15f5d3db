//! `gourmetgram backup` and `gourmetgram restore`: a copy of the catalog, and the way back.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use clap::Args;
use secrecy::ExposeSecret;
use serde_json::json;

use super::{campaign::print_json, print, user::open_catalog};
use crate::{
    catalog::{Catalog, now},
    config::Settings,
    data_dir,
    records::{self, ReindexOptions, Reindexed},
    storage,
};

const POSTGRES_BACKUP: &str = "the catalog is in PostgreSQL, which has its own way: pg_dump --format=custom \
    --file=catalog.dump \"$GOURMETGRAM__CATALOG__URL\" is consistent while servers run (docs/operations.md)";
const POSTGRES_RESTORE: &str = "the catalog is in PostgreSQL, which has its own way: pg_restore --clean, with every \
    server stopped, then gourmetgram reindex --overwrite (docs/operations.md)";

/// Where the copy goes.
#[derive(Debug, Args)]
pub struct BackupArguments {
    /// The file to make, or a folder to make one in.
    #[arg(value_name = "FILE|FOLDER")]
    to: PathBuf,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Where the copy comes from.
#[derive(Debug, Args)]
pub struct RestoreArguments {
    /// A file that gourmetgram backup has made.
    file: PathBuf,
    /// Put it in the place of a catalog there is. That one is kept beside it.
    #[arg(long)]
    overwrite: bool,
    /// Leave it as it was when it was made, even where the records know what happened later: photos that were erased since
    /// are listed again.
    #[arg(long)]
    without_records: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Makes a copy, also beside a server that runs.
pub async fn back_up(settings: &Settings, arguments: &BackupArguments) -> anyhow::Result<()> {
    let file = match arguments.to.is_dir() {
        true => arguments.to.join(format!("catalog-{}.sqlite", now().format("%Y%m%dT%H%M%SZ"))),
        false => arguments.to.clone(),
    };
    let exists = || format!("{} exists: name another file, or a folder", file.display());
    ensure!(!file.exists(), exists());
    let path = sqlite_file(settings).context(POSTGRES_BACKUP)?;
    ensure!(path.exists(), "there is no catalog {} to copy: is data_dir right?", path.display());
    let catalog = open_catalog(settings).await?;
    let part = beside(&file, ".part");
    // It holds hashes of passwords and tokens: its owner's alone, from its first byte on.
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part);
    let made = made.with_context(|| format!("cannot write {}", part.display()))?;
    let written = async {
        catalog.copy_into(&part).await?;
        made.sync_all().with_context(|| format!("cannot write {}", part.display()))?;
        // A link is made only where there is nothing, a renaming would replace it.
        fs::hard_link(&part, &file).with_context(exists)?;
        sync_folder(&file)
    }
    .await;
    let removed = fs::remove_file(&part);
    written?;
    removed.with_context(|| format!("cannot remove {}", part.display()))?;
    let bytes = fs::metadata(&file)?.len();
    if arguments.json {
        return print_json(&json!({ "file": file, "bytes": bytes }));
    }
    print(&format!("{}\t{bytes} bytes\n", file.display()))
}

/// Puts a copy in the catalog's place while no server runs, and brings it up to date from the records.
pub async fn restore(settings: &Settings, arguments: &RestoreArguments) -> anyhow::Result<()> {
    let target = sqlite_file(settings).context(POSTGRES_RESTORE)?;
    let _lock = data_dir::lock(settings)?;
    ensure!(
        arguments.overwrite || !target.exists(),
        "there is a catalog {} already: give --overwrite to put the backup in its place",
        target.display()
    );
    let staged = beside(&target, ".restoring");
    remove_all(&staged)?;
    let outcome = prepare(settings, arguments, &staged).await;
    let rebuilt = match outcome {
        Ok(rebuilt) => rebuilt,
        Err(error) => {
            remove_all(&staged)?;
            return Err(error.context("the catalog is as it was"));
        }
    };
    let replaced = beside(&target, ".replaced");
    if target.exists() {
        remove_all(&replaced)?;
        for end in ["", "-wal", "-shm"] {
            match fs::rename(beside(&target, end), beside(&replaced, end)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
    }
    fs::rename(&staged, &target).with_context(|| format!("cannot move {} into place", staged.display()))?;
    sync_folder(&target)?;
    if arguments.json {
        return print_json(&json!({ "catalog": target, "records": rebuilt }));
    }
    let kept = if replaced.exists() { format!("; what was there is {}", replaced.display()) } else { String::new() };
    let until = rebuilt.and_then(|rebuilt| rebuilt.recorded_until);
    let until = until.map_or_else(
        || "as it was when the backup was made".to_owned(),
        |until| format!("brought up to {} from the records", until.to_rfc3339()),
    );
    print(&format!("restored {}, {until}{kept}; everybody signs in anew\n", target.display()))
}

/// Makes the file that takes the catalog's place.
async fn prepare(
    settings: &Settings,
    arguments: &RestoreArguments,
    staged: &Path,
) -> anyhow::Result<Option<Reindexed>> {
    let mut from = File::open(&arguments.file).with_context(|| format!("cannot read {}", arguments.file.display()))?;
    let mut to = OpenOptions::new().write(true).create_new(true).mode(0o600).open(staged)?;
    io::copy(&mut from, &mut to).with_context(|| format!("cannot copy to {}", staged.display()))?;
    to.sync_all()?;
    let catalog = Catalog::open_copy(staged).await.context("this backup cannot be used")?;
    let rebuilt = match arguments.without_records {
        true => {
            catalog.part_from_records().await?;
            None
        }
        false => catch_up(settings, &catalog).await?,
    };
    catalog.close().await?;
    File::open(staged)?.sync_all()?;
    Ok(rebuilt)
}

/// What happened after the backup is in the records, erasures too: the catalog is rebuilt from them, and keeps from the
/// backup what they do not know.
async fn catch_up(settings: &Settings, catalog: &Catalog) -> anyhow::Result<Option<Reindexed>> {
    let (store, embedded) = storage::open_for_command(settings).await?;
    let outcome = async {
        let hint = "give --without-records to restore without them";
        let Some(log) = records::read_log(&store).await.context(hint)? else {
            return Ok(None);
        };
        let own = catalog.records_log().await?;
        if own.log.is_some_and(|own| own != log.log) {
            bail!("the bucket {} holds the records of another catalog; {hint}", store.bucket_names().records);
        }
        if records::last_number(&store).await.context(hint)? <= own.last_number {
            // Nothing was recorded since; the backup may know more.
            return Ok(None);
        }
        let options = ReindexOptions { overwrite: true, despite_gaps: false, until: None };
        Ok(Some(records::reindex(catalog, &store, options, |_, _| {}).await.context(hint)?))
    }
    .await;
    if let Some(embedded) = embedded {
        embedded.shutdown().await;
    }
    outcome
}

/// The catalog's file, where it is one.
fn sqlite_file(settings: &Settings) -> Option<PathBuf> {
    let url = settings.catalog_url();
    let path = url.expose_secret().strip_prefix("sqlite:")?;
    Some(PathBuf::from(path.trim_start_matches("//")))
}

fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// A file of SQLite with what it keeps beside it.
fn remove_all(file: &Path) -> anyhow::Result<()> {
    for end in ["", "-wal", "-shm"] {
        let file = beside(file, end);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", file.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn sync_folder(file: &Path) -> anyhow::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).with_context(|| format!("cannot sync {}", folder.display()))
}
