//! A store in trouble: every call ends in bounded time, and says whether to try again.

mod support;

use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use gourmetgram_object_store::{Bucket, ObjectKey, ObjectStore, ObjectStoreError, Settings, TagChanges, Tags};
use support::{SECRET, Server, impatient};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    time::sleep,
};

/// What the faulty store does once it has read the head of a request.
#[derive(Clone)]
enum Fault {
    /// Answers so, always.
    Answers(String),
    /// Answers so, and closes the connection in the middle.
    BreaksOff(String),
    /// Answers so, and then nothing more, holding the connection.
    FallsSilent(String),
}

/// Where the faulty store listens, and the first line of every request it got.
struct Faulty {
    endpoint: String,
    requests: Arc<Mutex<Vec<String>>>,
}

async fn faulty(fault: Fault) -> Faulty {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = requests.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (fault, seen) = (fault.clone(), seen.clone());
            tokio::spawn(async move {
                let mut request = vec![0; 64 * 1024];
                let length = stream.read(&mut request).await.unwrap_or_default();
                let first_line =
                    String::from_utf8_lossy(&request[..length]).lines().next().unwrap_or_default().to_owned();
                seen.lock().unwrap().push(first_line);
                let (Fault::Answers(answer) | Fault::BreaksOff(answer) | Fault::FallsSilent(answer)) = &fault;
                let _ = stream.write_all(answer.as_bytes()).await;
                if matches!(fault, Fault::FallsSilent(_)) {
                    sleep(Duration::from_secs(60)).await;
                }
            });
        }
    });
    Faulty { endpoint, requests }
}

fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/xml\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

fn s3_error(status: &str, code: &str) -> Fault {
    let xml = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>so it is</Message></Error>");
    Fault::Answers(answer(status, &xml))
}

fn key() -> ObjectKey {
    ObjectKey::new("class_03/photo.jpg").unwrap()
}

/// How long the slowest call may take: [`impatient`] says 1.5 s, and the machine may be busy.
const BOUND: Duration = Duration::from_secs(6);

async fn error_of<T: std::fmt::Debug>(call: impl Future<Output = Result<T, ObjectStoreError>>) -> ObjectStoreError {
    let began = Instant::now();
    let error = call.await.unwrap_err();
    assert!(began.elapsed() < BOUND, "took {:?}: {error}", began.elapsed());
    assert!(!error.to_string().contains(SECRET) && !format!("{error:?}").contains(SECRET), "a secret in {error}");
    error
}

/// One of each kind: reading, writing, both.
async fn errors_of(store: &ObjectStore) -> Vec<ObjectStoreError> {
    let (key, flag) = (key(), TagChanges::new().set("flagged", Some("true")));
    let tags = Tags::default();
    vec![
        error_of(store.get(Bucket::Production, &key)).await,
        error_of(store.put(Bucket::Production, &key, vec![1; 100_000], "image/jpeg", &tags)).await,
        error_of(store.merge_tags(Bucket::Production, &key, &flag)).await,
        error_of(store.copy((Bucket::Production, &key), (Bucket::LabelWait, &key))).await,
        error_of(store.delete(Bucket::Production, &key)).await,
        error_of(store.check()).await,
        error_of(store.ensure_buckets()).await,
    ]
}

async fn assert_all_unavailable(settings: Settings) {
    let store = ObjectStore::connect(settings).await;
    for error in errors_of(&store).await {
        let is_unavailable =
            matches!(&error, ObjectStoreError::Unavailable { place, .. } if place.bucket == "production");
        assert!(is_unavailable && error.is_retryable(), "{error:?}");
    }
}

#[tokio::test]
async fn an_unreachable_store_is_unavailable() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_all_unavailable(impatient(&format!("http://{free}"))).await;
}

#[tokio::test]
async fn a_store_whose_name_is_unknown_is_unavailable() {
    assert_all_unavailable(impatient("http://no-such-host.invalid:9000")).await;
}

#[tokio::test]
async fn a_silent_store_is_unavailable_in_bounded_time() {
    assert_all_unavailable(impatient(&faulty(Fault::FallsSilent(String::new())).await.endpoint)).await;
}

#[tokio::test]
async fn trouble_inside_the_store_is_unavailable() {
    for (status, code) in [
        ("500 Internal Server Error", "InternalError"),
        ("503 Service Unavailable", "SlowDown"),
        ("507 Insufficient Storage", "InsufficientStorage"),
        ("429 Too Many Requests", "TooManyRequests"),
        ("400 Bad Request", "RequestTimeout"),
    ] {
        let store = ObjectStore::connect(impatient(&faulty(s3_error(status, code)).await.endpoint)).await;
        let error = error_of(store.get(Bucket::Production, &key())).await;
        assert!(error.is_retryable(), "{code}: {error:?}");
        assert!(error.to_string().contains(code), "{error}");
    }
    assert_all_unavailable(impatient(&faulty(Fault::Answers(answer("500 Oh", ""))).await.endpoint)).await;
}

#[tokio::test]
async fn something_that_is_no_s3_is_unavailable_or_refuses_but_never_panics() {
    for text in ["\0\0\0 garbage\r\n\r\n", "SSH-2.0-OpenSSH_9.6\r\n", ""] {
        assert_all_unavailable(impatient(&faulty(Fault::BreaksOff(text.to_owned())).await.endpoint)).await;
    }
    let page = answer("200 OK", "<html>a captive portal</html>");
    let store = ObjectStore::connect(impatient(&faulty(Fault::Answers(page)).await.endpoint)).await;
    let error = error_of(store.read_tags(Bucket::Production, &key())).await;
    assert!(error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn a_photo_that_breaks_off_is_unavailable_not_half_a_photo() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf".to_owned();
    for fault in [Fault::BreaksOff(half.clone()), Fault::FallsSilent(half)] {
        let store = ObjectStore::connect(impatient(&faulty(fault).await.endpoint)).await;
        let error = error_of(store.get(Bucket::Production, &key())).await;
        assert!(error.is_retryable(), "{error:?}");
    }
}

#[tokio::test]
async fn a_refusal_names_what_was_refused() {
    for (status, code) in [
        ("403 Forbidden", "AccessDenied"),
        ("403 Forbidden", "SignatureDoesNotMatch"),
        ("400 Bad Request", "InvalidRequest"),
    ] {
        let store = ObjectStore::connect(impatient(&faulty(s3_error(status, code)).await.endpoint)).await;
        for error in errors_of(&store).await {
            assert!(matches!(error, ObjectStoreError::Refused { .. }) && !error.is_retryable(), "{error:?}");
        }
        let error = error_of(store.delete(Bucket::Clean, &key())).await;
        assert_eq!(
            error.to_string(),
            format!(
                "the object store refuses DeleteObject, class_03/photo.jpg in bucket production-clean: {code} (HTTP {}): \
                 so it is",
                &status[..3]
            )
        );
    }
}

#[tokio::test]
async fn a_wrong_secret_is_refused_by_the_real_server() {
    let server = Server::embedded().await;
    let mut settings = server.settings();
    settings.credentials = Some((support::KEY.to_owned(), "wrong".to_owned().into()));
    let store = ObjectStore::connect(settings).await;
    let error = store.put(Bucket::Production, &key(), "photo", "image/jpeg", &Tags::default()).await.unwrap_err();
    let is_named =
        matches!(&error, ObjectStoreError::Refused { status: 403, code, .. } if code == "SignatureDoesNotMatch");
    assert!(is_named, "{error:?}");
}

#[tokio::test]
async fn tags_that_stand_as_wanted_are_not_written_again() {
    let xml =
        "<?xml version=\"1.0\"?><Tagging><TagSet><Tag><Key>flagged</Key><Value>true</Value></Tag></TagSet></Tagging>";
    let store_in_trouble = faulty(Fault::Answers(answer("200 OK", xml))).await;
    let store = ObjectStore::connect(impatient(&store_in_trouble.endpoint)).await;
    let wanted = TagChanges::new().set("flagged", Some("true")).set("corrected_class", None);
    store.merge_tags(Bucket::Production, &key(), &wanted).await.unwrap();
    assert_eq!(*store_in_trouble.requests.lock().unwrap(), ["GET /production/class_03/photo.jpg?tagging HTTP/1.1"]);

    store.merge_tags(Bucket::Production, &key(), &wanted.set("flagged", Some("no"))).await.unwrap();
    assert_eq!(store_in_trouble.requests.lock().unwrap().len(), 3, "one more reading, one writing");
}

#[tokio::test]
async fn a_store_that_comes_back_is_used_again() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let store = ObjectStore::connect(impatient(&format!("http://{address}"))).await;
    assert!(store.check().await.unwrap_err().is_retryable());

    let folder = tempfile::TempDir::new().unwrap();
    let running = embedded_s3::EmbeddedS3::builder(folder.path())
        .credential(support::KEY, SECRET, embedded_s3::Access::ReadWrite)
        .start(TcpListener::bind(address).await.unwrap())
        .await
        .unwrap();
    store.ensure_buckets().await.unwrap();
    store.check().await.unwrap();
    running.shutdown().await;
    assert!(store.check().await.unwrap_err().is_retryable());
}
