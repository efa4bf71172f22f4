//! Redis as a memory that may vanish at any moment.
//!
//! Last quotes are written behind and read once at the start; days of history fetched from far away are kept for a
//! while. Every call is bounded in time, a failure is counted and costs nothing but the memory: the server works the
//! same when there is no Redis, when it hangs and when it dies.

use deadpool_redis::{Config, Pool, Runtime, redis};
use domain::{Quote, Symbol};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Longest time one call to Redis may take, connecting included.
pub const CALL_TIMEOUT: Duration = Duration::from_millis(500);
/// Pause between two writes of changed quotes.
pub const WRITE_INTERVAL: Duration = Duration::from_secs(1);
/// Pause after a failed write.
pub const RETRY_INTERVAL: Duration = Duration::from_secs(5);
/// Redis forgets the last quotes when none is written for this long, in seconds.
pub const QUOTES_TTL_SECONDS: i64 = 7 * 86_400;
/// Most quotes that are remembered or read back.
pub const QUOTES_MAX: usize = 4_096;
/// Largest value that is read back, in bytes.
pub const VALUE_SIZE_MAX: usize = 4 * 1024 * 1024;

const QUOTES_KEY: &str = "gaemi:market-data:quotes";
const VALUES_PREFIX: &str = "gaemi:market-data:";

/// How the cache is doing, for `/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CacheStatus {
    /// A URL was given.
    pub configured: bool,
    /// The last call succeeded.
    pub reachable: bool,
    /// Quotes written.
    pub written: u64,
    /// Calls that failed.
    pub failures: u64,
}

/// The cache; without a URL it remembers nothing.
#[derive(Default)]
pub struct Cache {
    pool: Option<Pool>,
    dirty: Mutex<HashMap<Symbol, Arc<Quote>>>,
    reachable: AtomicBool,
    written: AtomicU64,
    failures: AtomicU64,
}

/// A URL that Redis' client does not understand.
#[derive(Debug, thiserror::Error)]
#[error("REDIS_URL is not a Redis URL: {0}")]
pub struct CacheError(String);

impl Cache {
    /// Prepares connections; none is made yet.
    ///
    /// # Errors
    /// [`CacheError`] for a malformed URL.
    pub fn new(url: Option<&SecretString>) -> Result<Self, CacheError> {
        let Some(url) = url else { return Ok(Self::default()) };
        let pool = Config::from_url(url.expose_secret())
            .create_pool(Some(Runtime::Tokio1))
            .map_err(|error| CacheError(error.to_string()))?;
        Ok(Self { pool: Some(pool), ..Self::default() })
    }

    /// How it is doing.
    #[must_use]
    pub fn status(&self) -> CacheStatus {
        CacheStatus {
            configured: self.pool.is_some(),
            reachable: self.reachable.load(Ordering::Relaxed),
            written: self.written.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
        }
    }

    /// Remembers a quote, some time soon.
    pub fn remember(&self, quote: &Arc<Quote>) {
        if self.pool.is_none() {
            return;
        }
        let mut dirty = self.dirty.lock().unwrap_or_else(PoisonError::into_inner);
        if dirty.len() < QUOTES_MAX || dirty.contains_key(&quote.symbol) {
            dirty.insert(quote.symbol, Arc::clone(quote));
        }
    }

    /// The quotes that were remembered, from a process before this one perhaps; none when Redis does not answer.
    pub async fn quotes(&self) -> Vec<Quote> {
        let texts: HashMap<String, String> =
            self.call(redis::cmd("HGETALL").arg(QUOTES_KEY)).await.unwrap_or_default();
        texts.values().take(QUOTES_MAX).filter_map(|text| serde_json::from_str(text).ok()).collect()
    }

    /// A value kept by [`Self::keep`].
    pub async fn recall(&self, name: &str) -> Option<String> {
        let value: Option<String> =
            self.call(redis::cmd("GET").arg(format!("{VALUES_PREFIX}{name}"))).await?;
        value.filter(|value| value.len() <= VALUE_SIZE_MAX)
    }

    /// Keeps a value for a while.
    pub async fn keep(&self, name: &str, value: &str, lifetime: Duration) {
        if value.len() <= VALUE_SIZE_MAX {
            let key = format!("{VALUES_PREFIX}{name}");
            let _: Option<()> = self
                .call(redis::cmd("SET").arg(key).arg(value).arg("EX").arg(lifetime.as_secs().max(1)))
                .await;
        }
    }

    /// Adds to a count that is kept for a while; what it is then.
    pub async fn count(&self, name: &str, by: u32, lifetime: Duration) -> Option<u32> {
        let key = format!("{VALUES_PREFIX}{name}");
        let mut commands = redis::pipe();
        commands.cmd("INCRBY").arg(&key).arg(by);
        commands.cmd("EXPIRE").arg(&key).arg(lifetime.as_secs().max(1)).ignore();
        let (count,): (u32,) = self.call_all(&commands).await?;
        Some(count)
    }

    /// Writes what is remembered until told to stop, and a last time then.
    pub async fn write_behind(&self, stop: CancellationToken) {
        if self.pool.is_none() {
            return;
        }
        let mut pause = WRITE_INTERVAL;
        loop {
            let stopped = tokio::select! {
                () = stop.cancelled() => true,
                () = tokio::time::sleep(pause) => false,
            };
            pause = if self.write().await { WRITE_INTERVAL } else { RETRY_INTERVAL };
            if stopped {
                return;
            }
        }
    }

    async fn write(&self) -> bool {
        let quotes = std::mem::take(&mut *self.dirty.lock().unwrap_or_else(PoisonError::into_inner));
        if quotes.is_empty() {
            return true;
        }
        let mut command = redis::cmd("HSET");
        command.arg(QUOTES_KEY);
        for (symbol, quote) in &quotes {
            if let Ok(text) = serde_json::to_string(quote.as_ref()) {
                command.arg(symbol.as_str()).arg(text);
            }
        }
        if self.call::<()>(&command).await.is_none() {
            // What was not written waits for the next time, unless something newer has come meanwhile.
            let mut dirty = self.dirty.lock().unwrap_or_else(PoisonError::into_inner);
            for (symbol, quote) in quotes {
                dirty.entry(symbol).or_insert(quote);
            }
            return false;
        }
        self.written.fetch_add(u64::try_from(quotes.len()).unwrap_or(0), Ordering::Relaxed);
        let _: Option<()> = self.call(redis::cmd("EXPIRE").arg(QUOTES_KEY).arg(QUOTES_TTL_SECONDS)).await;
        true
    }

    /// Asks Redis once; nothing when it does not answer in time.
    pub(crate) async fn call<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> Option<T> {
        let pool = self.pool.as_ref()?;
        let attempt = async {
            let mut connection = pool.get().await.map_err(|error| error.to_string())?;
            command.query_async(&mut connection).await.map_err(|error| error.to_string())
        };
        self.note(timeout(CALL_TIMEOUT, attempt).await)
    }

    /// The same for several commands at once.
    pub(crate) async fn call_all<T: redis::FromRedisValue>(&self, commands: &redis::Pipeline) -> Option<T> {
        let pool = self.pool.as_ref()?;
        let attempt = async {
            let mut connection = pool.get().await.map_err(|error| error.to_string())?;
            commands.query_async(&mut connection).await.map_err(|error| error.to_string())
        };
        self.note(timeout(CALL_TIMEOUT, attempt).await)
    }

    fn note<T>(&self, outcome: Result<Result<T, String>, Elapsed>) -> Option<T> {
        let outcome =
            outcome.unwrap_or_else(|_| Err(format!("no answer within {} ms", CALL_TIMEOUT.as_millis())));
        let was_reachable = self.reachable.swap(outcome.is_ok(), Ordering::Relaxed);
        match outcome {
            Ok(value) => {
                if !was_reachable {
                    tracing::info!("redis answers");
                }
                Some(value)
            }
            Err(error) => {
                if self.failures.fetch_add(1, Ordering::Relaxed) == 0 || was_reachable {
                    tracing::warn!(error, "redis does not answer; going on without it");
                }
                None
            }
        }
    }
}
