//! The minute that runs, put together from quotes as they come. Pure: quotes and their own times decide everything.

use crate::bars::TimedBar;
use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use domain::market_data::{Place, number};
use domain::{Currency, Price, Quote, Symbol};
use serde::Serialize;
use serde_json::value::RawValue;

/// A quote of a minute that is over may still come for so long.
pub(crate) const LATE_QUOTE_MAX: TimeDelta = TimeDelta::seconds(1);

/// The prices of one minute so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Minute {
    starts_at: DateTime<Utc>,
    open: Price,
    high: Price,
    low: Price,
    close: Price,
    /// Shares traded in the minute.
    volume: u64,
}

fn minute_of(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::minutes(1)).unwrap_or(at)
}

impl Minute {
    /// The minute that a quote begins. What was traded since the quote before it counts, when that is of the same session.
    pub(crate) fn begin(quote: &Quote, before: Option<&Quote>) -> Self {
        let traded_before = match before {
            Some(before) if before.session_date == quote.session_date => before.volume,
            // Nobody knows how much of a running session's volume belongs to this minute.
            _ => quote.volume,
        };
        Self {
            starts_at: minute_of(quote.at),
            open: quote.price,
            high: quote.price,
            low: quote.price,
            close: quote.price,
            volume: quote.volume.saturating_sub(traded_before),
        }
    }

    /// Takes a quote in; the minute that the quote begins, when this one is over.
    pub(crate) fn take(&mut self, quote: &Quote, before: &Quote) -> Option<Self> {
        if minute_of(quote.at) > self.starts_at {
            return Some(Self::begin(quote, Some(before)));
        }
        if minute_of(quote.at) == self.starts_at {
            self.high = self.high.max(quote.price);
            self.low = self.low.min(quote.price);
            self.close = quote.price;
            if before.session_date == quote.session_date {
                self.volume = self.volume.saturating_add(quote.volume.saturating_sub(before.volume));
            }
        }
        None
    }

    /// The minute as a bar.
    pub(crate) const fn bar(&self) -> TimedBar {
        let Self { starts_at, open, high, low, close, volume } = *self;
        TimedBar { starts_at, open, high, low, close, volume }
    }

    /// Whether no quote of it will come any more.
    pub(crate) fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.starts_at + TimeDelta::minutes(1) + LATE_QUOTE_MAX <= now
    }

    /// The minute in the protocol's words; `quote` is any of its share.
    pub(crate) fn write(&self, quote: &Quote, is_final: bool, place: Place) -> String {
        let price = |price: Price| number(price.value());
        let wire = WireBar {
            r#type: "bar",
            symbol: quote.symbol,
            interval: "1m",
            starts_at: self.starts_at,
            open: price(self.open),
            high: price(self.high),
            low: price(self.low),
            close: price(self.close),
            volume: self.volume,
            is_final,
            currency: quote.currency,
            source: &quote.source,
            simulated: quote.simulated,
            delayed: quote.delayed,
            sequence: place.sequence,
            snapshot: place.snapshot,
        };
        serde_json::to_string(&wire).unwrap_or_default()
    }
}

/// The running minute of a share, and what its followers know of it.
pub(crate) struct Running {
    minute: Minute,
    /// Something has changed since it was last told.
    changed: bool,
    /// It was told that it is over.
    closed: bool,
    /// How many bars were told, the last one's number.
    pub(crate) sequence: u64,
}

impl Running {
    pub(crate) fn begin(quote: &Quote, before: Option<&Quote>, sequence: u64) -> Self {
        Self { minute: Minute::begin(quote, before), changed: true, closed: false, sequence }
    }

    /// Takes a quote in; the minute that it ended, when nobody has told so yet.
    pub(crate) fn take(&mut self, quote: &Quote, before: &Quote) -> Option<Minute> {
        self.changed = true;
        let next = self.minute.take(quote, before)?;
        let ended = std::mem::replace(&mut self.minute, next);
        let told = std::mem::replace(&mut self.closed, false);
        (!told).then_some(ended)
    }

    /// The minute when there is something to tell about it, and whether it is over.
    pub(crate) fn news(&mut self, now: DateTime<Utc>) -> Option<(&Minute, bool)> {
        let is_over = self.minute.is_over(now);
        let is_news = !self.closed && (self.changed || is_over);
        self.changed = false;
        self.closed |= is_over;
        is_news.then_some((&self.minute, is_over))
    }

    /// The minute as it stands, for whoever joins.
    pub(crate) const fn minute(&self) -> (&Minute, bool) {
        (&self.minute, self.closed)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireBar<'a> {
    r#type: &'static str,
    symbol: Symbol,
    interval: &'static str,
    starts_at: DateTime<Utc>,
    open: Box<RawValue>,
    high: Box<RawValue>,
    low: Box<RawValue>,
    close: Box<RawValue>,
    volume: u64,
    #[serde(rename = "final")]
    is_final: bool,
    currency: Currency,
    source: &'a str,
    simulated: bool,
    delayed: bool,
    sequence: u64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    snapshot: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sanity::tests::{price, quote};

    fn at(text: &str, value: &str, volume: u64) -> Quote {
        Quote { at: text.parse().unwrap(), price: price(value), volume, ..quote() }
    }

    #[test]
    fn a_minute_keeps_its_first_highest_lowest_and_last_price() {
        let quotes = [
            at("2026-11-20T15:00:01Z", "150", 1_000),
            at("2026-11-20T15:00:20Z", "151", 1_100),
            at("2026-11-20T15:00:40Z", "149", 1_150),
            at("2026-11-20T15:00:59.9Z", "150.5", 1_175),
        ];
        let mut minute = Minute::begin(&quotes[0], None);
        for pair in quotes.windows(2) {
            assert_eq!(minute.take(&pair[1], &pair[0]), None);
        }
        let text = minute.write(&quotes[3], true, Place { sequence: 3, snapshot: false });
        assert!(text.contains(r#""startsAt":"2026-11-20T15:00:00Z","open":150,"high":151,"low":149,"close":150.5,"volume":175,"final":true"#), "{text}");

        let next = at("2026-11-20T15:01:00Z", "152", 1_200);
        let begun = minute.take(&next, &quotes[3]).unwrap();
        assert_eq!((begun.open, begun.volume), (price("152"), 25));
    }

    #[test]
    fn a_minute_is_told_when_it_changes_and_once_when_it_is_over() {
        let first = at("2026-11-20T15:00:01Z", "150", 1_000);
        let mut running = Running::begin(&first, None, 0);
        let told = |running: &mut Running, now: &str| {
            running.news(now.parse().unwrap()).map(|(_, is_final)| is_final)
        };
        assert_eq!(told(&mut running, "2026-11-20T15:00:02Z"), Some(false));
        assert_eq!(told(&mut running, "2026-11-20T15:00:03Z"), None);
        assert_eq!(told(&mut running, "2026-11-20T15:01:02Z"), Some(true));
        assert_eq!(told(&mut running, "2026-11-20T15:01:03Z"), None);
        let next = at("2026-11-20T15:03:00Z", "151", 1_100);
        assert_eq!(running.take(&next, &first), None, "its end was told already");
        let last = at("2026-11-20T15:04:00Z", "152", 1_100);
        assert_eq!(running.take(&last, &next).unwrap().close, price("151"));
    }

    #[test]
    fn a_quote_of_a_minute_that_is_over_changes_nothing() {
        let first = at("2026-11-20T15:01:00Z", "150", 1_000);
        let mut minute = Minute::begin(&first, None);
        let before = minute.clone();
        assert_eq!(minute.take(&at("2026-11-20T15:00:59Z", "99", 2_000), &first), None);
        assert_eq!(minute, before);
        assert!(!minute.is_over("2026-11-20T15:02:00Z".parse().unwrap()));
        assert!(minute.is_over("2026-11-20T15:02:01Z".parse().unwrap()));
    }
}
