//! HTTP: one list of routes, and what surrounds every request.

mod account;
mod address;
mod assets;
mod campaigns;
mod compression;
mod device_model;
mod evaluation;
mod explore;
mod export;
mod forms;
mod guard;
mod headers;
mod health;
mod identity;
mod label_studio;
mod limits;
mod local_path;
mod origin;
mod pages;
mod pipelines;
mod predictions;
mod progress;
mod refusal;
mod review;
mod review_forms;
pub mod rules;
mod session_cookie;
mod sign_in;
mod simulation;
mod throttle;
mod thumbnails;
mod tutorial;
mod upload;

use std::time::Duration;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use gourmetgram_api::ProblemKind;
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    request_id::{MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer},
    sensitive_headers::SetSensitiveRequestHeadersLayer,
    trace::{DefaultOnFailure, TraceLayer},
};
use tracing::Level;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

pub use address::{ClientAddress, Peer};
pub use assets::{device_script, package_folder};
pub use headers::add_to as add_protecting_headers;
pub use identity::{Caller, FeedbackTokens, VISITOR_COOKIE, new_access_token, sha256_hex};
pub use limits::{RateLimits, keep_small as keep_rate_limits_small};
pub use pages::require_role;
pub use refusal::Refusal;
pub use session_cookie::KnownBrowsers;
pub use simulation::Simulation;
pub use throttle::SignInThrottle;
pub use upload::UploadBudget;

use crate::app::App;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The largest body where no photo is expected.
const MAX_SMALL_BODY: usize = 64 * 1024;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "GourmetGram",
        description = "A food-photo classifier that knows how accurate it is. Errors are problem documents (RFC 9457) \
                       whose `type` stays the same and whose `detail` says what to do.",
        license(name = "MIT OR Apache-2.0")
    ),
    tags(
        (name = "predictions", description = "Photos and their labels"),
        (name = "feedback", description = "What people say about a label"),
        (name = "labelling", description = "Campaigns that choose which photos people label, and what people said"),
        (name = "pipelines", description = "Work that is done interval by interval"),
        (name = "evaluation", description = "How accurate the model really is"),
        (name = "models", description = "The model that answers"),
        (name = "tutorial", description = "The tutorial's inference contract"),
        (name = "operation", description = "Probes and metrics"),
    )
)]
struct ApiDocument;

/// Every path there is. `max_upload` and `max_base64` bound the bodies that hold a photo.
fn api(max_upload: usize, max_base64: usize) -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(ApiDocument::openapi())
        .merge(
            OpenApiRouter::new()
                .routes(routes!(predictions::create, predictions::list))
                .layer(DefaultBodyLimit::max(max_upload)),
        )
        .merge(OpenApiRouter::new().routes(routes!(tutorial::predict)).layer(DefaultBodyLimit::max(max_base64)))
        .routes(routes!(explore::facets))
        .routes(routes!(export::export))
        .routes(routes!(explore::set_flags))
        .routes(routes!(explore::objects))
        .routes(routes!(explore::neighbours))
        .routes(routes!(thumbnails::thumbnail))
        .routes(routes!(predictions::read, predictions::erase))
        .routes(routes!(predictions::image))
        .routes(routes!(predictions::flag, predictions::unflag))
        .routes(routes!(predictions::correct, predictions::uncorrect))
        .routes(routes!(predictions::note_device))
        .routes(routes!(campaigns::list, campaigns::create))
        .routes(routes!(campaigns::preview))
        .routes(routes!(campaigns::read, campaigns::archive))
        .routes(routes!(campaigns::select))
        .routes(routes!(campaigns::tasks))
        .routes(routes!(label_studio::webhook))
        .routes(routes!(review::look, review::next))
        .routes(routes!(review::image))
        .routes(routes!(review::skip, review::unskip))
        .routes(routes!(review::annotate, review::list))
        .routes(routes!(review::take_back))
        .routes(routes!(predictions::live_model))
        .routes(routes!(device_model::device_model))
        .routes(routes!(device_model::part))
        .routes(routes!(pipelines::pipelines))
        .routes(routes!(pipelines::runs, pipelines::ask))
        .routes(routes!(pipelines::run, pipelines::cancel))
        .routes(routes!(pipelines::backfill))
        .routes(routes!(evaluation::read))
        .routes(routes!(evaluation::manifest))
        .routes(routes!(evaluation::published_manifest))
        .routes(routes!(evaluation::suspects))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(health::metrics))
}

/// The API's description, as served at `/api/openapi.json`.
pub fn openapi() -> utoipa::openapi::OpenApi {
    api(MAX_SMALL_BODY, MAX_SMALL_BODY).split_for_parts().1
}

/// The whole service.
pub fn router(app: App) -> Router {
    let server = &app.settings().server;
    let max_upload = upload::largest_body(server.max_photo_bytes);
    let max_form = upload::largest_form(server.max_photo_bytes);
    let (api, document) = api(max_upload, tutorial::largest_body(&app)).split_for_parts();
    let document = document.to_json().unwrap_or_default();
    let document = move || async move { ([(header::CONTENT_TYPE, "application/json")], document) };

    let forms = Router::new()
        .route("/photos", post(forms::upload).layer(DefaultBodyLimit::max(max_form)).get(pages::page))
        .route("/photos/flags", post(explore::flag_by_form))
        .route("/photos/{id}/flag", post(forms::flag))
        .route("/photos/{id}/unflag", post(forms::unflag))
        .route("/photos/{id}/correct", post(forms::correct))
        .route("/photos/{id}/uncorrect", post(forms::uncorrect))
        .route("/photos/{id}/erase", post(forms::erase))
        .route("/campaigns", get(pages::page).post(campaigns::make_by_form))
        .route("/campaigns/{id}/select", post(campaigns::select_by_form))
        .route("/campaigns/{id}/archive", post(campaigns::archive_by_form))
        .route("/review/answer", post(review_forms::answer))
        .route("/review/skip", post(review_forms::skip))
        .route("/review/undo", post(review_forms::undo))
        .route("/login", get(pages::page).post(sign_in::sign_in))
        .route("/login/link", get(pages::page).post(account::follow_link))
        .route("/login/account", get(pages::page).post(account::make_account))
        .route("/login/password", post(account::change_password))
        .route("/pipelines/runs", post(pipelines::ask_by_form))
        .route("/pipelines/backfills", post(pipelines::backfill_by_form))
        .route("/pipelines/{run}/again", post(pipelines::again_by_form))
        .route("/pipelines/{run}/cancel", post(pipelines::cancel_by_form))
        .route("/logout", post(sign_in::sign_out));

    let around = ServiceBuilder::new()
        .layer(SetSensitiveRequestHeadersLayer::new([header::AUTHORIZATION, header::COOKIE]))
        .layer(SetRequestIdLayer::new(REQUEST_ID, NewRequestId))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(request_span)
                .on_request(())
                .on_response(log_response)
                .on_failure(DefaultOnFailure::new().level(Level::DEBUG)),
        )
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(app.metrics_layer())
        .layer(middleware::from_fn_with_state(app.clone(), headers::protect))
        .layer(compression::layer())
        .layer(middleware::from_fn(compression::note_where_from))
        .layer(middleware::from_fn_with_state(app.clone(), refusal::render))
        .layer(CatchPanicLayer::custom(answer_panic))
        .layer(middleware::from_fn_with_state(app.clone(), progress::bound))
        .layer(middleware::from_fn_with_state(app.clone(), address::find))
        .layer(middleware::from_fn_with_state(app.clone(), limits::hold))
        .layer(DefaultBodyLimit::max(MAX_SMALL_BODY));

    Router::new()
        .merge(api)
        .merge(forms)
        .route("/api/openapi.json", get(document))
        .route_layer(middleware::from_fn_with_state(app.clone(), guard::guard))
        .route("/api/{*path}", axum::routing::any(nothing_here))
        .fallback(get(pages::page))
        .layer(around)
        .with_state(app)
}

async fn nothing_here() -> StatusCode {
    StatusCode::NOT_FOUND
}

#[expect(clippy::needless_pass_by_value, reason = "the layer's signature")]
fn answer_panic(panic: Box<dyn std::any::Any + Send>) -> Response {
    let message = panic
        .downcast_ref::<&str>()
        .map(|message| (*message).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    tracing::error!(message, "a handler panicked");
    Refusal::new(
        ProblemKind::Internal,
        "the server failed and has logged why; try again, and if it stays so, report the request id",
    )
    .into_response()
}

/// The id of a request: ours, unless the proxy in front of us gave it a decent one.
pub fn request_id(headers: &HeaderMap) -> Option<&str> {
    headers.get(&REQUEST_ID).and_then(|id| id.to_str().ok())
}

#[derive(Clone, Copy)]
struct NewRequestId;

impl MakeRequestId for NewRequestId {
    fn make_request_id<B>(&mut self, _: &axum::http::Request<B>) -> Option<RequestId> {
        HeaderValue::from_str(&Uuid::now_v7().to_string()).ok().map(RequestId::new)
    }
}

fn request_span(request: &Request) -> tracing::Span {
    tracing::info_span!(
        "request",
        method = %request.method(),
        path = request.uri().path(),
        request_id = request_id(request.headers()).filter(|id| id.len() <= 64).unwrap_or_default(),
    )
}

fn log_response<B>(response: &axum::http::Response<B>, latency: Duration, _: &tracing::Span) {
    let (status, milliseconds) = (response.status().as_u16(), latency.as_millis());
    match response.extensions().get::<Refusal>() {
        Some(refusal) => tracing::info!(status, milliseconds, refused = %refusal.0, "answered"),
        None => tracing::info!(status, milliseconds, "answered"),
    }
}
