//! `gourmetgram serve`: the service itself.

use std::io::{self, IsTerminal};

use anyhow::Context;
use secrecy::ExposeSecret;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::print;
use crate::{app::Application, config::Settings, operator_link, telemetry};

/// Runs the service until SIGTERM or SIGINT.
pub async fn run(settings: Settings) -> anyhow::Result<()> {
    telemetry::start(&settings.log)?;
    let (data_dir, server) = (settings.data_dir.clone(), settings.server.clone());
    let application = Application::build(settings).await?;
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
    let address = application.address()?;
    if let Some(link) = application.operator_link() {
        let url = link.url(&server.address_for_people(address))?;
        let file = operator_link::write_file(&data_dir, &url)?;
        // What is not a terminal may be a log that others read and that is kept.
        let shown =
            if io::stdout().is_terminal() { url.expose_secret().to_owned() } else { format!("see {}", file.display()) };
        print(&format!("One-time operator link, good for 15 minutes: {shown}\n"))?;
    }
    print(&format!("GourmetGram at http://{address}\n"))?;
    application.run(stop).await
}
