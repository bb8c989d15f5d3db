//! Access tokens that end.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use gourmetgram_label_studio::LabelStudioError;
use serde_json::json;

use crate::badly_behaved::{Asked, Does, Server, client};

const REFRESH: &str = "POST /api/token/refresh/";

fn personal_token() -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.c2ln", part(r#"{"alg":"HS256"}"#), part(r#"{"token_type":"refresh"}"#))
}

/// Sells tokens called `access-0`, `access-1`, …, by the number of requests so far.
fn sells(asked: &Asked, before: usize) -> Does {
    assert_eq!(asked.authorization, "", "buying needs no token");
    assert_eq!(asked.body["refresh"], personal_token());
    Does::Answers(200, json!({ "access": format!("access-{before}") }))
}

fn ann() -> Does {
    Does::Answers(200, json!({ "id": 1, "email": "ann@example.com" }))
}

fn no() -> Does {
    Does::Answers(401, json!({ "detail": "Given token not valid for any token type" }))
}

#[tokio::test]
async fn an_access_token_that_has_ended_is_bought_anew_once() {
    // Only the second one it sells is good.
    let server = Server::start(|asked, before| match (asked.line().as_str(), asked.authorization.as_str()) {
        (REFRESH, _) => sells(asked, before),
        (_, "Bearer access-2") => ann(),
        _ => no(),
    })
    .await;
    let client = client(&server.url, &personal_token());
    client.whoami().await.unwrap();
    client.whoami().await.unwrap();
    let who = "GET /api/current-user/whoami";
    assert_eq!(server.lines(), [REFRESH, who, REFRESH, who, who]);
}

#[tokio::test]
async fn a_token_that_is_refused_when_it_is_new_is_not_bought_for_ever() {
    let server = Server::start(|asked, before| match asked.line().as_str() {
        REFRESH => sells(asked, before),
        _ => no(),
    })
    .await;
    let error = client(&server.url, &personal_token()).whoami().await.unwrap_err();
    assert!(matches!(error, LabelStudioError::TokenRefused { .. }), "{error}");
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test]
async fn a_personal_token_that_was_revoked_is_named_as_the_trouble() {
    let server = Server::start(|asked, _| match asked.line().as_str() {
        REFRESH => Does::Answers(401, json!({ "detail": "Token is blacklisted", "code": "token_not_valid" })),
        line => panic!("{line} without a token"),
    })
    .await;
    let error = client(&server.url, &personal_token()).whoami().await.unwrap_err();
    assert!(matches!(error, LabelStudioError::TokenRefused { .. }), "{error}");
    assert!(error.to_string().contains("Token is blacklisted"), "{error}");
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn many_requests_at_once_buy_one_token_between_them() {
    let server = Server::start(|asked, before| match asked.line().as_str() {
        REFRESH => sells(asked, before),
        _ if asked.authorization == "Bearer access-0" => ann(),
        _ => no(),
    })
    .await;
    let client = client(&server.url, &personal_token());
    let all = (0..20).map(|_| client.whoami());
    assert!(futures::future::join_all(all).await.iter().all(Result::is_ok));
    assert_eq!(server.lines().iter().filter(|&line| line == REFRESH).count(), 1);
}

#[tokio::test]
async fn an_answer_with_a_token_that_cannot_be_read_does_not_show_it() {
    let server = Server::start(|_, _| Does::Answers(200, json!({ "token": "access-secret" }))).await;
    let error = client(&server.url, &personal_token()).whoami().await.unwrap_err();
    assert!(matches!(error, LabelStudioError::Unexpected { .. }), "{error}");
    assert!(!format!("{error:?}").contains("access-secret"));
}
