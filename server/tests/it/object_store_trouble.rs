//! The object store goes away, becomes slow, answers 500: predictions go on, and everything arrives later.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, extract::Request, http::StatusCode, response::Response};
use embedded_s3::{Access, EmbeddedS3, Running};
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::support::{Database, TestApp, a_photo, form, problem};

const HEALTHY: u8 = 0;
const FAILING: u8 = 1;
const SLOW: u8 = 2;

/// A real S3 server behind a front that can be told to answer 500 or to be slow; both can be taken away.
pub struct Store {
    _folder: TempDir,
    pub running: Running,
    mood: Arc<AtomicU8>,
    /// How often it was asked for something.
    pub asked: Arc<AtomicUsize>,
    front: SocketAddr,
}

impl Store {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let running = EmbeddedS3::builder(folder.path())
            .credential("key", "secret", Access::ReadWrite)
            .start(listener)
            .await
            .unwrap();
        let behind = running.address();
        let (mood, asked) = (Arc::new(AtomicU8::new(HEALTHY)), Arc::new(AtomicUsize::new(0)));
        let client = reqwest::Client::new();
        let (shared_mood, shared_asked) = (Arc::clone(&mood), Arc::clone(&asked));
        let router = Router::new().fallback(move |request: Request| {
            let (mood, asked, client) = (Arc::clone(&shared_mood), Arc::clone(&shared_asked), client.clone());
            async move {
                asked.fetch_add(1, Ordering::SeqCst);
                match mood.load(Ordering::SeqCst) {
                    FAILING => {
                        return Response::builder()
                            .status(StatusCode::INTERNAL_SERVER_ERROR)
                            .body(Body::empty())
                            .unwrap();
                    }
                    SLOW => tokio::time::sleep(Duration::from_millis(700)).await,
                    _ => {}
                }
                forward(&client, behind, request).await
            }
        });
        let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = front.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(front, router).await.unwrap() });
        Self { _folder: folder, running, mood, asked, front: address }
    }

    pub async fn app(&self, database: Database) -> TestApp {
        let front = self.front;
        TestApp::start_with(database, |settings| {
            // Only what a test does is asked for.
            settings.records.every_seconds = 3600;
            settings.s3.endpoint = Some(format!("http://{front}"));
            settings.s3.access_key_id = Some("key".to_owned());
            settings.s3.secret_access_key = Some("secret".to_owned().into());
        })
        .await
    }

    fn become_(&self, mood: u8) {
        self.mood.store(mood, Ordering::SeqCst);
    }
}

/// Passes a signed request on unchanged; the signature covers the host header, so that stays too.
async fn forward(client: &reqwest::Client, to: SocketAddr, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let url = format!("http://{to}{}", parts.uri);
    let answer = client.request(parts.method, url).headers(parts.headers).body(body).send().await.unwrap();
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if name != "transfer-encoding" {
            response = response.header(name, value);
        }
    }
    response.body(Body::from(answer.bytes().await.unwrap())).unwrap()
}

async fn predictions_go_on_and_arrive_after(mood: u8) {
    let store = Store::start().await;
    let test = store.app(Database::Sqlite).await;
    store.become_(mood);
    let mut sent = Vec::new();
    for seed in 0..5 {
        let new = test.upload(a_photo(seed)).await;
        let path = format!("/api/v1/predictions/{}", new.id);
        for label in ["Soup", "Rice"] {
            let body = json!({"label": label});
            let answer = test.put(&format!("{path}/correction")).bearer_auth(&new.feedback_token).json(&body);
            assert_eq!(answer.send().await.unwrap().status(), 200);
        }
        let flag = test.put(&format!("{path}/flag")).bearer_auth(&new.feedback_token).json(&json!({"reason": "other"}));
        assert_eq!(flag.send().await.unwrap().status(), 200);
        let image = test.get(&format!("{path}/image")).bearer_auth(&new.feedback_token).send().await.unwrap();
        assert_eq!(image.status(), 200, "the photo is shown from the spool meanwhile");
        sent.push(new);
    }
    if mood == FAILING {
        assert!(test.app.catalog().backlog().await.unwrap().count >= 5);
        let ready = test.get("/readyz").send().await.unwrap();
        assert_eq!(ready.status(), 503);
        let ready: serde_json::Value = ready.json().await.unwrap();
        assert_eq!(ready["not_ready"][0]["part"], "object_store");
    }
    store.become_(HEALTHY);
    test.settle().await;
    for new in sent {
        assert_eq!(test.tag(&new.key, "corrected_class").await.as_deref(), Some("Rice"), "the last word counts");
        assert_eq!(test.tag(&new.key, "flagged").await.as_deref(), Some("true"));
    }
    assert_eq!(std::fs::read_dir(test.data.path().join("spool")).unwrap().count(), 0);
    test.stop().await;
    store.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn predictions_go_on_while_the_store_answers_500_and_arrive_later() {
    predictions_go_on_and_arrive_after(FAILING).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn predictions_go_on_while_the_store_is_slow_and_arrive_later() {
    predictions_go_on_and_arrive_after(SLOW).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_starts_without_its_store_and_catches_up_when_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let reserved = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = reserved.local_addr().unwrap();
    drop(reserved);
    let test = TestApp::start_with(Database::Sqlite, |settings| {
        settings.s3.endpoint = Some(format!("http://{address}"));
        settings.s3.access_key_id = Some("key".to_owned());
        settings.s3.secret_access_key = Some("secret".to_owned().into());
    })
    .await;
    let new = test.upload(a_photo(1)).await;
    let listener = TcpListener::bind(address).await.unwrap();
    let running = EmbeddedS3::builder(folder.path())
        .credential("key", "secret", Access::ReadWrite)
        .start(listener)
        .await
        .unwrap();
    test.settle().await;
    assert_eq!(test.tags(&new.key).await.unwrap().len(), 4);
    test.stop().await;
    running.shutdown().await;
}

/// With a shared catalog there is no spool to wait in: what S3 does not take is not acknowledged, and not half there.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_persistent_spool_nothing_is_acknowledged_that_the_store_did_not_take() {
    let store = Store::start().await;
    let test = store.app(Database::Postgres).await;
    store.become_(FAILING);
    let id = uuid::Uuid::now_v7().to_string();
    let send = || test.post("/api/v1/predictions").multipart(form(a_photo(1)).text("id", id.clone())).send();
    let refused = problem(send().await.unwrap(), 503).await;
    assert!(refused.retry_after.is_some());
    store.become_(HEALTHY);
    // The same request again, as the answer asked for: it is accepted once the failed one is cleaned up.
    crate::support::eventually("the photo is accepted", async || send().await.unwrap().status() == 201).await;
    test.settle().await;
    let operator = test.operator().await;
    let page: gourmetgram_api::PredictionPage =
        test.get("/api/v1/predictions").bearer_auth(operator).send().await.unwrap().json().await.unwrap();
    assert_eq!(page.items.len(), 1);
    assert_eq!(test.tags(&page.items[0].key).await.unwrap().len(), 4);
    assert!(store.asked.load(Ordering::SeqCst) > 0);
    test.stop().await;
    store.running.shutdown().await;
}
