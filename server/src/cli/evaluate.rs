//! `gourmetgram evaluate`: how accurate a model really is, from the catalog or from the records alone.

use std::{
    fs::OpenOptions,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};
use gourmetgram_api::{Evaluation, EvaluationQuery, EvaluationWindow, SeriesStep, SliceBy};

use super::{Ended, campaign::print_json, print, user::open_catalog};
use crate::{
    app,
    catalog::{Catalog, now},
    config::{self, Settings},
    evaluating::{Evaluator, LiveVersion, MANIFEST_SCHEMA, Manifest, offline_accuracy, report},
    records::{RecordsSource, ReindexOptions, reindex_from},
    storage,
};

/// Where the photos and labels are read from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum From {
    /// The catalog.
    #[default]
    Catalog,
    /// The bucket records, or a copy of it in a folder; the catalog is not looked at.
    Records,
}

/// What is evaluated.
#[derive(Debug, Args)]
pub struct EvaluateArguments {
    /// How far back: 1d, 7d, 30d or all [default: 30d].
    #[arg(long, value_name = "WINDOW", conflicts_with = "start")]
    window: Option<EvaluationWindow>,
    /// Photos received from here on, for example 2026-11-01T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    start: Option<DateTime<Utc>>,
    /// Up to here, without it [default: now].
    #[arg(long, value_name = "TIME")]
    end: Option<DateTime<Utc>>,
    /// The model version [default: the one that answers now].
    #[arg(long, value_name = "VERSION")]
    model: Option<String>,
    /// How long the points over time are: hour, day or month.
    #[arg(long, value_name = "STEP")]
    step: Option<SeriesStep>,
    /// By what to take the photos apart: class, confidence, model, source, hour or tag.
    #[arg(long, value_name = "BY")]
    slice: Option<SliceBy>,
    /// Where photos and labels are read from.
    #[arg(long, value_enum, default_value_t)]
    from: From,
    /// With --from records: a folder with a copy of the bucket.
    #[arg(long, value_name = "FOLDER")]
    records: Option<PathBuf>,
    /// With --from records: what a manifest describes, as it was then. The digits are compared, and others are a failure.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["window", "start", "end", "model", "step", "slice"])]
    manifest: Option<PathBuf>,
    /// Print everything as JSON, as the API answers it.
    #[arg(long, conflicts_with = "html")]
    json: bool,
    /// Write a report as one HTML file that needs no other.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

/// Evaluates, also beside a server that runs.
pub async fn run(settings: &Settings, arguments: EvaluateArguments) -> anyhow::Result<()> {
    ensure!(
        arguments.from == From::Records || (arguments.records.is_none() && arguments.manifest.is_none()),
        "--records and --manifest go with --from records"
    );
    let query = EvaluationQuery {
        from: arguments.start,
        to: arguments.end,
        window: arguments.window,
        model: arguments.model.clone(),
        step: arguments.step,
        slice: arguments.slice,
    };
    query.check()?;
    let evaluation = match arguments.from {
        From::Catalog => {
            let catalog = open_catalog(settings).await?;
            let evaluator = Evaluator { catalog: &catalog, settings: &settings.evaluation, live: live(settings)? };
            let at = now();
            while !catalog.count_evaluations(settings.evaluation.campaign.as_deref(), 1000, at).await? {}
            evaluator.evaluate(&query, at).await?
        }
        From::Records => from_records(settings, &arguments, query).await?,
    };
    if let Some(file) = &arguments.html {
        write_new(file, &report::html(&evaluation))?;
        return print(&format!("{}: {}\n", file.display(), report::headline(&evaluation)));
    }
    if arguments.json { print_json(&evaluation) } else { print(&report::text(&evaluation)) }
}

fn live(settings: &Settings) -> anyhow::Result<LiveVersion> {
    let model = app::load_model(settings)?;
    Ok(LiveVersion {
        version: model.version().as_str().to_owned(),
        classes: model.classes().clone().into(),
        offline: offline_accuracy(model.manifest()),
    })
}

/// Rebuilds the catalog in a folder of its own, and evaluates that.
async fn from_records(
    settings: &Settings,
    arguments: &EvaluateArguments,
    query: EvaluationQuery,
) -> anyhow::Result<Evaluation> {
    let manifest = arguments.manifest.as_deref().map(read_manifest).transpose()?;
    let folder = tempfile::tempdir().context("cannot make a folder for a catalog of the records")?;
    let url = format!("sqlite:{}", folder.path().join("catalog.sqlite").display());
    let catalog = Catalog::open(&url.into(), 1).await?;
    let (source, embedded, _lock) = match &arguments.records {
        Some(folder) => (RecordsSource::Folder(folder.clone()), None, None),
        None => {
            let (store, embedded, lock) = storage::open_beside_server(settings).await?;
            (RecordsSource::Bucket(Box::new(store)), embedded, lock)
        }
    };
    let until = manifest.as_ref().map(|manifest| manifest.records.last_number);
    let options = ReindexOptions { until, ..ReindexOptions::default() };
    let read = reindex_from(&catalog, &source, options, |_, _| {}).await;
    if let Some(embedded) = embedded {
        embedded.shutdown().await;
    }
    read.context("the records cannot be read")?;
    let evaluated = evaluate_records(settings, &catalog, manifest.as_ref(), query).await;
    drop(catalog);
    evaluated
}

async fn evaluate_records(
    settings: &Settings,
    catalog: &Catalog,
    manifest: Option<&Manifest>,
    query: EvaluationQuery,
) -> anyhow::Result<Evaluation> {
    let Some(manifest) = manifest else {
        let evaluator = Evaluator { catalog, settings: &settings.evaluation, live: live(settings)? };
        count_all(catalog, &settings.evaluation, now()).await?;
        return Ok(evaluator.evaluate(&query, now()).await?);
    };
    let log = catalog.records_log().await?.log;
    ensure!(
        manifest.records.log.is_none() || manifest.records.log == log,
        "these are not the records that the manifest speaks of: it names the history {}, they are {}",
        manifest.records.log.unwrap_or_default(),
        log.unwrap_or_default()
    );
    let as_then = config::Evaluation {
        campaign: manifest.campaign.map(|id| id.to_string()),
        target: manifest.target,
        provisional_days: manifest.provisional_days,
        ..config::Evaluation::default()
    };
    let live = LiveVersion { version: manifest.live.clone(), classes: Vec::new(), offline: manifest.offline.clone() };
    let model = manifest.query.model.as_deref().unwrap_or(&manifest.live);
    if let Some(reference) = &manifest.reference {
        catalog.keep_drift_reference(model, reference).await?;
    }
    count_all(catalog, &as_then, manifest.computed_at).await?;
    let evaluator = Evaluator { catalog, settings: &as_then, live };
    let evaluation = evaluator.evaluate(&manifest.query, manifest.computed_at).await?;
    let headline = &evaluation.headline;
    if (headline.accuracy, headline.check) == (manifest.accuracy, manifest.check) {
        return Ok(evaluation);
    }
    if manifest.records.waiting > 0 {
        bail!(
            "the numbers differ from the manifest's, which says why: {} changes were in no record yet when it was made. Ask \
             for another a minute later",
            manifest.records.waiting
        );
    }
    let words = format!(
        "the records give other digits than the manifest: accuracy {:?} instead of {:?}, random sample {:?} instead of {:?}",
        headline.accuracy, manifest.accuracy, headline.check, manifest.check
    );
    Err(Ended { code: 1, words }.into())
}

async fn count_all(catalog: &Catalog, settings: &config::Evaluation, at: DateTime<Utc>) -> anyhow::Result<()> {
    while !catalog.count_evaluations(settings.campaign.as_deref(), 1000, at).await? {}
    Ok(())
}

fn read_manifest(path: &Path) -> anyhow::Result<Manifest> {
    let named = || format!("the manifest {}", path.display());
    let text = std::fs::read_to_string(path).with_context(named)?;
    let manifest: Manifest = serde_json::from_str(&text).with_context(named)?;
    ensure!(
        manifest.schema == MANIFEST_SCHEMA,
        "{} has schema {}, and this version knows {MANIFEST_SCHEMA}",
        named(),
        manifest.schema
    );
    manifest.query.check().with_context(named)?;
    Ok(manifest)
}

/// A file that was not there before.
fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    let named = || format!("cannot make {}: name another file", path.display());
    let mut file = OpenOptions::new().write(true).create_new(true).open(path).with_context(named)?;
    file.write_all(text.as_bytes()).with_context(named)?;
    file.sync_all().with_context(named)
}
