//! Whether a quote may be believed. What may not is kept back, counted and shown in `/status`; it is never sent.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Market, Price, Quote};
use rust_decimal::Decimal;

/// A price older than this is history: longer than the longest closing of either market (Korean autumn holidays).
pub const QUOTE_AGE_MAX: TimeDelta = TimeDelta::days(14);
/// How far a source's clock may run ahead of ours.
pub const CLOCK_SKEW_MAX: TimeDelta = TimeDelta::seconds(60);
/// Largest believable move between two quotes of one session, in percent; the Korean daily limit.
pub const SPIKE_PERCENT_MAX: u32 = 30;
/// A jump that the source repeats this often in a row is believed: it was a move.
pub const SPIKE_CONFIRMATIONS: u32 = 3;
/// Largest number of shares that a split makes of one.
const SPLIT_SHARES_MAX: u32 = 50;
/// A jump over night is taken for a split when it differs from one by less than this part of it, in thousandths.
const SPLIT_TOLERANCE_PERMILLE: u32 = 20;
/// The close before, as the source tells it, is the value we know when it differs by less than this, in thousandths.
const SAME_CLOSE_PERMILLE: u32 = 5;

/// How far two sources' prices of one moment may be apart and still be the same, in thousandths: they are late by different
/// times, and what is doubted differs by more.
const SAME_PRICE_PERMILLE: u32 = 100;

/// Why a quote, or a row it would have been made of, was kept back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// A price is zero or missing.
    Zero,
    /// Nothing was traded on that day: the price is an old one.
    HaltedDay,
    /// Low, open, price and high contradict each other.
    Inconsistent,
    /// The bid is above the ask.
    Crossed,
    /// Older than what is known, or than [`QUOTE_AGE_MAX`].
    Stale,
    /// Its time has not come yet.
    Future,
    /// A jump inside a session that no market makes in one step, from the same source's last value or from another's.
    Spike,
    /// A jump over night that looks like a split the source has not counted into its close before.
    SplitDay,
    /// The price is in another currency than the share.
    WrongCurrency,
    /// The source's answer could not be read.
    Unreadable,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::Zero,
        Self::HaltedDay,
        Self::Inconsistent,
        Self::Crossed,
        Self::Stale,
        Self::Future,
        Self::Spike,
        Self::SplitDay,
        Self::WrongCurrency,
        Self::Unreadable,
    ];

    /// Whether the source may be right after all, when it insists.
    #[must_use]
    pub const fn may_be_confirmed(self) -> bool {
        matches!(self, Self::Spike | Self::SplitDay)
    }

    /// Its stable name in `/status`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Zero => "zero",
            Self::HaltedDay => "halted_day",
            Self::Inconsistent => "inconsistent",
            Self::Crossed => "crossed",
            Self::Stale => "stale",
            Self::Future => "future",
            Self::Spike => "spike",
            Self::SplitDay => "split_day",
            Self::WrongCurrency => "wrong_currency",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Judges a quote by itself, by the one known before it and by the clock.
///
/// # Errors
/// The first [`Reason`] not to believe it.
pub fn judge(quote: &Quote, known: Option<&Quote>, now: DateTime<Utc>) -> Result<(), Reason> {
    if quote.currency != quote.symbol.currency() {
        return Err(Reason::WrongCurrency);
    }
    if quote.volume == 0 {
        return Err(Reason::HaltedDay);
    }
    let inside = |price| quote.low <= price && price <= quote.high;
    if !inside(quote.open) || !inside(quote.price) {
        return Err(Reason::Inconsistent);
    }
    if quote.bid.zip(quote.ask).is_some_and(|(bid, ask)| bid > ask) {
        return Err(Reason::Crossed);
    }
    if quote.at > now + CLOCK_SKEW_MAX {
        return Err(Reason::Future);
    }
    if quote.at < now - QUOTE_AGE_MAX {
        return Err(Reason::Stale);
    }
    known.map_or(Ok(()), |known| judge_beside(quote, known))
}

/// Judges a quote by the one known before it, whichever source that came from.
fn judge_beside(quote: &Quote, known: &Quote) -> Result<(), Reason> {
    let same_source = known.source == quote.source;
    if same_source && quote.at < known.at {
        return Err(Reason::Stale);
    }
    // An invented price says nothing about a real one.
    if known.simulated != quote.simulated {
        return Ok(());
    }
    let (before, after) = (known.price.value(), quote.price.value());
    if known.session_date == quote.session_date {
        return if is_spike(before, after) { Err(Reason::Spike) } else { Ok(()) };
    }
    // A source that has counted the split tells another close before than the one we know.
    let uncounted =
        quote.previous_close.is_some_and(|close| is_near(close.value(), before, SAME_CLOSE_PERMILLE));
    // No Korean share closes further from its base price than the daily limit: the base was another one.
    let beyond_limit = quote.symbol.market() == Market::Krx && is_spike(before, after);
    let over_night = same_source && known.session_date < quote.session_date;
    if over_night && uncounted && (beyond_limit || looks_like_split(before, after)) {
        return Err(Reason::SplitDay);
    }
    Ok(())
}

/// What another source's price says of one that is doubted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the same.
    Confirmed,
    /// It is another one of the same moment.
    Denied,
    /// It is of another moment, is not to be believed itself, or lies in between.
    Undecided,
}

/// Weighs a doubted quote by what another source tells. A price of before can confirm that there is such a price; only one
/// that is as late, from a source that is as direct, can deny it: a source that is a quarter of an hour late has not heard
/// of a fall a minute ago.
#[must_use]
pub fn weigh(doubted: &Quote, told: &Quote, now: DateTime<Utc>) -> Verdict {
    let is_witness = told.symbol == doubted.symbol
        && told.source != doubted.source
        && told.session_date == doubted.session_date
        && !told.simulated
        && judge(told, None, now).is_ok();
    if !is_witness {
        return Verdict::Undecided;
    }
    let (price, other) = (doubted.price.value(), told.price.value());
    let is_as_late = told.at + CLOCK_SKEW_MAX >= doubted.at;
    let is_as_direct = doubted.delayed || !told.delayed;
    match is_near(price, other, SAME_PRICE_PERMILLE) {
        true => Verdict::Confirmed,
        false if is_as_late && is_as_direct && is_spike(other, price) => Verdict::Denied,
        false => Verdict::Undecided,
    }
}

/// A believed quote without a high or low that no believed price has come near: a source that told a wrong price goes on to
/// tell it as an extreme of its day.
#[must_use]
pub fn without_doubted_extremes(quote: Quote, known: Option<&Quote>) -> Quote {
    let same = |known: &&Quote| {
        known.session_date == quote.session_date && known.source == quote.source && !quote.simulated
    };
    let Some(known) = known.filter(same) else { return quote };
    let is_doubted = |extreme: Price| is_spike(known.price.value(), extreme.value());
    let low =
        if quote.low < known.low && is_doubted(quote.low) { known.low.min(quote.price) } else { quote.low };
    let high = if quote.high > known.high && is_doubted(quote.high) {
        known.high.max(quote.price)
    } else {
        quote.high
    };
    Quote { low: low.min(quote.open), high: high.max(quote.open), ..quote }
}

fn is_near(value: Decimal, reference: Decimal, permille: u32) -> bool {
    let apart = (value - reference).abs().checked_mul(Decimal::ONE_THOUSAND);
    let allowed = reference.checked_mul(Decimal::from(permille));
    apart.zip(allowed).is_some_and(|(apart, allowed)| apart <= allowed)
}

/// Three new shares for two old ones.
const THREE_FOR_TWO: Decimal = Decimal::from_parts(15, 0, 0, false, 1);

/// Whether one price is close to a whole part, or a whole multiple, of the other, or to two thirds of it.
fn looks_like_split(before: Decimal, after: Decimal) -> bool {
    let (larger, smaller) = (before.max(after), before.min(after));
    let Some(ratio) = larger.checked_div(smaller) else { return false };
    let shares = ratio.round();
    let whole = (Decimal::TWO..=Decimal::from(SPLIT_SHARES_MAX)).contains(&shares)
        && is_near(ratio, shares, SPLIT_TOLERANCE_PERMILLE);
    whole || is_near(ratio, THREE_FOR_TWO, SPLIT_TOLERANCE_PERMILLE)
}

fn is_spike(before: Decimal, after: Decimal) -> bool {
    let moved = (after - before).abs().checked_mul(Decimal::ONE_HUNDRED);
    let allowed = before.checked_mul(Decimal::from(SPIKE_PERCENT_MAX));
    moved.zip(allowed).is_none_or(|(moved, allowed)| moved > allowed)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use chrono::NaiveDate;
    use domain::{Currency, Price};

    pub(crate) fn price(text: &str) -> Price {
        text.parse().unwrap()
    }

    pub(crate) fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    pub(crate) fn quote() -> Quote {
        Quote {
            symbol: "AAPL".parse().unwrap(),
            price: price("150"),
            bid: Some(price("149.99")),
            ask: Some(price("150.01")),
            previous_close: Some(price("148")),
            volume: 1_000,
            currency: Currency::Usd,
            session_date: NaiveDate::from_ymd_opt(2013, 3, 1).unwrap(),
            open: price("149"),
            high: price("151"),
            low: price("148.5"),
            at: now(),
            source: "replay".into(),
            simulated: false,
            delayed: true,
        }
    }

    #[test]
    fn an_ordinary_quote_is_believed() {
        assert_eq!(judge(&quote(), None, now()), Ok(()));
        assert_eq!(judge(&quote(), Some(&quote()), now()), Ok(()));
    }

    #[test]
    fn each_defect_is_named() {
        let cases = [
            (Quote { volume: 0, ..quote() }, Reason::HaltedDay),
            (Quote { high: price("149.5"), ..quote() }, Reason::Inconsistent),
            (Quote { low: price("149.5"), ..quote() }, Reason::Inconsistent),
            (Quote { bid: Some(price("150.02")), ..quote() }, Reason::Crossed),
            (Quote { at: now() + TimeDelta::seconds(61), ..quote() }, Reason::Future),
            (Quote { at: now() - TimeDelta::days(15), ..quote() }, Reason::Stale),
            (Quote { currency: Currency::Krw, ..quote() }, Reason::WrongCurrency),
        ];
        for (quote, reason) in cases {
            assert_eq!(judge(&quote, None, now()), Err(reason));
        }
    }

    #[test]
    fn an_older_quote_does_not_replace_a_newer_one() {
        let older = Quote { at: now() - TimeDelta::seconds(1), ..quote() };
        assert_eq!(judge(&older, Some(&quote()), now()), Err(Reason::Stale));
        let other_source = Quote { source: "yahoo".into(), ..older };
        assert_eq!(judge(&other_source, Some(&quote()), now()), Ok(()));
    }

    #[test]
    fn another_source_is_a_witness_and_an_invented_price_is_none() {
        let far = Quote { price: price("75"), low: price("74"), source: "yahoo".into(), ..quote() };
        assert_eq!(judge(&far, Some(&quote()), now()), Err(Reason::Spike));
        let invented = Quote { simulated: true, ..far.clone() };
        assert_eq!(judge(&invented, Some(&quote()), now()), Ok(()));
        let other_day = Quote { session_date: quote().session_date.succ_opt().unwrap(), ..far };
        assert_eq!(
            judge(&other_day, Some(&quote()), now()),
            Ok(()),
            "a replay's day says nothing about today"
        );
    }

    #[test]
    fn another_source_confirms_the_same_price_and_denies_one_of_the_same_moment_only() {
        let doubted = Quote { price: price("75"), low: price("74"), delayed: false, ..quote() };
        let told = |text: &str| {
            let price = price(text);
            let source = "yahoo".to_owned();
            Quote { price, open: price, high: price, low: price, bid: None, ask: None, source, ..quote() }
        };
        let direct = |text: &str| Quote { delayed: false, ..told(text) };
        let before = |quote: Quote| Quote { at: now() - TimeDelta::seconds(61), ..quote };
        for (told, expected) in [
            (direct("75.5"), Verdict::Confirmed),
            (before(told("75.5")), Verdict::Confirmed),
            (direct("150"), Verdict::Denied),
            (direct("120"), Verdict::Denied),
            (direct("90"), Verdict::Undecided),
            (told("150"), Verdict::Undecided),
            (before(direct("150")), Verdict::Undecided),
            (Quote { volume: 0, ..direct("75") }, Verdict::Undecided),
            (Quote { simulated: true, ..direct("75") }, Verdict::Undecided),
            (Quote { source: "replay".into(), ..direct("75") }, Verdict::Undecided),
            (Quote { symbol: "IBM".parse().unwrap(), ..direct("75") }, Verdict::Undecided),
            (
                Quote { session_date: quote().session_date.pred_opt().unwrap(), ..direct("150") },
                Verdict::Undecided,
            ),
        ] {
            assert_eq!(weigh(&doubted, &told, now()), expected, "{told:?}");
        }
        let late = Quote { delayed: true, ..doubted };
        assert_eq!(weigh(&late, &told("150"), now()), Verdict::Denied, "both are late");
    }

    #[test]
    fn an_extreme_that_no_believed_price_came_near_is_not_told() {
        let after = Quote { low: price("15"), high: price("1510"), ..quote() };
        let told = without_doubted_extremes(after.clone(), Some(&quote()));
        assert_eq!((told.low, told.high), (quote().low, quote().high));
        let ordinary = Quote { low: price("140"), high: price("160"), ..quote() };
        assert_eq!(without_doubted_extremes(ordinary.clone(), Some(&quote())), ordinary);
        let known = Quote { low: price("15"), high: price("1510"), ..quote() };
        assert_eq!(without_doubted_extremes(after.clone(), Some(&known)), after, "believed before");
        let next_day = Quote { session_date: quote().session_date.succ_opt().unwrap(), ..after };
        assert_eq!(without_doubted_extremes(next_day.clone(), Some(&quote())), next_day);
    }

    #[test]
    fn a_split_that_the_source_has_not_counted_is_kept_back_and_a_crash_is_not() {
        let next = |text: &str, close: Option<&str>| Quote {
            price: price(text),
            open: price(text),
            high: price(text),
            low: price(text),
            bid: None,
            ask: None,
            previous_close: close.map(price),
            session_date: quote().session_date.succ_opt().unwrap(),
            ..quote()
        };
        for (text, close, expected) in [
            ("75.2", Some("150"), Err(Reason::SplitDay)),
            ("100.3", Some("150"), Err(Reason::SplitDay)),
            ("75.2", None, Ok(())),
            ("75.2", Some("75"), Ok(())),
            ("1500", Some("150"), Err(Reason::SplitDay)),
            ("72.2", Some("150"), Ok(())),
            ("111", Some("150"), Ok(())),
        ] {
            assert_eq!(judge(&next(text, close), Some(&quote()), now()), expected, "{text} {close:?}");
        }
    }

    #[test]
    fn a_jump_is_a_spike_inside_a_session_but_not_over_night() {
        let half = Quote { price: price("75"), low: price("74"), ..quote() };
        assert_eq!(judge(&half, Some(&quote()), now()), Err(Reason::Spike));
        let next_day = Quote { session_date: quote().session_date.succ_opt().unwrap(), ..half };
        assert_eq!(judge(&next_day, Some(&quote()), now()), Ok(()));
    }
}
