//! What is compressed on its way, and what is not.

use std::io::Read;

use reqwest::{RequestBuilder, Response};

use crate::support::{Browser, Database, TestApp, a_photo};

async fn asked(request: RequestBuilder, encodings: &str) -> Response {
    let answer = request.header("accept-encoding", encodings).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer
}

fn encoding(answer: &Response) -> Option<&str> {
    answer.headers().get("content-encoding").map(|encoding| encoding.to_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_answers_of_the_api_are_compressed_as_the_client_takes_them() {
    let test = TestApp::start(Database::Sqlite).await;
    let ann = Browser::open(&test).await;
    ann.upload(a_photo(1)).await;
    for (path, contains) in [("/", "What’s on your plate?"), ("/api/openapi.json", "\"openapi\"")] {
        let plain = asked(ann.get(path), "identity").await;
        assert_eq!(encoding(&plain), None, "{path}");
        let plain = plain.bytes().await.unwrap();
        let brotlied = asked(ann.get(path), "br, gzip").await;
        assert_eq!(encoding(&brotlied), Some("br"), "{path}");
        assert!(brotlied.headers()["vary"].to_str().unwrap().to_ascii_lowercase().contains("accept-encoding"));
        assert!(!brotlied.headers().contains_key("content-length"));
        let zipped = asked(ann.get(path), "gzip").await;
        assert_eq!(encoding(&zipped), Some("gzip"), "{path}");

        let (mut from_brotli, mut from_gzip) = (Vec::new(), Vec::new());
        let (brotlied, zipped) = (brotlied.bytes().await.unwrap(), zipped.bytes().await.unwrap());
        brotli::BrotliDecompress(&mut &*brotlied, &mut from_brotli).unwrap();
        flate2::read::GzDecoder::new(&*zipped).read_to_end(&mut from_gzip).unwrap();
        for (name, size, content) in [("br", brotlied.len(), from_brotli), ("gzip", zipped.len(), from_gzip)] {
            assert!(String::from_utf8(content).unwrap().contains(contains), "{path} as {name}");
            assert!(size * 2 < plain.len(), "{path} as {name}: {size} of {}", plain.len());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_and_short_answers_go_as_they_are() {
    let test = TestApp::start(Database::Sqlite).await;
    let ann = Browser::open(&test).await;
    let new = ann.upload(a_photo(1)).await;
    let photo = asked(ann.get(&format!("/api/v1/predictions/{}/thumbnail?size=256", new.id)), "br, gzip").await;
    assert_eq!(encoding(&photo), None);
    assert!(photo.headers().contains_key("content-length"));
    assert_eq!(encoding(&asked(ann.get("/livez"), "br, gzip").await), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_site_asks_for_has_a_length_that_tells_it_nothing() {
    let test = TestApp::start(Database::Sqlite).await;
    let ann = Browser::open(&test).await;
    for (site, expected) in
        [("cross-site", None), ("same-site", None), ("same-origin", Some("br")), ("none", Some("br"))]
    {
        let answer = asked(ann.get("/?a=guess").header("sec-fetch-site", site), "br").await;
        assert_eq!(encoding(&answer), expected, "{site}");
    }
}
