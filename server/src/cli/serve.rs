//! `gourmetgram serve`: the service itself.

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::print;
use crate::{app::Application, config::Settings, telemetry};

/// Runs the service until SIGTERM or SIGINT.
pub async fn run(settings: Settings) -> anyhow::Result<()> {
    telemetry::start(&settings.log)?;
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
    print(&format!("GourmetGram at http://{}\n", application.address()?))?;
    application.run(stop).await
}
