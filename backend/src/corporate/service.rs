//! What can be done with corporate actions.

use super::action::{Action, Terms, Wish, WishedTerms};
use super::clerk::{self, Progress};
use super::store::{self, AppliedRow};
use crate::account::AccountService;
use crate::clock;
use crate::db::Pool;
use crate::error::{ApiError, ApiResult, ErrorCode};
use crate::events::EventHub;
use crate::startup::Background;
use crate::trading::{TradingService, broker_tells_activities};
use actix_web::web;
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::{AccountId, ClientOrderId, Symbol, UserId};
use exchange::market_day;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Time between two looks at what waits.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);
/// Waiting actions of one look.
const ACTIONS_PER_LOOK_MAX: i64 = 64;
/// What an order that is taken back says.
const REASON: &str = "corporate_action";

/// Corporate actions.
#[derive(Clone)]
pub struct CorporateService {
    pool: Pool,
    accounts: web::Data<AccountService>,
    trading: web::Data<TradingService>,
    events: Arc<EventHub>,
}

/// An action and what it has done so far.
pub(super) struct Recorded {
    pub(super) action: Action,
    pub(super) applied: Vec<AppliedRow>,
    /// Whether this very request had been answered before.
    pub(super) replayed: bool,
}

impl CorporateService {
    /// Starts applying what waits, beside the requests.
    #[must_use]
    pub fn start(
        pool: Pool,
        accounts: web::Data<AccountService>,
        trading: web::Data<TradingService>,
        events: Arc<EventHub>,
        background: &Background,
    ) -> Self {
        let service = Self { pool, accounts, trading, events };
        background.spawn_vital(service.clone().run(background.stop.clone()));
        service
    }

    async fn run(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
            if let Err(error) = self.apply_waiting().await {
                tracing::warn!(%error, "waiting corporate actions could not be applied; trying again");
            }
        }
    }

    /// One action that cannot be applied does not hold up the others.
    async fn apply_waiting(&self) -> ApiResult<()> {
        let now = clock::now();
        let connection = self.pool.get().await?;
        let waiting = store::waiting_actions(&connection, now, ACTIONS_PER_LOOK_MAX).await?;
        drop(connection);
        for action in waiting.into_iter().filter(|action| clerk::is_due(action, now)) {
            if let Err(error) = self.apply(&action).await {
                tracing::warn!(action = %action.id, %error, "a corporate action could not be applied");
            }
        }
        Ok(())
    }

    /// Records an action and applies it as far as it can be applied now.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] for an account that is not the user's, [`ErrorCode::IdempotencyKeyReused`], or a field that
    /// is not acceptable.
    pub(super) async fn record(
        &self,
        user: UserId,
        account: Option<AccountId>,
        wish: Wish,
        key: Option<ClientOrderId>,
    ) -> ApiResult<Recorded> {
        let chosen = self.accounts.chosen(user, account).await?;
        if account.is_some() && chosen.iter().any(|chosen| is_told_by_broker(&wish.terms, &chosen.broker)) {
            return Err(ApiError::new(
                ErrorCode::BrokerKeepsCash,
                "its broker tells of the dividends that it pays and the splits that it makes",
            ));
        }
        let now = clock::now();
        let today = market_day(wish.symbol.market(), now);
        let action = Action {
            id: Uuid::now_v7(),
            user_id: user,
            account_id: account,
            symbol: wish.symbol,
            terms: wish.terms(today)?,
            ex_date: wish.ex_date,
            effective_on: wish.effective_on(today),
            created_at: now,
            applied_at: None,
        };
        let dated = wish.ex_date.is_some() || wish.pay_date.is_some();
        let key = key.map_or_else(|| action.id.to_string(), |key| key.to_string());
        let connection = self.pool.get().await?;
        let stored = store::insert_action(&connection, &action, &key).await?;
        let replayed = stored.id != action.id;
        if replayed && !is_same(&stored, &action, dated) {
            return Err(ApiError::new(
                ErrorCode::IdempotencyKeyReused,
                "the key was used for another action",
            ));
        }
        drop(connection);
        if stored.applied_at.is_none() && clerk::is_due(&stored, now) {
            // It stands whatever comes of this: what could not be applied now is tried again.
            if let Err(error) = self.apply(&stored).await {
                tracing::warn!(action = %stored.id, %error, "a corporate action could not be applied yet");
            }
        }
        let mut recorded = self.find(user, stored.id).await?;
        recorded.replayed = replayed;
        Ok(recorded)
    }

    /// Applies an action to every account that has a part in it. Says whether it is done everywhere.
    async fn apply(&self, action: &Action) -> ApiResult<bool> {
        let mut done = true;
        let accounts = self.accounts.chosen(action.user_id, action.account_id).await?;
        let is_told = matches!(action.terms, Terms::CashDividend { .. } | Terms::Split { .. });
        for account in accounts.into_iter().filter(|one| !is_told || !broker_tells_activities(&one.broker)) {
            let mut connection = self.pool.get().await?;
            let progress = connection
                .transaction(async |connection| {
                    let connection: &AsyncPgConnection = connection;
                    clerk::apply(connection, action, account.id).await
                })
                .await?;
            drop(connection);
            self.events.wake();
            done &= progress == Progress::Done;
            if progress == Progress::OrdersOpen {
                self.trading.take_back(action.user_id, account.id, action.symbol, REASON).await?;
            }
        }
        if done {
            store::mark_applied(&*self.pool.get().await?, action.id, clock::now()).await?;
        }
        Ok(done)
    }

    /// An action of a user.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] also for the actions of others.
    pub(super) async fn find(&self, user: UserId, id: Uuid) -> ApiResult<Recorded> {
        let connection = self.pool.get().await?;
        let action = store::action_of(&connection, user, id).await?;
        let action = action.ok_or_else(|| ApiError::new(ErrorCode::NotFound, ""))?;
        let applied = store::applications_of(&connection, &[id]).await?;
        Ok(Recorded { action, applied, replayed: false })
    }

    /// A page of a user's actions, the newest first; those before `before`.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn list(
        &self,
        user: UserId,
        symbol: Option<Symbol>,
        before: Option<Uuid>,
        limit: i64,
    ) -> ApiResult<Vec<Recorded>> {
        let connection = self.pool.get().await?;
        let actions = store::actions_of(&connection, user, symbol, before, limit).await?;
        let ids: Vec<Uuid> = actions.iter().map(|action| action.id).collect();
        let applied = store::applications_of(&connection, &ids).await?;
        Ok(actions
            .into_iter()
            .map(|action| Recorded {
                applied: applied.iter().filter(|row| row.action_id == action.id).cloned().collect(),
                action,
                replayed: false,
            })
            .collect())
    }
}

/// Whether the broker of an account tells of it by itself: entered by hand it would be booked twice.
fn is_told_by_broker(terms: &WishedTerms, broker: &str) -> bool {
    matches!(terms, WishedTerms::CashDividend { .. } | WishedTerms::Split { .. })
        && broker_tells_activities(broker)
}

/// Whether two records mean the same. One that was `dated` by nobody is effective on the day it was first entered.
fn is_same(stored: &Action, asked: &Action, dated: bool) -> bool {
    let effective_on = if dated { asked.effective_on } else { stored.effective_on };
    *stored
        == Action {
            id: stored.id,
            effective_on,
            created_at: stored.created_at,
            applied_at: stored.applied_at,
            ..asked.clone()
        }
}
