//! Daily price limits: how far from the base price an order may go.

use crate::dated::{Since, in_force, since};
use crate::security::Security;
use crate::ticks::nearest_legal;
use chrono::NaiveDate;
use domain::{Market, Price};
use rust_decimal::Decimal;

/// KRX limit in percent before 2015-06-15. A fund that moves by twice its index has twice the limit, before (30 %, as the
/// exchange said on 2011-08-09) and since (60 %, press of 2024-05-21 quoting KRX).
const KRX_PERCENT_FIRST: i64 = 15;
const KRX_PERCENT_LATER: &[Since<i64>] = &[since(2015, 6, 15, 30)];

/// The lowest and the highest price of the day for a base price (the adjusted close before), or `None` where the
/// market has no fixed daily limit.
///
/// Each is rounded toward the base to a legal price. First days of trading and delistings have other limits and are
/// not known here.
#[must_use]
pub fn price_limits(security: impl Into<Security>, base: Price, on: NaiveDate) -> Option<(Price, Price)> {
    let security = security.into();
    if security.market() != Market::Krx {
        return None;
    }
    let multiple = if security == Security::KrxDoubleFund { 2 } else { 1 };
    let percent = Decimal::from(in_force(KRX_PERCENT_FIRST, KRX_PERCENT_LATER, on) * multiple);
    let ratio = percent.checked_div(Decimal::ONE_HUNDRED)?;
    let lowest = Price::new(base.value().checked_mul(Decimal::ONE - ratio)?.round_dp(4)).ok()?;
    let highest = Price::new(base.value().checked_mul(Decimal::ONE + ratio)?.round_dp(4)).ok()?;
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
    fn the_united_states_have_none() {
        assert_eq!(price_limits(Market::Us, "150.25".parse().unwrap(), "2026-11-20".parse().unwrap()), None);
    }
}
