//! An S3 server over a folder, for when no other S3 is configured.
//!
//! `s3s` speaks the protocol and checks signatures; `s3s-fs` keeps bytes, headers, checksums and the parts of multipart
//! uploads. What this crate adds is what an object store is trusted for:
//!
//! - **Tags**: put, get and delete; at put, at copy and at multipart upload; S3's limits and error codes.
//! - **One step**: an object's bytes, headers and tags change together, or not at all (see [`storage`]).
//! - **Durability**: what is answered with 200 survives the loss of power; files and folders are synced before.
//! - **Any key**: every key S3 allows is an object of its own, and none leaves its bucket's folder (see [`key_path`]).
//! - **Listing** in pages, with prefix, delimiter and URL encoding, as clients expect it.
//! - **Conditions** (`If-Match` and relatives) on reads and writes.
//! - **Access keys** for reading and writing, and for reading only. Nothing is answered without one.
//!
//! # Supported
//!
//! Buckets: create, delete (empty ones), head, list, location. Objects: put, post (form), get with range, head, copy,
//! delete, delete many, list (both versions). Tagging. Multipart uploads: create, upload part, copy part, complete,
//! abort, list parts, list uploads. Presigned URLs, chunked and trailing-checksum bodies, signatures V4 and V2.
//!
//! # Not supported
//!
//! Versioning, ACLs and policies, encryption (a customer's key is refused, not ignored), lifecycle, replication,
//! notifications, object lock, virtual-hosted addressing (use path style), TLS, part numbers with gaps, entity tags of
//! single parts in listings. A crash while a multipart upload is being *completed* may cost the upload, never the
//! object that is there.
//!
//! # The folder
//!
//! | | |
//! |---|---|
//! | `records/BUCKET/KEY=.json` | what an object is: its version, size, entity tag, time, tags |
//! | `versions/BUCKET/VERSION` | its bytes, and beside `BUCKET` its headers and checksums |
//! | `uploads/ID.json` | a multipart upload in progress |
//! | `unsettled/VERSION` | a version that may have to be removed at the next start |
//! | `scratch/` | files on their way; emptied at start |
//! | `lock` | held while the folder is served: one process at a time |
//!
//! To keep a copy of it, copy the folder while the server is stopped, or read everything through S3.
//!
//! # Logs
//!
//! `s3s` and `s3s-fs` open tracing spans with whole requests in them, signatures included: show them from level `warn`.
#![allow(rustdoc::private_intra_doc_links, reason = "the story of this crate is in its private modules")]

mod access;
mod body;
mod durable;
mod failure;
mod key_path;
mod listing;
mod part_checksum;
mod preconditions;
mod protocol;
mod records;
mod server;
mod storage;
mod tags;
mod uploads;
mod versions;

pub use access::Access;
pub use server::{EmbeddedS3, Running, StartError};
