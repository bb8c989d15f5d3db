//! The one-time link by which the first operator comes in: printed to the terminal, kept in a file only its owner can
//! read, never logged.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{catalog::Catalog, http::sha256_hex, keys::random_token};

/// Names what it is, so that scanners for leaked secrets find it.
const PREFIX: &str = "ggl_";
const FILE: &str = "operator-link";

/// A link that works once.
#[derive(Debug)]
pub struct OperatorLink {
    token: SecretString,
}

impl OperatorLink {
    /// Makes a link that works for [`OPERATOR_LINK_LIFETIME`](crate::catalog::OPERATOR_LINK_LIFETIME).
    pub async fn issue(catalog: &Catalog) -> anyhow::Result<Self> {
        let token = format!("{PREFIX}{}", random_token(32));
        catalog.add_operator_link(sha256_hex(token.as_bytes())).await?;
        Ok(Self { token: token.into() })
    }

    /// Makes one where nobody can run the service yet, and otherwise removes what an earlier start may have left.
    pub async fn issue_to_first_operator(catalog: &Catalog, data_dir: &Path) -> anyhow::Result<Option<Self>> {
        if catalog.has_owner().await? {
            remove_file(data_dir);
            return Ok(None);
        }
        Self::issue(catalog).await.map(Some)
    }

    /// The link for a service that people find at `base`. The token is in the query, which is not logged; opening the
    /// link uses nothing up.
    pub fn url(&self, base: &Url) -> anyhow::Result<SecretString> {
        let mut url = base.join("/login/link").context("server.public_url cannot have a path below it")?;
        url.query_pairs_mut().append_pair("token", self.token.expose_secret());
        Ok(url.to_string().into())
    }
}

/// Writes a link where only the owner of the data directory can read it, and answers where that is.
pub fn write_file(data_dir: &Path, url: &SecretString) -> anyhow::Result<PathBuf> {
    let path = data_dir.join(FILE);
    let written = (|| {
        remove_file(data_dir);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        writeln!(file, "{}", url.expose_secret())
    })();
    written.with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// Removes the file: its link was used, or is of no use any more.
pub fn remove_file(data_dir: &Path) {
    let path = data_dir.join(FILE);
    if let Err(error) = fs::remove_file(&path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, path = %path.display(), "cannot remove a one-time link that is used up");
    }
}
