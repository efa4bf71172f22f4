//! `trading.orders`.

use super::super::gate::Halts;
use super::super::order::{GroupShare, Order, OrderTerms, Origin};
use super::terms::{self, price};
use crate::db::corrupt;
use chrono::{DateTime, NaiveDate, Utc};
use database::statement;
use diesel::sql_types::{
    Array, BigInt, Bool, Date, Double, Integer, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{OptionalExtension, QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{
    AccountId, Lifetime, NewOrder, Notional, OrderGroupId, OrderId, OrderStatus, OrderType, Percent,
    PriceFields, Pricing, Quantity, Side, Size, Symbol, TimeInForce, UserId,
};
use rust_decimal::Decimal;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use uuid::Uuid;

#[derive(QueryableByName)]
pub(super) struct OrderRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    user_id: Uuid,
    #[diesel(sql_type = Text)]
    client_order_id: String,
    #[diesel(sql_type = Text)]
    symbol: String,
    #[diesel(sql_type = Text)]
    side: String,
    #[diesel(sql_type = Text)]
    order_type: String,
    #[diesel(sql_type = Text)]
    time_in_force: String,
    #[diesel(sql_type = Nullable<Date>)]
    expire_date: Option<NaiveDate>,
    #[diesel(sql_type = Numeric)]
    quantity: Decimal,
    #[diesel(sql_type = Nullable<Numeric>)]
    notional: Option<Decimal>,
    #[diesel(sql_type = Bool)]
    sends_amount: bool,
    #[diesel(sql_type = Nullable<Numeric>)]
    limit_price: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    stop_price: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    trail_amount: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    trail_percent: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    worst_price: Option<Decimal>,
    #[diesel(sql_type = Numeric)]
    fees_max: Decimal,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Numeric)]
    filled_quantity: Decimal,
    #[diesel(sql_type = Numeric)]
    filled_notional: Decimal,
    #[diesel(sql_type = Numeric)]
    commission: Decimal,
    #[diesel(sql_type = Numeric)]
    tax: Decimal,
    #[diesel(sql_type = Numeric)]
    held: Decimal,
    #[diesel(sql_type = Nullable<Text>)]
    denials: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    unresolved_since: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    cancel_requested_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    triggered_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    original: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    replacing: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    group_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    sibling_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Numeric>)]
    group_left: Option<Decimal>,
    #[diesel(sql_type = Nullable<Numeric>)]
    sibling_held: Option<Decimal>,
    #[diesel(sql_type = Nullable<Text>)]
    contingency: Option<String>,
    #[diesel(sql_type = Text)]
    origin: String,
    #[diesel(sql_type = Integer)]
    event_sequence: i32,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
}

impl OrderRow {
    fn terms(&self) -> QueryResult<OrderTerms> {
        let order_type = OrderType::from_name(&self.order_type).ok_or_else(|| corrupt("order type"))?;
        let percent = |value: Decimal| Percent::new(value.normalize()).map_err(|_| corrupt("percentage"));
        let fields = PriceFields {
            limit_price: self.limit_price.map(price).transpose()?,
            stop_price: self.stop_price.map(price).transpose()?,
            trail_amount: self.trail_amount.map(price).transpose()?,
            trail_percent: self.trail_percent.map(percent).transpose()?,
        };
        Ok(OrderTerms {
            quantity: Quantity::new(self.quantity.normalize()).map_err(|_| corrupt("quantity"))?,
            pricing: Pricing::from_fields(order_type, fields).map_err(|_| corrupt("price"))?,
            worst_price: self.worst_price.map(price).transpose()?,
            fees_max: self.fees_max.normalize(),
        })
    }

    fn lifetime(&self) -> QueryResult<Lifetime> {
        let time_in_force =
            TimeInForce::from_name(&self.time_in_force).ok_or_else(|| corrupt("time in force"))?;
        Lifetime::from_fields(time_in_force, self.expire_date).map_err(|_| corrupt("last day"))
    }
}

impl TryFrom<OrderRow> for Order {
    type Error = diesel::result::Error;

    fn try_from(row: OrderRow) -> QueryResult<Self> {
        let present = row.terms()?;
        let order_type = present.pricing.order_type();
        let original =
            row.original.as_deref().map(|text| terms::read_original(order_type, text)).transpose()?;
        let replacing =
            row.replacing.as_deref().map(|text| terms::read_replacing(order_type, text)).transpose()?;
        let first = original.as_ref().map_or(present, |original| original.terms);
        let notional = row.notional.map(|value| Notional::new(value.normalize())).transpose();
        let wish = NewOrder {
            account_id: AccountId(row.account_id),
            symbol: row.symbol.parse().map_err(|_| corrupt("symbol"))?,
            side: Side::from_name(&row.side).ok_or_else(|| corrupt("side"))?,
            pricing: first.pricing,
            lifetime: row.lifetime()?,
            size: notional
                .map_err(|_| corrupt("amount"))?
                .map_or(Size::Shares(first.quantity), Size::Notional),
        };
        let group = row.group_id.map(|group| GroupShare {
            group: OrderGroupId(group),
            sibling: row.sibling_id.map(OrderId),
            left: row.group_left.map(|left| left.normalize()),
            sibling_held: row.sibling_held.map(|held| held.normalize()),
        });
        let denials =
            row.denials.as_deref().map(serde_json::from_str).transpose().map_err(|_| corrupt("denial"))?;
        let contingency = row.contingency.as_deref().map(serde_json::from_str).transpose();
        Ok(Self {
            id: OrderId(row.id),
            user_id: UserId(row.user_id),
            client_order_id: row.client_order_id,
            wish,
            quantity: present.quantity,
            sends_amount: row.sends_amount,
            pricing: present.pricing,
            worst_price: present.worst_price,
            fees_max: present.fees_max,
            status: OrderStatus::from_name(&row.status).ok_or_else(|| corrupt("status"))?,
            filled_quantity: row.filled_quantity.normalize(),
            filled_notional: row.filled_notional.normalize(),
            commission: row.commission.normalize(),
            tax: row.tax.normalize(),
            held: row.held.normalize(),
            denials,
            reason: row.reason,
            unresolved_since: row.unresolved_since,
            cancel_requested_at: row.cancel_requested_at,
            triggered_at: row.triggered_at,
            original,
            replacing,
            group,
            contingency: contingency.map_err(|_| corrupt("contingency"))?,
            origin: Origin::from_name(&row.origin).ok_or_else(|| corrupt("origin"))?,
            event_sequence: row.event_sequence,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

pub(super) fn read_all(rows: Vec<OrderRow>) -> QueryResult<Vec<Order>> {
    rows.into_iter().map(Order::try_from).collect()
}

statement! {
    SaveOrders {
        ids: Array<SqlUuid> = Vec<Uuid>, statuses: Array<Text> = Vec<String>,
        ended_as: Array<Nullable<Text>> = Vec<Option<String>>,
        filled_quantities: Array<Numeric> = Vec<Decimal>, filled_notionals: Array<Numeric> = Vec<Decimal>,
        commissions: Array<Numeric> = Vec<Decimal>, taxes: Array<Numeric> = Vec<Decimal>,
        helds: Array<Numeric> = Vec<Decimal>, reasons: Array<Nullable<Text>> = Vec<Option<String>>,
        unresolved: Array<Nullable<Timestamptz>> = Vec<Option<DateTime<Utc>>>,
        cancel_requested: Array<Nullable<Timestamptz>> = Vec<Option<DateTime<Utc>>>,
        event_sequences: Array<Integer> = Vec<i32>, updated: Array<Timestamptz> = Vec<DateTime<Utc>>,
    }
    "UPDATE trading.orders AS o SET status = new.status, is_open = new.ended_as IS NULL, ended_as = new.ended_as,
        filled_quantity = new.filled_quantity,
        filled_notional = new.filled_notional, commission = new.commission, tax = new.tax, held = new.held,
        reason = new.reason, unresolved_since = new.unresolved_since, cancel_requested_at = new.cancel_requested_at,
        event_sequence = new.event_sequence, updated_at = new.updated_at
     FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) AS new (id, status, ended_as, filled_quantity, filled_notional, commission,
        tax, held, reason, unresolved_since, cancel_requested_at, event_sequence, updated_at)
     WHERE o.id = new.id"
}

/// Writes what can change of orders that the caller has locked.
pub(in crate::trading) async fn save_orders<'a>(
    mut connection: &AsyncPgConnection,
    orders: impl Iterator<Item = &'a Order> + Clone,
) -> QueryResult<()> {
    let statement = SaveOrders {
        ids: orders.clone().map(|order| order.id.0).collect(),
        statuses: orders.clone().map(|order| order.status.name().to_owned()).collect(),
        ended_as: orders.clone().map(|order| order.ended_as().map(str::to_owned)).collect(),
        filled_quantities: orders.clone().map(|order| order.filled_quantity).collect(),
        filled_notionals: orders.clone().map(|order| order.filled_notional).collect(),
        commissions: orders.clone().map(|order| order.commission).collect(),
        taxes: orders.clone().map(|order| order.tax).collect(),
        helds: orders.clone().map(|order| order.held).collect(),
        reasons: orders.clone().map(|order| order.reason.clone()).collect(),
        unresolved: orders.clone().map(|order| order.unresolved_since).collect(),
        cancel_requested: orders.clone().map(|order| order.cancel_requested_at).collect(),
        event_sequences: orders.clone().map(|order| order.event_sequence).collect(),
        updated: orders.map(|order| order.updated_at).collect(),
    };
    if statement.ids.is_empty() {
        return Ok(());
    }
    statement.execute(&mut connection).await.map(|_| ())
}

/// The columns of an order as [`OrderRow`] reads them; every SELECT repeats them, so that each statement is one text
/// that stays prepared.
macro_rules! order_columns {
    () => {
        "o.id, o.account_id, o.user_id, o.client_order_id, o.symbol, o.side, o.order_type, o.time_in_force,
            o.expire_date, o.quantity, o.notional, o.sends_amount, o.limit_price, o.stop_price, o.trail_amount, o.trail_percent,
            o.worst_price, o.fees_max, o.status, o.filled_quantity, o.filled_notional, o.commission, o.tax, o.held,
            o.denials::text AS denials, o.reason, o.unresolved_since, o.cancel_requested_at, o.triggered_at,
            o.original::text AS original, o.replacing::text AS replacing, o.group_id, o.sibling_id, o.group_left,
            o.sibling_held, o.contingency::text AS contingency, o.origin, o.event_sequence, o.created_at, o.updated_at"
    };
}
pub(super) use order_columns;

macro_rules! select_orders {
    ($rest:literal) => {
        concat!("SELECT ", order_columns!(), " FROM trading.orders AS o ", $rest)
    };
}
pub(super) use select_orders;

statement! {
    KnownOrders {
        accounts: Array<SqlUuid> = Vec<Uuid>, keys: Array<Text> = Vec<String>,
        pair_accounts: Array<SqlUuid> = Vec<Uuid>, symbols: Array<Text> = Vec<String>,
    }
    concat!(
        select_orders!("JOIN unnest(?, ?) AS wanted (account_id, client_order_id)
            ON wanted.account_id = o.account_id AND wanted.client_order_id = o.client_order_id"),
        " UNION ALL ",
        select_orders!("JOIN unnest(?, ?) AS wanted (account_id, symbol)
            ON wanted.account_id = o.account_id AND wanted.symbol = o.symbol
            WHERE o.status = 'PENDING_NEW' AND o.unresolved_since IS NOT NULL")
    )
}

/// What must be known before orders are decided: those that exist under the same keys, and, among the pairs, the
/// symbols in which nobody knows whether an order is at the broker.
pub(in crate::trading) async fn known_orders(
    mut connection: &AsyncPgConnection,
    wanted: &HashSet<(AccountId, String)>,
    pairs: &HashSet<(AccountId, Symbol)>,
) -> QueryResult<(HashMap<(AccountId, String), Order>, HashSet<(AccountId, Symbol)>)> {
    let (accounts, keys) = wanted.iter().map(|(account, key)| (account.0, key.clone())).unzip();
    let (pair_accounts, symbols) =
        pairs.iter().map(|(account, symbol)| (account.0, symbol.to_string())).unzip();
    let statement = KnownOrders { accounts, keys, pair_accounts, symbols };
    let rows: Vec<OrderRow> = statement.load(&mut connection).await?;
    let (mut existing, mut unresolved) = (HashMap::new(), HashSet::new());
    for order in read_all(rows)? {
        if order.status == OrderStatus::PendingNew && order.unresolved_since.is_some() {
            unresolved.insert((order.wish.account_id, order.wish.symbol));
        }
        let key = (order.wish.account_id, order.client_order_id.clone());
        if wanted.contains(&key) {
            existing.insert(key, order);
        }
    }
    Ok((existing, unresolved))
}

statement! {
    LockOrders { ids: Array<SqlUuid> = Vec<Uuid> }
    select_orders!("WHERE o.id = ANY (?) ORDER BY o.id FOR UPDATE")
}

/// Orders as they are now, locked to the end of the caller's transaction.
pub(in crate::trading) async fn lock_orders(
    mut connection: &AsyncPgConnection,
    ids: impl Iterator<Item = OrderId>,
) -> QueryResult<Vec<Order>> {
    let rows: Vec<OrderRow> = LockOrders { ids: ids.map(|id| id.0).collect() }.load(&mut connection).await?;
    read_all(rows)
}

#[derive(QueryableByName)]
struct IdRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

statement! {
    OpenOrders { account: SqlUuid = Uuid, symbol: Text = String }
    "SELECT id FROM trading.orders WHERE account_id = ? AND symbol = ? AND is_open ORDER BY id"
}

/// The open orders of an account in a symbol.
pub(in crate::trading) async fn open_orders(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    symbol: Symbol,
) -> QueryResult<Vec<OrderId>> {
    let statement = OpenOrders { account: account.0, symbol: symbol.to_string() };
    let rows: Vec<IdRow> = statement.load(&mut connection).await?;
    Ok(rows.into_iter().map(|row| OrderId(row.id)).collect())
}

statement! {
    OrdersOf { ids: Array<SqlUuid> = Vec<Uuid> }
    select_orders!("WHERE o.id = ANY (?) ORDER BY o.id")
}

/// Orders as they are now; those that do not exist are absent.
pub(in crate::trading) async fn orders_of(
    mut connection: &AsyncPgConnection,
    ids: &[OrderId],
) -> QueryResult<Vec<Order>> {
    let rows: Vec<OrderRow> =
        OrdersOf { ids: ids.iter().map(|id| id.0).collect() }.load(&mut connection).await?;
    read_all(rows)
}

statement! {
    OpenOrdersOf { account: SqlUuid = Uuid, limit: BigInt = i64 }
    select_orders!("WHERE o.account_id = ? AND o.is_open ORDER BY o.id DESC LIMIT ?")
}

/// An account's open orders, newest first.
pub(in crate::trading) async fn open_orders_of(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    limit: i64,
) -> QueryResult<Vec<Order>> {
    let rows: Vec<OrderRow> = OpenOrdersOf { account: account.0, limit }.load(&mut connection).await?;
    read_all(rows)
}

statement! {
    OrdersNotHeardOf { accounts: Array<SqlUuid> = Vec<Uuid>, limit: BigInt = i64 }
    select_orders!("WHERE o.account_id = ANY (?) AND o.is_open AND o.status = 'PENDING_NEW' ORDER BY o.id LIMIT ?")
}

/// Orders of accounts that the broker has not spoken of yet.
pub(in crate::trading) async fn orders_not_heard_of(
    mut connection: &AsyncPgConnection,
    accounts: &[AccountId],
    limit: i64,
) -> QueryResult<Vec<Order>> {
    let query = OrdersNotHeardOf { accounts: accounts.iter().map(|account| account.0).collect(), limit };
    read_all(query.load(&mut connection).await?)
}

statement! {
    OrderOf { id: SqlUuid = Uuid, user_id: SqlUuid = Uuid }
    select_orders!("WHERE o.id = ? AND o.user_id = ?")
}

/// An order, if it is this user's.
pub(in crate::trading) async fn order_of(
    mut connection: &AsyncPgConnection,
    user: UserId,
    order: OrderId,
) -> QueryResult<Option<Order>> {
    let row: Option<OrderRow> =
        OrderOf { id: order.0, user_id: user.0 }.get_result(&mut connection).await.optional()?;
    row.map(Order::try_from).transpose()
}

statement! {
    IdOfKey { account: SqlUuid = Uuid, key: Text = String }
    "SELECT id FROM trading.orders WHERE account_id = ? AND client_order_id = ?"
}

/// The order that exists under a key in an account.
pub(in crate::trading) async fn id_of_key(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    key: &str,
) -> QueryResult<Option<OrderId>> {
    let statement = IdOfKey { account: account.0, key: key.to_owned() };
    let row: Option<IdRow> = statement.get_result(&mut connection).await.optional()?;
    Ok(row.map(|row| OrderId(row.id)))
}

statement! {
    OrdersToDispatch {
        broker: Text = String, paused: Array<SqlUuid> = Vec<Uuid>, everywhere: Bool = bool, halted: Array<SqlUuid> = Vec<Uuid>,
        age_seconds: Double = f64, limit: BigInt = i64,
    }
    select_orders!("WHERE o.is_open AND o.status = 'PENDING_NEW' AND o.unresolved_since IS NULL
        AND EXISTS (SELECT FROM account.accounts AS a WHERE a.id = o.account_id AND a.broker = ?)
        AND NOT o.account_id = ANY (?)
        AND (NOT (? OR o.account_id = ANY (?)) OR o.cancel_requested_at IS NOT NULL OR o.contingency->>'role' = 'follows')
        AND o.created_at <= now() - make_interval(secs => ?)
        ORDER BY o.id LIMIT ?")
}

/// Orders that should have reached a broker by now and have not been heard of. Those of paused accounts wait; so do those
/// that a halt holds back, which would otherwise hide those that it does not.
pub(in crate::trading) async fn orders_to_dispatch(
    mut connection: &AsyncPgConnection,
    (broker, paused): (&str, &[AccountId]),
    halts: Halts,
    age_min: Duration,
    limit: i64,
) -> QueryResult<Vec<Order>> {
    let statement = OrdersToDispatch {
        broker: broker.to_owned(),
        paused: paused.iter().map(|account| account.0).collect(),
        everywhere: halts.everywhere,
        halted: halts.accounts.into_iter().map(|account| account.0).collect(),
        age_seconds: age_min.as_secs_f64(),
        limit,
    };
    read_all(statement.load(&mut connection).await?)
}
