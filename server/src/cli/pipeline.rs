//! `gourmetgram pipeline`: the steps of the feedback loop, run from the command line: by hand, by cron, or by whatever
//! else starts work where you are.

use std::{fmt::Write, time::Duration};

use anyhow::Context;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use gourmetgram_api::{Campaign, Cause, Interval, PipelineInfo, Run, RunState};
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    Ended,
    campaign::{Span, find, print_json},
    print,
    workshop::Workshop,
};
use crate::{
    config::Settings,
    pipelines::{
        Schedule,
        backfill::{self, BackfillError},
    },
};

/// What can be done with them.
#[derive(Debug, Subcommand)]
pub enum PipelineCommand {
    /// List the pipelines with their steps and when they run next by themselves, and the last runs.
    #[command(after_help = "Example:\n  gourmetgram pipeline list --json")]
    List {
        /// So many runs, the newest first.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1000))]
        runs: u64,
        /// Print the result as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Run a pipeline once, for one interval, and wait for its end. Where a server works on runs, one of them may do it.
    #[command(after_help = AFTER_RUN)]
    Run(Box<RunArguments>),
    /// Run a pipeline for every interval of a stretch of time, one after the other, up to the first that fails. What went
    /// well before is not done again.
    #[command(after_help = AFTER_BACKFILL)]
    Backfill(Box<BackfillArguments>),
}

const AFTER_RUN: &str = "Exit status:\n  \
    0  it is done\n  \
    1  it failed, or could not be asked for: the line on standard error says why\n  \
    2  the words of the command are wrong\n  \
    3  it was called off\n  \
    4  --timeout has passed; the run is not over, and asking again goes on with it\n\n\
    Example:\n  \
    gourmetgram pipeline run select --campaign \"Random Sample\" --dry-run\n  \
    gourmetgram pipeline run select --campaign Production --start 2026-11-23T00:00:00Z --end 2026-11-24T00:00:00Z\n  \
    gourmetgram pipeline run collect --campaign Production --timeout 10m";

const AFTER_BACKFILL: &str = "Exit status: as of gourmetgram pipeline run.\n\n\
    Example:\n  \
    gourmetgram pipeline backfill select --campaign Production --start 2026-11-01T00:00:00Z --end 2026-11-08T00:00:00Z \\\n    \
    --schedule '0 * * * *'";

/// What is to be run.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// The pipeline, for example select or collect.
    #[arg(value_name = "NAME")]
    pipeline: String,
    /// The campaign's name or id.
    #[arg(long, value_name = "NAME")]
    campaign: Option<String>,
    #[command(flatten)]
    span: Span,
    #[command(flatten)]
    how: How,
}

/// What is to be run over and over.
#[derive(Debug, Args)]
pub struct BackfillArguments {
    /// The pipeline, for example select.
    #[arg(value_name = "NAME")]
    pipeline: String,
    /// The campaign's name or id.
    #[arg(long, value_name = "NAME")]
    campaign: Option<String>,
    /// From here on, for example 2026-11-01T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    start: DateTime<Utc>,
    /// Up to here, without it.
    #[arg(long, value_name = "TIME")]
    end: DateTime<Utc>,
    /// Where intervals end: the five fields of cron, in UTC [default: as it runs by itself].
    #[arg(long, value_name = "CRON")]
    schedule: Option<Schedule>,
    #[command(flatten)]
    how: How,
}

/// How it is to be run.
#[derive(Debug, Args)]
pub struct How {
    /// Say what would be done, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Wait no longer than this, for example 10m [default: until it is over].
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,
    /// Print the result as JSON, also of a run that did not end well.
    #[arg(long)]
    json: bool,
}

/// Runs one of them.
pub async fn run(settings: &Settings, command: PipelineCommand) -> anyhow::Result<()> {
    match command {
        PipelineCommand::List { runs, json } => list(settings, runs, json).await,
        PipelineCommand::Run(arguments) => {
            let RunArguments { pipeline, campaign, span, how } = *arguments;
            let interval = span.interval()?;
            let (workshop, campaign) = open(settings, &pipeline, campaign.as_deref(), &how).await?;
            let runs = work(workshop, &pipeline, campaign.as_ref(), &[interval], Cause::Manual, &how).await?;
            let run = runs.last().context("there was no run")?;
            if how.json {
                print_json(run)?;
            } else if run.state == RunState::Succeeded {
                print(&describe(run))?;
            }
            ended(run)
        }
        PipelineCommand::Backfill(arguments) => fill(settings, *arguments).await,
    }
}

async fn fill(settings: &Settings, arguments: BackfillArguments) -> anyhow::Result<()> {
    let BackfillArguments { pipeline, campaign, start, end, schedule, how } = arguments;
    let (workshop, campaign) = open(settings, &pipeline, campaign.as_deref(), &how).await?;
    let found = workshop.worker().pipeline(&pipeline).context("no such pipeline")?;
    let intervals = backfill::intervals(found, &subject(campaign.as_ref()), (start, end), schedule).await;
    let intervals = intervals.map_err(|error| match error {
        BackfillError::Backwards => anyhow::anyhow!("--end must be after --start"),
        BackfillError::NoSchedule(_) => {
            anyhow::anyhow!("say where intervals end: --schedule '0 * * * *' ({pipeline} does not run by itself here)")
        }
        error => error.into(),
    })?;
    let runs = work(workshop, &pipeline, campaign.as_ref(), &intervals, Cause::Backfill, &how).await?;
    let last = runs.last().context("there was no run")?;
    if how.json {
        print_json(&runs)?;
    } else {
        let mut text = String::new();
        for run in runs.iter().filter(|run| run.state == RunState::Succeeded) {
            let _ = writeln!(text, "{}", line(run));
        }
        print(&text)?;
    }
    ended(last)
}

/// Checks that it can be run, before anything is made.
async fn open(
    settings: &Settings,
    pipeline: &str,
    campaign: Option<&str>,
    how: &How,
) -> anyhow::Result<(Workshop, Option<Campaign>)> {
    let workshop = match how.dry_run {
        true => Workshop::beside_a_server(settings, Some(pipeline)).await?,
        false => Workshop::open(settings, pipeline).await?,
    };
    let known = workshop.worker().pipelines().iter().map(|it| it.name()).collect::<Vec<_>>().join(", ");
    let found = workshop.worker().pipeline(pipeline);
    let found = found.with_context(|| format!("there is no pipeline {pipeline:?}: there are {known}"))?;
    let campaign = match (campaign, found.needs_subject()) {
        (Some(name), true) => Some(find(workshop.catalog(), name).await?),
        (None, true) => anyhow::bail!("{pipeline} runs for one campaign at a time: name it with --campaign"),
        (Some(_), false) => anyhow::bail!("{pipeline} runs for all campaigns at once: leave --campaign out"),
        (None, false) => None,
    };
    let checked = found.check(&subject(campaign.as_ref())).await;
    checked.map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok((workshop, campaign))
}

fn subject(campaign: Option<&Campaign>) -> String {
    campaign.map(|campaign| campaign.id.to_string()).unwrap_or_default()
}

async fn work(
    workshop: Workshop,
    pipeline: &str,
    campaign: Option<&Campaign>,
    intervals: &[Interval],
    cause: Cause,
    how: &How,
) -> anyhow::Result<Vec<Run>> {
    let deadline = how.timeout.map(|timeout| Instant::now() + timeout);
    workshop.see_through(pipeline, &subject(campaign), intervals, cause, how.dry_run, deadline).await
}

/// What a run's end means for whoever called the command.
fn ended(run: &Run) -> anyhow::Result<()> {
    let words = |words: String| format!("{} {}: {words}", run.pipeline, span(run));
    let (code, words) = match run.state {
        RunState::Succeeded => return Ok(()),
        RunState::Failed => (1, words(run.error.clone().unwrap_or_else(|| "it failed".to_owned()))),
        RunState::Cancelled => (3, words("it was called off".to_owned())),
        RunState::Waiting | RunState::Running => {
            (4, words(format!("--timeout has passed, and the run {} is not over", run.id)))
        }
    };
    Err(Ended { code, words }.into())
}

async fn list(settings: &Settings, most: u64, json: bool) -> anyhow::Result<()> {
    // What is shown needs no Label Studio.
    let without = Settings { label_studio: Default::default(), ..settings.clone() };
    let workshop = Workshop::beside_a_server(&without, None).await?;
    let pipelines = workshop.worker().describe().await?;
    let runs = workshop.catalog().runs(None, None, most).await?;
    if json {
        return print_json(&serde_json::json!({ "pipelines": pipelines, "runs": runs }));
    }
    let names: Vec<(Uuid, String)> =
        workshop.catalog().campaigns().await?.into_iter().map(|campaign| (campaign.id, campaign.asked.name)).collect();
    let mut text = String::new();
    for PipelineInfo { name, steps, next_run, .. } in &pipelines {
        let next = next_run.map_or_else(|| "only when asked".to_owned(), |at| format!("next run {}", moment(at)));
        let _ = writeln!(text, "{name}\t{}\t{next}", steps.join(" > "));
    }
    for run in &runs {
        let campaign = names.iter().find(|(id, _)| Some(*id) == run.campaign).map_or("-", |(_, name)| name);
        let _ = writeln!(text, "{}\t{campaign}\t{}", line(run), run.id);
    }
    print(&text)
}

/// A run that went well, in lines.
fn describe(run: &Run) -> String {
    let mut text = String::new();
    for said in &run.log {
        let warned = if said.level == "info" { String::new() } else { format!("{}: ", said.level) };
        let _ = writeln!(text, "{warned}{}", said.text);
    }
    let _ = writeln!(text, "{}", line(run));
    text
}

fn line(run: &Run) -> String {
    let dry = if run.dry_run { ", nothing was changed" } else { "" };
    let counts = run.counts.iter().map(|(word, number)| format!("{number} {word}")).collect::<Vec<_>>().join(", ");
    let error = run.error.as_ref().map(|error| format!("\t{error}")).unwrap_or_default();
    format!("{}\t{}\t{}{dry}\t{counts}{error}", run.pipeline, span(run), run.state)
}

fn span(run: &Run) -> String {
    format!("{} up to {}", moment(run.start), moment(run.end))
}

fn moment(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_has_an_exit_status_of_its_own() {
        let at = DateTime::UNIX_EPOCH;
        let status = |state: RunState| {
            let run = Run {
                id: Uuid::nil(),
                pipeline: "select".to_owned(),
                campaign: None,
                start: at,
                end: at,
                cause: Cause::Manual,
                dry_run: false,
                state,
                attempts: 1,
                due_at: None,
                created_at: at,
                started_at: None,
                ended_at: None,
                counts: Default::default(),
                error: None,
                steps: Vec::new(),
                log: Vec::new(),
            };
            ended(&run).map_err(|error| error.downcast_ref::<Ended>().map(|ended| ended.code))
        };
        assert_eq!(status(RunState::Succeeded), Ok(()));
        assert_eq!(status(RunState::Failed), Err(Some(1)));
        assert_eq!(status(RunState::Cancelled), Err(Some(3)));
        for state in [RunState::Waiting, RunState::Running] {
            assert_eq!(status(state), Err(Some(4)));
        }
    }
}
