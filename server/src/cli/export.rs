//! `gourmetgram export`: what meets a filter, as a file.

use std::{
    fs::OpenOptions,
    io::{self, BufWriter, IsTerminal, Write},
    path::PathBuf,
};

use anyhow::{Context, ensure};
use axum::{extract::Query, http::Uri};
use chrono::{DateTime, Utc};
use clap::{Args, builder::TypedValueParser};
use gourmetgram_api::{ExportFormat, FolderBy, PredictionQuery};
use tokio::runtime::Handle;

use super::user::open_catalog;
use crate::{catalog::now, config::Settings, export::Export, storage};

/// What is taken out.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// In which form.
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(ExportFormat::ALL.map(ExportFormat::as_str)).map(|word| word.parse::<ExportFormat>().unwrap_or(ExportFormat::Jsonl)))]
    format: ExportFormat,
    /// Which predictions: a filter as in the API's addresses, for example class=Soup&flagged=true.
    #[arg(long, value_name = "FILTER", default_value = "")]
    filter: String,
    /// Only photos received from here on, for example 2026-11-23T12:00:00Z.
    #[arg(long, value_name = "TIME")]
    start: Option<DateTime<Utc>>,
    /// Only up to here, without it.
    #[arg(long, value_name = "TIME")]
    end: Option<DateTime<Utc>>,
    /// What decides on a photo's folder, in the format photos.
    #[arg(long, default_value = "predicted", value_parser = clap::builder::PossibleValuesParser::new(FolderBy::ALL.map(FolderBy::as_str)).map(|word| word.parse::<FolderBy>().unwrap_or_default()))]
    by: FolderBy,
    /// The file to make; - is standard output [default: a name with the time].
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Takes it out, also beside a server that runs.
pub async fn run(settings: &Settings, arguments: ExportArguments) -> anyhow::Result<()> {
    let query = arguments.query()?;
    let ExportArguments { format, by, output, .. } = arguments;
    let output = output.unwrap_or_else(|| Export::file_name(format, now()).into());
    let to_standard_output = output.as_os_str() == "-";
    ensure!(
        !(to_standard_output
            && io::stdout().is_terminal()
            && matches!(format, ExportFormat::Parquet | ExportFormat::Photos)),
        "this is nothing for a terminal: name a file with --output"
    );
    let catalog = open_catalog(settings).await?;
    let (store, embedded, _lock) = storage::open_beside_server(settings).await?;
    let export = Export { catalog, store, query, format, by };
    let runtime = Handle::current();
    let written = tokio::task::spawn_blocking(move || {
        if to_standard_output {
            return Ok(export.write(BufWriter::new(io::stdout()), &runtime)?);
        }
        let named = || output.display().to_string();
        let file = OpenOptions::new().write(true).create_new(true).open(&output);
        let file = file.with_context(|| format!("cannot make {}: name another file", named()))?;
        let written = export.write(BufWriter::new(&file), &runtime).map_err(anyhow::Error::from);
        let written = written.and_then(|count| Ok((count, file.sync_all()?)));
        match written {
            Ok((count, ())) => {
                // For people; what programs read goes to the file.
                let _ = writeln!(io::stderr(), "{}: {count} predictions", named());
                Ok(count)
            }
            Err(error) => {
                // Half an export looks like a whole one.
                let _ = std::fs::remove_file(&output);
                Err(error.context(format!("{} is not made", named())))
            }
        }
    })
    .await
    .context("the export was cut off")?;
    if let Some(embedded) = embedded {
        embedded.shutdown().await;
    }
    written.map(drop)
}

impl ExportArguments {
    fn query(&self) -> anyhow::Result<PredictionQuery> {
        let filter = self.filter.trim_start_matches('?');
        let address = Uri::try_from(format!("/?{filter}")).with_context(|| format!("--filter {filter:?}"))?;
        let Query(mut query) = Query::<PredictionQuery>::try_from_uri(&address)
            .map_err(|rejection| anyhow::anyhow!("--filter {filter:?}: {}", rejection.body_text()))?;
        ensure!(
            query.limit.is_none() && query.cursor.is_none() && query.count.is_none() && query.mine.is_none(),
            "--filter takes no limit, cursor, count or mine: an export has everything that meets the filter"
        );
        query.from = self.start.or(query.from);
        query.to = self.end.or(query.to);
        query.check()?;
        Ok(query)
    }
}
