//! The command line: help with examples, one clear line on failure.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

fn gourmetgram(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gourmetgram")).args(words).current_dir(folder).output().unwrap()
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

#[test]
fn every_command_has_help_with_an_example() {
    let folder = tempfile::tempdir().unwrap();
    for words in [vec!["serve", "--help"], vec!["model", "import", "--help"], vec!["user", "add", "--help"]] {
        let output = gourmetgram(folder.path(), &words);
        assert!(output.status.success());
        assert!(text(&output.stdout).contains("Example:"), "{words:?}");
    }
}

#[test]
fn an_access_token_is_shown_once_and_its_name_is_taken_then() {
    let folder = tempfile::tempdir().unwrap();
    let first = gourmetgram(folder.path(), &["user", "add", "backup", "--json"]);
    assert!(first.status.success(), "{}", text(&first.stderr));
    let first: serde_json::Value = serde_json::from_slice(&first.stdout).unwrap();
    assert!(first["token"].as_str().unwrap().starts_with("ggo_"));
    assert!(failure(&gourmetgram(folder.path(), &["user", "add", "backup"])).contains("taken"));
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
