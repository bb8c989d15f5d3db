//! `gourmetgram pipeline`: the steps of the feedback loop, one run at a time.

use clap::{Args, Subcommand};

use super::{
    campaign::{Span, describe_selected, find, print_json},
    print,
    user::open_catalog,
};
use crate::config::Settings;

/// What can be done with them.
#[derive(Debug, Subcommand)]
pub enum PipelineCommand {
    /// Run a pipeline once.
    #[command(subcommand)]
    Run(RunCommand),
}

/// The pipelines that can be run.
#[derive(Debug, Subcommand)]
pub enum RunCommand {
    /// Have a campaign choose which photos of an interval are labelled. Each photo is considered once, so that a run can
    /// be repeated.
    #[command(after_help = "Example:\n  \
        gourmetgram pipeline run select --campaign \"Random Sample\" --dry-run\n  \
        gourmetgram pipeline run select --campaign Production --start 2026-11-23T00:00:00Z --end 2026-11-24T00:00:00Z")]
    Select(SelectArguments),
}

/// What is to be selected.
#[derive(Debug, Args)]
pub struct SelectArguments {
    /// The campaign's name or id.
    #[arg(long, value_name = "NAME")]
    campaign: String,
    #[command(flatten)]
    span: Span,
    /// Say what would be chosen, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print the result as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs one of them.
pub async fn run(settings: &Settings, command: PipelineCommand) -> anyhow::Result<()> {
    match command {
        PipelineCommand::Run(RunCommand::Select(arguments)) => select(settings, arguments).await,
    }
}

/// Works on the catalog, also beside a server that runs: its outbox makes the buckets follow.
async fn select(settings: &Settings, arguments: SelectArguments) -> anyhow::Result<()> {
    let interval = arguments.span.interval()?;
    let catalog = open_catalog(settings).await?;
    let campaign = find(&catalog, &arguments.campaign).await?;
    let selected = catalog.select(campaign.id, interval, arguments.dry_run).await?;
    if arguments.json { print_json(&selected) } else { print(&describe_selected(&selected)) }
}
