//! The adapter for Alpaca, against a stand-in that speaks Alpaca's wire format and misbehaves on wish.

mod activities;
mod amounts;
mod faults;
mod keys;
mod members;
mod stream;

use crate::connector::{Connector, TOKEN, eventually, limit};
use crate::database::TestDatabase;
use crate::quote_server::QuoteServer;
use alpaca_stand_in::{KEY_ID, SECRET_KEY, StandIn};
use broker_connector::AdapterSettings;
use broker_connector::broker::alpaca::AlpacaSettings;
use broker_connector::credentials::KeySource;
use domain::broker::OrderRequest;
use domain::{AccountId, Side};
use reqwest::Response;
use serde_json::{Value, json};

/// A key for credentials.
pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
/// Orders on a page: few, so that lists have several.
const ORDERS_PER_PAGE: usize = 30;

/// The connector with an account at the stand-in.
pub(crate) struct World {
    pub(crate) connector: Connector,
    pub(crate) stand_in: StandIn,
    pub(crate) account: AccountId,
    pub(crate) database: TestDatabase,
    pub(crate) quotes: QuoteServer,
}

pub(crate) fn adapters(stand_in: &StandIn) -> AdapterSettings {
    AdapterSettings {
        key: Some(KeySource::Digits { present: KEY.into(), next: None }),
        alpaca: AlpacaSettings {
            paper_url: stand_in.url(),
            live_url: stand_in.url(),
            orders_per_page: ORDERS_PER_PAGE,
        },
        ..AdapterSettings::default()
    }
}

/// Asks the connector to connect an account with a key.
pub(crate) async fn connect(
    connector: &Connector,
    account: AccountId,
    key_id: &str,
    secret_key: &str,
) -> Response {
    let body = json!({
        "accountId": account, "broker": "alpaca", "currency": "USD",
        "credentials": { "environment": "paper", "keyId": key_id, "secretKey": secret_key },
    });
    connector.send("POST", "/broker/connect", Some(TOKEN), &body.to_string()).await
}

impl World {
    /// A connector beside a stand-in; no account is connected yet.
    pub(crate) async fn unconnected() -> Self {
        let (database, quotes) = (TestDatabase::new().await, QuoteServer::start().await);
        let stand_in = StandIn::start().await.unwrap();
        let connector = Connector::launch_with(&database, &quotes, adapters(&stand_in)).await;
        connector.becomes_ready().await;
        let world = Self { connector, stand_in, account: AccountId::generate(), database, quotes };
        eventually("the accounts at Alpaca are read", || async {
            world.connector.get("/broker/status").await["brokers"][0]["ready"] == true
        })
        .await;
        world
    }

    pub(crate) async fn start() -> Self {
        let world = Self::unconnected().await;
        let answer = connect(&world.connector, world.account, KEY_ID, SECRET_KEY).await;
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
        world.becomes("connected").await;
        world
    }

    /// Another connector in the place of one that was killed.
    pub(crate) async fn restart(&mut self) {
        let next = Connector::launch_with(&self.database, &self.quotes, adapters(&self.stand_in)).await;
        std::mem::replace(&mut self.connector, next).kill();
        self.connector.becomes_ready().await;
        self.becomes("connected").await;
    }

    pub(crate) async fn state(&self) -> Value {
        self.connector.get(&format!("/broker/accounts/{}/status", self.account)).await
    }

    pub(crate) async fn becomes(&self, state: &str) {
        eventually(state, || async { self.state().await["state"] == state }).await;
    }

    pub(crate) fn buy(&self, quantity: &str, price: &str) -> OrderRequest {
        limit(self.account, "AAPL", Side::Buy, quantity, price)
    }

    /// Alpaca's number of an order.
    pub(crate) fn number(&self, order: &OrderRequest) -> String {
        let named = self.stand_in.act(|market| market.named(&order.order_id.to_string()));
        named.last().unwrap().id.clone()
    }

    pub(crate) fn fill(&self, order: &OrderRequest, quantity: &str, price: &str) {
        let number = self.number(order);
        self.stand_in.act(|market| market.fill(&number, quantity.parse().unwrap(), price.parse().unwrap()));
    }

    /// Waits until the journal tells these kinds of reports about an order, in this order.
    pub(crate) async fn tells(&self, order: &OrderRequest, kinds: &[&str]) {
        eventually(&format!("{kinds:?}"), || async { self.connector.kinds(order).await == kinds }).await;
    }

    pub(crate) async fn sync(&self) -> Value {
        self.connector.get(&format!("/broker/accounts/{}/sync", self.account)).await
    }
}
