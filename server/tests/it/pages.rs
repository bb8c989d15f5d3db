//! Pages and forms as a browser without JavaScript uses them.

use reqwest::{
    Response, StatusCode,
    multipart::{Form, Part},
};

use crate::{
    on_both_databases,
    support::{Browser, Database, TestApp, a_photo, form},
};

fn location(response: &Response) -> String {
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    response.headers()["location"].to_str().unwrap().to_owned()
}

on_both_databases! {
    a_visit_by_plain_forms => async |database| {
        let test = TestApp::start(database).await;
        let ann = Browser::open(&test).await;
        let shown = location(&ann.post("/photos").multipart(form(a_photo(1))).send().await.unwrap());
        let id = shown.strip_prefix("/?photo=").unwrap().to_owned();
        let page = ann.get(&shown).send().await.unwrap().text().await.unwrap();
        assert!(page.contains(&format!("/api/v1/predictions/{id}/image")), "{page}");

        for (path, body) in [
            ("flag", "reason=wrong_label"),
            ("correct", "label=Noodles%2FPasta"),
            ("unflag", ""),
            ("uncorrect", ""),
        ] {
            let request = ann.post(&format!("/photos/{id}/{path}")).body(body);
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            assert_eq!(location(&request.send().await.unwrap()), shown, "{path}");
        }
        let prediction: gourmetgram_api::Prediction =
            ann.get(&format!("/api/v1/predictions/{id}")).send().await.unwrap().json().await.unwrap();
        assert_eq!(prediction.history.len(), 4);
        assert_eq!(location(&ann.post(&format!("/photos/{id}/erase")).send().await.unwrap()), "/?erased=1");
        assert_eq!(ann.get(&shown).send().await.unwrap().status(), 404);
        test.stop().await;
    };

    several_photos_in_one_form_are_all_taken_and_those_that_are_none_are_counted => async |database| {
        let test = TestApp::start(database).await;
        let ann = Browser::open(&test).await;
        let photo = |form: Form, bytes: Vec<u8>| form.part("image", Part::bytes(bytes).file_name("photo.jpg"));

        let two = photo(form(a_photo(1)), a_photo(2));
        assert_eq!(location(&ann.post("/photos").multipart(two).send().await.unwrap()), "/?sent=2#my-photos");

        let mixed = photo(photo(form(a_photo(3)), b"no picture".to_vec()), Vec::new());
        let told = location(&ann.post("/photos").multipart(mixed).send().await.unwrap());
        assert_eq!(told, "/?sent=1&refused=not-a-picture,bad-request#my-photos");
        let page = ann.get(told.split('#').next().unwrap()).send().await.unwrap().text().await.unwrap();
        assert!(page.contains("1 photo is answered, 2 were not taken."), "{page}");
        assert_eq!(ann.photos().await, 3);

        let none = photo(form(b"no picture".to_vec()), b"none either".to_vec());
        assert_eq!(ann.post("/photos").multipart(none).send().await.unwrap().status(), 422);
        assert_eq!(ann.photos().await, 3, "nothing changes on a refused request");
        test.stop().await;
    };
}

#[tokio::test]
async fn a_refused_form_shows_the_page_with_what_was_wrong() {
    let test = TestApp::start(Database::Sqlite).await;
    let (ann, bob) = (Browser::open(&test).await, Browser::open(&test).await);
    let refused = ann.post("/photos").multipart(form(b"no picture".to_vec())).send().await.unwrap();
    assert_eq!(refused.status(), 422);
    assert!(refused.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(refused.text().await.unwrap().contains("JPEG, PNG, WebP or GIF"));

    let new = ann.upload(a_photo(1)).await;
    for path in ["flag", "correct", "unflag", "uncorrect", "erase"] {
        let refused = bob.post(&format!("/photos/{}/{path}", new.id)).body("reason=other").send().await.unwrap();
        assert_eq!(refused.status(), 404, "{path}");
    }
    let kind = "application/x-www-form-urlencoded";
    for (path, body, status) in [("flag", "reason=boring", 400), ("flag", "", 400), ("correct", "label=Pizza", 422)] {
        let request = ann.post(&format!("/photos/{}/{path}", new.id)).header("content-type", kind).body(body);
        assert_eq!(request.send().await.unwrap().status(), status, "{path} {body}");
    }
    test.stop().await;
}

#[tokio::test]
async fn a_first_upload_without_a_cookie_belongs_to_the_browser_all_the_same() {
    let test = TestApp::start(Database::Sqlite).await;
    let answer = test.post("/photos").multipart(form(a_photo(1))).send().await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let shown = location(&answer);
    let page = test.get(&shown).header("cookie", cookie).send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert_eq!(test.get(&shown).send().await.unwrap().status(), 404);
    test.stop().await;
}

#[tokio::test]
async fn a_page_gives_the_browser_a_cookie_scripts_cannot_read_and_a_strict_policy() {
    let test = TestApp::start_with(Database::Sqlite, |settings| {
        settings.server.public_url = Some("https://food.example".parse().unwrap());
    })
    .await;
    let page = test.get("/").send().await.unwrap();
    let cookie = page.headers()["set-cookie"].to_str().unwrap().to_owned();
    for part in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("script-src 'self' 'nonce-") && !policy.contains("unsafe-inline"), "{policy}");
    assert_eq!(page.headers()["cache-control"], "no-store");
    test.stop().await;
}

#[tokio::test]
async fn a_class_name_or_path_is_never_markup() {
    let test = TestApp::start(Database::Sqlite).await;
    let page =
        test.get("/%3Cscript%3Ealert(1)%3C/script%3E?photo=%3Cscript%3Ealert(2)%3C/script%3E").send().await.unwrap();
    assert_eq!(page.status(), 404);
    let text = page.text().await.unwrap();
    assert!(!text.contains("<script>alert"), "{text}");
    test.stop().await;
}

#[tokio::test]
async fn a_form_takes_only_so_many_photos_and_says_what_became_of_the_first() {
    let test = TestApp::start(Database::Sqlite).await;
    let ann = Browser::open(&test).await;
    let many = (1..=21).fold(Form::new(), |form, seed| form.part("image", Part::bytes(a_photo(seed))));
    let told = location(&ann.post("/photos").multipart(many).send().await.unwrap());
    assert_eq!(told, "/?sent=20&refused=too-large#my-photos");
    assert_eq!(ann.photos().await, 20);
    let unknown = form(a_photo(1)).text("colour", "red");
    assert_eq!(
        location(&ann.post("/photos").multipart(unknown).send().await.unwrap()),
        "/?sent=1&refused=bad-request#my-photos"
    );
    test.stop().await;
}
