//! What the page's forms post where JavaScript is off. Each answers with a redirect to the page, or with the page and
//! what was wrong.

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts, Request, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
};
use gourmetgram_api::{PredictionId, ProblemKind};
use serde::Deserialize;

use super::{Caller, Refusal, identity::visitor_token, pages, predictions, predictions::IdInPath, upload::Upload};
use crate::{
    accounts::Scope,
    app::App,
    catalog::{Actor, Change},
    intake::{self, Submission},
};

/// `POST /photos`: send a photo.
pub async fn upload(State(app): State<App>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let for_page = Request::from_parts(parts.clone(), Body::empty());
    // A first-time visitor may come here without a cookie; the photo must be theirs all the same.
    let (token, cookie) = visitor_token(&parts.headers, app.settings().server.is_https());
    let outcome = async {
        let caller = Caller::from_request_parts(&mut parts, &app).await?.or_visitor(&token);
        let upload = Upload::from_request(Request::from_parts(parts, body), &app).await?;
        let submission = Submission { image: upload.image, id: upload.id, idempotency_key: None, device: None };
        intake::accept(&app, &caller, submission).await
    };
    match outcome.await {
        Ok(accepted) => {
            let mut response = Redirect::to(&format!("/?photo={}", accepted.prediction.id)).into_response();
            if let Some(cookie) = cookie {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(refusal) => pages::page_with_problem(app, for_page, None, refusal).await,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FlagForm {
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CorrectionForm {
    label: String,
}

/// `POST /photos/{id}/flag`
pub async fn flag(state: State<App>, request: Request) -> Response {
    judge(state, request, async |_, form| {
        let FlagForm { reason } = form.read().await?;
        let reason = reason.parse().map_err(|error: gourmetgram_api::UnknownFlagReason| {
            Refusal::new(ProblemKind::BadRequest, error.to_string())
        })?;
        Ok(Change::Flag(reason))
    })
    .await
}

/// `POST /photos/{id}/unflag`
pub async fn unflag(state: State<App>, request: Request) -> Response {
    judge(state, request, async |_, _| Ok(Change::Unflag)).await
}

/// `POST /photos/{id}/correct`
pub async fn correct(state: State<App>, request: Request) -> Response {
    judge(state, request, async |app, form| {
        let CorrectionForm { label } = form.read().await?;
        predictions::correction(app, label)
    })
    .await
}

/// `POST /photos/{id}/uncorrect`
pub async fn uncorrect(state: State<App>, request: Request) -> Response {
    judge(state, request, async |_, _| Ok(Change::Uncorrect)).await
}

/// `POST /photos/{id}/erase`
pub async fn erase(State(app): State<App>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let for_page = Request::from_parts(parts.clone(), Body::empty());
    let outcome = async {
        let caller = Caller::from_request_parts(&mut parts, &app).await?;
        let IdInPath(id) = IdInPath::from_request_parts(&mut parts, &app).await?;
        let row = app.catalog().prediction(id).await?;
        caller.as_actor_on(&app, row, Scope::PredictionsErase)?;
        predictions::erase_photo(&app, id).await
    };
    match outcome.await {
        Ok(()) => Redirect::to("/?erased=1").into_response(),
        Err(refusal) => pages::page_with_problem(app, for_page, None, refusal).await,
    }
}

/// A form's body, not read before its sender is known to be allowed to send it.
pub struct PostedForm(pub Request);

impl PostedForm {
    /// Reads it.
    pub async fn read<T: for<'a> Deserialize<'a>>(self) -> Result<T, Refusal> {
        let form: Result<Form<T>, FormRejection> = Form::from_request(self.0, &()).await;
        form.map(|Form(form)| form).map_err(|rejection| {
            Refusal::new(ProblemKind::BadRequest, format!("the form cannot be read: {}", rejection.body_text()))
        })
    }
}

async fn judge(
    State(app): State<App>,
    request: Request,
    change: impl AsyncFnOnce(&App, PostedForm) -> Result<Change, Refusal>,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let for_page = Request::from_parts(parts.clone(), Body::empty());
    let mut shown: Option<PredictionId> = None;
    let outcome = async {
        let caller = Caller::from_request_parts(&mut parts, &app).await?;
        let IdInPath(id) = IdInPath::from_request_parts(&mut parts, &app).await?;
        let (actor, _): (Actor, _) = predictions::find_living(&app, &caller, id, Scope::FeedbackWrite).await?;
        shown = Some(id);
        let change = change(&app, PostedForm(Request::from_parts(parts, body))).await?;
        predictions::apply(&app, id, actor, &change).await?;
        Ok(id)
    };
    match outcome.await {
        Ok(id) => {
            let mut response = Redirect::to(&format!("/?photo={id}")).into_response();
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(refusal) => pages::page_with_problem(app, for_page, shown, refusal).await,
    }
}
