//! The way to the broker connector. Its answers say what the connector did with a message, never what became of an
//! order: that is only in the journal.

use domain::broker::{
    CancelOutcome, OrderRequest, PlaceOutcome, ReplaceOutcome, ReplaceRequest, TOKEN_HEADER,
};
use domain::{AccountId, Currency, OrderId};
use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Longest wait for the connection.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(2);
/// Longest wait for an answer; after it nobody knows what became of the message.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// Why a message was not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum SendError {
    /// It provably never arrived, or was refused before anything was done.
    #[error("not sent: {0}")]
    NotSent(String),
    /// It may have arrived.
    #[error("outcome unknown: {0}")]
    OutcomeUnknown(String),
}

/// The connector.
pub(super) struct Connector {
    client: reqwest::Client,
    url: String,
    token: SecretString,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    account_id: AccountId,
    broker: &'static str,
    currency: Currency,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Cancels<'a> {
    order_ids: &'a [OrderId],
}

impl Connector {
    /// A client of the connector at this address.
    ///
    /// # Errors
    /// When no client can be made at all.
    pub(super) fn new(url: &str, token: SecretString) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIME_MAX)
            .timeout(ANSWER_TIME_MAX)
            .no_proxy()
            .build()?;
        Ok(Self { client, url: url.to_owned(), token })
    }

    /// Makes an account known to its broker. Repeating it changes nothing.
    ///
    /// # Errors
    /// [`SendError`]
    pub(super) async fn connect(&self, account_id: AccountId, currency: Currency) -> Result<(), SendError> {
        let connection = Connection { account_id, broker: "simulator", currency };
        self.post::<serde::de::IgnoredAny>("/broker/connect", &connection).await.map(|_| ())
    }

    /// Hands orders over; one outcome each, in their order. An order handed over twice is placed once.
    ///
    /// # Errors
    /// [`SendError`] for all of them.
    pub(super) async fn place(&self, orders: &[OrderRequest]) -> Result<Vec<PlaceOutcome>, SendError> {
        let outcomes: Vec<PlaceOutcome> = self.post("/broker/orders", &orders).await?;
        same_length(outcomes, orders.len())
    }

    /// Hands cancels over; one outcome each, in their order.
    ///
    /// # Errors
    /// [`SendError`] for all of them.
    pub(super) async fn cancel(&self, orders: &[OrderId]) -> Result<Vec<CancelOutcome>, SendError> {
        let outcomes: Vec<CancelOutcome> =
            self.post("/broker/cancels", &Cancels { order_ids: orders }).await?;
        same_length(outcomes, orders.len())
    }

    /// Hands requests for other terms over; one outcome each, in their order. One handed over twice is done once.
    ///
    /// # Errors
    /// [`SendError`] for all of them.
    pub(super) async fn replace(
        &self,
        requests: &[ReplaceRequest],
    ) -> Result<Vec<ReplaceOutcome>, SendError> {
        let outcomes: Vec<ReplaceOutcome> = self.post("/broker/replaces", &requests).await?;
        same_length(outcomes, requests.len())
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, SendError> {
        let request = self.client.post(format!("{}{path}", self.url));
        let request = request.header(TOKEN_HEADER, self.token.expose_secret()).json(body);
        let response = request.send().await.map_err(|error| {
            if error.is_connect() || error.is_builder() {
                SendError::NotSent(error.to_string())
            } else {
                SendError::OutcomeUnknown(error.to_string())
            }
        })?;
        let status = response.status();
        if status.is_client_error() || status == StatusCode::SERVICE_UNAVAILABLE {
            let problem = response.text().await.unwrap_or_default();
            return Err(SendError::NotSent(format!("{status}: {problem}")));
        }
        if !status.is_success() {
            return Err(SendError::OutcomeUnknown(status.to_string()));
        }
        response.json().await.map_err(|error| SendError::OutcomeUnknown(error.to_string()))
    }
}

fn same_length<T>(outcomes: Vec<T>, expected: usize) -> Result<Vec<T>, SendError> {
    if outcomes.len() == expected {
        Ok(outcomes)
    } else {
        Err(SendError::OutcomeUnknown(format!("{} outcomes for {expected} messages", outcomes.len())))
    }
}
