//! What a browser needs to classify by itself: the module, and the live model's parts.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use gourmetgram_api::{DeviceModel, Problem, ProblemKind};
use tokio::task;

use super::{Refusal, assets};
use crate::{
    app::App,
    device_model::{self, Encoding},
};

fn address_of(hash: &str) -> String {
    format!("/api/v1/models/parts/{hash}")
}

/// The first time this hashes megabytes, which is nothing for a thread of the async runtime.
async fn live_parts(app: &App) -> Result<Option<Arc<device_model::DeviceModel>>, Refusal> {
    let app = app.clone();
    task::spawn_blocking(move || app.device_model()).await.map_err(|error| {
        tracing::error!(%error, "cannot take the model apart for devices");
        Refusal::new(ProblemKind::Internal, "the model could not be taken apart for devices; the server has logged why")
    })
}

/// The live model for classifying on a device: where its parts are. A part's address changes with its content.
#[utoipa::path(
    get, path = "/api/v1/models/live/device", tag = "models",
    responses(
        (status = 200, description = "Where its parts are", body = DeviceModel),
        (status = 404, description = "Only the server can run the live model", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn device_model(State(app): State<App>) -> Result<Response, Refusal> {
    let model = app.model();
    let version = model.version().as_str().to_owned();
    let Some(parts) = live_parts(&app).await? else {
        return Err(Refusal::new(
            ProblemKind::NotFound,
            format!("the live model {version} is not one that devices can run: send photos to the server"),
        ));
    };
    let description = DeviceModel {
        version,
        manifest: address_of(parts.manifest.hash()),
        backbone: address_of(parts.backbone.hash()),
        head: parts.head.as_ref().map(|head| address_of(head.hash())),
    };
    Ok(([(header::CACHE_CONTROL, "no-cache")], Json(description)).into_response())
}

/// One part of the live model, by its SHA-256. It never changes: keep it as long as you like.
#[utoipa::path(
    get, path = "/api/v1/models/parts/{sha256}", tag = "models",
    params(("sha256" = String, Path, description = "64 lower-case hexadecimal digits, as in the addresses of `/api/v1/models/live/device`")),
    responses(
        (status = 200, description = "The part", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 404, description = "No part of the live model", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn part(State(app): State<App>, Path(sha256): Path<String>, headers: HeaderMap) -> Result<Response, Refusal> {
    let parts = live_parts(&app).await?;
    let Some(part) = parts.as_ref().and_then(|parts| parts.part(&sha256)) else {
        return Err(Refusal::new(
            ProblemKind::NotFound,
            "the live model has no such part; another model may be live by now: ask /api/v1/models/live/device",
        ));
    };
    let (encoding, name) = if assets::accepts(&headers, "br") {
        (Encoding::Brotli, Some("br"))
    } else if assets::accepts(&headers, "gzip") {
        (Encoding::Gzip, Some("gzip"))
    } else {
        (Encoding::Plain, None)
    };
    let content = part.encoded(encoding).await.map_err(|error| {
        tracing::error!(%error, "cannot compress a part of the model");
        Refusal::new(ProblemKind::Internal, "a part of the model could not be compressed; the server has logged why")
    })?;
    let mut response = Response::new(Body::from(content));
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(assets::FOR_GOOD));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(name) = name {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    Ok(response)
}
