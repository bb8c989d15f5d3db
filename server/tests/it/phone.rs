//! `serve --phone`: TLS for the local network, and the one page without it.

use gourmetgram::{app::Application, config::Settings};
use reqwest::Method;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    support::client,
    tls::{connect, get},
};

struct ForPhones {
    /// With TLS.
    address: String,
    /// Without.
    setup: String,
    invitation: String,
    data: TempDir,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl ForPhones {
    async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut settings = Settings { data_dir: data.path().to_owned(), ..Settings::default() };
        settings.phone.listen = "127.0.0.1:0".parse().unwrap();
        settings.phone.setup_listen = "127.0.0.1:0".parse().unwrap();
        settings.embedded_s3.listen.set_port(0);
        settings.server.shutdown_grace_seconds = 2;
        let application = Application::build_for_phones(settings).await.unwrap();
        let phones = application.phones().unwrap();
        let setup = format!("127.0.0.1:{}", phones.setup_url().unwrap().port().unwrap());
        let invitation = phones.invitation(false).unwrap();
        let address = application.address().unwrap().to_string();
        assert!(application.url().unwrap().starts_with("https://"));
        let stop = CancellationToken::new();
        let until = stop.clone();
        let running = tokio::spawn(async move { application.run(until).await.unwrap() });
        Self { address, setup, invitation, data, stop, running }
    }

    async fn authority(&self) -> CertificateDer<'static> {
        let pem = client().get(format!("http://{}/gourmetgram-ca.pem", self.setup)).send().await.unwrap();
        CertificateDer::from_pem_slice(&pem.bytes().await.unwrap()).unwrap()
    }

    async fn stop(self) {
        self.stop.cancel();
        self.running.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_trusts_this_computers_authority_gets_the_page_over_tls() {
    let server = ForPhones::start().await;
    let authority = server.authority().await;
    for name in ["127.0.0.1", "localhost"] {
        let mut stream = connect(&server.address, name, authority.clone()).await.unwrap();
        let page = get(&mut stream, "/").await.to_lowercase();
        assert!(page.starts_with("http/1.1 200"), "{page}");
        assert!(page.contains("; secure"), "cookies are for TLS only");
        // The browser must not insist on TLS for the page that comes without it.
        assert!(!page.contains("strict-transport-security"), "{page}");
    }
    let other = ForPhones::start().await;
    assert!(connect(&server.address, "localhost", other.authority().await).await.is_err());
    assert!(connect(&server.address, "bank.example", authority).await.is_err());
    other.stop().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tls_there_is_the_certificate_and_how_to_install_it_and_nothing_else() {
    let server = ForPhones::start().await;
    let at = |path: &str| format!("http://{}{path}", server.setup);
    let client = client();
    for path in ["/", "/phone"] {
        let page = client.get(at(path)).send().await.unwrap();
        assert_eq!(page.status(), 200);
        assert!(!page.headers().contains_key("set-cookie"));
        let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("script"), "{policy}");
        assert_eq!(page.headers()["x-content-type-options"], "nosniff");
        let text = page.text().await.unwrap();
        for word in ["Certificate Trust Settings", "CA certificate", "https://", "gourmetgram-ca.mobileconfig"] {
            assert!(text.contains(word), "{word}");
        }
        assert!(!text.contains('{') || text.contains("<style>"), "a placeholder is left");
        for placeholder in ["{address}", "{fingerprint}", "{style}"] {
            assert!(!text.contains(placeholder), "{placeholder}");
        }
        // What the page says of the certificate is what the terminal says.
        let fingerprint = server.invitation.lines().find(|line| line.split(':').count() == 32).unwrap();
        assert!(text.contains(fingerprint));
    }
    let der = server.authority().await;
    let file = client.get(at("/gourmetgram-ca.crt")).send().await.unwrap();
    assert_eq!(file.headers()["content-type"], "application/x-x509-ca-cert");
    assert_eq!(file.bytes().await.unwrap(), der.as_ref());
    let profile = client.get(at("/gourmetgram-ca.mobileconfig")).send().await.unwrap();
    assert_eq!(profile.headers()["content-type"], "application/x-apple-aspen-config");
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &der);
    assert!(profile.text().await.unwrap().contains(&format!("<data>{encoded}</data>")));

    for path in [
        "/api/v1/predictions",
        "/livez",
        "/readyz",
        "/metrics",
        "/photos",
        "/predict",
        "/login",
        "/gourmetgram-ca.key",
        "/ca.key",
        "/phone/ca.key",
        "/..%2fphone/ca.key",
        "/pkg/",
        "/api/openapi.json",
    ] {
        for method in [Method::GET, Method::POST] {
            let answer = client.request(method.clone(), at(path)).send().await.unwrap();
            assert_eq!(answer.status(), 404, "{method} {path}");
        }
    }
    assert_eq!(client.post(at("/phone")).send().await.unwrap().status(), 404);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_terminal_shows_both_addresses_and_the_authority_is_kept() {
    let server = ForPhones::start().await;
    let port = server.address.rsplit(':').next().unwrap().to_owned();
    assert!(server.invitation.contains(&format!(":{port}")), "{}", server.invitation);
    assert!(server.invitation.contains("/phone"), "{}", server.invitation);
    // Light on dark, as the text is, and with half as many lines as dots.
    let blocks: Vec<&str> = server.invitation.split("\n\n").filter(|part| part.contains('█')).collect();
    let read: Vec<String> = blocks.iter().map(|block| read_code(block)).collect();
    let addresses = server.invitation.lines().filter_map(|line| line.split_once(": ").map(|(_, address)| address));
    assert_eq!(read, addresses.filter(|address| address.starts_with("http")).collect::<Vec<_>>());
    let authority = server.authority().await;
    let kept = std::fs::read(server.data.path().join("phone/ca.pem")).unwrap();
    assert_eq!(CertificateDer::from_pem_slice(&kept).unwrap(), authority);
    server.stop().await;
}

/// What a camera reads in a code made of half blocks.
fn read_code(block: &str) -> String {
    const SIDE: usize = 4;
    let lines: Vec<Vec<char>> = block.lines().map(|line| line.chars().collect()).collect();
    let width = lines.iter().map(Vec::len).max().unwrap();
    let is_lit = |x: usize, y: usize| match lines[y / 2].get(x) {
        Some('█') => true,
        Some('▀') => y.is_multiple_of(2),
        Some('▄') => !y.is_multiple_of(2),
        _ => false,
    };
    let dots = |x: usize, y: usize| if is_lit(x / SIDE, y / SIDE) { 255 } else { 0 };
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width * SIDE, lines.len() * 2 * SIDE, dots);
    let found = picture.detect_grids();
    assert_eq!(found.len(), 1, "{block}");
    found[0].decode().unwrap().1
}
