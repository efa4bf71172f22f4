//! What the simulated broker refuses, as a real one would.

use chrono::{DateTime, Utc};
use domain::broker::OrderRequest;
use domain::decimal::INTEGER_DIGITS_MAX;
use domain::{Currency, Market};
use exchange::book::OrderError;
use exchange::{BookOrder, is_on_grid, trade_date};
use rust_decimal::Decimal;

/// Why an order is refused: a stable word, and the same for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
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
    let order = BookOrder::new(request, sequence).map_err(|error| {
        let code = match error {
            OrderError::LimitPrice => "limit_price",
            OrderError::ProtectionPrice => "protection_price",
        };
        Refusal::new(code, error.to_string())
    })?;
    if market == Market::Krx && !request.quantity.is_whole() {
        return Err(Refusal::new("whole_shares", "shares on KRX are traded whole"));
    }
    if let Some(limit) = request.limit_price
        && !is_on_grid(market, limit, trade_date(market, now))
    {
        return Err(Refusal::new("tick_size", format!("{limit} is not a multiple of the tick size")));
    }
    let worst = request.limit_price.or(request.protection_price);
    let amount = worst.map(|price| price.notional(request.quantity.value()));
    if !matches!(amount, Some(Ok(amount)) if is_bookable(amount)) {
        return Err(Refusal::new("amount_too_large", "quantity times price is too large"));
    }
    Ok(order)
}
