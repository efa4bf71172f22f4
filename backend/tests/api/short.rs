//! Accounts that buy on credit and sell short.

use crate::books::{assert_books_balance, count, execute};
use crate::helpers::{Answer, Setup, TestApp, eventually};
use crate::trader::{Trader, decimal};
use futures_util::future::join_all;
use rust_decimal::Decimal;
use serde_json::{Value, json};

impl Trader {
    async fn switch(&self, margin: bool, short_selling: bool) -> Answer {
        let path = format!("/api/accounts/{}/margin", self.account);
        self.app.put(&path, &self.user, json!({ "margin": margin, "shortSelling": short_selling })).await
    }

    async fn margin(&self) -> Value {
        let path = format!("/api/accounts/{}/margin", self.account);
        self.app.get(&path, &self.user).await.expect(200).json()
    }

    async fn traded(&self, side: &str, quantity: &str) -> Value {
        self.priced("AAPL").await;
        let order = self.place(side, "AAPL", quantity, None).await.expect(201).json();
        self.until(order["id"].as_str().unwrap(), "FILLED").await
    }

    async fn declared(&self, action: Value) {
        self.app.post("/api/corporate-actions", &self.user, action).await.expect(201);
    }
}

async fn short_seller(amount: &str) -> Trader {
    let trader = Trader::with("USD", amount).await;
    trader.switch(true, true).await.expect(200);
    trader
}

fn worth(order: &Value) -> Decimal {
    let paid = decimal(&order["averageFillPrice"]) * decimal(&order["filledQuantity"]);
    paid.round_dp(2)
}

fn fees(order: &Value) -> Decimal {
    decimal(&order["commission"]) + decimal(&order["tax"])
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_sold_short_are_bought_back_and_the_gain_is_right() {
    let trader = Trader::with("USD", "100000").await;
    trader.priced("AAPL").await;
    let refused = trader.place("sell", "AAPL", "10", None).await.expect(422);
    assert_eq!(refused.complaint(), ("quantity".to_owned(), "insufficient_shares".to_owned()));
    trader.switch(true, true).await.expect(200);
    let sold = trader.traded("sell", "10").await;
    let position = trader.position("AAPL").await;
    assert_eq!(position["quantity"], "-10");
    for method in ["byAverage", "byFifo"] {
        assert_eq!(decimal(&position[method]["cost"]), -worth(&sold), "{position:#}");
        assert_eq!(decimal(&position[method]["realisedPnl"]), Decimal::ZERO);
    }
    assert_eq!(decimal(&trader.lots("AAPL").await[0]["quantity"]), Decimal::from(-10));
    let cash = decimal(&trader.balance().await["cash"]);
    assert_eq!(cash, Decimal::from(100_000) + worth(&sold) - fees(&sold));
    assert_books_balance(&trader.app.database_url).await;
    let bought = trader.traded("buy", "10").await;
    assert_eq!(trader.position("AAPL").await, Value::Null, "nothing is held or owed");
    let path = format!("/api/portfolio/sales?accountId={}", trader.account);
    let sales = trader.app.get(&path, &trader.user).await.expect(200).json();
    for method in ["byAverage", "byFifo"] {
        let gain = decimal(&sales["sales"][0][method]["realisedPnl"]);
        assert_eq!(gain, worth(&sold) - worth(&bought), "{sales:#}");
    }
    let value = &trader.app.get("/api/portfolio", &trader.user).await.expect(200).json()["accounts"][0];
    assert_eq!(decimal(&value["realisedPnl"]), worth(&sold) - worth(&bought));
    let cash = decimal(&trader.balance().await["cash"]);
    let gain = worth(&sold) - worth(&bought) - fees(&sold) - fees(&bought);
    assert_eq!(cash, Decimal::from(100_000) + gain);
    trader.assert_in_order().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_through_zero_closes_and_opens() {
    let trader = short_seller("100000").await;
    let bought = trader.traded("buy", "4").await;
    let sold = trader.traded("sell", "10").await;
    let position = trader.position("AAPL").await;
    assert_eq!(position["quantity"], "-6");
    let cost = decimal(&position["byFifo"]["cost"]);
    let gain = decimal(&position["byFifo"]["realisedPnl"]);
    assert_eq!(cost + worth(&sold) - worth(&bought), gain, "cost and profit are the money that moved");
    trader.traded("buy", "8").await;
    assert_eq!(trader.position("AAPL").await["quantity"], "2");
    let path = format!("/api/portfolio/sales?accountId={}", trader.account);
    let sales = trader.app.get(&path, &trader.user).await.expect(200).json();
    let quantities: Vec<&Value> =
        sales["sales"].as_array().unwrap().iter().map(|sale| &sale["quantity"]).collect();
    assert_eq!(quantities, ["-6", "4"], "what was bought back, and what was sold of what was held");
    trader.assert_in_order().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_short_sales_at_once_never_exceed_the_equity_by_one_share() {
    let trader = short_seller("10000").await;
    trader.priced("AAPL").await;
    // Each asks for 500.00 beside its proceeds: twenty are covered.
    let placed = join_all((0..50).map(|_| trader.place("sell", "AAPL", "1", Some("1000")))).await;
    let taken = placed.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(taken, 20);
    for refused in placed.iter().filter(|answer| answer.status != 201) {
        assert_eq!(refused.complaint(), ("quantity".to_owned(), "insufficient_margin".to_owned()));
    }
    let used = trader.margin().await;
    assert_eq!((&used["use"]["required"], &used["use"]["available"]), (&json!("10000"), &json!("0")));
    trader.assert_in_order().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credit_buys_twice_the_equity_and_no_more() {
    let trader = Trader::with("USD", "10000").await;
    trader.priced("AAPL").await;
    trader.switch(true, false).await.expect(200);
    let refused = trader.place("buy", "AAPL", "2000", Some("10")).await.expect(422);
    assert_eq!(refused.complaint(), ("quantity".to_owned(), "insufficient_margin".to_owned()));
    let most = refused.json()["errors"][0]["nearest"][0].as_str().unwrap().to_owned();
    trader.place("buy", "AAPL", &most, Some("10")).await.expect(201);
    let refused = trader.switch(false, false).await.expect(422);
    assert_eq!(refused.complaint(), ("margin".to_owned(), "in_use".to_owned()));
    let refused = trader.place("sell", "AAPL", "1", Some("1000")).await.expect(422);
    assert_eq!(refused.complaint(), ("quantity".to_owned(), "insufficient_shares".to_owned()));
    trader.assert_in_order().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_use_cannot_be_switched_nor_taken_out() {
    let trader = short_seller("10000").await;
    let refused = trader.switch(false, true).await.expect(422);
    assert_eq!(refused.complaint(), ("shortSelling".to_owned(), "needs_margin".to_owned()));
    trader.traded("sell", "3").await;
    let refused = trader.switch(true, false).await.expect(422);
    assert_eq!(refused.complaint(), ("shortSelling".to_owned(), "in_use".to_owned()));
    let path = format!("/api/accounts/{}/withdraw", trader.account);
    let refused = trader.app.post(&path, &trader.user, json!({ "amount": "1" })).await.expect(422);
    assert_eq!(refused.complaint(), ("amount".to_owned(), "secures_short_sales".to_owned()));
    assert_eq!(trader.balance().await["withdrawable"], "0", "nothing else is said");
    trader.traded("buy", "3").await;
    assert_ne!(trader.balance().await["withdrawable"], "0");
    let off = trader.switch(false, false).await.expect(200).json();
    assert_eq!((&off["margin"], &off["use"]), (&json!(false), &Value::Null));
    trader.assert_in_order().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sold_short_pays_the_dividend_and_splits_count_for_it() {
    let trader = short_seller("100000").await;
    trader.traded("sell", "10").await;
    let before = decimal(&trader.balance().await["cash"]);
    trader.declared(json!({ "kind": "cash_dividend", "symbol": "AAPL", "amountPerShare": "0.5" })).await;
    assert_eq!(decimal(&trader.balance().await["cash"]), before - Decimal::from(5));
    trader.declared(json!({ "kind": "split", "symbol": "AAPL", "newShares": "2", "oldShares": "1" })).await;
    assert_eq!(trader.position("AAPL").await["quantity"], "-20");
    assert_books_balance(&trader.app.database_url).await;
    trader.traded("buy", "20").await;
    assert_eq!(trader.position("AAPL").await, Value::Null);
    trader.assert_in_order().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_whose_equity_has_gone_is_called_once_and_may_only_reduce() {
    let trader = short_seller("10000").await;
    trader.traded("sell", "10").await;
    // A split that the price does not follow: the shares owed are worth a hundred times as much.
    trader.declared(json!({ "kind": "split", "symbol": "AAPL", "newShares": "100", "oldShares": "1" })).await;
    eventually("a call", || async { !trader.margin().await["calledAt"].is_null() }).await;
    let incidents = trader.incidents().await;
    assert_eq!(incidents.iter().map(|incident| &incident["kind"]).collect::<Vec<_>>(), ["margin_call"]);
    let facts = &incidents[0]["facts"];
    assert!(decimal(&facts["equity"]) < decimal(&facts["needed"]), "{facts}");
    assert_eq!(facts["currency"], "USD");
    let refused = trader.place("sell", "AAPL", "1", None).await.expect(422);
    assert_eq!(refused.complaint(), ("quantity".to_owned(), "margin_call".to_owned()));
    trader.traded("buy", "10").await;
    assert_eq!(trader.position("AAPL").await["quantity"], "-990");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_takes_out_nothing_that_secures_short_sales_and_may_give_back() {
    let trader = short_seller("10000").await;
    trader.traded("sell", "5").await;
    let import = async |lines: &str| {
        trader.upload("", &format!("date,kind,symbol,quantity,price,amount\n{lines}\n")).await
    };
    let cash = decimal(&trader.balance().await["cash"]);
    for taken_out in ["withdrawal,,,,9000", "fee,,,,9000", "buy,MSFT,1,9000,"] {
        let refused = import(&format!("2026-01-05,{taken_out}")).await.expect(422);
        assert_eq!(
            refused.complaint(),
            ("line 2".to_owned(), "secures_short_sales".to_owned()),
            "{taken_out}"
        );
    }
    let refused = import("2026-01-05,sell,AAPL,1,10,").await.expect(422);
    assert_eq!(refused.complaint(), ("line 2".to_owned(), "insufficient_shares".to_owned()));
    assert_eq!(decimal(&trader.balance().await["cash"]), cash, "nothing was taken out");
    import("2026-01-05,buy,AAPL,3,10,").await.expect(201);
    assert_eq!(trader.position("AAPL").await["quantity"], "-2", "a part is given back");
    import("2026-01-06,buy,AAPL,2,10,\n2026-01-06,withdrawal,,,,8000\n2026-01-06,buy,MSFT,1,1000,")
        .await
        .expect(201);
    assert_eq!(decimal(&trader.balance().await["cash"]), cash - Decimal::from(9_050));
    trader.assert_in_order().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_is_not_turned_round_below_the_least_equity() {
    let trader = Trader::with("USD", "1990").await;
    trader.priced("AAPL").await;
    trader.switch(true, true).await.expect(200);
    trader.traded("buy", "2").await;
    let refused = trader.place("sell", "AAPL", "4", None).await.expect(422);
    assert_eq!(refused.complaint(), ("quantity".to_owned(), "equity_too_small".to_owned()));
    trader.traded("sell", "2").await;
    trader.assert_in_order().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_night_is_charged_once_whatever_happens() {
    let trader = short_seller("100000").await;
    trader.traded("sell", "100").await;
    let database = &trader.app.database_url;
    execute(database, "UPDATE account.accounts SET margin_charged_through = margin_charged_through - 1")
        .await
        .unwrap();
    let path = format!("/api/accounts/{}/statement", trader.account);
    let charged = || async {
        let statement = trader.app.get(&path, &trader.user).await.expect(200).json();
        let lines = statement["lines"].as_array().unwrap().clone();
        lines.iter().filter(|line| line["kind"] == "borrow_fee").count()
    };
    eventually("a fee", || async { charged().await == 1 }).await;
    let statement = trader.app.get(&format!("{path}?kind=borrow_fee"), &trader.user).await.expect(200).json();
    let path = format!("/api/portfolio?accountId={}", trader.account);
    let portfolio = trader.app.get(&path, &trader.user).await.expect(200).json();
    assert_eq!(
        portfolio["accounts"][0]["interest"], statement["lines"][0]["amount"],
        "what it has cost so far"
    );
    assert_books_balance(database).await;
    assert_eq!(
        count(database, "SELECT count(*) AS rows FROM account.accounts WHERE margin_charged_through IS NULL")
            .await,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_name_waits_while_one_of_the_two_is_held_and_the_other_is_owed() {
    let trader = short_seller("100000").await;
    trader.traded("sell", "5").await;
    trader.bought("MSFT", "3").await;
    let change = json!({ "kind": "symbol_change", "symbol": "AAPL", "newSymbol": "MSFT" });
    let action = trader.app.post("/api/corporate-actions", &trader.user, change).await.expect(201).json();
    assert_eq!(action["status"], "waiting");
    let [incident] = &trader.incidents().await[..] else { panic!("one incident") };
    assert_eq!(incident["kind"], "name_blocked");
    assert_books_balance(&trader.app.database_url).await;

    let sold = trader.place("sell", "MSFT", "3", None).await.expect(201).json();
    trader.until(sold["id"].as_str().unwrap(), "FILLED").await;
    let path = format!("/api/corporate-actions/{}", action["id"].as_str().unwrap());
    eventually("the new name", || async {
        trader.app.get(&path, &trader.user).await.expect(200).json()["status"] == "applied"
    })
    .await;
    assert_eq!(trader.position("MSFT").await["quantity"], "-5");
    assert_eq!(trader.position("AAPL").await, Value::Null);
    assert_eq!(trader.incidents().await.len(), 1, "it was told once");
    assert_books_balance(&trader.app.database_url).await;
}

/// Somebody who owes a hundred times as many shares as were sold, with half of the equity that must stay for them, in a house
/// that waits so long before it reduces what is open.
async fn called(grace: Option<chrono::TimeDelta>) -> Trader {
    let setup = Setup { margin_call_grace: grace, ..Setup::default() };
    let trader = Trader::on(TestApp::start_house_with(setup).await, "USD", "1").await;
    trader.priced("AAPL").await;
    let quote = trader.app.get("/api/market/quote/AAPL", &trader.user).await.expect(200).json();
    let amount = decimal(&quote["price"]) * Decimal::from(1_140);
    trader.deposit(&amount.round_dp(2).to_string(), None).await.expect(201);
    trader.switch(true, true).await.expect(200);
    trader.traded("sell", "10").await;
    trader.declared(json!({ "kind": "split", "symbol": "AAPL", "newShares": "100", "oldShares": "1" })).await;
    trader
}

async fn kinds(trader: &Trader) -> Vec<Value> {
    let mut kinds: Vec<Value> =
        trader.incidents().await.iter().map(|incident| incident["kind"].clone()).collect();
    kinds.dedup();
    kinds
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_nobody_answers_is_met_by_buying_back_as_much_as_is_needed() {
    let trader = called(Some(chrono::TimeDelta::zero())).await;
    let by_house = "/api/orders?accountId={}&symbol=AAPL&side=buy".replace("{}", &trader.account);
    eventually("positions are reduced", || async {
        let orders = trader.app.get(&by_house, &trader.user).await.expect(200).json();
        let orders = orders["orders"].as_array().unwrap().clone();
        orders.iter().any(|order| order["origin"] == "MARGIN_CALL" && order["status"] == "FILLED")
    })
    .await;
    eventually("the call is met", || async { trader.margin().await["calledAt"].is_null() }).await;
    let owed = decimal(&trader.position("AAPL").await["quantity"]);
    // How much is needed depends on how far the played price has come meanwhile.
    assert!(Decimal::from(-1_000) < owed && owed < Decimal::from(-200), "a part of what is owed: {owed}");
    assert_eq!(kinds(&trader).await, ["margin_reduction", "margin_call"]);
    let path = format!("/api/positions/closes?accountId={}", trader.account);
    let closes = trader.app.get(&path, &trader.user).await.expect(200).json();
    assert_eq!(
        (&closes["closes"][0]["cause"], &closes["closes"][0]["side"]),
        (&json!("MARGIN_CALL"), &json!("buy"))
    );
    assert_books_balance(&trader.app.database_url).await;

    let trader = Trader { app: trader.app.restart().await, ..trader };
    let own = "SELECT count(*) AS rows FROM trading.orders WHERE side = 'buy' AND origin <> 'MARGIN_CALL'";
    assert_eq!(count(&trader.app.database_url, own).await, 0);
    // Nothing is placed before.
    trader.compared().await;
    trader.traded("buy", "1").await;
    assert_eq!(count(&trader.app.database_url, own).await, 1, "the trader's own orders stay the trader's");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_its_grace_is_over_a_call_only_says_what_will_be_done() {
    let trader = called(Some(chrono::TimeDelta::days(2))).await;
    eventually("a call", || async { !trader.margin().await["calledAt"].is_null() }).await;
    let margin = trader.margin().await;
    let at =
        |name: &str| -> chrono::DateTime<chrono::Utc> { margin[name].as_str().unwrap().parse().unwrap() };
    assert_eq!(at("reducedFrom") - at("calledAt"), chrono::TimeDelta::days(2));
    let [call] = &trader.incidents().await[..] else { panic!("one incident") };
    assert!(call["detail"].as_str().unwrap().contains("they are reduced here"), "{call}");
    assert_eq!(trader.position("AAPL").await["quantity"], "-1000");
    // As if two days had gone by while no server ran.
    let earlier = "UPDATE account.accounts SET margin_called_at = margin_called_at - interval '2 days'";
    execute(&trader.app.database_url, earlier).await.unwrap();
    let trader = Trader { app: trader.app.restart().await, ..trader };
    eventually("positions are reduced", || async { trader.position("AAPL").await["quantity"] != "-1000" })
        .await;
    eventually("the call is met", || async { trader.margin().await["calledAt"].is_null() }).await;
    assert_eq!(kinds(&trader).await, ["margin_reduction", "margin_call"]);
    assert_books_balance(&trader.app.database_url).await;
}
