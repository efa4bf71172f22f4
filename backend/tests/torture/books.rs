//! Questions to the database, among them the invariants, asked as `scripts/check-books` asks them.

use diesel::QueryableByName;
use diesel::sql_types::{Nullable, Text};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};

/// Longest wait for an order that is on its way; a load that pauses just then is no failure.
const ON_ITS_WAY_MAX: Duration = Duration::from_secs(2);

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Nullable<Text>)]
    rows: Option<String>,
}

/// All rows of a query.
pub(crate) async fn rows(database_url: &str, query: &str) -> Vec<Value> {
    let mut connection = AsyncPgConnection::establish(database_url).await.unwrap();
    ask(&mut connection, query).await
}

async fn ask(connection: &mut AsyncPgConnection, query: &str) -> Vec<Value> {
    let query = query.trim_end().trim_end_matches(';');
    let query = format!("SELECT json_agg(found)::text AS rows FROM ({query}) AS found");
    let found: Found = diesel::sql_query(query).get_result(connection).await.unwrap();
    found.rows.map_or_else(Vec::new, |rows| serde_json::from_str(&rows).unwrap())
}

/// Fails with the rows when any invariant is broken.
pub(crate) async fn assert_books_balance(database_url: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/sql/invariants");
    let mut connection = AsyncPgConnection::establish(database_url).await.unwrap();
    let mut asked = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let broken = ask(&mut connection, &std::fs::read_to_string(&path).unwrap()).await;
        assert!(broken.is_empty(), "{}: {broken:#?}", path.display());
        asked += 1;
    }
    assert!(asked >= 10, "the invariants were not found");
}

/// Waits for the moment in which an order is written and the broker has perhaps not heard of it, or perhaps just now.
pub(crate) async fn an_order_is_on_its_way(database_url: &str) {
    let mut connection = AsyncPgConnection::establish(database_url).await.unwrap();
    let started = Instant::now();
    let on_its_way = "SELECT FROM trading.orders WHERE status = 'PENDING_NEW' LIMIT 1";
    while started.elapsed() < ON_ITS_WAY_MAX
        && diesel::sql_query(on_its_way).execute(&mut connection).await.unwrap() == 0
    {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
