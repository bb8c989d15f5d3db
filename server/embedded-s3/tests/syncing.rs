//! What is answered with 200 was synced before, in the order that a loss of power cannot undo. Seen from outside, in
//! the system calls the server makes.
#![cfg(target_os = "linux")]

use std::{fs, path::Path, process::Command};

use aws_sdk_s3::{
    Client,
    config::{Credentials, Region},
    types::{Tag, Tagging},
};
use embedded_s3::{Access, EmbeddedS3};
use tempfile::TempDir;
use tokio::net::TcpListener;

/// Names the folder to serve to the traced copy of this test.
const FOLDER: &str = "EMBEDDED_S3_TRACED_FOLDER";

#[test]
fn a_write_is_answered_only_after_everything_is_synced() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        tokio::runtime::Runtime::new().unwrap().block_on(put_and_tag(Path::new(&folder)));
        return;
    }
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("strace.log");
    let traced = Command::new("strace")
        .args(["-f", "-y", "-s", "40", "-e", "trace=fsync,fdatasync,rename,renameat,renameat2,write,writev,sendto"])
        .arg("-o")
        .arg(&log)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "a_write_is_answered_only_after_everything_is_synced"])
        .env(FOLDER, folder.path().join("s3"))
        .output()
        .expect("strace is missing: `make test`, or `scripts/setup.sh system`, says how to get it");
    assert!(traced.status.success(), "{}", String::from_utf8_lossy(&traced.stdout));
    let log = fs::read_to_string(log).unwrap();
    let lines: Vec<&str> = log.lines().collect();

    // The two writes: the object, and then its tags.
    let records: Vec<usize> = lines_with(&lines, &["rename", "a.jpg=.json"]);
    let [put, tag] = records[..] else { panic!("two records should have been renamed to their place\n{log}") };
    let answers = lines_with(&lines, &["HTTP/1.1 200 OK"]);
    let answer_after = |line: usize| *answers.iter().find(|&&answer| answer > line).expect("an answer");

    let synced = |what: &str, after: usize, before: usize| {
        let found = lines_with(&lines, &["fsync(", what]).into_iter().any(|line| (after..before).contains(&line));
        assert!(found, "{what} was not synced between lines {after} and {before}\n{log}");
    };
    for what in
        ["versions/photos/", ".metadata.json", ".internal.json", "versions/photos>", "s3/versions>", "s3/scratch/"]
    {
        synced(what, 0, put);
    }
    for what in ["records/photos/class_03>", "records/photos>", "s3/records>"] {
        synced(what, put, answer_after(put));
    }
    assert!(answer_after(put) < tag, "the object was answered before its tags were changed");
    synced("s3/scratch/", put, tag);
    synced("records/photos/class_03>", tag, answer_after(tag));
}

fn lines_with(lines: &[&str], parts: &[&str]) -> Vec<usize> {
    let has_all = |line: &&str| parts.iter().all(|part| line.contains(part));
    lines.iter().enumerate().filter(|(_, line)| has_all(line)).map(|(number, _)| number).collect()
}

async fn put_and_tag(folder: &Path) {
    let server = EmbeddedS3::builder(folder)
        .credential("key", "secret", Access::ReadWrite)
        .start(TcpListener::bind("127.0.0.1:0").await.unwrap())
        .await
        .unwrap();
    let config = aws_sdk_s3::Config::builder()
        .behavior_version_latest()
        .endpoint_url(server.endpoint())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
        .force_path_style(true)
        .build();
    let client = Client::from_conf(config);
    client.create_bucket().bucket("photos").send().await.unwrap();
    let photo = client.put_object().bucket("photos").key("class_03/a.jpg").tagging("a=1").body(vec![7; 1000].into());
    photo.send().await.unwrap();
    let tagging = Tagging::builder().tag_set(Tag::builder().key("b").value("2").build().unwrap()).build().unwrap();
    let tags = client.put_object_tagging().bucket("photos").key("class_03/a.jpg").tagging(tagging);
    tags.send().await.unwrap();
    server.shutdown().await;
}
