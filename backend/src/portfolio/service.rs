//! Books and prices brought together.

use super::store;
use super::valuation::{AccountValue, ValuedPosition, value_account, value_position};
use crate::account::AccountService;
use crate::db::Pool;
use crate::error::ApiResult;
use crate::market::Market;
use actix_web::web;
use domain::{AccountId, Quote, Symbol, UserId};
use rust_decimal::Decimal;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Positions and values of a user's accounts.
pub struct PortfolioService {
    pool: Pool,
    accounts: web::Data<AccountService>,
    market: web::Data<Market>,
}

/// A position and whose it is.
pub(super) struct Holding {
    pub(super) account_id: AccountId,
    /// Shares that open orders have reserved.
    pub(super) held: Decimal,
    pub(super) position: ValuedPosition,
}

impl PortfolioService {
    /// The service over its table and its two sources.
    #[must_use]
    pub const fn new(pool: Pool, accounts: web::Data<AccountService>, market: web::Data<Market>) -> Self {
        Self { pool, accounts, market }
    }

    /// The positions of one account, or of all, valued. Closed ones have a quantity of zero.
    pub(super) async fn holdings(&self, user: UserId, account: Option<AccountId>) -> ApiResult<Vec<Holding>> {
        let accounts = self.accounts.chosen(user, account).await?;
        let ids: Vec<AccountId> = accounts.iter().map(|account| account.id).collect();
        self.holdings_of(&ids).await
    }

    async fn holdings_of(&self, accounts: &[AccountId]) -> ApiResult<Vec<Holding>> {
        let positions = store::positions_of(&*self.pool.get().await?, accounts).await?;
        let held: BTreeSet<Symbol> = positions
            .iter()
            .filter(|(_, state)| !state.quantity.is_zero())
            .map(|((_, symbol), _)| *symbol)
            .collect();
        let held: Vec<Symbol> = held.into_iter().collect();
        let quotes: HashMap<Symbol, Arc<Quote>> = self.market.quotes(&held).await;
        let reserved = self.accounts.held_shares(accounts).await?;
        Ok(positions
            .into_iter()
            .map(|((account_id, symbol), state)| Holding {
                account_id,
                held: reserved.get(&(account_id, symbol)).copied().unwrap_or(Decimal::ZERO),
                position: value_position(symbol, state, quotes.get(&symbol).map(AsRef::as_ref)),
            })
            .collect())
    }

    /// What one account, or each of them, is worth.
    pub(super) async fn values(
        &self,
        user: UserId,
        account: Option<AccountId>,
    ) -> ApiResult<Vec<AccountValue>> {
        let accounts = self.accounts.chosen(user, account).await?;
        let ids: Vec<AccountId> = accounts.iter().map(|account| account.id).collect();
        let holdings = self.holdings_of(&ids).await?;
        let deposits = self.accounts.net_deposits(&ids).await?;
        let cash = self.accounts.cash(&ids).await?;
        Ok(cash
            .into_iter()
            .map(|cash| {
                let own = holdings.iter().filter(|holding| holding.account_id == cash.account_id);
                let positions: Vec<ValuedPosition> = own.map(|holding| holding.position.clone()).collect();
                let deposited = deposits.get(&cash.account_id).copied().unwrap_or(Decimal::ZERO);
                value_account(cash, &positions, deposited)
            })
            .collect())
    }
}
