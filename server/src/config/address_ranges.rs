//! Addresses and networks, as people write them into settings.

use std::{net::IpAddr, str::FromStr};

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Addresses and networks: a list in a file, words between commas in the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressRanges(Vec<IpNet>);

impl AddressRanges {
    /// Whether one of them holds this address. An IPv4 address is the same one when it comes mapped into IPv6.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|range| range.contains(&address))
    }
}

impl FromStr for AddressRanges {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split([',', ' ']).filter(|word| !word.is_empty()).map(range).collect::<Result<_, _>>().map(Self)
    }
}

fn range(word: &str) -> Result<IpNet, String> {
    word.parse::<IpNet>()
        .or_else(|_| word.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical())))
        .map_err(|_| format!("{word:?} is no address or network: write one like 10.0.0.1 or 10.0.0.0/8"))
}

impl Serialize for AddressRanges {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(ToString::to_string))
    }
}

impl<'de> Deserialize<'de> for AddressRanges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Words(String),
            List(Vec<String>),
        }
        match Written::deserialize(deserializer)? {
            Written::Words(words) => words.parse(),
            Written::List(list) => list.iter().map(|word| range(word.trim())).collect::<Result<_, _>>().map(Self),
        }
        .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_its_addresses_and_no_others() {
        let ranges: AddressRanges = "10.0.0.0/8, 192.0.2.7,2001:db8::/32".parse().unwrap();
        for (address, held) in [
            ("10.255.0.1", true),
            ("11.0.0.1", false),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("::ffff:10.1.2.3", true),
            ("2001:db8:1::1", true),
            ("2001:db9::1", false),
        ] {
            assert_eq!(ranges.contain(address.parse().unwrap()), held, "{address}");
        }
        assert!(!AddressRanges::default().contain("127.0.0.1".parse().unwrap()));
        assert!("10.0.0.0/33".parse::<AddressRanges>().is_err());
    }
}
