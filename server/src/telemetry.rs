//! Logs: lines for people, or JSON for machines. No secret is ever passed to them.

use std::io::IsTerminal;

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Starts logging to standard error. Once a process.
pub fn start(settings: &Log) -> anyhow::Result<()> {
    // These two open spans that hold whole requests, signatures included: shown from level warn, whatever is asked for.
    let filter = EnvFilter::builder()
        .parse(format!("{},s3s=warn,s3s_fs=warn", settings.filter))
        .with_context(|| format!("log.filter is {:?}, which is no tracing filter; try info", settings.filter))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let started = match settings.format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("cannot start logging: {error}"))
}
