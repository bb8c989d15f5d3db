//! What one client may ask for in a time, and who counts as one client.

use gourmetgram::{accounts::Scope, config::Settings};
use gourmetgram_api::ProblemKind;
use reqwest::{RequestBuilder, Response};
use serde_json::json;

use crate::support::{Browser, Database, TestApp, a_photo, form, problem};

/// One photo a minute, five at once; the test's own address is a proxy's if it says so.
fn one_photo_a_minute(settings: &mut Settings) {
    settings.limits.uploads_per_minute = 1;
}

fn upload(test: &TestApp) -> RequestBuilder {
    test.post("/api/v1/predictions").multipart(form(a_photo(1)))
}

async fn spend(test: &TestApp, request: impl Fn() -> RequestBuilder) -> Response {
    for number in 0..5 {
        let answer = request().send().await.unwrap();
        assert_eq!(answer.status(), 201, "{number}");
    }
    let answer = request().send().await.unwrap();
    assert_eq!(test.get("/livez").send().await.unwrap().status(), 200);
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_photos_are_told_when_to_come_back_and_leave_nothing() {
    let test = TestApp::start_with(Database::Sqlite, one_photo_a_minute).await;
    let refused = spend(&test, || upload(&test)).await;
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    let problem = problem(refused, 429).await;
    assert_eq!(problem.kind, ProblemKind::RateLimited);
    assert_eq!(problem.retry_after, Some(wait));
    assert!(
        problem.detail.contains("too many photos") && problem.detail.contains("try again in"),
        "{}",
        problem.detail
    );

    // The tutorial's route takes from the same budget; reading and judging have their own.
    let image = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, a_photo(2));
    assert_eq!(test.post("/predict").json(&json!({"image": image})).send().await.unwrap().status(), 429);
    assert_eq!(test.get("/").send().await.unwrap().status(), 200);
    let operator = test.operator().await;
    let page: gourmetgram_api::PredictionPage =
        test.get("/api/v1/predictions").bearer_auth(&operator).send().await.unwrap().json().await.unwrap();
    assert_eq!(page.items.len(), 5);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_made_up_forwarding_header_buys_no_second_budget() {
    let test = TestApp::start_with(Database::Sqlite, one_photo_a_minute).await;
    let refused = spend(&test, || upload(&test)).await;
    assert_eq!(refused.status(), 429);
    for (name, value) in
        [("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=203.0.113.9"), ("x-real-ip", "203.0.113.9")]
    {
        assert_eq!(upload(&test).header(name, value).send().await.unwrap().status(), 429, "{name}");
    }
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_trusted_proxy_each_client_has_its_own_budget() {
    let test = TestApp::start_with(Database::Sqlite, |settings| {
        one_photo_a_minute(settings);
        settings.server.trusted_proxies = "127.0.0.1".parse().unwrap();
    })
    .await;
    let from = |client: &str| upload(&test).header("x-forwarded-for", client);
    assert_eq!(spend(&test, || from("203.0.113.5")).await.status(), 429);
    // What the client itself wrote stands left of what the proxy adds.
    assert_eq!(from("198.51.100.1, 203.0.113.5").send().await.unwrap().status(), 429);
    assert_eq!(from("203.0.113.6").send().await.unwrap().status(), 201);
    // A household's or host's network of IPv6 addresses is one client.
    assert_eq!(spend(&test, || from("2001:db8:1:2::1")).await.status(), 429);
    assert_eq!(from("2001:db8:1:2:ffff::2").send().await.unwrap().status(), 429);
    assert_eq!(from("2001:db8:1:3::1").send().await.unwrap().status(), 201);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replays_token_has_no_limit_and_another_machines_has() {
    let test = TestApp::start_with(Database::Sqlite, one_photo_a_minute).await;
    let replay = test.token(&[Scope::PredictionsWrite, Scope::PredictionsBackdate]).await;
    let machine = test.token(&[Scope::PredictionsWrite]).await;
    assert_eq!(spend(&test, || upload(&test)).await.status(), 429);
    assert_eq!(upload(&test).bearer_auth(&replay).send().await.unwrap().status(), 201);
    problem(upload(&test).bearer_auth(&machine).send().await.unwrap(), 429).await;
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operators_token_has_no_limit_and_a_forged_one_has() {
    let test = TestApp::start_with(Database::Sqlite, one_photo_a_minute).await;
    let operator = test.operator().await;
    assert_eq!(spend(&test, || upload(&test)).await.status(), 429);
    assert_eq!(upload(&test).bearer_auth(&operator).send().await.unwrap().status(), 201);
    for forged in ["ggo_AAAA", "ggf_AAAA", ""] {
        assert_eq!(upload(&test).bearer_auth(forged).send().await.unwrap().status(), 429, "{forged}");
    }
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_refused_shows_the_page_with_why() {
    let test = TestApp::start_with(Database::Sqlite, one_photo_a_minute).await;
    let ann = Browser::open(&test).await;
    assert_eq!(spend(&test, || upload(&test)).await.status(), 429);
    let refused = ann.post("/photos").multipart(form(a_photo(7))).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    assert!(refused.headers().contains_key("retry-after"));
    assert!(refused.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(refused.text().await.unwrap().to_lowercase().contains("too many photos"));
    test.stop().await;
}

/// What a browser says it takes where it fills a window.
const FOR_A_WINDOW: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_for_too_many_pages_gets_one_that_says_so_and_programs_get_a_problem() {
    let test = TestApp::start_with(Database::Sqlite, |settings| settings.limits.reads_per_minute = 1).await;
    let page = |path: &str| test.get(path).header("accept", FOR_A_WINDOW);
    for _ in 0..5 {
        assert_eq!(page("/").send().await.unwrap().status(), 200);
    }
    for path in ["/", "/photos?class=Soup", "/nowhere"] {
        let refused = page(path).send().await.unwrap();
        assert_eq!(refused.status(), 429, "{path}");
        let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!(refused.headers()["content-type"].to_str().unwrap().starts_with("text/html"), "{path}");
        assert!(refused.headers()["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'"));
        assert_eq!(refused.headers()["cache-control"], "no-store");
        let request_id = refused.headers()["x-request-id"].to_str().unwrap().to_owned();
        let html = refused.text().await.unwrap();
        assert!(html.contains("One plate at a time."), "{html}");
        assert!(html.contains("Too many requests were made from your network in a short time"), "{html}");
        assert!(html.contains(&format!("in {wait} seconds")), "{html}");
        assert!(html.contains("Try again</a>") && html.contains(&request_id), "{html}");
        assert!(!html.contains("_bg.wasm"), "nothing on it moves: {html}");
        assert!(!html.contains("not-now") && !html.contains("not%2Dnow"), "its own address is nobody's: {html}");
    }
    // What is drawn beside the page, what scripts ask for, and what programs with credentials ask for is no page.
    problem(test.get("/").header("accept", "image/avif,*/*").send().await.unwrap(), 429).await;
    problem(page("/api/v1/models/live").send().await.unwrap(), 429).await;
    problem(page("/").bearer_auth("ggf_AAAA").send().await.unwrap(), 429).await;
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_tries_to_sign_in_are_answered_with_a_page_that_leads_back() {
    let test = TestApp::start_with(Database::Sqlite, |settings| settings.limits.sign_ins_per_minute = 1).await;
    let sign_in = || {
        let kind = "application/x-www-form-urlencoded";
        test.post("/login").header("content-type", kind).header("accept", FOR_A_WINDOW).body("name=ann&password=guess")
    };
    for _ in 0..5 {
        assert_ne!(sign_in().send().await.unwrap().status(), 429);
    }
    let refused = sign_in().send().await.unwrap();
    assert_eq!(refused.status(), 429);
    let html = refused.text().await.unwrap();
    assert!(html.contains("Too many tries to sign in were made") && html.contains("To the kitchen</a>"), "{html}");
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_that_says_not_now_is_nowhere_by_itself() {
    let test = TestApp::start(Database::Sqlite).await;
    assert_eq!(test.get("/not-now").send().await.unwrap().status(), 404);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_reads_and_tries_to_sign_in_have_budgets_of_their_own() {
    let test = TestApp::start_with(Database::Sqlite, |settings| {
        settings.limits.feedback_per_minute = 1;
        settings.limits.sign_ins_per_minute = 1;
        settings.limits.reads_per_minute = 10;
    })
    .await;
    let new = test.upload(a_photo(1)).await;
    let flag = || {
        let path = format!("/api/v1/predictions/{}/flag", new.id);
        test.put(&path).bearer_auth(&new.feedback_token).json(&json!({"reason": "other"}))
    };
    let sign_in = || {
        let kind = "application/x-www-form-urlencoded";
        test.post("/login").header("content-type", kind).body("name=ann&password=guess")
    };
    for request in [&flag as &dyn Fn() -> RequestBuilder, &sign_in] {
        for _ in 0..5 {
            assert_ne!(request().send().await.unwrap().status(), 429);
        }
        problem(request().send().await.unwrap(), 429).await;
    }
    // Signing in is limited for operators too: they can guess another one's password.
    let operator = test.operator().await;
    assert_eq!(sign_in().bearer_auth(&operator).send().await.unwrap().status(), 429);
    let mut last = 200;
    for _ in 0..60 {
        last = test.get("/api/v1/models/live").send().await.unwrap().status().as_u16();
    }
    assert_eq!(last, 429);
    test.stop().await;
}
