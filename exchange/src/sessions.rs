//! Trading days and hours, from dated tables.
//!
//! The tables name every exception of the years [`COVERED_YEARS`]; outside those every Monday to Friday is a trading day
//! with ordinary hours. That is wrong on holidays, and the best that can be said without data. A table of corrections
//! wins over the ones that were generated, so that making those anew loses nothing.

use crate::dated::{Since, in_force, since};
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeZone, Utc, Weekday};
use chrono_tz::Tz;
use domain::Market;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// No market of the world pauses longer than this; bounds every search for the next trading day.
const PAUSE_DAYS_MAX: usize = 30;

/// Hours of a trading day, in the market's own time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// Start of the regular session.
    pub open: NaiveTime,
    /// End of the regular session, closing auction included.
    pub close: NaiveTime,
}

/// The years whose holidays the tables know.
pub const COVERED_YEARS: std::ops::RangeInclusive<i32> = 2015..=2027;

/// A day that is not like the others.
#[derive(Debug, Clone, Copy)]
struct Exception {
    /// `None` on a day without trading.
    hours: Option<Hours>,
    note: &'static str,
}

/// Exceptions by day.
type Calendar = BTreeMap<NaiveDate, Exception>;

const OVERRIDES: &str = include_str!("../data/calendar-overrides.csv");

static KRX: LazyLock<Calendar> =
    LazyLock::new(|| read(include_str!("../data/krx-calendar.csv"), Market::Krx));
static US: LazyLock<Calendar> = LazyLock::new(|| read(include_str!("../data/us-calendar.csv"), Market::Us));

/// Reads a shipped table and what corrects it; a test proves that no line is skipped.
fn read(table: &'static str, market: Market) -> Calendar {
    let corrections =
        OVERRIDES.lines().filter_map(|line| line.strip_prefix(market.code())?.strip_prefix(','));
    table.lines().chain(corrections).filter_map(read_line).collect()
}

fn read_line(line: &'static str) -> Option<(NaiveDate, Exception)> {
    let mut fields = line.splitn(4, ',');
    let day = fields.next()?.parse().ok()?;
    let (open, close, note) = (fields.next()?, fields.next()?, fields.next()?);
    if open.is_empty() && close.is_empty() {
        return Some((day, Exception { hours: None, note }));
    }
    let time = |text| NaiveTime::parse_from_str(text, "%H:%M").ok();
    Some((day, Exception { hours: Some(Hours { open: time(open)?, close: time(close)? }), note }))
}

fn calendar(market: Market) -> &'static Calendar {
    match market {
        Market::Krx => &KRX,
        Market::Us => &US,
    }
}

/// What makes a day different from others, where the tables say it: a holiday's name, an early close.
#[must_use]
pub fn note(market: Market, day: NaiveDate) -> Option<&'static str> {
    calendar(market).get(&day).map(|exception| exception.note).filter(|note| !note.is_empty())
}

/// The zone whose clock the market follows.
#[must_use]
pub const fn time_zone(market: Market) -> Tz {
    match market {
        Market::Krx => Tz::Asia__Seoul,
        Market::Us => Tz::America__New_York,
    }
}

/// The day on the market's own calendar at this instant.
#[must_use]
pub fn market_day(market: Market, at: DateTime<Utc>) -> NaiveDate {
    at.with_timezone(&time_zone(market)).date_naive()
}

/// When the Korean session closed, hour and minute: half an hour earlier before 2016-08-01.
const KRX_CLOSE_FIRST: (u32, u32) = (15, 0);
const KRX_CLOSE_LATER: &[Since<(u32, u32)>] = &[since(2016, 8, 1, (15, 30))];

/// Hours of a trading day on which nothing is different.
#[must_use]
pub fn ordinary_hours(market: Market, day: NaiveDate) -> Hours {
    let time = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or(NaiveTime::MIN);
    match market {
        Market::Krx => {
            let (hour, minute) = in_force(KRX_CLOSE_FIRST, KRX_CLOSE_LATER, day);
            Hours { open: time(9, 0), close: time(hour, minute) }
        }
        Market::Us => Hours { open: time(9, 30), close: time(16, 0) },
    }
}

/// Hours of the regular session of a day, or `None` when there is no trading.
#[must_use]
pub fn hours(market: Market, day: NaiveDate) -> Option<Hours> {
    match calendar(market).get(&day) {
        Some(exception) => exception.hours,
        None if matches!(day.weekday(), Weekday::Sat | Weekday::Sun) => None,
        None => Some(ordinary_hours(market, day)),
    }
}

/// Whether the market trades on this day.
#[must_use]
pub fn is_trading_day(market: Market, day: NaiveDate) -> bool {
    hours(market, day).is_some()
}

/// The first trading day after a day.
#[must_use]
pub fn next_trading_day(market: Market, after: NaiveDate) -> NaiveDate {
    let is_open = |day: &NaiveDate| is_trading_day(market, *day);
    after.iter_days().skip(1).take(PAUSE_DAYS_MAX).find(is_open).unwrap_or(after)
}

/// The instant of a local time. A time that daylight saving skips (never a closing time) counts as if in UTC.
pub(crate) fn instant(market: Market, day: NaiveDate, time: NaiveTime) -> DateTime<Utc> {
    let local = day.and_time(time);
    time_zone(market).from_local_datetime(&local).earliest().map_or_else(|| local.and_utc(), |at| at.to_utc())
}

/// The first moment of a day on the market's own calendar.
#[must_use]
pub fn day_start(market: Market, day: NaiveDate) -> DateTime<Utc> {
    instant(market, day, NaiveTime::MIN)
}

/// When the regular session of a day opens; `None` on days without trading.
#[must_use]
pub fn regular_open(market: Market, day: NaiveDate) -> Option<DateTime<Utc>> {
    hours(market, day).map(|hours| instant(market, day, hours.open))
}

/// When the regular session of a day closes; `None` on days without trading.
#[must_use]
pub fn regular_close(market: Market, day: NaiveDate) -> Option<DateTime<Utc>> {
    hours(market, day).map(|hours| instant(market, day, hours.close))
}

/// The first moment of a kind (an opening, a closing) after an instant.
pub(crate) fn session_after(
    market: Market,
    at: DateTime<Utc>,
    moment: fn(Market, NaiveDate) -> Option<DateTime<Utc>>,
) -> DateTime<Utc> {
    let today = at.with_timezone(&time_zone(market)).date_naive();
    let ahead = |day: NaiveDate| moment(market, day).filter(|moment| *moment > at);
    today.iter_days().take(PAUSE_DAYS_MAX).find_map(ahead).unwrap_or(at)
}

/// The trading day to which a trade at this instant belongs: today's until its regular close, then the next one.
/// The simulator trades around the clock, so what it does at night or on a holiday counts for the coming session.
#[must_use]
pub fn trade_date(market: Market, at: DateTime<Utc>) -> NaiveDate {
    let today = market_day(market, at);
    if regular_close(market, today).is_some_and(|close| at < close) {
        return today;
    }
    next_trading_day(market, today)
}

/// When an order for the day, submitted at this instant, expires: the next regular close, early closes respected.
/// Always later than `at`.
#[must_use]
pub fn regular_close_after(market: Market, at: DateTime<Utc>) -> DateTime<Utc> {
    session_after(market, at, regular_close)
}

/// First trade date that settles after one trading day in the United States (SEC rule 15c6-1 as amended).
const US_ONE_DAY_SINCE: (i32, u32, u32) = (2024, 5, 28);

/// The day on which cash and shares of a trade change hands: two trading days later in Korea; in the United States
/// two before 2024-05-28 and one since.
#[must_use]
pub fn settle_date(market: Market, trade_date: NaiveDate) -> NaiveDate {
    let one_day =
        market == Market::Us && (trade_date.year(), trade_date.month(), trade_date.day()) >= US_ONE_DAY_SINCE;
    (0..if one_day { 1 } else { 2 }).fold(trade_date, |day, _| next_trading_day(market, day))
}

/// The last trading day before a day.
#[must_use]
pub fn trading_day_before(market: Market, day: NaiveDate) -> NaiveDate {
    (1..=PAUSE_DAYS_MAX)
        .filter_map(|back| day.checked_sub_days(Days::new(u64::try_from(back).ok()?)))
        .find(|day| is_trading_day(market, *day))
        .unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn every_line_of_the_tables_is_read() {
        for (table, calendar, market) in [
            (include_str!("../data/krx-calendar.csv"), &*KRX, "KRX,"),
            (include_str!("../data/us-calendar.csv"), &*US, "US,"),
        ] {
            let data = |line: &&str| !line.starts_with('#') && !line.contains("date,");
            let corrections = OVERRIDES.lines().filter(data).filter_map(|line| line.strip_prefix(market));
            let mut days: Vec<_> =
                table.lines().filter(data).chain(corrections).map(|line| &line[..10]).collect();
            days.sort_unstable();
            days.dedup();
            assert_eq!(calendar.len(), days.len());
            assert!(days.len() > 140, "{}", days.len());
        }
    }

    #[test]
    fn the_korean_close_moved_in_2016() {
        for (on, close) in [("2016-07-29", "15:00:00"), ("2016-08-01", "15:30:00")] {
            assert_eq!(hours(Market::Krx, day(on)).unwrap().close.to_string(), close, "{on}");
        }
        assert_eq!(note(Market::Krx, day("2026-07-17")), Some("Constitution Day"));
        assert_eq!(note(Market::Krx, day("2026-07-20")), None);
    }

    /// The session lists may not be shipped; whoever has them names their folder.
    #[test]
    fn every_recorded_session_is_a_trading_day_and_no_other() {
        let Some(folder) = std::env::var_os("GAEMI_TEST_MARKET_FOLDER") else {
            println!("skipped: GAEMI_TEST_MARKET_FOLDER names no folder with calendars/");
            return;
        };
        for (market, file) in [(Market::Krx, "xkrx-sessions.txt"), (Market::Us, "xnys-sessions.txt")] {
            let path = std::path::Path::new(&folder).join("calendars").join(file);
            let text = std::fs::read_to_string(path).unwrap();
            let listed: std::collections::BTreeSet<NaiveDate> =
                text.lines().filter_map(|line| line.parse().ok()).collect();
            let (first, last) = (*listed.first().unwrap(), *listed.last().unwrap());
            let differs = |day: &NaiveDate| is_trading_day(market, *day) != listed.contains(day);
            let differing: Vec<_> =
                first.iter_days().take_while(|day| *day <= last).filter(differs).collect();
            // What the lists are known to be wrong about.
            let known: &[&str] =
                if market == Market::Krx { &["2026-06-03", "2026-07-17", "2027-07-19"] } else { &[] };
            assert_eq!(differing, known.iter().map(|text| day(text)).collect::<Vec<_>>(), "{market}");
        }
    }

    #[test]
    fn holidays_that_calendars_forget_are_known() {
        for closed in ["2026-06-03", "2026-07-17", "2025-06-03", "2026-02-17"] {
            assert!(!is_trading_day(Market::Krx, day(closed)), "{closed}");
        }
        assert!(!is_trading_day(Market::Us, day("2025-01-09")));
        assert!(is_trading_day(Market::Us, day("2026-07-17")));
        assert!(!is_trading_day(Market::Us, day("2026-11-21")));
    }

    #[test]
    fn a_day_order_expires_at_the_close_early_or_late() {
        for (market, submitted, closes) in [
            (Market::Us, "2026-11-20T15:00:00Z", "2026-11-20T21:00:00Z"),
            (Market::Us, "2026-11-20T21:00:00Z", "2026-11-23T21:00:00Z"),
            (Market::Us, "2026-11-27T15:00:00Z", "2026-11-27T18:00:00Z"),
            (Market::Us, "2026-07-06T15:00:00Z", "2026-07-06T20:00:00Z"),
            (Market::Krx, "2026-11-18T06:29:59Z", "2026-11-18T06:30:00Z"),
            (Market::Krx, "2026-11-18T06:30:00Z", "2026-11-19T07:30:00Z"),
            (Market::Krx, "2026-11-20T10:00:00Z", "2026-11-23T06:30:00Z"),
        ] {
            assert_eq!(regular_close_after(market, at(submitted)), at(closes), "{market} {submitted}");
        }
    }

    #[test]
    fn a_trade_at_night_belongs_to_the_coming_session() {
        assert_eq!(trade_date(Market::Us, at("2026-11-25T22:00:00Z")), day("2026-11-27"));
        assert_eq!(trade_date(Market::Us, at("2026-11-25T04:30:00Z")), day("2026-11-25"));
        assert_eq!(trade_date(Market::Krx, at("2026-11-20T20:00:00Z")), day("2026-11-23"));
        assert_eq!(trade_date(Market::Krx, at("2026-11-19T16:00:00Z")), day("2026-11-20"));
    }

    #[test]
    fn settlement_follows_the_rule_of_its_date() {
        for (market, traded, settles) in [
            (Market::Us, "2024-05-24", "2024-05-29"),
            (Market::Us, "2024-05-28", "2024-05-29"),
            (Market::Us, "2026-11-25", "2026-11-27"),
            (Market::Krx, "2026-11-20", "2026-11-24"),
            (Market::Krx, "2024-12-27", "2025-01-02"),
            (Market::Krx, "2026-02-13", "2026-02-20"),
        ] {
            assert_eq!(settle_date(market, day(traded)), day(settles), "{market} {traded}");
        }
    }

    #[test]
    fn the_day_before_a_holiday_is_found() {
        assert_eq!(trading_day_before(Market::Krx, day("2026-02-19")), day("2026-02-13"));
    }

    /// The slow, obvious way: one day after another, each looked up in the table as it is shipped.
    fn day_of_settlement(table: &str, traded: NaiveDate, sessions: u32) -> NaiveDate {
        let is_closed = |day: NaiveDate| {
            let listed = table.lines().any(|line| line.starts_with(&format!("{day},,")));
            listed || matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
        };
        let (mut day, mut left) = (traded, sessions);
        while left > 0 {
            day = day.succ_opt().unwrap();
            left -= u32::from(!is_closed(day));
        }
        day
    }

    proptest! {
        #[test]
        fn settlement_is_counted_in_sessions(days in 0u64..1_461, krx: bool) {
            let traded = day("2024-01-01") + Days::new(days);
            let (market, table) = if krx {
                (Market::Krx, include_str!("../data/krx-calendar.csv"))
            } else {
                (Market::Us, include_str!("../data/us-calendar.csv"))
            };
            let sessions = if !krx && traded >= day("2024-05-28") { 1 } else { 2 };
            let corrections = OVERRIDES.replace(&format!("{},", market.code()), "");
            let table = format!("{table}{corrections}");
            prop_assert_eq!(settle_date(market, traded), day_of_settlement(&table, traded, sessions));
        }

        #[test]
        fn a_close_is_always_ahead_and_on_its_trade_date(seconds in 1_500_000_000i64..1_950_000_000, krx: bool) {
            let market = if krx { Market::Krx } else { Market::Us };
            let at = DateTime::from_timestamp(seconds, 0).unwrap();
            let traded = trade_date(market, at);
            let close = regular_close_after(market, at);
            prop_assert!(close > at);
            prop_assert!(is_trading_day(market, traded));
            prop_assert_eq!(close.with_timezone(&time_zone(market)).date_naive(), traded);
            prop_assert!(settle_date(market, traded) > traded);
        }
    }
}
