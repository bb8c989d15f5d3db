//! Where the object store is and how to come in.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use crate::BucketNames;

/// Everything [`ObjectStore::connect`](crate::ObjectStore::connect) needs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address of an S3-compatible server. `None`: the standard `AWS_ENDPOINT_URL` names, else Amazon's own.
    pub endpoint: Option<Url>,
    /// Region name sent with every request.
    pub region: String,
    /// Access key and secret. `None`: the standard AWS chain (environment, profile, web identity, instance role).
    pub credentials: Option<(String, SecretString)>,
    /// Whether buckets are part of the path instead of the host name. With an `endpoint` they always are: hardly any
    /// server but Amazon's answers to host names of its own making.
    pub path_style: bool,
    /// What the buckets are called.
    pub buckets: BucketNames,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// How often one call is tried, at least 1. Small, because the outbox tries again anyway.
    pub attempts: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            endpoint: None,
            region: "us-east-1".to_owned(),
            credentials: None,
            path_style: false,
            buckets: BucketNames::default(),
            timeouts: Timeouts::default(),
            attempts: 2,
        }
    }
}

/// How long to wait for the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection stands.
    pub connect: Duration,
    /// For one attempt at a call, body included.
    pub attempt: Duration,
    /// For a call with all its attempts, and for reading what it answers.
    pub call: Duration,
    /// For the question whether the store is ready.
    pub check: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            attempt: Duration::from_secs(30),
            call: Duration::from_secs(70),
            check: Duration::from_secs(5),
        }
    }
}
