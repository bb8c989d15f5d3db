//! A catalog that was lost comes back from the records as it was.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::{Command, Output},
};

use gourmetgram::{
    catalog::entity::{
        annotation, batch, campaign, collection, feedback, outbox, placement, prediction, record_mark, selection, skip,
        task,
    },
    config::Settings,
    records::{self, RecordKind},
};
use gourmetgram_object_store::Bucket;
use sea_orm::{ConnectionTrait, Database as Connection, EntityTrait, Statement};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    on_both_databases,
    postgres::PostgresDatabase,
    records::{a_life, objects, select, start},
    support::{Database, TestApp, a_photo},
};

/// Every row of every table that is recorded.
pub async fn dump(url: &str) -> BTreeMap<&'static str, Vec<String>> {
    let connection = Connection::connect(url).await.unwrap();
    let mut tables = BTreeMap::new();
    macro_rules! dump {
        ($($table:ident),+) => {
            $({
                let rows = $table::Entity::find().all(&connection).await.unwrap();
                let mut rows: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
                rows.sort_unstable();
                tables.insert(stringify!($table), rows);
            })+
        };
    }
    dump!(prediction, feedback, campaign, batch, selection, task, annotation, placement, skip, collection);
    connection.close().await.unwrap();
    tables
}

pub fn sqlite_url(data: &Path) -> String {
    Settings { data_dir: data.to_owned(), ..Settings::default() }.catalog_url().expose_secret().to_owned()
}

pub fn lose(data: &Path) {
    for file in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"] {
        let _ = std::fs::remove_file(data.join(file));
    }
    assert!(!data.join("catalog.sqlite").exists());
}

/// The real command on this data.
pub fn gourmetgram(data: &Path, url: Option<&str>, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gourmetgram"));
    command.args(words).current_dir(data).env("GOURMETGRAM__DATA_DIR", data);
    if let Some(url) = url {
        command.env("GOURMETGRAM__CATALOG__URL", url);
    }
    command.output().unwrap()
}

pub fn done(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

pub fn refused(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A database without anything in it, in the place of the one that was lost.
async fn another(database: Database, data: &Path) -> (String, Option<PostgresDatabase>) {
    match database {
        Database::Sqlite => {
            lose(data);
            (sqlite_url(data), None)
        }
        Database::Postgres => {
            let database = PostgresDatabase::make().await;
            (database.url.clone(), Some(database))
        }
    }
}

async fn serve(data: &TempDir, url: &str) -> TestApp {
    TestApp::start_with(Database::Sqlite, |settings| {
        settings.data_dir = data.path().to_owned();
        settings.catalog.url = Some(url.to_owned().into());
        settings.records.every_seconds = 3600;
    })
    .await
}

/// Some of everything that has numbers of its own.
async fn another_day(test: &TestApp) {
    let operator = test.operator().await;
    let photo = test.upload(a_photo(50)).await;
    let path = format!("/api/v1/predictions/{}/flag", photo.id);
    let flag = test.put(&path).bearer_auth(&operator).json(&json!({"reason": "other"}));
    assert_eq!(flag.send().await.unwrap().status(), 200);
    let campaign = json!({"name": "Another", "rule": {"kind": "everything"}, "blind": true});
    let made = test.post("/api/v1/campaigns").bearer_auth(&operator).json(&campaign).send().await.unwrap();
    let made: Value = made.json().await.unwrap();
    select(test, &operator, &made).await;
    test.settle().await;
    records::step(&test.app).await.unwrap();
}

on_both_databases! {
    a_lost_catalog_comes_back_row_for_row_and_goes_on => async |database| {
        let test = start(database).await;
        a_life(&test).await;
        let before = dump(test.app.settings().catalog_url().expose_secret()).await;
        assert!(before.values().all(|rows| !rows.is_empty()), "{before:?}");
        let data = test.stop_and_keep_data().await;

        let (url, database) = another(database, data.path()).await;
        let rebuilt = done(&gourmetgram(data.path(), Some(&url), &["reindex", "--json"]));
        assert_eq!(rebuilt["rows"]["prediction"], before["prediction"].len());
        assert_eq!(dump(&url).await, before);

        // The service goes on: new rows get new numbers, new records new names.
        let test = serve(&data, &url).await;
        another_day(&test).await;
        let after = dump(&url).await;
        assert!(after["prediction"].len() > before["prediction"].len());
        drop(test.stop_and_keep_data().await);
        let again = gourmetgram(data.path(), Some(&url), &["reindex"]);
        assert!(refused(&again).contains("--overwrite"), "{again:?}");
        assert_eq!(dump(&url).await, after, "nothing is changed on a refusal");
        done(&gourmetgram(data.path(), Some(&url), &["reindex", "--overwrite", "--json"]));
        assert_eq!(dump(&url).await, after);
        // Nothing of that is news.
        let connection = Connection::connect(&url).await.unwrap();
        assert_eq!(record_mark::Entity::find().all(&connection).await.unwrap(), []);
        assert!(!outbox::Entity::find().all(&connection).await.unwrap().is_empty(), "what changed last is looked at");
        connection.close().await.unwrap();
        if let Some(database) = database {
            database.remove().await;
        }
    };
}

/// The tables that no record tells of, by the words that say so in docs/records.md.
const NOT_RECORDED: [(&str, &[&str]); 9] = [
    ("accounts", &["users"]),
    ("sessions", &["sessions"]),
    ("sign-in links and access tokens", &["operator_links", "access_tokens"]),
    ("runs of pipelines with their steps and logs", &["runs", "run_steps", "run_log"]),
    ("leases of tasks", &["task_leases"]),
    ("draws that are not complete", &["draws", "draw_parts"]),
    ("what waits in the outbox, and what tags are known to say", &["outbox", "mirrors"]),
    (
        "how far the records themselves are",
        &["record_marks", "record_objects", "record_mentions", "record_log", "compaction", "seaql_migrations"],
    ),
    (
        "counts and published results of evaluations",
        &["evaluation_marks", "evaluation_counts", "evaluation_references", "evaluation_results", "evaluation_state"],
    ),
];

/// Whoever adds a table has it recorded, and so compared by these tests, or says that it is not.
#[tokio::test]
async fn every_table_is_recorded_and_compared_or_said_not_to_be() {
    let test = start(Database::Sqlite).await;
    let compared = dump(test.app.settings().catalog_url().expose_secret()).await;
    let kinds: BTreeSet<&str> = RecordKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(compared.keys().copied().collect::<BTreeSet<_>>(), kinds);
    let described = include_str!("../../../docs/records.md");
    let section = described.split_once("\n## What is not in the records\n").unwrap().1;
    let section = section.split("\n## ").next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    let mut told: BTreeSet<String> = BTreeSet::new();
    for (words, tables) in NOT_RECORDED {
        assert!(section.contains(words), "docs/records.md does not say that {words} are in no record");
        told.extend(tables.iter().map(|table| (*table).to_owned()));
    }
    told.extend(RecordKind::ALL.iter().map(|kind| match kind {
        RecordKind::Skip => "task_skips".to_owned(),
        kind => kind.folder().to_owned(),
    }));
    let connection = test.connect().await;
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let rows = connection.query_all_raw(Statement::from_string(connection.get_database_backend(), sql)).await.unwrap();
    connection.close().await.unwrap();
    let tables: BTreeSet<String> = rows.iter().map(|row| row.try_get("", "name").unwrap()).collect();
    assert_eq!(tables, told);
    test.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_the_records_is_named_and_nothing_is_changed() {
    let test = start(Database::Sqlite).await;
    for seed in 0..3 {
        test.upload(a_photo(seed)).await;
        test.settle().await;
        records::step(&test.app).await.unwrap();
    }
    let store = test.app.object_store();
    let found = objects(store).await;
    let keys: Vec<&String> = found.keys().filter(|key| key.starts_with("predictions/")).collect();
    let (second, body) = (keys[1].as_str(), found[keys[1]].clone());
    let put = async |body: &str| {
        let key = second.parse().unwrap();
        store.put(Bucket::Records, &key, body.to_owned(), "application/x-ndjson", &Default::default()).await.unwrap();
    };
    let url = sqlite_url(test.data.path());
    // Beside the running server there is no rebuilding.
    let message = refused(&gourmetgram(test.data.path(), None, &["reindex", "--overwrite"]));
    assert!(message.contains("another server uses the data directory"), "{message}");

    let folder = tempfile::tempdir().unwrap();
    let other = gourmetgram::catalog::Catalog::open(&sqlite_url(folder.path()).into(), 1).await.unwrap();
    let reindex = async || {
        let options = records::ReindexOptions::default();
        let error = records::reindex(&other, store, options, |_, _| {}).await.unwrap_err();
        assert!(other.is_empty().await.unwrap());
        error.to_string()
    };
    let broken = format!("{body}{{\"schema\":1,\"record\":\"prediction\"\n");
    put(&broken).await;
    let message = reindex().await;
    let line = body.lines().count() + 1;
    assert!(message.starts_with(&format!("{second}, line {line}: ")), "{message}");
    put(&body.replace("\"schema\":1", "\"schema\":7")).await;
    let message = reindex().await;
    assert!(message.starts_with(&format!("{second}, line 1: ")) && message.contains("schema 7"), "{message}");
    put(&body.replace("\"predicted_class\"", "\"predicted\"")).await;
    let message = reindex().await;
    assert!(message.contains("predicted_class"), "{message}");
    store.delete(Bucket::Records, &second.parse().unwrap()).await.unwrap();
    let message = reindex().await;
    assert!(message.contains("1 objects of the records are missing"), "{message}");
    let options = records::ReindexOptions { despite_gaps: true, ..Default::default() };
    let done = records::reindex(&other, store, options, |_, _| {}).await.unwrap();
    assert_eq!((done.missing, done.rows["prediction"]), (1, 2));
    assert_eq!(dump(&url).await["prediction"].len(), 3, "the first catalog is as it was");
    test.stop().await;
}

#[tokio::test]
async fn a_batch_without_all_that_it_considered_is_noticed() {
    let test = start(Database::Sqlite).await;
    a_life(&test).await;
    let store = test.app.object_store();
    let found = objects(store).await;
    let selections = found.keys().find(|key| key.starts_with(RecordKind::Selection.folder())).unwrap();
    store.delete(Bucket::Records, &selections.parse().unwrap()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let other = gourmetgram::catalog::Catalog::open(&sqlite_url(folder.path()).into(), 1).await.unwrap();
    let error = records::reindex(&other, store, Default::default(), |_, _| {}).await.unwrap_err().to_string();
    assert!(error.contains("batch 1 has considered"), "{error}");
    assert!(other.is_empty().await.unwrap());
    // Asked to, it takes everything whose parts are there.
    let options = records::ReindexOptions { despite_gaps: true, ..Default::default() };
    let done = records::reindex(&other, store, options, |_, _| {}).await.unwrap();
    let before = dump(&sqlite_url(test.data.path())).await;
    assert!(done.orphans > 0);
    assert_eq!(dump(&sqlite_url(folder.path())).await["prediction"], before["prediction"]);
    assert!(done.rows["task"] < before["task"].len() as u64);
    test.stop().await;
}
