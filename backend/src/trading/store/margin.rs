//! What is open in accounts that may buy on credit.

use crate::db::corrupt;
use crate::risk::Exposure;
use database::statement;
use diesel::sql_types::{Array, Numeric, Text, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, Symbol};
use rust_decimal::Decimal;
use uuid::Uuid;

#[derive(QueryableByName)]
struct OpenRow {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Text)]
    symbol: String,
    #[diesel(sql_type = Numeric)]
    buying: Decimal,
    #[diesel(sql_type = Numeric)]
    buying_cost: Decimal,
    #[diesel(sql_type = Numeric)]
    selling: Decimal,
    #[diesel(sql_type = Numeric)]
    selling_worth: Decimal,
}

statement! {
    /// While other terms are asked for, the larger quantity counts, and of what the one and the other offer the larger worth.
    OpenIn { accounts: Array<SqlUuid> = Vec<Uuid> }
    "SELECT o.account_id, o.symbol,
        coalesce(sum(greatest(o.present, o.asked)) FILTER (WHERE o.side = 'buy'), 0) AS buying,
        coalesce(sum(o.held) FILTER (WHERE o.side = 'buy'), 0) AS buying_cost,
        coalesce(sum(o.held) FILTER (WHERE o.side = 'sell'), 0) AS selling,
        coalesce(sum(greatest(least(o.held, o.present) * o.worst_price, least(o.held, o.asked) * o.asked_price))
            FILTER (WHERE o.side = 'sell'), 0) AS selling_worth
     FROM (SELECT account_id, symbol, side, held, worst_price,
            greatest(quantity - filled_quantity, 0) AS present,
            (replacing->'terms'->>'quantity')::numeric - filled_quantity AS asked,
            (replacing->'terms'->>'worstPrice')::numeric AS asked_price
        FROM trading.orders WHERE account_id = ANY (?) AND is_open) AS o
     GROUP BY o.account_id, o.symbol"
}

/// What open orders of accounts may still buy and sell, by symbol. To be asked under the accounts' locks.
pub(in crate::trading) async fn open_exposures(
    mut connection: &AsyncPgConnection,
    accounts: &[AccountId],
) -> QueryResult<Vec<(AccountId, Symbol, Exposure)>> {
    let statement = OpenIn { accounts: accounts.iter().map(|id| id.0).collect() };
    let rows: Vec<OpenRow> = statement.load(&mut connection).await?;
    rows.into_iter()
        .map(|row| {
            let exposure = Exposure {
                buying: row.buying.normalize(),
                buying_cost: row.buying_cost.normalize(),
                selling: row.selling.normalize(),
                selling_worth: row.selling_worth.normalize(),
                ..Exposure::default()
            };
            Ok((AccountId(row.account_id), row.symbol.parse().map_err(|_| corrupt("symbol"))?, exposure))
        })
        .collect()
}
