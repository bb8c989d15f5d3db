//! Probes and metrics.

use std::time::Duration;

use axum::{Json, extract::State, http::StatusCode};
use gourmetgram_api::{Problem, ProblemKind};
use serde::Serialize;

use super::{Caller, Refusal};
use crate::{accounts::Scope, app::App};

/// A part that does not answer within this is not ready.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a probe answers.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Health {
    /// `ok` or `not ready`.
    status: &'static str,
    /// Parts that are not ready, each with why. Uploads go on while only the object store is away.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    not_ready: Vec<NotReady>,
}

/// A part that is not ready.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct NotReady {
    /// Which.
    part: &'static str,
    /// Why, without secrets.
    reason: String,
}

/// The process runs.
#[utoipa::path(get, path = "/livez", tag = "operation", responses((status = 200, description = "It runs", body = Health)))]
pub async fn live() -> Json<Health> {
    Json(Health { status: "ok", not_ready: Vec::new() })
}

/// Every part works.
#[utoipa::path(
    get, path = "/readyz", tag = "operation",
    responses(
        (status = 200, description = "Ready", body = Health),
        (status = 503, description = "Not ready; names what is not", body = Health),
    )
)]
pub async fn ready(State(app): State<App>) -> (StatusCode, Json<Health>) {
    let store = async { app.object_store().check().await.map_err(|error| error.to_string()) };
    let catalog = async {
        app.catalog().check().await.map_err(|error| {
            tracing::warn!(%error, "the catalog is not ready");
            "the database does not answer; the log says more".to_owned()
        })
    };
    let (catalog, store) = tokio::join!(within_patience(catalog), within_patience(store));
    let mut not_ready = Vec::new();
    for (part, result) in [("catalog", catalog), ("object_store", store)] {
        if let Err(reason) = result {
            not_ready.push(NotReady { part, reason });
        }
    }
    if not_ready.is_empty() {
        (StatusCode::OK, Json(Health { status: "ok", not_ready }))
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, Json(Health { status: "not ready", not_ready }))
    }
}

async fn within_patience(check: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    let late = || Err(format!("no answer within {} seconds", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, check).await.unwrap_or_else(|_| late())
}

/// Metrics in Prometheus's text format.
#[utoipa::path(
    get, path = "/metrics", tag = "operation",
    responses(
        (status = 200, description = "Metrics", content_type = "text/plain", body = String),
        (status = 401, description = "The server is configured to ask for a token", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The token lacks the scope metrics:read", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn metrics(State(app): State<App>, caller: Caller) -> Result<String, Refusal> {
    if app.settings().metrics.require_token && !caller.may(Scope::MetricsRead) {
        return Err(Refusal::new(
            ProblemKind::Unauthenticated,
            "metrics need an access token with the scope metrics:read here: send one as a bearer token",
        ));
    }
    Ok(app.metrics().render())
}
