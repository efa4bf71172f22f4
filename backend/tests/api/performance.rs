//! `GET /api/portfolio/performance`, and what is written down for it.

use crate::books::{count, execute};
use crate::helpers::{TestApp, TestUser, eventually};
use crate::trader::{Trader, decimal, open_account};
use rust_decimal::Decimal;
use serde_json::{Value, json};

async fn performance(app: &TestApp, user: &TestUser, account: &str, rest: &str) -> Value {
    let path = format!("/api/portfolio/performance?accountId={account}{rest}");
    app.get(&path, user).await.expect(200).json()
}

/// Writes down what there is now, as if it had been an hour ago.
async fn record_an_hour_ago(app: &TestApp) {
    app.state.performance.record_some(None).await.unwrap();
    let older = "UPDATE analytics.samples SET taken_at = taken_at - interval '1 hour'";
    execute(&app.database_url, older).await.unwrap();
}

async fn samples(app: &TestApp) -> i64 {
    count(&app.database_url, "SELECT count(*) AS rows FROM analytics.samples").await
}

#[tokio::test(flavor = "multi_thread")]
async fn money_brought_in_and_taken_out_is_neither_gain_nor_loss() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    let account = open_account(&app, &user, "USD").await;
    let path = |movement: &str| format!("/api/accounts/{account}/{movement}");
    app.post(&path("deposit"), &user, json!({ "amount": "10000" })).await.expect(201);
    record_an_hour_ago(&app).await;
    app.post(&path("deposit"), &user, json!({ "amount": "5000" })).await.expect(201);
    record_an_hour_ago(&app).await;
    app.post(&path("withdraw"), &user, json!({ "amount": "12000" })).await.expect(201);

    let told = performance(&app, &user, &account, "").await;
    let totals: Vec<&Value> =
        told["points"].as_array().unwrap().iter().map(|point| &point["totalValue"]).collect();
    assert_eq!(totals, [&json!("10000"), &json!("15000"), &json!("3000")]);
    assert_eq!((&told["returnPercent"], &told["pnl"]), (&json!("0"), &json!("0")));
    assert!(told["points"].as_array().unwrap().iter().all(|point| point["growth"] == "1"));
    assert_eq!(told["session"], Value::Null, "nobody has traded");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_change_is_written_down_once() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    open_account(&app, &user, "USD").await;
    for _ in 0..3 {
        record_an_hour_ago(&app).await;
    }
    assert_eq!(samples(&app).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_make_the_return_and_a_session_has_its_own() {
    let trader = Trader::with("USD", "10000").await;
    trader.bought("AAPL", "10").await;
    record_an_hour_ago(&trader.app).await;
    let told = || performance(&trader.app, &trader.user, &trader.account, "");
    eventually("another session begins", || async { told().await["session"].is_object() }).await;

    let told = told().await;
    let points = told["points"].as_array().unwrap();
    let (first, last) = (&points[0], points.last().unwrap());
    let ratio = decimal(&last["totalValue"]) / decimal(&first["totalValue"]);
    let growth = decimal(&last["growth"]) / decimal(&first["growth"]);
    assert!((ratio - growth).abs() < Decimal::new(1, 9), "{ratio} {growth}");
    let gained = decimal(&last["totalValue"]) - decimal(&first["totalValue"]);
    assert_eq!(decimal(&told["pnl"]), gained);

    let session = &told["session"];
    assert_eq!(session["sessionDate"], last["sessionDate"]);
    assert_ne!(session["before"]["sessionDate"], last["sessionDate"]);
    assert_eq!(decimal(&session["pnl"]), gained, "nothing else was written down before");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_without_a_price_makes_no_dip() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    let account = open_account(&app, &user, "USD").await;
    app.post(&format!("/api/accounts/{account}/deposit"), &user, json!({ "amount": "1000" }))
        .await
        .expect(201);
    record_an_hour_ago(&app).await;
    let file = "date,kind,symbol,quantity,price,amount,currency\n2025-01-03,buy,AAPL,5,150,,USD\n";
    let import = app.request(reqwest::Method::POST, &format!("/api/accounts/{account}/imports"));
    let import = import.bearer_auth(&user.access_token).header("content-type", "text/csv").body(file);
    assert!(app.send(import).await.status.is_success());

    app.state.performance.record_some(None).await.unwrap();
    assert_eq!(samples(&app).await, 1, "nobody knows what the shares are worth");
    let told = performance(&app, &user, &account, "").await;
    assert_eq!(told["points"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_begins_anew_has_a_curve_of_its_own_even_after_everything_was_lost() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    let account = open_account(&app, &user, "USD").await;
    let at = |rest: &str| format!("/api/accounts/{account}/{rest}");
    app.post(&at("deposit"), &user, json!({ "amount": "9000" })).await.expect(201);
    record_an_hour_ago(&app).await;
    execute(&app.database_url, "UPDATE analytics.samples SET growth = 0").await.unwrap();
    assert_eq!(performance(&app, &user, &account, "").await["points"][1]["growth"], "0");

    let opening = json!({ "openingDeposit": { "amount": "500", "currency": "USD" } });
    app.post(&at("reset"), &user, opening).await.expect(202);
    eventually("the account begins anew", || async {
        app.get(&at("resets"), &user).await.expect(200).json()["resets"][0]["status"] == "DONE"
    })
    .await;
    app.state.performance.record_some(None).await.unwrap();
    for span in ["", "&days=30"] {
        let told = performance(&app, &user, &account, span).await;
        let points = told["points"].as_array().unwrap();
        assert!(
            points.iter().all(|point| point["totalValue"] == "500" && point["growth"] == "1"),
            "{told:#}"
        );
        assert_eq!((&told["pnl"], &told["returnPercent"]), (&json!("0"), &json!("0")));
    }
    let kept = "SELECT count(*) AS rows FROM analytics.samples WHERE cash = 9000";
    assert_eq!(count(&app.database_url, kept).await, 1, "what was written down stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_is_thinned_and_a_span_has_its_beginning_from_before() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    let account = open_account(&app, &user, "USD").await;
    let insert = format!(
        "INSERT INTO analytics.samples (account_id, currency, taken_at, cash, positions_value, net_deposits, growth)
         SELECT '{account}', 'USD', date_bin('1 hour', now() - interval '3 days', 'epoch') + minute * interval '1 minute',
             minute, 0, minute, 1
         FROM generate_series(0, 119) AS minute"
    );
    execute(&app.database_url, &insert).await.unwrap();
    app.state.performance.thin().await.unwrap();
    let told = performance(&app, &user, &account, "").await;
    let cash: Vec<&Value> = told["points"].as_array().unwrap().iter().map(|point| &point["cash"]).collect();
    assert_eq!(cash, [&json!("59"), &json!("119"), &json!("0")], "the last of each hour, and now");
    let of_a_day = performance(&app, &user, &account, "&days=1").await;
    let cash: Vec<&Value> =
        of_a_day["points"].as_array().unwrap().iter().map(|point| &point["cash"]).collect();
    assert_eq!(cash, [&json!("119"), &json!("0")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_history_is_told_in_a_bounded_number_of_points() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    let account = open_account(&app, &user, "USD").await;
    let insert = format!(
        "INSERT INTO analytics.samples (account_id, currency, taken_at, cash, positions_value, net_deposits, growth)
         SELECT '{account}', 'USD', now() - hour * interval '1 hour', hour, 0, hour, 1 FROM generate_series(1, 5000) AS hour"
    );
    execute(&app.database_url, &insert).await.unwrap();
    for rest in ["", "&days=100"] {
        let told = performance(&app, &user, &account, rest).await;
        let points = told["points"].as_array().unwrap();
        assert!((300..=402).contains(&points.len()), "{} points", points.len());
        let times: Vec<&str> = points.iter().map(|point| point["at"].as_str().unwrap()).collect();
        assert!(times.is_sorted());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn others_accounts_and_impossible_spans_are_refused() {
    let app = TestApp::start().await;
    let (ant, bee) = (app.register("ant@example.com").await, app.register("bee@example.com").await);
    let account = open_account(&app, &ant, "USD").await;
    let path = format!("/api/portfolio/performance?accountId={account}");
    app.get(&path, &bee).await.expect(404);
    for days in ["0", "3661", "-1", "x", "1e9"] {
        let answer = app.get(&format!("{path}&days={days}"), &ant).await.expect(422);
        assert_eq!(answer.complaint().0, "days", "{days}");
    }
    app.get(&format!("{path}&currency=EUR"), &ant).await.expect(422);
    app.get("/api/portfolio/performance", &ant).await.expect(422);
}
