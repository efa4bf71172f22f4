//! What a book tells about its orders.

use crate::interruptions::InterruptionKind;
use crate::simulation::Course;
use chrono::{DateTime, Utc};
use domain::{OrderId, Price, Quantity};
use rust_decimal::Decimal;
use thiserror::Error;

/// Why a book took an order back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelReason {
    /// Somebody asked for it.
    Requested,
    /// The market stood beyond the protection of an order without a limit.
    PriceMovedBeyondProtection,
    /// It was to be executed at once and could not be.
    NotExecutableAtOnce,
    /// The auction's price was worse than its limit.
    NotExecutedInAuction,
    /// It arrived after its auction.
    AuctionMissed,
    /// Nobody told the auction's price in time.
    NoAuctionPrice,
    /// Its limit is beyond the market's price limits of the day.
    PriceLimit,
    /// It was to be executed at once while trading was interrupted.
    Interrupted(InterruptionKind),
}

impl CancelReason {
    /// The stable word for reports; none where the trader is the reason.
    #[must_use]
    pub const fn word(self) -> Option<&'static str> {
        match self {
            Self::Requested => None,
            Self::PriceMovedBeyondProtection => Some("price_moved_beyond_protection"),
            Self::NotExecutableAtOnce => Some("not_executable_at_once"),
            Self::NotExecutedInAuction => Some("not_executed_in_auction"),
            Self::AuctionMissed => Some("auction_missed"),
            Self::NoAuctionPrice => Some("no_auction_price"),
            Self::PriceLimit => Some("price_limit"),
            Self::Interrupted(kind) => Some(kind.word()),
        }
    }
}

/// What happened to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookEvent {
    /// To which.
    pub order_id: OrderId,
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub kind: BookEventKind,
}

impl BookEvent {
    pub(super) const fn new(order_id: OrderId, at: DateTime<Utc>, kind: BookEventKind) -> Self {
        Self { order_id, at, kind }
    }
}

/// The ways an order lives and ends in a book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BookEventKind {
    /// The book has it.
    Accepted,
    /// The best price that a trailing stop has seen.
    MarkMoved(Price),
    /// What it waited for has come: it works from here on.
    Triggered(Price),
    /// It has new terms.
    Replaced,
    /// Where it is on its way has changed, and has to be known after a restart.
    CourseMoved(Course),
    /// There is no price yet that it could meet, or it has met one and rests: which, has to be known after a restart.
    WaitsForPrice(bool),
    /// Trading was interrupted: it waits.
    Suspended(InterruptionKind),
    /// The interruption is over.
    Resumed,
    /// It was executed, or a part of it.
    Filled {
        /// `{order}:{n}`, counted from 1.
        execution_id: String,
        /// Shares executed.
        quantity: Quantity,
        /// Price per share.
        price: Price,
        /// Shares still open afterwards; zero ends the order.
        leaves: Decimal,
    },
    /// It was taken back.
    Canceled(CancelReason),
    /// Its time was over.
    Expired,
}

/// Why an order could not be taken back or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the book holds no such order")]
pub struct NotInBook;
