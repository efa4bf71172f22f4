//! `trading.halted_symbols`.

use super::super::halts::Halt;
use crate::db::corrupt;
use chrono::{DateTime, Utc};
use database::statement;
use diesel::sql_types::{Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{Symbol, UserId};
use uuid::Uuid;

#[derive(QueryableByName)]
struct HaltRow {
    #[diesel(sql_type = SqlUuid)]
    user_id: Uuid,
    #[diesel(sql_type = Text)]
    symbol: String,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = Timestamptz)]
    halted_at: DateTime<Utc>,
}

statement! {
    AllHalts {}
    "SELECT user_id, symbol, reason, halted_at FROM trading.halted_symbols"
}

/// Every user's list.
pub(in crate::trading) async fn all_halts(
    mut connection: &AsyncPgConnection,
) -> QueryResult<Vec<(UserId, Halt)>> {
    let rows: Vec<HaltRow> = AllHalts {}.load(&mut connection).await?;
    rows.into_iter()
        .map(|row| {
            let symbol = row.symbol.parse().map_err(|_| corrupt("symbol"))?;
            Ok((UserId(row.user_id), Halt { symbol, reason: row.reason, halted_at: row.halted_at }))
        })
        .collect()
}

statement! {
    SaveHalt { user: SqlUuid = Uuid, symbol: Text = String, reason: Text = String, at: Timestamptz = DateTime<Utc> }
    "INSERT INTO trading.halted_symbols (user_id, symbol, reason, halted_at) VALUES (?, ?, ?, ?)
     ON CONFLICT (user_id, symbol) DO UPDATE SET reason = EXCLUDED.reason"
}

/// Puts a symbol on a user's list.
pub(in crate::trading) async fn save_halt(
    mut connection: &AsyncPgConnection,
    user: UserId,
    halt: &Halt,
) -> QueryResult<()> {
    let statement = SaveHalt {
        user: user.0,
        symbol: halt.symbol.to_string(),
        reason: halt.reason.clone(),
        at: halt.halted_at,
    };
    statement.execute(&mut connection).await.map(|_| ())
}

statement! {
    DeleteHalt { user: SqlUuid = Uuid, symbol: Text = String }
    "DELETE FROM trading.halted_symbols WHERE user_id = ? AND symbol = ?"
}

/// Takes a symbol off a user's list.
pub(in crate::trading) async fn delete_halt(
    mut connection: &AsyncPgConnection,
    user: UserId,
    symbol: Symbol,
) -> QueryResult<()> {
    let statement = DeleteHalt { user: user.0, symbol: symbol.to_string() };
    statement.execute(&mut connection).await.map(|_| ())
}
