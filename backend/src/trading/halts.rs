//! Symbols in which a user wants no new orders because the market has halted them. Kept in memory, so that an order does
//! not wait for a question to the database; every change is durable before it counts.

use super::service::TradingService;
use super::store;
use crate::clock;
use crate::db::Pool;
use crate::error::{ApiError, ApiResult, ErrorCode};
use chrono::{DateTime, Utc};
use diesel_async::AsyncPgConnection;
use domain::{Symbol, UserId};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most symbols that one user has on the list.
const HALTS_PER_USER_MAX: usize = 1000;

/// Why and since when a symbol is halted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Halt {
    pub(super) symbol: Symbol,
    pub(super) reason: String,
    pub(super) halted_at: DateTime<Utc>,
}

/// The list.
#[derive(Debug, Default)]
pub(super) struct Halts {
    by_user: Mutex<HashMap<UserId, BTreeMap<Symbol, Halt>>>,
    /// One change at a time, so that memory and table cannot disagree.
    changing: tokio::sync::Mutex<()>,
}

impl Halts {
    /// Reads the list.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn load(connection: &AsyncPgConnection) -> ApiResult<Self> {
        let halts = Self::default();
        for (user, halt) in store::all_halts(connection).await? {
            halts.lock().entry(user).or_default().insert(halt.symbol, halt);
        }
        Ok(halts)
    }

    /// Whether a user has the symbol on the list.
    pub(super) fn is_halted(&self, user: UserId, symbol: Symbol) -> bool {
        self.lock().get(&user).is_some_and(|halts| halts.contains_key(&symbol))
    }

    /// A user's list.
    pub(super) fn of(&self, user: UserId) -> Vec<Halt> {
        self.lock().get(&user).map(|halts| halts.values().cloned().collect()).unwrap_or_default()
    }

    /// Puts a symbol on the list, or gives it another reason.
    ///
    /// # Errors
    /// When the list is full, and the database's.
    pub(super) async fn halt(
        &self,
        pool: &Pool,
        user: UserId,
        symbol: Symbol,
        reason: String,
    ) -> ApiResult<Halt> {
        let _turn = self.changing.lock().await;
        let known = self.lock().get(&user).and_then(|halts| halts.get(&symbol).cloned());
        if known.is_none() && self.of(user).len() >= HALTS_PER_USER_MAX {
            let detail = format!("at most {HALTS_PER_USER_MAX} symbols can be halted");
            return Err(ApiError::new(ErrorCode::Conflict, detail));
        }
        let halted_at = known.map_or_else(clock::now, |halt| halt.halted_at);
        let halt = Halt { symbol, reason, halted_at };
        store::save_halt(&*pool.get().await?, user, &halt).await?;
        self.lock().entry(user).or_default().insert(symbol, halt.clone());
        Ok(halt)
    }

    /// Takes a symbol off the list; doing it twice does it once.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn resume(&self, pool: &Pool, user: UserId, symbol: Symbol) -> ApiResult<()> {
        let _turn = self.changing.lock().await;
        store::delete_halt(&*pool.get().await?, user, symbol).await?;
        if let Some(halts) = self.lock().get_mut(&user) {
            halts.remove(&symbol);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, BTreeMap<Symbol, Halt>>> {
        self.by_user.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TradingService {
    /// The symbols that a user has halted.
    pub(super) fn halts(&self, user: UserId) -> Vec<Halt> {
        self.halts.of(user)
    }

    /// Refuses new orders of a user in a symbol.
    ///
    /// # Errors
    /// When the list is full, and the database's.
    pub(super) async fn halt(&self, user: UserId, symbol: Symbol, reason: String) -> ApiResult<Halt> {
        self.halts.halt(&self.pool, user, symbol, reason).await
    }

    /// Takes new orders in a symbol again.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn resume(&self, user: UserId, symbol: Symbol) -> ApiResult<()> {
        self.halts.resume(&self.pool, user, symbol).await
    }
}
