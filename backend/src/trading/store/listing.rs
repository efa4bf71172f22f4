//! Pages of lists of orders; see [`super::super::listing`].

use super::super::listing::{Lane, LaneRead, OrderFilter, OrderPage, Place, merge};
use super::orders::{OrderRow, order_columns, read_all};
use chrono::{DateTime, Utc};
use database::statement;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::OrderId;
use uuid::Uuid;

/// What is left to look for along a lane. Its parameters stand in `$lane`'s statement behind those of the run.
macro_rules! rest_of_filter {
    () => {
        "o.status = ANY (coalesce(wanted.statuses, ARRAY[o.status]))
         AND o.side = coalesce(wanted.side, o.side)
         AND o.order_type = coalesce(wanted.order_type, o.order_type)
         AND o.symbol = coalesce(wanted.symbol, o.symbol)
         AND (wanted.words IS NULL
            OR strpos(lower(o.client_order_id), wanted.words) > 0
            OR strpos(lower(o.symbol), wanted.words) > 0
            OR strpos(lower(o.reason), wanted.words) > 0
            OR (o.denials IS NOT NULL AND EXISTS (SELECT FROM json_array_elements(o.denials) AS denial
                WHERE strpos(lower(concat(denial ->> 'field', ' ', denial ->> 'message')), wanted.words) > 0)))"
    };
}

macro_rules! wanted {
    () => {
        "(SELECT ?::text[] AS statuses, ?::text AS side, ?::text AS order_type, ?::text AS symbol,
            lower(?::text) AS words) AS wanted"
    };
}

/// A lane: `$runs` is the table of its runs, `$run` the condition that is one run of an index.
macro_rules! read_lane {
    ($runs:literal, $run:literal) => {
        concat!(
            "SELECT ",
            order_columns!(),
            " FROM ",
            $runs,
            " CROSS JOIN ",
            wanted!(),
            " CROSS JOIN LATERAL (
                SELECT o.* FROM (
                    SELECT o.* FROM trading.orders AS o WHERE ",
            $run,
            "
                        AND (o.created_at, o.id) < (?, ?) AND o.created_at >= ?
                    ORDER BY o.created_at DESC, o.id DESC LIMIT ?) AS o
                WHERE ",
            rest_of_filter!(),
            "
                ORDER BY o.created_at DESC, o.id DESC LIMIT ?) AS o
             ORDER BY o.created_at DESC, o.id DESC LIMIT ?"
        )
    };
}

/// The last order that each run of a lane may look at, of the runs that have so many.
macro_rules! ends_of_lane {
    ($runs:literal, $run:literal) => {
        concat!(
            "SELECT o.created_at, o.id FROM ",
            $runs,
            " CROSS JOIN LATERAL (
                SELECT o.created_at, o.id FROM trading.orders AS o WHERE ",
            $run,
            "
                    AND (o.created_at, o.id) < (?, ?) AND o.created_at >= ?
                ORDER BY o.created_at DESC, o.id DESC OFFSET ? LIMIT 1) AS o
             ORDER BY o.created_at DESC, o.id DESC LIMIT 1"
        )
    };
}

macro_rules! lane {
    ($read:ident, $ends:ident, { $($field:ident : $sql_type:ty = $rust_type:ty),* }, $runs:literal, $run:literal) => {
        statement! {
            $read {
                $($field: $sql_type = $rust_type,)*
                statuses: Nullable<Array<Text>> = Option<Vec<String>>, side: Nullable<Text> = Option<String>,
                order_type: Nullable<Text> = Option<String>, wanted_symbol: Nullable<Text> = Option<String>,
                words: Nullable<Text> = Option<String>, before: Timestamptz = DateTime<Utc>, before_id: SqlUuid = Uuid,
                from: Timestamptz = DateTime<Utc>, scanned_max: BigInt = i64, run_max: BigInt = i64, limit: BigInt = i64,
            }
            read_lane!($runs, $run)
        }
        statement! {
            $ends {
                $($field: $sql_type = $rust_type,)*
                before: Timestamptz = DateTime<Utc>, before_id: SqlUuid = Uuid, from: Timestamptz = DateTime<Utc>,
                skipped: BigInt = i64,
            }
            ends_of_lane!($runs, $run)
        }
    };
}

lane! {
    Everything, EndsOfEverything, { accounts: Array<SqlUuid> = Vec<Uuid> },
    "unnest(?) AS run (account_id)", "o.account_id = run.account_id AND o.quantity > 0"
}
lane! {
    Ended, EndsOfEnded, { accounts: Array<SqlUuid> = Vec<Uuid>, ended_as: Array<Text> = Vec<String> },
    "(SELECT a.account_id, e.ended_as FROM unnest(?) AS a (account_id), unnest(?) AS e (ended_as)) AS run",
    "o.account_id = run.account_id AND o.ended_as = run.ended_as"
}
lane! {
    EndedOfSymbol, EndsOfSymbol, { accounts: Array<SqlUuid> = Vec<Uuid>, symbol: Text = String },
    "(SELECT a.account_id, s.symbol FROM unnest(?) AS a (account_id), (SELECT ?::text AS symbol) AS s) AS run",
    "o.account_id = run.account_id AND o.symbol = run.symbol AND o.ended_as IS NOT NULL"
}

statement! {
    /// All of them are looked at: they have no order in their index, and they are few.
    Open {
        accounts: Array<SqlUuid> = Vec<Uuid>,
        statuses: Nullable<Array<Text>> = Option<Vec<String>>, side: Nullable<Text> = Option<String>,
        order_type: Nullable<Text> = Option<String>, symbol: Nullable<Text> = Option<String>,
        words: Nullable<Text> = Option<String>, before: Timestamptz = DateTime<Utc>, before_id: SqlUuid = Uuid,
        from: Timestamptz = DateTime<Utc>, limit: BigInt = i64,
    }
    concat!(
        "SELECT ", order_columns!(), " FROM unnest(?) AS run (account_id), ", wanted!(), ", trading.orders AS o
         WHERE o.account_id = run.account_id AND o.is_open AND ", rest_of_filter!(), "
            AND (o.created_at, o.id) < (?, ?) AND o.created_at >= ?
         ORDER BY o.created_at DESC, o.id DESC LIMIT ?"
    )
}

#[derive(QueryableByName)]
struct EndRow {
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// One page of a list, read in the caller's transaction, which must see one picture throughout.
pub(in crate::trading) async fn page_of_orders(
    connection: &AsyncPgConnection,
    filter: &OrderFilter,
    after: Option<Place>,
    orders_max: usize,
) -> QueryResult<OrderPage> {
    let place = filter.first_place(after);
    // One more than shown tells whether there is a next page.
    let limit = i64::try_from(orders_max).unwrap_or(i64::MAX).saturating_add(1);
    let mut lanes = Vec::new();
    for lane in filter.lanes() {
        let rows = read_lane(connection, filter, lane, place, limit).await?;
        // One run that fills the page has found everything in it; of several, one may hide what another shows.
        let is_full = i64::try_from(rows.len()).unwrap_or(i64::MAX) >= limit && filter.runs(lane) <= 1;
        let searched_to = if filter.searches(lane) && !is_full {
            end_of_search(connection, filter, lane, place, limit).await?
        } else {
            None
        };
        lanes.push(LaneRead { orders: read_all(rows)?, searched_to });
    }
    Ok(merge(lanes, orders_max))
}

async fn read_lane(
    mut connection: &AsyncPgConnection,
    filter: &OrderFilter,
    lane: Lane,
    place: Place,
    limit: i64,
) -> QueryResult<Vec<OrderRow>> {
    let accounts: Vec<Uuid> = filter.accounts.iter().map(|id| id.0).collect();
    let statuses = filter.status_names();
    let side = filter.side.map(|side| side.name().to_owned());
    let order_type = filter.order_type.map(|order_type| order_type.name().to_owned());
    let wanted_symbol = filter.symbol.map(|symbol| symbol.to_string());
    let words = filter.text.clone();
    let (before, before_id) = place.bound();
    let from = filter.from.unwrap_or(DateTime::UNIX_EPOCH);
    let (scanned_max, run_max) = (filter.scanned_max(lane, limit), limit);
    match lane {
        Lane::Everything => {
            let read = Everything {
                accounts,
                statuses,
                side,
                order_type,
                wanted_symbol,
                words,
                before,
                before_id,
                from,
                scanned_max,
                run_max,
                limit,
            };
            read.load(&mut connection).await
        }
        Lane::Ended => {
            let read = Ended {
                accounts,
                ended_as: filter.ended_as(),
                statuses,
                side,
                order_type,
                wanted_symbol,
                words,
                before,
                before_id,
                from,
                scanned_max,
                run_max,
                limit,
            };
            read.load(&mut connection).await
        }
        Lane::EndedOfSymbol => {
            let read = EndedOfSymbol {
                accounts,
                symbol: wanted_symbol.clone().unwrap_or_default(),
                statuses,
                side,
                order_type,
                wanted_symbol,
                words,
                before,
                before_id,
                from,
                scanned_max,
                run_max,
                limit,
            };
            read.load(&mut connection).await
        }
        Lane::Open => {
            let symbol = wanted_symbol;
            let read =
                Open { accounts, statuses, side, order_type, symbol, words, before, before_id, from, limit };
            read.load(&mut connection).await
        }
    }
}

/// Where a search that did not fill its page has stopped.
async fn end_of_search(
    mut connection: &AsyncPgConnection,
    filter: &OrderFilter,
    lane: Lane,
    place: Place,
    limit: i64,
) -> QueryResult<Option<Place>> {
    let accounts: Vec<Uuid> = filter.accounts.iter().map(|id| id.0).collect();
    let (before, before_id) = place.bound();
    let from = filter.from.unwrap_or(DateTime::UNIX_EPOCH);
    let skipped = filter.scanned_max(lane, limit).saturating_sub(1);
    let rows: Vec<EndRow> = match lane {
        Lane::Open => Vec::new(),
        Lane::Everything => {
            EndsOfEverything { accounts, before, before_id, from, skipped }.load(&mut connection).await?
        }
        Lane::Ended => {
            let ended_as = filter.ended_as();
            EndsOfEnded { accounts, ended_as, before, before_id, from, skipped }.load(&mut connection).await?
        }
        Lane::EndedOfSymbol => {
            let symbol = filter.symbol.map(|symbol| symbol.to_string()).unwrap_or_default();
            EndsOfSymbol { accounts, symbol, before, before_id, from, skipped }.load(&mut connection).await?
        }
    };
    Ok(rows.into_iter().next().map(|row| Place { at: row.created_at, id: OrderId(row.id) }))
}
