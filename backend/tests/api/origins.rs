//! Where the figures of a position, a lot and a margin account come from: the parts that the server names make the whole.

use crate::books::assert_books_balance;
use crate::trader::{Trader, decimal};
use rust_decimal::Decimal;
use serde_json::{Value, json};

async fn sold(trader: &Trader, quantity: &str) -> Value {
    let order = trader.place("sell", "AAPL", quantity, None).await.expect(201).json();
    trader.until(order["id"].as_str().unwrap(), "FILLED").await
}

async fn movements(trader: &Trader, rest: &str) -> Value {
    let path = format!("/api/portfolio/movements?accountId={}&symbol=AAPL{rest}", trader.account);
    trader.app.get(&path, &trader.user).await.expect(200).json()
}

fn sum(lines: &Value, field: &str) -> Decimal {
    lines.as_array().unwrap().iter().map(|line| decimal(&line[field])).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_movements_of_a_position_make_its_shares_and_its_cost() {
    let trader = Trader::with("USD", "100000").await;
    let bought = trader.bought("AAPL", "4").await;
    trader.bought("AAPL", "3").await;
    sold(&trader, "2").await;
    let split = json!({ "kind": "split", "symbol": "AAPL", "newShares": "2", "oldShares": "1" });
    trader.app.post("/api/corporate-actions", &trader.user, split).await.expect(201);
    let position = trader.position("AAPL").await;
    let listed = movements(&trader, "").await;
    assert_eq!(listed["next"], Value::Null);
    let lines = &listed["movements"];
    assert_eq!(sum(lines, "quantity"), decimal(&position["quantity"]));
    assert_eq!(sum(lines, "costChange"), decimal(&position["byAverage"]["cost"]));
    let kinds: Vec<_> = lines.as_array().unwrap().iter().map(|line| line["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["split", "fill", "fill", "fill"], "the last booked first");
    let first = &lines[3];
    assert_eq!(decimal(&first["worth"]), decimal(&bought["averageFillPrice"]) * Decimal::from(4));
    assert_eq!(
        (&first["executionId"], &lines[0]["worth"]),
        (&bought["executions"][0]["executionId"], &json!("0"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn movements_are_read_page_by_page_and_by_their_owner_alone() {
    let trader = Trader::with("USD", "100000").await;
    for _ in 0..3 {
        trader.bought("AAPL", "1").await;
    }
    let first = movements(&trader, "&limit=2").await;
    let rest = movements(&trader, &format!("&limit=2&before={}", first["next"].as_str().unwrap())).await;
    assert_eq!(
        (first["movements"].as_array().unwrap().len(), rest["movements"].as_array().unwrap().len()),
        (2, 1)
    );
    assert_eq!(rest["next"], Value::Null);
    assert_ne!(first["movements"][1]["journalId"], rest["movements"][0]["journalId"]);
    let stranger = trader.app.register("bee@example.com").await;
    for path in [
        format!("/api/portfolio/movements?accountId={}&symbol=AAPL", trader.account),
        format!(
            "/api/portfolio/lots/{}/sales?accountId={}",
            first["movements"][0]["journalId"].as_str().unwrap(),
            trader.account
        ),
    ] {
        trader.app.get(&path, &stranger).await.expect(404);
        let refused = trader.app.get(&format!("{path}&limit=501"), &trader.user).await.expect(422);
        assert_eq!(refused.complaint(), ("limit".to_owned(), "out_of_range".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_a_lot_is_what_came_less_what_was_sold_of_it() {
    let trader = Trader::with("USD", "100000").await;
    trader.bought("AAPL", "10").await;
    trader.bought("AAPL", "1").await;
    for quantity in ["3", "2"] {
        sold(&trader, quantity).await;
    }
    let lots = trader.lots("AAPL").await;
    let lot = &lots[0];
    let sales_of = |lot: &Value, rest: &str| {
        let id = lot["id"].as_str().unwrap();
        let path = format!("/api/portfolio/lots/{id}/sales?accountId={}{rest}", trader.account);
        async { trader.app.get(&{ path }, &trader.user).await.expect(200).json() }
    };
    let taken = sales_of(lot, "").await;
    assert_eq!(taken["sales"].as_array().unwrap().len(), 2);
    assert_eq!(decimal(&lot["openedQuantity"]) - sum(&taken["sales"], "quantity"), decimal(&lot["quantity"]));
    assert_eq!(decimal(&lot["openedCost"]) - sum(&taken["sales"], "cost"), decimal(&lot["cost"]));
    let first = sales_of(lot, "&limit=1").await;
    let second = sales_of(lot, &format!("&limit=1&before={}", first["next"].as_str().unwrap())).await;
    assert_eq!((&first["sales"][0]["quantity"], &second["sales"][0]["quantity"]), (&json!("2"), &json!("3")));
    assert_eq!(sales_of(&lots[1], "").await["sales"], json!([]), "nothing was sold of the later lot");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_use_of_credit_is_the_sum_of_its_shares() {
    let trader = Trader::with("USD", "10000").await;
    let path = format!("/api/accounts/{}/margin", trader.account);
    trader.app.put(&path, &trader.user, json!({ "margin": true, "shortSelling": true })).await.expect(200);
    trader.bought("AAPL", "10").await;
    trader.place("buy", "AAPL", "5", Some("1")).await.expect(201);
    let margin = trader.app.get(&path, &trader.user).await.expect(200).json();
    let (used, rules) = (&margin["use"], &margin["rules"]);
    let share = &used["shares"][0];
    assert_eq!(
        (&share["symbol"], &share["quantity"], &share["buying"]),
        (&json!("AAPL"), &json!("10"), &json!("5"))
    );
    assert_eq!(decimal(&share["value"]), decimal(&share["price"]) * Decimal::TEN);
    let close = |left: Decimal, right: &Value| (left - decimal(right)).abs() <= Decimal::new(1, 2);
    assert!(close(decimal(&used["cash"]) + sum(&used["shares"], "value"), &used["equity"]), "{used}");
    assert!(close(sum(&used["shares"], "required"), &used["required"]), "{used}");
    let open = decimal(&share["value"]) + decimal(&share["buyingCost"]);
    assert!(close(open * decimal(&rules["initial"]), &share["required"]), "{used}");
    assert!(close(sum(&used["shares"], "requiredToStay"), &used["requiredToStay"]), "{used}");
}
