//! What an account has that its broker can know of.

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
    /// otherwise is a part of what it counts, whatever kind of journal has booked it. A broker that keeps the books itself
    /// knows of everything but what was there when the account was opened.
    Traded { account: SqlUuid = Uuid, beside: SqlUuid = Uuid }
    "SELECT b.commodity, b.total - coalesce(beside.amount, 0) AS amount
     FROM account.balances AS b
     FULL JOIN (SELECT p.commodity, sum(p.amount) AS amount
        FROM account.accounts AS a
        JOIN account.journals AS j ON j.account_id = a.id
        JOIN account.postings AS p ON p.journal_id = j.id AND p.ledger_account IN ('cash', 'receivable', 'payable', 'shares')
        WHERE a.id = ? AND j.kind NOT IN ('fill', 'settlement', 'carry_over', 'recost', 'broker_difference')
          AND CASE WHEN a.broker <> 'simulator' THEN j.idempotency_key = 'opening:' || a.id
            ELSE NOT starts_with(j.idempotency_key, 'broker_difference:')
              AND (j.kind <> 'reversal' OR NOT EXISTS (SELECT FROM account.journals AS taken_back
                WHERE taken_back.id = j.reverses AND taken_back.kind = 'fill')) END
        GROUP BY p.commodity) AS beside ON beside.commodity = b.commodity
     WHERE b.account_id = ?"
}

/// What the broker of an account can know of: at the simulator what executions, and what was booked as a difference, have
/// left; at other brokers everything but the opening.
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
