//! Plays recorded days as if they were today: real prices without a network.
//!
//! What is played is a function of the time of play and the settings, and of nothing else. The time of play stands
//! still while the server does, and [`bookmark`] keeps it over a restart. All shares of one market play the same recorded day; one that has no good row for it keeps its last price and its last time, so
//! nobody takes the price for a new one. History ends where the play is: the future stays unknown.

mod bookmark;
mod clock;
mod columns;
mod csv;
mod folder;
mod path;
mod row;
mod tape;

use super::{
    Capabilities, HistoryRange, PlayCommand, PlayState, Provider, ProviderError, ProviderReport, Update,
    Wanted,
};
use crate::bars::Adjustment;
use crate::cache::Cache;
use crate::grid;
use crate::settings::{ReplaySettings, Settings};
use async_trait::async_trait;
use bookmark::{Bookmark, Resumed};
use chrono::{NaiveDate, Utc};
use clock::Clock;
pub use clock::{SPEED_PERCENT_MAX, SPEED_PERCENT_MIN};
use domain::{Bar, Market, Quote, Symbol};
pub use path::{DayUnits, walk};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
pub use tape::{Record, Session, Tape};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

/// Its name in settings and quotes.
pub const NAME: &str = "replay";

/// Recorded days that come with the program.
const SHIPPED: &str = include_str!("../../../data/us-daily.csv");
/// The place of the play is kept at least this often, however rarely prices come.
const KEPT_EVERY: Duration = Duration::from_secs(1);

/// Where the play is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Recorded days completed since the play began.
    pub session: u64,
    /// Ticks completed in the running day; the tick of this number is the current one.
    pub tick: usize,
}

/// What is played where, and when.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    session: Duration,
    ticks: u32,
}

impl Pace {
    /// So many ticks in so long a day.
    #[must_use]
    pub const fn new(settings: &ReplaySettings) -> Self {
        Self { session: settings.session, ticks: settings.ticks_per_session }
    }

    fn ticks(self) -> usize {
        usize::try_from(self.ticks).unwrap_or(usize::MAX)
    }

    /// Where the play is after so much time of play.
    #[must_use]
    pub fn position(self, elapsed: Duration) -> Position {
        let (elapsed, session) = (elapsed.as_micros(), self.session.as_micros().max(1));
        let tick = (elapsed % session).saturating_mul(u128::from(self.ticks)) / session;
        Position {
            session: u64::try_from(elapsed / session).unwrap_or(u64::MAX),
            tick: usize::try_from(tick).unwrap_or(usize::MAX),
        }
    }

    /// When a position begins, as time of play.
    #[must_use]
    pub fn begins(self, position: Position) -> Duration {
        let session = self.session.as_micros();
        let within = session
            .saturating_mul(u128::try_from(position.tick).unwrap_or(0))
            .div_ceil(u128::from(self.ticks.max(1)));
        let micros = session.saturating_mul(u128::from(position.session)).saturating_add(within);
        Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    /// The position after this one.
    #[must_use]
    pub fn next(self, position: Position) -> Position {
        if position.tick.saturating_add(1) < self.ticks() {
            Position { tick: position.tick.saturating_add(1), ..position }
        } else {
            Position { session: position.session.saturating_add(1), tick: 0 }
        }
    }
}

/// The prices of a day, in units, in the order they are played.
type Path = Arc<[i64]>;

/// A recorded day on its way, as far as it has been played.
struct Played<'a> {
    session: &'a Session,
    price: i64,
    high: i64,
    low: i64,
    volume: u64,
    /// Position at which the price came.
    position: Position,
}

/// The provider.
pub struct Replay {
    tape: Tape,
    pace: Pace,
    clock: Mutex<Clock>,
    /// The clock was set.
    clock_changed: Notify,
    bookmark: Option<Bookmark>,
    notes: Vec<String>,
    /// The path of the day each share plays, so that it is computed once a day.
    paths: Mutex<HashMap<Symbol, (NaiveDate, Path)>>,
}

/// Opens the shipped or the configured record.
///
/// # Errors
/// [`ProviderError::Unusable`] when there is nothing to play.
pub fn open(settings: &Settings, _: &Arc<Cache>) -> Result<Arc<dyn Provider>, ProviderError> {
    let (tape, notes) = match &settings.replay.folder {
        None => (folder::read([SHIPPED], "the shipped record")?, vec!["plays the shipped record".to_owned()]),
        Some(folder) => folder::read_folder(folder)?,
    };
    Ok(Arc::new(Replay::new(tape, notes, &settings.replay)?))
}

impl Replay {
    /// Starts playing now, where an earlier process has stopped.
    ///
    /// # Errors
    /// [`ProviderError::Unusable`] when there is nothing to play from the configured day on, or when the place of the
    /// play can not be kept in the configured file.
    pub fn new(
        mut tape: Tape,
        mut notes: Vec<String>,
        settings: &ReplaySettings,
    ) -> Result<Self, ProviderError> {
        if tape.symbols().is_empty() {
            return Err(ProviderError::Unusable("the record to replay holds no good row".to_owned()));
        }
        if let Some(start) = settings.start {
            tape.start_at(start).map_err(|(market, last)| {
                let message =
                    format!("GAEMI_REPLAY_START {start} is after the last recorded day of {market}, {last}");
                ProviderError::Unusable(message)
            })?;
        }
        let rejected: u64 = tape.rejected.values().sum();
        tracing::info!(shares = tape.symbols().len(), rows = tape.accepted, rejected, "record read");
        for (reason, rows) in &tape.rejected {
            tracing::info!(reason = reason.name(), rows, "recorded rows that are never played");
        }
        let pace = Pace::new(settings);
        let resumed = match &settings.state {
            None => None,
            Some(file) => Some(Bookmark::open(file, tape.identity(), pace).map_err(|error| {
                let message = format!("GAEMI_REPLAY_STATE {}: {error}", file.display());
                ProviderError::Unusable(message)
            })?),
        };
        let (bookmark, played_before) = match resumed {
            None => (None, Duration::ZERO),
            Some(Resumed { bookmark, played, note }) => {
                if let Some(note) = note {
                    tracing::warn!("the replay begins anew: {note}");
                    notes.push(format!("began anew: {note}"));
                }
                tracing::info!(sessions = pace.position(played).session, "days played before");
                (Some(bookmark), played)
            }
        };
        Ok(Self {
            tape,
            pace,
            clock: Mutex::new(Clock::new(played_before, Instant::now(), Utc::now())),
            clock_changed: Notify::new(),
            bookmark,
            notes,
            paths: Mutex::default(),
        })
    }

    fn clock(&self) -> Clock {
        *self.clock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Time of play until now.
    fn elapsed(&self) -> Duration {
        self.clock().played(Instant::now())
    }

    /// Where the play is now; whoever restarts after this moment does not go back behind it.
    async fn advance(&self) -> Position {
        let clock = self.clock();
        let elapsed = clock.played(Instant::now());
        if let Some(bookmark) = self.bookmark.as_ref().filter(|_| !clock.is_paused()) {
            bookmark.reach(elapsed, clock.speed_percent()).await;
        }
        self.pace.position(elapsed)
    }

    /// The time of play at which a day begins, or the first one after it that is played: the record's first market counts.
    fn begins_on(&self, day: NaiveDate) -> Option<Duration> {
        let symbol = *self.tape.symbols().first()?;
        let calendar = self.tape.calendar(symbol.market())?;
        let session = calendar.session_of(day)?;
        Some(self.pace.begins(Position { session, tick: 0 }))
    }

    async fn set(&self, command: PlayCommand) -> Result<(), ProviderError> {
        let (now, wall) = (Instant::now(), Utc::now());
        {
            let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
            match command {
                PlayCommand::Pause => clock.pause(now, wall),
                PlayCommand::Resume => clock.resume(now, wall),
                PlayCommand::Speed(percent) => clock.set_speed(percent, now, wall),
                PlayCommand::Seek(day) => {
                    let played =
                        self.begins_on(day).ok_or(ProviderError::Unsupported("a day after the record"))?;
                    clock.seek(played, now, wall);
                }
            }
        }
        if let Some(bookmark) = &self.bookmark {
            bookmark.set(self.elapsed()).await;
        }
        self.clock_changed.notify_one();
        Ok(())
    }

    fn state(&self) -> PlayState {
        let (clock, position) = (self.clock(), self.pace.position(self.elapsed()));
        let day = |market| self.tape.calendar(market)?.day(position.session);
        PlayState {
            paused: clock.is_paused(),
            speed_percent: clock.speed_percent(),
            sessions_played: position.session,
            krx_session: day(Market::Krx),
            us_session: day(Market::Us),
        }
    }

    fn path(&self, symbol: Symbol, session: &Session) -> Path {
        let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        match paths.get(&symbol) {
            Some((date, path)) if *date == session.date => Arc::clone(path),
            _ => {
                // The recorded day is the seed: played again, it goes the same way.
                let seed = u64::try_from(session.date.to_epoch_days()).unwrap_or(0);
                let path: Path = walk(session.day, symbol, self.pace.ticks(), seed).into();
                paths.insert(symbol, (session.date, Arc::clone(&path)));
                path
            }
        }
    }

    /// What a share has played at a position; a share without a row for the day has completed its last good one.
    fn played(&self, symbol: Symbol, position: Position) -> Option<Played<'_>> {
        let calendar = self.tape.calendar(symbol.market())?;
        let day = calendar.day(position.session)?;
        let session = self.tape.session_until(symbol, day)?;
        let path = self.path(symbol, session);
        let missed = u64::try_from(calendar.distance(session.date, day)).unwrap_or(u64::MAX);
        let position = match position.session.checked_sub(missed) {
            Some(_) if missed == 0 => position,
            last => Position { session: last.unwrap_or(0), tick: path.len().saturating_sub(1) },
        };
        let done = path.get(..=position.tick.min(path.len().saturating_sub(1)))?;
        let part = u128::from(session.volume).saturating_mul(u128::try_from(done.len()).unwrap_or(0));
        let volume = part.checked_div(u128::try_from(path.len()).unwrap_or(1)).unwrap_or(0);
        Some(Played {
            session,
            price: *done.last()?,
            high: *done.iter().max()?,
            low: *done.iter().min()?,
            volume: u64::try_from(volume).unwrap_or(u64::MAX).max(1),
            position,
        })
    }

    fn quote(&self, symbol: Symbol, position: Position) -> Option<Quote> {
        let market = symbol.market();
        let played = self.played(symbol, position)?;
        Some(Quote {
            symbol,
            price: grid::price(played.price)?,
            bid: grid::price(played.price.saturating_sub(grid::tick_below(market, played.price))),
            ask: grid::price(played.price.saturating_add(grid::tick(market, played.price))),
            previous_close: grid::price(played.session.previous_close),
            volume: played.volume,
            currency: symbol.currency(),
            session_date: played.session.date,
            open: grid::price(played.session.day.open)?,
            high: grid::price(played.high)?,
            low: grid::price(played.low)?,
            at: self.clock().at(self.pace.begins(played.position)),
            source: NAME.to_owned(),
            simulated: false,
            delayed: true,
        })
    }

    fn history_at(
        &self,
        symbol: Symbol,
        position: Position,
        range: HistoryRange,
    ) -> Result<Vec<Bar>, ProviderError> {
        let played = self.played(symbol, position).ok_or(ProviderError::UnknownSymbol(symbol))?;
        let running = Bar {
            volume: played.volume,
            open: grid::price(played.session.day.open).ok_or(ProviderError::UnknownSymbol(symbol))?,
            high: grid::price(played.high).ok_or(ProviderError::UnknownSymbol(symbol))?,
            low: grid::price(played.low).ok_or(ProviderError::UnknownSymbol(symbol))?,
            close: grid::price(played.price).ok_or(ProviderError::UnknownSymbol(symbol))?,
            date: played.session.date,
        };
        let completed =
            self.tape.sessions_before(symbol, played.session.date).iter().rev().filter_map(Session::bar);
        let latest = std::iter::once(running).chain(completed).filter(|bar| range.contains(bar.date));
        let mut bars: Vec<_> = latest.take(range.limit).collect();
        bars.reverse();
        Ok(bars)
    }

    async fn send(
        &self,
        symbols: impl Iterator<Item = Symbol>,
        position: Position,
        updates: &mpsc::Sender<Update>,
    ) -> bool {
        for symbol in symbols {
            if let Some(quote) = self.quote(symbol, position)
                && updates.send(Update::Quote(Box::new(quote))).await.is_err()
            {
                return false;
            }
        }
        true
    }
}

#[async_trait]
impl Provider for Replay {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            simulated: false,
            delayed: true,
            history: true,
            bid_ask: true,
            order_book: false,
            recorded: true,
            search: false,
            intervals: &[],
            adjustments: &[Adjustment::Raw],
        }
    }

    fn instruments(&self) -> Vec<Symbol> {
        self.tape.symbols().into_iter().filter(|symbol| self.supports(*symbol)).collect()
    }

    fn supports(&self, symbol: Symbol) -> bool {
        self.played(symbol, self.pace.position(self.elapsed())).is_some()
    }

    async fn probe(&self) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn run(
        &self,
        mut wanted: watch::Receiver<Wanted>,
        updates: mpsc::Sender<Update>,
    ) -> Result<(), ProviderError> {
        let (mut known, mut told) = (BTreeSet::new(), None);
        loop {
            let now = wanted.borrow_and_update().clone();
            let position = self.advance().await;
            let moves = |symbol: &Symbol| {
                told != Some(position)
                    && self.played(*symbol, position).is_some_and(|played| played.position == position)
            };
            let due: Vec<_> =
                now.iter().copied().filter(|symbol| !known.contains(symbol) || moves(symbol)).collect();
            if !self.send(due.into_iter(), position, &updates).await {
                return Ok(());
            }
            (known, told) = (now.as_ref().clone(), Some(position));
            // The play goes on, and its place is kept, also while nobody looks.
            let next = self.clock().moment(self.pace.begins(self.pace.next(position)));
            let latest = Instant::now() + KEPT_EVERY;
            tokio::select! {
                changed = wanted.changed() => if changed.is_err() { return Ok(()) },
                () = self.clock_changed.notified() => {}
                () = tokio::time::sleep_until(next.map_or(latest, |next| next.min(latest))) => {}
            }
        }
    }

    async fn history(&self, symbol: Symbol, range: HistoryRange) -> Result<Vec<Bar>, ProviderError> {
        self.history_at(symbol, self.pace.position(self.elapsed()), range)
    }

    async fn play(&self, command: Option<PlayCommand>) -> Result<PlayState, ProviderError> {
        if let Some(command) = command {
            self.set(command).await?;
        }
        Ok(self.state())
    }

    fn report(&self) -> ProviderReport {
        ProviderReport {
            accepted: self.tape.accepted,
            rejected: self.tape.rejected.iter().map(|(reason, rows)| (reason.name(), *rows)).collect(),
            notes: self.notes.clone(),
        }
    }
}

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tests;
