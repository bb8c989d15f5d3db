//! Connections: takes them, hands their requests to the router, and ends them in good order.
//!
//! `axum::serve` has no limits on who keeps a connection how long, so this is what it does, on the same `hyper`, with
//! them: how many connections there are, of all clients and of each; how long a request's head may take and how large
//! it may be; how long an answer may stay untaken. HTTP/1.1 only: what HTTP/2 adds for one page with a few files does
//! not weigh up its own ways to exhaust a server.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Router, body::Body};
use gourmetgram_api::{Problem, ProblemKind};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::{
    config::{AddressRanges, Limits},
    http::{ClientAddress, Peer},
};

/// The longest head of a request, in bytes: browsers send one to two thousand.
const MAX_HEAD_BYTES: usize = 32 * 1024;
/// The most headers of a request.
const MAX_HEADERS: usize = 100;
/// What is read of a connection ahead of whoever wants it, in bytes.
const READ_AHEAD_BYTES: usize = 64 * 1024;
/// How many refused connections at once are told why, and how long each is listened to so that it can hear it.
const MAX_FAREWELLS: usize = 32;
const LONGEST_FAREWELL: Duration = Duration::from_secs(1);

/// What connections are held to.
#[derive(Clone, Debug)]
pub struct ConnectionLimits {
    /// Of all clients at once.
    pub total: usize,
    /// Of one client at once, but for trusted proxies.
    pub per_client: usize,
    /// A head must be there, or an idle connection ends, in so much time.
    pub head: Duration,
    /// An answer nobody takes anything of for so long is given up.
    pub progress: Duration,
    /// Proxies, which speak for many clients.
    pub trusted_proxies: AddressRanges,
}

impl ConnectionLimits {
    /// As the settings have it, where 0 is no limit.
    pub fn new(limits: &Limits, trusted_proxies: &AddressRanges) -> Self {
        let or_no_limit = |limit: usize| if limit == 0 { Semaphore::MAX_PERMITS } else { limit };
        Self {
            total: or_no_limit(limits.connections).min(Semaphore::MAX_PERMITS),
            per_client: or_no_limit(limits.connections_per_client),
            head: Duration::from_secs(limits.head_seconds),
            progress: Duration::from_secs(limits.progress_seconds),
            trusted_proxies: trusted_proxies.clone(),
        }
    }
}

/// Serves `router` until `stop`, then lets requests under way end.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<TlsAcceptor>,
    limits: ConnectionLimits,
    stop: CancellationToken,
) {
    let running = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(limits.total));
    let clients = Arc::new(Clients { limit: limits.per_client, connections: Mutex::default() });
    let refused = Arc::new(Semaphore::new(MAX_FAREWELLS));
    loop {
        let next = async {
            let slot = slots.clone().acquire_owned().await.ok();
            (listener.accept().await, slot)
        };
        let (accepted, slot) = tokio::select! {
            () = stop.cancelled() => break,
            next = next => next,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, or a peer that left at once: neither is a reason to stop, nor to spin.
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(place) = clients.admit(peer.ip(), &limits.trusted_proxies) else {
            tracing::debug!("a client has too many connections");
            if tls.is_none() {
                say_goodbye(stream, &refused);
            }
            continue;
        };
        let connection = Connection { peer, limits: limits.clone(), router: router.clone(), _held: (slot, place) };
        let watcher = running.watcher();
        let tls = tls.clone();
        let stop = stop.clone();
        tokio::spawn(async move {
            // Answers are written whole; waiting to fill a packet would only delay their ends.
            let _ = stream.set_nodelay(true);
            let mut stream = TimeoutStream::new(stream);
            stream.set_write_timeout(Some(connection.limits.progress));
            let stream = Box::pin(stream);
            let Some(tls) = tls else { return connection.serve(stream, watcher).await };
            let handshake = tokio::time::timeout(connection.limits.head, tls.accept(stream));
            let shaken = tokio::select! {
                () = stop.cancelled() => return,
                shaken = handshake => shaken,
            };
            match shaken {
                Ok(Ok(stream)) => connection.serve(stream, watcher).await,
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            }
        });
    }
    drop(listener);
    running.shutdown().await;
}

/// A connection that was taken.
struct Connection {
    peer: SocketAddr,
    limits: ConnectionLimits,
    router: Router,
    /// Its place among all and among its client's connections, held until it ends.
    _held: (Option<OwnedSemaphorePermit>, Place),
}

impl Connection {
    async fn serve<S>(self, stream: S, running: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (peer, router) = (self.peer, self.router);
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer));
            router.clone().call(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head)
            .max_headers(MAX_HEADERS)
            .max_header_size(MAX_HEAD_BYTES)
            .max_buf_size(READ_AHEAD_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        if let Err(error) = running.watch(connection).await {
            tracing::debug!(%error, "a connection broke");
        }
    }
}

/// How many connections each client has.
struct Clients {
    limit: usize,
    connections: Mutex<HashMap<IpAddr, usize>>,
}

impl Clients {
    /// A place for one more, unless this client has as many as it may.
    fn admit(self: &Arc<Self>, peer: IpAddr, trusted_proxies: &AddressRanges) -> Option<Place> {
        if trusted_proxies.contain(peer) {
            return Some(Place(None));
        }
        let client = ClientAddress::from(peer).network();
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let count = connections.entry(client).or_default();
        (*count < self.limit).then(|| {
            *count += 1;
            Place(Some((Arc::clone(self), client)))
        })
    }

    fn release(&self, client: IpAddr) {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut count) = connections.entry(client) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

/// One connection's place among its client's, given back when dropped; a trusted proxy needs none.
struct Place(Option<(Arc<Clients>, IpAddr)>);

impl Drop for Place {
    fn drop(&mut self) {
        if let Some((clients, client)) = self.0.take() {
            clients.release(client);
        }
    }
}

/// Tells a client why its connection is not taken, as far as that costs us nothing.
fn say_goodbye(mut stream: TcpStream, at_once: &Arc<Semaphore>) {
    let Ok(permit) = Arc::clone(at_once).try_acquire_owned() else { return };
    tokio::spawn(async move {
        let _permit = permit;
        let farewell = async {
            stream.write_all(too_many_connections().as_bytes()).await?;
            stream.shutdown().await?;
            // A connection closed on unread bytes is reset, and the answer is lost with it.
            let mut unread = [0; 4096];
            while stream.read(&mut unread).await? > 0 {}
            Ok::<_, std::io::Error>(())
        };
        let _ = tokio::time::timeout(LONGEST_FAREWELL, farewell).await;
    });
}

fn too_many_connections() -> String {
    let detail = "too many connections at once from your network: close some, or wait for them to end";
    let problem = Problem::new(ProblemKind::RateLimited, detail).retry_after(5);
    let body = serde_json::to_string(&problem).unwrap_or_default();
    format!(
        "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/problem+json\r\nretry-after: 5\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_so_many_places_and_gets_them_back() {
        let clients = Arc::new(Clients { limit: 2, connections: Mutex::default() });
        let nobody = AddressRanges::default();
        let (ann, bob): (IpAddr, IpAddr) = ("203.0.113.5".parse().unwrap(), "203.0.113.6".parse().unwrap());
        let first = clients.admit(ann, &nobody);
        let second = clients.admit(ann, &nobody);
        assert!(first.is_some() && second.is_some() && clients.admit(ann, &nobody).is_none());
        assert!(clients.admit(bob, &nobody).is_some());
        assert!(clients.admit(ann, &"203.0.113.0/24".parse().unwrap()).is_some(), "a proxy speaks for many");
        drop(first);
        let third = clients.admit(ann, &nobody);
        assert!(third.is_some());
        drop((second, third));
        assert!(clients.connections.lock().unwrap().is_empty());
    }
}
