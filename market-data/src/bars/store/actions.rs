//! `market.action_lists` and `market.corporate_actions`.

use super::binary::{SqlDay, SqlMoment};
use super::{READ_TIMEOUT, Store, StoreError};
use crate::bars::action::{ActionKind, CorporateAction};
use chrono::{DateTime, Utc};
use domain::Symbol;
use rust_decimal::Decimal;
use tokio_postgres::Row;

const READ: &str = "SELECT l.asked_at, a.ex_date, a.kind, a.numerator::text, a.denominator::text, a.amount::text \
    FROM market.action_lists AS l LEFT JOIN market.corporate_actions AS a ON a.list_id = l.id \
    WHERE l.symbol = $1 AND l.source = $2 ORDER BY a.ex_date, a.kind";
/// All at once: what the source does not tell any more goes.
const REPLACE: &str = "WITH list AS (
        INSERT INTO market.action_lists AS l (symbol, source, asked_at) VALUES ($1, $2, $3)
        ON CONFLICT (symbol, source) DO UPDATE SET asked_at = excluded.asked_at RETURNING l.id
    ), told AS (
        SELECT list.id, t.* FROM list, unnest($4::date[], $5::text[], $6::text[], $7::text[], $8::text[])
            AS t (ex_date, kind, numerator, denominator, amount)
    ), gone AS (
        DELETE FROM market.corporate_actions AS a USING list WHERE a.list_id = list.id
            AND NOT EXISTS (SELECT FROM told WHERE told.ex_date = a.ex_date AND told.kind = a.kind)
    )
    INSERT INTO market.corporate_actions (list_id, ex_date, kind, numerator, denominator, amount)
    SELECT id, ex_date, kind, numerator::numeric, denominator::numeric, amount::numeric FROM told
    ON CONFLICT (list_id, ex_date, kind) DO UPDATE SET numerator = excluded.numerator,
        denominator = excluded.denominator, amount = excluded.amount";

/// What a source told of a share, and when.
pub(in crate::bars) type KnownActions = (DateTime<Utc>, Vec<CorporateAction>);

impl Store {
    /// What is known of a share's actions; nothing if the source was never asked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn actions(&self, symbol: Symbol, source: &str) -> Result<Option<KnownActions>, StoreError> {
        self.bounded(READ_TIMEOUT, |link| async move {
            let rows = link.client.query(READ, &[&symbol.as_str(), &source]).await?;
            let Some(first) = rows.first() else { return Ok(None) };
            let asked_at = first.try_get::<_, SqlMoment>(0)?.0;
            Ok(Some((asked_at, rows.iter().filter_map(action).collect())))
        })
        .await
    }

    /// Writes what a source tells of a share now, in the place of what it told before.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn replace_actions(
        &self,
        symbol: Symbol,
        source: &str,
        asked_at: DateTime<Utc>,
        actions: &[CorporateAction],
    ) -> Result<(), StoreError> {
        let days: Vec<SqlDay> = actions.iter().map(|action| SqlDay(action.ex_date)).collect();
        let kinds: Vec<&str> = actions.iter().map(CorporateAction::name).collect();
        let texts = |of: fn(&ActionKind) -> Option<Decimal>| -> Vec<Option<String>> {
            actions.iter().map(|action| of(&action.kind).map(|value| value.to_string())).collect()
        };
        let numerators = texts(|kind| match kind {
            ActionKind::Split { numerator, .. } => Some(*numerator),
            ActionKind::Dividend { .. } => None,
        });
        let denominators = texts(|kind| match kind {
            ActionKind::Split { denominator, .. } => Some(*denominator),
            ActionKind::Dividend { .. } => None,
        });
        let amounts = texts(|kind| match kind {
            ActionKind::Split { .. } => None,
            ActionKind::Dividend { amount } => Some(*amount),
        });
        self.bounded(READ_TIMEOUT, |link| async move {
            let asked_at = SqlMoment(asked_at);
            let symbol = symbol.as_str();
            link.client
                .execute(
                    REPLACE,
                    &[&symbol, &source, &asked_at, &days, &kinds, &numerators, &denominators, &amounts],
                )
                .await?;
            Ok(())
        })
        .await
    }
}

fn action(row: &Row) -> Option<CorporateAction> {
    let ex_date = row.try_get::<_, Option<SqlDay>>(1).ok()??.0;
    let number = |column: usize| -> Option<Decimal> {
        row.try_get::<_, Option<&str>>(column).ok()?.and_then(|text| text.parse().ok())
    };
    match row.try_get::<_, &str>(2).ok()? {
        "split" => CorporateAction::split(ex_date, number(3)?, number(4)?),
        _ => CorporateAction::dividend(ex_date, number(5)?),
    }
}
