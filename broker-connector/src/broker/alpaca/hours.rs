//! Alpaca's clock and calendar.

use super::config::CALENDAR_DAYS_MAX;
use super::parse;
use super::rest::{Failure, Rest};
use super::wire;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use domain::Market;
use domain::inquiry::{ListedSession, MarketHours};
use exchange::sessions::time_zone;

/// What both say now, and about the days from one to another.
pub(super) async fn hours(rest: &Rest, from: NaiveDate, to: NaiveDate) -> Result<MarketHours, Failure> {
    let query = [("start", from.to_string()), ("end", to.to_string())];
    let days: Vec<wire::CalendarDay> = rest.get("/v2/calendar", &query).await?;
    let unreadable = |what: &str| Failure::Unknown(format!("its {what} cannot be read"));
    if days.len() > CALENDAR_DAYS_MAX {
        return Err(unreadable("calendar"));
    }
    let sessions: Option<Vec<ListedSession>> = days.iter().map(session).collect();
    let asked_at = Utc::now();
    let clock: wire::Clock = rest.get("/v2/clock", &[]).await?;
    let answered_at = Utc::now();
    let said = parse::moment(&clock.timestamp).ok_or_else(|| unreadable("clock"))?;
    Ok(MarketHours {
        clock_ahead_milliseconds: ahead(said, (asked_at, answered_at)).num_milliseconds(),
        is_open: clock.is_open,
        said_at: answered_at,
        sessions: sessions.ok_or_else(|| unreadable("calendar"))?,
    })
}

/// How far a clock is ahead that was read between two moments by ours.
fn ahead(said: DateTime<Utc>, (asked_at, answered_at): (DateTime<Utc>, DateTime<Utc>)) -> TimeDelta {
    if said > answered_at {
        said - answered_at
    } else if said < asked_at {
        said - asked_at
    } else {
        TimeDelta::zero()
    }
}

/// A day of the calendar; nothing where it cannot be read.
fn session(row: &wire::CalendarDay) -> Option<ListedSession> {
    let day: NaiveDate = row.date.parse().ok()?;
    let at = |hour: &str| {
        let time = NaiveTime::parse_from_str(hour, "%H:%M").ok()?;
        let local = time_zone(Market::Us).from_local_datetime(&day.and_time(time)).earliest()?;
        Some(local.to_utc())
    };
    Some(ListedSession { day, opens_at: at(&row.open)?, closes_at: at(&row.close)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn hours_are_new_yorks_in_winter_and_in_summer() {
        for (date, open, close, expected) in [
            ("2026-01-05", "09:30", "16:00", ("2026-01-05T14:30:00Z", "2026-01-05T21:00:00Z")),
            ("2026-07-06", "09:30", "16:00", ("2026-07-06T13:30:00Z", "2026-07-06T20:00:00Z")),
            ("2026-11-27", "09:30", "13:00", ("2026-11-27T14:30:00Z", "2026-11-27T18:00:00Z")),
        ] {
            let row = wire::CalendarDay { date: date.into(), open: open.into(), close: close.into() };
            let session = session(&row).unwrap();
            assert_eq!((session.opens_at, session.closes_at), (at(expected.0), at(expected.1)));
        }
        let row = wire::CalendarDay { date: "2026-01-05".into(), open: "soon".into(), close: String::new() };
        assert_eq!(session(&row), None);
    }

    #[test]
    fn only_what_the_way_of_the_answer_does_not_explain_is_a_difference_of_clocks() {
        let during = (at("2026-01-05T14:30:00Z"), at("2026-01-05T14:30:02Z"));
        for (said, expected) in [
            ("2026-01-05T14:30:01Z", 0),
            ("2026-01-05T14:30:09Z", 7_000),
            ("2026-01-05T14:29:58.500Z", -1_500),
        ] {
            assert_eq!(ahead(at(said), during).num_milliseconds(), expected, "{said}");
        }
    }
}
