//! Daily price limits: how far from the base price an order may go.

use crate::dated::{Since, in_force, since};
use crate::security::Security;
use crate::sessions::{market_day, regular_close};
use crate::ticks::nearest_legal;
use chrono::NaiveDate;
use domain::{Market, Price, Quote};
use rust_decimal::Decimal;

/// KRX limit in percent before 2015-06-15. A fund that moves by twice its index has twice the limit, before (30 %, as the
/// exchange said on 2011-08-09) and since (60 %, press of 2024-05-21 quoting KRX).
const KRX_PERCENT_FIRST: i64 = 15;
const KRX_PERCENT_LATER: &[Since<i64>] = &[since(2015, 6, 15, 30)];

/// KRX limits of a share's first day, in percent of the price at which it was offered: 60 to 400 since 2023-06-26 (general
/// knowledge of the rule of June 2023, its day unverified). Before, the opening auction made a price of 90 to 200 and the
/// ordinary limit held from there, so that no price could be beyond 63 to 260 (general knowledge, unverified).
const KRX_NEW_FIRST: (i64, i64) = (63, 260);
const KRX_NEW_LATER: &[Since<(i64, i64)>] = &[since(2023, 6, 26, (60, 400))];

/// The lowest and the highest price of the day for a base price (the adjusted close before), or `None` where the
/// market has no fixed daily limit.
///
/// Each is rounded toward the base to a legal price. For first days of trading see [`price_limits_of_day`]; the last days
/// before a delisting have none, which is not known here.
#[must_use]
pub fn price_limits(security: impl Into<Security>, base: Price, on: NaiveDate) -> Option<(Price, Price)> {
    let security = security.into();
    if security.market() != Market::Krx {
        return None;
    }
    let multiple = if security == Security::KrxDoubleFund { 2 } else { 1 };
    let percent = in_force(KRX_PERCENT_FIRST, KRX_PERCENT_LATER, on) * multiple;
    between(security, base, (100 - percent, 100 + percent), on)
}

/// The limits of the day that a quote tells of; `None` where there are none or the close before is not told.
///
/// No source says which share is new. On its first day of trading the base is the price at which it was offered, and where
/// the day's prices have been beyond the ordinary limits it can be no other day: from then on that day's limits hold. Until
/// then the ordinary ones do, which are narrower.
#[must_use]
pub fn price_limits_of_day(quote: &Quote, on: NaiveDate) -> Option<(Price, Price)> {
    let (security, market) = (Security::from(quote.symbol), quote.symbol.market());
    // A recorded price stands in another day's place; what it tells of is the day that counts.
    let is_of_its_time = market_day(market, quote.at) == quote.session_date;
    if is_of_its_time && on > quote.session_date {
        // The close is the next day's base, once it is known.
        let closed = regular_close(market, quote.session_date).is_some_and(|close| quote.at >= close);
        return closed.then(|| price_limits(security, quote.price, on)).flatten();
    }
    let base = quote.previous_close?;
    let ordinary = price_limits(security, base, on)?;
    let is_within = |(lowest, highest): (Price, Price)| lowest <= quote.low && quote.high <= highest;
    if security != Security::KrxShare || is_within(ordinary) {
        return Some(ordinary);
    }
    // A day beyond these as well is no first day either: its prices say nothing.
    between(security, base, in_force(KRX_NEW_FIRST, KRX_NEW_LATER, on), on)
        .filter(|limits| is_within(*limits))
        .or(Some(ordinary))
}

/// The legal prices between two percentages of a base.
fn between(
    security: Security,
    base: Price,
    (lowest, highest): (i64, i64),
    on: NaiveDate,
) -> Option<(Price, Price)> {
    let part = |percent: i64| {
        let exact = base.value().checked_mul(Decimal::from(percent))?.checked_div(Decimal::ONE_HUNDRED)?;
        Price::new(exact.round_dp(4)).ok()
    };
    let (lowest, highest) = (part(lowest)?, part(highest)?);
    let (_, lower) = nearest_legal(security, lowest, on);
    let (upper, _) = nearest_legal(security, highest, on);
    Some((lower, upper.unwrap_or(base)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(base: &str, on: &str) -> Option<(String, String)> {
        price_limits(Market::Krx, base.parse().unwrap(), on.parse().unwrap())
            .map(|(lower, upper)| (lower.to_string(), upper.to_string()))
    }

    #[test]
    fn limits_are_thirty_percent_rounded_toward_the_base() {
        assert_eq!(limits("70100", "2026-11-20"), Some(("49100".into(), "91100".into())));
        assert_eq!(limits("1999", "2026-11-20"), Some(("1400".into(), "2595".into())));
        assert_eq!(limits("10000", "2015-06-12"), Some(("8500".into(), "11500".into())));
    }

    #[test]
    fn the_limits_of_a_fund_lie_on_its_own_grid() {
        let fund: domain::Symbol = "069500.KS".parse().unwrap();
        let limits = price_limits(fund, "40005".parse().unwrap(), "2026-11-20".parse().unwrap());
        let expected = ("28005".parse().unwrap(), "52005".parse().unwrap());
        assert_eq!(limits, Some(expected));
    }

    #[test]
    fn a_fund_that_moves_by_twice_its_index_has_twice_the_limit() {
        for (symbol, on, expected) in [
            ("252670.KS", "2026-11-20", ("800", "3200")),
            ("122630.KS", "2015-06-12", ("1400", "2600")),
            ("114800.KS", "2026-11-20", ("1400", "2600")),
        ] {
            let symbol: domain::Symbol = symbol.parse().unwrap();
            let (lower, upper) = price_limits(symbol, "2000".parse().unwrap(), on.parse().unwrap()).unwrap();
            assert_eq!((lower.to_string().as_str(), upper.to_string().as_str()), expected, "{symbol} {on}");
        }
    }

    #[test]
    fn a_day_beyond_the_ordinary_limits_is_a_shares_first() {
        let price = |text: &str| text.parse::<Price>().unwrap();
        let of = |symbol: &str, low: &str, high: &str, on: &str| {
            let quote = Quote {
                symbol: symbol.parse().unwrap(),
                price: price(high),
                bid: None,
                ask: None,
                previous_close: Some(price("10000")),
                volume: 1,
                currency: domain::Currency::Krw,
                session_date: on.parse().unwrap(),
                open: price(high),
                high: price(high),
                low: price(low),
                at: "2026-11-20T01:00:00Z".parse().unwrap(),
                source: "test".to_owned(),
                simulated: false,
                delayed: false,
            };
            let limits = price_limits_of_day(&quote, on.parse().unwrap());
            limits.map(|(lower, upper)| (lower.to_string(), upper.to_string()))
        };
        for (symbol, low, high, on, expected) in [
            ("247540.KQ", "7000", "13000", "2026-11-20", ("7000", "13000")),
            ("247540.KQ", "9000", "13010", "2026-11-20", ("6000", "40000")),
            ("247540.KQ", "6990", "9000", "2023-06-26", ("6000", "40000")),
            ("247540.KQ", "9000", "20000", "2023-06-23", ("6300", "26000")),
            ("247540.KQ", "1000", "20000", "2026-11-20", ("7000", "13000")),
            ("069500.KS", "9000", "20000", "2026-11-20", ("7000", "13000")),
        ] {
            let expected = Some((expected.0.to_owned(), expected.1.to_owned()));
            assert_eq!(of(symbol, low, high, on), expected, "{symbol} {low} {high} {on}");
        }
    }

    #[test]
    fn the_close_is_the_base_of_the_next_day_once_it_is_known() {
        let price = |text: &str| text.parse::<Price>().unwrap();
        let at = |at: &str, on: &str| {
            let quote = Quote {
                symbol: "005930.KS".parse().unwrap(),
                price: price("13000"),
                bid: None,
                ask: None,
                previous_close: Some(price("10000")),
                volume: 1,
                currency: domain::Currency::Krw,
                session_date: "2026-11-20".parse().unwrap(),
                open: price("11000"),
                high: price("13000"),
                low: price("11000"),
                at: at.parse().unwrap(),
                source: "test".to_owned(),
                simulated: false,
                delayed: false,
            };
            let limits = price_limits_of_day(&quote, on.parse().unwrap());
            limits.map(|(lower, upper)| (lower.to_string(), upper.to_string()))
        };
        let of_friday = Some(("7000".to_owned(), "13000".to_owned()));
        let of_monday = Some(("9100".to_owned(), "16900".to_owned()));
        // The session closes at 06:30 UTC.
        assert_eq!(at("2026-11-20T06:00:00Z", "2026-11-20"), of_friday);
        assert_eq!(at("2026-11-20T06:29:59Z", "2026-11-23"), None);
        assert_eq!(at("2026-11-20T06:30:00Z", "2026-11-23"), of_monday);
        assert_eq!(at("2026-11-23T01:00:00Z", "2026-11-23"), of_friday, "a record in another day's place");
    }

    #[test]
    fn the_united_states_have_none() {
        assert_eq!(price_limits(Market::Us, "150.25".parse().unwrap(), "2026-11-20".parse().unwrap()), None);
    }
}
