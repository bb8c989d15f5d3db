//! The server with a certificate of its own.

use std::{path::Path, sync::Arc};

use gourmetgram::config::Tls;
use rcgen::{CertificateParams, KeyPair};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, ServerName},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    support::{Database, TestApp, eventually},
    wire::{send, until_closed},
};

/// Connects to `address` as to `name`, trusting this certificate or authority only.
pub async fn connect(
    address: &str,
    name: &str,
    trusted: CertificateDer<'static>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, TcpStream::connect(address).await?).await
}

/// The answer to a GET, head and body.
pub async fn get(stream: &mut TlsStream<TcpStream>, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: food.example\r\nconnection: close\r\n\r\n");
    send(stream, request.as_bytes()).await;
    until_closed(stream).await
}

/// Writes a new certificate for `localhost` that vouches for itself.
fn write_certificate(files: &Tls) -> CertificateDer<'static> {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(&files.key, key.serialize_pem()).unwrap();
    std::fs::write(&files.certificate, certificate.pem()).unwrap();
    certificate.der().clone()
}

fn files_in(folder: &Path) -> Tls {
    Tls { certificate: folder.join("certificate.pem"), key: folder.join("key.pem") }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_certificate_of_its_own_everything_is_tls() {
    let folder = tempfile::tempdir().unwrap();
    let files = files_in(folder.path());
    let certificate = write_certificate(&files);
    let test = TestApp::start_with(Database::Sqlite, |settings| settings.server.tls = Some(files.clone())).await;
    let address = test.url.split_once("://").unwrap().1.to_owned();

    let mut stream = connect(&address, "localhost", certificate.clone()).await.unwrap();
    let page = get(&mut stream, "/").await.to_lowercase();
    assert!(page.starts_with("http/1.1 200"), "{page}");
    assert!(page.contains("strict-transport-security: max-age=63072000"), "{page}");
    let cookie = page.lines().find(|line| line.starts_with("set-cookie: ")).unwrap();
    assert!(cookie.contains("; secure") && cookie.contains("; httponly"), "{cookie}");

    let mut plain = TcpStream::connect(&address).await.unwrap();
    send(&mut plain, b"GET / HTTP/1.1\r\nhost: food.example\r\n\r\n").await;
    assert!(!until_closed(&mut plain).await.contains("HTTP/1.1 200"));
    assert!(connect(&address, "elsewhere.example", certificate).await.is_err());

    // A renewed certificate is taken without a restart.
    let renewed = write_certificate(&files);
    eventually("the new certificate is shown", async || connect(&address, "localhost", renewed.clone()).await.is_ok())
        .await;
    // One that cannot be used is not.
    std::fs::write(&files.key, "no key").unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(6)).await;
    connect(&address, "localhost", renewed).await.unwrap();
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_does_not_end_holds_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let files = files_in(folder.path());
    let certificate = write_certificate(&files);
    let test = TestApp::start_with(Database::Sqlite, |settings| {
        settings.server.tls = Some(files);
        settings.limits.head_seconds = 1;
    })
    .await;
    let address = test.url.split_once("://").unwrap().1.to_owned();
    let mut silent = TcpStream::connect(&address).await.unwrap();
    let mut stream = connect(&address, "localhost", certificate).await.unwrap();
    assert!(get(&mut stream, "/livez").await.starts_with("HTTP/1.1 200"));
    until_closed(&mut silent).await;
    test.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_without_its_key_is_told_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let files = files_in(folder.path());
    write_certificate(&files);
    std::fs::write(&files.key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let mut settings = gourmetgram::config::Settings { data_dir: folder.path().join("data"), ..Default::default() };
    settings.server.listen.set_port(0);
    settings.embedded_s3.listen.set_port(0);
    settings.server.tls = Some(files);
    let error = format!("{:#}", gourmetgram::app::Application::build(settings).await.err().unwrap());
    assert!(error.contains("do they belong together?"), "{error}");
}
