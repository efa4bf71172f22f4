//! The kill switch, by request and by file, and the cap on orders.

use crate::books::{assert_books_balance, rows_of};
use crate::helpers::{Setup, TestApp, eventually};
use crate::trader::{Trader, open_account};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::num::NonZeroU32;

/// Long enough for the dispatcher to have looked at its table more than once.
const LOOKS_OF_THE_TABLE: std::time::Duration = std::time::Duration::from_millis(2500);

fn id(order: &Value) -> &str {
    order["id"].as_str().unwrap()
}

fn halt_path(trader: &Trader) -> String {
    format!("/api/accounts/{}/halt", trader.account)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_its_owner_halts_takes_nothing_new_until_it_is_lifted() {
    let trader = Trader::with("USD", "10000").await;
    let other = open_account(&trader.app, &trader.user, "USD").await;
    let deposit = format!("/api/accounts/{other}/deposit");
    trader.app.post(&deposit, &trader.user, json!({ "amount": "1000" })).await.expect(201);
    trader.priced("AAPL").await;
    let order = trader.place("buy", "AAPL", "1", Some("1")).await.expect(201).json();
    trader.until(id(&order), "NEW").await;

    let stranger = trader.app.register("bee@example.com").await;
    trader.app.post(&halt_path(&trader), &stranger, json!({})).await.expect(404);
    let wish = json!({ "reason": "going to sleep" });
    let halted = trader.app.post(&halt_path(&trader), &trader.user, wish).await.expect(200).json();
    assert_eq!(
        (&halted["halts"][0]["by"], &halted["halts"][0]["reason"], &halted["cancels"]),
        (&json!("owner"), &json!("going to sleep"), &Value::Null)
    );
    let again = json!({ "reason": "twice" });
    let again = trader.app.post(&halt_path(&trader), &trader.user, again).await.expect(200).json();
    assert_eq!(again, halted, "the first halt stands");

    let orders = rows_of(&trader.app.database_url, "trading.orders").await;
    assert_eq!(trader.place("buy", "AAPL", "1", Some("1")).await.expect(403).code(), "trading_halted");
    let replaced = trader.replace(id(&order), json!({ "quantity": "2" }), None).await.expect(403);
    assert_eq!(replaced.code(), "trading_halted");
    assert_eq!(rows_of(&trader.app.database_url, "trading.orders").await, orders, "nothing was written");
    let mut elsewhere = trader.order_body("buy", "AAPL", "1", Some("1"));
    elsewhere["accountId"] = other.into();
    trader.app.post("/api/orders", &trader.user, elsewhere).await.expect(201);

    let trader = Trader { app: trader.app.restart().await, ..trader };
    trader.priced("AAPL").await;
    assert_eq!(trader.place("buy", "AAPL", "1", Some("1")).await.expect(403).code(), "trading_halted");
    trader.app.delete(&format!("/api/orders/{}", id(&order)), &trader.user).await.expect(202);
    trader.until(id(&order), "CANCELED").await;

    let lift = format!("{}/lift", halt_path(&trader));
    trader.app.post(&lift, &stranger, json!({})).await.expect(404);
    let lifted = trader.app.post(&lift, &trader.user, json!({})).await.expect(200).json();
    assert_eq!((&lifted["halted"], &lifted["by"]), (&json!(false), &Value::Null));
    trader.agrees().await;
    eventually("orders again", || async { trader.place("buy", "AAPL", "1", Some("1")).await.status == 201 })
        .await;
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_halted_at_once_and_open_orders_are_taken_back_if_so_wished() {
    let trader = Trader::with("USD", "10000").await;
    let second = open_account(&trader.app, &trader.user, "KRW").await;
    let stranger = trader.app.register("bee@example.com").await;
    let foreign = open_account(&trader.app, &stranger, "USD").await;
    trader.priced("AAPL").await;
    let order = trader.place("buy", "AAPL", "1", Some("1")).await.expect(201).json();
    trader.until(id(&order), "NEW").await;
    let answer =
        trader.app.post("/api/halts", &trader.user, json!({ "cancelOrders": true })).await.expect(200);
    let answer = answer.json();
    let halted: Vec<&str> =
        answer["halts"].as_array().unwrap().iter().map(|halt| halt["accountId"].as_str().unwrap()).collect();
    assert_eq!(halted.len(), 2);
    assert!(halted.contains(&trader.account.as_str()) && halted.contains(&second.as_str()));
    assert_eq!(answer["cancels"][0]["items"][0]["outcome"], "requested");
    trader.until(id(&order), "CANCELED").await;
    let listed = trader.app.get("/api/halts", &trader.user).await.expect(200).json();
    assert!(listed["halts"].as_array().unwrap().iter().all(|halt| halt["by"] == "owner"), "{listed}");
    let foreign =
        trader.app.get(&format!("/api/accounts/{foreign}/halt"), &stranger).await.expect(200).json();
    assert_eq!(foreign["halted"], false, "others trade on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_halt_whose_words_are_wrong_halts_nothing() {
    let trader = Trader::on(TestApp::start().await, "USD", "100").await;
    for (body, field) in [
        (json!({ "reason": "" }), "reason"),
        (json!({ "reason": "x".repeat(201) }), "reason"),
        (json!({ "reason": "two\nlines" }), "reason"),
        (json!({ "cancelOrders": "yes" }), "cancelOrders"),
        (json!({ "until": "tomorrow" }), "until"),
    ] {
        for path in [halt_path(&trader), "/api/halts".to_owned()] {
            let refused = trader.app.post(&path, &trader.user, body.clone()).await.expect(422);
            assert_eq!(refused.complaint().0, field, "{body}");
        }
    }
    let halt = trader.app.get(&halt_path(&trader), &trader.user).await.expect(200).json();
    assert_eq!(halt["halted"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_left_for_its_broker_stays_until_the_halt_is_lifted() {
    let trader = Trader::on(TestApp::start_without_connector().await, "USD", "10000").await;
    trader.priced("AAPL").await;
    let held_back = trader.place("buy", "AAPL", "1", None).await.expect(201).json();
    trader.app.post(&halt_path(&trader), &trader.user, json!({})).await.expect(200);
    let trader = Trader { app: trader.app.restart_with_connector().await, ..trader };
    trader.priced("AAPL").await;

    let free = open_account(&trader.app, &trader.user, "USD").await;
    let deposit = format!("/api/accounts/{free}/deposit");
    trader.app.post(&deposit, &trader.user, json!({ "amount": "10000" })).await.expect(201);
    for _ in 0..3 {
        let mut other = trader.order_body("buy", "AAPL", "1", None);
        other["accountId"] = free.clone().into();
        let other = trader.app.post("/api/orders", &trader.user, other).await.expect(201).json();
        trader.until(id(&other), "FILLED").await;
    }
    trader.agrees().await;
    assert_eq!(trader.order(id(&held_back)).await["status"], "PENDING_NEW", "its broker has not heard of it");

    let lift = format!("{}/lift", halt_path(&trader));
    trader.app.post(&lift, &trader.user, json!({})).await.expect(200);
    trader.until(id(&held_back), "FILLED").await;
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_owner_has_taken_back_before_it_left_ends_also_under_the_halt_and_never_leaves() {
    let trader = Trader::on(TestApp::start_without_connector().await, "USD", "10000").await;
    trader.priced("AAPL").await;
    let order = trader.place("buy", "AAPL", "1", None).await.expect(201).json();
    trader.app.post(&halt_path(&trader), &trader.user, json!({})).await.expect(200);
    trader.app.delete(&format!("/api/orders/{}", id(&order)), &trader.user).await.expect(202);
    let trader = Trader { app: trader.app.restart_with_connector().await, ..trader };
    trader.priced("AAPL").await;
    let ended = trader.until(id(&order), "REJECTED").await;
    assert_eq!((&ended["reason"], &ended["held"]), (&json!("withdrawn"), &json!("0")));
    let lift = format!("{}/lift", halt_path(&trader));
    trader.app.post(&lift, &trader.user, json!({})).await.expect(200);
    let next = trader.place("buy", "AAPL", "1", Some("1")).await.expect(201).json();
    trader.until(id(&next), "NEW").await;
    assert_eq!(trader.order(id(&order)).await["filledQuantity"], "0");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_terms_that_were_asked_for_before_a_halt_stay_until_it_is_lifted() {
    let mut trader = Trader::with("USD", "10000").await;
    trader.priced("AAPL").await;
    let order = trader.place("buy", "AAPL", "1", Some("1")).await.expect(201).json();
    trader.until(id(&order), "NEW").await;
    trader.app.stop_connector().await;
    trader.replace(id(&order), json!({ "quantity": "2" }), None).await.expect(202);
    trader.app.post(&halt_path(&trader), &trader.user, json!({})).await.expect(200);
    let trader = Trader { app: trader.app.restart_with_connector().await, ..trader };
    trader.agrees().await;
    tokio::time::sleep(LOOKS_OF_THE_TABLE).await;
    assert_eq!(trader.order(id(&order)).await["quantity"], "1", "its broker has not heard of it");
    let lift = format!("{}/lift", halt_path(&trader));
    trader.app.post(&lift, &trader.user, json!({})).await.expect(200);
    eventually("the new terms", || async { trader.order(id(&order)).await["quantity"] == "2" }).await;
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_halt_file_stops_everybody_within_a_second_and_needs_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("halt");
    let setup = Setup { halt_file: Some(file.clone()), ..Setup::default() };
    let trader = Trader::on(TestApp::start_house_with(setup).await, "USD", "10000").await;
    trader.priced("AAPL").await;
    trader.place("buy", "AAPL", "1", Some("1")).await.expect(201);

    // The switch is thrown while the database is away.
    trader.app.cut_off_database(true).await;
    std::fs::write(&file, "the moon fell down\n").unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    trader.app.cut_off_database(false).await;
    eventually("the database is back", || async {
        trader.app.get("/api/halts", &trader.user).await.status == 200
    })
    .await;
    let refused = trader.place("buy", "AAPL", "1", Some("1")).await.expect(403);
    assert_eq!(
        (refused.code().as_str(), &refused.json()["detail"]),
        ("trading_halted", &json!("the moon fell down"))
    );
    let lift = format!("{}/lift", halt_path(&trader));
    let halt = trader.app.post(&lift, &trader.user, json!({})).await.expect(200).json();
    assert_eq!(
        (&halt["halted"], &halt["by"]),
        (&json!(true), &json!("operator")),
        "only the file's end lifts it"
    );

    let trader = Trader { app: trader.app.restart().await, ..trader };
    assert_eq!(trader.place("buy", "AAPL", "1", Some("1")).await.expect(403).code(), "trading_halted");
    std::fs::remove_file(&file).unwrap();
    trader.agrees().await;
    trader.priced("AAPL").await;
    eventually("orders again", || async { trader.place("buy", "AAPL", "1", Some("1")).await.status == 201 })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_runs_wild_has_no_more_orders_taken_than_the_cap_says() {
    const CAP: u32 = 20;
    let setup = Setup { orders_per_minute_max: NonZeroU32::new(CAP), ..Setup::default() };
    let trader = Trader::on(TestApp::start_house_with(setup).await, "USD", "100000").await;
    trader.priced("AAPL").await;
    let answers = join_all((0..300).map(|_| trader.place("buy", "AAPL", "1", Some("1")))).await;
    let placed = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(placed, 20, "all of the cap and no more");
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (429, "too_many_orders"));
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=61).contains(&wait), "{wait}");
    }
    assert_eq!(rows_of(&trader.app.database_url, "trading.orders").await, 20);
    let order = answers.iter().find(|answer| answer.status == 201).unwrap().json();
    let replaced = trader.replace(id(&order), json!({ "quantity": "2" }), None).await.expect(429);
    assert_eq!(replaced.code(), "too_many_orders");
    let close = json!({ "accountId": trader.account, "symbol": "AAPL" });
    trader.app.post("/api/positions/close", &trader.user, close).await.expect(429);

    trader.app.delete(&format!("/api/orders/{}", id(&order)), &trader.user).await.expect(202);
    let other = Trader { user: trader.app.register("bee@example.com").await, ..trader };
    let account = open_account(&other.app, &other.user, "USD").await;
    let other = Trader { account, ..other };
    other.deposit("1000", None).await.expect(201);
    other.place("buy", "AAPL", "1", Some("1")).await.expect(201);
}
