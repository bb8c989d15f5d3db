//! The prediction routes: what a client sends, what it gets.

use std::time::Duration;

use gourmetgram::catalog::Catalog;
use gourmetgram_api::{Prediction, PredictionPage, StorageState};
use reqwest::multipart::{Form, Part};
use sea_orm::{ConnectOptions, ConnectionTrait, Database as Connection};
use secrecy::ExposeSecret;
use serde_json::json;
use uuid::Uuid;

use crate::{
    on_both_databases,
    plans::filling,
    support::{Browser, Database, TestApp, a_photo, eventually, form, problem},
};

on_both_databases! {
    a_photo_is_answered_and_reaches_the_bucket_with_the_tutorials_key_and_tags => async |database| {
        let test = TestApp::start(database).await;
        let photo = a_photo(1);
        let new = test.upload(photo.clone()).await;
        let index = new.probabilities.iter().position(|class| class.label == new.predicted_class).unwrap();
        assert_eq!(new.key, format!("class_{index:02}/{}.jpg", new.id));
        assert_eq!(new.probabilities.len(), 11);
        let sum: f32 = new.probabilities.iter().map(|class| class.probability).sum();
        assert!((sum - 1.0).abs() < 1e-4, "{sum}");

        test.settle().await;
        let tags = test.tags(&new.key).await.unwrap();
        let names: Vec<&str> = tags.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["confidence", "model_version", "predicted_class", "timestamp"]);
        assert_eq!(test.tag(&new.key, "predicted_class").await.unwrap(), new.predicted_class);
        assert_eq!(test.tag(&new.key, "confidence").await.unwrap(), format!("{:.3}", new.confidence.get()));
        assert_eq!(test.tag(&new.key, "model_version").await.unwrap(), new.model_version);
        let seen = test.prediction(new.id, &new.feedback_token).await;
        let timestamp = seen.created_at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        assert_eq!(test.tag(&new.key, "timestamp").await.unwrap(), timestamp);
        assert_eq!(seen.storage, StorageState::Stored);

        let object = test.app.object_store().get(gourmetgram_object_store::Bucket::Production, &new.key.parse().unwrap()).await.unwrap();
        assert_eq!(object.bytes, photo);
        assert_eq!(object.content_type.as_deref(), Some("image/jpeg"));
        test.stop().await;
    };

    the_photo_can_be_fetched_before_and_after_it_is_stored => async |database| {
        let test = TestApp::start(database).await;
        let photo = a_photo(2);
        let new = test.upload(photo.clone()).await;
        let path = format!("/api/v1/predictions/{}/image", new.id);
        for settled in [false, true] {
            if settled {
                test.settle().await;
            }
            let response = test.get(&path).bearer_auth(&new.feedback_token).send().await.unwrap();
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers()["content-type"], "image/jpeg");
            assert_eq!(response.headers()["x-content-type-options"], "nosniff");
            let etag = response.headers()["etag"].clone();
            assert_eq!(response.bytes().await.unwrap(), photo);
            let again = test.get(&path).bearer_auth(&new.feedback_token).header("if-none-match", etag).send().await.unwrap();
            assert_eq!(again.status(), 304);
        }
        test.stop().await;
    };

    strangers_learn_nothing_and_change_nothing => async |database| {
        let test = TestApp::start(database).await;
        let mine = test.upload(a_photo(3)).await;
        let other = test.upload(a_photo(4)).await;
        let stranger = Browser::open(&test).await;
        let path = format!("/api/v1/predictions/{}", mine.id);
        let flag = json!({"reason": "other"});

        problem(test.get(&path).send().await.unwrap(), 401).await;
        problem(test.delete(&path).send().await.unwrap(), 401).await;
        for token in ["ggf_AAAA", "ggo_AAAA", "x", other.feedback_token.as_str()] {
            let status = if token == other.feedback_token || token.starts_with("ggf_") { 404 } else { 401 };
            problem(test.get(&path).bearer_auth(token).send().await.unwrap(), status).await;
            problem(test.put(&format!("{path}/flag")).bearer_auth(token).json(&flag).send().await.unwrap(), status).await;
            problem(test.delete(&path).bearer_auth(token).send().await.unwrap(), status).await;
        }
        problem(stranger.get(&path).send().await.unwrap(), 404).await;
        problem(stranger.get(&format!("{path}/image")).send().await.unwrap(), 404).await;
        // Authorisation comes first: a stranger's malformed body is not even read.
        problem(stranger.put(&format!("{path}/flag")).body("{").send().await.unwrap(), 404).await;
        problem(stranger.put(&format!("{path}/correction")).json(&json!({"label": "Soup"})).send().await.unwrap(), 404).await;
        problem(stranger.delete(&path).send().await.unwrap(), 404).await;
        // What does not exist looks the same as what is somebody else's.
        let nothing = format!("/api/v1/predictions/{}", Uuid::now_v7());
        let absent = problem(stranger.get(&nothing).send().await.unwrap(), 404).await;
        let foreign = problem(stranger.get(&path).send().await.unwrap(), 404).await;
        assert_eq!(absent.detail, foreign.detail);

        let seen = test.prediction(mine.id, &mine.feedback_token).await;
        assert!(seen.flag.is_none() && seen.corrected_class.is_none() && seen.history.is_empty());
        test.stop().await;
    };

    visitors_list_their_own_photos_and_operators_all => async |database| {
        let test = TestApp::start(database).await;
        let (ann, bob) = (Browser::open(&test).await, Browser::open(&test).await);
        let mut of_ann = Vec::new();
        for seed in 0..5 {
            of_ann.push(ann.upload(a_photo(seed)).await.id);
        }
        let of_bob = bob.upload(a_photo(9)).await.id;
        of_ann.reverse();

        let mut seen = Vec::new();
        let mut path = "/api/v1/predictions?limit=2".to_owned();
        loop {
            let page: PredictionPage = ann.get(&path).send().await.unwrap().json().await.unwrap();
            seen.extend(page.items.iter().map(|item| item.id));
            let Some(cursor) = page.next_cursor else { break };
            path = format!("/api/v1/predictions?limit=2&cursor={cursor}");
        }
        assert_eq!(seen, of_ann);

        let page: PredictionPage = bob.get("/api/v1/predictions").send().await.unwrap().json().await.unwrap();
        assert_eq!(page.items.iter().map(|item| item.id).collect::<Vec<_>>(), [of_bob]);

        let operator = test.operator().await;
        let all: PredictionPage = test.get("/api/v1/predictions").bearer_auth(&operator).send().await.unwrap().json().await.unwrap();
        assert_eq!(all.items.len(), 6);
        problem(test.get("/api/v1/predictions").send().await.unwrap(), 401).await;
        for bad in ["limit=0", "limit=201", "colour=red", "flagged=perhaps", &format!("cursor={}", Uuid::now_v7())] {
            problem(ann.get(&format!("/api/v1/predictions?{bad}")).send().await.unwrap(), 400).await;
        }
        test.stop().await;
    };

    a_list_is_filtered => async |database| {
        let test = TestApp::start(database).await;
        let ann = Browser::open(&test).await;
        let first = ann.upload(a_photo(1)).await;
        let second = ann.upload(a_photo(2)).await;
        ann.put(&format!("/api/v1/predictions/{}/flag", first.id)).json(&json!({"reason": "bad_photo"})).send().await.unwrap();
        let ids = async |filter: String| {
            let page: PredictionPage = ann.get(&format!("/api/v1/predictions?{filter}")).send().await.unwrap().json().await.unwrap();
            page.items.into_iter().map(|item| item.id).collect::<Vec<_>>()
        };
        assert_eq!(ids("flagged=true".into()).await, [first.id]);
        assert_eq!(ids("flagged=false".into()).await, [second.id]);
        assert_eq!(ids("corrected=true".into()).await, []);
        assert_eq!(ids("class=nothing".into()).await, []);
        assert_eq!(ids(format!("model_version={}", first.model_version)).await.len(), 2);
        assert_eq!(ids("from=2000-01-01T00:00:00Z&to=2001-01-01T00:00:00Z".into()).await, []);
        test.stop().await;
    };

    two_servers_may_start_on_one_database_at_once => async |database: Database| {
        // On SQLite this is the same file opened twice, as `gourmetgram user add` beside `serve` does.
        let test = TestApp::start(database).await;
        let url = test.app.settings().catalog_url();
        let opened = futures::future::join_all((0..4).map(|_| Catalog::open(&url, 2))).await;
        for catalog in opened {
            catalog.unwrap().check().await.unwrap();
        }
        test.stop().await;
    };
}

/// For longer than a statement waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_catalog_opens_beside_somebody_who_is_writing() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("catalog.sqlite").display());
    Catalog::open(&url.clone().into(), 1).await.unwrap().close().await.unwrap();
    let mut options = ConnectOptions::new(&url);
    let writer = Connection::connect(options.max_connections(1).to_owned()).await.unwrap();
    filling::fill(&writer, 0, 3000, 3000).await.unwrap();
    // What opening writes: how the columns are filled now.
    writer.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
    let ends = async {
        tokio::time::sleep(Duration::from_secs(12)).await;
        writer.execute_unprepared("COMMIT").await.unwrap();
    };
    let (opened, ()) = tokio::join!(async { Catalog::open(&url.clone().into(), 1).await }, ends);
    opened.unwrap().close().await.unwrap();
}

/// It counts a large catalog for the first time, one portion after another.
#[tokio::test(flavor = "multi_thread")]
async fn others_write_beside_a_server_that_counts() {
    let test = TestApp::start(Database::Sqlite).await;
    let mut options = ConnectOptions::new(test.app.settings().catalog_url().expose_secret());
    // A command waits for twenty times as long.
    options.max_connections(1).map_sqlx_sqlite_opts(|sqlite| sqlite.busy_timeout(Duration::from_secs(3)));
    let other = Connection::connect(options).await.unwrap();
    filling::fill(&other, 0, 50_000, 50_000).await.unwrap();
    filling::analyze(&other).await.unwrap();
    let mut written = 0;
    while test.app.catalog().evaluation_marks().await.unwrap() > 0 {
        other.execute_unprepared("UPDATE evaluation_state SET id = 1").await.unwrap();
        written += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(written > 3, "it was counted before anybody wrote");
    other.close().await.unwrap();
    test.stop().await;
}

#[tokio::test]
async fn bad_uploads_are_told_what_was_wrong_and_leave_nothing() {
    let test = TestApp::start_with(Database::Sqlite, |settings| settings.server.max_photo_bytes = 100_000).await;
    let send = async |form: Form| test.post("/api/v1/predictions").multipart(form).send().await.unwrap();
    let photo = a_photo(1);

    let text = problem(send(form(b"this is no picture".to_vec())).await, 422).await;
    assert!(text.detail.contains("JPEG, PNG, WebP or GIF"), "{}", text.detail);
    problem(send(form(photo[..photo.len() / 2].to_vec())).await, 422).await;
    problem(send(form(Vec::new())).await, 400).await;
    problem(send(Form::new()).await, 400).await;
    problem(send(form(photo.clone()).text("colour", "red")).await, 400).await;
    problem(send(form(photo.clone()).text("id", "17")).await, 400).await;
    problem(send(form(photo.clone()).text("id", "f47ac10b-58cc-4372-a567-0e02b2c3d479")).await, 400).await;
    problem(send(form(photo.clone()).text("device", "{}")).await, 400).await;
    problem(send(form(photo.clone()).part("image", Part::bytes(photo.clone()))).await, 400).await;
    let large = problem(send(form(vec![0xff; 300_000])).await, 413).await;
    assert!(large.detail.contains("100000"), "{}", large.detail);
    problem(send(form(vec![0xff; 5_000_000])).await, 413).await;
    problem(test.post("/api/v1/predictions").body("x").send().await.unwrap(), 415).await;
    let cut = "--b\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\nxx";
    let cut = test.post("/api/v1/predictions").header("content-type", "multipart/form-data; boundary=b").body(cut);
    problem(cut.send().await.unwrap(), 400).await;
    problem(
        test.post("/api/v1/predictions").header("content-type", "multipart/form-data").body("x").send().await.unwrap(),
        415,
    )
    .await;
    let long_key = test.post("/api/v1/predictions").header("idempotency-key", "k".repeat(300)).multipart(form(photo));
    problem(long_key.send().await.unwrap(), 400).await;

    let operator = test.operator().await;
    let all: PredictionPage =
        test.get("/api/v1/predictions").bearer_auth(&operator).send().await.unwrap().json().await.unwrap();
    assert!(all.items.is_empty());
    assert_eq!(std::fs::read_dir(test.data.path().join("spool")).unwrap().count(), 0);
    test.stop().await;
}

#[tokio::test]
async fn a_picture_with_too_many_pixels_is_refused_before_they_are_allocated() {
    let test = TestApp::start_with(Database::Sqlite, |settings| settings.server.max_photo_pixels = 1000).await;
    let refused = test.post("/api/v1/predictions").multipart(form(a_photo(1))).send().await.unwrap();
    let refused = problem(refused, 422).await;
    assert!(refused.detail.contains("96 x 96"), "{}", refused.detail);
    test.stop().await;
}

#[tokio::test]
async fn the_tutorials_contract_answers_and_records_nothing() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let test = TestApp::start(Database::Sqlite).await;
    let photo = a_photo(5);
    let recorded = test.upload(photo.clone()).await;
    let answer = test.post("/predict").json(&json!({"image": STANDARD.encode(&photo)})).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let answer: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(answer["prediction"], recorded.predicted_class);
    let probability = answer["probability"].as_f64().unwrap();
    assert!((probability - f64::from(recorded.confidence.get())).abs() < 1e-6);

    for bad in [json!({"image": "%%%"}), json!({"picture": ""}), json!([])] {
        problem(test.post("/predict").json(&bad).send().await.unwrap(), 400).await;
    }
    problem(test.post("/predict").json(&json!({"image": STANDARD.encode("text")})).send().await.unwrap(), 422).await;
    let operator = test.operator().await;
    let all: PredictionPage =
        test.get("/api/v1/predictions").bearer_auth(&operator).send().await.unwrap().json().await.unwrap();
    assert_eq!(all.items.len(), 1);
    test.stop().await;
}

#[tokio::test]
async fn the_devices_answer_is_kept_beside_the_servers() {
    let test = TestApp::start(Database::Sqlite).await;
    let device = json!({"predicted_class": "Soup", "confidence": 0.25, "model_version": "food64-1"});
    let response = test.post("/api/v1/predictions").multipart(form(a_photo(1)).text("device", device.to_string()));
    let new = crate::support::created(response.send().await.unwrap()).await;
    let seen: Prediction = test.prediction(new.id, &new.feedback_token).await;
    assert_eq!(serde_json::to_value(seen.device).unwrap(), device);
    test.stop().await;
}

#[tokio::test]
async fn a_full_queue_says_when_to_come_back() {
    let test = TestApp::start_with(Database::Sqlite, |settings| {
        settings.inference.threads = 1;
        settings.inference.queue = 1;
    })
    .await;
    let sent = (0..40).map(|seed| test.post("/api/v1/predictions").multipart(form(a_photo(seed))).send());
    let answers = futures::future::join_all(sent).await;
    let mut busy = 0;
    for answer in answers {
        let answer = answer.unwrap();
        if answer.status() == 503 {
            assert!(answer.headers()["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
            busy += 1;
        } else {
            assert_eq!(answer.status(), 201);
        }
    }
    assert!(busy > 0, "forty photos at once for a queue of one");
    // And afterwards there is room again.
    eventually("a photo is accepted again", async || {
        test.post("/api/v1/predictions").multipart(form(a_photo(1))).send().await.unwrap().status() == 201
    })
    .await;
    test.stop().await;
}

#[tokio::test]
async fn other_sites_cannot_speak_for_a_visitor() {
    let test = TestApp::start(Database::Sqlite).await;
    let ann = Browser::open(&test).await;
    let new = ann.upload(a_photo(1)).await;
    let path = format!("/api/v1/predictions/{}", new.id);
    let mut forged = ann.delete(&path).build().unwrap();
    forged.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
    problem(ann.execute(forged).await, 403).await;
    assert_eq!(ann.get(&path).send().await.unwrap().status(), 200);
    test.stop().await;
}

#[tokio::test]
async fn probes_and_metrics_answer() {
    let test = TestApp::start(Database::Sqlite).await;
    assert_eq!(test.get("/livez").send().await.unwrap().status(), 200);
    let ready: serde_json::Value = test.get("/readyz").send().await.unwrap().json().await.unwrap();
    assert_eq!(ready, json!({"status": "ok"}));
    test.upload(a_photo(1)).await;
    let metrics = test.get("/metrics").send().await.unwrap().text().await.unwrap();
    for name in ["axum_http_requests_total", "gourmetgram_predictions_total", "gourmetgram_outbox_backlog"] {
        assert!(metrics.contains(name), "{name} is missing in\n{metrics}");
    }
    test.stop().await;
}

#[tokio::test]
async fn what_does_not_exist_is_a_problem_document_under_api_and_a_page_elsewhere() {
    let test = TestApp::start(Database::Sqlite).await;
    problem(test.get("/api/v1/nothing").send().await.unwrap(), 404).await;
    problem(test.put("/api/v1/predictions").send().await.unwrap(), 405).await;
    problem(test.get("/api/v1/predictions/17").send().await.unwrap(), 404).await;
    let page = test.get("/nothing").send().await.unwrap();
    assert_eq!(page.status(), 404);
    assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    test.stop().await;
}

#[tokio::test]
async fn a_second_server_on_the_same_data_directory_is_told_why_it_cannot_start() {
    let test = TestApp::start(Database::Sqlite).await;
    let mut settings = test.app.settings().clone();
    settings.server.listen.set_port(0);
    let error = gourmetgram::app::Application::build(settings).await.err().expect("it must not start");
    assert!(error.to_string().contains("another server uses the data directory"), "{error:#}");
    test.stop().await;
}
