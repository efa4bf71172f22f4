//! A stand-in for Alpaca: its trading REST service and its stream of trade updates on one port, as their shapes are
//! documented and were recorded (Trading API v2, November 2026).
//!
//! What happens at it is scripted by the test: orders rest until somebody fills them, requests fail at the phase that was
//! asked for, the stream loses, repeats and reorders. It shares no code with the adapter that is tested against it.

mod answers;
mod market;
mod requests;
mod server;
mod stream;

pub use market::{Market, Order};
pub use server::StandIn;
pub use stream::Manners;

/// The key that it knows unless it is told another.
pub const KEY_ID: &str = "PKSTANDIN";
/// The secret of [`KEY_ID`].
pub const SECRET_KEY: &str = "a-secret-of-the-stand-in";

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
    /// It is done, and the answer is no JSON.
    Garbled,
}

impl Fault {
    /// Whether the request is done all the same.
    #[must_use]
    pub const fn is_done(self) -> bool {
        matches!(self, Self::BreaksAfter | Self::FailsAfter | Self::HangsAfter | Self::Garbled)
    }
}
