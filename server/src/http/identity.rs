//! Who asks: a visitor's browser by its cookie, the uploader of one photo by its feedback token, an operator by an
//! access token.
//!
//! Tokens are 256 random or keyed bits; the catalog keeps hashes only.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, Method, header, request::Parts},
};
use axum_extra::{
    TypedHeader,
    extract::CookieJar,
    headers::{Authorization, authorization::Bearer},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use gourmetgram_api::{PredictionId, ProblemKind};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Refusal;
use crate::{
    app::App,
    catalog::{Actor, Role, entity::prediction},
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

/// A new access token for an operator or machine, to be shown once.
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
#[derive(Debug, Default)]
pub struct Caller {
    /// SHA-256 of the visitor cookie.
    visitor: Option<String>,
    operator: bool,
    feedback_token: Option<SecretString>,
}

impl Caller {
    /// SHA-256 of the visitor token, if the browser has one.
    pub fn visitor(&self) -> Option<&str> {
        self.visitor.as_deref()
    }

    /// Whether an operator asks.
    pub fn is_operator(&self) -> bool {
        self.operator
    }

    /// A browser with this visitor token.
    pub fn from_visitor_token(token: &str) -> Self {
        Self { visitor: Some(visitor_hash(token)), ..Self::default() }
    }

    /// As whom the caller may see, judge and erase `row`; a refusal that does not tell whether it exists otherwise.
    pub fn as_actor_on(
        &self,
        app: &App,
        row: Option<prediction::Model>,
    ) -> Result<(Actor, prediction::Model), Refusal> {
        let is_anonymous = !self.operator && self.visitor.is_none() && self.feedback_token.is_none();
        if is_anonymous {
            return Err(Refusal::new(
                ProblemKind::Unauthenticated,
                "send the feedback_token of this prediction as a bearer token, or the browser's cookie",
            ));
        }
        let row = row.ok_or_else(Refusal::no_such_prediction)?;
        if self.operator {
            return Ok((Actor::Operator, row));
        }
        let owns = match (&self.visitor, &row.visitor) {
            (Some(asking), Some(owning)) => bool::from(asking.as_bytes().ct_eq(owning.as_bytes())),
            _ => false,
        };
        let opens = match (&self.feedback_token, PredictionId::try_from(row.id)) {
            (Some(token), Ok(id)) => app.feedback_tokens().opens(token.expose_secret(), id),
            _ => false,
        };
        if owns || opens { Ok((Actor::Visitor, row)) } else { Err(Refusal::no_such_prediction()) }
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let mut caller = Self::default();
        if parts.headers.contains_key(header::AUTHORIZATION) {
            let unknown = || {
                Refusal::new(
                    ProblemKind::Unauthenticated,
                    "this bearer token is unknown; use a prediction's feedback_token, or an access token",
                )
            };
            let TypedHeader(Authorization(bearer)) =
                TypedHeader::<Authorization<Bearer>>::from_request_parts(parts, app).await.map_err(|_| unknown())?;
            let token = bearer.token();
            if token.starts_with(FEEDBACK_PREFIX) {
                caller.feedback_token = Some(token.into());
            } else {
                let role = app.catalog().token_role(&sha256_hex(token.as_bytes())).await?;
                caller.operator = role.ok_or_else(unknown)? == Role::Operator;
            }
            // Whoever names their credentials means these, not the cookie a browser adds by itself.
            return Ok(caller);
        }
        let cookies = CookieJar::from_headers(&parts.headers);
        if let Some(token) =
            cookies.get(VISITOR_COOKIE).map(|cookie| cookie.value()).filter(|token| is_visitor_token(token))
        {
            refuse_foreign_origin(&parts.method, &parts.headers)?;
            caller.visitor = Some(visitor_hash(token));
        }
        Ok(caller)
    }
}

/// A browser sends its cookie along with what other sites make it send; those requests do not speak for the visitor.
/// The cookie is `SameSite=Lax`; this holds where a browser ignores that, or another port of the same host attacks.
fn refuse_foreign_origin(method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
    if method.is_safe() {
        return Ok(());
    }
    let foreign = || {
        Refusal::new(
            ProblemKind::Forbidden,
            "this request comes from another site; open the photo's own page and try there",
        )
    };
    match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        Some(b"same-origin" | b"none") => return Ok(()),
        Some(_) => return Err(foreign()),
        None => {}
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    if origin.is_some() && origin == host { Ok(()) } else { Err(foreign()) }
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
    fn requests_that_other_sites_cause_do_not_speak_for_the_visitor() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            pairs
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
                .collect::<HeaderMap>()
        };
        let host = ("host", "food.example:8080");
        for (pairs, allowed) in [
            (vec![host], true),
            (vec![host, ("sec-fetch-site", "same-origin")], true),
            (vec![host, ("sec-fetch-site", "cross-site")], false),
            (vec![host, ("sec-fetch-site", "same-site")], false),
            (vec![host, ("origin", "http://food.example:8080")], true),
            (vec![host, ("origin", "http://food.example:9000")], false),
            (vec![host, ("origin", "https://evil.example")], false),
            (vec![host, ("origin", "null")], false),
        ] {
            assert_eq!(refuse_foreign_origin(&Method::POST, &headers(&pairs)).is_ok(), allowed, "{pairs:?}");
            assert!(refuse_foreign_origin(&Method::GET, &headers(&pairs)).is_ok());
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
