//! `broker.accounts`, `broker.credentials`, `broker.openings` and `broker.sent_orders`.

mod members;

use super::{Located, Opening, StoredAccount};
use crate::db::{Database, answered};
use anyhow::{Context, anyhow};
use chrono::{DateTime, Utc};
use database::statement;
use diesel::sql_types::{Array, BigInt, Binary, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::{AsyncConnection, RunQueryDsl};
use domain::broker::OrderRequest;
use domain::{AccountId, Notional, OrderId};
use rust_decimal::Decimal;
use secrecy::SecretString;
use uuid::Uuid;

statement! {
    Accounts { broker: Text = String }
    "SELECT a.account_id, a.broker_number, c.sealed, o.currency, o.cash, o.movements, o.opened_at
     FROM broker.accounts AS a
     JOIN broker.credentials AS c ON c.account_id = a.account_id
     JOIN broker.openings AS o ON o.account_id = a.account_id
     WHERE a.broker = ? AND a.broker_number IS NOT NULL ORDER BY a.account_id"
}
statement! {
    SaveAccount { account: SqlUuid = Uuid, broker: Text = String, currency: Text = String, number: Text = String }
    "INSERT INTO broker.accounts AS a (account_id, broker, currency, broker_number) VALUES (?, ?, ?, ?)
     ON CONFLICT DO NOTHING"
}
statement! {
    IsSaved { account: SqlUuid = Uuid, broker: Text = String, number: Text = String }
    "SELECT count(*) AS number FROM broker.accounts WHERE account_id = ? AND broker = ? AND broker_number = ?"
}
statement! {
    SaveCredentials { account: SqlUuid = Uuid, sealed: Binary = Vec<u8>, at: Timestamptz = DateTime<Utc> }
    "INSERT INTO broker.credentials (account_id, sealed, accepted_at) VALUES (?, ?, ?)
     ON CONFLICT (account_id) DO UPDATE SET sealed = excluded.sealed, accepted_at = excluded.accepted_at, updated_at = now()"
}
statement! {
    SaveOpening {
        account: SqlUuid = Uuid, currency: Text = String, cash: Numeric = Decimal,
        movements: Array<Text> = Vec<String>, opened_at: Timestamptz = DateTime<Utc>,
    }
    "INSERT INTO broker.openings (account_id, currency, cash, movements, opened_at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING"
}
statement! {
    Sending {
        order: SqlUuid = Uuid, account: SqlUuid = Uuid, symbol: Text = String, side: Text = String,
        quantity: Numeric = Decimal, notional: Nullable<Numeric> = Option<Decimal>,
        submitted_at: Timestamptz = DateTime<Utc>,
    }
    "INSERT INTO broker.sent_orders (order_id, account_id, symbol, side, quantity, notional, submitted_at)
     VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO NOTHING"
}
statement! {
    NotSent { order: SqlUuid = Uuid }
    "WITH never AS (SELECT ?::uuid AS id)
     DELETE FROM broker.sent_orders AS s USING never
     WHERE (s.order_id = never.id OR s.leader_id = never.id) AND s.broker_order_id IS NULL"
}
statement! {
    Numbered { orders: Array<SqlUuid> = Vec<Uuid>, numbers: Array<Text> = Vec<String> }
    "UPDATE broker.sent_orders AS s SET broker_order_id = named.number
     FROM unnest(?, ?) AS named (order_id, number) WHERE s.order_id = named.order_id"
}
statement! {
    Find { sent: SqlUuid = Uuid, found: SqlUuid = Uuid }
    "SELECT account_id, broker_order_id FROM (
        SELECT account_id, broker_order_id, 1 AS choice FROM broker.sent_orders WHERE order_id = ?
        UNION ALL SELECT account_id, broker_order_id, 2 FROM broker.order_links WHERE order_id = ?) AS named
     ORDER BY choice LIMIT 1"
}
statement! {
    /// Orders of which the journal tells an end, or executions of all that was ordered, and exits that will never be worked
    /// because of what became of their leader. How many shares an order by amount of money is for, the journal tells at its end.
    NoteEnds { account: SqlUuid = Uuid }
    "UPDATE broker.sent_orders AS s SET ended_at = now() WHERE s.account_id = ? AND s.ended_at IS NULL AND (
        EXISTS (SELECT FROM broker.execution_reports AS r
            WHERE r.order_id = s.order_id AND r.kind IN ('rejected', 'canceled', 'expired'))
        OR (SELECT sum(r.quantity) FROM broker.execution_reports AS r WHERE r.order_id = s.order_id AND r.kind = 'fill')
            >= coalesce((SELECT r.quantity FROM broker.execution_reports AS r
                WHERE r.order_id = s.order_id AND r.kind = 'replaced' ORDER BY r.id DESC LIMIT 1),
                CASE WHEN s.notional IS NULL THEN s.quantity END)
        OR s.claimed_at IS NULL AND EXISTS (SELECT FROM broker.execution_reports AS r
            WHERE r.order_id = s.leader_id AND r.kind IN ('rejected', 'canceled', 'expired')))"
}
statement! {
    OldestWorking { account: SqlUuid = Uuid }
    "SELECT min(submitted_at) AS at FROM broker.sent_orders WHERE account_id = ? AND ended_at IS NULL"
}

#[derive(QueryableByName)]
struct AccountRow {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Text)]
    broker_number: String,
    #[diesel(sql_type = Binary)]
    sealed: Vec<u8>,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Numeric)]
    cash: Decimal,
    #[diesel(sql_type = Array<Text>)]
    movements: Vec<String>,
    #[diesel(sql_type = Timestamptz)]
    opened_at: DateTime<Utc>,
}

impl AccountRow {
    fn read(self) -> anyhow::Result<StoredAccount> {
        let currency = self.currency.parse().map_err(|_| anyhow!("a stored currency cannot be read"))?;
        Ok(StoredAccount {
            account_id: AccountId(self.account_id),
            broker_number: self.broker_number,
            sealed: self.sealed,
            opening: Opening {
                currency,
                cash: self.cash.normalize(),
                movements: self.movements,
                opened_at: self.opened_at,
            },
        })
    }
}

#[derive(QueryableByName)]
struct LocatedRow {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Nullable<Text>)]
    broker_order_id: Option<String>,
}

#[derive(QueryableByName)]
struct Moment {
    #[diesel(sql_type = Nullable<Timestamptz>)]
    at: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(Clone)]
pub(super) struct Store(Database);

impl Store {
    pub(super) fn new(url: &SecretString) -> anyhow::Result<Self> {
        Database::new(url).map(Self)
    }

    pub(super) async fn accounts(&self, broker: &str) -> anyhow::Result<Vec<StoredAccount>> {
        let query = Accounts { broker: broker.to_owned() };
        let rows: Vec<AccountRow> = answered(query.load(&mut self.0.connection().await?)).await?;
        rows.into_iter().map(AccountRow::read).collect()
    }

    /// Whether the account could be written.
    pub(super) async fn save_account(&self, broker: &str, account: &StoredAccount) -> anyhow::Result<bool> {
        let (id, opening) = (account.account_id.0, &account.opening);
        let number = &account.broker_number;
        let mut connection = self.0.connection().await?;
        connection
            .transaction(async |connection| {
                let save = SaveAccount {
                    account: id,
                    broker: broker.to_owned(),
                    currency: opening.currency.code().to_owned(),
                    number: number.clone(),
                };
                answered(save.execute(connection)).await?;
                let saved = IsSaved { account: id, broker: broker.to_owned(), number: number.clone() };
                let saved: Number = answered(saved.get_result(connection)).await?;
                if saved.number == 0 {
                    return Ok(false);
                }
                let credentials =
                    SaveCredentials { account: id, sealed: account.sealed.clone(), at: Utc::now() };
                answered(credentials.execute(connection)).await?;
                let opening = SaveOpening {
                    account: id,
                    currency: opening.currency.code().to_owned(),
                    cash: opening.cash,
                    movements: opening.movements.clone(),
                    opened_at: opening.opened_at,
                };
                answered(opening.execute(connection)).await?;
                Ok::<_, anyhow::Error>(true)
            })
            .await
            .context("an account cannot be written")
    }

    pub(super) async fn sending(&self, order: &OrderRequest) -> anyhow::Result<bool> {
        if !order.exits().is_empty() {
            return self.sending_with_exits(order).await;
        }
        let query = Sending {
            order: order.order_id.0,
            account: order.account_id.0,
            symbol: order.symbol.to_string(),
            side: order.side.name().to_owned(),
            quantity: order.quantity.value(),
            notional: order.notional.map(Notional::value),
            submitted_at: order.submitted_at,
        };
        Ok(answered(query.execute(&mut self.0.connection().await?)).await? > 0)
    }

    pub(super) async fn not_sent(&self, order: OrderId) -> anyhow::Result<()> {
        answered(NotSent { order: order.0 }.execute(&mut self.0.connection().await?)).await?;
        Ok(())
    }

    pub(super) async fn numbered(&self, numbers: &[(OrderId, String)]) -> anyhow::Result<()> {
        let (orders, numbers) = numbers.iter().map(|(order, number)| (order.0, number.clone())).unzip();
        let query = Numbered { orders, numbers };
        answered(query.execute(&mut self.0.connection().await?)).await?;
        Ok(())
    }

    pub(super) async fn located(&self, order: OrderId) -> anyhow::Result<Option<Located>> {
        let query = Find { sent: order.0, found: order.0 };
        let mut connection = self.0.connection().await?;
        let row: Option<LocatedRow> =
            answered(async { query.get_result(&mut connection).await.optional() }).await?;
        Ok(row.map(|row| Located {
            account_id: AccountId(row.account_id),
            broker_order_id: row.broker_order_id,
        }))
    }

    pub(super) async fn oldest_working(&self, account: AccountId) -> anyhow::Result<Option<DateTime<Utc>>> {
        let mut connection = self.0.connection().await?;
        answered(NoteEnds { account: account.0 }.execute(&mut connection)).await?;
        let oldest: Moment =
            answered(OldestWorking { account: account.0 }.get_result(&mut connection)).await?;
        Ok(oldest.at)
    }
}
