//! S3 servers to test against.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::{path::PathBuf, process::Stdio, time::Duration};

use embedded_s3::{Access, EmbeddedS3, Running};
use gourmetgram_object_store::{ObjectStore, Settings, Timeouts};
use secrecy::SecretString;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
    process::{Child, Command},
};

pub const KEY: &str = "writer";
pub const SECRET: &str = "the-writers-secret";
pub const READ_ONLY_KEY: &str = "reader";
pub const READ_ONLY_SECRET: &str = "the-readers-secret";

/// An S3 server that ends with the test.
pub enum Server {
    Embedded { running: Running, _folder: TempDir },
    Moto { address: String, _process: Child },
}

impl Server {
    /// The embedded server on a folder of its own.
    pub async fn embedded() -> Self {
        let folder = TempDir::new().unwrap();
        let running = EmbeddedS3::builder(folder.path())
            .credential(KEY, SECRET, Access::ReadWrite)
            .credential(READ_ONLY_KEY, READ_ONLY_SECRET, Access::ReadOnly)
            .start(TcpListener::bind("127.0.0.1:0").await.unwrap())
            .await
            .unwrap();
        Self::Embedded { running, _folder: folder }
    }

    /// moto, an S3 written by others in another language.
    pub async fn moto() -> Self {
        // Port 0, and it ends when this process does, however that ends.
        const START: &str = "import sys; from moto.server import ThreadedMotoServer; \
             server = ThreadedMotoServer('127.0.0.1', 0, verbose=False); server.start(); \
             print('listening on http://%s:%s' % server.get_host_and_port(), flush=True); sys.stdin.read()";
        let mut process = Command::new(python())
            .args(["-c", START])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let address = loop {
            let line = lines.next_line().await.unwrap().expect("moto ended before it listened");
            if let Some(address) = line.strip_prefix("listening on ") {
                break address.to_owned();
            }
        };
        Self::Moto { address, _process: process }
    }

    pub fn endpoint(&self) -> String {
        match self {
            Self::Embedded { running, .. } => running.endpoint(),
            Self::Moto { address, .. } => address.clone(),
        }
    }

    pub fn settings(&self) -> Settings {
        settings(&self.endpoint())
    }

    /// A store whose buckets are there.
    pub async fn store(&self) -> ObjectStore {
        let store = ObjectStore::connect(self.settings()).await;
        store.ensure_buckets().await.unwrap();
        store
    }

    /// A client as others use it, without our ways.
    pub async fn plain_client(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version_latest()
            .endpoint_url(self.endpoint())
            .region(aws_sdk_s3::config::Region::new("us-east-1"))
            .credentials_provider(aws_sdk_s3::config::Credentials::new(KEY, SECRET, None, None, "test"))
            .force_path_style(true)
            .build();
        aws_sdk_s3::Client::from_conf(config)
    }
}

pub fn settings(endpoint: &str) -> Settings {
    Settings {
        endpoint: Some(endpoint.parse().unwrap()),
        credentials: Some((KEY.to_owned(), SecretString::from(SECRET))),
        ..Settings::default()
    }
}

/// Settings that lose patience soon.
pub fn impatient(endpoint: &str) -> Settings {
    let timeouts = Timeouts {
        connect: Duration::from_millis(300),
        attempt: Duration::from_millis(500),
        call: Duration::from_millis(1500),
        check: Duration::from_millis(300),
    };
    Settings { timeouts, ..settings(endpoint) }
}

/// The Python that has `tests/requirements.txt`.
pub fn python() -> PathBuf {
    if let Some(python) = std::env::var_os("GOURMETGRAM_TEST_PYTHON") {
        return python.into();
    }
    let repository = PathBuf::from(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned();
    let cache = std::env::var_os("GOURMETGRAM_CACHE").map_or_else(|| repository.join(".tools"), PathBuf::from);
    let python = cache.join("venvs/tests/bin/python");
    assert!(
        python.exists(),
        "{} is missing: run `make test`, or `scripts/setup.sh python`, which installs moto, boto3 and the AWS command \
         line there; or set GOURMETGRAM_TEST_PYTHON to a Python that has them",
        python.display()
    );
    python
}
