//! Pages, rendered by the app on the server, then hydrated in the browser.

use std::sync::Arc;

use async_trait::async_trait;
use axum::{
    body::Body,
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
};
use gourmetgram_api::{
    EvaluationQuery, FlagsAnswer, LiveModel, PredictionId, PredictionPage, PredictionQuery, Problem, ProblemKind,
    ReviewDesk, Role, SuspectLabels, Viewer,
};
use gourmetgram_app::{
    backend::{Backend, DeviceScript, PageStatus, PostedFlags, PostedProblem},
    campaigns::{CampaignForm, Campaigns},
    explore::{CardPage, Explored, PhotoDetails},
    forms::{NOT_NOW, NOT_NOW_POSTED},
    home::{Home, PHOTOS_PER_PAGE},
    measured::Measured,
    review::{Chosen, choose},
    work::{RunShown, WorkShown},
};
use leptos::prelude::{LeptosOptions, expect_context, provide_context, use_context};
use leptos_axum::ResponseOptions;
use uuid::Uuid;

use super::{
    Caller, Refusal, assets, campaigns, evaluation, explore,
    identity::{names_credentials, visitor_token},
    local_path::LocalPath,
    pipelines, predictions, review, rules,
    session_cookie::no_session,
};
use crate::{
    accounts::Scope,
    app::App,
    catalog::{Whose, now},
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
        Ok(()) => render(app, request, Posted::Nothing).await,
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

/// Answers somebody who asked for a page, or sent a form, that cannot be had now. `headers` are those of their request.
pub async fn not_now(app: App, headers: HeaderMap, is_form: bool, refusal: Refusal) -> Response {
    let mut request = Request::new(Body::empty());
    *request.headers_mut() = headers;
    answer_with_page(app, request, if is_form { NOT_NOW_POSTED } else { NOT_NOW }, refusal).await
}

/// What a form did that a page is the answer to.
enum Posted {
    Nothing,
    Refused(Problem),
    Flags(FlagsAnswer),
}

/// Shows the page a form came from as the answer to it, because it was refused. Forms of `/photos` name their page
/// themselves; for all others, and for people who may not see that page, it is `/`, with the photo it was about.
pub async fn page_with_problem(app: App, request: Request, shown: Option<PredictionId>, refusal: Refusal) -> Response {
    let caller = request.extensions().get::<Caller>();
    let may_see = |page: &String| {
        let path = page.split_once('?').map_or(page.as_str(), |(path, _)| path);
        caller.zip(rules::of_page(path)).is_some_and(|(caller, rule)| caller.obeys(rule).is_ok())
    };
    let at = match (back_to(request.uri()).filter(may_see), shown) {
        (Some(page), _) => page,
        (None, Some(id)) => format!("/?photo={id}"),
        (None, None) => "/".to_owned(),
    };
    answer_with_page(app, request, &at, refusal).await
}

/// Shows the page at `at` as the answer to a request that was refused. Its address in the browser stays the request's.
pub async fn answer_with_page(app: App, mut request: Request, at: &str, refusal: Refusal) -> Response {
    if let Ok(uri) = at.parse() {
        *request.uri_mut() = uri;
    }
    let retry_after = refusal.0.retry_after;
    let mut response = render(app, request, Posted::Refused(*refusal.0)).await;
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Shows the list of photos as the answer to a form that flagged many of them; the form's address has the list's
/// filters.
pub async fn photos_after_flags(app: App, mut request: Request, outcome: Result<FlagsAnswer, Refusal>) -> Response {
    let list = match request.uri().query() {
        Some(query) => format!("/photos?{query}"),
        None => "/photos".to_owned(),
    };
    match outcome {
        Ok(answer) => {
            if let Ok(uri) = list.parse() {
                *request.uri_mut() = uri;
            }
            render(app, request, Posted::Flags(answer)).await
        }
        Err(refusal) => answer_with_page(app, request, &list, refusal).await,
    }
}

/// The page that a form asks to come back to (`next` in its address): one of `/photos`, or none, so that nobody can
/// have us send people anywhere else.
pub fn back_to(form: &Uri) -> Option<String> {
    let query = form.query()?;
    let (_, next) = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "next")?;
    let (path, _) = next.split_once('?').unwrap_or((&next, ""));
    let is_plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#');
    ((path == "/photos" || path.starts_with("/photos/")) && is_plain).then(|| next.into_owned())
}

async fn render(app: App, request: Request, posted: Posted) -> Response {
    let https = app.settings().server.is_https();
    let (token, cookie) = visitor_token(request.headers(), https);
    let (mut problem, flags) = match posted {
        Posted::Nothing => (None, None),
        Posted::Refused(problem) => (Some(problem), None),
        Posted::Flags(answer) => (None, Some(answer)),
    };
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
        if let Some(script) = assets::device_script() {
            provide_context(DeviceScript(script));
        }
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
        if let Some(answer) = flags.clone() {
            provide_context(PostedFlags(answer));
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
         img-src 'self' blob:; font-src 'self'; connect-src 'self' blob:; manifest-src 'self'; worker-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
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

impl CallersBackend {
    /// Refuses whoever may not see everybody's photos, whichever way the page came about.
    fn sees_everybodys(&self) -> Result<(), Refusal> {
        if self.caller.may(Scope::PredictionsRead) {
            return Ok(());
        }
        Err(Refusal::new(ProblemKind::Forbidden, "only operators see everybody's photos"))
    }

    /// Refuses whoever may not see what pipelines do.
    fn sees_pipelines(&self) -> Result<(), Refusal> {
        if self.caller.may(Scope::PipelinesRead) {
            return Ok(());
        }
        Err(Refusal::new(ProblemKind::Forbidden, "only operators see pipelines"))
    }
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
                None => PredictionPage::default(),
            };
            let shown = match shown {
                None => None,
                Some(id) => match predictions::find_living(&self.app, &self.caller, id, Scope::PredictionsRead).await {
                    Ok((actor, row)) => Some(predictions::with_history(&self.app, actor, row).await?),
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

    async fn work(&self, before: Option<Uuid>) -> Result<WorkShown, Problem> {
        let load = async {
            self.sees_pipelines()?;
            pipelines::work_shown(&self.app, before).await
        };
        load.await.map_err(|refusal| *refusal.0)
    }

    async fn run(&self, id: Uuid) -> Result<Option<RunShown>, Problem> {
        let load = async {
            self.sees_pipelines()?;
            pipelines::run_shown(&self.app, id).await
        };
        load.await.map_err(|refusal| *refusal.0)
    }

    async fn measured(&self, query: EvaluationQuery) -> Result<Measured, Problem> {
        let load = async {
            if !self.caller.may(Scope::EvaluationRead) {
                return Err(Refusal::new(ProblemKind::Forbidden, "only operators see how accurate the model is"));
            }
            evaluation::measured(&self.app, &query).await
        };
        load.await.map_err(|refusal| *refusal.0)
    }

    async fn suspects(&self, query: EvaluationQuery) -> Result<SuspectLabels, Problem> {
        let load = async {
            if !self.caller.may(Scope::EvaluationRead) {
                return Err(Refusal::new(ProblemKind::Forbidden, "only operators see how good labels are"));
            }
            Ok(self.app.evaluator().suspects(&query, now()).await?)
        };
        load.await.map_err(|refusal: Refusal| *refusal.0)
    }

    async fn explore(&self, query: Option<PredictionQuery>) -> Result<Explored, Problem> {
        let load = async {
            self.sees_everybodys()?;
            let facets = explore::facets_of(&self.app).await?;
            let page = match query {
                Some(query) => {
                    let query = PredictionQuery { count: Some(true), ..query };
                    self.app.catalog().predictions(Whose::Everybodys, &query).await?.into()
                }
                None => CardPage::default(),
            };
            Ok(Explored { facets, page, unusable: None })
        };
        load.await.map_err(|refusal: Refusal| *refusal.0)
    }

    async fn campaigns(&self, form: CampaignForm) -> Result<Campaigns, Problem> {
        let load = async {
            if !self.caller.may(Scope::CampaignsRead) {
                return Err(Refusal::new(ProblemKind::Forbidden, "only operators see campaigns"));
            }
            let preview = match form.interval(now()) {
                None => None,
                Some(interval) => Some(match form.campaign() {
                    Ok(asked) => campaigns::look_ahead(&self.app, &asked, interval).await.map_err(|it| *it.0),
                    Err(problem) => Err(problem),
                }),
            };
            campaigns::shown(&self.app, preview).await
        };
        load.await.map_err(|refusal: Refusal| *refusal.0)
    }

    async fn photo(&self, id: PredictionId, query: PredictionQuery) -> Result<Option<PhotoDetails>, Problem> {
        let load = async {
            self.sees_everybodys()?;
            let (actor, row) = match predictions::find_living(&self.app, &self.caller, id, Scope::PredictionsRead).await
            {
                Ok(found) => found,
                Err(refusal) if is_absent(&refusal) => return Ok(None),
                Err(refusal) => return Err(refusal),
            };
            let neighbours = self.app.catalog().neighbours(Whose::Everybodys, &query, &row).await?;
            let objects = explore::objects_of(&self.app, &row).await?;
            let classes = explore::facets_of(&self.app).await?.classes;
            let prediction = predictions::with_history(&self.app, actor, row).await?;
            Ok(Some(PhotoDetails { prediction, classes, objects, neighbours }))
        };
        load.await.map_err(|refusal: Refusal| *refusal.0)
    }

    async fn review(&self, campaign: Option<Uuid>) -> Result<ReviewDesk, Problem> {
        let load = async {
            let annotator = self.caller.annotator()?;
            let campaigns = self.app.catalog().review_campaigns().await?;
            let tasks = match choose(&campaigns, campaign) {
                Chosen::Campaign(chosen) => self.app.catalog().next_tasks(&annotator, Some(chosen.id), 1).await?,
                _ => Vec::new(),
            };
            review::desk(&self.app, tasks).await
        };
        load.await.map_err(|refusal: Refusal| *refusal.0)
    }
}

fn is_absent(refusal: &Refusal) -> bool {
    matches!(refusal.0.kind, ProblemKind::NotFound | ProblemKind::Erased | ProblemKind::Unauthenticated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_comes_back_to_a_page_of_photos_or_nowhere() {
        let back = |next: &str| {
            let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
            back_to(&format!("/photos/x/flag?next={next}").parse().unwrap())
        };
        for page in ["/photos", "/photos?class=Soup", "/photos/01890a5d-ac96-774b-bcce-b302099a8057?flag=yes"] {
            assert_eq!(back(page).as_deref(), Some(page));
        }
        for elsewhere in [
            "https://evil.example",
            "//evil.example/photos",
            "/photosandmore",
            "/\\evil.example",
            "/photos/\r\nset-cookie: x",
            "/",
            "",
        ] {
            assert_eq!(back(elsewhere), None, "{elsewhere:?}");
        }
        assert_eq!(back_to(&"/photos/x/flag".parse().unwrap()), None);
    }
}
