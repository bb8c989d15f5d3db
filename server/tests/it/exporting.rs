//! Taking data out: every form, every filter, read by others' programs.

use std::{
    collections::{BTreeMap, HashSet},
    io::Read,
    path::PathBuf,
    process::Command,
};

use bytes::Bytes;
use gourmetgram::{
    accounts::Scope,
    catalog::{
        Said,
        entity::{campaign, prediction, selection, task},
        now,
    },
    records,
};
use gourmetgram_api::{LabelledIn, NewPrediction, Prediction, Role, Seen};
use gourmetgram_object_store::Bucket;
use parquet::{
    file::{reader::FileReader, serialized_reader::SerializedFileReader},
    record::RowAccessor,
};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::{
    on_both_databases,
    records::{a_life, objects, start},
    reindexing::gourmetgram,
    support::{Browser, Database, TestApp, a_photo, problem},
};

/// The Python that has examples/notebook/requirements.txt.
fn python() -> PathBuf {
    if let Some(python) = std::env::var_os("GOURMETGRAM_TEST_NOTEBOOK_PYTHON") {
        return python.into();
    }
    let repository = PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
    let cache = std::env::var_os("GOURMETGRAM_CACHE").map_or_else(|| repository.join(".tools"), PathBuf::from);
    let python = cache.join("venvs/notebook/bin/python");
    assert!(
        python.exists(),
        "{} is missing: run `make test`, or `scripts/setup.sh notebook`, which installs DuckDB and pandas there; or set \
         GOURMETGRAM_TEST_NOTEBOOK_PYTHON to a Python that has them",
        python.display()
    );
    python
}

async fn run_python(words: Vec<String>) -> Value {
    let run = move || Command::new(python()).args(words).output().unwrap();
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn export(test: &TestApp, token: &str, query: &str) -> (String, Bytes) {
    let answer = test.get(&format!("/api/v1/export?{query}")).bearer_auth(token).send().await.unwrap();
    let status = answer.status();
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    let name = answer.headers().get("content-disposition").map(|name| name.to_str().unwrap().to_owned());
    let body = answer.bytes().await.unwrap();
    assert_eq!(status, 200, "{query}: {}", String::from_utf8_lossy(&body));
    assert!(name.unwrap().starts_with("attachment; filename=\"gourmetgram-"));
    (kind, body)
}

async fn judged(test: &TestApp) -> Vec<NewPrediction> {
    let mut photos = Vec::new();
    for seed in 0..5 {
        photos.push(test.upload(a_photo(seed)).await);
    }
    let put = |photo: &NewPrediction, what: &str, body: Value| {
        let path = format!("/api/v1/predictions/{}/{what}", photo.id);
        test.put(&path).bearer_auth(&photo.feedback_token).json(&body).send()
    };
    assert_eq!(put(&photos[1], "flag", json!({"reason": "bad_photo"})).await.unwrap().status(), 200);
    assert_eq!(put(&photos[2], "correction", json!({"label": "Noodles/Pasta"})).await.unwrap().status(), 200);
    test.settle().await;
    photos
}

/// The files of an archive.
fn unpack(bytes: Bytes) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    let read = |name: &String| {
        let mut bytes = Vec::new();
        archive.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
        (name.clone(), bytes)
    };
    names.iter().map(read).collect()
}

on_both_databases! {
    every_form_has_everything_that_the_filter_meets => async |database| {
        let test = TestApp::start(database).await;
        let photos = judged(&test).await;
        // An annotator's name that a spreadsheet would take for a formula.
        test.sql(&format!(
            "UPDATE predictions SET annotated_class = 'Soup', annotated_by = '=HYPERLINK(1)', \
             annotated_at = '2026-11-24 10:00:00+00:00' WHERE object_key = '{}'", photos[3].key
        )).await;
        let token = test.token(&[Scope::PredictionsRead]).await;
        let all: HashSet<String> = photos.iter().map(|photo| photo.id.to_string()).collect();

        let (kind, lines) = export(&test, &token, "format=jsonl").await;
        assert_eq!(kind, "application/x-ndjson");
        let lines: Vec<Prediction> =
            std::str::from_utf8(&lines).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.iter().map(|line| line.id.to_string()).collect::<HashSet<_>>(), all);
        for line in &lines {
            let mut shown = test.prediction(line.id, &token).await;
            shown.history.clear();
            assert_eq!(*line, shown, "a line is what the API shows");
        }

        let (kind, table) = export(&test, &token, "format=csv").await;
        assert_eq!(kind, "text/csv; charset=utf-8");
        let mut table = csv::Reader::from_reader(table.as_ref());
        let columns: Vec<String> = table.headers().unwrap().iter().map(str::to_owned).collect();
        let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
        let cell = |row: &csv::StringRecord, name: &str| {
            row[columns.iter().position(|column| column == name).unwrap()].to_owned()
        };
        assert_eq!(rows.iter().map(|row| cell(row, "id")).collect::<HashSet<_>>(), all);
        let of = |photo: &NewPrediction| rows.iter().find(|row| cell(row, "id") == photo.id.to_string()).unwrap();
        assert_eq!(cell(of(&photos[1]), "flag"), "bad_photo");
        assert_eq!(cell(of(&photos[2]), "corrected_class"), "Noodles/Pasta");
        assert_eq!(cell(of(&photos[3]), "annotated_by"), "'=HYPERLINK(1)");

        let (_, file) = export(&test, &token, "format=parquet").await;
        let reader = SerializedFileReader::new(file).unwrap();
        assert_eq!(reader.metadata().file_metadata().num_rows(), 5);
        for row in reader.get_row_iter(None).unwrap() {
            let row = row.unwrap();
            let id = row.get_string(0).unwrap().clone();
            let line = lines.iter().find(|line| line.id.to_string() == id).unwrap();
            assert_eq!(row.get_timestamp_micros(1).unwrap(), line.created_at.timestamp_micros());
            assert_eq!(row.get_string(3).unwrap(), &line.predicted_class);
            assert_eq!(row.get_float(5).unwrap(), line.confidence.get());
            assert_eq!(row.get_string(8).ok(), line.corrected_class.as_ref());
        }

        // Filters are those of the list.
        for (filter, wanted) in [("flagged=true", 1), ("corrected=true", 2), ("annotator=%3DHYPERLINK(1)", 3)] {
            let (_, lines) = export(&test, &token, &format!("format=jsonl&{filter}")).await;
            let line: Prediction = serde_json::from_slice(&lines).unwrap();
            assert_eq!(line.id, photos[wanted].id, "{filter}");
        }
        let (_, none) = export(&test, &token, "format=csv&to=2026-01-01T00:00:00Z").await;
        assert_eq!(std::str::from_utf8(&none).unwrap().lines().count(), 1, "the names of the columns");
        let (_, none) = export(&test, &token, "format=parquet&to=2026-01-01T00:00:00Z").await;
        assert_eq!(SerializedFileReader::new(none).unwrap().metadata().file_metadata().num_rows(), 0);
        test.stop().await;
    };

    photos_come_in_folders_with_a_manifest => async |database| {
        let test = TestApp::start(database).await;
        let photos = judged(&test).await;
        let operator = test.operator().await;
        let gone = photos[4].key.parse().unwrap();
        test.app.object_store().delete(Bucket::Production, &gone).await.unwrap();
        let manifest = |files: &BTreeMap<String, Vec<u8>>| {
            let text = String::from_utf8(files["manifest.jsonl"].clone()).unwrap();
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
        };
        let (kind, archive) = export(&test, &operator, "format=photos").await;
        assert_eq!(kind, "application/zip");
        let files = unpack(archive);
        let entries = manifest(&files);
        assert_eq!((files.len(), entries.len()), (5, 5), "four photos and the manifest; five entries");
        for entry in &entries {
            let key = entry["key"].as_str().unwrap();
            let Some(file) = entry["file"].as_str() else {
                assert_eq!(key, photos[4].key);
                assert_ne!(entry["missing"], Value::Null);
                continue;
            };
            let label = entry["predicted_class"].as_str().unwrap();
            assert_eq!(entry["label"], label);
            let folder = label.replace(['/', ' '], "_");
            assert_eq!(file, format!("{folder}/{}", key.rsplit('/').next().unwrap()));
            let stored = test.app.object_store().get(Bucket::Production, &key.parse().unwrap()).await.unwrap();
            assert_eq!(files[file], stored.bytes);
        }
        let (_, archive) = export(&test, &operator, "format=photos&by=corrected").await;
        let files = unpack(archive);
        let name = format!("Noodles_Pasta/{}", photos[2].key.rsplit('/').next().unwrap());
        assert_eq!(files.keys().collect::<Vec<_>>(), [&name, "manifest.jsonl"]);
        test.stop().await;
    };
}

#[tokio::test]
async fn what_cannot_be_taken_out_is_refused_before_anything_is_sent() {
    let test = TestApp::start(Database::Sqlite).await;
    let new = test.upload(a_photo(1)).await;
    let path = "/api/v1/export?format=csv";
    problem(test.get(path).send().await.unwrap(), 401).await;
    problem(test.get(path).bearer_auth(&new.feedback_token).send().await.unwrap(), 403).await;
    let other = test.token(&[Scope::PredictionsWrite, Scope::CampaignsRead]).await;
    problem(test.get(path).bearer_auth(&other).send().await.unwrap(), 403).await;
    let annotator = Browser::signed_in(&test, "bob", Role::Annotator).await;
    problem(annotator.get(path).send().await.unwrap(), 403).await;

    let operator = test.operator().await;
    for (query, why) in [
        ("", "say the format"),
        ("format=xlsx", "xlsx"),
        ("format=csv&format=csv", "format"),
        ("format=csv&by=annotated", "by is for the format photos"),
        ("format=photos&by=colour", "colour"),
        ("format=csv&limit=10", "takes no limit"),
        ("format=csv&colour=red", "colour"),
        ("format=csv&confidence_min=0.9&confidence_max=0.1", "confidence"),
        ("format=csv&mine=true", "mine"),
    ] {
        let path = format!("/api/v1/export?{query}");
        let refused = problem(test.get(&path).bearer_auth(&operator).send().await.unwrap(), 400).await;
        assert!(refused.detail.contains(why), "{query}: {refused:?}");
    }
    // Others wait for their turn.
    let turns = test.app.exports().acquire_many_owned(2).await.unwrap();
    let busy = test.get(path).bearer_auth(&operator).send().await.unwrap();
    assert!(busy.headers().contains_key("retry-after"));
    problem(busy, 503).await;
    drop(turns);
    assert_eq!(test.get(path).bearer_auth(&operator).send().await.unwrap().status(), 200);
    test.stop().await;
}

#[tokio::test]
async fn the_page_offers_what_it_shows_as_a_file() {
    let test = TestApp::start(Database::Sqlite).await;
    let operator = Browser::signed_in(&test, "ann", Role::Operator).await;
    let page = operator.get("/photos?class=Noodles%2FPasta&flag=yes&from=2026-11-01").send().await.unwrap();
    let page = page.text().await.unwrap();
    let filter = "class=Noodles%2FPasta&amp;flagged=true&amp;from=2026-11-01T00%3A00%3A00Z";
    for way in ["format=csv", "format=jsonl", "format=parquet", "format=photos", "format=photos&amp;by=annotated"] {
        let link = format!("href=\"/api/v1/export?{way}&amp;{filter}\"");
        assert!(page.contains(&link), "{link}");
        // And it leads there.
        let path = link.trim_start_matches("href=").trim_matches('"').replace("&amp;", "&");
        assert_eq!(operator.get(&path).send().await.unwrap().status(), 200, "{path}");
    }
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_breaks_off_is_no_whole_file() {
    let test = TestApp::start(Database::Sqlite).await;
    test.copies_of_a_photo(450).await;
    let operator = test.operator().await;
    let (_, whole) = export(&test, &operator, "format=jsonl").await;
    assert_eq!(std::str::from_utf8(&whole).unwrap().lines().count(), 450, "more than a page");
    // A row that nobody could have written, behind the first page.
    test.sql(
        "UPDATE predictions SET flag = '?' WHERE id = (SELECT id FROM predictions ORDER BY created_at, id LIMIT 1)",
    )
    .await;
    let answer = test.get("/api/v1/export?format=jsonl").bearer_auth(&operator).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.bytes().await.is_err());
    let command = {
        let data = test.data.path().to_owned();
        let run = move || gourmetgram(&data, None, &["export", "--format", "csv", "--output", "half.csv"]);
        tokio::task::spawn_blocking(run).await.unwrap()
    };
    assert!(!command.status.success());
    assert!(!test.data.path().join("half.csv").exists());
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_takes_out_the_same_beside_the_server() {
    let test = TestApp::start(Database::Sqlite).await;
    let photos = judged(&test).await;
    let operator = test.operator().await;
    let command = async |words: &[&str]| {
        let data = test.data.path().to_owned();
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let run = move || gourmetgram(&data, None, &words.iter().map(String::as_str).collect::<Vec<_>>());
        tokio::task::spawn_blocking(run).await.unwrap()
    };
    let (_, by_api) = export(&test, &operator, "format=csv&flagged=true").await;
    let words = ["export", "--format", "csv", "--filter", "flagged=true", "--output", "-"];
    let output = command(&words).await;
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, by_api.to_vec());
    let words = ["export", "--format", "parquet", "--end", "2100-01-01T00:00:00Z", "--output", "all.parquet"];
    assert!(command(&words).await.status.success());
    let again = command(&words).await;
    assert!(String::from_utf8_lossy(&again.stderr).contains("name another file"), "{again:?}");

    for (by, files) in [("predicted", 5), ("corrected", 1)] {
        let name = format!("{by}.zip");
        let words = ["export", "--format", "photos", "--by", by, "--output", &name];
        let output = command(&words).await;
        assert!(output.status.success(), "{output:?}");
        let (_, by_api) = export(&test, &operator, &format!("format=photos&by={by}")).await;
        let written = unpack(std::fs::read(test.data.path().join(&name)).unwrap().into());
        assert_eq!(written.len(), files + 1, "each photo and the manifest");
        assert_eq!(written, unpack(by_api), "{by}");
    }

    // Another reader of the same file.
    let script = "import duckdb, json, sys\n\
        row = duckdb.connect().execute(f\"SELECT count(*), count(flag), count(DISTINCT id), typeof(any_value(created_at)) \
        FROM '{sys.argv[1]}'\").fetchall()[0]\nprint(json.dumps(row))";
    let file = test.data.path().join("all.parquet").to_str().unwrap().to_owned();
    let read = run_python(vec!["-c".to_owned(), script.to_owned(), file]).await;
    assert_eq!(read, json!([photos.len(), 1, photos.len(), "TIMESTAMP WITH TIME ZONE"]));
    test.stop().await;
}

/// `examples/notebook/records.py` on the records of a life, and the same counted here.
#[tokio::test(flavor = "multi_thread")]
async fn a_notebook_reads_the_records_and_finds_what_the_catalog_says() {
    let test = start(Database::Sqlite).await;
    a_life(&test).await;
    let connection = test.connect().await;
    let campaigns = campaign::Entity::find().all(&connection).await.unwrap();
    let blind = campaigns.iter().find(|campaign| campaign.blind).unwrap();
    let catalog = test.app.catalog();
    let tasks = catalog.next_tasks("carol", Some(blind.id), 6).await.unwrap();
    assert!(!tasks.is_empty());
    for (place, leased) in tasks.iter().enumerate() {
        let photo =
            prediction::Entity::find_by_id(leased.assignment.task.prediction_id).one(&connection).await.unwrap();
        let label = if place % 3 == 0 { "Soup".to_owned() } else { photo.unwrap().predicted_class };
        let said = Said {
            annotator: "carol",
            seen: &Seen::Class { label },
            through: LabelledIn::Review,
            took_ms: None,
            at: now(),
        };
        catalog.annotate(leased.assignment.task.id, &said).await.unwrap();
    }
    test.settle().await;
    records::step(&test.app).await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    for (key, body) in objects(test.app.object_store()).await {
        let file = folder.path().join(key);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, body).unwrap();
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/notebook/records.py").to_owned();
    let found = run_python(vec![script, folder.path().to_str().unwrap().to_owned()]).await;

    let photos = prediction::Entity::find().all(&connection).await.unwrap();
    let living: Vec<_> = photos.iter().filter(|photo| photo.erased_at.is_none()).collect();
    for (class, count) in found["photos"].as_object().unwrap() {
        let here = living.iter().filter(|photo| photo.predicted_class == *class).count();
        assert_eq!(*count, here, "{class}");
    }
    assert_eq!(found["flagged"], living.iter().filter(|photo| photo.flag.is_some()).count());
    assert_eq!(found["corrected"], living.iter().filter(|photo| photo.corrected_class.is_some()).count());
    let (mut right, mut all, mut labels) = (0.0, 0.0, 0);
    let selections = selection::Entity::find().all(&connection).await.unwrap();
    for task in task::Entity::find().all(&connection).await.unwrap() {
        let label = task.resolved.as_ref().and_then(|seen| seen["label"].as_str());
        let (Some(label), true, true) = (label, task.closed_at.is_some(), task.campaign_id == blind.id) else {
            continue;
        };
        let of_task =
            |row: &&selection::Model| row.campaign_id == task.campaign_id && row.prediction_id == task.prediction_id;
        let weight = 1.0 / selections.iter().find(of_task).unwrap().inclusion;
        let photo = photos.iter().find(|photo| photo.id == task.prediction_id).unwrap();
        labels += 1;
        all += weight;
        right += if photo.predicted_class == label { weight } else { 0.0 };
    }
    assert!(labels > 0);
    assert_eq!(found["labels"], labels);
    let accuracy = found["accuracy"][&blind.name].as_f64().unwrap();
    assert!((accuracy - right / all).abs() < 1e-3, "{accuracy} is not {}", right / all);
    connection.close().await.unwrap();
    test.stop().await;
}
