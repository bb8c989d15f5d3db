//! A server that answers as it is told to.

use std::{
    future::IntoFuture,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, Uri, header},
    response::{IntoResponse, Response},
};
use gourmetgram_label_studio::{ApiToken, LabelStudio, Patience, Settings};
use serde_json::Value;
use tokio::net::TcpListener;

pub const TOKEN: &str = "05fecceb97d6ed10bc73209bc2d6367dd819e1d1";

/// A request it got.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: Method,
    pub path: String,
    pub query: String,
    pub authorization: String,
    pub body: Value,
}

impl Asked {
    /// `GET /api/…`.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// What it does with a request.
pub enum Does {
    Answers(u16, Value),
    /// Status, content type, body.
    Says(u16, &'static str, String),
    /// Status and headers.
    Points(u16, &'static str, String),
    /// Says that more comes than does.
    BreaksOff(String),
    /// Nothing, for a long time.
    Sleeps,
}

type Script = Arc<dyn Fn(&Asked, usize) -> Does + Send + Sync>;

/// The server, and everything it was asked.
pub struct Server {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Does with each request what the script says, which also learns how many there were before.
    pub async fn start(script: impl Fn(&Asked, usize) -> Does + Send + Sync + 'static) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let script: Script = Arc::new(script);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(take).with_state((script, Arc::clone(&asked)));
        tokio::spawn(axum::serve(listener, router).into_future());
        Self { url, asked }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Method and path of every request, in order.
    pub fn lines(&self) -> Vec<String> {
        self.asked().iter().map(Asked::line).collect()
    }

    pub fn client(&self) -> LabelStudio {
        client(&self.url, TOKEN)
    }
}

/// A client with little patience.
pub fn client(url: &str, token: &str) -> LabelStudio {
    let patience = Patience {
        connect: Duration::from_secs(2),
        attempt: Duration::from_secs(3),
        attempts: 4,
        first_pause: Duration::from_millis(5),
        longest_pause: Duration::from_millis(50),
    };
    let token = ApiToken::new(&token.into()).unwrap();
    LabelStudio::new(Settings { patience, ..Settings::new(url.parse().unwrap(), token) }).unwrap()
}

async fn take(
    State((script, asked)): State<(Script, Arc<Mutex<Vec<Asked>>>)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let authorization = headers.get(header::AUTHORIZATION).map_or("", |value| value.to_str().unwrap()).to_owned();
    let this = Asked {
        method,
        path: uri.path().to_owned(),
        query: uri.query().unwrap_or_default().to_owned(),
        authorization,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    let before = {
        let mut asked = asked.lock().unwrap();
        asked.push(this.clone());
        asked.len() - 1
    };
    let response = Response::builder();
    match script(&this, before) {
        Does::Answers(status, body) => {
            response.status(status).header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string()))
        }
        Does::Says(status, kind, body) => {
            response.status(status).header(header::CONTENT_TYPE, kind).body(Body::from(body))
        }
        Does::Points(status, name, value) => response.status(status).header(name, value).body(Body::empty()),
        Does::BreaksOff(body) => {
            let pieces = [Ok(body), Err(std::io::Error::other("and away"))];
            response.status(200).body(Body::from_stream(futures::stream::iter(pieces)))
        }
        Does::Sleeps => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            return axum::http::StatusCode::NO_CONTENT.into_response();
        }
    }
    .unwrap()
}
