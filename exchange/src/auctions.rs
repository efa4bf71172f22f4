//! Opening and closing auctions: when they are, and until when orders for them are taken.

use crate::sessions::{regular_close, regular_open, session_after, time_zone};
use chrono::{DateTime, NaiveTime, TimeDelta, TimeZone, Utc};
use domain::Market;

/// Which auction of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuctionKind {
    /// The one that makes the session's first price.
    Opening,
    /// The one that makes its last.
    Closing,
}

/// When orders for an auction are taken again after it has closed its door.
#[derive(Debug, Clone, Copy)]
enum Reopening {
    /// At this hour of the market's clock.
    At(u32),
    /// As soon as the session has closed.
    AfterClose,
}

/// How long before the auction its door closes, in minutes, and when it opens again for the next one.
type Door = (i64, Reopening);

/// United States: brokers take orders for the opening until 09:28 and for the closing until 15:50, and those for the
/// next session from 19:00 (Alpaca's rules of 2026). On short days the distance to the close is kept, which is unverified.
///
/// Korea: the order phase of an auction ends with the auction itself; orders for the next opening are taken once the
/// session is over (brokers' reservation hours differ; unverified).
const fn door(market: Market, kind: AuctionKind) -> Door {
    match (market, kind) {
        (Market::Us, AuctionKind::Opening) => (2, Reopening::At(19)),
        (Market::Us, AuctionKind::Closing) => (10, Reopening::At(19)),
        (Market::Krx, _) => (0, Reopening::AfterClose),
    }
}

/// An order for an auction came while none are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DoorClosed {
    /// When orders are taken again.
    pub reopens_at: DateTime<Utc>,
}

/// The auction that an order sent at this instant takes part in.
///
/// # Errors
/// [`DoorClosed`] between the cut-off before an auction and the hour from which orders for the next one are taken.
pub fn auction_for(
    market: Market,
    kind: AuctionKind,
    at: DateTime<Utc>,
) -> Result<DateTime<Utc>, DoorClosed> {
    let today = at.with_timezone(&time_zone(market)).date_naive();
    if let (Some(open), Some(close)) = (regular_open(market, today), regular_close(market, today)) {
        let (minutes, reopening) = door(market, kind);
        let auction = match kind {
            AuctionKind::Opening => open,
            AuctionKind::Closing => close,
        };
        let reopens_at = match reopening {
            Reopening::AfterClose => close,
            Reopening::At(hour) => NaiveTime::from_hms_opt(hour, 0, 0)
                .and_then(|time| time_zone(market).from_local_datetime(&today.and_time(time)).earliest())
                .map_or(close, |time| time.to_utc()),
        };
        if at >= auction - TimeDelta::minutes(minutes) && at < reopens_at {
            return Err(DoorClosed { reopens_at });
        }
    }
    Ok(next_auction(market, kind, at))
}

/// The first auction after an instant.
#[must_use]
pub fn next_auction(market: Market, kind: AuctionKind, at: DateTime<Utc>) -> DateTime<Utc> {
    session_after(
        market,
        at,
        match kind {
            AuctionKind::Opening => regular_open,
            AuctionKind::Closing => regular_close,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn orders_for_an_auction_are_taken_until_its_cut_off() {
        use AuctionKind::{Closing, Opening};
        for (market, kind, sent, auction) in [
            (Market::Us, Opening, "2026-11-20T14:27:59Z", Some("2026-11-20T14:30:00Z")),
            (Market::Us, Opening, "2026-11-20T14:28:00Z", None),
            (Market::Us, Opening, "2026-11-20T23:59:59Z", None),
            (Market::Us, Opening, "2026-11-21T00:00:00Z", Some("2026-11-23T14:30:00Z")),
            (Market::Us, Opening, "2026-07-03T15:00:00Z", Some("2026-07-06T13:30:00Z")),
            (Market::Us, Closing, "2026-11-20T20:49:59Z", Some("2026-11-20T21:00:00Z")),
            (Market::Us, Closing, "2026-11-20T20:50:00Z", None),
            (Market::Us, Closing, "2026-11-27T17:49:00Z", Some("2026-11-27T18:00:00Z")),
            (Market::Krx, Opening, "2026-11-19T23:59:59Z", Some("2026-11-20T00:00:00Z")),
            (Market::Krx, Opening, "2026-11-20T00:00:00Z", None),
            (Market::Krx, Opening, "2026-11-20T06:30:00Z", Some("2026-11-23T00:00:00Z")),
            (Market::Krx, Closing, "2026-11-20T06:29:59Z", Some("2026-11-20T06:30:00Z")),
            (Market::Krx, Closing, "2026-11-20T06:30:00Z", Some("2026-11-23T06:30:00Z")),
        ] {
            assert_eq!(auction_for(market, kind, at(sent)).ok(), auction.map(at), "{market} {kind:?} {sent}");
        }
        assert_eq!(
            auction_for(Market::Us, Opening, at("2026-11-20T15:00:00Z")),
            Err(DoorClosed { reopens_at: at("2026-11-21T00:00:00Z") })
        );
    }

    proptest! {
        #[test]
        fn an_auction_is_always_ahead_and_a_closed_door_opens(seconds in 1_500_000_000i64..1_950_000_000, krx: bool, opening: bool) {
            let market = if krx { Market::Krx } else { Market::Us };
            let kind = if opening { AuctionKind::Opening } else { AuctionKind::Closing };
            let at = DateTime::from_timestamp(seconds, 0).unwrap();
            prop_assert!(next_auction(market, kind, at) > at);
            match auction_for(market, kind, at) {
                Ok(auction) => prop_assert!(auction > at),
                Err(DoorClosed { reopens_at }) => {
                    prop_assert!(reopens_at > at);
                    prop_assert!(auction_for(market, kind, reopens_at).is_ok());
                }
            }
        }
    }
}
