//! What others use works against the embedded server: boto3 and the AWS command line.

mod support;

use std::process::Stdio;

use support::{KEY, READ_ONLY_KEY, READ_ONLY_SECRET, SECRET, Server, python};
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boto3_and_the_aws_command_line_work_against_the_embedded_server() {
    let server = Server::embedded().await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/interop.py");
    let output = Command::new(python())
        .args([script, &server.endpoint(), KEY, SECRET, READ_ONLY_KEY, READ_ONLY_SECRET])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.contains("all checks passed"), "{said}\n{complained}");
}
