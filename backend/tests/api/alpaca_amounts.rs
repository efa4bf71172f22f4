//! Amounts of money at Alpaca, which finds out how many shares each was.

use crate::alpaca::House;
use crate::helpers::eventually;
use crate::trader::decimal;
use alpaca_stand_in::{Fault, Order};
use rust_decimal::Decimal;
use serde_json::{Value, json};

impl House {
    fn by_amount(&self, amount: &str) -> Value {
        json!({
            "accountId": self.trader.account, "symbol": "AAPL", "side": "buy", "type": "market",
            "timeInForce": "day", "notional": amount,
        })
    }

    /// Spends an amount, and gives the order as it was answered.
    async fn spends(&self, amount: &str) -> Value {
        self.trader.priced("AAPL").await;
        let order = self.trader.app.post("/api/orders", &self.trader.user, self.by_amount(amount)).await;
        order.expect(201).json()
    }

    fn costs(&self, price: &str) {
        self.stand_in.act(|market| market.market_price = Some(price.parse().unwrap()));
    }

    fn executes(&self, order: &Value, quantity: Decimal, price: Decimal) {
        let number = self.sent(order).remove(0).id;
        self.stand_in.act(|market| market.fill(&number, quantity, price));
    }

    /// The order as Alpaca has it.
    fn sent(&self, order: &Value) -> Vec<Order> {
        self.stand_in.act(|market| market.named(order["id"].as_str().unwrap()))
    }
}

fn id(order: &Value) -> &str {
    order["id"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_dollars_are_spent_there_and_alpaca_says_how_many_shares_that_was() {
    let house = House::start().await;
    let trader = &house.trader;
    trader.priced("AAPL").await;
    let preview = trader.app.post("/api/orders/preview", &trader.user, house.by_amount("100")).await;
    let preview = preview.expect(200).json();
    assert_eq!((&preview["quantityEstimated"], &preview["held"]), (&json!(true), &json!("100")));
    house.costs("195.18");
    let order = house.spends("100").await;
    assert_eq!(
        (&order["quantityEstimated"], &order["notional"], &order["held"]),
        (&json!(true), &json!("100"), &json!("100"))
    );
    let filled = trader.until(id(&order), "FILLED").await;
    for field in ["quantity", "filledQuantity"] {
        assert_eq!(filled[field], "0.512347576", "{filled}");
    }
    assert_eq!((&filled["quantityEstimated"], &filled["held"]), (&json!(false), &json!("0")));
    assert_eq!(house.sent(&order)[0].notional, Some(Decimal::ONE_HUNDRED));
    assert_eq!(trader.balance().await["cash"], "99900");
    assert_eq!(trader.balance().await["buyingPower"], "99900");
    assert_eq!(trader.position("AAPL").await["quantity"], "0.512347576");
    trader.assert_in_order().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_falls_buys_more_shares_than_were_estimated_and_nobody_is_alarmed() {
    let house = House::start().await;
    let trader = &house.trader;
    let order = house.spends("100").await;
    trader.until(id(&order), "NEW").await;
    let estimated = decimal(&order["quantity"]);
    let half = (Decimal::ONE_HUNDRED / estimated / Decimal::TWO).round_dp(2);
    house.executes(&order, estimated, half);
    let part = trader.until(id(&order), "PARTIALLY_FILLED").await;
    assert_eq!(
        decimal(&part["filledQuantity"]),
        estimated,
        "it is not done by the shares that were estimated"
    );
    let unspent = Decimal::ONE_HUNDRED - estimated * half;
    assert_eq!(
        decimal(&part["held"]),
        unspent.round_dp_with_strategy(2, rust_decimal::RoundingStrategy::AwayFromZero)
    );
    trader.assert_in_order().await;
    let refused = trader.replace(id(&order), json!({ "quantity": "1" }), None).await.expect(422);
    assert_eq!(refused.complaint(), ("notional".to_owned(), "not_replaceable".to_owned()));
    house.executes(&order, Decimal::ONE_THOUSAND, half);
    let filled = trader.until(id(&order), "FILLED").await;
    assert!(decimal(&filled["filledQuantity"]) > estimated * Decimal::new(19, 1), "{filled}");
    assert_eq!((&filled["quantity"], &filled["held"]), (&filled["filledQuantity"], &json!("0")));
    trader.assert_in_order().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amount_of_which_a_part_was_spent_is_taken_back_and_holds_nothing_any_more() {
    let house = House::start().await;
    let trader = &house.trader;
    let order = house.spends("100").await;
    trader.until(id(&order), "NEW").await;
    house.executes(&order, Decimal::new(1, 1), Decimal::from(200));
    assert_eq!(trader.until(id(&order), "PARTIALLY_FILLED").await["held"], "80");
    trader.app.delete(&format!("/api/orders/{}", id(&order)), &trader.user).await.expect(202);
    let ended = trader.until(id(&order), "CANCELED").await;
    assert_eq!((&ended["held"], &ended["filledQuantity"]), (&json!("0"), &json!("0.1")));
    assert_eq!(trader.balance().await["cash"], "99980");
    trader.assert_in_order().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amount_whose_answer_was_lost_is_spent_once() {
    let house = House::start().await;
    let trader = &house.trader;
    trader.priced("AAPL").await;
    house.costs("160");
    house.stand_in.will_fail(&[Fault::BreaksAfter]);
    let order = house.spends("100").await;
    let filled = trader.until(id(&order), "FILLED").await;
    assert_eq!((&filled["quantity"], &filled["unresolved"]), (&json!("0.625"), &json!(false)));
    assert_eq!(house.sent(&order).len(), 1);
    trader.assert_in_order().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_amount_for_alpaca_is_refused_or_becomes_shares_here() {
    let house = House::start().await;
    let trader = &house.trader;
    trader.priced("AAPL").await;
    let with = |changes: Value| {
        let mut body = house.by_amount("100");
        body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        body
    };
    for (changes, rule) in [
        (json!({ "notional": "0.99" }), "too_small"),
        (json!({ "notional": "10.005" }), "too_precise"),
        (json!({ "timeInForce": "gtc" }), "combination"),
    ] {
        let denied = trader.app.post("/api/orders", &trader.user, with(changes)).await.expect(422);
        assert_eq!(denied.complaint(), ("notional".to_owned(), rule.to_owned()));
    }
    let limited = with(json!({ "type": "limit", "limitPrice": "100" }));
    let limited = trader.app.post("/api/orders", &trader.user, limited).await.expect(201).json();
    assert_eq!((&limited["quantity"], &limited["quantityEstimated"]), (&json!("1"), &json!(false)));
    trader.until(id(&limited), "NEW").await;
    assert_eq!(house.sent(&limited)[0].notional, None);

    house.stand_in.act(|market| market.whole_only.push("AAPL".to_owned()));
    let whole = house.spends("100").await;
    let refused = trader.until(id(&whole), "REJECTED").await;
    assert!(refused["reason"].as_str().unwrap().contains("not fractionable"), "{refused}");
    assert_eq!(refused["held"], "0");
    eventually("the hold is gone", || async { trader.balance().await["held"] == "100" }).await;
    trader.assert_in_order().await;
}
