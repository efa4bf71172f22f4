//! One account's way to Alpaca: its key, its limiter, and what it held when it was connected.

use super::NAME;
use super::rest::Rest;
use crate::broker::outside::way::Way;
use crate::broker::records::{Opening, StoredAccount};
use std::ops::Deref;
use tokio_util::sync::CancellationToken;

/// One account.
pub(in crate::broker) struct Session {
    way: Way,
    /// Alpaca's number of it.
    pub(super) number: String,
    pub(super) rest: Rest,
    pub(super) opening: Opening,
}

impl Deref for Session {
    type Target = Way;

    fn deref(&self) -> &Way {
        &self.way
    }
}

impl Session {
    pub(super) fn new(account: &StoredAccount, rest: Rest, stop: CancellationToken) -> Self {
        Self {
            way: Way::new(NAME, account.account_id, stop),
            number: account.broker_number.clone(),
            rest,
            opening: account.opening.clone(),
        }
    }
}
