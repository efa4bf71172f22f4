//! The way to Postgres: a pool with a limit on every wait, and the migrations.

mod migrate;
pub mod schema;

pub use migrate::{MIGRATIONS, MigrateError, run_migrations};

use anyhow::Context;
use diesel::{ConnectionError, ConnectionResult, QueryResult};
use diesel_async::pg::TransactionBuilder;
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod, deadpool,
};
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// The connections of this process.
pub type Pool = deadpool::Pool<AsyncPgConnection>;
/// One connection, given back when dropped.
pub type Connection = deadpool::Object<AsyncPgConnection>;

/// Longest wait for a free connection.
pub const POOL_WAIT_MAX: Duration = Duration::from_secs(3);
/// Longest time to open a connection.
pub const CONNECT_TIME_MAX: Duration = Duration::from_secs(3);
/// Longest run of one statement.
pub const STATEMENT_TIME_MAX: Duration = Duration::from_secs(10);
/// Longest wait for a row lock.
pub const LOCK_WAIT_MAX: Duration = Duration::from_secs(5);
/// Longest silence inside a transaction, after which the server ends it.
pub const IDLE_IN_TRANSACTION_MAX: Duration = Duration::from_secs(15);

/// Sends statements of one transaction without waiting for each other's answers (decision 78), and gives their answers, or the error
/// of the first that failed. Those behind it are refused because of it alone, and would say nothing about the reason.
macro_rules! answers_in_order {
    ($($name:ident = $statement:expr),+ $(,)?) => {{
        let ($($name),+) = futures_util::join!($($statement),+);
        ($($name?),+)
    }};
}
pub(crate) use answers_in_order;

/// The error for a text that a column's CHECK constraint should have kept out.
#[must_use]
pub fn corrupt(what: &str) -> diesel::result::Error {
    diesel::result::Error::DeserializationError(format!("a stored {what} is not readable").into())
}

/// Whether a statement failed because a row with its key exists already.
#[must_use]
pub const fn is_duplicate(error: &diesel::result::Error) -> bool {
    use diesel::result::{DatabaseErrorKind, Error};
    matches!(error, Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _))
}

/// Reads in one picture of the database: what others commit between two statements is not seen.
pub fn one_picture(connection: &mut AsyncPgConnection) -> TransactionBuilder<'_, AsyncPgConnection> {
    connection.build_transaction().read_only().repeatable_read()
}

/// Begins a transaction on a connection that is shared with statements sent right behind.
///
/// # Errors
/// The database's.
pub async fn begin(mut connection: &AsyncPgConnection) -> QueryResult<()> {
    connection.batch_execute("BEGIN").await
}

/// Commits what [`begin`] began.
///
/// # Errors
/// The database's; when the connection is lost, nobody knows whether it happened.
pub async fn commit(mut connection: &AsyncPgConnection) -> QueryResult<()> {
    connection.batch_execute("COMMIT").await
}

/// Undoes what [`begin`] began.
///
/// # Errors
/// The database's.
pub async fn rollback(mut connection: &AsyncPgConnection) -> QueryResult<()> {
    connection.batch_execute("ROLLBACK").await
}

/// Opens a connection with this house's limits.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub async fn connect(url: &str) -> ConnectionResult<AsyncPgConnection> {
    let mut connection = AsyncPgConnection::establish(url).await?;
    let limits = format!(
        "SET statement_timeout = {}; SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {}; \
         SET timezone = 'UTC'",
        STATEMENT_TIME_MAX.as_millis(),
        LOCK_WAIT_MAX.as_millis(),
        IDLE_IN_TRANSACTION_MAX.as_millis(),
    );
    connection.batch_execute(&limits).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// Opens a connection for a task that sends the same few statements all day: see [`database::LOOKUP_SETTINGS`].
///
/// # Errors
/// When the server cannot be reached or refuses.
pub async fn connect_for_lookups(url: &str) -> ConnectionResult<AsyncPgConnection> {
    let mut connection = connect(url).await?;
    let set = connection.batch_execute(database::LOOKUP_SETTINGS).await;
    set.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// For the rest of a transaction: a plan made while a table is small must not scan it for ever after.
///
/// # Errors
/// The database's.
pub async fn look_up(mut connection: &AsyncPgConnection) -> QueryResult<()> {
    connection.batch_execute("SET LOCAL enable_seqscan = off").await
}

/// Lets commits of a connection return before they are on the disk. Only for what would be done again, alike, from
/// what is on the disk.
///
/// # Errors
/// The database's.
pub async fn commit_without_waiting(mut connection: &AsyncPgConnection) -> QueryResult<()> {
    connection.batch_execute("SET synchronous_commit = off").await
}

/// The pool. Connections are opened when first needed, on the runtime this is called in: a connection opened from a
/// web worker would die with that worker's runtime, under the feet of everybody else who uses it.
///
/// # Errors
/// When called outside of a runtime.
pub fn build_pool(url: &SecretString, connections_max: usize) -> anyhow::Result<Pool> {
    let runtime = tokio::runtime::Handle::try_current()?;
    let mut config = ManagerConfig::<AsyncPgConnection>::default();
    // A closed connection is recognised without asking the server.
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(move |url| {
        let url = url.to_owned();
        let opened = runtime.spawn(async move { connect(&url).await });
        Box::pin(async move {
            opened.await.unwrap_or_else(|error| Err(ConnectionError::BadConnection(error.to_string())))
        })
    });
    let manager = AsyncDieselConnectionManager::new_with_config(url.expose_secret(), config);
    Pool::builder(manager)
        .max_size(connections_max)
        .wait_timeout(Some(POOL_WAIT_MAX))
        .create_timeout(Some(CONNECT_TIME_MAX))
        .recycle_timeout(Some(CONNECT_TIME_MAX))
        .runtime(::deadpool::Runtime::Tokio1)
        .build()
        .context("cannot build the connection pool")
}

/// Whether the database answers.
pub async fn answers(pool: &Pool) -> bool {
    match pool.get().await {
        Ok(mut connection) => connection.batch_execute("SELECT 1").await.is_ok(),
        Err(_) => false,
    }
}
