//! Orders that were sent as one: which brought the others, and what of them is an order here.

use super::{Records, unavailable};
use crate::broker::BrokerError;
use domain::broker::ExitKind;
use domain::{AccountId, OrderId};
use rust_decimal::Decimal;

/// Which of those that were sent as one an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leg {
    /// The one that was sent.
    Leader,
    /// One that came with it.
    Exit {
        /// With this one.
        leader: OrderId,
        /// Which of its exits.
        kind: ExitKind,
    },
}

/// An order that was sent with others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) order_id: OrderId,
    pub(crate) leg: Leg,
    /// The newest number that is known of it.
    pub(crate) broker_order_id: Option<String>,
    /// How many shares it was sent for.
    pub(crate) quantity: Decimal,
    /// Whether it is an order here. What happens to an exit before that is not told yet.
    pub(crate) is_claimed: bool,
}

impl Records {
    /// Orders that were sent with others, among those of these numbers and ids.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`]
    pub(crate) async fn members(
        &self,
        account: AccountId,
        numbers: Vec<String>,
        orders: &[OrderId],
    ) -> Result<Vec<Member>, BrokerError> {
        self.0.members(account, numbers, orders).await.map_err(unavailable)
    }

    /// Exits of an account whose numbers nobody has told yet, some of them where there are many.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`]
    pub(crate) async fn unnumbered(&self, account: AccountId) -> Result<Vec<Member>, BrokerError> {
        self.0.unnumbered(account).await.map_err(unavailable)
    }

    /// Notes that an exit is an order here from now on, and says what is known of it; nothing where its leader was not sent.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`]
    pub(crate) async fn claim(&self, order: OrderId) -> Result<Option<Member>, BrokerError> {
        self.0.claim(order).await.map_err(unavailable)
    }
}
