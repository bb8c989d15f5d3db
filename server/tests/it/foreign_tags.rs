//! Other tools write tags too: what they say of feedback comes in as steps of the history, and we do not fight it.

use chrono::{TimeDelta, Utc};
use gourmetgram::catalog::now;
use gourmetgram_api::{NewPrediction, Prediction};
use gourmetgram_object_store::{Bucket, TagChanges};
use serde_json::{Value, json};

use crate::{
    on_both_databases,
    support::{Database, TestApp, a_photo, eventually},
};

/// What a notebook or a console does.
async fn tag(test: &TestApp, photo: &NewPrediction, name: &str, value: Option<&str>) {
    let changes = TagChanges::new().set(name, value);
    test.app.object_store().merge_tags(Bucket::Production, &photo.key.parse().unwrap(), &changes).await.unwrap();
}

async fn put(test: &TestApp, photo: &NewPrediction, what: &str, body: Value) {
    let path = format!("/api/v1/predictions/{}/{what}", photo.id);
    let answer = test.put(&path).bearer_auth(&photo.feedback_token).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    test.settle().await;
}

/// Runs the pipeline over these minutes before now, and answers what it counted.
async fn sync(test: &TestApp, token: &str, minutes: std::ops::Range<i64>, dry_run: bool) -> Value {
    let at = |minutes: i64| (Utc::now() - TimeDelta::minutes(minutes)).to_rfc3339();
    let body = json!({"start": at(minutes.end), "end": at(minutes.start), "dry_run": dry_run});
    let asked = test.post("/api/v1/pipelines/tags/runs").bearer_auth(token).json(&body).send().await.unwrap();
    let status = asked.status();
    let run: Value = asked.json().await.unwrap();
    assert!(status.is_success(), "{run}");
    let path = format!("/api/v1/pipelines/tags/runs/{}", run["id"].as_str().unwrap());
    let mut ended = Value::Null;
    eventually("the run has ended", async || {
        let answer: Value = test.get(&path).bearer_auth(token).send().await.unwrap().json().await.unwrap();
        let run = if answer["run"].is_object() { &answer["run"] } else { &answer };
        ended = run.clone();
        run["state"] == "succeeded" || run["state"] == "failed"
    })
    .await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    test.settle().await;
    ended["counts"].clone()
}

fn last_step(prediction: &Prediction) -> (Value, String) {
    let step = prediction.history.last().unwrap();
    (serde_json::to_value(&step.kind).unwrap(), step.by.clone())
}

on_both_databases! {
    what_others_tag_is_a_step_of_the_history => async |database| {
        let test = TestApp::start(database).await;
        let operator = test.operator().await;
        let (flagged, corrected, unflagged, other) = (
            test.upload(a_photo(1)).await, test.upload(a_photo(2)).await,
            test.upload(a_photo(3)).await, test.upload(a_photo(4)).await,
        );
        test.settle().await;
        put(&test, &unflagged, "flag", json!({"reason": "bad_photo"})).await;
        tag(&test, &flagged, "flagged", Some("true")).await;
        tag(&test, &corrected, "corrected_class", Some("Noodles/Pasta")).await;
        tag(&test, &unflagged, "flagged", None).await;
        tag(&test, &other, "corrected_class", Some("No such dish")).await;
        tag(&test, &other, "team", Some("kitchen")).await;

        let found = sync(&test, &operator, -1..30, true).await;
        assert_eq!(found["looked_at"], 4, "{found}");
        assert_eq!(test.prediction(flagged.id, &operator).await.flag, None, "a dry run changes nothing");

        let found = sync(&test, &operator, -1..31, false).await;
        assert_eq!((&found["looked_at"], &found["changed"]), (&json!(4), &json!(3)), "{found}");
        let seen = test.prediction(flagged.id, &operator).await;
        assert_eq!(seen.flag.map(|reason| reason.as_str()), Some("other"));
        let (kind, by) = last_step(&seen);
        assert_eq!((kind["kind"].as_str().unwrap_or_default(), by.as_str()), ("flagged", "tags"), "{kind}");
        let seen = test.prediction(corrected.id, &operator).await;
        assert_eq!((seen.corrected_class.as_deref(), last_step(&seen).1.as_str()), (Some("Noodles/Pasta"), "tags"));
        let seen = test.prediction(unflagged.id, &operator).await;
        assert_eq!((seen.flag, last_step(&seen).1.as_str()), (None, "tags"));
        assert_eq!(test.prediction(other.id, &operator).await.history, [], "what no model knows is not taken in");

        // The mirror leaves it all as it is, and a second look finds nothing more.
        assert_eq!(test.tag(&flagged.key, "flagged").await.as_deref(), Some("true"));
        assert_eq!(test.tag(&corrected.key, "corrected_class").await.as_deref(), Some("Noodles/Pasta"));
        assert_eq!(test.tag(&unflagged.key, "flagged").await, None);
        assert_eq!(test.tag(&other.key, "team").await.as_deref(), Some("kitchen"));
        assert_eq!(sync(&test, &operator, -1..32, false).await["changed"], 0);
        test.stop().await;
    };

    our_mirror_does_not_fight_what_others_have_tagged => async |database| {
        let test = TestApp::start(database).await;
        let operator = test.operator().await;
        let photo = test.upload(a_photo(1)).await;
        test.settle().await;
        // Nobody has looked at the tags since; then somebody corrects the photo in the service, and the outbox comes by.
        tag(&test, &photo, "flagged", Some("true")).await;
        put(&test, &photo, "correction", json!({"label": "Soup"})).await;
        assert_eq!(test.tag(&photo.key, "flagged").await.as_deref(), Some("true"));
        assert_eq!(test.tag(&photo.key, "corrected_class").await.as_deref(), Some("Soup"));
        let seen = test.prediction(photo.id, &operator).await;
        assert!(seen.flag.is_some());
        let by: Vec<&str> = seen.history.iter().map(|step| step.by.as_str()).collect();
        assert_eq!(by, ["visitor", "tags"]);

        // Where both say something else of the same, the word of people in the service counts.
        tag(&test, &photo, "corrected_class", Some("Egg")).await;
        put(&test, &photo, "correction", json!({"label": "Rice"})).await;
        assert_eq!(test.tag(&photo.key, "corrected_class").await.as_deref(), Some("Rice"));
        let seen = test.prediction(photo.id, &operator).await;
        assert_eq!(seen.corrected_class.as_deref(), Some("Rice"));

        // And what is taken back in the service goes from the tags, as ever.
        let path = format!("/api/v1/predictions/{}/flag", photo.id);
        assert!(test.delete(&path).bearer_auth(&photo.feedback_token).send().await.unwrap().status().is_success());
        test.settle().await;
        assert_eq!(test.tag(&photo.key, "flagged").await, None);
        assert_eq!(test.prediction(photo.id, &operator).await.flag, None);
        test.stop().await;
    };
}

/// However many photos there are elsewhere, only those of the interval are asked for.
#[tokio::test(flavor = "multi_thread")]
async fn only_an_intervals_photos_are_looked_at() {
    let test = TestApp::start(Database::Sqlite).await;
    let operator = test.operator().await;
    let photos = test.copies_of_a_photo(20).await;
    let long_ago = (now() - TimeDelta::days(3)).to_rfc3339();
    test.sql(&format!(
        "UPDATE predictions SET created_at = '{long_ago}' WHERE id <> x'{}'",
        photos[0].as_uuid().simple()
    ))
    .await;
    assert_eq!(sync(&test, &operator, -1..30, false).await["looked_at"], 1);
    test.stop().await;
}
