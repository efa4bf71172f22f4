//! What the market itself allows, and the worst price an order can meet. Pure.

use super::judge::Denial;
use chrono::NaiveDate;
use domain::{NewOrder, Price, Pricing, Quote, Side};
use exchange::{is_on_grid, nearest_legal, price_limits, tick_size};
use rust_decimal::Decimal;

/// How far the price of a market order may move, in percent, between the check here and its execution. Beyond that
/// the order is cancelled instead of executed: what was held for it would not cover it.
pub const MARKET_ORDER_PROTECTION_PERCENT: i64 = 5;
/// Most shares of one order.
const QUANTITY_MAX: i64 = 1_000_000_000;
/// Largest notional of one order, in units of the currency: keeps every sum far inside 28 digits.
const NOTIONAL_MAX: i64 = 10_000_000_000_000;

/// The worst price the order can be executed at: its limit, or the touch moved against it by the protection.
#[must_use]
pub(super) fn worst_price(order: &NewOrder, quote: &Quote, on: NaiveDate) -> Option<Price> {
    let touch = match (order.pricing, order.side) {
        (Pricing::Limit(limit), _) => return Some(limit),
        (Pricing::Market, Side::Buy) => quote.price_to_buy().value(),
        (Pricing::Market, Side::Sell) => quote.price_to_sell().value(),
    };
    let market = order.symbol.market();
    let share = |percent: i64| touch.checked_mul(Decimal::new(percent, 2));
    let on_grid = |price: Decimal| {
        let price = Price::new(price.round_dp(domain::decimal::SCALE_MAX.try_into().ok()?)).ok()?;
        Some((price, nearest_legal(market, price, on)))
    };
    match order.side {
        Side::Buy => on_grid(share(100 + MARKET_ORDER_PROTECTION_PERCENT)?).map(|(_, (_, above))| above),
        // The cheapest shares have no legal price below; there the touch itself is the floor.
        Side::Sell => on_grid(share(100 - MARKET_ORDER_PROTECTION_PERCENT)?)
            .map(|(price, (below, _))| below.unwrap_or(price)),
    }
}

/// Every rule of the market that the order breaks.
pub(super) fn broken_rules(order: &NewOrder, quote: Option<&Quote>, on: NaiveDate) -> Vec<Denial> {
    let mut denials = Vec::new();
    if !order.quantity.is_whole() {
        denials.push(Denial::new("quantity", "whole_shares", "must be a whole number of shares"));
    }
    if order.quantity.value() > Decimal::from(QUANTITY_MAX) {
        denials.push(Denial::new("quantity", "too_large", format!("must be at most {QUANTITY_MAX}")));
    }
    if let Pricing::Limit(limit) = order.pricing {
        denials.extend(broken_price_rules(order, limit, quote, on));
    }
    denials
}

fn broken_price_rules(order: &NewOrder, limit: Price, quote: Option<&Quote>, on: NaiveDate) -> Vec<Denial> {
    let mut denials = Vec::new();
    let market = order.symbol.market();
    if !is_on_grid(market, limit, on) {
        let (below, above) = nearest_legal(market, limit, on);
        let nearest = below.map_or_else(|| above.to_string(), |below| format!("{below} or {above}"));
        let tick = tick_size(market, limit, on);
        let message = format!("must be a multiple of the tick size {}; nearest: {nearest}", tick.normalize());
        denials.push(Denial::new("limitPrice", "tick_size", message));
    }
    let base = quote.and_then(|quote| quote.previous_close);
    if let Some((low, high)) = base.and_then(|base| price_limits(market, base, on))
        && !(low..=high).contains(&limit)
    {
        let message = format!("must be between today's price limits {low} and {high}");
        denials.push(Denial::new("limitPrice", "price_limit", message));
    }
    if limit.notional(order.quantity.value()).is_ok_and(|notional| notional > Decimal::from(NOTIONAL_MAX)) {
        denials.push(Denial::new(
            "quantity",
            "too_large",
            format!("the order's value must be at most {NOTIONAL_MAX}"),
        ));
    }
    denials
}

/// Whether the worst cost of an order is beyond what the books take.
pub(super) fn is_beyond_books(worst_notional: Decimal) -> bool {
    worst_notional > Decimal::from(NOTIONAL_MAX)
}
