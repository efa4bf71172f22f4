//! Order books on the stream.

use crate::provider::{Level, OrderBook};
use chrono::{DateTime, Utc};
use domain::market_data::{Place, number};
use domain::{Currency, Symbol};
use serde::Serialize;
use serde_json::value::RawValue;

#[derive(Serialize)]
struct WireLevel {
    price: Box<RawValue>,
    quantity: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireBook<'a> {
    r#type: &'static str,
    symbol: Symbol,
    bids: Vec<WireLevel>,
    asks: Vec<WireLevel>,
    time: DateTime<Utc>,
    currency: Currency,
    source: &'a str,
    simulated: bool,
    sequence: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    snapshot: bool,
}

impl OrderBook {
    /// The book in the protocol's words: prices are numbers there.
    pub(crate) fn write(&self, place: Place) -> String {
        let levels = |levels: &[Level]| {
            let wire =
                |level: &Level| WireLevel { price: number(level.price.value()), quantity: level.quantity };
            levels.iter().map(wire).collect()
        };
        let wire = WireBook {
            r#type: "order_book",
            symbol: self.symbol,
            bids: levels(&self.bids),
            asks: levels(&self.asks),
            time: self.at,
            currency: self.currency,
            source: self.source,
            simulated: self.simulated,
            sequence: place.sequence,
            snapshot: place.snapshot,
        };
        serde_json::to_string(&wire).unwrap_or_default()
    }
}
