//! The Label Studio under test, a bucket server for it to read from, and what annotators do in it.

use aws_sdk_s3::{
    config::{Credentials, Region},
    primitives::ByteStream,
};
use embedded_s3::{Access, EmbeddedS3, Running};
use gourmetgram_api::Classes;
use gourmetgram_label_studio::{
    ApiToken, LabelStudio, ModelAnswer, NewProject, NewTask, Project, ProjectTitle, Purpose, RemoteTaskId, Settings,
    Showing, SourceStorage,
};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use uuid::Uuid;

pub const PRODUCTION: &str = "production";
pub const LABEL_WAIT: &str = "production-label-wait";
pub const READ_ONLY_KEY: &str = "reader";
pub const READ_ONLY_SECRET: &str = "the-readers-secret";

/// A running Label Studio.
pub struct Studio {
    pub url: String,
    pub legacy_token: String,
    pub personal_token: String,
    /// Ours.
    pub client: LabelStudio,
    /// As annotators' browsers and other people's scripts talk to it.
    http: Client,
}

impl Studio {
    /// The one that was started for the tests.
    #[expect(clippy::print_stderr, reason = "a skipped test must be seen")]
    pub fn find(test: &str) -> Option<Self> {
        let variable = |name: &str| std::env::var(format!("GOURMETGRAM_TEST_LABEL_STUDIO_{name}")).ok();
        let Some(url) = variable("URL") else {
            eprintln!(
                "skipped: {test}: GOURMETGRAM_TEST_LABEL_STUDIO_URL names no Label Studio (`make test` starts one)"
            );
            return None;
        };
        let legacy_token = variable("TOKEN").expect("GOURMETGRAM_TEST_LABEL_STUDIO_TOKEN");
        let personal_token = variable("PERSONAL_TOKEN").expect("GOURMETGRAM_TEST_LABEL_STUDIO_PERSONAL_TOKEN");
        let client = client(&url, &legacy_token, 200);
        Some(Self { url, legacy_token, personal_token, client, http: Client::new() })
    }

    /// A client that asks for so many tasks at a time.
    pub fn client_with(&self, tasks_per_request: usize) -> LabelStudio {
        client(&self.url, &self.legacy_token, tasks_per_request)
    }

    /// What Label Studio itself answers, without our client.
    pub async fn raw(&self, method: Method, path: &str, body: Value) -> Value {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        request = request.header("authorization", format!("Token {}", self.legacy_token));
        if !body.is_null() {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// A file as an annotator's browser gets it.
    pub async fn file(&self, path: &str) -> reqwest::Response {
        let request = self.http.get(format!("{}{path}", self.url));
        request.header("authorization", format!("Token {}", self.legacy_token)).send().await.unwrap()
    }

    /// A project of its own.
    pub async fn project(&self, showing: Showing) -> Project {
        self.client.ensure_project(&wanted(showing)).await.unwrap()
    }

    /// Somebody submits these choices; its number.
    pub async fn annotate(&self, task: RemoteTaskId, choices: &[&str]) -> i64 {
        self.submit(task, json!({ "result": result(choices), "lead_time": 3.5 })).await
    }

    /// Somebody skips the task.
    pub async fn skip(&self, task: RemoteTaskId) -> i64 {
        self.submit(task, json!({ "result": [], "was_cancelled": true })).await
    }

    async fn submit(&self, task: RemoteTaskId, annotation: Value) -> i64 {
        let made = self.raw(Method::POST, &format!("/api/tasks/{task}/annotations/"), annotation).await;
        made["id"].as_i64().unwrap()
    }
}

fn client(url: &str, token: &str, tasks_per_request: usize) -> LabelStudio {
    let token = ApiToken::new(&token.into()).unwrap();
    LabelStudio::new(Settings { tasks_per_request, ..Settings::new(url.parse().unwrap(), token) }).unwrap()
}

/// The result of an annotation, as Label Studio's page makes it.
pub fn result(choices: &[&str]) -> Value {
    let value = json!({ "choices": choices });
    json!([{ "from_name": "label", "to_name": "image", "type": "choices", "value": value }])
}

pub fn classes(labels: &[&str]) -> Classes {
    Classes::new(labels.iter().map(|&label| label.to_owned()).collect()).unwrap()
}

/// A project nobody else has.
pub fn wanted(showing: Showing) -> NewProject {
    NewProject {
        title: ProjectTitle::of("Continuous"),
        mark: format!("campaign {}", Uuid::now_v7()),
        classes: classes(&["Bread", "Noodles/Pasta", "Soup"]),
        showing,
    }
}

pub fn blind_task(photo: impl Into<String>) -> NewTask {
    NewTask { id: Uuid::new_v4(), photo: photo.into(), shown: None, people: 1 }
}

pub fn shown_task(
    photo: impl Into<String>,
    predicted_class: &str,
    confidence: f64,
    correction: Option<&str>,
) -> NewTask {
    let shown = ModelAnswer {
        predicted_class: predicted_class.to_owned(),
        confidence,
        corrected_class: correction.map(str::to_owned),
        model_version: "food64".to_owned(),
        is_a_choice: true,
    };
    NewTask { shown: Some(shown), ..blind_task(photo) }
}

/// Our embedded S3 server, with the buckets and a key for reading only.
pub struct Buckets {
    running: Running,
    client: aws_sdk_s3::Client,
    _folder: TempDir,
}

impl Buckets {
    pub async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let running = EmbeddedS3::builder(folder.path())
            .credential("writer", "the-writers-secret", Access::ReadWrite)
            .credential(READ_ONLY_KEY, READ_ONLY_SECRET, Access::ReadOnly)
            .start(TcpListener::bind("127.0.0.1:0").await.unwrap())
            .await
            .unwrap();
        let config = aws_sdk_s3::Config::builder()
            .behavior_version_latest()
            .endpoint_url(running.endpoint())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("writer", "the-writers-secret", None, None, "test"))
            .force_path_style(true)
            .build();
        let client = aws_sdk_s3::Client::from_conf(config);
        for bucket in [PRODUCTION, LABEL_WAIT] {
            client.create_bucket().bucket(bucket).send().await.unwrap();
        }
        Self { running, client, _folder: folder }
    }

    /// Puts a photo there, with a tag that tells what the model said; its `s3://` name.
    pub async fn put(&self, bucket: &str, key: &str, bytes: &[u8]) -> String {
        let put = self.client.put_object().bucket(bucket).key(key).content_type("image/jpeg");
        put.tagging("predicted_class=Soup").body(ByteStream::from(bytes.to_vec())).send().await.unwrap();
        format!("s3://{bucket}/{key}")
    }

    /// A bucket as Label Studio is to know it.
    pub fn storage(&self, bucket: &str, purpose: Purpose) -> SourceStorage {
        SourceStorage {
            title: format!("GourmetGram {bucket}"),
            endpoint: Some(self.running.endpoint().parse().unwrap()),
            region: "us-east-1".to_owned(),
            bucket: bucket.to_owned(),
            key: READ_ONLY_KEY.to_owned(),
            secret: READ_ONLY_SECRET.into(),
            purpose,
        }
    }
}
