//! The limits that an order keeps, but only just: worth a second look before it is sent. Pure.

use super::hold::Hold;
use super::judge::{AccountState, Terms};
use chrono::{DateTime, Utc};
use domain::{NewOrder, Price, Quote};
use exchange::{price_limits_of_day, trade_date};
use rust_decimal::Decimal;

/// From this part of a limit on an order comes close to it, in percent.
const NEAR_PERCENT: i64 = 90;

/// What may not be exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The cash that no open order has reserved.
    BuyingPower,
    /// The account's own equity, where it buys on credit or sells short.
    Equity,
    /// The highest price of the day.
    PriceCeiling,
    /// The lowest price of the day.
    PriceFloor,
}

/// A limit, and how much of it an order would reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NearLimit {
    /// Which one.
    pub limit: Limit,
    /// An amount of money, or a price.
    pub reached: Decimal,
    /// The same at which it ends.
    pub bound: Decimal,
}

/// Every limit that an order comes close to. What it exceeds is a reason against it and not named here.
#[must_use]
pub fn near_limits(
    order: &NewOrder,
    terms: &Terms,
    account: &AccountState,
    quote: &Quote,
    now: DateTime<Utc>,
) -> Vec<NearLimit> {
    let money = match (&account.margin, terms.hold) {
        (Some(margin), _) => {
            margin.needed_for(&terms.asked(order.side)).map(|(needed, there)| (Limit::Equity, needed, there))
        }
        (None, Hold::Cash(needed)) => Some((Limit::BuyingPower, needed, account.cash_free)),
        (None, Hold::Shares(_)) => None,
    };
    let money = money
        .filter(|(_, reached, bound)| is_near(*reached, *bound))
        .map(|(limit, reached, bound)| NearLimit { limit, reached, bound });
    money.into_iter().chain(near_price_limit(order, quote, now)).collect()
}

/// The price limit of the day that the order's price has almost come to from the close before.
fn near_price_limit(order: &NewOrder, quote: &Quote, now: DateTime<Utc>) -> Option<NearLimit> {
    let market = order.symbol.market();
    let base = quote.previous_close?;
    let (low, high) = price_limits_of_day(quote, trade_date(market, now))?;
    let fields = order.pricing.fields();
    let price = fields.limit_price.or(fields.stop_price).unwrap_or(quote.price);
    let distance = |from: Price, to: Price| to.value() - from.value();
    let near = |limit, bound: Price, reached: Decimal, most: Decimal| {
        let near = NearLimit { limit, reached: price.value(), bound: bound.value() };
        is_near(reached, most).then_some(near)
    };
    near(Limit::PriceCeiling, high, distance(base, price), distance(base, high))
        .or_else(|| near(Limit::PriceFloor, low, distance(price, base), distance(low, base)))
}

fn is_near(reached: Decimal, bound: Decimal) -> bool {
    let part = |of: Decimal, percent: i64| of.saturating_mul(Decimal::new(percent, 2));
    bound > Decimal::ZERO && reached <= bound && reached >= part(bound, NEAR_PERCENT)
}

#[cfg(test)]
mod tests;
