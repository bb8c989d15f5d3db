//! The server's tests from the outside: the real application on a free port, on both databases.

mod access;
mod api;
mod command_line;
mod documents;
mod erasure;
mod feedback;
mod object_store_trouble;
mod pages;
mod replays;
mod secrets;
mod sign_in;
mod support;
