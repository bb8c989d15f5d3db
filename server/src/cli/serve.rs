//! `gourmetgram serve`: the service itself.

use std::io::{self, IsTerminal};

use anyhow::Context;
use secrecy::ExposeSecret;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::print;
use crate::{app::Application, config::Settings, operator_link, telemetry};

/// Runs the service until SIGTERM or SIGINT, for phones on the local network if asked to.
pub async fn run(settings: Settings, for_phones: bool) -> anyhow::Result<()> {
    telemetry::start(&settings.log)?;
    let application = match for_phones {
        true => Application::build_for_phones(settings).await?,
        false => Application::build(settings).await?,
    };
    let stop = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    let on_signal = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        on_signal.cancel();
    });
    if let Some(s3) = application.embedded_s3_address() {
        print(&format!("embedded S3 at http://{s3} (keys in s3-credentials.toml in the data directory)\n"))?;
    }
    if let Some(link) = application.operator_link() {
        // The application's settings, not the file's: for phones the address people use is found at start.
        let settings = application.app().settings();
        let url = link.url(&settings.server.address_for_people(application.address()?))?;
        let file = operator_link::write_file(&settings.data_dir, &url)?;
        // What is not a terminal may be a log that others read and that is kept.
        let shown =
            if io::stdout().is_terminal() { url.expose_secret().to_owned() } else { format!("see {}", file.display()) };
        print(&format!("One-time operator link, good for 15 minutes: {shown}\n"))?;
    }
    if let Some(phones) = application.phones() {
        print(&phones.invitation(io::stdout().is_terminal())?)?;
    }
    print(&format!("GourmetGram at {}\n", application.url()?))?;
    application.run(stop).await
}
