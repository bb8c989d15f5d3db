//! Requests as bytes on a socket, where a client library would be too well-behaved.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::TestApp;

/// Longer than any limit that a test sets, shorter than a test may hang.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to the application.
pub async fn connect(test: &TestApp) -> TcpStream {
    TcpStream::connect(test.url.strip_prefix("http://").unwrap()).await.unwrap()
}

/// Sends bytes; that the other side has closed already is no matter here.
pub async fn send(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) {
    let _ = stream.write_all(bytes).await;
    let _ = stream.flush().await;
}

/// Everything that still comes until the other side closes the connection, which it must.
pub async fn until_closed(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    let reading = async {
        // A reset is an end as well.
        while let Ok(count @ 1..) = stream.read(&mut chunk).await {
            bytes.extend_from_slice(&chunk[..count]);
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("the server keeps the connection open");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The status and headers of the next answer, which must come.
pub async fn head_of_answer(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    let reading = async {
        while !bytes.ends_with(b"\r\n\r\n") {
            bytes.push(stream.read_u8().await.expect("the connection ends before the answer does"));
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("no answer");
    String::from_utf8(bytes).unwrap()
}

/// The head of a request with a multipart body of so many bytes.
pub fn head_of_upload(length: usize) -> Vec<u8> {
    format!(
        "POST /api/v1/predictions HTTP/1.1\r\nhost: food.example\r\n\
         content-type: multipart/form-data; boundary=edge\r\ncontent-length: {length}\r\n\r\n"
    )
    .into_bytes()
}

/// A multipart body with a photo.
pub fn body_of_upload(photo: &[u8]) -> Vec<u8> {
    let begin = b"--edge\r\ncontent-disposition: form-data; name=\"image\"; filename=\"a\"\r\n\r\n";
    [begin, photo, b"\r\n--edge--\r\n"].concat()
}
