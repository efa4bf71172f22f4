//! The whole house trading at Alpaca, with a stand-in that speaks Alpaca's wire format.

use crate::books::{assert_books_balance, rows_of};
use crate::helpers::{
    Running, Setup, TestApp, TestDatabase, eventually, start_broker_connector_with, start_market_data,
};
use crate::trader::{Trader, decimal};
use alpaca_stand_in::{Fault, KEY_ID, Manners, SECRET_KEY, StandIn};
use broker_connector::AdapterSettings;
use broker_connector::broker::alpaca::AlpacaSettings;
use broker_connector::credentials::KeySource;
use rust_decimal::Decimal;
use serde_json::{Value, json};

pub(crate) struct House {
    pub(crate) trader: Trader,
    pub(crate) stand_in: StandIn,
}

pub(crate) fn adapters(stand_in: &StandIn) -> AdapterSettings {
    AdapterSettings {
        key: Some(KeySource::Digits { present: "0f".repeat(32).into(), next: None }),
        alpaca: AlpacaSettings {
            paper_url: stand_in.url(),
            live_url: stand_in.url(),
            ..AlpacaSettings::default()
        },
        ..AdapterSettings::default()
    }
}

async fn open_account(app: &TestApp) -> (crate::helpers::TestUser, String) {
    let user = app.register("ant@example.com").await;
    let body = json!({ "name": "Alpaca", "broker": "alpaca", "currency": "USD" });
    let account = app.post("/api/accounts", &user, body).await.expect(201).json();
    (user, account["id"].as_str().unwrap().to_owned())
}

fn key(secret_key: &str) -> Value {
    json!({ "environment": "paper", "keyId": KEY_ID, "secretKey": secret_key })
}

impl House {
    /// The whole house with an account at the stand-in, which is open.
    pub(crate) async fn start() -> Self {
        let house = Self::without_key().await;
        let path = format!("/api/accounts/{}/credentials", house.trader.account);
        house.trader.app.put(&path, &house.trader.user, key(SECRET_KEY)).await.expect(200);
        house.trader.agrees().await;
        house
    }

    async fn without_key() -> Self {
        let stand_in = StandIn::start().await.unwrap();
        let database = TestDatabase::create().await;
        let (quote_server, market_data_url) = start_market_data().await;
        let (connector, broker_connector_url) =
            start_broker_connector_with(database.url(), &market_data_url, adapters(&stand_in)).await;
        let setup = Setup { market_data_url, broker_connector_url, ..Setup::default() };
        let neighbours: Vec<Running> = vec![quote_server, connector];
        let app = TestApp::start_in(database, setup, neighbours).await;
        let (user, account) = open_account(&app).await;
        Self { trader: Trader { app, user, account }, stand_in }
    }

    /// Buys with a limit that rests, and gives the order.
    pub(crate) async fn rests(&self, quantity: &str) -> Value {
        self.trader.priced("AAPL").await;
        let order = self.trader.place("buy", "AAPL", quantity, Some("1")).await.expect(201).json();
        self.trader.until(order["id"].as_str().unwrap(), "NEW").await
    }

    pub(crate) fn fill(&self, order: &Value, quantity: &str) {
        let id = order["id"].as_str().unwrap();
        self.stand_in.act(|market| {
            let number = market.named(id).last().unwrap().id.clone();
            market.fill(&number, quantity.parse().unwrap(), "1".parse().unwrap());
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_goes_through_alpaca_into_the_books_and_a_sync_finds_nothing_different() {
    let house = House::start().await;
    let trader = &house.trader;
    assert_eq!(trader.balance().await["cash"], "100000", "what the account holds there");
    let order = house.rests("10").await;
    let id = order["id"].as_str().unwrap();
    house.fill(&order, "4");
    trader.until(id, "PARTIALLY_FILLED").await;
    house.fill(&order, "6");
    let filled = trader.until(id, "FILLED").await;
    assert_eq!((&filled["filledQuantity"], &filled["averageFillPrice"]), (&json!("10"), &json!("1")));
    assert_eq!(trader.balance().await["cash"], "99990");
    let compared = trader.compared().await;
    assert_eq!(
        (&compared["outcome"], &compared["differences"]),
        (&json!("agreed"), &json!([])),
        "{compared}"
    );
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_answer_was_lost_is_resolved_without_anybody_and_is_there_once() {
    let house = House::start().await;
    let trader = &house.trader;
    trader.priced("AAPL").await;
    house.stand_in.set_manners(Manners { loses_all: true, ..Manners::default() });
    for fault in [Fault::BreaksAfter, Fault::FailsBefore] {
        house.stand_in.will_fail(&[fault]);
        let order = trader.place("buy", "AAPL", "1", Some("1")).await.expect(201).json();
        let id = order["id"].as_str().unwrap();
        let resolved = trader.until(id, "NEW").await;
        assert_eq!(resolved["unresolved"], false);
        let sent = house.stand_in.act(|market| market.named(id).len());
        assert_eq!(sent, 1, "{fault:?}");
    }
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_terms_and_a_cancel_come_back_through_the_journal() {
    let house = House::start().await;
    let trader = &house.trader;
    let order = house.rests("10").await;
    let id = order["id"].as_str().unwrap();
    trader.replace(id, json!({ "quantity": "12" }), None).await.expect(202);
    eventually("the order has its new terms", || async { trader.order(id).await["quantity"] == "12" }).await;
    trader.app.delete(&format!("/api/orders/{id}"), &trader.user).await.expect(202);
    let ended = trader.until(id, "CANCELED").await;
    assert_eq!(ended["held"], "0");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_alpaca_does_not_take_is_refused_by_its_field_and_a_repetition_is_still_answered() {
    let House { trader, stand_in } = House::start().await;
    trader.priced("AAPL").await;
    trader.priced("005930.KS").await;
    let mut until = trader.order_body("buy", "AAPL", "1", Some("1"));
    until["timeInForce"] = json!("gtd");
    until["expireDate"] = json!("2999-01-04");
    let korean = trader.order_body("buy", "005930.KS", "1", Some("1000"));
    for (body, complaint) in [
        (until, ("timeInForce".to_owned(), "time_in_force_unsupported".to_owned())),
        (korean, ("symbol".to_owned(), "not_at_this_broker".to_owned())),
    ] {
        let refused = trader.app.post("/api/orders", &trader.user, body).await.expect(422);
        assert_eq!((refused.code().as_str(), refused.complaint()), ("order_denied", complaint));
    }
    assert_eq!(rows_of(&trader.app.database_url, "trading.orders").await, 0);
    let body = trader.order_body("buy", "AAPL", "1", Some("1"));
    let placed = trader.place_with_key("once", &body).await.expect(201).json();
    let again = trader.place_with_key("once", &body).await.expect(201).json();
    assert_eq!(placed["id"], again["id"]);
    trader.until(placed["id"].as_str().unwrap(), "NEW").await;
    assert_eq!(stand_in.act(|market| market.orders().len()), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_decides_and_money_is_not_brought_in_here() {
    let house = House::without_key().await;
    let (app, user) = (&house.trader.app, &house.trader.user);
    let account = &house.trader.account;
    let connection = format!("/api/accounts/{account}/connection");
    assert_eq!(app.get(&connection, user).await.expect(200).json()["state"], "key_missing");
    let path = format!("/api/accounts/{account}/credentials");
    assert_eq!(app.put(&path, user, key("wrong")).await.expect(422).code(), "broker_key_wrong");
    let blank = app.put(&path, user, key("a b")).await.expect(422);
    assert_eq!(blank.complaint(), ("secretKey".into(), "forbidden_character".into()));
    assert_eq!(house.trader.deposit("100", None).await.expect(409).code(), "broker_keeps_cash");

    let stranger = app.register("stranger@example.com").await;
    for path in [&path, &connection, &format!("/api/accounts/{account}/capabilities")] {
        let answer = if path.ends_with("credentials") {
            app.put(path, &stranger, key(SECRET_KEY)).await
        } else {
            app.get(path, &stranger).await
        };
        assert_eq!(answer.expect(404).code(), "not_found");
    }
    assert!(house.stand_in.requests().0 == 0, "nobody but the owner reaches the broker");

    let entered = app.put(&path, user, key(SECRET_KEY)).await.expect(200);
    assert!(!entered.text.contains(SECRET_KEY) && !entered.text.contains(KEY_ID), "{}", entered.text);
    app.put(&path, user, key(SECRET_KEY)).await.expect(200);
    assert_eq!(house.trader.balance().await["cash"], "100000", "booked once");
    let capabilities =
        app.get(&format!("/api/accounts/{account}/capabilities"), user).await.expect(200).json();
    assert_eq!((&capabilities["broker"], &capabilities["keepsCash"]), (&json!("alpaca"), &json!(true)));

    let won = json!({ "name": "Won", "broker": "alpaca", "currency": "KRW" });
    let refused = app.post("/api/accounts", user, won).await.expect(422);
    assert_eq!(refused.complaint(), ("currency".into(), "not_at_this_broker".into()));
    assert_books_balance(&house.trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_nothing_is_placed_and_nobody_else_takes_the_brokers_place() {
    let house = House::without_key().await;
    let trader = &house.trader;
    trader.priced("AAPL").await;
    let file = "date,kind,symbol,quantity,price,amount,currency\n2025-01-02,deposit,,,,5000,USD\n";
    let import =
        trader.app.request(reqwest::Method::POST, &format!("/api/accounts/{}/imports", trader.account));
    let import = import.bearer_auth(&trader.user.access_token).header("content-type", "text/csv").body(file);
    trader.app.send(import).await.expect(201);
    assert_eq!(trader.balance().await["cash"], "5000");
    let refused = trader.place("buy", "AAPL", "1", Some("1")).await.expect(409);
    assert_eq!(refused.code(), "broker_key_missing");
    // The accounts of this house are looked at every second: two looks later nothing was compared.
    let play = json!({ "name": "Play", "broker": "simulator", "currency": "USD" });
    let play = trader.app.post("/api/accounts", &trader.user, play).await.expect(201).json();
    let path = |account: &str| format!("/api/reconciliations?accountId={account}");
    let play = path(play["id"].as_str().unwrap());
    eventually("another account is compared", || async {
        let page = trader.app.get(&play, &trader.user).await.expect(200).json();
        !page["reconciliations"].as_array().unwrap().is_empty()
    })
    .await;
    let page = trader.app.get(&path(&trader.account), &trader.user).await.expect(200).json();
    assert_eq!(page["reconciliations"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_play_account_trades_on_while_alpaca_is_silent() {
    let house = House::start().await;
    let trader = &house.trader;
    let play = json!({ "name": "Play", "broker": "simulator", "currency": "USD" });
    let play = trader.app.post("/api/accounts", &trader.user, play).await.expect(201).json();
    let play = play["id"].as_str().unwrap();
    let deposit = format!("/api/accounts/{play}/deposit");
    trader.app.post(&deposit, &trader.user, json!({ "amount": "1000" })).await.expect(201);
    trader.priced("AAPL").await;

    house.stand_in.will_fail(&[Fault::HangsBefore]);
    trader.place("buy", "AAPL", "1", Some("1")).await.expect(201);
    house.stand_in.hangs().await;
    let began = std::time::Instant::now();
    let mut body = trader.order_body("buy", "AAPL", "1", Some("1"));
    body["accountId"] = json!(play);
    let order = trader.app.post("/api/orders", &trader.user, body).await.expect(201).json();
    trader.until(order["id"].as_str().unwrap(), "NEW").await;
    assert!(began.elapsed().as_secs() < 4, "{:?}: it waited for Alpaca", began.elapsed());
}

/// The account's comparisons, the newest first.
async fn comparisons(trader: &Trader, account: &str) -> Vec<Value> {
    let path = format!("/api/reconciliations?accountId={account}");
    let page = trader.app.get(&path, &trader.user).await.expect(200).json();
    page["reconciliations"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_behind_the_key_is_told_once_and_nothing_of_it_is_booked() {
    let house = House::start().await;
    let order = house.rests("10").await;
    let House { trader, stand_in } = house;
    let number = stand_in.act(|market| {
        market.cash = "5".parse().unwrap();
        market.positions.insert("MSFT".into(), "7".parse().unwrap());
        std::mem::replace(&mut market.number, "PA-ANOTHER".into())
    });
    stand_in.close_streams();
    let connection = format!("/api/accounts/{}/connection", trader.account);
    eventually("the other account is noticed", || async {
        trader.app.get(&connection, &trader.user).await.expect(200).json()["state"] == "account_changed"
    })
    .await;
    let compared = trader.compared().await;
    assert_eq!((&compared["outcome"], &compared["failure"]), (&json!("failed"), &json!("other_account")));
    let told = async |trader: &Trader| {
        let incidents = trader.incidents().await;
        incidents.iter().map(|incident| incident["kind"].clone()).collect::<Vec<_>>()
    };
    let refused = trader.place("buy", "AAPL", "1", Some("1")).await.expect(409);
    assert_eq!(refused.code(), "broker_account_changed");
    assert_eq!(trader.compared().await["outcome"], "failed");
    trader.app.state.trading.check_keys("2026-01-05T13:30:00Z".parse().unwrap()).await.unwrap();
    assert_eq!(told(&trader).await, ["account_changed"]);

    let trader = Trader { app: trader.app.restart().await, ..trader };
    trader.priced("AAPL").await;
    let refused = trader.place("buy", "AAPL", "1", Some("1")).await.expect(409);
    assert_eq!(refused.code(), "broker_account_changed", "also after a start");
    assert_eq!(trader.balance().await["cash"], "100000");
    assert_eq!(trader.position("MSFT").await, Value::Null);

    stand_in.act(|market| {
        market.cash = "100000".parse().unwrap();
        market.positions.clear();
        market.number = number;
    });
    let path = format!("/api/accounts/{}/credentials", trader.account);
    trader.app.put(&path, &trader.user, key(SECRET_KEY)).await.expect(200);
    eventually("the account is ours again", || async {
        trader.place("buy", "AAPL", "1", Some("1")).await.status == 201
    })
    .await;
    trader.until(order["id"].as_str().unwrap(), "NEW").await;
    assert_eq!(told(&trader).await, ["account_changed"]);
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_a_key_is_not_compared_in_vain_after_a_start() {
    let House { trader, stand_in } = House::without_key().await;
    let play = json!({ "name": "Play", "broker": "simulator", "currency": "USD" });
    let play = trader.app.post("/api/accounts", &trader.user, play).await.expect(201).json();
    let play = play["id"].as_str().unwrap().to_owned();
    let trader = Trader { app: trader.app.restart().await, ..trader };
    trader.priced("AAPL").await;
    eventually("its state is known", || async {
        let refused = trader.place("buy", "AAPL", "1", Some("1")).await;
        refused.status == 409 && refused.code() == "broker_key_missing"
    })
    .await;
    eventually("another account is compared", || async {
        comparisons(&trader, &play).await.iter().any(|run| run["reason"] == "start")
    })
    .await;
    assert_eq!(comparisons(&trader, &trader.account).await, Vec::<Value>::new());
    let path = format!("/api/accounts/{}/credentials", trader.account);
    trader.app.put(&path, &trader.user, key(SECRET_KEY)).await.expect(200);
    trader.agrees().await;
    let runs = comparisons(&trader, &trader.account).await;
    assert!(runs.iter().all(|run| run["outcome"] == "agreed"), "{runs:?}");
    trader.place("buy", "AAPL", "1", Some("1")).await.expect(201);
    drop(stand_in);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_follows_another_for_another_time_is_two_simple_orders_at_alpaca() {
    let house = House::start().await;
    let trader = &house.trader;
    trader.priced("AAPL").await;
    let place = async |kind: &str, legs: Value| {
        let mut body =
            json!({ "accountId": trader.account, "kind": kind, "symbol": "AAPL", "quantity": "10" });
        body.as_object_mut().unwrap().extend(legs.as_object().unwrap().clone());
        trader.app.post("/api/order-groups", &trader.user, body).await
    };
    let until_a_day = json!({ "entry": { "side": "buy", "limitPrice": "1" },
        "then": { "side": "sell", "limitPrice": "100000", "timeInForce": "gtd", "expireDate": "2999-01-04" } });
    let refused = place("oto", until_a_day).await.expect(422);
    assert_eq!(refused.complaint(), ("then.timeInForce".to_owned(), "time_in_force_unsupported".to_owned()));
    assert_eq!(house.stand_in.act(|market| market.orders().len()), 0, "no entry stands without its exits");
    assert_eq!(rows_of(&trader.app.database_url, "trading.order_groups").await, 0);

    let legs = json!({ "entry": { "side": "buy", "limitPrice": "1", "timeInForce": "day" },
        "then": { "side": "sell", "limitPrice": "1000", "timeInForce": "gtc" } });
    let group = place("oto", legs).await.expect(201).json();
    let [entry, then] = ["entry", "then"].map(|name| {
        let legs = group["legs"].as_array().unwrap();
        legs.iter().find(|leg| leg["leg"] == name).unwrap()["orderId"].as_str().unwrap().to_owned()
    });
    let bought = trader.until(&entry, "NEW").await;
    house.fill(&bought, "10");
    trader.until(&entry, "FILLED").await;
    let sent = || house.stand_in.act(|market| market.named(&then));
    eventually("the second order is at Alpaca", || async { sent().len() == 1 }).await;
    assert_eq!((sent()[0].time_in_force.as_str(), sent()[0].member.class), ("gtc", ""), "it stands alone");
    trader.until(&then, "NEW").await;
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn alpaca_takes_no_commission_so_none_is_estimated_or_held_for_a_purchase() {
    let house = House::start().await;
    let trader = &house.trader;
    trader.priced("AAPL").await;
    let look = async |side: &str| {
        let body = trader.order_body(side, "AAPL", "10", Some("100"));
        trader.app.post("/api/orders/preview", &trader.user, body).await.expect(200).json()
    };
    let buying = look("buy").await;
    let told = ["tariff", "commission", "tax", "total", "held", "buyingPowerAfter"]
        .map(|field| buying[field].clone());
    assert_eq!(told, ["commission_free", "0", "0", "1000", "1000", "99000"].map(Value::from), "{buying}");
    let selling = look("sell").await;
    assert_eq!(selling["commission"], "0");
    assert!(decimal(&selling["tax"]) > Decimal::ZERO, "regulators take theirs: {selling}");

    let order = house.rests("10").await;
    assert_eq!(order["held"], "10", "ten shares at one dollar, and nothing for fees");
    trader.replace(order["id"].as_str().unwrap(), json!({ "quantity": "12" }), None).await.expect(202);
    let id = order["id"].as_str().unwrap();
    eventually("the other terms are in force", || async { trader.order(id).await["held"] == "12" }).await;
    assert_books_balance(&trader.app.database_url).await;
}
