//! Labelling in our own review: tasks for annotators, and what they say about them.
//!
//! In a blind campaign nothing an annotator is answered tells what the model said: neither a prediction's id nor its
//! key, its class or its confidence, in no body, header, address or file name. A task's id is all they learn of a
//! photo.

use axum::{
    Json,
    extract::{FromRequestParts, Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use gourmetgram_api::{
    AnnotationPage, AnnotationQuery, ClassProbability, Confidence, GivenAnnotation, LabelledIn, MAX_TASKS,
    NewAnnotation, PredictionId, Problem, ProblemKind, ReviewDesk, ReviewQuery, ReviewTask, ReviewTasks, Seen,
    ShownAnswer,
};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Caller, Refusal,
    predictions::{load_photo, parse_json, read_filter},
    thumbnails::small_picture,
};
use crate::{
    app::App,
    catalog::{self, Annotated, Assignment, CatalogError, Leased, Said, entity::annotation},
    thumbnails::Size,
};

/// The id in a path. Something that is no id names nothing.
pub struct UuidInPath(pub Uuid);

impl FromRequestParts<App> for UuidInPath {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let Path(text) = Path::<String>::from_request_parts(parts, app).await.map_err(|_| no_such_task())?;
        text.parse().map(Self).map_err(|_| no_such_task())
    }
}

fn no_such_task() -> Refusal {
    Refusal::new(ProblemKind::NotFound, "there is no such task, or it was not given to you")
}

fn no_such_annotation() -> Refusal {
    Refusal::new(ProblemKind::NotFound, "there is no such annotation, or it is not yours")
}

/// What is before whoever asks: campaigns with their progress, and the tasks they were given. Gives nothing and renews
/// nothing.
#[utoipa::path(
    get, path = "/api/v1/review/next", tag = "labelling",
    params(ReviewQuery),
    responses(
        (status = 200, description = "Campaigns and tasks", body = ReviewDesk),
        (status = 400, description = "Malformed", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an annotator, or without a name", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such campaign", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn look(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<ReviewQuery>, QueryRejection>,
) -> Result<Json<ReviewDesk>, Refusal> {
    let annotator = caller.annotator()?;
    let (campaign, count) = asked_for(&app, query).await?;
    let tasks = app.catalog().held_tasks(&annotator, campaign, count).await?;
    desk(&app, tasks).await.map(Json)
}

/// Get the next tasks to label.
///
/// Each is kept for whoever asks for ten minutes; asking again renews what they hold, and fills it up to `count`.
/// Nobody else is given a task meanwhile, unless it is to be labelled by two.
#[utoipa::path(
    post, path = "/api/v1/review/next", tag = "labelling",
    params(ReviewQuery),
    responses(
        (status = 200, description = "The tasks, in the order to show them; none where nothing is left", body = ReviewTasks),
        (status = 400, description = "Malformed", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an annotator, or without a name", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such campaign", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn next(
    State(app): State<App>,
    caller: Caller,
    query: Result<Query<ReviewQuery>, QueryRejection>,
) -> Result<Json<ReviewTasks>, Refusal> {
    let annotator = caller.annotator()?;
    let (campaign, count) = asked_for(&app, query).await?;
    let tasks = app.catalog().next_tasks(&annotator, campaign, count).await?;
    Ok(Json(ReviewTasks { tasks: to_tasks(tasks)? }))
}

async fn asked_for(
    app: &App,
    query: Result<Query<ReviewQuery>, QueryRejection>,
) -> Result<(Option<Uuid>, u64), Refusal> {
    let bad = |why: String| Refusal::new(ProblemKind::BadRequest, why);
    let Query(ReviewQuery { campaign, count }) =
        query.map_err(|rejection| bad(format!("the address cannot be read: {}", rejection.body_text())))?;
    let count = count.unwrap_or(1);
    if !(1..=MAX_TASKS).contains(&count) {
        return Err(bad(format!("count must lie between 1 and {MAX_TASKS}")));
    }
    if let Some(campaign) = campaign
        && !app.catalog().is_in_review(campaign).await?
    {
        return Err(Refusal::new(ProblemKind::NotFound, "there is no such campaign, or it is not labelled here"));
    }
    Ok((campaign, u64::from(count)))
}

/// Campaigns and classes around tasks.
pub async fn desk(app: &App, tasks: Vec<Leased>) -> Result<ReviewDesk, Refusal> {
    let classes = app.model().classes().iter().map(|(_, label)| label.to_owned()).collect();
    let campaigns = app.catalog().review_campaigns().await?;
    Ok(ReviewDesk { classes, campaigns, tasks: to_tasks(tasks)? })
}

fn to_tasks(leased: Vec<Leased>) -> Result<Vec<ReviewTask>, Refusal> {
    leased
        .into_iter()
        .map(|Leased { assignment: Assignment { task, prediction, campaign }, until }| {
            let shown = match campaign.blind {
                true => None,
                false => Some(ShownAnswer {
                    predicted_class: prediction.predicted_class,
                    confidence: Confidence::new(prediction.confidence).map_err(|error| Refusal::internal(&error))?,
                    corrected_class: prediction.corrected_class,
                }),
            };
            let pixels = |number: i32| u32::try_from(number).unwrap_or(0);
            Ok(ReviewTask {
                id: task.id,
                campaign: campaign.id,
                width: pixels(prediction.width),
                height: pixels(prediction.height),
                until,
                shown,
            })
        })
        .collect()
}

/// How the photo is wanted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct TaskImageQuery {
    /// As a JPEG whose longer side has so many pixels: 96, 256, 512 or 1024; absent: the photo as it was sent.
    #[serde(default)]
    size: Option<u32>,
}

/// The photo of a task, for whoever was given it.
#[utoipa::path(
    get, path = "/api/v1/review/tasks/{id}/image", tag = "labelling",
    params(("id" = Uuid, Path, description = "The task's id"), TaskImageQuery),
    responses(
        (status = 200, description = "The photo, without its metadata", content_type = "image/*", body = Vec<u8>),
        (status = 304, description = "As the client has it"),
        (status = 400, description = "Not one of the sizes", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an annotator", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Unknown, or given to somebody else", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "Erased", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Busy; see Retry-After", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn image(
    State(app): State<App>,
    caller: Caller,
    UuidInPath(id): UuidInPath,
    query: Result<Query<TaskImageQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let Assignment { prediction, .. } = find_given(&app, &caller, id).await?;
    let bad = || Refusal::new(ProblemKind::BadRequest, "size must be 96, 256, 512 or 1024");
    let Query(TaskImageQuery { size }) = query.map_err(|_| bad())?;
    let size = size.map(|side| Size::of_side(side).ok_or_else(bad)).transpose()?;
    // Named by the task and not by the photo's hash, which is on other addresses too. A photo never changes.
    let etag = format!("\"{id}-{}\"", size.map_or(0, Size::side));
    let fixed = [
        (header::ETAG, etag.clone()),
        // The browser asks each time whether it may still show the photo: it may have been erased.
        (header::CACHE_CONTROL, "private, no-cache".to_owned()),
    ];
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
        return Ok((StatusCode::NOT_MODIFIED, fixed).into_response());
    }
    let (kind, photo) = match size {
        None => (prediction.content_type.clone(), load_photo(&app, &prediction).await?),
        Some(size) => {
            let photo = PredictionId::try_from(prediction.id).map_err(|error| Refusal::internal(&error))?;
            ("image/jpeg".to_owned(), small_picture(app, prediction, photo, size).await?)
        }
    };
    let own =
        [(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox".to_owned())];
    Ok((fixed, own, photo).into_response())
}

/// Say what a photo shows; said again, it takes the place of what was said before. The same again changes nothing.
#[utoipa::path(
    post, path = "/api/v1/annotations", tag = "labelling",
    request_body = NewAnnotation,
    responses(
        (status = 200, description = "Said before; nothing was changed", body = GivenAnnotation),
        (status = 201, description = "Recorded", body = GivenAnnotation),
        (status = 400, description = "Malformed", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an annotator, or without a name", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Unknown, or given to somebody else", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Others have given all the labels that were wanted", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "Erased", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not one of the classes", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn annotate(State(app): State<App>, caller: Caller, body: Bytes) -> Result<Response, Refusal> {
    let new = parse_json(&body)?;
    let (is_new, row) = record(&app, &caller, &new).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let given = GivenAnnotation { id: row.id, task: row.task_id, seen: catalog::read_seen(&row)?, at: row.at };
    Ok((status, Json(given)).into_response())
}

/// Records an annotation, and says whether that changed anything.
pub async fn record(app: &App, caller: &Caller, new: &NewAnnotation) -> Result<(bool, annotation::Model), Refusal> {
    let annotator = caller.annotator()?;
    let assignment = find_own(app, &annotator, new.task).await?;
    check_label(app, &assignment, &new.seen)?;
    let said = Said {
        annotator: &annotator,
        seen: &new.seen,
        through: LabelledIn::Review,
        took_ms: new.took_ms,
        at: catalog::now(),
    };
    match app.catalog().annotate(new.task, &said).await.map_err(of_task)? {
        Annotated::Recorded(row) => {
            app.outbox_wakeup().notify_one();
            Ok((true, row))
        }
        Annotated::AsBefore(row) => Ok((false, row)),
        Annotated::Full => Err(Refusal::new(
            ProblemKind::Conflict,
            "others have labelled this photo meanwhile, so this answer is not needed: go on with the next one",
        )),
    }
}

/// A class must be one that the model knew which answered the photo, or that the live model knows.
fn check_label(app: &App, assignment: &Assignment, seen: &Seen) -> Result<(), Refusal> {
    let Some(label) = seen.label() else { return Ok(()) };
    let live = app.model();
    let answered: Vec<ClassProbability> =
        serde_json::from_value(assignment.prediction.probabilities.clone()).unwrap_or_default();
    if live.classes().index_of(label).is_some() || answered.iter().any(|class| class.label == label) {
        return Ok(());
    }
    let known: Vec<&str> = live.classes().iter().map(|(_, label)| label).collect();
    Err(Refusal::new(
        ProblemKind::Unprocessable,
        format!("{label:?} is not a class of the model: use one of {}", known.join(", ")),
    ))
}

/// Take an annotation back; the photo is to be labelled again. Taking it back twice is no error.
#[utoipa::path(
    delete, path = "/api/v1/annotations/{id}", tag = "labelling",
    params(("id" = Uuid, Path, description = "The annotation's id")),
    responses(
        (status = 204, description = "Taken back"),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an annotator", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Unknown, or somebody else's", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The photo was erased", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn take_back(
    State(app): State<App>,
    caller: Caller,
    UuidInPath(id): UuidInPath,
) -> Result<StatusCode, Refusal> {
    take_annotation_back(&app, &caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes an annotation of one's own back; operators take back everybody's.
pub async fn take_annotation_back(app: &App, caller: &Caller, id: Uuid) -> Result<(), Refusal> {
    let row = app.catalog().annotation(id).await?.ok_or_else(no_such_annotation)?;
    if !caller.is_operator() && caller.annotator()? != row.annotator {
        return Err(no_such_annotation());
    }
    app.catalog().take_back(id).await.map_err(of_task)?;
    app.outbox_wakeup().notify_one();
    Ok(())
}

/// Pass a task over: it is not given to whoever says so again. Doing it twice is no error.
#[utoipa::path(
    post, path = "/api/v1/review/tasks/{id}/skip", tag = "labelling",
    params(("id" = Uuid, Path, description = "The task's id")),
    responses(
        (status = 204, description = "Passed over"),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an annotator, or without a name", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Unknown, or given to somebody else", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "Erased", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn skip(State(app): State<App>, caller: Caller, UuidInPath(id): UuidInPath) -> Result<StatusCode, Refusal> {
    let annotator = caller.annotator()?;
    find_own(&app, &annotator, id).await?;
    app.catalog().skip_task(id, &annotator).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take passing over back: the task is given again, if it still lacks a label.
#[utoipa::path(
    delete, path = "/api/v1/review/tasks/{id}/skip", tag = "labelling",
    params(("id" = Uuid, Path, description = "The task's id")),
    responses(
        (status = 204, description = "Taken back"),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an annotator, or without a name", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Unknown, or given to somebody else", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "Erased", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn unskip(State(app): State<App>, caller: Caller, UuidInPath(id): UuidInPath) -> Result<StatusCode, Refusal> {
    let annotator = caller.annotator()?;
    find_own(&app, &annotator, id).await?;
    app.catalog().unskip_task(id, &annotator).await.map_err(of_task)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Every annotation with where it comes from, newest first; those that were changed or taken back too.
#[utoipa::path(
    get, path = "/api/v1/annotations", tag = "labelling",
    params(AnnotationQuery),
    responses(
        (status = 200, description = "A page", body = AnnotationPage),
        (status = 400, description = "A filter that is unknown or cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator, nor a token with the scope", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list(
    State(app): State<App>,
    query: Result<Query<AnnotationQuery>, QueryRejection>,
) -> Result<Json<AnnotationPage>, Refusal> {
    let query = read_filter(query, |query| query.limit)?;
    Ok(Json(app.catalog().annotations(&query).await?))
}

/// A task that was given to the caller, or any for operators, whose photo is there.
async fn find_given(app: &App, caller: &Caller, task: Uuid) -> Result<Assignment, Refusal> {
    if caller.is_operator() {
        return living(app.catalog().assignment(task).await?);
    }
    find_own(app, &caller.annotator()?, task).await
}

/// A task that was given to this annotator, and whose photo is there.
pub async fn find_own(app: &App, annotator: &str, task: Uuid) -> Result<Assignment, Refusal> {
    if !app.catalog().was_given(task, annotator).await? {
        return Err(no_such_task());
    }
    living(app.catalog().assignment(task).await?)
}

fn living(assignment: Option<Assignment>) -> Result<Assignment, Refusal> {
    let assignment = assignment.ok_or_else(no_such_task)?;
    if assignment.prediction.erased_at.is_some() { Err(CatalogError::Erased.into()) } else { Ok(assignment) }
}

fn of_task(error: CatalogError) -> Refusal {
    match error {
        CatalogError::NotFound => no_such_task(),
        other => other.into(),
    }
}
