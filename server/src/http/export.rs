//! `GET /api/v1/export`: what meets a filter, as a file.

use std::io::{self, BufWriter, Write};

use axum::{
    body::Body,
    extract::{Query, RawQuery, State},
    http::{HeaderValue, Uri, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::stream;
use gourmetgram_api::{ExportFormat, FolderBy, PredictionQuery, Problem, ProblemKind};
use tokio::{runtime::Handle, sync::mpsc};
use url::form_urlencoded;

use super::Refusal;
use crate::{
    app::App,
    catalog::now,
    export::{Export, ExportError},
};

/// Bytes that are sent at once.
const CHUNK: usize = 64 * 1024;
/// Chunks that may wait to be taken: more are not made before.
const WAITING: usize = 4;

/// Take out every prediction that meets a filter.
///
/// The filter is that of the list of predictions, but for `limit`, `cursor` and `count`. What is sent is made while it is
/// taken, so that it may be as long as it likes. Where it breaks off, so does the transfer: a file that came to its end is
/// complete. Predictions that change meanwhile are there as they were or as they are.
#[utoipa::path(
    get, path = "/api/v1/export", tag = "predictions",
    params(
        ("format" = ExportFormat, Query, description = "In which form"),
        ("by" = Option<FolderBy>, Query, description = "What decides on a photo's folder, in the format `photos`; `predicted` where not said"),
        PredictionQuery,
    ),
    responses(
        (status = 200, description = "The file", content(
            (String = "application/x-ndjson"), (String = "text/csv"), (Vec<u8> = "application/vnd.apache.parquet"), (Vec<u8> = "application/zip")
        )),
        (status = 400, description = "A form or filter that is unknown, cannot be read or contradicts another", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator, nor a token with the scope", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many exports at once", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn export(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let (format, by, query) = read(query.as_deref().unwrap_or_default())?;
    let turn = app.exports().try_acquire_owned().map_err(|_| {
        Refusal::try_again("several exports are under way already; try again when one of them has ended", 30)
    })?;
    let name = Export::file_name(format, now());
    let export = Export { catalog: app.catalog().clone(), store: app.object_store().clone(), query, format, by };
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(WAITING);
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        let to = BufWriter::with_capacity(CHUNK, Chunks(sender.clone()));
        match export.write(to, &runtime) {
            Ok(predictions) => tracing::info!(predictions, format = format.as_str(), "exported"),
            Err(error) => {
                if !matches!(&error, ExportError::Write(_)) {
                    tracing::warn!(%error, format = format.as_str(), "an export has broken off");
                }
                // Whoever takes it learns that it is not complete: the transfer breaks off too.
                let _ = sender.blocking_send(Err(io::Error::other("the export has broken off")));
            }
        }
        drop(turn);
    });
    let body = stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(format.content_type())),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::try_from(format!("attachment; filename=\"{name}\""))
                .map_err(|error| Refusal::internal(&error))?,
        ),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// What is written goes to whoever takes the answer; it waits where they are slow.
struct Chunks(mpsc::Sender<io::Result<Bytes>>);

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Larger than a chunk where somebody writes past the buffer, a photo say.
        for chunk in bytes.chunks(CHUNK) {
            let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(chunk)));
            sent.map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "nobody takes it any more"))?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Form, folders and filter of an address.
fn read(query: &str) -> Result<(ExportFormat, FolderBy, PredictionQuery), Refusal> {
    let bad = |why: String| Refusal::new(ProblemKind::BadRequest, why);
    let (mut format, mut by, mut rest) = (None, None, form_urlencoded::Serializer::new(String::new()));
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match name.as_ref() {
            "format" if format.is_none() => {
                format = Some(value.parse().map_err(|error| bad(format!("format: {error}")))?);
            }
            "by" if by.is_none() => by = Some(value.parse().map_err(|error| bad(format!("by: {error}")))?),
            "limit" | "cursor" | "count" => {
                return Err(bad(format!("an export takes no {name}: it has everything that meets the filter")));
            }
            _ => {
                rest.append_pair(&name, &value);
            }
        }
    }
    let format: ExportFormat = format.ok_or_else(|| bad("say the format: jsonl, csv, parquet or photos".to_owned()))?;
    if by.is_some() && format != ExportFormat::Photos {
        return Err(bad("by is for the format photos: the others have no folders".to_owned()));
    }
    let unreadable = |why: &dyn std::fmt::Display| bad(format!("the filter cannot be read: {why}"));
    let address = Uri::try_from(format!("/?{}", rest.finish())).map_err(|error| unreadable(&error))?;
    let query = Query::<PredictionQuery>::try_from_uri(&address);
    let Query(query) = query.map_err(|rejection| unreadable(&rejection.body_text()))?;
    query.check().map_err(|error| bad(error.to_string()))?;
    if query.mine == Some(true) {
        return Err(bad("mine is for the browser's own photos: an export is everybody's".to_owned()));
    }
    Ok((format, by.unwrap_or_default(), query))
}
