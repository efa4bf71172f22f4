//! The one statement that places orders.
//!
//! A decision is made before the accounts are locked, on balances that are believed to stand so. The statement locks
//! them, looks whether they do, and only then writes orders, holds and events: one round trip and one flush to the
//! disk for a whole batch, and nothing at all when the belief was wrong.

use super::super::order::{Order, OrderLogEntry};
use super::terms::{number, percent_number};
use crate::account::{BalanceChange, LockedBalances, balances_as_believed, hold_in_balances};
use crate::db::corrupt;
use crate::events::{NewEvent, append_events};
use chrono::{DateTime, NaiveDate, Utc};
use database::statement;
use diesel::sql_types::{Array, BigInt, Bool, Date, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, Notional, Price, PriceFields, Symbol, locks};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, HashSet};
use uuid::Uuid;

statement! {
    /// The events come first in the text because Postgres runs the parts of such a statement from the last to the first:
    /// the turn to append them is drawn when everything else is written.
    PlaceOrders {
        believed_accounts: Array<SqlUuid> = Vec<Uuid>, believed_commodities: Array<Text> = Vec<String>,
        believed_totals: Array<Numeric> = Vec<Decimal>, believed_helds: Array<Numeric> = Vec<Decimal>,
        believed: BigInt = i64,
        pair_accounts: Array<SqlUuid> = Vec<Uuid>, pair_symbols: Array<Text> = Vec<String>,
        turn: BigInt = i64, event_users: Array<SqlUuid> = Vec<Uuid>, event_kinds: Array<Text> = Vec<String>,
        event_payloads: Array<Text> = Vec<String>,
        hold_accounts: Array<SqlUuid> = Vec<Uuid>, hold_commodities: Array<Text> = Vec<String>,
        hold_amounts: Array<Numeric> = Vec<Decimal>,
        ids: Array<SqlUuid> = Vec<Uuid>, accounts: Array<SqlUuid> = Vec<Uuid>, users: Array<SqlUuid> = Vec<Uuid>,
        client_order_ids: Array<Text> = Vec<String>, symbols: Array<Text> = Vec<String>,
        sides: Array<Text> = Vec<String>, order_types: Array<Text> = Vec<String>,
        times_in_force: Array<Text> = Vec<String>, expire_dates: Array<Nullable<Date>> = Vec<Option<NaiveDate>>,
        quantities: Array<Numeric> = Vec<Decimal>, notionals: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        limit_prices: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        stop_prices: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        trail_amounts: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        trail_percents: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        worst_prices: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        fees_max: Array<Numeric> = Vec<Decimal>, statuses: Array<Text> = Vec<String>,
        helds: Array<Numeric> = Vec<Decimal>, denials: Array<Nullable<Text>> = Vec<Option<String>>,
        events: Array<Text> = Vec<String>, details: Array<Nullable<Text>> = Vec<Option<String>>,
        created: Array<Timestamptz> = Vec<DateTime<Utc>>,
    }
    concat!("WITH ", balances_as_believed!("stands"), ",
     belief AS MATERIALIZED (SELECT (SELECT count(*) FROM stands) = ? AND NOT EXISTS (
        SELECT FROM trading.orders AS o JOIN unnest(?, ?) AS pair (account_id, symbol)
            ON pair.account_id = o.account_id AND pair.symbol = o.symbol
        WHERE o.status = 'PENDING_NEW' AND o.unresolved_since IS NOT NULL) AS is_true),
     ", append_events!("told", "belief WHERE belief.is_true"), ",
     ", hold_in_balances!("held", "belief", "belief.is_true"), ",
     new AS MATERIALIZED (SELECT new.* FROM belief, unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) AS new (id,
        account_id, user_id, client_order_id, symbol, side, order_type, time_in_force, expire_date, quantity, notional,
        limit_price, stop_price, trail_amount, trail_percent, worst_price, fees_max, status, held, denials, event, detail, at) WHERE belief.is_true),
     first_events AS (INSERT INTO trading.order_events (order_id, sequence, event, status, detail, occurred_at)
        SELECT id, 1, event, status, detail, at FROM new),
     placed AS (INSERT INTO trading.orders (id, account_id, user_id, client_order_id, symbol, side, order_type,
        time_in_force, expire_date, quantity, notional, limit_price, stop_price, trail_amount, trail_percent,
        worst_price, fees_max, status, held, denials, event_sequence, created_at, updated_at)
        SELECT id, account_id, user_id, client_order_id, symbol, side, order_type, time_in_force, expire_date,
            quantity, notional, limit_price, stop_price, trail_amount, trail_percent, worst_price, fees_max, status, held, denials::json, 1, at, at
        FROM new)
     SELECT is_true FROM belief")
}

#[derive(QueryableByName)]
struct Belief {
    #[diesel(sql_type = Bool)]
    is_true: bool,
}

/// A decided batch, ready to be written.
pub(in crate::trading) struct PlacedBatch<'a> {
    /// The balances it was decided on, as they were before.
    pub(in crate::trading) believed: &'a LockedBalances,
    /// The symbols in which no order's fate may be unknown.
    pub(in crate::trading) pairs: &'a HashSet<(AccountId, Symbol)>,
    pub(in crate::trading) orders: &'a [Order],
    pub(in crate::trading) entries: &'a [OrderLogEntry],
    pub(in crate::trading) holds: &'a [BalanceChange],
    pub(in crate::trading) events: Vec<NewEvent>,
}

/// Writes new orders, each with its first event, their holds and what is told about them, if the balances are what they
/// were believed to be. Says whether. Outside of a transaction it is one of its own.
///
/// # Errors
/// The database's; a unique violation when an order exists already under one of the keys.
pub(in crate::trading) async fn place_orders(
    mut connection: &AsyncPgConnection,
    batch: PlacedBatch<'_>,
) -> QueryResult<bool> {
    let statement = statement_of(batch)?;
    let belief: Belief = statement.get_result(&mut connection).await?;
    Ok(belief.is_true)
}

fn statement_of(batch: PlacedBatch<'_>) -> QueryResult<PlaceOrders> {
    let mut statement = rows_of(batch.orders, batch.entries)?;
    for (account, commodity, row) in batch.believed.rows() {
        statement.believed_accounts.push(account.0);
        statement.believed_commodities.push(commodity.to_owned());
        statement.believed_totals.push(row.total);
        statement.believed_helds.push(row.held);
    }
    statement.believed = i64::try_from(statement.believed_accounts.len()).unwrap_or(i64::MAX);
    for (account, symbol) in batch.pairs {
        statement.pair_accounts.push(account.0);
        statement.pair_symbols.push(symbol.to_string());
    }
    let mut holds = BTreeMap::<_, Decimal>::new();
    for hold in batch.holds {
        *holds.entry((hold.account_id, hold.commodity)).or_default() += hold.held;
    }
    for ((account, commodity), amount) in holds {
        statement.hold_accounts.push(account.0);
        statement.hold_commodities.push(commodity.name().to_owned());
        statement.hold_amounts.push(amount);
    }
    statement.turn = locks::EVENTS_APPEND;
    for event in batch.events {
        let (user, kind, payload) = event.into_columns();
        statement.event_users.push(user);
        statement.event_kinds.push(kind);
        statement.event_payloads.push(payload);
    }
    Ok(statement)
}

fn rows_of(orders: &[Order], entries: &[OrderLogEntry]) -> QueryResult<PlaceOrders> {
    let text =
        |part: fn(&Order) -> &str| orders.iter().map(|order| part(order).to_owned()).collect::<Vec<_>>();
    let prices = |part: fn(PriceFields) -> Option<Price>| {
        orders.iter().map(|order| number(part(order.pricing.fields()))).collect::<Vec<_>>()
    };
    let denials = |order: &Order| order.denials.as_ref().map(serde_json::to_string).transpose();
    Ok(PlaceOrders {
        ids: orders.iter().map(|order| order.id.0).collect(),
        accounts: orders.iter().map(|order| order.wish.account_id.0).collect(),
        users: orders.iter().map(|order| order.user_id.0).collect(),
        client_order_ids: orders.iter().map(|order| order.client_order_id.clone()).collect(),
        symbols: orders.iter().map(|order| order.wish.symbol.to_string()).collect(),
        sides: text(|order| order.wish.side.name()),
        order_types: text(|order| order.pricing.order_type().name()),
        times_in_force: text(|order| order.wish.lifetime.time_in_force().name()),
        expire_dates: orders.iter().map(|order| order.wish.lifetime.expire_date()).collect(),
        quantities: orders.iter().map(|order| order.quantity.value()).collect(),
        notionals: orders.iter().map(|order| order.notional().map(Notional::value)).collect(),
        limit_prices: prices(|fields| fields.limit_price),
        stop_prices: prices(|fields| fields.stop_price),
        trail_amounts: prices(|fields| fields.trail_amount),
        trail_percents: orders
            .iter()
            .map(|order| percent_number(order.pricing.fields().trail_percent))
            .collect(),
        worst_prices: orders.iter().map(|order| order.worst_price.map(Price::value)).collect(),
        fees_max: orders.iter().map(|order| order.fees_max).collect(),
        statuses: text(|order| order.status.name()),
        helds: orders.iter().map(|order| order.held).collect(),
        denials: orders.iter().map(denials).collect::<Result<_, _>>().map_err(|_| corrupt("denial"))?,
        events: entries.iter().map(|entry| entry.event.to_owned()).collect(),
        details: entries.iter().map(|entry| entry.detail.clone()).collect(),
        created: orders.iter().map(|order| order.created_at).collect(),
        ..PlaceOrders::default()
    })
}
