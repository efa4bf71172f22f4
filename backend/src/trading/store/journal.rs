//! `broker.execution_reports`, written by the connector, and `trading.report_cursor`, which says how far it is applied.

use crate::db::corrupt;
use chrono::{DateTime, Utc};
use database::statement;
use diesel::sql_types::{BigInt, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use domain::broker::ReportKind;
use domain::{AccountId, OrderId, Percent, Price, Quantity, ReplaceId};
use rust_decimal::Decimal;
use uuid::Uuid;

/// Largest amount of one execution, in units of its currency: far above what any order is allowed to be worth, and far
/// below what the books' columns hold.
const AMOUNT_MAX: i64 = 1_000_000_000_000_000;
/// Seconds since 1970 in which an execution can have happened: calendars reckon in years of four digits.
const TIMES_BOOKABLE: std::ops::Range<i64> = 0..253_402_300_800;

/// Words of one order's terms and end that are told again: more than the changes of an order that are allowed, each tripled.
const WORDS_PER_ORDER_MAX: i64 = 512;

/// Asks to be told of every append; the connector notifies inside the appending transaction.
pub(in crate::trading) async fn listen(mut connection: &AsyncPgConnection) -> QueryResult<()> {
    connection.batch_execute("LISTEN execution_reports").await
}

statement! {
    LockCursor {}
    "SELECT last_id FROM trading.report_cursor FOR UPDATE"
}

/// Keeps any other applier waiting until the caller's commit.
pub(in crate::trading) async fn lock_cursor(mut connection: &AsyncPgConnection) -> QueryResult<()> {
    LockCursor {}.execute(&mut connection).await.map(|_| ())
}

statement! {
    AdvanceCursor { last_id: BigInt = i64 }
    "UPDATE trading.report_cursor SET last_id = ?"
}

/// Moves the cursor that the caller has locked.
pub(in crate::trading) async fn advance_cursor(
    mut connection: &AsyncPgConnection,
    last_id: i64,
) -> QueryResult<()> {
    AdvanceCursor { last_id }.execute(&mut connection).await.map(|_| ())
}

/// A line of the journal. Its report is unreadable when the line contradicts itself: a person must look.
pub(in crate::trading) struct JournalLine {
    pub(in crate::trading) id: i64,
    pub(in crate::trading) account_id: AccountId,
    pub(in crate::trading) order_id: OrderId,
    pub(in crate::trading) report: Result<ReportKind, String>,
    pub(in crate::trading) occurred_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
pub(super) struct JournalRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    order_id: Uuid,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    execution_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    undone_execution_id: Option<String>,
    #[diesel(sql_type = Nullable<Numeric>)]
    quantity: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    price: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    commission: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    tax: Option<Decimal>,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    occurred_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    replace_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Numeric>)]
    limit_price: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    stop_price: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    trail_amount: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    trail_percent: Option<Decimal>,
}

fn report_of(row: &JournalRow) -> QueryResult<ReportKind> {
    Ok(match row.kind.as_str() {
        "accepted" => ReportKind::Accepted,
        "rejected" => ReportKind::Rejected { reason: row.reason.clone().unwrap_or_default() },
        "canceled" => ReportKind::Canceled { reason: row.reason.clone() },
        "expired" => ReportKind::Expired,
        "fill" => fill_of(row)?,
        "triggered" => ReportKind::Triggered { price: positive(row.price, Price::new, "price")? },
        "replaced" => replaced_of(row)?,
        "suspended" => ReportKind::Suspended { reason: row.reason.clone() },
        "resumed" => ReportKind::Resumed,
        "done_for_day" => ReportKind::DoneForDay,
        "trade_canceled" => {
            ReportKind::TradeCanceled { execution_id: undone_of(row)?, reason: row.reason.clone() }
        }
        "trade_corrected" => correction_of(row)?,
        _ => return Err(corrupt("kind of report")),
    })
}

fn undone_of(row: &JournalRow) -> QueryResult<String> {
    row.undone_execution_id.clone().ok_or_else(|| corrupt("undone execution id"))
}

fn correction_of(row: &JournalRow) -> QueryResult<ReportKind> {
    let corrects = undone_of(row)?;
    match fill_of(row)? {
        ReportKind::Fill { execution_id, quantity, price, commission, tax } => {
            Ok(ReportKind::TradeCorrected { corrects, execution_id, quantity, price, commission, tax })
        }
        _ => Err(corrupt("correction")),
    }
}

/// An execution whose numbers the books can hold.
fn fill_of(row: &JournalRow) -> QueryResult<ReportKind> {
    let quantity = positive(row.quantity, Quantity::new, "quantity")?;
    let price = positive(row.price, Price::new, "price")?;
    price
        .value_of(quantity)
        .map_err(|_| corrupt("notional"))
        .and_then(|value| bookable(value, "notional"))?;
    if !TIMES_BOOKABLE.contains(&row.occurred_at.timestamp()) {
        return Err(corrupt("time of an execution"));
    }
    Ok(ReportKind::Fill {
        execution_id: row.execution_id.clone().ok_or_else(|| corrupt("execution id"))?,
        quantity,
        price,
        commission: bookable(row.commission.unwrap_or_default(), "commission")?.normalize(),
        tax: bookable(row.tax.unwrap_or_default(), "tax")?.normalize(),
    })
}

fn replaced_of(row: &JournalRow) -> QueryResult<ReportKind> {
    let price = |value: Option<Decimal>| value.map(|_| positive(value, Price::new, "price")).transpose();
    let percent = row.trail_percent.map(|_| positive(row.trail_percent, Percent::new, "percentage"));
    Ok(ReportKind::Replaced {
        replace_id: row.replace_id.map(ReplaceId).ok_or_else(|| corrupt("replace"))?,
        quantity: positive(row.quantity, Quantity::new, "quantity")?,
        limit_price: price(row.limit_price)?,
        stop_price: price(row.stop_price)?,
        trail_amount: price(row.trail_amount)?,
        trail_percent: percent.transpose()?,
    })
}

fn bookable(amount: Decimal, what: &str) -> QueryResult<Decimal> {
    let largest = Decimal::from(AMOUNT_MAX);
    if (-largest..=largest).contains(&amount) { Ok(amount) } else { Err(corrupt(what)) }
}

fn positive<T, E>(value: Option<Decimal>, new: fn(Decimal) -> Result<T, E>, what: &str) -> QueryResult<T> {
    value.and_then(|value| new(value.normalize()).ok()).ok_or_else(|| corrupt(what))
}

statement! {
    ReadJournal { limit: BigInt = i64 }
    "SELECT id, account_id, order_id, kind, execution_id, undone_execution_id, quantity, price, commission, tax, reason,
        occurred_at, replace_id, limit_price, stop_price, trail_amount, trail_percent
     FROM broker.execution_reports WHERE id > (SELECT last_id FROM trading.report_cursor) ORDER BY id LIMIT ?"
}

/// The lines of the journal behind the cursor.
pub(in crate::trading) async fn read_journal(
    mut connection: &AsyncPgConnection,
    lines_max: usize,
) -> QueryResult<Vec<JournalLine>> {
    let limit = i64::try_from(lines_max).unwrap_or(i64::MAX);
    let rows: Vec<JournalRow> = ReadJournal { limit }.load(&mut connection).await?;
    Ok(rows.into_iter().map(JournalLine::from).collect())
}

impl From<JournalRow> for JournalLine {
    fn from(row: JournalRow) -> Self {
        Self {
            id: row.id,
            account_id: AccountId(row.account_id),
            order_id: OrderId(row.order_id),
            report: report_of(&row).map_err(|error| error.to_string()),
            occurred_at: row.occurred_at,
        }
    }
}

#[derive(QueryableByName)]
struct NextRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    order_id: Uuid,
}

statement! {
    NextLine {}
    "SELECT id, account_id, order_id FROM broker.execution_reports
     WHERE id > (SELECT last_id FROM trading.report_cursor) ORDER BY id LIMIT 1"
}

/// Number, account and order of the next line behind the cursor, whatever else stands in it.
pub(in crate::trading) async fn next_line(
    mut connection: &AsyncPgConnection,
) -> QueryResult<Option<(i64, AccountId, OrderId)>> {
    let row: Option<NextRow> = NextLine {}.get_result(&mut connection).await.optional()?;
    Ok(row.map(|row| (row.id, AccountId(row.account_id), OrderId(row.order_id))))
}

#[derive(QueryableByName)]
struct CursorRow {
    #[diesel(sql_type = BigInt)]
    last_id: i64,
}

statement! {
    Cursor {} "SELECT last_id FROM trading.report_cursor"
}

/// How far the journal is applied.
pub(in crate::trading) async fn cursor(mut connection: &AsyncPgConnection) -> QueryResult<i64> {
    let row: CursorRow = Cursor {}.get_result(&mut connection).await?;
    Ok(row.last_id)
}

statement! {
    /// By the journal's ids alone: the lines of a moment are few beside an account's history.
    FillsBetween { after: BigInt = i64, until: BigInt = i64, account: SqlUuid = Uuid }
    "SELECT r.id, r.account_id, r.order_id, r.kind, r.execution_id, r.undone_execution_id, r.quantity, r.price,
        r.commission, r.tax, r.reason, r.occurred_at, r.replace_id, r.limit_price, r.stop_price, r.trail_amount,
        r.trail_percent
     FROM (SELECT * FROM broker.execution_reports WHERE id > ? AND id <= ? OFFSET 0) AS r
     WHERE r.account_id = ? AND r.kind IN ('fill', 'trade_canceled', 'trade_corrected') ORDER BY r.id"
}

/// Lines that moved money or shares of an account between two places of the journal, the first excluded.
pub(in crate::trading) async fn movements_between(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    after: i64,
    until: i64,
) -> QueryResult<Vec<JournalLine>> {
    let rows: Vec<JournalRow> =
        FillsBetween { after, until, account: account.0 }.load(&mut connection).await?;
    Ok(rows.into_iter().map(JournalLine::from).collect())
}

statement! {
    WordsTold { order: SqlUuid = Uuid, limit: BigInt = i64 }
    "SELECT r.id, r.account_id, r.order_id, r.kind, r.execution_id, r.undone_execution_id, r.quantity, r.price,
        r.commission, r.tax, r.reason, r.occurred_at, r.replace_id, r.limit_price, r.stop_price, r.trail_amount,
        r.trail_percent
     FROM broker.execution_reports AS r
     WHERE r.order_id = ? AND r.kind IN ('replaced', 'canceled', 'expired')
       AND r.id <= (SELECT last_id FROM trading.report_cursor)
     ORDER BY r.id LIMIT ?"
}

/// What was told of an order among the lines that are applied, and may have been no news as long as it was filled: which
/// terms it got and how it ended.
pub(in crate::trading) async fn words_told(
    mut connection: &AsyncPgConnection,
    order: OrderId,
) -> QueryResult<Vec<ReportKind>> {
    let rows: Vec<JournalRow> =
        WordsTold { order: order.0, limit: WORDS_PER_ORDER_MAX }.load(&mut connection).await?;
    rows.iter().map(report_of).collect()
}
