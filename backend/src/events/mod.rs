//! Domain events: what happened, kept in an append-only table and told to whoever listens.
//!
//! Promises: an event is written in the transaction of what it tells, so neither exists without the other; ids grow
//! in the order of commits, so a reader that has seen one id has seen all before it; nothing is told before it is
//! durable. Called by every module that changes something, listened to by `notify`.

mod hub;
mod store;

pub use hub::{EventHub, Subscription, SubscriptionError};
pub use store::append;
pub(crate) use store::append_events;

use domain::UserId;
use serde::Serialize;
use std::sync::Arc;
use uuid::Uuid;

/// What an event is about; the name under which browsers receive it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// An order was placed or changed.
    Order,
    /// A part of an order was executed.
    Execution,
    /// Cash, holds or buying power of an account changed.
    Balance,
    /// The shares of an account changed.
    Position,
    /// An account was opened.
    Account,
    /// Something happened that a person must look at.
    Incident,
    /// Trading in an account was halted, or may go on.
    Halt,
    /// Something about a user's login that its owner should know.
    Security,
}

impl EventKind {
    /// The stored and published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Execution => "execution",
            Self::Balance => "balance",
            Self::Position => "position",
            Self::Account => "account",
            Self::Incident => "incident",
            Self::Halt => "halt",
            Self::Security => "security",
        }
    }
}

/// An event about to be written.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Whose it is.
    pub user_id: UserId,
    /// What it is about.
    pub kind: EventKind,
    /// JSON text.
    pub payload: String,
}

impl NewEvent {
    /// An event with anything that has a JSON form as payload.
    ///
    /// # Errors
    /// The serializer's, which no type of ours produces.
    pub fn new(
        user_id: UserId,
        kind: EventKind,
        payload: &impl Serialize,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self { user_id, kind, payload: serde_json::to_string(payload)? })
    }

    /// The values of its row: user, kind, payload.
    #[must_use]
    pub fn into_columns(self) -> (Uuid, String, String) {
        (self.user_id.0, self.kind.name().to_owned(), self.payload)
    }
}

/// An event that is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its place in the order of all events.
    pub id: i64,
    /// Whose it is.
    pub user_id: UserId,
    /// Its published name.
    pub kind: String,
    /// JSON text.
    pub payload: Arc<str>,
}
