//! What `broker.sent_orders` says of orders that were sent as one.

use super::Store;
use crate::broker::records::{Leg, Member};
use crate::db::answered;
use anyhow::Context;
use chrono::{DateTime, Utc};
use database::statement;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::broker::{ExitKind, OrderRequest};
use domain::{AccountId, OrderId};
use rust_decimal::Decimal;
use uuid::Uuid;

/// Most exits without a number that are looked at together; the others follow when these have theirs.
const UNNUMBERED_MAX: i64 = 100;
/// The stored name of the order that was sent.
const LEADER: &str = "leader";

statement! {
    SendingWithExits {
        account: SqlUuid = Uuid, symbol: Text = String, quantity: Numeric = Decimal,
        submitted_at: Timestamptz = DateTime<Utc>, orders: Array<SqlUuid> = Vec<Uuid>, sides: Array<Text> = Vec<String>,
        leaders: Array<Nullable<SqlUuid>> = Vec<Option<Uuid>>, legs: Array<Text> = Vec<String>,
    }
    "WITH new AS (SELECT ?::uuid AS account_id, ?::text AS symbol, ?::numeric AS quantity, ?::timestamptz AS submitted_at)
     INSERT INTO broker.sent_orders (order_id, account_id, symbol, side, quantity, submitted_at, leader_id, leg)
     SELECT l.order_id, new.account_id, new.symbol, l.side, new.quantity, new.submitted_at, l.leader_id, l.leg
     FROM new, unnest(?, ?, ?, ?) AS l (order_id, side, leader_id, leg)
     ON CONFLICT DO NOTHING"
}
statement! {
    Members { account: SqlUuid = Uuid, numbers: Array<Text> = Vec<String>, orders: Array<SqlUuid> = Vec<Uuid> }
    "SELECT order_id, leader_id, leg, broker_order_id, quantity, claimed_at IS NOT NULL AS is_claimed
     FROM broker.sent_orders
     WHERE account_id = ? AND leg IS NOT NULL AND (broker_order_id = ANY (?) OR order_id = ANY (?))"
}
statement! {
    Unnumbered { account: SqlUuid = Uuid, limit: BigInt = i64 }
    "SELECT order_id, leader_id, leg, broker_order_id, quantity, claimed_at IS NOT NULL AS is_claimed
     FROM broker.sent_orders
     WHERE account_id = ? AND leader_id IS NOT NULL AND broker_order_id IS NULL AND ended_at IS NULL
     ORDER BY submitted_at, order_id LIMIT ?"
}
statement! {
    Claim { order: SqlUuid = Uuid }
    "UPDATE broker.sent_orders SET claimed_at = coalesce(claimed_at, now()), ended_at = NULL
     WHERE order_id = ? AND leader_id IS NOT NULL
     RETURNING order_id, leader_id, leg, broker_order_id, quantity, true AS is_claimed"
}

#[derive(QueryableByName)]
struct MemberRow {
    #[diesel(sql_type = SqlUuid)]
    order_id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    leader_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    leg: String,
    #[diesel(sql_type = Nullable<Text>)]
    broker_order_id: Option<String>,
    #[diesel(sql_type = Numeric)]
    quantity: Decimal,
    #[diesel(sql_type = Bool)]
    is_claimed: bool,
}

impl MemberRow {
    fn read(self) -> anyhow::Result<Member> {
        let leg = match self.leader_id {
            None => Leg::Leader,
            Some(leader) => Leg::Exit {
                leader: OrderId(leader),
                kind: ExitKind::from_name(&self.leg).context("unknown exit")?,
            },
        };
        Ok(Member {
            order_id: OrderId(self.order_id),
            leg,
            broker_order_id: self.broker_order_id,
            quantity: self.quantity.normalize(),
            is_claimed: self.is_claimed,
        })
    }
}

fn read_all(rows: Vec<MemberRow>) -> anyhow::Result<Vec<Member>> {
    rows.into_iter().map(MemberRow::read).collect()
}

impl Store {
    pub(super) async fn sending_with_exits(&self, order: &OrderRequest) -> anyhow::Result<bool> {
        let mut statement = SendingWithExits {
            account: order.account_id.0,
            symbol: order.symbol.to_string(),
            quantity: order.quantity.value(),
            submitted_at: order.submitted_at,
            orders: vec![order.order_id.0],
            sides: vec![order.side.name().to_owned()],
            leaders: vec![None],
            legs: vec![LEADER.to_owned()],
        };
        for exit in order.exits() {
            statement.orders.push(exit.order_id.0);
            statement.sides.push(exit.side.name().to_owned());
            statement.leaders.push(Some(order.order_id.0));
            statement.legs.push(exit.kind.name().to_owned());
        }
        Ok(answered(statement.execute(&mut self.0.connection().await?)).await? > 0)
    }

    pub(in crate::broker::records) async fn members(
        &self,
        account: AccountId,
        numbers: Vec<String>,
        orders: &[OrderId],
    ) -> anyhow::Result<Vec<Member>> {
        let query =
            Members { account: account.0, numbers, orders: orders.iter().map(|order| order.0).collect() };
        read_all(answered(query.load(&mut self.0.connection().await?)).await?)
    }

    pub(in crate::broker::records) async fn unnumbered(
        &self,
        account: AccountId,
    ) -> anyhow::Result<Vec<Member>> {
        let query = Unnumbered { account: account.0, limit: UNNUMBERED_MAX };
        read_all(answered(query.load(&mut self.0.connection().await?)).await?)
    }

    pub(in crate::broker::records) async fn claim(&self, order: OrderId) -> anyhow::Result<Option<Member>> {
        let mut connection = self.0.connection().await?;
        let claim = Claim { order: order.0 };
        let row: Option<MemberRow> =
            answered(async { claim.get_result(&mut connection).await.optional() }).await?;
        row.map(MemberRow::read).transpose()
    }
}
