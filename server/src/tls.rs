//! TLS: the certificate we show, exchanged for a new one without a restart.

use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use anyhow::Context;
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio_rustls::TlsAcceptor;

use crate::config::Tls;

/// How often files are looked at for a new certificate.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// A certificate with those that lead to its authority, and its key.
pub struct Identity {
    /// The certificate itself comes first.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its key.
    pub key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Reads the files that settings name.
    pub fn read(files: &Tls) -> anyhow::Result<Self> {
        let certificate = &files.certificate;
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .with_context(|| format!("cannot read server.tls.certificate {}", certificate.display()))?;
        anyhow::ensure!(!chain.is_empty(), "server.tls.certificate {} holds no certificate", certificate.display());
        let key = PrivateKeyDer::from_pem_file(&files.key)
            .with_context(|| format!("cannot read server.tls.key {}", files.key.display()))?;
        Ok(Self { chain, key })
    }

    fn into_certified_key(self) -> anyhow::Result<Arc<CertifiedKey>> {
        let certified = CertifiedKey::from_der(self.chain, self.key, &provider())
            .context("the TLS certificate cannot be used with its key: do they belong together?")?;
        Ok(Arc::new(certified))
    }
}

/// The certificate we show at the moment.
#[derive(Debug)]
pub struct Certificates {
    current: RwLock<Arc<CertifiedKey>>,
}

impl Certificates {
    /// Shows this one.
    pub fn new(identity: Identity) -> anyhow::Result<Arc<Self>> {
        Ok(Arc::new(Self { current: RwLock::new(identity.into_certified_key()?) }))
    }

    /// Shows another one from now on; connections that are there stay as they are.
    pub fn replace(&self, identity: Identity) -> anyhow::Result<()> {
        let certified = identity.into_certified_key()?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = certified;
        Ok(())
    }

    /// Takes connections with it: TLS 1.3 and 1.2, HTTP/1.1.
    pub fn acceptor(self: &Arc<Self>) -> anyhow::Result<TlsAcceptor> {
        let mut config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .context("cannot set up TLS")?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// The one that the rest of the program's TLS uses too.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Shows the files' new certificate once they change, for as long as it is polled. One that cannot be used is logged,
/// and the old one stays: whoever renews it may be in the middle of writing.
pub async fn follow_files(certificates: Arc<Certificates>, files: Tls) {
    let changed = |files: &Tls| (changed_at(&files.certificate), changed_at(&files.key));
    let mut seen = changed(&files);
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = changed(&files);
        if now == seen {
            continue;
        }
        seen = now;
        match Identity::read(&files).and_then(|identity| certificates.replace(identity)) {
            Ok(()) => tracing::info!("the TLS certificate has changed; the new one is in use"),
            Err(error) => tracing::warn!(error = format!("{error:#}"), "the old TLS certificate stays in use"),
        }
    }
}

fn changed_at(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|metadata| metadata.modified()).ok()
}
