//! The connector as its callers see it: the real application, a real Postgres, a real WebSocket.

mod connector;
mod database;
mod quote_server;

mod http;
mod orders;
mod recovery;
