//! Shares bought and sold. Pure.

use super::{Head, Journal, JournalKind, LedgerAccount, LedgerError, Lines};
use chrono::{DateTime, NaiveDate, Utc};
use domain::{AccountId, Price, Quantity, Side, Symbol};
use exchange::market_day;
use rust_decimal::Decimal;

/// An execution as the books see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fill {
    /// Whose.
    pub account_id: AccountId,
    /// The broker's number of it, unique in the account.
    pub execution_id: String,
    /// Of what.
    pub symbol: Symbol,
    /// Bought or sold.
    pub side: Side,
    /// Shares.
    pub quantity: Quantity,
    /// Price of each.
    pub price: Price,
    /// Broker's commission.
    pub commission: Decimal,
    /// Taxes and regulatory fees.
    pub tax: Decimal,
    /// The market's day.
    pub trade_date: NaiveDate,
    /// When cash and shares change hands.
    pub settle_date: NaiveDate,
    /// When it was booked.
    pub booked_at: DateTime<Utc>,
}

impl Fill {
    /// Price times quantity in whole minor units.
    ///
    /// # Errors
    /// [`LedgerError::Overflow`].
    pub fn notional(&self) -> Result<Decimal, LedgerError> {
        let exact = self.price.notional(self.quantity.value()).map_err(|_| LedgerError::Overflow)?;
        Ok(self.symbol.currency().round(exact))
    }

    /// Whether its money is promised for a later day. A trade that becomes known only on its settlement day or later is
    /// booked as settled: nobody would come back to it.
    fn settles_later(&self) -> bool {
        self.settle_date > market_day(self.symbol.market(), self.booked_at)
    }
}

impl Journal {
    /// Shares bought or sold. `cost_change` is by how much it changes what the shares held have cost; the rest of its
    /// value is profit or loss.
    ///
    /// # Errors
    /// [`LedgerError`] for negative fees or amounts beyond the books.
    pub fn fill(fill: &Fill, cost_change: Decimal) -> Result<Self, LedgerError> {
        let key = format!("fill:{}", fill.execution_id);
        let head = Head::new(fill.account_id, JournalKind::Fill, key, fill.booked_at)
            .on(fill.trade_date, fill.settle_date);
        let head = Head { execution_id: Some(fill.execution_id.clone()), ..head };
        Self::balanced(head, trade_lines(fill, cost_change)?)
    }

    /// Shares bought or sold elsewhere and taken over from a file: as [`Journal::fill`], but no order and no execution
    /// of ours stands behind it. Its name is the fill's execution id.
    ///
    /// # Errors
    /// [`LedgerError`] for negative fees or amounts beyond the books.
    pub fn trade(fill: &Fill, cost_change: Decimal) -> Result<Self, LedgerError> {
        let key = format!("trade:{}", fill.execution_id);
        let head = Head::new(fill.account_id, JournalKind::Trade, key, fill.booked_at)
            .on(fill.trade_date, fill.settle_date);
        Self::balanced(head, trade_lines(fill, cost_change)?)
    }
}

/// What a trade moves.
fn trade_lines(fill: &Fill, cost_change: Decimal) -> Result<Lines, LedgerError> {
    if fill.commission < Decimal::ZERO || fill.tax < Decimal::ZERO {
        return Err(LedgerError::Impossible);
    }
    let (worth, shares) = match fill.side {
        Side::Buy => (-fill.notional()?, fill.quantity.value()),
        Side::Sell => (fill.notional()?, -fill.quantity.value()),
    };
    let money = worth
        .checked_sub(fill.commission)
        .and_then(|money| money.checked_sub(fill.tax))
        .ok_or(LedgerError::Overflow)?;
    let leg = match (fill.settles_later(), money > Decimal::ZERO) {
        (false, _) => LedgerAccount::Cash,
        (true, true) => LedgerAccount::Receivable,
        (true, false) => LedgerAccount::Payable,
    };
    let mut lines = Lines::default();
    lines.of(fill.symbol, leg, money);
    lines.of(fill.symbol, LedgerAccount::PositionCost, cost_change);
    lines.of(fill.symbol, LedgerAccount::RealisedPnl, -worth - cost_change);
    lines.shares(fill.symbol, shares);
    lines.of(fill.symbol, LedgerAccount::Commission, fill.commission);
    lines.of(fill.symbol, LedgerAccount::Tax, fill.tax);
    Ok(lines)
}
