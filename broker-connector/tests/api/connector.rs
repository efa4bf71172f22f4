//! The real connector, started inside the test and killed at will.

use super::database::TestDatabase;
use super::quote_server::QuoteServer;
use broker_connector::{AdapterSettings, Application, Settings};
use chrono::Utc;
use domain::broker::{CancelOutcome, OrderRequest, PlaceOutcome, TOKEN_HEADER};
use domain::{AccountId, OrderId, OrderType, Side, TimeInForce};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};
use std::future::Future;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

pub(crate) const TOKEN: &str = "a secret of the tests";
/// Longest wait for anything that must happen.
const PATIENCE: Duration = Duration::from_secs(20);
/// Pause between two looks.
const GLANCE: Duration = Duration::from_millis(10);

/// Waits until a condition holds.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let deadline = Instant::now() + PATIENCE;
    while !condition().await {
        assert!(Instant::now() < deadline, "did not happen in time: {what}");
        tokio::time::sleep(GLANCE).await;
    }
}

/// A connector with a runtime of its own.
pub(crate) struct Connector {
    url: String,
    client: Client,
    runtime: Option<Runtime>,
}

impl Connector {
    /// Starts it without waiting for anything.
    pub(crate) async fn launch(database: &TestDatabase, quotes: &QuoteServer) -> Self {
        Self::launch_with(database, quotes, AdapterSettings::default()).await
    }

    /// The same with brokers beside the simulator.
    pub(crate) async fn launch_with(
        database: &TestDatabase,
        quotes: &QuoteServer,
        adapters: AdapterSettings,
    ) -> Self {
        let settings = Settings {
            host: "127.0.0.1".into(),
            port: 0,
            database_url: database.url().into(),
            market_data_url: quotes.url(),
            market_data_token: None,
            internal_token: TOKEN.into(),
            adapters,
        };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let built = runtime.spawn(async { Application::build(settings).await.unwrap() });
        let application = built.await.unwrap();
        let url = format!("http://127.0.0.1:{}", application.port());
        runtime.spawn(application.run_until_stopped(std::future::pending()));
        Self { url, client: Client::new(), runtime: Some(runtime) }
    }

    /// Starts it and waits until it is ready.
    pub(crate) async fn start(database: &TestDatabase, quotes: &QuoteServer) -> Self {
        let connector = Self::launch(database, quotes).await;
        connector.becomes_ready().await;
        connector
    }

    pub(crate) async fn becomes_ready(&self) {
        eventually("the connector is ready", || self.is_ready()).await;
    }

    pub(crate) async fn is_ready(&self) -> bool {
        self.client.get(format!("{}/ready", self.url)).send().await.unwrap().status() == StatusCode::OK
    }

    /// Ends it as `kill -9` does: no task gets to say another word.
    pub(crate) fn kill(mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.url)).header(TOKEN_HEADER, TOKEN);
        request.send().await.unwrap().error_for_status().unwrap().json().await.unwrap()
    }

    pub(crate) async fn send(&self, method: &str, path: &str, token: Option<&str>, body: &str) -> Response {
        let mut request = self.client.request(method.parse().unwrap(), format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.header(TOKEN_HEADER, token);
        }
        request.header("content-type", "application/json").body(body.to_owned()).send().await.unwrap()
    }

    pub(crate) async fn connect(&self, currency: &str) -> AccountId {
        let account_id = AccountId::generate();
        self.connect_as(account_id, currency).await;
        account_id
    }

    pub(crate) async fn connect_as(&self, account_id: AccountId, currency: &str) {
        let body =
            json!({ "accountId": account_id, "broker": "simulator", "currency": currency }).to_string();
        let answer = self.send("POST", "/broker/connect", Some(TOKEN), &body).await;
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    }

    pub(crate) async fn place_all(&self, orders: &[OrderRequest]) -> Vec<PlaceOutcome> {
        let body = serde_json::to_string(orders).unwrap();
        let answer = self.send("POST", "/broker/orders", Some(TOKEN), &body).await;
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    }

    pub(crate) async fn place(&self, order: &OrderRequest) -> PlaceOutcome {
        let body = serde_json::to_string(order).unwrap();
        let answer = self.send("POST", "/broker/order", Some(TOKEN), &body).await;
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    }

    pub(crate) async fn place_accepted(&self, order: &OrderRequest) {
        let outcome = self.place(order).await;
        assert!(matches!(outcome, PlaceOutcome::Accepted { .. }), "{outcome:?}");
    }

    pub(crate) async fn cancel(&self, order_id: OrderId) -> CancelOutcome {
        let path = format!("/broker/order/{order_id}");
        let answer = self.send("DELETE", &path, Some(TOKEN), "").await;
        answer.json().await.unwrap()
    }

    pub(crate) async fn status(&self, order_id: OrderId) -> Value {
        self.get(&format!("/broker/order/{order_id}")).await["status"].clone()
    }

    pub(crate) async fn becomes(&self, order_id: OrderId, status: &str) {
        eventually(status, || async move { self.status(order_id).await == status }).await;
    }

    /// The kinds of reports of an order, in the journal's order.
    pub(crate) async fn reports(&self, order: &OrderRequest) -> Vec<Value> {
        let page = self.get(&format!("/broker/executions?accountId={}&limit=1000", order.account_id)).await;
        let of_order = |line: &&Value| line["orderId"] == json!(order.order_id);
        page["reports"].as_array().unwrap().iter().filter(of_order).cloned().collect()
    }

    pub(crate) async fn kinds(&self, order: &OrderRequest) -> Vec<String> {
        self.reports(order).await.iter().map(|line| line["kind"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for Connector {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

pub(crate) fn limit(
    account_id: AccountId,
    symbol: &str,
    side: Side,
    quantity: &str,
    price: &str,
) -> OrderRequest {
    OrderRequest {
        order_id: OrderId::generate(),
        account_id,
        symbol: symbol.parse().unwrap(),
        side,
        order_type: OrderType::Limit,
        time_in_force: TimeInForce::Gtc,
        expire_date: None,
        quantity: quantity.parse().unwrap(),
        limit_price: Some(price.parse().unwrap()),
        stop_price: None,
        trail_amount: None,
        trail_percent: None,
        protection_price: None,
        notional: None,
        withdrawn: false,
        contingency: None,
        submitted_at: Utc::now(),
    }
}

pub(crate) fn market(
    account_id: AccountId,
    symbol: &str,
    side: Side,
    quantity: &str,
    protection: &str,
) -> OrderRequest {
    OrderRequest {
        order_type: OrderType::Market,
        limit_price: None,
        protection_price: Some(protection.parse().unwrap()),
        ..limit(account_id, symbol, side, quantity, protection)
    }
}
