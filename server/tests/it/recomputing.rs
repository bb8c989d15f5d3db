//! Anybody can compute an evaluation again: from the records alone, to the last digit.

use chrono::TimeDelta;
use gourmetgram::{
    accounts::Scope,
    catalog::{Said, entity::task, now},
    evaluating::{Manifest, audited, records_state, to_publish},
    records,
};
use gourmetgram_api::{Evaluation, EvaluationQuery, EvaluationWindow, LabelledIn, Measure, Seen, SliceBy};
use sea_orm::EntityTrait;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    on_both_databases,
    records::{a_life, objects, start},
    reindexing::{done, gourmetgram, refused},
    support::{Database, TestApp, a_photo, problem},
};

/// Labels every task that is there, some wrongly, some as no food.
async fn label_everything(test: &TestApp, first: u16) {
    let connection = test.connect().await;
    let classes = test.app.live_model().classes;
    let tasks = task::Entity::find().all(&connection).await.unwrap();
    for (task, place) in tasks.iter().zip(first..) {
        let photo = test.app.catalog().prediction(task.prediction_id.try_into().unwrap()).await.unwrap().unwrap();
        let seen = match place % 5 {
            0 => Seen::NotFood,
            1 => Seen::Class { label: classes.iter().next().unwrap().1.to_owned() },
            _ => Seen::Class { label: photo.predicted_class },
        };
        let said = Said { annotator: "cleo", seen: &seen, through: LabelledIn::Review, took_ms: None, at: now() };
        // Not of erased photos.
        let _ = test.app.catalog().annotate(task.id, &said).await;
    }
    connection.close().await.unwrap();
}

/// A copy of the bucket `records`, as an auditor has it.
async fn copy_of_records(test: &TestApp) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for (key, body) in objects(test.app.object_store()).await {
        let file = copy.path().join(&key);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, body).unwrap();
    }
    copy
}

/// A share as the table and the report write it.
fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", share * 100.0))
}

/// A measure as the table and the report write it.
fn told(measure: &Measure) -> String {
    let Measure { value, lower, upper, labels, photos, enough, .. } = *measure;
    if value.is_none() {
        return format!("unknown ({labels} labels)");
    }
    let (value, lower, upper) = (percent(value), percent(Some(lower)), percent(Some(upper)));
    let small = if enough { "" } else { ", n too small" };
    format!("{value} [{lower} to {upper}], n = {labels} of {photos}{small}")
}

/// What an evaluation says, without what only the catalog knows (what was published before) and the word by which the window
/// was asked for.
fn comparable(mut evaluation: Value) -> Value {
    evaluation["decision"]["history"] = Value::Null;
    evaluation["window"]["name"] = Value::Null;
    evaluation
}

on_both_databases! {
    the_records_give_the_same_digits_whatever_happened_since => async |database: Database| {
        let test = start(database).await;
        a_life(&test).await;
        label_everything(&test, 0).await;
        test.settle().await;
        records::step(&test.app).await.unwrap();
        let state = records_state(test.app.catalog()).await.unwrap();
        assert_eq!(state.waiting, 0);
        let query = EvaluationQuery { window: Some(EvaluationWindow::Day), ..EvaluationQuery::default() };
        let (evaluation, manifest) = test.app.evaluator().evaluate_with_manifest(&query, state, now()).await.unwrap();
        assert!(evaluation.headline.accuracy.labels > 0, "{:?}", evaluation.headline);
        assert_eq!(evaluation.uncounted, 0);

        // What comes later changes nothing about it.
        test.upload(a_photo(77)).await;
        label_everything(&test, 1).await;
        test.settle().await;
        records::step(&test.app).await.unwrap();
        let copy = copy_of_records(&test).await;
        let data = test.stop_and_keep_data().await;
        let file = copy.path().join("manifest.json");
        std::fs::write(&file, serde_json::to_string(&manifest).unwrap()).unwrap();
        let (file, folder) = (file.to_str().unwrap(), copy.path().to_str().unwrap());
        let expected = comparable(serde_json::to_value(&evaluation).unwrap());
        let elsewhere = tempfile::tempdir().unwrap();
        // From a copy, where there is neither catalog nor object store; and from the bucket.
        let by_copy = gourmetgram(
            elsewhere.path(),
            None,
            &["evaluate", "--from", "records", "--records", folder, "--manifest", file, "--json"],
        );
        assert_eq!(comparable(done(&by_copy)), expected);
        let by_bucket = gourmetgram(data.path(), None, &["evaluate", "--from", "records", "--manifest", file, "--json"]);
        assert_eq!(comparable(done(&by_bucket)), expected);

        // Another digit is noticed.
        let mut other = manifest;
        other.accuracy.upper += 1e-9;
        std::fs::write(file, serde_json::to_string(&other).unwrap()).unwrap();
        let words = ["evaluate", "--from", "records", "--records", folder, "--manifest", file];
        let refused = refused(&gourmetgram(elsewhere.path(), None, &words));
        assert!(refused.contains("other digits"), "{refused}");
    };

    a_published_result_gives_the_same_digits_by_the_manifest_that_the_api_has => async |database: Database| {
        let test = start(database).await;
        a_life(&test).await;
        label_everything(&test, 0).await;
        test.settle().await;
        records::step(&test.app).await.unwrap();
        // Taken apart, too: what is read of single photos is in the records like what is counted.
        let query = EvaluationQuery {
            window: Some(EvaluationWindow::Day),
            slice: Some(SliceBy::Class),
            ..EvaluationQuery::default()
        };
        let (evaluation, manifest) = audited(&test.app, &query).await.unwrap();
        assert_eq!((manifest.records.waiting, manifest.query.slice), (0, Some(SliceBy::Class)));
        assert!(evaluation.slices.as_ref().unwrap().items.iter().any(|slice| slice.accuracy.labels > 0));
        let since = now() - TimeDelta::hours(1);
        let catalog = test.app.catalog();
        assert!(catalog.publish_evaluation(&to_publish(&evaluation), &manifest, since).await.unwrap());

        // Whoever may read evaluations finds it by the history of decisions.
        let token = test.token(&[Scope::EvaluationRead]).await;
        let ask = async |path: &str| test.get(path).bearer_auth(&token).send().await.unwrap();
        let path = |number: &str| format!("/api/v1/evaluation/published/{number}/manifest");
        let later: Evaluation = ask("/api/v1/evaluation?window=1d").await.json().await.unwrap();
        let [past] = &later.decision.history[..] else { panic!("{:?}", later.decision.history) };
        assert_eq!((past.computed_at, past.accuracy), (evaluation.computed_at, evaluation.headline.accuracy));
        let answer = ask(&path(&past.number.to_string())).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "application/json");
        let published = answer.text().await.unwrap();
        assert_eq!(serde_json::from_str::<Manifest>(&published).unwrap(), manifest);
        for nothing in [(past.number + 1).to_string(), u64::MAX.to_string(), "first".to_owned()] {
            let refused = problem(ask(&path(&nothing)).await, 404).await;
            assert!(refused.detail.contains("decision.history"), "{nothing}: {}", refused.detail);
        }
        let other = test.token(&[Scope::PredictionsRead]).await;
        problem(test.get(&path("1")).bearer_auth(&other).send().await.unwrap(), 403).await;

        test.upload(a_photo(77)).await;
        label_everything(&test, 1).await;
        test.settle().await;
        records::step(&test.app).await.unwrap();
        let copy = copy_of_records(&test).await;
        test.stop().await;
        let file = copy.path().join("manifest.json");
        std::fs::write(&file, published).unwrap();
        let (file, folder) = (file.to_str().unwrap(), copy.path().to_str().unwrap());
        let words = ["evaluate", "--from", "records", "--records", folder, "--manifest", file, "--json"];
        let elsewhere = tempfile::tempdir().unwrap();
        let again = comparable(done(&gourmetgram(elsewhere.path(), None, &words)));
        assert_eq!(again, comparable(serde_json::to_value(&evaluation).unwrap()));
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_prints_a_table_and_writes_a_report_that_needs_nothing_else() {
    let test = start(Database::Sqlite).await;
    a_life(&test).await;
    label_everything(&test, 0).await;
    let data = test.stop_and_keep_data().await;
    let table = gourmetgram(data.path(), None, &["evaluate", "--window", "1d", "--slice", "class"]);
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.starts_with("accuracy of food64-1: "), "{table}");
    for word in ["precision", "random sample alone", "what the tutorial would print", "offline, by its card", "slice "]
    {
        assert!(table.contains(word), "{word}: {table}");
    }
    // The same digits as the JSON has, line by line.
    let json = gourmetgram(data.path(), None, &["evaluate", "--window", "1d", "--slice", "class", "--json"]);
    let evaluation: Evaluation = serde_json::from_value(done(&json)).unwrap();
    let Evaluation { headline, calibration, per_class, series, .. } = &evaluation;
    assert!(headline.accuracy.labels > 0 && !series.is_empty(), "{headline:?}");
    let slices = &evaluation.slices.as_ref().unwrap().items;
    let score = |score: Option<f64>| score.map_or_else(|| "–".to_owned(), |score| format!("{score:.4}"));
    let expected = percent(headline.expected.map(|it| it.value));
    let mut lines = vec![
        format!("accuracy of {}: {}", evaluation.model, told(&headline.accuracy)),
        format!("random sample alone\t{}", told(&headline.check)),
        format!("expected without labels\t{expected}"),
        format!("what the tutorial would print\t{}", told(&headline.tutorial_pooled)),
        format!("not food\t{}", told(&headline.not_food)),
        format!("unreadable\t{}", told(&headline.unreadable)),
        format!("calibration error\t{}, n = {} labels", score(calibration.expected_error), calibration.labels),
        format!("Brier score\t{}, n = {} labels", score(calibration.brier), calibration.labels),
        format!("log loss\t{}, n = {} labels", score(calibration.log_loss), calibration.labels),
        format!("retrain?\t{}", evaluation.decision.verdict.as_str()),
    ];
    lines.extend(per_class.iter().map(|class| {
        format!("{}\t{}\t{}\t{}", class.class, told(&class.precision), told(&class.recall), told(&class.f1))
    }));
    lines.extend(slices.iter().map(|it| format!("slice {}\t{} photos\t{}", it.name, it.photos, told(&it.accuracy))));
    for line in lines {
        // What follows it says that labels are few.
        assert!(table.lines().any(|own| own.starts_with(&line)), "{line}: {table}");
    }

    let words = ["evaluate", "--window", "1d", "--slice", "class", "--html", "report.html"];
    let written = gourmetgram(data.path(), None, &words);
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let report = std::fs::read_to_string(data.path().join("report.html")).unwrap();
    assert!(report.contains("<svg") && report.contains("Accuracy over time"));
    let mut cells = vec![
        format!("<td>Random sample alone</td><td>{}</td>", told(&headline.check)),
        format!("<td>Expected without labels</td><td>{expected}</td>"),
        format!("<td>What the tutorial would print</td><td>{}</td>", told(&headline.tutorial_pooled)),
        format!("<td>Not food</td><td>{}</td>", told(&headline.not_food)),
        format!("accuracy of {}: {}. Photos", evaluation.model, told(&headline.accuracy)),
    ];
    cells.extend(per_class.iter().map(|class| {
        let (precision, recall, f1) = (told(&class.precision), told(&class.recall), told(&class.f1));
        format!("<td>{}</td><td>{precision}</td><td>{recall}</td><td>{f1}</td>", class.class)
    }));
    cells.extend(series.iter().map(|point| {
        let state = if point.provisional { ", provisional" } else { "" };
        format!("<td>{}</td><td>{}{state}</td><td>{}</td>", point.photos, told(&point.accuracy), told(&point.check))
    }));
    cells.extend(slices.iter().map(|it| format!("<td>{}</td><td>{}</td>", it.photos, told(&it.accuracy))));
    for cell in cells {
        assert!(report.contains(&cell), "{cell}: {report}");
    }
    for elsewhere in ["http:", "https:", "<script", "<link", "<img"] {
        assert!(!report.contains(elsewhere), "{elsewhere}");
    }
    let again = refused(&gourmetgram(data.path(), None, &["evaluate", "--html", "report.html"]));
    assert!(again.contains("report.html"), "{again}");
    let wrong = refused(&gourmetgram(data.path(), None, &["evaluate", "--records", "."]));
    assert!(wrong.contains("--from records"), "{wrong}");
    let nobody = refused(&gourmetgram(data.path(), None, &["evaluate", "--model", "nobody"]));
    assert!(nobody.contains("nobody"), "{nobody}");
}
