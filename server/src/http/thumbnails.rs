//! `/api/v1/predictions/{id}/thumbnail`: a small picture of a photo.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use gourmetgram_api::{PredictionId, Problem, ProblemKind};
use serde::Deserialize;

use super::{Caller, Refusal, predictions::IdInPath, predictions::find_living, predictions::load_photo};
use crate::{
    accounts::Scope,
    app::App,
    catalog::{CatalogError, entity::prediction},
    thumbnails::{self, Size},
};

/// Which small picture.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ThumbnailQuery {
    /// The longer side in pixels: 96, 256 (where not said), 512 or 1024.
    #[serde(default)]
    size: Option<u32>,
}

/// A small picture of the photo: a JPEG, upright, without metadata.
///
/// A photo that is smaller is not enlarged.
#[utoipa::path(
    get, path = "/api/v1/predictions/{id}/thumbnail", tag = "predictions",
    params(("id" = PredictionId, Path, description = "The prediction's id"), ThumbnailQuery),
    responses(
        (status = 200, description = "The small picture", content_type = "image/jpeg", body = Vec<u8>),
        (status = 304, description = "As the client has it"),
        (status = 400, description = "Not one of the sizes", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "No credentials", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Unknown, or somebody else's", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "Erased", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy; see Retry-After", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn thumbnail(
    State(app): State<App>,
    caller: Caller,
    IdInPath(id): IdInPath,
    query: Result<Query<ThumbnailQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (_, row) = find_living(&app, &caller, id, Scope::PredictionsRead).await?;
    let size = query
        .ok()
        .and_then(|Query(ThumbnailQuery { size })| size.map_or(Some(Size::Medium), Size::of_side))
        .ok_or_else(|| Refusal::new(ProblemKind::BadRequest, "size must be 96, 256, 512 or 1024"))?;
    let etag = format!("\"{}-{}\"", row.image_sha256, size.side());
    let fixed = [
        (header::ETAG, etag.clone()),
        // The browser asks each time whether it may still show it: the photo may have been erased.
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
    ];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, fixed).into_response());
    }
    let own = [(header::CONTENT_TYPE, "image/jpeg"), (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox")];
    Ok((fixed, own, small_picture(app, row, id, size).await?).into_response())
}

/// The small picture of a photo, from the disk or newly made.
pub async fn small_picture(app: App, row: prediction::Model, id: PredictionId, size: Size) -> Result<Bytes, Refusal> {
    // A disk that cannot be read costs the work of making the picture, not the picture.
    if let Ok(Some(kept)) = app.thumbnails().read(id, size).await {
        return Ok(kept);
    }
    make(app, row, id, size).await
}

async fn make(app: App, row: prediction::Model, id: PredictionId, size: Size) -> Result<Bytes, Refusal> {
    let busy = || Refusal::try_again("many small pictures are being made just now; try again in a moment", 1);
    let made = {
        let _place = app.thumbnails().enter().ok_or_else(busy)?;
        let _budget = app.upload_budget().take(usize::try_from(row.bytes).unwrap_or(usize::MAX))?;
        let photo = load_photo(&app, &row).await?;
        let made = app.inference().with_pixels(photo, size.side(), move |pixels| thumbnails::encode(pixels, size));
        made.await?.map_err(|error| Refusal::internal(&error))?
    };
    // In a task of its own: a client that hangs up must not leave a picture that nobody looked after.
    let keeping = tokio::spawn(keep(app, id, size, made.clone()));
    keeping.await.map_err(|error| Refusal::internal(&error))??;
    Ok(made)
}

/// Keeps the picture, unless its photo was erased while it was made.
async fn keep(app: App, id: PredictionId, size: Size, picture: Bytes) -> Result<(), Refusal> {
    if let Err(error) = app.thumbnails().keep(id, size, picture).await {
        tracing::warn!(%error, "a small picture cannot be kept; it will be made again");
    }
    if !app.catalog().living_among(vec![id.as_uuid()]).await?.is_empty() {
        return Ok(());
    }
    app.thumbnails().forget(id).await.map_err(|error| Refusal::internal(&error))?;
    Err(CatalogError::Erased.into())
}
