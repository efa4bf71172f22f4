//! Somebody with a funded account in a running house.

use crate::books::assert_books_balance;
use crate::helpers::{Answer, TestApp, TestUser, eventually};
use rust_decimal::Decimal;
use serde_json::{Value, json};

pub(crate) struct Trader {
    pub(crate) app: TestApp,
    pub(crate) user: TestUser,
    pub(crate) account: String,
}

pub(crate) fn decimal(value: &Value) -> Decimal {
    value.as_str().unwrap_or_else(|| panic!("a string, not {value}")).parse().unwrap()
}

pub(crate) async fn open_account(app: &TestApp, user: &TestUser, currency: &str) -> String {
    let body = json!({ "name": "Play", "broker": "simulator", "currency": currency });
    app.post("/api/accounts", user, body).await.expect(201).json()["id"].as_str().unwrap().to_owned()
}

impl Trader {
    /// The whole house, and a trader with this much in an account.
    pub(crate) async fn with(currency: &str, amount: &str) -> Self {
        Self::on(TestApp::start_house().await, currency, amount).await
    }

    pub(crate) async fn on(app: TestApp, currency: &str, amount: &str) -> Self {
        let user = app.register("ant@example.com").await;
        let account = open_account(&app, &user, currency).await;
        let trader = Self { app, user, account };
        trader.deposit(amount, None).await.expect(201);
        trader
    }

    pub(crate) async fn deposit(&self, amount: &str, key: Option<&str>) -> Answer {
        let path = format!("/api/accounts/{}/deposit", self.account);
        let request = self.app.request(reqwest::Method::POST, &path).bearer_auth(&self.user.access_token);
        let request = key.into_iter().fold(request, |request, key| request.header("Idempotency-Key", key));
        self.app.send(request.json(&json!({ "amount": amount }))).await
    }

    pub(crate) fn order_body(&self, side: &str, symbol: &str, quantity: &str, limit: Option<&str>) -> Value {
        let mut body = json!({
            "accountId": self.account, "symbol": symbol, "side": side, "quantity": quantity, "timeInForce": "gtc",
            "type": if limit.is_some() { "limit" } else { "market" },
        });
        if let Some(limit) = limit {
            body["limitPrice"] = limit.into();
        }
        body
    }

    pub(crate) async fn place(
        &self,
        side: &str,
        symbol: &str,
        quantity: &str,
        limit: Option<&str>,
    ) -> Answer {
        self.app.post("/api/orders", &self.user, self.order_body(side, symbol, quantity, limit)).await
    }

    pub(crate) async fn place_with_key(&self, key: &str, body: &Value) -> Answer {
        let request =
            self.app.request(reqwest::Method::POST, "/api/orders").bearer_auth(&self.user.access_token);
        self.app.send(request.header("Idempotency-Key", key).json(body)).await
    }

    pub(crate) async fn order(&self, id: &str) -> Value {
        self.app.get(&format!("/api/orders/{id}"), &self.user).await.expect(200).json()
    }

    /// Waits until an order stands there.
    pub(crate) async fn until(&self, id: &str, status: &str) -> Value {
        eventually(status, || async { self.order(id).await["status"] == status }).await;
        self.order(id).await
    }

    pub(crate) async fn balance(&self) -> Value {
        let path = format!("/api/accounts/{}/balance", self.account);
        self.app.get(&path, &self.user).await.expect(200).json()
    }

    /// Waits until a symbol has a price: the first moments of a house are without.
    pub(crate) async fn priced(&self, symbol: &str) {
        let path = format!("/api/market/quote/{symbol}");
        eventually("a price", || async { self.app.get(&path, &self.user).await.status == 200 }).await;
    }

    /// Buys at the market and waits for the execution.
    pub(crate) async fn bought(&self, symbol: &str, quantity: &str) -> Value {
        self.priced(symbol).await;
        let order = self.place("buy", symbol, quantity, None).await.expect(201).json();
        self.until(order["id"].as_str().unwrap(), "FILLED").await
    }

    /// Asks for other terms of an open order.
    pub(crate) async fn replace(&self, order: &str, change: Value, key: Option<&str>) -> Answer {
        let path = format!("/api/orders/{order}");
        let request = self.app.request(reqwest::Method::PATCH, &path).bearer_auth(&self.user.access_token);
        let request = key.into_iter().fold(request, |request, key| request.header("Idempotency-Key", key));
        self.app.send(request.json(&change)).await
    }

    /// Has the account compared with its broker, and gives the comparison.
    pub(crate) async fn compared(&self) -> Value {
        let asked_for = || async {
            let path = format!("/api/reconciliations?accountId={}", self.account);
            let page = self.app.get(&path, &self.user).await.expect(200).json();
            let runs = page["reconciliations"].as_array().unwrap().clone();
            runs.into_iter().find(|run| run["reason"] == "request").unwrap_or_default()
        };
        let before = asked_for().await;
        let path = format!("/api/accounts/{}/reconcile", self.account);
        self.app.post(&path, &self.user, json!({})).await.expect(202);
        eventually("a comparison", || async { asked_for().await["id"] != before["id"] }).await;
        asked_for().await
    }

    /// Waits until the account was compared and agreed with its broker, before which nothing is placed in it.
    pub(crate) async fn agrees(&self) {
        let path = format!("/api/reconciliations?accountId={}", self.account);
        eventually("the account agrees with its broker", || async {
            let page = self.app.get(&path, &self.user).await.expect(200).json();
            page["reconciliations"].as_array().unwrap().iter().any(|run| run["outcome"] == "agreed")
        })
        .await;
    }

    /// What a person was told to look at.
    pub(crate) async fn incidents(&self) -> Vec<Value> {
        let page = self.app.get("/api/incidents", &self.user).await.expect(200).json();
        page["incidents"].as_array().unwrap().clone()
    }

    /// Checks that broker and books agree, that nobody was told of anything, and that the books balance.
    pub(crate) async fn assert_in_order(&self) {
        let run = self.compared().await;
        assert_eq!(run["outcome"], "agreed", "{run:#}");
        assert_eq!(self.incidents().await, Vec::<Value>::new());
        assert_books_balance(&self.app.database_url).await;
    }
}
