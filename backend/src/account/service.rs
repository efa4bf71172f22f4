//! What can be done with accounts.

use super::routes::{AccountDocument, BalanceDocument};
use super::settlement::Settler;
use super::store;
use super::{Account, CashBalance, CostMethod, CurrencyBalance, MARGIN_CURRENCY, MarginSwitches, SharesHeld};
use crate::clock;
use crate::db::{self, Pool};
use crate::error::{ApiError, ApiResult, ErrorCode};
use crate::events::{self, EventHub, EventKind, NewEvent};
use crate::startup::Background;
use chrono::{DateTime, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::{AccountId, Currency, Market, Symbol, UserId};
use exchange::market_day;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// Most accounts of one user.
const ACCOUNTS_PER_USER_MAX: i64 = 50;

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

/// What somebody wants to open.
pub(super) struct OpeningWish {
    pub(super) name: String,
    pub(super) broker: &'static str,
    pub(super) currency: Currency,
    pub(super) switches: MarginSwitches,
}

/// What was opened under a key before, where the same is asked for again.
fn again(
    (known, before): (Account, MarginSwitches),
    (asked, switches): (&Account, MarginSwitches),
) -> ApiResult<(Account, bool)> {
    let is_same = (&known.name, &known.broker, known.currency, before)
        == (&asked.name, &asked.broker, asked.currency, switches);
    if is_same {
        return Ok((known, true));
    }
    Err(ApiError::new(ErrorCode::IdempotencyKeyReused, "the key was used for another account"))
}

async fn insert(
    connection: &AsyncPgConnection,
    (account, switches): (Account, MarginSwitches),
    key: Option<&str>,
) -> ApiResult<(Account, bool)> {
    if !store::insert_account(connection, (&account, switches), key, ACCOUNTS_PER_USER_MAX).await? {
        let detail = format!("a user can have at most {ACCOUNTS_PER_USER_MAX} accounts");
        return Err(ApiError::new(ErrorCode::AccountLimitReached, detail));
    }
    if switches.margin {
        let today = market_day(Market::Us, account.created_at);
        store::set_switches(connection, account.user_id, account.id, switches, today).await?;
    }
    let document = AccountDocument::from(account.clone());
    let event = NewEvent::new(account.user_id, EventKind::Account, &document).map_err(ApiError::internal)?;
    events::append(connection, vec![event]).await?;
    Ok((account, false))
}

/// Who is told of a new account.
type OpeningListener = Box<dyn Fn(&Account) + Send + Sync>;

/// Accounts and their cash.
pub struct AccountService {
    pub(super) pool: Pool,
    pub(super) events: Arc<EventHub>,
    opening_listener: OnceLock<OpeningListener>,
}

impl AccountService {
    /// Settles what has become due meanwhile, then goes on settling beside the requests.
    ///
    /// # Errors
    /// The database's.
    pub async fn start(pool: Pool, events: Arc<EventHub>, background: &Background) -> ApiResult<Self> {
        let settler = Settler { pool: pool.clone(), events: Arc::clone(&events) };
        settler.settle_due().await?;
        background.spawn_vital(settler.run(background.stop.clone()));
        Ok(Self { pool, events, opening_listener: OnceLock::new() })
    }

    /// Has somebody told of each new account, before anybody else can know of it. The first one who asks is told.
    pub fn when_opened(&self, listener: impl Fn(&Account) + Send + Sync + 'static) {
        let _ = self.opening_listener.set(Box::new(listener));
    }

    /// Opens an account with nothing in it, or gives the one that was opened under the same key, and says whether that was so.
    ///
    /// # Errors
    /// [`ErrorCode::AccountLimitReached`], [`ErrorCode::IdempotencyKeyReused`].
    pub(super) async fn open(
        &self,
        user: UserId,
        wish: OpeningWish,
        key: Option<&str>,
    ) -> ApiResult<(Account, bool)> {
        let account = Account {
            id: AccountId::generate(),
            user_id: user,
            name: wish.name,
            broker: wish.broker.to_owned(),
            currency: wish.currency,
            status: "active".to_owned(),
            cost_method: CostMethod::default(),
            created_at: clock::now(),
        };
        let mut connection = self.pool.get().await?;
        let opened = connection
            .transaction(async |connection| {
                let connection: &AsyncPgConnection = connection;
                match store::account_by_key(connection, user, key).await? {
                    Some(known) => again(known, (&account, wish.switches)),
                    None => {
                        let opened = insert(connection, (account, wish.switches), key).await?;
                        if let Some(listener) = self.opening_listener.get() {
                            listener(&opened.0);
                        }
                        Ok(opened)
                    }
                }
            })
            .await?;
        self.events.wake();
        Ok(opened)
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

    /// One account of a user, where it is one of play money.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] also for the accounts of others, [`ErrorCode::NotAPaperAccount`].
    pub async fn find_of_play_money(&self, user: UserId, account: AccountId) -> ApiResult<Account> {
        let account = self.find(user, account).await?;
        if account.is_of_play_money() {
            Ok(account)
        } else {
            Err(ApiError::new(ErrorCode::NotAPaperAccount, ""))
        }
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

    /// The cash of one account in every currency, its own first, with what is only promised.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] also for the accounts of others.
    pub async fn balances(&self, user: UserId, account: AccountId) -> ApiResult<Vec<CurrencyBalance>> {
        let account = self.find(user, account).await?;
        let mut connection = self.pool.get().await?;
        // One picture: between two statements a trade may settle.
        let (cash, unsettled, is_short) = db::one_picture(&mut connection)
            .run(async |connection| {
                let connection: &AsyncPgConnection = connection;
                let cash = store::cash_of(connection, &[account.id]).await?;
                let unsettled = store::unsettled_of(connection, &[account.id]).await?;
                let is_short = store::switches_of(connection, account.id).await?.short_selling
                    && store::shares_held(connection, &[account.id]).await?.iter().any(SharesHeld::is_short);
                Ok::<_, ApiError>((cash, unsettled, is_short))
            })
            .await?;
        Ok(cash
            .into_iter()
            .map(|cash| {
                let promised = unsettled.iter().filter(|promise| promise.currency == cash.currency);
                let is_security = is_short && cash.currency == MARGIN_CURRENCY;
                CurrencyBalance { cash, unsettled: promised.copied().collect(), is_security }
            })
            .collect())
    }

    /// Everybody's accounts after one of them, by id.
    ///
    /// # Errors
    /// The database's.
    pub async fn page(&self, after: Option<AccountId>, limit: i64) -> ApiResult<Vec<Account>> {
        Ok(store::page_of_accounts(&*self.pool.get().await?, after, limit).await?)
    }

    /// The cash of accounts in every currency, of each account its own first.
    ///
    /// # Errors
    /// The database's.
    pub async fn cash(&self, accounts: &[AccountId]) -> ApiResult<Vec<CashBalance>> {
        Ok(store::cash_of(&*self.pool.get().await?, accounts).await?)
    }

    /// The cash of one account in one currency.
    ///
    /// # Errors
    /// The database's.
    pub async fn cash_in(&self, account: AccountId, currency: Currency) -> ApiResult<CashBalance> {
        let cash = self.cash(&[account]).await?;
        let cash = cash.into_iter().find(|cash| cash.currency == currency);
        cash.ok_or_else(|| ApiError::internal("an account has no cash balance"))
    }

    /// Chooses how the profit of an account's sales is told, past ones included.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] also for the accounts of others.
    pub async fn set_cost_method(
        &self,
        user: UserId,
        account: AccountId,
        method: CostMethod,
    ) -> ApiResult<Account> {
        let mut connection = self.pool.get().await?;
        let account = connection
            .transaction(async |connection| {
                let connection: &AsyncPgConnection = connection;
                store::set_cost_method(connection, user, account, method).await?;
                let account = store::account_of(connection, user, account).await?;
                let account = account.ok_or_else(|| ApiError::new(ErrorCode::NotFound, ""))?;
                let document = AccountDocument::from(account.clone());
                let event = NewEvent::new(user, EventKind::Account, &document).map_err(ApiError::internal)?;
                events::append(connection, vec![event]).await?;
                Ok::<_, ApiError>(account)
            })
            .await?;
        self.events.wake();
        Ok(account)
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
}
