//! Stands before every route: asks [`rules`] who may call it, and where the request comes from.
//!
//! A route without a rule is closed, and so is a method that no rule of its path names. What needs no credentials is
//! not looked up in the catalog, so that probes answer while it is away.

use axum::{
    body::Body,
    extract::{FromRequestParts, MatchedPath, Request, State},
    http::{StatusCode, Uri, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use gourmetgram_api::ProblemKind;

use super::{
    Caller, Refusal,
    identity::names_credentials,
    origin, pages,
    rules::{self, Kind, Rule, Who},
    session_cookie::session_of,
};
use crate::app::App;

/// Lets a request pass to its route, or answers it.
pub async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let path = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
    let Some(rule) = rules::of_route(&parts.method, path) else {
        if let Some(allowed) = rules::methods_of(path) {
            let mut response = StatusCode::METHOD_NOT_ALLOWED.into_response();
            response.headers_mut().insert(header::ALLOW, allowed);
            return response;
        }
        tracing::error!(method = %parts.method, "a route has no line in http::rules, so it is closed");
        return Refusal::new(ProblemKind::Internal, "nobody may call this; the server has logged why").into_response();
    };
    match admit(&app, rule, &mut parts).await {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(refusal) => {
            let request = Request::from_parts(parts, Body::empty());
            match rule.kind {
                Kind::Api => refusal.into_response(),
                Kind::Form if rule.path.starts_with("/login") => {
                    pages::answer_with_page(app, request, "/login", refusal).await
                }
                Kind::Form if rule.path.starts_with("/review/") => {
                    // Signed in again, they come back to the page and not to the address of its form.
                    let mut request = request;
                    *request.uri_mut() = Uri::from_static("/review");
                    pages::turn_away(app, request, refusal).await
                }
                Kind::Form => pages::page_with_problem(app, request, None, refusal).await,
                Kind::Page => pages::turn_away(app, request, refusal).await,
            }
        }
    }
}

async fn admit(app: &App, rule: &Rule, parts: &mut Parts) -> Result<(), Refusal> {
    let server = &app.settings().server;
    if !names_credentials(&parts.headers) {
        let is_signed_in = session_of(&parts.headers, server.is_https()).is_some();
        origin::refuse_foreign(&parts.method, &parts.headers, server.public_url.as_ref(), is_signed_in)?;
    }
    if rule.who == Who::Anybody && rule.scope.is_none() && rule.kind == Kind::Api {
        return Ok(());
    }
    Caller::from_request_parts(parts, app).await?.obeys(rule)
}
