//! Sends requests: with the right token, patiently, and within bounds.

use std::{
    error::Error,
    fmt::{self, Write},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use reqwest::{Client, Response, StatusCode, header, redirect};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::Url;

use crate::{
    ApiToken, LabelStudioError, Patience, Settings,
    call::{Call, Repeat},
};

/// Longest answer that is read.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// As much is read of a refusal.
const MAX_REFUSAL_BYTES: usize = 64 * 1024;
/// As much of it is told.
const MAX_SAID_CHARACTERS: usize = 500;

/// A Label Studio. Clones share what they know.
#[derive(Clone)]
pub struct LabelStudio {
    inner: Arc<Inner>,
}

struct Inner {
    http: Client,
    url: Url,
    token: ApiToken,
    patience: Patience,
    tasks_per_request: usize,
    /// The short-lived token that a personal access token bought last.
    access: Mutex<Option<SecretString>>,
}

impl fmt::Debug for LabelStudio {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("LabelStudio").field(&self.inner.url.as_str()).finish()
    }
}

/// Why one attempt came to nothing.
enum Failure {
    /// Another attempt would fare no better.
    Final(LabelStudioError),
    /// May pass.
    Passing {
        reason: String,
        /// How long Label Studio asks us to wait.
        asked: Option<Duration>,
        /// Whether the request was certainly not taken.
        not_taken: bool,
    },
}

impl LabelStudio {
    /// A client. Nothing is sent yet.
    ///
    /// # Errors
    /// [`LabelStudioError::Misconfigured`], where the address cannot be one.
    pub fn new(settings: Settings) -> Result<Self, LabelStudioError> {
        let Settings { url, token, patience, tasks_per_request } = settings;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(LabelStudioError::Misconfigured("its address must begin with http:// or https://".to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            let reason = "its address must not contain a user or a password: they would stand in every message";
            return Err(LabelStudioError::Misconfigured(reason.to_owned()));
        }
        let http = Client::builder()
            .connect_timeout(patience.connect)
            .timeout(patience.attempt)
            // A token is not carried to wherever an answer points.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("gourmetgram/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| LabelStudioError::Misconfigured(chain(&error)))?;
        let tasks_per_request = tasks_per_request.clamp(1, 1000);
        let access = Mutex::default();
        Ok(Self { inner: Arc::new(Inner { http, url, token, patience, tasks_per_request, access }) })
    }

    /// Its address.
    pub fn url(&self) -> &Url {
        &self.inner.url
    }

    pub(crate) fn tasks_per_request(&self) -> usize {
        self.inner.tasks_per_request
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.inner.patience.attempts.max(1)
    }

    /// Waits, after so many failed attempts at something that takes several calls.
    pub(crate) async fn rest(&self, failed: u32) {
        tokio::time::sleep(self.inner.patience.pause(failed, None)).await;
    }

    /// Sends, and reads the answer.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, call: Call) -> Result<T, LabelStudioError> {
        let body = self.inner.send(&call).await?;
        serde_json::from_slice(&body).map_err(|error| {
            let begins: String = String::from_utf8_lossy(&body).chars().take(60).collect();
            self.unexpected(call.what, format!("{error}; it begins with {begins:?}"))
        })
    }

    /// Sends; what is answered does not matter.
    pub(crate) async fn order(&self, call: Call) -> Result<(), LabelStudioError> {
        self.inner.send(&call).await.map(drop)
    }

    /// An answer that makes no sense.
    pub(crate) fn unexpected(&self, what: &'static str, reason: impl Into<String>) -> LabelStudioError {
        LabelStudioError::Unexpected { what, url: self.inner.url.to_string(), reason: reason.into() }
    }
}

impl Inner {
    /// Sends with a token; where a bought one is no longer good, once more with a new one.
    async fn send(&self, call: &Call) -> Result<Bytes, LabelStudioError> {
        let authorization = self.authorization(None).await?;
        match (self.patiently(call, Some(&authorization)).await, &self.token) {
            (Err(LabelStudioError::TokenRefused { .. }), ApiToken::PersonalAccess(_)) => {
                let authorization = self.authorization(Some(&authorization)).await?;
                self.patiently(call, Some(&authorization)).await
            }
            (result, _) => result,
        }
    }

    /// What goes into the header `Authorization`, but not what was `refused`.
    async fn authorization(&self, refused: Option<&SecretString>) -> Result<SecretString, LabelStudioError> {
        let personal = match &self.token {
            ApiToken::Legacy(token) => return Ok(format!("Token {}", token.expose_secret()).into()),
            ApiToken::PersonalAccess(token) => token,
        };
        // Held while one is bought, so that many requests at once buy one between them.
        let mut access = self.access.lock().await;
        match &*access {
            Some(known) if refused.is_none_or(|refused| refused.expose_secret() != known.expose_secret()) => {
                return Ok(known.clone());
            }
            _ => *access = None,
        }
        #[derive(Deserialize)]
        struct Bought {
            access: SecretString,
        }
        let what = "buy an access token";
        let order = json!({ "refresh": personal.expose_secret() });
        let body = self.patiently(&Call::post(what, "api/token/refresh/", order).repeatable(), None).await?;
        let bought: Bought = serde_json::from_slice(&body).map_err(|_| LabelStudioError::Unexpected {
            what,
            url: self.url.to_string(),
            // The answer itself is not told: it may contain the token.
            reason: "there is no access token in the answer".to_owned(),
        })?;
        let authorization = SecretString::from(format!("Bearer {}", bought.access.expose_secret()));
        *access = Some(authorization.clone());
        Ok(authorization)
    }

    /// Sends until Label Studio takes it or refuses it, or patience ends.
    async fn patiently(&self, call: &Call, authorization: Option<&SecretString>) -> Result<Bytes, LabelStudioError> {
        let mut failed = 0;
        loop {
            let (reason, asked, not_taken) = match self.once(call, authorization).await {
                Ok(body) => return Ok(body),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Passing { reason, asked, not_taken }) => (reason, asked, not_taken),
            };
            failed += 1;
            let what = call.what;
            if failed >= self.patience.attempts.max(1) || !(not_taken || call.repeat == Repeat::Harmless) {
                return Err(LabelStudioError::Unavailable { what, url: self.url.to_string(), reason });
            }
            let pause = self.patience.pause(failed, asked);
            tracing::info!(what, reason, ?pause, "Label Studio is asked again");
            tokio::time::sleep(pause).await;
        }
    }

    async fn once(&self, call: &Call, authorization: Option<&SecretString>) -> Result<Bytes, Failure> {
        let mut request = self.http.request(call.method.clone(), call.url(&self.url));
        if let Some(authorization) = authorization {
            let value = header::HeaderValue::try_from(authorization.expose_secret()).map(|mut value| {
                value.set_sensitive(true);
                value
            });
            let value = value.map_err(|_| {
                let reason = "the token has characters that cannot be sent";
                Failure::Final(LabelStudioError::Misconfigured(reason.to_owned()))
            })?;
            request = request.header(header::AUTHORIZATION, value);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| {
            let not_taken = error.is_connect() || error.is_builder();
            Failure::Passing { reason: chain(&error.without_url()), asked: None, not_taken }
        })?;
        let status = response.status();
        if status.is_success() {
            return self.answer(call, response).await;
        }
        Err(self.refusal(call, authorization, status, response).await)
    }

    async fn answer(&self, call: &Call, mut response: Response) -> Result<Bytes, Failure> {
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(None) => return Ok(body.into()),
                Ok(Some(chunk)) if body.len() + chunk.len() > MAX_ANSWER_BYTES => {
                    let (what, limit) = (call.what, MAX_ANSWER_BYTES);
                    return Err(Failure::Final(LabelStudioError::TooLong { what, limit }));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Err(error) => {
                    let reason = format!("the answer broke off: {}", chain(&error.without_url()));
                    return Err(Failure::Passing { reason, asked: None, not_taken: false });
                }
            }
        }
    }

    async fn refusal(
        &self,
        call: &Call,
        authorization: Option<&SecretString>,
        status: StatusCode,
        response: Response,
    ) -> Failure {
        let asked = header_text(&response, &header::RETRY_AFTER).and_then(|seconds| seconds.trim().parse().ok());
        let target = header_text(&response, &header::LOCATION).unwrap_or_default().to_owned();
        let said = self.without_secrets(call, authorization, &said(&beginning(response).await));
        let (what, url) = (call.what, self.url.to_string());
        Failure::Final(match status.as_u16() {
            408 | 425 | 429 | 500 | 502 | 503 | 504 => {
                let reason = if said.is_empty() { status.to_string() } else { format!("{status}: {said}") };
                let not_taken = matches!(status.as_u16(), 429 | 503);
                return Failure::Passing { reason, asked: asked.map(Duration::from_secs), not_taken };
            }
            300..=399 => LabelStudioError::Moved { what, url, target },
            401 => LabelStudioError::TokenRefused { what, url, said },
            403 => LabelStudioError::Forbidden { what, url, said },
            404 => LabelStudioError::Missing { what, url, said },
            status => LabelStudioError::Refused { what, url, status, said },
        })
    }

    /// Takes every secret we know of out of a text.
    fn without_secrets(&self, call: &Call, authorization: Option<&SecretString>, text: &str) -> String {
        let bought = authorization.map(|header| header.expose_secret());
        let bought = bought.and_then(|header| header.split_once(' ')).map(|(_, token)| token);
        let ours = call.secrets.iter().chain([self.token.secret()]).map(|secret| secret.expose_secret());
        let secrets = ours.chain(bought).filter(|secret| !secret.is_empty());
        secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "…"))
    }
}

fn header_text<'a>(response: &'a Response, name: &header::HeaderName) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

/// The beginning of a body, as far as it comes.
async fn beginning(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() >= MAX_REFUSAL_BYTES {
            body.truncate(MAX_REFUSAL_BYTES);
            break;
        }
    }
    body
}

/// Label Studio's own words in the body of a refusal.
fn said(body: &[u8]) -> String {
    let text = match serde_json::from_slice(body) {
        Ok(Value::Object(refusal)) => {
            let errors = refusal.get("validation_errors").filter(|errors| !errors.is_null());
            match errors.or(refusal.get("detail")).or(refusal.get("error")) {
                Some(words) => in_words(words),
                None => in_words(&Value::Object(refusal)),
            }
        }
        Ok(other) => in_words(&other),
        // A page of a proxy, made for eyes.
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    one_line.chars().take(MAX_SAID_CHARACTERS).collect()
}

/// A JSON value as one would say it: what is wrong with which field.
fn in_words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(in_words).collect::<Vec<_>>().join("; "),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| format!("{name}: {}", in_words(value))).collect::<Vec<_>>().join("; ")
        }
        other => other.to_string(),
    }
}

/// An error and its causes in one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(line, ": {error}");
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_studios_words_are_found_in_its_refusals() {
        let cases = [
            (r#"{"detail":"Invalid token.","status_code":401}"#, "Invalid token."),
            (r#"{"detail":"Validation error","validation_errors":{"title":["Too short."]}}"#, "title: Too short."),
            (r#"{"detail":"Not found","validation_errors":null}"#, "Not found"),
            (r#"["Data is empty"]"#, "Data is empty"),
            ("<html>\n  <h1>502  Bad Gateway</h1>", "<html> <h1>502 Bad Gateway</h1>"),
            ("", ""),
        ];
        for (body, words) in cases {
            assert_eq!(said(body.as_bytes()), words);
        }
        assert_eq!(said(&[b'x'; 10_000]).len(), MAX_SAID_CHARACTERS);
    }

    #[test]
    fn an_address_that_cannot_be_one_is_refused_at_once() {
        let token = ApiToken::new(&"05fecceb97d6".into()).unwrap();
        for url in ["ftp://labels.example", "mailto:ann@labels.example", "https://ann:secret@labels.example"] {
            let error = LabelStudio::new(Settings::new(url.parse().unwrap(), token.clone())).unwrap_err();
            assert!(matches!(error, LabelStudioError::Misconfigured(_)), "{error}");
            assert!(!error.to_string().contains("secret"));
        }
    }
}
