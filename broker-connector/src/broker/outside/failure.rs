//! Why a request has no answer that says it was done.

use crate::broker::{BrokerError, KeyTrouble};
use domain::broker::Unsent;
use std::time::Duration;

/// A refusal in a broker's own form.
pub(in crate::broker) trait Refusal {
    /// The broker's words.
    fn message(&self) -> &str;
}

/// What is known of a request that was not answered with what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::broker) enum Failure<R> {
    /// It provably never left.
    NotSent(String),
    /// It may have been done.
    Unknown(String),
    /// It was not done, because too much was asked; after this time it may be asked again.
    Limited(Duration),
    /// It was not done: the key does not open.
    Locked(KeyTrouble),
    /// It was refused for good.
    Refused(R),
}

impl<R: Refusal> Failure<R> {
    /// As the answer to a question, which changes nothing whatever became of it.
    pub(in crate::broker) fn of_question(self) -> BrokerError {
        match self {
            Self::NotSent(reason) | Self::Unknown(reason) => BrokerError::Unavailable(reason),
            Self::Limited(after) => BrokerError::RateLimited(after),
            Self::Locked(trouble) => BrokerError::AuthExpired(trouble),
            Self::Refused(refused) => BrokerError::Rejected(refused.message().to_owned()),
        }
    }

    /// As what is said of a message that was not sent because of it.
    pub(in crate::broker) fn unsent(self) -> Unsent {
        self.of_question().unsent()
    }

    /// Whether the account behind the key is not ours: nothing may be sent to it.
    pub(in crate::broker) const fn is_of_other_account(&self) -> bool {
        matches!(self, Self::Locked(KeyTrouble::OtherAccount))
    }

    /// In words.
    pub(in crate::broker) fn words(&self) -> String {
        match self {
            Self::NotSent(reason) | Self::Unknown(reason) => reason.clone(),
            Self::Limited(after) => format!("asked too often; again after {} s", after.as_secs()),
            Self::Locked(trouble) => trouble.to_string(),
            Self::Refused(refused) => refused.message().to_owned(),
        }
    }
}
