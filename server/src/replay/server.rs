//! The server a replay talks to, over HTTP as any client would: patient where it is busy, never sending twice what it
//! has taken once.

use std::time::{Duration, Instant};

use gourmetgram_api::{LiveModel, PredictionId, PredictionPage, Problem};
use reqwest::{Client, RequestBuilder, Response, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

/// Longest time one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest that is waited before a try, whatever the server says.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Why a request came to nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Trouble {
    /// The server does not want it, and would not want it again.
    #[error("{}", .0.detail)]
    Refused(Box<Problem>),
    /// The server was busy or away for longer than our patience.
    #[error("gave up after {seconds} s: {why}")]
    GaveUp {
        /// How long.
        seconds: u64,
        /// What it said last.
        why: String,
    },
    /// The replay was stopped.
    #[error("stopped")]
    Stopped,
}

/// A server, and what opens it.
pub struct Server {
    client: Client,
    url: String,
    token: SecretString,
    patience: Duration,
}

impl Server {
    /// The server at `url`, with an access token. A request is given up after so much patience.
    pub fn new(url: &str, token: SecretString, patience: Duration) -> Result<Self, reqwest::Error> {
        let client = Client::builder().timeout(REQUEST_TIMEOUT).redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { client, url: url.trim_end_matches('/').to_owned(), token, patience })
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The access token.
    pub fn token(&self) -> &SecretString {
        &self.token
    }

    /// The model that answers.
    pub async fn model(&self, stop: &CancellationToken) -> Result<LiveModel, Trouble> {
        self.read(stop, || self.client.get(format!("{}/api/v1/models/live", self.url))).await
    }

    /// Any prediction that came from `source` before.
    pub async fn known(&self, source: &str, stop: &CancellationToken) -> Result<Option<PredictionId>, Trouble> {
        let page: PredictionPage = self
            .read(stop, || {
                let url = format!("{}/api/v1/predictions?source={source}&limit=1", self.url);
                self.with_token(self.client.get(url))
            })
            .await?;
        Ok(page.items.first().map(|prediction| prediction.id))
    }

    /// A request to a path below `/api/v1/predictions`, with the access token and in the name of a simulated
    /// visitor.
    pub fn request(&self, method: reqwest::Method, path: &str, visitor: &str) -> RequestBuilder {
        let cookie = format!("{}={visitor}", crate::http::VISITOR_COOKIE);
        let url = format!("{}/api/v1/predictions{path}", self.url);
        self.with_token(self.client.request(method, url).header(header::COOKIE, cookie))
    }

    /// A request to a path below `/api/v1`, with the access token.
    pub fn api(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        self.with_token(self.client.request(method, format!("{}/api/v1{path}", self.url)))
    }

    fn with_token(&self, request: RequestBuilder) -> RequestBuilder {
        request.bearer_auth(self.token.expose_secret())
    }

    /// Sends and reads a JSON answer.
    pub async fn read<T: DeserializeOwned>(
        &self,
        stop: &CancellationToken,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<T, Trouble> {
        let (response, _) = self.send(stop, request).await?;
        let status = response.status();
        response.json().await.map_err(|error| Trouble::GaveUp {
            seconds: 0,
            why: format!("the answer {status} cannot be read ({error}): is {} a GourmetGram server?", self.url),
        })
    }

    /// Sends until the server takes it or refuses it for good. Answers how long the try that succeeded took.
    pub async fn send(
        &self,
        stop: &CancellationToken,
        request: impl Fn() -> RequestBuilder,
    ) -> Result<(Response, Duration), Trouble> {
        let begun = Instant::now();
        let mut tries = 0;
        loop {
            if stop.is_cancelled() {
                return Err(Trouble::Stopped);
            }
            let sent = Instant::now();
            let (why, pause) = match request().send().await {
                Ok(response) if response.status().is_success() => return Ok((response, sent.elapsed())),
                Ok(response) => match after(&response) {
                    Some(pause) => (format!("{} answered {}", self.url, response.status()), pause),
                    None => return Err(Trouble::Refused(Box::new(problem(response).await))),
                },
                Err(error) => (format!("cannot reach {} ({})", self.url, innermost(&error)), backoff(tries)),
            };
            tries += 1;
            if begun.elapsed() + pause > self.patience {
                return Err(Trouble::GaveUp { seconds: begun.elapsed().as_secs(), why });
            }
            tokio::select! {
                () = stop.cancelled() => return Err(Trouble::Stopped),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }
}

/// How long to wait before the same request is sent again; nothing if that would be no use.
fn after(response: &Response) -> Option<Duration> {
    let again = [
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::BAD_GATEWAY,
        StatusCode::GATEWAY_TIMEOUT,
        StatusCode::REQUEST_TIMEOUT,
        StatusCode::INSUFFICIENT_STORAGE,
    ];
    if !again.contains(&response.status()) {
        return None;
    }
    let said = response.headers().get(header::RETRY_AFTER).and_then(|seconds| seconds.to_str().ok());
    let seconds = said.and_then(|seconds| seconds.trim().parse().ok()).unwrap_or(1);
    // Those that were turned away together should not come back together.
    Some(Duration::from_secs(seconds).mul_f64(1.0 + 0.25 * rand::random::<f64>()).min(LONGEST_PAUSE))
}

fn backoff(tries: u32) -> Duration {
    Duration::from_millis(200).saturating_mul(1 << tries.min(10)).min(Duration::from_secs(10))
}

fn innermost(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

async fn problem(response: Response) -> Problem {
    let status = response.status();
    let text = response.text().await.unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_else(|_| {
        let mut problem = Problem::new(
            gourmetgram_api::ProblemKind::Internal,
            format!("the server answered {status}, without saying why"),
        );
        problem.status = status.as_u16();
        problem
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use axum::{Router, http::StatusCode as Status, routing::get};

    use super::*;

    /// A server that turns the first requests away with these statuses.
    async fn busy(statuses: &'static [u16], asked: Arc<AtomicUsize>) -> String {
        let answer = move || async move {
            let turn = asked.fetch_add(1, Ordering::SeqCst);
            let status = statuses.get(turn).copied().unwrap_or(200);
            (Status::from_u16(status).unwrap(), [("retry-after", "0")], r#""welcome""#)
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, Router::new().route("/", get(answer))).into_future());
        url
    }

    async fn ask(url: &str, patience: Duration, stop: &CancellationToken) -> Result<String, Trouble> {
        let server = Server::new(url, "ggo_x".into(), patience).unwrap();
        server.read(stop, || server.client.get(server.url())).await
    }

    #[tokio::test]
    async fn a_busy_server_is_asked_again_until_it_has_time() {
        let asked = Arc::new(AtomicUsize::new(0));
        let url = busy(&[503, 429, 503], Arc::clone(&asked)).await;
        let answer = ask(&url, Duration::from_secs(60), &CancellationToken::new()).await;
        assert_eq!(answer.unwrap(), "welcome");
        assert_eq!(asked.load(Ordering::SeqCst), 4);
    }

    #[tokio::test]
    async fn a_refusal_is_not_repeated() {
        let asked = Arc::new(AtomicUsize::new(0));
        let url = busy(&[422], Arc::clone(&asked)).await;
        let answer = ask(&url, Duration::from_secs(60), &CancellationToken::new()).await;
        assert!(matches!(answer, Err(Trouble::Refused(problem)) if problem.status == 422));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn patience_ends_and_stopping_ends_it_at_once() {
        let url = "http://127.0.0.1:1";
        let answer = ask(url, Duration::from_millis(300), &CancellationToken::new()).await;
        assert!(matches!(answer, Err(Trouble::GaveUp { why, .. }) if why.contains(url)));
        let stopped = CancellationToken::new();
        stopped.cancel();
        assert!(matches!(ask(url, Duration::from_secs(60), &stopped).await, Err(Trouble::Stopped)));
    }
}
