//! The movements of a position, and its lots written anew.

use super::super::correct::Movement;
use super::super::holding::{Holding, Sale};
use super::{PositionKey, insert_sales, save_lots, save_positions};
use crate::account::JournalKind;
use crate::db::corrupt;
use chrono::{DateTime, NaiveDate, Utc};
use database::statement;
use diesel::sql_types::{Array, BigInt, Date, Nullable, Numeric, Text, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;
use uuid::Uuid;

#[derive(QueryableByName)]
struct MovementRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Date)]
    trade_date: NaiveDate,
    #[diesel(sql_type = Numeric)]
    shares: Decimal,
    #[diesel(sql_type = Numeric)]
    worth: Decimal,
    #[diesel(sql_type = Nullable<Numeric>)]
    new_shares: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    old_shares: Option<Decimal>,
    #[diesel(sql_type = Nullable<Date>)]
    before_day: Option<NaiveDate>,
}

statement! {
    MovementsOf { account: SqlUuid = Uuid, symbol: Text = String, limit: BigInt = i64 }
    "WITH of AS (SELECT ?::uuid AS account_id, ?::text AS symbol)
     SELECT j.id, j.kind, j.trade_date, m.shares, abs(m.worth) AS worth, s.new_shares, s.old_shares, s.before_day
     FROM of
     JOIN account.postings AS moved ON moved.account_id = of.account_id AND moved.symbol = of.symbol
        AND moved.ledger_account = 'shares'
     JOIN account.journals AS j ON j.id = moved.journal_id
     CROSS JOIN LATERAL (SELECT sum(amount) FILTER (WHERE p.ledger_account = 'shares') AS shares,
            coalesce(sum(amount) FILTER (WHERE p.ledger_account IN ('position_cost', 'realised_pnl')), 0) AS worth
        FROM account.postings AS p WHERE p.journal_id = j.id AND p.symbol = of.symbol) AS m
     LEFT JOIN portfolio.splits AS s ON s.journal_id = j.id
     WHERE j.kind NOT IN ('reversal', 'recost')
        AND NOT EXISTS (SELECT FROM account.journals AS r WHERE r.reverses = j.id)
     ORDER BY j.id LIMIT ?"
}

/// What has moved a position, in the order of booking; what was taken back is left out.
pub(in crate::portfolio) async fn movements_of(
    mut connection: &AsyncPgConnection,
    (account, symbol): PositionKey,
    limit: i64,
) -> QueryResult<Vec<Movement>> {
    let statement = MovementsOf { account: account.0, symbol: symbol.to_string(), limit };
    let rows: Vec<MovementRow> = statement.load(&mut connection).await?;
    rows.into_iter()
        .map(|row| {
            let pieces = row.new_shares.zip(row.old_shares);
            Ok(Movement {
                journal_id: row.id,
                kind: JournalKind::from_name(&row.kind).ok_or_else(|| corrupt("kind of journal"))?,
                trade_date: row.trade_date,
                shares: row.shares.normalize(),
                worth: row.worth.normalize(),
                split: pieces.map(|(new, old)| (new.normalize(), old.normalize(), row.before_day)),
            })
        })
        .collect()
}

statement! {
    ForgetLotSales { account: SqlUuid = Uuid, symbol: Text = String }
    "DELETE FROM portfolio.lot_sales AS l USING portfolio.sales AS s
     WHERE s.journal_id = l.journal_id AND s.account_id = ? AND s.symbol = ?"
}

statement! {
    ForgetSales { account: SqlUuid = Uuid, symbol: Text = String }
    "DELETE FROM portfolio.sales WHERE account_id = ? AND symbol = ?"
}

statement! {
    ForgetLots { account: SqlUuid = Uuid, symbol: Text = String }
    "DELETE FROM portfolio.lots WHERE account_id = ? AND symbol = ?"
}

/// Writes a position whose lots and sales were counted anew from its first movement on. It is locked.
pub(in crate::portfolio) async fn rewrite(
    mut connection: &AsyncPgConnection,
    key: PositionKey,
    holding: &Holding,
    sales: &[Sale],
    at: DateTime<Utc>,
) -> QueryResult<()> {
    let (account, symbol) = (key.0.0, key.1.to_string());
    ForgetLotSales { account, symbol: symbol.clone() }.execute(&mut connection).await?;
    ForgetSales { account, symbol: symbol.clone() }.execute(&mut connection).await?;
    ForgetLots { account, symbol }.execute(&mut connection).await?;
    save_positions(connection, std::iter::once((key, holding.state)), at).await?;
    save_lots(connection, std::iter::once((key, &holding.lots))).await?;
    let sales: Vec<_> = sales.iter().map(|sale| (key, sale.clone())).collect();
    insert_sales(connection, &sales).await
}

statement! {
    InsertSplits {
        journals: Array<SqlUuid> = Vec<Uuid>, new_shares: Array<Numeric> = Vec<Decimal>,
        old_shares: Array<Numeric> = Vec<Decimal>, before_days: Array<Nullable<Date>> = Vec<Option<NaiveDate>>,
    }
    "INSERT INTO portfolio.splits (journal_id, new_shares, old_shares, before_day) SELECT * FROM unnest(?, ?, ?, ?)"
}

/// Remembers by which ratio journals have counted shares anew.
pub(in crate::portfolio) async fn insert_splits(
    mut connection: &AsyncPgConnection,
    splits: &[(Uuid, Decimal, Decimal, Option<NaiveDate>)],
) -> QueryResult<()> {
    if splits.is_empty() {
        return Ok(());
    }
    let mut statement = InsertSplits::default();
    for (journal, new, old, before) in splits {
        statement.journals.push(*journal);
        statement.new_shares.push(*new);
        statement.old_shares.push(*old);
        statement.before_days.push(*before);
    }
    statement.execute(&mut connection).await.map(|_| ())
}
