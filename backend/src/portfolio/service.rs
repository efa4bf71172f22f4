//! Books and prices brought together.

use super::lots::Lot;
use super::store::{self, LotSaleLine, PositionKey, SaleLine};
use super::valuation::{AccountValue, ValuedPosition, value_account, value_position};
use crate::account::{Account, AccountService, CostMethod};
use crate::db::Pool;
use crate::error::{ApiError, ApiResult};
use crate::market::Market;
use actix_web::web;
use diesel_async::AsyncPgConnection;
use domain::{AccountId, Quote, Symbol, UserId};
use rust_decimal::Decimal;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

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

    /// An account's open lots, in the order in which they will be sold.
    ///
    /// # Errors
    /// [`crate::error::ErrorCode::NotFound`] also for the accounts of others.
    pub(super) async fn lots(
        &self,
        user: UserId,
        account: AccountId,
        symbol: Option<Symbol>,
        after: Option<Uuid>,
        limit: i64,
    ) -> ApiResult<Vec<(PositionKey, Lot)>> {
        let account = self.accounts.find(user, account).await?;
        Ok(store::lots_of(&*self.pool.get().await?, account.id, symbol, after, limit).await?)
    }

    /// An account's sales, the last booked first, with the lots they came from and how their profit is told.
    ///
    /// # Errors
    /// [`crate::error::ErrorCode::NotFound`] also for the accounts of others.
    pub(super) async fn sales(
        &self,
        user: UserId,
        account: AccountId,
        symbol: Option<Symbol>,
        before: Option<Uuid>,
        limit: i64,
    ) -> ApiResult<(Vec<SaleLine>, Vec<LotSaleLine>, CostMethod)> {
        let account = self.accounts.find(user, account).await?;
        let mut connection = self.pool.get().await?;
        // One picture: a correction may write lots and sales anew between two statements.
        let (sales, lots) = connection
            .build_transaction()
            .read_only()
            .repeatable_read()
            .run(async |connection| {
                let connection: &AsyncPgConnection = connection;
                let sales = store::sales_of(connection, account.id, symbol, before, limit).await?;
                let lots = store::lots_of_sales(connection, &sales).await?;
                Ok::<_, ApiError>((sales, lots))
            })
            .await?;
        Ok((sales, lots, account.cost_method))
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
