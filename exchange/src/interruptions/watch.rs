//! What of a market's interruptions can be seen in the prices of one share.

use super::bands::{Band, Part, band, is_step};
use super::mean::Mean;
use crate::phases::{Span, evening, trading_day};
use crate::simulation::{Trading, even};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::{Market, Price, Quote, Symbol};

/// A volatility interruption of KRX is an auction of two minutes with up to thirty seconds more, at random (the
/// Korean encyclopaedia's entry on volatility interruptions, as of 2026).
const VOLATILITY_LASTS: TimeDelta = TimeDelta::minutes(2);
const VOLATILITY_RANDOM_SECONDS_MAX: u32 = 30;
/// An American pause (general knowledge, unverified). That it may be made longer is not drawn.
const PAUSE_LASTS: TimeDelta = TimeDelta::minutes(5);
/// How long an American price stays at its band before the pause (general knowledge, unverified).
const LIMIT_STATE_LASTS: TimeDelta = TimeDelta::seconds(15);
/// Prices further apart than this do not follow each other trade by trade.
const STEP_AGE_MAX: TimeDelta = TimeDelta::seconds(10);

/// What interrupts trading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InterruptionKind {
    /// KRX's volatility interruption.
    Volatility,
    /// The pause after an American price has stayed at its band.
    Pause,
}

impl InterruptionKind {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Volatility, Self::Pause];

    /// The stable word, which is also the reason in reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Volatility => "volatility_interruption",
            Self::Pause => "trading_pause",
        }
    }

    /// The kind of a stored word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    const fn lasts(self) -> TimeDelta {
        match self {
            Self::Volatility => VOLATILITY_LASTS,
            Self::Pause => PAUSE_LASTS,
        }
    }

    /// How much longer it lasts. What is random follows from the share and the moment.
    fn longer(self, symbol: Symbol, began_at: DateTime<Utc>) -> TimeDelta {
        let Self::Volatility = self else { return TimeDelta::zero() };
        let name = symbol.as_str().bytes().fold(0_u64, |sum, byte| sum.rotate_left(8) ^ u64::from(byte));
        let drawn = even(name ^ began_at.timestamp_micros().unsigned_abs());
        TimeDelta::seconds(i64::from(drawn % (VOLATILITY_RANDOM_SECONDS_MAX + 1)))
    }
}

/// A time in which nothing is matched continuously. It ends with a price for all who wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interruption {
    /// What interrupts.
    pub kind: InterruptionKind,
    /// From when on.
    pub began_at: DateTime<Utc>,
    /// The first price from here on ends it.
    pub ends_at: DateTime<Utc>,
}

/// What has to be known of a market after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarketState {
    /// The session that this is about.
    pub session_date: NaiveDate,
    /// Its hours; absent where prices have no real time.
    pub span: Option<Span>,
    /// The price from which bands are drawn.
    pub reference: Price,
    /// Since when an American price has been at its band.
    pub limit_since: Option<DateTime<Utc>>,
    /// The interruption that lasts.
    pub interruption: Option<Interruption>,
}

impl Band {
    /// The band of a market at a moment of its clock, where the close before is not known.
    #[must_use]
    pub fn around(symbol: Symbol, state: &MarketState, at: DateTime<Utc>) -> Option<Self> {
        let session = Session { date: state.session_date, span: state.span };
        band(symbol, state.reference, None, (session.part(at), session.date))
    }
}

/// A session in which trading can be interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Session {
    date: NaiveDate,
    span: Option<Span>,
}

impl Session {
    fn of(quote: &Quote) -> Option<Self> {
        let (market, date) = (quote.symbol.market(), quote.session_date);
        let span = match Trading::at(quote) {
            Trading::Nothing | Trading::ClosingPrice => return None,
            Trading::AtAnyHour => None,
            Trading::Regular => Some(trading_day(market, date)?.regular),
            Trading::AfterMarket => Some(evening(market, date)?.after_market?),
        };
        Some(Self { date, span })
    }

    fn holds(&self, quote: &Quote) -> bool {
        self.date == quote.session_date && self.span.is_none_or(|span| span.contains(quote.at))
    }

    fn part(&self, at: DateTime<Utc>) -> Part {
        self.span.map_or(Part::Middle, |span| Part::at(at - span.from, span.to - at))
    }
}

/// How orders meet a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As ever.
    Continuous,
    /// Not at all.
    Interrupted,
    /// All who waited meet it as the one price of an auction.
    Uncrossed,
}

/// What a price says about interruptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sight {
    pub(crate) mode: Mode,
    /// Where continuous trading goes on.
    pub(crate) band: Option<Band>,
    /// An interruption that has begun with it.
    pub(crate) began: Option<Interruption>,
    /// Whether one has ended with it of which the end was not told.
    pub(crate) has_ended: bool,
}

/// A band and what it was drawn from.
#[derive(Debug, Clone, Copy)]
struct Drawn {
    reference: Price,
    part: Part,
    band: Option<Band>,
}

/// Watches the prices of one share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watch {
    session: Option<Session>,
    reference: Option<Price>,
    drawn: Option<Drawn>,
    mean: Mean,
    limit_since: Option<DateTime<Utc>>,
    interruption: Option<Interruption>,
    /// Whether the end of the interruption was told before its price came.
    end_is_told: bool,
    /// When a trade was last seen, on the market's clock.
    traded_at: Option<DateTime<Utc>>,
    has_changed: bool,
}

impl Watch {
    /// As it was in an earlier life of the process.
    pub(crate) fn restored(state: &MarketState) -> Self {
        Self {
            session: Some(Session { date: state.session_date, span: state.span }),
            reference: Some(state.reference),
            limit_since: state.limit_since,
            interruption: state.interruption,
            ..Self::default()
        }
    }

    /// What has to be written down, if that has changed since it was last asked for.
    pub(crate) fn take_change(&mut self) -> Option<MarketState> {
        if !std::mem::take(&mut self.has_changed) {
            return None;
        }
        let session = self.session?;
        Some(MarketState {
            session_date: session.date,
            span: session.span,
            reference: self.reference?,
            limit_since: self.limit_since,
            interruption: self.interruption,
        })
    }

    /// The interruption that lasts.
    pub(crate) fn interruption(&self, now: DateTime<Utc>) -> Option<Interruption> {
        self.interruption.filter(|interruption| now < interruption.ends_at)
    }

    /// When an interruption ends whose end is still to be told.
    pub(crate) fn next_end(&self) -> Option<DateTime<Utc>> {
        self.interruption.filter(|_| !self.end_is_told).map(|interruption| interruption.ends_at)
    }

    /// Whether the end of an interruption is to be told now; it is only once.
    pub(crate) fn tell_end(&mut self, now: DateTime<Utc>) -> bool {
        let is_due = self.next_end().is_some_and(|at| at <= now);
        self.end_is_told |= is_due;
        is_due
    }

    /// Takes a price that comes after another one.
    pub(crate) fn see(&mut self, last: Option<&Quote>, quote: &Quote, now: DateTime<Utc>) -> Sight {
        let mut has_ended = self.enter(quote);
        let Some(session) = self.session else {
            return Sight { mode: Mode::Continuous, band: None, began: None, has_ended };
        };
        let quiet = self.quiet_before(last, quote);
        let (mode, began) = match self.interruption {
            Some(interruption) if now < interruption.ends_at => (Mode::Interrupted, None),
            Some(_) => {
                has_ended |= !self.end_is_told;
                self.start_from(quote.price);
                (Mode::Uncrossed, None)
            }
            None => match quote.symbol.market() {
                Market::Krx => self.judge_korean(session, last, quote, quiet, now),
                Market::Us => self.judge_american(session, last, quote, quiet, now),
            },
        };
        let band = self.band(session, quote);
        Sight { mode, band, began, has_ended }
    }

    /// Begins anew with a session; says whether an interruption has ended with the one before.
    fn enter(&mut self, quote: &Quote) -> bool {
        if self.session.is_some_and(|session| session.holds(quote)) {
            return false;
        }
        let session = Session::of(quote);
        if session == self.session {
            return false;
        }
        let has_ended = self.next_end().is_some();
        *self = Self { session, has_changed: true, ..Self::default() };
        if let Some(session) = session {
            self.reference = Some(quote.open);
            // One who comes later than the first interruption starts from where the market is.
            let is_far = self.band(session, quote).is_some_and(|band| !band.contains(quote.price));
            let is_at_open =
                Trading::at(quote) != Trading::AfterMarket && quote.symbol.market() == Market::Krx;
            if is_far || !is_at_open {
                self.start_from(quote.price);
            }
        }
        has_ended
    }

    /// How long nothing was traded before what this quote tells; nothing where it tells no trade or nobody looked.
    fn quiet_before(&mut self, last: Option<&Quote>, quote: &Quote) -> Option<TimeDelta> {
        let tells_trade = last.is_none_or(|last| last.volume != quote.volume || last.price != quote.price);
        if !tells_trade {
            return None;
        }
        self.traded_at.replace(quote.at).map(|before| quote.at - before)
    }

    /// Draws bands from a price that an auction, or the session itself, has made.
    fn start_from(&mut self, price: Price) {
        self.reference = Some(price);
        self.mean.clear();
        self.limit_since = None;
        self.interruption = None;
        self.end_is_told = false;
        self.has_changed = true;
    }

    fn band(&mut self, session: Session, quote: &Quote) -> Option<Band> {
        let (reference, part) = (self.reference?, session.part(quote.at));
        if let Some(drawn) = self.drawn.filter(|drawn| drawn.reference == reference && drawn.part == part) {
            return drawn.band;
        }
        let band = band(quote.symbol, reference, quote.previous_close, (part, session.date));
        self.drawn = Some(Drawn { reference, part, band });
        band
    }

    fn judge_korean(
        &mut self,
        session: Session,
        last: Option<&Quote>,
        quote: &Quote,
        quiet: Option<TimeDelta>,
        now: DateTime<Utc>,
    ) -> (Mode, Option<Interruption>) {
        let is_far = self.band(session, quote).is_some_and(|band| !band.contains(quote.price));
        let follows = |last: &&Quote| session.holds(last) && quote.at - last.at <= STEP_AGE_MAX;
        let steps = || {
            let last = last.filter(follows);
            last.is_some_and(|last| is_step(quote.symbol, last.price, quote.price, session.date))
        };
        if !is_far && !steps() {
            return (Mode::Continuous, None);
        }
        self.met(InterruptionKind::Volatility, last, quiet, quote.price).unwrap_or_else(|| {
            (Mode::Interrupted, Some(self.interrupt(InterruptionKind::Volatility, quote, now)))
        })
    }

    fn judge_american(
        &mut self,
        session: Session,
        last: Option<&Quote>,
        quote: &Quote,
        quiet: Option<TimeDelta>,
        now: DateTime<Utc>,
    ) -> (Mode, Option<Interruption>) {
        let Some(band) = self.band(session, quote) else { return (Mode::Continuous, None) };
        let is_inside = band.contains(quote.price);
        if !is_at(band, quote) {
            self.has_changed |= self.limit_since.take().is_some();
            self.follow_mean(quote, now);
            return (Mode::Continuous, None);
        }
        let Some(since) = self.limit_since else {
            if let Some(met) = self.met(InterruptionKind::Pause, last, quiet, quote.price) {
                return met;
            }
            self.limit_since = Some(now);
            self.has_changed = true;
            return (if is_inside { Mode::Continuous } else { Mode::Interrupted }, None);
        };
        if now - since >= LIMIT_STATE_LASTS {
            return (Mode::Interrupted, Some(self.interrupt(InterruptionKind::Pause, quote, now)));
        }
        (if is_inside { Mode::Continuous } else { Mode::Interrupted }, None)
    }

    /// A price that would interrupt, where the market itself has done so already: nothing was traded for as long as an
    /// interruption lasts, so this price is the one that ended it. Before the first price seen nobody looked at all.
    fn met(
        &mut self,
        kind: InterruptionKind,
        last: Option<&Quote>,
        quiet: Option<TimeDelta>,
        price: Price,
    ) -> Option<(Mode, Option<Interruption>)> {
        let mode = match (last, quiet) {
            (None, _) => Mode::Continuous,
            (_, Some(quiet)) if quiet >= kind.lasts() => Mode::Uncrossed,
            _ => return None,
        };
        self.start_from(price);
        Some((mode, None))
    }

    fn follow_mean(&mut self, quote: &Quote, now: DateTime<Utc>) {
        let Some(reference) = self.reference else { return };
        if let Some(mean) = self.mean.add(quote.price, reference, now) {
            self.reference = Some(mean);
            self.has_changed = true;
        }
    }

    /// Stops trading; no longer than the session lasts.
    fn interrupt(&mut self, kind: InterruptionKind, quote: &Quote, now: DateTime<Utc>) -> Interruption {
        let end = now + kind.lasts() + kind.longer(quote.symbol, now);
        let span = self.session.and_then(|session| session.span);
        // Prices may be told late: what is left of the session is measured on the market's clock.
        let session_end = span.map_or(end, |span| now + (span.to - quote.at));
        let interruption = Interruption { kind, began_at: now, ends_at: end.min(session_end) };
        self.interruption = Some(interruption);
        self.limit_since = None;
        self.end_is_told = false;
        self.has_changed = true;
        interruption
    }
}

/// Whether an American price, or the other side of the market, has come to its band.
fn is_at(band: Band, quote: &Quote) -> bool {
    quote.price <= band.lower
        || quote.price >= band.upper
        || quote.bid.is_some_and(|bid| bid >= band.upper)
        || quote.ask.is_some_and(|ask| ask <= band.lower)
}
