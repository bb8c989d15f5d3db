//! The object store as GourmetGram sees it: six [buckets](Bucket), [keys](ObjectKey) laid out by class, and
//! [tags](Tags) of which some are ours and some are not.
//!
//! Underneath is `aws-sdk-s3` and nothing else, so Amazon's S3, the embedded server and any compatible store are one
//! path through the code. What this crate adds:
//!
//! - what the rest of the program means (a photo in `production`), not what S3 calls it;
//! - others' tags survive every write of ours ([`ObjectStore::merge_tags`]);
//! - every call ends in bounded time, and an [error](ObjectStoreError) says whether to try again
//!   ([`ObjectStoreError::is_retryable`]) or whom to ask.

mod bucket;
mod error;
mod key;
mod settings;
mod store;
mod tags;

pub use bucket::{Bucket, BucketNames, Place};
pub use error::ObjectStoreError;
pub use key::{InvalidObjectKey, ObjectKey, ProductionKey};
pub use settings::{Settings, Timeouts};
pub use store::{KeyPage, Object, ObjectHead, ObjectStore};
pub use tags::{MAX_TAGS, TagChanges, Tags, TagsError};
