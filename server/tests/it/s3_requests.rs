//! What select and collect ask of the object store: so much for each photo of the interval, and nothing for all others.

use std::sync::atomic::Ordering;

use gourmetgram::catalog::{Said, now};
use gourmetgram_api::{CampaignRule, LabelledIn, Run, RunState, Seen};
use gourmetgram_object_store::Bucket;
use serde_json::json;

use crate::{
    object_store_trouble::Store,
    on_both_databases,
    photos::{asked, campaign, copies, minute, photo, tasks},
    support::{Database, TestApp, eventually},
};

/// Runs a pipeline over the first half hour of the day, to its good end and until the buckets are as it wants them.
async fn run(test: &TestApp, token: &str, pipeline: &str, campaign: uuid::Uuid) {
    let path = format!("/api/v1/pipelines/{pipeline}/runs");
    let asked = json!({ "campaign": campaign, "start": minute(0), "end": minute(30) });
    let run: Run = test.post(&path).bearer_auth(token).json(&asked).send().await.unwrap().json().await.unwrap();
    eventually("the run is through", async || {
        let run = test.app.catalog().run(run.id).await.unwrap().unwrap();
        assert_ne!(run.state, RunState::Failed, "{run:?}");
        run.state == RunState::Succeeded
    })
    .await;
    test.settle().await;
}

/// Requests of a select and of a collect over an interval of so many photos, with so many others in the bucket.
async fn requests(database: Database, photos: u64, others: u64) -> [usize; 2] {
    let store = Store::start().await;
    let test = store.app(database).await;
    for number in 0..photos {
        photo(&test.app, 5, number, 0.4).await;
    }
    for number in photos..photos + others {
        photo(&test.app, 100, number, 0.4).await;
    }
    test.settle().await;
    let token = test.operator().await;
    let campaign = campaign(&test.app, &asked("All", CampaignRule::Everything)).await;
    let asked_for = || store.asked.swap(0, Ordering::SeqCst);
    asked_for();
    run(&test, &token, "select", campaign.id).await;
    let of_select = asked_for();
    let connection = test.connect().await;
    let soup = Seen::Class { label: "Soup".to_owned() };
    for task in tasks(&connection, campaign.id).await {
        let said = Said { annotator: "ann", seen: &soup, through: LabelledIn::Review, took_ms: None, at: now() };
        test.app.catalog().annotate(task.id, &said).await.unwrap();
    }
    connection.close().await.unwrap();
    run(&test, &token, "collect", campaign.id).await;
    let of_collect = asked_for();
    let lies = copies(&test.app).await;
    let labelled = lies.iter().filter(|(bucket, _, _)| *bucket == Bucket::Clean).count();
    assert_eq!((labelled as u64, lies.len() as u64), (photos, 2 * photos), "what this counts is the whole work");
    test.stop().await;
    store.running.shutdown().await;
    [of_select, of_collect]
}

on_both_databases! {
    selecting_and_collecting_ask_s3_for_an_intervals_photos_whatever_else_is_in_the_bucket => async |database| {
        // In whole requests for each photo: one more or less, because two changes of a photo are one visit, is no matter.
        let each = |asked: [usize; 2], photos: u64| asked.map(|it| (it as f64 / photos as f64).round() as u64);
        let [few, many] = [4, 16];
        let alone = each(requests(database, few, 0).await, few);
        assert!(alone.iter().all(|each| (1..10).contains(each)), "{alone:?}");
        assert_eq!(each(requests(database, few, 60).await, few), alone, "others in the bucket cost nothing");
        assert_eq!(each(requests(database, many, 60).await, many), alone, "so much for each photo");
    };
}
