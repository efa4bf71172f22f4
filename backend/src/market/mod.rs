//! Prices, as the quote server tells them.
//!
//! Whoever needs a price asks [`Market`]; nobody else in the backend speaks to the quote server. A symbol that was asked
//! for once is followed over the quote server's stream, so that its price is in memory the next time.
//!
//! Promises: a price handed out is the newest the quote server has told, or an error; how old it is stands in
//! `Quote::at`, and whether that is too old for a purpose is for the caller to judge.

mod client;
mod directory;
mod error;
mod memory;
mod price_steps;
mod routes;
mod service;
mod stream;

pub use error::MarketError;
pub(crate) use service::stream_request;
pub use service::{BarInterval, History, HistoryBar, HistoryRange, Market};

use crate::openapi::Routes;

/// This module's URLs.
pub fn routes(config: &mut Routes<'_>) {
    routes::all(config);
    directory::all(config);
    price_steps::all(config);
}
