//! GourmetGram's server: one binary that takes food photos, labels them, keeps them safe in S3-compatible storage, and
//! listens to what people say about the labels.
//!
//! The way of a photo, and the only way: `http` reads it, `inference` classifies it, `intake` makes it durable in
//! `spool` and `catalog`, `outbox` carries it to the object store. Feedback changes the catalog and takes the same way.
//!
//! The crate is a library so that tests start the very application that `main` runs.

pub mod accounts;
pub mod app;
pub mod catalog;
pub mod cli;
pub mod config;
mod connections;
mod data_dir;
mod device_model;
pub mod evaluating;
pub mod export;
pub mod http;
pub mod inference;
mod intake;
pub mod keys;
pub mod label_studio;
pub mod labelling;
pub mod operator_link;
pub mod outbox;
mod phone;
pub mod pipelines;
pub mod records;
pub mod replay;
pub mod spool;
mod storage;
mod telemetry;
pub mod thumbnails;
mod tls;
