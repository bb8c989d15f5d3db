//! What can go wrong, sorted by what to do about it.

/// Why Label Studio did not do as asked. No message contains a secret.
#[derive(Debug, thiserror::Error)]
pub enum LabelStudioError {
    /// It cannot be reached, is too slow, or says that it has trouble, and was still so after several attempts. The same
    /// may succeed later.
    #[error("Label Studio at {url} is not available (to {what}): {reason}")]
    Unavailable {
        /// What was asked for.
        what: &'static str,
        /// Its address.
        url: String,
        /// What was seen last.
        reason: String,
    },
    /// It does not take our token.
    #[error(
        "Label Studio at {url} does not take our token (to {what}): {said}. Make a new one in its Account & Settings, Personal \
         Access Token, and give it to GourmetGram; legacy tokens work only where Label Studio's organization page allows them"
    )]
    TokenRefused {
        /// What was asked for.
        what: &'static str,
        /// Its address.
        url: String,
        /// Its words.
        said: String,
    },
    /// The token's user may not do this, or Label Studio may not.
    #[error(
        "Label Studio at {url} does not allow us to {what}: {said}. Give the user of our token that right; or, where \
         addresses are spoken of, start Label Studio with SSRF_PROTECTION_ENABLED=false"
    )]
    Forbidden {
        /// What was asked for.
        what: &'static str,
        /// Its address.
        url: String,
        /// Its words.
        said: String,
    },
    /// What the call is about is not there, or no longer.
    #[error("Label Studio at {url} has nothing there (to {what}): {said}. Was the project deleted?")]
    Missing {
        /// What was asked for.
        what: &'static str,
        /// Its address.
        url: String,
        /// Its words.
        said: String,
    },
    /// It cannot read one of our buckets, and does not say why: it tells only of object stores it knows by name.
    #[error(
        "Label Studio at {url} cannot read the bucket {bucket} at {endpoint}. Seen from Label Studio, is that the object store's          address; is the bucket there; and may the key we gave it list and read it?"
    )]
    BucketUnreadable {
        /// The bucket.
        bucket: String,
        /// The object store's address as we told it.
        endpoint: String,
        /// Label Studio's address.
        url: String,
    },
    /// It refuses, and will again until something changes.
    #[error("Label Studio at {url} refuses to {what} ({status}): {said}")]
    Refused {
        /// What was asked for.
        what: &'static str,
        /// Its address.
        url: String,
        /// Status of the answer.
        status: u16,
        /// Its words.
        said: String,
    },
    /// It sends us somewhere else. A token is not carried along to another address unseen.
    #[error("Label Studio at {url} sends us to {target} (to {what}): make that its address in GourmetGram's settings")]
    Moved {
        /// What was asked for.
        what: &'static str,
        /// Its address.
        url: String,
        /// Where it points.
        target: String,
    },
    /// The answer is none of Label Studio's.
    #[error(
        "what answers at {url} cannot be understood (to {what}): {reason}. Is it a Label Studio, of a version we know?"
    )]
    Unexpected {
        /// What was asked for.
        what: &'static str,
        /// Its address.
        url: String,
        /// What was seen.
        reason: String,
    },
    /// The answer is longer than we are prepared for.
    #[error("Label Studio's answer is longer than {limit} bytes (to {what}): let one request bring fewer tasks")]
    TooLong {
        /// What was asked for.
        what: &'static str,
        /// How much was allowed, in bytes.
        limit: usize,
    },
    /// The client could not be made.
    #[error("there can be no client for Label Studio: {0}")]
    Misconfigured(String),
}

impl LabelStudioError {
    /// Whether the same may succeed later without anybody doing anything about it.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::BucketUnreadable { .. })
    }

    /// Whether what the call was about is not there.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }
}
