//! The server's tests from the outside: the real application on a free port, on both databases.

mod access;
mod api;
mod command_line;
mod connections;
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
mod plans;
mod replaying;
mod replays;
mod secrets;
mod security;
mod sign_in;
mod simulation;
mod support;
mod thumbnails;
mod tls;
mod wire;
