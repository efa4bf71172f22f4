//! How old a price may be before nothing is decided by it.

use crate::sessions::{market_day, regular_close, regular_open};
use chrono::{DateTime, TimeDelta, Utc};
use domain::Quote;

/// Oldest quote of a live source that anything is decided by.
pub const LIVE_QUOTE_AGE_MAX: TimeDelta = TimeDelta::minutes(2);
/// The same for a source that holds prices back: fifteen minutes for most markets, twenty for Korea's at Yahoo (general knowledge,
/// unverified), and five more because it is asked now and then and no share trades all the time.
pub const DELAYED_QUOTE_AGE_MAX: TimeDelta = TimeDelta::minutes(25);

/// The oldest that a quote of its kind may be.
#[must_use]
pub const fn quote_age_max(quote: &Quote) -> TimeDelta {
    if quote.delayed { DELAYED_QUOTE_AGE_MAX } else { LIVE_QUOTE_AGE_MAX }
}

/// How old a quote is, where it is too old for the moment: in the regular session prices keep coming, so one that is older
/// than its kind may be, with a session that has been open for as long, is not the market's price any more. Outside the
/// regular session the last price is the price, however old.
#[must_use]
pub fn stale_age(quote: &Quote, now: DateTime<Utc>) -> Option<TimeDelta> {
    let market = quote.symbol.market();
    let today = market_day(market, now);
    let opened = regular_open(market, today).filter(|open| *open <= now)?;
    regular_close(market, today).filter(|close| now < *close)?;
    let unheard = now - quote.at.max(opened);
    (unheard > quote_age_max(quote)).then(|| now - quote.at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Price;

    fn quote(delayed: bool, at: DateTime<Utc>) -> Quote {
        let price: Price = "100".parse().unwrap();
        let symbol: domain::Symbol = "AAPL".parse().unwrap();
        Quote {
            symbol,
            price,
            bid: None,
            ask: None,
            previous_close: None,
            volume: 0,
            currency: symbol.currency(),
            session_date: at.date_naive(),
            open: price,
            high: price,
            low: price,
            at,
            source: "test".to_owned(),
            simulated: false,
            delayed,
        }
    }

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn in_the_session_a_price_ages_and_outside_it_does_not() {
        // New York trades from 14:30 to 21:00 UTC in November.
        let last = time("2026-11-20T18:00:00Z");
        for (delayed, fresh, stale) in [
            (false, "2026-11-20T18:02:00Z", "2026-11-20T18:02:01Z"),
            (true, "2026-11-20T18:25:00Z", "2026-11-20T18:25:01Z"),
        ] {
            assert_eq!(stale_age(&quote(delayed, last), time(fresh)), None, "{delayed}");
            assert!(stale_age(&quote(delayed, last), time(stale)).is_some(), "{delayed}");
        }
        let hours = Some(TimeDelta::hours(2));
        assert_eq!(stale_age(&quote(false, last), time("2026-11-20T20:00:00Z")), hours);
        for closed in ["2026-11-20T21:00:00Z", "2026-11-21T18:00:00Z", "2026-11-23T14:29:59Z"] {
            assert_eq!(stale_age(&quote(false, last), time(closed)), None, "{closed}");
        }
    }

    #[test]
    fn the_first_prices_of_a_session_are_waited_for() {
        let friday = time("2026-11-20T21:00:00Z");
        assert_eq!(
            stale_age(&quote(true, friday), time("2026-11-23T14:55:00Z")),
            None,
            "held back until then"
        );
        assert!(stale_age(&quote(true, friday), time("2026-11-23T14:55:01Z")).is_some());
    }
}
