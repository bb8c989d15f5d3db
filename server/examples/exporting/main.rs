//! How long taking a catalog out takes, and how much memory: `make bench-export`.
//!
//! Fills a catalog with 10,000, 100,000 and 1,000,000 predictions, on SQLite and (where GOURMETGRAM_TEST_POSTGRES_URL names
//! one) PostgreSQL, and runs `gourmetgram export`, the binary beside this one, over all of it: as tables for
//! docs/benchmarks.md. Numbers as arguments are other sizes. Peaks of memory are Linux's (VmHWM).

#[path = "../explore/filling.rs"]
mod filling;

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use gourmetgram::catalog::Catalog;
use sea_orm::{ConnectionTrait, Database};
use secrecy::{ExposeSecret, SecretString};

const SIZES: [i64; 3] = [10_000, 100_000, 1_000_000];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let sizes: Vec<i64> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { SIZES.to_vec() } else { sizes };
    say("| | predictions | format | seconds | predictions a second | file, MB | peak of memory, MB |");
    say("|---|---|---|---|---|---|---|");
    for &size in &sizes {
        let folder = tempfile::tempdir()?;
        let file = format!("sqlite:{}", folder.path().join("catalog.sqlite").display());
        measure("SQLite", &file, folder.path(), size).await?;
        let Ok(server) = std::env::var("GOURMETGRAM_TEST_POSTGRES_URL") else { continue };
        let connection = Database::connect(&server).await.context("PostgreSQL cannot be reached")?;
        let name = format!("bench_{}", uuid::Uuid::now_v7().simple());
        connection.execute_unprepared(&format!("CREATE DATABASE {name}")).await?;
        let mut url = url::Url::parse(&server)?;
        url.set_path(&name);
        let outcome = measure("PostgreSQL", url.as_str(), folder.path(), size).await;
        connection.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await?;
        outcome?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "its output is for people")]
fn say(line: &str) {
    println!("{line}");
}

async fn measure(database: &str, url: &str, folder: &Path, size: i64) -> anyhow::Result<()> {
    let url = SecretString::from(url);
    // Opened and closed again, so that nobody else has it open while it is read.
    drop(Catalog::open(&url, 0).await?);
    let connection = Database::connect(url.expose_secret()).await?;
    filling::fill(&connection, 0, size, size).await?;
    filling::analyze(&connection).await?;
    connection.close().await?;
    for format in ["jsonl", "csv", "parquet"] {
        let file = folder.join(format!("{database}.{format}"));
        let began = Instant::now();
        let (child, peak) = watched(export(&url, folder, format, &file)?);
        let output = child?;
        ensure!(output.status.success(), "the export failed: {}", String::from_utf8_lossy(&output.stderr));
        let seconds = began.elapsed().as_secs_f64();
        let megabytes = std::fs::metadata(&file)?.len() as f64 / 1e6;
        say(&format!(
            "| {database} | {size} | {format} | {seconds:.1} | {:.0} | {megabytes:.0} | {} |",
            size as f64 / seconds,
            peak.map_or("unknown".to_owned(), |kilobytes| format!("{:.0}", kilobytes / 1024.0)),
        ));
        std::fs::remove_file(file)?;
    }
    Ok(())
}

fn export(url: &SecretString, folder: &Path, format: &str, file: &Path) -> anyhow::Result<Child> {
    let binary: PathBuf = std::env::current_exe()?.with_file_name("gourmetgram");
    // Examples lie in a folder beside it.
    let binary = if binary.exists() { binary } else { folder_above(&binary).join("gourmetgram") };
    Command::new(&binary)
        .args(["export", "--format", format, "--output"])
        .arg(file)
        .current_dir(folder)
        .env("GOURMETGRAM__DATA_DIR", folder)
        .env("GOURMETGRAM__CATALOG__URL", url.expose_secret())
        .env("GOURMETGRAM__EMBEDDED_S3__LISTEN", "127.0.0.1:0")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{} is not there: make build", binary.display()))
}

fn folder_above(path: &Path) -> PathBuf {
    path.ancestors().nth(2).map_or_else(PathBuf::new, Path::to_owned)
}

/// Waits for a process, and looks at its peak of memory (kilobytes) until it is gone.
fn watched(child: Child) -> (std::io::Result<std::process::Output>, Option<f64>) {
    let status = format!("/proc/{}/status", child.id());
    let waiting = thread::spawn(move || child.wait_with_output());
    let mut peak = None;
    while !waiting.is_finished() {
        if let Ok(text) = std::fs::read_to_string(&status) {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kilobytes = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok());
            peak = kilobytes.or(peak);
        }
        thread::sleep(Duration::from_millis(20));
    }
    let output = waiting.join().unwrap_or_else(|_| Err(std::io::Error::other("nobody waited for it")));
    (output, peak)
}
