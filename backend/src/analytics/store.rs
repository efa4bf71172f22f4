//! The table of `analytics`.

use super::growth::Sample;
use super::service::POINTS_MAX;
use crate::db::corrupt;
use chrono::{DateTime, NaiveDate, Utc};
use database::statement;
use diesel::sql_types::{Array, BigInt, Date, Nullable, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use domain::{AccountId, Currency};
use rust_decimal::Decimal;
use std::collections::HashMap;
use uuid::Uuid;

/// One currency of one account.
type Key = (AccountId, Currency);

#[derive(QueryableByName)]
struct SampleRow {
    #[diesel(sql_type = SqlUuid)]
    account_id: Uuid,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Timestamptz)]
    taken_at: DateTime<Utc>,
    #[diesel(sql_type = Numeric)]
    cash: Decimal,
    #[diesel(sql_type = Numeric)]
    positions_value: Decimal,
    #[diesel(sql_type = Numeric)]
    net_deposits: Decimal,
    #[diesel(sql_type = Numeric)]
    growth: Decimal,
    #[diesel(sql_type = Nullable<Date>)]
    session_date: Option<NaiveDate>,
}

fn read(row: SampleRow) -> QueryResult<Sample> {
    Ok(Sample {
        account_id: AccountId(row.account_id),
        currency: row.currency.parse().map_err(|_| corrupt("currency"))?,
        taken_at: row.taken_at,
        cash: row.cash.normalize(),
        positions_value: row.positions_value.normalize(),
        net_deposits: row.net_deposits.normalize(),
        growth: row.growth.normalize(),
        session_date: row.session_date,
    })
}

statement! {
    Latest { accounts: Array<SqlUuid> = Vec<Uuid>, currencies: Array<Text> = Vec<String> }
    "SELECT s.account_id, s.currency, s.taken_at, s.cash, s.positions_value, s.net_deposits, s.growth, s.session_date
     FROM unnest(?, ?) AS wanted (account_id, currency)
     CROSS JOIN LATERAL (
        SELECT * FROM analytics.samples AS s
        WHERE s.account_id = wanted.account_id AND s.currency = wanted.currency
        ORDER BY s.taken_at DESC LIMIT 1) AS s"
}

/// What was written down last; where there was nothing yet it is absent.
pub(super) async fn latest(
    mut connection: &AsyncPgConnection,
    keys: &[Key],
) -> QueryResult<HashMap<Key, Sample>> {
    let (accounts, currencies) =
        keys.iter().map(|(account, currency)| (account.0, currency.code().to_owned())).unzip();
    let rows: Vec<SampleRow> = Latest { accounts, currencies }.load(&mut connection).await?;
    rows.into_iter()
        .map(|row| read(row).map(|sample| ((sample.account_id, sample.currency), sample)))
        .collect()
}

statement! {
    Insert {
        accounts: Array<SqlUuid> = Vec<Uuid>, currencies: Array<Text> = Vec<String>,
        times: Array<Timestamptz> = Vec<DateTime<Utc>>, cash: Array<Numeric> = Vec<Decimal>,
        positions: Array<Numeric> = Vec<Decimal>, deposits: Array<Numeric> = Vec<Decimal>,
        growths: Array<Numeric> = Vec<Decimal>, sessions: Array<Nullable<Date>> = Vec<Option<NaiveDate>>,
    }
    "INSERT INTO analytics.samples
        (account_id, currency, taken_at, cash, positions_value, net_deposits, growth, session_date)
     SELECT * FROM unnest(?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
}

/// Writes samples down; of one moment there is one.
pub(super) async fn insert(mut connection: &AsyncPgConnection, samples: Vec<Sample>) -> QueryResult<()> {
    if samples.is_empty() {
        return Ok(());
    }
    let mut rows = Insert::default();
    for sample in samples {
        rows.accounts.push(sample.account_id.0);
        rows.currencies.push(sample.currency.code().to_owned());
        rows.times.push(sample.taken_at);
        rows.cash.push(sample.cash);
        rows.positions.push(sample.positions_value);
        rows.deposits.push(sample.net_deposits);
        rows.growths.push(sample.growth);
        rows.sessions.push(sample.session_date);
    }
    rows.execute(&mut connection).await?;
    Ok(())
}

statement! {
    /// The span is cut into as many parts as an answer has points; of each part its last sample is taken, and before all of
    /// them the last one from before the span.
    Points {
        account: SqlUuid = Uuid, currency: Text = String, since: Nullable<Timestamptz> = Option<DateTime<Utc>>,
        until: Timestamptz = DateTime<Utc>, parts: BigInt = i64, begun: Nullable<Timestamptz> = Option<DateTime<Utc>>,
    }
    "WITH asked AS (
        SELECT ?::uuid AS account_id, ?::text AS currency, ?::timestamptz AS since, ?::timestamptz AS until, ?::bigint AS parts,
            coalesce(?::timestamptz, '-infinity') AS begun),
     own AS (
        SELECT s.*, asked.since, asked.until, asked.parts FROM analytics.samples AS s
        JOIN asked ON s.account_id = asked.account_id AND s.currency = asked.currency AND s.taken_at > asked.begun),
     span AS (
        SELECT coalesce(max(own.since), min(own.taken_at)) AS since,
            greatest(interval '1 minute',
                (max(own.until) - coalesce(max(own.since), min(own.taken_at))) / max(own.parts)) AS width
        FROM own),
     inside AS (
        SELECT DISTINCT ON (date_bin(span.width, own.taken_at, span.since)) own.*
        FROM own JOIN span ON own.taken_at >= span.since
        ORDER BY date_bin(span.width, own.taken_at, span.since), own.taken_at DESC),
     baseline AS (
        SELECT own.* FROM own JOIN span ON own.taken_at < span.since ORDER BY own.taken_at DESC LIMIT 1)
     SELECT account_id, currency, taken_at, cash, positions_value, net_deposits, growth, session_date FROM baseline
     UNION ALL
     SELECT account_id, currency, taken_at, cash, positions_value, net_deposits, growth, session_date FROM inside
     ORDER BY taken_at"
}

/// The samples of a span that show how it went since the account began anew, oldest first.
pub(super) async fn points(
    mut connection: &AsyncPgConnection,
    (account, currency): Key,
    (since, until): (Option<DateTime<Utc>>, DateTime<Utc>),
    begun: Option<DateTime<Utc>>,
) -> QueryResult<Vec<Sample>> {
    let currency = currency.code().to_owned();
    let statement = Points { account: account.0, currency, since, until, parts: POINTS_MAX, begun };
    let rows: Vec<SampleRow> = statement.load(&mut connection).await?;
    rows.into_iter().map(read).collect()
}

statement! {
    BeforeSession {
        account: SqlUuid = Uuid, currency: Text = String, day: Date = NaiveDate,
        begun: Nullable<Timestamptz> = Option<DateTime<Utc>>,
    }
    "SELECT account_id, currency, taken_at, cash, positions_value, net_deposits, growth, session_date
     FROM analytics.samples
     WHERE account_id = ? AND currency = ? AND session_date IS DISTINCT FROM ?
       AND taken_at > coalesce(?, '-infinity'::timestamptz)
     ORDER BY taken_at DESC LIMIT 1"
}

/// The last sample of another trading day than this one, which is the newest, since the account began anew.
pub(super) async fn before_session(
    mut connection: &AsyncPgConnection,
    (account, currency): Key,
    day: NaiveDate,
    begun: Option<DateTime<Utc>>,
) -> QueryResult<Option<Sample>> {
    let statement = BeforeSession { account: account.0, currency: currency.code().to_owned(), day, begun };
    let rows: Vec<SampleRow> = statement.load(&mut connection).await?;
    rows.into_iter().next().map(read).transpose()
}

statement! {
    Thin { from: Timestamptz = DateTime<Utc>, to: Timestamptz = DateTime<Utc> }
    "DELETE FROM analytics.samples AS s
     WHERE s.taken_at >= ? AND s.taken_at < ? AND EXISTS (
        SELECT FROM analytics.samples AS later
        WHERE later.account_id = s.account_id AND later.currency = s.currency AND later.taken_at > s.taken_at
            AND later.taken_at < date_bin('1 hour', s.taken_at, 'epoch') + interval '1 hour'
            AND later.session_date IS NOT DISTINCT FROM s.session_date)"
}

/// Leaves the last sample of each hour and trading day between two moments.
pub(super) async fn thin(
    mut connection: &AsyncPgConnection,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> QueryResult<usize> {
    Thin { from, to }.execute(&mut connection).await
}
