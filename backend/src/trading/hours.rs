//! What a broker's clock and calendar say against ours: an order of the day, a settlement and a check before the open all go by
//! tables that are shipped, and a day that was closed at short notice is in nobody's table.

use super::incident::{CALENDAR_DIFFERS, CLOCK_DIFFERS, Incident};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::Market;
use domain::inquiry::MarketHours;
use exchange::sessions::{regular_close, regular_open};
use exchange::{Phase, phase};

/// How many days are compared, the first one included.
pub(super) const DAYS: u64 = 14;
/// How far two clocks may be apart: orders for an auction have cut-offs by the minute.
const CLOCKS_APART_MAX: TimeDelta = TimeDelta::seconds(5);
/// How long after an open or a close, or before, two clocks need not agree on whether the session is on.
const EDGE: TimeDelta = TimeDelta::seconds(60);

/// Everything in which a broker and we differ about a market's days from one to another. Pure.
pub(super) fn differences(
    broker: &str,
    market: Market,
    (from, to): (NaiveDate, NaiveDate),
    hours: &MarketHours,
) -> Vec<Incident> {
    let days = from.iter_days().take_while(|day| *day <= to);
    let of_days: Vec<String> = days.filter_map(|day| of_day(market, day, hours)).collect();
    let calendar = (!of_days.is_empty()).then(|| {
        let sessions = of_days.join("; ");
        let detail = format!("sessions there and here, in UTC: {sessions}");
        Incident::new(CALENDAR_DIFFERS, detail).with("sessions", sessions)
    });
    let told = calendar.into_iter().chain(of_clock(market, hours));
    told.map(|incident| incident.with("broker", broker)).collect()
}

/// A day on which the two differ, with the hours there and here.
fn of_day(market: Market, day: NaiveDate, hours: &MarketHours) -> Option<String> {
    let theirs = hours.sessions.iter().find(|session| session.day == day);
    let theirs = theirs.map(|session| (session.opens_at, session.closes_at));
    let ours = regular_open(market, day).zip(regular_close(market, day));
    (theirs != ours).then(|| format!("{day} {} / {}", span(theirs), span(ours)))
}

fn span(session: Option<(DateTime<Utc>, DateTime<Utc>)>) -> String {
    session.map_or("-".to_owned(), |(opens, closes)| {
        format!("{}-{}", opens.format("%H:%M"), closes.format("%H:%M"))
    })
}

fn of_clock(market: Market, hours: &MarketHours) -> Option<Incident> {
    let apart = TimeDelta::milliseconds(hours.clock_ahead_milliseconds);
    if apart.abs() > CLOCKS_APART_MAX {
        let direction = if apart > TimeDelta::zero() { "ahead" } else { "behind" };
        let seconds = apart.abs().num_seconds();
        let detail = format!("the broker's clock is {seconds} s {direction}");
        return Some(Incident::new(CLOCK_DIFFERS, detail).with("case", direction).with("seconds", seconds));
    }
    let is_open = |at| phase(market, at) == Phase::Open;
    let around = [hours.said_at - EDGE, hours.said_at, hours.said_at + EDGE];
    let all_differ = around.into_iter().all(|at| is_open(at) != hours.is_open);
    let (there, here) = if hours.is_open { ("open", "closed") } else { ("closed", "open") };
    all_differ.then(|| {
        let detail = format!("the market is {there} there and {here} here");
        Incident::new(CLOCK_DIFFERS, detail).with("case", there)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::inquiry::ListedSession;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// The week of Thanksgiving as it is.
    fn hours() -> MarketHours {
        let session = |day: &str, closes: &str| ListedSession {
            day: day.parse().unwrap(),
            opens_at: at(&format!("{day}T14:30:00Z")),
            closes_at: at(&format!("{day}T{closes}:00Z")),
        };
        MarketHours {
            clock_ahead_milliseconds: 0,
            is_open: false,
            said_at: at("2026-11-23T13:30:00Z"),
            sessions: vec![
                session("2026-11-23", "21:00"),
                session("2026-11-24", "21:00"),
                session("2026-11-25", "21:00"),
                session("2026-11-27", "18:00"),
            ],
        }
    }

    fn told(hours: &MarketHours) -> Vec<(&'static str, String)> {
        let days = ("2026-11-23".parse().unwrap(), "2026-11-29".parse().unwrap());
        let differences = differences("alpaca", Market::Us, days, hours);
        differences.into_iter().map(|incident| (incident.kind, incident.detail)).collect()
    }

    #[test]
    fn a_week_that_is_alike_is_not_told() {
        assert_eq!(told(&hours()), []);
        assert_eq!(told(&MarketHours { clock_ahead_milliseconds: -5_000, ..hours() }), []);
    }

    #[test]
    fn each_day_that_differs_is_named_with_both_hours() {
        let mut other = hours();
        other.sessions.remove(1);
        other.sessions[2].closes_at = at("2026-11-27T21:00:00Z");
        let [(kind, detail)] = &told(&other)[..] else { panic!("one incident") };
        assert_eq!(*kind, CALENDAR_DIFFERS);
        assert!(detail.contains("2026-11-24 - / 14:30-21:00"), "{detail}");
        assert!(detail.contains("2026-11-27 14:30-21:00 / 14:30-18:00"), "{detail}");
    }

    #[test]
    fn a_clock_that_is_wrong_and_a_session_that_is_on_for_one_alone_are_told() {
        for (ahead, words) in [(5_001, "5 s ahead"), (-90_000, "90 s behind")] {
            let told = told(&MarketHours { clock_ahead_milliseconds: ahead, ..hours() });
            assert!(told[0].0 == CLOCK_DIFFERS && told[0].1.contains(words), "{told:?}");
        }
        let open = |said_at: &str| MarketHours { is_open: true, said_at: at(said_at), ..hours() };
        assert!(told(&open("2026-11-23T14:00:00Z"))[0].1.contains("open there and closed here"));
        assert_eq!(told(&open("2026-11-23T14:29:30Z")), [], "within a minute of the open");
        assert_eq!(told(&open("2026-11-23T15:00:00Z")), []);
    }
}
