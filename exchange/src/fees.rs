//! Commissions and taxes, from dated schedules.
//!
//! Korea: the commission of a typical online broker and the securities transaction tax. United States: a per-share
//! commission of the simulator's own, and the regulatory fees that every broker passes on for sells.

use crate::dated::{Since, in_force, since};
use crate::security::Security;
use crate::sessions::settle_date;
use chrono::NaiveDate;
use domain::{Currency, Market, MoneyError, Price, Quantity, Side};
use rust_decimal::Decimal;

/// A decimal as (mantissa, scale), so that tables can be constants.
type Number = (i64, u32);

fn decimal(number: Number) -> Decimal {
    Decimal::new(number.0, number.1)
}

/// KRX commission of both sides: 0.015 % of the amount, truncated to 1 KRW (Kiwoom's online tariff).
const KRX_COMMISSION_RATE: Number = (15, 5);

/// Korean securities transaction tax with the special tax for rural development, on sells, both boards, by SETTLE
/// date: a sell of 2024-12-27 settles in 2025 and pays the rate of 2025. Funds pay none.
const KRX_TAX_RATE_FIRST: Number = (30, 4);
const KRX_TAX_RATE_LATER: &[Since<Number>] = &[
    since(2019, 6, 3, (25, 4)),
    since(2021, 1, 1, (23, 4)),
    since(2023, 1, 1, (20, 4)),
    since(2024, 1, 1, (18, 4)),
    since(2025, 1, 1, (15, 4)),
    since(2026, 1, 1, (20, 4)),
];

/// The simulator's own tariff in the United States: 0.005 USD a share, at least 1.00 USD an order, yet never more
/// than 1 % of the amount, so that a commission cannot eat a small order. Truncated to the cent.
const US_COMMISSION_PER_SHARE: Number = (5, 3);
const US_COMMISSION_MIN: Number = (1, 0);
const US_COMMISSION_RATE_MAX: Number = (1, 2);

/// SEC section 31 fee: USD per USD sold (published per million).
const SEC_RATE_FIRST: Number = (229, 7);
const SEC_RATE_LATER: &[Since<Number>] = &[
    since(2023, 2, 27, (80, 7)),
    since(2024, 5, 22, (278, 7)),
    since(2025, 5, 14, (0, 0)),
    since(2026, 4, 4, (206, 7)),
];

/// FINRA trading activity fee: (USD per share sold, most per trade).
const TAF_FIRST: (Number, Number) = ((145, 6), (727, 2));
const TAF_LATER: &[Since<(Number, Number)>] = &[
    since(2024, 1, 1, ((166, 6), (830, 2))),
    since(2026, 1, 1, ((195, 6), (979, 2))),
    since(2027, 1, 1, ((232, 6), (1161, 2))),
];

/// What trading costs, in the market's currency; both zero or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fees {
    /// The broker's commission.
    pub commission: Decimal,
    /// Taxes and regulatory fees.
    pub tax: Decimal,
}

impl Fees {
    /// Both together.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] beyond 28 digits.
    pub fn total(self) -> Result<Decimal, MoneyError> {
        self.commission.checked_add(self.tax).ok_or(MoneyError::Overflow)
    }
}

fn times(first: Decimal, second: Decimal) -> Result<Decimal, MoneyError> {
    first.checked_mul(second).ok_or(MoneyError::Overflow)
}

fn plus(first: Decimal, second: Decimal) -> Result<Decimal, MoneyError> {
    first.checked_add(second).ok_or(MoneyError::Overflow)
}

/// Commission of an order of which this much was executed so far.
fn commission(market: Market, quantity: Decimal, notional: Decimal) -> Result<Decimal, MoneyError> {
    let exact = match market {
        Market::Krx => times(notional, decimal(KRX_COMMISSION_RATE))?,
        Market::Us => {
            let per_share = times(quantity, decimal(US_COMMISSION_PER_SHARE))?;
            per_share.max(decimal(US_COMMISSION_MIN)).min(times(notional, decimal(US_COMMISSION_RATE_MAX))?)
        }
    };
    Ok(market.currency().round_down(exact))
}

/// Tax of what was executed on one trade date.
fn tax(
    security: Security,
    side: Side,
    quantity: Decimal,
    notional: Decimal,
    on: NaiveDate,
) -> Result<Decimal, MoneyError> {
    if side == Side::Buy {
        return Ok(Decimal::ZERO);
    }
    match security {
        Security::KrxFund | Security::KrxDoubleFund => Ok(Decimal::ZERO),
        Security::KrxShare => {
            let rate = in_force(KRX_TAX_RATE_FIRST, KRX_TAX_RATE_LATER, settle_date(Market::Krx, on));
            Ok(Currency::Krw.round_down(times(notional, decimal(rate))?))
        }
        Security::Us => {
            let section_31 = times(notional, decimal(in_force(SEC_RATE_FIRST, SEC_RATE_LATER, on)))?;
            let (per_share, most) = in_force(TAF_FIRST, TAF_LATER, on);
            let activity = times(quantity, decimal(per_share))?.min(decimal(most));
            plus(Currency::Usd.round_up(section_31), Currency::Usd.round_up(activity))
        }
    }
}

/// The most commission that an order of this much in total can have cost, however it was split: a bound for orders
/// whose executions happened at different prices.
///
/// # Errors
/// [`MoneyError::Overflow`] beyond 28 digits.
pub fn commission_max(market: Market, quantity: Decimal, notional: Decimal) -> Result<Decimal, MoneyError> {
    commission(market, quantity, notional)
}

/// Fees of an order executed in one piece.
///
/// # Errors
/// [`MoneyError::Overflow`] beyond 28 digits.
pub fn fees(
    security: impl Into<Security>,
    side: Side,
    price: Price,
    quantity: Quantity,
    trade_date: NaiveDate,
) -> Result<Fees, MoneyError> {
    OrderFees::new(security, side).charge(price, quantity, trade_date)
}

/// What has to be set aside for the fees of an order, given the worst price it may be executed at.
///
/// - A buy (`worst_price` is the highest): no split into executions, at whatever prices up to it, costs more.
/// - A sell (`worst_price` is the lowest): an execution at a better price may cost more than this, and then brings
///   more than that in addition. What remains of the proceeds after all fees is never less than
///   `worst_price × quantity − fees_max` when everything is executed on `trade_date`.
///
/// # Errors
/// [`MoneyError::Overflow`] beyond 28 digits.
pub fn fees_max(
    security: impl Into<Security>,
    side: Side,
    worst_price: Price,
    quantity: Quantity,
    trade_date: NaiveDate,
) -> Result<Fees, MoneyError> {
    let security = security.into();
    let minor_unit = security.market().currency().minor_unit();
    let at_worst = fees(security, side, worst_price, quantity, trade_date)?;
    Ok(match side {
        Side::Buy => at_worst,
        // One unit each: rounding may raise a fee by up to a unit more than the price raised the proceeds.
        Side::Sell => {
            Fees { commission: plus(at_worst.commission, minor_unit)?, tax: plus(at_worst.tax, minor_unit)? }
        }
    })
}

/// The running account of one order's fees.
///
/// An order is charged for what was executed in total, each execution paying the difference: minimums and roundings
/// then happen once an order and not once an execution, and no split costs more than the whole. Taxes are totalled
/// within one trade date, because their rates belong to dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderFees {
    security: Security,
    side: Side,
    quantity: Decimal,
    notional: Decimal,
    commission: Decimal,
    day: Option<DayTax>,
}

/// What one trade date saw of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
struct DayTax {
    date: NaiveDate,
    quantity: Decimal,
    notional: Decimal,
    tax: Decimal,
}

impl OrderFees {
    /// An order of which nothing was executed yet.
    #[must_use]
    pub fn new(security: impl Into<Security>, side: Side) -> Self {
        Self {
            security: security.into(),
            side,
            quantity: Decimal::ZERO,
            notional: Decimal::ZERO,
            commission: Decimal::ZERO,
            day: None,
        }
    }

    /// Charges one more execution and says what it costs. After an error nothing has changed.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] beyond 28 digits.
    pub fn charge(
        &mut self,
        price: Price,
        quantity: Quantity,
        trade_date: NaiveDate,
    ) -> Result<Fees, MoneyError> {
        let amount = price.notional(quantity.value())?;
        let total_quantity = plus(self.quantity, quantity.value())?;
        let total_notional = plus(self.notional, amount)?;
        let total_commission = commission(self.security.market(), total_quantity, total_notional)?;

        let nothing =
            DayTax { date: trade_date, quantity: Decimal::ZERO, notional: Decimal::ZERO, tax: Decimal::ZERO };
        let before = self.day.clone().filter(|day| day.date == trade_date).unwrap_or(nothing);
        let day_quantity = plus(before.quantity, quantity.value())?;
        let day_notional = plus(before.notional, amount)?;
        let day_tax = tax(self.security, self.side, day_quantity, day_notional, trade_date)?;

        let charged = Fees { commission: total_commission - self.commission, tax: day_tax - before.tax };
        self.quantity = total_quantity;
        self.notional = total_notional;
        self.commission = total_commission;
        self.day =
            Some(DayTax { date: trade_date, quantity: day_quantity, notional: day_notional, tax: day_tax });
        Ok(charged)
    }
}

/// Fees of one more execution of an order, given its earlier ones as (price, quantity, trade date), oldest first.
///
/// # Errors
/// [`MoneyError::Overflow`] beyond 28 digits.
pub fn fees_for_fill(
    security: impl Into<Security>,
    side: Side,
    filled_before: &[(Price, Quantity, NaiveDate)],
    price: Price,
    quantity: Quantity,
    trade_date: NaiveDate,
) -> Result<Fees, MoneyError> {
    let mut order = OrderFees::new(security, side);
    for (price, quantity, date) in filled_before {
        order.charge(*price, *quantity, *date)?;
    }
    order.charge(price, quantity, trade_date)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cost(market: Market, side: Side, price: &str, quantity: &str, on: &str) -> (String, String) {
        let fees = fees(market, side, price.parse().unwrap(), quantity.parse().unwrap(), on.parse().unwrap())
            .unwrap();
        (fees.commission.normalize().to_string(), fees.tax.normalize().to_string())
    }

    fn pair(commission: &str, tax: &str) -> (String, String) {
        (commission.to_owned(), tax.to_owned())
    }

    #[test]
    fn korean_fees_are_truncated_to_a_won() {
        assert_eq!(cost(Market::Krx, Side::Buy, "70100", "3", "2026-11-20"), pair("31", "0"));
        assert_eq!(cost(Market::Krx, Side::Sell, "70100", "3", "2026-11-20"), pair("31", "420"));
        assert_eq!(cost(Market::Krx, Side::Sell, "158200", "1", "2024-06-03"), pair("23", "284"));
    }

    #[test]
    fn the_korean_tax_goes_by_the_day_of_settlement() {
        let taxed = |on| cost(Market::Krx, Side::Sell, "100000", "10", on).1;
        assert_eq!(taxed("2023-06-01"), "2000");
        assert_eq!(taxed("2024-12-26"), "1800");
        assert_eq!(taxed("2024-12-27"), "1500");
        assert_eq!(taxed("2025-12-26"), "1500");
        assert_eq!(taxed("2025-12-29"), "2000", "settles on 2026-01-02");
    }

    #[test]
    fn a_fund_pays_no_tax_and_the_same_commission() {
        let fund: domain::Symbol = "069500.KS".parse().unwrap();
        let (price, quantity) = ("40005".parse().unwrap(), "100".parse().unwrap());
        let sold = fees(fund, Side::Sell, price, quantity, "2026-11-20".parse().unwrap()).unwrap();
        assert_eq!(sold, Fees { commission: Decimal::from(600), tax: Decimal::ZERO });
    }

    #[test]
    fn american_commission_is_per_share_with_a_floor_and_a_ceiling() {
        assert_eq!(cost(Market::Us, Side::Buy, "150.25", "10", "2026-11-20"), pair("1", "0"));
        assert_eq!(cost(Market::Us, Side::Buy, "150.25", "1000", "2026-11-20"), pair("5", "0"));
        assert_eq!(cost(Market::Us, Side::Buy, "0.50", "10", "2026-11-20"), pair("0.05", "0"));
    }

    #[test]
    fn american_sells_pay_the_regulatory_fees_of_their_day() {
        let taxed = |quantity, on| cost(Market::Us, Side::Sell, "100", quantity, on).1;
        // 1,000,000 USD and 10,000 shares.
        assert_eq!(taxed("10000", "2025-05-13"), "29.46");
        assert_eq!(taxed("10000", "2025-05-14"), "1.66");
        assert_eq!(taxed("10000", "2026-04-04"), "22.55");
        assert_eq!(taxed("1", "2026-11-20"), "0.02", "each fee is rounded up to the cent");
        assert_eq!(taxed("100000", "2026-11-20"), "215.79", "the activity fee has a cap");
    }

    #[test]
    fn a_split_order_pays_the_minimum_once() {
        let on = "2026-11-20".parse().unwrap();
        let (price, quantity) = ("150".parse().unwrap(), "10".parse().unwrap());
        let first = fees_for_fill(Market::Us, Side::Buy, &[], price, quantity, on).unwrap();
        let second =
            fees_for_fill(Market::Us, Side::Buy, &[(price, quantity, on)], price, quantity, on).unwrap();
        assert_eq!((first.commission, second.commission), (Decimal::ONE, Decimal::ZERO));
    }

    fn a_split() -> impl Strategy<Value = Vec<(u32, u32)>> {
        prop::collection::vec((1u32..5_000, 0u32..2_000), 1..12)
    }

    proptest! {
        /// Parts of (shares, ticks better than the worst price).
        #[test]
        fn no_split_of_a_buy_costs_more_than_was_set_aside(parts in a_split(), base in 2_100u32..900_000, days in 0u64..3, krx: bool) {
            let (market, scale) = if krx { (Market::Krx, 0) } else { (Market::Us, 2) };
            let on: NaiveDate = "2026-11-20".parse().unwrap();
            let worst = Price::new(Decimal::new(base.into(), scale)).unwrap();
            let whole = Quantity::new(parts.iter().map(|part| Decimal::from(part.0)).sum()).unwrap();
            let set_aside = fees_max(market, Side::Buy, worst, whole, on).unwrap();
            let mut order = OrderFees::new(market, Side::Buy);
            let mut paid = Fees::default();
            for (index, (shares, better)) in parts.iter().enumerate() {
                let price = Price::new(worst.value() - Decimal::new(i64::from(*better), scale)).unwrap();
                let date = on + chrono::Days::new(days * u64::try_from(index).unwrap());
                let fees = order.charge(price, Quantity::new((*shares).into()).unwrap(), date).unwrap();
                prop_assert!(fees.commission >= Decimal::ZERO && fees.tax >= Decimal::ZERO);
                paid = Fees { commission: paid.commission + fees.commission, tax: paid.tax + fees.tax };
                prop_assert!(paid.commission <= set_aside.commission && paid.tax <= set_aside.tax);
            }
        }

        #[test]
        fn a_sell_leaves_at_least_what_was_promised(parts in a_split(), base in 1u32..900_000, krx: bool) {
            let (market, scale) = if krx { (Market::Krx, 0) } else { (Market::Us, 2) };
            let on: NaiveDate = "2026-11-20".parse().unwrap();
            let worst = Price::new(Decimal::new(base.into(), scale)).unwrap();
            let whole = Quantity::new(parts.iter().map(|part| Decimal::from(part.0)).sum()).unwrap();
            let promised = worst.notional(whole.value()).unwrap()
                - fees_max(market, Side::Sell, worst, whole, on).unwrap().total().unwrap();
            let mut order = OrderFees::new(market, Side::Sell);
            let mut left = Decimal::ZERO;
            for (shares, better) in parts {
                let price = Price::new(worst.value() + Decimal::new(better.into(), scale)).unwrap();
                let quantity = Quantity::new(shares.into()).unwrap();
                let fees = order.charge(price, quantity, on).unwrap();
                prop_assert!(fees.commission >= Decimal::ZERO && fees.tax >= Decimal::ZERO);
                left += price.notional(quantity.value()).unwrap() - fees.total().unwrap();
            }
            prop_assert!(left >= promised, "{left} < {promised}");
        }

        #[test]
        fn the_parts_of_a_day_cost_what_the_whole_costs(shares in prop::collection::vec(1u32..5_000, 1..10), cents in 1u32..900_000, sell: bool, krx: bool) {
            let (market, scale) = if krx { (Market::Krx, 0) } else { (Market::Us, 2) };
            let side = if sell { Side::Sell } else { Side::Buy };
            let on: NaiveDate = "2026-11-20".parse().unwrap();
            let price = Price::new(Decimal::new(cents.into(), scale)).unwrap();
            let whole = Quantity::new(shares.iter().map(|part| Decimal::from(*part)).sum()).unwrap();
            let expected = fees(market, side, price, whole, on).unwrap();
            let mut order = OrderFees::new(market, side);
            let mut paid = Decimal::ZERO;
            for part in shares {
                paid += order.charge(price, Quantity::new(part.into()).unwrap(), on).unwrap().total().unwrap();
            }
            prop_assert_eq!(paid, expected.total().unwrap());
        }
    }
}
