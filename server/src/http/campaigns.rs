//! Labelling campaigns: made, looked at, previewed, and asked to select.

use axum::{
    Json,
    body::Body,
    extract::{FromRequestParts, Path, Query, Request, State, rejection::QueryRejection},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use bytes::Bytes;
use gourmetgram_api::{
    Campaign, CampaignList, CampaignName, CampaignPreview, CampaignRequest, Cause, Interval, NewCampaign, NewRun,
    PreviewRequest, Problem, ProblemKind, Run, SelectRequest, Selected, TaskPage, TaskQuery, UnusableCampaign,
};
use gourmetgram_app::campaigns::{self, CampaignForm, Campaigns};
use uuid::Uuid;

use super::{
    Refusal, pages, pipelines,
    predictions::{parse_json, read_filter},
};
use crate::{
    app::App,
    catalog::{CatalogError, now},
};

/// The campaign's id in a path. Something that is no id names nothing.
pub struct CampaignInPath(pub Uuid);

impl FromRequestParts<App> for CampaignInPath {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let none = || Refusal::from(CatalogError::NoCampaign);
        let Path(text) = Path::<String>::from_request_parts(parts, app).await.map_err(|_| none())?;
        text.parse().map(Self).map_err(|_| none())
    }
}

impl From<UnusableCampaign> for Refusal {
    fn from(error: UnusableCampaign) -> Self {
        Self(Box::new(Problem::new(ProblemKind::BadRequest, error.to_string()).of_field(error.field())))
    }
}

/// Every campaign, the newest first, with how far its labelling is.
#[utoipa::path(
    get, path = "/api/v1/campaigns", tag = "labelling",
    responses(
        (status = 200, description = "The campaigns, archived ones too", body = CampaignList),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator, nor a token with the scope", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn list(State(app): State<App>) -> Result<Json<CampaignList>, Refusal> {
    Ok(Json(CampaignList { campaigns: app.catalog().campaigns().await? }))
}

/// Make a campaign, said in full or by a preset's name. It selects nothing before it is asked to, or its schedule says so.
#[utoipa::path(
    post, path = "/api/v1/campaigns", tag = "labelling",
    request_body = CampaignRequest,
    responses(
        (status = 201, description = "Made", body = Campaign),
        (status = 400, description = "Malformed, or a rule that cannot be followed", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator, nor a token with the scope", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The name is taken", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn create(State(app): State<App>, body: Bytes) -> Result<(StatusCode, Json<Campaign>), Refusal> {
    let asked: CampaignRequest = parse_json(&body)?;
    Ok((StatusCode::CREATED, Json(make(&app, &asked.into()).await?)))
}

/// Makes a campaign that can be one.
pub async fn make(app: &App, asked: &NewCampaign) -> Result<Campaign, Refusal> {
    crate::pipelines::check_campaign(asked, app.settings())?;
    let made = app.catalog().add_campaign(asked).await?;
    made.ok_or_else(|| {
        let name = asked.name.trim();
        let why = format!("there is a campaign {name:?} already: choose another name");
        Refusal(Box::new(Problem::new(ProblemKind::Conflict, why).of_field("name")))
    })
}

/// One campaign.
#[utoipa::path(
    get, path = "/api/v1/campaigns/{id}", tag = "labelling",
    params(("id" = Uuid, Path, description = "The campaign's id")),
    responses(
        (status = 200, description = "The campaign", body = Campaign),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator, nor a token with the scope", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Unknown", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn read(State(app): State<App>, CampaignInPath(id): CampaignInPath) -> Result<Json<Campaign>, Refusal> {
    let campaign = app.catalog().campaign(&CampaignName::Id(id)).await?;
    Ok(Json(campaign.ok_or(CatalogError::NoCampaign)?))
}

/// Archive a campaign: it selects nothing more. What it has chosen can still be labelled, and nothing is lost.
#[utoipa::path(
    delete, path = "/api/v1/campaigns/{id}", tag = "labelling",
    params(("id" = Uuid, Path, description = "The campaign's id")),
    responses(
        (status = 204, description = "Archived, also where it was before"),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator, nor a token with the scope", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Unknown", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn archive(State(app): State<App>, CampaignInPath(id): CampaignInPath) -> Result<StatusCode, Refusal> {
    match app.catalog().archive_campaign(id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(CatalogError::NoCampaign.into()),
    }
}

/// A campaign's tasks: which photo each is, with which probability it was chosen, and what is known of its labels.
///
/// For programs that label elsewhere, or look after those who do. It names the photos of blind campaigns, too, and is
/// therefore for operators.
#[utoipa::path(
    get, path = "/api/v1/campaigns/{id}/tasks", tag = "labelling",
    params(("id" = Uuid, Path, description = "The campaign's id"), TaskQuery),
    responses(
        (status = 200, description = "A page of tasks", body = TaskPage),
        (status = 400, description = "Malformed", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator, nor a token with the scope", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Unknown", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn tasks(
    State(app): State<App>,
    CampaignInPath(id): CampaignInPath,
    query: Result<Query<TaskQuery>, QueryRejection>,
) -> Result<Json<TaskPage>, Refusal> {
    let query = read_filter(query, |query| query.limit)?;
    Ok(Json(app.catalog().tasks(id, &query).await?))
}

/// What a campaign would choose of an interval, before it is made: how many, which, and how narrow the interval about the
/// model's accuracy will be.
#[utoipa::path(
    post, path = "/api/v1/campaigns/preview", tag = "labelling",
    request_body = PreviewRequest,
    responses(
        (status = 200, description = "What it would choose", body = CampaignPreview),
        (status = 400, description = "Malformed, or a rule that cannot be followed", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator, nor a token with the scope", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "More photos than are considered at once", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn preview(State(app): State<App>, body: Bytes) -> Result<Json<CampaignPreview>, Refusal> {
    let PreviewRequest { campaign, start, end } = parse_json(&body)?;
    let interval = Interval::between(start, end, now())?;
    Ok(Json(look_ahead(&app, &campaign, interval).await?))
}

/// Previews a campaign that can be one.
pub async fn look_ahead(app: &App, asked: &NewCampaign, interval: Interval) -> Result<CampaignPreview, Refusal> {
    crate::pipelines::check_campaign(asked, app.settings())?;
    Ok(app.catalog().preview_campaign(asked, interval).await?)
}

/// Have a campaign consider the photos of an interval: the last 30 minutes unless told.
///
/// Each photo is considered once, so it can be asked again, also where intervals overlap. It is a run of the pipeline
/// `select`; a dry run is answered at once.
#[utoipa::path(
    post, path = "/api/v1/campaigns/{id}/select", tag = "labelling",
    params(("id" = Uuid, Path, description = "The campaign's id")),
    request_body = SelectRequest,
    responses(
        (status = 200, description = "Of a dry run: what would be chosen", body = Selected),
        (status = 202, description = "The run is waiting, or under way: GET /api/v1/pipelines/select/runs/{run}", body = Run),
        (status = 400, description = "Malformed, or an interval without time", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator, nor a token with the scope", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "Unknown", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Archived", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Of a dry run: more photos than are considered at once", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn select(
    State(app): State<App>,
    CampaignInPath(id): CampaignInPath,
    body: Bytes,
) -> Result<Response, Refusal> {
    let SelectRequest { start, end, dry_run } = match body.is_empty() {
        true => SelectRequest::default(),
        false => parse_json(&body)?,
    };
    let interval = Interval::between(start, end, now())?;
    if dry_run {
        return Ok(Json(app.catalog().select(id, interval, true).await?).into_response());
    }
    let run = ask_to_select(&app, id, interval).await?;
    Ok((StatusCode::ACCEPTED, Json(run)).into_response())
}

/// Asks for the run that has a campaign consider the photos of an interval.
async fn ask_to_select(app: &App, id: Uuid, Interval { start, end }: Interval) -> Result<Run, Refusal> {
    let campaign = app.catalog().campaign(&CampaignName::Id(id)).await?.ok_or(CatalogError::NoCampaign)?;
    if campaign.archived_at.is_some() {
        return Err(CatalogError::Archived(campaign.asked.name).into());
    }
    let asked = NewRun { campaign: Some(id), start: Some(start), end: Some(end), dry_run: false };
    pipelines::ask_for(app, "select", &asked, Cause::Manual).await
}

/// What the page shows: campaigns, where they are labelled, and which of their runs went wrong.
pub async fn shown(app: &App, preview: Option<Result<CampaignPreview, Problem>>) -> Result<Campaigns, Refusal> {
    let campaigns = app.catalog().campaigns().await?;
    let living = campaigns.iter().filter(|campaign| campaign.archived_at.is_none());
    let ids: Vec<Uuid> = living.map(|campaign| campaign.id).collect();
    let troubles = app.catalog().runs_in_trouble(&ids).await?;
    let projects = match app.studio() {
        Some(studio) => {
            let projects = app.catalog().projects().await?;
            projects.into_iter().map(|(campaign, project)| (campaign, studio.page_of(project))).collect()
        }
        None => Vec::new(),
    };
    Ok(Campaigns { campaigns, troubles, projects, preview })
}

/// `POST /campaigns`: makes the campaign that the page's form describes. Leads to the page, or shows it with what was
/// wrong and the form as it was.
pub async fn make_by_form(State(app): State<App>, request: Request) -> Response {
    let (for_page, form) = match read_form(request).await {
        Ok(read) => read,
        Err((for_page, refusal)) => return pages::answer_with_page(app, for_page, campaigns::PAGE, refusal).await,
    };
    let outcome = async {
        let asked = CampaignForm::read(form.iter().map(|(name, value)| (name, value)))
            .campaign()
            .map_err(|problem| Refusal(Box::new(problem)))?;
        make(&app, &asked).await
    };
    match outcome.await {
        Ok(_) => see(&[("done", "made")]),
        Err(refusal) => {
            // As it was written, but without the look ahead: that would be an answer to another question.
            let fields = form.iter().filter(|(name, _)| name != "hours");
            let at = address(fields.map(|(name, value)| (name.as_str(), value.as_str())));
            pages::answer_with_page(app, for_page, &at, refusal).await
        }
    }
}

/// `POST /campaigns/{id}/select`: has a campaign select; field `hours`, how far back. Leads to the run.
pub async fn select_by_form(State(app): State<App>, CampaignInPath(id): CampaignInPath, request: Request) -> Response {
    let (for_page, form) = match read_form(request).await {
        Ok(read) => read,
        Err((for_page, refusal)) => return pages::answer_with_page(app, for_page, campaigns::PAGE, refusal).await,
    };
    let hours = form.iter().find(|(name, _)| name == "hours").map(|(_, hours)| hours.as_str());
    let outcome = async {
        let interval = campaigns::span(hours.unwrap_or_default(), now());
        let interval = interval.ok_or_else(|| Refusal::new(ProblemKind::BadRequest, "say how far back to look"))?;
        ask_to_select(&app, id, interval).await
    };
    match outcome.await {
        Ok(run) => Redirect::to(&format!("/pipelines/{}", run.id)).into_response(),
        Err(refusal) => pages::answer_with_page(app, for_page, campaigns::PAGE, refusal).await,
    }
}

/// `POST /campaigns/{id}/archive`.
pub async fn archive_by_form(State(app): State<App>, CampaignInPath(id): CampaignInPath, request: Request) -> Response {
    match app.catalog().archive_campaign(id).await {
        Ok(true) => see(&[("done", "archived")]),
        Ok(false) => pages::answer_with_page(app, request, campaigns::PAGE, CatalogError::NoCampaign.into()).await,
        Err(error) => pages::answer_with_page(app, request, campaigns::PAGE, error.into()).await,
    }
}

type Fields = Vec<(String, String)>;

async fn read_form(request: Request) -> Result<(Request, Fields), (Request, Refusal)> {
    let (parts, body) = request.into_parts();
    let for_page = Request::from_parts(parts, Body::empty());
    match axum::body::to_bytes(body, super::MAX_SMALL_BODY).await {
        Ok(body) => Ok((for_page, url::form_urlencoded::parse(&body).into_owned().collect())),
        Err(_) => {
            let refusal = Refusal::new(ProblemKind::BadRequest, "the form is cut off or too long");
            Err((for_page, refusal))
        }
    }
}

fn address<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    format!("{}?{query}", campaigns::PAGE)
}

fn see(fields: &[(&str, &str)]) -> Response {
    Redirect::to(&address(fields.iter().copied())).into_response()
}
