//! What can go wrong, sorted by what to do about it.

use std::{error::Error, fmt::Write, time::Duration};

use aws_sdk_s3::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

use crate::{InvalidObjectKey, TagsError, bucket::Place};

/// Codes that ask for another try although their status says that the client is at fault.
const RETRYABLE_CODES: [&str; 5] =
    ["RequestTimeout", "OperationAborted", "SlowDown", "ConditionalRequestConflict", "TooManyRequests"];

/// Why the object store did not do as asked. No message contains a secret.
#[derive(Debug, thiserror::Error)]
pub enum ObjectStoreError {
    /// There is no such object.
    #[error("there is no {place}")]
    NotFound {
        /// What was asked for.
        place: Place,
    },
    /// There is no such bucket: [`ensure_buckets`](crate::ObjectStore::ensure_buckets) makes it.
    #[error("there is no bucket {bucket} in the object store")]
    BucketMissing {
        /// Its name.
        bucket: String,
    },
    /// The store cannot be reached, is too slow, or says that it has trouble: the same call may succeed later.
    #[error("the object store is not available ({operation}, {place}): {reason}")]
    Unavailable {
        /// The S3 operation.
        operation: &'static str,
        /// What it was about.
        place: Place,
        /// What was seen.
        reason: String,
    },
    /// The store refuses, and will again until somebody changes a setting or a permission.
    #[error("the object store refuses {operation}, {place}: {code} (HTTP {status}){}", said(.message))]
    Refused {
        /// The S3 operation.
        operation: &'static str,
        /// What it was about.
        place: Place,
        /// Status of the answer.
        status: u16,
        /// S3's error code.
        code: String,
        /// What the store said.
        message: String,
    },
    /// The client could not even ask.
    #[error("the object store's settings cannot be used ({operation}, {place}): {reason}")]
    Misconfigured {
        /// The S3 operation.
        operation: &'static str,
        /// What it was about.
        place: Place,
        /// What is wrong.
        reason: String,
    },
    /// The object is longer than the reader is prepared for.
    #[error("{place} is longer than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        place: Place,
        /// How much was allowed, in bytes.
        limit: u64,
    },
    /// The tags cannot be written; nothing was changed.
    #[error(transparent)]
    Tags(#[from] TagsError),
    /// A text that should be an object key is none.
    #[error(transparent)]
    Key(#[from] InvalidObjectKey),
}

impl ObjectStoreError {
    /// Whether the same call may succeed later without anybody doing anything about it.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// The store did not answer within `limit`.
    pub(crate) fn too_slow(operation: &'static str, place: Place, limit: Duration) -> Self {
        let reason = format!("no answer within {:.1} s", limit.as_secs_f32());
        Self::Unavailable { operation, place, reason }
    }

    /// The answer broke off.
    pub(crate) fn broke_off(operation: &'static str, place: Place, error: &(dyn Error + 'static)) -> Self {
        Self::Unavailable { operation, place, reason: chain(error) }
    }

    /// Sorts an error of the SDK.
    pub(crate) fn of_sdk<E>(operation: &'static str, place: Place, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match error {
            SdkError::ConstructionFailure(_) => {
                Self::Misconfigured { operation, place, reason: error.source().map(chain).unwrap_or_default() }
            }
            SdkError::ServiceError(refusal) => {
                Self::of_answer(operation, place, refusal.raw().status().as_u16(), refusal.err())
            }
            // No answer, none in time, or one that is no S3: another server may sit there for the moment.
            _ => {
                let reason = error.source().map_or_else(|| error.to_string(), chain);
                Self::Unavailable { operation, place, reason }
            }
        }
    }

    fn of_answer(operation: &'static str, place: Place, status: u16, answer: &impl ProvideErrorMetadata) -> Self {
        let code = answer.code().unwrap_or("no error code");
        let message = answer.message().unwrap_or_default();
        // Below 300 with an error: no S3 answered, or one that changed its mind halfway.
        let is_retryable =
            !(300..500).contains(&status) || matches!(status, 408 | 429) || RETRYABLE_CODES.contains(&code);
        match (status, code) {
            _ if is_retryable => {
                Self::Unavailable { operation, place, reason: format!("{code} (HTTP {status}){}", said(message)) }
            }
            (404, "NoSuchBucket") => Self::BucketMissing { bucket: place.bucket },
            (404, _) if place.key.is_none() => Self::BucketMissing { bucket: place.bucket },
            // HEAD has no body, so it cannot say which of the two is missing.
            (404, "NoSuchKey" | "NotFound" | "no error code") => Self::NotFound { place },
            _ => Self::Refused { operation, place, status, code: code.to_owned(), message: message.to_owned() },
        }
    }
}

/// What the store said, appended to a sentence.
fn said(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(": {message}") }
}

/// An error and its causes in one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(line, ": {error}");
        cause = error.source();
    }
    line
}
