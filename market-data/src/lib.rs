//! The quote server: takes prices in from providers, keeps back what cannot be believed, and fans the rest out over
//! WebSocket and REST.
//!
//! It knows no users, no orders and no money. A quote's way: `provider` -> `feed` (judged by `sanity`) -> `hub`
//! (written and framed once) -> each subscriber's mailbox -> `connection` (one write for all that waits). Redis is a cache beside that way, never in it.

pub mod bars;
pub mod cache;
pub mod grid;
pub mod hub;
pub mod instruments;
pub mod provider;
pub mod random;
pub mod sanity;
pub mod settings;

mod allowance;
mod bearer;
mod book;
mod calendar;
mod client;
mod connection;
mod feed;
mod frame;
mod group;
mod history;
mod line;
mod lookup;
mod mailbox;
mod metrics;
mod minute;
mod play;
mod problem;
mod quarantine;
mod query;
mod recorder;
mod routes;
mod search;
mod server;
mod startup;
mod wakers;
mod witness;

pub use settings::Settings;
pub use startup::Application;
