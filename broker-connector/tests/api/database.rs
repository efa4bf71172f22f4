//! A database of its own for every test, copied from one that the migrations have been applied to.

use diesel::sql_query;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use uuid::Uuid;

/// Where the migrations are.
const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations");
const TEMPLATE_LOCK_KEY: i64 = 7_202_690;

/// Drops its database at the end.
pub(crate) struct TestDatabase {
    maintenance_url: String,
    name: String,
}

#[derive(diesel::QueryableByName)]
pub(crate) struct Count {
    #[diesel(sql_type = BigInt)]
    pub(crate) count: i64,
}

fn in_database(url: &str, name: &str) -> String {
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let authority = rest.split(['/', '?']).next().unwrap();
    let parameters = rest.split_once('?').map(|(_, text)| format!("?{text}")).unwrap_or_default();
    format!("{scheme}://{authority}/{name}{parameters}")
}

/// What the backend does to an empty database.
fn migration() -> String {
    let folders = std::fs::read_dir(MIGRATIONS).unwrap().map(|entry| entry.unwrap().path().join("up.sql"));
    let mut files: Vec<_> = folders.filter(|file| file.exists()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect::<Vec<_>>().join("\n")
}

/// Another text, another template.
fn template_name() -> String {
    let hash = migration().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("gaemi_broker_template_{hash:016x}")
}

async fn make_template(maintenance: &mut AsyncPgConnection, url: &str) {
    let template = template_name();
    let lock = format!("SELECT pg_advisory_lock({TEMPLATE_LOCK_KEY})");
    maintenance.batch_execute(&lock).await.unwrap();
    let there: Count =
        sql_query(format!("SELECT count(*) AS count FROM pg_database WHERE datname = '{template}'"))
            .get_result(maintenance)
            .await
            .unwrap();
    if there.count == 0 {
        // Under another name until it is complete, so that a test that dies here leaves no half template.
        let draft = format!("gaemi_draft_{}", Uuid::now_v7().simple());
        maintenance.batch_execute(&format!("CREATE DATABASE {draft}")).await.unwrap();
        let mut connection = AsyncPgConnection::establish(&in_database(url, &draft)).await.unwrap();
        connection.batch_execute(&migration()).await.unwrap();
        drop(connection);
        let rename = format!("ALTER DATABASE {draft} RENAME TO {template}");
        while maintenance.batch_execute(&rename).await.is_err() {
            tokio::task::yield_now().await;
        }
    }
    maintenance.batch_execute(&format!("SELECT pg_advisory_unlock({TEMPLATE_LOCK_KEY})")).await.unwrap();
}

impl TestDatabase {
    /// A database with the connector's tables.
    pub(crate) async fn new() -> Self {
        Self::with_template(true).await
    }

    /// A database without any table.
    pub(crate) async fn empty() -> Self {
        Self::with_template(false).await
    }

    async fn with_template(has_tables: bool) -> Self {
        let url = std::env::var("GAEMI_TEST_DATABASE_URL")
            .expect("GAEMI_TEST_DATABASE_URL is not set: run scripts/test, which provides a database");
        let mut maintenance = AsyncPgConnection::establish(&url).await.expect("the test database cluster");
        let name = format!("gaemi_broker_test_{}", Uuid::now_v7().simple());
        let mut create = format!("CREATE DATABASE {name}");
        if has_tables {
            make_template(&mut maintenance, &url).await;
            create.push_str(&format!(" TEMPLATE {}", template_name()));
        }
        maintenance.batch_execute(&create).await.unwrap();
        Self { maintenance_url: url, name }
    }

    pub(crate) fn url(&self) -> String {
        in_database(&self.maintenance_url, &self.name)
    }

    pub(crate) async fn connection(&self) -> AsyncPgConnection {
        AsyncPgConnection::establish(&self.url()).await.unwrap()
    }

    /// Runs statements.
    pub(crate) async fn execute(&self, sql: &str) {
        self.connection().await.batch_execute(sql).await.unwrap();
    }

    /// The one number a query gives as `count`.
    pub(crate) async fn count(&self, sql: &str) -> i64 {
        sql_query(sql).get_result::<Count>(&mut self.connection().await).await.unwrap().count
    }

    pub(crate) async fn migrate(&self) {
        self.execute(&migration()).await;
    }

    /// Lets nobody in any more and ends every connection, or lets everybody in again.
    pub(crate) async fn refuse_connections(&self, refuse: bool) {
        let Self { maintenance_url, name } = self;
        let mut maintenance = AsyncPgConnection::establish(maintenance_url).await.unwrap();
        let mut sql = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS {};", !refuse);
        if refuse {
            sql +=
                &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
        }
        maintenance.batch_execute(&sql).await.unwrap();
    }

    /// Ends every connection that the connector has, as a server that goes down does.
    pub(crate) async fn cut_connections(&self) -> i64 {
        let sql = "SELECT count(pg_terminate_backend(pid)) AS count FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = 'gaemi-broker-connector'";
        self.count(sql).await
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (url, name) = (self.maintenance_url.clone(), self.name.clone());
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut maintenance = AsyncPgConnection::establish(&url).await.unwrap();
                let _ = maintenance.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
            });
        });
        let _ = dropping.join();
    }
}
