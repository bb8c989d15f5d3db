//! The object store that the settings name, opened: for a server, and for commands beside one or without one.

use std::{fs::File, net::SocketAddr};

use anyhow::Context;
use embedded_s3::{Access, EmbeddedS3, Running};
use gourmetgram_object_store::{self as object_store, ObjectStore};
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use url::Url;

use crate::{config::Settings, data_dir, keys};

/// The file of the data directory where a server notes where its embedded S3 server listens.
const EMBEDDED_S3_ADDRESS: &str = "embedded-s3.address";

/// The object store, its address (none: Amazon's own), and our own server, where there is no other.
pub async fn open(settings: &Settings) -> anyhow::Result<(ObjectStore, Option<Url>, Option<Running>)> {
    let s3 = &settings.s3;
    let configured = s3.access_key_id.clone().zip(s3.secret_access_key.clone());
    let (endpoint, credentials, embedded) = match s3.endpoint.as_deref() {
        Some("aws") => (None, configured, None),
        Some(url) => {
            let url = Url::parse(url).context("s3.endpoint is no URL")?;
            (Some(url), configured, None)
        }
        None => {
            let listen = settings.embedded_s3.listen;
            let own = keys::s3_credentials(&settings.data_dir)?;
            let listener = TcpListener::bind(listen).await.with_context(|| {
                format!("the embedded S3 server cannot listen on {listen}: is it in use? Set embedded_s3.listen to another port")
            })?;
            let (key, secret) = own.read_write;
            let (read_only_key, read_only_secret) = own.read_only;
            let running = EmbeddedS3::builder(settings.data_dir.join("s3"))
                .credential(&key, secret.expose_secret(), Access::ReadWrite)
                .credential(&read_only_key, read_only_secret.expose_secret(), Access::ReadOnly)
                .start(listener)
                .await
                .context("cannot start the embedded S3 server")?;
            let noted = settings.data_dir.join(EMBEDDED_S3_ADDRESS);
            std::fs::write(&noted, running.address().to_string())
                .with_context(|| format!("cannot write {}", noted.display()))?;
            let url =
                Url::parse(&format!("http://{}", running.address())).context("the embedded S3 server's address")?;
            (Some(url), Some((key, secret)), Some(running))
        }
    };
    let store = ObjectStore::connect(object_store::Settings {
        endpoint: endpoint.clone(),
        region: s3.region.clone(),
        credentials,
        path_style: s3.path_style,
        buckets: s3.buckets.clone(),
        ..object_store::Settings::default()
    })
    .await;
    Ok((store, endpoint, embedded))
}

/// The object store for a command that runs while no server does. Where it is the embedded one, that is started, on a free
/// port, and is to be shut down.
pub async fn open_for_command(settings: &Settings) -> anyhow::Result<(ObjectStore, Option<Running>)> {
    let mut settings = settings.clone();
    settings.embedded_s3.listen.set_port(0);
    let (store, _, running) = open(&settings).await?;
    Ok((store, running))
}

/// The object store for a command that reads beside a server that may run. The embedded one is reached through that
/// server, or started as [`open_for_command`] does, with the data directory held.
pub async fn open_beside_server(settings: &Settings) -> anyhow::Result<(ObjectStore, Option<Running>, Option<File>)> {
    if settings.s3.endpoint.is_none() {
        match data_dir::try_lock(&settings.data_dir)? {
            Some(lock) => {
                let (store, running) = open_for_command(settings).await?;
                return Ok((store, running, Some(lock)));
            }
            None => {
                let (key, secret) = keys::s3_credentials(&settings.data_dir)?.read_write;
                let mut settings = settings.clone();
                // Its server notes where it listens: on a free port, perhaps.
                let noted = std::fs::read_to_string(settings.data_dir.join(EMBEDDED_S3_ADDRESS)).ok();
                let noted = noted.and_then(|address| address.trim().parse::<SocketAddr>().ok());
                let address = noted.unwrap_or(settings.embedded_s3.listen);
                settings.s3.endpoint = Some(format!("http://{address}"));
                settings.s3.access_key_id = Some(key);
                settings.s3.secret_access_key = Some(secret);
                let (store, _, running) = open(&settings).await?;
                return Ok((store, running, None));
            }
        }
    }
    let (store, _, running) = open(settings).await?;
    Ok((store, running, None))
}
