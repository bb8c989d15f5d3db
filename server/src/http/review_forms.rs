//! What the page `/review` posts where JavaScript is off. Each answers with a redirect to the next photo, or with the
//! page and what was wrong.

use axum::{
    body::Body,
    extract::{FromRequestParts, Request, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
};
use gourmetgram_api::{NewAnnotation, ProblemKind, Seen};
use gourmetgram_app::review::{Asked, Last, read_answer};
use serde::Deserialize;
use uuid::Uuid;

use super::{Caller, Refusal, forms::PostedForm, pages, review};
use crate::app::App;

/// Every form names the campaign it came from, to go back to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerForm {
    campaign: Uuid,
    task: Uuid,
    answer: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SkipForm {
    campaign: Uuid,
    task: Uuid,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UndoForm {
    campaign: Uuid,
    said: Option<Uuid>,
    skipped: Option<Uuid>,
}

/// `POST /review/answer`: says what the photo shows.
pub async fn answer(state: State<App>, request: Request) -> Response {
    work(state, request, async |app, caller, form, asked| {
        let AnswerForm { campaign, task, answer } = form.read().await?;
        asked.campaign = Some(campaign);
        let seen: Seen = read_answer(&answer).ok_or_else(|| {
            Refusal::new(ProblemKind::BadRequest, format!("{answer:?} is no answer: press one of the page's buttons"))
        })?;
        let (_, row) = review::record(app, caller, &NewAnnotation { task, seen, took_ms: None }).await?;
        asked.last = Some(Last::Said(row.id));
        Ok(())
    })
    .await
}

/// `POST /review/skip`: passes the photo over.
pub async fn skip(state: State<App>, request: Request) -> Response {
    work(state, request, async |app, caller, form, asked| {
        let SkipForm { campaign, task } = form.read().await?;
        asked.campaign = Some(campaign);
        let annotator = caller.annotator()?;
        review::find_own(app, &annotator, task).await?;
        app.catalog().skip_task(task, &annotator).await?;
        asked.last = Some(Last::Skipped(task));
        Ok(())
    })
    .await
}

/// `POST /review/undo`: takes the last answer, or passing over, back.
pub async fn undo(state: State<App>, request: Request) -> Response {
    work(state, request, async |app, caller, form, asked| {
        let UndoForm { campaign, said, skipped } = form.read().await?;
        asked.campaign = Some(campaign);
        if let Some(annotation) = said {
            review::take_annotation_back(app, caller, annotation).await?;
        }
        if let Some(task) = skipped {
            let annotator = caller.annotator()?;
            review::find_own(app, &annotator, task).await?;
            app.catalog().unskip_task(task, &annotator).await?;
        }
        Ok(())
    })
    .await
}

async fn work(
    State(app): State<App>,
    request: Request,
    work: impl AsyncFnOnce(&App, &Caller, PostedForm, &mut Asked) -> Result<(), Refusal>,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let for_page = Request::from_parts(parts.clone(), Body::empty());
    let mut asked = Asked::default();
    let outcome = async {
        let caller = Caller::from_request_parts(&mut parts, &app).await?;
        work(&app, &caller, PostedForm(Request::from_parts(parts, body)), &mut asked).await
    };
    match outcome.await {
        Ok(()) => {
            let mut response = Redirect::to(&asked.address()).into_response();
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(refusal) => pages::answer_with_page(app, for_page, &asked.address(), refusal).await,
    }
}
