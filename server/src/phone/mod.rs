//! `serve --phone`: the service for a phone on the same local network, with TLS, because browsers give camera and
//! service workers to secure pages only.
//!
//! No public authority vouches for an address like 192.168.1.20, so a local one does, made at the first start. A phone
//! has to be told once to trust it; the page that tells how is served without TLS, on a port where nothing else is.

mod authority;
mod network;
mod page;

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use anyhow::Context;
use axum::Router;
use qrcode::{QrCode, render::unicode::Dense1x2};
use tokio::net::TcpListener;
use url::Url;

pub use self::authority::Authority;
use self::network::Names;
use crate::{config::Settings, tls::Certificates};

/// How often we look whether this computer has got another address.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// What a phone needs of us.
pub struct Phones {
    authority: Authority,
    certificates: Arc<Certificates>,
    setup: TcpListener,
    names: Arc<RwLock<Names>>,
    made_at: SystemTime,
    /// The port with TLS.
    port: u16,
}

impl Phones {
    /// Makes or reads the authority, makes a certificate for this computer's present addresses, and binds the port of
    /// the page that hands the authority out. `port` is where the service itself listens.
    pub async fn open(settings: &Settings, port: u16) -> anyhow::Result<Self> {
        let listen = settings.phone.setup_listen;
        let setup = TcpListener::bind(listen).await.with_context(|| {
            format!("cannot listen on {listen}: is it in use? Set phone.setup_listen to another port")
        })?;
        let authority = Authority::read_or_make(&settings.data_dir.join("phone"))?;
        let names = network::names();
        let made_at = SystemTime::now();
        let certificates = Certificates::new(authority.vouch_for(&names, made_at)?)?;
        Ok(Self { authority, certificates, setup, names: Arc::new(RwLock::new(names)), made_at, port })
    }

    /// The certificate that is shown.
    pub fn certificates(&self) -> &Arc<Certificates> {
        &self.certificates
    }

    /// Where the service is for a phone.
    pub fn url(&self) -> anyhow::Result<Url> {
        let host = self.names.read().unwrap_or_else(PoisonError::into_inner).url_host();
        Url::parse(&format!("https://{host}:{}", self.port)).context("this computer's address is no part of a URL")
    }

    /// Where a phone learns how to trust us.
    pub fn setup_url(&self) -> anyhow::Result<Url> {
        let host = self.names.read().unwrap_or_else(PoisonError::into_inner).url_host();
        let port = self.setup.local_addr()?.port();
        Url::parse(&format!("http://{host}:{port}/phone")).context("this computer's address is no part of a URL")
    }

    /// What the terminal shows: both addresses, each as a code for the phone's camera. `colours` are for a terminal.
    pub fn invitation(&self, colours: bool) -> anyhow::Result<String> {
        let (url, setup) = (self.url()?, self.setup_url()?);
        let alone = if self.names.read().unwrap_or_else(PoisonError::into_inner).is_alone() {
            "This computer has no address on a local network: connect it to the phone's Wi-Fi.\n\n"
        } else {
            ""
        };
        Ok(format!(
            "{alone}1. Once for each phone, let it trust this computer: {setup}\n\n{}\n\
             The certificate's SHA-256 must be the one that page shows:\n{}\n\n\
             2. Then open GourmetGram on it: {url}\n\n{}\n",
            code(setup.as_str(), colours)?,
            self.authority.fingerprint(),
            code(url.as_str(), colours)?,
        ))
    }

    /// The listener of the page that hands out the authority, the page itself, and what keeps the certificate right
    /// for as long as it is polled.
    pub fn into_parts(self) -> anyhow::Result<(TcpListener, Router, impl Future<Output = ()> + Send)> {
        let router = page::router(&self.authority, Arc::clone(&self.names), self.port);
        let Self { authority, certificates, setup, names, mut made_at, .. } = self;
        let keep_right = async move {
            loop {
                tokio::time::sleep(LOOK_EVERY).await;
                let (now, current) = (SystemTime::now(), network::names());
                let is_same = *names.read().unwrap_or_else(PoisonError::into_inner) == current;
                if is_same && !authority::is_due(made_at, now) {
                    continue;
                }
                match authority.vouch_for(&current, now).and_then(|identity| certificates.replace(identity)) {
                    Ok(()) => tracing::info!("a new certificate for this computer's addresses is in use"),
                    Err(error) => {
                        tracing::warn!(error = format!("{error:#}"), "the old certificate stays in use");
                        continue;
                    }
                }
                made_at = now;
                *names.write().unwrap_or_else(PoisonError::into_inner) = current;
            }
        };
        Ok((setup, router, keep_right))
    }
}

/// A code for cameras, two rows of it a line, with the white margin that cameras need. In a terminal its colours are
/// set, because a code in light on dark is one that many cameras do not read.
fn code(text: &str, colours: bool) -> anyhow::Result<String> {
    let code = QrCode::new(text).context("the address does not fit a QR code")?;
    let mut drawing = code.render::<Dense1x2>();
    drawing.quiet_zone(true);
    if colours {
        let lines = drawing.dark_color(Dense1x2::Dark).light_color(Dense1x2::Light).build();
        return Ok(lines.lines().map(|line| format!("\x1b[38;5;16;48;5;231m{line}\x1b[0m\n")).collect());
    }
    // As plain text, on the dark background that most terminals have.
    Ok(drawing.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build() + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_margin_and_is_square() {
        for colours in [false, true] {
            let code = code("https://192.168.1.20:8443/", colours).unwrap();
            let lines: Vec<usize> = code
                .lines()
                .map(|line| {
                    let bare = line.trim_start_matches("\x1b[38;5;16;48;5;231m").trim_end_matches("\x1b[0m");
                    bare.chars().count()
                })
                .collect();
            let width = lines[0];
            assert!(lines.iter().all(|line| *line == width), "{lines:?}");
            // Two rows a line, four empty ones on each side.
            assert_eq!(lines.len(), width.div_ceil(2));
            assert!(width >= 21 + 8);
        }
    }
}
