//! Databases for single tests, with the tables of the archive.

use market_data::bars::store::Store;
use std::time::Duration;
use tokio_postgres::NoTls;
use uuid::Uuid;

const MIGRATIONS: [&str; 3] = [
    include_str!("../../../migrations/2026-11-21-007000_bars/up.sql"),
    include_str!("../../../migrations/2026-11-22-030000_corporate_actions/up.sql"),
    include_str!("../../../migrations/2026-11-27-000100_forget_chunks/up.sql"),
];

/// A database of its own; dropped with the value.
pub(crate) struct Database {
    admin: String,
    pub(crate) url: String,
    name: String,
    /// Whether the extension timescaledb divides its tables.
    pub(crate) has_hypertables: bool,
}

/// Whether a database can be made whose tables timescaledb divides: it has to be installed, and loaded at the start.
const HAS_TIMESCALE: &str = "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb') \
    AND current_setting('shared_preload_libraries') LIKE '%timescaledb%'";
/// How often it is tried to drop a database, and what lies between two tries.
const DROP_TRIES_MAX: usize = 100;
const DROP_PAUSE: Duration = Duration::from_millis(200);
/// How many of our tables it divides.
const HYPERTABLES: &str =
    "SELECT count(*) FROM timescaledb_information.hypertables WHERE hypertable_schema = 'market'";

async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

async fn execute(url: &str, sql: &str) {
    connect(url).await.batch_execute(sql).await.unwrap();
}

impl Database {
    /// None when no Postgres is named for tests.
    pub(crate) async fn make() -> Option<Self> {
        let Ok(admin) = std::env::var("GAEMI_TEST_DATABASE_URL") else {
            println!("skipped: GAEMI_TEST_DATABASE_URL names no Postgres");
            return None;
        };
        Some(Self::make_at(admin, false).await)
    }

    /// One with tables of our own division, and one with hypertables where the Postgres for tests has them.
    pub(crate) async fn each() -> Vec<Self> {
        let Some(plain) = Self::make().await else { return Vec::new() };
        let has_timescale: bool =
            connect(&plain.admin).await.query_one(HAS_TIMESCALE, &[]).await.unwrap().get(0);
        if !has_timescale {
            println!("hypertables skipped: the Postgres for tests has no timescaledb");
            return vec![plain];
        }
        let divided = Self::make_at(plain.admin.clone(), true).await;
        vec![plain, divided]
    }

    async fn make_at(admin: String, has_hypertables: bool) -> Self {
        let name = format!("gaemi_bars_{}", Uuid::now_v7().simple());
        execute(&admin, &format!("CREATE DATABASE {name}")).await;
        let (server, _) = admin.rsplit_once('/').unwrap();
        let url = format!("{server}/{name}");
        if has_hypertables {
            execute(&url, "CREATE EXTENSION timescaledb").await;
        }
        for migration in MIGRATIONS {
            execute(&url, migration).await;
        }
        let database = Self { admin, url, name, has_hypertables };
        if has_hypertables {
            assert_eq!(database.count(HYPERTABLES).await, 2, "days and minutes");
        }
        database
    }

    pub(crate) async fn count(&self, query: &str) -> i64 {
        connect(&self.url).await.query_one(query, &[]).await.unwrap().get(0)
    }

    pub(crate) fn store(&self) -> Store {
        Store::new(&self.url.clone().into()).unwrap()
    }

    pub(crate) async fn drop(self) {
        let (admin, statement) =
            (connect(&self.admin).await, format!("DROP DATABASE {} WITH (FORCE)", self.name));
        // The server's own cleaners can be in it, and only a superuser can end those.
        for _ in 0..DROP_TRIES_MAX {
            if admin.batch_execute(&statement).await.is_ok() {
                return;
            }
            tokio::time::sleep(DROP_PAUSE).await;
        }
        panic!("{} cannot be dropped", self.name);
    }
}
