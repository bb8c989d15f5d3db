//! The live model for devices: what a browser fetches, and what it may keep.

use gourmetgram_classifier::{Model, Sha256Hex, default_model};
use serde_json::{Value, json};

use crate::support::{Browser, Database, TestApp, a_photo, form, problem};

#[tokio::test]
async fn the_parts_of_the_live_model_are_that_model() {
    let test = TestApp::start(Database::Sqlite).await;
    let answer = test.get("/api/v1/models/live/device").send().await.unwrap();
    assert_eq!(answer.headers()["cache-control"], "no-cache");
    let live: Value = answer.json().await.unwrap();
    assert_eq!(live["version"], "food64-1");
    let mut parts = Vec::new();
    for name in ["manifest", "backbone", "head"] {
        let path = live[name].as_str().unwrap();
        let part = test.get(path).send().await.unwrap();
        assert_eq!(part.status(), 200, "{name}");
        assert_eq!(part.headers()["cache-control"], "public, max-age=31536000, immutable");
        assert_eq!(part.headers()["x-content-type-options"], "nosniff");
        assert!(part.headers().get("content-encoding").is_none(), "nobody asked for another");
        let content = part.bytes().await.unwrap();
        assert!(path.ends_with(&Sha256Hex::of(&content).to_string()), "{name} is named by its content");
        parts.push(content);
    }
    let manifest = std::str::from_utf8(&parts[0]).unwrap();
    let device = Model::from_packed(manifest, &parts[1], Some(&parts[2])).unwrap();
    assert_eq!(device.version(), default_model().unwrap().version());
    test.stop().await;
}

#[tokio::test]
async fn a_part_is_compressed_as_the_browser_likes_it_best() {
    let test = TestApp::start(Database::Sqlite).await;
    let live: Value = test.get("/api/v1/models/live/device").send().await.unwrap().json().await.unwrap();
    let backbone = live["backbone"].as_str().unwrap();
    for (accepted, encoding) in [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0, gzip", "gzip")] {
        let answer = test.get(backbone).header("accept-encoding", accepted).send().await.unwrap();
        assert_eq!(answer.headers()["content-encoding"], encoding, "{accepted}");
        assert_eq!(answer.headers()["vary"], "accept-encoding");
        let bytes = answer.bytes().await.unwrap().len();
        assert!(bytes < 3_000_000, "{accepted}: {bytes} bytes");
    }
    test.stop().await;
}

#[tokio::test]
async fn what_is_no_part_is_not_found() {
    let test = TestApp::start(Database::Sqlite).await;
    for name in ["0".repeat(64), "manifest.toml".to_owned(), "..%2f..%2fetc%2fpasswd".to_owned()] {
        problem(test.get(&format!("/api/v1/models/parts/{name}")).send().await.unwrap(), 404).await;
    }
    test.stop().await;
}

#[tokio::test]
async fn the_record_keeps_what_the_device_said_and_how() {
    let test = TestApp::start(Database::Sqlite).await;
    let ann = Browser::open(&test).await;
    let said =
        json!({"predicted_class": "Rice", "confidence": 0.5, "model_version": "elder-1", "decoded_by": "browser"});
    let sent = ann.post("/api/v1/predictions").multipart(form(a_photo(1)).text("device", said.to_string()));
    let new: Value = sent.send().await.unwrap().json().await.unwrap();
    let path = format!("/api/v1/predictions/{}", new["id"].as_str().unwrap());
    let record: Value = ann.get(&path).send().await.unwrap().json().await.unwrap();
    assert_eq!(record["device"], said);
    assert_eq!(record["model_version"], "food64-1");

    // As clients did that knew of no decoder; and a decoder that there is not.
    let mut elder = said.clone();
    elder.as_object_mut().unwrap().remove("decoded_by");
    let sent = ann.post("/api/v1/predictions").multipart(form(a_photo(2)).text("device", elder.to_string()));
    assert_eq!(sent.send().await.unwrap().status(), 201);
    elder["decoded_by"] = json!("by hand");
    let sent = ann.post("/api/v1/predictions").multipart(form(a_photo(3)).text("device", elder.to_string()));
    problem(sent.send().await.unwrap(), 400).await;
    test.stop().await;
}
