//! `trading.order_groups` and `trading.group_legs`, and what orders know of them.

use super::super::group::{Group, GroupKind, GroupLeg, GroupStatus, LegName, LegState, LegWish};
use super::super::order::Order;
use super::orders::{order_columns, read_all, select_orders};
use crate::db::corrupt;
use crate::risk::Denial;
use chrono::{DateTime, Utc};
use database::statement;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, OrderGroupId, OrderId, Quantity, Symbol, UserId};
use rust_decimal::Decimal;
use uuid::Uuid;

statement! {
    InsertGroup {
        id: SqlUuid = Uuid, account: SqlUuid = Uuid, user: SqlUuid = Uuid, key: Text = String, kind: Text = String,
        symbol: Text = String, quantity: Numeric = Decimal, is_native: Bool = bool, at: Timestamptz = DateTime<Utc>,
        legs: Array<Text> = Vec<String>, orders: Array<SqlUuid> = Vec<Uuid>, wishes: Array<Text> = Vec<String>,
        states: Array<Text> = Vec<String>,
    }
    "WITH new AS MATERIALIZED (SELECT ?::uuid AS id, ?::uuid AS account_id, ?::uuid AS user_id, ? AS client_group_id,
        ? AS kind, ? AS symbol, ?::numeric AS quantity, ?::boolean AS is_native, ?::timestamptz AS at),
     grouped AS (INSERT INTO trading.order_groups (id, account_id, user_id, client_group_id, kind, symbol, quantity, is_native,
        status, created_at, updated_at)
        SELECT id, account_id, user_id, client_group_id, kind, symbol, quantity, is_native, 'ACTIVE', at, at FROM new)
     INSERT INTO trading.group_legs (group_id, leg, order_id, wish, state)
     SELECT new.id, leg.leg, leg.order_id, leg.wish::json, leg.state
     FROM new, unnest(?, ?, ?, ?) AS leg (leg, order_id, wish, state)"
}

/// Writes a new group with its legs.
pub(in crate::trading) async fn insert_group(
    mut connection: &AsyncPgConnection,
    group: &Group,
) -> QueryResult<()> {
    let wishes = group.legs.iter().map(|leg| serde_json::to_string(&leg.wish)).collect::<Result<_, _>>();
    let statement = InsertGroup {
        id: group.id.0,
        account: group.account_id.0,
        user: group.user_id.0,
        key: group.client_group_id.clone(),
        kind: group.kind.name().to_owned(),
        symbol: group.symbol.to_string(),
        quantity: group.quantity.value(),
        is_native: group.is_native,
        at: group.created_at,
        legs: group.legs.iter().map(|leg| leg.name.name().to_owned()).collect(),
        orders: group.legs.iter().map(|leg| leg.order_id.0).collect(),
        wishes: wishes.map_err(|_| corrupt("leg"))?,
        states: group.legs.iter().map(|leg| leg.state.name().to_owned()).collect(),
    };
    statement.execute(&mut connection).await.map(|_| ())
}

#[derive(QueryableByName)]
struct GroupRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    user_id: Uuid,
    #[diesel(sql_type = Text)]
    client_group_id: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    symbol: String,
    #[diesel(sql_type = Numeric)]
    quantity: Decimal,
    #[diesel(sql_type = Bool)]
    is_native: bool,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    cancel_requested_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
}

impl GroupRow {
    fn read(self, legs: Vec<GroupLeg>) -> QueryResult<Group> {
        Ok(Group {
            id: OrderGroupId(self.id),
            account_id: AccountId(self.account_id),
            user_id: UserId(self.user_id),
            client_group_id: self.client_group_id,
            kind: GroupKind::from_name(&self.kind).ok_or_else(|| corrupt("kind of group"))?,
            symbol: self.symbol.parse().map_err(|_| corrupt("symbol"))?,
            quantity: Quantity::new(self.quantity.normalize()).map_err(|_| corrupt("quantity"))?,
            is_native: self.is_native,
            status: GroupStatus::from_name(&self.status).ok_or_else(|| corrupt("status"))?,
            cancel_requested_at: self.cancel_requested_at,
            created_at: self.created_at,
            updated_at: self.updated_at,
            legs,
        })
    }
}

#[derive(QueryableByName)]
struct LegRow {
    #[diesel(sql_type = SqlUuid)]
    group_id: Uuid,
    #[diesel(sql_type = Text)]
    leg: String,
    #[diesel(sql_type = SqlUuid)]
    order_id: Uuid,
    #[diesel(sql_type = Text)]
    wish: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Nullable<Text>)]
    denials: Option<String>,
}

impl TryFrom<LegRow> for GroupLeg {
    type Error = diesel::result::Error;

    fn try_from(row: LegRow) -> QueryResult<Self> {
        Ok(Self {
            name: LegName::from_name(&row.leg).ok_or_else(|| corrupt("leg"))?,
            order_id: OrderId(row.order_id),
            wish: serde_json::from_str::<LegWish>(&row.wish).map_err(|_| corrupt("leg's wish"))?,
            state: LegState::from_name(&row.state).ok_or_else(|| corrupt("leg's state"))?,
            denials: row
                .denials
                .map(|text| serde_json::from_str(&text))
                .transpose()
                .map_err(|_| corrupt("denial"))?,
        })
    }
}

macro_rules! select_groups {
    ($rest:literal) => {
        concat!(
            "SELECT g.id, g.account_id, g.user_id, g.client_group_id, g.kind, g.symbol, g.quantity, g.is_native, g.status,
                g.cancel_requested_at, g.created_at, g.updated_at FROM trading.order_groups AS g ",
            $rest
        )
    };
}

statement! {
    LegsOf { groups: Array<SqlUuid> = Vec<Uuid> }
    "SELECT group_id, leg, order_id, wish::text AS wish, state, denials::text AS denials
     FROM trading.group_legs WHERE group_id = ANY (?) ORDER BY group_id, leg"
}

async fn with_legs(mut connection: &AsyncPgConnection, rows: Vec<GroupRow>) -> QueryResult<Vec<Group>> {
    let legs: Vec<LegRow> =
        LegsOf { groups: rows.iter().map(|row| row.id).collect() }.load(&mut connection).await?;
    let mut groups: Vec<(GroupRow, Vec<GroupLeg>)> = rows.into_iter().map(|row| (row, Vec::new())).collect();
    for leg in legs {
        if let Some((_, of_group)) = groups.iter_mut().find(|(group, _)| group.id == leg.group_id) {
            of_group.push(GroupLeg::try_from(leg)?);
        }
    }
    groups.into_iter().map(|(row, legs)| row.read(legs)).collect()
}

statement! {
    LockGroup { id: SqlUuid = Uuid }
    select_groups!("WHERE g.id = ? FOR UPDATE")
}

/// A group, locked to the end of the caller's transaction. Groups are locked before accounts.
pub(in crate::trading) async fn lock_group(
    mut connection: &AsyncPgConnection,
    id: OrderGroupId,
) -> QueryResult<Option<Group>> {
    let rows: Vec<GroupRow> = LockGroup { id: id.0 }.load(&mut connection).await?;
    Ok(with_legs(connection, rows).await?.pop())
}

statement! {
    GroupByKey { account: SqlUuid = Uuid, key: Text = String }
    select_groups!("WHERE g.account_id = ? AND g.client_group_id = ?")
}

/// The group of an account under its caller's name.
pub(in crate::trading) async fn group_by_key(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    key: &str,
) -> QueryResult<Option<Group>> {
    let rows = GroupByKey { account: account.0, key: key.to_owned() }.load(&mut connection).await?;
    Ok(with_legs(connection, rows).await?.pop())
}

statement! {
    GroupOf { id: SqlUuid = Uuid, user: SqlUuid = Uuid }
    select_groups!("WHERE g.id = ? AND g.user_id = ?")
}

/// A group, if it is this user's.
pub(in crate::trading) async fn group_of(
    mut connection: &AsyncPgConnection,
    user: UserId,
    id: OrderGroupId,
) -> QueryResult<Option<Group>> {
    let row: Option<GroupRow> =
        GroupOf { id: id.0, user: user.0 }.get_result(&mut connection).await.optional()?;
    Ok(with_legs(connection, row.into_iter().collect()).await?.pop())
}

statement! {
    ActiveGroups { after: SqlUuid = Uuid, limit: BigInt = i64 }
    select_groups!("WHERE g.id > ? AND g.status = 'ACTIVE' ORDER BY g.id LIMIT ?")
}

/// Groups that something may still happen to, in the order of their ids.
pub(in crate::trading) async fn active_groups(
    mut connection: &AsyncPgConnection,
    after: OrderGroupId,
    limit: i64,
) -> QueryResult<Vec<Group>> {
    let rows = ActiveGroups { after: after.0, limit }.load(&mut connection).await?;
    with_legs(connection, rows).await
}

statement! {
    ActiveGroupsOf { account: SqlUuid = Uuid, limit: BigInt = i64 }
    select_groups!("WHERE g.account_id = ? AND g.status = 'ACTIVE' ORDER BY g.id LIMIT ?")
}

/// Groups of an account that something may still happen to.
pub(in crate::trading) async fn active_groups_of(
    mut connection: &AsyncPgConnection,
    account: AccountId,
    limit: i64,
) -> QueryResult<Vec<Group>> {
    let rows = ActiveGroupsOf { account: account.0, limit }.load(&mut connection).await?;
    with_legs(connection, rows).await
}

statement! {
    WithdrawGroups { account: SqlUuid = Uuid, symbol: Text = String, at: Timestamptz = DateTime<Utc>, also_at: Timestamptz = DateTime<Utc> }
    "WITH active AS MATERIALIZED (
        SELECT g.id FROM trading.order_groups AS g
        WHERE g.account_id = ? AND g.symbol = ? AND g.status = 'ACTIVE' AND g.cancel_requested_at IS NULL
        ORDER BY g.id FOR UPDATE
     )
     UPDATE trading.order_groups AS g SET cancel_requested_at = ?, updated_at = ? FROM active WHERE g.id = active.id"
}

/// Takes the groups of an account in a symbol back: what waits in them never becomes an order. Groups are locked before
/// balances.
pub(in crate::trading) async fn withdraw_groups(
    mut connection: &AsyncPgConnection,
    (account, symbol): (AccountId, Symbol),
    at: DateTime<Utc>,
) -> QueryResult<()> {
    let statement = WithdrawGroups { account: account.0, symbol: symbol.to_string(), at, also_at: at };
    statement.execute(&mut connection).await.map(|_| ())
}

statement! {
    ListGroups { accounts: Array<SqlUuid> = Vec<Uuid>, before: SqlUuid = Uuid, limit: BigInt = i64 }
    select_groups!("WHERE g.account_id = ANY (?) AND g.id < ? ORDER BY g.id DESC LIMIT ?")
}

/// Groups of accounts, newest first.
pub(in crate::trading) async fn list_groups(
    mut connection: &AsyncPgConnection,
    accounts: &[AccountId],
    before: Option<OrderGroupId>,
    limit: i64,
) -> QueryResult<Vec<Group>> {
    let accounts = accounts.iter().map(|id| id.0).collect();
    let before = before.map_or(Uuid::max(), |id| id.0);
    let rows = ListGroups { accounts, before, limit }.load(&mut connection).await?;
    with_legs(connection, rows).await
}

statement! {
    SaveGroup {
        id: SqlUuid = Uuid, status: Text = String, cancel_requested: Nullable<Timestamptz> = Option<DateTime<Utc>>,
        at: Timestamptz = DateTime<Utc>, legs: Array<Text> = Vec<String>, states: Array<Text> = Vec<String>,
        denials: Array<Nullable<Text>> = Vec<Option<String>>,
    }
    "WITH changed AS (SELECT ?::uuid AS id, ? AS status, ?::timestamptz AS cancel_requested_at, ?::timestamptz AS at),
     legs AS (UPDATE trading.group_legs AS l SET state = new.state, denials = new.denials::json
        FROM changed, unnest(?, ?, ?) AS new (leg, state, denials)
        WHERE l.group_id = changed.id AND l.leg = new.leg)
     UPDATE trading.order_groups AS g SET status = changed.status, cancel_requested_at = changed.cancel_requested_at,
        updated_at = changed.at
     FROM changed WHERE g.id = changed.id"
}

/// Writes what can change of a group that the caller has locked.
pub(in crate::trading) async fn save_group(
    mut connection: &AsyncPgConnection,
    group: &Group,
) -> QueryResult<()> {
    let text = |denials: &Option<Vec<Denial>>| denials.as_ref().map(serde_json::to_string).transpose();
    let denials = group.legs.iter().map(|leg| text(&leg.denials)).collect::<Result<_, _>>();
    let statement = SaveGroup {
        id: group.id.0,
        status: group.status.name().to_owned(),
        cancel_requested: group.cancel_requested_at,
        at: group.updated_at,
        legs: group.legs.iter().map(|leg| leg.name.name().to_owned()).collect(),
        states: group.legs.iter().map(|leg| leg.state.name().to_owned()).collect(),
        denials: denials.map_err(|_| corrupt("denial"))?,
    };
    statement.execute(&mut connection).await.map(|_| ())
}

statement! {
    SaveShares {
        ids: Array<SqlUuid> = Vec<Uuid>, groups: Array<SqlUuid> = Vec<Uuid>,
        siblings: Array<Nullable<SqlUuid>> = Vec<Option<Uuid>>,
        left: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        sibling_held: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        contingencies: Array<Nullable<Text>> = Vec<Option<String>>,
    }
    "UPDATE trading.orders AS o SET group_id = new.group_id, sibling_id = new.sibling_id, group_left = new.group_left,
        sibling_held = new.sibling_held, contingency = new.contingency::json
     FROM unnest(?, ?, ?, ?, ?, ?) AS new (id, group_id, sibling_id, group_left, sibling_held, contingency)
     WHERE o.id = new.id"
}

/// Writes what orders know of their groups; orders without one are passed over.
pub(in crate::trading) async fn save_shares<'a>(
    mut connection: &AsyncPgConnection,
    orders: impl Iterator<Item = &'a Order>,
) -> QueryResult<()> {
    let mut statement = SaveShares::default();
    for order in orders {
        let Some(share) = order.group else { continue };
        statement.ids.push(order.id.0);
        statement.groups.push(share.group.0);
        statement.siblings.push(share.sibling.map(|id| id.0));
        statement.left.push(share.left);
        statement.sibling_held.push(share.sibling_held);
        let contingency = order.contingency.as_ref().map(serde_json::to_string).transpose();
        statement.contingencies.push(contingency.map_err(|_| corrupt("contingency"))?);
    }
    if statement.ids.is_empty() {
        return Ok(());
    }
    statement.execute(&mut connection).await.map(|_| ())
}

statement! {
    ReadOrders { ids: Array<SqlUuid> = Vec<Uuid> }
    select_orders!("WHERE o.id = ANY (?)")
}

/// Orders as they are now.
pub(in crate::trading) async fn orders_by_id(
    mut connection: &AsyncPgConnection,
    ids: impl Iterator<Item = OrderId>,
) -> QueryResult<Vec<Order>> {
    let rows = ReadOrders { ids: ids.map(|id| id.0).collect() }.load(&mut connection).await?;
    read_all(rows)
}
