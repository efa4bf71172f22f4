//! `/api/accounts`.

use crate::books::{assert_books_balance, execute, rows_of};
use crate::helpers::{TestApp, TestUser};
use crate::trader::{Trader, decimal, open_account};
use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn an_account_starts_with_nothing_in_it() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    for currency in ["USD", "KRW"] {
        let account = open_account(&app, &user, currency).await;
        let balance = app.get(&format!("/api/accounts/{account}/balance"), &user).await.expect(200).json();
        assert_eq!(
            (&balance["cash"], &balance["held"], &balance["buyingPower"]),
            (&json!("0"), &json!("0"), &json!("0"))
        );
        assert_eq!(balance["currency"], currency);
    }
    let accounts = app.get("/api/accounts", &user).await.expect(200).json();
    assert_eq!(accounts["accounts"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_opened_once_per_key() {
    let app = TestApp::start().await;
    let (ant, bee) = (app.register("ant@example.com").await, app.register("bee@example.com").await);
    let open = async |user: &TestUser, name: &str, key: &str| {
        let request = app.request(Method::POST, "/api/accounts").bearer_auth(&user.access_token);
        let body = json!({ "name": name, "broker": "simulator", "currency": "USD" });
        app.send(request.header("Idempotency-Key", key).json(&body)).await
    };
    let together = futures_util::future::join_all((0..8).map(|_| open(&ant, "Main", "first"))).await;
    let opened: Vec<_> = together.into_iter().map(|answer| answer.expect(201)).collect();
    let first = opened[0].json();
    assert!(opened.iter().all(|answer| answer.json() == first));
    let replayed = opened.iter().filter(|answer| answer.header("idempotency-replayed") == Some("true"));
    assert_eq!(replayed.count(), 7);
    assert_eq!(open(&ant, "Other", "first").await.expect(409).code(), "idempotency_key_reused");
    assert_ne!(open(&bee, "Main", "first").await.expect(201).json()["id"], first["id"]);
    open(&ant, "Main", "second").await.expect(201);
    assert_eq!(open(&ant, "Main", &"x".repeat(129)).await.expect(422).complaint().0, "Idempotency-Key");
    let accounts = app.get("/api/accounts", &ant).await.expect(200).json();
    assert_eq!(accounts["accounts"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opening_with_other_switches_is_another_one() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    let open = async |margin: bool, short_selling: bool| {
        let request = app.request(Method::POST, "/api/accounts").bearer_auth(&user.access_token);
        let mut body = json!({ "name": "Main", "broker": "simulator", "currency": "USD", "margin": margin });
        if short_selling {
            body["shortSelling"] = json!(true);
        }
        app.send(request.header("Idempotency-Key", "first").json(&body)).await
    };
    let opened = open(true, false).await.expect(201).json();
    for (margin, short_selling) in [(false, false), (true, true)] {
        let refused = open(margin, short_selling).await.expect(409);
        assert_eq!(refused.code(), "idempotency_key_reused", "{margin} {short_selling}");
    }
    // What is switched later is no part of the opening.
    let path = format!("/api/accounts/{}/margin", opened["id"].as_str().unwrap());
    app.put(&path, &user, json!({ "margin": true, "shortSelling": true })).await.expect(200);
    assert_eq!(open(true, false).await.expect(201).json()["id"], opened["id"]);
    assert_eq!(open(true, true).await.expect(409).code(), "idempotency_key_reused");
    let accounts = app.get("/api/accounts", &user).await.expect(200).json();
    assert_eq!(accounts["accounts"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deposit_is_booked_once_per_key() {
    let trader = Trader::on(TestApp::start().await, "USD", "100").await;
    let first = trader.deposit("250.50", Some("payday")).await.expect(201);
    let again = trader.deposit("250.50", Some("payday")).await.expect(201);
    assert_eq!(first.json()["journalId"], again.json()["journalId"]);
    assert_eq!(
        (first.header("idempotency-replayed"), again.header("idempotency-replayed")),
        (None, Some("true"))
    );
    assert_eq!(trader.balance().await["cash"], "350.5");
    assert_eq!(trader.deposit("250.51", Some("payday")).await.expect(409).code(), "idempotency_key_reused");
    assert_eq!(trader.balance().await["cash"], "350.5");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deposits_at_the_same_time_add_up() {
    let trader = Trader::on(TestApp::start().await, "USD", "0.01").await;
    let deposits = (1..=40).map(|cents| {
        let amount = Decimal::new(cents, 2).to_string();
        let trader = &trader;
        // Every second one comes twice with one key.
        async move {
            let key = format!("k{}", cents / 2);
            trader.deposit(&amount, Some(&key)).await.status.as_u16()
        }
    });
    let statuses = futures_util::future::join_all(deposits).await;
    assert!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
    let booked = rows_of(&trader.app.database_url, "account.journals").await;
    assert_eq!(booked, 22, "one per key and the first");
    assert_books_balance(&trader.app.database_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn amounts_that_are_none_are_refused_and_nothing_is_booked() {
    let trader = Trader::on(TestApp::start().await, "USD", "1").await;
    for (amount, rule) in [
        (json!("0"), "not_positive"),
        (json!("-5"), "not_positive"),
        (json!("0.001"), "too_precise"),
        (json!("1000000000001"), "too_large"),
        (json!("1e3"), "not_a_number"),
        (json!("NaN"), "not_a_number"),
        (json!("1,000"), "not_a_number"),
        (json!(" 1"), "not_a_number"),
        (json!("9".repeat(400)), "too_large"),
        (json!(100), "wrong_type"),
        (json!(null), "wrong_type"),
        (json!(["1"]), "wrong_type"),
    ] {
        let path = format!("/api/accounts/{}/deposit", trader.account);
        let refused = trader.app.post(&path, &trader.user, json!({ "amount": amount })).await.expect(422);
        assert_eq!(refused.complaint(), ("amount".to_owned(), rule.to_owned()), "{amount}");
    }
    assert_eq!(rows_of(&trader.app.database_url, "account.journals").await, 1);
    let won = open_account(&trader.app, &trader.user, "KRW").await;
    let path = format!("/api/accounts/{won}/deposit");
    trader.app.post(&path, &trader.user, json!({ "amount": "0.5" })).await.expect(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_or_fills_the_accounts_of_others() {
    let trader = Trader::on(TestApp::start().await, "USD", "100").await;
    let other = trader.app.register("wasp@example.com").await;
    let path = format!("/api/accounts/{}", trader.account);
    for answer in [
        trader.app.get(&format!("{path}/balance"), &other).await,
        trader.app.post(&format!("{path}/deposit"), &other, json!({ "amount": "5" })).await,
        trader.app.get(&format!("/api/portfolio?accountId={}", trader.account), &other).await,
        trader.app.get(&format!("/api/portfolio/positions?accountId={}", trader.account), &other).await,
        trader.app.get(&format!("/api/orders?accountId={}", trader.account), &other).await,
    ] {
        assert_eq!(answer.expect(404).code(), "not_found");
    }
    assert_eq!(trader.app.get("/api/accounts", &other).await.json(), json!({ "accounts": [] }));
    assert_eq!(trader.balance().await["cash"], "100");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_a_limit_to_the_accounts_of_one_user() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    let body = json!({ "name": "Play", "broker": "simulator", "currency": "USD" });
    let opened =
        futures_util::future::join_all((0..60).map(|_| app.post("/api/accounts", &user, body.clone()))).await;
    let refused: Vec<_> = opened.iter().filter(|answer| answer.status != 201).collect();
    assert_eq!(refused.len(), 10);
    assert!(refused.iter().all(|answer| answer.code() == "account_limit_reached"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_cannot_be_changed_even_by_the_server_itself() {
    let trader = Trader::on(TestApp::start().await, "USD", "100").await;
    for statement in [
        "UPDATE account.postings SET amount = amount * 2",
        "DELETE FROM account.postings",
        "UPDATE account.journals SET kind = 'deposit'",
        "DELETE FROM account.journals",
        "TRUNCATE account.journals CASCADE",
    ] {
        let refused = execute(&trader.app.database_url, statement).await.unwrap_err();
        assert!(refused.to_string().contains("permission denied"), "{statement}: {refused}");
    }
    // The tables' owner can give itself the right again; then the triggers refuse.
    let grant = "GRANT UPDATE, DELETE, TRUNCATE ON account.journals, account.postings TO CURRENT_USER";
    execute(&trader.app.database_url, grant).await.unwrap();
    for statement in [
        "UPDATE account.postings SET amount = amount * 2",
        "DELETE FROM account.postings",
        "UPDATE account.journals SET kind = 'deposit'",
        "DELETE FROM account.journals",
        "TRUNCATE account.postings",
    ] {
        let refused = execute(&trader.app.database_url, statement).await.unwrap_err();
        assert!(refused.to_string().contains("append-only"), "{statement}: {refused}");
    }
    assert!(decimal(&trader.balance().await["cash"]) == Decimal::ONE_HUNDRED);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_a_name_that_can_be_seen() {
    let app = TestApp::start().await;
    let user = app.register("ant@example.com").await;
    let open = |name: &str| json!({ "name": name, "broker": "simulator", "currency": "USD" });
    for name in ["\u{3164}", "\u{ad}", "a\u{2028}x", "\u{e0041}x", "a\u{202e}b", "\u{61c}", "a\nb"] {
        let refused = app.post("/api/accounts", &user, open(name)).await.expect(422);
        assert_eq!(refused.complaint(), ("name".into(), "forbidden_character".into()), "{name:?}");
    }
    for name in ["개미의 계좌", "Ant's 1st – 🐜", "<b>=1+1</b>"] {
        assert_eq!(app.post("/api/accounts", &user, open(name)).await.expect(201).json()["name"], name);
    }
}
