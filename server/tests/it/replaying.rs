//! `gourmetgram replay` as its user runs it: the real command against the real application.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use chrono::{TimeDelta, Utc};
use gourmetgram::accounts::Scope;
use gourmetgram_api::{Campaign, FeedbackKind, Prediction, PredictionPage, Seen, TaskPage, TaskRecord};
use rustix::process::{Pid, Signal, kill_process};
use sea_orm::EntityTrait;
use serde_json::{Value, json};
use tokio::process::{Child, Command};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{
    on_both_databases,
    support::{Database, TestApp, a_photo, eventually, skipped},
};

/// What the documents say a replay's token needs; it works with these and no more.
const SCOPES: [Scope; 4] =
    [Scope::PredictionsWrite, Scope::PredictionsBackdate, Scope::PredictionsRead, Scope::FeedbackWrite];

/// What it needs where its photos are labelled, too.
const SCOPES_TO_LABEL: [Scope; 2] = [Scope::Admin, Scope::PredictionsBackdate];

/// A folder with so many photos, in folders of all eleven classes.
fn photos(count: u32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..count {
        let class = folder.path().join(format!("class_{:02}", number % 11));
        std::fs::create_dir_all(&class).unwrap();
        std::fs::write(class.join(format!("{number}.jpg")), a_photo(number)).unwrap();
    }
    folder
}

fn command(url: &str, token: &str, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gourmetgram"));
    command.args(["replay", "--url", url]).args(words).env("GOURMETGRAM_TOKEN", token);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

async fn replay(test: &TestApp, token: &str, words: &[&str]) -> Output {
    command(&test.url, token, words).output().await.unwrap()
}

/// The JSON report of a run that succeeded.
async fn report(test: &TestApp, token: &str, words: &[&str]) -> Value {
    let output = replay(test, token, &[words, &["--json"]].concat()).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// One line that says what is wrong.
fn failure(output: &Output) -> String {
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    // A slow machine shows progress before.
    let ours: Vec<&str> = text.lines().filter(|line| !line.ends_with(" photos")).collect();
    assert!(matches!(ours[..], [line] if line.starts_with("gourmetgram: ")), "{text}");
    text
}

/// The same of a run that has said what became of its photos before.
fn failure_after_report(output: &Output, photos: &str) -> String {
    assert!(String::from_utf8_lossy(&output.stdout).contains(photos), "{output:?}");
    failure(output)
}

/// A campaign's tasks, read page by page.
async fn tasks(test: &TestApp, token: &str, campaign: &Campaign) -> Vec<TaskRecord> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/campaigns/{}/tasks?limit=10{cursor}", campaign.id);
        let page: TaskPage = test.get(&path).bearer_auth(token).send().await.unwrap().json().await.unwrap();
        all.extend(page.items);
        let Some(next) = page.next_cursor else { return all };
        cursor = format!("&cursor={next}");
    }
}

/// Everything there is, with its history.
async fn everything(test: &TestApp, token: &str) -> Vec<Prediction> {
    let page: PredictionPage =
        test.get("/api/v1/predictions?limit=200").bearer_auth(token).send().await.unwrap().json().await.unwrap();
    let mut all = Vec::new();
    for item in page.items {
        all.push(test.prediction(item.id, token).await);
    }
    all
}

async fn count(test: &TestApp) -> usize {
    let rows = gourmetgram::catalog::entity::prediction::Entity::find();
    let connection = test.connect().await;
    rows.all(&connection).await.unwrap().len()
}

fn interrupt(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

on_both_databases! {
    a_replay_that_was_stopped_and_killed_goes_on_and_sends_nothing_twice => async |database| {
        let test = TestApp::start(database).await;
        let token = test.token(&SCOPES).await;
        let folder = photos(44);
        let folder = folder.path().to_str().unwrap();
        // Two days in about four seconds: long enough to be cut off in the middle.
        let words = [folder, "--over", "2d", "--rhythm", "--correct-share", "1", "--undo-share", "0.5"];
        let slowly = [&words[..], &["--speedup", "43200"]].concat();

        let first = command(&test.url, &token, &slowly).spawn().unwrap();
        eventually("some photos have arrived", async || count(&test).await >= 5).await;
        interrupt(&first, Signal::INT);
        let first = first.wait_with_output().await.unwrap();
        assert!(failure(&first).contains("the same command again goes on"));

        let so_far = count(&test).await;
        let mut second = command(&test.url, &token, &slowly).spawn().unwrap();
        eventually("some more have arrived", async || count(&test).await >= so_far + 5).await;
        second.kill().await.unwrap();
        let so_far = count(&test).await;
        assert!(so_far < 44, "the replay was over before it was killed");

        // The pace is no part of the plan: the rest may come as fast as it can.
        let last = report(&test, &token, &words).await;
        assert_eq!((last["sent"].as_u64().unwrap() + last["already_there"].as_u64().unwrap(), count(&test).await), (44, 44));
        assert!(last["already_there"].as_u64().unwrap() >= so_far as u64);
        test.settle().await;
        let before = everything(&test, &token).await;
        let again = report(&test, &token, &words).await;
        assert_eq!((again["sent"].as_u64(), again["already_there"].as_u64()), (Some(0), Some(44)));
        assert_eq!((again["flagged"].as_u64(), again["corrected"].as_u64()), (Some(0), Some(0)));
        assert_eq!(everything(&test, &token).await, before, "the same again changes nothing");
        assert!(before.iter().all(|one| one.history.len() <= 3));
        test.stop().await;
    };

    a_replay_is_spread_over_time_and_visitors_who_judge_and_err_as_people_do => async |database| {
        let test = TestApp::start(database).await;
        let token = test.token(&SCOPES).await;
        let folder = photos(110);
        let words = [
            folder.path().to_str().unwrap(), "--over", "7d", "--visitors", "20", "--flag-share", "0.5",
            "--correct-share", "1", "--wrong-share", "0.4", "--mistaken-share", "0", "--undo-share", "0",
        ];
        let report = report(&test, &token, &words).await;
        assert_eq!(report["sent"].as_u64(), Some(110), "{report}");
        let all = everything(&test, &token).await;
        assert_eq!(all.len(), 110);

        let (now, source) = (Utc::now(), report["source"].as_str().unwrap());
        let mut days = BTreeSet::new();
        for one in &all {
            assert!(one.created_at <= now && one.created_at >= now - TimeDelta::days(7) - TimeDelta::minutes(1));
            assert_eq!(one.source.as_deref(), Some(source));
            days.insert((now - one.created_at).num_days());
            for step in &one.history {
                assert!(step.at >= one.created_at && step.at <= now && step.by == "visitor", "{step:?}");
            }
        }
        assert_eq!(days.len(), 7, "every day has its photos: {days:?}");

        let connection = test.connect().await;
        let rows = gourmetgram::catalog::entity::prediction::Entity::find().all(&connection).await.unwrap();
        let mut of_visitor: BTreeMap<String, usize> = BTreeMap::new();
        for row in rows {
            *of_visitor.entry(row.visitor.expect("every photo has its visitor")).or_default() += 1;
        }
        let most = of_visitor.values().max().unwrap();
        assert!((8..=20).contains(&of_visitor.len()) && *most > 15, "{of_visitor:?}");

        let number = |name: &str| report[name].as_u64().unwrap() as f64;
        let wrong_answers = (report["agreement"]["of"].as_u64().unwrap() - report["agreement"]["right"].as_u64().unwrap()) as f64;
        assert!(wrong_answers > 60.0, "these pictures are nothing the model knows");
        assert_eq!(number("corrected"), wrong_answers);
        let standing = |what: &dyn Fn(&FeedbackKind) -> bool| {
            all.iter().filter(|one| one.history.iter().any(|step| what(&step.kind))).count() as f64
        };
        assert_eq!(standing(&|kind| matches!(kind, FeedbackKind::Corrected { .. })), number("corrected"));
        assert_eq!(standing(&|kind| matches!(kind, FeedbackKind::Flagged { .. })), number("flagged"));
        // Four standard deviations of shares of more than 60.
        assert!((number("corrected_wrongly") / number("corrected") - 0.4).abs() < 0.26, "{report}");
        assert!((number("flagged") / wrong_answers - 0.5).abs() < 0.26, "{report}");
        test.stop().await;
    };

    annotators_label_what_a_campaign_chooses_of_a_replay_and_nothing_twice => async |database| {
        let test = TestApp::start(database).await;
        let token = test.token(&SCOPES_TO_LABEL).await;
        // A photo that no replay sent, chosen by the same campaign.
        let stranger = test.upload(a_photo(999)).await.id;
        let made = test.post("/api/v1/campaigns").bearer_auth(&token).json(&json!({
            "name": "Learn", "rule": { "kind": "everything" }, "double_share": 0
        }));
        let campaign: Campaign = made.send().await.unwrap().json().await.unwrap();
        let folder = photos(33);
        // Visitors correct every wrong answer and never err, so that the truth is on record.
        let words = [
            folder.path().to_str().unwrap(), "--over", "2d", "--correct-share", "1", "--wrong-share", "0",
            "--mistaken-share", "0", "--label-wrong-share", "0.2", "--label", "Learn",
        ];

        let half = report(&test, &token, &[&words[..], &["--label-share", "0.5"]].concat()).await;
        assert_eq!((half["labels"]["chosen"].as_u64(), half["labels"]["given"].as_u64()), (Some(33), Some(17)), "{half}");
        let rest = report(&test, &token, &words).await;
        assert_eq!((rest["sent"].as_u64(), rest["labels"]["given"].as_u64()), (Some(0), Some(16)), "{rest}");
        let again = report(&test, &token, &words).await;
        assert_eq!(again["labels"]["given"].as_u64(), Some(0), "{again}");

        let path = format!("/api/v1/campaigns/{}/select", campaign.id);
        let _ = test.post(&path).bearer_auth(&token).send().await.unwrap();
        let of_stranger = async || tasks(&test, &token, &campaign).await.into_iter().any(|task| task.prediction == stranger);
        eventually("the stranger is chosen, too", of_stranger).await;
        let again = report(&test, &token, &words).await;
        assert_eq!((again["labels"]["chosen"].as_u64(), again["labels"]["given"].as_u64()), (Some(33), Some(0)), "{again}");

        let all = tasks(&test, &token, &campaign).await;
        assert_eq!(all.len(), 34);
        let mut wrong = 0;
        for task in &all {
            assert!((task.inclusion - 1.0).abs() < 1e-12, "everything was chosen");
            if task.prediction == stranger {
                assert_eq!((task.given, &task.seen), (0, &None), "it is left to people");
                continue;
            }
            assert_eq!((task.given, task.closed_at.is_some()), (1, true));
            let seen = task.seen.as_ref().and_then(Seen::label).unwrap();
            let photo = test.prediction(task.prediction, &token).await;
            wrong += u64::from(photo.corrected_class.unwrap_or(photo.predicted_class) != seen);
        }
        let said = [&half, &rest].map(|report| report["labels"]["wrong"].as_u64().unwrap()).iter().sum::<u64>();
        // 6.6 of 33 on average: four standard deviations.
        assert!(said == wrong && said < 16, "{said} {wrong}");

        let nowhere = [&words[..words.len() - 1], &["Nowhere"]].concat();
        assert!(failure_after_report(&replay(&test, &token, &nowhere).await, "33 there already").contains("no campaign \"Nowhere\""));
        let narrow = test.token(&SCOPES).await;
        let another = [&words[..], &["--seed", "2"]].concat();
        assert!(failure_after_report(&replay(&test, &narrow, &another).await, "33 sent").contains("not labelled"));
        test.stop().await;
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_replayed_live_and_hostile_entries_do_no_harm() {
    let test = TestApp::start(Database::Sqlite).await;
    let token = test.token(&SCOPES).await;
    let archive = tempfile::NamedTempFile::with_suffix(".zip").unwrap();
    let mut writer = ZipWriter::new(archive.reopen().unwrap());
    let zeros = vec![0; 30_000_000];
    let entries = [
        ("07/fine.jpg", a_photo(1)),
        ("../../../Soup/up.jpg", a_photo(2)),
        ("unlabelled/bomb.jpg", zeros),
        ("unlabelled/text.jpg", b"no picture".to_vec()),
        ("notes.txt", b"left out".to_vec()),
    ];
    for (name, bytes) in entries {
        writer.start_file(name, SimpleFileOptions::default()).unwrap();
        writer.write_all(&bytes).unwrap();
    }
    writer.finish().unwrap();
    let path = archive.path().to_str().unwrap();
    let report = report(&test, &token, &[path, "--rate", "50", "--flag-share", "0", "--correct-share", "0"]).await;
    assert_eq!(report["sent"].as_u64(), Some(2), "{report}");
    assert_eq!(report["agreement"]["of"].as_u64(), Some(2));
    assert_eq!(report["refused"].as_object().unwrap().len(), 2, "{report}");
    for one in everything(&test, &token).await {
        assert!((Utc::now() - one.created_at).num_minutes() < 5, "live photos are of now");
        assert!(one.source.is_some(), "and simulated all the same");
    }
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_work_is_said_in_one_line() {
    let test = TestApp::start(Database::Sqlite).await;
    let folder = photos(3);
    let folder = folder.path().to_str().unwrap();
    assert!(failure(&replay(&test, "ggo_forged", &[folder, "--over", "1d"]).await).contains("token"));
    assert!(failure(&replay(&test, "", &[folder]).await).contains("token is empty"));
    assert!(failure(&replay(&test, "ggo_x", &["nowhere.zip"]).await).contains("nowhere.zip"));
    let away = command("http://127.0.0.1:1", "ggo_x", &[folder, "--patience", "300ms"]).output().await.unwrap();
    assert!(failure(&away).contains("cannot reach http://127.0.0.1:1"));
    let token = test.token(&SCOPES).await;
    let late = [folder, "--over", "1d", "--start", &(Utc::now() - TimeDelta::hours(1)).to_rfc3339()];
    assert!(failure(&replay(&test, &token, &late).await).contains("future"));
    assert_eq!(count(&test).await, 0);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_the_plan_and_sends_nothing() {
    let test = TestApp::start(Database::Sqlite).await;
    let folder = photos(22);
    let words = [folder.path().to_str().unwrap(), "--over", "7d", "--limit", "20", "--dry-run"];
    let plan = report(&test, "", &words).await;
    assert_eq!((plan["photos"].as_u64(), plan["classes"]["Soup"].as_u64()), (Some(20), Some(2)), "{plan}");
    let text = replay(&test, "", &words).await;
    assert!(String::from_utf8_lossy(&text.stdout).contains("20 photos, nothing is sent"));
    assert_eq!(count(&test).await, 0);
    test.stop().await;
    // Without a server the built-in model's classes are taken.
    let away = command("http://127.0.0.1:1", "", &words).output().await.unwrap();
    assert!(away.status.success() && String::from_utf8_lossy(&away.stdout).contains("the built-in model"));
}

/// Photos that are not ours to publish: a real archive of thousands, of which a few are sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_real_archive_is_replayed() {
    let shared = std::env::var_os("GOURMETGRAM_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let archive = shared.join("corpus/photos.zip");
    if !archive.exists() {
        skipped("a_real_archive_is_replayed", &archive);
        return;
    }
    let test = TestApp::start(Database::Sqlite).await;
    let token = test.token(&SCOPES).await;
    let words = [archive.to_str().unwrap(), "--limit", "120", "--over", "30d", "--patience", "60s"];
    let report = report(&test, &token, &words).await;
    assert_eq!(report["sent"].as_u64(), Some(120), "{report}");
    let (right, of) = (&report["agreement"]["right"], &report["agreement"]["of"]);
    let share = right.as_f64().unwrap() / of.as_f64().unwrap();
    assert!(of.as_u64().unwrap() > 80 && share > 0.4, "the model knows real food: {report}");
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_terminal_a_bar_shows_how_far_it_is() {
    let test = TestApp::start(Database::Sqlite).await;
    let token = test.token(&SCOPES).await;
    // In a terminal that somebody else makes: the one of a test may be none.
    let replay = [env!("CARGO_BIN_EXE_gourmetgram"), "replay", "--url", &test.url, "--made", "5", "--rate", "50"];
    let mut shell = Command::new("script");
    shell.args(["-qec", &format!("stty cols 100; {}", replay.join(" ")), "/dev/null"]).env("GOURMETGRAM_TOKEN", &token);
    let output = shell.stdin(Stdio::null()).output().await.unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("/5 photos") && shown.contains('█'), "{shown:?}");
    test.stop().await;
}
