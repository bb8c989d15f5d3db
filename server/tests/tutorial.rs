//! docs/tutorial.md, step by step: its Python runs against the real binary, with the S3 client people use.

#[expect(dead_code, reason = "other tests use more of it")]
mod process;

use std::{path::PathBuf, process::Stdio};

use gourmetgram::keys;
use process::{Server, a_photo, tell, token};
use secrecy::ExposeSecret;
use tokio::process::Command;

const PHOTOS: u32 = 24;

/// The Python that has the packages of the storage tests: `scripts/setup.sh python` makes it.
fn python() -> PathBuf {
    let repository = PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
    let cache = std::env::var_os("GOURMETGRAM_CACHE").map_or_else(|| repository.join(".tools"), PathBuf::from);
    std::env::var_os("GOURMETGRAM_TEST_PYTHON").map_or_else(|| cache.join("venvs/tests/bin/python"), PathBuf::from)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_of_the_tutorial_works() {
    let data = tempfile::tempdir().unwrap();
    let work = tempfile::tempdir().unwrap();
    std::fs::create_dir(work.path().join("photos")).unwrap();
    for number in 0..PHOTOS {
        std::fs::write(work.path().join(format!("photos/{number:02}.jpg")), a_photo(number * 10)).unwrap();
    }
    let settings = [
        ("GOURMETGRAM__LIMITS__READS_PER_MINUTE", "0".to_owned()),
        ("GOURMETGRAM__LIMITS__FEEDBACK_PER_MINUTE", "0".to_owned()),
    ];
    let server = Server::start(data.path(), &settings).await;
    let (key, secret) = keys::s3_credentials(data.path()).unwrap().read_write;
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(python())
        .args([here.join("tests/tutorial/run.py"), here.parent().unwrap().join("docs/tutorial.md")])
        .current_dir(work.path())
        .env("GOURMETGRAM_URL", &server.url)
        .env("TOKEN", token(data.path(), &settings).await)
        .env("AWS_ENDPOINT_URL_S3", server.s3.as_ref().unwrap())
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", key)
        .env("AWS_SECRET_ACCESS_KEY", secret.expose_secret())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{complained}");
    let blocks = std::fs::read_to_string(here.parent().unwrap().join("docs/tutorial.md")).unwrap();
    let blocks = blocks.lines().filter(|line| *line == "```python").count();
    assert!(blocks > 10 && said.contains(&format!("{blocks} blocks ran")), "{said}");
    tell(&said);
}
