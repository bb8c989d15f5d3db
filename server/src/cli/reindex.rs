//! `gourmetgram reindex`: a lost catalog, rebuilt from the records.

use std::fmt::Write;

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{campaign::print_json, print, user::open_catalog};
use crate::{
    config::Settings,
    data_dir,
    records::{ReindexOptions, reindex},
    storage,
};

/// How the catalog is rebuilt.
#[derive(Debug, Args)]
pub struct ReindexArguments {
    /// Put the records in the place of what the catalog holds. Accounts and access tokens stay.
    #[arg(long)]
    overwrite: bool,
    /// Take what is there where objects of the records are missing.
    #[arg(long)]
    despite_gaps: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Rebuilds the catalog while no server uses it.
pub async fn run(settings: &Settings, arguments: &ReindexArguments) -> anyhow::Result<()> {
    let _lock = data_dir::lock(settings)?;
    let catalog = open_catalog(settings).await?;
    let (store, embedded) = storage::open_for_command(settings).await?;
    let options = ReindexOptions { overwrite: arguments.overwrite, despite_gaps: arguments.despite_gaps, until: None };
    // It shows itself on a terminal only.
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} objects, {eta} left") {
        bar.set_style(style);
    }
    let done = reindex(&catalog, &store, options, |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    })
    .await;
    bar.finish_and_clear();
    if let Some(embedded) = embedded {
        embedded.shutdown().await;
    }
    let done = done.context("the catalog is as it was")?;
    if arguments.json {
        return print_json(&done);
    }
    let mut text = String::new();
    for (kind, count) in &done.rows {
        let _ = writeln!(text, "{count}\t{kind}");
    }
    if done.missing > 0 {
        let _ = writeln!(text, "{} objects were missing", done.missing);
    }
    if done.orphans > 0 {
        let _ = writeln!(text, "{} rows refer to others that are missing, and were left out", done.orphans);
    }
    if let Some(until) = done.recorded_until {
        let _ = writeln!(text, "as of {}, from {} objects", until.to_rfc3339(), done.objects);
    }
    print(&text)
}
