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
use gourmetgram_app::{forms::page_of, posted::Posted};
use serde::Deserialize;

use super::{
    Caller, Refusal, identity::visitor_token, pages, predictions, predictions::IdInPath, upload::PostedPhotos,
};
use crate::{
    accounts::Scope,
    app::App,
    catalog::{Actor, Change},
    intake::{self, Submission},
};

/// `POST /photos`: send a photo, or several.
///
/// One leads to its answer. Several lead to the visitor's photos, with a word on how many were taken and why others
/// were not; where none was, the page says what was wrong with the first.
pub async fn upload(State(app): State<App>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let for_page = Request::from_parts(parts.clone(), Body::empty());
    // A first-time visitor may come here without a cookie; the photo must be theirs all the same.
    let (token, cookie) = visitor_token(&parts.headers, app.settings().server.is_https());
    let outcome = async {
        let caller = Caller::from_request_parts(&mut parts, &app).await?.or_visitor(&token);
        take_photos(&app, &caller, Request::from_parts(parts, body)).await
    };
    match outcome.await {
        Ok(address) => {
            let mut response = Redirect::to(&address).into_response();
            if let Some(cookie) = cookie {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(refusal) => pages::page_with_problem(app, for_page, None, refusal).await,
    }
}

/// Takes each photo of a form, and says where to look at what became of them.
async fn take_photos(app: &App, caller: &Caller, request: Request) -> Result<String, Refusal> {
    let mut photos = PostedPhotos::of(request, app).await?;
    let (mut posted, mut newest, mut first_refusal) = (Posted::default(), None, None);
    loop {
        let refusal = match photos.next(app).await {
            Ok(None) => break,
            Ok(Some(Ok(photo))) => {
                let image = photo.image.clone();
                let submission = Submission {
                    image,
                    id: None,
                    idempotency_key: None,
                    device: None,
                    scaled_from: None,
                    simulation: None,
                };
                match intake::accept(app, caller, submission).await {
                    Ok(accepted) => {
                        posted.taken += 1;
                        newest = Some(accepted.prediction.id);
                        continue;
                    }
                    Err(refusal) => refusal,
                }
            }
            Ok(Some(Err(refusal))) => refusal,
            // What was taken is taken, and said so, even if the rest of the form cannot be read.
            Err(refusal) if posted.taken > 0 => {
                posted.refused.push(refusal.0.kind);
                break;
            }
            Err(refusal) => return Err(refusal),
        };
        posted.refused.push(refusal.0.kind);
        first_refusal.get_or_insert(refusal);
    }
    match (newest, first_refusal) {
        (Some(id), None) if posted.taken == 1 && posted.refused.is_empty() => Ok(page_of(id)),
        (None, Some(refusal)) => Err(refusal),
        _ => Ok(posted.address()),
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
        predictions::erase_for(&app, &caller, id).await
    };
    match outcome.await {
        Ok(()) => {
            Redirect::to(&pages::back_to(for_page.uri()).unwrap_or_else(|| "/?erased=1".to_owned())).into_response()
        }
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
            let page = pages::back_to(for_page.uri()).unwrap_or_else(|| format!("/?photo={id}"));
            let mut response = Redirect::to(&page).into_response();
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }
        Err(refusal) => pages::page_with_problem(app, for_page, shown, refusal).await,
    }
}
