//! Books and prices brought together.

use super::store;
use super::valuation::{AccountValue, ValuedPosition, value_account, value_position};
use crate::account::{Account, AccountService, CostMethod};
use crate::db::Pool;
use crate::error::ApiResult;
use crate::market::Market;
use actix_web::web;
use domain::{AccountId, Quote, Symbol, UserId};
use rust_decimal::Decimal;
use std::collections::{BTreeSet, HashMap, HashSet};
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
        self.holdings_of(&self.accounts.chosen(user, account).await?).await
    }

    async fn holdings_of(&self, accounts: &[Account]) -> ApiResult<Vec<Holding>> {
        let methods: HashMap<AccountId, CostMethod> =
            accounts.iter().map(|account| (account.id, account.cost_method)).collect();
        let accounts: Vec<AccountId> = accounts.iter().map(|account| account.id).collect();
        let accounts = accounts.as_slice();
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
                position: value_position(
                    (symbol, state),
                    methods.get(&account_id).copied().unwrap_or_default(),
                    quotes.get(&symbol).map(AsRef::as_ref),
                ),
            })
            .collect())
    }

    /// What one account, or each of them, is worth, in each currency it uses; its own currency first.
    pub(super) async fn values(
        &self,
        user: UserId,
        account: Option<AccountId>,
    ) -> ApiResult<Vec<AccountValue>> {
        let accounts = self.accounts.chosen(user, account).await?;
        let ids: Vec<AccountId> = accounts.iter().map(|account| account.id).collect();
        let holdings = self.holdings_of(&accounts).await?;
        let funding = self.accounts.funding(&ids).await?;
        let cash = self.accounts.cash(&ids).await?;
        let own: HashSet<_> = accounts.iter().map(|account| (account.id, account.currency)).collect();
        Ok(cash
            .into_iter()
            .filter_map(|cash| {
                let key = (cash.account_id, cash.currency);
                let of_this = |holding: &&Holding| (holding.account_id, holding.position.currency()) == key;
                let positions: Vec<ValuedPosition> =
                    holdings.iter().filter(of_this).map(|holding| holding.position.clone()).collect();
                let used = own.contains(&key) || funding.contains_key(&key) || !positions.is_empty();
                let funding = funding.get(&key).copied().unwrap_or_default();
                used.then(|| value_account(cash, &positions, funding))
            })
            .collect())
    }
}
