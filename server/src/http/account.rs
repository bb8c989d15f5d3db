//! What comes below `/login`: the one-time link, the account it leads to, another password.

use axum::{
    body::Body,
    extract::{FromRequestParts, Request, State},
    response::Response,
};
use gourmetgram_api::{ProblemKind, Role};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{
    Caller, Refusal,
    forms::PostedForm,
    local_path::LocalPath,
    pages,
    session_cookie::SessionToken,
    sha256_hex,
    sign_in::{begin_session, check_password, go_on, leave_session},
};
use crate::{
    accounts::{AccountName, Password},
    app::App,
    operator_link,
};

#[derive(Deserialize)]
struct LinkForm {
    token: SecretString,
}

/// `POST /login/link`: uses up a one-time link and signs its holder in as an operator without an account. The link
/// itself only shows a page with a button, so that a preview or a prefetch of it does not use it up.
pub async fn follow_link(State(app): State<App>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let for_page = Request::from_parts(parts.clone(), Body::empty());
    let outcome = async {
        let LinkForm { token } = PostedForm(Request::from_parts(parts.clone(), body)).read().await?;
        let auth = &app.settings().auth;
        let session = SessionToken::draw();
        let link = sha256_hex(token.expose_secret().as_bytes());
        if !app.catalog().open_session_by_link(&link, &session.sha256(), auth.session_limits()).await? {
            return Err(Refusal::new(
                ProblemKind::NotFound,
                "this link has been used, or it is older than 15 minutes; gourmetgram user link prints a new one",
            ));
        }
        leave_session(&app, &parts).await?;
        operator_link::remove_file(&app.settings().data_dir);
        tracing::info!("an operator signed in by a one-time link");
        let cookie = session.cookie(app.settings().server.is_https(), auth.session_lifetime_seconds);
        Ok(see_account([cookie]))
    };
    match outcome.await {
        Ok(response) => response,
        Err(refusal) => pages::answer_with_page(app, for_page, "/login/link", refusal).await,
    }
}

#[derive(Deserialize)]
struct AccountForm {
    name: String,
    password: SecretString,
    again: SecretString,
}

/// `POST /login/account`: an operator who came by a one-time link gives themselves an account.
pub async fn make_account(State(app): State<App>, request: Request) -> Response {
    answer(app, request, async |app, parts, body| {
        let caller = Caller::from_request_parts(parts, app).await?;
        if caller.session().is_none_or(|session| session.account.is_some()) {
            return Err(Refusal::new(
                ProblemKind::Forbidden,
                "you have an account already; gourmetgram user add makes others",
            ));
        }
        let form: AccountForm = body.read().await?;
        let name: AccountName = form.name.trim().parse().map_err(unprocessable)?;
        let password = new_password(form.password, &form.again, &name)?;
        let hash = app.passwords().hash(password).await?;
        let Some(user) = app.catalog().add_user(&name, Role::Operator, &hash).await? else {
            return Err(Refusal::new(ProblemKind::Conflict, format!("the name {name} is taken: choose another")));
        };
        tracing::info!(account = user.name, "an operator's account was made");
        begin_session(app, parts, &user, &LocalPath::start()).await
    })
    .await
}

#[derive(Deserialize)]
struct PasswordForm {
    current: SecretString,
    password: SecretString,
    again: SecretString,
}

/// `POST /login/password`: somebody who is signed in chooses another password. Every session of theirs ends; this
/// browser gets a new one.
pub async fn change_password(State(app): State<App>, request: Request) -> Response {
    answer(app, request, async |app, parts, body| {
        let caller = Caller::from_request_parts(parts, app).await?;
        let Some((_, name)) = caller.session().and_then(|session| session.account.clone()) else {
            return Err(Refusal::new(ProblemKind::Forbidden, "only an account has a password: make one first"));
        };
        let form: PasswordForm = body.read().await?;
        let name: AccountName = name.parse().map_err(unprocessable)?;
        let password = new_password(form.password, &form.again, &name)?;
        let user =
            check_password(app, parts, Some(name), form.current).await.map_err(|refusal| match refusal.0.kind {
                ProblemKind::Unauthenticated => {
                    Refusal::new(ProblemKind::Unprocessable, "the current password is wrong; nothing was changed")
                }
                _ => refusal,
            })?;
        let hash = app.passwords().hash(password).await?;
        app.catalog().set_password(user.id, &hash).await?;
        tracing::info!(account = user.name, "a password was changed");
        let user = app.catalog().user_by_id(user.id).await?.unwrap_or(user);
        begin_session(app, parts, &user, &LocalPath::start()).await
    })
    .await
}

/// Answers a form of the account's page: by what `work` does, or by the page with what was wrong.
async fn answer(
    app: App,
    request: Request,
    work: impl AsyncFnOnce(&App, &mut axum::http::request::Parts, PostedForm) -> Result<Response, Refusal>,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let for_page = Request::from_parts(parts.clone(), Body::empty());
    let form = PostedForm(Request::from_parts(parts.clone(), body));
    match work(&app, &mut parts, form).await {
        Ok(response) => response,
        Err(refusal) => pages::answer_with_page(app, for_page, "/login/account", refusal).await,
    }
}

fn new_password(password: SecretString, again: &SecretString, name: &AccountName) -> Result<Password, Refusal> {
    if password.expose_secret() != again.expose_secret() {
        return Err(unprocessable("the two new passwords differ: type the same one twice"));
    }
    Password::new(password, name).map_err(unprocessable)
}

#[expect(clippy::needless_pass_by_value, reason = "called by map_err")]
fn unprocessable(error: impl ToString) -> Refusal {
    Refusal::new(ProblemKind::Unprocessable, error.to_string())
}

fn see_account(cookies: impl IntoIterator<Item = Option<axum::http::HeaderValue>>) -> Response {
    let mut response = go_on(&LocalPath::start(), cookies);
    let account = axum::http::HeaderValue::from_static("/login/account");
    response.headers_mut().insert(axum::http::header::LOCATION, account);
    response
}
