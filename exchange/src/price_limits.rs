//! Daily price limits: how far from the base price an order may go.

use crate::dated::{Since, in_force, since};
use crate::ticks::nearest_legal;
use chrono::NaiveDate;
use domain::{Market, Price};
use rust_decimal::Decimal;

/// KRX limit in percent before 2015-06-15.
const KRX_PERCENT_FIRST: i64 = 15;
const KRX_PERCENT_LATER: &[Since<i64>] = &[since(2015, 6, 15, 30)];

/// The lowest and the highest price of the day for a base price (the adjusted close before), or `None` where the
/// market has no fixed daily limit.
///
/// Each is rounded toward the base to a legal price. First days of trading and delistings have other limits and are
/// not known here.
#[must_use]
pub fn price_limits(market: Market, base: Price, on: NaiveDate) -> Option<(Price, Price)> {
    if market != Market::Krx {
        return None;
    }
    let percent = Decimal::from(in_force(KRX_PERCENT_FIRST, KRX_PERCENT_LATER, on));
    let ratio = percent.checked_div(Decimal::ONE_HUNDRED)?;
    let lowest = Price::new(base.value().checked_mul(Decimal::ONE - ratio)?.round_dp(4)).ok()?;
    let highest = Price::new(base.value().checked_mul(Decimal::ONE + ratio)?.round_dp(4)).ok()?;
    let (_, lower) = nearest_legal(market, lowest, on);
    let (upper, _) = nearest_legal(market, highest, on);
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
    fn the_united_states_have_none() {
        assert_eq!(price_limits(Market::Us, "150.25".parse().unwrap(), "2026-11-20".parse().unwrap()), None);
    }
}
