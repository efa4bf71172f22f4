//! Orders: their words, and the one table of their life.

use serde::{Deserialize, Serialize};
use std::fmt;
use thiserror::Error;

/// Buy or sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Shares come in, cash goes out.
    Buy,
    /// Shares go out, cash comes in.
    Sell,
}

/// Where an order stands, in the terms of FIX.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderStatus {
    /// Being judged; never stored.
    Created,
    /// Committed here; may have left the process; the broker has not spoken yet.
    PendingNew,
    /// Working at the broker.
    New,
    /// Working, and some of it is done.
    PartiallyFilled,
    /// Held by the broker or the market; comes back or ends.
    Suspended,
    /// Finished for today, comes back tomorrow.
    DoneForDay,
    /// Refused here.
    Denied,
    /// Refused by the broker.
    Rejected,
    /// Done in full.
    Filled,
    /// Taken back.
    Canceled,
    /// Ended by its time in force.
    Expired,
    /// Superseded by another order.
    Replaced,
}

impl Side {
    /// The stored and shown name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }

    /// The side of a stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Buy, Self::Sell].into_iter().find(|side| side.name() == name)
    }
}

impl OrderStatus {
    /// Every status.
    pub const ALL: [Self; 12] = [
        Self::Created,
        Self::PendingNew,
        Self::New,
        Self::PartiallyFilled,
        Self::Suspended,
        Self::DoneForDay,
        Self::Denied,
        Self::Rejected,
        Self::Filled,
        Self::Canceled,
        Self::Expired,
        Self::Replaced,
    ];

    /// Whether nothing more is expected to happen to the order.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Denied | Self::Rejected | Self::Filled | Self::Canceled | Self::Expired | Self::Replaced
        )
    }

    /// The name stored and shown, as in FIX.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::PendingNew => "PENDING_NEW",
            Self::New => "NEW",
            Self::PartiallyFilled => "PARTIALLY_FILLED",
            Self::Suspended => "SUSPENDED",
            Self::DoneForDay => "DONE_FOR_DAY",
            Self::Denied => "DENIED",
            Self::Rejected => "REJECTED",
            Self::Filled => "FILLED",
            Self::Canceled => "CANCELED",
            Self::Expired => "EXPIRED",
            Self::Replaced => "REPLACED",
        }
    }

    /// The status of a stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What can happen to an order. A fill says whether it completes the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderEvent {
    /// Risk said no.
    Denied,
    /// The intent was committed.
    Submitted,
    /// The broker has the order.
    Accepted,
    /// The broker definitely refused it.
    Rejected,
    /// The price it waited for has come.
    Triggered,
    /// A part was executed and more is open.
    PartialFill,
    /// The last part was executed.
    CompletingFill,
    /// Taken back.
    Canceled,
    /// Ended by its time in force.
    Expired,
    /// Held.
    Suspended,
    /// Working again after having been held or done for the day.
    Resumed,
    /// Finished for today.
    DoneForDay,
    /// Superseded.
    Replaced,
    /// Its terms have changed in place; a part of it is still open.
    TermsReplaced,
    /// Its terms are no more than what is filled already: nothing of it is open any more.
    TermsFulfilled,
    /// An execution was undone or made smaller; others are left.
    FillsReduced,
    /// The last execution that was left was undone.
    FillsUndone,
}

impl OrderEvent {
    /// Every event.
    pub const ALL: [Self; 17] = [
        Self::Denied,
        Self::Submitted,
        Self::Accepted,
        Self::Rejected,
        Self::Triggered,
        Self::TermsReplaced,
        Self::TermsFulfilled,
        Self::PartialFill,
        Self::CompletingFill,
        Self::Canceled,
        Self::Expired,
        Self::Suspended,
        Self::Resumed,
        Self::DoneForDay,
        Self::Replaced,
        Self::FillsReduced,
        Self::FillsUndone,
    ];
}

/// What an event does to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// The order stands here now.
    To(OrderStatus),
    /// Old news: a duplicate or late message that changes nothing.
    Ignored,
    /// An execution of an order that had ended: the money is booked and the filled quantity grows, the status
    /// stays, and a person must be told. `halt` asks for trading to stop: the broker executed what was refused.
    LateFill {
        /// Whether this contradicts a refusal.
        halt: bool,
    },
}

/// An event that this order can never see; the report is kept and a person must look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an order that is {from} cannot be {event:?}")]
pub struct IllegalTransition {
    /// Where the order stands.
    pub from: OrderStatus,
    /// What was reported.
    pub event: OrderEvent,
}

/// The whole life of an order.
///
/// Brokers repeat themselves and speak out of order, so a message that says less than what is known is ignored; an
/// execution is never ignored.
///
/// # Errors
/// [`IllegalTransition`] for what no order of business produces.
pub const fn transition(from: OrderStatus, event: OrderEvent) -> Result<Transition, IllegalTransition> {
    use OrderEvent as E;
    use OrderStatus as S;
    use Transition::{Ignored, LateFill, To};
    Ok(match (from, event) {
        (S::Created, E::Denied) => To(S::Denied),
        (S::Created, E::Submitted) => To(S::PendingNew),
        (S::Created, _) | (_, E::Denied | E::Submitted) => return Err(IllegalTransition { from, event }),

        (S::Filled | S::Canceled | S::Expired | S::Replaced, E::PartialFill | E::CompletingFill) => {
            LateFill { halt: false }
        }
        (S::Denied | S::Rejected, E::PartialFill | E::CompletingFill) => LateFill { halt: true },
        (_, E::CompletingFill) => To(S::Filled),
        (_, E::PartialFill) => To(S::PartiallyFilled),

        // What was executed and is undone is open again (FIX 4.2, appendix D, matrix D34: "Filled order, followed by
        // correction and cancellation of executions"), so a filled order comes back. What was ended by a word of
        // somebody stays ended, and what is held stays held.
        (S::PendingNew, E::FillsReduced | E::FillsUndone) => return Err(IllegalTransition { from, event }),
        (S::New | S::PartiallyFilled | S::Filled, E::FillsReduced) => To(S::PartiallyFilled),
        (S::New | S::PartiallyFilled | S::Filled, E::FillsUndone) => To(S::New),
        (_, E::FillsReduced | E::FillsUndone) => Ignored,

        (S::Denied | S::Rejected | S::Filled | S::Canceled | S::Expired | S::Replaced, _) => Ignored,

        // Whatever the broker does with an order, it has it: the acknowledgement is implied. The caller knows by the
        // order's terms and by when it was triggered that a message is no repetition.
        (S::PendingNew, E::Triggered | E::TermsReplaced) => To(S::New),
        (_, E::Triggered | E::TermsReplaced) => To(from),
        (_, E::TermsFulfilled) => To(S::Filled),
        (S::PendingNew, E::Accepted) => To(S::New),
        (_, E::Accepted) => Ignored,
        (S::PendingNew | S::New, E::Rejected) => To(S::Rejected),
        (_, E::Rejected) => return Err(IllegalTransition { from, event }),

        (_, E::Canceled) => To(S::Canceled),
        (_, E::Expired) => To(S::Expired),
        (S::PendingNew, E::Replaced) => return Err(IllegalTransition { from, event }),
        (_, E::Replaced) => To(S::Replaced),

        (S::Suspended, E::Suspended) | (S::DoneForDay, E::DoneForDay) => Ignored,
        (_, E::Suspended) => To(S::Suspended),
        (_, E::DoneForDay) => To(S::DoneForDay),
        (S::Suspended | S::DoneForDay, E::Resumed) => To(S::New),
        (_, E::Resumed) => Ignored,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn to(from: OrderStatus, event: OrderEvent) -> OrderStatus {
        match transition(from, event) {
            Ok(Transition::To(status)) => status,
            other => panic!("{from} {event:?}: {other:?}"),
        }
    }

    #[test]
    fn a_fill_may_overtake_the_acknowledgement() {
        let filled = to(OrderStatus::PendingNew, OrderEvent::CompletingFill);
        assert_eq!(filled, OrderStatus::Filled);
        assert_eq!(transition(filled, OrderEvent::Accepted), Ok(Transition::Ignored));
    }

    #[test]
    fn a_late_new_never_downgrades() {
        for status in OrderStatus::ALL {
            if !matches!(status, OrderStatus::Created | OrderStatus::PendingNew) {
                assert_eq!(transition(status, OrderEvent::Accepted), Ok(Transition::Ignored), "{status}");
            }
        }
    }

    #[test]
    fn a_fill_of_a_refused_order_asks_for_a_halt() {
        for status in [OrderStatus::Denied, OrderStatus::Rejected] {
            assert_eq!(transition(status, OrderEvent::PartialFill), Ok(Transition::LateFill { halt: true }));
        }
        assert_eq!(
            transition(OrderStatus::Canceled, OrderEvent::PartialFill),
            Ok(Transition::LateFill { halt: false })
        );
    }

    #[test]
    fn only_a_new_order_can_be_refused_by_the_broker() {
        assert_eq!(to(OrderStatus::PendingNew, OrderEvent::Rejected), OrderStatus::Rejected);
        assert_eq!(to(OrderStatus::New, OrderEvent::Rejected), OrderStatus::Rejected);
        assert!(transition(OrderStatus::PartiallyFilled, OrderEvent::Rejected).is_err());
    }

    #[test]
    fn every_stored_name_is_read_back() {
        for status in OrderStatus::ALL {
            assert_eq!(OrderStatus::from_name(status.name()), Some(status));
            assert_eq!(serde_json::to_string(&status).unwrap(), format!("\"{}\"", status.name()));
        }
    }

    #[test]
    fn an_undone_execution_opens_a_filled_order_and_no_other_that_has_ended() {
        assert_eq!(to(OrderStatus::Filled, OrderEvent::FillsReduced), OrderStatus::PartiallyFilled);
        assert_eq!(to(OrderStatus::Filled, OrderEvent::FillsUndone), OrderStatus::New);
        assert_eq!(to(OrderStatus::PartiallyFilled, OrderEvent::FillsUndone), OrderStatus::New);
        for status in
            [OrderStatus::Canceled, OrderStatus::Expired, OrderStatus::Rejected, OrderStatus::Suspended]
        {
            assert_eq!(transition(status, OrderEvent::FillsUndone), Ok(Transition::Ignored), "{status}");
        }
    }

    proptest! {
        #[test]
        fn what_has_ended_stays_ended_unless_its_execution_is_undone(
            events in prop::collection::vec(prop::sample::select(OrderEvent::ALL.to_vec()), 0..40),
        ) {
            let mut status = OrderStatus::Created;
            for event in events {
                if let Ok(Transition::To(next)) = transition(status, event) {
                    let undone = status == OrderStatus::Filled
                        && matches!(event, OrderEvent::FillsReduced | OrderEvent::FillsUndone);
                    prop_assert!(undone || !status.is_terminal(), "{status} left by {event:?}");
                    prop_assert_ne!(next, OrderStatus::Created);
                    status = next;
                }
            }
        }

        #[test]
        fn an_execution_is_never_ignored(status in prop::sample::select(OrderStatus::ALL.to_vec())) {
            for event in [OrderEvent::PartialFill, OrderEvent::CompletingFill] {
                prop_assert_ne!(transition(status, event), Ok(Transition::Ignored));
                prop_assert!(status == OrderStatus::Created || transition(status, event).is_ok());
            }
        }
    }
}
