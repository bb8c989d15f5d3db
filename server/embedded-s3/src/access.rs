//! Who may do what: a few fixed keys, each for reading and writing or for reading only. Nobody comes in without one.

use std::collections::HashMap;

use s3s::{
    S3Result,
    access::{S3Access, S3AccessContext},
    auth::{S3Auth, SecretKey},
    s3_error,
};

/// What the holder of a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everything this server can do.
    ReadWrite,
    /// List buckets and objects, read objects and their tags.
    ReadOnly,
}

/// What a read-only key may call. Anything not named here counts as writing.
const READING: [&str; 10] = [
    "GetBucketLocation",
    "GetObject",
    "GetObjectTagging",
    "HeadBucket",
    "HeadObject",
    "ListBuckets",
    "ListMultipartUploads",
    "ListObjects",
    "ListObjectsV2",
    "ListParts",
];

/// The keys of one server.
#[derive(Clone, Default)]
pub(crate) struct Keyring(HashMap<String, (SecretKey, Access)>);

impl Keyring {
    /// Adds a key; one of the same name is replaced.
    pub(crate) fn add(&mut self, key: String, secret: String, access: Access) {
        self.0.insert(key, (SecretKey::from(secret), access));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[async_trait::async_trait]
impl S3Auth for Keyring {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let known = self.0.get(access_key).map(|(secret, _)| secret.clone());
        known.ok_or_else(|| s3_error!(InvalidAccessKeyId, "The AWS Access Key Id you provided does not exist."))
    }
}

#[async_trait::async_trait]
impl S3Access for Keyring {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let access = context.credentials().and_then(|credentials| self.0.get(&credentials.access_key));
        match access {
            Some((_, Access::ReadWrite)) => Ok(()),
            Some((_, Access::ReadOnly)) if READING.contains(&context.s3_op().name()) => Ok(()),
            Some((_, Access::ReadOnly)) => Err(s3_error!(AccessDenied, "This key is for reading only.")),
            None => Err(s3_error!(AccessDenied, "Access Denied")),
        }
    }
}
