//! What is kept, whatever happens: one object at a time, whole, with its tags, in its own folder.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use aws_sdk_s3::{
    Client,
    config::{Credentials, Region},
    error::ProvideErrorMetadata,
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart, Tag},
};
use embedded_s3::{Access, EmbeddedS3, Running, StartError};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

async fn serve(folder: &Path) -> Running {
    try_to_serve(folder).await.unwrap()
}

async fn try_to_serve(folder: &Path) -> Result<Running, StartError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    EmbeddedS3::builder(folder)
        .credential("key", "secret", Access::ReadWrite)
        .max_body_bytes(1 << 20)
        .start(listener)
        .await
}

fn client(server: &Running) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version_latest()
        .endpoint_url(server.endpoint())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
        .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
        .force_path_style(true)
        .build();
    Client::from_conf(config)
}

/// A server on a folder of its own, with one bucket.
async fn fresh() -> (TempDir, Running, Client) {
    let folder = TempDir::new().unwrap();
    let server = serve(&folder.path().join("s3")).await;
    let client = client(&server);
    client.create_bucket().bucket("photos").send().await.unwrap();
    (folder, server, client)
}

async fn put(client: &Client, key: &str, body: Vec<u8>, tagging: &str) {
    let body = ByteStream::from(body);
    client.put_object().bucket("photos").key(key).tagging(tagging).body(body).send().await.unwrap();
}

async fn get(client: &Client, key: &str) -> Vec<u8> {
    let object = client.get_object().bucket("photos").key(key).send().await.unwrap();
    object.body.collect().await.unwrap().to_vec()
}

async fn tags(client: &Client, key: &str) -> Vec<(String, String)> {
    let answer = client.get_object_tagging().bucket("photos").key(key).send().await.unwrap();
    answer.tag_set.into_iter().map(|Tag { key, value, .. }| (key, value)).collect()
}

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// What is there of objects' bytes, and of work that was not finished.
fn versions(folder: &Path) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let mut unfinished = files(&folder.join("s3/unsettled"));
    unfinished.extend(files(&folder.join("s3/scratch")));
    (files(&folder.join("s3/versions")), unfinished)
}

#[tokio::test]
async fn objects_and_tags_are_there_after_a_restart() {
    let (folder, server, client) = fresh().await;
    put(&client, "class_03/a.jpg", vec![7; 1000], "predicted_class=Bread").await;
    server.shutdown().await;

    let server = serve(&folder.path().join("s3")).await;
    let client = self::client(&server);
    assert_eq!(get(&client, "class_03/a.jpg").await, vec![7; 1000]);
    assert_eq!(tags(&client, "class_03/a.jpg").await, [pair("predicted_class", "Bread")]);
}

#[tokio::test]
async fn two_servers_never_share_a_folder() {
    let (folder, server, _) = fresh().await;
    let Err(error) = try_to_serve(&folder.path().join("s3")).await else { panic!("a second server started") };
    assert!(matches!(error, StartError::InUse { .. }), "{error}");
    server.shutdown().await;
    serve(&folder.path().join("s3")).await;
}

#[tokio::test]
async fn a_replaced_or_removed_object_leaves_nothing_behind() {
    let (folder, _server, client) = fresh().await;
    put(&client, "a", vec![1; 10], "one=1").await;
    let (one, _) = versions(folder.path());
    put(&client, "a", vec![2; 10], "two=2").await;
    client.copy_object().bucket("photos").key("b").copy_source("photos/a").send().await.unwrap();
    client.delete_object().bucket("photos").key("a").send().await.unwrap();
    let (other, unfinished) = versions(folder.path());
    assert_eq!(other.len(), one.len(), "{other:?}");
    client.delete_object().bucket("photos").key("b").send().await.unwrap();
    assert_eq!((versions(folder.path()).0, unfinished), (vec![], vec![]));
    assert!(files(&folder.path().join("s3/records")).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_never_see_bytes_of_one_version_with_tags_of_another() {
    let (_folder, _server, client) = fresh().await;
    put(&client, "a", vec![1; 1], "t1=v").await;
    let writer = {
        let client = client.clone();
        tokio::spawn(async move {
            for round in 0.. {
                let count: usize = round % 5 + 1;
                let tagging: Vec<String> = (0..count).map(|n| format!("t{n}=v")).collect();
                put(&client, "a", vec![count as u8; count * 30_000], &tagging.join("&")).await;
            }
        })
    };
    for _ in 0..200 {
        let object = client.get_object().bucket("photos").key("a").send().await.unwrap();
        let count = object.tag_count.unwrap();
        let bytes = object.body.collect().await.unwrap().to_vec();
        assert!(bytes.iter().all(|&byte| i32::from(byte) == count), "bytes of {} with {count} tags", bytes[0]);
        assert!(bytes.len() == 1 || bytes.len() == count as usize * 30_000, "{} bytes", bytes.len());
        assert!(!writer.is_finished(), "the writer gave up");
    }
    writer.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_create_the_same_object_one_wins() {
    let (_folder, _server, client) = fresh().await;
    let mut tries = tokio::task::JoinSet::new();
    for number in 0..20_u8 {
        let call = client.put_object().bucket("photos").key("once").if_none_match("*").body(vec![number].into());
        tries.spawn(async move { call.send().await.map(|_| number).map_err(|error| error.code().map(str::to_owned)) });
    }
    let (winners, losers): (Vec<_>, Vec<_>) = tries.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!((winners.len(), losers.len()), (1, 19));
    assert!(losers.iter().all(|loser| *loser == Err(Some("PreconditionFailed".to_owned()))), "{losers:?}");
    assert_eq!(get(&client, "once").await, [*winners[0].as_ref().unwrap()]);
}

#[tokio::test]
async fn what_a_crash_left_is_removed_and_nothing_else() {
    let (folder, server, client) = fresh().await;
    put(&client, "kept", vec![1; 10], "a=1").await;
    server.shutdown().await;
    let s3 = folder.path().join("s3");
    let (kept, _) = versions(folder.path());
    let live = kept.iter().find(|path| path.parent() == Some(&s3.join("versions/photos"))).unwrap();
    let live = live.file_name().unwrap().to_str().unwrap();

    // Cut off: before a record named the version; after it did, but before the marker was removed; in a record's
    // draft; in a marker; in a body that s3s-fs was writing.
    let lost = "f47ac10b-58cc-4372-a567-0e02b2c3d479";
    fs::write(s3.join("versions/photos").join(lost), "half").unwrap();
    fs::write(s3.join("unsettled").join(lost), r#"{"bucket":"photos","key":"kept"}"#).unwrap();
    fs::write(s3.join("unsettled").join(live), r#"{"bucket":"photos","key":"kept"}"#).unwrap();
    fs::write(s3.join("unsettled/0e02b2c3-d479-4372-a567-f47ac10b58cc"), r#"{"buck"#).unwrap();
    fs::write(s3.join("scratch/draft"), "{").unwrap();
    fs::write(s3.join("versions/.tmp.0.internal.part"), "half").unwrap();

    let server = serve(&s3).await;
    let client = self::client(&server);
    assert_eq!(versions(folder.path()), (kept, vec![]));
    assert_eq!(get(&client, "kept").await, vec![1; 10]);
    assert_eq!(tags(&client, "kept").await, [pair("a", "1")]);
}

/// A presigned address, and its parts: host, path with query.
async fn presigned_put(client: &Client, key: &str) -> (String, String) {
    let soon = aws_sdk_s3::presigning::PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    let request = client.put_object().bucket("photos").key(key).presigned(soon).await.unwrap();
    let rest = request.uri().strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    (host.to_owned(), format!("/{path}"))
}

#[tokio::test]
async fn an_upload_that_breaks_off_changes_nothing() {
    let (folder, _server, client) = fresh().await;
    put(&client, "a", vec![1; 10], "a=1").await;
    let before = versions(folder.path());
    let (host, path) = presigned_put(&client, "a").await;
    let mut peer = TcpStream::connect(&host).await.unwrap();
    let head = format!("PUT {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 100000\r\n\r\n");
    peer.write_all(head.as_bytes()).await.unwrap();
    peer.write_all(&[2; 50_000]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    drop(peer);

    // The server notices when it next reads; what it then does is over when nothing unfinished is left.
    for _ in 0..100 {
        if versions(folder.path()) == before {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(versions(folder.path()), before);
    assert_eq!(get(&client, "a").await, vec![1; 10]);
    assert_eq!(tags(&client, "a").await, [pair("a", "1")]);
}

#[tokio::test]
async fn a_body_that_is_too_long_is_refused() {
    let (folder, _server, client) = fresh().await;
    put(&client, "a", vec![1; 1 << 20], "").await;
    let before = versions(folder.path());
    let too_long = vec![2; (1 << 20) + 1];
    let error = client.put_object().bucket("photos").key("a").body(too_long.into()).send().await.unwrap_err();
    assert_eq!(error.code(), Some("EntityTooLarge"), "{error:?}");
    assert_eq!(get(&client, "a").await, vec![1; 1 << 20]);
    assert_eq!(versions(folder.path()), before);
}

#[tokio::test]
async fn a_multipart_upload_goes_on_after_a_restart() {
    let (folder, server, client) = fresh().await;
    let call = client.create_multipart_upload().bucket("photos").key("large").tagging("a=1").content_type("image/png");
    let id = call.send().await.unwrap().upload_id.unwrap();
    let call = client.upload_part().bucket("photos").key("large").upload_id(&id).part_number(1).body(vec![1; 9].into());
    let e_tag = call.send().await.unwrap().e_tag.unwrap();
    server.shutdown().await;

    let server = serve(&folder.path().join("s3")).await;
    let client = self::client(&server);
    let finish = |e_tag: &str| {
        let part = CompletedPart::builder().part_number(1).e_tag(e_tag).build();
        let parts = CompletedMultipartUpload::builder().parts(part).build();
        client.complete_multipart_upload().bucket("photos").key("large").upload_id(&id).multipart_upload(parts).send()
    };
    finish(&e_tag).await.unwrap();
    assert_eq!(get(&client, "large").await, vec![1; 9]);
    assert_eq!(tags(&client, "large").await, [pair("a", "1")]);
    let (_, unfinished) = versions(folder.path());
    assert!(unfinished.is_empty() && files(&folder.path().join("s3/uploads")).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_multipart_uploads_and_copies_at_a_time_do_not_wait_for_each_other() {
    let (_folder, _server, client) = fresh().await;
    put(&client, "source", vec![1; 9], "a=1").await;
    let mut uploads = tokio::task::JoinSet::new();
    for number in 0..150 {
        let (maker, client) = (client.clone(), client.clone());
        uploads.spawn(async move {
            let (bucket, key) = ("photos", format!("large/{number}"));
            let id = client.create_multipart_upload().bucket(bucket).key(&key).send().await.unwrap().upload_id.unwrap();
            let part = client.upload_part().bucket(bucket).key(&key).upload_id(&id).part_number(1);
            let e_tag = part.body(vec![1; 9].into()).send().await.unwrap().e_tag.unwrap();
            let part = CompletedPart::builder().part_number(1).e_tag(e_tag).build();
            let parts = CompletedMultipartUpload::builder().parts(part).build();
            let finish = client.complete_multipart_upload().bucket(bucket).key(&key).upload_id(&id);
            finish.multipart_upload(parts).send().await.unwrap();
            let copy = client.copy_object().bucket(bucket).key(format!("copy/{number}")).copy_source("photos/source");
            copy.send().await.unwrap();
        });
        if number % 30 == 0 {
            // Making a bucket waits until nobody changes an object.
            let make = maker.create_bucket().bucket(format!("bucket-{number}"));
            uploads.spawn(async move { drop(make.send().await.unwrap()) });
        }
    }
    tokio::time::timeout(Duration::from_secs(100), uploads.join_all()).await.expect("they wait for each other");
    let listed = client.list_objects_v2().bucket("photos").send().await.unwrap();
    assert_eq!(listed.key_count, Some(301));
}

#[tokio::test]
async fn a_multipart_upload_nobody_finished_for_a_week_is_given_up() {
    let (folder, server, client) = fresh().await;
    let empty = versions(folder.path());
    let call = client.create_multipart_upload().bucket("photos").key("large").content_type("image/png");
    let id = call.send().await.unwrap().upload_id.unwrap();
    let call = client.upload_part().bucket("photos").key("large").upload_id(&id).part_number(1).body(vec![1; 9].into());
    call.send().await.unwrap();
    server.shutdown().await;
    serve(&folder.path().join("s3")).await.shutdown().await;
    let [upload] = &files(&folder.path().join("s3/uploads"))[..] else { panic!("the upload is gone too soon") };

    let contents = fs::read_to_string(upload).unwrap();
    let (before, _) = contents.split_once("\"started_ms\":").unwrap();
    fs::write(upload, format!("{before}\"started_ms\":1}}")).unwrap();
    let _server = serve(&folder.path().join("s3")).await;
    assert_eq!(versions(folder.path()), empty);
    assert!(files(&folder.path().join("s3/uploads")).is_empty());
}

#[tokio::test]
async fn a_part_that_is_another_one_does_not_become_the_object() {
    let (_folder, _server, client) = fresh().await;
    put(&client, "large", vec![1; 10], "a=1").await;
    let id = client.create_multipart_upload().bucket("photos").key("large").send().await.unwrap().upload_id.unwrap();
    let call = client.upload_part().bucket("photos").key("large").upload_id(&id).part_number(1).body(vec![2; 9].into());
    call.send().await.unwrap();
    let part = CompletedPart::builder().part_number(1).e_tag("\"0123456789abcdef0123456789abcdef\"").build();
    let parts = CompletedMultipartUpload::builder().parts(part).build();
    let call = client.complete_multipart_upload().bucket("photos").key("large").upload_id(&id).multipart_upload(parts);
    assert_eq!(call.send().await.unwrap_err().code(), Some("InvalidPart"));
    assert_eq!(get(&client, "large").await, vec![1; 10]);
}

#[tokio::test]
async fn no_key_leaves_its_folder_or_touches_another_object() {
    let (folder, _server, client) = fresh().await;
    client.create_bucket().bucket("other").send().await.unwrap();
    put(&client, "victim", b"victim".to_vec(), "a=1").await;
    let outside = |path: &PathBuf| !path.starts_with(folder.path().join("s3"));
    let tricks = [
        "..",
        ".",
        "../victim",
        "../other/x",
        "../../lock",
        "../../../../../../tmp/x",
        "/etc/passwd",
        "//",
        "a/../victim",
        "./victim",
        "victim/",
        "victim/x",
        "victim=.json",
        "victim=.json/x",
        "..%2f..%2fx",
        "%",
        "%2e%2e",
        "a\\..\\b",
        ".bucket-x.object-y.metadata.json",
        ".upload_id-x.part-1",
        ".tmp.0.internal.part",
        "nul\0byte",
        "VICTIM",
    ];
    let longest = ["x".repeat(1024), "X".repeat(1024), "/".repeat(1024), "../".repeat(341)];
    let keys: Vec<&str> = tricks.into_iter().chain(longest.iter().map(String::as_str)).collect();
    for key in &keys {
        let call = client.put_object().bucket("photos").key(*key).body(key.as_bytes().to_vec().into());
        call.send().await.unwrap_or_else(|error| panic!("{key:?}: {error:?}"));
    }
    for key in &keys {
        assert_eq!(get(&client, key).await, key.as_bytes(), "{key:?}");
    }
    assert_eq!(get(&client, "victim").await, b"victim");
    assert_eq!(tags(&client, "victim").await, [pair("a", "1")]);
    assert!(files(folder.path()).iter().all(|path| !outside(path)));
    assert!(client.list_objects_v2().bucket("other").send().await.unwrap().contents.is_none());
    for key in &keys {
        client.delete_object().bucket("photos").key(*key).send().await.unwrap();
    }
    assert_eq!(files(&folder.path().join("s3/records")).len(), 1, "only the victim is left");

    let error = client.put_object().bucket("photos").key("x".repeat(1025)).send().await.unwrap_err();
    assert_eq!(error.code(), Some("KeyTooLongError"));
    for bucket in ["..", "../photos", "records", "a/b", ".tmp"] {
        let _ = client.put_object().bucket(bucket).key("x").send().await.unwrap_err();
    }
}

#[tokio::test]
async fn nonsense_gets_an_answer_and_the_server_lives_on() {
    let (_folder, server, client) = fresh().await;
    put(&client, "a", b"a".to_vec(), "").await;
    let long_header = format!("GET / HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "x".repeat(200_000));
    for nonsense in [
        "\0\0\0\0\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET /photos/a?X-Amz-Signature=%00&X-Amz-Date=x HTTP/1.1\r\nhost: x\r\n\r\n",
        "PUT /photos/%ff%fe HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\nx",
        "POST /photos HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data\r\ncontent-length: 3\r\n\r\nabc",
        "GET /photos/a HTTP/1.1\r\nhost: x\r\nauthorization: AWS4-HMAC-SHA256 Credential=key\r\n\r\n",
        "GET /photos/a HTTP/1.1\r\nhost: x\r\nauthorization: AWS key:x\r\nrange: bytes=-18446744073709551615\r\n\r\n",
        long_header.as_str(),
    ] {
        let mut peer = TcpStream::connect(server.address()).await.unwrap();
        let _ = peer.write_all(nonsense.as_bytes()).await;
        let mut answer = [0; 12];
        let read = tokio::time::timeout(Duration::from_secs(5), peer.read(&mut answer)).await;
        if let Ok(Ok(length @ 1..)) = read {
            let answer = String::from_utf8_lossy(&answer[..length]);
            assert!(answer.starts_with("HTTP/1.1 4"), "{nonsense:.60?} got {answer}");
        }
    }
    for range in ["bytes=-18446744073709551615", "bytes=0-9223372036854775807"] {
        let object = client.get_object().bucket("photos").key("a").range(range).send().await.unwrap();
        assert_eq!(object.body.collect().await.unwrap().to_vec(), b"a", "{range}");
    }
    for delimiter in ["ä", "日"] {
        client.list_objects_v2().bucket("photos").delimiter(delimiter).prefix("").send().await.unwrap();
    }
    let error = client.list_objects_v2().bucket("photos").continuation_token("?").send().await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidArgument"));
    assert_eq!(get(&client, "a").await, b"a");
}
