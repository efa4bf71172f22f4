//! What the tests of this module share.

use chrono::{DateTime, Utc};
use domain::{Price, Quote, Symbol};

/// A price that stands still.
pub(super) fn quote(symbol: &str, price: &str, at: DateTime<Utc>) -> Quote {
    let price: Price = price.parse().unwrap();
    let symbol: Symbol = symbol.parse().unwrap();
    Quote {
        symbol,
        price,
        bid: Some(price),
        ask: Some(price),
        previous_close: Some(price),
        volume: 1,
        currency: symbol.currency(),
        session_date: at.date_naive(),
        open: price,
        high: price,
        low: price,
        at,
        source: "replay".to_owned(),
        simulated: false,
        delayed: true,
    }
}
