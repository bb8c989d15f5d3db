//! Webhooks.

use std::time::Duration;

use axum::{Router, body::Bytes, http::HeaderMap, routing::post};
use gourmetgram_label_studio::{LabelStudioError, NewWebhook, Showing, WebhookHint};
use reqwest::Method;
use serde_json::Value;
use tokio::{net::TcpListener, sync::mpsc};

use crate::studio::{Studio, blind_task};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn label_studio_hints_with_our_secret_that_somebody_labelled() {
    let Some(studio) = Studio::find("label_studio_hints_with_our_secret_that_somebody_labelled") else { return };
    let (told, mut hints) = mpsc::unbounded_channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/v1/label-studio/webhook?project=7", listener.local_addr().unwrap());
    let take = move |headers: HeaderMap, body: Bytes| async move {
        let secret = headers.get("x-gourmetgram-webhook").map(|value| value.to_str().unwrap().to_owned());
        told.send((secret, WebhookHint::read(&body))).unwrap();
    };
    let router = Router::new().route("/api/v1/label-studio/webhook", post(take));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

    let project = studio.project(Showing::Blind).await;
    let header = "X-GourmetGram-Webhook".to_owned();
    let webhook = NewWebhook { url: url.parse().unwrap(), header, secret: "first".into() };
    let made = studio.client.ensure_webhook(project.id, &webhook).await.unwrap();
    assert_eq!(studio.client.ensure_webhook(project.id, &webhook).await.unwrap(), made);
    // Another secret takes the place of the first.
    let webhook = NewWebhook { secret: "second".into(), ..webhook };
    assert_eq!(studio.client.ensure_webhook(project.id, &webhook).await.unwrap(), made);
    let all = studio.raw(Method::GET, &format!("/api/webhooks/?project={}", project.id), Value::Null).await;
    assert_eq!(all.as_array().unwrap().len(), 1);

    let task = studio.client.import_tasks(project.id, &[blind_task("https://example.com/0.jpg")]).await.unwrap();
    studio.annotate(task[0].remote, &["Soup"]).await;
    let hint = tokio::time::timeout(Duration::from_secs(30), hints.recv()).await.expect("a hint").unwrap();
    let expected = WebhookHint { action: "ANNOTATION_CREATED".to_owned(), project: None };
    assert_eq!(hint, (Some("second".to_owned()), Some(expected)));
    studio.client.delete_project(project.id).await.unwrap();
}

#[tokio::test]
async fn a_webhook_to_a_host_without_a_dot_is_refused_in_label_studios_words() {
    let test = "a_webhook_to_a_host_without_a_dot_is_refused_in_label_studios_words";
    let Some(studio) = Studio::find(test) else { return };
    let project = studio.project(Showing::Blind).await;
    let (url, header) = ("http://gourmetgram:8080/".parse().unwrap(), "X-GourmetGram-Webhook".to_owned());
    let webhook = NewWebhook { url, header, secret: "the-secret".into() };
    let error = studio.client.ensure_webhook(project.id, &webhook).await.unwrap_err();
    let LabelStudioError::Refused { status: 400, said, .. } = &error else { panic!("{error}") };
    assert_eq!(said, "url: Enter a valid URL.");
    assert!(!format!("{error:?}").contains("the-secret"));
    studio.client.delete_project(project.id).await.unwrap();
}
