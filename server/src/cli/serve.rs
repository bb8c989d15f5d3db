//! `gourmetgram serve`: the service itself.

use std::io::{self, IsTerminal};

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::print;
use crate::{app::Application, config::Settings, telemetry};

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
    if let Some(phones) = application.phones() {
        print(&phones.invitation(io::stdout().is_terminal())?)?;
    }
    print(&format!("GourmetGram at {}\n", application.url()?))?;
    application.run(stop).await
}
