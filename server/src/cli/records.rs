//! `gourmetgram records`: the bucket `records`, kept handy.

use std::time::Duration;

use anyhow::Context;
use chrono::Utc;
use clap::Subcommand;

use super::{campaign::print_json, print, user::open_catalog};
use crate::{
    config::Settings,
    records::{Compacted, compact},
    storage,
};

/// What can be done with them.
#[derive(Debug, Subcommand)]
pub enum RecordsCommand {
    /// Make few large objects of many small ones, also while the server runs. What they say stays the same. One at a time.
    #[command(
        after_help = "Example:\n  gourmetgram records compact\n  gourmetgram records compact --older-than 30d --json"
    )]
    Compact {
        /// Leave those alone that were written since.
        #[arg(long, value_name = "TIME", default_value = "1d", value_parser = humantime::parse_duration)]
        older_than: Duration,
        /// Print the result as JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Does one of them.
pub async fn run(settings: &Settings, command: RecordsCommand) -> anyhow::Result<()> {
    let RecordsCommand::Compact { older_than, json } = command;
    let before = Utc::now().checked_sub_signed(chrono::TimeDelta::from_std(older_than)?);
    let before = before.context("--older-than reaches back to before there was time")?;
    let catalog = open_catalog(settings).await?;
    let (store, running, lock) = storage::open_beside_server(settings).await?;
    let done = compact(&catalog, &store, before).await;
    if let Some(running) = running {
        running.shutdown().await;
    }
    drop(lock);
    let done = done.context("nothing is lost, and the next time goes on with it")?;
    if json {
        return print_json(&done);
    }
    let Compacted { merged, into } = done;
    print(&match merged {
        0 => "there was nothing to merge\n".to_owned(),
        _ => format!("{merged} objects went into {into} others\n"),
    })
}
