//! Asking for a close, looking at it, taking it back.

use super::super::service::TradingService;
use super::super::store;
use super::routes::{CloseAllItem, CloseAllOutcome, CloseDocument};
use super::{Cause, CloseRequest, CloseStatus, Portion, Unclosable, worker};
use crate::account::{self, AccountService, MarginSwitches};
use crate::clock;
use crate::error::{ApiError, ApiResult, ErrorCode};
use crate::startup::Background;
use actix_web::web;
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::{AccountId, Symbol, UserId};
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::Notify;
use uuid::Uuid;

/// Closes of an account that are listed.
const LISTED_MAX: i64 = 200;

/// Closes of positions.
#[derive(Clone)]
pub struct Closing {
    pub(super) trading: web::Data<TradingService>,
    pub(super) accounts: web::Data<AccountService>,
    pub(super) wake: Arc<Notify>,
}

impl Closing {
    /// The service; what was asked for before goes on at once.
    #[must_use]
    pub fn start(
        trading: web::Data<TradingService>,
        accounts: web::Data<AccountService>,
        background: &Background,
    ) -> Self {
        let closing = Self { trading, accounts, wake: Arc::new(Notify::new()) };
        background.spawn_vital(worker::run(closing.clone(), background.stop.clone()));
        closing
    }

    /// Asks to close a position. The same key with the same wish is one close for ever.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`], [`ErrorCode::NothingToClose`], [`ErrorCode::CloseUnderWay`],
    /// [`ErrorCode::IdempotencyKeyReused`], or a portion that cannot be.
    pub(super) async fn ask(
        &self,
        user: UserId,
        account: AccountId,
        symbol: Symbol,
        portion: Portion,
        key: String,
    ) -> ApiResult<(CloseRequest, bool)> {
        self.accounts.find(user, account).await?;
        let mut connection = self.trading.pool.get().await?;
        let asked = connection
            .transaction(async |connection| {
                let connection: &AsyncPgConnection = connection;
                let switches = lock(connection, account).await?;
                if let Some(existing) = store::close_by_key(connection, account, &key).await? {
                    if !existing.is_same(symbol, portion) {
                        return Err(ApiError::new(ErrorCode::IdempotencyKeyReused, ""));
                    }
                    return Ok((existing, true));
                }
                let position =
                    closable(account::shares_in(connection, account, symbol).await?.total, switches);
                let request = CloseRequest::new(account, user, symbol, key, portion, position, clock::now())
                    .map_err(refusal)?;
                if !store::insert_close(connection, &request).await? {
                    return Err(ApiError::new(ErrorCode::CloseUnderWay, ""));
                }
                Ok((request, false))
            })
            .await?;
        self.wake.notify_one();
        Ok(asked)
    }

    /// Asks to close every position of an account. The same key is answered alike for ever.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`].
    pub(super) async fn ask_all(
        &self,
        user: UserId,
        account: AccountId,
        key: String,
    ) -> ApiResult<(Vec<CloseAllItem>, bool)> {
        self.accounts.find(user, account).await?;
        let mut connection = self.trading.pool.get().await?;
        let asked = connection
            .transaction(async |connection| {
                let connection: &AsyncPgConnection = connection;
                let switches = lock(connection, account).await?;
                if let Some(items) = store::close_batch(connection, account, &key).await? {
                    return Ok((serde_json::from_str(&items).map_err(ApiError::internal)?, true));
                }
                let mut items = Vec::new();
                for (symbol, shares) in account::shares_of(connection, account).await? {
                    let position = closable(shares.total, switches);
                    if !position.is_zero() {
                        items.push(ask_one(connection, user, account, symbol, position).await?);
                    }
                }
                let written = serde_json::to_string(&items).map_err(ApiError::internal)?;
                store::insert_close_batch(connection, account, &key, written, clock::now()).await?;
                Ok::<_, ApiError>((items, false))
            })
            .await?;
        self.wake.notify_one();
        Ok(asked)
    }

    /// One close.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] also for those of others.
    pub(super) async fn find(&self, user: UserId, id: Uuid) -> ApiResult<CloseRequest> {
        let found = store::close_of(&*self.trading.pool.get().await?, user, id).await?;
        found.ok_or_else(|| ApiError::new(ErrorCode::NotFound, ""))
    }

    /// The latest closes of an account, newest first.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] also for the accounts of others.
    pub(super) async fn list(&self, user: UserId, account: AccountId) -> ApiResult<Vec<CloseRequest>> {
        self.accounts.find(user, account).await?;
        Ok(store::closes_of(&*self.trading.pool.get().await?, account, LISTED_MAX).await?)
    }

    /// Takes a close back that has not become an order yet. Repeating it changes nothing.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`], or [`ErrorCode::Conflict`] once its order is decided, or where it is not its owner's.
    pub(super) async fn withdraw(&self, user: UserId, id: Uuid) -> ApiResult<CloseRequest> {
        let request = self.find(user, id).await?;
        if request.status == CloseStatus::Withdrawn {
            return Ok(request);
        }
        let after =
            CloseRequest { status: CloseStatus::Withdrawn, updated_at: clock::now(), ..request.clone() };
        let waits = request.status == CloseStatus::Waiting && request.cause == Cause::Trader;
        if waits && store::save_close(&*self.trading.pool.get().await?, &request, &after).await? {
            return Ok(after);
        }
        Err(ApiError::new(
            ErrorCode::Conflict,
            "the close has ended, has become an order, or was not asked for by its owner",
        ))
    }
}

/// Lets the wishes of one account be written one after another; what the account may do.
async fn lock(connection: &AsyncPgConnection, account: AccountId) -> ApiResult<MarginSwitches> {
    let locked = account::lock_balances(connection, &BTreeSet::from([account]), std::iter::empty()).await?;
    Ok(locked.switches(account))
}

/// What may be closed of a position. Where nothing is sold short, a position below zero is an error that a person looks at.
fn closable(position: Decimal, switches: MarginSwitches) -> Decimal {
    if switches.short_selling { position } else { position.max(Decimal::ZERO) }
}

async fn ask_one(
    connection: &AsyncPgConnection,
    user: UserId,
    account: AccountId,
    symbol: Symbol,
    position: Decimal,
) -> ApiResult<CloseAllItem> {
    // Of its own: whatever is made of the batch's key, a trader may have chosen before.
    let key = Uuid::now_v7().to_string();
    let request = CloseRequest::new(account, user, symbol, key, Portion::All, position, clock::now())
        .map_err(refusal)?;
    let is_new = store::insert_close(connection, &request).await?;
    Ok(CloseAllItem {
        symbol,
        outcome: if is_new { CloseAllOutcome::Accepted } else { CloseAllOutcome::AlreadyUnderWay },
        close: is_new.then(|| CloseDocument::from(&request)),
    })
}

fn refusal(reason: Unclosable) -> ApiError {
    match reason {
        Unclosable::NothingOpen => ApiError::new(ErrorCode::NothingToClose, ""),
        Unclosable::TooMany => ApiError::field("quantity", "too_large", "is more than the position"),
        Unclosable::TooLittle => ApiError::field("percent", "too_small", "is less than one share"),
    }
}
