//! What Alpaca does beside orders: dividends, fees, interest, money and shares that come or go.

use super::World;
use alpaca_stand_in::Movement;
use serde_json::{Value, json};

fn dividend(amount: &str) -> Movement {
    Movement {
        word: "DIV".into(),
        amount: amount.parse().unwrap(),
        symbol: Some("AAPL".into()),
        quantity: Some("10".parse().unwrap()),
    }
}

impl World {
    async fn lines(&self) -> i64 {
        self.database.count("SELECT count(*) FROM broker.activities").await
    }

    async fn activities(&self, query: &str) -> Value {
        self.connector.get(&format!("/broker/accounts/{}/activities{query}", self.account)).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_is_written_once_page_by_page_to_the_end_and_the_cash_contains_it() {
    let mut world = World::start().await;
    world.stand_in.act(|market| {
        for _ in 0..230 {
            market.move_cash("FEE", "-0.01".parse().unwrap());
        }
        market.does(dividend("12.34"));
    });
    let sync = world.sync().await;
    assert_eq!(sync["tradeCash"], json!([{ "currency": "USD", "amount": "10.04" }]));
    assert_eq!(world.lines().await, 231);
    let newest = world.database.count("SELECT max(id) AS count FROM broker.activities").await;
    assert_eq!(sync["activityId"], newest);

    // As if it had died between writing and noting how far it has read.
    world.database.execute("DELETE FROM broker.activity_readings").await;
    world.restart().await;
    assert_eq!(world.sync().await["activityId"], newest);
    assert_eq!(world.lines().await, 231, "nothing is written again");
    let sum = "SELECT (sum(amount) * 100)::bigint AS count FROM broker.activities";
    assert_eq!(world.database.count(sum).await, 1004);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_back_is_written_beside_it_and_what_never_was_is_not() {
    let world = World::start().await;
    let (paid, never) = world.stand_in.act(|market| (market.does(dividend("5")), market.does(dividend("7"))));
    world.stand_in.act(|market| market.undo(&never));
    assert_eq!(world.sync().await["tradeCash"][0]["amount"], "5");
    assert_eq!(world.lines().await, 1);
    world.stand_in.act(|market| market.undo(&paid));
    for _ in 0..2 {
        assert_eq!(world.sync().await["tradeCash"][0]["amount"], "0");
        assert_eq!(world.lines().await, 2);
    }
    let undone = "SELECT count(*) FROM broker.activities WHERE is_undone AND amount = 5";
    assert_eq!(world.database.count(undone).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_listed_with_what_they_are() {
    let world = World::start().await;
    world.stand_in.act(|market| {
        market.does(dividend("12.34"));
        market.move_cash("SOMETHING_NEW", "1".parse().unwrap());
    });
    let page = world.activities("").await;
    assert_eq!(page["next"], Value::Null);
    let rows = page["activities"].as_array().unwrap();
    let told: Vec<_> = rows.iter().map(|row| (&row["kind"], &row["word"], &row["amount"])).collect();
    assert_eq!(
        told,
        [
            (&json!("dividend"), &json!("DIV"), &json!("12.34")),
            (&json!("other"), &json!("SOMETHING_NEW"), &json!("1"))
        ]
    );
    assert_eq!((&rows[0]["symbol"], &rows[0]["quantity"]), (&json!("AAPL"), &json!("10")));
    world.stand_in.act(|market| {
        for _ in 0..100 {
            market.move_cash("INT", "0.01".parse().unwrap());
        }
    });
    let first = world.activities("").await;
    assert_eq!(first["activities"].as_array().unwrap().len(), 100);
    let second = world.activities(&format!("?after={}", first["next"].as_str().unwrap())).await;
    assert_eq!(second["activities"].as_array().unwrap().len(), 2);
}
