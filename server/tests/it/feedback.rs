//! Flags and corrections: a word of a visitor, kept with its history, mirrored in the object's tags.

use gourmetgram_api::{FeedbackKind, FlagReason, Prediction};
use gourmetgram_object_store::{Bucket, TagChanges};
use serde_json::json;

use crate::{
    on_both_databases,
    support::{Database, TestApp, a_photo, eventually, problem},
};

on_both_databases! {
    a_flag_is_kept_shown_and_taken_back => async |database| {
        let test = TestApp::start(database).await;
        let new = test.upload(a_photo(1)).await;
        let path = format!("/api/v1/predictions/{}/flag", new.id);
        let flag = async |reason: &str| {
            let body = json!({"reason": reason});
            let answer = test.put(&path).bearer_auth(&new.feedback_token).json(&body).send().await.unwrap();
            assert_eq!(answer.status(), 200);
            answer.json::<Prediction>().await.unwrap()
        };
        assert_eq!(flag("wrong_label").await.flag, Some(FlagReason::WrongLabel));
        assert_eq!(flag("wrong_label").await.history.len(), 1, "saying the same again is not a second step");
        test.settle().await;
        assert_eq!(test.tag(&new.key, "flagged").await.as_deref(), Some("true"));

        assert_eq!(flag("bad_photo").await.flag, Some(FlagReason::BadPhoto));
        let undone = test.delete(&path).bearer_auth(&new.feedback_token).send().await.unwrap().json::<Prediction>().await.unwrap();
        assert_eq!(undone.flag, None);
        let steps: Vec<FeedbackKind> = undone.history.into_iter().map(|step| step.kind).collect();
        assert_eq!(steps, [
            FeedbackKind::Flagged { reason: FlagReason::WrongLabel },
            FeedbackKind::Flagged { reason: FlagReason::BadPhoto },
            FeedbackKind::Unflagged,
        ]);
        test.settle().await;
        assert_eq!(test.tag(&new.key, "flagged").await, None);
        assert_eq!(test.tag(&new.key, "predicted_class").await, Some(new.predicted_class));
        test.stop().await;
    };

    a_correction_is_kept_shown_and_taken_back => async |database| {
        let test = TestApp::start(database).await;
        let new = test.upload(a_photo(1)).await;
        let path = format!("/api/v1/predictions/{}/correction", new.id);
        let correct = |label: &str| test.put(&path).bearer_auth(&new.feedback_token).json(&json!({"label": label})).send();
        let seen: Prediction = correct("Noodles/Pasta").await.unwrap().json().await.unwrap();
        assert_eq!(seen.corrected_class.as_deref(), Some("Noodles/Pasta"));
        assert_eq!(seen.predicted_class, new.predicted_class, "the model's word stays beside the visitor's");
        test.settle().await;
        assert_eq!(test.tag(&new.key, "corrected_class").await.as_deref(), Some("Noodles/Pasta"));

        let refused = problem(correct("Pizza").await.unwrap(), 422).await;
        assert!(refused.detail.contains("Bread, Dairy product"), "{}", refused.detail);
        let undone: Prediction = test.delete(&path).bearer_auth(&new.feedback_token).send().await.unwrap().json().await.unwrap();
        assert_eq!(undone.corrected_class, None);
        assert_eq!(undone.history.len(), 2);
        test.settle().await;
        assert_eq!(test.tag(&new.key, "corrected_class").await, None);
        test.stop().await;
    };

    tags_of_others_survive_every_write_of_ours => async |database| {
        let test = TestApp::start(database).await;
        let new = test.upload(a_photo(1)).await;
        test.settle().await;
        let key = new.key.parse().unwrap();
        let theirs = TagChanges::new().set("reviewed_by", Some("somebody else")).set("team", Some("kitchen"));
        test.app.object_store().merge_tags(Bucket::Production, &key, &theirs).await.unwrap();

        let path = format!("/api/v1/predictions/{}", new.id);
        test.put(&format!("{path}/flag")).bearer_auth(&new.feedback_token).json(&json!({"reason": "other"})).send().await.unwrap();
        test.put(&format!("{path}/correction")).bearer_auth(&new.feedback_token).json(&json!({"label": "Soup"})).send().await.unwrap();
        test.settle().await;
        test.delete(&format!("{path}/flag")).bearer_auth(&new.feedback_token).send().await.unwrap();
        test.settle().await;
        let tags = test.tags(&new.key).await.unwrap();
        let of = |name: &str| tags.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        assert_eq!(of("reviewed_by"), Some("somebody else"));
        assert_eq!(of("team"), Some("kitchen"));
        assert_eq!(of("corrected_class"), Some("Soup"));
        assert_eq!(of("flagged"), None);
        assert_eq!(tags.len(), 7);
        test.stop().await;
    };

    many_changes_at_once_end_in_the_last_one => async |database| {
        let test = TestApp::start(database).await;
        let new = test.upload(a_photo(1)).await;
        let path = format!("/api/v1/predictions/{}", new.id);
        let changes = (0..20).map(|step| {
            let request = match step % 4 {
                0 => test.put(&format!("{path}/flag")).json(&json!({"reason": "other"})),
                1 => test.put(&format!("{path}/correction")).json(&json!({"label": "Rice"})),
                2 => test.delete(&format!("{path}/flag")),
                _ => test.delete(&format!("{path}/correction")),
            };
            request.bearer_auth(&new.feedback_token).send()
        });
        for answer in futures::future::join_all(changes).await {
            assert_eq!(answer.unwrap().status(), 200);
        }
        let last = test.prediction(new.id, &new.feedback_token).await;
        test.settle().await;
        assert_eq!(test.tag(&new.key, "flagged").await.is_some(), last.flag.is_some());
        assert_eq!(test.tag(&new.key, "corrected_class").await, last.corrected_class);
        test.stop().await;
    };
}

#[tokio::test]
async fn an_operator_may_judge_and_the_history_says_who_did() {
    let test = TestApp::start(Database::Sqlite).await;
    let new = test.upload(a_photo(1)).await;
    let operator = test.operator().await;
    let path = format!("/api/v1/predictions/{}/flag", new.id);
    test.put(&path).bearer_auth(&operator).json(&json!({"reason": "not_food"})).send().await.unwrap();
    test.delete(&path).bearer_auth(&new.feedback_token).send().await.unwrap();
    let seen = test.prediction(new.id, &operator).await;
    let by: Vec<&str> = seen.history.iter().map(|step| step.by.as_str()).collect();
    assert_eq!(by, ["operator", "visitor"]);
    test.stop().await;
}

#[tokio::test]
async fn malformed_feedback_is_refused_and_changes_nothing() {
    let test = TestApp::start(Database::Sqlite).await;
    let new = test.upload(a_photo(1)).await;
    let path = format!("/api/v1/predictions/{}", new.id);
    for (part, body) in [
        ("flag", "{}"),
        ("flag", "{\"reason\": \"boring\"}"),
        ("flag", "{\"reason\": \"other\", \"colour\": 1}"),
        ("flag", ""),
        ("correction", "{\"label\": 3}"),
        ("correction", "["),
    ] {
        let request = test.put(&format!("{path}/{part}")).bearer_auth(&new.feedback_token).body(body);
        problem(request.send().await.unwrap(), 400).await;
    }
    assert!(test.prediction(new.id, &new.feedback_token).await.history.is_empty());
    test.stop().await;
}

/// Ten tags are all an object may have: where others took them, ours cannot be added, and theirs are not dropped.
#[tokio::test]
async fn an_object_full_of_others_tags_keeps_them_and_the_feedback_waits() {
    let test = TestApp::start(Database::Sqlite).await;
    let new = test.upload(a_photo(1)).await;
    test.settle().await;
    let key = new.key.parse().unwrap();
    let theirs = (0..6).fold(TagChanges::new(), |tags, index| tags.set(&format!("theirs{index}"), Some("x")));
    test.app.object_store().merge_tags(Bucket::Production, &key, &theirs).await.unwrap();
    let path = format!("/api/v1/predictions/{}/flag", new.id);
    let body = json!({"reason": "other"});
    test.put(&path).bearer_auth(&new.feedback_token).json(&body).send().await.unwrap();
    eventually("the failure is on record", async || {
        let row = test.app.catalog().outbox_row(new.id).await.unwrap();
        row.is_some_and(|row| row.last_error.is_some_and(|error| error.contains("tags")))
    })
    .await;
    assert_eq!(test.tags(&new.key).await.unwrap().len(), 10);
    // One of theirs goes; ours follows by itself.
    test.app
        .object_store()
        .merge_tags(Bucket::Production, &key, &TagChanges::new().set("theirs0", None))
        .await
        .unwrap();
    eventually("the flag arrives", async || test.tag(&new.key, "flagged").await.is_some()).await;
    test.stop().await;
}
