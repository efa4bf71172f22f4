//! `broker.activities`: what brokers did beside orders.

use super::{Number, Store, Through};
use crate::broker::ListedActivity;
use crate::db::answered;
use chrono::{DateTime, NaiveDate, Utc};
use database::statement;
use diesel::OptionalExtension;
use diesel::sql_types::{Array, BigInt, Bool, Date, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use domain::{AccountId, locks};
use rust_decimal::Decimal;
use uuid::Uuid;

statement! {
    /// The guard is read before any row gets its id, so ids become visible in increasing order whoever else appends.
    Append {
        guard: BigInt = i64,
        account: SqlUuid = Uuid,
        numbers: Array<Text> = Vec<String>,
        undone: Array<Bool> = Vec<bool>,
        kinds: Array<Text> = Vec<&'static str>,
        words: Array<Text> = Vec<String>,
        symbols: Array<Nullable<Text>> = Vec<Option<String>>,
        currencies: Array<Text> = Vec<&'static str>,
        amounts: Array<Numeric> = Vec<Decimal>,
        quantities: Array<Nullable<Numeric>> = Vec<Option<Decimal>>,
        days: Array<Date> = Vec<NaiveDate>,
    }
    "WITH guard AS MATERIALIZED (SELECT pg_advisory_xact_lock(?)),
    lines AS (
        INSERT INTO broker.activities (account_id, activity_id, is_undone, kind, word, symbol, currency, amount,
            quantity, day)
        SELECT ?, listed.activity_id, is_undone, kind, word, symbol, currency, amount, quantity, day
        FROM guard, unnest(?, ?, ?, ?, ?, ?, ?, ?, ?) WITH ORDINALITY
            AS listed (activity_id, is_undone, kind, word, symbol, currency, amount, quantity, day, place)
        ORDER BY place
        ON CONFLICT DO NOTHING
        RETURNING id
    )
    SELECT count(*) AS number, pg_notify('activities', max(id)::text) FROM lines"
}

statement! {
    /// Those of which the journal says that they happened.
    Known { account: SqlUuid = Uuid, numbers: Array<Text> = Vec<String> }
    "SELECT activity_id AS text FROM broker.activities WHERE account_id = ? AND activity_id = ANY (?) AND NOT is_undone"
}

statement! {
    Last { account: SqlUuid = Uuid }
    "SELECT coalesce(max(id), 0) AS number FROM broker.activities WHERE account_id = ?"
}

statement! {
    ReadThrough { account: SqlUuid = Uuid } "SELECT through FROM broker.activity_readings WHERE account_id = ?"
}

statement! {
    SetReadThrough { account: SqlUuid = Uuid, through: Timestamptz = DateTime<Utc> }
    "INSERT INTO broker.activity_readings (account_id, through) VALUES (?, ?)
     ON CONFLICT (account_id) DO UPDATE SET through = greatest(activity_readings.through, excluded.through)"
}

#[derive(diesel::QueryableByName)]
struct TextRow {
    #[diesel(sql_type = Text)]
    text: String,
}

impl Append {
    fn push(&mut self, activity: &ListedActivity) {
        self.numbers.push(activity.activity_id.clone());
        self.undone.push(activity.is_undone);
        self.kinds.push(activity.kind.name());
        self.words.push(activity.word.clone());
        self.symbols.push(activity.symbol.map(|symbol| symbol.to_string()));
        self.currencies.push(activity.currency.code());
        self.amounts.push(activity.amount);
        self.quantities.push(activity.quantity);
        self.days.push(activity.day);
    }
}

impl Store {
    pub(in crate::journal) async fn append_activities(
        &self,
        account: AccountId,
        activities: &[ListedActivity],
    ) -> anyhow::Result<u64> {
        let mut connection = self.connection().await?;
        let undone = activities.iter().filter(|activity| activity.is_undone);
        let numbers: Vec<String> = undone.map(|activity| activity.activity_id.clone()).collect();
        let known: Vec<TextRow> = match numbers.is_empty() {
            true => Vec::new(),
            false => answered(Known { account: account.0, numbers }.load(&mut connection)).await?,
        };
        // What was taken back before anybody here heard of it never was.
        let is_known = |activity: &ListedActivity| known.iter().any(|row| row.text == activity.activity_id);
        let mut rows = Append { guard: locks::ACTIVITIES_APPEND, account: account.0, ..Append::default() };
        activities.iter().filter(|one| !one.is_undone || is_known(one)).for_each(|one| rows.push(one));
        if rows.numbers.is_empty() {
            return Ok(0);
        }
        let added: Number = answered(rows.get_result(&mut connection)).await?;
        Ok(u64::try_from(added.number)?)
    }

    pub(in crate::journal) async fn last_activity(&self, account: AccountId) -> anyhow::Result<i64> {
        let query = Last { account: account.0 };
        let row: Number = answered(query.get_result(&mut self.connection().await?)).await?;
        Ok(row.number)
    }

    pub(in crate::journal) async fn activities_through(
        &self,
        account: AccountId,
    ) -> anyhow::Result<Option<DateTime<Utc>>> {
        let mut connection = self.connection().await?;
        let query = ReadThrough { account: account.0 };
        let row: Option<Through> =
            answered(async { query.get_result(&mut connection).await.optional() }).await?;
        Ok(row.map(|row| row.through))
    }

    pub(in crate::journal) async fn set_activities_through(
        &self,
        account: AccountId,
        through: DateTime<Utc>,
    ) -> anyhow::Result<()> {
        let query = SetReadThrough { account: account.0, through };
        answered(query.execute(&mut self.connection().await?)).await?;
        Ok(())
    }
}
