//! `/api/v1/predictions`: send a photo, read what became of it, judge it, erase it.

use axum::{
    Json,
    extract::{FromRequestParts, Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use gourmetgram_api::{
    CorrectionRequest, DeviceAnswer, FlagRequest, LiveModel, NewPrediction, Prediction, PredictionId, PredictionPage,
    PredictionQuery, Problem, ProblemKind,
};
use gourmetgram_object_store::{Bucket, ObjectKey, ObjectStoreError};
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    Caller, Refusal,
    simulation::feedback_given,
    upload::{Upload, check_device},
};
use crate::{
    accounts::Scope,
    app::App,
    catalog::{self, Actor, CatalogError, Change, Whose, entity::prediction},
    intake::{self, Submission},
};

/// Says that an answer was given before and only repeated.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// How long after a photo its sender may say what their device took it for: an answer that was on its way, not one that was
/// thought of later.
const DEVICE_ANSWERS_WITHIN: TimeDelta = TimeDelta::hours(1);

/// The id in a path. Something that is no id names nothing.
pub struct IdInPath(pub PredictionId);

impl FromRequestParts<App> for IdInPath {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let Path(text) =
            Path::<String>::from_request_parts(parts, app).await.map_err(|_| Refusal::no_such_prediction())?;
        text.parse().map(Self).map_err(|_| Refusal::no_such_prediction())
    }
}

/// Reads `Idempotency-Key`: 1 to 255 visible ASCII characters.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    match value.to_str() {
        Ok(key) if (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(Some(key.to_owned()))
        }
        _ => Err(Refusal::new(
            ProblemKind::BadRequest,
            "the header Idempotency-Key must be 1 to 255 visible ASCII characters: use a random UUID",
        )),
    }
}

/// Body of `POST /api/v1/predictions`, for the API's description.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only its shape is used")]
pub struct UploadForm {
    /// The photo: JPEG, PNG, WebP or GIF.
    #[schema(value_type = String, format = Binary)]
    image: Vec<u8>,
    /// An id the client made, a UUID version 7; lets it send the same photo again without a second prediction.
    id: Option<PredictionId>,
    /// What the client's own classifier said, as JSON.
    device: Option<DeviceAnswer>,
    /// How large the photo was, where the client made it smaller to send it.
    #[schema(value_type = Option<String>, example = "4032x3024")]
    scaled_from: Option<gourmetgram_api::PixelSize>,
    /// When a simulated photo is said to have been received; takes an access token that may simulate, and `source`.
    created_at: Option<chrono::DateTime<chrono::Utc>>,
    /// Where a simulated photo comes from, for example `replay/1`; recorded with it.
    source: Option<String>,
}

/// Send a photo, get its label.
///
/// The answer is durable: the photo and what was said of it survive a crash. A request sent again with the same `id`
/// or `Idempotency-Key` gets the same answer, marked by the header `Idempotency-Replayed`.
#[utoipa::path(
    post, path = "/api/v1/predictions", tag = "predictions",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters; a random UUID is best")),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "Recorded", body = NewPrediction),
        (status = 400, description = "Malformed", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not allowed to simulate", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The id or key belongs to another photo", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The photo of this id was erased", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Too many bytes", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "Not multipart/form-data", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not a picture, too many pixels, or a `scaled_from` that does not fit it", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy; see Retry-After", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too often; see Retry-After", body = Problem, content_type = "application/problem+json"),
        (status = 507, description = "The server's disk is full", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    upload: Upload,
) -> Result<Response, Refusal> {
    let idempotency_key = idempotency_key(&headers)?;
    let simulation = upload.claims.check(&caller, upload.id)?;
    // The file moves on, so that it is gone once its metadata is; what it takes of the budget stays until the answer.
    let Upload { image, id, device, scaled_from, .. } = upload;
    let submission = Submission { image, id, idempotency_key, device, scaled_from, simulation };
    let accepted = intake::accept(&app, &caller, submission).await?;
    let location = format!("/api/v1/predictions/{}", accepted.prediction.id);
    let mut response = (StatusCode::CREATED, [(header::LOCATION, location)], Json(accepted.prediction)).into_response();
    if accepted.replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// List predictions by filter, in one of three orders: an operator sees all (with `mine=true` their own), a visitor
/// their own.
#[utoipa::path(
    get, path = "/api/v1/predictions", tag = "predictions",
    params(PredictionQuery),
    responses(
        (status = 200, description = "A page", body = PredictionPage),
        (status = 400, description = "A filter that is unknown, cannot be read or contradicts another", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No credentials", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<PredictionQuery>, QueryRejection>,
) -> Result<Json<PredictionPage>, Refusal> {
    let (whose, query) = asked_for(&caller, query)?;
    Ok(Json(app.catalog().predictions(whose, &query).await?))
}

/// Whose photos a request for a list is about, and its filter, if it can be read and no two parts of it contradict
/// each other.
pub fn asked_for(
    caller: &Caller,
    query: Result<Query<PredictionQuery>, QueryRejection>,
) -> Result<(Whose<'_>, PredictionQuery), Refusal> {
    let sees_all = caller.may(Scope::PredictionsRead);
    if !sees_all && caller.visitor().is_none() {
        return Err(Refusal::new(
            ProblemKind::Unauthenticated,
            "send an access token as a bearer token, or the browser's cookie; a feedback_token opens one prediction only",
        ));
    }
    let bad = |why: String| Refusal::new(ProblemKind::BadRequest, why);
    let query = read_filter(query, |query| query.limit)?;
    query.check().map_err(|error| bad(error.to_string()))?;
    if !sees_all && (query.label.is_some() || query.campaign.is_some()) {
        return Err(Refusal::new(ProblemKind::Forbidden, "label and campaign are for those who may see all photos"));
    }
    let whose = match caller.visitor() {
        _ if sees_all && query.mine != Some(true) => Whose::Everybodys,
        Some(visitor) => Whose::OfVisitor(visitor),
        None => return Err(bad("mine=true needs the cookie of the browser that uploaded".to_owned())),
    };
    Ok((whose, query))
}

/// One prediction with its history.
#[utoipa::path(
    get, path = "/api/v1/predictions/{id}", tag = "predictions",
    params(("id" = PredictionId, Path, description = "The prediction's id")),
    responses(
        (status = 200, description = "The prediction", body = Prediction),
        (status = 401, description = "No credentials", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Unknown, or somebody else's", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "Erased", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn read(State(app): State<App>, caller: Caller, IdInPath(id): IdInPath) -> Result<Json<Prediction>, Refusal> {
    let (actor, row) = find_living(&app, &caller, id, Scope::PredictionsRead).await?;
    with_history(&app, actor, row).await.map(Json)
}

/// How the photo is wanted.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ImageQuery {
    /// `true`: as a file to keep, not to be shown.
    #[serde(default)]
    download: bool,
}

/// The photo itself.
#[utoipa::path(
    get, path = "/api/v1/predictions/{id}/image", tag = "predictions",
    params(("id" = PredictionId, Path, description = "The prediction's id"), ImageQuery),
    responses(
        (status = 200, description = "The photo, without its metadata", content_type = "image/*", body = Vec<u8>),
        (status = 304, description = "As the client has it"),
        (status = 400, description = "Malformed", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No credentials", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Unknown, or somebody else's", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "Erased", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn image(
    State(app): State<App>,
    caller: Caller,
    IdInPath(id): IdInPath,
    query: Result<Query<ImageQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (_, row) = find_living(&app, &caller, id, Scope::PredictionsRead).await?;
    let Query(ImageQuery { download }) = query.map_err(|rejection| {
        Refusal::new(ProblemKind::BadRequest, format!("the address cannot be read: {}", rejection.body_text()))
    })?;
    let etag = format!("\"{}\"", row.image_sha256);
    let fixed = [
        (header::ETAG, etag.clone()),
        // The browser asks each time whether it may still show the photo: it may have been erased.
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
    ];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, fixed).into_response());
    }
    let photo = load_photo(&app, &row).await?;
    let own = [
        (header::CONTENT_TYPE, row.content_type),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned()),
    ];
    let mut response = (fixed, own, photo).into_response();
    if download {
        // A key ends in an id and an extension of ours: nothing in it needs quoting.
        let name = row.object_key.rsplit('/').next().unwrap_or_default();
        if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
            response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
        }
    }
    Ok(response)
}

/// Flag a prediction, or change the flag's reason.
#[utoipa::path(
    put, path = "/api/v1/predictions/{id}/flag", tag = "feedback",
    params(
        ("id" = PredictionId, Path, description = "The prediction's id"),
        ("Gourmetgram-Created-At" = Option<String>, Header, description = "When feedback on a simulated prediction is said to have been given; takes an access token that may simulate"),
    ),
    request_body = FlagRequest,
    responses(
        (status = 200, description = "Flagged", body = Prediction),
        (status = 400, description = "Malformed", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No credentials", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not allowed to simulate", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Unknown, or somebody else's", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "Erased", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A time that cannot be", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn flag(
    State(app): State<App>,
    caller: Caller,
    IdInPath(id): IdInPath,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Prediction>, Refusal> {
    let (actor, row) = find_living(&app, &caller, id, Scope::FeedbackWrite).await?;
    let at = feedback_given(&caller, &headers, &row)?;
    let FlagRequest { reason } = parse_json(&body)?;
    apply_at(&app, id, actor, &Change::Flag(reason), at).await.map(Json)
}

/// Take the flag back.
#[utoipa::path(
    delete, path = "/api/v1/predictions/{id}/flag", tag = "feedback",
    params(
        ("id" = PredictionId, Path, description = "The prediction's id"),
        ("Gourmetgram-Created-At" = Option<String>, Header, description = "When feedback on a simulated prediction is said to have been given; takes an access token that may simulate"),
    ),
    responses(
        (status = 200, description = "No longer flagged", body = Prediction),
        (status = 401, description = "No credentials", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not allowed to simulate", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Unknown, or somebody else's", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "Erased", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A time that cannot be", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn unflag(
    State(app): State<App>,
    caller: Caller,
    IdInPath(id): IdInPath,
    headers: HeaderMap,
) -> Result<Json<Prediction>, Refusal> {
    let (actor, row) = find_living(&app, &caller, id, Scope::FeedbackWrite).await?;
    let at = feedback_given(&caller, &headers, &row)?;
    apply_at(&app, id, actor, &Change::Unflag, at).await.map(Json)
}

/// Say what the photo really shows.
#[utoipa::path(
    put, path = "/api/v1/predictions/{id}/correction", tag = "feedback",
    params(
        ("id" = PredictionId, Path, description = "The prediction's id"),
        ("Gourmetgram-Created-At" = Option<String>, Header, description = "When feedback on a simulated prediction is said to have been given; takes an access token that may simulate"),
    ),
    request_body = CorrectionRequest,
    responses(
        (status = 200, description = "Corrected", body = Prediction),
        (status = 400, description = "Malformed", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No credentials", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not allowed to simulate", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Unknown, or somebody else's", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "Erased", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not a class of the model, or a time that cannot be", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn correct(
    State(app): State<App>,
    caller: Caller,
    IdInPath(id): IdInPath,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Prediction>, Refusal> {
    let (actor, row) = find_living(&app, &caller, id, Scope::FeedbackWrite).await?;
    let at = feedback_given(&caller, &headers, &row)?;
    let CorrectionRequest { label } = parse_json(&body)?;
    let change = correction(&app, label)?;
    apply_at(&app, id, actor, &change, at).await.map(Json)
}

/// Take the correction back.
#[utoipa::path(
    delete, path = "/api/v1/predictions/{id}/correction", tag = "feedback",
    params(
        ("id" = PredictionId, Path, description = "The prediction's id"),
        ("Gourmetgram-Created-At" = Option<String>, Header, description = "When feedback on a simulated prediction is said to have been given; takes an access token that may simulate"),
    ),
    responses(
        (status = 200, description = "No longer corrected", body = Prediction),
        (status = 401, description = "No credentials", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not allowed to simulate", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Unknown, or somebody else's", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "Erased", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A time that cannot be", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn uncorrect(
    State(app): State<App>,
    caller: Caller,
    IdInPath(id): IdInPath,
    headers: HeaderMap,
) -> Result<Json<Prediction>, Refusal> {
    let (actor, row) = find_living(&app, &caller, id, Scope::FeedbackWrite).await?;
    let at = feedback_given(&caller, &headers, &row)?;
    apply_at(&app, id, actor, &Change::Uncorrect, at).await.map(Json)
}

/// Say what the sender's own device took the photo for, where that was not known when the photo was sent.
///
/// For whoever sent it, within an hour of sending it. What was said first stands, here or with the photo: then nothing is
/// changed, and the answer is the prediction as it is.
#[utoipa::path(
    put, path = "/api/v1/predictions/{id}/device", tag = "predictions",
    params(("id" = PredictionId, Path, description = "The prediction's id")),
    request_body = DeviceAnswer,
    responses(
        (status = 200, description = "Recorded, or something was before", body = Prediction),
        (status = 400, description = "Malformed", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No credentials", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Somebody else's, whom the caller may see", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Unknown, or somebody else's", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Too late", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "Erased", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn note_device(
    State(app): State<App>,
    caller: Caller,
    IdInPath(id): IdInPath,
    body: Bytes,
) -> Result<Json<Prediction>, Refusal> {
    let (actor, row) = find_living(&app, &caller, id, Scope::PredictionsWrite).await?;
    if actor != Actor::Visitor {
        return Err(Refusal::new(
            ProblemKind::Forbidden,
            "only whoever sent a photo can say what their device took it for: send its feedback_token",
        ));
    }
    let answer: DeviceAnswer = parse_json(&body)?;
    check_device(&answer)?;
    if row.device.is_some() {
        return with_history(&app, actor, row).await.map(Json);
    }
    if row.created_at + DEVICE_ANSWERS_WITHIN < catalog::now() {
        return Err(Refusal::new(
            ProblemKind::Conflict,
            "this photo was sent more than an hour ago; what a device answers so late is not recorded",
        ));
    }
    let row = app.catalog().note_device(id, &answer).await?;
    with_history(&app, actor, row).await.map(Json)
}

/// Erase a photo everywhere. Erasing it twice is no error.
#[utoipa::path(
    delete, path = "/api/v1/predictions/{id}", tag = "predictions",
    params(("id" = PredictionId, Path, description = "The prediction's id")),
    responses(
        (status = 204, description = "Erased"),
        (status = 401, description = "No credentials", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Unknown, or somebody else's", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn erase(State(app): State<App>, caller: Caller, IdInPath(id): IdInPath) -> Result<StatusCode, Refusal> {
    erase_for(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The model that answers now.
#[utoipa::path(
    get, path = "/api/v1/models/live", tag = "models",
    responses((status = 200, description = "The live model", body = LiveModel))
)]
pub async fn live_model(State(app): State<App>) -> Json<LiveModel> {
    Json(app.live_model())
}

/// Finds a prediction with which the caller may do what needs `scope`, and that is not erased. Authorisation comes
/// first.
pub async fn find_living(
    app: &App,
    caller: &Caller,
    id: PredictionId,
    scope: Scope,
) -> Result<(Actor, prediction::Model), Refusal> {
    let row = app.catalog().prediction(id).await?;
    let (actor, row) = caller.as_actor_on(app, row, scope)?;
    if row.erased_at.is_some() { Err(CatalogError::Erased.into()) } else { Ok((actor, row)) }
}

/// A correction to `label`, if the live model knows it.
pub fn correction(app: &App, label: String) -> Result<Change, Refusal> {
    let model = app.model();
    if model.classes().index_of(&label).is_some() {
        return Ok(Change::Correct(label));
    }
    let known: Vec<&str> = model.classes().iter().map(|(_, label)| label).collect();
    Err(Refusal::new(
        ProblemKind::Unprocessable,
        format!("{label:?} is not a class of the model: use one of {}", known.join(", ")),
    ))
}

/// Applies feedback and wakes the outbox.
pub async fn apply(app: &App, id: PredictionId, actor: Actor, change: &Change) -> Result<Prediction, Refusal> {
    apply_at(app, id, actor, change, catalog::now()).await
}

/// The same, said to have been given at another time.
async fn apply_at(
    app: &App,
    id: PredictionId,
    actor: Actor,
    change: &Change,
    at: DateTime<Utc>,
) -> Result<Prediction, Refusal> {
    let row = app.catalog().give_feedback_at(id, change, actor, at).await?;
    app.outbox_wakeup().notify_one();
    with_history(app, actor, row).await
}

/// Erases a photo, if that is the caller's to do. One that was erased already is erased for everybody who holds its id.
pub async fn erase_for(app: &App, caller: &Caller, id: PredictionId) -> Result<(), Refusal> {
    let row = app.catalog().prediction(id).await?;
    let is_gone = row.as_ref().is_some_and(|row| row.erased_at.is_some());
    match caller.as_actor_on(app, row, Scope::PredictionsErase) {
        Ok(_) => erase_photo(app, id).await,
        // A tombstone has no owner, and its owner of before asks again where the answer got lost. That it was erased is no
        // secret from whoever holds the id: a photo sent under it is told the same.
        Err(Refusal(problem)) if is_gone && problem.kind == ProblemKind::NotFound => Ok(()),
        Err(refusal) => Err(refusal),
    }
}

/// Erases a photo from catalog and spool at once, and has the outbox remove its objects.
async fn erase_photo(app: &App, id: PredictionId) -> Result<(), Refusal> {
    let spooled = app.catalog().erase(id).await?;
    app.outbox_wakeup().notify_one();
    if let Some(spooled) = spooled
        && spooled.node == app.node()
    {
        app.spool().remove(&spooled.file).await?;
    }
    app.thumbnails().forget(id).await.map_err(|error| Refusal::internal(&error))?;
    Ok(())
}

/// The prediction with its history, as `actor` may see it.
pub async fn with_history(app: &App, actor: Actor, row: prediction::Model) -> Result<Prediction, Refusal> {
    let id = PredictionId::try_from(row.id).map_err(|error| Refusal::internal(&error))?;
    let history = app.catalog().history(id).await?;
    let prediction = catalog::to_api(row, history)?;
    Ok(match actor {
        Actor::Operator => prediction,
        Actor::Visitor | Actor::Tags => catalog::without_labelling(prediction),
    })
}

/// From the spool while the photo is there, from the object store afterwards.
pub async fn load_photo(app: &App, row: &prediction::Model) -> Result<Bytes, Refusal> {
    if let Some(file) = &row.spool_file
        && row.spool_node == Some(app.node())
        && let Some(photo) = app.spool().read(file).await?
    {
        return Ok(photo);
    }
    let key: ObjectKey = row.object_key.parse().map_err(|error| Refusal::internal(&error))?;
    match app.object_store().get(Bucket::Production, &key).await {
        Ok(object) => Ok(object.bytes),
        Err(error @ ObjectStoreError::NotFound { .. }) => {
            tracing::warn!(%error, "somebody else has removed a photo");
            Err(Refusal::new(
                ProblemKind::NotFound,
                "the photo is no longer in the object store: somebody removed it there",
            ))
        }
        Err(error) => Err(error.into()),
    }
}

/// Reads what a page of a list is to hold, and how much at most.
pub fn read_filter<T>(
    query: Result<Query<T>, QueryRejection>,
    limit: impl FnOnce(&T) -> Option<u16>,
) -> Result<T, Refusal> {
    let bad = |why: String| Refusal::new(ProblemKind::BadRequest, why);
    let Query(query) =
        query.map_err(|rejection| bad(format!("the filter cannot be read: {}", rejection.body_text())))?;
    if limit(&query).is_some_and(|limit| !(1..=catalog::MAX_PAGE).contains(&limit)) {
        return Err(bad(format!("limit must lie between 1 and {}", catalog::MAX_PAGE)));
    }
    Ok(query)
}

/// Reads a JSON body.
pub fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::new(ProblemKind::BadRequest, format!("the JSON body cannot be read: {error}")))
}
