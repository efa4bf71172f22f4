//! Books and prices brought together.

use super::cost::PositionState;
use super::lots::Lot;
use super::store::{self, LotSaleLine, MovementLine, PositionKey, SaleLine, TakenLine};
use super::valuation::{AccountValue, ValuedPosition, value_account, value_position};
use crate::account::{self, Account, AccountService, CashBalance, CostMethod, Funding};
use crate::db::{self, Pool};
use crate::error::{ApiError, ApiResult};
use crate::market::Market;
use actix_web::web;
use chrono::NaiveDate;
use diesel_async::AsyncPgConnection;
use domain::{AccountId, Currency, Quote, Symbol, UserId};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
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

/// What an account is worth in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worth {
    /// Whose.
    pub account_id: AccountId,
    /// Of what.
    pub currency: Currency,
    /// Cash, what is to be settled included.
    pub cash: Decimal,
    /// Shares at their last prices.
    pub positions_value: Decimal,
    /// Brought in less taken out.
    pub net_deposits: Decimal,
    /// The trading day of the newest price in it.
    pub session_date: Option<NaiveDate>,
}

impl From<&AccountValue> for Worth {
    fn from(value: &AccountValue) -> Self {
        Self {
            account_id: value.cash.account_id,
            currency: value.cash.currency,
            cash: value.cash.total,
            positions_value: value.positions_value,
            net_deposits: value.net_deposits,
            session_date: value.session_date,
        }
    }
}

/// What the books say of accounts.
struct Picture {
    positions: Vec<(PositionKey, PositionState)>,
    cash: Vec<CashBalance>,
    funding: BTreeMap<(AccountId, Currency), Funding>,
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
        let ids: Vec<AccountId> = accounts.iter().map(|account| account.id).collect();
        let positions = store::positions_of(&*self.pool.get().await?, &ids).await?;
        let reserved = self.accounts.held_shares(&ids).await?;
        let valued = self.value(accounts, positions).await;
        let held = |account, symbol| reserved.get(&(account, symbol)).copied().unwrap_or(Decimal::ZERO);
        Ok(valued
            .into_iter()
            .map(|(account_id, position)| Holding {
                account_id,
                held: held(account_id, position.symbol),
                position,
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
        let (sales, lots) = db::one_picture(&mut connection)
            .run(async |connection| {
                let connection: &AsyncPgConnection = connection;
                let sales = store::sales_of(connection, account.id, symbol, before, limit).await?;
                let lots = store::lots_of_sales(connection, &sales).await?;
                Ok::<_, ApiError>((sales, lots))
            })
            .await?;
        Ok((sales, lots, account.cost_method))
    }

    /// What has moved a position, the last booked first.
    ///
    /// # Errors
    /// [`crate::error::ErrorCode::NotFound`] also for the accounts of others.
    pub(super) async fn movements(
        &self,
        user: UserId,
        (account, symbol): PositionKey,
        before: Option<Uuid>,
        limit: i64,
    ) -> ApiResult<Vec<MovementLine>> {
        let account = self.accounts.find(user, account).await?;
        let key = (account.id, symbol);
        Ok(store::page_of_movements(&*self.pool.get().await?, key, before, limit).await?)
    }

    /// What sales have taken from a lot, the last booked first; nothing from a lot of another account.
    ///
    /// # Errors
    /// [`crate::error::ErrorCode::NotFound`] also for the accounts of others.
    pub(super) async fn taken_from(
        &self,
        user: UserId,
        account: AccountId,
        lot: Uuid,
        before: Option<Uuid>,
        limit: i64,
    ) -> ApiResult<Vec<TakenLine>> {
        let account = self.accounts.find(user, account).await?;
        Ok(store::taken_from(&*self.pool.get().await?, account.id, lot, before, limit).await?)
    }

    /// What one account, or each of them, is worth, in each currency it uses; its own currency first.
    pub(super) async fn values(
        &self,
        user: UserId,
        account: Option<AccountId>,
    ) -> ApiResult<Vec<AccountValue>> {
        self.values_of(&self.accounts.chosen(user, account).await?).await
    }

    /// What accounts are worth, in each currency they use. Where a share that is held has no price, nobody knows, and it is
    /// left out.
    ///
    /// # Errors
    /// The database's.
    pub async fn worths(&self, accounts: &[Account]) -> ApiResult<Vec<Worth>> {
        let values = self.values_of(accounts).await?;
        Ok(values.iter().filter(|value| value.is_priced).map(Worth::from).collect())
    }

    async fn values_of(&self, accounts: &[Account]) -> ApiResult<Vec<AccountValue>> {
        let books = self.picture(accounts).await?;
        let positions = self.value(accounts, books.positions).await;
        let own: HashSet<_> = accounts.iter().map(|account| (account.id, account.currency)).collect();
        Ok(books
            .cash
            .into_iter()
            .filter_map(|cash| {
                let key = (cash.account_id, cash.currency);
                let of_this = |(account, position): &&(AccountId, ValuedPosition)| {
                    (*account, position.currency()) == key
                };
                let positions: Vec<ValuedPosition> =
                    positions.iter().filter(of_this).map(|(_, position)| position.clone()).collect();
                let used = own.contains(&key) || books.funding.contains_key(&key) || !positions.is_empty();
                let funding = books.funding.get(&key).copied().unwrap_or_default();
                used.then(|| value_account(cash, &positions, funding))
            })
            .collect())
    }

    /// The books of accounts as of one moment: a trade between two statements would move cash and not yet the shares.
    async fn picture(&self, accounts: &[Account]) -> ApiResult<Picture> {
        let ids: Vec<AccountId> = accounts.iter().map(|account| account.id).collect();
        let mut connection = self.pool.get().await?;
        db::one_picture(&mut connection)
            .run(async |connection| {
                let connection: &AsyncPgConnection = connection;
                Ok::<_, ApiError>(Picture {
                    positions: store::positions_of(connection, &ids).await?,
                    cash: account::cash_of(connection, &ids).await?,
                    funding: account::funding(connection, &ids).await?,
                })
            })
            .await
    }

    /// Positions at the prices of now.
    async fn value(
        &self,
        accounts: &[Account],
        positions: Vec<(PositionKey, PositionState)>,
    ) -> Vec<(AccountId, ValuedPosition)> {
        let methods: HashMap<AccountId, CostMethod> =
            accounts.iter().map(|account| (account.id, account.cost_method)).collect();
        let held: BTreeSet<Symbol> = positions
            .iter()
            .filter(|(_, state)| !state.quantity.is_zero())
            .map(|((_, symbol), _)| *symbol)
            .collect();
        let held: Vec<Symbol> = held.into_iter().collect();
        let quotes: HashMap<Symbol, Arc<Quote>> = self.market.quotes(&held).await;
        positions
            .into_iter()
            .map(|((account, symbol), state)| {
                let method = methods.get(&account).copied().unwrap_or_default();
                let quote = quotes.get(&symbol).map(AsRef::as_ref);
                (account, value_position((symbol, state), method, quote))
            })
            .collect()
    }
}
