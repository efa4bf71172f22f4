//! What a broker does beside orders, from its lists into the books.

use crate::alpaca::House;
use crate::books::{assert_books_balance, count, execute};
use crate::helpers::eventually;
use crate::trader::{Trader, decimal};
use alpaca_stand_in::Movement;
use serde_json::{Value, json};

fn movement(word: &str, amount: &str, symbol: Option<&str>) -> Movement {
    Movement {
        word: word.into(),
        amount: amount.parse().unwrap(),
        symbol: symbol.map(str::to_owned),
        quantity: symbol.map(|_| "10".parse().unwrap()),
    }
}

impl House {
    async fn with_shares() -> Self {
        let house = Self::start().await;
        let order = house.rests("10").await;
        house.fill(&order, "10");
        house.trader.until(order["id"].as_str().unwrap(), "FILLED").await;
        house
    }

    /// Has the account compared: it must agree, with the same cash on both sides.
    async fn agrees_on_the_cash(&self) {
        let run = self.trader.compared().await;
        assert_eq!((&run["outcome"], &run["differences"]), (&json!("agreed"), &json!([])), "{run}");
        let cash = self.stand_in.act(|market| market.cash);
        let balance = self.trader.balance().await;
        assert_eq!(decimal(&balance["cash"]), cash, "{balance}");
        assert_books_balance(&self.trader.app.database_url).await;
    }

    async fn incidents(&self, kind: &str) -> Vec<Value> {
        self.trader.incidents().await.into_iter().filter(|incident| incident["kind"] == kind).collect()
    }
}

/// The lines of the statement beside trading: kind, symbol, amount.
async fn beside_trading(trader: &Trader) -> Vec<(String, Value, String)> {
    let kinds = "dividend,withholding,fee,interest,deposit,withdrawal,broker_difference";
    let path = format!("/api/accounts/{}/statement?kind={kinds}&order=oldest_first", trader.account);
    let page = trader.app.get(&path, &trader.user).await.expect(200).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let line = |line: &Value| (text(&line["kind"]), line["symbol"].clone(), text(&line["amount"]));
    page["lines"].as_array().unwrap().iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_is_booked_once_under_its_own_name_and_the_cash_is_the_brokers() {
    let house = House::with_shares().await;
    house.stand_in.act(|market| {
        market.does(movement("DIV", "12.34", Some("AAPL")));
        market.does(movement("DIVNRA", "-1.85", Some("AAPL")));
        market.does(movement("FEE", "-0.05", None));
        market.does(movement("INT", "0.8", None));
        market.does(movement("CSD", "500", None));
        market.does(movement("CSW", "-100.5", None));
    });
    house.agrees_on_the_cash().await;
    let apple = json!("AAPL");
    let expected = [
        ("deposit", Value::Null, "100000"),
        ("dividend", apple.clone(), "12.34"),
        ("withholding", apple, "-1.85"),
        ("fee", Value::Null, "-0.05"),
        ("interest", Value::Null, "0.8"),
        ("deposit", Value::Null, "500"),
        ("withdrawal", Value::Null, "-100.5"),
    ]
    .map(|(kind, symbol, amount)| (kind.to_owned(), symbol, amount.to_owned()));
    assert_eq!(beside_trading(&house.trader).await, expected);
    assert_eq!(house.trader.incidents().await, Vec::<Value>::new());
    let path = format!("/api/portfolio/positions?accountId={}", house.trader.account);
    let positions = house.trader.app.get(&path, &house.trader.user).await.expect(200).json();
    assert_eq!(positions["positions"][0]["dividends"], "12.34");

    // Neither another look nor another start books it again.
    house.agrees_on_the_cash().await;
    let House { trader, stand_in } = house;
    let house = House { trader: Trader { app: trader.app.restart().await, ..trader }, stand_in };
    house.agrees_on_the_cash().await;
    assert_eq!(beside_trading(&house.trader).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_hangs_up_loses_nothing_and_books_nothing_twice() {
    let house = House::with_shares().await;
    house.stand_in.act(|market| market.does(movement("DIV", "5", Some("AAPL"))));
    house.agrees_on_the_cash().await;
    let app = &house.trader.app;
    house.stand_in.act(|market| market.does(movement("FEE", "-1", None)));
    app.break_connections().await;
    let path = format!("/api/accounts/{}/balance", house.trader.account);
    eventually("the server is back", || async { app.get(&path, &house.trader.user).await.status == 200 })
        .await;
    house.agrees_on_the_cash().await;
    let booked =
        "SELECT count(*) AS rows FROM account.journals WHERE starts_with(idempotency_key, 'activity:')";
    assert_eq!(count(&app.database_url, booked).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_understands_is_told_once_and_its_cash_counts() {
    let house = House::with_shares().await;
    house.stand_in.act(|market| {
        market.does(movement("SOMETHING_NEW", "7.5", None));
        market.does(movement("MA", "0", Some("AAPL")));
    });
    house.agrees_on_the_cash().await;
    house.agrees_on_the_cash().await;
    let [unknown] = &house.incidents("unknown_activity").await[..] else { panic!("told once") };
    assert!(unknown["detail"].as_str().unwrap().contains("SOMETHING_NEW"), "{unknown}");
    assert!(unknown["detail"].as_str().unwrap().contains("7.5 USD"), "{unknown}");
    let [merger] = &house.incidents("shares_activity").await[..] else { panic!("told once") };
    assert!(merger["detail"].as_str().unwrap().contains("AAPL"), "{merger}");
    let booked = beside_trading(&house.trader).await;
    assert_eq!(booked[1..], [("broker_difference".to_owned(), Value::Null, "7.5".to_owned())]);
    assert_eq!(house.incidents("broker_difference").await, Vec::<Value>::new(), "told under its own name");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_broker_takes_back_is_taken_back() {
    let house = House::with_shares().await;
    let paid = house.stand_in.act(|market| market.does(movement("DIV", "12.34", Some("AAPL"))));
    house.agrees_on_the_cash().await;
    house.stand_in.act(|market| market.undo(&paid));
    house.agrees_on_the_cash().await;
    let amounts: Vec<String> =
        beside_trading(&house.trader).await.into_iter().skip(1).map(|(_, _, amount)| amount).collect();
    assert_eq!(amounts, ["12.34", "-12.34"]);
    assert_eq!(house.trader.incidents().await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_booked_is_told_and_holds_up_nothing() {
    let house = House::with_shares().await;
    // Lines that no connector writes: a dividend of no share, and one for an account of nobody here.
    let stranger = "01890a5d-ac96-774b-bcce-b302099a8057";
    for statement in [
        format!("INSERT INTO broker.accounts (account_id, broker, currency) VALUES ('{stranger}', 'alpaca', 'USD')"),
        format!(
            "INSERT INTO broker.activities (account_id, activity_id, is_undone, kind, word, currency, amount, day)
             VALUES ('{}', 'x', false, 'dividend', 'DIV', 'USD', 1, '2026-11-20'),
                ('{stranger}', 'y', false, 'fee', 'FEE', 'USD', -1, '2026-11-20')",
            house.trader.account
        ),
    ] {
        execute(&house.trader.app.database_url, &statement).await.unwrap();
    }
    house.stand_in.act(|market| market.does(movement("INT", "2", None)));
    let run = house.trader.compared().await;
    assert_eq!(run["outcome"], "agreed", "{run}");
    let [told] = &house.incidents("unbooked_activity").await[..] else { panic!("told once") };
    assert!(told["detail"].as_str().unwrap().contains("DIV"), "{told}");
    let all = "SELECT count(*) AS rows FROM trading.incidents WHERE kind = 'unbooked_activity'";
    assert_eq!(count(&house.trader.app.database_url, all).await, 2);
    assert_eq!(house.trader.balance().await["cash"], "99992");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dividend_that_the_broker_tells_of_is_not_entered_by_hand() {
    let house = House::with_shares().await;
    let trader = &house.trader;
    let mut dividend = json!({ "kind": "cash_dividend", "symbol": "AAPL", "amountPerShare": "1" });
    let everywhere = trader.app.post("/api/corporate-actions", &trader.user, dividend.clone()).await;
    assert_eq!(everywhere.expect(201).json()["applications"], json!([]));
    dividend["accountId"] = json!(trader.account);
    let here = trader.app.post("/api/corporate-actions", &trader.user, dividend).await.expect(409);
    assert_eq!(here.code(), "broker_keeps_cash");
    house.agrees_on_the_cash().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_that_the_broker_tells_of_counts_shares_and_lots_anew_once() {
    let house = House::with_shares().await;
    let second = house.rests("5").await;
    house.fill(&second, "5");
    house.trader.until(second["id"].as_str().unwrap(), "FILLED").await;
    let cost = house.trader.position("AAPL").await["byFifo"]["cost"].clone();
    // A sale that works means something else afterwards: it is taken back first.
    let sale = house.trader.place("sell", "AAPL", "4", Some("1000")).await.expect(201).json();
    let sale = house.trader.until(sale["id"].as_str().unwrap(), "NEW").await;
    house.stand_in.act(|market| market.split("AAPL", "SPLIT", "45".parse().unwrap()));
    let canceled = async || {
        let _ = house.trader.compared().await;
        house.trader.order(sale["id"].as_str().unwrap()).await["status"] == "CANCELED"
    };
    eventually("the sale has ended", canceled).await;
    let counted = async || house.trader.position("AAPL").await["quantity"] == "45";
    eventually("the split is booked", counted).await;
    house.agrees_on_the_cash().await;
    let position = house.trader.position("AAPL").await;
    assert_eq!((&position["quantity"], &position["byFifo"]["cost"]), (&json!("45"), &cost));
    let lots: Vec<Value> =
        house.trader.lots("AAPL").await.iter().map(|lot| lot["quantity"].clone()).collect();
    assert_eq!(lots, [json!("30"), json!("15")]);

    // Entered by hand as well it would stand twice: here it is refused, and elsewhere it passes this account by.
    let mut split = json!({ "kind": "split", "symbol": "AAPL", "newShares": "3", "oldShares": "1" });
    house.trader.app.post("/api/corporate-actions", &house.trader.user, split.clone()).await.expect(201);
    split["accountId"] = json!(house.trader.account);
    let refused =
        house.trader.app.post("/api/corporate-actions", &house.trader.user, split).await.expect(409);
    assert_eq!(refused.code(), "broker_keeps_cash");
    let House { trader, stand_in } = house;
    let house = House { trader: Trader { app: trader.app.restart().await, ..trader }, stand_in };
    house.agrees_on_the_cash().await;
    assert_eq!(house.trader.position("AAPL").await["quantity"], "45");
    assert_eq!(house.trader.incidents().await, Vec::<Value>::new());
    let splits = "SELECT count(*) AS rows FROM account.journals WHERE kind = 'split'";
    assert_eq!(count(&house.trader.app.database_url, splits).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reverse_split_leaves_parts_of_a_share_and_one_that_does_not_fit_is_told() {
    let house = House::with_shares().await;
    house.stand_in.act(|market| market.split("AAPL", "SPLIT", "0.5".parse().unwrap()));
    house.agrees_on_the_cash().await;
    assert_eq!(house.trader.position("AAPL").await["quantity"], "0.5");
    assert_eq!(house.trader.incidents().await, Vec::<Value>::new());
    // Of shares that were never here.
    house.stand_in.act(|market| {
        for quantity in ["-70", "7"] {
            let quantity = Some(quantity.parse().unwrap());
            let symbol = Some("MSFT".to_owned());
            market.does(Movement { word: "SPLIT".into(), symbol, quantity, ..Movement::default() });
        }
    });
    house.agrees_on_the_cash().await;
    let told = house.incidents("shares_activity").await;
    let about =
        |symbol: &str| told.iter().filter(|told| told["detail"].as_str().unwrap().contains(symbol)).count();
    let facts = &told.iter().find(|told| told["facts"]["symbol"] == "MSFT").unwrap()["facts"];
    assert_eq!((&facts["case"], &facts["word"]), (&json!("no_split"), &json!("SPLIT")));
    assert_eq!((about("MSFT"), house.incidents("broker_difference").await.len()), (1, 0), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_split_holds_up_its_own_account_and_no_other() {
    let house = House::with_shares().await;
    let Trader { app, user, account } = &house.trader;
    let body = json!({ "name": "Play", "broker": "simulator", "currency": "USD" });
    let other = app.post("/api/accounts", user, body).await.expect(201).json();
    let other = other["id"].as_str().unwrap();
    let known = format!(
        "INSERT INTO broker.accounts (account_id, broker, currency) VALUES ('{other}', 'simulator', 'USD')"
    );
    assert_eq!(execute(&app.database_url, &known).await, Ok(1));
    let add = async |account: &str, id: &str, kind: &str, word: &str, amount: &str, quantity: &str| {
        let row = format!(
            "INSERT INTO broker.activities (account_id, activity_id, is_undone, kind, word, symbol, currency, amount, quantity, day)
             VALUES ('{account}', '{id}', false, '{kind}', '{word}', 'AAPL', 'USD', {amount}, {quantity}, current_date)"
        );
        assert_eq!(execute(&app.database_url, &row).await, Ok(1));
    };
    let booked = async |account: &str| {
        let journals = format!(
            "SELECT count(*) AS rows FROM account.journals
             WHERE account_id = '{account}' AND starts_with(idempotency_key, 'activity:')"
        );
        count(&app.database_url, &journals).await
    };
    add(account, "half:1", "split", "SPLIT", "0", "30").await;
    add(account, "half:2", "fee", "FEE", "-1", "NULL").await;
    for number in 1..=2 {
        add(other, &format!("other:{number}"), "dividend", "DIV", "5", "10").await;
        eventually("the other account's is booked", || async { booked(other).await == number }).await;
        assert_eq!(booked(account).await, 0, "what is behind the half waits with it");
        assert_books_balance(&app.database_url).await;
    }
    add(account, "half:3", "split", "SPLIT", "0", "-10").await;
    eventually("the split is booked", || async { house.trader.position("AAPL").await["quantity"] == "30" })
        .await;
    eventually("the fee behind it is booked", || async { booked(account).await == 1 }).await;
    let ahead = "SELECT count(*) AS rows FROM trading.activities_ahead";
    assert_eq!((count(&app.database_url, ahead).await, booked(other).await), (0, 2), "each is booked once");
    assert_books_balance(&app.database_url).await;
}
