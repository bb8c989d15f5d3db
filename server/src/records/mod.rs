//! The bucket `records`: what the catalog knows, as lines of JSON that outlive it.
//!
//! Triggers in the database mark every row that changes ([`record_mark`](crate::catalog::entity::record_mark)). A step of
//! the writer turns marks into objects in two transactions: one freezes what an object will hold and under which key,
//! the other notes that it is there. Between them the object is put, as often as it takes: the same bytes under the same
//! key, so that a server that dies there, or two that work at once, leave what one would have left. Objects are never
//! changed but by an erasure, which takes out what is the visitor's, and by a compaction, which makes few of many.

mod compaction;
mod erasure;
mod line;
mod reindex;
mod source;
mod writer;

pub use compaction::{Compacted, Parts, compact};
pub use erasure::{forget, redact};
pub use line::{Envelope, LineError, RecordKind, SCHEMA, UnknownKind, read_row};
pub use reindex::{ReindexError, ReindexOptions, Reindexed, last_number, reindex, reindex_from};
pub use source::RecordsSource;
pub use writer::{LogFile, Step, read_log, run, step};

use gourmetgram_object_store::{InvalidObjectKey, ObjectStoreError};
use uuid::Uuid;

use crate::catalog::CatalogError;

/// The type of the objects.
pub const CONTENT_TYPE: &str = "application/x-ndjson";

/// Why records cannot be written or cleaned.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// The object store does not do as asked.
    #[error(transparent)]
    ObjectStore(#[from] ObjectStoreError),
    /// The catalog does not.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A key that no object can have.
    #[error(transparent)]
    Key(#[from] InvalidObjectKey),
    /// What is in the bucket is not what this catalog has written.
    #[error(
        "the bucket {bucket} holds the records of another catalog ({log}), or this catalog was restored from a backup: \
         rebuild it from them (gourmetgram reindex), or name another bucket (s3.buckets.records)"
    )]
    Foreign {
        /// The bucket's name.
        bucket: String,
        /// Whose records it holds.
        log: Uuid,
    },
    /// Another compaction is under way.
    #[error(
        "the records are being compacted already, or a compaction died less than a minute ago: let it end, or try again then"
    )]
    BeingCompacted,
    /// Something in the bucket cannot be understood.
    #[error("{key} in the bucket {bucket}: {why}")]
    Unreadable {
        /// The bucket's name.
        bucket: String,
        /// The object.
        key: String,
        /// What is wrong.
        why: String,
    },
}
