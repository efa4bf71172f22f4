//! The archive: bars of the past, kept in Postgres and asked of a provider once.
//!
//! Whoever reads history calls [`Archive::bars`]. Days that are over and not known yet are fetched, written together
//! with the note that they are known, and never fetched again, however many ask at once. The running day is asked of
//! the provider each time, within [`RUNNING_LIFETIME`]. When Postgres is away the provider answers alone, and what a
//! provider cannot give now is told as incomplete instead of being left out in silence.

pub mod action;
pub mod interval;
pub mod resample;
pub mod store;

use crate::provider::{Provider, ProviderError};
use crate::recorder::Recorded;
pub use action::CorporateAction;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::{Market, Symbol};
use exchange::sessions;
pub use interval::{Adjustment, BarsRequest, Interval, TimedBar};
use resample::resample;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::{SeriesKey, Store, StoreError, StoreStatus};
use tokio::time::Instant;

/// A day is over so long after its last trading: late corrections and a delayed source have arrived.
const SETTLED_AFTER: TimeDelta = TimeDelta::minutes(60);
/// How long bars of the running day serve further requests.
const RUNNING_LIFETIME: Duration = Duration::from_secs(60);
/// How long a source's list of corporate actions serves: they are announced long before.
const ACTIONS_LIFETIME: TimeDelta = TimeDelta::hours(12);
/// Most answers about running days that are kept.
const RUNNING_MAX: usize = 64;
/// Most series whose fetches are told apart, and whose numbers are remembered.
const TURNS_MAX: usize = 1_024;
/// How long after the start old minutes are looked for first.
const FORGET_DELAY: Duration = Duration::from_secs(60);
/// How often old minutes are looked for.
const FORGET_INTERVAL: Duration = Duration::from_secs(6 * 3_600);

/// Bars and whether they are all there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Oldest first.
    pub bars: Vec<TimedBar>,
    /// Whether every day of the range is known; if not, the provider could not be asked now.
    pub complete: bool,
}

type Turn = Arc<tokio::sync::Mutex<()>>;
type Running = HashMap<(SeriesKey, NaiveDate), (Instant, Vec<TimedBar>)>;

/// The archive.
pub struct Archive {
    store: Store,
    minutes_kept: Option<TimeDelta>,
    turns: Mutex<HashMap<SeriesKey, Turn>>,
    running: Mutex<Running>,
    /// Numbers of series of recorded minutes.
    series: Mutex<HashMap<(Symbol, &'static str), i32>>,
}

impl Archive {
    /// Over a store. Bars shorter than a day are forgotten after `minutes_kept`.
    #[must_use]
    pub fn new(store: Store, minutes_kept: Option<TimeDelta>) -> Self {
        Self {
            store,
            minutes_kept,
            turns: Mutex::default(),
            running: Mutex::default(),
            series: Mutex::default(),
        }
    }

    /// How its store is doing.
    #[must_use]
    pub fn status(&self) -> StoreStatus {
        self.store.status()
    }

    /// Bars of a provider, at most `limit`, the latest ones.
    ///
    /// # Errors
    /// The provider's, when nothing is known and it cannot be asked.
    pub async fn bars(
        &self,
        provider: &Arc<dyn Provider>,
        request: BarsRequest,
        limit: usize,
        now: DateTime<Utc>,
    ) -> Result<Answer, ProviderError> {
        match self.stored(provider, request, limit, now).await {
            Ok(answer) => Ok(answer),
            Err(Failure::Provider(error)) => Err(error),
            Err(Failure::Store(error)) => {
                tracing::debug!(%error, symbol = %request.symbol, "history without the store");
                let bars = latest(provider.bars(request).await?, limit);
                Ok(Answer { bars, complete: true })
            }
        }
    }

    async fn stored(
        &self,
        provider: &Arc<dyn Provider>,
        request: BarsRequest,
        limit: usize,
        now: DateTime<Utc>,
    ) -> Result<Answer, Failure> {
        let market = request.symbol.market();
        let over = last_day_over(market, now);
        let settled = BarsRequest { to: request.to.min(over), ..request };
        let mut answer = Answer { bars: Vec::new(), complete: true };
        if settled.from <= settled.to {
            answer = self.settled(provider, settled, limit).await?;
        }
        let running = BarsRequest { from: request.from.max(next_day(over)), ..request };
        let began = exchange::market_day(market, now);
        if running.from <= running.to.min(began) && exchange::is_trading_day(market, began) {
            match self.running(provider, running).await {
                Ok(bars) => answer.bars.extend(bars),
                // What is over can be shown without what is not.
                Err(error) if answer.bars.is_empty() => return Err(error.into()),
                Err(_) => answer.complete = false,
            }
        }
        answer.bars = latest(answer.bars, limit);
        Ok(answer)
    }

    /// Bars of days that are over.
    async fn settled(
        &self,
        provider: &Arc<dyn Provider>,
        request: BarsRequest,
        limit: usize,
    ) -> Result<Answer, Failure> {
        let key = key(provider, &request);
        let market = request.symbol.market();
        let moments = interval::moments(market, request.interval, request.from, request.to);
        let mut found = self.store.find(&key, request.from, request.to).await?;
        if !found.missing.is_empty() {
            if let Some(bars) = self.made_of_minutes(provider, &request, limit).await? {
                return Ok(Answer { bars, complete: true });
            }
            let turn = self.turn(&key);
            let _mine = turn.lock().await;
            // Whoever had the turn before may have asked for the same.
            found = self.store.find(&key, request.from, request.to).await?;
            for (from, to) in &found.missing {
                let gap = BarsRequest { from: *from, to: *to, ..request };
                match self.fill(provider, found.id, gap).await {
                    Ok(()) => {}
                    Err(Failure::Provider(error)) => {
                        let known = self.store.read(found.id, request.interval, moments, limit).await?;
                        if known.is_empty() {
                            return Err(error.into());
                        }
                        return Ok(Answer { bars: known, complete: false });
                    }
                    Err(failure) => return Err(failure),
                }
            }
        }
        let bars = self.store.read(found.id, request.interval, moments, limit).await?;
        Ok(Answer { bars, complete: true })
    }

    /// Asks the provider for a gap and closes it, also where there is nothing in it.
    async fn fill(
        &self,
        provider: &Arc<dyn Provider>,
        series: i32,
        request: BarsRequest,
    ) -> Result<(), Failure> {
        let (first, after) =
            interval::moments(request.symbol.market(), request.interval, request.from, request.to);
        let mut bars = provider.bars(request).await?;
        bars.retain(|bar| first <= bar.starts_at && bar.starts_at < after && bar.is_consistent());
        bars.sort_by_key(|bar| bar.starts_at);
        bars.dedup_by_key(|bar| bar.starts_at);
        let covered = Some((request.from, request.to));
        self.store.write(series, request.interval, &bars, covered).await?;
        tracing::debug!(symbol = %request.symbol, bars = bars.len(), from = %request.from, to = %request.to, "gap filled");
        Ok(())
    }

    /// Longer bars out of minutes, where all the minutes are known already.
    async fn made_of_minutes(
        &self,
        provider: &Arc<dyn Provider>,
        request: &BarsRequest,
        limit: usize,
    ) -> Result<Option<Vec<TimedBar>>, Failure> {
        let intraday = !matches!(request.interval, Interval::OneMinute | Interval::OneDay);
        if !intraday || !provider.capabilities().intervals.contains(&Interval::OneMinute) {
            return Ok(None);
        }
        let minutes = BarsRequest { interval: Interval::OneMinute, ..*request };
        let found = self.store.find(&key(provider, &minutes), request.from, request.to).await?;
        if !found.missing.is_empty() {
            return Ok(None);
        }
        let market = request.symbol.market();
        let moments = interval::moments(market, Interval::OneMinute, request.from, request.to);
        let each = usize::try_from(request.interval.minutes()).unwrap_or(1);
        // One bucket more than asked for, because the oldest may be cut.
        let most = limit.saturating_add(1).saturating_mul(each);
        let bars = self.store.read(found.id, Interval::OneMinute, moments, most).await?;
        Ok(Some(latest(resample(market, &bars, request.interval), limit)))
    }

    /// Bars of days that are not over.
    async fn running(
        &self,
        provider: &Arc<dyn Provider>,
        request: BarsRequest,
    ) -> Result<Vec<TimedBar>, ProviderError> {
        let place = (key(provider, &request), request.from);
        if let Some(bars) = self.kept(&place) {
            return Ok(bars);
        }
        let bars = provider.bars(request).await?;
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        running.retain(|_, (until, _)| *until > now);
        if running.len() < RUNNING_MAX {
            running.insert(place, (now + RUNNING_LIFETIME, bars.clone()));
        }
        Ok(bars)
    }

    fn kept(&self, place: &(SeriesKey, NaiveDate)) -> Option<Vec<TimedBar>> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.get(place).filter(|(until, _)| *until > Instant::now()).map(|(_, bars)| bars.clone())
    }

    fn turn(&self, key: &SeriesKey) -> Turn {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.len() >= TURNS_MAX {
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        }
        Arc::clone(turns.entry(key.clone()).or_default())
    }

    /// Keeps minutes that were put together here. Their days are not noted as known: nobody says that there was no gap.
    ///
    /// # Errors
    /// [`StoreError`]; some may be written then, and may be written again.
    pub(crate) async fn record(&self, recorded: &[Recorded]) -> Result<(), StoreError> {
        let mut minutes = Vec::with_capacity(recorded.len());
        for Recorded { symbol, source, bar } in recorded {
            minutes.push((self.recorded_series(*symbol, source).await?, bar));
        }
        self.store.record(&minutes).await
    }

    /// Bars out of recorded minutes, at most `limit`, the latest ones.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn recorded(
        &self,
        source: &'static str,
        request: BarsRequest,
        limit: usize,
    ) -> Result<Vec<TimedBar>, StoreError> {
        let series = self.recorded_series(request.symbol, source).await?;
        let market = request.symbol.market();
        let moments = interval::moments(market, Interval::OneMinute, request.from, request.to);
        let each = usize::try_from(request.interval.minutes()).unwrap_or(1);
        // One bucket more than asked for, because the oldest may be cut.
        let most = limit.saturating_add(1).saturating_mul(each);
        let minutes = self.store.read(series, Interval::OneMinute, moments, most).await?;
        Ok(latest(resample::by_the_clock(&minutes, request.interval), limit))
    }

    /// The corporate actions of a share as its provider tells them, and whether they are all that it would tell now.
    ///
    /// # Errors
    /// The provider's, when nothing is known and it cannot be asked.
    pub(crate) async fn actions(
        &self,
        provider: &Arc<dyn Provider>,
        symbol: Symbol,
        now: DateTime<Utc>,
    ) -> Result<(Vec<CorporateAction>, bool), ProviderError> {
        let known = self.store.actions(symbol, provider.name()).await;
        if let Ok(Some((asked_at, actions))) = &known
            && now - *asked_at < ACTIONS_LIFETIME
        {
            return Ok((actions.clone(), true));
        }
        match (provider.actions(symbol).await, known) {
            (Ok(told), known) => {
                let actions = action::in_order(told);
                if known.is_ok() {
                    let kept = self.store.replace_actions(symbol, provider.name(), now, &actions).await;
                    kept.unwrap_or_else(
                        |error| tracing::debug!(%error, %symbol, "corporate actions not kept"),
                    );
                }
                Ok((actions, true))
            }
            (Err(_), Ok(Some((_, actions)))) => Ok((actions, false)),
            (Err(error), _) => Err(error),
        }
    }

    /// The number of a series of recorded minutes.
    async fn recorded_series(&self, symbol: Symbol, source: &'static str) -> Result<i32, StoreError> {
        let known = |archive: &Self| archive.series().get(&(symbol, source)).copied();
        if let Some(id) = known(self) {
            return Ok(id);
        }
        let key = SeriesKey {
            symbol,
            source: source.to_owned(),
            interval: Interval::OneMinute,
            adjustment: Adjustment::Raw,
        };
        let day = DateTime::UNIX_EPOCH.date_naive();
        let id = self.store.find(&key, day, day).await?.id;
        let mut series = self.series();
        if series.len() >= TURNS_MAX {
            series.clear();
        }
        series.insert((symbol, source), id);
        Ok(id)
    }

    fn series(&self) -> MutexGuard<'_, HashMap<(Symbol, &'static str), i32>> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Loads bars that come from somewhere else, oldest first, into a series; its days are not noted as known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn load(&self, key: &SeriesKey, bars: &[TimedBar]) -> Result<(), StoreError> {
        let day = chrono::DateTime::UNIX_EPOCH.date_naive();
        let found = self.store.find(key, day, day).await?;
        self.store.write(found.id, key.interval, bars, None).await
    }

    /// Forgets old minutes now and then, until stopped.
    pub async fn forget_old(&self) {
        let Some(kept) = self.minutes_kept else { return };
        // Not at once: the backend may be making the tables.
        tokio::time::sleep(FORGET_DELAY).await;
        loop {
            match self.store.forget_minutes(Utc::now() - kept).await {
                Ok(0) => {}
                Ok(parts) => tracing::info!(parts, "old minutes forgotten"),
                Err(error) => tracing::debug!(%error, "old minutes stay"),
            }
            tokio::time::sleep(FORGET_INTERVAL).await;
        }
    }
}

/// Why the archive did not answer.
enum Failure {
    Provider(ProviderError),
    Store(StoreError),
}

impl From<ProviderError> for Failure {
    fn from(error: ProviderError) -> Self {
        Self::Provider(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn key(provider: &Arc<dyn Provider>, request: &BarsRequest) -> SeriesKey {
    SeriesKey {
        symbol: request.symbol,
        source: provider.name().to_owned(),
        interval: request.interval,
        adjustment: request.adjustment,
    }
}

fn latest(mut bars: Vec<TimedBar>, limit: usize) -> Vec<TimedBar> {
    let surplus = bars.len().saturating_sub(limit);
    bars.drain(..surplus);
    bars
}

fn next_day(day: NaiveDate) -> NaiveDate {
    day.succ_opt().unwrap_or(day)
}

/// The last day whose bars will not change any more: today once its evening is over, else the day before.
fn last_day_over(market: Market, now: DateTime<Utc>) -> NaiveDate {
    let today = exchange::market_day(market, now);
    let ended = match exchange::trading_day(market, today) {
        Some(day) => now >= day.after.to + SETTLED_AFTER,
        // Nothing more comes on a day without trading.
        None => true,
    };
    if ended { today } else { today.pred_opt().unwrap_or(today) }
}

/// The first day of a range that holds so many bars up to its last: generously, across holidays.
#[must_use]
pub fn first_day_for(symbol: Symbol, interval: Interval, to: NaiveDate, limit: usize) -> NaiveDate {
    let market = symbol.market();
    let ordinary = sessions::ordinary_hours(market, to);
    let session_minutes = (ordinary.close - ordinary.open).num_minutes().max(1);
    let per_day = (session_minutes / i64::from(interval.minutes())).max(1);
    let sessions = i64::try_from(limit).unwrap_or(i64::MAX / 4).div_euclid(per_day).saturating_add(1);
    // Five sessions a week, fewer by some sixteen holidays a year, and a week and a half for the longest of them.
    let days = sessions.saturating_mul(7).div_euclid(5).saturating_add(sessions / 10).saturating_add(10);
    to.checked_sub_days(chrono::Days::new(u64::try_from(days).unwrap_or(0))).unwrap_or(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_over_after_its_evening() {
        let over = |market, now: &str| last_day_over(market, now.parse().unwrap()).to_string();
        assert_eq!(over(Market::Us, "2026-11-20T21:30:00Z"), "2026-11-19", "the evening still trades");
        assert_eq!(over(Market::Us, "2026-11-21T02:00:00Z"), "2026-11-20");
        assert_eq!(
            over(Market::Us, "2026-11-21T17:00:00Z"),
            "2026-11-21",
            "a Saturday has nothing to wait for"
        );
        assert_eq!(over(Market::Krx, "2026-11-20T12:00:00Z"), "2026-11-20");
        assert_eq!(over(Market::Krx, "2026-11-19T23:59:00Z"), "2026-11-19");
    }

    #[test]
    fn a_range_by_count_is_wide_enough() {
        let to: NaiveDate = "2026-11-20".parse().unwrap();
        for (symbol, interval, limit) in [
            ("AAPL", Interval::OneDay, 2_520usize),
            ("005930.KS", Interval::OneDay, 500),
            ("AAPL", Interval::OneMinute, 8_190),
            ("005930.KS", Interval::OneHour, 100),
        ] {
            let symbol: Symbol = symbol.parse().unwrap();
            let from = first_day_for(symbol, interval, to, limit);
            let sessions = from
                .iter_days()
                .take_while(|day| *day <= to)
                .filter(|day| exchange::is_trading_day(symbol.market(), *day))
                .count();
            let per_day = (390 / usize::try_from(interval.minutes()).unwrap()).max(1);
            assert!(sessions * per_day >= limit, "{symbol} {interval:?}: {sessions} sessions");
            assert!(sessions * per_day <= limit * 3 / 2 + 20 * per_day, "{symbol} {interval:?}: {sessions}");
        }
    }
}
