//! What Prometheus is told, and what deploy/ has it do with it. The last two need Prometheus' own programs: from the path, or
//! from the folder that `GOURMETGRAM_PROMETHEUS` names (Debian's package `prometheus` has them); without, they are skipped
//! visibly.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use chrono::{DateTime, TimeDelta, Utc};
use gourmetgram::{
    catalog::{
        Said,
        entity::{evaluation_mark, prediction, task},
        now,
    },
    evaluating,
};
use gourmetgram_api::{Campaign, LabelledIn, Seen};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel};
use serde_json::{Value, json};

use crate::{
    photos::tasks,
    support::{Database, TestApp, eventually, skipped},
};

fn deploy(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(file)
}

/// Our metrics that a text speaks of.
fn metrics_in(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with("gourmetgram_"))
        .map(str::to_owned)
        .collect()
}

/// What the panels of a Grafana board ask.
fn expressions(panels: &Value) -> Vec<String> {
    let of_panel = |panel: &Value| -> Vec<String> {
        let targets = panel["targets"].as_array().into_iter().flatten();
        let own = targets.map(|target| target["expr"].as_str().unwrap().to_owned());
        own.chain(expressions(&panel["panels"])).collect()
    };
    panels.as_array().into_iter().flatten().flat_map(of_panel).collect()
}

/// The program of Prometheus, where it can be found.
fn program(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("GOURMETGRAM_PROMETHEUS").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    folder.into_iter().chain(std::env::split_paths(&path)).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// The campaign of evaluation, which has chosen every photo of that time.
async fn everything_chosen(test: &TestApp, start: DateTime<Utc>, end: DateTime<Utc>) -> Campaign {
    let rule = gourmetgram_api::CampaignRule::Continuous {
        unsure: gourmetgram_api::LowConfidence::default(),
        low_confidence_at_most: None,
        flagged_at_most: None,
        corrected_at_most: None,
        random: gourmetgram_api::RandomDraw::Rate(1.0),
    };
    let campaign = crate::photos::campaign(&test.app, &crate::photos::asked("Continuous", rule)).await;
    let interval = gourmetgram_api::Interval { start, end };
    test.app.catalog().select(campaign.id, interval, false).await.unwrap();
    campaign
}

/// A server that has 40 photos, all of which have a label; one in four answers is wrong.
async fn labelled(test: &TestApp) {
    test.copies_of_a_photo(40).await;
    let catalog = test.app.catalog();
    let campaign = everything_chosen(test, now() - TimeDelta::hours(1), now() + TimeDelta::hours(1)).await;
    let connection = test.connect().await;
    let answer = test.app.live_model().classes;
    let photo = catalog.predictions(gourmetgram::catalog::Whose::Everybodys, &Default::default()).await.unwrap();
    let answered = photo.items[0].predicted_class.clone();
    let another = answer.iter().map(|(_, label)| label).find(|label| *label != answered).unwrap().to_owned();
    for (task, place) in tasks(&connection, campaign.id).await.iter().zip(0..) {
        let label = if place % 4 == 0 { another.clone() } else { answered.clone() };
        let seen = Seen::Class { label };
        let said = Said { annotator: "ann", seen: &seen, through: LabelledIn::Review, took_ms: None, at: now() };
        catalog.annotate(task.id, &said).await.unwrap();
    }
    connection.close().await.unwrap();
    evaluating::tell(&test.app).await.unwrap();
}

#[test]
fn alerts_and_board_speak_of_metrics_that_are_described() {
    let operations = std::fs::read_to_string(deploy("../docs/operations.md")).unwrap();
    let described = metrics_in(&operations);
    for file in ["prometheus/gourmetgram.rules.yml", "grafana/gourmetgram.json"] {
        let spoken_of = metrics_in(&std::fs::read_to_string(deploy(file)).unwrap());
        assert!(spoken_of.len() > 5, "{file} speaks of {spoken_of:?}");
        let unknown: Vec<_> = spoken_of.difference(&described).collect();
        assert!(unknown.is_empty(), "{file} speaks of {unknown:?}, which docs/operations.md does not describe");
    }
    let board: Value = serde_json::from_slice(&std::fs::read(deploy("grafana/gourmetgram.json")).unwrap()).unwrap();
    assert_eq!(board["uid"], "gourmetgram");
}

#[test]
fn every_alert_has_a_made_up_case_in_which_it_fires() {
    let rules = std::fs::read_to_string(deploy("prometheus/gourmetgram.rules.yml")).unwrap();
    let tests = std::fs::read_to_string(deploy("prometheus/gourmetgram.rules.test.yml")).unwrap();
    let names: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(names.len() >= 8, "{names:?}");
    for name in names {
        let fires = format!("alertname: {name}\n        exp_alerts:\n          - exp_labels:");
        assert!(tests.contains(&fires), "gourmetgram.rules.test.yml has no case in which {name} fires");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gauges_say_what_the_api_says() {
    let test = TestApp::start(Database::Sqlite).await;
    labelled(&test).await;
    let text = test.get("/metrics").send().await.unwrap().text().await.unwrap();
    let value = |name: &str| -> f64 {
        let line = text.lines().find(|line| line.starts_with(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).rsplit(' ').next().unwrap().parse().unwrap()
    };
    let token = test.operator().await;
    let answer = test.get("/api/v1/evaluation?window=7d").bearer_auth(&token).send().await.unwrap();
    let evaluation: gourmetgram_api::Evaluation = answer.json().await.unwrap();
    let accuracy = evaluation.headline.accuracy;
    assert_eq!((accuracy.labels, accuracy.photos), (40, 40));
    assert_eq!(accuracy.value, Some(0.75));
    assert_eq!(value("gourmetgram_accuracy"), 0.75);
    assert_eq!(value("gourmetgram_accuracy_lower"), accuracy.lower);
    assert_eq!(value("gourmetgram_accuracy_upper"), accuracy.upper);
    assert_eq!(value("gourmetgram_accuracy_labels"), 40.0);
    assert_eq!(value("gourmetgram_accuracy_photos"), 40.0);
    assert_eq!(value("gourmetgram_label_backlog"), 0.0);
    assert!(value("gourmetgram_accuracy_target").is_nan(), "none is set");
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gauges_of_drift_backlog_and_age_say_what_the_api_says() {
    let test = TestApp::start(Database::Sqlite).await;
    // A thousand photos, five hours ago: what the version saw first. Others get another answer, less surely.
    let first = test.copies_of_a_photo(1).await[0].as_uuid();
    let connection = test.connect().await;
    let row = prediction::Entity::find_by_id(first).one(&connection).await.unwrap().unwrap();
    let copy = |hours: i64, class: &str, confidence: f32| {
        let copy = prediction::Model {
            id: uuid::Uuid::now_v7(),
            created_at: now() - TimeDelta::hours(hours),
            predicted_class: class.to_owned(),
            confidence,
            idempotency: None,
            ..row.clone()
        };
        copy.into_active_model()
    };
    let classes: Vec<String> = test.app.live_model().classes.iter().map(|(_, label)| label.to_owned()).collect();
    for hundred in 0..12 {
        let (hours, class, confidence) = if hundred < 10 { (5, &classes[0], 0.95) } else { (2, &classes[1], 0.45) };
        let copies = (0..100).map(|_| copy(hours, class, confidence));
        prediction::Entity::insert_many(copies).exec_without_returning(&connection).await.unwrap();
    }
    everything_chosen(&test, now() - TimeDelta::hours(3), now() - TimeDelta::hours(1)).await;
    // All have waited for three days; whoever looked before that counts anew.
    let since = now() - TimeDelta::days(3);
    let older = task::Entity::update_many().set(task::ActiveModel { created_at: Set(since), ..Default::default() });
    older.exec(&connection).await.unwrap();
    let again = evaluation_mark::ActiveModel {
        at: Set(now() - TimeDelta::hours(6)),
        until: Set(Some(now())),
        ..Default::default()
    };
    again.insert(&connection).await.unwrap();
    connection.close().await.unwrap();
    evaluating::tell(&test.app).await.unwrap();

    let text = test.get("/metrics").send().await.unwrap().text().await.unwrap();
    let value = |name: &str| -> f64 {
        let line = text.lines().find(|line| line.starts_with(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).rsplit(' ').next().unwrap().parse().unwrap()
    };
    let token = test.operator().await;
    let answer = test.get("/api/v1/evaluation?window=7d").bearer_auth(&token).send().await.unwrap();
    let evaluation: gourmetgram_api::Evaluation = answer.json().await.unwrap();
    assert_eq!(evaluation.funnel.backlog, 200);
    assert_eq!(value("gourmetgram_label_backlog"), 200.0);
    let (age, later) = (value("gourmetgram_label_oldest_seconds"), evaluation.funnel.oldest_seconds.unwrap() as f64);
    assert!(age >= 3.0 * 86_400.0 && (age..=age + 600.0).contains(&later), "{age}, {later} a moment later");
    assert_eq!(evaluation.drift.findings.len(), 4, "{:?}", evaluation.drift);
    for finding in &evaluation.drift.findings {
        let labels = |name: &str| {
            let ways = [
                format!("{name}{{what=\"{}\",test=\"{}\"}}", finding.what, finding.test),
                format!("{name}{{test=\"{}\",what=\"{}\"}}", finding.test, finding.what),
            ];
            ways.into_iter()
                .find(|way| text.contains(&format!("{way} ")))
                .unwrap_or_else(|| panic!("{name} of {finding:?}: {text}"))
        };
        assert_eq!(finding.verdict, gourmetgram_api::DriftWord::Drifted, "{finding:?}");
        assert_eq!(value(&labels("gourmetgram_drift")), 1.0);
        assert_eq!(value(&labels("gourmetgram_drift_effect")), finding.effect, "{finding:?}");
    }
    // Nobody has labelled anything.
    assert!(value("gourmetgram_accuracy").is_nan());
    test.stop().await;
}

#[test]
fn promtool_takes_the_alerts_and_their_own_tests() {
    let Some(promtool) = program("promtool") else {
        return skipped("promtool_takes_the_alerts_and_their_own_tests", Path::new("promtool"));
    };
    let check = |words: &[&str]| {
        let output = Command::new(&promtool).args(words).current_dir(deploy("prometheus")).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "promtool {words:?}: {said}");
    };
    check(&["check", "rules", "gourmetgram.rules.yml"]);
    check(&["check", "config", "prometheus.yml"]);
    check(&["test", "rules", "gourmetgram.rules.test.yml"]);
}

/// A Prometheus that ends with the test.
struct Scraper(Child);

impl Drop for Scraper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_prometheus_scrapes_the_server_and_raises_the_alert() {
    let name = "a_real_prometheus_scrapes_the_server_and_raises_the_alert";
    let Some(prometheus) = program("prometheus") else { return skipped(name, Path::new("prometheus")) };
    let test = TestApp::start_with(Database::Sqlite, |settings| {
        settings.metrics.require_token = true;
        settings.evaluation.target = Some(0.99);
    })
    .await;
    labelled(&test).await;
    let token = test.token(&[gourmetgram::accounts::Scope::MetricsRead]).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), token).unwrap();
    let target = test.url.trim_start_matches("http://");
    let rules = deploy("prometheus/gourmetgram.rules.yml").canonicalize().unwrap();
    let settings = format!(
        "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: [{}]\nscrape_configs:\n  \
         - job_name: gourmetgram\n    static_configs: [{{targets: [\"{target}\"]}}]\n    \
         authorization: {{credentials_file: token}}\n",
        json!(rules)
    );
    std::fs::write(folder.path().join("prometheus.yml"), settings).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let child = Command::new(prometheus)
        .arg("--config.file=prometheus.yml")
        .arg("--storage.tsdb.path=data")
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let scraper = Scraper(child);
    let ask = async |path: &str| -> Value {
        let Ok(answer) = test.client.get(format!("http://127.0.0.1:{port}/api/v1/{path}")).send().await else {
            return Value::Null;
        };
        answer.json().await.unwrap_or_default()
    };
    eventually("Prometheus has scraped the accuracy", async || {
        ask("query?query=gourmetgram_accuracy").await["data"]["result"][0]["value"][1] == "0.75"
    })
    .await;
    // Forty labels of which ten say wrong prove that a target of 99 % is missed.
    eventually("the alert is pending", async || {
        let alerts = ask("alerts").await["data"]["alerts"].clone();
        let names: Vec<Value> =
            alerts.as_array().into_iter().flatten().map(|alert| alert["labels"]["alertname"].clone()).collect();
        names.contains(&json!("GourmetGramAccuracyBelowTarget"))
    })
    .await;
    let healthy = ask("rules").await["data"]["groups"]
        .as_array()
        .unwrap()
        .iter()
        .all(|group| group["rules"].as_array().unwrap().iter().all(|rule| rule["lastError"].is_null()));
    assert!(healthy, "{}", ask("rules").await);
    // What the board asks is understood, and there is something to draw: also NaN, where nobody knows the number yet.
    let board: Value = serde_json::from_slice(&std::fs::read(deploy("grafana/gourmetgram.json")).unwrap()).unwrap();
    let expressions = expressions(&board["panels"]);
    assert!(expressions.len() > 10, "{expressions:?}");
    for expression in expressions {
        let query = serde_urlencoded::to_string([("query", expression.replace("$instance", ".*"))]).unwrap();
        eventually(&format!("{expression} finds something"), async || {
            let answer = ask(&format!("query?{query}")).await;
            let found = answer["data"]["result"].as_array().is_some_and(|series| !series.is_empty());
            answer["status"] == "success" && found
        })
        .await;
    }
    drop(scraper);
    test.stop().await;
}
