//! The server: takes connections, hands them to `s3s`, and stops in good order.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use s3s::{
    config::{S3Config, StaticConfigProvider},
    service::{S3Service, S3ServiceBuilder},
};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    access::{Access, Keyring},
    storage::Storage,
};

/// Connections beyond these wait to be taken.
const MAX_CONNECTIONS: usize = 1024;
/// A peer gets so long to send the head of a request.
const LONGEST_HEAD: Duration = Duration::from_secs(30);
/// Longest head of a request, in bytes: a key and ten tags fit many times over.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Longest XML body, in bytes: a thousand of the longest keys to delete fit.
const MAX_XML_BYTES: usize = 4 * 1024 * 1024;
/// S3's own bound on one request's body: 5 GiB.
const MAX_BODY_BYTES: u64 = 5 * 1024 * 1024 * 1024;
/// Requests under way get so long to end once the server is to stop.
const LONGEST_FAREWELL: Duration = Duration::from_secs(10);

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Without a key nobody could ever come in.
    #[error("the embedded S3 server needs at least one access key")]
    NoCredentials,
    /// The folder, or something in it, cannot be made, read or written.
    #[error("the folder {} of the embedded S3 server cannot be used: {source}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the disk said.
        source: io::Error,
    },
    /// Two servers on one folder would undo each other's work.
    #[error("the folder {} is already served by another process: stop that one, or choose another folder", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// The listener has no address.
    #[error("the listener of the embedded S3 server cannot be used: {0}")]
    Listener(#[source] io::Error),
}

/// An S3 server over a folder, before it starts.
pub struct EmbeddedS3 {
    folder: PathBuf,
    keyring: Keyring,
    max_body_bytes: u64,
}

impl EmbeddedS3 {
    /// A server over `folder`, which is made if need be and then belongs to the server alone.
    pub fn builder(folder: impl AsRef<Path>) -> Self {
        Self { folder: folder.as_ref().to_owned(), keyring: Keyring::default(), max_body_bytes: MAX_BODY_BYTES }
    }

    /// Lets those in who sign with this key and secret. One key name has one secret: the last.
    #[must_use]
    pub fn credential(mut self, key: impl Into<String>, secret: impl Into<String>, access: Access) -> Self {
        self.keyring.add(key.into(), secret.into(), access);
        self
    }

    /// Refuses objects and parts longer than so many bytes. 5 GiB where not said, as S3 does.
    #[must_use]
    pub fn max_body_bytes(mut self, bytes: u64) -> Self {
        self.max_body_bytes = bytes;
        self
    }

    /// Opens the folder, removes what a crash left in it, and serves it on `listener` until [`Running::shutdown`].
    pub async fn start(self, listener: TcpListener) -> Result<Running, StartError> {
        if self.keyring.is_empty() {
            return Err(StartError::NoCredentials);
        }
        let address = listener.local_addr().map_err(StartError::Listener)?;
        let Self { folder, keyring, max_body_bytes } = self;
        let opening = {
            let folder = folder.clone();
            tokio::task::spawn_blocking(move || Storage::open(&folder, max_body_bytes))
        };
        let storage =
            opening.await.map_err(|panic| StartError::Folder { folder, source: io::Error::other(panic) })??;

        let mut config = S3Config::default();
        config.xml_max_body_size = MAX_XML_BYTES;
        config.form_max_fields_size = MAX_XML_BYTES;
        config.post_object_max_file_size = max_body_bytes;
        let mut builder = S3ServiceBuilder::new(storage);
        builder.set_auth(keyring.clone());
        builder.set_access(keyring);
        builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));

        let stop = CancellationToken::new();
        let task = tokio::spawn(serve(listener, builder.build(), stop.clone()));
        Ok(Running { address, stop, task })
    }
}

/// A server that serves. Dropped without [`Running::shutdown`] it takes no more connections and lets those it has end.
pub struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What clients take as their endpoint: `http://` and the address.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes no more connections, lets requests under way end (10 s at most), and gives the folder free.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        if let Err(error) = (&mut self.task).await {
            tracing::error!(%error, "the embedded S3 server ended in a panic");
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn serve(listener: TcpListener, service: S3Service, stop: CancellationToken) {
    let connections = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut http = auto::Builder::new(TokioExecutor::new()).http1_only();
    http.http1().timer(TokioTimer::new()).header_read_timeout(LONGEST_HEAD).max_buf_size(MAX_HEAD_BYTES);
    loop {
        let next = async {
            let slot = slots.clone().acquire_owned().await.ok();
            (listener.accept().await, slot)
        };
        let (accepted, slot) = tokio::select! {
            () = stop.cancelled() => break,
            next = next => next,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, or a peer that left at once: neither is a reason to stop, nor to spin.
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let connection = http.serve_connection(TokioIo::new(stream), service.clone()).into_owned();
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            let _slot = slot;
            if let Err(error) = connection.await {
                tracing::debug!(error, "a connection broke");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(LONGEST_FAREWELL, connections.shutdown()).await.is_err() {
        tracing::warn!("requests to the embedded S3 server were cut off after {} s", LONGEST_FAREWELL.as_secs());
    }
}
