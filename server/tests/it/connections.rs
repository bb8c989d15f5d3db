//! Peers that keep a connection without using it, or fill it without end.

use std::time::Duration;

use tokio::{io::AsyncWriteExt, net::TcpSocket};

use crate::{
    support::{Database, TestApp, a_photo, eventually},
    wire::{body_of_upload, connect, head_of_answer, head_of_upload, send, until_closed},
};

const REQUEST: &[u8] = b"GET /livez HTTP/1.1\r\nhost: food.example\r\n\r\n";

/// A server with little patience.
async fn impatient() -> TestApp {
    TestApp::start_with(Database::Sqlite, |settings| {
        settings.limits.head_seconds = 1;
        settings.limits.progress_seconds = 1;
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_does_not_end_ends_the_connection() {
    let test = impatient().await;
    let mut silent = connect(&test).await;
    let mut endless = connect(&test).await;
    send(&mut endless, b"GET / HTTP/1.1\r\nhost: food.example\r\nx-a: ").await;
    let (mut reading, mut writing) = endless.into_split();
    let trickle = tokio::spawn(async move {
        while writing.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    until_closed(&mut silent).await;
    let answer = until_closed(&mut reading).await;
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    trickle.await.unwrap();
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_is_closed() {
    let test = impatient().await;
    let mut stream = connect(&test).await;
    send(&mut stream, REQUEST).await;
    assert!(head_of_answer(&mut stream).await.starts_with("HTTP/1.1 200"));
    until_closed(&mut stream).await;
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_trickles_is_told_so_and_nothing_is_kept() {
    let test = impatient().await;
    for path in ["upload", "predict"] {
        let stream = connect(&test).await;
        let (mut reading, mut writing) = stream.into_split();
        let head = match path {
            "upload" => head_of_upload(1_000_000),
            _ => b"POST /predict HTTP/1.1\r\nhost: food.example\r\ncontent-length: 1000000\r\n\r\n".to_vec(),
        };
        send(&mut writing, &head).await;
        let photo = body_of_upload(&a_photo(1));
        let trickle = tokio::spawn(async move {
            for byte in photo {
                if writing.write_all(&[byte]).await.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        let answer = until_closed(&mut reading).await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{path}: {answer}");
        assert!(answer.contains("\"type\":\"timeout\"") && answer.contains("stopped coming"), "{answer}");
        trickle.abort();
    }
    assert_eq!(std::fs::read_dir(test.data.path().join("spool")).unwrap().count(), 0);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_but_steady_upload_succeeds() {
    let test = TestApp::start_with(Database::Sqlite, |settings| {
        settings.limits.head_seconds = 1;
        settings.limits.progress_seconds = 1;
        settings.server.request_timeout_seconds = 1;
    })
    .await;
    // Longer than a request may take, and than several windows in which something must come.
    let mut photo = a_photo(1);
    photo.resize(60_000, 0);
    let body = body_of_upload(&photo);
    let mut stream = connect(&test).await;
    send(&mut stream, &head_of_upload(body.len())).await;
    for piece in body.chunks(1500) {
        stream.write_all(piece).await.unwrap();
        tokio::time::sleep(Duration::from_millis(80)).await;
    }
    let answer = head_of_answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_headers_is_refused() {
    let test = TestApp::start(Database::Sqlite).await;
    let many = (0..200).map(|number| format!("x-{number}: 1\r\n")).collect::<String>();
    let large = format!("x-large: {}\r\n", "a".repeat(64 * 1024));
    let cookies = "cookie: a=1\r\n".repeat(500);
    for headers in [many, large, cookies] {
        let mut stream = connect(&test).await;
        send(&mut stream, format!("GET / HTTP/1.1\r\nhost: food.example\r\n{headers}\r\n").as_bytes()).await;
        let answer = until_closed(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    // What browsers send passes.
    let usual = (0..30).map(|number| format!("x-{number}: {}\r\n", "a".repeat(100))).collect::<String>();
    let mut stream = connect(&test).await;
    send(&mut stream, format!("GET /livez HTTP/1.1\r\nhost: food.example\r\n{usual}\r\n").as_bytes()).await;
    assert!(head_of_answer(&mut stream).await.starts_with("HTTP/1.1 200"));
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_has_only_so_many_connections_at_once() {
    let test = TestApp::start_with(Database::Sqlite, |settings| settings.limits.connections_per_client = 3).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(&test).await;
        send(&mut stream, REQUEST).await;
        assert!(head_of_answer(&mut stream).await.starts_with("HTTP/1.1 200"));
        held.push(stream);
    }
    let mut refused = connect(&test).await;
    send(&mut refused, REQUEST).await;
    let answer = until_closed(&mut refused).await;
    assert!(answer.starts_with("HTTP/1.1 429") && answer.contains("retry-after: 5"), "{answer}");
    assert!(answer.contains("\"type\":\"rate-limited\""), "{answer}");

    held.pop();
    eventually("a place is free again", async || {
        let mut stream = connect(&test).await;
        send(&mut stream, b"GET /livez HTTP/1.1\r\nhost: food.example\r\nconnection: close\r\n\r\n").await;
        until_closed(&mut stream).await.starts_with("HTTP/1.1 200")
    })
    .await;
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_limit_of_all_wait_for_a_place() {
    let test = TestApp::start_with(Database::Sqlite, |settings| {
        settings.limits.connections = 2;
        settings.limits.connections_per_client = 0;
        settings.limits.head_seconds = 1;
    })
    .await;
    let silent = [connect(&test).await, connect(&test).await];
    let mut waiting = connect(&test).await;
    send(&mut waiting, REQUEST).await;
    // The silent ones are put out when they have sent no head in time.
    assert!(head_of_answer(&mut waiting).await.starts_with("HTTP/1.1 200"));
    drop(silent);
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_nobody_takes_is_given_up() {
    let test = TestApp::start_with(Database::Sqlite, |settings| {
        settings.limits.progress_seconds = 1;
        settings.limits.connections = 1;
    })
    .await;
    // More than the buffers of the sockets hold: the request for it is sent thousands of times on one connection.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let address = test.url.strip_prefix("http://").unwrap().parse().unwrap();
    let greedy = socket.connect(address).await.unwrap();
    let (reading, mut writing) = greedy.into_split();
    let asking = tokio::spawn(async move {
        let question = b"GET /api/openapi.json HTTP/1.1\r\nhost: food.example\r\n\r\n".repeat(100);
        while writing.write_all(&question).await.is_ok() {}
    });
    // There is one place; it is free again once the server has given up.
    let mut next = connect(&test).await;
    send(&mut next, REQUEST).await;
    assert!(head_of_answer(&mut next).await.starts_with("HTTP/1.1 200"));
    asking.await.unwrap();
    drop((reading, next));
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_under_way_ends_well_when_the_server_stops() {
    let test = TestApp::start_with(Database::Sqlite, |settings| settings.server.shutdown_grace_seconds = 20).await;
    let mut stream = connect(&test).await;
    let body = body_of_upload(&a_photo(1));
    let (first, rest) = body.split_at(200);
    send(&mut stream, &head_of_upload(body.len())).await;
    send(&mut stream, first).await;
    // The upload is being read, once the server has taken the connection.
    eventually("the request has begun", async || {
        let metrics = test.get("/metrics").send().await.unwrap().text().await.unwrap();
        metrics.lines().any(|line| {
            line.starts_with("axum_http_requests_pending") && line.contains("predictions") && !line.ends_with(" 0")
        })
    })
    .await;
    let url = test.url.clone();
    let stopping = tokio::spawn(test.stop());
    eventually("nobody else is let in", async || reqwest::get(format!("{url}/livez")).await.is_err()).await;
    send(&mut stream, rest).await;
    assert!(head_of_answer(&mut stream).await.starts_with("HTTP/1.1 201"));
    stopping.await.unwrap();
}
