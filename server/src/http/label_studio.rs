//! Label Studio's webhook: a hint that somebody labelled. It is known by a secret, and nothing it says is taken for true:
//! it has a campaign's labels collected soon, which looks for itself.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
};
use bytes::Bytes;
use gourmetgram_api::{CampaignName, LabelledIn, Problem, ProblemKind};
use gourmetgram_label_studio::WebhookHint;
use serde::Deserialize;
use uuid::Uuid;

use super::Refusal;
use crate::{app::App, label_studio::WEBHOOK_HEADER, pipelines};

/// Which campaign's project hints: stands in the webhook's address.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct HintQuery {
    /// The campaign.
    campaign: Uuid,
}

/// A hint of Label Studio that somebody labelled: the campaign's labels are collected within a minute or so.
#[utoipa::path(
    post, path = "/api/v1/label-studio/webhook", tag = "labelling",
    params(
        HintQuery,
        ("X-GourmetGram-Webhook" = String, Header, description = "The secret that select has given to Label Studio"),
    ),
    request_body(content = String, content_type = "application/json", description = "What Label Studio's webhooks say"),
    responses(
        (status = 202, description = "Labels are collected soon"),
        (status = 400, description = "Not what Label Studio's webhooks say", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Not with the secret", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such campaign in Label Studio, or this server knows no Label Studio", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too long", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn webhook(
    State(app): State<App>,
    headers: HeaderMap,
    query: Result<Query<HintQuery>, QueryRejection>,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let unknown = |why: &str| Refusal::new(ProblemKind::NotFound, why);
    let studio =
        app.studio().ok_or_else(|| unknown("this server knows no Label Studio: label_studio.url is not set"))?;
    let secret = headers.get(WEBHOOK_HEADER).map(|secret| secret.as_bytes()).unwrap_or_default();
    if !studio.admits(secret) {
        return Err(Refusal::new(
            ProblemKind::Unauthenticated,
            format!("{WEBHOOK_HEADER} is missing or not the secret that select has given to Label Studio"),
        ));
    }
    let Query(HintQuery { campaign }) =
        query.map_err(|error| Refusal::new(ProblemKind::BadRequest, error.body_text()))?;
    WebhookHint::read(&body)
        .ok_or_else(|| Refusal::new(ProblemKind::BadRequest, "the body is not what Label Studio's webhooks say"))?;
    let known = app.catalog().campaign(&CampaignName::Id(campaign)).await?;
    if known.is_none_or(|known| known.asked.labelled_in != LabelledIn::LabelStudio) {
        return Err(unknown("there is no such campaign in Label Studio"));
    }
    pipelines::collect_soon(app.catalog(), campaign).await?;
    Ok(StatusCode::ACCEPTED)
}
