//! Connections to the database, for everything but the simulator's own.

use anyhow::Context;
use database::LOOKUP_SETTINGS;
use diesel::{ConnectionError, ConnectionResult, QueryResult};
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use futures_util::FutureExt;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use tokio::time::timeout;

/// Most connections of one pool.
const CONNECTIONS_MAX: usize = 2;
/// Longest wait for one of them, and for one to be opened.
const CONNECTION_WAIT_MAX: Duration = Duration::from_secs(3);
/// Longest run of one statement, on the server.
const STATEMENT_TIME_MAX: Duration = Duration::from_secs(5);
/// Longest wait for an answer of the server.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(7);

/// A few connections that are opened when they are needed. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Database {
    pool: Pool<AsyncPgConnection>,
}

impl Database {
    /// # Errors
    /// When the address cannot be read.
    pub(crate) fn new(url: &SecretString) -> anyhow::Result<Self> {
        let mut config = ManagerConfig::default();
        config.custom_setup = Box::new(|url| connect(url).boxed());
        // A question before each statement would cost a round trip; one that fails on a lost connection is answered for.
        config.recycling_method = RecyclingMethod::Fast;
        let manager = AsyncDieselConnectionManager::new_with_config(url.expose_secret(), config);
        Ok(Self { pool: Pool::builder(manager).max_size(CONNECTIONS_MAX).build()? })
    }

    /// # Errors
    /// When there is none in time.
    pub(crate) async fn connection(&self) -> anyhow::Result<Object<AsyncPgConnection>> {
        Ok(timeout(CONNECTION_WAIT_MAX, self.pool.get()).await.context("all connections are busy")??)
    }
}

async fn connect(url: &str) -> ConnectionResult<AsyncPgConnection> {
    let silent = || ConnectionError::BadConnection("the database does not answer".into());
    let mut connection =
        timeout(CONNECTION_WAIT_MAX, AsyncPgConnection::establish(url)).await.map_err(|_| silent())??;
    let limits = format!(
        "SET statement_timeout = {}; SET lock_timeout = {0}; SET application_name = 'gaemi-broker-connector'; \
         SET timezone = 'UTC'; {LOOKUP_SETTINGS}",
        STATEMENT_TIME_MAX.as_millis()
    );
    timeout(CONNECTION_WAIT_MAX, connection.batch_execute(&limits))
        .await
        .map_err(|_| silent())?
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// Waits for the server's answer, with a limit.
///
/// # Errors
/// The statement's, or that there was no answer.
pub(crate) async fn answered<T>(query: impl Future<Output = QueryResult<T>>) -> anyhow::Result<T> {
    Ok(timeout(ANSWER_WAIT_MAX, query).await.context("the database does not answer")??)
}
