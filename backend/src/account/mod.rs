//! Accounts and their books.
//!
//! Promises: every movement of money or shares is one balanced, append-only journal; cached balances are the sums of
//! their postings; currencies are never netted; what open orders have reserved is never free. Called by `portfolio`,
//! `risk` and `trading`; knows nothing of orders, positions or prices.

mod ledger;
mod memory;
mod routes;
mod service;
mod store;

pub use ledger::{Commodity, Fill, Journal, LedgerError};
pub use memory::BalanceMemory;
pub(crate) use routes::REPLAYED_HEADER;
pub use routes::{AccountDocument, BalanceDocument, routes};
pub use service::{AccountService, balance_event};
pub use store::{BalanceChange, BalanceRow, LockedBalances, change_balances, lock_balances, post};
pub(crate) use store::{balances_as_believed, hold_in_balances};

use chrono::{DateTime, Utc};
use domain::{AccountId, Currency, UserId};
use rust_decimal::Decimal;

/// An account as its owner knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Whose it is.
    pub user_id: UserId,
    /// The owner's name for it.
    pub name: String,
    /// Where its orders go.
    pub broker: String,
    /// The currency of its cash.
    pub currency: Currency,
    /// `active` or `closed`.
    pub status: String,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
}

/// Cash of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CashBalance {
    /// Whose.
    pub account_id: AccountId,
    /// Of what.
    pub currency: Currency,
    /// All of it.
    pub total: Decimal,
    /// Reserved for open orders.
    pub held: Decimal,
}

impl CashBalance {
    /// What new orders may use.
    #[must_use]
    pub fn buying_power(&self) -> Decimal {
        self.total - self.held
    }
}
