//! Pages and answers of the API are compressed on their way: a page of 60 photos from 151 to 17 kB.
//!
//! What is in an answer besides what its asker sent (a session's data, a feedback token) can leak through its length
//! once it is compressed (BREACH), to another site that makes a browser ask again and again with its cookies. Cookies are
//! `SameSite=Lax`, so only a navigation brings them from there; to such a request the answer goes as it is.

use axum::{
    extract::Request,
    http::{Extensions, HeaderMap, StatusCode, Version, header},
    middleware::Next,
    response::Response,
};
use tower_http::{
    CompressionLevel,
    compression::{CompressionLayer, Predicate, predicate::SizeAbove},
};

/// Below this an answer fits into the packet that its headers are in.
const FROM_BYTES: u16 = 860;

/// On an answer: another site caused the request.
#[derive(Clone, Copy)]
struct FromElsewhere;

/// Compresses what gains from it; files that lie compressed already, and photos, are left alone.
pub fn layer() -> CompressionLayer<impl Predicate> {
    // Level 4: within a hundredth of a second for the largest page, and most of what a higher level would save.
    CompressionLayer::new().quality(CompressionLevel::Precise(4)).compress_when(SizeAbove::new(FROM_BYTES).and(gains))
}

fn gains(_: StatusCode, _: Version, headers: &HeaderMap, extensions: &Extensions) -> bool {
    let is = |kind: &str| {
        headers
            .get(header::CONTENT_TYPE)
            .and_then(|found| found.to_str().ok())
            .is_some_and(|found| found.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(kind))
    };
    (is("text/html") || is("application/json")) && extensions.get::<FromElsewhere>().is_none()
}

/// Middleware within [`layer`]: notes which answers go to requests that another site caused.
pub async fn note_where_from(request: Request, next: Next) -> Response {
    let from_elsewhere = request
        .headers()
        .get("sec-fetch-site")
        .is_some_and(|site| site.as_bytes() != b"same-origin" && site.as_bytes() != b"none");
    let mut response = next.run(request).await;
    if from_elsewhere {
        response.extensions_mut().insert(FromElsewhere);
    }
    response
}
