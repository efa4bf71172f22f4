//! The connector as its callers see it: the real application, a real Postgres, a real WebSocket.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod connector;
mod database;
mod quote_server;

mod alpaca;
mod conformance;
mod http;
mod kiwoom;
mod neighbours;
mod orders;
mod recovery;
mod simulation;
mod terms;
mod waits;
