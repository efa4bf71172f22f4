//! Orders that have waited too long to be sent, or were taken back meanwhile. Pure.
//!
//! An order waits where its broker cannot be reached, limits us, or does not let us in. What was wished for then is not what it
//! would do now: an order without a limit would be executed at a price that nobody has seen, and one for a session whose session
//! is over would join the next.

use chrono::{DateTime, TimeDelta, Utc};
use domain::broker::OrderRequest;
use domain::{OrderType, TimeInForce};
use exchange::BookOrder;
use exchange::book::Patience;
use thiserror::Error;

/// How long an order may wait that is to be executed at once.
const AT_ONCE_WAIT_MAX: TimeDelta = TimeDelta::seconds(60);
/// How long any order may wait.
const WAIT_MAX: TimeDelta = TimeDelta::hours(24);

/// Why an order is not sent any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum Late {
    /// Its owner has taken it back.
    #[error("the order was taken back before it was sent")]
    Withdrawn,
    /// It waited longer than one of its kind may.
    #[error("the order has waited too long to be sent")]
    Waited,
    /// The session, the auction or the last day that it was for is over.
    #[error("the session that the order was for is over")]
    SessionOver,
}

impl Late {
    /// Its stable word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Withdrawn => "withdrawn",
            Self::Waited => "waited_too_long",
            Self::SessionOver => "session_over",
        }
    }
}

/// Why an order that was not sent yet must not be sent at a moment; nothing where it may be.
pub(super) fn lateness(order: &OrderRequest, now: DateTime<Utc>) -> Option<Late> {
    if order.withdrawn {
        return Some(Late::Withdrawn);
    }
    if ends_at(order).is_some_and(|end| end <= now) {
        return Some(Late::SessionOver);
    }
    let is_at_once = order.order_type == OrderType::Market
        || matches!(order.time_in_force, TimeInForce::Ioc | TimeInForce::Fok);
    let is_for_auction = matches!(order.time_in_force, TimeInForce::Opg | TimeInForce::Cls);
    let wait_max = if is_at_once && !is_for_auction { AT_ONCE_WAIT_MAX } else { WAIT_MAX };
    (now - order.submitted_at > wait_max).then_some(Late::Waited)
}

/// When it is over by its time in force; nothing where that says nothing, or cannot be read.
fn ends_at(order: &OrderRequest) -> Option<DateTime<Utc>> {
    let described = BookOrder::new(order, 0).ok()?;
    match described.patience {
        Patience::Auction { at, .. } => Some(at),
        Patience::Rests => described.expires_at,
        Patience::AtOnce | Patience::AllAtOnce => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{AccountId, OrderId, Side};

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// A limit order for American shares on a Monday at 10:00 in New York.
    fn order(time_in_force: TimeInForce) -> OrderRequest {
        OrderRequest {
            order_id: OrderId::generate(),
            account_id: AccountId::generate(),
            symbol: "AAPL".parse().unwrap(),
            side: Side::Buy,
            order_type: OrderType::Limit,
            time_in_force,
            expire_date: None,
            quantity: "1".parse().unwrap(),
            limit_price: Some("100".parse().unwrap()),
            stop_price: None,
            trail_amount: None,
            trail_percent: None,
            protection_price: None,
            notional: None,
            withdrawn: false,
            contingency: None,
            submitted_at: at("2026-01-05T15:00:00Z"),
        }
    }

    fn market(time_in_force: TimeInForce) -> OrderRequest {
        OrderRequest {
            order_type: OrderType::Market,
            limit_price: None,
            protection_price: Some("120".parse().unwrap()),
            ..order(time_in_force)
        }
    }

    #[test]
    fn each_kind_of_order_waits_as_long_as_it_still_means_what_it_meant() {
        let until =
            |day: &str| OrderRequest { expire_date: Some(day.parse().unwrap()), ..order(TimeInForce::Gtd) };
        for (order, last, first_late, why) in [
            (market(TimeInForce::Day), "2026-01-05T15:01:00Z", "2026-01-05T15:01:01Z", Late::Waited),
            (order(TimeInForce::Ioc), "2026-01-05T15:01:00Z", "2026-01-05T15:01:01Z", Late::Waited),
            (order(TimeInForce::Day), "2026-01-05T20:59:59Z", "2026-01-05T21:00:00Z", Late::SessionOver),
            (market(TimeInForce::Cls), "2026-01-05T20:59:59Z", "2026-01-05T21:00:00Z", Late::SessionOver),
            (order(TimeInForce::Opg), "2026-01-06T14:29:59Z", "2026-01-06T14:30:00Z", Late::SessionOver),
            (order(TimeInForce::Gtc), "2026-01-06T15:00:00Z", "2026-01-06T15:00:01Z", Late::Waited),
            (until("2026-01-05"), "2026-01-05T20:59:59Z", "2026-01-05T21:00:00Z", Late::SessionOver),
            (until("2026-01-09"), "2026-01-06T15:00:00Z", "2026-01-06T15:00:01Z", Late::Waited),
        ] {
            assert_eq!(lateness(&order, at(last)), None, "{order:?}");
            assert_eq!(lateness(&order, at(first_late)), Some(why), "{order:?}");
        }
    }

    #[test]
    fn what_was_taken_back_is_not_sent_however_young_it_is() {
        let young = order(TimeInForce::Gtc);
        let withdrawn = OrderRequest { withdrawn: true, ..young.clone() };
        assert_eq!(lateness(&young, young.submitted_at), None);
        assert_eq!(lateness(&withdrawn, young.submitted_at), Some(Late::Withdrawn));
    }

    #[test]
    fn an_order_of_the_evening_is_for_the_session_to_come() {
        let evening = OrderRequest { submitted_at: at("2026-01-05T22:00:00Z"), ..order(TimeInForce::Day) };
        assert_eq!(lateness(&evening, at("2026-01-06T20:59:59Z")), None);
        assert_eq!(lateness(&evening, at("2026-01-06T21:00:00Z")), Some(Late::SessionOver));
    }
}
