//! Who may do what: the table of routes, requests of other sites, scopes, whose photos are whose.

use gourmetgram::{
    accounts::Scope,
    http::rules::{Kind, RULES, Rule, Who},
};
use gourmetgram_api::{PredictionPage, Role};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::{
    on_both_databases,
    support::{Browser, Database, PASSWORD, TestApp, a_photo, created, form, problem},
};

const NO_ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

fn path_of(rule: &Rule) -> String {
    rule.path.replace("{id}", NO_ID)
}

fn method_of(rule: &Rule) -> Method {
    rule.method.parse().unwrap()
}

fn changes_something(rule: &&Rule) -> bool {
    !method_of(rule).is_safe()
}

on_both_databases! {
    operators_see_every_photo_annotators_none_that_is_not_theirs => async |database| {
        let test = TestApp::start(database).await;
        let ann = Browser::open(&test).await;
        let photo = ann.upload(a_photo(1)).await;
        let path = format!("/api/v1/predictions/{}", photo.id);
        let page = format!("/?photo={}", photo.id);

        let operator = Browser::signed_in(&test, "otto", Role::Operator).await;
        for path in [path.clone(), format!("{path}/image"), page.clone()] {
            assert_eq!(operator.get(&path).send().await.unwrap().status(), 200, "{path}");
        }
        let all: PredictionPage = operator.get("/api/v1/predictions").send().await.unwrap().json().await.unwrap();
        assert_eq!(all.items.len(), 1);
        let mine: PredictionPage =
            operator.get("/api/v1/predictions?mine=true").send().await.unwrap().json().await.unwrap();
        assert!(mine.items.is_empty(), "ann's photo is not among the operator's own");

        let annotator = Browser::signed_in(&test, "anna", Role::Annotator).await;
        for path in [path.clone(), format!("{path}/image")] {
            problem(annotator.get(&path).send().await.unwrap(), 404).await;
        }
        assert_eq!(annotator.get(&page).send().await.unwrap().status(), 404);
        problem(annotator.delete(&path).send().await.unwrap(), 404).await;
        let all: PredictionPage = annotator.get("/api/v1/predictions").send().await.unwrap().json().await.unwrap();
        assert!(all.items.is_empty());
        test.stop().await;
    };

    what_a_signed_in_operator_uploads_belongs_to_their_browser => async |database| {
        let test = TestApp::start(database).await;
        let operator = Browser::signed_in(&test, "otto", Role::Operator).await;
        let other = Browser::open(&test).await.upload(a_photo(1)).await;
        let own = operator.upload(a_photo(2)).await;
        let mine: PredictionPage =
            operator.get("/api/v1/predictions?mine=true").send().await.unwrap().json().await.unwrap();
        assert_eq!(mine.items.iter().map(|item| item.id).collect::<Vec<_>>(), [own.id]);
        for (id, by) in [(own.id, "visitor"), (other.id, "operator")] {
            let flag = operator.put(&format!("/api/v1/predictions/{id}/flag")).json(&json!({"reason": "other"}));
            assert_eq!(flag.send().await.unwrap().status(), 200);
            let seen: gourmetgram_api::Prediction =
                operator.get(&format!("/api/v1/predictions/{id}")).send().await.unwrap().json().await.unwrap();
            assert_eq!(seen.history[0].by, by);
        }
        test.stop().await;
    };

    a_token_does_what_its_scopes_name_and_nothing_else => async |database| {
        let test = TestApp::start(database).await;
        let photo = Browser::open(&test).await.upload(a_photo(1)).await;
        let path = format!("/api/v1/predictions/{}", photo.id);
        let flag = json!({"reason": "other"});
        for scope in Scope::ALL {
            let token = test.token(&[scope]).await;
            let tries = [
                (Scope::PredictionsRead, test.get("/api/v1/predictions")),
                (Scope::PredictionsRead, test.get(&path)),
                (Scope::PredictionsRead, test.get(&format!("{path}/image"))),
                (Scope::FeedbackWrite, test.put(&format!("{path}/flag")).json(&flag)),
                (Scope::FeedbackWrite, test.delete(&format!("{path}/flag"))),
                (Scope::PredictionsWrite, test.post("/api/v1/predictions").multipart(form(a_photo(2)))),
                (Scope::CampaignsRead, test.get("/api/v1/campaigns")),
                (
                    Scope::CampaignsWrite,
                    test.post("/api/v1/campaigns").json(&json!({ "preset": "production", "name": scope.as_str() })),
                ),
                (Scope::MetricsRead, test.get("/metrics")),
            ];
            for (needed, request) in tries {
                let answer = request.bearer_auth(&token).send().await.unwrap();
                if scope == needed || scope == Scope::Admin {
                    assert!(answer.status().is_success(), "{scope} for {needed}: {}", answer.status());
                } else {
                    let refused = problem(answer, 403).await;
                    assert!(refused.detail.contains(needed.as_str()), "{}", refused.detail);
                }
            }
        }
        let eraser = test.token(&[Scope::PredictionsErase]).await;
        problem(test.get(&path).bearer_auth(&eraser).send().await.unwrap(), 403).await;
        assert_eq!(test.delete(&path).bearer_auth(&eraser).send().await.unwrap().status(), 204);
        test.stop().await;
    };

    a_revoked_or_expired_token_opens_nothing => async |database| {
        let test = TestApp::start(database).await;
        let scopes = [Scope::Admin].into_iter().collect();
        let catalog = test.app.catalog();
        let at = |minutes| Some(gourmetgram::catalog::now() + chrono::TimeDelta::minutes(minutes));
        for (name, end) in [("for ever", None), ("good", at(1)), ("old", at(-1))] {
            let hash = gourmetgram::http::sha256_hex(format!("ggo_{name}").as_bytes());
            assert!(catalog.add_access_token(name, &scopes, hash, end).await.unwrap());
        }
        let status = async |name: &str| {
            test.get("/api/v1/predictions").bearer_auth(format!("ggo_{name}")).send().await.unwrap().status()
        };
        assert_eq!(status("for ever").await, 200);
        assert_eq!(status("good").await, 200);
        assert_eq!(status("old").await, 401);
        assert!(catalog.revoke_access_token("good").await.unwrap());
        assert!(!catalog.revoke_access_token("good").await.unwrap());
        assert_eq!(status("good").await, 401);
        test.stop().await;
    };
}

#[tokio::test]
async fn no_route_that_changes_something_hears_other_sites() {
    let test = TestApp::start(Database::Sqlite).await;
    let operator = Browser::signed_in(&test, "otto", Role::Operator).await;
    let photo = operator.upload(a_photo(1)).await;
    let foreign = [
        vec![("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
        vec![("sec-fetch-site", "same-site")],
        vec![("origin", "https://evil.example")],
        vec![("origin", "null")],
        // And nothing at all, which no browser sends.
        vec![],
    ];
    let mut walked = 0;
    for rule in RULES.iter().filter(changes_something) {
        let path = rule.path.replace("{id}", &photo.id.to_string());
        for headers in &foreign {
            let mut request = operator.bare(method_of(rule), &path);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let answer = request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
            assert_eq!(answer.status(), 403, "{} {} {headers:?}", rule.method, rule.path);
            walked += 1;
        }
    }
    assert!(walked >= 60, "{walked}");
    // Nothing happened: still signed in, still there, still unjudged.
    let seen = operator.get(&format!("/api/v1/predictions/{}", photo.id)).send().await.unwrap();
    assert_eq!(seen.status(), 200);
    assert!(seen.json::<gourmetgram_api::Prediction>().await.unwrap().history.is_empty());
    assert_eq!(operator.get("/login/account").send().await.unwrap().status(), 200);
    // Nobody is signed in by another site either, cookie or not.
    let body = format!("name=otto&password={}", PASSWORD.replace(' ', "+"));
    let signed_in = test
        .post("/login")
        .header("origin", "https://evil.example")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    let signed_in = signed_in.send().await.unwrap();
    assert_eq!(signed_in.status(), 403);
    assert!(
        signed_in.headers().get_all("set-cookie").iter().all(|cookie| !cookie.to_str().unwrap().contains("session"))
    );
    test.stop().await;
}

#[tokio::test]
async fn no_route_asks_strangers_for_anything_before_it_knows_who_they_are() {
    let test = TestApp::start(Database::Sqlite).await;
    for rule in RULES {
        let request = test.client.request(method_of(rule), format!("{}{}", test.url, path_of(rule)));
        let answer = request.body("{").send().await.unwrap();
        let status = answer.status();
        match (rule.who, rule.kind) {
            (Who::Anybody, _) => assert!(
                status != StatusCode::UNAUTHORIZED && status != StatusCode::FORBIDDEN,
                "{} {}: {status}",
                rule.method,
                rule.path
            ),
            // Whoever labels without scripts comes back to the page, not to the address of its form.
            (Who::Role(_), Kind::Form) if rule.path.starts_with("/review/") => {
                assert_eq!(status, 303, "{} {}", rule.method, rule.path);
                assert_eq!(answer.headers()["location"], "/login?next=%2Freview");
            }
            (Who::Owner, _) | (Who::Role(_), Kind::Form | Kind::Api) => {
                assert_eq!(status, 401, "{} {}", rule.method, rule.path);
            }
            (Who::Role(_), Kind::Page) => {
                assert_eq!(status, 303, "{} {}", rule.method, rule.path);
                let there = answer.headers()["location"].to_str().unwrap().to_owned();
                assert!(there.starts_with("/login?next=%2F"), "{there}");
            }
        }
    }
    test.stop().await;
}

#[tokio::test]
async fn pages_are_for_those_they_are_for() {
    let test = TestApp::start(Database::Sqlite).await;
    let annotator = Browser::signed_in(&test, "anna", Role::Annotator).await;
    let operator = Browser::signed_in(&test, "otto", Role::Operator).await;
    for rule in RULES.iter().filter(|rule| rule.who == Who::Role(Role::Operator) && rule.kind == Kind::Page) {
        for path in [rule.path.to_owned(), format!("{}/17", rule.path)] {
            let refused = annotator.get(&path).send().await.unwrap();
            assert_eq!(refused.status(), 403, "{path}");
            let text = refused.text().await.unwrap();
            assert!(text.contains("This room is for others.") && text.contains("anna"), "{text}");
            assert!(!text.contains("hydrate"), "its address is another page's: it must not come alive: {text}");
            let status = operator.get(&path).send().await.unwrap().status();
            assert!(status != 403 && status != 303, "{path}: {status}");
        }
    }
    let wanted = test.get("/photos?class=Noodles%2FPasta&flagged=true").send().await.unwrap();
    let there = wanted.headers()["location"].to_str().unwrap();
    assert_eq!(there, "/login?next=%2Fphotos%3Fclass%3DNoodles%252FPasta%26flagged%3Dtrue");
    test.stop().await;
}

#[tokio::test]
async fn metrics_can_be_put_behind_a_token() {
    let test = TestApp::start_with(Database::Sqlite, |settings| settings.metrics.require_token = true).await;
    problem(test.get("/metrics").send().await.unwrap(), 401).await;
    problem(test.get("/metrics").bearer_auth("ggo_unknown").send().await.unwrap(), 401).await;
    let scraper = test.token(&[Scope::MetricsRead]).await;
    assert_eq!(test.get("/metrics").bearer_auth(&scraper).send().await.unwrap().status(), 200);
    assert_eq!(test.get("/livez").send().await.unwrap().status(), 200);
    test.stop().await;
}

#[tokio::test]
async fn a_proxys_own_basic_credentials_are_not_taken_for_ours() {
    let test = TestApp::start(Database::Sqlite).await;
    let page = test.get("/").basic_auth("proxy", Some("password")).send().await.unwrap();
    assert_eq!(page.status(), 200);
    // And they are no excuse for coming from another site, because a browser adds them by itself.
    let forged = test.post("/login").basic_auth("proxy", Some("password")).header("sec-fetch-site", "cross-site");
    assert_eq!(forged.send().await.unwrap().status(), 403);
    test.stop().await;
}

#[tokio::test]
async fn a_machine_may_upload_for_a_visitor_it_names() {
    let test = TestApp::start(Database::Sqlite).await;
    let token = test.token(&[Scope::PredictionsWrite]).await;
    let visitor = "v".repeat(43);
    let cookie = format!("gourmetgram_visitor={visitor}");
    let upload = test.post("/api/v1/predictions").bearer_auth(&token).header("cookie", &cookie);
    let new = created(upload.multipart(form(a_photo(1))).send().await.unwrap()).await;
    let path = format!("/api/v1/predictions/{}", new.id);
    assert_eq!(test.get(&path).header("cookie", &cookie).send().await.unwrap().status(), 200);
    // The cookie does not widen what the token may do.
    problem(test.get(&path).bearer_auth(&token).header("cookie", &cookie).send().await.unwrap(), 403).await;
    test.stop().await;
}

#[test]
fn the_documented_rules_are_the_real_ones() {
    let text = include_str!("../../../docs/api.md");
    for rule in RULES {
        let scope = rule.scope.map_or_else(|| "–".to_owned(), |scope| format!("`{scope}`"));
        let begin = format!("| `{} {}` | {} | {scope} |", rule.method, rule.path, rule.who.as_str());
        assert!(text.contains(&begin), "docs/api.md has no line that begins with\n{begin}");
    }
    for line in text.lines().filter(|line| line.starts_with("| `GET /") || line.starts_with("| `POST /")) {
        let named = line.trim_start_matches("| `").split('`').next().unwrap();
        let (method, path) = named.split_once(' ').unwrap();
        assert!(RULES.iter().any(|rule| rule.method == method && rule.path == path), "{named} is no route");
    }
    for scope in Scope::ALL {
        assert!(text.contains(&format!("| `{scope}` |")), "docs/api.md does not say what {scope} allows");
    }
}
