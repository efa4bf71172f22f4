//! What a broker, or the way to it, can have against a wish that is no order.

use domain::broker::Unsent;
use std::time::Duration;
use thiserror::Error;

/// Why a broker could not answer a question. Orders and cancels have outcomes instead.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BrokerError {
    /// It, or the database, cannot be reached; trying again later may help.
    #[error("not available: {0}")]
    Unavailable(String),
    /// What was asked contradicts what is.
    #[error("{0}")]
    Conflict(String),
    /// This broker cannot do that.
    #[error("not supported: {0}")]
    Unsupported(String),
    /// It has refused what was asked for good.
    #[error("refused: {0}")]
    Rejected(String),
    /// It was asked too often; after this time it may be asked again.
    #[error("asked too often; again after {} s", .0.as_secs())]
    RateLimited(Duration),
    /// It does not let us in; only a person can change that.
    #[error("{0}")]
    AuthExpired(KeyTrouble),
    /// The key is good, and the account behind it is not opened here; only a person can change that.
    #[error("{1}")]
    NotOpened(OpeningTrouble, String),
}

impl BrokerError {
    /// As what is said of a message that was not sent because of it.
    #[must_use]
    pub fn unsent(self) -> Unsent {
        match self {
            Self::RateLimited(after) => {
                let started = u64::from(after.subsec_nanos() > 0);
                Unsent::RateLimited { after_seconds: after.as_secs() + started }
            }
            Self::AuthExpired(trouble) => {
                Unsent::AuthExpired { code: trouble.word().to_owned(), reason: trouble.to_string() }
            }
            Self::Unavailable(reason) | Self::Rejected(reason) => Unsent::NotSent { reason },
            error @ (Self::Conflict(_) | Self::Unsupported(_) | Self::NotOpened(..)) => {
                Unsent::never_left(error.to_string())
            }
        }
    }
}

/// Why an account is not opened although its key is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpeningTrouble {
    /// Orders are open in it: what they bring would be nobody's here.
    OrdersOpen,
    /// This server has no bridge to the broker, which this account needs.
    BridgeMissing,
    /// The broker does not let it trade.
    Inactive,
    /// It is in another currency.
    OtherCurrency,
    /// The key opens another account than the one that was opened.
    OtherAccount,
    /// It is connected to another account here.
    Taken,
}

impl OpeningTrouble {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::OrdersOpen,
        Self::BridgeMissing,
        Self::Inactive,
        Self::OtherCurrency,
        Self::OtherAccount,
        Self::Taken,
    ];

    /// Its stable word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::OrdersOpen => "orders_open",
            Self::BridgeMissing => "bridge_missing",
            Self::Inactive => "account_inactive",
            Self::OtherCurrency => "other_currency",
            Self::OtherAccount => "other_account",
            Self::Taken => "account_taken",
        }
    }

    /// The same with its circumstances, in words.
    pub(crate) fn because(self, detail: impl Into<String>) -> BrokerError {
        BrokerError::NotOpened(self, detail.into())
    }
}

/// Why a broker does not let us in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyTrouble {
    /// No key was ever entered.
    #[error("no key of the broker was entered")]
    Missing,
    /// It never knew this key.
    #[error("the broker does not know this key")]
    Wrong,
    /// The key was good until its day.
    #[error("the key has expired at the broker")]
    Expired,
    /// The key was good once and is not any more.
    #[error("the key was good and was revoked at the broker")]
    Revoked,
    /// The key opens, and the account behind it is not the one that was opened here.
    #[error("the key opens another account of the broker's than the one that was opened here")]
    OtherAccount,
}

impl KeyTrouble {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Missing, Self::Wrong, Self::Expired, Self::Revoked, Self::OtherAccount];

    /// Its stable word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Missing => "key_missing",
            Self::Wrong => "key_wrong",
            Self::Expired => "key_expired",
            Self::Revoked => "key_revoked",
            Self::OtherAccount => "account_changed",
        }
    }
}
