//! `POST /predict`: the tutorial's inference contract, for whoever already calls it. Answers, records nothing.

use axum::{
    Json,
    body::HttpBody,
    extract::{FromRequest, Request, State},
    http::StatusCode,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use gourmetgram_api::{Problem, ProblemKind, TutorialAnswer, TutorialRequest};

use super::{Refusal, progress::TooSlow};
use crate::{app::App, intake};

/// Classify a photo sent as base64, and record nothing.
#[utoipa::path(
    post, path = "/predict", tag = "tutorial",
    request_body = TutorialRequest,
    responses(
        (status = 200, description = "The label", body = TutorialAnswer),
        (status = 400, description = "Malformed", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too many bytes", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not a picture, or too many pixels", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too often; see Retry-After", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy; see Retry-After", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn predict(State(app): State<App>, request: Request) -> Result<Json<TutorialAnswer>, Refusal> {
    // Body and decoded photo are in memory together.
    let announced = request.body().size_hint().upper().and_then(|bytes| usize::try_from(bytes).ok());
    let _budget =
        app.upload_budget().take(announced.unwrap_or_else(|| largest_body(&app)).min(largest_body(&app)) * 2)?;
    let body = Bytes::from_request(request, &app).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Refusal::new(ProblemKind::TooLarge, "the photo is larger than any that is accepted")
        }
        _ if TooSlow::caused(&rejection) => TooSlow::refusal(),
        _ => Refusal::new(ProblemKind::BadRequest, "the body is cut off: send it again"),
    })?;
    let request: TutorialRequest = serde_json::from_slice(&body).map_err(|error| {
        Refusal::new(ProblemKind::BadRequest, format!("send {{\"image\": \"<base64>\"}} as JSON: {error}"))
    })?;
    let image = STANDARD.decode(request.image.trim_ascii()).map_err(|error| {
        Refusal::new(ProblemKind::BadRequest, format!("`image` is not base64 with the standard alphabet: {error}"))
    })?;
    intake::classify_only(&app, image.into()).await.map(Json)
}

/// Base64 is a third larger than its content; the rest is room for the JSON around it.
pub fn largest_body(app: &App) -> usize {
    let photo = usize::try_from(app.settings().server.max_photo_bytes).unwrap_or(usize::MAX / 4);
    photo / 3 * 4 + 4096
}
