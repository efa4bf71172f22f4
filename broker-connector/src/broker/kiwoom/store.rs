//! `broker.execution_spans`, `broker.sent_replaces`, and what `broker.sent_orders` and `broker.order_links` say of an order.

use super::fills::Span;
use crate::broker::BrokerError;
use crate::db::{Database, answered};
use chrono::{DateTime, Utc};
use database::statement;
use diesel::sql_types::{Array, BigInt, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, OrderId, ReplaceId, Symbol};
use rust_decimal::Decimal;
use secrecy::SecretString;
use std::collections::HashMap;
use uuid::Uuid;

statement! {
    Spans { account: SqlUuid = Uuid, numbers: Array<Text> = Vec<String> }
    "SELECT broker_order_id, from_quantity, to_quantity, price, commission, tax, occurred_at
     FROM broker.execution_spans WHERE account_id = ? AND broker_order_id = ANY (?) ORDER BY broker_order_id, from_quantity"
}
statement! {
    LockAccount { account: SqlUuid = Uuid }
    "SELECT account_id FROM broker.accounts WHERE account_id = ? FOR UPDATE"
}
statement! {
    AddSpan {
        account: SqlUuid = Uuid, number: Text = String, begin: BigInt = i64, end: BigInt = i64, price: Numeric = Decimal,
        commission: Numeric = Decimal, tax: Numeric = Decimal, at: Timestamptz = DateTime<Utc>,
    }
    "INSERT INTO broker.execution_spans
        (account_id, broker_order_id, from_quantity, to_quantity, price, commission, tax, occurred_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
}
statement! {
    Find { sent: SqlUuid = Uuid, found: SqlUuid = Uuid }
    "SELECT named.account_id, named.symbol, named.number FROM (
        SELECT s.account_id, s.symbol, greatest(s.broker_order_id,
            (SELECT max(l.broker_order_id) FROM broker.order_links AS l WHERE l.order_id = s.order_id)) AS number, 1 AS choice
        FROM broker.sent_orders AS s WHERE s.order_id = ?
        UNION ALL
        SELECT l.account_id, NULL, l.broker_order_id, 2 FROM broker.order_links AS l WHERE l.order_id = ?) AS named
     ORDER BY named.choice, named.number DESC LIMIT 1"
}
statement! {
    SendingReplace { replace: SqlUuid = Uuid, account: SqlUuid = Uuid, order: SqlUuid = Uuid }
    "INSERT INTO broker.sent_replaces (replace_id, account_id, order_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
}
statement! {
    ReplaceNotDone { replace: SqlUuid = Uuid }
    "DELETE FROM broker.sent_replaces WHERE replace_id = ? AND broker_order_id IS NULL"
}
statement! {
    ReplaceDone { number: Text = String, replace: SqlUuid = Uuid }
    "UPDATE broker.sent_replaces SET broker_order_id = ? WHERE replace_id = ?"
}
statement! {
    FindReplace { replace: SqlUuid = Uuid }
    "SELECT replace_id, broker_order_id AS number FROM broker.sent_replaces WHERE replace_id = ?"
}
statement! {
    Replaces { account: SqlUuid = Uuid, numbers: Array<Text> = Vec<String> }
    "SELECT replace_id, broker_order_id AS number FROM broker.sent_replaces WHERE account_id = ? AND broker_order_id = ANY (?)"
}

#[derive(QueryableByName)]
struct SpanRow {
    #[diesel(sql_type = Text)]
    broker_order_id: String,
    #[diesel(sql_type = BigInt)]
    from_quantity: i64,
    #[diesel(sql_type = BigInt)]
    to_quantity: i64,
    #[diesel(sql_type = Numeric)]
    price: Decimal,
    #[diesel(sql_type = Numeric)]
    commission: Decimal,
    #[diesel(sql_type = Numeric)]
    tax: Decimal,
    #[diesel(sql_type = Timestamptz)]
    occurred_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct FoundRow {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    symbol: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    number: Option<String>,
}

#[derive(QueryableByName)]
struct ReplaceRow {
    #[diesel(sql_type = SqlUuid)]
    replace_id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    number: Option<String>,
}

/// Where an order is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) account_id: AccountId,
    /// What is traded; nothing for orders made elsewhere.
    pub(super) symbol: Option<Symbol>,
    /// The newest number that is known of it.
    pub(super) number: Option<String>,
}

/// Spans by order number.
pub(super) type SpansByNumber = HashMap<String, Vec<Span>>;

/// The tables. Cloning is cheap.
#[derive(Clone)]
pub(super) struct Store(Database);

type Stored<T> = Result<T, BrokerError>;

fn unavailable(error: anyhow::Error) -> BrokerError {
    BrokerError::Unavailable(format!("{error:#}"))
}

async fn load_spans(
    connection: &mut AsyncPgConnection,
    account: AccountId,
    numbers: &[String],
) -> anyhow::Result<SpansByNumber> {
    let query = Spans { account: account.0, numbers: numbers.to_vec() };
    let rows: Vec<SpanRow> = answered(query.load(connection)).await?;
    let mut spans = SpansByNumber::new();
    for row in rows {
        spans.entry(row.broker_order_id).or_default().push(Span {
            from: row.from_quantity,
            to: row.to_quantity,
            price: row.price.normalize(),
            commission: row.commission.normalize(),
            tax: row.tax.normalize(),
            at: row.occurred_at,
        });
    }
    Ok(spans)
}

impl Store {
    pub(super) fn new(url: &SecretString) -> anyhow::Result<Self> {
        Database::new(url).map(Self)
    }

    /// The spans of orders.
    pub(super) async fn spans(&self, account: AccountId, numbers: &[String]) -> Stored<SpansByNumber> {
        let mut connection = self.0.connection().await.map_err(unavailable)?;
        load_spans(&mut connection, account, numbers).await.map_err(unavailable)
    }

    /// Writes the spans that `missing` finds to be missing, one caller an account at a time, and gives all of them.
    pub(super) async fn add_spans(
        &self,
        account: AccountId,
        numbers: &[String],
        missing: impl Fn(&SpansByNumber) -> SpansByNumber + Send + Sync,
    ) -> Stored<SpansByNumber> {
        let mut connection = self.0.connection().await.map_err(unavailable)?;
        let missing = &missing;
        let written = connection.transaction(async |connection| {
            answered(LockAccount { account: account.0 }.execute(connection)).await?;
            let mut spans = load_spans(connection, account, numbers).await?;
            for (number, more) in missing(&spans) {
                for span in &more {
                    let add = AddSpan {
                        account: account.0,
                        number: number.clone(),
                        begin: span.from,
                        end: span.to,
                        price: span.price,
                        commission: span.commission,
                        tax: span.tax,
                        at: span.at,
                    };
                    answered(add.execute(connection)).await?;
                }
                spans.entry(number).or_default().extend(more);
            }
            Ok::<_, anyhow::Error>(spans)
        });
        written.await.map_err(unavailable)
    }

    /// Where an order is.
    pub(super) async fn find(&self, order: OrderId) -> Stored<Option<Found>> {
        let query = Find { sent: order.0, found: order.0 };
        let mut connection = self.0.connection().await.map_err(unavailable)?;
        let row: Option<FoundRow> = answered(async { query.get_result(&mut connection).await.optional() })
            .await
            .map_err(unavailable)?;
        Ok(row.map(|row| Found {
            account_id: AccountId(row.account_id),
            symbol: row.symbol.and_then(|symbol| symbol.parse().ok()),
            number: row.number,
        }))
    }

    /// Writes that a request for other terms is about to be sent; whether this is the first time.
    pub(super) async fn sending_replace(
        &self,
        replace: ReplaceId,
        account: AccountId,
        order: OrderId,
    ) -> Stored<bool> {
        let query = SendingReplace { replace: replace.0, account: account.0, order: order.0 };
        let mut connection = self.0.connection().await.map_err(unavailable)?;
        Ok(answered(query.execute(&mut connection)).await.map_err(unavailable)? > 0)
    }

    /// Takes that back: the request provably did nothing.
    pub(super) async fn replace_not_done(&self, replace: ReplaceId) -> Stored<()> {
        let mut connection = self.0.connection().await.map_err(unavailable)?;
        let query = ReplaceNotDone { replace: replace.0 };
        answered(query.execute(&mut connection)).await.map(|_| ()).map_err(unavailable)
    }

    /// Notes the number that came of a request.
    pub(super) async fn replace_done(&self, replace: ReplaceId, number: &str) -> Stored<()> {
        let mut connection = self.0.connection().await.map_err(unavailable)?;
        let query = ReplaceDone { number: number.to_owned(), replace: replace.0 };
        answered(query.execute(&mut connection)).await.map(|_| ()).map_err(unavailable)
    }

    /// Whether a request was, or may have been, sent, and the number that came of it.
    pub(super) async fn find_replace(&self, replace: ReplaceId) -> Stored<Option<Option<String>>> {
        let mut connection = self.0.connection().await.map_err(unavailable)?;
        let query = FindReplace { replace: replace.0 };
        let row: Option<ReplaceRow> = answered(async { query.get_result(&mut connection).await.optional() })
            .await
            .map_err(unavailable)?;
        Ok(row.map(|row| row.number))
    }

    /// Our requests by the numbers that came of them.
    pub(super) async fn replaces(
        &self,
        account: AccountId,
        numbers: &[String],
    ) -> Stored<HashMap<String, ReplaceId>> {
        let mut connection = self.0.connection().await.map_err(unavailable)?;
        let query = Replaces { account: account.0, numbers: numbers.to_vec() };
        let rows: Vec<ReplaceRow> = answered(query.load(&mut connection)).await.map_err(unavailable)?;
        Ok(rows.into_iter().filter_map(|row| Some((row.number?, ReplaceId(row.replace_id)))).collect())
    }
}
