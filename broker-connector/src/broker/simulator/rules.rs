//! What the simulated broker refuses, as a real one would.

use crate::broker::lateness::{Late, lateness};
use chrono::{DateTime, Utc};
use domain::broker::OrderRequest;
use domain::decimal::INTEGER_DIGITS_MAX;
use domain::{Currency, Market, NewOrder, Price, PriceFields, Quantity, Size, Symbol, TimeInForce};
use exchange::book::OrderError;
use exchange::{AuctionKind, BookOrder, auction_for, is_on_grid, trade_date};
use rust_decimal::Decimal;

/// Why an order is refused: a stable word, and the same for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: String,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }
}

impl From<OrderError> for Refusal {
    fn from(error: OrderError) -> Self {
        Self::new(error.code, error.message)
    }
}

/// Whether an amount can be kept in the books: below a quadrillion, as every number that enters.
pub(super) fn is_bookable(amount: Decimal) -> bool {
    amount.trunc().to_string().len() <= INTEGER_DIGITS_MAX
}

/// Judges a new order; `account` is the base currency of its account, if that is
/// known; it can trade in every other as well.
pub(super) fn judge(
    request: &OrderRequest,
    account: Option<Currency>,
    sequence: i64,
    now: DateTime<Utc>,
) -> Result<BookOrder, Refusal> {
    let market = request.symbol.market();
    if account.is_none() {
        return Err(Refusal::new("unknown_account", "the account is not connected to this broker"));
    }
    let order = BookOrder::new(request, sequence)?;
    refuse_combination(request)?;
    // What its session has left behind expires by itself.
    if let Some(late @ (Late::Waited | Late::Withdrawn)) = lateness(request, now) {
        return Err(Refusal::new(late.word(), late.to_string()));
    }
    if let Some(kind) = match request.time_in_force {
        TimeInForce::Opg => Some(AuctionKind::Opening),
        TimeInForce::Cls => Some(AuctionKind::Closing),
        _ => None,
    } && let Err(closed) = auction_for(market, kind, request.submitted_at)
    {
        let message = format!("orders for this auction are taken again from {}", closed.reopens_at);
        return Err(Refusal::new("session", message));
    }
    let terms = Terms::of(request);
    terms.judge(now)?;
    Ok(order)
}

/// What does not go together in any order.
fn refuse_combination(request: &OrderRequest) -> Result<(), Refusal> {
    let (Ok(pricing), Ok(lifetime)) = (request.pricing(), request.lifetime()) else { return Ok(()) };
    let order = NewOrder {
        account_id: request.account_id,
        symbol: request.symbol,
        side: request.side,
        pricing,
        lifetime,
        size: Size::Shares(request.quantity),
    };
    match order.contradictions().into_iter().next() {
        // Korean fractions are refused for what they are, below.
        Some(wrong) if wrong.field != "quantity" || request.symbol.market() == Market::Us => {
            Err(OrderError::from(wrong).into())
        }
        _ => Ok(()),
    }
}

/// The terms of an order, new or replaced.
pub(super) struct Terms {
    pub(super) symbol: Symbol,
    pub(super) quantity: Quantity,
    pub(super) fields: PriceFields,
    pub(super) protection_price: Option<Price>,
}

impl Terms {
    fn of(request: &OrderRequest) -> Self {
        Self {
            symbol: request.symbol,
            quantity: request.quantity,
            fields: PriceFields {
                limit_price: request.limit_price,
                stop_price: request.stop_price,
                trail_amount: request.trail_amount,
                trail_percent: request.trail_percent,
            },
            protection_price: request.protection_price,
        }
    }

    /// Whether the market knows such prices and quantities.
    pub(super) fn judge(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        let market = self.symbol.market();
        if market == Market::Krx && !self.quantity.is_whole() {
            return Err(Refusal::new("whole_shares", "shares on KRX are traded whole"));
        }
        let on = trade_date(market, now);
        for price in [self.fields.limit_price, self.fields.stop_price].into_iter().flatten() {
            if !is_on_grid(self.symbol, price, on) {
                return Err(Refusal::new("tick_size", format!("{price} is not a multiple of the tick size")));
            }
        }
        let worst = self.fields.limit_price.or(self.protection_price);
        let amount = worst.map(|price| price.notional(self.quantity.value()));
        if !matches!(amount, Some(Ok(amount)) if is_bookable(amount)) {
            return Err(Refusal::new("amount_too_large", "quantity times price is too large"));
        }
        Ok(())
    }

    /// Whether its prices lie within the day's limits, where there are any.
    pub(super) fn judge_limits(&self, limits: Option<(Price, Price)>) -> Result<(), Refusal> {
        let Some((lowest, highest)) = limits else { return Ok(()) };
        for price in [self.fields.limit_price, self.fields.stop_price].into_iter().flatten() {
            if !(lowest..=highest).contains(&price) {
                let message = format!("{price} is beyond the day's limits of {lowest} and {highest}");
                return Err(Refusal::new("price_limit", message));
            }
        }
        Ok(())
    }
}

/// The limits are those of the book, so they are judged once it is there.
pub(super) fn judge_limits(request: &OrderRequest, limits: Option<(Price, Price)>) -> Result<(), Refusal> {
    Terms::of(request).judge_limits(limits)
}
