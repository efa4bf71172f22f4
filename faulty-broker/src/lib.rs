//! A broker that misbehaves on purpose.
//!
//! [`Venue`] is what really happens at it: pure, complete, and the model that the books of the server are checked
//! against. Between the venue and the server everything may go wrong: [`Fault`] for requests, [`Stream`] for reports.
//! [`FaultyBroker`] puts both behind the trait that real adapters implement, so that a real connector can be started
//! with it. Nothing here is part of the server.

mod broker;
mod chance;
mod stream;
mod venue;

pub use broker::FaultyBroker;
pub use chance::Chance;
pub use stream::Stream;
pub use venue::{Event, Venue, VenueExecution, VenueOrder};

use domain::broker::{CancelOutcome, PlaceOutcome, ReplaceOutcome, Unsent};

/// What is said to who asks too often.
const BUSY: Unsent = Unsent::RateLimited { after_seconds: 1 };

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It is told to come back later (429): provably not done.
    Busy,
    /// The connection cannot be made: provably not done.
    Unreachable,
    /// The server fails (500) before it has done anything; nobody can know that.
    FailsBefore,
    /// The server fails (500) after it has done everything.
    FailsAfter,
    /// The connection is reset before the request is read.
    ResetBefore,
    /// The request is done, and its answer never comes.
    TimesOut,
}

impl Fault {
    /// Every one, the good case too.
    pub const ALL: [Self; 7] = [
        Self::None,
        Self::Busy,
        Self::Unreachable,
        Self::FailsBefore,
        Self::FailsAfter,
        Self::ResetBefore,
        Self::TimesOut,
    ];

    /// Whether the request is done.
    #[must_use]
    pub const fn is_done(self) -> bool {
        matches!(self, Self::None | Self::FailsAfter | Self::TimesOut)
    }

    /// What the sender of an order learns.
    #[must_use]
    pub fn place_outcome(self, broker_order_id: Option<String>) -> PlaceOutcome {
        match (self, broker_order_id) {
            (Self::None, Some(broker_order_id)) => PlaceOutcome::Accepted { broker_order_id },
            (Self::Busy, _) => BUSY.into(),
            (Self::Unreachable, _) => Unsent::never_left(format!("{self:?}")).into(),
            (_, _) => PlaceOutcome::OutcomeUnknown { reason: format!("{self:?}") },
        }
    }

    /// What the sender of a request for other terms learns.
    #[must_use]
    pub fn replace_outcome(self, done: bool) -> ReplaceOutcome {
        match (self, done) {
            (Self::None, true) => ReplaceOutcome::Accepted,
            (Self::None, false) => ReplaceOutcome::Rejected {
                code: "already_final".into(),
                message: "there is nothing to change".into(),
            },
            (Self::Busy, _) => BUSY.into(),
            (Self::Unreachable, _) => Unsent::never_left(format!("{self:?}")).into(),
            (_, _) => ReplaceOutcome::OutcomeUnknown { reason: format!("{self:?}") },
        }
    }

    /// What the sender of a cancel learns.
    #[must_use]
    pub fn cancel_outcome(self, done: bool) -> CancelOutcome {
        match (self, done) {
            (Self::None, true) => CancelOutcome::Accepted,
            (Self::None, false) => CancelOutcome::Rejected {
                code: "already_final".into(),
                message: "there is nothing to cancel".into(),
            },
            (Self::Busy, _) => BUSY.into(),
            (Self::Unreachable, _) => Unsent::never_left(format!("{self:?}")).into(),
            (_, _) => CancelOutcome::OutcomeUnknown { reason: format!("{self:?}") },
        }
    }
}
