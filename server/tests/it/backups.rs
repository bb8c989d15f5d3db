//! A copy of the catalog, made while the server works, and the way back.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use gourmetgram::records;
use gourmetgram_api::Role;
use sea_orm::ConnectionTrait;

use crate::{
    postgres::PostgresDatabase,
    records::{a_life, seen_to, start},
    reindexing::{done, dump, gourmetgram, lose, refused, sqlite_url},
    support::{Browser, Database, TestApp, a_photo, skipped},
};

/// Without blocking the server, which runs in this process.
async fn command(data: &Path, words: &[&str]) -> std::process::Output {
    let (data, words): (_, Vec<String>) = (data.to_owned(), words.iter().map(|word| (*word).to_owned()).collect());
    let run = move || gourmetgram(&data, None, &words.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_of_one_moment_while_the_server_works() {
    let test = start(Database::Sqlite).await;
    a_life(&test).await;
    let before = dump(&sqlite_url(test.data.path())).await;
    let test = Arc::new(test);
    let is_over = Arc::new(AtomicBool::new(false));
    let visitor = tokio::spawn({
        let (test, is_over) = (Arc::clone(&test), Arc::clone(&is_over));
        async move {
            let mut seed = 100;
            while !is_over.load(Ordering::SeqCst) {
                test.upload(a_photo(seed)).await;
                seed += 1;
            }
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let made = done(&command(test.data.path(), &["backup", folder.path().to_str().unwrap(), "--json"]).await);
    is_over.store(true, Ordering::SeqCst);
    visitor.await.unwrap();
    let file = Path::new(made["file"].as_str().unwrap());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left there");
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    let copy = dump(&format!("sqlite:{}", file.display())).await;
    for (table, rows) in &before {
        let missing: Vec<_> = rows.iter().filter(|row| !copy[table].contains(row)).collect();
        assert_eq!(missing, Vec::<&String>::new(), "{table}");
    }
    // Another one does not take its place.
    let again = command(test.data.path(), &["backup", file.to_str().unwrap()]).await;
    assert!(refused(&again).contains("exists"), "{again:?}");
    Arc::into_inner(test).unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_and_the_records_bring_everything_back_but_sessions() {
    let test = start(Database::Sqlite).await;
    let browser = Browser::signed_in(&test, "ann", Role::Operator).await;
    a_life(&test).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("copy.sqlite");
    let file = file.to_str().unwrap();
    assert!(command(test.data.path(), &["backup", file]).await.status.success());
    // What happens after it: a photo, and another is erased that the backup still knows.
    let newer = test.upload(a_photo(60)).await;
    let photos = browser.get("/api/v1/predictions?limit=1&order=asc").send().await.unwrap();
    let photos: gourmetgram_api::PredictionPage = photos.json().await.unwrap();
    let erased = photos.items[0].id;
    assert_ne!(erased, newer.id, "the backup knows it");
    assert_eq!(browser.delete(&format!("/api/v1/predictions/{erased}")).send().await.unwrap().status(), 204);
    test.settle().await;
    seen_to(&test, &[erased]).await;
    records::step(&test.app).await.unwrap();
    let data = test.stop_and_keep_data().await;
    let before = dump(&sqlite_url(data.path())).await;

    let kept = refused(&command(data.path(), &["restore", file]).await);
    assert!(kept.contains("--overwrite"), "{kept}");
    lose(data.path());
    let restored = done(&command(data.path(), &["restore", file, "--json"]).await);
    assert!(restored["records"]["lines"].as_u64().unwrap() > 0);
    assert_eq!(dump(&sqlite_url(data.path())).await, before);

    let test = TestApp::start_with(Database::Sqlite, |settings| settings.data_dir = data.path().to_owned()).await;
    assert_eq!(test.count("users").await, 1, "accounts come from the backup");
    assert_eq!(test.count("sessions").await, 0, "whoever was signed in then is not any more");
    assert_eq!(Browser::open(&test).await.sign_in("ann", crate::support::PASSWORD, "").await.status(), 303);
    drop(test.stop_and_keep_data().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_backup_of_ours_changes_nothing() {
    let test = start(Database::Sqlite).await;
    test.upload(a_photo(1)).await;
    test.settle().await;
    records::step(&test.app).await.unwrap();
    let url = sqlite_url(test.data.path());
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let good = path("good.sqlite");
    assert!(command(test.data.path(), &["backup", &good]).await.status.success());
    let running = refused(&command(test.data.path(), &["restore", &good, "--overwrite"]).await);
    assert!(running.contains("another server uses the data directory"), "{running}");
    let data = test.stop_and_keep_data().await;
    let before = dump(&url).await;

    std::fs::write(path("text.sqlite"), "not a database, whatever its name says").unwrap();
    let mut bytes = std::fs::read(&good).unwrap();
    bytes[4096..12_288].fill(0x55);
    std::fs::write(path("damaged.sqlite"), bytes).unwrap();
    let other = sea_orm::Database::connect(format!("sqlite:{}?mode=rwc", path("other.sqlite"))).await.unwrap();
    other.execute_unprepared("CREATE TABLE things (id INTEGER)").await.unwrap();
    other.close().await.unwrap();
    std::fs::copy(&good, path("later.sqlite")).unwrap();
    let later = sea_orm::Database::connect(format!("sqlite:{}", path("later.sqlite"))).await.unwrap();
    later.execute_unprepared("INSERT INTO seaql_migrations VALUES ('m900_wonders', 0)").await.unwrap();
    later.close().await.unwrap();
    for (name, why) in [
        ("text.sqlite", "is no file of SQLite"),
        ("damaged.sqlite", "is damaged"),
        ("other.sqlite", "is no catalog of gourmetgram"),
        ("later.sqlite", "m900_wonders"),
        ("missing.sqlite", "cannot read"),
    ] {
        let message = refused(&command(data.path(), &["restore", &path(name), "--overwrite"]).await);
        assert!(message.contains(why) && message.contains("the catalog is as it was"), "{name}: {message}");
        assert_eq!(dump(&url).await, before, "{name}");
    }
    let restored = command(data.path(), &["restore", &good, "--overwrite"]).await;
    assert!(restored.status.success(), "{restored:?}");
    assert_eq!(dump(&url).await, before);
    assert!(data.path().join("catalog.sqlite.replaced").exists(), "what was there is kept");
}

/// PostgreSQL's own programs, where they are installed: beside the server that the tests start.
fn program_of_postgresql(name: &str) -> Option<PathBuf> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/postgres.sh");
    let found = Command::new("bash").args([script, "find"]).output().ok().filter(|output| output.status.success())?;
    let program = Path::new(String::from_utf8(found.stdout).ok()?.trim()).join(name);
    program.exists().then_some(program)
}

/// The way that docs/operations.md describes.
#[tokio::test(flavor = "multi_thread")]
async fn on_postgresql_its_dump_and_the_records_bring_everything_back() {
    let name = "on_postgresql_its_dump_and_the_records_bring_everything_back";
    let Some(pg_dump) = program_of_postgresql("pg_dump") else { return skipped(name, Path::new("pg_dump")) };
    let Some(pg_restore) = program_of_postgresql("pg_restore") else { return skipped(name, Path::new("pg_restore")) };
    let run = async |program: &Path, words: Vec<String>| {
        let mut command = Command::new(program);
        command.args(words);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let database = PostgresDatabase::make().await;
    let url = database.url.clone();
    let data = tempfile::tempdir().unwrap();
    let serve = async || {
        TestApp::start_with(Database::Sqlite, |settings| {
            settings.data_dir = data.path().to_owned();
            settings.catalog.url = Some(url.clone().into());
            settings.records.every_seconds = 3600;
        })
        .await
    };
    let test = serve().await;
    let browser = Browser::signed_in(&test, "ann", Role::Operator).await;
    a_life(&test).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("catalog.dump").to_str().unwrap().to_owned();
    run(&pg_dump, vec!["--format=custom".to_owned(), format!("--file={file}"), url.clone()]).await;

    // What happens after it: a photo, and another is erased that the dump still knows.
    let newer = test.upload(a_photo(60)).await;
    let photos = browser.get("/api/v1/predictions?limit=1&order=asc").send().await.unwrap();
    let photos: gourmetgram_api::PredictionPage = photos.json().await.unwrap();
    let erased = photos.items[0].id;
    assert_eq!(browser.delete(&format!("/api/v1/predictions/{erased}")).send().await.unwrap().status(), 204);
    test.settle().await;
    seen_to(&test, &[erased]).await;
    records::step(&test.app).await.unwrap();
    drop(test.stop_and_keep_data().await);
    let before = dump(&url).await;

    run(&pg_restore, vec!["--clean".to_owned(), format!("--dbname={url}"), file]).await;
    let of_dump = dump(&url).await;
    assert_eq!(of_dump["prediction"].len() + 1, before["prediction"].len(), "it is as it was then");
    assert!(!of_dump["prediction"].iter().any(|row| row.contains(&newer.id.to_string())));
    let reindexed = {
        let (data, url) = (data.path().to_owned(), url.clone());
        let reindex = move || gourmetgram(&data, Some(&url), &["reindex", "--overwrite", "--json"]);
        done(&tokio::task::spawn_blocking(reindex).await.unwrap())
    };
    assert_eq!(reindexed["rows"]["prediction"], before["prediction"].len());
    assert_eq!(dump(&url).await, before);

    let test = serve().await;
    assert_eq!(test.count("users").await, 1, "accounts come from the dump");
    assert_eq!(Browser::open(&test).await.sign_in("ann", crate::support::PASSWORD, "").await.status(), 303);
    drop(test.stop_and_keep_data().await);
    database.remove().await;
}

#[test]
fn for_postgresql_its_own_tools_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for (words, tool) in [(["backup", "copy.sqlite"], "pg_dump"), (["restore", "copy.sqlite"], "pg_restore")] {
        let output = gourmetgram(folder.path(), Some("postgres://nobody@localhost/none"), &words);
        assert!(refused(&output).contains(tool), "{output:?}");
    }
}
