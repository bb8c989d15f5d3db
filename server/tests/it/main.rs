//! The server's tests from the outside: the real application on a free port, on both databases.

mod access;
mod api;
mod campaigns;
mod command_line;
mod connections;
mod copies;
mod documents;
mod erasure;
mod explore;
mod feedback;
mod headers;
mod limits;
mod metadata;
mod object_store_trouble;
mod pages;
mod phone;
mod photos;
mod pipelines;
mod plans;
#[path = "../postgres/mod.rs"]
mod postgres;
mod replaying;
mod replays;
mod review;
mod runs;
mod secrets;
mod security;
mod selecting;
mod sign_in;
mod simulation;
mod support;
mod thumbnails;
mod tls;
mod wire;
