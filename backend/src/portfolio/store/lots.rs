//! `portfolio.lots`, `portfolio.sales` and `portfolio.lot_sales`.

use super::super::holding::Sale;
use super::super::lots::{Lot, LotChange, Lots};
use super::PositionKey;
use crate::db::corrupt;
use chrono::NaiveDate;
use database::statement;
use diesel::sql_types::{Array, BigInt, Date, Numeric, Text, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::AccountId;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use uuid::Uuid;

/// Lots of one position that are read at first; when they do not cover what is sold, so many times more are.
const LOTS_FIRST: i64 = 32;
const LOTS_GROWTH: i64 = 8;

#[derive(QueryableByName)]
pub(super) struct LotRow {
    #[diesel(sql_type = SqlUuid)]
    pub(super) account_id: Uuid,
    #[diesel(sql_type = Text)]
    pub(super) symbol: String,
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Date)]
    acquired_on: NaiveDate,
    #[diesel(sql_type = Numeric)]
    opened_quantity: Decimal,
    #[diesel(sql_type = Numeric)]
    opened_cost: Decimal,
    #[diesel(sql_type = Numeric)]
    adjusted_quantity: Decimal,
    #[diesel(sql_type = Numeric)]
    quantity: Decimal,
    #[diesel(sql_type = Numeric)]
    cost: Decimal,
}

pub(super) fn read(row: LotRow) -> QueryResult<(PositionKey, Lot)> {
    let symbol = row.symbol.parse().map_err(|_| corrupt("symbol"))?;
    let lot = Lot {
        id: row.id,
        acquired_on: row.acquired_on,
        opened_quantity: row.opened_quantity.normalize(),
        opened_cost: row.opened_cost.normalize(),
        adjusted_quantity: row.adjusted_quantity.normalize(),
        quantity: row.quantity.normalize(),
        cost: row.cost.normalize(),
        change: LotChange::None,
    };
    Ok(((AccountId(row.account_id), symbol), lot))
}

statement! {
    OldestLots { limit: BigInt = i64, accounts: Array<SqlUuid> = Vec<Uuid>, symbols: Array<Text> = Vec<String> }
    "WITH most (lots) AS (SELECT ?::bigint)
     SELECT l.* FROM unnest(?, ?) AS wanted (account_id, symbol) CROSS JOIN LATERAL (
        SELECT account_id, symbol, id, acquired_on, opened_quantity, opened_cost, adjusted_quantity, quantity, cost
        FROM portfolio.lots AS lot
        WHERE lot.account_id = wanted.account_id AND lot.symbol = wanted.symbol AND lot.is_open
        ORDER BY lot.acquired_on, lot.id LIMIT (SELECT lots FROM most)) AS l"
}

/// The oldest lots of positions, as many as hold the shares that are to go. Their positions are locked.
pub(in crate::portfolio) async fn oldest_lots(
    mut connection: &AsyncPgConnection,
    mut wanted: BTreeMap<PositionKey, Decimal>,
) -> QueryResult<BTreeMap<PositionKey, Vec<Lot>>> {
    let mut loaded = BTreeMap::new();
    let mut limit = LOTS_FIRST;
    while !wanted.is_empty() {
        let (accounts, symbols) =
            wanted.keys().map(|(account, symbol)| (account.0, symbol.to_string())).unzip();
        let rows: Vec<LotRow> = OldestLots { limit, accounts, symbols }.load(&mut connection).await?;
        let mut found = BTreeMap::<PositionKey, Vec<Lot>>::new();
        for row in rows {
            let (key, lot) = read(row)?;
            found.entry(key).or_default().push(lot);
        }
        wanted.retain(|key, going| {
            let lots = found.remove(key).unwrap_or_default();
            let all = i64::try_from(lots.len()).unwrap_or(i64::MAX) < limit;
            let enough = all || lots.iter().map(|lot| lot.quantity.abs()).sum::<Decimal>() >= *going;
            if enough {
                loaded.insert(*key, lots);
            }
            !enough
        });
        limit = limit.saturating_mul(LOTS_GROWTH);
    }
    Ok(loaded)
}

statement! {
    InsertLots {
        ids: Array<SqlUuid> = Vec<Uuid>, accounts: Array<SqlUuid> = Vec<Uuid>, symbols: Array<Text> = Vec<String>,
        acquired: Array<Date> = Vec<NaiveDate>, opened_quantities: Array<Numeric> = Vec<Decimal>,
        opened_costs: Array<Numeric> = Vec<Decimal>, adjusted: Array<Numeric> = Vec<Decimal>,
        quantities: Array<Numeric> = Vec<Decimal>, costs: Array<Numeric> = Vec<Decimal>,
    }
    "INSERT INTO portfolio.lots
        (id, account_id, symbol, acquired_on, opened_quantity, opened_cost, adjusted_quantity, quantity, cost)
     SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?, ?)"
}

statement! {
    ChangeLots {
        ids: Array<SqlUuid> = Vec<Uuid>, symbols: Array<Text> = Vec<String>, adjusted: Array<Numeric> = Vec<Decimal>,
        quantities: Array<Numeric> = Vec<Decimal>, costs: Array<Numeric> = Vec<Decimal>,
    }
    "UPDATE portfolio.lots AS l SET symbol = new.symbol, adjusted_quantity = new.adjusted_quantity,
        quantity = new.quantity, cost = new.cost
     FROM unnest(?, ?, ?, ?, ?) AS new (id, symbol, adjusted_quantity, quantity, cost) WHERE l.id = new.id"
}

/// Writes what has changed of lots whose positions the caller has locked.
pub(in crate::portfolio) async fn save_lots<'a>(
    mut connection: &AsyncPgConnection,
    positions: impl Iterator<Item = (PositionKey, &'a Lots)>,
) -> QueryResult<()> {
    let (mut new, mut changed) = (InsertLots::default(), ChangeLots::default());
    for ((account, symbol), lots) in positions {
        for lot in lots.iter() {
            match lot.change {
                LotChange::None => {}
                LotChange::Changed => {
                    changed.ids.push(lot.id);
                    changed.symbols.push(symbol.to_string());
                    changed.adjusted.push(lot.adjusted_quantity);
                    changed.quantities.push(lot.quantity);
                    changed.costs.push(lot.cost);
                }
                LotChange::New => {
                    new.ids.push(lot.id);
                    new.accounts.push(account.0);
                    new.symbols.push(symbol.to_string());
                    new.acquired.push(lot.acquired_on);
                    new.opened_quantities.push(lot.opened_quantity);
                    new.opened_costs.push(lot.opened_cost);
                    new.adjusted.push(lot.adjusted_quantity);
                    new.quantities.push(lot.quantity);
                    new.costs.push(lot.cost);
                }
            }
        }
    }
    if !new.ids.is_empty() {
        new.execute(&mut connection).await?;
    }
    if !changed.ids.is_empty() {
        changed.execute(&mut connection).await?;
    }
    Ok(())
}

statement! {
    InsertSales {
        journals: Array<SqlUuid> = Vec<Uuid>, accounts: Array<SqlUuid> = Vec<Uuid>, symbols: Array<Text> = Vec<String>,
        days: Array<Date> = Vec<NaiveDate>, quantities: Array<Numeric> = Vec<Decimal>,
        proceeds: Array<Numeric> = Vec<Decimal>, average_costs: Array<Numeric> = Vec<Decimal>,
        fifo_costs: Array<Numeric> = Vec<Decimal>,
    }
    "INSERT INTO portfolio.sales
        (journal_id, account_id, symbol, sold_on, quantity, proceeds, average_cost, fifo_cost)
     SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?)"
}

statement! {
    InsertLotSales {
        journals: Array<SqlUuid> = Vec<Uuid>, lots: Array<SqlUuid> = Vec<Uuid>,
        quantities: Array<Numeric> = Vec<Decimal>, costs: Array<Numeric> = Vec<Decimal>,
        proceeds: Array<Numeric> = Vec<Decimal>,
    }
    "INSERT INTO portfolio.lot_sales (journal_id, lot_id, quantity, cost, proceeds)
     SELECT * FROM unnest(?, ?, ?, ?, ?)"
}

/// Writes sales with the lots they have taken from.
pub(in crate::portfolio) async fn insert_sales(
    mut connection: &AsyncPgConnection,
    sales: &[(PositionKey, Sale)],
) -> QueryResult<()> {
    if sales.is_empty() {
        return Ok(());
    }
    let (mut heads, mut parts) = (InsertSales::default(), InsertLotSales::default());
    for ((account, symbol), sale) in sales {
        heads.journals.push(sale.journal_id);
        heads.accounts.push(account.0);
        heads.symbols.push(symbol.to_string());
        heads.days.push(sale.sold_on);
        heads.quantities.push(sale.quantity);
        heads.proceeds.push(sale.proceeds);
        heads.average_costs.push(sale.average_cost);
        heads.fifo_costs.push(sale.fifo_cost());
        for lot in &sale.lots {
            parts.journals.push(sale.journal_id);
            parts.lots.push(lot.lot_id);
            parts.quantities.push(lot.quantity);
            parts.costs.push(lot.cost);
            parts.proceeds.push(lot.proceeds);
        }
    }
    heads.execute(&mut connection).await?;
    if !parts.lots.is_empty() {
        parts.execute(&mut connection).await?;
    }
    Ok(())
}
