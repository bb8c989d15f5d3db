//! From where a request comes: the peer of its connection, or, where the peer is a proxy we trust, the address that
//! proxy vouches for.
//!
//! `X-Forwarded-For` is read from its right end, where our own proxies write: the first entry that is no proxy of ours
//! is the client. What stands left of it came from the client and says whatever the client likes. `Forwarded`
//! (RFC 7239) is not read: a proxy writes one of the two and hands the other one through as the client sent it, so a
//! server that reads both believes the client.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderName, request::Parts},
    middleware::Next,
    response::Response,
};

use super::Refusal;
use crate::{app::App, config::AddressRanges};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The other end of a request's connection; every request that comes through a socket carries it.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// The address a request comes from, as far as it can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(IpAddr);

impl ClientAddress {
    /// The client of a request from `peer` with these headers.
    pub fn of(peer: IpAddr, headers: &HeaderMap, trusted: &AddressRanges) -> Self {
        let mut client = peer.to_canonical();
        // A header that is there several times is one list, in order.
        let entries = headers.get_all(X_FORWARDED_FOR).iter().rev().flat_map(|value| value.as_bytes().rsplit(is_comma));
        for entry in entries {
            if !trusted.contain(client) {
                break;
            }
            // An entry nobody can read ("unknown", a name) leaves the last proxy that we know.
            let Some(address) = std::str::from_utf8(entry).ok().and_then(|entry| entry_address(entry.trim())) else {
                break;
            };
            client = address.to_canonical();
        }
        Self(client)
    }

    /// The address itself.
    pub fn address(self) -> IpAddr {
        self.0
    }

    /// What counts as one client: an IPv4 address, or the IPv6 network of 64 bits that one household or host has.
    pub fn network(self) -> IpAddr {
        match self.0 {
            IpAddr::V4(address) => address.into(),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
        }
    }
}

impl From<IpAddr> for ClientAddress {
    fn from(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl<S: Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts
            .extensions
            .get::<Self>()
            .copied()
            .ok_or_else(|| Refusal::internal(&std::io::Error::other("a request without its client's address")))
    }
}

/// Middleware: finds out where a request comes from, for everything after it.
pub async fn find(State(app): State<App>, mut request: Request, next: Next) -> Response {
    if let Some(Peer(peer)) = request.extensions().get().copied() {
        let client = ClientAddress::of(peer.ip(), request.headers(), &app.settings().server.trusted_proxies);
        request.extensions_mut().insert(client);
    }
    next.run(request).await
}

fn is_comma(byte: &u8) -> bool {
    *byte == b','
}

/// An address, with or without a port, an IPv6 one with or without brackets.
fn entry_address(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|entry| entry.strip_suffix(']')).unwrap_or(entry);
    bare.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn client(peer: &str, forwarded: &[&str], trusted: &str) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_str(value).unwrap());
        }
        ClientAddress::of(peer.parse().unwrap(), &headers, &trusted.parse().unwrap()).to_string()
    }

    #[test]
    fn a_client_cannot_say_where_it_comes_from() {
        assert_eq!(client("203.0.113.5", &["10.0.0.1"], ""), "203.0.113.5");
        assert_eq!(client("203.0.113.5", &["198.51.100.9"], "10.0.0.0/8"), "203.0.113.5");
    }

    #[test]
    fn behind_a_trusted_proxy_only_what_the_proxy_added_counts() {
        let trusted = "10.0.0.0/8";
        assert_eq!(client("10.0.0.1", &["203.0.113.5"], trusted), "203.0.113.5");
        // The client wrote the left part, the proxy the right one.
        assert_eq!(client("10.0.0.1", &["198.51.100.9, 203.0.113.5"], trusted), "203.0.113.5");
        assert_eq!(client("10.0.0.1", &["10.9.9.9,203.0.113.5"], trusted), "203.0.113.5");
        // Two headers are one list.
        assert_eq!(client("10.0.0.1", &["198.51.100.9", "203.0.113.5"], trusted), "203.0.113.5");
        // Through two proxies of ours.
        assert_eq!(client("10.0.0.1", &["198.51.100.9, 203.0.113.5, 10.0.0.2"], trusted), "203.0.113.5");
        // Somebody on our own network.
        assert_eq!(client("10.0.0.1", &["10.0.0.3"], trusted), "10.0.0.3");
        assert_eq!(client("10.0.0.1", &[], trusted), "10.0.0.1");
    }

    #[test]
    fn entries_are_read_with_ports_and_brackets_and_nonsense_ends_the_walk() {
        let trusted = "10.0.0.0/8,::1";
        assert_eq!(client("::1", &["[2001:db8::1]:4711"], trusted), "2001:db8::1");
        assert_eq!(client("::1", &["2001:db8::1"], trusted), "2001:db8::1");
        assert_eq!(client("::ffff:10.0.0.1", &["203.0.113.5:80"], trusted), "203.0.113.5");
        for nonsense in ["unknown", "", "203.0.113.5, ,", "203.0.113.5;evil", "a\u{7f}"] {
            let Ok(value) = HeaderValue::from_str(nonsense) else { continue };
            let headers = HeaderMap::from_iter([(X_FORWARDED_FOR, value)]);
            let client = ClientAddress::of("10.0.0.1".parse().unwrap(), &headers, &trusted.parse().unwrap());
            assert_eq!(client.to_string(), "10.0.0.1", "{nonsense:?}");
        }
    }

    #[test]
    fn a_network_of_ipv6_is_one_client_and_so_is_an_address_of_ipv4() {
        let network = |address: &str| ClientAddress::from(address.parse::<IpAddr>().unwrap()).network();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_ne!(network("203.0.113.5"), network("203.0.113.6"));
        assert_eq!(network("::ffff:203.0.113.5"), network("203.0.113.5"));
    }

    proptest! {
        #[test]
        fn whatever_a_client_writes_the_right_end_decides(spoofed in "[ -~]{0,60}") {
            let headers = [format!("{spoofed},203.0.113.5")];
            prop_assert_eq!(client("10.0.0.1", &[&headers[0]], "10.0.0.0/8"), "203.0.113.5");
        }
    }
}
