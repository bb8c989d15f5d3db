//! Checksums of the parts of a multipart upload. `s3s-fs` checks those of whole objects, and takes parts unseen.

use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use http::HeaderMap;
use s3s::{
    S3Result, StdError,
    checksum::ChecksumHasher,
    dto::{Checksum, StreamingBlob, UploadPartInput},
    s3_error,
};

/// Computes, while a part comes in, the checksums its sender announced.
pub(crate) struct PartChecksum {
    hasher: Arc<Mutex<ChecksumHasher>>,
    expected: Checksum,
}

/// The headers a checksum may come in, before the body or after it.
const HEADERS: [&str; 5] = [
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-sha1",
    "x-amz-checksum-sha256",
    "x-amz-checksum-crc64nvme",
];

impl PartChecksum {
    /// Watches the body of `input`, whose request has these `headers`.
    pub(crate) fn watch(input: &mut UploadPartInput, headers: &HeaderMap) -> Self {
        let expected = Checksum {
            checksum_crc32: input.checksum_crc32.clone(),
            checksum_crc32c: input.checksum_crc32c.clone(),
            checksum_sha1: input.checksum_sha1.clone(),
            checksum_sha256: input.checksum_sha256.clone(),
            checksum_crc64nvme: input.checksum_crc64nvme.clone(),
            ..Checksum::default()
        };
        let is_announced = |name: &str| {
            headers.contains_key(name)
                || headers.get_all("x-amz-trailer").iter().any(|trailer| trailer.as_bytes() == name.as_bytes())
        };
        let [crc32, crc32c, sha1, sha256, crc64nvme] = HEADERS.map(is_announced);
        let hasher = ChecksumHasher {
            crc32: crc32.then(Default::default),
            crc32c: crc32c.then(Default::default),
            sha1: sha1.then(Default::default),
            sha256: sha256.then(Default::default),
            crc64nvme: crc64nvme.then(Default::default),
        };
        let hasher = Arc::new(Mutex::new(hasher));
        let watching = hasher.clone();
        input.body = input.body.take().map(|body| {
            StreamingBlob::wrap(body.map(move |chunk| {
                let chunk = chunk.map_err(Relayed)?;
                watching.lock().unwrap_or_else(PoisonError::into_inner).update(&chunk);
                Ok::<_, Relayed>(chunk)
            }))
        });
        Self { hasher, expected }
    }

    /// Compares, once the body was read, with what was announced before it or came after it in `trailers`.
    pub(crate) fn check(self, trailers: Option<HeaderMap>) -> S3Result<()> {
        let computed = std::mem::take(&mut *self.hasher.lock().unwrap_or_else(PoisonError::into_inner)).finalize();
        let trailer = |name: &str| {
            let value = trailers.as_ref().and_then(|trailers| trailers.get(name));
            value.and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let pairs = [
            (computed.checksum_crc32, self.expected.checksum_crc32),
            (computed.checksum_crc32c, self.expected.checksum_crc32c),
            (computed.checksum_sha1, self.expected.checksum_sha1),
            (computed.checksum_sha256, self.expected.checksum_sha256),
            (computed.checksum_crc64nvme, self.expected.checksum_crc64nvme),
        ];
        for (name, (computed, expected)) in HEADERS.into_iter().zip(pairs) {
            if computed.is_some() && computed != expected.or_else(|| trailer(name)) {
                return Err(s3_error!(BadDigest, "The {name} you specified did not match what we received."));
            }
        }
        Ok(())
    }
}

/// A body's error on its way through.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Relayed(StdError);
