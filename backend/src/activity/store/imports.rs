//! `activity.imports` and `activity.import_lines`.

use chrono::{DateTime, Utc};
use database::statement;
use diesel::sql_types::{Array, BigInt, Binary, Integer, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, UserId};
use std::collections::HashSet;
use uuid::Uuid;

/// A file that was taken over.
#[derive(Debug, QueryableByName)]
pub(in crate::activity) struct ImportRow {
    #[diesel(sql_type = SqlUuid)]
    pub(in crate::activity) id: Uuid,
    #[diesel(sql_type = Binary)]
    pub(in crate::activity) file_hash: Vec<u8>,
    #[diesel(sql_type = Text)]
    pub(in crate::activity) report: String,
    #[diesel(sql_type = Integer)]
    pub(in crate::activity) booked: i32,
    #[diesel(sql_type = Timestamptz)]
    pub(in crate::activity) created_at: DateTime<Utc>,
}

statement! {
    ImportOfFile { account: SqlUuid = Uuid, file_hash: Binary = Vec<u8> }
    "SELECT id, file_hash, report, booked, created_at FROM activity.imports
     WHERE account_id = ? AND file_hash = ? AND reset_at IS NULL"
}

/// The import of a file, if it was taken over since the account began.
pub(in crate::activity) async fn import_of_file(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    file_hash: &[u8],
) -> QueryResult<Option<ImportRow>> {
    let statement = ImportOfFile { account: account.0, file_hash: file_hash.to_vec() };
    statement.get_result(&mut connection).await.optional()
}

statement! {
    ImportsOf { account: SqlUuid = Uuid, limit: BigInt = i64 }
    "SELECT id, file_hash, '' AS report, booked, created_at FROM activity.imports
     WHERE account_id = ? ORDER BY created_at DESC, id DESC LIMIT ?"
}

/// The latest imports of an account, newest first, without their reports.
pub(in crate::activity) async fn imports_of(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    limit: i64,
) -> QueryResult<Vec<ImportRow>> {
    ImportsOf { account: account.0, limit }.load(&mut connection).await
}

#[derive(QueryableByName)]
struct KeyRow {
    #[diesel(sql_type = Binary)]
    key: Vec<u8>,
}

statement! {
    ExistingKeys { account: SqlUuid = Uuid, keys: Array<Binary> = Vec<Vec<u8>> }
    "SELECT l.key FROM activity.import_lines AS l WHERE l.account_id = ? AND l.key = ANY (?)"
}

/// Of these lines, those that were taken over before.
pub(in crate::activity) async fn existing_keys(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    keys: Vec<Vec<u8>>,
) -> QueryResult<HashSet<Vec<u8>>> {
    let rows: Vec<KeyRow> = ExistingKeys { account: account.0, keys }.load(&mut connection).await?;
    Ok(rows.into_iter().map(|row| row.key).collect())
}

statement! {
    InsertImport {
        id: SqlUuid = Uuid, account: SqlUuid = Uuid, user: SqlUuid = Uuid, file_hash: Binary = Vec<u8>,
        report: Text = String, booked: Integer = i32, at: Timestamptz = DateTime<Utc>,
    }
    "INSERT INTO activity.imports (id, account_id, user_id, file_hash, report, booked, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)"
}

/// Writes an import. The caller has locked the account.
pub(in crate::activity) async fn insert_import(
    mut connection: &AsyncPgConnection,
    (account, user): (AccountId, UserId),
    row: ImportRow,
) -> QueryResult<()> {
    let ImportRow { id, file_hash, report, booked, created_at } = row;
    let (account, user) = (account.0, user.0);
    let statement = InsertImport { id, account, user, file_hash, report, booked, at: created_at };
    statement.execute(&mut connection).await.map(|_| ())
}

statement! {
    InsertLines {
        account: SqlUuid = Uuid, import: SqlUuid = Uuid, keys: Array<Binary> = Vec<Vec<u8>>,
        lines: Array<Integer> = Vec<i32>,
    }
    "INSERT INTO activity.import_lines (account_id, import_id, key, line)
     SELECT ?, ?, new.* FROM unnest(?, ?) AS new"
}

/// Writes the lines of an import.
pub(in crate::activity) async fn insert_lines(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    import: Uuid,
    lines: Vec<(Vec<u8>, i32)>,
) -> QueryResult<()> {
    let (keys, lines) = lines.into_iter().unzip();
    let statement = InsertLines { account: account.0, import, keys, lines };
    statement.execute(&mut connection).await.map(|_| ())
}

statement! {
    ForgetLines { account: SqlUuid = Uuid }
    "DELETE FROM activity.import_lines WHERE account_id = ?"
}

statement! {
    CloseImports { at: Timestamptz = DateTime<Utc>, account: SqlUuid = Uuid }
    "UPDATE activity.imports SET reset_at = ? WHERE account_id = ? AND reset_at IS NULL"
}

/// Lets every file be taken over anew by an account that begins anew.
pub(in crate::activity) async fn forget_imports(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    at: DateTime<Utc>,
) -> QueryResult<()> {
    ForgetLines { account: account.0 }.execute(&mut connection).await?;
    CloseImports { at, account: account.0 }.execute(&mut connection).await.map(|_| ())
}
