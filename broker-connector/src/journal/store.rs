//! `broker.execution_reports` and what is remembered about brokers' histories.

mod activities;

use super::{Entry, Told};
use crate::db::{Database, answered};
use anyhow::Context;
use chrono::{DateTime, Utc};
use database::statement;
use diesel::sql_types::{Array, BigInt, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::broker::ReportKind;
use domain::{AccountId, OrderId, Percent, Price, PriceFields, locks};
use rust_decimal::Decimal;
use secrecy::SecretString;
use std::collections::HashMap;
use uuid::Uuid;

statement! {
    /// The guard is read before any row gets its id, so ids become visible in increasing order whoever else appends.
    Append {
        guard: BigInt = i64,
        broker: Text = String,
        account_ids: Array<SqlUuid> = Vec<Uuid>,
        order_ids: Array<SqlUuid> = Vec<Uuid>,
        broker_order_ids: Array<Text> = Vec<String>,
        report_ids: Array<Text> = Vec<String>,
        kinds: Array<Text> = Vec<&'static str>,
        symbols: Array<Text> = Vec<String>,
        sides: Array<Text> = Vec<&'static str>,
        execution_ids: Array<Nullable<Text>> = Vec<Option<String>>,
        undone_execution_ids: Array<Nullable<Text>> = Vec<Option<String>>,
        quantities: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        prices: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        commissions: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        taxes: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        reasons: Array<Nullable<Text>> = Vec<Option<String>>,
        replaces: Array<Nullable<SqlUuid>> = Vec<Option<Uuid>>,
        limit_prices: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        stop_prices: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        trail_amounts: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        trail_percents: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        occurred: Array<Timestamptz> = Vec<DateTime<Utc>>,
    }
    "WITH guard AS MATERIALIZED (SELECT pg_advisory_xact_lock(?)),
    reports AS (
        INSERT INTO broker.execution_reports (broker, account_id, order_id, broker_order_id, report_id, kind, symbol,
            side, execution_id, undone_execution_id, quantity, price, commission, tax, reason, replace_id, limit_price,
            stop_price, trail_amount, trail_percent, occurred_at)
        SELECT ?, account_id, order_id, broker_order_id, report_id, kind, symbol, side, execution_id,
            undone_execution_id, quantity, price, commission, tax, reason, replace_id, limit_price, stop_price,
            trail_amount, trail_percent, occurred_at
        FROM guard, unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WITH ORDINALITY
            AS report (account_id, order_id, broker_order_id, report_id, kind, symbol, side, execution_id,
                undone_execution_id, quantity, price, commission, tax, reason, replace_id, limit_price, stop_price,
                trail_amount, trail_percent, occurred_at, place)
        ORDER BY place
        ON CONFLICT DO NOTHING
        RETURNING id
    )
    SELECT count(*) AS number, pg_notify('execution_reports', max(id)::text) FROM reports"
}

statement! {
    ToldOf { orders: Array<SqlUuid> = Vec<Uuid> }
    "SELECT order_id, kind, execution_id, undone_execution_id FROM broker.execution_reports WHERE order_id = ANY (?)"
}

statement! {
    LastId {} "SELECT coalesce(max(id), 0) AS number FROM broker.execution_reports"
}

statement! {
    RecoveredThrough { account: SqlUuid = Uuid } "SELECT through FROM broker.recoveries WHERE account_id = ?"
}

statement! {
    SetRecovered { account: SqlUuid = Uuid, through: Timestamptz = DateTime<Utc> }
    "INSERT INTO broker.recoveries (account_id, through) VALUES (?, ?)
     ON CONFLICT (account_id) DO UPDATE SET through = greatest(recoveries.through, excluded.through)"
}

statement! {
    LinksOf { account: SqlUuid = Uuid, broker_order_ids: Array<Text> = Vec<String> }
    "SELECT broker_order_id, order_id FROM broker.order_links WHERE account_id = ? AND broker_order_id = ANY (?)"
}

statement! {
    Link { account: SqlUuid = Uuid, broker_order_id: Text = String, order: SqlUuid = Uuid }
    "INSERT INTO broker.order_links (account_id, broker_order_id, order_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(QueryableByName)]
struct Through {
    #[diesel(sql_type = Timestamptz)]
    through: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct LinkRow {
    #[diesel(sql_type = Text)]
    broker_order_id: String,
    #[diesel(sql_type = SqlUuid)]
    order_id: Uuid,
}

#[derive(QueryableByName)]
struct ToldRow {
    #[diesel(sql_type = SqlUuid)]
    order_id: Uuid,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    execution_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    undone_execution_id: Option<String>,
}

/// The tables.
#[derive(Clone)]
pub(super) struct Store(Database);

impl Store {
    pub(super) fn new(url: &SecretString) -> anyhow::Result<Self> {
        Database::new(url).map(Self)
    }

    async fn connection(&self) -> anyhow::Result<Object<AsyncPgConnection>> {
        self.0.connection().await
    }

    pub(super) async fn append(&self, broker: &str, entries: &[Entry]) -> anyhow::Result<u64> {
        let mut rows =
            Append { guard: locks::JOURNAL_APPEND, broker: broker.to_owned(), ..Append::default() };
        entries.iter().for_each(|entry| rows.push(entry));
        let added: Number = answered(rows.get_result(&mut self.connection().await?)).await?;
        Ok(u64::try_from(added.number)?)
    }

    pub(super) async fn told(&self, orders: &[OrderId]) -> anyhow::Result<HashMap<OrderId, Told>> {
        let query = ToldOf { orders: orders.iter().map(|order| order.0).collect() };
        let rows: Vec<ToldRow> = answered(query.load(&mut self.connection().await?)).await?;
        let mut told = HashMap::<OrderId, Told>::new();
        for row in rows {
            let order = told.entry(OrderId(row.order_id)).or_default();
            order.kinds.insert(row.kind);
            order.executions.extend(row.execution_id);
            order.undone.extend(row.undone_execution_id);
        }
        Ok(told)
    }

    pub(super) async fn last_id(&self) -> anyhow::Result<i64> {
        let row: Number = answered(LastId {}.get_result(&mut self.connection().await?)).await?;
        Ok(row.number)
    }

    pub(super) async fn recovered_through(
        &self,
        account: AccountId,
    ) -> anyhow::Result<Option<DateTime<Utc>>> {
        let mut connection = self.connection().await?;
        let query = RecoveredThrough { account: account.0 };
        let row: Option<Through> =
            answered(async { query.get_result(&mut connection).await.optional() }).await?;
        Ok(row.map(|row| row.through))
    }

    pub(super) async fn set_recovered(
        &self,
        account: AccountId,
        through: DateTime<Utc>,
    ) -> anyhow::Result<()> {
        answered(SetRecovered { account: account.0, through }.execute(&mut self.connection().await?)).await?;
        Ok(())
    }

    pub(super) async fn links_of(
        &self,
        account: AccountId,
        broker_order_ids: &[String],
    ) -> anyhow::Result<HashMap<String, OrderId>> {
        let query = LinksOf { account: account.0, broker_order_ids: broker_order_ids.to_vec() };
        let rows: Vec<LinkRow> = answered(query.load(&mut self.connection().await?)).await?;
        Ok(rows.into_iter().map(|row| (row.broker_order_id, OrderId(row.order_id))).collect())
    }

    pub(super) async fn link(
        &self,
        account: AccountId,
        broker_order_id: &str,
        order: OrderId,
    ) -> anyhow::Result<OrderId> {
        let query = Link { account: account.0, broker_order_id: broker_order_id.to_owned(), order: order.0 };
        answered(query.execute(&mut self.connection().await?)).await?;
        let links = self.links_of(account, &[broker_order_id.to_owned()]).await?;
        links.get(broker_order_id).copied().context("the order has another number already")
    }
}

/// What the columns of an execution say; nothing for reports without one.
#[derive(Default)]
struct Columns<'a> {
    execution_id: Option<&'a String>,
    undone: Option<&'a String>,
    quantity: Option<Decimal>,
    price: Option<Decimal>,
    fees: Option<(Decimal, Decimal)>,
    reason: Option<&'a String>,
    replace: Option<Uuid>,
    fields: PriceFields,
}

fn columns(kind: &ReportKind) -> Columns<'_> {
    match kind {
        ReportKind::Fill { execution_id, quantity, price, commission, tax } => Columns {
            execution_id: Some(execution_id),
            quantity: Some(quantity.value()),
            price: Some(price.value()),
            fees: Some((*commission, *tax)),
            ..Columns::default()
        },
        ReportKind::Triggered { price } => Columns { price: Some(price.value()), ..Columns::default() },
        ReportKind::Replaced {
            replace_id,
            quantity,
            limit_price,
            stop_price,
            trail_amount,
            trail_percent,
        } => Columns {
            quantity: Some(quantity.value()),
            replace: Some(replace_id.0),
            fields: PriceFields {
                limit_price: *limit_price,
                stop_price: *stop_price,
                trail_amount: *trail_amount,
                trail_percent: *trail_percent,
            },
            ..Columns::default()
        },
        ReportKind::TradeCorrected { corrects, execution_id, quantity, price, commission, tax } => Columns {
            execution_id: Some(execution_id),
            undone: Some(corrects),
            quantity: Some(quantity.value()),
            price: Some(price.value()),
            fees: Some((*commission, *tax)),
            ..Columns::default()
        },
        ReportKind::TradeCanceled { execution_id, reason } => {
            Columns { undone: Some(execution_id), reason: reason.as_ref(), ..Columns::default() }
        }
        ReportKind::Rejected { reason } => Columns { reason: Some(reason), ..Columns::default() },
        ReportKind::Canceled { reason } | ReportKind::Suspended { reason } => {
            Columns { reason: reason.as_ref(), ..Columns::default() }
        }
        ReportKind::Accepted | ReportKind::Expired | ReportKind::Resumed | ReportKind::DoneForDay => {
            Columns::default()
        }
    }
}

impl Append {
    fn push(&mut self, entry: &Entry) {
        let report = &entry.report;
        let columns = columns(&report.kind);
        self.account_ids.push(report.account_id.0);
        self.order_ids.push(report.order_id.0);
        self.broker_order_ids.push(entry.broker_order_id.clone());
        self.report_ids.push(report.report_id.clone());
        self.kinds.push(report.kind.name());
        self.symbols.push(entry.symbol.to_string());
        self.sides.push(entry.side.name());
        self.execution_ids.push(columns.execution_id.cloned());
        self.undone_execution_ids.push(columns.undone.cloned());
        self.quantities.push(columns.quantity);
        self.prices.push(columns.price);
        self.commissions.push(columns.fees.map(|fees| fees.0));
        self.taxes.push(columns.fees.map(|fees| fees.1));
        self.reasons.push(columns.reason.cloned());
        self.replaces.push(columns.replace);
        self.limit_prices.push(columns.fields.limit_price.map(Price::value));
        self.stop_prices.push(columns.fields.stop_price.map(Price::value));
        self.trail_amounts.push(columns.fields.trail_amount.map(Price::value));
        self.trail_percents.push(columns.fields.trail_percent.map(Percent::value));
        self.occurred.push(report.occurred_at);
    }
}
