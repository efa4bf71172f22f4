//! The way to the broker connector. Its answers say what the connector did with a message, never what became of an
//! order: that is only in the journal.

use super::delivery::Manners;
use super::lane::Lane;
use crate::http::client_for;
use chrono::NaiveDate;
use domain::broker::{
    CancelOutcome, OrderRequest, PlaceOutcome, ReplaceOutcome, ReplaceRequest, TOKEN_HEADER,
};
use domain::inquiry::{
    AccountState, Finding, InquiryRequest, MarketHours, OpenReplace, OrderState, Recovery, ResolveRequest,
};
use domain::{AccountId, Currency, DecimalText, OrderId};
use exchange::Simulation;
use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Longest wait for the connection.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(2);
/// Longest wait for an answer; after it nobody knows what became of the message.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// Longest wait for an account to be opened at a broker far away, which takes several questions there.
const OPENING_TIME_MAX: Duration = Duration::from_secs(45);
/// Longest wait for a broker to say whether a key is good: the connector waits for its turn there.
const KEY_TIME_MAX: Duration = Duration::from_secs(45);
/// Longest wait for an answer for which a broker's history is read page by page.
const HISTORY_TIME_MAX: Duration = Duration::from_secs(60);

/// The connector's word for a key that opens another account than the one that was opened.
pub(super) const OTHER_ACCOUNT: &str = "account_changed";
/// Its word for an account that it has no key for.
const KEY_MISSING: &str = "key_missing";

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
    /// The broker speaks of another account than the one that was opened.
    #[error("{0}")]
    OtherAccount(String),
}

/// Why an account was not opened at its broker, or is not described.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum OpenError {
    /// The connector, or the broker behind it, cannot be reached now.
    #[error("not reachable: {0}")]
    Unreachable(String),
    /// It was refused: the connector's word for why, and the same for people.
    #[error("{code}: {detail}")]
    Refused {
        /// Stable word.
        code: String,
        /// In words.
        detail: String,
    },
}

/// A key of a broker's, as its owner has entered it.
#[derive(Debug)]
pub(super) struct BrokerKey {
    /// `paper` or `live`.
    pub(super) environment: String,
    pub(super) key_id: SecretString,
    pub(super) secret_key: SecretString,
}

/// An account that its broker knows.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Opened {
    pub(super) broker_number: Option<String>,
    pub(super) opening_cash: Option<DecimalText>,
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

#[derive(Serialize, Deserialize)]
struct SimulationName {
    simulation: String,
}

#[derive(Deserialize)]
struct Brokers {
    brokers: Vec<Capabilities>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Capabilities {
    broker: String,
    idempotent_orders: bool,
}

/// The part of a problem document that is told on.
#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    code: String,
    #[serde(default)]
    detail: String,
}

impl Connector {
    /// A client of the connector at this address.
    ///
    /// # Errors
    /// When no client can be made at all.
    pub(super) fn new(url: &str, token: SecretString) -> anyhow::Result<Self> {
        let client = client_for(url).connect_timeout(CONNECT_TIME_MAX).timeout(ANSWER_TIME_MAX).build()?;
        Ok(Self { client, url: url.to_owned(), token })
    }

    /// Makes an account known to its broker. Repeating it changes nothing.
    ///
    /// # Errors
    /// [`OpenError`]
    pub(super) async fn connect(
        &self,
        lane: Lane,
        account_id: AccountId,
        currency: Currency,
    ) -> Result<(), OpenError> {
        let connection = Connection { account_id, broker: lane.name(), currency };
        let request = self.client.post(format!("{}/broker/connect", self.url)).json(&connection);
        self.describe::<serde::de::IgnoredAny>(request, ANSWER_TIME_MAX).await.map(|_| ())
    }

    /// Opens an account at its broker with a key, or gives it another key.
    ///
    /// # Errors
    /// [`OpenError`]
    pub(super) async fn open(
        &self,
        lane: Lane,
        account_id: AccountId,
        currency: Currency,
        key: &BrokerKey,
    ) -> Result<Opened, OpenError> {
        let body = serde_json::json!({
            "accountId": account_id, "broker": lane.name(), "currency": currency,
            "credentials": {
                "environment": key.environment,
                "keyId": key.key_id.expose_secret(),
                "secretKey": key.secret_key.expose_secret(),
            },
        });
        let request = self.client.post(format!("{}/broker/connect", self.url)).json(&body);
        self.describe(request, OPENING_TIME_MAX).await
    }

    /// How an account's way to its broker is.
    ///
    /// # Errors
    /// [`OpenError`]
    pub(super) async fn connection<T: DeserializeOwned>(&self, account: AccountId) -> Result<T, OpenError> {
        let request = self.client.get(format!("{}/broker/accounts/{account}/status", self.url));
        self.describe(request, ANSWER_TIME_MAX).await
    }

    /// Whether the connector has a key for an account at a broker that is not in this house; no broker is asked.
    ///
    /// # Errors
    /// [`OpenError`]
    pub(super) async fn has_key(&self, lane: Lane, account: AccountId) -> Result<bool, OpenError> {
        #[derive(Deserialize)]
        struct Status {
            broker: String,
            state: String,
        }
        let Status { broker, state } = self.connection(account).await?;
        // An account that it has never heard of it takes for one of play money.
        Ok(broker == lane.name() && state != KEY_MISSING)
    }

    /// Whether the key of an account opens it at its broker: the broker is asked for its cash.
    ///
    /// # Errors
    /// [`OpenError`]
    pub(super) async fn key_opens(&self, account: AccountId) -> Result<(), OpenError> {
        let request = self.client.get(format!("{}/broker/accounts/{account}/balance", self.url));
        self.describe::<serde::de::IgnoredAny>(request, KEY_TIME_MAX).await.map(|_| ())
    }

    /// What the clock and the calendar of an account's broker say about days.
    ///
    /// # Errors
    /// [`OpenError`]
    pub(super) async fn market_hours(
        &self,
        account: AccountId,
        (from, to): (NaiveDate, NaiveDate),
    ) -> Result<MarketHours, OpenError> {
        let path = format!("{}/broker/accounts/{account}/hours?from={from}&to={to}", self.url);
        self.describe(self.client.get(path), KEY_TIME_MAX).await
    }

    /// What all brokers can do.
    ///
    /// # Errors
    /// [`OpenError`]
    pub(super) async fn capabilities<T: DeserializeOwned>(&self) -> Result<T, OpenError> {
        let request = self.client.get(format!("{}/broker/capabilities", self.url));
        self.describe(request, ANSWER_TIME_MAX).await
    }

    async fn describe<T: DeserializeOwned>(
        &self,
        request: reqwest::RequestBuilder,
        time_max: Duration,
    ) -> Result<T, OpenError> {
        let unreachable = |error: reqwest::Error| OpenError::Unreachable(error.without_url().to_string());
        let request = request.header(TOKEN_HEADER, self.token.expose_secret()).timeout(time_max);
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        if status.is_client_error() {
            let Refusal { code, detail } = response.json().await.map_err(unreachable)?;
            return Err(OpenError::Refused { code, detail });
        }
        if !status.is_success() {
            return Err(OpenError::Unreachable(format!("the connector answers {status}")));
        }
        response.json().await.map_err(unreachable)
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

    /// How a broker wants to be treated.
    ///
    /// # Errors
    /// [`AskError`]
    pub(super) async fn manners(&self, lane: Lane) -> Result<Manners, AskError> {
        let request = self.client.get(format!("{}/broker/capabilities", self.url));
        let Brokers { brokers } = self.ask(request, ANSWER_TIME_MAX).await?;
        let broker = brokers.iter().find(|broker| broker.broker == lane.name());
        let unknown = || AskError::Unreachable(format!("the connector does not know {}", lane.name()));
        Ok(Manners { idempotent_orders: broker.ok_or_else(unknown)?.idempotent_orders })
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

    /// What stands between an account's orders and their executions, at a broker of play money.
    ///
    /// # Errors
    /// [`AskError`]
    pub(super) async fn simulation(&self, account: AccountId) -> Result<Simulation, AskError> {
        let request = self.client.get(self.simulation_url(account));
        let answer: SimulationName = self.ask(request, ANSWER_TIME_MAX).await?;
        let unknown = || AskError::Unreachable(format!("an unknown simulation {}", answer.simulation));
        Simulation::from_name(&answer.simulation).ok_or_else(unknown)
    }

    /// Sets it, for orders that are sent from then on. The account need not have had an order yet.
    ///
    /// # Errors
    /// [`AskError`]
    pub(super) async fn simulate(
        &self,
        account: AccountId,
        currency: Currency,
        simulation: Simulation,
    ) -> Result<(), AskError> {
        let connected = self.connect(Lane::Simulator, account, currency).await;
        connected.map_err(|error| AskError::Unreachable(error.to_string()))?;
        let body = SimulationName { simulation: simulation.name().to_owned() };
        let request = self.client.put(self.simulation_url(account)).json(&body);
        self.ask::<serde::de::IgnoredAny>(request, ANSWER_TIME_MAX).await.map(|_| ())
    }

    fn simulation_url(&self, account: AccountId) -> String {
        format!("{}/broker/accounts/{account}/simulation", self.url)
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
            return Err(match serde_json::from_str(&problem) {
                Ok(Refusal { code, detail }) if code == OTHER_ACCOUNT => AskError::OtherAccount(detail),
                _ => AskError::Unreachable(format!("{status}: {problem}")),
            });
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
