//! Erase my photo: gone from buckets, spool and catalog; a tombstone stays; nothing in flight brings it back.

use std::time::Duration;

use gourmetgram::{catalog, outbox};
use gourmetgram_object_store::Bucket;
use serde_json::json;
use uuid::Uuid;

use crate::{
    on_both_databases,
    support::{Browser, Database, TestApp, a_photo, eventually, form, problem},
};

on_both_databases! {
    an_erased_photo_is_gone_everywhere_and_a_tombstone_stays => async |database| {
        let test = TestApp::start(database).await;
        let photo = a_photo(1);
        let new = test.upload(photo.clone()).await;
        let path = format!("/api/v1/predictions/{}", new.id);
        test.put(&format!("{path}/flag")).bearer_auth(&new.feedback_token).json(&json!({"reason": "other"})).send().await.unwrap();
        test.settle().await;
        // Later steps copy photos into the other buckets.
        let key = new.key.parse().unwrap();
        for bucket in [Bucket::LabelWait, Bucket::Noisy, Bucket::Clean] {
            let tags = gourmetgram_object_store::Tags::default();
            test.app.object_store().put(bucket, &key, bytes::Bytes::from(photo.clone()), "image/jpeg", &tags).await.unwrap();
        }

        for _ in 0..2 {
            let erased = test.delete(&path).bearer_auth(&new.feedback_token).send().await.unwrap();
            assert_eq!(erased.status(), 204);
        }
        problem(test.get(&path).bearer_auth(&new.feedback_token).send().await.unwrap(), 410).await;
        problem(test.get(&format!("{path}/image")).bearer_auth(&new.feedback_token).send().await.unwrap(), 410).await;
        let flag = test.put(&format!("{path}/flag")).bearer_auth(&new.feedback_token).json(&json!({"reason": "other"}));
        problem(flag.send().await.unwrap(), 410).await;
        eventually("the objects are gone", async || {
            let store = test.app.object_store();
            for bucket in [Bucket::Production, Bucket::LabelWait, Bucket::Noisy, Bucket::Clean] {
                if store.get(bucket, &key).await.is_ok() {
                    return false;
                }
            }
            true
        })
        .await;

        let tombstone = test.app.catalog().prediction(new.id).await.unwrap().unwrap();
        assert!(tombstone.erased_at.is_some());
        assert_eq!(tombstone.predicted_class, new.predicted_class, "for anonymous counts");
        assert_eq!((tombstone.visitor, tombstone.idempotency, tombstone.device), (None, None, None));
        assert_eq!((tombstone.image_sha256.as_str(), tombstone.bytes, tombstone.spool_file), ("", 0, None));
        assert_eq!(tombstone.probabilities, json!([]));
        assert_eq!(std::fs::read_dir(test.data.path().join("spool")).unwrap().count(), 0);

        // A queue that sends the same photo once more does not bring it back.
        let again = test.post("/api/v1/predictions").multipart(form(photo).text("id", new.id.to_string()));
        problem(again.send().await.unwrap(), 410).await;
        test.stop().await;
    };

    a_visitor_whose_answer_got_lost_erases_once_more => async |database| {
        let test = TestApp::start(database).await;
        let (ann, bob) = (Browser::open(&test).await, Browser::open(&test).await);
        let photo = ann.upload(a_photo(1)).await;
        let path = format!("/api/v1/predictions/{}", photo.id);
        problem(bob.delete(&path).send().await.unwrap(), 404).await;
        assert_eq!(ann.photos().await, 1, "it is ann's");
        for _ in 0..2 {
            assert_eq!(ann.delete(&path).send().await.unwrap().status(), 204);
        }
        let posted = ann.post(&format!("/photos/{}/erase", photo.id)).send().await.unwrap();
        assert_eq!((posted.status().as_u16(), posted.headers()["location"].to_str().unwrap()), (303, "/?erased=1"));

        // Who holds the id learns from it what a photo sent under that id is told, and gets nothing else.
        assert_eq!(bob.delete(&path).send().await.unwrap().status(), 204);
        let again = bob.post("/api/v1/predictions").multipart(form(a_photo(2)).text("id", photo.id.to_string()));
        problem(again.send().await.unwrap(), 410).await;
        problem(bob.get(&path).send().await.unwrap(), 404).await;
        // Whoever says nothing of themselves is asked for that first, and an unknown id is unknown.
        problem(test.delete(&path).send().await.unwrap(), 401).await;
        problem(ann.delete(&format!("/api/v1/predictions/{}", Uuid::now_v7())).send().await.unwrap(), 404).await;
        test.stop().await;
    };

    a_write_in_flight_does_not_bring_an_erased_photo_back => async |database| {
        let test = TestApp::start(database).await;
        let new = test.upload(a_photo(1)).await;
        test.settle().await;
        // What a worker would do that claimed the photo before it was erased, and writes after.
        let photo = test.app.object_store().get(Bucket::Production, &new.key.parse().unwrap()).await.unwrap().bytes;
        let path = format!("/api/v1/predictions/{}", new.id);
        test.delete(&path).bearer_auth(&new.feedback_token).send().await.unwrap();
        eventually("the object is gone", async || test.tags(&new.key).await.is_none()).await;
        let row = test.app.catalog().prediction(new.id).await.unwrap().unwrap();
        let confidence = new.confidence;
        let tags = outbox::tags_of(row.created_at, &row.predicted_class, confidence, &row.model_version);
        outbox::put_photo(test.app.object_store(), &new.key, photo, "image/jpeg", &tags).await.unwrap();
        assert!(test.tags(&new.key).await.is_some());

        // The second look is due in ten minutes; here it is made at once.
        eventually("the first look is noted", async || {
            test.app.catalog().outbox_row(new.id).await.unwrap().is_some_and(|row| row.erase_passes == 1)
        })
        .await;
        let waiting = test.app.catalog().outbox_row(new.id).await.unwrap().unwrap();
        assert!(waiting.due_at > catalog::now() + Duration::from_secs(60));
        test.app.catalog().abandon(new.id).await.unwrap();
        test.app.outbox_wakeup().notify_one();
        eventually("the second look has removed it", async || {
            test.tags(&new.key).await.is_none() && test.app.catalog().outbox_row(new.id).await.unwrap().is_none()
        })
        .await;
        test.stop().await;
    };
}

/// The claim was made before the erasure and finishes after it: the photo must not be marked as stored, and the
/// standing order to remove it must survive.
#[tokio::test]
async fn a_claim_that_finishes_after_an_erasure_leaves_the_order_to_remove() {
    let test = TestApp::start_with(Database::Sqlite, |settings| {
        // No S3 there: nothing leaves the spool by itself.
        settings.s3.endpoint = Some("http://127.0.0.1:1".to_owned());
        settings.s3.access_key_id = Some("key".to_owned());
        settings.s3.secret_access_key = Some("secret".to_owned().into());
    })
    .await;
    let new = test.upload(a_photo(1)).await;
    let catalog = test.app.catalog();
    let mut claims = Vec::new();
    eventually("the photo can be claimed", async || {
        claims = catalog.claim_outbox(test.app.node(), 1, Duration::from_secs(60)).await.unwrap();
        !claims.is_empty()
    })
    .await;
    let path = format!("/api/v1/predictions/{}", new.id);
    assert_eq!(test.delete(&path).bearer_auth(&new.feedback_token).send().await.unwrap().status(), 204);
    catalog.finish_outbox(&claims[0], &catalog::Outcome::Done).await.unwrap();
    assert!(catalog.outbox_row(new.id).await.unwrap().is_some());
    assert_eq!(catalog.prediction(new.id).await.unwrap().unwrap().stored_at, None);
    test.stop().await;
}

/// A worker that was paused past its lease has lost its claim: what it reports changes nothing.
#[tokio::test]
async fn a_claim_that_was_taken_over_changes_nothing() {
    let test = TestApp::start_with(Database::Sqlite, |settings| {
        settings.s3.endpoint = Some("http://127.0.0.1:1".to_owned());
        settings.s3.access_key_id = Some("key".to_owned());
        settings.s3.secret_access_key = Some("secret".to_owned().into());
    })
    .await;
    let new = test.upload(a_photo(1)).await;
    let catalog = test.app.catalog();
    let node = test.app.node();
    let mut paused = Vec::new();
    eventually("the photo can be claimed", async || {
        paused = catalog.claim_outbox(node, 1, Duration::ZERO).await.unwrap();
        !paused.is_empty()
    })
    .await;
    eventually("somebody else claims it", async || {
        !catalog.claim_outbox(node, 1, Duration::from_secs(60)).await.unwrap().is_empty()
    })
    .await;
    assert_eq!(catalog.finish_outbox(&paused[0], &catalog::Outcome::Done).await.unwrap(), None);
    let row = catalog.prediction(new.id).await.unwrap().unwrap();
    assert!(row.spool_file.is_some() && row.stored_at.is_none());
    test.stop().await;
}
