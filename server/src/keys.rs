//! What this node made at its first start and keeps in its data directory: its name, the key that signs feedback
//! tokens, and the credentials of the embedded S3 server. Secrets are in files only their owner can read.

use std::{fs, io, os::unix::fs::OpenOptionsExt, path::Path};

use anyhow::Context;
use rand::Rng;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::spool::sync_folder_of;

/// The node's name: which spool a photo lies in.
pub fn node_id(data_dir: &Path) -> anyhow::Result<Uuid> {
    let text = read_or_make(&data_dir.join("node-id"), || Uuid::now_v7().to_string())?;
    text.expose_secret().trim().parse().context("data_dir/node-id is damaged: it must hold one UUID")
}

/// The key that signs feedback tokens: the configured one, or one of this node's own.
pub fn secret_key(data_dir: &Path, configured: Option<&SecretString>) -> anyhow::Result<SecretString> {
    match configured {
        Some(key) => Ok(key.clone()),
        None => read_or_make(&data_dir.join("secret.key"), || random_token(32)),
    }
}

/// Credentials of the embedded S3 server.
#[derive(Clone, Debug)]
pub struct S3Credentials {
    /// Key and secret that may read and write.
    pub read_write: (String, SecretString),
    /// Key and secret that may only read: for Label Studio and the curious.
    pub read_only: (String, SecretString),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct S3CredentialsFile {
    access_key_id: String,
    secret_access_key: String,
    read_only_access_key_id: String,
    read_only_secret_access_key: String,
}

/// The embedded S3 server's credentials, kept in `data_dir/s3-credentials.toml`.
pub fn s3_credentials(data_dir: &Path) -> anyhow::Result<S3Credentials> {
    let path = data_dir.join("s3-credentials.toml");
    let text = read_or_make(&path, || {
        let file = S3CredentialsFile {
            access_key_id: "gourmetgram".to_owned(),
            secret_access_key: random_token(24),
            read_only_access_key_id: "gourmetgram-read-only".to_owned(),
            read_only_secret_access_key: random_token(24),
        };
        toml::to_string(&file).unwrap_or_default()
    })?;
    let file: S3CredentialsFile = toml::from_str(text.expose_secret())
        .with_context(|| format!("{} is damaged; delete it to have new credentials made", path.display()))?;
    Ok(S3Credentials {
        read_write: (file.access_key_id, file.secret_access_key.into()),
        read_only: (file.read_only_access_key_id, file.read_only_secret_access_key.into()),
    })
}

/// `bytes` random bytes as URL-safe base64.
pub fn random_token(bytes: usize) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let mut random = vec![0; bytes];
    rand::rng().fill(random.as_mut_slice());
    URL_SAFE_NO_PAD.encode(random)
}

fn read_or_make(path: &Path, make: impl FnOnce() -> String) -> anyhow::Result<SecretString> {
    match fs::read_to_string(path) {
        Ok(text) => return Ok(text.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
    let text = make();
    let written = (|| {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        io::Write::write_all(&mut file, text.as_bytes())?;
        file.sync_all()?;
        sync_folder_of(path)
    })();
    written.with_context(|| format!("cannot write {}", path.display()))?;
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_was_made_at_the_first_start_is_read_at_the_second() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(node_id(folder.path()).unwrap(), node_id(folder.path()).unwrap());
        let first = s3_credentials(folder.path()).unwrap();
        let second = s3_credentials(folder.path()).unwrap();
        assert_eq!(first.read_write.1.expose_secret(), second.read_write.1.expose_secret());
        assert_ne!(first.read_write.1.expose_secret(), first.read_only.1.expose_secret());
    }

    #[test]
    fn secrets_are_their_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        secret_key(folder.path(), None).unwrap();
        s3_credentials(folder.path()).unwrap();
        for name in ["secret.key", "s3-credentials.toml"] {
            let mode = fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }
}
