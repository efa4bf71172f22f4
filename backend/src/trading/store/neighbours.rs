//! What stands around orders and never changes, so that it can be asked for before anything is locked.

use crate::db::corrupt;
use database::statement;
use diesel::sql_types::{Array, Nullable, Text, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, OrderId, Side, Symbol};
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

#[derive(QueryableByName)]
struct HolderRow {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Text)]
    symbol: String,
}

statement! {
    HoldersOf { ids: Array<SqlUuid> = Vec<Uuid> }
    "SELECT DISTINCT account_id, symbol FROM trading.orders WHERE id = ANY (?)"
}

/// The accounts and symbols of orders; they never change, so no lock is needed.
pub(in crate::trading) async fn holders_of(
    mut connection: &AsyncPgConnection,
    ids: impl Iterator<Item = OrderId>,
) -> QueryResult<HashSet<(AccountId, Symbol)>> {
    let rows: Vec<HolderRow> = HoldersOf { ids: ids.map(|id| id.0).collect() }.load(&mut connection).await?;
    rows.into_iter()
        .map(|row| Ok((AccountId(row.account_id), row.symbol.parse().map_err(|_| corrupt("symbol"))?)))
        .collect()
}

#[derive(QueryableByName)]
struct NeighbourRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    symbol: String,
    #[diesel(sql_type = Text)]
    side: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    sibling_id: Option<Uuid>,
}

statement! {
    NeighboursOf { ids: Array<SqlUuid> = Vec<Uuid> }
    "SELECT id, symbol, side, sibling_id FROM trading.orders WHERE id = ANY (?)"
}

/// What must be locked together with orders.
pub(in crate::trading) struct Neighbours {
    /// What each order buys or sells; that never changes.
    pub(in crate::trading) wishes: HashMap<OrderId, (Symbol, Side)>,
    /// The other exits for the same shares, as far as they are known without a lock.
    pub(in crate::trading) siblings: Vec<OrderId>,
}

impl Neighbours {
    /// The orders' symbols.
    pub(in crate::trading) fn symbols(&self) -> HashSet<Symbol> {
        self.wishes.values().map(|(symbol, _)| *symbol).collect()
    }
}

/// The symbols and sides of orders, and the orders that share a hold with them. No lock is taken.
pub(in crate::trading) async fn neighbours_of(
    mut connection: &AsyncPgConnection,
    ids: impl Iterator<Item = OrderId>,
) -> QueryResult<Neighbours> {
    let statement = NeighboursOf { ids: ids.map(|id| id.0).collect() };
    let rows: Vec<NeighbourRow> = statement.load(&mut connection).await?;
    let siblings = rows.iter().filter_map(|row| row.sibling_id.map(OrderId)).collect();
    let wishes = rows.iter().map(|row| {
        let symbol = row.symbol.parse().map_err(|_| corrupt("symbol"))?;
        let side = Side::from_name(&row.side).ok_or_else(|| corrupt("side"))?;
        Ok((OrderId(row.id), (symbol, side)))
    });
    Ok(Neighbours { wishes: wishes.collect::<QueryResult<_>>()?, siblings })
}
