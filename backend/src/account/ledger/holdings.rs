//! What happens to shares without a trade: dividends, splits, new names, and shares that come or go in kind. Pure.

use super::{Head, Journal, JournalKind, LedgerAccount, LedgerError, Lines};
use chrono::{DateTime, NaiveDate, Utc};
use domain::{AccountId, Symbol};
use rust_decimal::Decimal;

/// Shares that came (or, below zero, went) without a trade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InKind {
    /// Whose.
    pub account_id: AccountId,
    /// Of what.
    pub symbol: Symbol,
    /// How many.
    pub quantity: Decimal,
    /// By how much the cost of the shares held changes; of one sign with the quantity, or zero.
    pub cost_change: Decimal,
    /// Where they came from or went to: opening equity or a difference with the broker.
    pub against: LedgerAccount,
    /// The day they were acquired or given away.
    pub trade_date: NaiveDate,
    /// The name under which this exists once in its account.
    pub idempotency_key: String,
}

impl Journal {
    /// A cash dividend, with the tax that was withheld of it.
    ///
    /// # Errors
    /// [`LedgerError`] for a dividend of zero or less, or a tax that is negative or more than the dividend.
    pub fn dividend(
        (account_id, symbol): (AccountId, Symbol),
        (gross, withheld): (Decimal, Decimal),
        day: NaiveDate,
        idempotency_key: String,
        at: DateTime<Utc>,
    ) -> Result<Self, LedgerError> {
        if gross <= Decimal::ZERO || withheld < Decimal::ZERO || withheld > gross {
            return Err(LedgerError::Impossible);
        }
        let mut lines = Lines::default();
        lines.of(symbol, LedgerAccount::Cash, gross - withheld);
        lines.of(symbol, LedgerAccount::Tax, withheld);
        lines.of(symbol, LedgerAccount::Dividend, -gross);
        Self::balanced(Head::new(account_id, JournalKind::Dividend, idempotency_key, at).on(day, day), lines)
    }

    /// A cash dividend on shares that were sold short: who sold them owes it to who lent them, in full.
    ///
    /// # Errors
    /// [`LedgerError`] for an amount of zero or less.
    pub fn dividend_owed(
        (account_id, symbol): (AccountId, Symbol),
        amount: Decimal,
        day: NaiveDate,
        idempotency_key: String,
        at: DateTime<Utc>,
    ) -> Result<Self, LedgerError> {
        if amount <= Decimal::ZERO {
            return Err(LedgerError::Impossible);
        }
        let mut lines = Lines::default();
        lines.of(symbol, LedgerAccount::Cash, -amount);
        lines.of(symbol, LedgerAccount::Dividend, amount);
        Self::balanced(Head::new(account_id, JournalKind::Dividend, idempotency_key, at).on(day, day), lines)
    }

    /// Shares counted in other pieces; what they have cost stays.
    ///
    /// # Errors
    /// [`LedgerError::Impossible`] when the number of shares does not change.
    pub fn split(
        (account_id, symbol): (AccountId, Symbol),
        quantity_change: Decimal,
        day: NaiveDate,
        idempotency_key: String,
        at: DateTime<Utc>,
    ) -> Result<Self, LedgerError> {
        let mut lines = Lines::default();
        lines.shares(symbol, quantity_change);
        Self::balanced(Head::new(account_id, JournalKind::Split, idempotency_key, at).on(day, day), lines)
    }

    /// Money for the part of a share that a split has left: a sale without fees that settles at once. Of shares sold short
    /// that part is bought back: shares and money are below zero then.
    ///
    /// # Errors
    /// [`LedgerError::Impossible`] for no shares, or money of the other sign.
    pub fn cash_in_lieu(
        (account_id, symbol): (AccountId, Symbol),
        (quantity, proceeds, cost_change): (Decimal, Decimal, Decimal),
        day: NaiveDate,
        idempotency_key: String,
        at: DateTime<Utc>,
    ) -> Result<Self, LedgerError> {
        let one_way = proceeds.is_zero() || (proceeds > Decimal::ZERO) == (quantity > Decimal::ZERO);
        if quantity.is_zero() || !one_way {
            return Err(LedgerError::Impossible);
        }
        let mut lines = Lines::default();
        lines.of(symbol, LedgerAccount::Cash, proceeds);
        lines.of(symbol, LedgerAccount::PositionCost, cost_change);
        lines.of(symbol, LedgerAccount::RealisedPnl, -proceeds - cost_change);
        lines.shares(symbol, -quantity);
        let head = Head::new(account_id, JournalKind::CashInLieu, idempotency_key, at).on(day, day);
        Self::balanced(head, lines)
    }

    /// The same shares under another name, with what they have cost.
    ///
    /// # Errors
    /// [`LedgerError::Impossible`] for no shares, or names of different currencies.
    pub fn symbol_change(
        account_id: AccountId,
        (old, new): (Symbol, Symbol),
        (quantity, cost): (Decimal, Decimal),
        day: NaiveDate,
        idempotency_key: String,
        at: DateTime<Utc>,
    ) -> Result<Self, LedgerError> {
        if old == new || old.currency() != new.currency() {
            return Err(LedgerError::Impossible);
        }
        let mut lines = Lines::default();
        for (symbol, sign) in [(old, Decimal::NEGATIVE_ONE), (new, Decimal::ONE)] {
            lines.shares(symbol, quantity * sign);
            lines.of(symbol, LedgerAccount::PositionCost, cost * sign);
        }
        let head = Head::new(account_id, JournalKind::SymbolChange, idempotency_key, at).on(day, day);
        Self::balanced(head, lines)
    }

    /// Shares that came or went without a trade and without a profit.
    ///
    /// # Errors
    /// [`LedgerError::Impossible`] for no shares, a cost of the other sign, or an account that is neither opening
    /// equity nor a difference with the broker.
    pub fn in_kind(movement: &InKind, at: DateTime<Utc>) -> Result<Self, LedgerError> {
        let comes = movement.quantity > Decimal::ZERO;
        let possible = !movement.quantity.is_zero()
            && (movement.cost_change.is_zero() || (movement.cost_change > Decimal::ZERO) == comes)
            && matches!(movement.against, LedgerAccount::OpeningEquity | LedgerAccount::BrokerDifference);
        if !possible {
            return Err(LedgerError::Impossible);
        }
        let mut lines = Lines::default();
        lines.shares(movement.symbol, movement.quantity);
        lines.of(movement.symbol, LedgerAccount::PositionCost, movement.cost_change);
        lines.of(movement.symbol, movement.against, -movement.cost_change);
        let kind = if comes { JournalKind::SharesIn } else { JournalKind::SharesOut };
        let head = Head::new(movement.account_id, kind, movement.idempotency_key.clone(), at);
        Self::balanced(head.on(movement.trade_date, movement.trade_date), lines)
    }
}
