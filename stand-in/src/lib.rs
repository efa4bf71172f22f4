//! What all stand-ins for brokers share: a port that can close and open again, requests that fail at the phase that was asked
//! for, and a stream that loses, repeats and reorders what it should tell. What a broker's words are, each stand-in knows.

mod door;
mod house;
mod stage;

pub use door::{Answer, BODY_BYTES_MAX, Door, Socket, body_of, is_path, reply, reply_with, upgrade};
pub use house::{Host, StandIn};
pub use stage::{Refusals, Stage};

/// What becomes of a request about an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The line breaks before it is done.
    BreaksBefore,
    /// It is done, then the line breaks.
    BreaksAfter,
    /// Answered 500; nothing was done.
    FailsBefore,
    /// It is done and answered 503.
    FailsAfter,
    /// Nothing is done and nothing is answered.
    HangsBefore,
    /// It is done and nothing is answered.
    HangsAfter,
    /// Answered 429 with this many seconds to wait; nothing was done.
    Limited(u64),
    /// It is done, and answered 429 all the same.
    LimitedAfter(u64),
    /// It is done, and the answer is no JSON.
    Garbled,
}

impl Fault {
    /// Whether the request is done all the same.
    #[must_use]
    pub const fn is_done(self) -> bool {
        matches!(
            self,
            Self::BreaksAfter | Self::FailsAfter | Self::HangsAfter | Self::LimitedAfter(_) | Self::Garbled
        )
    }
}

/// How a stream treats what it should tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Manners {
    /// Tells nothing.
    pub loses_all: bool,
    /// Tells everything three times.
    pub triples: bool,
    /// Tells what came together in the opposite order.
    pub reverses: bool,
}
