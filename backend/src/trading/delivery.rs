//! What may be sent to a broker, and what becomes of an order whose fate nobody knows. Pure.
//!
//! A broker that takes an order twice under one id for one order may be sent to again. Any other is sent to once: that it
//! is about to be is written first, and from then on it is only asked.

use super::order::Order;
use chrono::{DateTime, TimeDelta, Utc};
use domain::broker::PlaceOutcome;
use domain::inquiry::Finding;
use domain::{OrderId, OrderStatus};

/// How long nothing may be heard of an order before it is asked for, and between two questions.
pub(super) const QUESTION_DISTANCE: TimeDelta = TimeDelta::seconds(5);
/// Questions after which only a person can say; the broker is still listened to.
pub(super) const QUESTIONS_MAX: i32 = 5;
/// Between two questions after that.
pub(super) const LATER_QUESTION_DISTANCE: TimeDelta = TimeDelta::seconds(60);
/// Complete histories in a row that must lack an order before it counts as not there.
pub(super) const ABSENCES_FOR_PROOF: i32 = 2;

/// What must be known about a broker to deliver to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Manners {
    /// Whether an order that comes twice under one id is one order.
    pub(super) idempotent_orders: bool,
}

/// What is being asked about an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Inquiry {
    pub(super) order_id: OrderId,
    /// When it may have left for a broker that must not be sent to twice.
    pub(super) sent_at: Option<DateTime<Utc>>,
    /// Questions asked.
    pub(super) tries: i32,
    /// Complete histories in a row that did not have it.
    pub(super) absences: i32,
    /// When to ask.
    pub(super) next_at: Option<DateTime<Utc>>,
    /// Since when only a person can say.
    pub(super) given_up_at: Option<DateTime<Utc>>,
}

/// What to do with an order that was not heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    /// Send it, again if need be.
    Send,
    /// Write that it is about to be sent, then send it.
    MarkAndSend,
    /// It may be there: ask.
    Ask,
    /// Nothing now.
    Wait,
}

/// Decides about an order that was committed and not heard of. `sent_at` is when it may have left.
pub(super) fn delivery(
    order: &Order,
    sent_at: Option<DateTime<Utc>>,
    manners: Manners,
    now: DateTime<Utc>,
) -> Delivery {
    // What is unresolved is asked for, by its inquiry.
    if order.status != OrderStatus::PendingNew || order.unresolved_since.is_some() {
        return Delivery::Wait;
    }
    match sent_at {
        _ if manners.idempotent_orders => Delivery::Send,
        None => Delivery::MarkAndSend,
        Some(sent_at) if now - sent_at >= QUESTION_DISTANCE => Delivery::Ask,
        Some(_) => Delivery::Wait,
    }
}

/// What sending an order has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// It is there or was refused: the journal tells the rest.
    Known,
    /// It provably never left and may be sent again.
    Never,
    /// Nobody knows.
    Unknown,
}

/// Reads the outcome of sending an order.
pub(super) const fn sent(outcome: &PlaceOutcome) -> Sent {
    match outcome {
        PlaceOutcome::Accepted { .. } | PlaceOutcome::Rejected { .. } => Sent::Known,
        PlaceOutcome::Unsent(_) => Sent::Never,
        PlaceOutcome::OutcomeUnknown { .. } => Sent::Unknown,
    }
}

/// What an answer to a question leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Wait for the journal, or for the next question.
    Wait,
    /// Send it again under the same id.
    SendAgain,
    /// Tell a person.
    GiveUp,
}

impl Inquiry {
    /// The first questions about an order that has just become unknown.
    pub(super) fn open(&mut self, now: DateTime<Utc>) {
        *self = Self {
            order_id: self.order_id,
            sent_at: self.sent_at,
            tries: 0,
            absences: 0,
            next_at: Some(now + QUESTION_DISTANCE),
            given_up_at: None,
        };
    }

    /// Notes an answer and says what follows from it.
    pub(super) fn answer(&mut self, finding: &Finding, manners: Manners, now: DateTime<Utc>) -> Step {
        self.tries = self.tries.saturating_add(1);
        self.absences = match finding {
            Finding::Absent => self.absences.saturating_add(1),
            Finding::Found { .. } | Finding::Unclear { .. } => 0,
        };
        if self.given_up_at.is_some() {
            // The moment for which it was meant has passed: it is not sent any more, but it is listened for.
            self.next_at = Some(now + LATER_QUESTION_DISTANCE);
            return Step::Wait;
        }
        if self.tries >= QUESTIONS_MAX {
            self.given_up_at = Some(now);
            self.next_at = Some(now + LATER_QUESTION_DISTANCE);
            return Step::GiveUp;
        }
        self.next_at = Some(now + QUESTION_DISTANCE);
        match finding {
            Finding::Absent if manners.idempotent_orders => Step::SendAgain,
            Finding::Absent | Finding::Found { .. } | Finding::Unclear { .. } => Step::Wait,
        }
    }

    /// Whether the order is proven not to be at the broker.
    pub(super) const fn is_proven_absent(&self) -> bool {
        self.absences >= ABSENCES_FOR_PROOF
    }

    /// What a person is told when it is given up.
    pub(super) fn words(&self) -> String {
        let known = if self.is_proven_absent() {
            "its complete history does not have it"
        } else {
            "it could not say, or its answers contradict each other"
        };
        format!(
            "nobody knows whether the broker has this order: it was asked {} times and {known}; look there, then say \
             whether it is there",
            self.tries
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDEMPOTENT: Manners = Manners { idempotent_orders: true };
    const ONCE_ONLY: Manners = Manners { idempotent_orders: false };

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    fn unclear() -> Finding {
        Finding::Unclear { reason: "500".into() }
    }

    fn inquiry() -> Inquiry {
        let order_id = OrderId::generate();
        let mut inquiry =
            Inquiry { order_id, sent_at: None, tries: 3, absences: 1, next_at: None, given_up_at: None };
        inquiry.open(at(0));
        inquiry
    }

    #[test]
    fn the_first_question_comes_after_five_seconds_and_the_fifth_is_the_last_before_a_person_is_told() {
        let mut inquiry = inquiry();
        let mut asked_at = Vec::new();
        loop {
            let now = inquiry.next_at.unwrap();
            asked_at.push((now - at(0)).num_seconds());
            if inquiry.answer(&unclear(), IDEMPOTENT, now) == Step::GiveUp {
                break;
            }
        }
        assert_eq!(asked_at, [5, 10, 15, 20, 25]);
        assert_eq!(inquiry.given_up_at, Some(at(25)));
    }

    #[test]
    fn only_a_broker_that_knows_repetitions_is_sent_to_again() {
        assert_eq!(inquiry().answer(&Finding::Absent, IDEMPOTENT, at(5)), Step::SendAgain);
        assert_eq!(inquiry().answer(&Finding::Absent, ONCE_ONLY, at(5)), Step::Wait);
    }

    #[test]
    fn what_was_given_up_is_asked_for_and_never_sent() {
        let mut inquiry = inquiry();
        inquiry.given_up_at = Some(at(25));
        assert_eq!(inquiry.answer(&Finding::Absent, IDEMPOTENT, at(85)), Step::Wait);
        assert_eq!(inquiry.next_at, Some(at(145)));
    }

    #[test]
    fn absence_is_proven_by_two_complete_histories_in_a_row() {
        let mut inquiry = inquiry();
        for (finding, proven) in
            [(Finding::Absent, false), (unclear(), false), (Finding::Absent, false), (Finding::Absent, true)]
        {
            inquiry.answer(&finding, ONCE_ONLY, at(5));
            assert_eq!(inquiry.is_proven_absent(), proven);
        }
    }
}
