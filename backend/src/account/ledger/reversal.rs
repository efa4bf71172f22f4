//! Corrections: a journal is never changed, another one takes it back. Pure.

use super::{Head, Journal, JournalKind, LedgerAccount, LedgerError, Lines, Posting};
use chrono::{DateTime, NaiveDate, Utc};
use domain::{AccountId, Symbol};
use rust_decimal::Decimal;
use uuid::Uuid;

/// A journal as the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredJournal {
    /// Its id.
    pub id: Uuid,
    /// Whose.
    pub account_id: AccountId,
    /// What it is.
    pub kind: JournalKind,
    /// The execution it books.
    pub execution_id: Option<String>,
    /// The market's day.
    pub trade_date: NaiveDate,
    /// When it settles or has settled.
    pub settle_date: NaiveDate,
    /// Shared by journals that were made together.
    pub link_id: Option<Uuid>,
    /// Its lines.
    pub postings: Vec<Posting>,
}

impl StoredJournal {
    /// The sum of its lines on one ledger account.
    #[must_use]
    pub fn amount_on(&self, ledger_account: LedgerAccount) -> Decimal {
        let lines = self.postings.iter().filter(|posting| posting.ledger_account == ledger_account);
        lines.map(|posting| posting.amount).sum()
    }
}

impl Journal {
    /// Takes a journal back, line by line. What it had promised and what was kept since (`settled`) is taken back in cash.
    /// It counts for the days of what it takes back.
    ///
    /// # Errors
    /// [`LedgerError`] for a journal without lines.
    pub fn reversal(original: &StoredJournal, settled: bool, at: DateTime<Utc>) -> Result<Self, LedgerError> {
        let mut lines = Lines::default();
        for posting in &original.postings {
            let ledger_account = match posting.ledger_account {
                LedgerAccount::Receivable | LedgerAccount::Payable if settled => LedgerAccount::Cash,
                other => other,
            };
            lines.add(ledger_account, posting.symbol, posting.commodity, -posting.amount);
        }
        let key = format!("reversal:{}", original.id);
        let head = Head::new(original.account_id, JournalKind::Reversal, key, at)
            .on(original.trade_date, original.settle_date);
        Self::balanced(Head { reverses: Some(original.id), ..head }, lines)
    }

    /// What a reversal changes about the movements that came after the one it takes back: shares, cost, and so profit.
    /// `None` when nothing.
    ///
    /// # Errors
    /// [`LedgerError`] for amounts beyond the books.
    pub fn recost(
        (account_id, symbol): (AccountId, Symbol),
        (quantity_change, cost_change): (Decimal, Decimal),
        reversal: Uuid,
        at: DateTime<Utc>,
    ) -> Result<Option<Self>, LedgerError> {
        if quantity_change.is_zero() && cost_change.is_zero() {
            return Ok(None);
        }
        let mut lines = Lines::default();
        lines.shares(symbol, quantity_change);
        lines.of(symbol, LedgerAccount::PositionCost, cost_change);
        lines.of(symbol, LedgerAccount::RealisedPnl, -cost_change);
        let head = Head::new(account_id, JournalKind::Recost, format!("recost:{reversal}"), at);
        Self::balanced(head, lines).map(Some)
    }
}
