//! Who asks: a visitor's browser by its cookie, the uploader of one photo by its feedback token, somebody who is signed
//! in by their session, a machine by its access token.
//!
//! Tokens are 256 random or keyed bits; the catalog keeps hashes only.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, header, request::Parts},
};
use axum_extra::{
    TypedHeader,
    extract::CookieJar,
    headers::{Authorization, authorization::Bearer},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use gourmetgram_api::{PredictionId, ProblemKind, Role, Viewer};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{
    Refusal,
    rules::{Rule, Who},
    session_cookie::session_of,
};
use crate::{
    accounts::Scope,
    app::App,
    catalog::{AccessToken, Actor, Session, entity::prediction},
    keys::random_token,
};

/// The cookie that makes a browser the owner of what it uploads.
pub const VISITOR_COOKIE: &str = "gourmetgram_visitor";
const FEEDBACK_PREFIX: &str = "ggf_";
const ACCESS_PREFIX: &str = "ggo_";
/// Browsers keep a cookie for at most 400 days.
const VISITOR_COOKIE_SECONDS: u32 = 400 * 24 * 60 * 60;

/// SHA-256 in hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// What the catalog keeps of a visitor token.
pub fn visitor_hash(token: &str) -> String {
    sha256_hex(token.as_bytes())
}

/// A new access token for a machine, to be shown once.
pub fn new_access_token() -> SecretString {
    format!("{ACCESS_PREFIX}{}", random_token(32)).into()
}

/// Signs and checks feedback tokens: each opens one prediction, and can be made again when a request is sent again.
pub struct FeedbackTokens(SecretString);

impl FeedbackTokens {
    /// Tokens signed with `key`.
    pub fn new(key: SecretString) -> Self {
        Self(key)
    }

    /// The token of a prediction.
    pub fn issue(&self, id: PredictionId) -> String {
        format!("{FEEDBACK_PREFIX}{}", URL_SAFE_NO_PAD.encode(self.mac(id).finalize().into_bytes()))
    }

    fn opens(&self, token: &str, id: PredictionId) -> bool {
        let Some(Ok(given)) = token.strip_prefix(FEEDBACK_PREFIX).map(|token| URL_SAFE_NO_PAD.decode(token)) else {
            return false;
        };
        self.mac(id).verify_slice(&given).is_ok()
    }

    fn mac(&self, id: PredictionId) -> Hmac<Sha256> {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret().as_bytes()).expect("any key length");
        mac.update(b"feedback\0");
        mac.update(id.as_uuid().as_bytes());
        mac
    }
}

/// Who sent a request, as far as its credentials say. Having none is not an error here; a bearer token that nobody
/// issued is.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// SHA-256 of the visitor cookie: whose uploads are theirs.
    visitor: Option<String>,
    credentials: Credentials,
}

#[derive(Clone, Debug, Default)]
enum Credentials {
    #[default]
    None,
    /// The cookie of a session that has ended.
    Ended,
    Session(Session),
    AccessToken(AccessToken),
    Feedback(SecretString),
}

impl Caller {
    /// SHA-256 of the visitor token, if the browser has one.
    pub fn visitor(&self) -> Option<&str> {
        self.visitor.as_deref()
    }

    /// The session of somebody who is signed in.
    pub fn session(&self) -> Option<&Session> {
        match &self.credentials {
            Credentials::Session(session) => Some(session),
            _ => None,
        }
    }

    /// Whether the browser was signed in, but its session has ended.
    pub fn was_signed_out(&self) -> bool {
        matches!(self.credentials, Credentials::Ended)
    }

    /// What the caller may do as a person. A machine's token has scopes instead; one that may do everything counts as
    /// an operator.
    pub fn role(&self) -> Role {
        match &self.credentials {
            Credentials::Session(session) => session.role,
            Credentials::AccessToken(token) if token.scopes.are_everything() => Role::Operator,
            _ => Role::Visitor,
        }
    }

    /// Whether an operator asks, or a machine that may do everything.
    pub fn is_operator(&self) -> bool {
        self.role() == Role::Operator
    }

    /// Who looks at a page.
    pub fn viewer(&self) -> Viewer {
        let name = match &self.credentials {
            Credentials::Session(session) => session.account.as_ref().map(|(_, name)| name.clone()),
            Credentials::AccessToken(token) if token.scopes.are_everything() => Some(token.name.clone()),
            _ => None,
        };
        Viewer { role: self.role(), name }
    }

    /// The name that labels of the caller carry. A machine's begins with `token:`, which no account's does.
    pub fn annotator(&self) -> Result<String, Refusal> {
        self.has_role(Role::Annotator)?;
        match &self.credentials {
            Credentials::Session(Session { account: Some((_, name)), .. }) => Ok(name.clone()),
            Credentials::AccessToken(token) => Ok(format!("token:{}", token.name)),
            _ => Err(Refusal::new(
                ProblemKind::Forbidden,
                "a label carries the name of who gave it: make an account at /login/account, then come back",
            )),
        }
    }

    /// Whether the caller may do what needs `scope` with everybody's photos: operators, and tokens with that scope.
    pub fn may(&self, scope: Scope) -> bool {
        match &self.credentials {
            Credentials::Session(session) => session.role == Role::Operator,
            Credentials::AccessToken(token) => token.scopes.allow(scope),
            Credentials::None | Credentials::Ended | Credentials::Feedback(_) => false,
        }
    }

    /// The same caller, uploading as the visitor with this token where they have no visitor's cookie yet.
    pub fn or_visitor(mut self, token: &str) -> Self {
        let speaks_for_a_browser =
            matches!(self.credentials, Credentials::None | Credentials::Ended | Credentials::Session(_));
        if speaks_for_a_browser && self.visitor.is_none() {
            self.visitor = Some(visitor_hash(token));
        }
        self
    }

    /// Refuses what `rule` does not let the caller do.
    pub fn obeys(&self, rule: &Rule) -> Result<(), Refusal> {
        if let (Credentials::AccessToken(token), Some(scope)) = (&self.credentials, rule.scope) {
            return if token.scopes.allow(scope) { Ok(()) } else { Err(lacks(scope)) };
        }
        match rule.who {
            Who::Anybody | Who::Owner => Ok(()),
            Who::Role(role) => self.has_role(role),
        }
    }

    /// Refuses people without `role`, and machines that may not do everything.
    pub fn has_role(&self, role: Role) -> Result<(), Refusal> {
        if self.role() >= role {
            return Ok(());
        }
        match &self.credentials {
            Credentials::None | Credentials::Ended => {
                Err(Refusal::new(ProblemKind::Unauthenticated, "sign in, or send an access token as a bearer token"))
            }
            Credentials::AccessToken(_) => Err(lacks(Scope::Admin)),
            Credentials::Session(_) | Credentials::Feedback(_) => Err(Refusal::new(
                ProblemKind::Forbidden,
                format!("this is for people with the role {role}; ask an operator for it"),
            )),
        }
    }

    /// As whom the caller may do what needs `scope` with `row`; a refusal that does not tell whether it exists
    /// otherwise.
    ///
    /// Who may see a photo is decided here: whoever uploaded it, and operators (and machines with the scope).
    /// Annotators see the photos they were given by their tasks, which do not tell which photo it is.
    pub fn as_actor_on(
        &self,
        app: &App,
        row: Option<prediction::Model>,
        scope: Scope,
    ) -> Result<(Actor, prediction::Model), Refusal> {
        let is_anonymous = self.visitor.is_none() && matches!(self.credentials, Credentials::None | Credentials::Ended);
        if is_anonymous {
            return Err(Refusal::new(
                ProblemKind::Unauthenticated,
                "send the feedback_token of this prediction as a bearer token, or the browser's cookie",
            ));
        }
        let row = row.ok_or_else(Refusal::no_such_prediction)?;
        let owns = match (&self.visitor, &row.visitor) {
            (Some(asking), Some(owning)) => bool::from(asking.as_bytes().ct_eq(owning.as_bytes())),
            _ => false,
        };
        let opens = match (&self.credentials, PredictionId::try_from(row.id)) {
            (Credentials::Feedback(token), Ok(id)) => app.feedback_tokens().opens(token.expose_secret(), id),
            _ => false,
        };
        if owns || opens {
            Ok((Actor::Visitor, row))
        } else if self.may(scope) {
            Ok((Actor::Operator, row))
        } else {
            Err(Refusal::no_such_prediction())
        }
    }

    /// Reads who sent the request from its headers. It must have been made by our own pages, or change nothing:
    /// [`guard`](super::guard) sees to that.
    async fn read(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let cookies = CookieJar::from_headers(&parts.headers);
        let visitor = cookies
            .get(VISITOR_COOKIE)
            .map(|cookie| cookie.value())
            .filter(|token| is_visitor_token(token))
            .map(visitor_hash);
        if names_credentials(&parts.headers) {
            let unknown = || {
                Refusal::new(
                    ProblemKind::Unauthenticated,
                    "this bearer token is unknown, or it has expired; use a prediction's feedback_token, or an access \
                     token",
                )
            };
            let TypedHeader(Authorization(bearer)) =
                TypedHeader::<Authorization<Bearer>>::from_request_parts(parts, app).await.map_err(|_| unknown())?;
            let token = bearer.token();
            // Whoever names their credentials means these, not the session a browser adds by itself.
            return Ok(if token.starts_with(FEEDBACK_PREFIX) {
                Self { visitor: None, credentials: Credentials::Feedback(token.into()) }
            } else {
                let token = app.catalog().access_token(&sha256_hex(token.as_bytes())).await?;
                Self { visitor, credentials: Credentials::AccessToken(token.ok_or_else(unknown)?) }
            });
        }
        let credentials = match session_of(&parts.headers, app.settings().server.is_https()) {
            None => Credentials::None,
            Some(token) => match app.catalog().session(&token, app.settings().auth.session_limits()).await? {
                Some(session) => Credentials::Session(session),
                None => Credentials::Ended,
            },
        };
        Ok(Self { visitor, credentials })
    }
}

/// Whether a request says by itself who sends it. `Basic` is between the browser and a proxy in front of us: a browser
/// adds it unasked, like a cookie.
pub fn names_credentials(headers: &HeaderMap) -> bool {
    let is_basic = |value: &[u8]| value.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic"));
    headers.get(header::AUTHORIZATION).is_some_and(|value| !is_basic(value.as_bytes()))
}

fn lacks(scope: Scope) -> Refusal {
    Refusal::new(
        ProblemKind::Forbidden,
        format!("this access token lacks the scope {scope}: make one that has it with gourmetgram user token add"),
    )
}

impl FromRequestParts<App> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        let caller = Self::read(parts, app).await?;
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }
}

/// The browser's visitor token, or a new one with the `Set-Cookie` header that gives it to the browser.
pub fn visitor_token(headers: &HeaderMap, https: bool) -> (String, Option<HeaderValue>) {
    let cookies = CookieJar::from_headers(headers);
    if let Some(token) =
        cookies.get(VISITOR_COOKIE).map(|cookie| cookie.value()).filter(|token| is_visitor_token(token))
    {
        return (token.to_owned(), None);
    }
    let token = random_token(32);
    let secure = if https { "; Secure" } else { "" };
    let cookie =
        format!("{VISITOR_COOKIE}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={VISITOR_COOKIE_SECONDS}{secure}");
    (token, HeaderValue::from_str(&cookie).ok())
}

/// Only what we make ourselves: nobody can choose a guessable token for somebody else.
fn is_visitor_token(token: &str) -> bool {
    token.len() == 43 && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn an_id() -> PredictionId {
        uuid::Uuid::now_v7().try_into().unwrap()
    }

    #[test]
    fn a_feedback_token_opens_its_own_prediction_only() {
        let tokens = FeedbackTokens::new("a key".into());
        let (mine, other) = (an_id(), an_id());
        let token = tokens.issue(mine);
        assert!(tokens.opens(&token, mine));
        assert!(!tokens.opens(&token, other));
        assert!(!FeedbackTokens::new("another key".into()).opens(&token, mine));
        for forged in ["", "ggf_", "ggf_AAAA", &token[..token.len() - 1], &token.replace("ggf_", "")] {
            assert!(!tokens.opens(forged, mine), "{forged}");
        }
    }

    #[test]
    fn a_cookie_we_did_not_make_is_replaced() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("gourmetgram_visitor=guessable"));
        let (token, cookie) = visitor_token(&headers, true);
        let cookie = cookie.unwrap();
        let cookie = cookie.to_str().unwrap();
        assert!(is_visitor_token(&token) && cookie.contains("HttpOnly") && cookie.contains("Secure"), "{cookie}");
        headers.insert(header::COOKIE, HeaderValue::from_str(&format!("gourmetgram_visitor={token}")).unwrap());
        assert_eq!(visitor_token(&headers, true), (token, None));
    }
}
