//! The whole house trading at Kiwoom, with a stand-in that speaks Kiwoom's wire format.

use crate::books::{assert_books_balance, rows_of};
use crate::helpers::{
    Running, Setup, TestApp, TestDatabase, eventually, start_broker_connector_with, start_market_data,
};
use crate::trader::{Trader, decimal};
use broker_connector::AdapterSettings;
use broker_connector::broker::kiwoom::KiwoomSettings;
use broker_connector::credentials::KeySource;
use kiwoom_stand_in::{APP_KEY, Fault, Manners, Order, SECRET_KEY, StandIn, until_the_day_has_room};
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// What is traded.
const SHARE: &str = "005930.KS";

pub(crate) struct House {
    pub(crate) trader: Trader,
    pub(crate) stand_in: StandIn,
}

fn adapters(stand_in: &StandIn) -> AdapterSettings {
    AdapterSettings {
        key: Some(KeySource::Digits { present: "0f".repeat(32).into(), next: None }),
        kiwoom: KiwoomSettings {
            paper_url: stand_in.url(),
            paper_stream_url: stand_in.url(),
            ..KiwoomSettings::default()
        },
        ..AdapterSettings::default()
    }
}

impl House {
    /// The whole house with an account at the stand-in, which is open.
    pub(crate) async fn start() -> Self {
        until_the_day_has_room().await;
        Self::start_beside(StandIn::start().await.unwrap(), start_market_data().await).await
    }

    /// The same with a stand-in and a quote server that run already.
    pub(crate) async fn start_beside(
        stand_in: StandIn,
        (quote_server, market_data_url): (Running, String),
    ) -> Self {
        let database = TestDatabase::create().await;
        let (connector, broker_connector_url) =
            start_broker_connector_with(database.url(), &market_data_url, adapters(&stand_in)).await;
        let setup = Setup { market_data_url, broker_connector_url, ..Setup::default() };
        let neighbours: Vec<Running> = vec![quote_server, connector];
        let app = TestApp::start_in(database, setup, neighbours).await;
        let user = app.register("ant@example.com").await;
        let dollars = json!({ "name": "Kiwoom", "broker": "kiwoom", "currency": "USD" });
        let refused = app.post("/api/accounts", &user, dollars).await.expect(422);
        assert_eq!(refused.complaint(), ("currency".into(), "not_at_this_broker".into()));
        let body = json!({ "name": "Kiwoom", "broker": "kiwoom", "currency": "KRW" });
        let account = app.post("/api/accounts", &user, body).await.expect(201).json();
        let account = account["id"].as_str().unwrap().to_owned();
        let key = json!({ "environment": "paper", "keyId": APP_KEY, "secretKey": SECRET_KEY });
        app.put(&format!("/api/accounts/{account}/credentials"), &user, key).await.expect(200);
        let trader = Trader { app, user, account };
        trader.agrees().await;
        Self { trader, stand_in }
    }

    /// A price that the market would take: near the last one and on the grid.
    async fn price(&self) -> u64 {
        self.trader.priced(SHARE).await;
        let path = format!("/api/market/quote/{SHARE}");
        let quote = self.trader.app.get(&path, &self.trader.user).await.expect(200).json();
        let price: u64 = decimal(&quote["price"]).trunc().to_string().parse().unwrap();
        price / 1_000 * 1_000
    }

    /// Buys for the day; orders are told from each other by their size.
    pub(crate) async fn buy(&self, quantity: &str, price: u64) -> Value {
        let mut body = self.trader.order_body("buy", SHARE, quantity, Some(&price.to_string()));
        body["timeInForce"] = "day".into();
        self.trader.app.post("/api/orders", &self.trader.user, body).await.expect(201).json()
    }

    pub(crate) fn at_kiwoom(&self, quantity: u64) -> Vec<Order> {
        self.stand_in.act(|market| market.of_size(quantity))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_goes_through_kiwoom_into_the_books_and_a_sync_finds_nothing_different() {
    let house = House::start().await;
    let trader = &house.trader;
    assert_eq!(trader.balance().await["cash"], "10000000", "what the account holds there");
    let price = house.price().await;
    let body = trader.order_body("buy", SHARE, "10", Some(&price.to_string()));
    let looked = trader.app.post("/api/orders/preview", &trader.user, body).await.expect(200).json();
    let commission = (Decimal::from(price * 10) * Decimal::new(15, 5)).trunc().to_string();
    assert_eq!((&looked["tariff"], &looked["commission"]), (&json!("kiwoom_online"), &json!(commission)));
    let order = house.buy("10", price).await;
    let id = order["id"].as_str().unwrap();
    trader.until(id, "NEW").await;
    let number = house.at_kiwoom(10)[0].number.clone();
    house.stand_in.act(|market| market.fill(&number, 4, price));
    trader.until(id, "PARTIALLY_FILLED").await;
    house.stand_in.act(|market| market.fill(&number, 6, price));
    let filled = trader.until(id, "FILLED").await;
    assert_eq!(filled["filledQuantity"], "10");
    let cash = house.stand_in.act(|market| market.cash);
    assert_eq!(trader.balance().await["cash"], cash.to_string(), "fees included");
    let compared = trader.compared().await;
    assert_eq!(
        (&compared["outcome"], &compared["differences"]),
        (&json!("agreed"), &json!([])),
        "{compared}"
    );
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_answer_was_lost_is_resolved_or_stays_visibly_unresolved_and_is_there_once() {
    let house = House::start().await;
    let trader = &house.trader;
    house.stand_in.set_manners(Manners { loses_all: true, ..Manners::default() });
    let price = house.price().await;
    house.stand_in.will_fail(&[Fault::BreaksAfter]);
    let taken = house.buy("1", price).await;
    let resolved = trader.until(taken["id"].as_str().unwrap(), "NEW").await;
    assert_eq!(resolved["unresolved"], false);

    house.stand_in.will_fail(&[Fault::BreaksBefore]);
    let lost = house.buy("2", price).await;
    let lost = lost["id"].as_str().unwrap();
    eventually("nobody knows", || async { trader.order(lost).await["unresolved"] == true }).await;
    let told = "trading.inquiries WHERE absences > 0";
    eventually("it is not in the lists", || async { rows_of(&trader.app.database_url, told).await == 1 })
        .await;
    let still = trader.order(lost).await;
    assert_eq!((&still["status"], &still["unresolved"]), (&json!("PENDING_NEW"), &json!(true)));
    assert_eq!((house.at_kiwoom(1).len(), house.at_kiwoom(2).len()), (1, 0), "nothing is sent twice");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_price_and_a_cancel_come_back_through_the_journal() {
    let house = House::start().await;
    let trader = &house.trader;
    let price = house.price().await;
    let order = house.buy("10", price).await;
    let id = order["id"].as_str().unwrap();
    trader.until(id, "NEW").await;
    let lower = (price - 1_000).to_string();
    trader.replace(id, json!({ "limitPrice": lower }), None).await.expect(202);
    eventually("the order has its new price", || async { trader.order(id).await["limitPrice"] == lower })
        .await;
    trader.app.delete(&format!("/api/orders/{id}"), &trader.user).await.expect(202);
    let ended = trader.until(id, "CANCELED").await;
    assert_eq!(ended["held"], "0");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_kiwoom_does_not_take_is_refused_by_its_field_before_anything_is_held() {
    let house = House::start().await;
    let trader = &house.trader;
    let price = house.price().await.to_string();
    let place = async |change: Value| {
        let mut body = trader.order_body("buy", SHARE, "3", Some(&price));
        body["timeInForce"] = "day".into();
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let looked = trader.app.post("/api/orders/preview", &trader.user, body.clone()).await;
        (trader.app.post("/api/orders", &trader.user, body).await, looked)
    };
    for (change, field, rule) in [
        (json!({ "timeInForce": "gtc" }), "timeInForce", "time_in_force_unsupported"),
        (json!({ "timeInForce": "opg" }), "timeInForce", "time_in_force_unsupported"),
        (json!({ "type": "stop", "limitPrice": null, "stopPrice": price }), "type", "order_type_unsupported"),
        (json!({ "symbol": "AAPL", "limitPrice": "1" }), "symbol", "not_at_this_broker"),
    ] {
        trader.priced("AAPL").await;
        let (refused, looked) = place(change).await;
        let refused = refused.expect(422);
        assert_eq!((refused.code(), refused.complaint().0.as_str()), ("order_denied".to_owned(), field));
        assert_eq!(refused.complaint().1, rule);
        let denials = looked.expect(200).json()["denials"].clone();
        assert_eq!((&denials[0]["field"], &denials[0]["rule"]), (&json!(field), &json!(rule)));
    }
    assert_eq!(rows_of(&trader.app.database_url, "trading.orders").await, 0, "nothing is written");
    assert!(house.at_kiwoom(3).is_empty());

    let order = house.buy("3", price.parse().unwrap()).await;
    let id = order["id"].as_str().unwrap();
    trader.until(id, "NEW").await;
    let refused = trader.replace(id, json!({ "quantity": "5" }), None).await.expect(422);
    assert_eq!(refused.complaint(), ("quantity".to_owned(), "replace_unsupported".to_owned()));
    let same = trader.order(id).await;
    assert_eq!((&same["quantity"], &same["held"]), (&order["quantity"], &order["held"]));
    let stranger = trader.app.register("stranger@example.com").await;
    let mut body = trader.order_body("buy", SHARE, "3", Some(&price));
    body["timeInForce"] = "gtc".into();
    let refused = trader.app.post("/api/orders", &stranger, body).await.expect(404);
    assert_eq!(refused.code(), "not_found", "what an account's broker takes is its owner's to know");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_placed_only_if_kiwoom_works_every_leg_and_what_follows_is_for_the_day() {
    let house = House::start().await;
    let trader = &house.trader;
    let price = house.price().await;
    let place = async |kind: &str, legs: Value| {
        let mut body =
            json!({ "accountId": trader.account, "kind": kind, "symbol": SHARE, "quantity": "10" });
        body.as_object_mut().unwrap().extend(legs.as_object().unwrap().clone());
        trader.app.post("/api/order-groups", &trader.user, body).await
    };
    let (low, high) = ((price - 1_000).to_string(), (price + 1_000).to_string());
    let entry = json!({ "side": "buy", "limitPrice": price.to_string() });
    let stop = json!({ "stopPrice": low, "limitPrice": low });
    let refusals = [
        (
            "bracket",
            json!({ "entry": entry, "takeProfit": { "limitPrice": high }, "stopLoss": stop }),
            "stopLoss",
            "group",
        ),
        (
            "oto",
            json!({ "entry": entry, "then": { "side": "sell", "stopPrice": low } }),
            "then.type",
            "order_type",
        ),
        (
            "oto",
            json!({ "entry": entry, "then": { "side": "sell", "limitPrice": high, "timeInForce": "gtc" } }),
            "then.timeInForce",
            "time_in_force",
        ),
    ];
    for (kind, legs, field, what) in refusals {
        let refused = place(kind, legs).await.expect(422);
        assert_eq!(refused.complaint(), (field.to_owned(), format!("{what}_unsupported")), "{kind}");
    }
    assert!(house.at_kiwoom(10).is_empty(), "no entry stands without what was to follow");
    assert_eq!(rows_of(&trader.app.database_url, "trading.order_groups").await, 0);

    let legs =
        json!({ "entry": entry, "then": { "side": "sell", "limitPrice": high }, "clientGroupId": "one" });
    let group = place("oto", legs.clone()).await.expect(201).json();
    assert_eq!(place("oto", legs).await.expect(201).json()["id"], group["id"], "a repeated wish is the same");
    let leg = |name: &str| {
        let legs = group["legs"].as_array().unwrap();
        legs.iter().find(|leg| leg["leg"] == name).unwrap().clone()
    };
    assert_eq!(leg("then")["timeInForce"], "day", "Kiwoom keeps nothing over the day");
    let [entry, then] = ["entry", "then"].map(|name| leg(name)["orderId"].as_str().unwrap().to_owned());
    trader.until(&entry, "NEW").await;
    let number = house.at_kiwoom(10)[0].number.clone();
    house.stand_in.act(|market| market.fill(&number, 10, price));
    trader.until(&entry, "FILLED").await;
    eventually("the second order is at Kiwoom", || async { house.at_kiwoom(10).len() == 2 }).await;
    trader.until(&then, "NEW").await;
    assert_books_balance(&trader.app.database_url).await;
}
