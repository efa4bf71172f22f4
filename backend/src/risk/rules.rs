//! What the market itself allows, and the worst price an order can meet. Pure.

use super::judge::Denial;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::terms::{Lifetime, Size, Trail};
use domain::{Market, NewOrder, Notional, Percent, Price, Pricing, Quantity, Quote, Side, Symbol};
use exchange::{
    AuctionKind, auction_for, is_on_grid, is_trading_day, nearest_legal, next_trading_day,
    price_limits_of_day, regular_close, tick_size, trading_day_before,
};
use rust_decimal::{Decimal, RoundingStrategy};

/// How far the price of a market order may move, in percent, between the check here and its execution; also how far
/// beyond its stop price a purchase that waits for one may be executed. Beyond that the order is cancelled instead of
/// executed: what was held for it would not cover it.
pub const MARKET_ORDER_PROTECTION_PERCENT: i64 = 5;
/// The same for a sale that waits for a price. It must get out also after a gap, so this only guards against a price
/// that nobody can mean.
pub const STOP_SALE_PROTECTION_PERCENT: i64 = 50;
/// Most shares of one order.
const QUANTITY_MAX: i64 = 1_000_000_000;
/// Largest notional of one order, in units of the currency: keeps every sum far inside 28 digits.
const NOTIONAL_MAX: i64 = 10_000_000_000_000;
/// Smallest amount of money that is turned into shares, or that a part of a share may cost, in units of the currency
/// (Alpaca's rule).
const NOTIONAL_MIN: i64 = 1;
/// Digits behind the point of a quantity.
const QUANTITY_DIGITS: u32 = 9;
/// Longest life of an order with a last day, in days.
const LIFETIME_DAYS_MAX: i64 = 366;
/// Digits behind the point of a trailing percentage.
const PERCENT_DIGITS: u32 = 4;

/// The quantity that is meant: as given, or what the money pays for at the order's limit or the other side of the
/// market, rounded down to nine digits. `None` when that is nothing.
pub(super) fn quantity_of(order: &NewOrder, quote: Option<&Quote>) -> Option<Quantity> {
    match order.size {
        Size::Shares(quantity) => Some(quantity),
        Size::Notional(notional) => {
            let price =
                order.pricing.limit_price().or_else(|| quote.map(|quote| touch(quote, order.side)))?;
            notional.quantity_at(price)
        }
    }
}

/// What an order of this side meets now.
fn touch(quote: &Quote, side: Side) -> Price {
    match side {
        Side::Buy => quote.price_to_buy(),
        Side::Sell => quote.price_to_sell(),
    }
}

/// The worst price an order can be executed at: its limit, or where it becomes a market order moved against it by the
/// protection.
#[must_use]
pub(super) fn worst_price(
    symbol: Symbol,
    side: Side,
    pricing: Pricing,
    quote: &Quote,
    on: NaiveDate,
) -> Option<Price> {
    let touch = touch(quote, side);
    let start = match pricing {
        Pricing::Limit(limit) | Pricing::StopLimit { limit, .. } => return Some(limit),
        Pricing::Market => touch,
        Pricing::Stop(stop) => worse(side, stop, touch),
        Pricing::TrailingStop(trail) => worse(side, trail.stop_from(side, quote.price)?, touch),
    };
    let percent = match (side, pricing.has_trigger()) {
        (Side::Buy, _) => 100 + MARKET_ORDER_PROTECTION_PERCENT,
        (Side::Sell, false) => 100 - MARKET_ORDER_PROTECTION_PERCENT,
        (Side::Sell, true) => 100 - STOP_SALE_PROTECTION_PERCENT,
    };
    let worst = start.value().checked_mul(Decimal::new(percent, 2))?;
    let worst = Price::new(worst.round_dp(domain::decimal::SCALE_MAX.try_into().ok()?)).ok()?;
    let (below, above) = nearest_legal(symbol, worst, on);
    // The cheapest shares have no legal price below; there the price itself is the floor.
    Some(match side {
        Side::Buy => above,
        Side::Sell => below.unwrap_or(worst),
    })
}

/// A stop that the market has passed is executed at the market.
fn worse(side: Side, stop: Price, touch: Price) -> Price {
    match side {
        Side::Buy => stop.max(touch),
        Side::Sell => stop.min(touch),
    }
}

/// Every rule of the market that the order breaks.
pub(super) fn broken_rules(
    order: &NewOrder,
    quantity: Option<Quantity>,
    quote: Option<&Quote>,
    now: DateTime<Utc>,
    on: NaiveDate,
) -> Vec<Denial> {
    let market = order.symbol.market();
    let mut denials: Vec<Denial> = order
        .contradictions()
        .into_iter()
        .filter(|wrong| market == Market::Us || !matches!(wrong.field, "quantity" | "notional"))
        .map(|wrong| Denial::new(wrong.field, wrong.rule, wrong.message))
        .collect();
    denials.extend(match order.size {
        Size::Shares(quantity) => {
            let mut denials = broken_quantity_rules(market, quantity);
            denials.extend(too_little(order.symbol, order.side, order.pricing, quantity, quote));
            denials
        }
        Size::Notional(notional) => {
            broken_notional_rules(market, notional, quantity, quote).into_iter().collect()
        }
    });
    denials.extend(broken_price_rules(order.symbol, order.side, order.pricing, quote, on));
    denials.extend(broken_time_rules(market, order.lifetime, now));
    if let (Some(limit), Some(quantity)) = (order.pricing.limit_price(), quantity) {
        denials.extend(too_valuable(limit, quantity));
    }
    denials
}

/// Lots: whole shares in Korea, nine digits in the United States; and no more than anybody can mean.
pub(super) fn broken_quantity_rules(market: Market, quantity: Quantity) -> Vec<Denial> {
    let mut denials = Vec::new();
    if market == Market::Krx && !quantity.is_whole() {
        let below = quantity.value().trunc();
        let nearest = [below, below + Decimal::ONE].into_iter().filter(|value| !value.is_zero());
        denials.push(
            Denial::new("quantity", "whole_shares", "must be a whole number of shares").nearest(nearest),
        );
    }
    if quantity.value() > Decimal::from(QUANTITY_MAX) {
        let message = format!("must be at most {QUANTITY_MAX}");
        denials.push(Denial::new("quantity", "too_large", message).nearest([QUANTITY_MAX]));
    }
    denials
}

/// A purchase must be worth something: what costs less than half of the smallest coin would be booked as a present. Parts
/// of shares are bought for the amount of money that an order by amount must have; a limit far above the market does not
/// make them worth more.
pub(super) fn too_little(
    symbol: Symbol,
    side: Side,
    pricing: Pricing,
    quantity: Quantity,
    quote: Option<&Quote>,
) -> Option<Denial> {
    let touch = quote.map(|quote| touch(quote, side));
    let price = pricing.limit_price().into_iter().chain(touch).min()?.value();
    let currency = symbol.currency();
    let smallest_coin = Decimal::new(1, currency.minor_digits());
    let least = if quantity.is_whole() { smallest_coin } else { Decimal::from(NOTIONAL_MIN) };
    let is_little = side == Side::Buy && quantity.value().checked_mul(price)? < least;
    is_little.then(|| {
        let up = RoundingStrategy::AwayFromZero;
        let nearest =
            least.checked_div(price).map(|shares| shares.round_dp_with_strategy(QUANTITY_DIGITS, up));
        let message = format!("must be worth at least {least} {currency}");
        Denial::new("quantity", "too_small", message).nearest(nearest.map(|shares| shares.normalize()))
    })
}

fn broken_notional_rules(
    market: Market,
    notional: Notional,
    quantity: Option<Quantity>,
    quote: Option<&Quote>,
) -> Option<Denial> {
    let (amount, currency) = (notional.value(), market.currency());
    if market == Market::Krx {
        let message = "shares on KRX are traded whole: give a quantity";
        return Some(Denial::new("notional", "whole_shares", message));
    }
    if currency.round(amount) != amount {
        let nearest = [currency.round_down(amount), currency.round_up(amount)];
        let message = format!("must have at most {} digits behind the point", currency.minor_digits());
        return Some(Denial::new("notional", "too_precise", message).nearest(nearest));
    }
    if amount < Decimal::from(NOTIONAL_MIN) {
        let message = format!("must be at least {NOTIONAL_MIN} {currency}");
        return Some(Denial::new("notional", "too_small", message).nearest([NOTIONAL_MIN]));
    }
    let pays_for_nothing = quantity.is_none() && quote.is_some();
    pays_for_nothing.then(|| Denial::new("notional", "too_small", "pays for no part of a share"))
}

/// Ticks, the day's price limits, and the distance of a trailing stop.
pub(super) fn broken_price_rules(
    symbol: Symbol,
    side: Side,
    pricing: Pricing,
    quote: Option<&Quote>,
    on: NaiveDate,
) -> Vec<Denial> {
    let limits = quote.and_then(|quote| price_limits_of_day(quote, on));
    let fields = pricing.fields();
    let mut denials = Vec::new();
    for (field, price) in [("limitPrice", fields.limit_price), ("stopPrice", fields.stop_price)] {
        let Some(price) = price else { continue };
        denials.extend(off_the_grid(field, symbol, price, on));
        denials.extend(limits.and_then(|limits| beyond_limits(field, price, limits)));
    }
    if let Pricing::TrailingStop(trail) = pricing {
        denials.extend(match trail {
            Trail::Amount(amount) => too_fine(symbol, amount, on),
            Trail::Percent(percent) => broken_percent_rule(percent),
        });
        let nothing_left = quote.is_some_and(|quote| trail.stop_from(side, quote.price).is_none());
        if nothing_left && matches!(trail, Trail::Amount(_)) {
            denials.push(Denial::new("trailAmount", "too_large", "must be less than the current price"));
        }
    }
    denials
}

fn off_the_grid(field: &str, symbol: Symbol, price: Price, on: NaiveDate) -> Option<Denial> {
    if is_on_grid(symbol, price, on) {
        return None;
    }
    let (below, above) = nearest_legal(symbol, price, on);
    let nearest = below.map_or_else(|| above.to_string(), |below| format!("{below} or {above}"));
    let tick = tick_size(symbol, price, on);
    let message = format!("must be a multiple of the tick size {}; nearest: {nearest}", tick.normalize());
    Some(Denial::new(field, "tick_size", message).nearest(below.into_iter().chain([above])))
}

fn beyond_limits(field: &str, price: Price, (low, high): (Price, Price)) -> Option<Denial> {
    let nearest = price.clamp(low, high);
    (nearest != price).then(|| {
        let message = format!("must be between today's price limits {low} and {high}");
        Denial::new(field, "price_limit", message).nearest([nearest])
    })
}

/// A distance is a difference of prices: a multiple of the smallest tick there is.
fn too_fine(symbol: Symbol, amount: Price, on: NaiveDate) -> Option<Denial> {
    let smallest = Price::new(Decimal::new(1, 4)).map_or(Decimal::ONE, |least| tick_size(symbol, least, on));
    let below = amount.value() - amount.value() % smallest;
    (below != amount.value()).then(|| {
        let nearest = [below, below + smallest].into_iter().filter(|value| !value.is_zero());
        let message = format!("must be a multiple of the smallest tick {}", smallest.normalize());
        Denial::new("trailAmount", "tick_size", message).nearest(nearest.map(|value| value.normalize()))
    })
}

fn broken_percent_rule(percent: Percent) -> Option<Denial> {
    let value = percent.value();
    let most = Decimal::ONE_HUNDRED - Decimal::new(1, PERCENT_DIGITS);
    if value > most {
        let message = "must be less than 100";
        return Some(Denial::new("trailPercent", "too_large", message).nearest([most]));
    }
    let rounded = value.round_dp(PERCENT_DIGITS);
    (rounded != value).then(|| {
        let nearest =
            Some(rounded).filter(|value| !value.is_zero()).unwrap_or(Decimal::new(1, PERCENT_DIGITS));
        let message = format!("must have at most {PERCENT_DIGITS} digits behind the point");
        Denial::new("trailPercent", "too_precise", message).nearest([nearest.normalize()])
    })
}

/// Auctions have cut-offs, and a last day is a trading day to come. Beyond these the paper market never closes: see
/// decision 21.
fn broken_time_rules(market: Market, lifetime: Lifetime, now: DateTime<Utc>) -> Option<Denial> {
    let closed = |kind| {
        let closed = auction_for(market, kind, now).err()?;
        let reopens_at = closed.reopens_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let message = format!("no orders are taken for this auction at present; again from {reopens_at}");
        Some(Denial::new("timeInForce", "session", message).nearest([reopens_at]))
    };
    match lifetime {
        Lifetime::Opg => closed(AuctionKind::Opening),
        Lifetime::Cls => closed(AuctionKind::Closing),
        Lifetime::Gtd(day) => broken_day_rule(market, day, now),
        Lifetime::Day | Lifetime::Gtc | Lifetime::Ioc | Lifetime::Fok => None,
    }
}

fn broken_day_rule(market: Market, day: NaiveDate, now: DateTime<Utc>) -> Option<Denial> {
    let first = exchange::trade_date(market, now);
    if day < first || regular_close(market, day).is_some_and(|close| close <= now) {
        let message = format!("is over; the first session to end is that of {first}");
        return Some(Denial::new("expireDate", "in_the_past", message).nearest([first]));
    }
    let last = now.date_naive() + TimeDelta::days(LIFETIME_DAYS_MAX);
    if day > last {
        let nearest = if is_trading_day(market, last) { last } else { trading_day_before(market, last) };
        let message = format!("must be within {LIFETIME_DAYS_MAX} days");
        return Some(Denial::new("expireDate", "too_late", message).nearest([nearest]));
    }
    (!is_trading_day(market, day)).then(|| {
        let before = Some(trading_day_before(market, day)).filter(|before| *before >= first);
        let nearest = before.into_iter().chain([next_trading_day(market, day)]);
        Denial::new("expireDate", "trading_day", "must be a trading day").nearest(nearest)
    })
}

/// Whether what the order is worth at its limit is more than the books take.
pub(super) fn too_valuable(limit: Price, quantity: Quantity) -> Option<Denial> {
    let beyond = limit.notional(quantity.value()).is_ok_and(is_beyond_books);
    let most = Decimal::from(NOTIONAL_MAX).checked_div(limit.value())?.trunc();
    beyond.then(|| {
        let message = format!("the order's value must be at most {NOTIONAL_MAX}");
        Denial::new("quantity", "too_large", message).nearest(Some(most).filter(|most| !most.is_zero()))
    })
}

/// Whether the worst cost of an order is beyond what the books take.
pub(super) fn is_beyond_books(worst_notional: Decimal) -> bool {
    worst_notional > Decimal::from(NOTIONAL_MAX)
}

#[cfg(test)]
mod tests;
