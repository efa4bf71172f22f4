//! What an account holds, and its history page by page.
//!
//! The sums of executions are kept up to a line of the journal, so that telling what an account holds reads only what
//! came after it. Each keeps whole sums up to a line, never what to add, so two readers at once do no harm.

use super::{OrderRow, Reader, answered};
use crate::broker::{ExecutionFate, ListedExecution, ListedOrder, Page, Position, TradeCash};
use anyhow::Context;
use chrono::{DateTime, Utc};
use database::statement;
use diesel::sql_types::{BigInt, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::{AccountId, Currency, Price, Quantity, Symbol};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Lines of the journal after which the sums are kept anew.
const CHECKPOINT_LINES_MIN: i64 = 10_000;
/// Items of a page.
const PAGE_ITEMS: i64 = 500;

statement! {
    Checkpoint { account: SqlUuid = Uuid }
    "SELECT journal_id, totals::text AS totals FROM broker.simulator_checkpoints WHERE account_id = ?"
}
statement! {
    /// The journal is read by its ids alone: its lines since the checkpoint, whoever they are about, are few beside an
    /// account's whole history. Each execution is worth whole minor units, halves to even, as everywhere.
    MovedSince { after: BigInt = i64, account: SqlUuid = Uuid }
    "WITH newest AS MATERIALIZED (SELECT coalesce(max(id), 0) AS journal_id FROM broker.execution_reports),
     lines AS MATERIALIZED (SELECT * FROM (SELECT * FROM broker.execution_reports WHERE id > ? OFFSET 0) AS later
        WHERE account_id = ? AND broker = 'simulator' AND kind IN ('fill', 'trade_corrected', 'trade_canceled')),
     executed AS (
        SELECT symbol, side, quantity, price, commission, tax, 1 AS sign FROM lines WHERE execution_id IS NOT NULL
        UNION ALL
        SELECT undone.symbol, undone.side, undone.quantity, undone.price, undone.commission, undone.tax, -1
        FROM lines JOIN broker.execution_reports AS undone
            ON undone.account_id = lines.account_id AND undone.execution_id = lines.undone_execution_id)
     SELECT newest.journal_id, moved.symbol, moved.quantity, moved.cash
     FROM newest LEFT JOIN (
        SELECT symbol, sum(sign * CASE side WHEN 'buy' THEN quantity ELSE -quantity END) AS quantity,
            sum(sign * (CASE side WHEN 'buy' THEN -worth ELSE worth END / units - commission - tax)) AS cash
        FROM (SELECT *, CASE WHEN exact - floor(exact) = 0.5 THEN 2 * round(exact / 2) ELSE round(exact) END AS worth
            FROM (SELECT *, quantity * price * units AS exact
                FROM (SELECT *, CASE WHEN symbol ~ '[.]K[SQ]$' THEN 1 ELSE 100 END::numeric AS units
                    FROM executed) AS counted) AS exacts) AS worths
        GROUP BY symbol) AS moved ON true"
}
statement! {
    MoveCheckpoint { account: SqlUuid = Uuid, journal_id: BigInt = i64, totals: Text = String }
    "INSERT INTO broker.simulator_checkpoints AS c (account_id, journal_id, totals)
     SELECT new.account_id, new.journal_id, new.totals::json
     FROM (SELECT ?::uuid AS account_id, ?::bigint AS journal_id, ?::text AS totals) AS new
     ON CONFLICT (account_id) DO UPDATE SET journal_id = excluded.journal_id, totals = excluded.totals
     WHERE c.journal_id < excluded.journal_id"
}
statement! {
    /// The last order before a moment that still has its first place is looked for from the newest backwards: of those, sequence
    /// and time grow together. One whose terms were replaced has a later place and its old time.
    OrdersSince {
        after: BigInt = i64, account_before: SqlUuid = Uuid, before: Timestamptz = DateTime<Utc>, account: SqlUuid = Uuid,
        since: Timestamptz = DateTime<Utc>, limit: BigInt = i64,
    }
    "SELECT o.* FROM broker.simulator_orders AS o
     WHERE o.sequence > greatest(?, (SELECT coalesce(max(sequence), 0) FROM broker.simulator_orders
            WHERE account_id = ? AND quantity > 0 AND replaces = 0 AND accepted_at < ?))
       AND o.account_id = ? AND o.quantity > 0 AND o.accepted_at >= ? ORDER BY o.sequence LIMIT ?"
}
statement! {
    ExecutionsSince { after: BigInt = i64, account: SqlUuid = Uuid, since: Timestamptz = DateTime<Utc>, limit: BigInt = i64 }
    "SELECT id, broker_order_id, execution_id, quantity, price, commission, tax, occurred_at
     FROM broker.execution_reports
     WHERE id > ? AND account_id = ? AND kind = 'fill' AND broker = 'simulator' AND occurred_at >= ?
     ORDER BY id LIMIT ?"
}

#[derive(QueryableByName)]
struct CheckpointRow {
    #[diesel(sql_type = BigInt)]
    journal_id: i64,
    #[diesel(sql_type = Text)]
    totals: String,
}

#[derive(QueryableByName)]
struct MovedRow {
    #[diesel(sql_type = BigInt)]
    journal_id: i64,
    #[diesel(sql_type = Nullable<Text>)]
    symbol: Option<String>,
    #[diesel(sql_type = Nullable<Numeric>)]
    quantity: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    cash: Option<Decimal>,
}

#[derive(QueryableByName)]
struct ExecutionRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    broker_order_id: String,
    #[diesel(sql_type = Text)]
    execution_id: String,
    #[diesel(sql_type = Numeric)]
    quantity: Decimal,
    #[diesel(sql_type = Numeric)]
    price: Decimal,
    #[diesel(sql_type = Numeric)]
    commission: Decimal,
    #[diesel(sql_type = Numeric)]
    tax: Decimal,
    #[diesel(sql_type = Timestamptz)]
    occurred_at: DateTime<Utc>,
}

/// What the executions of an account have left in it, up to a line of the journal.
#[derive(Debug, Default)]
pub(in crate::broker::simulator) struct Holdings {
    /// That line.
    pub(in crate::broker::simulator) journal_id: i64,
    /// Shares and cash by symbol.
    totals: BTreeMap<Symbol, (Decimal, Decimal)>,
}

impl Holdings {
    fn add(&mut self, symbol: &str, quantity: Decimal, cash: Decimal) -> anyhow::Result<()> {
        let total = self.totals.entry(symbol.parse()?).or_default();
        total.0 = total.0.checked_add(quantity).context("the shares of an account are too many")?;
        total.1 = total.1.checked_add(cash).context("the cash of an account is too large")?;
        Ok(())
    }

    /// Shares, where there are any.
    pub(in crate::broker::simulator) fn positions(&self) -> Vec<Position> {
        let held = self.totals.iter().filter(|(_, (quantity, _))| !quantity.is_zero());
        held.map(|(symbol, (quantity, _))| Position { symbol: *symbol, quantity: quantity.normalize() })
            .collect()
    }

    /// Cash by currency.
    pub(in crate::broker::simulator) fn trade_cash(&self) -> anyhow::Result<Vec<TradeCash>> {
        let mut sums = BTreeMap::<Currency, Decimal>::new();
        for (symbol, (_, cash)) in &self.totals {
            let sum = sums.entry(symbol.currency()).or_default();
            *sum = sum.checked_add(*cash).context("the cash of an account is too large")?;
        }
        let normal =
            |(currency, amount): (Currency, Decimal)| TradeCash { currency, amount: amount.normalize() };
        Ok(sums.into_iter().map(normal).collect())
    }
}

impl Reader {
    /// What an account holds.
    pub(in crate::broker::simulator) async fn holdings(
        &self,
        account: AccountId,
    ) -> anyhow::Result<Holdings> {
        let mut connection = self.connection().await?;
        let query = Checkpoint { account: account.0 };
        let row: Option<CheckpointRow> =
            answered(async { query.get_result(&mut connection).await.optional() }).await?;
        let before = row.as_ref().map_or(0, |row| row.journal_id);
        let mut holdings = Holdings { journal_id: before, ..Holdings::default() };
        if let Some(row) = row {
            let totals: BTreeMap<String, (Decimal, Decimal)> = serde_json::from_str(&row.totals)?;
            for (symbol, (quantity, cash)) in totals {
                holdings.add(&symbol, quantity, cash)?;
            }
        }
        let moved = MovedSince { after: before, account: account.0 };
        let rows: Vec<MovedRow> = answered(moved.load(&mut connection)).await?;
        for row in rows {
            holdings.journal_id = row.journal_id.max(before);
            if let (Some(symbol), Some(quantity), Some(cash)) = (row.symbol, row.quantity, row.cash) {
                holdings.add(&symbol, quantity, cash)?;
            }
        }
        if holdings.journal_id - before >= CHECKPOINT_LINES_MIN {
            let totals: BTreeMap<String, &(Decimal, Decimal)> =
                holdings.totals.iter().map(|(symbol, total)| (symbol.to_string(), total)).collect();
            let totals = serde_json::to_string(&totals)?;
            let keep = MoveCheckpoint { account: account.0, journal_id: holdings.journal_id, totals };
            answered(keep.execute(&mut connection)).await?;
        }
        Ok(holdings)
    }

    /// A page of an account's orders.
    pub(in crate::broker::simulator) async fn order_page(
        &self,
        account: AccountId,
        since: DateTime<Utc>,
        after: i64,
    ) -> anyhow::Result<Page<ListedOrder>> {
        let query = OrdersSince {
            after,
            account_before: account.0,
            before: since,
            account: account.0,
            since,
            limit: PAGE_ITEMS,
        };
        let rows: Vec<OrderRow> = answered(query.load(&mut self.connection().await?)).await?;
        let full = i64::try_from(rows.len()).is_ok_and(|count| count == PAGE_ITEMS);
        let records = rows.into_iter().map(OrderRow::read).collect::<anyhow::Result<Vec<_>>>()?;
        let next = records.last().filter(|_| full).map(|record| record.sequence.to_string());
        Ok(Page { items: records.iter().map(super::Record::listed).collect(), next })
    }

    /// A page of an account's executions.
    pub(in crate::broker::simulator) async fn execution_page(
        &self,
        account: AccountId,
        since: DateTime<Utc>,
        after: i64,
    ) -> anyhow::Result<Page<ListedExecution>> {
        let query = ExecutionsSince { after, account: account.0, since, limit: PAGE_ITEMS };
        let rows: Vec<ExecutionRow> = answered(query.load(&mut self.connection().await?)).await?;
        let full = i64::try_from(rows.len()).is_ok_and(|count| count == PAGE_ITEMS);
        let next = rows.last().filter(|_| full).map(|row| row.id.to_string());
        let items = rows.into_iter().map(ExecutionRow::read).collect::<anyhow::Result<_>>()?;
        Ok(Page { items, next })
    }
}

impl ExecutionRow {
    fn read(self) -> anyhow::Result<ListedExecution> {
        Ok(ListedExecution {
            broker_order_id: self.broker_order_id,
            execution_id: self.execution_id,
            quantity: Quantity::new(self.quantity.normalize())?,
            price: Price::new(self.price.normalize())?,
            commission: self.commission.normalize(),
            tax: self.tax.normalize(),
            occurred_at: self.occurred_at,
            fate: ExecutionFate::Stands,
        })
    }
}
