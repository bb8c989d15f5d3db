//! Tricks that belong to no single route, and the tables that name a test for each of something.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use gourmetgram_api::NewPrediction;
use gourmetgram_object_store::Bucket;
use reqwest::{
    Client,
    multipart::{Form, Part},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::Command,
};

use crate::{
    support::{Browser, Database, TestApp, a_photo, created, form},
    wire::{connect, send, until_closed},
};

#[tokio::test(flavor = "multi_thread")]
async fn markup_in_what_people_send_is_never_markup_in_a_page() {
    let test = TestApp::start(Database::Sqlite).await;
    let ann = Browser::open(&test).await;
    let evil = "\"><script>alert(1)</script><img src=x onerror=alert(2)>";
    let device = serde_json::json!({"predicted_class": evil, "confidence": 0.5, "model_version": evil});
    let body = Form::new().part("image", Part::bytes(a_photo(1)).file_name(evil)).text("device", device.to_string());
    let new = created(ann.post("/api/v1/predictions").multipart(body).send().await.unwrap()).await;
    let pages = ["/".to_owned(), format!("/?photo={}", new.id), format!("/?photo={evil}"), format!("/{evil}")];
    for page in pages {
        let text = ann.get(&page).send().await.unwrap().text().await.unwrap();
        assert!(!text.contains("<script>alert") && !text.contains("<img src=x"), "{page}: {text}");
    }
    // A form that is refused shows what was sent as words.
    for (path, body) in [("correct", "label=%3Cscript%3Ealert(1)"), ("flag", "reason=%3Cscript%3Ealert(1)")] {
        let request = ann.post(&format!("/photos/{}/{path}", new.id)).body(body);
        let answer = request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
        assert!(answer.status().is_client_error());
        let text = answer.text().await.unwrap();
        assert!(!text.contains("<script>alert"), "{path}: {text}");
    }
    // The API gives it back as it came, as data.
    let answer = ann.get(&format!("/api/v1/predictions/{}", new.id)).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_lead_to_nothing_but_what_is_served() {
    let test = TestApp::start(Database::Sqlite).await;
    let new = test.upload(a_photo(1)).await;
    for path in [
        "/../secret.key",
        "/..%2fsecret.key",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/pkg/../../Cargo.toml",
        "/pkg/..%2f..%2fCargo.toml",
        "//etc/passwd",
        "/\\..\\secret.key",
        "/secret.key%00.css",
        "/api/v1/predictions/..%2f..%2fsecret.key",
        "/api/v1/predictions/../../secret.key",
        "/api/v1/predictions/%00/image",
        &format!("/api/v1/predictions/{}%2f..%2fsecret.key", new.id),
        &format!("/api/v1/predictions/{}/image/../../../../secret.key", new.id),
    ] {
        // A client library would tidy the path up.
        let mut stream = connect(&test).await;
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: food.example\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
            new.feedback_token
        );
        send(&mut stream, head.as_bytes()).await;
        let answer = until_closed(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{path}: {answer}");
        let secret = fs::read_to_string(test.data.path().join("secret.key")).unwrap();
        assert!(!answer.contains(&secret) && !answer.contains("root:"), "{path}");
    }
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_name_that_a_client_gives_decides_where_a_photo_lies() {
    let test = TestApp::start(Database::Sqlite).await;
    for name in ["../../etc/cron.d/evil", "/etc/passwd", "class_00/../../x.jpg", "con.jpg.exe"] {
        let body = Form::new().part("image", Part::bytes(a_photo(1)).file_name(name).mime_str("text/html").unwrap());
        let new = created(test.post("/api/v1/predictions").multipart(body).send().await.unwrap()).await;
        let (class, file) = new.key.split_once('/').unwrap();
        assert!(class.starts_with("class_") && class.len() == 8, "{}", new.key);
        assert_eq!(file, format!("{}.jpg", new.id));
    }
    for id in ["../x", "00000000-0000-0000-0000-000000000000", "a/b", ""] {
        let answer = test.post("/api/v1/predictions").multipart(form(a_photo(1)).text("id", id)).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{id}");
    }
    test.settle().await;
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_whose_files_have_one_name_both_keep_their_photo() {
    let test = TestApp::start(Database::Sqlite).await;
    let mut sent = Vec::new();
    for seed in 0..2 {
        let somebody = Browser::open(&test).await;
        let file = Part::bytes(a_photo(seed)).file_name("IMG_0001.jpg");
        let body = Form::new().part("image", file);
        sent.push(created(somebody.post("/api/v1/predictions").multipart(body).send().await.unwrap()).await);
    }
    test.settle().await;
    assert_ne!(sent[0].key, sent[1].key);
    for (seed, new) in (0..).zip(&sent) {
        let object = test.app.object_store().get(Bucket::Production, &new.key.parse().unwrap()).await.unwrap();
        assert_eq!(object.bytes, a_photo(seed));
    }
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_redirect_leads_to_another_site() {
    let test = TestApp::start(Database::Sqlite).await;
    let ann = Browser::open(&test).await;
    for path in ["/photos?next=https://evil.example", "/photos?next=//evil.example"] {
        let answer = ann
            .post(path)
            .header("host", "evil.example")
            .header("x-forwarded-host", "evil.example")
            .multipart(form(a_photo(1)))
            .send()
            .await
            .unwrap();
        if let Some(location) = answer.headers().get("location") {
            let location = location.to_str().unwrap();
            assert!(location.starts_with('/') && !location.starts_with("//"), "{location}");
            assert!(!location.contains("evil"), "{location}");
        }
    }
    test.stop().await;
}

/// The most talkative server there is says no secret.
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_the_log_however_much_is_logged() {
    let data = tempfile::tempdir().unwrap();
    let signing_key = "a-signing-key-that-nobody-may-see-0123456789";
    let binary = env!("CARGO_BIN_EXE_gourmetgram");
    let settings = [
        ("GOURMETGRAM__DATA_DIR", data.path().to_str().unwrap()),
        ("GOURMETGRAM__SERVER__LISTEN", "127.0.0.1:0"),
        ("GOURMETGRAM__EMBEDDED_S3__LISTEN", "127.0.0.1:0"),
        ("GOURMETGRAM__AUTH__SECRET_KEY", signing_key),
        ("GOURMETGRAM__LOG__FILTER", "trace"),
    ];
    let made = Command::new(binary)
        .args(["user", "token", "add", "ann", "--scope", "admin"])
        .current_dir(data.path())
        .envs(settings)
        .env("GOURMETGRAM__LOG__FILTER", "error")
        .output()
        .await
        .unwrap();
    let printed = String::from_utf8(made.stdout).unwrap();
    let operator = printed.split_whitespace().find(|word| word.starts_with("ggo_")).unwrap().to_owned();
    let mut child = Command::new(binary)
        .arg("serve")
        .current_dir(data.path())
        .envs(settings)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let logged = tokio::spawn(async move {
        let mut log = String::new();
        stderr.read_to_string(&mut log).await.map(|_| log)
    });
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = loop {
        let line = lines.next_line().await.unwrap().expect("the server did not start");
        if let Some(url) = line.strip_prefix("GourmetGram at ") {
            break url.trim().to_owned();
        }
    };

    let client = Client::new();
    let page = client.get(&url).send().await.unwrap();
    let cookie = page.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let upload = client.post(format!("{url}/api/v1/predictions")).header("cookie", &cookie).multipart(form(a_photo(1)));
    let new: NewPrediction = upload.send().await.unwrap().json().await.unwrap();
    let one = format!("{url}/api/v1/predictions/{}", new.id);
    let guessed = "ggo_a-token-that-somebody-guessed";
    for token in [operator.as_str(), new.feedback_token.as_str(), guessed] {
        client.get(&one).bearer_auth(token).send().await.unwrap();
        client.get(format!("{one}/image")).bearer_auth(token).send().await.unwrap();
    }
    client.delete(&one).bearer_auth(&operator).send().await.unwrap();
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    child.wait().await.unwrap();
    let log = logged.await.unwrap().unwrap();
    assert!(log.contains("answered") && log.contains("TRACE"), "the log holds nothing: {log:.300}");

    let s3 = gourmetgram::keys::s3_credentials(data.path()).unwrap();
    let s3_secrets = [s3.read_write.1, s3.read_only.1].map(|secret| {
        use secrecy::ExposeSecret;
        secret.expose_secret().to_owned()
    });
    let visitor = cookie.split_once('=').unwrap().1.to_owned();
    let secrets = [
        ("the visitor's cookie", visitor),
        ("the operator's token", operator),
        ("a guessed token", guessed.to_owned()),
        ("the feedback token", new.feedback_token),
        ("the signing key", signing_key.to_owned()),
        ("an S3 secret", s3_secrets[0].clone()),
        ("the read-only S3 secret", s3_secrets[1].clone()),
    ];
    for (what, secret) in secrets {
        if let Some(line) = log.lines().find(|line| line.contains(&secret)) {
            panic!("the log holds {what}: {}", line.replace(&secret, "…"));
        }
    }
}

/// A run that could not look at the database of vulnerabilities must not pass for one that found nothing.
#[test]
fn an_audit_that_could_not_be_made_says_so() {
    use std::os::unix::fs::PermissionsExt;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/audit.sh");
    for (fetched, found_nothing, status, words) in
        [(false, true, 77, "NOT audited"), (true, false, 1, ""), (true, true, 0, "No known vulnerability")]
    {
        let folder = tempfile::tempdir().unwrap();
        let stub = folder.path().join("cargo");
        let answer = |good: bool| if good { "exit 0" } else { "exit 1" };
        let text = format!(
            "#!/bin/sh\ncase \"$*\" in *fetch*) {} ;; *check*) {} ;; esac\n",
            answer(fetched),
            answer(found_nothing)
        );
        fs::write(&stub, text).unwrap();
        fs::set_permissions(&stub, fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
        // The tools' own folder comes first in the path otherwise.
        let output = std::process::Command::new(&script)
            .env("PATH", path)
            .env("GOURMETGRAM_CACHE", folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(status), "{said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(said.contains(words), "{said}");
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() {
            if !["target", "node_modules", "data", ".git", ".tools"].iter().any(|skipped| name == *skipped) {
                sources(&path, found);
            }
        } else if path.extension().is_some_and(|end| end == "rs" || end == "ts") {
            found.push(path);
        }
    }
}

/// The rows of the table whose third column names tests, each of which there must be.
fn rows_shown_by_tests(document: &'static str, heading: &str) -> Vec<&'static str> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for folder in ["server", "classifier", "app", "evaluation", "end2end"] {
        sources(&root.join(folder), &mut files);
    }
    let code: Vec<String> = files.iter().map(|file| fs::read_to_string(file).unwrap_or_default()).collect();
    let (_, table) = document.split_once(heading).unwrap_or_else(|| panic!("there is no table {heading}"));
    let rows: Vec<&str> = table.lines().skip(1).take_while(|line| line.starts_with("| ")).collect();
    for row in &rows {
        let columns: Vec<&str> = row.trim_matches('|').split(" | ").collect();
        assert_eq!(columns.len(), 3, "{row}");
        let tests: Vec<&str> = columns[2].split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "no test is named: {row}");
        for test in tests {
            let exists = code.iter().any(|text| {
                [format!("fn {test}("), format!("{test} =>"), format!("'{test}'"), format!("\"{test}\"")]
                    .iter()
                    .any(|definition| text.contains(definition))
            });
            assert!(exists, "the table {heading} names a test that does not exist: {test}");
        }
    }
    rows
}

#[test]
fn every_test_named_in_the_table_of_threats_exists() {
    let rows =
        rows_shown_by_tests(include_str!("../../../docs/security.md"), "| threat | what stops it | shown by |\n");
    assert!(rows.len() >= 11, "{} rows", rows.len());
}

#[test]
fn every_defect_of_the_tutorial_has_a_test_that_exists() {
    let document = include_str!("../../../docs/tutorial.md");
    let rows = rows_shown_by_tests(document, "| the tutorial | here | shown by |\n");
    // What there is to inherit, by a word of each.
    for defect in [
        "accuracy over",
        "five photos",
        "an hour",
        "metadata service",
        "tags of every object",
        "queued again",
        "cancelled",
        "version of the model",
        "before annotators' eyes",
        "prints",
        "flag any",
        "dies",
        "file name",
    ] {
        assert_eq!(rows.iter().filter(|row| row.split(" | ").next().unwrap().contains(defect)).count(), 1, "{defect}");
    }
}
