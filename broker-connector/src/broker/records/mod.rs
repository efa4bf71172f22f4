//! What is kept of accounts at brokers that keep their books themselves: what they held when they were connected, what
//! opens them, and which orders were sent, written before the first byte leaves.

mod members;
mod store;

pub(crate) use members::{Leg, Member};

use super::{BrokerError, OpeningTrouble};
use chrono::{DateTime, Utc};
use domain::broker::OrderRequest;
use domain::{AccountId, Currency, OrderId};
use rust_decimal::Decimal;
use secrecy::SecretString;
use store::Store;

/// What an account held when it was connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opening {
    /// In this currency.
    pub(crate) currency: Currency,
    /// Its cash.
    pub(crate) cash: Decimal,
    /// Movements beside trading that this cash contains although their day was not over.
    pub(crate) movements: Vec<String>,
    /// When.
    pub(crate) opened_at: DateTime<Utc>,
}

/// An account as it was connected.
#[derive(Debug, Clone)]
pub(crate) struct StoredAccount {
    pub(crate) account_id: AccountId,
    /// The broker's number of it.
    pub(crate) broker_number: String,
    /// Its credentials, sealed.
    pub(crate) sealed: Vec<u8>,
    pub(crate) opening: Opening,
}

/// An order that was, or may have been, sent, or that was found at the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Located {
    pub(crate) account_id: AccountId,
    /// The newest number that is known of it.
    pub(crate) broker_order_id: Option<String>,
}

/// The records. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Records(Store);

fn unavailable(error: anyhow::Error) -> BrokerError {
    BrokerError::Unavailable(format!("{error:#}"))
}

impl Records {
    /// The records in this database.
    ///
    /// # Errors
    /// When its address cannot be read.
    pub(crate) fn new(database_url: &SecretString) -> anyhow::Result<Self> {
        Store::new(database_url).map(Self)
    }

    /// The accounts at a broker.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`]
    pub(crate) async fn accounts(&self, broker: &str) -> Result<Vec<StoredAccount>, BrokerError> {
        self.0.accounts(broker).await.map_err(unavailable)
    }

    /// Writes an account, or what opens it now, and gives it as it stands there: what it held when it was first connected
    /// stays.
    ///
    /// # Errors
    /// [`BrokerError::NotOpened`] where another account is that account of the broker's already.
    pub(crate) async fn save_account(
        &self,
        broker: &str,
        account: &StoredAccount,
    ) -> Result<StoredAccount, BrokerError> {
        if !self.0.save_account(broker, account).await.map_err(unavailable)? {
            return Err(OpeningTrouble::Taken.because(
                "that account of the broker's is connected to another account here, or this one to another one of a broker's",
            ));
        }
        let saved =
            self.accounts(broker).await?.into_iter().find(|saved| saved.account_id == account.account_id);
        saved.ok_or_else(|| BrokerError::Unavailable("an account was saved and is not there".into()))
    }

    /// Writes that an order is about to be sent; whether this is the first time.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`]: then it must not be sent.
    pub(crate) async fn sending(&self, order: &OrderRequest) -> Result<bool, BrokerError> {
        self.0.sending(order).await.map_err(unavailable)
    }

    /// Takes back that an order is about to be sent: it provably never left. Only who wrote it first may say so.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`]
    pub(crate) async fn not_sent(&self, order: OrderId) -> Result<(), BrokerError> {
        self.0.not_sent(order).await.map_err(unavailable)
    }

    /// Notes the broker's newest number of an order.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`]
    pub(crate) async fn numbered(&self, order: OrderId, broker_order_id: &str) -> Result<(), BrokerError> {
        self.all_numbered(&[(order, broker_order_id.to_owned())]).await
    }

    /// The same for several orders.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`]
    pub(crate) async fn all_numbered(&self, numbers: &[(OrderId, String)]) -> Result<(), BrokerError> {
        self.0.numbered(numbers).await.map_err(unavailable)
    }

    /// Where an order is.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`]
    pub(crate) async fn located(&self, order: OrderId) -> Result<Option<Located>, BrokerError> {
        self.0.located(order).await.map_err(unavailable)
    }

    /// When the oldest order was submitted of which the journal does not tell the end.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`]
    pub(crate) async fn oldest_working(
        &self,
        account: AccountId,
    ) -> Result<Option<DateTime<Utc>>, BrokerError> {
        self.0.oldest_working(account).await.map_err(unavailable)
    }
}
