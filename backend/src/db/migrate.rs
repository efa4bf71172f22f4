//! Brings the database to the shape this program expects.

use diesel::sql_types::BigInt;
use diesel_async::{AsyncConnection, AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::time::{Duration, Instant};
use thiserror::Error;

/// Every migration, built into the program.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations");

/// Longest wait for a database that is starting.
const DATABASE_START_MAX: Duration = Duration::from_secs(30);
/// Time between two tries to reach it.
const DATABASE_RETRY_PAUSE: Duration = Duration::from_millis(250);

/// Why the database could not be brought into shape.
#[derive(Debug, Error)]
pub enum MigrateError {
    /// Nobody answers, or we are not let in.
    #[error("the database cannot be reached: {0}")]
    Unreachable(diesel::ConnectionError),
    /// The lock could not be taken.
    #[error("the migration lock could not be taken: {0}")]
    Lock(diesel::result::Error),
    /// A migration failed.
    #[error("a migration failed: {0}")]
    Failed(Box<dyn std::error::Error + Send + Sync>),
}

/// Runs what has not run yet. Several programs may call this at once; one does the work. Needs a multi-thread runtime.
///
/// # Errors
/// When the database stays unreachable for [`DATABASE_START_MAX`], or a migration fails.
pub async fn run_migrations(url: &str) -> Result<(), MigrateError> {
    // No limits on this connection: a migration may take long.
    let mut connection = reach(url).await?;
    diesel::sql_query("SELECT pg_advisory_lock($1)")
        .bind::<BigInt, _>(domain::locks::MIGRATION)
        .execute(&mut connection)
        .await
        .map_err(MigrateError::Lock)?;
    // The lock belongs to the connection, which ends with this function.
    let mut harness = AsyncMigrationHarness::new(connection);
    let applied = harness.run_pending_migrations(MIGRATIONS).map_err(MigrateError::Failed)?;
    for version in applied {
        tracing::info!(%version, "migration applied");
    }
    Ok(())
}

async fn reach(url: &str) -> Result<AsyncPgConnection, MigrateError> {
    let started = Instant::now();
    loop {
        match AsyncPgConnection::establish(url).await {
            Ok(connection) => return Ok(connection),
            Err(error) if started.elapsed() >= DATABASE_START_MAX || !is_starting(&error) => {
                return Err(MigrateError::Unreachable(error));
            }
            Err(error) => {
                tracing::debug!(%error, "waiting for the database");
                tokio::time::sleep(DATABASE_RETRY_PAUSE).await;
            }
        }
    }
}

/// Whether trying again can help: a wrong password or a missing database stays wrong.
fn is_starting(error: &diesel::ConnectionError) -> bool {
    let text = error.to_string();
    ![
        "does not exist",
        "authentication",
        "no pg_hba.conf entry",
        "invalid connection string",
        "permission denied",
    ]
    .iter()
    .any(|lasting| text.contains(lasting))
}
