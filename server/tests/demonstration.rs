//! `make demo`, as it is run: what it fills leaves no page of operators empty.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
};

use reqwest::{Client, StatusCode};
use tokio::{io::AsyncWriteExt, process::Command};

/// Stops the server when the test ends, however it ends.
struct Demonstration {
    folder: tempfile::TempDir,
    port: u16,
}

impl Demonstration {
    fn script(&self, word: &str) -> std::process::Command {
        let repository = PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
        let mut command = std::process::Command::new(repository.join("scripts/demo.sh"));
        command
            .arg(word)
            .env("GOURMETGRAM_BIN", env!("CARGO_BIN_EXE_gourmetgram"))
            .env("DEMO_FOLDER", self.folder.path())
            .env("DEMO_PORT", self.port.to_string())
            .env("DEMO_PHOTOS", "60");
        command
    }

    async fn run(&self, word: &str) -> String {
        let output = Command::from(self.script(word)).output().await.unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{said}");
        said
    }

    fn settings(&self) -> PathBuf {
        self.folder.path().join("gourmetgram.toml")
    }
}

impl Drop for Demonstration {
    fn drop(&mut self) {
        let _ = self.script("stop").output();
    }
}

/// A port that nobody has, nor the one after it, which the embedded S3 server gets.
fn two_ports() -> u16 {
    for _ in 0..100 {
        let first = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = first.local_addr().unwrap().port();
        if port < u16::MAX && TcpListener::bind(("127.0.0.1", port + 1)).is_ok() {
            return port;
        }
    }
    panic!("no two ports in a row are free");
}

/// A browser in which an operator is signed in.
async fn operator(url: &str, settings: &Path) -> Client {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gourmetgram"));
    command.arg("--config").arg(settings).args(["user", "add", "ann", "--role", "operator", "--password-stdin"]);
    let mut adding = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
    adding.stdin.take().unwrap().write_all(b"correct horse battery staple\n").await.unwrap();
    assert!(adding.wait().await.unwrap().success());
    let browser = Client::builder().cookie_store(true).redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let form = [("name", "ann"), ("password", "correct horse battery staple"), ("next", "/")];
    let answer = browser.post(format!("{url}/login")).header("origin", url).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    browser
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_has_something_to_show_and_a_second_start_adds_nothing() {
    let demonstration = Demonstration { folder: tempfile::tempdir().unwrap(), port: two_ports() };
    let said = demonstration.run("start").await;
    let url = format!("http://127.0.0.1:{}", demonstration.port);
    assert!(said.contains(&url), "{said}");
    let browser = operator(&url, &demonstration.settings()).await;
    let page = async |path: &str| {
        let answer = browser.get(format!("{url}{path}")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.unwrap()
    };
    // What each page says where there is nothing, and something of what it must show instead.
    for (path, empty, full) in [
        ("/photos", "No photos yet.", "<img"),
        ("/campaigns", "There is no campaign yet", "Demonstration"),
        ("/review", "Nothing to review.", "<img"),
        ("/pipelines", "No pipeline has run yet.", "Demonstration"),
        ("/dashboard", "Nothing measured yet.", "with 95% confidence"),
    ] {
        let text = page(path).await;
        assert!(!text.contains(empty), "{path} says {empty:?}");
        assert!(text.contains(full), "{path} has no {full:?}");
    }
    assert!(page("/models").await.contains("food64"));

    let photos = async || {
        let path = format!("{url}/api/v1/predictions?limit=200");
        let page: gourmetgram_api::PredictionPage = browser.get(path).send().await.unwrap().json().await.unwrap();
        page.items.len()
    };
    assert_eq!(photos().await, 60);
    demonstration.run("start").await;
    assert_eq!(photos().await, 60);
    demonstration.run("clean").await;
    assert!(!demonstration.folder.path().exists());
}
