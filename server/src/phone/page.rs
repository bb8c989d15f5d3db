//! The page that tells a phone how to trust this computer, and the certificate in the forms phones take. It is served
//! without TLS, so nothing else is here: no photo, no cookie, no form.

use std::sync::{Arc, PoisonError, RwLock};

use axum::{
    Router,
    http::{HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Authority, network::Names};
use crate::http::add_protecting_headers;

const PAGE: &str = include_str!("page.html");
const TOKENS: &str = include_str!("../../../style/tokens.css");
const STYLE: &str = include_str!("page.css");
const PROFILE: &str = include_str!("profile.mobileconfig");

/// Where the certificate is, as Android takes it, as programs do, and as iOS does.
const DER: &str = "/gourmetgram-ca.crt";
const PEM: &str = "/gourmetgram-ca.pem";
const IOS: &str = "/gourmetgram-ca.mobileconfig";

/// The page at `/phone` (and at `/`, which people type), and the three files.
pub fn router(authority: &Authority, names: Arc<RwLock<Names>>, port: u16) -> Router {
    let der = authority.certificate().to_vec();
    let encoded = STANDARD.encode(&der);
    let lines: Vec<&str> = (0..encoded.len()).step_by(64).map(|at| &encoded[at..encoded.len().min(at + 64)]).collect();
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"));
    let profile = profile(&der, &encoded);
    let style = format!("{TOKENS}\n{STYLE}");
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        STANDARD.encode(Sha256::digest(&style))
    );
    let page = PAGE.replace("{style}", &style).replace("{fingerprint}", &authority.fingerprint());
    let show = move || {
        let host = names.read().unwrap_or_else(PoisonError::into_inner).url_host();
        let page = page.replace("{address}", &format!("https://{host}:{port}/"));
        let headers = [
            (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
            (header::CONTENT_SECURITY_POLICY, policy.clone()),
            (header::CACHE_CONTROL, "no-store".to_owned()),
        ];
        async move { (headers, page) }
    };
    Router::new()
        .route("/", get(show.clone()))
        .route("/phone", get(show))
        .route(DER, get(file("application/x-x509-ca-cert", "gourmetgram-ca.crt", der)))
        .route(PEM, get(file("application/x-pem-file", "gourmetgram-ca.pem", pem.into_bytes())))
        .route(IOS, get(file("application/x-apple-aspen-config", "gourmetgram-ca.mobileconfig", profile.into_bytes())))
        .fallback(nothing_else)
        .method_not_allowed_fallback(nothing_else)
        .layer(middleware::map_response(async |mut response: Response| {
            add_protecting_headers(&mut response);
            response
        }))
}

async fn nothing_else() -> Response {
    (StatusCode::NOT_FOUND, "Here is only the page /phone. GourmetGram itself is at the https address it names.\n")
        .into_response()
}

type Headers = [(header::HeaderName, HeaderValue); 2];

fn file(
    kind: &'static str,
    name: &'static str,
    content: Vec<u8>,
) -> impl Fn() -> std::future::Ready<(Headers, Vec<u8>)> + Clone + Send + Sync + 'static {
    let save_as = HeaderValue::from_str(&format!("attachment; filename={name}"));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, save_as.unwrap_or(HeaderValue::from_static("attachment"))),
    ];
    move || std::future::ready((headers.clone(), content.clone()))
}

/// A configuration profile that holds the certificate. Its ids are the certificate's own, so that installing it twice
/// is installing it once.
fn profile(der: &[u8], encoded: &str) -> String {
    let hash: [u8; 32] = Sha256::digest(der).into();
    let id = |from: usize| {
        let bytes = hash[from..].first_chunk::<16>().copied().unwrap_or_default();
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    };
    let (outer, inner): (Uuid, Uuid) = (id(0), id(16));
    PROFILE
        .replace("{certificate}", encoded)
        .replace("{outer}", &outer.hyphenated().to_string().to_uppercase())
        .replace("{inner}", &inner.hyphenated().to_string().to_uppercase())
}
