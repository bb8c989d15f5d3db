//! `gourmetgram campaign`: which photos people label.

use std::{fmt::Write, io::Read, path::PathBuf};

use anyhow::Context;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use gourmetgram_api::{
    Campaign, CampaignName, CampaignPreset, CampaignPreview, CampaignRequest, CampaignRule, FlagReason, Interval,
    NewCampaign, Selected,
};

use super::{print, user::open_catalog};
use crate::{
    catalog::{Catalog, now},
    config::Settings,
};

/// What can be done with them.
#[derive(Debug, Subcommand)]
pub enum CampaignCommand {
    /// List the campaigns there are, with how far they are.
    #[command(after_help = "Example:\n  gourmetgram campaign list --json")]
    List {
        /// Print the result as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make a campaign.
    #[command(after_help = AFTER_CREATE)]
    Create {
        #[command(flatten)]
        asked: Asked,
        /// Print the result as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say what a campaign would choose of an interval; nothing is made.
    #[command(after_help = "Example:\n  \
        gourmetgram campaign preview --preset low-confidence --start 2026-11-23T00:00:00Z --end 2026-11-24T00:00:00Z")]
    Preview {
        #[command(flatten)]
        asked: Asked,
        #[command(flatten)]
        span: Span,
        /// Print the result as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Let a campaign select nothing more. What it has chosen can still be labelled.
    #[command(after_help = "Example:\n  gourmetgram campaign archive \"Random Sample\"")]
    Archive {
        /// The campaign's name or id.
        campaign: String,
    },
}

const AFTER_CREATE: &str = "Presets, the tutorial's five projects:\n  \
    production      every photo\n  \
    random-sample   a tenth of all photos, at random\n  \
    low-confidence  what the model was less than 70 % sure of\n  \
    user-flagged    what somebody flagged\n  \
    continuous      everything special, and a tenth of all: what says how accurate the model is\n\n\
    Example:\n  \
    gourmetgram campaign create --preset continuous --name \"Continuous 1\" --schedule '0 * * * *'\n  \
    gourmetgram campaign create --preset user-flagged --reason not_food --ends-at 2026-12-01T00:00:00Z\n  \
    echo '{\"name\": \"Devices\", \"rule\": {\"kind\": \"device_disagrees\"}}' | gourmetgram campaign create --file -\n  \
    echo '{\"name\": \"Hundred\", \"rule\": {\"kind\": \"random\", \"draw\": {\"per_interval\": 100}}}' |\n    \
    gourmetgram campaign create --file -";

/// A campaign as it is asked for: by a preset, or in full.
#[derive(Debug, Args)]
pub struct Asked {
    /// One of the presets.
    #[arg(long, required_unless_present = "file", conflicts_with = "file")]
    preset: Option<CampaignPreset>,
    /// A file with the campaign in JSON, as the API takes it; - is standard input.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// What it is called, instead of the preset's or the file's name.
    #[arg(long)]
    name: Option<String>,
    /// Decides which photos a random draw takes.
    #[arg(long)]
    seed: Option<u32>,
    /// When it selects by itself: the five fields of cron, in UTC, for example '0 * * * *'.
    #[arg(long, value_name = "CRON")]
    schedule: Option<String>,
    /// Photos received before are never considered, for example 2026-11-23T12:00:00Z.
    #[arg(long, value_name = "TIME")]
    starts_at: Option<DateTime<Utc>>,
    /// Photos received from then on are never considered.
    #[arg(long, value_name = "TIME")]
    ends_at: Option<DateTime<Utc>>,
    /// Of flagged photos only those for this reason: wrong_label, not_food, bad_photo or other; may be said again.
    #[arg(long, value_name = "REASON")]
    reason: Vec<FlagReason>,
}

/// An interval of time.
#[derive(Clone, Copy, Debug, Args)]
pub struct Span {
    /// Photos received from here on, for example 2026-11-23T12:00:00Z [default: 30 minutes before the end].
    #[arg(long, value_name = "TIME")]
    start: Option<DateTime<Utc>>,
    /// Up to here, without it [default: now].
    #[arg(long, value_name = "TIME")]
    end: Option<DateTime<Utc>>,
}

impl Span {
    /// The interval that is meant.
    pub fn interval(self) -> anyhow::Result<Interval> {
        Ok(Interval::between(self.start, self.end, now())?)
    }
}

/// Longest description of a campaign that is read, in bytes.
const MAX_FILE: u64 = 64 * 1024;

impl Asked {
    fn read(self, settings: &Settings) -> anyhow::Result<NewCampaign> {
        let mut asked: NewCampaign = match (self.preset, self.file) {
            (Some(preset), _) => preset.campaign(preset.title()),
            (None, Some(file)) => {
                let mut text = String::new();
                if file.as_os_str() == "-" {
                    std::io::stdin().lock().take(MAX_FILE).read_to_string(&mut text).map(drop)
                } else {
                    std::fs::File::open(&file)
                        .and_then(|opened| opened.take(MAX_FILE).read_to_string(&mut text))
                        .map(drop)
                }
                .with_context(|| format!("cannot read {}", file.display()))?;
                let request: CampaignRequest =
                    serde_json::from_str(&text).with_context(|| format!("{} describes no campaign", file.display()))?;
                request.into()
            }
            (None, None) => anyhow::bail!("say which campaign: --preset or --file"),
        };
        if let Some(name) = self.name {
            asked.name = name;
        }
        asked.seed = self.seed.or(asked.seed);
        asked.schedule = self.schedule.or(asked.schedule);
        asked.starts_at = self.starts_at.or(asked.starts_at);
        asked.ends_at = self.ends_at.or(asked.ends_at);
        match &mut asked.rule {
            _ if self.reason.is_empty() => {}
            CampaignRule::Flagged { reasons, .. } => *reasons = self.reason,
            _ => anyhow::bail!("--reason is for a campaign that chooses what was flagged: --preset user-flagged"),
        }
        crate::pipelines::check_campaign(&asked, settings)?;
        Ok(asked)
    }
}

/// Runs one of them.
pub async fn run(settings: &Settings, command: CampaignCommand) -> anyhow::Result<()> {
    match command {
        CampaignCommand::List { json } => list(settings, json).await,
        CampaignCommand::Create { asked, json } => create(settings, asked.read(settings)?, json).await,
        CampaignCommand::Preview { asked, span, json } => {
            let (asked, interval) = (asked.read(settings)?, span.interval()?);
            let preview = open_catalog(settings).await?.preview_campaign(&asked, interval).await?;
            if json { print_json(&preview) } else { print(&describe_preview(&preview)) }
        }
        CampaignCommand::Archive { campaign } => archive(settings, &campaign).await,
    }
}

async fn list(settings: &Settings, json: bool) -> anyhow::Result<()> {
    let campaigns = open_catalog(settings).await?.campaigns().await?;
    if json {
        return print_json(&campaigns);
    }
    let mut text = String::new();
    for campaign in &campaigns {
        let Campaign { asked, progress, .. } = campaign;
        let state = if campaign.archived_at.is_some() { "archived" } else { "selects" };
        let blind = if asked.blind { "blind" } else { "shown" };
        let _ = writeln!(
            text,
            "{}\t{state}\t{blind}\t{} considered, {} chosen, {} labelled\t{}",
            asked.name,
            progress.considered,
            progress.chosen,
            progress.labelled,
            asked.schedule.as_deref().unwrap_or("when asked")
        );
    }
    print(&text)
}

async fn create(settings: &Settings, asked: NewCampaign, json: bool) -> anyhow::Result<()> {
    let made = open_catalog(settings).await?.add_campaign(&asked).await?;
    let made = made.with_context(|| format!("there is a campaign {:?} already: choose another --name", asked.name))?;
    if json {
        return print_json(&made);
    }
    print(&format!("made {}\n", made.asked.name))
}

async fn archive(settings: &Settings, campaign: &str) -> anyhow::Result<()> {
    let catalog = open_catalog(settings).await?;
    let campaign = find(&catalog, campaign).await?;
    catalog.archive_campaign(campaign.id).await?;
    print(&format!("archived {}\n", campaign.asked.name))
}

/// The campaign of this name or id.
pub async fn find(catalog: &Catalog, name: &str) -> anyhow::Result<Campaign> {
    let campaign = catalog.campaign(&CampaignName::from(name)).await?;
    campaign.with_context(|| format!("there is no campaign {name:?}: gourmetgram campaign list shows those there are"))
}

/// Prints something as a line of JSON.
pub fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    print(&format!("{}\n", serde_json::to_string(value)?))
}

/// What was selected, or would be, in lines.
pub fn describe_selected(selected: &Selected) -> String {
    let mut text = String::new();
    let Some(interval) = selected.interval else {
        return "nothing: the interval lies outside the campaign's window\n".to_owned();
    };
    let would = if selected.dry_run { "would be " } else { "" };
    let _ = writeln!(text, "from {} up to {}", interval.start.to_rfc3339(), interval.end.to_rfc3339());
    let _ = writeln!(
        text,
        "{} considered, {} {would}chosen ({} for two people), {} {would}sure",
        selected.considered, selected.chosen, selected.twice, selected.confident
    );
    for counts in &selected.strata {
        let _ = writeln!(
            text,
            "{}\t{} of {}\tprobability {:.4}",
            counts.stratum, counts.chosen, counts.considered, counts.inclusion
        );
    }
    text
}

fn describe_preview(preview: &CampaignPreview) -> String {
    let mut text = describe_selected(&preview.selected);
    let _ = match preview.half_width {
        Some(half) => writeln!(text, "accuracy to about ± {:.1} points once all are labelled", half * 100.0),
        None => writeln!(text, "says nothing about accuracy: not blind, or no photos"),
    };
    for id in &preview.photos {
        let _ = writeln!(text, "{id}");
    }
    text
}
