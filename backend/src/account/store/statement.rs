//! `account.statement_lines`, which the database writes with every posting; see [`super::super::statement`].

use super::super::statement::{Direction, Lane, StatementFilter, StatementLine, StatementPage, page_of};
use chrono::{DateTime, NaiveDate, Utc};
use database::statement;
use diesel::sql_types::{Array, BigInt, Date, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;
use uuid::Uuid;

#[derive(QueryableByName)]
struct LineRow {
    #[diesel(sql_type = BigInt)]
    sequence: i64,
    #[diesel(sql_type = SqlUuid)]
    journal_id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    booked_at: DateTime<Utc>,
    #[diesel(sql_type = Date)]
    trade_date: NaiveDate,
    #[diesel(sql_type = Date)]
    settle_date: NaiveDate,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    ledger_account: String,
    #[diesel(sql_type = Nullable<Text>)]
    symbol: Option<String>,
    #[diesel(sql_type = Text)]
    commodity: String,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
    #[diesel(sql_type = Numeric)]
    balance: Decimal,
    #[diesel(sql_type = Nullable<Text>)]
    execution_id: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    reverses: Option<Uuid>,
}

impl From<LineRow> for StatementLine {
    fn from(row: LineRow) -> Self {
        Self {
            sequence: row.sequence,
            journal_id: row.journal_id,
            booked_at: row.booked_at,
            trade_date: row.trade_date,
            settle_date: row.settle_date,
            kind: row.kind,
            ledger_account: row.ledger_account,
            symbol: row.symbol,
            commodity: row.commodity,
            amount: row.amount,
            balance: row.balance,
            execution_id: row.execution_id,
            reverses: row.reverses,
        }
    }
}

#[derive(QueryableByName)]
struct SequenceRow {
    #[diesel(sql_type = BigInt)]
    sequence: i64,
}

statement! {
    FirstSince { account: SqlUuid = Uuid, from: Timestamptz = DateTime<Utc> }
    "SELECT sequence FROM account.statement_lines WHERE account_id = ? AND booked_at >= ?
     ORDER BY booked_at, sequence LIMIT 1"
}

statement! {
    LastBefore { account: SqlUuid = Uuid, to: Timestamptz = DateTime<Utc> }
    "SELECT sequence FROM account.statement_lines WHERE account_id = ? AND booked_at < ?
     ORDER BY booked_at DESC, sequence DESC LIMIT 1"
}

/// A run of an index in one direction. The journal is looked up for the lines shown alone, hence its own LIMIT.
macro_rules! read_lines {
    ($from:literal, $run:literal, $direction:literal) => {
        concat!(
            "SELECT s.sequence, s.journal_id, s.booked_at, j.trade_date, j.settle_date, s.kind, s.ledger_account, s.symbol,
                s.commodity, s.amount, s.balance, j.execution_id, j.reverses
             FROM (SELECT s.* FROM (
                    SELECT s.* FROM ", $from, " WHERE ", $run, " AND s.sequence > ? AND s.sequence < ?
                    ORDER BY s.sequence ", $direction, " LIMIT ?) AS s
                WHERE s.kind = ANY (coalesce(?, ARRAY[s.kind]))
                ORDER BY s.sequence ", $direction, " LIMIT ?) AS s
             CROSS JOIN LATERAL (SELECT * FROM account.journals AS j WHERE j.id = s.journal_id LIMIT 1) AS j
             ORDER BY s.sequence ", $direction
        )
    };
}

macro_rules! end_of_lines {
    ($from:literal, $run:literal, $direction:literal) => {
        concat!(
            "SELECT s.sequence FROM ",
            $from,
            " WHERE ",
            $run,
            " AND s.sequence > ? AND s.sequence < ?
             ORDER BY s.sequence ",
            $direction,
            " OFFSET ? LIMIT 1"
        )
    };
}

macro_rules! lane {
    ($read:ident, $end:ident, { $($field:ident : $sql_type:ty = $rust_type:ty),* }, $from:literal, $run:literal, $direction:literal) => {
        statement! {
            $read {
                $($field: $sql_type = $rust_type,)* above: BigInt = i64, below: BigInt = i64, scanned_max: BigInt = i64,
                kinds: Nullable<Array<Text>> = Option<Vec<String>>, limit: BigInt = i64,
            }
            read_lines!($from, $run, $direction)
        }
        statement! {
            $end { $($field: $sql_type = $rust_type,)* above: BigInt = i64, below: BigInt = i64, skipped: BigInt = i64 }
            end_of_lines!($from, $run, $direction)
        }
    };
}

macro_rules! both_directions {
    ($down:ident, $down_end:ident, $up:ident, $up_end:ident, { $($field:ident : $sql_type:ty = $rust_type:ty),* }, $from:literal, $run:literal) => {
        lane! { $down, $down_end, { $($field: $sql_type = $rust_type),* }, $from, $run, "DESC" }
        lane! { $up, $up_end, { $($field: $sql_type = $rust_type),* }, $from, $run, "ASC" }
    };
}

both_directions! {
    Newest, EndOfNewest, Oldest, EndOfOldest, { account: SqlUuid = Uuid },
    "account.statement_lines AS s", "s.account_id = ?"
}
both_directions! {
    NewestOfCommodity, EndOfNewestOfCommodity, OldestOfCommodity, EndOfOldestOfCommodity,
    { account: SqlUuid = Uuid, commodity: Text = String },
    "account.statement_lines AS s", "s.account_id = ? AND s.commodity = ?"
}

/// Lines of rare kinds: a run each, of which as many are read as the page may have. They are never searched.
macro_rules! read_kinds {
    ($direction:literal) => {
        concat!(
            "SELECT s.sequence, s.journal_id, s.booked_at, j.trade_date, j.settle_date, s.kind, s.ledger_account, s.symbol,
                s.commodity, s.amount, s.balance, j.execution_id, j.reverses
             FROM (SELECT s.* FROM (SELECT DISTINCT kind FROM unnest(?) AS k (kind)) AS run CROSS JOIN LATERAL (
                    SELECT s.* FROM account.statement_lines AS s
                    WHERE s.account_id = ? AND s.kind = run.kind AND s.kind NOT IN ('fill', 'settlement')
                        AND s.sequence > ? AND s.sequence < ?
                    ORDER BY s.sequence ", $direction, " LIMIT ?) AS s
                ORDER BY s.sequence ", $direction, " LIMIT ?) AS s
             CROSS JOIN LATERAL (SELECT * FROM account.journals AS j WHERE j.id = s.journal_id LIMIT 1) AS j
             ORDER BY s.sequence ", $direction
        )
    };
}

statement! {
    NewestOfKinds {
        kinds: Array<Text> = Vec<String>, account: SqlUuid = Uuid, above: BigInt = i64, below: BigInt = i64,
        run_max: BigInt = i64, limit: BigInt = i64,
    }
    read_kinds!("DESC")
}
statement! {
    OldestOfKinds {
        kinds: Array<Text> = Vec<String>, account: SqlUuid = Uuid, above: BigInt = i64, below: BigInt = i64,
        run_max: BigInt = i64, limit: BigInt = i64,
    }
    read_kinds!("ASC")
}

/// The lines between which a page lies, both excluded.
#[derive(Debug, Clone, Copy)]
struct Span {
    above: i64,
    below: i64,
}

async fn span_of(
    mut connection: &AsyncPgConnection,
    filter: &StatementFilter,
    after: Option<i64>,
) -> QueryResult<Span> {
    let account = filter.account.0;
    let mut span = Span { above: 0, below: i64::MAX };
    if let Some(from) = filter.from {
        let first: Option<SequenceRow> =
            FirstSince { account, from }.get_result(&mut connection).await.optional()?;
        span.above = first.map_or(i64::MAX, |row| row.sequence.saturating_sub(1));
    }
    if let Some(to) = filter.to {
        let last: Option<SequenceRow> =
            LastBefore { account, to }.get_result(&mut connection).await.optional()?;
        span.below = last.map_or(0, |row| row.sequence.saturating_add(1));
    }
    match (after, filter.direction) {
        (Some(after), Direction::NewestFirst) => span.below = span.below.min(after),
        (Some(after), Direction::OldestFirst) => span.above = span.above.max(after),
        (None, _) => {}
    }
    Ok(span)
}

/// A page of a statement, read in the caller's transaction, which must see one picture throughout.
pub(in crate::account) async fn page_of_statement(
    connection: &AsyncPgConnection,
    filter: &StatementFilter,
    after: Option<i64>,
    lines_max: usize,
) -> QueryResult<StatementPage> {
    let span = span_of(connection, filter, after).await?;
    // One more than shown tells whether there is a next page.
    let limit = i64::try_from(lines_max).unwrap_or(i64::MAX).saturating_add(1);
    let scanned_max = filter.scanned_max(limit);
    let rows = match filter.lane() {
        Lane::Everything => read_everything(connection, filter, span, scanned_max, limit).await?,
        Lane::OfCommodity => read_commodity(connection, filter, span, scanned_max, limit).await?,
        Lane::OfKinds => read_kinds(connection, filter, span, limit).await?,
    };
    let is_full = i64::try_from(rows.len()).unwrap_or(i64::MAX) >= limit;
    let searched_to = if is_full || scanned_max == limit {
        None
    } else {
        end_of_search(connection, filter, span, scanned_max.saturating_sub(1)).await?
    };
    Ok(page_of(rows.into_iter().map(StatementLine::from).collect(), searched_to, lines_max))
}

async fn read_everything(
    mut connection: &AsyncPgConnection,
    filter: &StatementFilter,
    Span { above, below }: Span,
    scanned_max: i64,
    limit: i64,
) -> QueryResult<Vec<LineRow>> {
    let (account, kinds) = (filter.account.0, filter.kinds.clone());
    match filter.direction {
        Direction::NewestFirst => {
            Newest { account, above, below, scanned_max, kinds, limit }.load(&mut connection).await
        }
        Direction::OldestFirst => {
            Oldest { account, above, below, scanned_max, kinds, limit }.load(&mut connection).await
        }
    }
}

async fn read_commodity(
    mut connection: &AsyncPgConnection,
    filter: &StatementFilter,
    Span { above, below }: Span,
    scanned_max: i64,
    limit: i64,
) -> QueryResult<Vec<LineRow>> {
    let (account, kinds) = (filter.account.0, filter.kinds.clone());
    let commodity = filter.commodity.clone().unwrap_or_default();
    match filter.direction {
        Direction::NewestFirst => {
            let read = NewestOfCommodity { account, commodity, above, below, scanned_max, kinds, limit };
            read.load(&mut connection).await
        }
        Direction::OldestFirst => {
            let read = OldestOfCommodity { account, commodity, above, below, scanned_max, kinds, limit };
            read.load(&mut connection).await
        }
    }
}

async fn read_kinds(
    mut connection: &AsyncPgConnection,
    filter: &StatementFilter,
    Span { above, below }: Span,
    limit: i64,
) -> QueryResult<Vec<LineRow>> {
    let (account, kinds) = (filter.account.0, filter.kinds.clone().unwrap_or_default());
    let run_max = limit;
    match filter.direction {
        Direction::NewestFirst => {
            NewestOfKinds { kinds, account, above, below, run_max, limit }.load(&mut connection).await
        }
        Direction::OldestFirst => {
            OldestOfKinds { kinds, account, above, below, run_max, limit }.load(&mut connection).await
        }
    }
}

/// Where a search that did not fill its page has stopped before the end of its lane.
async fn end_of_search(
    mut connection: &AsyncPgConnection,
    filter: &StatementFilter,
    Span { above, below }: Span,
    skipped: i64,
) -> QueryResult<Option<i64>> {
    let account = filter.account.0;
    let commodity = filter.commodity.clone();
    let row: Option<SequenceRow> = match (commodity, filter.direction) {
        (None, Direction::NewestFirst) => {
            EndOfNewest { account, above, below, skipped }.get_result(&mut connection).await.optional()?
        }
        (None, Direction::OldestFirst) => {
            EndOfOldest { account, above, below, skipped }.get_result(&mut connection).await.optional()?
        }
        (Some(commodity), Direction::NewestFirst) => {
            let end = EndOfNewestOfCommodity { account, commodity, above, below, skipped };
            end.get_result(&mut connection).await.optional()?
        }
        (Some(commodity), Direction::OldestFirst) => {
            let end = EndOfOldestOfCommodity { account, commodity, above, below, skipped };
            end.get_result(&mut connection).await.optional()?
        }
    };
    Ok(row.map(|row| row.sequence))
}
