//! What a quote brings.

use super::is_usable;
use super::order::{AUCTION_PRICE_WAIT_MAX, BookOrder};
use crate::interruptions::{Band, Mode, Sight};
use crate::sessions::{regular_open, trade_date};
use crate::simulation::{Course, Friction, Trading};
use chrono::{DateTime, NaiveDate, Utc};
use domain::{Price, Quote, Side};
use rust_decimal::Decimal;
use std::cell::OnceCell;

/// A quote, what was traded since the one before, and how much of that orders of this book have had.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    pub(super) quote: &'a Quote,
    pub(super) now: DateTime<Utc>,
    pub(super) traded: u64,
    /// How orders with friction meet the quote.
    pub(super) mode: Mode,
    /// Where trading with them goes on.
    pub(super) band: Option<Band>,
    taken: Decimal,
    /// Looking into the calendar costs more than everything else, and only orders with friction ask.
    hours: OnceCell<(Trading, NaiveDate)>,
}

impl<'a> Turn<'a> {
    /// A quote that is there already: nothing was traded since.
    pub(super) const fn of_last(quote: &'a Quote, now: DateTime<Utc>) -> Self {
        Self {
            quote,
            now,
            traded: 0,
            mode: Mode::Continuous,
            band: None,
            taken: Decimal::ZERO,
            hours: OnceCell::new(),
        }
    }

    /// A quote that comes after another one.
    pub(super) fn new(last: Option<&Quote>, quote: &'a Quote, now: DateTime<Utc>) -> Self {
        let traded = last.map_or(0, |last| traded_between(last, quote, now));
        Self { traded, ..Self::of_last(quote, now) }
    }

    /// The same with what is known of interruptions.
    pub(super) const fn seen(self, sight: &Sight) -> Self {
        Self { mode: sight.mode, band: sight.band, ..self }
    }

    /// Whether its price is none for an order of such a course, as nothing is traded.
    pub(super) const fn holds_back(&self, course: Option<Course>) -> bool {
        course.is_some() && matches!(self.mode, Mode::Interrupted)
    }

    fn hours(&self) -> (Trading, NaiveDate) {
        let look = || (Trading::at(self.quote), trade_date(self.quote.symbol.market(), self.now));
        *self.hours.get_or_init(look)
    }

    /// Whether nothing is traded at all.
    pub(super) fn is_idle(&self) -> bool {
        self.hours().0 == Trading::Nothing
    }

    /// Whether an order takes part in what is traded now.
    pub(super) fn admits(&self, order: &BookOrder) -> bool {
        self.hours().0.admits(order.joins_evening)
    }

    /// The one price of trades at the close, while there are such.
    pub(super) fn closing_price(&self) -> Option<Price> {
        (self.hours().0 == Trading::ClosingPrice).then_some(self.quote.price)
    }

    /// The trade date of now.
    pub(super) fn trade_date(&self) -> NaiveDate {
        self.hours().1
    }

    /// Whether continuous trading goes on at a price.
    pub(super) fn trades_at(&self, price: Price) -> bool {
        self.band.is_none_or(|band| band.contains(price))
    }

    /// A price, brought into the band for whom it gets no worse; `None` where the band is beyond it.
    pub(super) fn within_band(&self, side: Side, limit: Price) -> Option<Price> {
        let Some(band) = self.band else { return Some(limit) };
        match side {
            Side::Buy => (limit >= band.lower).then(|| limit.min(band.upper)),
            Side::Sell => (limit <= band.upper).then(|| limit.max(band.lower)),
        }
    }

    /// The share of what was traded, what was had of it already included.
    pub(super) fn share(&self, friction: &Friction) -> Decimal {
        Decimal::from(friction.volume_share(self.quote.volume, self.traded))
    }

    pub(super) const fn taken(&self) -> Decimal {
        self.taken
    }

    /// How many shares may still be had.
    pub(super) fn allowance(&self, friction: &Friction) -> Decimal {
        (self.share(friction) - self.taken).max(Decimal::ZERO)
    }

    pub(super) fn take(&mut self, quantity: Decimal) {
        self.taken += quantity;
    }

    /// Whether the other side, as far as the source tells it, has come to a limit.
    pub(super) fn is_met(&self, side: Side, limit: Price) -> bool {
        match side {
            Side::Buy => self.quote.ask.is_some_and(|ask| ask <= limit),
            Side::Sell => self.quote.bid.is_some_and(|bid| bid >= limit),
        }
    }

    /// The price up to which somebody else was, or would be, on the other side of a resting order.
    pub(super) fn reach(&self, side: Side) -> Price {
        match side {
            Side::Buy => self.quote.price_to_buy().min(self.quote.price),
            Side::Sell => self.quote.price_to_sell().max(self.quote.price),
        }
    }
}

/// Shares traded between two quotes. What was traded while nobody looked is not counted: it was not seen which orders it
/// would have reached. Sources that correct a volume downwards have traded nothing.
fn traded_between(last: &Quote, quote: &Quote, now: DateTime<Utc>) -> u64 {
    if quote.session_date > last.session_date {
        return if is_seen_from_open(quote) { quote.volume } else { 0 };
    }
    if quote.session_date < last.session_date || quote.source != last.source || !is_usable(last, now) {
        return 0;
    }
    quote.volume.saturating_sub(last.volume)
}

/// Whether the first quote of a session comes so early that nobody can have missed much of it: as long after the open as the
/// price of the opening is waited for. Prices without a real time have no hour to be late at.
fn is_seen_from_open(quote: &Quote) -> bool {
    let is_late = |open| quote.at - open > AUCTION_PRICE_WAIT_MAX;
    Trading::at(quote) == Trading::AtAnyHour
        || !regular_open(quote.symbol.market(), quote.session_date).is_some_and(is_late)
}
