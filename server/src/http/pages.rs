//! Pages, rendered by the app on the server, then hydrated in the browser.

use std::sync::Arc;

use async_trait::async_trait;
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use gourmetgram_api::{LiveModel, Prediction, PredictionId, PredictionQuery, Problem, ProblemKind, Role, Viewer};
use gourmetgram_app::{
    backend::{Backend, PageStatus, PostedProblem},
    home::{Home, PHOTOS_PER_PAGE},
};
use leptos::prelude::{LeptosOptions, expect_context, provide_context, use_context};
use leptos_axum::ResponseOptions;

use super::{
    Caller, Refusal, assets,
    identity::{visitor_hash, visitor_token},
    predictions,
};
use crate::{
    app::App,
    catalog::{self, Whose},
};

/// Shows a page, or a file of the front end where one has this path.
pub async fn page(State(app): State<App>, request: Request) -> Response {
    if assets::exists(request.uri().path().trim_start_matches('/')) {
        return assets::serve(request).await;
    }
    render(app, request, None).await
}

/// Shows `/` as the answer to a form that was refused.
pub async fn page_with_problem(
    app: App,
    mut request: Request,
    shown: Option<PredictionId>,
    refusal: Refusal,
) -> Response {
    let uri = match shown {
        Some(id) => format!("/?photo={id}"),
        None => "/".to_owned(),
    };
    if let Ok(uri) = uri.parse() {
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
    let backend: Arc<dyn Backend> = Arc::new(VisitorBackend {
        app: app.clone(),
        visitor: visitor_hash(&token),
        caller: Caller::from_visitor_token(&token),
    });
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
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response.headers_mut().insert(HeaderName::from_static("x-frame-options"), HeaderValue::from_static("DENY"));
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

/// What a page may know: only what its visitor may.
struct VisitorBackend {
    app: App,
    visitor: String,
    caller: Caller,
}

#[async_trait]
impl Backend for VisitorBackend {
    fn viewer(&self) -> Viewer {
        let role = if self.caller.is_operator() { Role::Operator } else { Role::Visitor };
        Viewer { role, name: None }
    }

    async fn home(&self, shown: Option<PredictionId>) -> Result<Home, Problem> {
        let load = async {
            let query = PredictionQuery { limit: Some(PHOTOS_PER_PAGE), ..PredictionQuery::default() };
            let mine = self.app.catalog().predictions(Whose::OfVisitor(&self.visitor), &query).await?;
            let shown = match shown {
                None => None,
                Some(id) => match predictions::find_living(&self.app, &self.caller, id).await {
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
        let whose = if self.caller.is_operator() { Whose::Everybodys } else { Whose::OfVisitor(&self.visitor) };
        let query = PredictionQuery { limit: Some(1), ..PredictionQuery::default() };
        let page = self.app.catalog().predictions(whose, &query).await;
        page.map(|page| page.items.into_iter().next()).map_err(|error| *Refusal::from(error).0)
    }
}

fn is_absent(refusal: &Refusal) -> bool {
    matches!(refusal.0.kind, ProblemKind::NotFound | ProblemKind::Erased | ProblemKind::Unauthenticated)
}
