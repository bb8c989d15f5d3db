//! The tutorial, step by step: the Python of its pages runs against the real binary, with the S3 client people use.

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

/// Runs the Python of a page of docs/ against a server with these settings; `secrets` are more of its environment.
async fn walk_through(page: &str, settings: &[(&str, String)], access: Access, secrets: &[(&str, String)]) {
    let data = tempfile::tempdir().unwrap();
    let work = tempfile::tempdir().unwrap();
    std::fs::create_dir(work.path().join("photos")).unwrap();
    for number in 0..PHOTOS {
        std::fs::write(work.path().join(format!("photos/{number:02}.jpg")), a_photo(number * 10)).unwrap();
    }
    let mut all = settings.to_vec();
    all.push(("GOURMETGRAM__LIMITS__READS_PER_MINUTE", "0".to_owned()));
    all.push(("GOURMETGRAM__LIMITS__FEEDBACK_PER_MINUTE", "0".to_owned()));
    let server = Server::start(data.path(), &all).await;
    let credentials = keys::s3_credentials(data.path()).unwrap();
    let (key, secret) = match access {
        Access::ReadWrite => credentials.read_write,
        Access::ReadOnly => credentials.read_only,
    };
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let path = here.parent().unwrap().join("docs").join(page);
    let output = Command::new(python())
        .args([&here.join("tests/tutorial/run.py"), &path])
        .current_dir(work.path())
        .env("GOURMETGRAM_URL", &server.url)
        .env("TOKEN", token(data.path(), &all).await)
        .env("AWS_ENDPOINT_URL_S3", server.s3.as_ref().unwrap())
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", key)
        .env("AWS_SECRET_ACCESS_KEY", secret.expose_secret())
        .envs(secrets.iter().map(|(name, value)| (*name, value.as_str())))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{complained}");
    let blocks = std::fs::read_to_string(path).unwrap().lines().filter(|line| *line == "```python").count();
    assert!(blocks > 5 && said.contains(&format!("{blocks} blocks ran")), "{said}");
    tell(&said);
}

/// The key to S3 that the scripts get.
enum Access {
    ReadWrite,
    ReadOnly,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_of_the_tutorial_works() {
    walk_through("tutorial.md", &[], Access::ReadWrite, &[]).await;
}

/// The same beside a real Label Studio.
async fn walk_through_with_label_studio(page: &str, access: Access) {
    let variable = |name: &str| std::env::var(format!("GOURMETGRAM_TEST_LABEL_STUDIO_{name}")).ok();
    let Some(url) = variable("URL") else {
        tell(&format!(
            "skipped: {page}: GOURMETGRAM_TEST_LABEL_STUDIO_URL names no Label Studio (`make test` starts one)"
        ));
        return;
    };
    let token = variable("TOKEN").expect("GOURMETGRAM_TEST_LABEL_STUDIO_TOKEN");
    let settings =
        [("GOURMETGRAM__LABEL_STUDIO__URL", url.clone()), ("GOURMETGRAM__LABEL_STUDIO__TOKEN", token.clone())];
    let secrets = [("LABEL_STUDIO_URL", url), ("LABEL_STUDIO_TOKEN", token)];
    walk_through(page, &settings, access, &secrets).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_step_of_the_tutorial_in_label_studio_works() {
    walk_through_with_label_studio("tutorial-label-studio.md", Access::ReadOnly).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_two_dags_as_plain_python_end_like_our_campaign() {
    walk_through_with_label_studio("tutorial-dags.md", Access::ReadWrite).await;
}
