//! Accounts and their books.
//!
//! Promises: every movement of money or shares is one balanced, append-only journal, taken back only by another one;
//! cached balances are the sums of their postings; what a trade promises is kept on its settlement day, once; currencies
//! are never netted; what open orders have reserved is never free, save where the owner has switched credit or short
//! selling on, and then within what `risk` allows. Called by `portfolio`, `risk`, `trading` and
//! `corporate`; knows nothing of orders, positions or prices.

mod balance;
mod ledger;
mod margin;
mod memory;
mod movement_routes;
mod movements;
mod routes;
mod service;
mod settlement;
mod statement;
mod store;

pub use balance::{CashBalance, CostMethod, CurrencyBalance};
pub use ledger::{
    ByBroker, Commodity, Fill, InKind, Journal, JournalKind, LedgerAccount, LedgerError, Posting,
    StoredJournal, Unsettled, withdrawable,
};
pub use margin::{MARGIN_CURRENCY, MarginSwitches, set_margin};
pub use memory::BalanceMemory;
pub(crate) use routes::REPLAYED_HEADER;
pub use routes::{AccountDocument, BalanceDocument, routes};
pub use service::{AccountService, balance_event};
pub use settlement::{ReverseError, reversal_of_fill};
pub use store::{
    BalanceChange, BalanceRow, Funding, LockedBalances, MarginStanding, Shares, SharesHeld, balances_of,
    begun_anew_at, cash_of, change_balances, ensure_shares, funding, is_reversed, lock_balances,
    margin_accounts, margin_standings, post, read_balances, save_margin_standing, shares_held, shares_in,
    shares_of, switches_of, take_promises, traded, trial_balance,
};
pub(crate) use store::{balances_as_believed, hold_in_balances};

use chrono::{DateTime, Utc};
use domain::{AccountId, Currency, UserId};

/// The broker whose accounts hold play money that is brought in here.
pub const PLAY_BROKER: &str = "simulator";

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
    /// Its base currency: the one it is told in. It can hold every other as well.
    pub currency: Currency,
    /// `active` or `closed`.
    pub status: String,
    /// How the profit of its sales is told.
    pub cost_method: CostMethod,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
}

impl Account {
    /// Whether what it holds is play money.
    #[must_use]
    pub fn is_of_play_money(&self) -> bool {
        self.broker == PLAY_BROKER
    }
}
