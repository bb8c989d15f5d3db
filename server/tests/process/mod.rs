//! The real binary as a process of its own.

use std::{io::Cursor, path::Path, process::Stdio, time::Duration};

use gourmetgram_object_store::{ObjectStore, Settings};
use image::{ImageFormat, Rgb, RgbImage};
use rand::{Rng, SeedableRng, rngs::StdRng};
use reqwest::multipart::Part;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// A running server. Killed when dropped.
pub struct Server {
    pub url: String,
    pub s3: Option<String>,
    child: Child,
}

impl Server {
    pub async fn start(data: &Path, settings: &[(&str, String)]) -> Self {
        Self::start_wrapped(&[], data, settings).await
    }

    /// Starts it as the last words of another command.
    pub async fn start_wrapped(wrapper: &[String], data: &Path, settings: &[(&str, String)]) -> Self {
        let mut words: Vec<String> = wrapper.to_vec();
        words.extend([env!("CARGO_BIN_EXE_gourmetgram").to_owned(), "serve".to_owned()]);
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .current_dir(data)
            .env("GOURMETGRAM__DATA_DIR", data)
            .env("GOURMETGRAM__SERVER__LISTEN", "127.0.0.1:0")
            .env("GOURMETGRAM__EMBEDDED_S3__LISTEN", "127.0.0.1:0")
            .env("GOURMETGRAM__LOG__FILTER", "warn,gourmetgram=error")
            .envs(settings.iter().map(|(name, value)| (*name, value.as_str())))
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot start {}: {error}", words[0]));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut s3 = None;
        loop {
            let line = lines.next_line().await.unwrap().expect("the server stopped before it was ready");
            if let Some(address) = line.strip_prefix("embedded S3 at ") {
                s3 = address.split_whitespace().next().map(str::to_owned);
            }
            if let Some(url) = line.strip_prefix("GourmetGram at ") {
                return Self { url: url.trim().to_owned(), s3, child };
            }
        }
    }

    /// SIGKILL: no chance to finish anything.
    pub fn kill(&mut self) {
        self.child.start_kill().unwrap();
    }

    /// Waits until it has died by itself; answers the signal that ended it.
    #[allow(dead_code, reason = "not every test has it die by itself")]
    pub async fn death(&mut self) -> Option<i32> {
        use std::os::unix::process::ExitStatusExt;
        let died = tokio::time::timeout(Duration::from_secs(240), self.child.wait()).await;
        died.expect("it lives on after four minutes").unwrap().signal()
    }

    /// SIGTERM to the server itself, and waits for the end.
    pub async fn stop(&mut self) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.inner_pid()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().await.unwrap();
    }

    /// The server's own process: the wrapper's only child, or the process itself.
    pub fn inner_pid(&self) -> u32 {
        let pid = self.child.id().unwrap();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        children.split_whitespace().next().map_or(pid, |child| child.parse().unwrap())
    }

    /// Waits until the outbox has nothing left to do.
    pub async fn settle(&self) {
        let client = reqwest::Client::new();
        for _ in 0..1200 {
            let metrics = client.get(format!("{}/metrics", self.url)).send().await.unwrap().text().await.unwrap();
            if metrics.lines().any(|line| line == "gourmetgram_outbox_backlog 0") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the outbox is not empty after a minute");
    }

    /// A client of its embedded S3 server.
    pub async fn object_store(&self, data: &Path) -> ObjectStore {
        let credentials = gourmetgram::keys::s3_credentials(data).unwrap();
        let endpoint = self.s3.as_ref().expect("no embedded S3 server").parse().unwrap();
        let credentials = Some(credentials.read_write);
        ObjectStore::connect(Settings { endpoint: Some(endpoint), credentials, ..Settings::default() }).await
    }
}

/// A token for everything, made by the command line beside the running server.
pub async fn token(data: &Path, settings: &[(&str, String)]) -> String {
    let made = Command::new(env!("CARGO_BIN_EXE_gourmetgram"))
        .args(["user", "token", "add", "tests", "--scope", "admin", "--json"])
        .current_dir(data)
        .env("GOURMETGRAM__DATA_DIR", data)
        .envs(settings.iter().map(|(name, value)| (*name, value.as_str())))
        .output()
        .await
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let made: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
    made["token"].as_str().unwrap().to_owned()
}

/// A client of an S3 server elsewhere.
pub async fn object_store_at(endpoint: &str, key: &str, secret: &str) -> ObjectStore {
    let (endpoint, credentials) = (Some(endpoint.parse().unwrap()), Some((key.to_owned(), secret.into())));
    ObjectStore::connect(Settings { endpoint, credentials, ..Settings::default() }).await
}

/// Tells whoever reads the test's output.
#[expect(clippy::print_stderr, reason = "a test's output is for people")]
pub fn tell(text: &str) {
    eprintln!("{text}");
}

pub fn part(photo: Vec<u8>) -> Part {
    Part::bytes(photo).file_name("plate.jpg")
}

/// A small picture of our own making.
pub fn a_photo(seed: u32) -> Vec<u8> {
    let picture = RgbImage::from_fn(64, 64, |x, y| Rgb([(x * 4) as u8, (y * 4) as u8, (seed % 251) as u8]));
    encode(&picture, ImageFormat::Jpeg)
}

/// Noise, which does not compress: about half a megabyte.
pub fn a_large_photo(seed: u64) -> Vec<u8> {
    let mut random = StdRng::seed_from_u64(seed);
    let picture = RgbImage::from_fn(500, 500, |_, _| Rgb(random.random()));
    let mut bytes = Cursor::new(Vec::new());
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 100);
    picture.write_with_encoder(encoder).unwrap();
    bytes.into_inner()
}

fn encode(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}
