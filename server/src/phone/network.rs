//! By which addresses and names this computer is known on its local network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

/// This computer's names, at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// Its addresses on local networks, the one to show first.
    pub addresses: Vec<IpAddr>,
    /// `name.local`, as multicast DNS has it.
    pub host: Option<String>,
}

impl Names {
    /// The address to show, as it stands in a URL.
    pub fn url_host(&self) -> String {
        match self.addresses.first() {
            Some(IpAddr::V6(address)) => format!("[{address}]"),
            Some(address) => address.to_string(),
            None => Ipv4Addr::LOCALHOST.to_string(),
        }
    }

    /// Whether there is no local network at all.
    pub fn is_alone(&self) -> bool {
        self.addresses.is_empty()
    }
}

/// Asks the system.
pub fn names() -> Names {
    let mut addresses: Vec<IpAddr> = if_addrs::get_if_addrs()
        .unwrap_or_default()
        .into_iter()
        .map(|interface| interface.ip())
        .filter(|address| is_local(*address))
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    // Virtual networks of containers have addresses too: the one that leads outside is the one to show.
    if let Some(leading_outside) = address_that_leads_outside() {
        addresses.sort_by_key(|address| *address != leading_outside);
    }
    Names { addresses, host: host_name() }
}

/// Addresses that no router passes on to the internet, of the kind every home network has and we listen on: IPv4.
/// Others are not vouched for: our authority must be of no use against anybody's real site.
fn is_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(address) if address.is_private() || address.is_link_local())
}

/// Nothing is sent: connecting a datagram socket only looks up the way there.
fn address_that_leads_outside() -> Option<IpAddr> {
    // An address reserved for documentation, which is nobody's.
    let anywhere = (Ipv4Addr::new(192, 0, 2, 1), 9);
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect(anywhere).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

fn host_name() -> Option<String> {
    let name = hostname::get().ok()?.into_string().ok()?.split('.').next()?.to_ascii_lowercase();
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_name.then(|| format!("{name}.local"))
}

/// What the authority may ever vouch for, as prefixes: local networks, and this computer itself.
pub const LOCAL_NETWORKS: [(IpAddr, u8); 7] = [
    (IpAddr::V4(Ipv4Addr::new(10, 0, 0, 0)), 8),
    (IpAddr::V4(Ipv4Addr::new(172, 16, 0, 0)), 12),
    (IpAddr::V4(Ipv4Addr::new(192, 168, 0, 0)), 16),
    (IpAddr::V4(Ipv4Addr::new(169, 254, 0, 0)), 16),
    (IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), 8),
    (IpAddr::V6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0)), 7),
    (IpAddr::V6(Ipv6Addr::LOCALHOST), 128),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_stay_at_home_are_vouched_for() {
        for (address, local) in [
            ("192.168.1.20", true),
            ("10.0.0.7", true),
            ("172.31.0.1", true),
            ("169.254.3.4", true),
            ("172.32.0.1", false),
            ("203.0.113.5", false),
            ("2001:db8::1", false),
            ("fe80::1", false),
            ("fd00::1", false),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(is_local(address), local, "{address}");
            let inside = LOCAL_NETWORKS
                .iter()
                .any(|(network, bits)| ipnet::IpNet::new(*network, *bits).unwrap().contains(&address));
            assert!(inside || !local, "{address}");
        }
    }
}
