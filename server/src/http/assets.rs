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
    let path = request.uri().path().trim_start_matches('/');
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Refusal::new(ProblemKind::MethodNotAllowed, "files can only be read").into_response();
    }
    let Some(plain) = Site::get(path) else {
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
        .find_map(|(name, suffix)| Some((*name, Site::get(&format!("{path}{suffix}"))?)));
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
