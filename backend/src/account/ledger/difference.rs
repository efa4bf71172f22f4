//! Cash that a broker counts otherwise. Pure.

use super::{Commodity, Head, Journal, JournalKind, LedgerAccount, LedgerError, Lines};
use chrono::{DateTime, Utc};
use domain::{AccountId, Currency};
use rust_decimal::Decimal;
use uuid::Uuid;

impl Journal {
    /// Puts cash where the broker says it is.
    ///
    /// # Errors
    /// [`LedgerError`] for a difference of nothing.
    pub fn broker_difference(
        account_id: AccountId,
        currency: Currency,
        amount: Decimal,
        at: DateTime<Utc>,
    ) -> Result<Self, LedgerError> {
        let mut lines = Lines::default();
        lines.add(LedgerAccount::Cash, None, Commodity::Cash(currency), amount);
        lines.add(LedgerAccount::BrokerDifference, None, Commodity::Cash(currency), -amount);
        let key = format!("broker_difference:{}", Uuid::now_v7());
        Self::balanced(Head::new(account_id, JournalKind::BrokerDifference, key, at), lines)
    }
}
