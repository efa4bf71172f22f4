//! The WebSocket protocol of the quote server.
//!
//! A client sends `{"action":"subscribe","symbols":["AAPL","005930.KS"]}`, the same with `unsubscribe`, or
//! `{"action":"ping"}`. The server sends objects told apart by `type`: `quote`, `status`, `error`, `pong`, and on other
//! channels than `quotes` the types of those.
//!
//! Prices in a quote are JSON numbers here, because that is the protocol its users already speak. They are written
//! from decimals digit by digit, and read back from their text, so no binary float ever stands between.

use crate::decimal;
use crate::instrument::Symbol;
use crate::money::{Currency, Price};
use crate::quote::Quote;
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

/// Most symbols in one request and on one connection.
pub const SYMBOLS_PER_CONNECTION_MAX: usize = 500;

/// What can be followed of a share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Every price with all that is known beside it.
    #[default]
    Quotes,
    /// Every price with change and volume alone, in a third of the bytes.
    Ticks,
    /// The minute that runs, once a second at most, and each minute when it is over.
    Bars,
    /// Who wants to buy and to sell at which prices, once a second at most.
    OrderBook,
}

impl Channel {
    /// Its name in the protocol.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Quotes => "quotes",
            Self::Ticks => "ticks",
            Self::Bars => "bars",
            Self::OrderBook => "order_book",
        }
    }

    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What a client may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientMessage {
    /// Send these symbols' quotes from now on, beginning with the last known value.
    Subscribe {
        /// Symbols as text: one bad name is answered by an error of its own and spoils no other.
        symbols: Vec<String>,
        /// What of them.
        #[serde(default, skip_serializing_if = "Channel::is_default")]
        channel: Channel,
    },
    /// Stop sending these.
    Unsubscribe {
        /// Symbols as text.
        symbols: Vec<String>,
        /// What of them.
        #[serde(default, skip_serializing_if = "Channel::is_default")]
        channel: Channel,
    },
    /// Answer `pong`.
    Ping,
}

/// What the server says besides quotes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum ServerNotice {
    /// Sent after connecting and after every change of the subscriptions.
    Status {
        /// Everything this connection is subscribed to, on one channel.
        subscribed: Vec<Symbol>,
        /// The channel.
        #[serde(default, skip_serializing_if = "Channel::is_default")]
        channel: Channel,
        /// Providers in use, in order of preference.
        providers: Vec<String>,
    },
    /// A request, or part of one, was refused.
    Error {
        /// Stable word: `malformed_message`, `invalid_symbol`, `unknown_symbol`, `too_many_symbols`, …
        code: String,
        /// The same for people.
        message: String,
        /// The symbol concerned, if one is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        symbol: Option<String>,
    },
    /// Answer to a ping.
    Pong,
}

/// A number kept as the digits it was written with.
#[must_use]
pub fn number(value: Decimal) -> Box<RawValue> {
    // The text of a decimal is always a JSON number; the fallback can only be reached by a defect in that text.
    RawValue::from_string(value.normalize().to_string()).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// A quote as it stands on the wire; field names and number form are the protocol's.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireQuote<'a> {
    r#type: std::borrow::Cow<'a, str>,
    symbol: Symbol,
    price: Box<RawValue>,
    change: Option<Box<RawValue>>,
    change_percent: Option<Box<RawValue>>,
    volume: u64,
    timestamp: i64,
    time: DateTime<Utc>,
    bid: Option<Box<RawValue>>,
    ask: Option<Box<RawValue>>,
    open: Box<RawValue>,
    high: Box<RawValue>,
    low: Box<RawValue>,
    previous_close: Option<Box<RawValue>>,
    currency: Currency,
    session_date: NaiveDate,
    source: std::borrow::Cow<'a, str>,
    simulated: bool,
    delayed: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    snapshot: bool,
}

/// Where a message stands among those of its share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Grows by one with each new value of the share; a client that sees it grow by more has missed some.
    pub sequence: u64,
    /// Whether this is the last known value, told to somebody who has just subscribed, and no new one.
    pub snapshot: bool,
}

/// A quote in few words, as it stands on the wire.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireTick {
    r#type: &'static str,
    symbol: Symbol,
    price: Box<RawValue>,
    change: Option<Box<RawValue>>,
    change_percent: Option<Box<RawValue>>,
    volume: u64,
    timestamp: i64,
    sequence: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    snapshot: bool,
}

/// Writes a quote in few words, for the channel `ticks`.
#[must_use]
pub fn write_tick(quote: &Quote, place: Place) -> String {
    let wire = WireTick {
        r#type: "tick",
        symbol: quote.symbol,
        price: number(quote.price.value()),
        change: quote.change().map(number),
        change_percent: quote.change_percent().map(number),
        volume: quote.volume,
        timestamp: quote.at.timestamp(),
        sequence: place.sequence,
        snapshot: place.snapshot,
    };
    serde_json::to_string(&wire).unwrap_or_default()
}

/// Writes a quote as the protocol's text.
#[must_use]
pub fn write_quote(quote: &Quote) -> String {
    write_wire_quote(quote, None)
}

/// The same, with its place among the quotes of its share.
#[must_use]
pub fn write_quote_at(quote: &Quote, place: Place) -> String {
    write_wire_quote(quote, Some(place))
}

fn write_wire_quote(quote: &Quote, place: Option<Place>) -> String {
    let price = |price: Price| number(price.value());
    let wire = WireQuote {
        r#type: "quote".into(),
        symbol: quote.symbol,
        price: price(quote.price),
        change: quote.change().map(number),
        change_percent: quote.change_percent().map(number),
        volume: quote.volume,
        timestamp: quote.at.timestamp(),
        time: quote.at,
        bid: quote.bid.map(price),
        ask: quote.ask.map(price),
        open: price(quote.open),
        high: price(quote.high),
        low: price(quote.low),
        previous_close: quote.previous_close.map(price),
        currency: quote.currency,
        session_date: quote.session_date,
        source: quote.source.as_str().into(),
        simulated: quote.simulated,
        delayed: quote.delayed,
        sequence: place.map(|place| place.sequence),
        snapshot: place.is_some_and(|place| place.snapshot),
    };
    serde_json::to_string(&wire).unwrap_or_default()
}

/// A message from the server, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerMessage {
    /// A price.
    Quote(Box<Quote>),
    /// Anything else.
    Notice(ServerNotice),
}

/// A message that does not follow the protocol.
#[derive(Debug, Error)]
pub enum ProtocolError {
    /// Not the JSON expected.
    #[error("malformed message: {0}")]
    Malformed(#[from] serde_json::Error),
    /// A price that is none.
    #[error("malformed number in field {field}: {source}")]
    Number {
        /// Which.
        field: &'static str,
        /// Why.
        source: decimal::DecimalError,
    },
}

/// Reads a message of the server.
///
/// # Errors
/// [`ProtocolError`] for anything that the protocol does not know.
pub fn read_server_message(text: &str) -> Result<ServerMessage, ProtocolError> {
    #[derive(Deserialize)]
    struct Kind<'a> {
        #[serde(borrow)]
        r#type: std::borrow::Cow<'a, str>,
    }
    if serde_json::from_str::<Kind<'_>>(text)?.r#type != "quote" {
        return Ok(ServerMessage::Notice(serde_json::from_str(text)?));
    }
    read_quote(text).map(|(quote, _)| ServerMessage::Quote(Box::new(quote)))
}

/// Reads a quote and its place, if it has one.
///
/// # Errors
/// [`ProtocolError`] for anything else.
pub fn read_quote(text: &str) -> Result<(Quote, Option<Place>), ProtocolError> {
    let wire: WireQuote<'_> = serde_json::from_str(text)?;
    let price = |field, raw: &RawValue| {
        raw.get().parse::<Price>().map_err(|source| ProtocolError::Number { field, source })
    };
    let optional =
        |field, raw: &Option<Box<RawValue>>| raw.as_deref().map(|raw| price(field, raw)).transpose();
    let place = wire.sequence.map(|sequence| Place { sequence, snapshot: wire.snapshot });
    let quote = Quote {
        symbol: wire.symbol,
        price: price("price", &wire.price)?,
        bid: optional("bid", &wire.bid)?,
        ask: optional("ask", &wire.ask)?,
        previous_close: optional("previousClose", &wire.previous_close)?,
        volume: wire.volume,
        currency: wire.currency,
        session_date: wire.session_date,
        open: price("open", &wire.open)?,
        high: price("high", &wire.high)?,
        low: price("low", &wire.low)?,
        at: wire.time,
        source: wire.source.into_owned(),
        simulated: wire.simulated,
        delayed: wire.delayed,
    };
    Ok((quote, place))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quote::tests::apple;

    #[test]
    fn a_quote_is_written_in_the_protocols_words() {
        let text = write_quote(&apple());
        assert!(
            text.starts_with(
                r#"{"type":"quote","symbol":"AAPL","price":150.25,"change":1.5,"changePercent":1.01,"volume":1000000,"timestamp":1234567890,"#
            ),
            "{text}"
        );
    }

    #[test]
    fn a_quote_is_read_back_digit_by_digit() {
        let quote = Quote {
            price: "123456789012345.678901234".parse().unwrap(),
            bid: None,
            previous_close: None,
            ..apple()
        };
        assert_eq!(read_server_message(&write_quote(&quote)).unwrap(), ServerMessage::Quote(Box::new(quote)));
    }

    #[test]
    fn a_quote_keeps_its_place() {
        for place in [Place { sequence: 7, snapshot: true }, Place { sequence: 8, snapshot: false }] {
            let text = write_quote_at(&apple(), place);
            assert_eq!(read_quote(&text).unwrap(), (apple(), Some(place)), "{text}");
        }
        assert_eq!(read_quote(&write_quote(&apple())).unwrap(), (apple(), None));
    }

    #[test]
    fn a_tick_says_a_quote_in_few_words() {
        let text = write_tick(&apple(), Place { sequence: 7, snapshot: false });
        assert_eq!(
            text,
            r#"{"type":"tick","symbol":"AAPL","price":150.25,"change":1.5,"changePercent":1.01,"volume":1000000,"timestamp":1234567890,"sequence":7}"#
        );
    }

    #[test]
    fn notices_are_read_back() {
        for notice in [
            ServerNotice::Pong,
            ServerNotice::Status {
                subscribed: vec!["AAPL".parse().unwrap()],
                providers: vec!["replay".into()],
                channel: Channel::Quotes,
            },
            ServerNotice::Error {
                code: "invalid_symbol".into(),
                message: "…".into(),
                symbol: Some("?".into()),
            },
        ] {
            let text = serde_json::to_string(&notice).unwrap();
            assert_eq!(read_server_message(&text).unwrap(), ServerMessage::Notice(notice));
        }
    }

    #[test]
    fn a_hostile_message_is_an_error() {
        for text in
            ["", "{", "[]", "null", r#"{"type":"quote"}"#, r#"{"type":"unheard of"}"#, r#"{"type":7}"#]
        {
            assert!(read_server_message(text).is_err(), "{text}");
        }
        let huge = write_quote(&apple()).replace("150.25", "1e400");
        assert!(matches!(read_server_message(&huge), Err(ProtocolError::Number { field: "price", .. })));
        let zero = write_quote(&apple()).replace("150.25", "0");
        assert!(matches!(read_server_message(&zero), Err(ProtocolError::Number { field: "price", .. })));
    }

    #[test]
    fn a_request_with_unknown_fields_is_refused() {
        assert!(
            serde_json::from_str::<ClientMessage>(r#"{"action":"subscribe","symbols":["AAPL"]}"#).is_ok()
        );
        assert!(serde_json::from_str::<ClientMessage>(r#"{"action":"ping"}"#).is_ok());
        assert!(
            serde_json::from_str::<ClientMessage>(r#"{"action":"subscribe","symbols":["AAPL"],"x":1}"#)
                .is_err()
        );
        assert!(serde_json::from_str::<ClientMessage>(r#"{"action":"steal"}"#).is_err());
    }
}
