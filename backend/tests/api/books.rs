//! The invariants of the books, asked as `scripts/check-books` asks them.

use diesel::QueryableByName;
use diesel::sql_types::BigInt;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use std::path::Path;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

/// The number a query counts as `rows`.
pub(crate) async fn count(database_url: &str, query: &str) -> i64 {
    let mut connection = AsyncPgConnection::establish(database_url).await.unwrap();
    diesel::sql_query(query).get_result::<Count>(&mut connection).await.unwrap().rows
}

/// Rows of a table.
pub(crate) async fn rows_of(database_url: &str, table: &str) -> i64 {
    count(database_url, &format!("SELECT count(*) AS rows FROM {table}")).await
}

/// Runs a statement as the application's own role.
pub(crate) async fn execute(database_url: &str, statement: &str) -> diesel::QueryResult<usize> {
    let mut connection = AsyncPgConnection::establish(database_url).await.unwrap();
    diesel::sql_query(statement).execute(&mut connection).await
}

/// The invariants that are broken, by the names of their files.
pub(crate) async fn broken_invariants(database_url: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/sql/invariants");
    let (mut asked, mut broken) = (0, Vec::new());
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let query = std::fs::read_to_string(entry.path()).unwrap();
        let query = query.trim_end().trim_end_matches(';');
        if count(database_url, &format!("SELECT count(*) AS rows FROM ({query}) AS broken")).await != 0 {
            broken.push(entry.file_name().into_string().unwrap());
        }
        asked += 1;
    }
    assert!(asked >= 10, "the invariants were not found");
    broken.sort();
    broken
}

/// Fails when any invariant is broken.
pub(crate) async fn assert_books_balance(database_url: &str) {
    assert_eq!(broken_invariants(database_url).await, Vec::<String>::new());
}
