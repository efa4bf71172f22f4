//! The tables of schema `market`: which days of a series are known, and its bars.
//!
//! One connection is shared by all who read; a load opens its own, so that it delays nobody. Every call is bounded in
//! time, and after a failure the database is left alone for a while: who asks meanwhile is told at once.

mod actions;
mod binary;

use super::interval::{Adjustment, Interval, TimedBar};
use binary::{SqlDay, SqlMoment, SqlPrice, copy_header, copy_row, copy_trailer};
use bytes::BytesMut;
use chrono::{DateTime, NaiveDate, Utc};
use domain::{Price, Symbol};
use futures_util::SinkExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::{Instant, timeout};
use tokio_postgres::{Client, Config, NoTls, Row, Statement};

/// Longest time to connect, statements prepared.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest time one read may take.
const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest time one chunk of a load may take.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the database is left alone after a failure.
const RETRY_PAUSE: Duration = Duration::from_secs(5);
/// Bars written in one COPY: what is in memory of a load, whatever its length.
const CHUNK_BARS: usize = 50_000;
/// Bytes collected before they are sent.
const COPY_BUFFER_SIZE: usize = 256 * 1024;

const FIND: &str = "SELECT s.id, lower(gap), upper(gap) FROM market.series s \
    LEFT JOIN LATERAL unnest(datemultirange(daterange($5, $6, '[]')) - s.covered) AS gap ON true \
    WHERE s.symbol = $1 AND s.source = $2 AND s.interval_minutes = $3 AND s.adjustment = $4 ORDER BY 2";
const MAKE: &str = "INSERT INTO market.series (symbol, source, interval_minutes, adjustment) \
    VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
const COVER: &str =
    "UPDATE market.series SET covered = covered + datemultirange(daterange($2, $3, '[]')) WHERE id = $1";
const RECORD: &str = "INSERT INTO market.minute_bars (series_id, starts_at, open, high, low, close, volume) \
    SELECT * FROM unnest($1::integer[], $2::timestamptz[], $3::numeric[], $4::numeric[], $5::numeric[], $6::numeric[], $7::bigint[]) \
    ON CONFLICT DO NOTHING";
const MAKE_PARTITIONS: &str = "SELECT market.make_partitions('market.minute_bars', $1, $2)";
const READ_DAILY: &str = "SELECT starts_at, open, high, low, close, volume FROM market.daily_bars \
    WHERE series_id = $1 AND starts_at >= $2 AND starts_at < $3 ORDER BY starts_at DESC LIMIT $4";
const READ_MINUTES: &str = "SELECT starts_at, open, high, low, close, volume FROM market.minute_bars \
    WHERE series_id = $1 AND starts_at >= $2 AND starts_at < $3 ORDER BY starts_at DESC LIMIT $4";

/// Why the store did not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It has failed a moment ago.
    #[error("the database is given a rest")]
    Resting,
    /// It takes too long.
    #[error("the database does not answer in time")]
    Slow,
    /// It is not there, not ours, or refuses.
    #[error("the database does not work: {0}")]
    Failed(#[from] tokio_postgres::Error),
}

/// Which series.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SeriesKey {
    /// Whose bars.
    pub symbol: Symbol,
    /// Whence.
    pub source: String,
    /// How long.
    pub interval: Interval,
    /// How counted.
    pub adjustment: Adjustment,
}

/// A series and the days of a range that it does not know yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its number.
    pub id: i32,
    /// Spans of days, first and last.
    pub missing: Vec<(NaiveDate, NaiveDate)>,
}

struct Prepared {
    client: Client,
    find: Statement,
    make: Statement,
    daily: Statement,
    minutes: Statement,
}

#[derive(Default)]
struct Link {
    prepared: Option<Arc<Prepared>>,
    rest_until: Option<Instant>,
}

/// The store.
pub struct Store {
    config: Config,
    link: tokio::sync::Mutex<Link>,
    reachable: AtomicBool,
    written: AtomicU64,
    failures: AtomicU64,
}

/// How the store is doing, for `/status`.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct StoreStatus {
    /// The last call succeeded.
    pub reachable: bool,
    /// Bars written since the start.
    pub written: u64,
    /// Calls that failed.
    pub failures: u64,
}

impl Store {
    /// Reads the URL; nothing is connected yet.
    ///
    /// # Errors
    /// [`StoreError`] for a URL that is none.
    pub fn new(url: &SecretString) -> Result<Self, StoreError> {
        let mut config: Config = url.expose_secret().parse()?;
        config.application_name("gaemi market-data").connect_timeout(CONNECT_TIMEOUT);
        config.options("-c timezone=UTC -c jit=off -c idle_in_transaction_session_timeout=90000");
        Ok(Self {
            config,
            link: tokio::sync::Mutex::default(),
            reachable: AtomicBool::new(false),
            written: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        })
    }

    /// How it is doing.
    #[must_use]
    pub fn status(&self) -> StoreStatus {
        StoreStatus {
            reachable: self.reachable.load(Ordering::Relaxed),
            written: self.written.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
        }
    }

    /// Finds a series, or makes it, and says which of these days it does not know.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn find(&self, key: &SeriesKey, from: NaiveDate, to: NaiveDate) -> Result<Found, StoreError> {
        let (symbol, adjustment) = (key.symbol.as_str(), key.adjustment.name());
        let minutes = key.interval.minutes();
        self.bounded(READ_TIMEOUT, |link| async move {
            for _ in 0..2 {
                let (from, to) = (SqlDay(from), SqlDay(to));
                let rows = link
                    .client
                    .query(&link.find, &[&symbol, &key.source, &minutes, &adjustment, &from, &to])
                    .await?;
                if let Some(first) = rows.first() {
                    let id = first.try_get(0)?;
                    let missing = rows.iter().filter_map(gap).collect();
                    return Ok(Found { id, missing });
                }
                link.client.execute(&link.make, &[&symbol, &key.source, &minutes, &adjustment]).await?;
            }
            Err(StoreError::Slow)
        })
        .await
    }

    /// The bars of a series from one moment up to another, oldest first; the latest ones when there are more than
    /// `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn read(
        &self,
        series: i32,
        interval: Interval,
        (from, to): (DateTime<Utc>, DateTime<Utc>),
        limit: usize,
    ) -> Result<Vec<TimedBar>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.bounded(READ_TIMEOUT, |link| async move {
            let statement = if interval == Interval::OneDay { &link.daily } else { &link.minutes };
            let rows =
                link.client.query(statement, &[&series, &SqlMoment(from), &SqlMoment(to), &limit]).await?;
            rows.iter().rev().map(|row| bar(row).map_err(StoreError::from)).collect()
        })
        .await
    }

    /// Writes bars, oldest first, and notes that these days are known; both or neither. Bars that are there stay.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn write(
        &self,
        series: i32,
        interval: Interval,
        bars: &[TimedBar],
        covered: Option<(NaiveDate, NaiveDate)>,
    ) -> Result<(), StoreError> {
        let work = async {
            let client = connect(&self.config).await?;
            client.batch_execute("BEGIN").await?;
            for chunk in bars.chunks(CHUNK_BARS) {
                timeout(WRITE_TIMEOUT, load(&client, series, interval, chunk))
                    .await
                    .map_err(|_| StoreError::Slow)??;
            }
            if let Some((from, to)) = covered {
                client.execute(COVER, &[&series, &SqlDay(from), &SqlDay(to)]).await?;
            }
            client.batch_execute("COMMIT").await?;
            Ok(())
        };
        let outcome = work.await;
        self.note(outcome.is_ok());
        if outcome.is_ok() {
            self.written.fetch_add(u64::try_from(bars.len()).unwrap_or(0), Ordering::Relaxed);
        }
        outcome
    }

    /// Writes minutes of many series. Those that are there stay.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn record(&self, minutes: &[(i32, &TimedBar)]) -> Result<(), StoreError> {
        let moments = minutes.iter().map(|(_, bar)| bar.starts_at);
        let (Some(first), Some(last)) = (moments.clone().min(), moments.clone().max()) else { return Ok(()) };
        let series: Vec<i32> = minutes.iter().map(|(series, _)| *series).collect();
        let moments: Vec<SqlMoment> = moments.map(SqlMoment).collect();
        let prices = |of: fn(&TimedBar) -> Price| -> Vec<SqlPrice> {
            minutes.iter().map(|(_, bar)| SqlPrice(of(bar))).collect()
        };
        let (open, high) = (prices(|bar| bar.open), prices(|bar| bar.high));
        let (low, close) = (prices(|bar| bar.low), prices(|bar| bar.close));
        let volumes: Vec<i64> =
            minutes.iter().map(|(_, bar)| i64::try_from(bar.volume).unwrap_or(i64::MAX)).collect();
        self.bounded(READ_TIMEOUT, |link| async move {
            link.client.execute(MAKE_PARTITIONS, &[&SqlMoment(first), &SqlMoment(last)]).await?;
            link.client.execute(RECORD, &[&series, &moments, &open, &high, &low, &close, &volumes]).await?;
            Ok(())
        })
        .await?;
        self.written.fetch_add(u64::try_from(minutes.len()).unwrap_or(0), Ordering::Relaxed);
        Ok(())
    }

    /// Forgets bars shorter than a day that are older than this, by whole months.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_minutes(&self, before: DateTime<Utc>) -> Result<i32, StoreError> {
        self.bounded(WRITE_TIMEOUT, |link| async move {
            let row =
                link.client.query_one("SELECT market.forget_minutes($1)", &[&SqlMoment(before)]).await?;
            Ok(row.try_get(0)?)
        })
        .await
    }

    /// Calls the database with a bound on the time, and leaves it alone after a failure.
    async fn bounded<T, F: Future<Output = Result<T, StoreError>>>(
        &self,
        limit: Duration,
        call: impl FnOnce(Arc<Prepared>) -> F,
    ) -> Result<T, StoreError> {
        let link = self.link().await?;
        let outcome = timeout(limit, call(link)).await.unwrap_or(Err(StoreError::Slow));
        self.note(outcome.is_ok());
        if outcome.is_err() {
            let mut link = self.link.lock().await;
            link.prepared = None;
            link.rest_until = Some(Instant::now() + RETRY_PAUSE);
        }
        outcome
    }

    async fn link(&self) -> Result<Arc<Prepared>, StoreError> {
        let mut link = self.link.lock().await;
        if let Some(prepared) = link.prepared.as_ref().filter(|prepared| !prepared.client.is_closed()) {
            return Ok(Arc::clone(prepared));
        }
        link.prepared = None;
        if link.rest_until.is_some_and(|until| until > Instant::now()) {
            return Err(StoreError::Resting);
        }
        let prepared = timeout(CONNECT_TIMEOUT, prepare(&self.config)).await.unwrap_or(Err(StoreError::Slow));
        match prepared {
            Ok(prepared) => {
                let prepared = Arc::new(prepared);
                *link = Link { prepared: Some(Arc::clone(&prepared)), rest_until: None };
                Ok(prepared)
            }
            Err(error) => {
                link.rest_until = Some(Instant::now() + RETRY_PAUSE);
                self.note(false);
                Err(error)
            }
        }
    }

    fn note(&self, worked: bool) {
        let before = self.reachable.swap(worked, Ordering::Relaxed);
        if !worked && (self.failures.fetch_add(1, Ordering::Relaxed) == 0 || before) {
            tracing::warn!("the store of bars does not work; answering from the providers alone");
        }
    }
}

fn gap(row: &Row) -> Option<(NaiveDate, NaiveDate)> {
    let first: SqlDay = row.try_get(1).ok()?;
    let after: SqlDay = row.try_get(2).ok()?;
    Some((first.0, after.0.pred_opt()?))
}

fn bar(row: &Row) -> Result<TimedBar, tokio_postgres::Error> {
    let price = |column: usize| row.try_get(column).map(|SqlPrice(price)| price);
    let volume: i64 = row.try_get(5)?;
    Ok(TimedBar {
        starts_at: row.try_get::<_, SqlMoment>(0)?.0,
        open: price(1)?,
        high: price(2)?,
        low: price(3)?,
        close: price(4)?,
        volume: u64::try_from(volume).unwrap_or(0),
    })
}

async fn connect(config: &Config) -> Result<Client, StoreError> {
    let (client, connection) =
        timeout(CONNECT_TIMEOUT, config.connect(NoTls)).await.map_err(|_| StoreError::Slow)??;
    // It ends when the client is dropped.
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "connection to the database ended");
        }
    });
    Ok(client)
}

async fn prepare(config: &Config) -> Result<Prepared, StoreError> {
    let client = connect(config).await?;
    Ok(Prepared {
        find: client.prepare(FIND).await?,
        make: client.prepare(MAKE).await?,
        daily: client.prepare(READ_DAILY).await?,
        minutes: client.prepare(READ_MINUTES).await?,
        client,
    })
}

/// Loads one chunk inside the transaction of a connection: straight into the table where nothing is yet, else beside it
/// and then over, so that bars that are there stay.
async fn load(client: &Client, series: i32, interval: Interval, bars: &[TimedBar]) -> Result<(), StoreError> {
    let (Some(first), Some(last)) = (bars.first(), bars.last()) else { return Ok(()) };
    let (first, last) = (SqlMoment(first.starts_at), SqlMoment(last.starts_at));
    let table = if interval == Interval::OneDay { "market.daily_bars" } else { "market.minute_bars" };
    let partitions = format!("SELECT market.make_partitions('{table}', $1, $2)");
    client.execute(&partitions, &[&first, &last]).await?;
    let there =
        format!("SELECT EXISTS (SELECT FROM {table} WHERE series_id = $1 AND starts_at BETWEEN $2 AND $3)");
    let occupied: bool = client.query_one(&there, &[&series, &first, &last]).await?.try_get(0)?;
    if !occupied {
        return copy(client, table, series, bars).await;
    }
    client.batch_execute(&format!("CREATE TEMPORARY TABLE loaded (LIKE {table}) ON COMMIT DROP")).await?;
    copy(client, "loaded", series, bars).await?;
    let over = format!("INSERT INTO {table} SELECT * FROM loaded ON CONFLICT DO NOTHING; DROP TABLE loaded");
    client.batch_execute(&over).await?;
    Ok(())
}

async fn copy(client: &Client, table: &str, series: i32, bars: &[TimedBar]) -> Result<(), StoreError> {
    let columns = "series_id, starts_at, open, high, low, close, volume";
    let sink = client.copy_in(&format!("COPY {table} ({columns}) FROM STDIN (FORMAT binary)")).await?;
    let mut sink = std::pin::pin!(sink);
    let mut buffer = BytesMut::with_capacity(COPY_BUFFER_SIZE + 1_024);
    copy_header(&mut buffer);
    for bar in bars {
        copy_row(&mut buffer, series, bar);
        if buffer.len() >= COPY_BUFFER_SIZE {
            sink.send(buffer.split().freeze()).await?;
        }
    }
    copy_trailer(&mut buffer);
    sink.send(buffer.freeze()).await?;
    sink.as_mut().finish().await?;
    Ok(())
}
