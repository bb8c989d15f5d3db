//! The bucket `records`: what is written, once, and what an erasure leaves of it.

use std::collections::{BTreeMap, HashSet};

use gourmetgram::{
    catalog::{Said, entity::annotation, now},
    records::{self, RecordKind, RecordsError},
};
use gourmetgram_api::{LabelledIn, NewPrediction, PredictionId, Run, RunState, Seen};
use gourmetgram_object_store::{Bucket, ObjectStore};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    on_both_databases,
    support::{Browser, Database, TestApp, a_photo, eventually},
};

/// An application that writes records when it is told to.
pub async fn start(database: Database) -> TestApp {
    TestApp::start_with(database, |settings| settings.records.every_seconds = 3600).await
}

/// Every object of the bucket.
pub async fn objects(store: &ObjectStore) -> BTreeMap<String, String> {
    let mut objects = BTreeMap::new();
    for key in store.list(Bucket::Records, "", None).await.unwrap().keys {
        let object = store.get(Bucket::Records, &key).await.unwrap();
        objects.insert(key.to_string(), String::from_utf8(object.bytes.to_vec()).unwrap());
    }
    objects
}

/// Every line of one kind, in the order of their numbers.
pub async fn lines(test: &TestApp, kind: RecordKind) -> Vec<Value> {
    let objects = objects(test.app.object_store()).await;
    let of_kind = objects.into_iter().filter(|(key, _)| key.starts_with(&format!("{}/", kind.folder())));
    let mut lines: Vec<Value> = of_kind
        .flat_map(|(_, body)| body.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<_>>())
        .collect();
    lines.sort_by_key(|line: &Value| line["seq"].as_i64());
    lines
}

async fn put(test: &TestApp, new: &NewPrediction, what: &str, body: Value) {
    let path = format!("/api/v1/predictions/{}/{what}", new.id);
    let answer = test.put(&path).bearer_auth(&new.feedback_token).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

async fn delete(test: &TestApp, new: &NewPrediction, what: &str) {
    let path = format!("/api/v1/predictions/{}{what}", new.id);
    let answer = test.delete(&path).bearer_auth(&new.feedback_token).send().await.unwrap();
    assert!(answer.status().is_success());
}

async fn post(test: &TestApp, operator: &str, path: &str, body: Value) -> Value {
    let answer = test.post(path).bearer_auth(operator).json(&body).send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{path}: {status} {text}");
    serde_json::from_str(&text).unwrap()
}

/// What happens in a service's life, through the real server: photos, flags, corrections, some taken back, campaigns that
/// select twice, annotations, one changed, one taken back, one skipped, erasures before and after. Answers the erased.
pub async fn a_life(test: &TestApp) -> Vec<PredictionId> {
    let operator = test.operator().await;
    let browser = Browser::open(test).await;
    let mut photos = Vec::new();
    for seed in 0..12 {
        photos.push(if seed % 3 == 0 { browser.upload(a_photo(seed)).await } else { test.upload(a_photo(seed)).await });
    }
    put(test, &photos[1], "flag", json!({"reason": "wrong_label"})).await;
    put(test, &photos[1], "flag", json!({"reason": "not_food"})).await;
    put(test, &photos[2], "flag", json!({"reason": "other"})).await;
    delete(test, &photos[2], "/flag").await;
    put(test, &photos[4], "correction", json!({"label": "Soup"})).await;
    put(test, &photos[5], "correction", json!({"label": "Egg"})).await;
    delete(test, &photos[5], "/correction").await;
    delete(test, &photos[7], "").await;
    test.settle().await;
    records::step(&test.app).await.unwrap();

    let blind = post(test, &operator, "/api/v1/campaigns", json!({"preset": "continuous"})).await;
    let shown = json!({"campaign": {"name": "Everything", "rule": {"kind": "everything"}, "blind": false,
        "double_share": 0.5, "seed": 5}});
    let shown = post(test, &operator, "/api/v1/campaigns", shown["campaign"].clone()).await;
    for campaign in [&blind, &shown, &shown] {
        select(test, &operator, campaign).await;
    }
    put(test, &photos[8], "flag", json!({"reason": "bad_photo"})).await;
    label(test, shown["id"].as_str().unwrap().parse().unwrap()).await;
    test.settle().await;
    records::step(&test.app).await.unwrap();
    // Collected twice, the second time by the same run.
    let start = now() - chrono::TimeDelta::minutes(30);
    for _ in 0..2 {
        let asked = json!({"campaign": shown["id"], "start": start, "end": start + chrono::TimeDelta::minutes(31)});
        run(test, &operator, "collect", asked).await;
        records::step(&test.app).await.unwrap();
    }

    // Erased when it was recorded, chosen and labelled already.
    delete(test, &photos[3], "").await;
    let path = format!("/api/v1/campaigns/{}", blind["id"].as_str().unwrap());
    assert!(test.delete(&path).bearer_auth(&operator).send().await.unwrap().status().is_success());
    test.upload(a_photo(40)).await;
    test.settle().await;
    let gone = vec![photos[3].id, photos[7].id];
    seen_to(test, &gone).await;
    nothing_goes_on(test).await;
    records::step(&test.app).await.unwrap();
    gone
}

/// Calls off what would be collected by itself at the minute's end: a test that compares wants nothing to change.
async fn nothing_goes_on(test: &TestApp) {
    test.sql("UPDATE runs SET state = 'cancelled' WHERE state = 'waiting' AND pipeline = 'collect'").await;
    eventually("no run is under way", async || {
        let runs = test.app.catalog().runs(None, None, 100).await.unwrap();
        runs.iter().all(|run| run.state.is_over())
    })
    .await;
}

/// Waits until the objects of erased photos were removed once: only then does the outbox change nothing more.
pub async fn seen_to(test: &TestApp, erased: &[PredictionId]) {
    eventually("the erased photos are seen to once", async || {
        for id in erased {
            if test.app.catalog().outbox_row(*id).await.unwrap().is_none_or(|row| row.erase_passes == 0) {
                return false;
            }
        }
        true
    })
    .await;
}

/// Has a campaign select from the last half hour, and waits until it has.
pub async fn select(test: &TestApp, operator: &str, campaign: &Value) {
    run(test, operator, "select", json!({ "campaign": campaign["id"] })).await;
    nothing_goes_on(test).await;
}

/// Runs a pipeline to its end.
async fn run(test: &TestApp, operator: &str, pipeline: &str, asked: Value) {
    let path = format!("/api/v1/pipelines/{pipeline}/runs");
    let run = post(test, operator, &path, asked).await;
    let path = format!("{path}/{}", run["id"].as_str().unwrap());
    eventually("the run is through", async || {
        let run: Run = test.get(&path).bearer_auth(operator).send().await.unwrap().json().await.unwrap();
        assert!(run.error.is_none(), "{run:?}");
        run.state == RunState::Succeeded
    })
    .await;
}

async fn label(test: &TestApp, campaign: Uuid) {
    let catalog = test.app.catalog();
    let soup = Seen::Class { label: "Soup".to_owned() };
    for (annotator, answers) in [("ann", [&soup, &Seen::NotFood, &soup]), ("bob", [&soup, &Seen::Unreadable, &soup])] {
        let tasks = catalog.next_tasks(annotator, Some(campaign), 4).await.unwrap();
        for (leased, seen) in tasks.iter().zip(answers) {
            let said = Said { annotator, seen, through: LabelledIn::Review, took_ms: Some(1200), at: now() };
            catalog.annotate(leased.assignment.task.id, &said).await.unwrap();
        }
        if let Some(last) = tasks.get(3) {
            catalog.skip_task(last.assignment.task.id, annotator).await.unwrap();
        }
    }
    // One changes their mind, one takes it back.
    let connection = test.connect().await;
    let find = annotation::Entity::find().filter(annotation::Column::Annotator.eq("ann"));
    let given = find.all(&connection).await.unwrap();
    connection.close().await.unwrap();
    let rice = Seen::Class { label: "Rice".to_owned() };
    let said = Said { annotator: "ann", seen: &rice, through: LabelledIn::Review, took_ms: None, at: now() };
    catalog.annotate(given[0].task_id, &said).await.unwrap();
    catalog.take_back(given[1].id).await.unwrap();
}

on_both_databases! {
    what_happens_is_recorded_in_its_order => async |database| {
        let test = start(database).await;
        let new = test.upload(a_photo(1)).await;
        put(&test, &new, "flag", json!({"reason": "other"})).await;
        put(&test, &new, "correction", json!({"label": "Soup"})).await;
        delete(&test, &new, "/flag").await;
        test.settle().await;
        records::step(&test.app).await.unwrap();

        let photos = lines(&test, RecordKind::Prediction).await;
        assert_eq!(photos.len(), 1, "changes between two steps are one line: {photos:?}");
        let line = &photos[0];
        assert_eq!((&line["schema"], &line["record"], &line["deleted"]), (&json!(1), &json!("prediction"), &json!(false)));
        assert_eq!(line["id"], json!(new.id));
        assert_eq!(line["confidence"].to_string(), new.confidence.get().to_string(), "as short as can be");
        assert_eq!((&line["flag"], &line["corrected_class"]), (&Value::Null, &json!("Soup")));
        let steps = lines(&test, RecordKind::Feedback).await;
        let kinds: Vec<&str> = steps.iter().map(|step| step["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["flagged", "corrected", "unflagged"]);

        // Nothing new, nothing written.
        assert_eq!(records::step(&test.app).await.unwrap().objects, 0);
        put(&test, &new, "flag", json!({"reason": "not_food"})).await;
        test.settle().await;
        records::step(&test.app).await.unwrap();
        let photos = lines(&test, RecordKind::Prediction).await;
        assert_eq!((photos.len(), &photos[1]["flag"]), (2, &json!("not_food")));
        assert!(photos[1]["seq"].as_i64() > photos[0]["seq"].as_i64());
        let day = now().format("date=%Y-%m-%d").to_string();
        let found = objects(test.app.object_store()).await;
        assert!(found.keys().filter(|key| *key != "_log.json").all(|key| key.contains(&day)), "{:?}", found.keys());
        test.stop().await;
    };

    a_server_that_dies_while_it_writes_leaves_each_line_once => async |database| {
        let test = start(database).await;
        test.upload(a_photo(20)).await;
        test.settle().await;
        records::step(&test.app).await.unwrap();
        for seed in 0..3 {
            test.upload(a_photo(seed)).await;
        }
        test.settle().await;
        let catalog = test.app.catalog();
        assert!(catalog.plan_records(now()).await.unwrap() > 0);
        // It dies here: planned, not put. And so does the next one: put, not noted.
        let planned = catalog.records_to_write().await.unwrap();
        for object in &planned {
            let (key, body) = (object.object_key.parse().unwrap(), object.body.clone().unwrap());
            test.app.object_store().put(Bucket::Records, &key, body, "", &Default::default()).await.unwrap();
        }
        let before = objects(test.app.object_store()).await;
        // Whatever happens to the rows meanwhile, the same is written under the same key.
        test.upload(a_photo(9)).await;
        test.settle().await;
        records::step(&test.app).await.unwrap();
        let after = objects(test.app.object_store()).await;
        for (key, body) in before {
            assert_eq!(after[&key], body);
        }
        let photos = lines(&test, RecordKind::Prediction).await;
        let ids: HashSet<&str> = photos.iter().map(|line| line["id"].as_str().unwrap()).collect();
        assert_eq!((photos.len(), ids.len()), (5, 5));
        test.stop().await;
    };

    an_erased_photo_leaves_nothing_personal_in_the_records => async |database| {
        let test = start(database).await;
        let browser = Browser::open(&test).await;
        let (kept, gone, waiting) =
            (browser.upload(a_photo(1)).await, browser.upload(a_photo(2)).await, browser.upload(a_photo(3)).await);
        test.settle().await;
        put(&test, &gone, "flag", json!({"reason": "other"})).await;
        records::step(&test.app).await.unwrap();
        // This one is erased while what was frozen of it is not yet put.
        put(&test, &waiting, "flag", json!({"reason": "other"})).await;
        test.app.catalog().plan_records(now()).await.unwrap();
        let row = async |id: PredictionId| test.app.catalog().prediction(id).await.unwrap().unwrap();
        let (gone_row, waiting_row, kept_row) = (row(gone.id).await, row(waiting.id).await, row(kept.id).await);
        let all = async || objects(test.app.object_store()).await.into_values().collect::<String>();
        assert!(all().await.contains(&gone_row.image_sha256) && all().await.contains(&waiting_row.image_sha256));

        delete(&test, &gone, "").await;
        delete(&test, &waiting, "").await;
        eventually("the records are clean", async || {
            let all = all().await;
            !all.contains(&gone_row.image_sha256) && !all.contains(&waiting_row.image_sha256)
        })
        .await;
        records::step(&test.app).await.unwrap();
        for line in lines(&test, RecordKind::Prediction).await {
            if line["id"] == json!(kept.id) {
                assert_eq!(line["image_sha256"], json!(kept_row.image_sha256));
                continue;
            }
            for field in ["visitor", "idempotency", "device", "scaled_from", "spool_file", "spool_node"] {
                assert_eq!(line[field], Value::Null, "{line}");
            }
            assert_eq!((&line["image_sha256"], &line["probabilities"]), (&json!(""), &json!([])));
            assert_eq!((&line["bytes"], &line["width"], &line["height"]), (&json!(0), &json!(0), &json!(0)));
            assert_ne!(line["predicted_class"], Value::Null, "for anonymous counts");
        }
        // A write that was under way brings an older object back: the second look finds it.
        let (key, clean) = objects(test.app.object_store()).await.into_iter().find(|(key, body)| {
            key.starts_with("predictions/") && body.contains(&gone.id.to_string())
        }).unwrap();
        let stale = clean.replace(&format!("\"id\":\"{}\"", gone.id), &format!("\"device\":{{\"a\":1}},\"id\":\"{}\"", gone.id))
            .replacen("\"device\":null,", "", 1);
        let parsed = key.parse().unwrap();
        test.app.object_store().put(Bucket::Records, &parsed, stale, "", &Default::default()).await.unwrap();
        records::forget(&test.app, gone.id.as_uuid()).await.unwrap();
        let again = objects(test.app.object_store()).await;
        assert!(!again[&key].contains("\"a\":1"), "{}", again[&key]);
        test.stop().await;
    };
}

#[tokio::test]
async fn every_field_of_the_records_is_described() {
    let test = start(Database::Sqlite).await;
    a_life(&test).await;
    let described = include_str!("../../../docs/records.md");
    for kind in RecordKind::ALL {
        let lines = lines(&test, kind).await;
        assert!(!lines.is_empty(), "{kind}");
        let heading = format!("\n### `{}/`\n", kind.folder());
        let section = described.split_once(&heading).unwrap_or_else(|| panic!("docs/records.md has no {heading}")).1;
        let section = section.split("\n### ").next().unwrap();
        for field in lines[0].as_object().unwrap().keys() {
            let row = format!("| `{field}` |");
            let common = described.split("\n### ").next().unwrap();
            assert!(section.contains(&row) || common.contains(&row), "docs/records.md: {kind} has a field {field}");
        }
    }
    test.stop().await;
}

#[tokio::test]
async fn two_catalogs_do_not_write_one_history() {
    let test = start(Database::Sqlite).await;
    test.upload(a_photo(1)).await;
    test.settle().await;
    records::step(&test.app).await.unwrap();
    // A catalog that was restored from a backup no longer knows how far the records are.
    test.sql("UPDATE record_log SET log = NULL").await;
    test.upload(a_photo(2)).await;
    test.settle().await;
    let before = objects(test.app.object_store()).await;
    let refused = records::step(&test.app).await.unwrap_err();
    assert!(matches!(refused, RecordsError::Foreign { .. }), "{refused}");
    assert!(refused.to_string().contains("gourmetgram reindex"), "{refused}");
    assert_eq!(objects(test.app.object_store()).await, before);
    test.stop().await;
}

#[tokio::test]
async fn a_bucket_that_was_emptied_gets_everything_anew() {
    let test = start(Database::Sqlite).await;
    let first = test.upload(a_photo(1)).await;
    test.settle().await;
    records::step(&test.app).await.unwrap();
    for key in objects(test.app.object_store()).await.into_keys() {
        test.app.object_store().delete(Bucket::Records, &key.parse().unwrap()).await.unwrap();
    }
    let second = test.upload(a_photo(2)).await;
    test.settle().await;
    records::step(&test.app).await.unwrap();
    let ids: HashSet<Value> =
        lines(&test, RecordKind::Prediction).await.into_iter().map(|line| line["id"].clone()).collect();
    assert_eq!(ids, HashSet::from([json!(first.id), json!(second.id)]));
    test.stop().await;
}

#[tokio::test]
async fn a_catalog_that_was_set_back_does_not_write_over_what_it_has_forgotten() {
    let test = start(Database::Sqlite).await;
    test.upload(a_photo(1)).await;
    test.settle().await;
    records::step(&test.app).await.unwrap();
    // As other tools than ours restore it: to before that was written.
    test.sql("DELETE FROM record_mentions").await;
    test.sql("DELETE FROM record_objects").await;
    test.sql("UPDATE record_log SET last_number = 0").await;
    let data = test.stop_and_keep_data().await;

    let again = TestApp::start_with(Database::Sqlite, |settings| {
        settings.data_dir = data.path().to_owned();
        settings.records.every_seconds = 3600;
    })
    .await;
    again.upload(a_photo(2)).await;
    again.settle().await;
    let before = objects(again.app.object_store()).await;
    let refused = records::step(&again.app).await.unwrap_err();
    assert!(matches!(refused, RecordsError::Foreign { .. }), "{refused}");
    assert_eq!(objects(again.app.object_store()).await, before);
    drop(again.stop_and_keep_data().await);
}
