//! What operators look through all photos with: the values of filters, neighbours in a list, what lies in the object
//! store, and flags for many at once.

use std::{collections::HashSet, time::Duration};

use axum::{
    Json,
    body::Body,
    extract::{Query, Request, State, rejection::QueryRejection},
    response::Response,
};
use bytes::Bytes;
use futures::future::join_all;
use gourmetgram_api::{
    Facets, FlagReason, FlagsAnswer, FlagsRequest, MAX_FLAGS, Neighbours, ObjectState, ObjectTag, Place, PredictionId,
    PredictionQuery, Problem, ProblemKind, StoredObject, StoredObjects, WantedFlag,
};
use gourmetgram_object_store::{Bucket, InvalidObjectKey, ObjectKey, ObjectStoreError};

use super::{
    Caller, Refusal, pages,
    predictions::{IdInPath, asked_for, find_living, parse_json},
};
use crate::{
    accounts::Scope,
    app::App,
    catalog::{Actor, entity::prediction},
};

/// How long one look into the object store may take: a page waits for it.
const LOOK_AT_MOST: Duration = Duration::from_secs(3);
/// Copies of one photo in one bucket that are looked at: one for each campaign that has it labelled.
const MAX_COPIES_SHOWN: usize = 20;

/// The values that the filters of the list can be given.
#[utoipa::path(
    get, path = "/api/v1/predictions/facets", tag = "predictions",
    responses(
        (status = 200, description = "The values", body = Facets),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator, nor a token with the scope", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn facets(State(app): State<App>) -> Result<Json<Facets>, Refusal> {
    Ok(Json(facets_of(&app).await?))
}

/// The values of filters, with the live model's classes among them.
pub async fn facets_of(app: &App) -> Result<Facets, Refusal> {
    let mut facets = app.catalog().facets().await?;
    for (_, label) in app.model().classes().iter() {
        if !facets.classes.iter().any(|known| known == label) {
            facets.classes.push(label.to_owned());
        }
    }
    facets.classes.sort();
    Ok(facets)
}

/// What stands before and after a prediction in a list of this filter and order.
#[utoipa::path(
    get, path = "/api/v1/predictions/{id}/neighbours", tag = "predictions",
    params(("id" = PredictionId, Path, description = "The prediction's id"), PredictionQuery),
    responses(
        (status = 200, description = "Its neighbours", body = Neighbours),
        (status = 400, description = "A filter that is unknown, cannot be read or contradicts another", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator, nor a token with the scope", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Unknown", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "Erased", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn neighbours(
    State(app): State<App>,
    caller: Caller,
    IdInPath(id): IdInPath,
    query: Result<Query<PredictionQuery>, QueryRejection>,
) -> Result<Json<Neighbours>, Refusal> {
    let (_, row) = find_living(&app, &caller, id, Scope::PredictionsRead).await?;
    let (whose, query) = asked_for(&caller, query)?;
    Ok(Json(app.catalog().neighbours(whose, &query, &row).await?))
}

/// What the object store has of a photo at this moment: keys, and tags whoever set them.
#[utoipa::path(
    get, path = "/api/v1/predictions/{id}/objects", tag = "predictions",
    params(("id" = PredictionId, Path, description = "The prediction's id")),
    responses(
        (status = 200, description = "One for each bucket that holds photos", body = StoredObjects),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator, nor a token with the scope", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Unknown", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "Erased", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn objects(
    State(app): State<App>,
    caller: Caller,
    IdInPath(id): IdInPath,
) -> Result<Json<StoredObjects>, Refusal> {
    let (_, row) = find_living(&app, &caller, id, Scope::PredictionsRead).await?;
    Ok(Json(objects_of(&app, &row).await?))
}

/// Looks into every bucket at once, each look with its own limit of time. Where copies are known, under their keys;
/// elsewhere under the photo's own.
pub async fn objects_of(app: &App, row: &prediction::Model) -> Result<StoredObjects, Refusal> {
    let copies = app.catalog().placements(row.id).await?;
    let looks = Place::ALL.into_iter().flat_map(|place| {
        let known = copies.iter().filter(move |copy| copy.bucket == place.as_str());
        let mut keys: Vec<&str> = known.map(|copy| copy.object_key.as_str()).take(MAX_COPIES_SHOWN).collect();
        if keys.is_empty() {
            keys.push(&row.object_key);
        }
        keys.into_iter().map(move |key| (place, key))
    });
    let looks: Vec<(Place, &str, ObjectKey)> = looks
        .map(|(place, key)| Ok((place, key, key.parse()?)))
        .collect::<Result<_, InvalidObjectKey>>()
        .map_err(|error| Refusal::internal(&error))?;
    let objects = looks.iter().map(|(place, key, parsed)| async move {
        let bucket = Bucket::from(*place);
        let looked = tokio::time::timeout(LOOK_AT_MOST, app.object_store().read_tags(bucket, parsed)).await;
        let found = match looked {
            Ok(Ok(tags)) => ObjectState::Present {
                tags: tags
                    .iter()
                    .map(|(name, value)| ObjectTag { name: name.to_owned(), value: value.to_owned() })
                    .collect(),
            },
            Ok(Err(ObjectStoreError::NotFound { .. } | ObjectStoreError::BucketMissing { .. })) => ObjectState::Absent,
            Ok(Err(error)) => {
                tracing::warn!(%error, "a photo's object cannot be looked at");
                ObjectState::Unknown
            }
            Err(_) => ObjectState::Unknown,
        };
        let bucket = app.settings().s3.buckets.of(bucket).to_owned();
        StoredObject { place: *place, bucket, key: (*key).to_owned(), found }
    });
    Ok(StoredObjects { objects: join_all(objects).await })
}

/// Flag many predictions, or take many flags back.
///
/// The request says which flag each prediction is to have, so it can be sent twice; what was there before comes back,
/// and sent as another request it undoes the first. Predictions that are unknown or erased do not keep the others from
/// being flagged.
#[utoipa::path(
    post, path = "/api/v1/predictions/flags", tag = "feedback",
    request_body = FlagsRequest,
    responses(
        (status = 200, description = "What became of each", body = FlagsAnswer),
        (status = 400, description = "Malformed, none, too many, or one twice", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator, nor a token with the scope", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn set_flags(State(app): State<App>, body: Bytes) -> Result<Json<FlagsAnswer>, Refusal> {
    let FlagsRequest { flags } = parse_json(&body)?;
    Ok(Json(apply(&app, &flags).await?))
}

async fn apply(app: &App, flags: &[WantedFlag]) -> Result<FlagsAnswer, Refusal> {
    let bad = |why: String| Refusal::new(ProblemKind::BadRequest, why);
    if flags.is_empty() || flags.len() > MAX_FLAGS {
        return Err(bad(format!("{} photos are named: name 1 to {MAX_FLAGS} at a time", flags.len())));
    }
    let mut seen = HashSet::with_capacity(flags.len());
    if let Some(twice) = flags.iter().find(|flag| !seen.insert(flag.id)) {
        return Err(bad(format!("{} is named twice: name each photo once", twice.id)));
    }
    let outcomes = app.catalog().set_flags(flags, Actor::Operator).await?;
    app.outbox_wakeup().notify_one();
    Ok(FlagsAnswer { outcomes })
}

/// `POST /photos/flags`: the same by a plain form. Fields: `id`, once for each photo that is to have the field
/// `reason`; or, to undo, `was` as `{id}:{reason}`, once for each photo.
///
/// Answers with the list itself and not with a redirect to it: what an undo needs to know would not fit into an
/// address. Sent twice by a reload, it changes nothing more.
pub async fn flag_by_form(State(app): State<App>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let for_page = Request::from_parts(parts, Body::empty());
    let outcome = async {
        let body = axum::body::to_bytes(body, super::MAX_SMALL_BODY)
            .await
            .map_err(|_| Refusal::new(ProblemKind::BadRequest, "the form is cut off or too long"))?;
        let flags = read_form(&body)?;
        apply(&app, &flags).await
    };
    let outcome = outcome.await;
    pages::photos_after_flags(app, for_page, outcome).await
}

fn read_form(body: &[u8]) -> Result<Vec<WantedFlag>, Refusal> {
    let bad = |why: String| Refusal::new(ProblemKind::BadRequest, why);
    let read_id = |text: &str| text.parse::<PredictionId>().map_err(|error| bad(error.to_string()));
    let read_reason = |text: &str| match text {
        "" => Ok(None),
        word => word.parse::<FlagReason>().map(Some).map_err(|error| bad(error.to_string())),
    };
    let (mut ids, mut reason, mut flags) = (Vec::new(), None, Vec::new());
    for (name, value) in url::form_urlencoded::parse(body) {
        match name.as_ref() {
            "id" => ids.push(read_id(&value)?),
            "reason" => reason = Some(read_reason(&value)?),
            "was" => {
                let (id, reason) = value.split_once(':').ok_or_else(|| bad(format!("{value:?} is no id:reason")))?;
                flags.push(WantedFlag { id: read_id(id)?, reason: read_reason(reason)? });
            }
            other => return Err(bad(format!("the form has a field {other:?} that nobody knows"))),
        }
    }
    if flags.is_empty() && ids.is_empty() {
        return Err(bad("no photo is ticked: tick those to flag, then press the button again".to_owned()));
    }
    if !ids.is_empty() {
        let reason = reason.ok_or_else(|| bad("the form does not say why the photos are flagged".to_owned()))?;
        flags.extend(ids.into_iter().map(|id| WantedFlag { id, reason }));
    }
    Ok(flags)
}
