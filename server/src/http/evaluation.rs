//! How accurate the model is: for programs and for the page `/dashboard`.

use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::{HeaderName, header},
};
use gourmetgram_api::{Evaluation, EvaluationQuery, Problem, ProblemKind, SuspectLabels};
use gourmetgram_app::measured::{Measured, Operation};

use super::{Refusal, pipelines};
use crate::{
    app::App,
    catalog::now,
    evaluating::{self, EvaluationError, Manifest},
};

impl From<EvaluationError> for Refusal {
    fn from(error: EvaluationError) -> Self {
        match error {
            EvaluationError::Unusable(error) => Self::new(ProblemKind::BadRequest, error.to_string()),
            EvaluationError::NoModel(_) => Self::new(ProblemKind::NotFound, error.to_string()),
            EvaluationError::Catalog(error) => error.into(),
            EvaluationError::Inconsistent(_) => {
                tracing::error!(%error, "the evaluation cannot be computed");
                Self::new(
                    ProblemKind::Internal,
                    "the counts behind the evaluation contradict each other; the log says how",
                )
            }
        }
    }
}

/// How accurate a model was in a window: the estimate with its interval and everything beside it.
#[utoipa::path(
    get, path = "/api/v1/evaluation", tag = "evaluation",
    params(EvaluationQuery),
    responses(
        (status = 200, description = "The evaluation; without labels its numbers are null", body = Evaluation),
        (status = 400, description = "A parameter that is unknown, cannot be read, or contradicts another", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator, nor a token with the scope", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such model version has ever served", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn read(
    State(app): State<App>,
    query: Result<Query<EvaluationQuery>, QueryRejection>,
) -> Result<Json<Evaluation>, Refusal> {
    let Query(query) = query.map_err(|error| Refusal::new(ProblemKind::BadRequest, error.body_text()))?;
    Ok(Json(app.evaluator().evaluate(&query, now()).await?))
}

/// The labels that the model contradicts most: worth a second look. `step` and `slice` change nothing.
#[utoipa::path(
    get, path = "/api/v1/evaluation/suspects", tag = "evaluation",
    params(EvaluationQuery),
    responses(
        (status = 200, description = "The most suspect first", body = SuspectLabels),
        (status = 400, description = "A parameter that is unknown, cannot be read, or contradicts another", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator, nor a token with the scope", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such model version has ever served", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn suspects(
    State(app): State<App>,
    query: Result<Query<EvaluationQuery>, QueryRejection>,
) -> Result<Json<SuspectLabels>, Refusal> {
    let Query(query) = query.map_err(|error| Refusal::new(ProblemKind::BadRequest, error.body_text()))?;
    Ok(Json(app.evaluator().suspects(&query, now()).await?))
}

/// From what an evaluation can be computed again: what was asked, by which settings, of which records, and what came of it.
/// `records.waiting` counts changes that are in no record yet; they are written every minute or so (`records.every_seconds`).
#[utoipa::path(
    get, path = "/api/v1/evaluation/manifest", tag = "evaluation",
    params(EvaluationQuery),
    responses(
        (status = 200, description = "What `gourmetgram evaluate --from records --manifest` reads", body = serde_json::Value),
        (status = 400, description = "A parameter that is unknown, cannot be read, or contradicts another", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator, nor a token with the scope", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such model version has ever served", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn manifest(
    State(app): State<App>,
    query: Result<Query<EvaluationQuery>, QueryRejection>,
) -> Result<Json<Manifest>, Refusal> {
    let Query(query) = query.map_err(|error| Refusal::new(ProblemKind::BadRequest, error.body_text()))?;
    Ok(Json(evaluating::manifest(&app, &query).await?))
}

/// From what a published evaluation can be computed again. Published results and their manifests are never changed.
#[utoipa::path(
    get, path = "/api/v1/evaluation/published/{number}/manifest", tag = "evaluation",
    params(("number" = u64, Path, description = "The `number` of an entry of an evaluation's `decision.history`")),
    responses(
        (status = 200, description = "What `gourmetgram evaluate --from records --manifest` reads", body = serde_json::Value),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator, nor a token with the scope", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Nothing was published under that number", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn published_manifest(
    State(app): State<App>,
    number: Result<Path<u64>, PathRejection>,
) -> Result<([(HeaderName, &'static str); 1], String), Refusal> {
    let manifest = match number {
        Ok(Path(number)) => app.catalog().published_manifest(number).await?,
        Err(_) => None,
    };
    let manifest = manifest.ok_or_else(|| {
        Refusal::new(
            ProblemKind::NotFound,
            "no evaluation was published under that number: decision.history of GET /api/v1/evaluation has the numbers",
        )
    })?;
    Ok(([(header::CONTENT_TYPE, "application/json")], manifest))
}

/// What `/dashboard` shows.
pub async fn measured(app: &App, query: &EvaluationQuery) -> Result<Measured, Refusal> {
    let evaluation = app.evaluator().evaluate(query, now()).await?;
    let backlog = app.catalog().backlog().await?;
    Ok(Measured {
        evaluation,
        work: pipelines::work_shown(app, None).await?,
        operation: Operation {
            outbox_backlog: backlog.count,
            outbox_since: backlog.oldest,
            records_waiting: app.catalog().records_waiting().await?,
        },
    })
}
