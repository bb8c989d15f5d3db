//! The command line: help with examples, one clear line on failure.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use gourmetgram_api::CampaignRule;
use gourmetgram_object_store::{Bucket, TagChanges};

use crate::{
    fake_studio::{FakeStudio, Mood, TOKEN},
    photos::{asked, campaign, copies, minute, photo},
    support::{Database, TestApp},
};

fn gourmetgram(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gourmetgram"))
        .args(words)
        .current_dir(folder)
        .env("GOURMETGRAM__EMBEDDED_S3__LISTEN", "127.0.0.1:0")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// One line, on standard error, that says what is wrong.
fn failure(output: &Output) -> String {
    assert!(!output.status.success());
    assert_eq!(text(&output.stdout), "");
    let line = text(&output.stderr);
    assert_eq!(line.trim_end().lines().count(), 1, "{line}");
    assert!(line.starts_with("gourmetgram: "), "{line}");
    line
}

/// Runs a command with something on its standard input.
fn with_input(folder: &Path, words: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gourmetgram"));
    command.args(words).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that has failed by now reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn json(output: &Output) -> serde_json::Value {
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_command_has_help_with_an_example() {
    let folder = tempfile::tempdir().unwrap();
    for words in [
        "serve",
        "campaign list",
        "campaign create",
        "campaign preview",
        "campaign archive",
        "pipeline list",
        "pipeline run select",
        "pipeline backfill",
        "records compact",
        "reindex",
        "export",
        "backup",
        "restore",
        "model import",
        "replay",
        "user add",
        "user list",
        "user passwd",
        "user disable",
        "user enable",
        "user link",
        "user token add",
        "user token list",
        "user token revoke",
    ] {
        let words: Vec<&str> = words.split(' ').chain(["--help"]).collect();
        let output = gourmetgram(folder.path(), &words);
        assert!(output.status.success());
        assert!(text(&output.stdout).contains("Example:"), "{words:?}");
    }
}

#[test]
fn an_access_token_is_shown_once_listed_without_it_and_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let run = |words: &str| gourmetgram(folder.path(), &words.split(' ').collect::<Vec<_>>());
    let made = json(&run("user token add backup --scope predictions:read,metrics:read --expires-days 30 --json"));
    let token = made["token"].as_str().unwrap();
    assert!(token.starts_with("ggo_"));
    assert!(failure(&run("user token add backup --scope admin")).contains("taken"));
    let list = run("user token list --json");
    assert!(!text(&list.stdout).contains(token));
    let list = json(&list);
    assert_eq!(list[0]["name"], "backup");
    assert_eq!(list[0]["scopes"], serde_json::json!(["predictions:read", "metrics:read"]));
    assert!(list[0]["expires_at"].is_string());
    assert!(text(&run("user token list").stdout).contains("backup\tpredictions:read metrics:read\t"));
    assert!(run("user token revoke backup").status.success());
    assert!(failure(&run("user token revoke backup")).contains("no token"));
    for wrong in
        ["user token add x", "user token add x --scope everything", "user token add x --scope admin --expires-days 0"]
    {
        let output = run(wrong);
        assert!(!output.status.success() && output.stdout.is_empty(), "{wrong}");
    }
    assert_eq!(json(&run("user token list --json")), serde_json::json!([]));
}

#[test]
fn accounts_are_made_listed_and_disabled_and_weak_passwords_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = |words: &str, input: &str| with_input(folder.path(), &words.split(' ').collect::<Vec<_>>(), input);
    let made = json(&run("user add Ann --role operator --password-stdin --json", "correct horse battery\nmore\n"));
    assert_eq!((made["name"].as_str(), made["role"].as_str()), (Some("Ann"), Some("operator")));
    assert!(made.get("password_hash").is_none());
    for (words, input, why) in [
        ("user add aNN --role annotator --password-stdin", "correct horse battery\n", "taken"),
        ("user add bob --role annotator --password-stdin", "short\n", "too short"),
        ("user add bob --role annotator --password-stdin", "", "no password"),
        ("user add bob-the-annotator --role annotator --password-stdin", "Bob-The-Annotator\n", "is the name"),
        ("user add bob --role annotator", "correct horse battery\n", "--password-stdin"),
        ("user passwd bob --password-stdin", "correct horse battery\n", "no account"),
        ("user disable bob", "", "no account"),
    ] {
        assert!(failure(&run(words, input)).contains(why), "{words}");
    }
    assert!(run("user passwd ann --password-stdin", "another good password\n").status.success());
    assert!(run("user disable ANN", "").status.success());
    let list = json(&run("user list --json", ""));
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert!(list[0]["disabled_at"].is_string());
    assert!(run("user enable ann", "").status.success());
    assert!(text(&run("user list", "").stdout).starts_with("Ann\toperator\tenabled\t"));
    for wrong in ["user add", "user add bob --role visitor", "user add a/b --role operator"] {
        let output = run(wrong, "");
        assert!(!output.status.success() && output.stdout.is_empty(), "{wrong}");
    }
}

#[test]
fn campaigns_are_made_by_preset_or_file_listed_previewed_and_archived() {
    let folder = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| gourmetgram(folder.path(), words);
    for (preset, name, blind) in [
        ("production", "Production", true),
        ("random-sample", "Random Sample", true),
        ("low-confidence", "Low Confidence", false),
        ("user-flagged", "User Flagged", false),
        ("continuous", "Continuous 1", true),
    ] {
        let mut words = vec!["campaign", "create", "--preset", preset, "--json"];
        if preset == "continuous" {
            words.extend(["--name", name, "--seed", "9"]);
        }
        let made = json(&run(&words));
        assert_eq!((made["asked"]["name"].as_str(), made["asked"]["blind"].as_bool()), (Some(name), Some(blind)));
    }
    assert!(failure(&run(&["campaign", "create", "--preset", "production"])).contains("already"));
    let described = r#"{"name": "Hundred", "rule": {"kind": "random", "draw": {"per_interval": 100}}}"#;
    assert!(with_input(folder.path(), &["campaign", "create", "--file", "-"], described).status.success());
    for (described, why) in [
        (r#"{"name": "x", "rule": {"kind": "random", "draw": {"rate": 2}}}"#, "rate is 2"),
        (r#"{"name": "x", "rule": {"kind": "everything"}, "colour": 1}"#, "colour"),
        (r#"{"preset": "all"}"#, "all"),
        ("nonsense", "describes no campaign"),
    ] {
        let refused = with_input(folder.path(), &["campaign", "create", "--file", "-"], described);
        assert!(failure(&refused).contains(why), "{described}");
    }
    assert!(failure(&run(&["campaign", "create", "--file", "nowhere.json"])).contains("nowhere.json"));
    let flagged = |more: &[&str]| run(&[&["campaign", "preview", "--preset", "user-flagged"][..], more].concat());
    for (more, why) in [
        (&["--schedule", "61 * * * *"][..], "five fields of cron"),
        (&["--starts-at", "2026-11-24T00:00:00Z", "--ends-at", "2026-11-24T00:00:00Z"], "ends_at must be after"),
    ] {
        assert!(failure(&flagged(more)).contains(why), "{more:?}");
    }
    assert_eq!(flagged(&["--reason", "cold"]).status.code(), Some(2));
    let everything = run(&["campaign", "preview", "--preset", "production", "--reason", "not_food"]);
    assert!(failure(&everything).contains("--preset user-flagged"));
    let words = ["campaign", "create", "--preset", "user-flagged", "--name", "Nightly", "--json"];
    let more = ["--schedule", "0 3 * * *", "--starts-at", "2026-11-24T00:00:00Z", "--ends-at", "2026-12-24T00:00:00Z"];
    let reasons = ["--reason", "not_food", "--reason", "bad_photo"];
    let nightly = json(&run(&[&words[..], &more[..], &reasons[..]].concat()));
    let nightly = &nightly["asked"];
    assert_eq!(nightly["rule"]["reasons"], serde_json::json!(["not_food", "bad_photo"]));
    for (name, value) in
        [("schedule", "0 3 * * *"), ("starts_at", "2026-11-24T00:00:00Z"), ("ends_at", "2026-12-24T00:00:00Z")]
    {
        assert_eq!(nightly[name], value);
    }
    assert!(text(&run(&["campaign", "list"]).stdout).lines().any(|line| line.ends_with("\t0 3 * * *")));
    let list = json(&run(&["campaign", "list", "--json"]));
    let names: Vec<&str> = list.as_array().unwrap().iter().map(|it| it["asked"]["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["Nightly", "Hundred", "Continuous 1", "User Flagged", "Low Confidence", "Random Sample", "Production"],
        "the newest first, and nothing of what was refused"
    );
    assert_eq!(list[2]["asked"]["seed"], 9);

    let preview = json(&run(&["campaign", "preview", "--preset", "continuous", "--json"]));
    assert_eq!((preview["considered"].as_u64(), preview["half_width"].is_null()), (Some(0), true));
    let select = |more: &[&str]| run(&[&["pipeline", "run", "select", "--campaign"][..], more].concat());
    let dry = json(&select(&["Random Sample", "--dry-run", "--json"]));
    assert_eq!((dry["dry_run"].as_bool(), dry["counts"]["chosen"].as_u64()), (Some(true), Some(0)));
    assert!(text(&select(&["Random Sample"]).stdout).contains("0 considered"));
    assert!(failure(&select(&["Nobody's"])).contains("no campaign"));
    let backwards = ["Production", "--start", "2026-11-24T00:00:00Z", "--end", "2026-11-23T00:00:00Z"];
    assert!(failure(&select(&backwards)).contains("end must be after start"));

    assert!(run(&["campaign", "archive", "Production"]).status.success());
    assert!(failure(&select(&["Production"])).contains("archived"));
    assert!(text(&run(&["campaign", "list"]).stdout).contains("Production\tarchived\tblind"));
    assert!(failure(&run(&["campaign", "archive", "Nobody's"])).contains("no campaign"));
}

/// A Label Studio where nobody listens.
const LABEL_STUDIO_AWAY: &str = "[label_studio]\nurl = 'http://127.0.0.1:9'\ntoken = '05fecceb97d6'\n";

/// Without any server, as cron and Airflow call it.
#[test]
fn pipelines_are_listed_run_and_backfilled_and_the_exit_status_says_how_it_ended() {
    let folder = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| gourmetgram(folder.path(), words);
    let code = |output: &Output| output.status.code().unwrap();
    assert!(run(&["campaign", "create", "--preset", "production"]).status.success());
    let described = r#"{"name": "There", "rule": {"kind": "everything"}, "labelled_in": "label_studio"}"#;
    let nowhere = with_input(folder.path(), &["campaign", "create", "--file", "-"], described);
    assert!(failure(&nowhere).contains("no Label Studio is set up"), "{}", text(&nowhere.stderr));
    // Made while there was one; then it was taken out of the settings.
    let settings = folder.path().join("gourmetgram.toml");
    std::fs::write(&settings, LABEL_STUDIO_AWAY).unwrap();
    assert!(with_input(folder.path(), &["campaign", "create", "--file", "-"], described).status.success());
    std::fs::remove_file(settings).unwrap();
    let known = json(&run(&["pipeline", "list", "--json"]));
    let names: Vec<&str> =
        known["pipelines"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!((names, &known["runs"]), (vec!["select", "collect", "tags"], &serde_json::json!([])));

    let day = ["--start", "2026-11-23T00:00:00Z", "--end", "2026-11-24T00:00:00Z"];
    let with_day = |words: &[&'static str]| run(&[words, &day[..]].concat());
    let done = json(&with_day(&["pipeline", "run", "select", "--campaign", "Production", "--json"]));
    assert_eq!((done["state"].as_str(), done["cause"].as_str()), (Some("succeeded"), Some("manual")));
    assert_eq!(done["steps"].as_array().unwrap().len(), 4);
    let collected = with_day(&["pipeline", "run", "collect", "--campaign", "Production"]);
    assert_eq!(code(&collected), 0, "{}", text(&collected.stderr));
    assert!(text(&collected.stdout).contains("0 of 0 photos are labelled"), "{}", text(&collected.stdout));

    let backfill: &[&str] = &["pipeline", "backfill", "select", "--campaign", "Production"];
    let none = run(&[backfill, &day[..]].concat());
    assert!(failure(&none).contains("--schedule"));
    let filled = json(&run(&[backfill, &day[..], &["--schedule", "0 */7 * * *", "--json"][..]].concat()));
    let filled = filled.as_array().unwrap();
    // 0 to 7, to 14, to 21, and what is left.
    assert_eq!(filled.len(), 4);
    assert!(filled.iter().all(|run| run["state"] == "succeeded" && run["cause"] == "backfill"));
    assert_eq!((&filled[0]["start"], &filled[3]["end"]), (&day[1].into(), &day[3].into()));
    let listed = text(&run(&["pipeline", "list"]).stdout);
    assert_eq!(listed.lines().filter(|line| line.starts_with("select\t2026-11-23")).count(), 5, "{listed}");
    assert!(listed.contains("choose > copy > project > tasks") && listed.contains("Production"));

    let late = with_day(&["pipeline", "run", "select", "--campaign", "Production", "--timeout", "0s"]);
    assert_eq!(code(&late), 4);
    assert!(failure(&late).contains("is not over"));
    assert_eq!(code(&run(&["pipeline", "run", "select", "--campagne", "Production"])), 2);
    for (words, why) in [
        (&["pipeline", "run", "cook"][..], "there are select, collect, tags"),
        (&["pipeline", "run", "select"], "--campaign"),
        (&["pipeline", "run", "select", "--campaign", "There"], "label_studio.url"),
        (&["pipeline", "run", "collect", "--campaign", "There"], "label_studio.url"),
    ] {
        let refused = run(words);
        assert_eq!(code(&refused), 1);
        assert!(failure(&refused).contains(why), "{words:?}");
    }
}

/// Said in a line for people and a status for programs; here of a Label Studio that does not take our token.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_fails_ends_its_command_with_status_1_and_the_reason() {
    let studio = FakeStudio::start().await;
    studio.behave(Mood::Refuses(401));
    let folder = tempfile::tempdir().unwrap();
    let settings =
        format!("[label_studio]\nurl = '{}'\ntoken = '{TOKEN}'\ns3_endpoint = 'http://127.0.0.1:9000'\n", studio.url);
    std::fs::write(folder.path().join("gourmetgram.toml"), settings).unwrap();
    let data = folder.path().to_owned();
    let outputs = tokio::task::spawn_blocking(move || {
        let described = r#"{"name": "There", "rule": {"kind": "everything"}, "labelled_in": "label_studio"}"#;
        let made = with_input(&data, &["campaign", "create", "--file", "-"], described);
        assert!(made.status.success(), "{}", text(&made.stderr));
        let select = ["pipeline", "run", "select", "--campaign", "There", "--start", "2026-11-23T00:00:00Z"];
        let select = [&select[..], &["--end", "2026-11-24T00:00:00Z"]].concat();
        let backfill = ["pipeline", "backfill", "select", "--campaign", "There", "--schedule", "0 */12 * * *"];
        let days = ["--start", "2026-11-24T00:00:00Z", "--end", "2026-11-26T00:00:00Z"];
        [select.clone(), [&select[..], &["--json"]].concat(), [&backfill[..], &days[..]].concat()]
            .map(|words| gourmetgram(&data, &words))
    });
    let outputs = outputs.await.unwrap();
    for output in &outputs {
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let said = text(&output.stderr);
        let last = said.trim_end().lines().last().unwrap_or_default();
        assert!(
            last.starts_with("gourmetgram: select 2026-11-2") && last.contains("does not take our token"),
            "{said}"
        );
        assert!(!said.contains(TOKEN), "{said}");
    }
    assert_eq!(text(&outputs[0].stdout), "");
    let run: serde_json::Value = serde_json::from_slice(&outputs[1].stdout).unwrap();
    assert_eq!((run["state"].as_str(), run["attempts"].as_u64()), (Some("failed"), Some(1)), "{run}");
    let listed = gourmetgram(folder.path(), &["pipeline", "list", "--json"]);
    let runs = json(&listed)["runs"].as_array().unwrap().len();
    assert_eq!(runs, 2, "a backfill stops at the first that fails");
}

/// A server that leaves pipelines to others still carries photos over.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_works_on_a_run_beside_a_server() {
    let test = TestApp::start_with(Database::Sqlite, |settings| settings.pipelines.enabled = false).await;
    for number in 0..3 {
        photo(&test.app, 5, number, 0.9).await;
    }
    let made = campaign(&test.app, &asked("Beside", CampaignRule::Everything)).await;
    let data = test.data.path().to_owned();
    let run = tokio::task::spawn_blocking(move || {
        Command::new(env!("CARGO_BIN_EXE_gourmetgram"))
            .args(["pipeline", "run", "select", "--campaign", "Beside", "--json"])
            .args(["--start", &minute(0).to_rfc3339(), "--end", &minute(30).to_rfc3339()])
            .current_dir(&data)
            .env("GOURMETGRAM__DATA_DIR", &data)
            .output()
            .unwrap()
    });
    let run = json(&run.await.unwrap());
    assert_eq!((run["state"].as_str(), run["counts"]["chosen"].as_u64()), (Some("succeeded"), Some(3)));
    assert_eq!(copies(&test.app).await.len(), 3, "the server has copied them by then");
    let hinted = test.app.catalog().runs(Some("collect"), None, 10).await.unwrap();
    assert!(hinted.iter().all(|run| run.campaign == Some(made.id)) && hinted.len() == 1, "{hinted:?}");
    test.stop().await;
}

/// Beside a server whose embedded S3 server listens on a free port, and without any server.
#[tokio::test(flavor = "multi_thread")]
async fn tags_of_other_tools_are_taken_in_by_a_command_beside_a_server_and_without_one() {
    let test = TestApp::start_with(Database::Sqlite, |settings| settings.pipelines.enabled = false).await;
    let photos = [test.upload(crate::support::a_photo(1)).await, test.upload(crate::support::a_photo(2)).await];
    test.settle().await;
    let flag = async |photo: &gourmetgram_api::NewPrediction| {
        let changes = TagChanges::new().set("flagged", Some("true"));
        test.app.object_store().merge_tags(Bucket::Production, &photo.key.parse().unwrap(), &changes).await.unwrap();
    };
    let data = test.data.path().to_owned();
    let sync = async |more: &'static [&'static str]| {
        let data = data.clone();
        let end = (chrono::Utc::now() + chrono::TimeDelta::minutes(1)).to_rfc3339();
        let output = tokio::task::spawn_blocking(move || {
            Command::new(env!("CARGO_BIN_EXE_gourmetgram"))
                .args(["pipeline", "run", "tags", "--json", "--end", &end])
                .args(more)
                .current_dir(&data)
                .env("GOURMETGRAM__DATA_DIR", &data)
                .env("GOURMETGRAM__EMBEDDED_S3__LISTEN", "127.0.0.1:0")
                .output()
                .unwrap()
        });
        let run = json(&output.await.unwrap());
        assert_eq!(run["state"], "succeeded", "{run}");
        (run["counts"]["looked_at"].as_u64().unwrap(), run["counts"]["changed"].as_u64().unwrap())
    };
    let operator = test.operator().await;
    flag(&photos[0]).await;
    assert_eq!(sync(&["--dry-run"]).await, (2, 1));
    assert_eq!(test.prediction(photos[0].id, &operator).await.flag, None);
    assert_eq!(sync(&[]).await, (2, 1));
    assert!(test.prediction(photos[0].id, &operator).await.flag.is_some());
    test.settle().await;
    flag(&photos[1]).await;
    let _kept = test.stop_and_keep_data().await;
    assert_eq!(sync(&["--dry-run"]).await, (2, 1));
    assert_eq!(sync(&[]).await, (2, 1));
    assert_eq!(sync(&[]).await, (2, 0));
}

#[test]
fn a_run_that_fails_says_why_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("gourmetgram.toml"), LABEL_STUDIO_AWAY).unwrap();
    let described = r#"{"name": "There", "rule": {"kind": "everything"}, "labelled_in": "label_studio"}"#;
    assert!(with_input(folder.path(), &["campaign", "create", "--file", "-"], described).status.success());
    let failed = gourmetgram(folder.path(), &["pipeline", "run", "select", "--campaign", "There"]);
    assert_eq!(failed.status.code(), Some(1));
    let why = failure(&failed);
    assert!(why.contains("http://127.0.0.1:9") && why.contains("not available"), "{why}");
    let listed = json(&gourmetgram(folder.path(), &["pipeline", "list", "--json"]));
    assert_eq!(listed["runs"][0]["state"], "failed");
}

#[test]
fn a_link_for_an_operator_is_printed_with_the_address_people_use() {
    let folder = tempfile::tempdir().unwrap();
    let link = text(&gourmetgram(folder.path(), &["user", "link"]).stdout);
    assert!(link.starts_with("http://127.0.0.1:8080/login/link?token=ggl_"), "{link}");
    std::fs::write(folder.path().join("gourmetgram.toml"), "[server]\npublic_url = 'https://food.example'\n").unwrap();
    let link = json(&gourmetgram(folder.path(), &["user", "link", "--json"]));
    assert!(link["url"].as_str().unwrap().starts_with("https://food.example/login/link?token=ggl_"), "{link}");
    assert_eq!(link["expires_in_seconds"], 900);
    std::fs::write(folder.path().join("gourmetgram.toml"), "[server]\nlisten = '127.0.0.1:0'\n").unwrap();
    assert!(failure(&gourmetgram(folder.path(), &["user", "link"])).contains("server.public_url"));
}

#[test]
fn a_wrong_setting_is_named_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("gourmetgram.toml"), "[server]\nlissten = 'x'\n").unwrap();
    assert!(failure(&gourmetgram(folder.path(), &["serve"])).contains("lissten"));
    let missing = gourmetgram(folder.path(), &["--config", "nowhere.toml", "serve", "--print-config"]);
    assert!(failure(&missing).contains("nowhere.toml"));
}

#[test]
fn a_file_that_is_no_model_is_refused_in_one_line_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("model.onnx"), "no model").unwrap();
    std::fs::write(folder.path().join("classes.txt"), "Bread\nSoup\n").unwrap();
    let words =
        ["model", "import", "model.onnx", "--out", "out", "--version-name", "mine-1", "--classes", "classes.txt"];
    assert!(failure(&gourmetgram(folder.path(), &words)).contains("model.onnx"));
    assert!(!folder.path().join("out").exists());
}

/// The tutorial's own model, imported as its user would do it, and served.
#[tokio::test(flavor = "multi_thread")]
async fn the_tutorials_model_is_imported_and_served() {
    let shared = std::env::var_os("GOURMETGRAM_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let model = shared.join("models/gourmetgram-mobilenetv2.onnx");
    if !model.exists() {
        crate::support::skipped("the_tutorials_model_is_imported_and_served", &model);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let classes =
        "Bread\nDairy product\nDessert\nEgg\nFried food\nMeat\nNoodles/Pasta\nRice\nSeafood\nSoup\nVegetable/Fruit\n";
    std::fs::write(folder.path().join("classes.txt"), classes).unwrap();
    let words = ["model", "import", model.to_str().unwrap(), "--out", "mobilenet", "--version-name", "mobilenetv2-1"];
    let more = ["--classes", "classes.txt", "--resize", "stretch", "--json"];
    let output = gourmetgram(folder.path(), &[&words[..], &more[..]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["largest_difference"].as_f64().unwrap() < 1e-3, "{report}");

    let test = crate::support::TestApp::start_with(crate::support::Database::Sqlite, |settings| {
        settings.model.directory = Some(folder.path().join("mobilenet"));
    })
    .await;
    let photo = std::fs::read(shared.join("images/food11/10_493.jpg")).unwrap();
    let new = test.upload(photo).await;
    assert_eq!((new.predicted_class.as_str(), new.model_version.as_str()), ("Vegetable/Fruit", "mobilenetv2-1"));
    test.stop().await;
}
