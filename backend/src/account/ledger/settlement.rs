//! What trades have promised, and the day on which it is kept. Pure.

use super::{Commodity, Head, Journal, JournalKind, LedgerAccount, LedgerError, Lines};
use chrono::{DateTime, NaiveDate, Utc};
use domain::{AccountId, Currency};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What the trades of an account have promised for one day in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsettled {
    /// Names the promise: its settlement exists once.
    pub id: Uuid,
    /// Whose.
    pub account_id: AccountId,
    /// Of what.
    pub currency: Currency,
    /// For when.
    pub settle_date: NaiveDate,
    /// What comes in.
    pub receivable: Decimal,
    /// What goes out; zero or below.
    pub payable: Decimal,
}

impl Unsettled {
    /// What it changes about the cash of its day.
    #[must_use]
    pub fn net(&self) -> Decimal {
        self.receivable + self.payable
    }
}

/// What can be taken out of a currency's cash: as much as neither an open order has reserved nor a coming settlement
/// needs. Proceeds count from the day they settle, so a purchase that settles on the same day or later may use them.
#[must_use]
pub fn withdrawable(total: Decimal, held: Decimal, unsettled: &[Unsettled]) -> Decimal {
    let mut by_day = BTreeMap::<NaiveDate, Decimal>::new();
    for promise in unsettled {
        *by_day.entry(promise.settle_date).or_default() += promise.net();
    }
    let settled = total - by_day.values().sum::<Decimal>();
    let after_each = by_day.into_values().scan(settled, |cash, net| {
        *cash += net;
        Some(*cash)
    });
    let least = after_each.fold(settled, Decimal::min);
    (least - held).max(Decimal::ZERO)
}

impl Journal {
    /// Whether it keeps promises instead of making them.
    #[must_use]
    pub fn is_settlement(&self) -> bool {
        self.kind() == JournalKind::Settlement
    }

    /// Turns a day's promises into cash. `None` when they have cancelled out to nothing on both sides.
    ///
    /// # Errors
    /// [`LedgerError`] for amounts beyond the books.
    pub fn settlement(promise: &Unsettled, at: DateTime<Utc>) -> Result<Option<Self>, LedgerError> {
        if promise.receivable.is_zero() && promise.payable.is_zero() {
            return Ok(None);
        }
        let mut lines = Lines::default();
        for (leg, amount) in
            [(LedgerAccount::Receivable, promise.receivable), (LedgerAccount::Payable, promise.payable)]
        {
            lines.add(LedgerAccount::Cash, None, Commodity::Cash(promise.currency), amount);
            lines.add(leg, None, Commodity::Cash(promise.currency), -amount);
        }
        let key = format!("settlement:{}", promise.id);
        let head = Head::new(promise.account_id, JournalKind::Settlement, key, at)
            .on(promise.settle_date, promise.settle_date);
        Self::balanced(head, lines).map(Some)
    }
}
