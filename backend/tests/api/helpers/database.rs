//! A database for each test, copied from a template that is migrated once.

use backend::db::{MIGRATIONS, run_migrations};
use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use sha2::{Digest, Sha256};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Names the database of a cluster where databases may be created.
const CLUSTER_VARIABLE: &str = "GAEMI_TEST_DATABASE_URL";
/// Key of the lock under which the template is made.
const TEMPLATE_LOCK_KEY: i64 = 7_202_602;
/// Longest wait for connections to a template to be gone.
const COPY_TIME_MAX: Duration = Duration::from_secs(60);

/// A migrated database that is dropped at the end.
pub(crate) struct TestDatabase {
    name: String,
    url: String,
}

fn cluster_url() -> String {
    std::env::var(CLUSTER_VARIABLE)
        .unwrap_or_else(|_| panic!("{CLUSTER_VARIABLE} is not set: run scripts/test"))
}

/// The same cluster, another database.
fn url_of(name: &str) -> String {
    let cluster = cluster_url();
    let (address, query) = cluster.split_once('?').map_or((cluster.as_str(), None), |(a, q)| (a, Some(q)));
    let (server, _) = address.rsplit_once('/').expect("the URL names a database");
    query.map_or_else(|| format!("{server}/{name}"), |query| format!("{server}/{name}?{query}"))
}

/// Changes with every migration, so that a template is never older than the code.
fn template_name() -> String {
    let migrations: Vec<Box<dyn Migration<Pg>>> = MIGRATIONS.migrations().unwrap();
    let mut hash = Sha256::new();
    for migration in &migrations {
        hash.update(migration.name().to_string());
    }
    for file in sql_files() {
        hash.update(std::fs::read(file).unwrap());
    }
    let digits: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("gaemi_template_{digits}")
}

fn sql_files() -> Vec<std::path::PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations");
    let folders = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path().join("up.sql"));
    let mut files: Vec<_> = folders.filter(|file| file.exists()).collect();
    files.sort();
    files
}

async fn exists(connection: &mut AsyncPgConnection, name: &str) -> bool {
    let query = format!("SELECT 1 FROM pg_database WHERE datname = '{name}'");
    diesel::sql_query(query).execute(connection).await.unwrap() > 0
}

/// Makes the template unless it is there. A half-made one keeps another name, so nobody takes it for the template.
async fn provide_template(connection: &mut AsyncPgConnection, template: &str) {
    connection.batch_execute(&format!("SELECT pg_advisory_lock({TEMPLATE_LOCK_KEY})")).await.unwrap();
    if !exists(connection, template).await {
        let unfinished = format!("{template}_new");
        connection
            .batch_execute(&format!("DROP DATABASE IF EXISTS {unfinished} WITH (FORCE)"))
            .await
            .unwrap();
        connection.batch_execute(&format!("CREATE DATABASE {unfinished}")).await.unwrap();
        run_migrations(&url_of(&unfinished)).await.unwrap();
        repeat(connection, &format!("ALTER DATABASE {unfinished} RENAME TO {template}")).await;
    }
    connection.batch_execute(&format!("SELECT pg_advisory_unlock({TEMPLATE_LOCK_KEY})")).await.unwrap();
}

/// Postgres neither copies nor renames a database while somebody is connected, and a connection that was closed takes a
/// moment to be gone.
async fn repeat(connection: &mut AsyncPgConnection, statement: &str) {
    let started = Instant::now();
    while let Err(error) = connection.batch_execute(statement).await {
        let passing = error.to_string().contains("being accessed by other users");
        assert!(passing && started.elapsed() < COPY_TIME_MAX, "{statement}: {error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl TestDatabase {
    pub(crate) async fn create() -> Self {
        let mut connection =
            AsyncPgConnection::establish(&cluster_url()).await.expect("the test cluster answers");
        let template = template_name();
        provide_template(&mut connection, &template).await;
        let name = format!("gaemi_test_{}", Uuid::now_v7().simple());
        repeat(&mut connection, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        Self { url: url_of(&name), name }
    }

    async fn tell_cluster(statement: &str) {
        let mut connection = AsyncPgConnection::establish(&cluster_url()).await.unwrap();
        connection.batch_execute(statement).await.unwrap();
    }

    pub(crate) async fn break_connections(&self) {
        let name = &self.name;
        let end = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND datname = '{name}'"
        );
        Self::tell_cluster(&end).await;
    }

    pub(crate) async fn refuse_connections(&self, refuse: bool) {
        Self::tell_cluster(&format!("ALTER DATABASE {} ALLOW_CONNECTIONS {}", self.name, !refuse)).await;
        self.break_connections().await;
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // A runtime of its own: the test's may be ending, and the test may have failed.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut connection = AsyncPgConnection::establish(&cluster_url()).await.unwrap();
                connection.batch_execute(&statement).await.unwrap();
            });
        });
        let _ = dropped.join();
    }
}
