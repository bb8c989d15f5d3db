//! Signing in and out: names and passwords, sessions, one-time links, guessing.

use gourmetgram::operator_link::OperatorLink;
use gourmetgram_api::Role;
use reqwest::{Response, StatusCode};
use secrecy::ExposeSecret;

use crate::{
    on_both_databases,
    support::{Browser, Database, PASSWORD, TestApp, problem},
};

const ANOTHER: &str = "purple monkey dishwasher";

fn location(response: &Response) -> String {
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    response.headers()["location"].to_str().unwrap().to_owned()
}

fn session_cookie(response: &Response) -> String {
    let cookies = response.headers().get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap());
    cookies.filter(|cookie| cookie.contains("gourmetgram_session=")).collect::<Vec<_>>().join("\n")
}

/// Whether the browser is signed in, by a page that only people who are can see.
async fn is_signed_in(browser: &Browser) -> bool {
    browser.get("/login/account").send().await.unwrap().status() == 200
}

/// A page without what changes with every request.
fn words(page: &str) -> String {
    page.split(['<', '>']).filter(|part| !part.contains("nonce")).collect::<Vec<_>>().join("|")
}

async fn link(test: &TestApp) -> String {
    let link = OperatorLink::issue(test.app.catalog()).await.unwrap();
    let url = link.url(&test.url.parse().unwrap()).unwrap();
    url.expose_secret().strip_prefix(test.url.as_str()).unwrap().to_owned()
}

fn token_in(link: &str) -> &str {
    link.split_once("token=").unwrap().1
}

on_both_databases! {
    a_visit_of_somebody_with_an_account => async |database| {
        let test = TestApp::start(database).await;
        test.account("Otto", Role::Operator).await;
        let browser = Browser::open(&test).await;
        assert!(!is_signed_in(&browser).await);

        let answer = browser.sign_in("oTTO", PASSWORD, "/photos?class=Soup").await;
        assert_eq!(location(&answer), "/photos?class=Soup");
        let cookie = session_cookie(&answer);
        for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=604800"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert!(is_signed_in(&browser).await);
        assert!(!is_signed_in(&Browser::open(&test).await).await, "another browser is not");

        let out = browser.post("/logout").send().await.unwrap();
        assert_eq!(location(&out), "/");
        assert!(session_cookie(&out).contains("Max-Age=0"));
        // The row is gone: the cookie opens nothing even where a browser keeps it.
        let old = cookie.split(';').next().unwrap();
        let still = test.get("/login/account").header("cookie", old).send().await.unwrap();
        assert_eq!(location(&still), "/login?next=%2F&ended=1");
        test.stop().await;
    };

    each_sign_in_has_a_session_of_its_own_and_ends_the_one_before => async |database| {
        let test = TestApp::start(database).await;
        test.account("otto", Role::Operator).await;
        let browser = Browser::open(&test).await;
        let first = session_cookie(&browser.sign_in("otto", PASSWORD, "").await);
        let second = session_cookie(&browser.sign_in("otto", PASSWORD, "").await);
        let pair = |cookie: &str| cookie.split(';').next().unwrap().to_owned();
        assert_ne!(pair(&first), pair(&second));
        for (cookie, status) in [(pair(&first), 303), (pair(&second), 200)] {
            let answer = test.get("/login/account").header("cookie", cookie).send().await.unwrap();
            assert_eq!(answer.status(), status);
        }
        // A cookie somebody planted before is no session, and does not become one.
        let planted = format!("gourmetgram_session={}", "a".repeat(43));
        let body = format!("name=otto&password={}", PASSWORD.replace(' ', "+"));
        let answer = test.post("/login").header("cookie", &planted).header("sec-fetch-site", "same-origin");
        let answer = answer.header("content-type", "application/x-www-form-urlencoded").body(body).send().await.unwrap();
        assert_ne!(pair(&session_cookie(&answer)), planted);
        assert_eq!(test.get("/login/account").header("cookie", planted).send().await.unwrap().status(), 303);
        test.stop().await;
    };

    a_session_ends_when_it_is_idle_or_old_and_its_row_is_removed => async |database| {
        let test = TestApp::start(database).await;
        test.account("otto", Role::Operator).await;
        let limits = test.app.settings().auth.session_limits();
        for change in [
            "UPDATE sessions SET last_seen_at = '2020-01-01T00:00:00+00:00'",
            "UPDATE sessions SET expires_at = '2020-01-01T00:00:00+00:00'",
        ] {
            let browser = Browser::open(&test).await;
            browser.sign_in("otto", PASSWORD, "").await;
            test.app.catalog().remove_ended_sessions(limits).await.unwrap();
            assert_eq!(test.count("sessions").await, 1, "it has not ended");
            assert!(is_signed_in(&browser).await);
            test.sql(change).await;
            let answer = browser.get("/review").send().await.unwrap();
            assert_eq!(location(&answer), "/login?next=%2Freview&ended=1", "{change}");
            let page = browser.get("/login?next=%2Freview&ended=1").send().await.unwrap().text().await.unwrap();
            assert!(page.contains("Your session has ended."), "{page}");
            test.app.catalog().remove_ended_sessions(limits).await.unwrap();
            assert_eq!(test.count("sessions").await, 0, "{change}");
        }
        test.stop().await;
    };

    another_password_ends_every_other_session => async |database| {
        let test = TestApp::start(database).await;
        let here = Browser::signed_in(&test, "anna", Role::Annotator).await;
        let there = Browser::open(&test).await;
        there.sign_in("anna", PASSWORD, "").await;

        let fields = |current, password, again| [("current", current), ("password", password), ("again", again)];
        for (fields, words) in [
            (fields("wrong wrong wrong", ANOTHER, ANOTHER), "current password is wrong"),
            (fields(PASSWORD, ANOTHER, PASSWORD), "differ"),
            (fields(PASSWORD, "short", "short"), "too short"),
        ] {
            let refused = here.send_form("/login/password", &fields).await;
            assert_eq!(refused.status(), 422);
            assert!(refused.text().await.unwrap().contains(words), "{words}");
        }
        assert!(is_signed_in(&there).await, "nothing was changed");

        assert_eq!(location(&here.send_form("/login/password", &fields(PASSWORD, ANOTHER, ANOTHER)).await), "/");
        assert!(is_signed_in(&here).await);
        assert!(!is_signed_in(&there).await);
        assert_eq!(there.sign_in("anna", PASSWORD, "").await.status(), 401);
        assert_eq!(there.sign_in("anna", ANOTHER, "").await.status(), 303);
        test.stop().await;
    };

    a_disabled_account_is_out_at_once_and_learns_nothing => async |database| {
        let test = TestApp::start(database).await;
        let browser = Browser::signed_in(&test, "anna", Role::Annotator).await;
        let user = test.app.catalog().user(&"anna".parse().unwrap()).await.unwrap().unwrap();
        test.app.catalog().set_disabled(user.id, true).await.unwrap();
        assert!(!is_signed_in(&browser).await);
        let disabled = Browser::open(&test).await.sign_in("anna", PASSWORD, "").await;
        let wrong = Browser::open(&test).await.sign_in("anna", "wrong wrong wrong", "").await;
        assert_eq!((disabled.status(), wrong.status()), (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED));
        assert_eq!(words(&disabled.text().await.unwrap()), words(&wrong.text().await.unwrap()));
        // Whoever had the right password a moment ago does not slip in beside the change.
        assert!(!test.app.catalog().open_session(&user, "x", test.app.settings().auth.session_limits()).await.unwrap());
        test.app.catalog().set_disabled(user.id, false).await.unwrap();
        assert_eq!(browser.sign_in("anna", PASSWORD, "").await.status(), 303);
        test.stop().await;
    };

    a_one_time_link_makes_an_operator_once => async |database| {
        let test = TestApp::start(database).await;
        let browser = Browser::open(&test).await;
        let link = link(&test).await;
        for _ in 0..2 {
            let page = browser.get(&link).send().await.unwrap();
            assert_eq!(page.status(), 200);
            assert!(page.text().await.unwrap().contains("Sign in as operator"));
        }
        let used = browser.send_form("/login/link", &[("token", token_in(&link))]).await;
        assert_eq!(location(&used), "/login/account");
        assert!(is_signed_in(&browser).await);
        assert_ne!(browser.get("/pipelines").send().await.unwrap().status(), 403);
        let again = Browser::open(&test).await.send_form("/login/link", &[("token", token_in(&link))]).await;
        assert_eq!(again.status(), 404);

        let account = |name, password| [("name", name), ("password", password), ("again", password)];
        test.account("taken", Role::Annotator).await;
        for (name, password, status) in
            [("otto", "short", 422), ("<b>", PASSWORD, 422), ("TAKEN", PASSWORD, 409), ("otto-the-operator", "otto-the-operator", 422)]
        {
            assert_eq!(browser.send_form("/login/account", &account(name, password)).await.status(), status, "{name}");
        }
        assert_eq!(location(&browser.send_form("/login/account", &account("otto", PASSWORD)).await), "/");
        assert!(is_signed_in(&browser).await);
        assert_eq!(browser.send_form("/login/account", &account("another", PASSWORD)).await.status(), 403);
        assert_eq!(Browser::open(&test).await.sign_in("otto", PASSWORD, "").await.status(), 303);
        test.stop().await;
    };

    a_link_is_good_for_a_quarter_of_an_hour => async |database| {
        let test = TestApp::start(database).await;
        let browser = Browser::open(&test).await;
        let old = link(&test).await;
        test.sql("UPDATE operator_links SET expires_at = '2020-01-01T00:00:00+00:00'").await;
        let refused = browser.send_form("/login/link", &[("token", token_in(&old))]).await;
        assert_eq!(refused.status(), 404);
        assert!(refused.text().await.unwrap().contains("gourmetgram user link"));
        test.app.catalog().remove_ended_sessions(test.app.settings().auth.session_limits()).await.unwrap();
        assert_eq!(test.count("operator_links").await, 0);
        assert!(!is_signed_in(&browser).await);
        test.stop().await;
    };

    of_two_who_use_one_link_at_once_one_comes_in => async |database| {
        let test = TestApp::start(database).await;
        let link = link(&test).await;
        let hash = gourmetgram::http::sha256_hex(token_in(&link).as_bytes());
        let limits = test.app.settings().auth.session_limits();
        let sessions: Vec<String> = (0..8).map(|n| format!("session {n}")).collect();
        let tries = sessions.iter().map(|session| test.app.catalog().open_session_by_link(&hash, session, limits));
        let opened = futures::future::join_all(tries).await.into_iter().filter(|opened| *opened.as_ref().unwrap()).count();
        assert_eq!(opened, 1);
        test.stop().await;
    };

    only_a_catalog_without_an_owner_gets_a_link_at_start => async |database| {
        let test = TestApp::start(database).await;
        let (catalog, folder) = (test.app.catalog(), test.data.path());
        assert!(OperatorLink::issue_to_first_operator(catalog, folder).await.unwrap().is_some());
        std::fs::write(folder.join("operator-link"), "left over").unwrap();
        test.account("anna", Role::Annotator).await;
        assert!(OperatorLink::issue_to_first_operator(catalog, folder).await.unwrap().is_none());
        assert!(!folder.join("operator-link").exists());
        test.stop().await;
    };

    tokens_made_before_there_were_scopes_go_on_working => async |database| {
        let test = TestApp::start(database).await;
        let hash = gourmetgram::http::sha256_hex(b"ggo_from_step_one");
        // Back to how the catalog was, with a token in it.
        for statement in [
            "DROP TABLE sessions",
            "DROP TABLE users",
            "DROP TABLE operator_links",
            "ALTER TABLE access_tokens DROP COLUMN scopes",
            "ALTER TABLE access_tokens DROP COLUMN expires_at",
            "ALTER TABLE access_tokens ADD COLUMN role varchar NOT NULL DEFAULT ''",
            "DELETE FROM seaql_migrations WHERE version = 'm002_accounts'",
            &format!("INSERT INTO access_tokens (token_sha256, name, role, created_at) VALUES ('{hash}', 'old', 'operator', '2026-01-01T00:00:00+00:00')"),
        ] {
            test.sql(statement).await;
        }
        gourmetgram::catalog::Catalog::open(&test.app.settings().catalog_url(), 1).await.unwrap();
        for path in ["/api/v1/predictions", "/metrics"] {
            assert_eq!(test.get(path).bearer_auth("ggo_from_step_one").send().await.unwrap().status(), 200, "{path}");
        }
        test.stop().await;
    };
}

#[tokio::test]
async fn a_wrong_name_and_a_wrong_password_look_the_same() {
    let test = TestApp::start(Database::Sqlite).await;
    test.account("otto", Role::Operator).await;
    let mut pages = Vec::new();
    for (name, password) in [("otto", "wrong wrong wrong"), ("nobody", PASSWORD), ("<not a name>", PASSWORD), ("", "")]
    {
        let refused = Browser::open(&test).await.sign_in(name, password, "/photos").await;
        assert_eq!(refused.status(), 401, "{name}");
        assert!(session_cookie(&refused).is_empty());
        let page = refused.text().await.unwrap();
        assert!(page.contains("The name or the password is wrong."), "{page}");
        assert!(page.contains("value=\"/photos\""), "and the way on is not lost");
        assert!(!page.contains("wrong wrong wrong"), "{page}");
        pages.push(words(&page));
    }
    assert!(pages.iter().all(|page| *page == pages[0]));
    test.stop().await;
}

#[tokio::test]
async fn signing_in_leads_nowhere_else() {
    let test = TestApp::start(Database::Sqlite).await;
    test.account("otto", Role::Operator).await;
    let browser = Browser::open(&test).await;
    for next in [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "/\r\nSet-Cookie: a=b",
        "/login",
        "",
    ] {
        assert_eq!(location(&browser.sign_in("otto", PASSWORD, next).await), "/", "{next:?}");
    }
    // Nor does the link on the page of somebody who is in already.
    let page = browser.get("/login?next=%2F%2Fevil.example").send().await.unwrap().text().await.unwrap();
    assert!(!page.contains("href=\"//evil"), "{page}");
    test.stop().await;
}

#[tokio::test]
async fn over_tls_the_session_cookie_is_bound_to_the_host() {
    let test = TestApp::start_with(Database::Sqlite, |settings| {
        settings.server.public_url = Some("https://food.example".parse().unwrap());
    })
    .await;
    test.account("otto", Role::Operator).await;
    let body = format!("name=otto&password={}", PASSWORD.replace(' ', "+"));
    let form = test.post("/login").header("content-type", "application/x-www-form-urlencoded").body(body);
    let answer = form.header("origin", "https://food.example").send().await.unwrap();
    let cookie = session_cookie(&answer);
    assert!(cookie.starts_with("__Host-gourmetgram_session="), "{cookie}");
    assert!(cookie.contains("; Secure") && cookie.contains("; Path=/;") && !cookie.contains("Domain"), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    assert_eq!(test.get("/login/account").header("cookie", pair).send().await.unwrap().status(), 200);
    let planted = pair.trim_start_matches("__Host-");
    assert_eq!(test.get("/login/account").header("cookie", planted).send().await.unwrap().status(), 303);
    test.stop().await;
}

#[tokio::test]
async fn guessing_is_slowed_down_and_the_owner_still_gets_in() {
    let test = TestApp::start(Database::Sqlite).await;
    let hers = Browser::signed_in(&test, "otto", Role::Operator).await;
    let attacker = Browser::open(&test).await;
    // How long a check takes depends on the machine, and each wait is twice the one before: sooner or later it holds.
    let mut guesses = 0;
    let slowed = loop {
        let answer = attacker.sign_in("otto", "wrong wrong wrong", "").await;
        if answer.status() == 429 {
            break answer;
        }
        assert_eq!(answer.status(), 401);
        guesses += 1;
        assert!(guesses < 20, "nobody is slowed down");
    };
    assert!(guesses >= 5, "{guesses}");
    let wait: u64 = slowed.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=300).contains(&wait), "{wait}");
    assert!(slowed.text().await.unwrap().contains("Too many tries"));
    // A browser that was in before is not kept out by them.
    assert_eq!(hers.post("/logout").send().await.unwrap().status(), 303);
    assert_eq!(hers.sign_in("otto", PASSWORD, "").await.status(), 303);
    // Sooner or later their address has to wait too, whichever account they try, and for names that are no account.
    let mut others = 0;
    while attacker.sign_in(&format!("other-{others}"), "wrong wrong wrong", "").await.status() == 401 {
        others += 1;
        assert!(others < 20, "nobody is slowed down");
    }
    test.stop().await;
}

#[tokio::test]
async fn a_form_that_is_none_changes_nothing() {
    let test = TestApp::start(Database::Sqlite).await;
    let browser = Browser::open(&test).await;
    for (path, body, status) in
        [("/login", "name=a&name=b", 400), ("/login/link", "", 400), ("/login/link", "token=x", 404)]
    {
        let request = browser.post(path).header("content-type", "application/x-www-form-urlencoded").body(body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{path} {body}");
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    }
    problem(browser.post("/api/v1/login").send().await.unwrap(), 404).await;
    test.stop().await;
}
