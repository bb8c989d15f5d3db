//! `/login` and `/logout`: in by name and password, and out again.

use std::time::Instant;

use axum::{
    body::Body,
    extract::{FromRequestParts, Request, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use gourmetgram_api::{Problem, ProblemKind};
use secrecy::SecretString;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Caller, Refusal,
    address::ClientAddress,
    forms::PostedForm,
    local_path::LocalPath,
    pages,
    session_cookie::{SessionToken, no_session},
    throttle::Counter,
};
use crate::{
    accounts::{AccountName, PasswordError},
    app::App,
    catalog::entity::user,
};

#[derive(Deserialize)]
struct SignInForm {
    #[serde(default)]
    name: String,
    #[serde(default = "no_password")]
    password: SecretString,
    #[serde(default)]
    next: String,
}

fn no_password() -> SecretString {
    SecretString::default()
}

/// `POST /login`: signs in and goes on to where somebody wanted to go.
pub async fn sign_in(State(app): State<App>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let for_page = Request::from_parts(parts.clone(), Body::empty());
    let mut next = LocalPath::start();
    let outcome = async {
        let form: SignInForm = PostedForm(Request::from_parts(parts.clone(), body)).read().await?;
        // An address that leads elsewhere is not worth an error: it is not ours, so nobody meant to go there.
        next = form.next.parse().unwrap_or(LocalPath::start());
        let user = check_password(&app, &parts, form.name.trim().parse().ok(), form.password).await?;
        begin_session(&app, &parts, &user, &next).await
    };
    match outcome.await {
        Ok(response) => response,
        Err(refusal) => {
            let at = format!("/login?next={}", next.encoded());
            pages::answer_with_page(app, for_page, &at, refusal).await
        }
    }
}

/// `POST /logout`: ends the session, whoever it is. Being signed out already is no error.
pub async fn sign_out(State(app): State<App>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let outcome = async {
        let caller = Caller::from_request_parts(&mut parts, &app).await?;
        if let Some(session) = caller.session() {
            app.catalog().close_session(&session.token_sha256).await?;
        }
        Ok::<_, Refusal>(go_on(&LocalPath::start(), [no_session(app.settings().server.is_https())]))
    };
    match outcome.await {
        Ok(response) => response,
        Err(refusal) => pages::page_with_problem(app, Request::from_parts(parts, Body::empty()), None, refusal).await,
    }
}

/// The account of this name, if the password is its own. Whatever is wrong, the answer is the same and comes after the
/// same work.
pub async fn check_password(
    app: &App,
    parts: &Parts,
    name: Option<AccountName>,
    password: SecretString,
) -> Result<user::Model, Refusal> {
    let user = match &name {
        Some(name) => app.catalog().user(name).await?,
        None => None,
    };
    let mut counters = Vec::with_capacity(2);
    let client = parts.extensions.get::<ClientAddress>().copied();
    counters.extend(client.map(|client| Counter::Client(client.network())));
    let browser = user.as_ref().and_then(|user| app.known_browsers().recognise(&parts.headers, user.id));
    counters.extend(match (browser, &name) {
        (Some(browser), _) => Some(Counter::Browser(browser)),
        (None, Some(name)) => Some(Counter::Account(name.key())),
        (None, None) => None,
    });
    app.sign_in_throttle().admit(&counters, Instant::now()).map_err(|wait| {
        tracing::warn!(
            client = client.map(tracing::field::display),
            "too many failed sign-ins; the next one has to wait"
        );
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let detail = format!("too many tries with a wrong name or password; wait {seconds} s, then try again");
        Refusal(Box::new(Problem::new(ProblemKind::RateLimited, detail).retry_after(seconds)))
    })?;
    let open = user.filter(|user| user.disabled_at.is_none());
    let hash = open.as_ref().map(|user| user.password_hash.clone());
    let fits = app.passwords().verify(password, hash).await?;
    match open {
        Some(user) if fits => {
            app.sign_in_throttle().succeeded(&counters);
            Ok(user)
        }
        open => {
            // A name that is no account may be a password typed into the wrong field: it is not logged.
            let account = open.as_ref().map(|user| user.name.as_str());
            tracing::warn!(client = client.map(tracing::field::display), account, "a sign-in failed");
            Err(wrong_name_or_password())
        }
    }
}

fn wrong_name_or_password() -> Refusal {
    Refusal::new(ProblemKind::Unauthenticated, "the name or the password is wrong")
}

/// Opens a session for `user` in place of the one the browser may have, and goes on to `next`.
pub async fn begin_session(
    app: &App,
    parts: &Parts,
    user: &user::Model,
    next: &LocalPath,
) -> Result<Response, Refusal> {
    let https = app.settings().server.is_https();
    let auth = &app.settings().auth;
    leave_session(app, parts).await?;
    let token = SessionToken::draw();
    if !app.catalog().open_session(user, &token.sha256(), auth.session_limits()).await? {
        return Err(wrong_name_or_password());
    }
    tracing::info!(account = user.name, "signed in");
    let known = known_browser(app, parts, user.id);
    Ok(go_on(next, [token.cookie(https, auth.session_lifetime_seconds), known]))
}

/// Ends the session that the browser has, whatever becomes of it next.
pub async fn leave_session(app: &App, parts: &Parts) -> Result<(), Refusal> {
    let https = app.settings().server.is_https();
    match super::session_cookie::session_of(&parts.headers, https) {
        Some(old) => Ok(app.catalog().close_session(&old).await?),
        None => Ok(()),
    }
}

fn known_browser(app: &App, parts: &Parts, user: Uuid) -> Option<HeaderValue> {
    match app.known_browsers().recognise(&parts.headers, user) {
        Some(_) => None,
        None => app.known_browsers().cookie(user, app.settings().server.is_https()),
    }
}

/// The way to another page, with cookies.
pub fn go_on(next: &LocalPath, cookies: impl IntoIterator<Item = Option<HeaderValue>>) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, next.header());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    for cookie in cookies.into_iter().flatten() {
        headers.append(header::SET_COOKIE, cookie);
    }
    response
}

impl From<PasswordError> for Refusal {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::try_again("too many people are signing in just now; try again in a moment", 2),
            PasswordError::Failed(_) => Self::internal(&error),
        }
    }
}
