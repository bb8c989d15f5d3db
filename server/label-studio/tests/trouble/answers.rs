//! Answers that are none, or not those one hoped for.

use gourmetgram_label_studio::{LabelStudioError, ProjectId, Purpose, SourceStorage};
use serde_json::{Value, json};

use crate::badly_behaved::{Asked, Does, Server, TOKEN, client};

fn ann() -> Value {
    json!({ "id": 1, "email": "ann@example.com" })
}

#[tokio::test]
async fn what_may_pass_is_asked_again_until_it_has() {
    let server = Server::start(|_, before| match before {
        0 => Does::Says(503, "text/html", "<h1>starting</h1>".to_owned()),
        1 => Does::Points(429, "retry-after", "0".to_owned()),
        2 => Does::Answers(500, json!({ "detail": "database is locked" })),
        _ => Does::Answers(200, ann()),
    })
    .await;
    assert_eq!(server.client().whoami().await.unwrap().email, "ann@example.com");
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test]
async fn patience_ends_and_the_last_trouble_is_told() {
    for status in [408, 429, 500, 502, 503, 504] {
        let server = Server::start(move |_, _| Does::Answers(status, json!({ "detail": "database is locked" }))).await;
        let error = server.client().whoami().await.unwrap_err();
        assert!(error.is_retryable(), "{error}");
        assert!(error.to_string().contains("database is locked") && error.to_string().contains(&server.url), "{error}");
        assert_eq!(server.asked().len(), 4, "{status}");
    }
}

#[tokio::test]
async fn a_refusal_is_told_at_once_with_what_to_do() {
    for (status, word) in [
        (400, "refuses"),
        (401, "Account & Settings"),
        (403, "SSRF_PROTECTION_ENABLED=false"),
        (404, "deleted"),
        (409, "refuses"),
        (413, "refuses"),
    ] {
        let server = Server::start(move |_, _| Does::Answers(status, json!({ "detail": "it is so" }))).await;
        let error = server.client().whoami().await.unwrap_err();
        assert!(!error.is_retryable());
        assert!(error.to_string().contains(word) && error.to_string().contains("it is so"), "{status}: {error}");
        assert_eq!(server.asked().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let server = Server::start(|_, _| Does::Sleeps).await;
    let error = server.client().whoami().await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test]
async fn nobody_there_is_a_trouble_that_may_pass() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = client(&format!("http://{free}"), TOKEN).whoami().await.unwrap_err();
    assert!(error.is_retryable() && error.to_string().contains(&free.to_string()), "{error}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_asked_for_again() {
    let server = Server::start(|_, before| match before {
        0 | 1 => Does::BreaksOff("{\"id\": 1, ".to_owned()),
        _ => Does::Answers(200, ann()),
    })
    .await;
    assert_eq!(server.client().whoami().await.unwrap().email, "ann@example.com");
    assert_eq!(server.asked().len(), 3);
}

#[tokio::test]
async fn what_is_no_label_studio_is_not_believed() {
    let page = "<!DOCTYPE html><title>Hotel Wi-Fi: please sign in</title>";
    let server = Server::start(|_, _| Does::Says(200, "text/html", page.to_owned())).await;
    for error in [
        server.client().whoami().await.unwrap_err(),
        server.client().projects().await.unwrap_err(),
        server.client().tasks(ProjectId(1)).await.unwrap_err(),
    ] {
        assert!(matches!(error, LabelStudioError::Unexpected { .. }), "{error}");
        assert!(error.to_string().contains("DOCTYPE"), "{error}");
    }
}

#[tokio::test]
async fn a_token_is_not_carried_to_where_an_answer_points() {
    let elsewhere = Server::start(|_, _| Does::Answers(200, ann())).await;
    let target = format!("{}/api/current-user/whoami", elsewhere.url);
    let pointed = target.clone();
    let server = Server::start(move |_, _| Does::Points(302, "location", pointed.clone())).await;
    let error = server.client().whoami().await.unwrap_err();
    assert!(matches!(error, LabelStudioError::Moved { .. }) && error.to_string().contains(&target), "{error}");
    assert!(elsewhere.asked().is_empty());
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_without_end() {
    let server = Server::start(|_, _| Does::Says(200, "application/json", " ".repeat(65 * 1024 * 1024))).await;
    let error = server.client().whoami().await.unwrap_err();
    assert!(matches!(error, LabelStudioError::TooLong { .. }), "{error}");
}

#[tokio::test]
async fn secrets_that_it_repeats_are_not_repeated_by_us() {
    let secret = "the-readers-secret";
    let server = Server::start(move |asked, _| match asked.line().as_str() {
        "GET /api/storages/s3/" => Does::Answers(200, json!([])),
        _ => Does::Answers(400, json!({ "detail": format!("{secret} of {} is wrong", asked.authorization) })),
    })
    .await;
    let storage = SourceStorage {
        title: "GourmetGram".to_owned(),
        endpoint: None,
        region: "us-east-1".to_owned(),
        bucket: "production".to_owned(),
        key: "reader".to_owned(),
        secret: secret.into(),
        purpose: Purpose::ServePhotos,
    };
    let error = server.client().ensure_storage(ProjectId(1), &storage).await.unwrap_err();
    assert!(error.to_string().contains("is wrong"), "{error}");
    for text in [error.to_string(), format!("{error:?}"), format!("{storage:?}"), format!("{:?}", server.client())] {
        assert!(!text.contains(secret) && !text.contains(TOKEN), "{text}");
    }
}

/// Tasks as Label Studio lists them, from the number after the one asked for.
fn tasks_after(
    asked: &Asked,
    numbers: std::ops::RangeInclusive<i64>,
    page: usize,
    total: impl Fn(usize) -> usize,
) -> Does {
    let after = after(asked);
    let left: Vec<_> = numbers.filter(|&number| number > after).collect();
    let tasks: Vec<_> = left.iter().take(page).map(|id| json!({ "id": id, "data": {}, "annotations": [] })).collect();
    Does::Answers(200, json!({ "tasks": tasks, "total": total(left.len()) }))
}

/// The number after which tasks are asked for.
pub fn after(asked: &Asked) -> i64 {
    filter(asked, "filter:tasks:id").map_or(0, |number| number.as_i64().unwrap())
}

/// What a column is filtered by.
pub fn filter(asked: &Asked, column: &str) -> Option<Value> {
    let url = url::Url::parse(&format!("http://studio/?{}", asked.query)).unwrap();
    let (_, query) = url.query_pairs().find(|(name, _)| name == "query").unwrap();
    let query: Value = serde_json::from_str(&query).unwrap();
    let filters = query["filters"]["items"].as_array().unwrap();
    filters.iter().find(|filter| filter["filter"] == column).map(|filter| filter["value"].clone())
}

#[tokio::test]
async fn a_server_that_gives_smaller_pages_than_asked_for_gives_all_the_same() {
    let server = Server::start(|asked, _| tasks_after(asked, 1..=7, 2, |left| left)).await;
    let tasks = server.client().tasks(ProjectId(1)).await.unwrap();
    assert_eq!(tasks.iter().map(|task| task.id.0).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
}

#[tokio::test]
async fn fewer_tasks_than_there_are_is_an_error_and_not_a_shorter_list() {
    // It says that one more is left than it gives.
    let server = Server::start(|asked, _| tasks_after(asked, 1..=7, 200, |left| left + 1)).await;
    let error = server.client().tasks(ProjectId(1)).await.unwrap_err();
    assert!(matches!(&error, LabelStudioError::Unexpected { reason, .. } if reason.contains("left")), "{error}");
}

#[tokio::test]
async fn a_list_that_starts_over_is_an_error_and_not_an_endless_walk() {
    // One that does not understand what is asked: it gives the first page for ever.
    let page = json!({ "tasks": [{ "id": 1, "data": {}, "annotations": [] }], "total": 2 });
    let server = Server::start(move |_, _| Does::Answers(200, page.clone())).await;
    let error = server.client().tasks(ProjectId(1)).await.unwrap_err();
    assert!(matches!(&error, LabelStudioError::Unexpected { reason, .. } if reason.contains("order")), "{error}");
}

#[tokio::test]
async fn tasks_without_their_annotations_are_an_error_and_not_tasks_without_labels() {
    let page = json!({ "tasks": [{ "id": 1, "data": {}, "annotations": null }], "total": 1 });
    let server = Server::start(move |_, _| Does::Answers(200, page.clone())).await;
    let error = server.client().tasks(ProjectId(1)).await.unwrap_err();
    assert!(matches!(&error, LabelStudioError::Unexpected { .. }), "{error}");
}

/// Its counters cannot be relied upon, so they are not read.
#[tokio::test]
async fn labels_are_found_also_where_its_own_counters_say_there_are_none() {
    let annotation = json!({
        "id": 7, "completed_by": 3, "result": [],
        "created_at": "2026-11-24T20:30:00Z", "updated_at": "2026-11-24T20:30:00Z",
    });
    let task = json!({ "id": 1, "data": {}, "total_annotations": 0, "is_labeled": false, "annotations": [annotation] });
    let page = json!({ "tasks": [task], "total": 1, "total_annotations": 0 });
    let server = Server::start(move |_, _| Does::Answers(200, page.clone())).await;
    let tasks = server.client().tasks(ProjectId(1)).await.unwrap();
    assert_eq!(tasks[0].annotations.len(), 1);
    assert!(!server.asked()[0].query.contains("total_annotations"));
}
