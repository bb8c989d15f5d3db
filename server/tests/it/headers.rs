//! What every kind of answer tells the browser.

use reqwest::{Response, header::HeaderMap};

use crate::support::{Browser, Database, TestApp, a_photo, form};

const NOTHING: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

fn value<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).unwrap_or_else(|| panic!("there is no {name}")).to_str().unwrap()
}

fn check(what: &str, answer: &Response) {
    let headers = answer.headers();
    for (name, expected) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(value(headers, name), expected, "{what}");
    }
    let permissions = value(headers, "permissions-policy");
    assert!(permissions.starts_with("camera=(self), "), "{what}: {permissions}");
    for denied in ["geolocation=()", "microphone=()", "payment=()", "usb=()"] {
        assert!(permissions.contains(denied), "{what}: {permissions}");
    }
    let policy = value(headers, "content-security-policy");
    assert!(policy.starts_with("default-src 'none'"), "{what}: {policy}");
    assert!(policy.contains("frame-ancestors 'none'") || policy.contains("sandbox"), "{what}: {policy}");
    assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{what}: {policy}");
    assert_eq!(headers.get_all("content-security-policy").iter().count(), 1, "{what}");
    for absent in ["server", "x-powered-by", "access-control-allow-origin", "strict-transport-security"] {
        assert!(!headers.contains_key(absent), "{what} has {absent}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_answer_protects_itself() {
    let test = TestApp::start_with(Database::Sqlite, |settings| settings.limits.feedback_per_minute = 1).await;
    let ann = Browser::open(&test).await;
    let new = ann.upload(a_photo(1)).await;
    let photo = format!("/api/v1/predictions/{}/image", new.id);
    let flag = format!("/api/v1/predictions/{}/flag", new.id);
    let answers = [
        ("a page", ann.get("/").send().await, 200),
        ("a page of nothing", ann.get("/nothing/here").send().await, 404),
        ("a page of a form refused", ann.post("/photos").multipart(form(b"x".to_vec())).send().await, 422),
        ("a form done", ann.post("/photos").multipart(form(a_photo(2))).send().await, 303),
        ("a photo", ann.get(&photo).send().await, 200),
        ("an answer of the API", ann.get("/api/v1/predictions").send().await, 200),
        ("a refusal", test.get("/api/v1/predictions").send().await, 401),
        ("no such path", ann.get("/api/nothing").send().await, 404),
        ("no such method", test.put("/livez").send().await, 405),
        ("the description", ann.get("/api/openapi.json").send().await, 200),
        ("a probe", test.get("/livez").send().await, 200),
        ("metrics", test.get("/metrics").send().await, 200),
        ("the tutorial's route", test.post("/predict").send().await, 400),
    ];
    for (what, answer, status) in answers {
        let answer = answer.unwrap();
        assert_eq!(answer.status(), status, "{what}");
        check(what, &answer);
    }
    let mut last = test.delete(&flag).send().await.unwrap();
    for _ in 0..5 {
        last = test.delete(&flag).send().await.unwrap();
    }
    assert_eq!(last.status(), 429);
    check("too often", &last);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_pages_own_scripts_run() {
    let test = TestApp::start(Database::Sqlite).await;
    let page = test.get("/").send().await.unwrap();
    let policy = value(page.headers(), "content-security-policy").to_owned();
    let nonce = policy.split_once("'nonce-").and_then(|(_, rest)| rest.split_once('\'')).unwrap().0.to_owned();
    assert!(nonce.len() >= 16, "{nonce}");
    assert_eq!(
        policy.replace(&nonce, "N"),
        "default-src 'none'; script-src 'self' 'nonce-N' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob:; \
         font-src 'self'; connect-src 'self' blob:; manifest-src 'self'; worker-src 'self'; form-action 'self'; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    let html = page.text().await.unwrap();
    let scripts: Vec<&str> =
        html.split("<script").skip(1).filter_map(|rest| rest.split_once('>')).map(|it| it.0).collect();
    for script in &scripts {
        assert!(script.contains(&format!("nonce=\"{nonce}\"")) || script.contains("src="), "<script{script}>");
    }
    for attribute in [" onclick=", " onload=", " onerror=", "javascript:", " style=\""] {
        assert!(!html.contains(attribute), "{attribute}");
    }
    // Nobody can know the next one.
    let next = test.get("/").send().await.unwrap();
    assert!(!value(next.headers(), "content-security-policy").contains(&nonce));
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn data_is_never_a_document() {
    let test = TestApp::start(Database::Sqlite).await;
    for path in ["/livez", "/metrics", "/api/openapi.json", "/api/v1/models/live", "/api/nothing"] {
        let answer = test.get(path).send().await.unwrap();
        assert_eq!(value(answer.headers(), "content-security-policy"), NOTHING, "{path}");
        assert!(!value(answer.headers(), "content-type").contains("html"), "{path}");
    }
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strict_transport_security_comes_with_tls_only() {
    for (url, strict) in [(None, false), (Some("http://food.example"), false), (Some("https://food.example"), true)] {
        let test = TestApp::start_with(Database::Sqlite, |settings| {
            settings.server.public_url = url.map(|url| url.parse().unwrap());
        })
        .await;
        for path in ["/", "/livez", "/api/nothing"] {
            let answer = test.get(path).send().await.unwrap();
            let found = answer.headers().get("strict-transport-security").map(|value| value.to_str().unwrap());
            assert_eq!(found, strict.then_some("max-age=63072000"), "{url:?} {path}");
        }
        test.stop().await;
    }
}
