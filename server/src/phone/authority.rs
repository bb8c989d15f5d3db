//! A certificate authority of this computer's own, for its addresses on local networks only.
//!
//! It is made at the first start and kept, because a phone is told once to trust it. Its certificate says itself that it
//! may vouch for local addresses and `.local` names only, so that a stolen key is of no use against any site on the
//! internet. The certificate it vouches for is made anew at every start and never stored.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
    time::{Duration, SystemTime},
};

use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, NameConstraints, PublicKeyData, SanType,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject};

use super::network::{LOCAL_NETWORKS, Names};
use crate::{http::sha256_hex, spool::sync_folder_of, tls::Identity};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Phones take certificates of at most 397 days; ours is made anew at every start, so a season is plenty.
const VALID_FOR: Duration = DAY.saturating_mul(90);
/// A server that runs on and on makes the next one when so much of it is over.
const DUE_AFTER: Duration = DAY.saturating_mul(60);
/// Trusting the authority is work, so it lasts ten years.
const AUTHORITY_VALID_FOR: Duration = DAY.saturating_mul(3650);
/// Phones' clocks are not all right.
const CLOCK_SKEW: Duration = DAY;

/// Whether a certificate of then should be followed by a new one now.
pub fn is_due(made_at: SystemTime, now: SystemTime) -> bool {
    now.duration_since(made_at).map_or(true, |age| age >= DUE_AFTER)
}

/// The authority and its key.
pub struct Authority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Reads it from a folder, or makes it there: `ca.pem` and, for its owner only, `ca.key`.
    pub fn read_or_make(folder: &Path) -> anyhow::Result<Self> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
        let (key_file, certificate_file) = (folder.join("ca.key"), folder.join("ca.pem"));
        let damaged = || {
            format!(
                "{} is damaged; delete it to have a new authority made, which phones must trust anew",
                folder.display()
            )
        };
        let key = match fs::read_to_string(&key_file) {
            Ok(text) => KeyPair::from_pem(&text).with_context(damaged)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = KeyPair::generate().context("cannot make a key")?;
                write_new(&key_file, &key.serialize_pem(), 0o600)?;
                key
            }
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", key_file.display())),
        };
        let params = authority_params(&key, SystemTime::now())?;
        let certificate = match fs::read(&certificate_file) {
            Ok(text) => CertificateDer::from_pem_slice(&text).with_context(damaged)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let made = params.self_signed(&key).context("cannot make the authority's certificate")?;
                write_new(&certificate_file, &made.pem(), 0o644)?;
                made.der().clone()
            }
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", certificate_file.display())),
        };
        Ok(Self { certificate, issuer: Issuer::new(params, key) })
    }

    /// Its certificate.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// SHA-256 of its certificate, as phones show it.
    pub fn fingerprint(&self) -> String {
        let hash = sha256_hex(&self.certificate).to_ascii_uppercase();
        let bytes: Vec<&str> = (0..hash.len()).step_by(2).map(|at| &hash[at..at + 2]).collect();
        bytes.join(":")
    }

    /// A certificate, with a key of its own, for these names and for this computer itself.
    pub fn vouch_for(&self, names: &Names, now: SystemTime) -> anyhow::Result<Identity> {
        let key = KeyPair::generate().context("cannot make a key")?;
        let mut params = CertificateParams::default();
        let own = ["localhost".to_owned()].into_iter().chain(names.host.clone());
        for name in own {
            params.subject_alt_names.push(SanType::DnsName(name.try_into().context("a host name")?));
        }
        let itself = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        let addresses = names.addresses.iter().copied().chain(itself);
        params.subject_alt_names.extend(addresses.map(SanType::IpAddress));
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "GourmetGram on this computer");
        (params.not_before, params.not_after) = ((now - CLOCK_SKEW).into(), (now + VALID_FOR).into());
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let made = params.signed_by(&key, &self.issuer).context("cannot make the certificate")?;
        Ok(Identity {
            chain: vec![made.der().clone(), self.certificate.clone()],
            key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        })
    }
}

/// What the authority's certificate says. The same for the same key, but for its dates.
fn authority_params(key: &KeyPair, now: SystemTime) -> anyhow::Result<CertificateParams> {
    let local = LOCAL_NETWORKS
        .iter()
        .map(|(network, bits)| GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(*network, *bits)))
        .chain(["local", "localhost"].map(|name| GeneralSubtree::DnsName(name.to_owned())));
    let mut params = CertificateParams::default();
    params.name_constraints =
        Some(NameConstraints { permitted_subtrees: local.collect(), excluded_subtrees: Vec::new() });
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // Two computers' authorities on one phone must be told apart.
    let id = sha256_hex(key.der_bytes()).chars().take(8).collect::<String>();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, format!("GourmetGram local authority {id}"));
    (params.not_before, params.not_after) = ((now - CLOCK_SKEW).into(), (now + AUTHORITY_VALID_FOR).into());
    Ok(params)
}

fn write_new(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        sync_folder_of(path)
    })();
    written.with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::PermissionsExt, sync::Arc};

    use rustls::{
        RootCertStore,
        client::{WebPkiServerVerifier, danger::ServerCertVerifier},
        crypto::aws_lc_rs,
        pki_types::{ServerName, UnixTime},
    };

    use super::*;

    fn names(addresses: &[&str]) -> Names {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        Names { addresses, host: Some("kitchen.local".to_owned()) }
    }

    /// Whether somebody who trusts `root` believes the identity to be `name`, `later` than now.
    fn believes(root: &Authority, identity: &Identity, name: &str, later: Duration) -> Result<(), rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(root.certificate().clone()).unwrap();
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::new(aws_lc_rs::default_provider()))
                .build()
                .unwrap();
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap() + later;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        verifier
            .verify_server_cert(&identity.chain[0], &identity.chain[1..], &name, &[], UnixTime::since_unix_epoch(now))
            .map(|_| ())
    }

    #[test]
    fn it_is_made_once_and_its_key_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let first = Authority::read_or_make(&folder.path().join("phone")).unwrap();
        let second = Authority::read_or_make(&folder.path().join("phone")).unwrap();
        assert_eq!(first.certificate(), second.certificate());
        assert_eq!(first.fingerprint().len(), 32 * 3 - 1);
        // What the second start vouches for is believed by whoever trusts the first one's certificate.
        let identity = second.vouch_for(&names(&["192.168.1.20"]), SystemTime::now()).unwrap();
        believes(&first, &identity, "192.168.1.20", Duration::ZERO).unwrap();
        let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("phone"), mode("phone/ca.key")), (0o700, 0o600));
        assert_eq!(fs::read_dir(folder.path().join("phone")).unwrap().count(), 2, "no other key is stored");
    }

    #[test]
    fn it_vouches_for_this_computers_names_for_less_than_397_days() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::read_or_make(folder.path()).unwrap();
        let identity = authority.vouch_for(&names(&["192.168.1.20", "fd00::20"]), SystemTime::now()).unwrap();
        for name in ["192.168.1.20", "fd00::20", "127.0.0.1", "::1", "localhost", "kitchen.local"] {
            believes(&authority, &identity, name, Duration::ZERO).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        for name in ["192.168.1.21", "cellar.local", "example.com"] {
            assert!(believes(&authority, &identity, name, Duration::ZERO).is_err(), "{name}");
        }
        believes(&authority, &identity, "localhost", DUE_AFTER).unwrap();
        assert!(believes(&authority, &identity, "localhost", DAY * 397).is_err());
        assert!(VALID_FOR + CLOCK_SKEW <= DAY * 397 && DUE_AFTER < VALID_FOR);
    }

    #[test]
    fn it_cannot_vouch_for_anything_on_the_internet() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::read_or_make(folder.path()).unwrap();
        let address: IpAddr = "203.0.113.5".parse().unwrap();
        let stolen = Names { addresses: vec![address], host: Some("bank.example".to_owned()) };
        let identity = authority.vouch_for(&stolen, SystemTime::now()).unwrap();
        for name in ["203.0.113.5", "bank.example", "localhost"] {
            assert!(believes(&authority, &identity, name, Duration::ZERO).is_err(), "{name}");
        }
    }

    #[test]
    fn another_computers_authority_is_not_believed() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let one = Authority::read_or_make(one.path()).unwrap();
        let other = Authority::read_or_make(other.path()).unwrap();
        let identity = one.vouch_for(&names(&[]), SystemTime::now()).unwrap();
        assert!(believes(&other, &identity, "localhost", Duration::ZERO).is_err());
    }

    #[test]
    fn a_certificate_is_renewed_long_before_it_ends() {
        let now = SystemTime::now();
        assert!(!is_due(now, now) && !is_due(now, now + DAY * 59) && is_due(now, now + DAY * 60));
        assert!(is_due(now, now - DAY), "a clock that was set back");
    }
}
