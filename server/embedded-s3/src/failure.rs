//! The disk's failures as S3 errors.

use std::{error::Error, io};

use http::StatusCode;
use s3s::{S3Error, S3ErrorCode, s3_error};

/// An S3 error for something the disk refused. Logged here, because the answer does not carry the reason.
pub(crate) fn from_disk(error: io::Error) -> S3Error {
    if error.kind() == io::ErrorKind::InvalidFilename {
        return s3_error!(KeyTooLongError);
    }
    tracing::error!(%error, "the disk refused");
    if is_full(&error) { disk_full() } else { S3Error::with_source(S3ErrorCode::InternalError, Box::new(error)) }
}

/// The same for an error of `s3s-fs`, which calls every refusal of the disk an internal error.
pub(crate) fn from_s3s_fs(error: S3Error) -> S3Error {
    if *error.code() != S3ErrorCode::InternalError {
        return error;
    }
    tracing::error!(error = ?error.source(), "s3s-fs failed");
    let mut source: Option<&(dyn Error + 'static)> = error.source().map(|source| source as _);
    while let Some(cause) = source {
        if cause.downcast_ref::<io::Error>().is_some_and(is_full) {
            return disk_full();
        }
        source = cause.source();
    }
    error
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// S3 itself never runs full, so it has no code for it; this is what other servers answer (RFC 4918 §11.5).
fn disk_full() -> S3Error {
    let code = S3ErrorCode::Custom("InsufficientStorage".into());
    let mut error = S3Error::with_message(code, "The disk of this server is full.");
    error.set_status_code(StatusCode::INSUFFICIENT_STORAGE);
    error
}
