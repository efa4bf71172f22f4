//! The one statement that places orders.
//!
//! A decision is made before the accounts are locked, on balances that are believed to stand so. The statement locks
//! them, looks whether they do, and only then writes orders, holds and events: one round trip and one flush to the
//! disk for a whole batch, and nothing at all when the belief was wrong.

use super::super::order::Order;
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

/// The text of the statement, in which `$events`, `$hold` and `$new` say where the new rows come from: arrays, or the
/// parameters themselves.
///
/// The events come first in the text because Postgres runs the parts of such a statement from the last to the first:
/// the turn to append them is drawn when everything else is written.
macro_rules! place {
    ($events:literal, $hold:literal, $new:literal) => {
        concat!(
            "WITH ", balances_as_believed!("stands"), ",
             belief AS MATERIALIZED (SELECT (SELECT count(*) FROM stands) = ? AND NOT EXISTS (
                SELECT FROM trading.orders AS o JOIN unnest(?, ?) AS pair (account_id, symbol)
                    ON pair.account_id = o.account_id AND pair.symbol = o.symbol
                WHERE o.status = 'PENDING_NEW' AND o.unresolved_since IS NOT NULL) AS is_true),
             ", append_events!("told", "belief WHERE belief.is_true", $events), ",
             ", hold_in_balances!("held", "belief", "belief.is_true", $hold), ",
             placed AS (INSERT INTO trading.orders (id, account_id, user_id, client_order_id, symbol, side, order_type,
                time_in_force, expire_date, quantity, notional, sends_amount, limit_price, stop_price, trail_amount,
                trail_percent, worst_price, fees_max, held, denials, status, created_at, updated_at, is_open, ended_as, event_sequence)
                SELECT ", $new, " WHERE belief.is_true)
             SELECT is_true FROM belief"
        )
    };
}

statement! {
    /// Some orders. All rows of a kind travel as arrays, so that the text is one whatever their number.
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
        sends_amounts: Array<Bool> = Vec<bool>,
        limit_prices: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        stop_prices: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        trail_amounts: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        trail_percents: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        worst_prices: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        fees_max: Array<Numeric> = Vec<Decimal>, helds: Array<Numeric> = Vec<Decimal>,
        denials: Array<Nullable<Text>> = Vec<Option<String>>,
        created: Array<Timestamptz> = Vec<DateTime<Utc>>,
    }
    place!(
        "unnest(?, ?, ?)",
        "unnest(?, ?, ?)",
        "new.id, new.account_id, new.user_id, new.client_order_id, new.symbol, new.side, new.order_type,
            new.time_in_force, new.expire_date, new.quantity, new.notional, new.sends_amount, new.limit_price,
            new.stop_price, new.trail_amount, new.trail_percent, new.worst_price, new.fees_max, new.held, new.denials::json,
            CASE WHEN new.denials IS NULL THEN 'PENDING_NEW' ELSE 'DENIED' END, new.at, new.at, new.denials IS NULL,
            CASE WHEN new.denials IS NOT NULL THEN 'DENIED' END, 1
         FROM belief, unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) AS new (id, account_id, user_id,
            client_order_id, symbol, side, order_type, time_in_force, expire_date, quantity, notional, sends_amount,
            limit_price, stop_price, trail_amount, trail_percent, worst_price, fees_max, held, denials, at)"
    )
}

statement! {
    /// One order, with one or two events. Taking arrays of one apart costs a sixth of the statement.
    PlaceOrder {
        believed_accounts: Array<SqlUuid> = Vec<Uuid>, believed_commodities: Array<Text> = Vec<String>,
        believed_totals: Array<Numeric> = Vec<Decimal>, believed_helds: Array<Numeric> = Vec<Decimal>,
        believed: BigInt = i64,
        pair_accounts: Array<SqlUuid> = Vec<Uuid>, pair_symbols: Array<Text> = Vec<String>,
        turn: BigInt = i64, event_user: SqlUuid = Uuid, event_kind: Text = String, event_payload: Text = String,
        more_user: Nullable<SqlUuid> = Option<Uuid>, more_kind: Nullable<Text> = Option<String>,
        more_payload: Nullable<Text> = Option<String>,
        hold_account: Nullable<SqlUuid> = Option<Uuid>, hold_commodity: Nullable<Text> = Option<String>,
        hold_amount: Nullable<Numeric> = Option<Decimal>,
        id: SqlUuid = Uuid, account: SqlUuid = Uuid, user: SqlUuid = Uuid, client_order_id: Text = String,
        symbol: Text = String, side: Text = &'static str, order_type: Text = &'static str,
        time_in_force: Text = &'static str, expire_date: Nullable<Date> = Option<NaiveDate>,
        quantity: Numeric = Decimal, notional: Nullable<Numeric> = Option<Decimal>, sends_amount: Bool = bool,
        limit_price: Nullable<Numeric> = Option<Decimal>, stop_price: Nullable<Numeric> = Option<Decimal>,
        trail_amount: Nullable<Numeric> = Option<Decimal>, trail_percent: Nullable<Numeric> = Option<Decimal>,
        worst_price: Nullable<Numeric> = Option<Decimal>, fees_max: Numeric = Decimal, held: Numeric = Decimal,
        denials: Nullable<Text> = Option<String>, status: Text = &'static str, created: Timestamptz = DateTime<Utc>,
        updated: Timestamptz = DateTime<Utc>, is_open: Bool = bool, ended_as: Nullable<Text> = Option<&'static str>,
    }
    place!(
        "(SELECT * FROM (VALUES (?, ?, ?), (?, ?, ?)) AS told (user_id, kind, payload) WHERE payload IS NOT NULL)",
        "(VALUES (?, ?, ?))",
        "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::json, ?, ?, ?, ?, ?, 1 FROM belief"
    )
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
    pub(in crate::trading) holds: &'a [BalanceChange],
    pub(in crate::trading) events: Vec<NewEvent>,
}

/// Writes new orders, their holds and what is told about them, if the balances are what they were believed to be. Says
/// whether. Outside of a transaction it is one of its own.
///
/// # Errors
/// The database's; a unique violation when an order exists already under one of the keys.
pub(in crate::trading) async fn place_orders(
    mut connection: &AsyncPgConnection,
    batch: PlacedBatch<'_>,
) -> QueryResult<bool> {
    let beliefs = Beliefs::new(batch.believed, batch.pairs);
    let holds = sums(batch.holds);
    let belief: Belief = match (batch.orders, &*holds) {
        ([order], [] | [_]) if (1..=2).contains(&batch.events.len()) => {
            one(beliefs, order, <[_]>::first(&holds), batch.events)?.get_result(&mut connection).await?
        }
        (orders, holds) => some(beliefs, orders, holds, batch.events)?.get_result(&mut connection).await?,
    };
    Ok(belief.is_true)
}

/// What must be so for the decisions to stand.
#[derive(Default)]
struct Beliefs {
    accounts: Vec<Uuid>,
    commodities: Vec<String>,
    totals: Vec<Decimal>,
    helds: Vec<Decimal>,
    balances: i64,
    pair_accounts: Vec<Uuid>,
    pair_symbols: Vec<String>,
}

impl Beliefs {
    fn new(balances: &LockedBalances, pairs: &HashSet<(AccountId, Symbol)>) -> Self {
        let mut beliefs = Self::default();
        for (account, commodity, row) in balances.rows() {
            beliefs.accounts.push(account.0);
            beliefs.commodities.push(commodity.to_owned());
            beliefs.totals.push(row.total);
            beliefs.helds.push(row.held);
        }
        beliefs.balances = i64::try_from(beliefs.accounts.len()).unwrap_or(i64::MAX);
        for (account, symbol) in pairs {
            beliefs.pair_accounts.push(account.0);
            beliefs.pair_symbols.push(symbol.to_string());
        }
        beliefs
    }
}

/// A hold on one balance.
type HoldRow = (Uuid, String, Decimal);

/// One row for each balance.
fn sums(holds: &[BalanceChange]) -> Vec<HoldRow> {
    let mut sums = BTreeMap::<_, Decimal>::new();
    for hold in holds {
        *sums.entry((hold.account_id, hold.commodity)).or_default() += hold.held;
    }
    sums.into_iter()
        .map(|((account, commodity), amount)| (account.0, commodity.name().to_owned(), amount))
        .collect()
}

fn denials_of(order: &Order) -> QueryResult<Option<String>> {
    order.denials.as_ref().map(serde_json::to_string).transpose().map_err(|_| corrupt("denial"))
}

fn one(
    beliefs: Beliefs,
    order: &Order,
    hold: Option<&HoldRow>,
    events: Vec<NewEvent>,
) -> QueryResult<PlaceOrder> {
    let mut events = events.into_iter().map(NewEvent::into_columns);
    let (event_user, event_kind, event_payload) = events.next().ok_or_else(|| corrupt("news of an order"))?;
    let (more_user, more_kind, more_payload) = columns_of(events.next());
    let (hold_account, hold_commodity, hold_amount) = columns_of(hold.cloned());
    let (wish, prices) = (&order.wish, order.pricing.fields());
    Ok(PlaceOrder {
        believed_accounts: beliefs.accounts,
        believed_commodities: beliefs.commodities,
        believed_totals: beliefs.totals,
        believed_helds: beliefs.helds,
        believed: beliefs.balances,
        pair_accounts: beliefs.pair_accounts,
        pair_symbols: beliefs.pair_symbols,
        turn: locks::EVENTS_APPEND,
        event_user,
        event_kind,
        event_payload,
        more_user,
        more_kind,
        more_payload,
        hold_account,
        hold_commodity,
        hold_amount,
        id: order.id.0,
        account: wish.account_id.0,
        user: order.user_id.0,
        client_order_id: order.client_order_id.clone(),
        symbol: wish.symbol.to_string(),
        side: wish.side.name(),
        order_type: order.pricing.order_type().name(),
        time_in_force: wish.lifetime.time_in_force().name(),
        expire_date: wish.lifetime.expire_date(),
        quantity: order.quantity.value(),
        notional: order.notional().map(Notional::value),
        sends_amount: order.sends_amount,
        limit_price: number(prices.limit_price),
        stop_price: number(prices.stop_price),
        trail_amount: number(prices.trail_amount),
        trail_percent: percent_number(prices.trail_percent),
        worst_price: number(order.worst_price),
        fees_max: order.fees_max,
        held: order.held,
        denials: denials_of(order)?,
        status: order.status.name(),
        created: order.created_at,
        updated: order.created_at,
        is_open: order.ended_as().is_none(),
        ended_as: order.ended_as(),
    })
}

fn columns_of<A, B, C>(row: Option<(A, B, C)>) -> (Option<A>, Option<B>, Option<C>) {
    row.map_or((None, None, None), |(a, b, c)| (Some(a), Some(b), Some(c)))
}

fn some(
    beliefs: Beliefs,
    orders: &[Order],
    holds: &[HoldRow],
    events: Vec<NewEvent>,
) -> QueryResult<PlaceOrders> {
    let mut statement = rows_of(orders)?;
    statement.believed_accounts = beliefs.accounts;
    statement.believed_commodities = beliefs.commodities;
    statement.believed_totals = beliefs.totals;
    statement.believed_helds = beliefs.helds;
    statement.believed = beliefs.balances;
    statement.pair_accounts = beliefs.pair_accounts;
    statement.pair_symbols = beliefs.pair_symbols;
    for (account, commodity, amount) in holds {
        statement.hold_accounts.push(*account);
        statement.hold_commodities.push(commodity.clone());
        statement.hold_amounts.push(*amount);
    }
    statement.turn = locks::EVENTS_APPEND;
    for event in events {
        let (user, kind, payload) = event.into_columns();
        statement.event_users.push(user);
        statement.event_kinds.push(kind);
        statement.event_payloads.push(payload);
    }
    Ok(statement)
}

fn rows_of(orders: &[Order]) -> QueryResult<PlaceOrders> {
    let text =
        |part: fn(&Order) -> &str| orders.iter().map(|order| part(order).to_owned()).collect::<Vec<_>>();
    let prices = |part: fn(PriceFields) -> Option<Price>| {
        orders.iter().map(|order| number(part(order.pricing.fields()))).collect::<Vec<_>>()
    };
    Ok(PlaceOrders {
        ids: orders.iter().map(|order| order.id.0).collect(),
        accounts: orders.iter().map(|order| order.wish.account_id.0).collect(),
        users: orders.iter().map(|order| order.user_id.0).collect(),
        client_order_ids: text(|order| &order.client_order_id),
        symbols: orders.iter().map(|order| order.wish.symbol.to_string()).collect(),
        sides: text(|order| order.wish.side.name()),
        order_types: text(|order| order.pricing.order_type().name()),
        times_in_force: text(|order| order.wish.lifetime.time_in_force().name()),
        expire_dates: orders.iter().map(|order| order.wish.lifetime.expire_date()).collect(),
        quantities: orders.iter().map(|order| order.quantity.value()).collect(),
        notionals: orders.iter().map(|order| order.notional().map(Notional::value)).collect(),
        sends_amounts: orders.iter().map(|order| order.sends_amount).collect(),
        limit_prices: prices(|fields| fields.limit_price),
        stop_prices: prices(|fields| fields.stop_price),
        trail_amounts: prices(|fields| fields.trail_amount),
        trail_percents: orders
            .iter()
            .map(|order| percent_number(order.pricing.fields().trail_percent))
            .collect(),
        worst_prices: orders.iter().map(|order| number(order.worst_price)).collect(),
        fees_max: orders.iter().map(|order| order.fees_max).collect(),
        helds: orders.iter().map(|order| order.held).collect(),
        denials: orders.iter().map(denials_of).collect::<QueryResult<_>>()?,
        created: orders.iter().map(|order| order.created_at).collect(),
        ..PlaceOrders::default()
    })
}
