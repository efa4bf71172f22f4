//! The quote server as its users meet it: the real application on a free port, spoken to over real sockets.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that fails is meant to stop, and what tests share is a test too"
)]

mod archive;
mod cache;
mod channels;
mod database;
mod group;
mod hostile;
mod kiwoom;
mod rest;
mod restart;
mod search;
mod stream;
mod support;
mod vendors;
mod witness;
mod yahoo;
