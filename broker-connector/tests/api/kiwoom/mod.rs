//! The adapter for Kiwoom, against a stand-in that speaks Kiwoom's wire format and misbehaves on wish.

pub(crate) mod bridge;
mod changes;
mod faults;
mod keys;
mod stream;

use crate::alpaca::KEY;
use crate::connector::{Connector, TOKEN, eventually, limit};
use crate::database::TestDatabase;
use crate::quote_server::QuoteServer;
use broker_connector::AdapterSettings;
use broker_connector::broker::kiwoom::KiwoomSettings;
use broker_connector::credentials::KeySource;
use domain::broker::OrderRequest;
use domain::{AccountId, Side, TimeInForce};
use kiwoom_stand_in::{APP_KEY, Order, SECRET_KEY, StandIn, until_the_day_has_room};
use reqwest::Response;
use serde_json::{Value, json};

/// The connector with an account at the stand-in.
pub(crate) struct World {
    pub(crate) connector: Connector,
    pub(crate) stand_in: StandIn,
    pub(crate) account: AccountId,
    pub(crate) database: TestDatabase,
    pub(crate) quotes: QuoteServer,
}

pub(crate) fn adapters(stand_in: &StandIn) -> AdapterSettings {
    let url = stand_in.url();
    AdapterSettings {
        key: Some(KeySource::Digits { present: KEY.into(), next: None }),
        kiwoom: KiwoomSettings {
            paper_url: url.clone(),
            paper_stream_url: url.clone(),
            live_url: url.clone(),
            live_stream_url: url,
            bridge_url: None,
        },
        ..AdapterSettings::default()
    }
}

/// Asks the connector to connect an account with a key.
pub(crate) async fn connect(
    connector: &Connector,
    account: AccountId,
    app_key: &str,
    secret_key: &str,
) -> Response {
    let body = json!({
        "accountId": account, "broker": "kiwoom", "currency": "KRW",
        "credentials": { "environment": "paper", "keyId": app_key, "secretKey": secret_key },
    });
    connector.send("POST", "/broker/connect", Some(TOKEN), &body.to_string()).await
}

impl World {
    /// A connector beside a stand-in; no account is connected yet.
    async fn unconnected() -> Self {
        until_the_day_has_room().await;
        let (database, quotes) = (TestDatabase::new().await, QuoteServer::start().await);
        let stand_in = StandIn::start().await.unwrap();
        let connector = Connector::launch_with(&database, &quotes, adapters(&stand_in)).await;
        connector.becomes_ready().await;
        let world = Self { connector, stand_in, account: AccountId::generate(), database, quotes };
        eventually("the accounts at Kiwoom are read", || async {
            let status = world.connector.get("/broker/status").await;
            status["brokers"].as_array().unwrap().iter().all(|broker| broker["ready"] == true)
        })
        .await;
        world
    }

    pub(crate) async fn start() -> Self {
        let world = Self::unconnected().await;
        let answer = connect(&world.connector, world.account, APP_KEY, SECRET_KEY).await;
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

    async fn state(&self) -> Value {
        self.connector.get(&format!("/broker/accounts/{}/status", self.account)).await
    }

    pub(crate) async fn becomes(&self, state: &str) {
        eventually(state, || async { self.state().await["state"] == state }).await;
    }

    /// Orders are told from each other by how many shares they are for.
    pub(crate) fn buy(&self, quantity: &str, price: &str) -> OrderRequest {
        let order = limit(self.account, "005930.KS", Side::Buy, quantity, price);
        OrderRequest { time_in_force: TimeInForce::Day, ..order }
    }

    /// What the stand-in has of an order's size.
    pub(crate) fn at_kiwoom(&self, order: &OrderRequest) -> Vec<Order> {
        let quantity = order.quantity.to_string().parse().unwrap();
        self.stand_in.act(|market| market.of_size(quantity))
    }

    pub(crate) fn fill(&self, order: &OrderRequest, quantity: u64, price: u64) {
        let number = self.at_kiwoom(order).last().unwrap().number.clone();
        self.stand_in.act(|market| market.fill(&number, quantity, price));
    }

    /// Waits until the journal tells these kinds of reports about an order, in this order.
    async fn tells(&self, order: &OrderRequest, kinds: &[&str]) {
        eventually(&format!("{kinds:?}"), || async { self.connector.kinds(order).await == kinds }).await;
    }

    async fn sync(&self) -> Value {
        self.connector.get(&format!("/broker/accounts/{}/sync", self.account)).await
    }
}
