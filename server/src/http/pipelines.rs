//! Runs of pipelines: what there is, what became of it, and asking for more.

use axum::{
    Json,
    body::Body,
    extract::{FromRequestParts, Path, Query, Request, State, rejection::QueryRejection},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use bytes::Bytes;
use chrono::{DateTime, NaiveDateTime, Utc};
use gourmetgram_api::{Backfill, Cause, Interval, NewBackfill, NewRun, Pipelines, Problem, ProblemKind, Run, RunPage};
use gourmetgram_app::work::{NamedCampaign, RunShown, WorkShown};
use serde::Deserialize;
use uuid::Uuid;

use super::{Refusal, forms::PostedForm, pages, predictions::parse_json};
use crate::{
    app::App,
    catalog::CatalogError,
    pipelines::{
        Pipeline, Schedule,
        backfill::{self, BackfillError},
    },
};

/// Runs on a page of the history.
const RUNS_PER_PAGE: u64 = 50;

fn no_such_run() -> Refusal {
    Refusal::new(ProblemKind::NotFound, "there is no such run: GET /api/v1/pipelines/{name}/runs lists them")
}

/// What is wrong with runs is not what is wrong with predictions.
fn refused(error: CatalogError) -> Refusal {
    match error {
        CatalogError::NotFound => no_such_run(),
        error => error.into(),
    }
}

/// A pipeline named in the path.
pub struct PipelineInPath(&'static str);

/// A pipeline and one of its runs, named in the path.
pub struct RunInPath(Run);

fn find<'a>(app: &'a App, name: &str) -> Result<&'a dyn Pipeline, Refusal> {
    app.pipelines().pipeline(name).ok_or_else(|| {
        let known: Vec<&str> = app.pipelines().pipelines().iter().map(|pipeline| pipeline.name()).collect();
        Refusal::new(ProblemKind::NotFound, format!("there is no pipeline {name:?}: there are {}", known.join(", ")))
    })
}

impl FromRequestParts<App> for PipelineInPath {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let Path(name) = Path::<String>::from_request_parts(parts, app).await.map_err(|_| no_such_run())?;
        Ok(Self(find(app, &name)?.name()))
    }
}

impl FromRequestParts<App> for RunInPath {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let Path((name, run)) =
            Path::<(String, String)>::from_request_parts(parts, app).await.map_err(|_| no_such_run())?;
        let pipeline = find(app, &name)?.name();
        let id: Uuid = run.parse().map_err(|_| no_such_run())?;
        let run = app.catalog().run(id).await.map_err(refused)?;
        run.filter(|run| run.pipeline == pipeline).map(Self).ok_or_else(no_such_run)
    }
}

/// The pipelines, with their steps and when they run next by themselves.
#[utoipa::path(
    get, path = "/api/v1/pipelines", tag = "pipelines",
    responses(
        (status = 200, description = "All of them", body = Pipelines),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator, nor a token with the scope", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn pipelines(State(app): State<App>) -> Result<Json<Pipelines>, Refusal> {
    pipelines_of(&app).await.map(Json)
}

/// The same for pages.
pub async fn pipelines_of(app: &App) -> Result<Pipelines, Refusal> {
    let items = app.pipelines().describe().await?;
    Ok(Pipelines { items })
}

/// How a list of runs goes on.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct RunsQuery {
    /// Only runs that were asked for before this one.
    #[serde(default)]
    before: Option<Uuid>,
    /// 1 to 200; 50 where it is absent.
    #[serde(default)]
    limit: Option<u64>,
}

/// The runs of a pipeline, newest first.
#[utoipa::path(
    get, path = "/api/v1/pipelines/{name}/runs", tag = "pipelines",
    params(("name" = String, Path, description = "The pipeline, for example `select`"), RunsQuery),
    responses(
        (status = 200, description = "A page of them, without steps and logs", body = RunPage),
        (status = 400, description = "A parameter that is unknown or cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator, nor a token with the scope", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such pipeline", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn runs(
    State(app): State<App>,
    PipelineInPath(name): PipelineInPath,
    query: Result<Query<RunsQuery>, QueryRejection>,
) -> Result<Json<RunPage>, Refusal> {
    let Query(RunsQuery { before, limit }) =
        query.map_err(|error| Refusal::new(ProblemKind::BadRequest, error.body_text()))?;
    let limit = limit.unwrap_or(RUNS_PER_PAGE);
    if !(1..=200).contains(&limit) {
        return Err(Refusal::new(ProblemKind::BadRequest, format!("limit is {limit}: it must be 1 to 200")));
    }
    let mut items = app.catalog().runs(Some(name), before, limit + 1).await?;
    let goes_on = items.len() as u64 > limit;
    items.truncate(limit as usize);
    let next_before = items.last().filter(|_| goes_on).map(|run| run.id);
    Ok(Json(RunPage { items, next_before }))
}

/// Ask for a run.
///
/// There is one run of a pipeline for each campaign and interval: where it is waiting or under way already, that one is
/// answered; where it is over, it is done again.
#[utoipa::path(
    post, path = "/api/v1/pipelines/{name}/runs", tag = "pipelines",
    params(("name" = String, Path, description = "The pipeline, for example `select`")),
    request_body = NewRun,
    responses(
        (status = 202, description = "It is waiting, or under way", body = Run),
        (status = 400, description = "Malformed, or an interval with nothing in it", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator, nor a token with the scope", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such pipeline", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn ask(
    State(app): State<App>,
    PipelineInPath(name): PipelineInPath,
    body: Bytes,
) -> Result<(StatusCode, Json<Run>), Refusal> {
    let asked: NewRun = if body.is_empty() { NewRun::default() } else { parse_json(&body)? };
    let run = ask_for(&app, name, &asked, Cause::Manual).await?;
    Ok((StatusCode::ACCEPTED, Json(run)))
}

/// The same for forms.
pub async fn ask_for(app: &App, name: &str, asked: &NewRun, cause: Cause) -> Result<Run, Refusal> {
    let pipeline = find(app, name)?;
    let subject = subject_of(pipeline, asked.campaign)?;
    let interval =
        Interval::between(asked.start, asked.end, crate::catalog::now()).map_err(|error| bad(error.to_string()))?;
    pipeline.check(&subject).await.map_err(|error| bad(error.to_string()))?;
    let (run, _) = app.pipelines().ask(pipeline, &subject, interval, cause, asked.dry_run).await.map_err(refused)?;
    Ok(run)
}

fn bad(why: String) -> Refusal {
    Refusal::new(ProblemKind::BadRequest, why)
}

fn subject_of(pipeline: &dyn Pipeline, campaign: Option<Uuid>) -> Result<String, Refusal> {
    let name = pipeline.name();
    match (campaign, pipeline.needs_subject()) {
        (Some(campaign), true) => Ok(campaign.to_string()),
        (None, false) => Ok(String::new()),
        (None, true) => Err(bad(format!("{name} runs for one campaign at a time: name it as campaign"))),
        (Some(_), false) => Err(bad(format!("{name} runs for all campaigns at once: leave campaign out"))),
    }
}

/// Ask for a run of each interval of a stretch of time.
///
/// A schedule cuts it into intervals. What went well before is not done again, what failed is; so a backfill can be asked for
/// again. Runs are done oldest first, and let those pass that others ask for; one that fails does not keep the others.
#[utoipa::path(
    post, path = "/api/v1/pipelines/{name}/backfills", tag = "pipelines",
    params(("name" = String, Path, description = "The pipeline, for example `select`")),
    request_body = NewBackfill,
    responses(
        (status = 202, description = "Its runs wait, or are under way", body = Backfill),
        (status = 400, description = "Malformed, nothing in it, no schedule, or more than 10,000 intervals", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator, nor a token with the scope", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such pipeline", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn backfill(
    State(app): State<App>,
    PipelineInPath(name): PipelineInPath,
    body: Bytes,
) -> Result<(StatusCode, Json<Backfill>), Refusal> {
    let asked: NewBackfill = parse_json(&body)?;
    let asked = ask_for_backfill(&app, name, &asked).await?;
    Ok((StatusCode::ACCEPTED, Json(asked)))
}

/// The same for forms.
async fn ask_for_backfill(app: &App, name: &str, asked: &NewBackfill) -> Result<Backfill, Refusal> {
    let pipeline = find(app, name)?;
    let subject = subject_of(pipeline, asked.campaign)?;
    let schedule: Option<Schedule> =
        asked.schedule.as_deref().map(str::parse).transpose().map_err(|error| bad(format!("schedule: {error}")))?;
    pipeline.check(&subject).await.map_err(|error| bad(error.to_string()))?;
    let intervals = backfill::intervals(pipeline, &subject, (asked.start, asked.end), schedule).await;
    let intervals = intervals.map_err(|error| match error {
        BackfillError::Catalog(error) => error.into(),
        error => bad(error.to_string()),
    })?;
    let (Some(first), Some(last)) = (intervals.first().copied(), intervals.last().copied()) else {
        return Err(bad(BackfillError::Backwards.to_string()));
    };
    let asked = app.pipelines().backfill(pipeline, &subject, &intervals, asked.dry_run).await?;
    let intervals = intervals.len() as u64;
    Ok(Backfill { intervals, asked, kept: intervals.saturating_sub(asked), first, last })
}

/// One run with its steps and the newest lines of its log.
#[utoipa::path(
    get, path = "/api/v1/pipelines/{name}/runs/{run}", tag = "pipelines",
    params(
        ("name" = String, Path, description = "The pipeline, for example `select`"),
        ("run" = Uuid, Path, description = "The run's id"),
    ),
    responses(
        (status = 200, description = "The run", body = Run),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator, nor a token with the scope", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such run", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn run(RunInPath(run): RunInPath) -> Json<Run> {
    Json(run)
}

/// Call a run off. What its steps have done stays.
#[utoipa::path(
    delete, path = "/api/v1/pipelines/{name}/runs/{run}", tag = "pipelines",
    params(
        ("name" = String, Path, description = "The pipeline, for example `select`"),
        ("run" = Uuid, Path, description = "The run's id"),
    ),
    responses(
        (status = 200, description = "The run as it is now; one that was over stays as it was", body = Run),
        (status = 401, description = "Nobody we know", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not an operator, nor a token with the scope", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such run", body = Problem, content_type = "application/problem+json"),
    )
)]
pub async fn cancel(State(app): State<App>, RunInPath(run): RunInPath) -> Result<Json<Run>, Refusal> {
    app.catalog().cancel_run(run.id).await.map_err(refused)?;
    app.catalog().run(run.id).await.map_err(refused)?.map(Json).ok_or_else(no_such_run)
}

/// The form that asks for a run, or for a backfill.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskForm {
    pipeline: String,
    #[serde(default)]
    campaign: Option<Uuid>,
    #[serde(default)]
    start: String,
    #[serde(default)]
    end: String,
    /// Of a backfill.
    #[serde(default)]
    schedule: String,
    #[serde(default)]
    dry_run: bool,
}

impl AskForm {
    /// A form sends the campaign that is shown along also with pipelines that have none.
    fn campaign_for(&self, app: &App) -> Option<Uuid> {
        self.campaign.filter(|_| find(app, &self.pipeline).is_ok_and(Pipeline::needs_subject))
    }
}

/// `POST /pipelines/runs`
pub async fn ask_by_form(State(app): State<App>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let for_page = Request::from_parts(parts.clone(), Body::empty());
    let outcome = async {
        let form: AskForm = PostedForm(Request::from_parts(parts, body)).read().await?;
        let asked = NewRun {
            campaign: form.campaign_for(&app),
            start: moment_of("From", &form.start)?,
            end: moment_of("Up to", &form.end)?,
            dry_run: form.dry_run,
        };
        ask_for(&app, &form.pipeline, &asked, Cause::Manual).await
    };
    match outcome.await {
        Ok(run) => Redirect::to(&format!("/pipelines/{}", run.id)).into_response(),
        Err(refusal) => pages::answer_with_page(app, for_page, "/pipelines", refusal).await,
    }
}

/// `POST /pipelines/backfills`
pub async fn backfill_by_form(State(app): State<App>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let for_page = Request::from_parts(parts.clone(), Body::empty());
    let outcome = async {
        let form: AskForm = PostedForm(Request::from_parts(parts, body)).read().await?;
        let missing = |field: &str| bad(format!("{field} is empty: write it as 2026-11-24 10:00"));
        let asked = NewBackfill {
            campaign: form.campaign_for(&app),
            start: moment_of("From", &form.start)?.ok_or_else(|| missing("From"))?,
            end: moment_of("Up to", &form.end)?.ok_or_else(|| missing("Up to"))?,
            schedule: Some(form.schedule.trim().to_owned()).filter(|schedule| !schedule.is_empty()),
            dry_run: form.dry_run,
        };
        ask_for_backfill(&app, &form.pipeline, &asked).await
    };
    match outcome.await {
        Ok(Backfill { asked, kept, .. }) => {
            Redirect::to(&format!("/pipelines?asked={asked}&kept={kept}")).into_response()
        }
        Err(refusal) => pages::answer_with_page(app, for_page, "/pipelines", refusal).await,
    }
}

/// A moment as people write it, in UTC.
fn moment_of(field: &str, text: &str) -> Result<Option<DateTime<Utc>>, Refusal> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let read = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
        .into_iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text.trim(), format).ok());
    read.map(|moment| Some(moment.and_utc())).ok_or_else(|| {
        Refusal::new(ProblemKind::BadRequest, format!("{field} is {text:?}: write it as 2026-11-24 10:00"))
    })
}

/// `POST /pipelines/{run}/again`
pub async fn again_by_form(app: State<App>, id: Path<String>, request: Request) -> Response {
    change_by_form(app, id, request, async |app, run| {
        let asked = NewRun { campaign: run.campaign, start: Some(run.start), end: Some(run.end), dry_run: run.dry_run };
        ask_for(app, &run.pipeline, &asked, Cause::Manual).await.map(|run| run.id)
    })
    .await
}

/// `POST /pipelines/{run}/cancel`
pub async fn cancel_by_form(app: State<App>, id: Path<String>, request: Request) -> Response {
    change_by_form(app, id, request, async |app, run| {
        app.catalog().cancel_run(run.id).await.map_err(refused)?;
        Ok(run.id)
    })
    .await
}

async fn change_by_form(
    State(app): State<App>,
    Path(id): Path<String>,
    request: Request,
    change: impl AsyncFnOnce(&App, Run) -> Result<Uuid, Refusal>,
) -> Response {
    let for_page = Request::from_parts(request.into_parts().0, Body::empty());
    let outcome = async {
        let id: Uuid = id.parse().map_err(|_| no_such_run())?;
        let run = app.catalog().run(id).await.map_err(refused)?.ok_or_else(no_such_run)?;
        change(&app, run).await
    };
    match outcome.await {
        Ok(id) => Redirect::to(&format!("/pipelines/{id}")).into_response(),
        Err(refusal) => pages::answer_with_page(app, for_page, "/pipelines", refusal).await,
    }
}

/// What `/pipelines` shows.
pub async fn work_shown(app: &App, before: Option<Uuid>) -> Result<WorkShown, Refusal> {
    let mut items = app.catalog().runs(None, before, RUNS_PER_PAGE + 1).await?;
    let goes_on = items.len() as u64 > RUNS_PER_PAGE;
    items.truncate(RUNS_PER_PAGE as usize);
    let next_before = items.last().filter(|_| goes_on).map(|run| run.id);
    Ok(WorkShown {
        pipelines: pipelines_of(app).await?,
        runs: RunPage { items, next_before },
        campaigns: campaign_names(app).await?,
    })
}

/// What `/pipelines/{run}` shows.
pub async fn run_shown(app: &App, id: Uuid) -> Result<Option<RunShown>, Refusal> {
    let Some(run) = app.catalog().run(id).await? else { return Ok(None) };
    let campaigns = campaign_names(app).await?;
    let campaign = campaigns.into_iter().find(|campaign| Some(campaign.id) == run.campaign);
    Ok(Some(RunShown { run, campaign: campaign.map(|campaign| campaign.name) }))
}

async fn campaign_names(app: &App) -> Result<Vec<NamedCampaign>, Refusal> {
    let campaigns = app.catalog().campaign_names().await?.into_iter();
    Ok(campaigns.map(|(id, name, archived)| NamedCampaign { id, name, archived }).collect())
}
