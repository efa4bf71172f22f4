//! The database goes away and comes back.

use crate::books::{assert_books_balance, rows_of};
use crate::helpers::{PASSWORD, TestApp, TestUser, eventually};
use crate::trader::Trader;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

async fn profile_status(app: &TestApp, user: &TestUser) -> u16 {
    app.get("/api/users/profile", user).await.status.as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_database_the_answer_is_try_again_and_with_it_all_is_well() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;

    app.cut_off_database(true).await;
    eventually("no readiness", || async { app.send(app.request(Method::GET, "/ready")).await.status == 503 })
        .await;
    app.send(app.request(Method::GET, "/health")).await.expect(200);
    let login = json!({ "email": "ant@example.com", "password": PASSWORD });
    for _ in 0..3 {
        let answer = app.post_anonymous("/api/auth/login", login.clone()).await.expect(503);
        assert_eq!(
            (answer.code().as_str(), answer.header("retry-after")),
            ("service_unavailable", Some("1"))
        );
        let register = json!({ "email": "bee@example.com", "password": PASSWORD });
        app.post_anonymous("/api/auth/register", register).await.expect(503);
    }
    assert_eq!(profile_status(&app, &user).await, 503);

    app.cut_off_database(false).await;
    eventually("readiness", || async { app.send(app.request(Method::GET, "/ready")).await.status == 200 })
        .await;
    assert_eq!(profile_status(&app, &user).await, 200);
    app.login("bee@example.com", PASSWORD).await.expect(401);
    app.logged_in("ant@example.com").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_break_are_replaced() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    for _ in 0..5 {
        app.break_connections().await;
        let status = profile_status(&app, &user).await;
        assert!([200, 503].contains(&status), "{status}");
        eventually("the profile again", || async { profile_status(&app, &user).await == 200 }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_order_after_the_database_was_gone_is_placed_once() {
    let trader = Trader::with("USD", "10000").await;
    trader.priced("AAPL").await;
    let mut order = trader.place("buy", "AAPL", "1", Some("1")).await.expect(201).json();
    for _ in 0..5 {
        // One of which nobody knows whether it arrived would rightly refuse the next.
        let id = order["id"].as_str().unwrap().to_owned();
        eventually("it has arrived", || async { trader.order(&id).await["status"] == "NEW" }).await;
        trader.app.break_connections().await;
        // The other connections are the pool's, which looks after them.
        eventually("the profile again", || async { profile_status(&trader.app, &trader.user).await == 200 })
            .await;
        order = trader.place("buy", "AAPL", "1", Some("1")).await.expect(201).json();
    }
    assert_eq!(rows_of(&trader.app.database_url, "trading.orders").await, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_lose_the_database_in_the_middle_are_there_once() {
    const ORDERS: usize = 60;
    let trader = Trader::with("USD", "10000").await;
    trader.priced("AAPL").await;
    let body = trader.order_body("buy", "AAPL", "1", Some("1"));
    let keys: Vec<String> = (0..ORDERS).map(|number| format!("order-{number}")).collect();
    let orders = join_all(keys.iter().map(|key| trader.place_with_key(key, &body)));
    let breaks = async {
        for _ in 0..4 {
            trader.app.break_connections().await;
        }
    };
    let (answers, ()) = tokio::join!(orders, breaks);
    eventually("the profile again", || async { profile_status(&trader.app, &trader.user).await == 200 })
        .await;
    for (key, answer) in keys.iter().zip(answers) {
        // Whoever asks for the user first may have no connection.
        assert!([201, 503].contains(&answer.status.as_u16()), "{}", answer.text);
        let again = trader.place_with_key(key, &body).await.expect(201);
        if answer.status == 201 {
            assert_eq!(again.json()["id"], answer.json()["id"]);
        }
    }
    assert_eq!(rows_of(&trader.app.database_url, "trading.orders").await, i64::try_from(ORDERS).unwrap());
    assert_books_balance(&trader.app.database_url).await;
}
