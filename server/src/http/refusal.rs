//! How errors become answers: every error type of the server meets its status here, in one place.
//!
//! A handler refuses with a [`Refusal`]; the response travels as an empty body with the [`Problem`] as an extension,
//! until [`render`] writes it out with the request's id. Answers that axum itself gives (no such path, wrong method)
//! are written the same way.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use gourmetgram_api::{Problem, ProblemKind};
use gourmetgram_classifier::PhotoError;
use gourmetgram_object_store::ObjectStoreError;

use gourmetgram_app::trouble::Trouble;

use super::{identity::names_credentials, pages};
use crate::{app::App, catalog::CatalogError, inference::InferenceError, spool::SpoolError};

/// A request that is not done, and why.
#[derive(Clone, Debug)]
pub struct Refusal(pub Box<Problem>);

impl Refusal {
    /// A refusal of `kind`; `detail` says what was wrong and what to do.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self(Box::new(Problem::new(kind, detail)))
    }

    /// Try again after so many seconds.
    pub fn try_again(detail: impl Into<String>, seconds: u64) -> Self {
        Self(Box::new(Problem::new(ProblemKind::Unavailable, detail).retry_after(seconds)))
    }

    /// There is no such prediction, or it is somebody else's: which of the two is nobody's business.
    pub fn no_such_prediction() -> Self {
        Self::new(ProblemKind::NotFound, "there is no such prediction, or it is not yours")
    }

    /// Our fault: logged in full here, told to nobody.
    pub fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut causes = error.to_string();
        let mut cause = error.source();
        while let Some(deeper) = cause {
            causes.push_str(": ");
            causes.push_str(&deeper.to_string());
            cause = deeper.source();
        }
        tracing::error!(error = causes, "a request failed on our side");
        Self::new(
            ProblemKind::Internal,
            "the server failed and has logged why; try again, and if it stays so, report the request id",
        )
    }
}

impl From<CatalogError> for Refusal {
    fn from(error: CatalogError) -> Self {
        match &error {
            CatalogError::NotFound => Self::no_such_prediction(),
            CatalogError::BadCursor(why) => Self::new(ProblemKind::BadRequest, *why),
            CatalogError::NoCampaign => Self::new(
                ProblemKind::NotFound,
                "there is no such campaign; GET /api/v1/campaigns lists those there are",
            ),
            CatalogError::Archived(_) => Self::new(ProblemKind::Conflict, error.to_string()),
            CatalogError::TooManyPhotos { .. } => Self::new(ProblemKind::Unprocessable, error.to_string()),
            CatalogError::Erased => {
                Self::new(ProblemKind::Erased, "this photo was erased; nothing of it is left to change")
            }
            CatalogError::Full(_) => storage_full(&error),
            CatalogError::Database(source) if is_connection_trouble(source) => {
                tracing::warn!(%error, "the catalog cannot be reached");
                Self::try_again("the catalog cannot be reached just now; try again", 5)
            }
            CatalogError::Database(_) | CatalogError::Corrupt(_) => Self::internal(&error),
        }
    }
}

fn is_connection_trouble(error: &sea_orm::DbErr) -> bool {
    matches!(error, sea_orm::DbErr::ConnectionAcquire(_) | sea_orm::DbErr::Conn(_))
}

impl From<SpoolError> for Refusal {
    fn from(error: SpoolError) -> Self {
        match &error {
            SpoolError::Full(_) => storage_full(&error),
            SpoolError::Io(_) => Self::internal(&error),
        }
    }
}

fn storage_full(error: &(dyn std::error::Error + 'static)) -> Refusal {
    tracing::error!(%error, cause = error.source().map(tracing::field::display), "nothing can be stored");
    let detail = "the photo was not stored because the server's disk is full; tell its operator, then try again";
    Refusal(Box::new(Problem::new(ProblemKind::StorageFull, detail).retry_after(60)))
}

impl From<PhotoError> for Refusal {
    fn from(error: PhotoError) -> Self {
        let kind = match &error {
            PhotoError::TooManyBytes { .. } => ProblemKind::TooLarge,
            PhotoError::TooManyPixels { .. } => ProblemKind::TooManyPixels,
            PhotoError::DecoderPanicked { .. } => {
                tracing::error!(%error, "a decoder panicked on a photo");
                ProblemKind::NotAPicture
            }
            _ => ProblemKind::NotAPicture,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<InferenceError> for Refusal {
    fn from(error: InferenceError) -> Self {
        match error {
            InferenceError::Photo(photo) => photo.into(),
            InferenceError::OverBudget { .. } => Self::new(ProblemKind::TooManyPixels, error.to_string()),
            InferenceError::Stopped => Self::try_again("the server is stopping; try again", 5),
            InferenceError::Busy { retry_after_seconds } => {
                Self::try_again("every place for photos is taken just now; try again in a moment", retry_after_seconds)
            }
            other => Self::internal(&other),
        }
    }
}

impl From<ObjectStoreError> for Refusal {
    fn from(error: ObjectStoreError) -> Self {
        if !error.is_retryable() {
            return Self::internal(&error);
        }
        tracing::warn!(%error, "the object store is not available");
        Self::try_again("the object store cannot be reached just now; try again", 5)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        if let Some(seconds) = self.0.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.0.kind == ProblemKind::Unauthenticated {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Middleware: writes refusals out as `application/problem+json`, with the request's id; for somebody who asked for a
/// page, or sent a form, and may come again later, as a page.
pub async fn render(State(app): State<App>, request: Request, next: Next) -> Response {
    let request_id = super::request_id(request.headers()).map(str::to_owned);
    let path = request.uri().path().to_owned();
    let is_form = !request.method().is_safe();
    let reader = wants_page(&request).then(|| request.headers().clone());
    let response = next.run(request).await;
    let refusal = match response.extensions().get::<Refusal>() {
        Some(refusal) => Some(refusal.clone()),
        None => unexplained(&response, &path),
    };
    let Some(Refusal(mut problem)) = refusal else { return response };
    problem.request_id = request_id;
    if let Some(headers) = reader
        && Trouble::from(*problem.clone()).may_pass()
    {
        let mut page = pages::not_now(app, headers, is_form, Refusal(problem.clone())).await;
        page.extensions_mut().insert(Refusal(problem));
        return page;
    }
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    Response::from_parts(parts, body.into())
}

/// Whether a person waits for a page: browsers ask for HTML where they fill a window, and for nothing else.
fn wants_page(request: &Request) -> bool {
    let accepts_html = request.headers().get_all(header::ACCEPT).iter().any(|kinds| {
        kinds.to_str().is_ok_and(|kinds| {
            kinds.split(',').any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == "text/html"))
        })
    });
    accepts_html && !request.uri().path().starts_with("/api/") && !names_credentials(request.headers())
}

/// An answer of the framework's own, without an explanation that a client could read.
fn unexplained(response: &Response, path: &str) -> Option<Refusal> {
    let is_text =
        response.headers().get(header::CONTENT_TYPE).is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    let kind = match response.status() {
        _ if !is_text => return None,
        StatusCode::BAD_REQUEST => ProblemKind::BadRequest,
        StatusCode::NOT_FOUND => ProblemKind::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => ProblemKind::MethodNotAllowed,
        StatusCode::REQUEST_TIMEOUT => ProblemKind::Timeout,
        StatusCode::PAYLOAD_TOO_LARGE => ProblemKind::TooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ProblemKind::UnsupportedMediaType,
        StatusCode::UNPROCESSABLE_ENTITY => ProblemKind::Unprocessable,
        StatusCode::INTERNAL_SERVER_ERROR => ProblemKind::Internal,
        _ => return None,
    };
    let detail = match kind {
        ProblemKind::NotFound => format!("there is nothing at {path}; the paths are listed in /api/openapi.json"),
        ProblemKind::MethodNotAllowed => {
            format!("{path} does not take this method; the header Allow says which it takes")
        }
        ProblemKind::Timeout => "the request was not complete in time; send it again".to_owned(),
        ProblemKind::TooLarge => "the request's body is too large for this path".to_owned(),
        ProblemKind::Internal => {
            "the server failed and has logged why; try again, and if it stays so, report the request id".to_owned()
        }
        _ => "the request is not what this path expects; see /api/openapi.json".to_owned(),
    };
    Some(Refusal::new(kind, detail))
}
