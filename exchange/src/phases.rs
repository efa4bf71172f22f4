//! What a market does at a moment: before, in and after its regular session, from dated tables.

use crate::dated::{Since, in_force, since};
use crate::sessions::{self, Hours, hours, instant, market_day, ordinary_hours};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use domain::Market;

/// What a market does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Nothing is traded.
    Closed,
    /// Trading, or the taking of orders, before the regular session.
    Pre,
    /// The regular session, its auctions included.
    Open,
    /// Trading after the regular session.
    After,
}

impl Phase {
    /// Its stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Pre => "pre",
            Self::Open => "open",
            Self::After => "after",
        }
    }
}

/// How a day compares with an ordinary one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayKind {
    /// No trading.
    Closed,
    /// The ordinary hours.
    Regular,
    /// It closes early.
    Half,
    /// Other hours, none of them early.
    Shifted,
}

impl DayKind {
    /// Its stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Regular => "regular",
            Self::Half => "half",
            Self::Shifted => "shifted",
        }
    }
}

/// From an instant up to, not including, another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First instant.
    pub from: DateTime<Utc>,
    /// The instant after the last.
    pub to: DateTime<Utc>,
}

impl Span {
    /// Whether an instant lies inside.
    #[must_use]
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && at < self.to
    }
}

/// The spans of a day on which a market trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TradingDay {
    /// Before the regular session.
    pub pre: Span,
    /// The regular session.
    pub regular: Span,
    /// After it.
    pub after: Span,
}

/// How the hours around a regular session follow from it.
#[derive(Debug, Clone, Copy)]
struct Around {
    /// The phase before begins so many minutes before the open; `None` begins it at [`US_PRE_HOUR`].
    pre_minutes: Option<i64>,
    /// The phase after begins so many minutes after the close.
    pause_minutes: i64,
    /// Until when it lasts.
    after: AfterEnd,
}

#[derive(Debug, Clone, Copy)]
enum AfterEnd {
    /// So many minutes after the close: a short day has short evenings.
    Minutes(i64),
    /// At this hour, whenever the session closed.
    Hour(u32),
}

/// Trading before the open begins at this hour in the United States.
const US_PRE_HOUR: u32 = 4;

/// United States: 04:00 to the open, and four hours after the close (NYSE Arca and Nasdaq hours, 2026).
const US: Around = Around { pre_minutes: None, pause_minutes: 0, after: AfterEnd::Minutes(240) };

/// Korea: orders for the opening from 08:30; closing-price and single-price trades from ten minutes after the close to
/// 18:00.
const KRX_FIRST: Around = Around { pre_minutes: Some(30), pause_minutes: 10, after: AfterEnd::Hour(18) };

/// Since 2026-09-14 the opening's orders are taken from 08:20 (unverified) and an after-market trades to 20:00 (press of
/// January 2026; notices of September 2026).
const KRX_LATER: &[Since<Around>] =
    &[since(2026, 9, 14, Around { pre_minutes: Some(40), pause_minutes: 10, after: AfterEnd::Hour(20) })];

/// The sessions after the regular one that take orders of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evening {
    /// Orders for the evening are taken from here, the end of the regular session, to the end of the last session.
    pub orders: Span,
    /// Trades at the closing price.
    pub closing_price: Span,
    /// Trading at prices of its own.
    pub after_market: Option<Span>,
}

/// Korea's evening in minutes after the regular close, and the hour at which its after-market ends, where it has one.
#[derive(Debug, Clone, Copy)]
struct EveningRule {
    closing_price_minutes: (i64, i64),
    after_market_end_hour: Option<u32>,
}

/// Trades at the closing price from 15:40 to 16:00. The auctions every ten minutes to 18:00 that followed ended with
/// 2026-09-11 and are not described here.
const KRX_EVENING_FIRST: EveningRule =
    EveningRule { closing_price_minutes: (10, 30), after_market_end_hour: None };

/// Since 2026-09-14 an after-market trades continuously from 16:00 to 20:00 (notices of September 2026). That it begins
/// later on a day that closes later is unverified.
const KRX_EVENING_LATER: &[Since<EveningRule>] =
    &[since(2026, 9, 14, EveningRule { closing_price_minutes: (10, 30), after_market_end_hour: Some(20) })];

/// The evening of a day; `None` on days without trading, and in the United States, where an order of the day does not
/// take part in what is traded after the close.
#[must_use]
pub fn evening(market: Market, day: NaiveDate) -> Option<Evening> {
    if market != Market::Krx {
        return None;
    }
    let close = sessions::regular_close(market, day)?;
    let rule = in_force(KRX_EVENING_FIRST, KRX_EVENING_LATER, day);
    let after_close = |minutes| close + TimeDelta::minutes(minutes);
    let (from, to) = rule.closing_price_minutes;
    let closing_price = Span { from: after_close(from), to: after_close(to) };
    let after_market = rule.after_market_end_hour.and_then(|hour| {
        let end = instant(market, day, NaiveTime::from_hms_opt(hour, 0, 0)?);
        (end > closing_price.to).then_some(Span { from: closing_price.to, to: end })
    });
    let end = after_market.map_or(closing_price.to, |span| span.to);
    Some(Evening { orders: Span { from: close, to: end }, closing_price, after_market })
}

/// When the next session ends, the regular one or the evening's, after an instant.
pub(crate) fn session_end_after(market: Market, at: DateTime<Utc>) -> DateTime<Utc> {
    let close = sessions::regular_close_after(market, at);
    let evening = evening(market, market_day(market, at)).map(|evening| evening.orders.to);
    evening.filter(|end| *end > at).map_or(close, |end| close.min(end))
}

/// Whether the session that an order came for, when it came to its market at one instant, is over at another.
pub(crate) fn is_session_over(
    market: Market,
    came: DateTime<Utc>,
    joins_evening: bool,
    now: DateTime<Utc>,
) -> bool {
    let evening = evening(market, market_day(market, came)).filter(|evening| evening.orders.contains(came));
    match evening {
        Some(evening) if joins_evening => evening.orders.to <= now,
        _ => sessions::trade_date(market, came) < sessions::trade_date(market, now),
    }
}

fn around(market: Market, day: NaiveDate) -> Around {
    match market {
        Market::Krx => in_force(KRX_FIRST, KRX_LATER, day),
        Market::Us => US,
    }
}

/// The spans of a day; `None` on days without trading.
#[must_use]
pub fn trading_day(market: Market, day: NaiveDate) -> Option<TradingDay> {
    let Hours { open, close } = hours(market, day)?;
    let rule = around(market, day);
    let at_hour = |hour| instant(market, day, NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or(NaiveTime::MIN));
    let regular = Span { from: instant(market, day, open), to: instant(market, day, close) };
    let pre = match rule.pre_minutes {
        Some(minutes) => regular.from - TimeDelta::minutes(minutes),
        None => at_hour(US_PRE_HOUR),
    };
    let after = regular.to + TimeDelta::minutes(rule.pause_minutes);
    let end = match rule.after {
        AfterEnd::Minutes(minutes) => regular.to + TimeDelta::minutes(minutes),
        AfterEnd::Hour(hour) => at_hour(hour),
    };
    Some(TradingDay {
        pre: Span { from: pre.min(regular.from), to: regular.from },
        regular,
        after: Span { from: after.min(end), to: end },
    })
}

/// The trading day to which an execution at this instant belongs: today's until trading after its regular session ends, then
/// the next one. What is traded in the evening counts for the day whose session it follows: KRX's after-market (notices of
/// September 2026) and the American extended hours. The simulator trades around the clock, so what it executes at night or on a
/// holiday counts for the coming session.
#[must_use]
pub fn execution_date(market: Market, at: DateTime<Utc>) -> NaiveDate {
    let today = market_day(market, at);
    match trading_day(market, today) {
        Some(day) if at < day.after.to => today,
        _ => sessions::next_trading_day(market, today),
    }
}

/// How a day compares with an ordinary one.
#[must_use]
pub fn day_kind(market: Market, day: NaiveDate) -> DayKind {
    let ordinary = ordinary_hours(market, day);
    match hours(market, day) {
        None => DayKind::Closed,
        Some(hours) if hours == ordinary => DayKind::Regular,
        Some(hours) if hours.close < ordinary.close => DayKind::Half,
        Some(_) => DayKind::Shifted,
    }
}

/// What a market does at an instant.
#[must_use]
pub fn phase(market: Market, at: DateTime<Utc>) -> Phase {
    let Some(day) = trading_day(market, market_day(market, at)) else { return Phase::Closed };
    let spans = [(day.pre, Phase::Pre), (day.regular, Phase::Open), (day.after, Phase::After)];
    spans.into_iter().find(|(span, _)| span.contains(at)).map_or(Phase::Closed, |(_, phase)| phase)
}

/// When the next regular session opens, after an instant.
#[must_use]
pub fn next_open(market: Market, at: DateTime<Utc>) -> DateTime<Utc> {
    sessions::session_after(market, at, sessions::regular_open)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_passes_through_its_phases() {
        for (market, moment, expected) in [
            (Market::Us, "2026-11-20T08:59:59Z", Phase::Closed),
            (Market::Us, "2026-11-20T09:00:00Z", Phase::Pre),
            (Market::Us, "2026-11-20T14:30:00Z", Phase::Open),
            (Market::Us, "2026-11-20T21:00:00Z", Phase::After),
            (Market::Us, "2026-11-21T01:00:00Z", Phase::Closed),
            // The day after Thanksgiving closes at 13:00 and its evening ends at 17:00.
            (Market::Us, "2026-11-27T18:00:00Z", Phase::After),
            (Market::Us, "2026-11-27T22:00:00Z", Phase::Closed),
            // Daylight saving: the same hours are an hour earlier in UTC.
            (Market::Us, "2026-07-06T13:30:00Z", Phase::Open),
            (Market::Krx, "2026-11-19T23:20:00Z", Phase::Pre),
            (Market::Krx, "2026-11-20T00:00:00Z", Phase::Open),
            (Market::Krx, "2026-11-20T06:30:00Z", Phase::Closed),
            (Market::Krx, "2026-11-20T06:40:00Z", Phase::After),
            (Market::Krx, "2026-11-20T10:59:59Z", Phase::After),
            (Market::Krx, "2026-09-11T10:59:59Z", Phase::Closed),
            (Market::Krx, "2026-09-10T23:20:00Z", Phase::Closed),
            // The exam day begins and ends an hour later.
            (Market::Krx, "2026-11-19T00:30:00Z", Phase::Pre),
            (Market::Krx, "2026-11-19T07:00:00Z", Phase::Open),
            (Market::Krx, "2026-06-03T02:00:00Z", Phase::Closed),
        ] {
            assert_eq!(phase(market, at(moment)), expected, "{market} {moment}");
        }
    }

    #[test]
    fn a_day_is_compared_with_an_ordinary_one() {
        for (market, day, kind) in [
            (Market::Us, "2026-11-27", DayKind::Half),
            (Market::Us, "2026-11-26", DayKind::Closed),
            (Market::Us, "2026-11-25", DayKind::Regular),
            (Market::Krx, "2026-11-19", DayKind::Shifted),
            (Market::Krx, "2026-01-02", DayKind::Shifted),
            (Market::Krx, "2016-07-29", DayKind::Regular),
            (Market::Krx, "2026-11-21", DayKind::Closed),
        ] {
            assert_eq!(day_kind(market, day.parse().unwrap()), kind, "{market} {day}");
        }
        assert_eq!(next_open(Market::Us, at("2026-11-25T15:00:00Z")), at("2026-11-27T14:30:00Z"));
    }

    #[test]
    fn an_execution_of_the_evening_belongs_to_the_day_before_the_night() {
        for (market, moment, expected) in [
            (Market::Krx, "2026-11-20T06:29:59Z", "2026-11-20"),
            (Market::Krx, "2026-11-20T10:59:59Z", "2026-11-20"),
            (Market::Krx, "2026-11-20T11:00:00Z", "2026-11-23"),
            // The after-market of before 2026-09-14 ended at 18:00.
            (Market::Krx, "2026-09-11T08:59:59Z", "2026-09-11"),
            (Market::Krx, "2026-09-11T09:00:00Z", "2026-09-14"),
            (Market::Krx, "2026-11-21T02:00:00Z", "2026-11-23"),
            (Market::Us, "2026-11-20T06:00:00Z", "2026-11-20"),
            (Market::Us, "2026-11-21T00:59:59Z", "2026-11-20"),
            (Market::Us, "2026-11-21T01:00:00Z", "2026-11-23"),
            // Half a day.
            (Market::Us, "2026-11-27T21:59:59Z", "2026-11-27"),
            (Market::Us, "2026-11-27T22:00:00Z", "2026-11-30"),
        ] {
            assert_eq!(execution_date(market, at(moment)).to_string(), expected, "{market} {moment}");
        }
    }

    #[test]
    fn a_session_ends_at_the_close_and_an_evening_at_its_own_end() {
        let end = |moment| session_end_after(Market::Krx, at(moment));
        assert_eq!(end("2026-11-20T06:29:59Z"), at("2026-11-20T06:30:00Z"));
        assert_eq!(end("2026-11-20T06:30:00Z"), at("2026-11-20T11:00:00Z"));
        assert_eq!(end("2026-11-20T11:00:00Z"), at("2026-11-23T06:30:00Z"));
        assert_eq!(session_end_after(Market::Us, at("2026-11-20T21:00:00Z")), at("2026-11-23T21:00:00Z"));
        for (came, joins_evening, now, is_over) in [
            ("2026-11-20T02:00:00Z", false, "2026-11-20T06:29:59Z", false),
            ("2026-11-20T02:00:00Z", false, "2026-11-20T06:30:00Z", true),
            ("2026-11-20T08:00:00Z", true, "2026-11-20T10:59:59Z", false),
            ("2026-11-20T08:00:00Z", true, "2026-11-20T11:00:00Z", true),
            // What came in the evening for the session to come is in time for it.
            ("2026-11-20T08:00:00Z", false, "2026-11-23T06:29:59Z", false),
            ("2026-11-23T00:00:00Z", true, "2026-11-23T06:29:59Z", false),
        ] {
            let found = is_session_over(Market::Krx, at(came), joins_evening, at(now));
            assert_eq!(found, is_over, "{came} {joins_evening} {now}");
        }
    }

    #[test]
    fn the_korean_evening_follows_the_tables_of_its_day() {
        for (day, closing_price, after_market) in [
            ("2026-11-20", ("06:40", "07:00"), Some(("07:00", "11:00"))),
            ("2026-09-14", ("06:40", "07:00"), Some(("07:00", "11:00"))),
            ("2026-09-11", ("06:40", "07:00"), None),
            // The exam day closes an hour later.
            ("2026-11-19", ("07:40", "08:00"), Some(("08:00", "11:00"))),
        ] {
            let span = |(from, to)| Span {
                from: at(&format!("{day}T{from}:00Z")),
                to: at(&format!("{day}T{to}:00Z")),
            };
            let found = evening(Market::Krx, day.parse().unwrap()).unwrap();
            let expected = (span(closing_price), after_market.map(span));
            assert_eq!((found.closing_price, found.after_market), expected, "{day}");
            let from = found.closing_price.from - TimeDelta::minutes(10);
            let to = found.after_market.unwrap_or(found.closing_price).to;
            assert_eq!(found.orders, Span { from, to });
        }
        assert_eq!(evening(Market::Krx, "2026-11-21".parse().unwrap()), None);
        assert_eq!(evening(Market::Us, "2026-11-20".parse().unwrap()), None);
    }

    proptest! {
        #[test]
        fn the_phases_of_a_day_follow_each_other(days in 0u64..4_700, krx: bool) {
            let market = if krx { Market::Krx } else { Market::Us };
            let first: NaiveDate = "2015-01-01".parse().unwrap();
            let day = first + chrono::Days::new(days);
            if let Some(spans) = trading_day(market, day) {
                prop_assert!(spans.pre.from < spans.pre.to && spans.pre.to == spans.regular.from);
                prop_assert!(spans.regular.from < spans.regular.to && spans.regular.to <= spans.after.from);
                prop_assert!(spans.after.from < spans.after.to);
                prop_assert_eq!(market_day(market, spans.pre.from), day);
                prop_assert_eq!(market_day(market, spans.after.to - TimeDelta::nanoseconds(1)), day);
            } else {
                prop_assert_eq!(day_kind(market, day), DayKind::Closed);
            }
        }
    }
}
