//! Kiwoom's prices in the whole house: play at them, and their stream beside that of an account's orders.

use crate::books::assert_books_balance;
use crate::helpers::{
    Running, Setup, TestApp, TestDatabase, eventually, start_broker_connector, start_market_data_with,
};
use crate::kiwoom::House;
use crate::trader::Trader;
use kiwoom_stand_in::{APP_KEY, SECRET_KEY, StandIn, until_the_day_has_room};
use serde_json::Value;

const SHARE: &str = "005930.KS";
/// A key for prices alone, and its secret.
const OWN_KEY: (&str, &str) = ("app-key-for-prices", "a-secret-for-prices");

/// A stand-in at which Samsung has been traded, and that knows both keys.
async fn stand_in() -> StandIn {
    until_the_day_has_room().await;
    let stand_in = StandIn::start().await.unwrap();
    stand_in.add_key(OWN_KEY.0, OWN_KEY.1);
    stand_in.act(|market| market.trade("005930", 70_100, 5, true));
    stand_in
}

/// A quote server that takes the stand-in's prices with a key.
async fn prices_of(stand_in: &StandIn, (app_key, secret_key): (&str, &str)) -> (Running, String) {
    start_market_data_with(&[
        ("GAEMI_PROVIDERS", "kiwoom"),
        ("GAEMI_KIWOOM_PRICES_APP_KEY", app_key),
        ("GAEMI_KIWOOM_PRICES_SECRET_KEY", secret_key),
        ("GAEMI_KIWOOM_PRICES_URL", &stand_in.url()),
        ("GAEMI_KIWOOM_PRICES_STREAM_URL", &stand_in.url().replacen("http", "ws", 1)),
    ])
    .await
}

async fn becomes(trader: &Trader, price: &str) {
    let path = format!("/api/market/quote/{SHARE}");
    eventually("the price has arrived", || async {
        trader.app.get(&path, &trader.user).await.json()["price"] == price
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_kiwoom_says_is_asked_for_a_share_executes_an_order_of_the_simulator() {
    let stand_in = stand_in().await;
    let (quote_server, market_data_url) = prices_of(&stand_in, OWN_KEY).await;
    let database = TestDatabase::create().await;
    let (connector, broker_connector_url) = start_broker_connector(database.url(), &market_data_url).await;
    let setup = Setup { market_data_url, broker_connector_url, ..Setup::default() };
    let app = TestApp::start_in(database, setup, vec![quote_server, connector]).await;
    let trader = Trader::on(app, "KRW", "10000000").await;
    trader.priced(SHARE).await;

    let order = trader.place("buy", SHARE, "3", Some("69800")).await.expect(201).json();
    let id = order["id"].as_str().unwrap();
    trader.until(id, "NEW").await;
    eventually("the stream tells of the share", || async { stand_in.is_followed("005930") }).await;
    // A book whose best offer is above the limit executes nothing; then somebody sells for less.
    stand_in.act(|market| market.quote("005930", &[(70_000, 30)], &[(69_900, 10)]));
    stand_in.act(|market| market.trade("005930", 70_000, 2, true));
    becomes(&trader, "70000").await;
    assert_eq!(trader.order(id).await["status"], "NEW");
    stand_in.act(|market| market.quote("005930", &[(69_700, 30)], &[(69_600, 10)]));
    let filled = trader.until(id, "FILLED").await;
    assert_eq!(
        (&filled["filledQuantity"], &filled["averageFillPrice"]),
        (&"3".into(), &"69800".into()),
        "at its limit, for it was there first: {filled}"
    );
    assert_books_balance(&trader.app.database_url).await;
}

/// An order at Kiwoom is executed while prices come: both streams tell what they have to.
async fn trades(house: &House, quantity: u64) {
    let trader = &house.trader;
    let order = house.buy(&quantity.to_string(), 70_000).await;
    let id = order["id"].as_str().unwrap();
    trader.until(id, "NEW").await;
    let number = house.at_kiwoom(quantity)[0].number.clone();
    house.stand_in.act(|market| market.fill(&number, quantity, 70_000));
    trader.until(id, "FILLED").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_and_prices_go_side_by_side_with_a_key_each() {
    let stand_in = stand_in().await;
    let prices = prices_of(&stand_in, OWN_KEY).await;
    let house = House::start_beside(stand_in, prices).await;
    house.trader.priced(SHARE).await;
    eventually("the stream tells of the share", || async { house.stand_in.is_followed("005930") }).await;
    trades(&house, 3).await;
    becomes(&house.trader, "70000").await;
    house.stand_in.act(|market| market.trade("005930", 70_200, 1, true));
    becomes(&house.trader, "70200").await;
    assert_eq!(house.stand_in.logins(), 2, "nobody was thrown out");
    assert_books_balance(&house.trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_with_the_key_of_an_account_leave_the_line_to_its_orders() {
    let stand_in = stand_in().await;
    let prices = prices_of(&stand_in, (APP_KEY, SECRET_KEY)).await;
    let (quote_url, status_url) = (format!("{}/quote/{SHARE}", prices.1), format!("{}/status", prices.1));
    eventually("prices come", || async { reqwest::get(&quote_url).await.unwrap().status() == 200 }).await;
    assert_eq!(stand_in.logins(), 1);
    let house = House::start_beside(stand_in, prices).await;
    eventually("the prices have stepped aside", || async {
        let status: Value = reqwest::get(&status_url).await.unwrap().json().await.unwrap();
        let health = &status["providers"][0]["health"];
        let why = health["lastError"].as_str().unwrap_or_default();
        health["restSeconds"].as_u64().unwrap_or(0) > 800 && why.contains("another program")
    })
    .await;
    house.trader.priced(SHARE).await;
    trades(&house, 3).await;
    trades(&house, 4).await;
    assert_eq!(house.stand_in.logins(), 2, "the account's orders took the line, and nobody took it back");
    assert_books_balance(&house.trader.app.database_url).await;
}
