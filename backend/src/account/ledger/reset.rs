//! An account begins anew. Pure.

use super::{Head, Journal, JournalKind, LedgerError, Lines, Posting};
use chrono::{DateTime, Utc};
use domain::{AccountId, Symbol};

impl Journal {
    /// Closes every ledger account whose sum is given: each is moved back to nothing. All sums of one symbol, or all that
    /// belong to none, balance because every journal they come from does.
    ///
    /// # Errors
    /// [`LedgerError`] when there is nothing to close.
    pub fn reset(
        account_id: AccountId,
        symbol: Option<Symbol>,
        sums: &[Posting],
        name: &str,
        at: DateTime<Utc>,
    ) -> Result<Self, LedgerError> {
        let mut lines = Lines::default();
        for sum in sums.iter().filter(|sum| sum.symbol == symbol) {
            lines.add(sum.ledger_account, symbol, sum.commodity, -sum.amount);
        }
        let key = symbol.map_or_else(|| format!("reset:{name}"), |symbol| format!("reset:{name}:{symbol}"));
        Self::balanced(Head::new(account_id, JournalKind::Reset, key, at), lines)
    }
}
