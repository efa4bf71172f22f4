//! Quotes and bars: what a market says about a share.

use crate::instrument::Symbol;
use crate::money::{Currency, Price};
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// The latest word on one share, checked: a value of this type may be traded on, except for its age.
///
/// As JSON inside Gaemi (REST between the processes, Redis) prices are strings. The public WebSocket writes them as
/// JSON numbers instead: see [`crate::market_data`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Quote {
    /// What is quoted.
    pub symbol: Symbol,
    /// Last trade.
    pub price: Price,
    /// Best price to sell at, if the source has one.
    pub bid: Option<Price>,
    /// Best price to buy at, if the source has one.
    pub ask: Option<Price>,
    /// Close of the session before; adjusted for a split that took effect since.
    pub previous_close: Option<Price>,
    /// Shares traded in the session so far.
    pub volume: u64,
    /// Currency of all prices here.
    pub currency: Currency,
    /// The trading day the price belongs to. In a replay this is the recorded day, long past.
    pub session_date: NaiveDate,
    /// Open of the session so far.
    pub open: Price,
    /// High of the session so far.
    pub high: Price,
    /// Low of the session so far.
    pub low: Price,
    /// When the price was current, by the wall clock; in a replay, when it was played.
    pub at: DateTime<Utc>,
    /// Name of the provider.
    pub source: String,
    /// Whether the price is invented (a random walk) instead of taken from a market.
    pub simulated: bool,
    /// Whether the source holds prices back (typically fifteen minutes) or plays recorded ones.
    pub delayed: bool,
}

impl Quote {
    /// Difference from the close before, in the quote's currency.
    #[must_use]
    pub fn change(&self) -> Option<Decimal> {
        self.previous_close.map(|close| (self.price.value() - close.value()).normalize())
    }

    /// Difference from the close before in percent, two digits.
    #[must_use]
    pub fn change_percent(&self) -> Option<Decimal> {
        let close = self.previous_close?.value();
        let ratio = (self.price.value() - close).checked_div(close)?;
        Some((ratio * Decimal::ONE_HUNDRED).round_dp(2).normalize())
    }

    /// What a buyer pays now: the ask, or the last price where there is none.
    #[must_use]
    pub fn price_to_buy(&self) -> Price {
        self.ask.unwrap_or(self.price)
    }

    /// What a seller gets now: the bid, or the last price where there is none.
    #[must_use]
    pub fn price_to_sell(&self) -> Price {
        self.bid.unwrap_or(self.price)
    }
}

/// The prices of one trading day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bar {
    /// The trading day.
    pub date: NaiveDate,
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Shares traded.
    pub volume: u64,
}

impl Bar {
    /// Whether the four prices can be those of one day: low ≤ open, close ≤ high.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        self.low <= self.open && self.low <= self.close && self.open <= self.high && self.close <= self.high
    }
}

/// A share that can be quoted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Instrument {
    /// Its symbol.
    pub symbol: Symbol,
    /// Name in English.
    pub name: String,
    /// Name in Korean.
    pub name_korean: String,
    /// Currency of its prices.
    pub currency: Currency,
    /// Provider that serves it now.
    pub source: String,
    /// Whether its prices are invented.
    pub simulated: bool,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn apple() -> Quote {
        Quote {
            symbol: "AAPL".parse().unwrap(),
            price: "150.25".parse().unwrap(),
            bid: Some("150.24".parse().unwrap()),
            ask: Some("150.26".parse().unwrap()),
            previous_close: Some("148.75".parse().unwrap()),
            volume: 1_000_000,
            currency: Currency::Usd,
            session_date: NaiveDate::from_ymd_opt(2013, 3, 1).unwrap(),
            open: "149".parse().unwrap(),
            high: "151".parse().unwrap(),
            low: "148.5".parse().unwrap(),
            at: DateTime::from_timestamp_millis(1_234_567_890_123).unwrap(),
            source: "replay".to_owned(),
            simulated: false,
            delayed: true,
        }
    }

    #[test]
    fn the_change_is_measured_from_the_close_before() {
        assert_eq!(apple().change().unwrap().to_string(), "1.5");
        assert_eq!(apple().change_percent().unwrap().to_string(), "1.01");
        assert_eq!(Quote { previous_close: None, ..apple() }.change(), None);
    }
}
