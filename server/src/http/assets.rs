//! The front end's files, built into the binary: `target/site`, made by `frontend/build.sh`.

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::RustEmbed;

use super::Refusal;
use gourmetgram_api::ProblemKind;

#[derive(RustEmbed)]
#[folder = "../target/site/"]
#[allow_missing = true]
struct Site;

/// A worker takes its policy from its own script's answer, so a file may do what a page may, as far as it makes sense.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; style-src 'self'; \
                      img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// For what is named by its content.
pub const FOR_GOOD: &str = "public, max-age=31536000, immutable";

/// What makes the page open without a connection. It lies at the root, because what it may answer lies below it.
const SERVICE_WORKER: &str = "service-worker.js";

/// Encodings we may have beside a file, best first.
const ENCODINGS: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// The folder of this build's scripts and styles, `pkg/{hash}`; `None` where the front end was not built.
pub fn package_folder() -> Option<String> {
    Site::iter().find_map(|path| path.strip_suffix("/gourmetgram.css").map(str::to_owned))
}

/// Address of the script that loads the classifier for devices; `None` where the front end was not built.
pub fn device_script() -> Option<String> {
    Site::iter().find(|path| path.ends_with("/device.js")).map(|path| format!("/{path}"))
}

/// Whether there is such a file.
pub fn exists(path: &str) -> bool {
    !path.is_empty() && Site::get(path).is_some()
}

/// Serves a file, precompressed where the client takes that.
pub async fn serve(request: Request) -> Response {
    answer::<Site>(&request)
}

fn answer<Files: RustEmbed>(request: &Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Refusal::new(ProblemKind::MethodNotAllowed, "files can only be read").into_response();
    }
    let Some(plain) = Files::get(path) else {
        return Refusal::new(ProblemKind::NotFound, format!("there is nothing at /{path}")).into_response();
    };
    let etag = format!("\"{}\"", hex::encode(plain.metadata.sha256_hash()));
    let is_current =
        request.headers().get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == etag.as_bytes());
    // The folder's name is the hash of its content, so what is in it never changes.
    let caching = match path {
        path if path.starts_with("pkg/") => FOR_GOOD,
        // The one file that leads to all others of its version, so it is always asked for.
        SERVICE_WORKER => "no-cache",
        _ => "public, max-age=3600",
    };
    let kind = if path.ends_with(".wasm") { "application/wasm" } else { plain.metadata.mimetype() };

    let encoded = ENCODINGS
        .iter()
        .filter(|(name, _)| accepts(request.headers(), name))
        .find_map(|(name, suffix)| Some((*name, Files::get(&format!("{path}{suffix}"))?)));
    let (encoding, content) = match encoded {
        Some((name, file)) => (Some(name), file.data),
        None => (None, plain.data),
    };
    let mut response = if is_current {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(Body::from(content.into_owned()))
    };
    let headers = response.headers_mut();
    for (name, value) in [(header::ETAG, etag.as_str()), (header::CACHE_CONTROL, caching), (header::CONTENT_TYPE, kind)]
    {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding
        && !is_current
    {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

/// Whether a client takes this encoding.
pub fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').any(|offer| {
            let (name, quality) = offer.split_once(';').unwrap_or((offer, ""));
            name.trim() == encoding && quality.trim().replace(' ', "") != "q=0"
        })
    })
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    /// Files as a release has them.
    #[derive(RustEmbed)]
    #[folder = "tests/site/"]
    struct Made;

    const SCRIPT: &str = "pkg/0123456789abcdef/page.js";

    fn asked_for(path: &str, headers: &[(header::HeaderName, &str)]) -> Response {
        let mut request = Request::builder().uri(format!("/{path}"));
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        answer::<Made>(&request.body(Body::empty()).unwrap())
    }

    #[tokio::test]
    async fn a_file_is_sent_as_it_was_compressed_beforehand_and_is_kept_for_good() {
        for (accepted, encoding, suffix) in [
            ("gzip, deflate, br", Some("br"), ".br"),
            ("gzip", Some("gzip"), ".gz"),
            ("br;q=0, gzip", Some("gzip"), ".gz"),
            ("identity", None, ""),
        ] {
            let sent = asked_for(SCRIPT, &[(header::ACCEPT_ENCODING, accepted)]);
            assert_eq!(sent.status(), 200);
            let said = |name| sent.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            assert_eq!(said(header::CONTENT_ENCODING).as_deref(), encoding, "{accepted}");
            assert_eq!(said(header::CONTENT_TYPE).as_deref(), Some("text/javascript"));
            assert_eq!(said(header::CACHE_CONTROL).as_deref(), Some("public, max-age=31536000, immutable"));
            assert_eq!(said(header::VARY).as_deref(), Some("accept-encoding"));
            let expected = Made::get(&format!("{SCRIPT}{suffix}")).unwrap().data;
            assert_eq!(to_bytes(sent.into_body(), usize::MAX).await.unwrap(), *expected, "{accepted}");
        }
    }

    #[tokio::test]
    async fn a_file_that_gains_nothing_from_it_is_sent_as_it_is() {
        let sent = asked_for("pkg/0123456789abcdef/picture.webp", &[(header::ACCEPT_ENCODING, "br")]);
        assert!(sent.headers().get(header::CONTENT_ENCODING).is_none());
        assert_eq!(sent.headers()[header::CONTENT_TYPE], "image/webp");
        assert!(!to_bytes(sent.into_body(), usize::MAX).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn what_a_browser_has_already_is_not_sent_again_and_the_service_worker_is_always_asked_for() {
        let first = asked_for("service-worker.js", &[(header::ACCEPT_ENCODING, "br")]);
        assert_eq!(first.headers()[header::CACHE_CONTROL], "no-cache");
        let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
        let again = asked_for("service-worker.js", &[(header::IF_NONE_MATCH, &tag)]);
        assert_eq!(again.status(), 304);
        assert!(to_bytes(again.into_body(), usize::MAX).await.unwrap().is_empty());
        assert_eq!(asked_for("pkg/0123456789abcdef/none.js", &[]).status(), 404);
    }
}
