//! Double entry: the only way money and shares move. Pure.
//!
//! Assets are positive where they come in; income and outside parties are their negative mirror, so that every
//! journal sums to zero per commodity. A profit is therefore a negative amount on `realised_pnl`, and what is owed to
//! others one on `payable`.

mod by_broker;
mod cash;
mod difference;
mod holdings;
mod names;
mod reset;
mod reversal;
mod settlement;
mod trade;

pub use by_broker::ByBroker;
pub use holdings::InKind;
pub use names::{Commodity, JournalKind, LedgerAccount};
pub use reversal::StoredJournal;
pub use settlement::{Unsettled, withdrawable};
pub use trade::Fill;

use chrono::{DateTime, NaiveDate, Utc};
use domain::{AccountId, Currency, Symbol};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use thiserror::Error;
use uuid::Uuid;

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// Where.
    pub ledger_account: LedgerAccount,
    /// The share it concerns, where one does.
    pub symbol: Option<Symbol>,
    /// Of what.
    pub commodity: Commodity,
    /// How much; never zero.
    pub amount: Decimal,
}

/// Why a journal cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LedgerError {
    /// It would make or lose something.
    #[error("the postings of {0:?} do not sum to zero")]
    Unbalanced(Commodity),
    /// An amount beyond what the books can hold.
    #[error("the amount is too large for the books")]
    Overflow,
    /// A fee below zero, or a movement of nothing.
    #[error("the amounts of the movement are not possible")]
    Impossible,
}

/// What a journal is, beside its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Head {
    id: Uuid,
    account_id: AccountId,
    idempotency_key: String,
    kind: JournalKind,
    execution_id: Option<String>,
    trade_date: NaiveDate,
    settle_date: NaiveDate,
    reverses: Option<Uuid>,
    link_id: Option<Uuid>,
    created_at: DateTime<Utc>,
}

impl Head {
    /// The head of a movement that is done on the day it is booked.
    fn new(account_id: AccountId, kind: JournalKind, idempotency_key: String, at: DateTime<Utc>) -> Self {
        Self {
            id: Uuid::now_v7(),
            account_id,
            idempotency_key,
            kind,
            execution_id: None,
            trade_date: at.date_naive(),
            settle_date: at.date_naive(),
            reverses: None,
            link_id: None,
            created_at: at,
        }
    }

    /// The same on other days.
    fn on(self, trade_date: NaiveDate, settle_date: NaiveDate) -> Self {
        Self { trade_date, settle_date, ..self }
    }

    /// The same as one of several that were made together.
    fn linked(self, link_id: Uuid) -> Self {
        Self { link_id: Some(link_id), ..self }
    }
}

/// One movement: postings that sum to zero per commodity, because only this module makes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    head: Head,
    postings: Vec<Posting>,
}

impl Journal {
    fn balanced(head: Head, lines: Lines) -> Result<Self, LedgerError> {
        let mut sums = BTreeMap::<Commodity, Decimal>::new();
        for posting in &lines.0 {
            let sum = sums.entry(posting.commodity).or_default();
            *sum = sum.checked_add(posting.amount).ok_or(LedgerError::Overflow)?;
        }
        if let Some((commodity, _)) = sums.into_iter().find(|(_, sum)| !sum.is_zero()) {
            return Err(LedgerError::Unbalanced(commodity));
        }
        if lines.0.is_empty() {
            return Err(LedgerError::Impossible);
        }
        Ok(Self { head, postings: lines.0 })
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        self.head.id
    }

    /// Whose it is.
    #[must_use]
    pub const fn account_id(&self) -> AccountId {
        self.head.account_id
    }

    /// The name under which it exists once in its account.
    #[must_use]
    pub fn idempotency_key(&self) -> &str {
        &self.head.idempotency_key
    }

    /// What kind of movement it is.
    #[must_use]
    pub const fn kind(&self) -> JournalKind {
        self.head.kind
    }

    /// The execution it books.
    #[must_use]
    pub fn execution_id(&self) -> Option<&str> {
        self.head.execution_id.as_deref()
    }

    /// Trade and settlement day.
    #[must_use]
    pub const fn dates(&self) -> (NaiveDate, NaiveDate) {
        (self.head.trade_date, self.head.settle_date)
    }

    /// The journal it takes back.
    #[must_use]
    pub const fn reverses(&self) -> Option<Uuid> {
        self.head.reverses
    }

    /// Shared by journals that were made together.
    #[must_use]
    pub const fn link_id(&self) -> Option<Uuid> {
        self.head.link_id
    }

    /// When it was booked.
    #[must_use]
    pub const fn created_at(&self) -> DateTime<Utc> {
        self.head.created_at
    }

    /// Its lines.
    #[must_use]
    pub fn postings(&self) -> &[Posting] {
        &self.postings
    }

    /// By how much the balances of cash and shares change. What is promised counts as if it had come: proceeds that are
    /// not settled yet can buy again (docs/decisions/0010).
    pub fn balance_changes(&self) -> impl Iterator<Item = (Commodity, Decimal)> + '_ {
        self.postings
            .iter()
            .filter(|posting| posting.ledger_account.is_balance())
            .map(|posting| (posting.commodity, posting.amount))
    }

    /// What it promises, or takes back of promises: currency, receivable, payable (below zero: owed to others).
    pub fn promises(&self) -> impl Iterator<Item = (Currency, Decimal, Decimal)> + '_ {
        self.postings.iter().filter_map(|posting| match (posting.ledger_account, posting.commodity) {
            (LedgerAccount::Receivable, Commodity::Cash(currency)) => {
                Some((currency, posting.amount, Decimal::ZERO))
            }
            (LedgerAccount::Payable, Commodity::Cash(currency)) => {
                Some((currency, Decimal::ZERO, posting.amount))
            }
            _ => None,
        })
    }

    /// The sum of its lines on one ledger account.
    #[must_use]
    pub fn amount_on(&self, ledger_account: LedgerAccount) -> Decimal {
        let lines = self.postings.iter().filter(|posting| posting.ledger_account == ledger_account);
        lines.map(|posting| posting.amount).sum()
    }
}

#[derive(Default)]
struct Lines(Vec<Posting>);

impl Lines {
    fn add(
        &mut self,
        ledger_account: LedgerAccount,
        symbol: Option<Symbol>,
        commodity: Commodity,
        amount: Decimal,
    ) {
        if !amount.is_zero() {
            self.0.push(Posting { ledger_account, symbol, commodity, amount });
        }
    }

    fn cash(&mut self, ledger_account: LedgerAccount, currency: Currency, amount: Decimal) {
        self.add(ledger_account, None, Commodity::Cash(currency), amount);
    }

    /// Shares of a symbol that come in (or, below zero, go out).
    fn shares(&mut self, symbol: Symbol, quantity: Decimal) {
        self.add(LedgerAccount::Shares, Some(symbol), Commodity::Shares(symbol), quantity);
        self.add(LedgerAccount::Market, Some(symbol), Commodity::Shares(symbol), -quantity);
    }

    /// Money that concerns a symbol, in the symbol's currency.
    fn of(&mut self, symbol: Symbol, ledger_account: LedgerAccount, amount: Decimal) {
        self.add(ledger_account, Some(symbol), Commodity::Cash(symbol.currency()), amount);
    }
}

#[cfg(test)]
mod tests;
