//! Identities. Each is its own type, so that an account's id can never be passed where an order's belongs.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id. Version 7: ids made later sort later, which keeps their indexes compact.
            #[must_use]
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, formatter)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    };
}

uuid_id! {
    /// A person who logs in.
    UserId
}
uuid_id! {
    /// A trading account of one user at one broker.
    AccountId
}
uuid_id! {
    /// An order; also the client order id under which brokers know it.
    OrderId
}
uuid_id! {
    /// Orders that belong together.
    OrderGroupId
}
uuid_id! {
    /// A request to change the terms of an order.
    ReplaceId
}

/// Longest client order id, in characters (Alpaca's limit, which is the widest of the brokers in view).
pub const CLIENT_ORDER_ID_LENGTH_MAX: usize = 128;

/// The caller's own name for an order, unique in its account: the order's idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, example = "my-order-1"))]
#[serde(transparent)]
pub struct ClientOrderId(String);

/// Why a text is no client order id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be 1 to {CLIENT_ORDER_ID_LENGTH_MAX} printable ASCII characters")]
pub struct ClientOrderIdError;

impl ClientOrderId {
    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClientOrderId {
    type Err = ClientOrderIdError;

    fn from_str(text: &str) -> Result<Self, ClientOrderIdError> {
        let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if text.is_empty() || text.len() > CLIENT_ORDER_ID_LENGTH_MAX || !printable {
            return Err(ClientOrderIdError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl From<OrderId> for ClientOrderId {
    fn from(id: OrderId) -> Self {
        Self(id.to_string())
    }
}

impl fmt::Display for ClientOrderId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ClientOrderId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_order_id_is_short_and_printable() {
        assert!("bot-2026/11 a".parse::<ClientOrderId>().is_ok());
        for text in ["", "a\n", "개미", "a\0b", &"x".repeat(129)] {
            assert!(text.parse::<ClientOrderId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn later_ids_sort_later() {
        let ids: Vec<_> = (0..1000).map(|_| OrderId::generate()).collect();
        assert!(ids.is_sorted());
    }
}
