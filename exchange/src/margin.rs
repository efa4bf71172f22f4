//! Buying on credit and selling short in the United States: what a broker wants to see, and what it charges.

use crate::dated::{Since, in_force};
use chrono::NaiveDate;
use domain::{Currency, Quote};
use rust_decimal::Decimal;

/// A decimal as (mantissa, scale).
type Number = (i64, u32);

/// A dated number without a second row so far.
const LATER: &[Since<Number>] = &[];

/// Part of a purchase that must be the account's own money (Regulation T, 12 CFR 220.12: 50 % since 1974-01-03).
const INITIAL_FIRST: Number = (50, 2);
/// Part of the worth of shares held that must stay its own (FINRA rule 4210(c)(1)).
const MAINTENANCE_FIRST: Number = (25, 2);
/// What must lie in the account for each dollar sold short (Regulation T: 150 %, of which the proceeds are 100).
const SHORT_INITIAL_FIRST: Number = (150, 2);
/// Part of the worth of shares sold short that must stay its own (FINRA rule 4210(c)(3), shares of 5 USD and more).
const SHORT_MAINTENANCE_FIRST: Number = (30, 2);
/// Least equity that buys on credit or sells short, in USD (FINRA rule 4210(b)(4)).
const EQUITY_MIN_FIRST: Number = (2_000, 0);
/// The simulator's own tariff: interest a year on what is owed.
const DEBIT_INTEREST_FIRST: Number = (8, 2);
/// The simulator's own tariff: fee a year on the worth of borrowed shares. Every share that is quoted can be borrowed.
const BORROW_FEE_FIRST: Number = (3, 2);
/// Days of a year by which both are counted, as is usual for dollars.
const DAYS_A_YEAR: i64 = 360;
/// Part of the last close below which a share's price test begins (SEC rule 201 of Regulation SHO: a fall of 10 %).
const PRICE_TEST_FIRST: Number = (90, 2);

/// What is wanted on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarginRules {
    /// Part of the worth of new long positions that must be the account's own.
    pub initial: Decimal,
    /// Part of the worth of long positions that must stay its own.
    pub maintenance: Decimal,
    /// What must lie there for each dollar of new short positions, their proceeds included.
    pub short_initial: Decimal,
    /// Part of the worth of short positions that must be its own beside their proceeds.
    pub short_maintenance: Decimal,
    /// Least equity for either, in USD.
    pub equity_min: Decimal,
    /// Interest a year on what is owed.
    pub debit_interest: Decimal,
    /// Fee a year on the worth of borrowed shares.
    pub borrow_fee: Decimal,
}

impl MarginRules {
    /// The rules of a day.
    #[must_use]
    pub fn on(day: NaiveDate) -> Self {
        let rule = |first| {
            let (mantissa, scale) = in_force(first, LATER, day);
            Decimal::new(mantissa, scale)
        };
        Self {
            initial: rule(INITIAL_FIRST),
            maintenance: rule(MAINTENANCE_FIRST),
            short_initial: rule(SHORT_INITIAL_FIRST),
            short_maintenance: rule(SHORT_MAINTENANCE_FIRST),
            equity_min: rule(EQUITY_MIN_FIRST),
            debit_interest: rule(DEBIT_INTEREST_FIRST),
            borrow_fee: rule(BORROW_FEE_FIRST),
        }
    }

    /// What must be the account's own for each dollar of new short positions, beside their proceeds.
    #[must_use]
    pub fn short_own(&self) -> Decimal {
        self.short_initial - Decimal::ONE
    }
}

/// What an amount costs for one day at a rate a year, to the nearest minor unit; `None` beyond 28 digits.
#[must_use]
pub fn charge_a_day(amount: Decimal, rate_a_year: Decimal, currency: Currency) -> Option<Decimal> {
    let a_year = amount.checked_mul(rate_a_year)?;
    Some(currency.round(a_year.checked_div(Decimal::from(DAYS_A_YEAR))?))
}

/// Whether a share has fallen so far that it may be sold short only above the best bid. The rule holds for the rest of the
/// day and all of the next; a quote knows of its own day only, so the second day is not seen here.
#[must_use]
pub fn is_price_tested(quote: &Quote) -> bool {
    let (mantissa, scale) = in_force(PRICE_TEST_FIRST, LATER, quote.session_date);
    let floor = |close: Decimal| close.checked_mul(Decimal::new(mantissa, scale));
    let floor = quote.previous_close.and_then(|close| floor(close.value()));
    floor.is_some_and(|floor| quote.low.value().min(quote.price.value()) <= floor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_a_purchase_and_half_of_a_short_sale_must_be_there() {
        let rules = MarginRules::on(NaiveDate::from_ymd_opt(2026, 11, 23).unwrap());
        assert_eq!((rules.initial, rules.short_own()), (Decimal::new(5, 1), Decimal::new(5, 1)));
    }

    #[test]
    fn a_thousand_dollars_at_eight_percent_cost_twenty_two_cents_a_day() {
        let charge = charge_a_day(Decimal::from(1_000), Decimal::new(8, 2), Currency::Usd);
        assert_eq!(charge, Some(Decimal::new(22, 2)));
    }
}
