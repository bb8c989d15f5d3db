//! Pages, rendered by the app on the server, then hydrated in the browser.

use std::sync::Arc;

use async_trait::async_trait;
use axum::{
    body::Body,
    extract::{FromRequestParts, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use gourmetgram_api::{
    LiveModel, Prediction, PredictionId, PredictionPage, PredictionQuery, Problem, ProblemKind, Role, Viewer,
};
use gourmetgram_app::{
    backend::{Backend, PageStatus, PostedProblem},
    home::{Home, PHOTOS_PER_PAGE},
};
use leptos::prelude::{LeptosOptions, expect_context, provide_context, use_context};
use leptos_axum::ResponseOptions;

use super::{
    Caller, Refusal, assets,
    identity::{names_credentials, visitor_token},
    local_path::LocalPath,
    predictions, rules,
    session_cookie::no_session,
};
use crate::{
    accounts::Scope,
    app::App,
    catalog::{self, Whose},
};

/// Shows a page, or a file of the front end where one has this path.
pub async fn page(State(app): State<App>, request: Request) -> Response {
    if assets::exists(request.uri().path().trim_start_matches('/')) {
        return assets::serve(request).await;
    }
    let (mut parts, _) = request.into_parts();
    let outcome = async {
        let caller = Caller::from_request_parts(&mut parts, &app).await?;
        match rules::of_page(parts.uri.path()) {
            Some(rule) => caller.obeys(rule),
            None => Ok(()),
        }
    };
    let outcome = outcome.await;
    let request = Request::from_parts(parts, Body::empty());
    match outcome {
        Ok(()) => render(app, request, None).await,
        Err(refusal) => turn_away(app, request, refusal).await,
    }
}

/// Lets people with `role` go on. Everybody else gets the answer to give them instead: visitors the way to sign in,
/// people who are signed in a page that says whom this is for. Pages with a line in [`rules`] need no such call.
pub async fn require_role(app: &App, caller: &Caller, role: Role, request: Request) -> Result<Request, Response> {
    match caller.has_role(role) {
        Ok(()) => Ok(request),
        Err(refusal) => Err(turn_away(app.clone(), request, refusal).await),
    }
}

/// Answers somebody who may not see a page.
pub async fn turn_away(app: App, request: Request, refusal: Refusal) -> Response {
    let (mut parts, _) = request.into_parts();
    match refusal.0.kind {
        // A person without credentials; a program that sent wrong ones is not helped by a form.
        ProblemKind::Unauthenticated if !names_credentials(&parts.headers) => {
            let caller = Caller::from_request_parts(&mut parts, &app).await.unwrap_or_default();
            let next = LocalPath::of(&parts.uri).encoded();
            if !caller.was_signed_out() {
                return Redirect::to(&format!("/login?next={next}")).into_response();
            }
            let mut response = Redirect::to(&format!("/login?next={next}&ended=1")).into_response();
            if let Some(cookie) = no_session(app.settings().server.is_https()) {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        ProblemKind::Forbidden => {
            answer_with_page(app, Request::from_parts(parts, Body::empty()), "/login/not-allowed", refusal).await
        }
        _ if names_credentials(&parts.headers) => refusal.into_response(),
        _ => page_with_problem(app, Request::from_parts(parts, Body::empty()), None, refusal).await,
    }
}

/// Shows `/` as the answer to a form that was refused.
pub async fn page_with_problem(app: App, request: Request, shown: Option<PredictionId>, refusal: Refusal) -> Response {
    let at = match shown {
        Some(id) => format!("/?photo={id}"),
        None => "/".to_owned(),
    };
    answer_with_page(app, request, &at, refusal).await
}

/// Shows the page at `at` as the answer to a request that was refused. Its address in the browser stays the request's.
pub async fn answer_with_page(app: App, mut request: Request, at: &str, refusal: Refusal) -> Response {
    if let Ok(uri) = at.parse() {
        *request.uri_mut() = uri;
    }
    let retry_after = refusal.0.retry_after;
    let mut response = render(app, request, Some(*refusal.0)).await;
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

async fn render(app: App, request: Request, problem: Option<Problem>) -> Response {
    let https = app.settings().server.is_https();
    let (token, cookie) = visitor_token(request.headers(), https);
    let mut problem = problem;
    if let Some(request_id) = super::request_id(request.headers())
        && let Some(problem) = &mut problem
    {
        problem.request_id = Some(request_id.to_owned());
    }
    // Where the request was refused before anybody asked who sent it, the page shows what everybody may see.
    let caller = request.extensions().get::<Caller>().cloned().unwrap_or_default().or_visitor(&token);
    let backend: Arc<dyn Backend> = Arc::new(CallersBackend { app: app.clone(), caller });
    let contexts = move || {
        provide_context(Arc::clone(&backend));
        let response = expect_context::<ResponseOptions>();
        let status = response.clone();
        provide_context(PageStatus::new(move |code| {
            if let Ok(code) = StatusCode::from_u16(code) {
                status.set_status(code);
            }
        }));
        if let Some(problem) = problem.clone() {
            provide_context(PostedProblem(problem));
        }
        if let Some(nonce) = use_context::<leptos::nonce::Nonce>()
            && let Ok(policy) = HeaderValue::from_str(&content_security_policy(&nonce))
        {
            response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
        }
    };
    let options = leptos_options(&app);
    let handler = leptos_axum::render_app_async_with_context(contexts, move || gourmetgram_app::shell(options.clone()));
    let mut response = handler(request.map(|_| Body::empty())).await.into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

fn content_security_policy(nonce: &leptos::nonce::Nonce) -> String {
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'"
    )
}

fn leptos_options(app: &App) -> LeptosOptions {
    LeptosOptions::builder()
        .output_name("gourmetgram")
        .site_pkg_dir(app.package_folder())
        .site_addr(app.settings().server.listen)
        .build()
}

/// What a page may know: only what its caller may.
struct CallersBackend {
    app: App,
    caller: Caller,
}

#[async_trait]
impl Backend for CallersBackend {
    fn viewer(&self) -> Viewer {
        self.caller.viewer()
    }

    async fn home(&self, shown: Option<PredictionId>) -> Result<Home, Problem> {
        let load = async {
            let query = PredictionQuery { limit: Some(PHOTOS_PER_PAGE), ..PredictionQuery::default() };
            let mine = match self.caller.visitor() {
                Some(visitor) => self.app.catalog().predictions(Whose::OfVisitor(visitor), &query).await?,
                None => PredictionPage { items: Vec::new(), next_cursor: None },
            };
            let shown = match shown {
                None => None,
                Some(id) => match predictions::find_living(&self.app, &self.caller, id, Scope::PredictionsRead).await {
                    Ok((_, row)) => Some(catalog::to_api(row, self.app.catalog().history(id).await?)?),
                    Err(refusal) if is_absent(&refusal) => None,
                    Err(refusal) => return Err(refusal),
                },
            };
            Ok(Home { model: self.app.live_model(), shown, mine })
        };
        load.await.map_err(|refusal: Refusal| *refusal.0)
    }

    fn live_model(&self) -> LiveModel {
        self.app.live_model()
    }

    async fn newest_photo(&self) -> Result<Option<Prediction>, Problem> {
        let whose = match self.caller.visitor() {
            _ if self.caller.may(Scope::PredictionsRead) => Whose::Everybodys,
            Some(visitor) => Whose::OfVisitor(visitor),
            None => return Ok(None),
        };
        let query = PredictionQuery { limit: Some(1), ..PredictionQuery::default() };
        let page = self.app.catalog().predictions(whose, &query).await;
        page.map(|page| page.items.into_iter().next()).map_err(|error| *Refusal::from(error).0)
    }
}

fn is_absent(refusal: &Refusal) -> bool {
    matches!(refusal.0.kind, ProblemKind::NotFound | ProblemKind::Erased | ProblemKind::Unauthenticated)
}
