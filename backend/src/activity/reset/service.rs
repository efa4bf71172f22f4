//! Asking for a reset, and looking at it.

use super::super::store;
use super::{Reset, ResetStatus, worker};
use crate::account::{self, AccountService};
use crate::clock;
use crate::db::Pool;
use crate::error::{ApiError, ApiResult, ErrorCode};
use crate::events::EventHub;
use crate::startup::Background;
use crate::trading::TradingService;
use actix_web::web;
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::{AccountId, Money, UserId};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::Notify;
use uuid::Uuid;

/// Resets of an account that are listed.
const LISTED_MAX: i64 = 100;

/// Accounts that begin anew.
#[derive(Clone)]
pub struct ResetService {
    pub(super) pool: Pool,
    pub(super) accounts: web::Data<AccountService>,
    pub(super) trading: web::Data<TradingService>,
    pub(super) events: Arc<EventHub>,
    pub(super) wake: Arc<Notify>,
}

impl ResetService {
    /// The service; what was asked for before goes on at once.
    #[must_use]
    pub fn start(
        pool: Pool,
        accounts: web::Data<AccountService>,
        trading: web::Data<TradingService>,
        events: Arc<EventHub>,
        background: &Background,
    ) -> Self {
        let service = Self { pool, accounts, trading, events, wake: Arc::new(Notify::new()) };
        background.spawn_vital(worker::run(service.clone(), background.stop.clone()));
        service
    }

    /// Asks an account to begin anew. The same key is one reset for ever.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`], [`ErrorCode::NotAPaperAccount`], [`ErrorCode::ResetUnderWay`],
    /// [`ErrorCode::IdempotencyKeyReused`].
    pub(super) async fn ask(
        &self,
        user: UserId,
        account: AccountId,
        opening: Option<Money>,
        key: String,
    ) -> ApiResult<(Reset, bool)> {
        let account = self.accounts.find_of_play_money(user, account).await?;
        let now = clock::now();
        let reset = Reset {
            id: Uuid::now_v7(),
            account_id: account.id,
            user_id: user,
            key,
            opening,
            status: ResetStatus::Waiting,
            reason: None,
            created_at: now,
            updated_at: now,
        };
        let mut connection = self.pool.get().await?;
        let asked = connection
            .transaction(async |connection| {
                let connection: &AsyncPgConnection = connection;
                let accounts = BTreeSet::from([reset.account_id]);
                account::lock_balances(connection, &accounts, std::iter::empty()).await?;
                match store::reset_by_key(connection, reset.account_id, &reset.key).await? {
                    Some(existing) if existing.opening == reset.opening => return Ok((existing, true)),
                    Some(_) => return Err(ApiError::new(ErrorCode::IdempotencyKeyReused, "")),
                    None => {}
                }
                if !store::insert_reset(connection, &reset).await? {
                    return Err(ApiError::new(ErrorCode::ResetUnderWay, ""));
                }
                Ok((reset, false))
            })
            .await?;
        self.wake.notify_one();
        Ok(asked)
    }

    /// The latest resets of an account, newest first.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] also for the accounts of others.
    pub(super) async fn list(&self, user: UserId, account: AccountId) -> ApiResult<Vec<Reset>> {
        let account = self.accounts.find(user, account).await?;
        Ok(store::resets_of(&*self.pool.get().await?, account.id, LISTED_MAX).await?)
    }
}
