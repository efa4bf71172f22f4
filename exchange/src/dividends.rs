//! Cash dividends and the tax that is withheld of them.

use crate::dated::{Since, in_force};
use chrono::NaiveDate;
use domain::{Currency, Market};
use rust_decimal::Decimal;

/// A rate as (mantissa, scale).
type Rate = (i64, u32);

/// Korea withholds 14 % income tax of dividends and a tenth of that for the municipality (Income Tax Act, article 129).
const KRX_FIRST: Rate = (154, 3);
/// The United States withhold 15 % of dividends to residents of Korea (tax convention of 1976, article 12); Korea, whose
/// own rate is lower, then withholds nothing.
const US_FIRST: Rate = (15, 2);
const LATER: &[Since<Rate>] = &[];

/// The part of a dividend that is withheld for a trader who lives in Korea.
#[must_use]
pub fn withholding_rate(market: Market, on: NaiveDate) -> Decimal {
    let first = match market {
        Market::Krx => KRX_FIRST,
        Market::Us => US_FIRST,
    };
    let (mantissa, scale) = in_force(first, LATER, on);
    Decimal::new(mantissa, scale)
}

/// What shares bring at so much each, and what is withheld of it: both in whole minor units, the tax truncated. `None`
/// beyond 28 digits.
#[must_use]
pub fn dividend(
    quantity: Decimal,
    amount_per_share: Decimal,
    rate: Decimal,
    currency: Currency,
) -> Option<(Decimal, Decimal)> {
    let gross = currency.round(quantity.checked_mul(amount_per_share)?);
    Some((gross, currency.round_down(gross.checked_mul(rate)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_quarter_of_samsung_is_taxed_as_korea_does() {
        let rate = withholding_rate(Market::Krx, NaiveDate::default());
        let paid = dividend(Decimal::from(7), Decimal::from(361), rate, Currency::Krw);
        assert_eq!(paid, Some((Decimal::from(2_527), Decimal::from(389))));
    }

    proptest! {
        #[test]
        fn no_tax_is_more_than_its_dividend(shares in 0u32..1_000_000, mills in 0u32..1_000_000, rate in 0u32..=1_000) {
            let rate = Decimal::new(rate.into(), 3);
            let each = Decimal::new(mills.into(), 3);
            let (gross, withheld) = dividend(shares.into(), each, rate, Currency::Usd).unwrap();
            prop_assert!(withheld >= Decimal::ZERO && withheld <= gross);
            prop_assert!(gross.scale() <= 2 && withheld.scale() <= 2);
            prop_assert!((gross * rate - withheld) < Decimal::new(1, 2));
        }
    }
}
