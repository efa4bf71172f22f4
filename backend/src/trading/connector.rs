//! The way to the broker connector. Its answers say what the connector did with a message, never what became of an
//! order: that is only in the journal.

use super::delivery::Manners;
use domain::broker::{
    CancelOutcome, OrderRequest, PlaceOutcome, ReplaceOutcome, ReplaceRequest, TOKEN_HEADER,
};
use domain::inquiry::{
    AccountState, Finding, InquiryRequest, OpenReplace, OrderState, Recovery, ResolveRequest,
};
use domain::{AccountId, Currency, OrderId};
use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Longest wait for the connection.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(2);
/// Longest wait for an answer; after it nobody knows what became of the message.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// Longest wait for an answer for which a broker's history is read page by page.
const HISTORY_TIME_MAX: Duration = Duration::from_secs(60);

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

/// Why a question was not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum AskError {
    /// The connector, or the broker behind it, cannot be reached now.
    #[error("not reachable: {0}")]
    Unreachable(String),
    /// What was asked contradicts what is there.
    #[error("{0}")]
    Conflict(String),
}

/// The connector. Cloning is cheap.
#[derive(Clone)]
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

#[derive(Deserialize)]
struct Brokers {
    brokers: Vec<Capabilities>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Capabilities {
    idempotent_orders: bool,
}

/// The part of a problem document that is told on.
#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    detail: String,
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

    /// How the brokers behind it want to be treated: as the strictest of them.
    ///
    /// # Errors
    /// [`AskError`]
    pub(super) async fn manners(&self) -> Result<Manners, AskError> {
        let request = self.client.get(format!("{}/broker/capabilities", self.url));
        let Brokers { brokers } = self.ask(request, ANSWER_TIME_MAX).await?;
        Ok(Manners { idempotent_orders: brokers.iter().all(|broker| broker.idempotent_orders) })
    }

    /// What became of orders; one finding each, in their order. `waiting` are orders of the same accounts that were not
    /// heard of yet, which must not be taken for those asked for; `replacing` are requests for other terms that were not
    /// answered. What the journal lacked about them is written.
    ///
    /// # Errors
    /// [`AskError`]
    pub(super) async fn inquire(
        &self,
        orders: &[OrderRequest],
        waiting: Vec<OrderRequest>,
        replacing: Vec<OpenReplace>,
    ) -> Result<Vec<Finding>, AskError> {
        let body = InquiryRequest { orders: orders.to_vec(), waiting, replacing };
        let request = self.client.post(format!("{}/broker/inquiries", self.url)).json(&body);
        let findings: Vec<Finding> = self.ask(request, HISTORY_TIME_MAX).await?;
        if findings.len() == orders.len() {
            Ok(findings)
        } else {
            Err(AskError::Unreachable(format!("{} findings for {} orders", findings.len(), orders.len())))
        }
    }

    /// Looks for reports that the journal lacks about an account. `waiting` are the orders not heard of yet, `replacing` the
    /// requests for other terms that were not answered.
    ///
    /// # Errors
    /// [`AskError`]
    pub(super) async fn recover(
        &self,
        account: AccountId,
        waiting: Vec<OrderRequest>,
        replacing: Vec<OpenReplace>,
    ) -> Result<Recovery, AskError> {
        let path = format!("{}/broker/accounts/{account}/recover", self.url);
        let request = self.client.post(path).json(&InquiryRequest { orders: Vec::new(), waiting, replacing });
        self.ask(request, HISTORY_TIME_MAX).await
    }

    /// What the broker holds for an account.
    ///
    /// # Errors
    /// [`AskError`]
    pub(super) async fn account(&self, account: AccountId) -> Result<AccountState, AskError> {
        let request = self.client.get(format!("{}/broker/accounts/{account}/sync", self.url));
        self.ask(request, ANSWER_TIME_MAX).await
    }

    /// How an order stands that may not be ours; nothing where the broker does not know it.
    ///
    /// # Errors
    /// [`AskError`]
    pub(super) async fn order(&self, order: OrderId) -> Result<Option<OrderState>, AskError> {
        #[derive(Deserialize)]
        struct Status {
            order: Option<OrderState>,
        }
        let request = self.client.get(format!("{}/broker/order/{order}", self.url));
        let status: Status = self.ask(request, ANSWER_TIME_MAX).await?;
        Ok(status.order)
    }

    /// Passes a person's word about an order on.
    ///
    /// # Errors
    /// [`AskError::Conflict`] when the broker knows better.
    pub(super) async fn resolve(&self, request: &ResolveRequest) -> Result<(), AskError> {
        let request = self.client.post(format!("{}/broker/resolutions", self.url)).json(request);
        self.ask::<serde::de::IgnoredAny>(request, HISTORY_TIME_MAX).await.map(|_| ())
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
        time_max: Duration,
    ) -> Result<T, AskError> {
        let unreachable = |error: reqwest::Error| AskError::Unreachable(error.to_string());
        let request = request.header(TOKEN_HEADER, self.token.expose_secret()).timeout(time_max);
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        if status == StatusCode::CONFLICT {
            let refusal: Refusal = response.json().await.map_err(unreachable)?;
            return Err(AskError::Conflict(refusal.detail));
        }
        if !status.is_success() {
            let problem = response.text().await.unwrap_or_default();
            return Err(AskError::Unreachable(format!("{status}: {problem}")));
        }
        response.json().await.map_err(unreachable)
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
