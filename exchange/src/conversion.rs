//! Exchanging one currency for another.

use crate::dated::{Since, in_force};
use chrono::NaiveDate;
use domain::{Currency, Money, Price};
use rust_decimal::Decimal;

/// The simulator's own tariff: 0.1 % of what is given, truncated to the minor unit. Brokers hide theirs in the rate;
/// here the rate is the caller's, so the fee stands beside it.
const FEE_RATE_FIRST: (i64, u32) = (1, 3);
const FEE_RATE_LATER: &[Since<(i64, u32)>] = &[];

/// What exchanging an amount costs, in the currency given.
#[must_use]
pub fn conversion_fee(given: Money, on: NaiveDate) -> Decimal {
    let (mantissa, scale) = in_force(FEE_RATE_FIRST, FEE_RATE_LATER, on);
    given.currency.round_down(given.amount * Decimal::new(mantissa, scale))
}

/// What an amount brings in another currency at a rate (units received for one given), rounded down to a whole minor
/// unit: never more than the rate gives. `None` beyond 28 digits.
#[must_use]
pub fn convert(amount: Decimal, rate: Price, received: Currency) -> Option<Decimal> {
    amount.checked_mul(rate.value()).map(|exact| received.round_down(exact))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_hundred_dollars_bring_what_the_rate_says() {
        let rate = "1391.55".parse().unwrap();
        assert_eq!(convert(Decimal::ONE_HUNDRED, rate, Currency::Krw), Some(Decimal::from(139_155)));
        let given = Money::new("99.99".parse().unwrap(), Currency::Usd);
        assert_eq!(conversion_fee(given, NaiveDate::default()), "0.09".parse().unwrap());
    }

    #[test]
    fn a_rate_beyond_all_reason_is_no_panic() {
        let huge: Decimal = "999999999999999".parse().unwrap();
        assert_eq!(convert(huge, Price::new(huge).unwrap(), Currency::Krw), None);
    }

    proptest! {
        #[test]
        fn there_and_back_never_makes_money(cents in 1i64..1_000_000_000_000, rate in 1i64..100_000_000_000) {
            let amount = Decimal::new(cents, 2);
            let rate = Decimal::new(rate, 6);
            let there = convert(amount, Price::new(rate).unwrap(), Currency::Krw).unwrap();
            prop_assert!(there <= amount * rate);
            prop_assert!(amount * rate - there < Decimal::ONE);
        }
    }
}
