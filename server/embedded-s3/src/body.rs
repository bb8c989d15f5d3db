//! Bodies as they come in: bounded in size and in silence, and remembering why they ended early.
//!
//! `s3s-fs` answers any failure while it writes with an internal error. Whether the peer sent too much, too little or
//! nothing more is seen here, so that the peer is told.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures::{StreamExt, stream};
use s3s::{S3Error, dto::StreamingBlob, s3_error};

/// A peer that sends nothing for so long is given up.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);

/// Why a body could not be taken in whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyFault {
    #[error("the body is longer than this server accepts")]
    TooLong,
    #[error("the peer sent nothing for {} seconds", LONGEST_SILENCE.as_secs())]
    Silent,
    #[error("the body ended early or is not signed as announced")]
    Broken,
}

/// Tells, after a body was read, whether it came in whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct BodyFate(Arc<OnceLock<BodyFault>>);

impl BodyFate {
    /// What to answer where something failed with `error` while the body was read: the body's own fault comes first.
    pub(crate) fn explain(&self, error: S3Error) -> S3Error {
        match self.0.get() {
            Some(BodyFault::TooLong) => s3_error!(EntityTooLarge),
            Some(BodyFault::Silent) => s3_error!(RequestTimeout),
            Some(BodyFault::Broken) => s3_error!(IncompleteBody),
            None => error,
        }
    }

    fn seal(&self, fault: BodyFault) -> BodyFault {
        *self.0.get_or_init(|| fault)
    }
}

/// `body`, ended with an error where it is longer than `limit` bytes, shorter than announced, or falls silent.
pub(crate) fn bounded(body: StreamingBlob, announced: Option<i64>, limit: u64) -> (StreamingBlob, BodyFate) {
    let fate = BodyFate::default();
    let sealing = fate.clone();
    let announced = announced.and_then(|length| u64::try_from(length).ok());
    let start = (body, 0_u64, false);
    let chunks = stream::unfold(start, move |(mut body, received, is_over)| {
        let fate = sealing.clone();
        async move {
            if is_over {
                return None;
            }
            let chunk = match tokio::time::timeout(LONGEST_SILENCE, body.next()).await {
                Err(_) => Err(fate.seal(BodyFault::Silent)),
                Ok(Some(Err(_))) => Err(fate.seal(BodyFault::Broken)),
                Ok(None) if announced.is_some_and(|length| received < length) => Err(fate.seal(BodyFault::Broken)),
                Ok(None) => return None,
                Ok(Some(Ok(bytes))) => Ok(bytes),
            };
            let received = received + chunk.as_ref().map_or(0, |bytes| bytes.len() as u64);
            let chunk = if received > limit { Err(fate.seal(BodyFault::TooLong)) } else { chunk };
            let is_over = chunk.is_err();
            Some((chunk, (body, received, is_over)))
        }
    });
    (StreamingBlob::wrap(chunks), fate)
}
