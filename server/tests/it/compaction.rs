//! Few large objects of many small ones: the records say the same before and after, and whatever is cut off.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

use chrono::{DateTime, TimeDelta, Utc};
use gourmetgram::{
    catalog::Catalog,
    records::{self, Compacted, RecordKind, RecordsError, ReindexOptions},
};
use gourmetgram_object_store::Bucket;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::{
    copies::at_most,
    on_both_databases,
    records::{a_life, objects, start},
    reindexing::{done, dump, gourmetgram, sqlite_url},
    support::{Database, TestApp, a_photo},
};

/// Later than everything that a test writes.
fn soon() -> DateTime<Utc> {
    Utc::now() + TimeDelta::hours(1)
}

/// Some days of a service, in many small objects.
async fn some_days(test: &TestApp) {
    a_life(test).await;
    let operator = test.operator().await;
    for seed in 60..66 {
        let photo = test.upload(a_photo(seed)).await;
        for reason in ["other", "not_food"] {
            let path = format!("/api/v1/predictions/{}/flag", photo.id);
            let flag = test.put(&path).bearer_auth(&operator).json(&json!({ "reason": reason }));
            assert_eq!(flag.send().await.unwrap().status(), 200);
            records::step(&test.app).await.unwrap();
        }
        test.settle().await;
        records::step(&test.app).await.unwrap();
    }
}

async fn compact(test: &TestApp) -> Compacted {
    records::compact(test.app.catalog(), test.app.object_store(), soon()).await.unwrap()
}

/// What a catalog is that is rebuilt from the records up to an object's number.
async fn rebuilt(test: &TestApp, until: Option<i64>) -> BTreeMap<&'static str, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let url = sqlite_url(folder.path());
    let catalog = Catalog::open(&url.clone().into(), 1).await.unwrap();
    let options = ReindexOptions { until, ..ReindexOptions::default() };
    records::reindex(&catalog, test.app.object_store(), options, |_, _| {}).await.unwrap();
    catalog.close().await.unwrap();
    dump(&url).await
}

/// Objects that have a number.
async fn numbered(test: &TestApp) -> usize {
    let all = objects(test.app.object_store()).await;
    let own = |key: &&String| !key.starts_with('_') && !key.starts_with(RecordKind::Selection.folder());
    all.keys().filter(own).count()
}

/// Every line, however they are spread over objects.
fn lines(objects: &BTreeMap<String, String>) -> Vec<String> {
    let of = objects.iter().filter(|(key, _)| !key.starts_with('_'));
    let mut lines: Vec<String> = of.flat_map(|(_, body)| body.lines().map(str::to_owned)).collect();
    lines.sort_unstable();
    lines
}

/// Nobody hears of a compaction that was killed, until it is thought dead.
async fn is_thought_dead(test: &TestApp) {
    test.sql("UPDATE compaction SET leased_until = '2026-01-01T00:00:00+00:00' WHERE holder IS NOT NULL").await;
}

/// Photos come in and their lines are written, until somebody says that it is enough.
async fn goes_on(test: &TestApp, is_enough: &AtomicBool) {
    for seed in 100.. {
        let photo = test.upload(a_photo(seed)).await;
        test.settle().await;
        records::step(&test.app).await.unwrap();
        let path = format!("/api/v1/predictions/{}/flag", photo.id);
        let flag = test.put(&path).bearer_auth(&photo.feedback_token).json(&json!({ "reason": "other" }));
        assert_eq!(flag.send().await.unwrap().status(), 200);
        test.settle().await;
        records::step(&test.app).await.unwrap();
        if is_enough.load(Ordering::SeqCst) {
            return;
        }
    }
}

on_both_databases! {
    two_compactions_at_once_beside_a_server_that_writes_lose_nothing_and_double_nothing => async |database| {
        let test = start(database).await;
        some_days(&test).await;
        let count = numbered(&test).await;
        let last = test.app.catalog().records_log().await.unwrap().last_number;
        let before = lines(&objects(test.app.object_store()).await);
        let mut earlier = Vec::new();
        for until in (1..=last).step_by(9) {
            earlier.push((until, rebuilt(&test, Some(until)).await));
        }
        let is_enough = AtomicBool::new(false);
        let url = test.app.settings().catalog_url();
        let compacts = async || {
            let catalog = Catalog::open(&url, 2).await.unwrap();
            let mut merged = 0;
            for _ in 0..6 {
                match records::compact(&catalog, test.app.object_store(), soon()).await {
                    Ok(done) => merged += done.merged,
                    // Its turn comes again.
                    Err(RecordsError::BeingCompacted) => tokio::task::yield_now().await,
                    Err(error) => panic!("{error}"),
                }
            }
            catalog.close().await.unwrap();
            merged
        };
        let compacting = async {
            let merged = tokio::join!(compacts(), compacts());
            is_enough.store(true, Ordering::SeqCst);
            merged
        };
        let ((one, two), ()) = tokio::join!(compacting, goes_on(&test, &is_enough));
        assert!(one + two > 0, "nothing was merged: this shows nothing");
        compact(&test).await;
        assert!(numbered(&test).await < count);
        let after = objects(test.app.object_store()).await;
        let after = lines(&after);
        assert!(after.len() > before.len());
        assert!(after.windows(2).all(|pair| pair[0] != pair[1]), "a line is there twice");
        let found: std::collections::HashSet<&String> = after.iter().collect();
        assert!(before.iter().all(|line| found.contains(line)), "a line is lost");
        let live = dump(url.expose_secret()).await;
        assert_eq!(rebuilt(&test, None).await, live);
        // What each object was made of is still known.
        for (until, earlier) in earlier {
            assert_eq!(rebuilt(&test, Some(until)).await, earlier, "up to {until}");
        }
        test.stop().await;
    };

    one_compacts_at_a_time_and_one_that_was_thought_dead_changes_nothing_more => async |database| {
        let test = start(database).await;
        for seed in 0..3 {
            test.upload(a_photo(seed)).await;
            test.settle().await;
            records::step(&test.app).await.unwrap();
        }
        let catalog = test.app.catalog();
        let another = uuid::Uuid::now_v7();
        assert!(catalog.lease_compaction(another, std::time::Duration::from_secs(600)).await.unwrap());
        let before = objects(test.app.object_store()).await;
        let refused = records::compact(catalog, test.app.object_store(), soon()).await.unwrap_err();
        assert!(matches!(refused, RecordsError::BeingCompacted), "{refused}");
        assert_eq!(objects(test.app.object_store()).await, before);

        is_thought_dead(&test).await;
        let written = catalog.written_records(soon()).await.unwrap();
        let (number, revision) = (written[0].number, written[0].revision);
        let own = uuid::Uuid::now_v7();
        assert!(catalog.lease_compaction(own, std::time::Duration::from_secs(600)).await.unwrap());
        let nothing = |_: &std::collections::HashSet<uuid::Uuid>| Ok(String::new());
        assert!(!catalog.merge_records(another, number, revision, &[number], nothing).await.unwrap());
        assert!(!catalog.lease_compaction(another, std::time::Duration::from_secs(600)).await.unwrap());
        catalog.end_compaction(another).await.unwrap();
        let refused = records::compact(catalog, test.app.object_store(), soon()).await.unwrap_err();
        assert!(matches!(refused, RecordsError::BeingCompacted), "only who holds it can end it: {refused}");
        catalog.end_compaction(own).await.unwrap();
        assert!(compact(&test).await.merged > 0);
        test.stop().await;
    };

    the_records_say_the_same_before_and_after => async |database| {
        let test = start(database).await;
        some_days(&test).await;
        let before = objects(test.app.object_store()).await;
        let count = numbered(&test).await;
        let last = test.app.catalog().records_log().await.unwrap().last_number;
        assert!(count > 30, "{count} objects are few");
        let live = dump(test.app.settings().catalog_url().expose_secret()).await;
        let mut earlier = Vec::new();
        for until in (1..=last).step_by(5) {
            earlier.push((until, rebuilt(&test, Some(until)).await));
        }
        assert_eq!(rebuilt(&test, None).await, live);

        let Compacted { merged, into } = compact(&test).await;
        assert!(into >= 3, "{into}");
        assert_eq!(numbered(&test).await, count - usize::try_from(merged).unwrap());
        assert!(numbered(&test).await <= RecordKind::ALL.len() * 2, "one a kind and day");
        // Not a line is lost, added or changed.
        assert_eq!(lines(&objects(test.app.object_store()).await), lines(&before));
        assert_eq!(rebuilt(&test, None).await, live);
        for (until, earlier) in earlier {
            assert_eq!(rebuilt(&test, Some(until)).await, earlier, "up to {until}");
        }
        assert_eq!(compact(&test).await, Compacted::default(), "there is nothing left to merge");

        // The service goes on, and what is merged is merged again.
        let photo = test.upload(a_photo(99)).await;
        test.settle().await;
        records::step(&test.app).await.unwrap();
        assert!(compact(&test).await.merged > 0);
        let live = dump(test.app.settings().catalog_url().expose_secret()).await;
        assert_eq!(rebuilt(&test, None).await, live);

        // An erasure finds the lines where they are now.
        let path = format!("/api/v1/predictions/{}", photo.id);
        assert!(test.delete(&path).bearer_auth(&photo.feedback_token).send().await.unwrap().status().is_success());
        records::forget(&test.app, photo.id.as_uuid()).await.unwrap();
        records::step(&test.app).await.unwrap();
        for (key, body) in objects(test.app.object_store()).await {
            for line in body.lines().filter(|line| line.contains(&photo.id.to_string())) {
                let line: Value = serde_json::from_str(line).unwrap();
                if line["record"] == "prediction" {
                    assert_eq!(line["image_sha256"], "", "{key}: {line}");
                }
            }
        }
        test.stop().await;
    };
}

/// Cut off at every point at which something was waited for, then done again: nothing is lost, and it ends alike.
#[tokio::test(flavor = "multi_thread")]
async fn a_compaction_that_is_killed_anywhere_loses_nothing() {
    let test = start(Database::Sqlite).await;
    let mut kills = 0;
    for polls in (1..).step_by(2) {
        for seed in 0..3 {
            test.upload(a_photo(seed)).await;
            test.settle().await;
            records::step(&test.app).await.unwrap();
        }
        let live = dump(test.app.settings().catalog_url().expose_secret()).await;
        let finished = at_most(polls, async {
            compact(&test).await;
        })
        .await;
        is_thought_dead(&test).await;
        assert_eq!(rebuilt(&test, None).await, live, "killed after {polls} polls");
        // Servers put what was frozen before it died.
        records::step(&test.app).await.unwrap();
        assert_eq!(rebuilt(&test, None).await, live, "killed after {polls} polls, and put by a server");
        compact(&test).await;
        assert_eq!(rebuilt(&test, None).await, live, "killed after {polls} polls, and done again");
        assert!(numbered(&test).await <= RecordKind::ALL.len() * 2);
        if finished {
            break;
        }
        kills += 1;
    }
    assert!(kills > 10, "it was killed {kills} times only");
    test.stop().await;
}

/// What was erased after the objects were read, and before they were merged, comes back in none.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_erased_while_objects_are_merged_is_cleared() {
    let test = start(Database::Sqlite).await;
    for wait in (0..40).step_by(4) {
        let photo = test.upload(a_photo(1)).await;
        for _ in 0..2 {
            test.settle().await;
            records::step(&test.app).await.unwrap();
            let path = format!("/api/v1/predictions/{}/flag", photo.id);
            let flag = test.put(&path).bearer_auth(&photo.feedback_token).json(&json!({ "reason": "other" }));
            assert!(flag.send().await.unwrap().status().is_success());
        }
        let erase = async {
            tokio::time::sleep(std::time::Duration::from_millis(wait)).await;
            let path = format!("/api/v1/predictions/{}", photo.id);
            let erased = test.delete(&path).bearer_auth(&photo.feedback_token).send().await.unwrap();
            assert!(erased.status().is_success());
        };
        tokio::join!(compact(&test), erase);
        // The outbox comes by twice, the second time when everything that was under way is over.
        records::forget(&test.app, photo.id.as_uuid()).await.unwrap();
        records::step(&test.app).await.unwrap();
        for (key, body) in objects(test.app.object_store()).await {
            if key.starts_with("predictions/") {
                let mut of_it = body.lines().filter(|line| line.contains(&photo.id.to_string()));
                assert!(of_it.all(|line| line.contains("\"image_sha256\":\"\"")), "{key}, erased after {wait} ms");
            }
        }
    }
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_merges_beside_a_server_and_leaves_what_is_new() {
    let test = start(Database::Sqlite).await;
    for seed in 0..3 {
        test.upload(a_photo(seed)).await;
        test.settle().await;
        records::step(&test.app).await.unwrap();
    }
    let data = test.data.path().to_owned();
    let run = async |words: &'static [&'static str]| {
        let data = data.clone();
        done(&tokio::task::spawn_blocking(move || gourmetgram(&data, None, words)).await.unwrap())
    };
    assert_eq!(run(&["records", "compact", "--json"]).await, json!({ "merged": 0, "into": 0 }));
    let before = numbered(&test).await;
    let merged = run(&["records", "compact", "--older-than", "0s", "--json"]).await;
    assert_eq!(numbered(&test).await as u64, before as u64 - merged["merged"].as_u64().unwrap());
    assert!(merged["into"].as_u64().unwrap() >= 1, "{merged}");
    let key = test.app.object_store().list(Bucket::Records, "_compacted/", None).await.unwrap().keys;
    assert_eq!(key.len() as u64, merged["into"].as_u64().unwrap());
    test.stop().await;
}
