//! The command line: one binary, subcommands, one clear line on failure.

mod backup;
mod campaign;
mod evaluate;
mod export;
mod model;
mod password;
mod pipeline;
mod records;
mod reindex;
mod replay;
mod serve;
mod token;
mod user;
mod workshop;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Context;
use clap::{Parser, Subcommand};

use self::{
    backup::{BackupArguments, RestoreArguments},
    campaign::CampaignCommand,
    evaluate::EvaluateArguments,
    export::ExportArguments,
    model::ModelCommand,
    pipeline::PipelineCommand,
    records::RecordsCommand,
    reindex::ReindexArguments,
    replay::ReplayArguments,
    user::UserCommand,
};
use crate::config::Settings;

/// The food-photo service that knows how accurate it is.
#[derive(Debug, Parser)]
#[command(name = "gourmetgram", version, about, propagate_version = true)]
struct Cli {
    /// Settings file [default: gourmetgram.toml, where it exists].
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service.
    #[command(
        after_help = "Example:\n  GOURMETGRAM__SERVER__LISTEN=0.0.0.0:8080 gourmetgram serve\n  gourmetgram serve --phone"
    )]
    Serve {
        /// Print the settings as they come out of file and environment, secrets masked, and stop.
        #[arg(long)]
        print_config: bool,
        /// Serve phones on the local network: with TLS, by a certificate authority made at the first start, and with
        /// codes for their cameras.
        #[arg(long, conflicts_with = "print_config")]
        phone: bool,
    },
    /// Labelling campaigns: which photos people label.
    #[command(subcommand)]
    Campaign(CampaignCommand),
    /// Pipelines: the steps of the feedback loop.
    #[command(subcommand)]
    Pipeline(PipelineCommand),
    /// How accurate a model really is: the estimate with its interval and everything beside it.
    #[command(after_help = "Example:\n  gourmetgram evaluate --window 7d\n  \
        gourmetgram evaluate --start 2026-11-01T00:00:00Z --model food64-1 --html report.html\n  \
        gourmetgram evaluate --from records --records records/ --manifest manifest.json --json")]
    Evaluate(Box<EvaluateArguments>),
    /// Models: bring your own.
    #[command(subcommand)]
    Model(ModelCommand),
    /// Send photos as simulated visitors would: for demonstrations, load and evaluation.
    Replay(Box<ReplayArguments>),
    /// Rebuild the catalog from the bucket `records`, while no server runs.
    #[command(after_help = "Example:\n  gourmetgram reindex\n  gourmetgram reindex --overwrite --json")]
    Reindex(ReindexArguments),
    /// The bucket `records`: what the catalog knows, kept for ever.
    #[command(subcommand)]
    Records(RecordsCommand),
    /// Take out predictions or photos, by filter and interval.
    #[command(after_help = "Example:\n  gourmetgram export --format parquet --start 2026-11-01T00:00:00Z\n  \
        gourmetgram export --format photos --by annotated --filter 'place=clean' --output clean.zip\n  \
        gourmetgram export --format csv --filter 'flagged=true' --output -")]
    Export(Box<ExportArguments>),
    /// Copy the catalog, also while the server runs.
    #[command(
        after_help = "Example:\n  gourmetgram backup /var/backups/gourmetgram/\n  gourmetgram backup today.sqlite"
    )]
    Backup(BackupArguments),
    /// Put a backup in the catalog's place, while no server runs, and bring it up to date from the bucket `records`.
    #[command(after_help = "Example:\n  gourmetgram restore today.sqlite --overwrite")]
    Restore(RestoreArguments),
    /// People and machines that may do more than visitors.
    #[command(subcommand)]
    User(UserCommand),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed; there is nobody left to tell then.
            let _ = writeln!(io::stderr(), "gourmetgram: {error:#}");
            error.downcast_ref::<Ended>().map_or(ExitCode::FAILURE, |ended| ExitCode::from(ended.code))
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let load = || Settings::load(cli.config.as_deref());
    match cli.command {
        Command::Serve { print_config: true, .. } => print(&load()?.to_toml()?),
        Command::Serve { print_config: false, phone } => runtime()?.block_on(serve::run(load()?, phone)),
        Command::Campaign(command) => runtime()?.block_on(async { campaign::run(&load()?, command).await }),
        Command::Pipeline(command) => runtime()?.block_on(async { pipeline::run(&load()?, command).await }),
        Command::Evaluate(arguments) => runtime()?.block_on(async { evaluate::run(&load()?, *arguments).await }),
        Command::Model(command) => model::run(&command),
        Command::Replay(arguments) => runtime()?.block_on(replay::replay(*arguments)),
        Command::Reindex(arguments) => runtime()?.block_on(async { reindex::run(&load()?, &arguments).await }),
        Command::Records(command) => runtime()?.block_on(async { records::run(&load()?, command).await }),
        Command::Export(arguments) => runtime()?.block_on(async { export::run(&load()?, *arguments).await }),
        Command::Backup(arguments) => runtime()?.block_on(async { backup::back_up(&load()?, &arguments).await }),
        Command::Restore(arguments) => runtime()?.block_on(async { backup::restore(&load()?, &arguments).await }),
        Command::User(command) => runtime()?.block_on(async { user::run(&load()?, command).await }),
    }
}

/// An end that is no success, with an exit status that tells it from others.
#[derive(Debug, thiserror::Error)]
#[error("{words}")]
struct Ended {
    code: u8,
    words: String,
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the async runtime")
}

fn print(text: &str) -> anyhow::Result<()> {
    io::stdout().lock().write_all(text.as_bytes()).context("cannot write to standard output")
}
