//! What can be done with accounts.

use super::ledger::Journal;
use super::routes::{AccountDocument, BalanceDocument};
use super::{Account, CashBalance, Commodity, store};
use crate::clock;
use crate::db::Pool;
use crate::error::{ApiError, ApiResult, ErrorCode};
use crate::events::{self, EventHub, EventKind, NewEvent};
use chrono::{DateTime, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::{AccountId, ClientOrderId, Currency, Symbol, UserId};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

/// Most accounts of one user.
const ACCOUNTS_PER_USER_MAX: i64 = 50;
/// Largest single deposit and largest balance of play money, in units of the currency: far inside 28 digits.
const CASH_MAX: i64 = 1_000_000_000_000;

/// The event that tells a balance.
///
/// # Errors
/// The serializer's, which this type does not produce.
pub fn balance_event(
    user: UserId,
    balance: &CashBalance,
    as_of: DateTime<Utc>,
) -> Result<NewEvent, serde_json::Error> {
    NewEvent::new(user, EventKind::Balance, &BalanceDocument::new(balance, as_of))
}

/// A deposit that is in the books.
pub struct Deposit {
    /// Its journal.
    pub journal_id: Uuid,
    /// How much.
    pub amount: Decimal,
    /// The balance after it, or now if it was booked by an earlier request.
    pub balance: CashBalance,
    /// Whether this very request had been answered before.
    pub replayed: bool,
}

/// Accounts and their cash.
pub struct AccountService {
    pool: Pool,
    events: Arc<EventHub>,
}

impl AccountService {
    /// The service over its tables.
    #[must_use]
    pub const fn new(pool: Pool, events: Arc<EventHub>) -> Self {
        Self { pool, events }
    }

    /// Opens an account with nothing in it.
    ///
    /// # Errors
    /// [`ErrorCode::AccountLimitReached`].
    pub async fn open(
        &self,
        user: UserId,
        name: String,
        broker: String,
        currency: Currency,
    ) -> ApiResult<Account> {
        let account = Account {
            id: AccountId::generate(),
            user_id: user,
            name,
            broker,
            currency,
            status: "active".to_owned(),
            created_at: clock::now(),
        };
        let mut connection = self.pool.get().await?;
        let opened = connection
            .transaction(async |connection| {
                let connection: &AsyncPgConnection = connection;
                let opened = store::insert_account(connection, &account, ACCOUNTS_PER_USER_MAX).await?;
                if opened {
                    let document = AccountDocument::from(account.clone());
                    let event =
                        NewEvent::new(user, EventKind::Account, &document).map_err(ApiError::internal)?;
                    events::append(connection, vec![event]).await?;
                }
                Ok::<_, ApiError>(opened)
            })
            .await?;
        if !opened {
            let detail = format!("a user can have at most {ACCOUNTS_PER_USER_MAX} accounts");
            return Err(ApiError::new(ErrorCode::AccountLimitReached, detail));
        }
        self.events.wake();
        Ok(account)
    }

    /// A user's accounts, oldest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn list(&self, user: UserId) -> ApiResult<Vec<Account>> {
        Ok(store::accounts_of(&*self.pool.get().await?, user).await?)
    }

    /// One account of a user.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] also for the accounts of others.
    pub async fn find(&self, user: UserId, account: AccountId) -> ApiResult<Account> {
        let found = store::account_of(&*self.pool.get().await?, user, account).await?;
        found.ok_or_else(|| ApiError::new(ErrorCode::NotFound, ""))
    }

    /// The accounts a request is about: the one it names, or all of the user's.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] for a named account that is not the user's.
    pub async fn chosen(&self, user: UserId, account: Option<AccountId>) -> ApiResult<Vec<Account>> {
        match account {
            Some(account) => Ok(vec![self.find(user, account).await?]),
            None => self.list(user).await,
        }
    }

    /// The cash of one account.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] also for the accounts of others.
    pub async fn balance(&self, user: UserId, account: AccountId) -> ApiResult<CashBalance> {
        let account = self.find(user, account).await?;
        let cash = self.cash(&[account.id]).await?;
        cash.first().copied().ok_or_else(|| ApiError::internal("an account has no cash balance"))
    }

    /// The cash of accounts.
    ///
    /// # Errors
    /// The database's.
    pub async fn cash(&self, accounts: &[AccountId]) -> ApiResult<Vec<CashBalance>> {
        Ok(store::cash_of(&*self.pool.get().await?, accounts).await?)
    }

    /// Shares that open orders have reserved.
    ///
    /// # Errors
    /// The database's.
    pub async fn held_shares(
        &self,
        accounts: &[AccountId],
    ) -> ApiResult<BTreeMap<(AccountId, Symbol), Decimal>> {
        Ok(store::held_shares(&*self.pool.get().await?, accounts).await?)
    }

    /// Shares of a symbol that no open order has reserved.
    ///
    /// # Errors
    /// The database's.
    pub async fn free_shares(&self, account: AccountId, symbol: Symbol) -> ApiResult<Decimal> {
        Ok(store::free_shares(&*self.pool.get().await?, account, symbol).await?)
    }

    /// Money brought in from outside, per account.
    ///
    /// # Errors
    /// The database's.
    pub async fn net_deposits(&self, accounts: &[AccountId]) -> ApiResult<BTreeMap<AccountId, Decimal>> {
        Ok(store::net_deposits(&*self.pool.get().await?, accounts).await?)
    }

    /// Brings play money in. The same key with the same amount is booked once and answered alike every time.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`], [`ErrorCode::IdempotencyKeyReused`], or a field that is not acceptable.
    pub async fn deposit(
        &self,
        user: UserId,
        account: AccountId,
        amount: Decimal,
        key: Option<ClientOrderId>,
    ) -> ApiResult<Deposit> {
        let account = self.find(user, account).await?;
        check_amount(amount, account.currency)?;
        let key = key.map_or_else(|| format!("deposit:{}", Uuid::now_v7()), |key| format!("deposit:{key}"));
        let mut connection = self.pool.get().await?;
        let deposit = connection
            .transaction(async |connection| book_deposit(connection, &account, amount, key).await)
            .await?;
        self.events.wake();
        Ok(deposit)
    }
}

fn check_amount(amount: Decimal, currency: Currency) -> ApiResult<()> {
    if amount <= Decimal::ZERO {
        return Err(ApiError::field("amount", "not_positive", "must be greater than zero"));
    }
    if currency.round(amount) != amount {
        let message = format!(
            "must have at most {} digits behind the decimal point in {currency}",
            currency.minor_digits()
        );
        return Err(ApiError::field("amount", "too_precise", message));
    }
    if amount > Decimal::from(CASH_MAX) {
        return Err(ApiError::field("amount", "too_large", format!("must be at most {CASH_MAX}")));
    }
    Ok(())
}

async fn book_deposit(
    connection: &mut AsyncPgConnection,
    account: &Account,
    amount: Decimal,
    key: String,
) -> ApiResult<Deposit> {
    let connection: &AsyncPgConnection = connection;
    let locked = store::lock_balances(connection, &BTreeSet::from([account.id]), std::iter::empty()).await?;
    let before = locked.balance(account.id, Commodity::Cash(account.currency));
    let balance =
        |total| CashBalance { account_id: account.id, currency: account.currency, total, held: before.held };
    if let Some((journal_id, booked)) = store::deposit_by_key(connection, account.id, &key).await? {
        if booked != amount {
            return Err(ApiError::new(
                ErrorCode::IdempotencyKeyReused,
                "the key was used for another amount",
            ));
        }
        return Ok(Deposit { journal_id, amount, balance: balance(before.total), replayed: true });
    }
    let total = before.total + amount;
    if total > Decimal::from(CASH_MAX) {
        let message = format!("would raise the balance above {CASH_MAX}");
        return Err(ApiError::field("amount", "too_large", message));
    }
    let at = clock::now();
    let journal =
        Journal::deposit(account.id, account.currency, amount, key, at).map_err(ApiError::internal)?;
    store::post(connection, std::slice::from_ref(&journal)).await?;
    let balance = balance(total);
    let event = balance_event(account.user_id, &balance, at).map_err(ApiError::internal)?;
    events::append(connection, vec![event]).await?;
    Ok(Deposit { journal_id: journal.id(), amount, balance, replayed: false })
}
