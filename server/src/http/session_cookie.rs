//! The cookie of a browser that is signed in, and the one by which an account knows a browser again.

use axum::http::{HeaderMap, HeaderValue};
use axum_extra::extract::CookieJar;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use uuid::Uuid;

use super::sha256_hex;
use crate::keys::random_token;

const SESSION: &str = "gourmetgram_session";
/// With this prefix a browser takes the cookie only over TLS, from this very host, and for every path: no other host of
/// the domain can plant one.
const SESSION_OVER_TLS: &str = "__Host-gourmetgram_session";
const BROWSER: &str = "gourmetgram_browser";
/// Browsers keep a cookie for at most 400 days.
const BROWSER_SECONDS: u32 = 400 * 24 * 60 * 60;

/// A new session's token: 256 random bits. Its hash goes into the catalog, the token into the cookie and nowhere else.
pub struct SessionToken(SecretString);

impl SessionToken {
    /// Draws one.
    pub fn draw() -> Self {
        Self(random_token(32).into())
    }

    /// What the catalog keeps of it.
    pub fn sha256(&self) -> String {
        sha256_hex(self.0.expose_secret().as_bytes())
    }

    /// The header that gives it to the browser.
    ///
    /// `SameSite=Lax` and not `Strict`: whoever follows a link from a mail or a chat to one of our pages is still
    /// signed in there. Such a visit changes nothing, and what changes something must come from our own pages
    /// (see [`origin`](super::origin)).
    pub fn cookie(&self, https: bool, seconds: u64) -> Option<HeaderValue> {
        let token = self.0.expose_secret();
        cookie(&format!("{}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}", session_name(https)), https)
    }
}

/// The header that takes the session's cookie from the browser.
pub fn no_session(https: bool) -> Option<HeaderValue> {
    cookie(&format!("{}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0", session_name(https)), https)
}

/// SHA-256 of the session token that a request carries.
pub fn session_of(headers: &HeaderMap, https: bool) -> Option<String> {
    let cookies = CookieJar::from_headers(headers);
    let token = cookies.get(session_name(https))?.value();
    (!token.is_empty()).then(|| sha256_hex(token.as_bytes()))
}

fn session_name(https: bool) -> &'static str {
    if https { SESSION_OVER_TLS } else { SESSION }
}

fn cookie(text: &str, https: bool) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("{text}{}", if https { "; Secure" } else { "" })).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Signs the cookie by which an account knows a browser that has signed in to it before. It opens nothing: it only
/// keeps the browser from being slowed down by what others try (see `throttle`).
pub struct KnownBrowsers(SecretString);

impl KnownBrowsers {
    /// Cookies signed with `key`.
    pub fn new(key: SecretString) -> Self {
        Self(key)
    }

    /// The header that makes a browser known to `user`.
    pub fn cookie(&self, user: Uuid, https: bool) -> Option<HeaderValue> {
        let nonce = random_token(16);
        let mac = URL_SAFE_NO_PAD.encode(self.mac(user, &nonce).finalize().into_bytes());
        let text = format!("{BROWSER}={nonce}.{mac}; Path=/login; HttpOnly; SameSite=Lax; Max-Age={BROWSER_SECONDS}");
        cookie(&text, https)
    }

    /// A name for the browser, if `user` knows it.
    pub fn recognise(&self, headers: &HeaderMap, user: Uuid) -> Option<String> {
        let cookies = CookieJar::from_headers(headers);
        let (nonce, mac) = cookies.get(BROWSER)?.value().split_once('.')?;
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        self.mac(user, nonce).verify_slice(&mac).ok().map(|()| nonce.to_owned())
    }

    fn mac(&self, user: Uuid, nonce: &str) -> Hmac<Sha256> {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret().as_bytes()).expect("any key length");
        mac.update(b"browser\0");
        mac.update(user.as_bytes());
        mac.update(nonce.as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    fn carried(cookie: &HeaderValue) -> HeaderMap {
        let pair = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(&pair).unwrap())])
    }

    #[test]
    fn over_tls_the_session_belongs_to_this_host_alone() {
        let token = SessionToken::draw();
        let cookie = token.cookie(true, 60).unwrap();
        let text = cookie.to_str().unwrap();
        for part in ["__Host-gourmetgram_session=", "; Path=/;", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
            assert!(text.contains(part), "{part} is missing");
        }
        assert!(!text.contains("Domain"));
        assert_eq!(session_of(&carried(&cookie), true), Some(token.sha256()));
        assert_eq!(session_of(&carried(&token.cookie(false, 60).unwrap()), true), None, "a planted one is not read");
    }

    #[test]
    fn an_account_knows_its_own_browsers_only() {
        let known = KnownBrowsers::new("a key".into());
        let (ann, bob) = (Uuid::now_v7(), Uuid::now_v7());
        let headers = carried(&known.cookie(ann, false).unwrap());
        assert!(known.recognise(&headers, ann).is_some());
        assert!(known.recognise(&headers, bob).is_none());
        assert!(KnownBrowsers::new("another".into()).recognise(&headers, ann).is_none());
        assert!(known.recognise(&HeaderMap::new(), ann).is_none());
    }
}
