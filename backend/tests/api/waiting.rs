//! Orders that wait for a broker that limits us or does not let us in: they are sent once when they may be, and refused when
//! they no longer mean what they meant.

use crate::alpaca::{House, adapters};
use crate::books::{assert_books_balance, execute};
use crate::helpers::eventually;
use crate::trader::Trader;
use alpaca_stand_in::Fault;
use serde_json::{Value, json};

/// The kinds of the trader's incidents about keys.
async fn told_of_keys(house: &House) -> Vec<String> {
    let incidents = house.trader.incidents().await;
    let kinds = incidents.iter().map(|incident| incident["kind"].as_str().unwrap().to_owned());
    kinds.filter(|kind| kind.starts_with("key_")).collect()
}

fn revoke(house: &House) {
    house.stand_in.set_lock_words("unauthorized.");
    house.stand_in.set_key("PKOTHER", "other");
}

async fn enter_other_key(house: &House) {
    let key = json!({ "environment": "paper", "keyId": "PKOTHER", "secretKey": "other" });
    let path = format!("/api/accounts/{}/credentials", house.trader.account);
    house.trader.app.put(&path, &house.trader.user, key).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_waits_as_long_as_its_broker_says_and_is_sent_once() {
    let house = House::start().await;
    let trader = &house.trader;
    trader.priced("AAPL").await;
    let before = house.stand_in.requests().1;
    house.stand_in.will_fail(&[Fault::Limited(4)]);
    let order = trader.place("buy", "AAPL", "1", Some("1")).await.expect(201).json();
    let began = std::time::Instant::now();
    trader.until(order["id"].as_str().unwrap(), "NEW").await;
    assert!(began.elapsed().as_millis() > 3_500, "{:?}: it was sent again too early", began.elapsed());
    assert_eq!(
        house.stand_in.requests().1 - before,
        2,
        "the one that was turned away and the one that was not"
    );
    assert_eq!(trader.incidents().await, Vec::<Value>::new(), "nobody need look");
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_wait_for_a_key_their_owner_is_told_once_and_another_key_lets_them_go() {
    let house = House::start().await;
    let trader = &house.trader;
    trader.priced("AAPL").await;
    revoke(&house);
    let mut orders = Vec::new();
    for quantity in ["1", "2"] {
        let order = trader.place("buy", "AAPL", quantity, Some("1")).await.expect(201).json();
        orders.push(order["id"].as_str().unwrap().to_owned());
        eventually("its owner is told", || async { told_of_keys(&house).await == ["key_revoked"] }).await;
    }
    for order in &orders {
        let waits = trader.order(order).await;
        assert_eq!((&waits["status"], &waits["unresolved"]), (&json!("PENDING_NEW"), &json!(false)));
    }
    assert_eq!(house.stand_in.act(|market| market.orders().len()), 0);
    enter_other_key(&house).await;
    for order in &orders {
        trader.until(order, "NEW").await;
        assert_eq!(house.stand_in.act(|market| market.named(order).len()), 1);
    }
    assert_eq!(told_of_keys(&house).await, ["key_revoked"]);
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_waited_too_long_for_a_key_is_refused_and_never_sent() {
    let house = House::start().await;
    let trader = &house.trader;
    trader.priced("AAPL").await;
    revoke(&house);
    let place = async |limit: Option<&str>| {
        let mut body = trader.order_body("buy", "AAPL", "1", limit);
        body["timeInForce"] = json!("day");
        let order = trader.app.post("/api/orders", &trader.user, body).await.expect(201).json();
        order["id"].as_str().unwrap().to_owned()
    };
    let (market, of_the_day) = (place(None).await, place(Some("1")).await);
    eventually("its owner is told", || async { told_of_keys(&house).await == ["key_revoked"] }).await;
    for (order, age, why) in
        [(&market, "61 seconds", "waited_too_long"), (&of_the_day, "10 days", "session_over")]
    {
        let older = format!(
            "UPDATE trading.orders SET created_at = created_at - interval '{age}' WHERE id = '{order}'"
        );
        assert_eq!(execute(&trader.app.database_url, &older).await, Ok(1));
        let refused = trader.until(order, "REJECTED").await;
        assert_eq!((&refused["reason"], &refused["held"]), (&json!(why), &json!("0")));
    }
    enter_other_key(&house).await;
    trader.until(&place(Some("2")).await, "NEW").await;
    for order in [&market, &of_the_day] {
        assert_eq!(house.stand_in.act(|market| market.named(order).len()), 0, "it is not sent any more");
    }
    assert_books_balance(&trader.app.database_url).await;
}

/// Both servers after a night in which the stored key became unreadable.
async fn restart_without_readable_key(house: House) -> House {
    let House { trader, stand_in } = house;
    let damage = "UPDATE broker.credentials SET sealed = set_byte(sealed, 30, 255 - get_byte(sealed, 30))";
    assert_eq!(execute(&trader.app.database_url, damage).await, Ok(1));
    let app = trader.app.restart_beside(adapters(&stand_in)).await;
    House { trader: Trader { app, ..trader }, stand_in }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_of_an_account_whose_stored_key_cannot_be_read_is_refused_by_age() {
    let house = House::start().await;
    house.trader.priced("AAPL").await;
    revoke(&house);
    let order = house.trader.place("buy", "AAPL", "1", Some("1")).await.expect(201).json();
    let order = order["id"].as_str().unwrap();
    eventually("its owner is told", || async { told_of_keys(&house).await == ["key_revoked"] }).await;
    let house = restart_without_readable_key(house).await;
    let trader = &house.trader;
    eventually("its owner is told", || async {
        told_of_keys(&house).await.first().is_some_and(|newest| newest == "key_missing")
    })
    .await;
    assert_eq!(trader.order(order).await["status"], "PENDING_NEW", "it may still be sent with another key");
    let older =
        format!("UPDATE trading.orders SET created_at = created_at - interval '9 days' WHERE id = '{order}'");
    assert_eq!(execute(&trader.app.database_url, &older).await, Ok(1));
    let refused = trader.until(order, "REJECTED").await;
    assert_eq!(refused["held"], "0", "{refused}");
    assert_eq!(house.stand_in.act(|market| market.named(order).len()), 0);
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_waits_for_a_key_as_well() {
    let house = House::start().await;
    let order = house.rests("10").await;
    let id = order["id"].as_str().unwrap();
    revoke(&house);
    house.trader.app.delete(&format!("/api/orders/{id}"), &house.trader.user).await.expect(202);
    eventually("its owner is told", || async { told_of_keys(&house).await == ["key_revoked"] }).await;
    enter_other_key(&house).await;
    house.trader.until(id, "CANCELED").await;
    assert_books_balance(&house.trader.app.database_url).await;
}
