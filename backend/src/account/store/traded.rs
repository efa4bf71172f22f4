//! What trading alone has left in an account: what its broker can know of.

use super::super::ledger::Commodity;
use crate::db::corrupt;
use database::statement;
use diesel::sql_types::{Numeric, Text, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, Currency};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use uuid::Uuid;

#[derive(QueryableByName)]
struct AmountRow {
    #[diesel(sql_type = Text)]
    commodity: String,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
}

statement! {
    /// The balances less the movements beside trading, which are few: the fills need not be read. What a broker counts
    /// otherwise is a part of what it counts, whatever kind of journal has booked it.
    Traded { account: SqlUuid = Uuid, beside: SqlUuid = Uuid }
    "SELECT b.commodity, b.total - coalesce(beside.amount, 0) AS amount
     FROM account.balances AS b
     FULL JOIN (SELECT p.commodity, sum(p.amount) AS amount
        FROM account.journals AS j
        JOIN account.postings AS p ON p.journal_id = j.id AND p.ledger_account IN ('cash', 'receivable', 'payable', 'shares')
        WHERE j.account_id = ? AND j.kind NOT IN ('fill', 'settlement', 'carry_over', 'recost', 'broker_difference')
          AND NOT starts_with(j.idempotency_key, 'broker_difference:')
          AND (j.kind <> 'reversal' OR NOT EXISTS (
            SELECT FROM account.journals AS taken_back WHERE taken_back.id = j.reverses AND taken_back.kind = 'fill'))
        GROUP BY p.commodity) AS beside ON beside.commodity = b.commodity
     WHERE b.account_id = ?"
}

/// What executions, and what was booked as a broker's difference, have left in an account.
///
/// # Errors
/// The database's.
pub async fn traded(
    mut connection: &AsyncPgConnection,
    account: AccountId,
) -> QueryResult<BTreeMap<Commodity, Decimal>> {
    let rows: Vec<AmountRow> = Traded { account: account.0, beside: account.0 }.load(&mut connection).await?;
    rows.into_iter()
        .map(|row| {
            let cash = Currency::ALL.into_iter().find(|currency| currency.code() == row.commodity);
            let commodity = match cash {
                Some(currency) => Commodity::Cash(currency),
                None => Commodity::Shares(row.commodity.parse().map_err(|_| corrupt("symbol"))?),
            };
            Ok((commodity, row.amount.normalize()))
        })
        .collect()
}
