//! Orders are decided on remembered balances; what counts is what the books say.

use crate::books::{assert_books_balance, execute};
use crate::trader::Trader;

async fn change(trader: &Trader, statement: &str) {
    assert_eq!(execute(&trader.app.database_url, statement).await.unwrap(), 1, "{statement}");
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_is_no_longer_free_is_not_spent_on_the_strength_of_a_memory() {
    let trader = Trader::with("USD", "1000").await;
    trader.priced("AAPL").await;
    for _ in 0..2 {
        trader.place("buy", "AAPL", "10", Some("10")).await.expect(201);
    }
    change(&trader, "UPDATE account.balances SET held = held + 700 WHERE commodity = 'USD'").await;
    let denied = trader.place("buy", "AAPL", "10", Some("10")).await.expect(422);
    assert_eq!(denied.complaint().1, "insufficient_buying_power");
    change(&trader, "UPDATE account.balances SET held = held - 700 WHERE commodity = 'USD'").await;
    trader.place("buy", "AAPL", "10", Some("10")).await.expect(201);
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_came_in_meanwhile_can_be_spent_at_once() {
    let trader = Trader::with("USD", "150").await;
    trader.priced("AAPL").await;
    trader.place("buy", "AAPL", "10", Some("10")).await.expect(201);
    trader.place("buy", "AAPL", "10", Some("10")).await.expect(422);
    trader.deposit("100", None).await.expect(201);
    trader.place("buy", "AAPL", "10", Some("10")).await.expect(201);
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_symbol_with_an_order_of_unknown_fate_takes_no_new_ones_also_when_the_money_is_remembered() {
    let trader = Trader::with("USD", "1000").await;
    trader.priced("AAPL").await;
    let order = trader.place("buy", "AAPL", "1", Some("10")).await.expect(201).json();
    let id = order["id"].as_str().unwrap();
    trader.until(id, "NEW").await;
    let of_unknown_fate = "UPDATE trading.orders SET status = 'PENDING_NEW', unresolved_since = now()";
    change(&trader, of_unknown_fate).await;
    let denied = trader.place("buy", "AAPL", "1", Some("10")).await.expect(422);
    assert_eq!(denied.complaint().1, "unresolved_order");
    trader.place("buy", "MSFT", "1", Some("10")).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_in_use_costs_its_neighbours_nothing() {
    let trader = Trader::with("USD", "10000").await;
    trader.priced("AAPL").await;
    let body = trader.order_body("buy", "AAPL", "1", Some("10"));
    let first = trader.place_with_key("again", &body).await.expect(201).json();
    let fresh: Vec<String> = (0..20).map(|number| format!("fresh-{number}")).collect();
    let keys = fresh.iter().map(String::as_str).chain(std::iter::repeat_n("again", 20));
    let answers = futures_util::future::join_all(keys.map(|key| trader.place_with_key(key, &body))).await;
    assert!(answers.iter().take(20).all(|answer| answer.status == 201));
    for repeated in answers.into_iter().skip(20) {
        assert_eq!(repeated.expect(201).json()["id"], first["id"]);
    }
    assert_books_balance(&trader.app.database_url).await;
}
