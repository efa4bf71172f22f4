//! Keys of brokers are tried before a market opens, and bad ones are told of in time.

use crate::alpaca::House;
use crate::books::rows_of;
use crate::helpers::eventually;
use crate::kiwoom;
use crate::trader::Trader;
use serde_json::{Value, json};

/// The trader's incidents about keys.
async fn told(trader: &Trader) -> Vec<Value> {
    let about_keys = |incident: &Value| incident["kind"].as_str().unwrap().starts_with("key_");
    trader.incidents().await.into_iter().filter(about_keys).collect()
}

/// What the timer does at a moment.
async fn check(trader: &Trader, at: &str) {
    trader.app.state.trading.check_keys(at.parse().unwrap()).await.unwrap();
}

async fn checks(trader: &Trader) -> i64 {
    rows_of(&trader.app.database_url, "trading.key_checks WHERE day < '2026-11-01'").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_key_is_tried_once_a_session_and_nobody_hears_of_it() {
    let house = House::start().await;
    check(&house.trader, "2026-01-05T13:29:59Z").await;
    assert_eq!(checks(&house.trader).await, 0, "not yet");
    for at in ["2026-01-05T13:30:00Z", "2026-01-05T14:00:00Z", "2026-01-05T20:00:00Z"] {
        check(&house.trader, at).await;
        assert_eq!(checks(&house.trader).await, 1, "{at}");
    }
    for at in ["2026-01-01T14:00:00Z", "2026-01-03T14:00:00Z", "2026-01-05T22:00:00Z"] {
        check(&house.trader, at).await;
        assert_eq!(checks(&house.trader).await, 1, "no session: {at}");
    }
    assert_eq!(told(&house.trader).await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_and_an_expired_key_are_two_messages_each_told_once_a_day_whatever_is_restarted() {
    let House { trader, stand_in } = House::start().await;
    stand_in.set_lock_words("unauthorized.");
    stand_in.set_key("PKOTHER", "other");
    check(&trader, "2026-01-05T13:30:00Z").await;
    check(&trader, "2026-01-05T13:31:00Z").await;
    let [revoked] = &told(&trader).await[..] else { panic!("told once") };
    assert_eq!(
        (&revoked["kind"], &revoked["accountId"]),
        (&"key_revoked".into(), &trader.account.as_str().into())
    );
    let detail = revoked["detail"].as_str().unwrap();
    assert!(detail.contains("alpaca") && detail.contains("09:30") && detail.contains("enter it"), "{detail}");

    let trader = Trader { app: trader.app.restart().await, ..trader };
    check(&trader, "2026-01-05T13:32:00Z").await;
    assert_eq!(told(&trader).await.len(), 1, "a start tells nothing again");

    stand_in.set_lock_words("access key has expired");
    check(&trader, "2026-01-06T13:30:00Z").await;
    let incidents = told(&trader).await;
    assert_eq!(incidents.len(), 2, "{incidents:?}");
    assert_eq!(incidents[0]["kind"], "key_expired");
    let stranger = trader.app.register("bee@example.com").await;
    let page = trader.app.get("/api/incidents", &stranger).await.expect(200).json();
    assert_eq!(page["incidents"], json!([]), "nobody else hears of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_does_not_answer_is_asked_again_and_an_account_without_a_key_is_left_alone() {
    let House { trader, mut stand_in } = House::start().await;
    let second = json!({ "name": "Second", "broker": "alpaca", "currency": "USD" });
    trader.app.post("/api/accounts", &trader.user, second).await.expect(201);
    let trader = Trader { app: trader.app.restart().await, ..trader };
    stand_in.hang_up();
    check(&trader, "2026-01-05T13:30:00Z").await;
    let outcomes = async || {
        let of =
            |outcome: &str| format!("trading.key_checks WHERE outcome = '{outcome}' AND day = '2026-01-05'");
        let url = &trader.app.database_url;
        (rows_of(url, &of("good")).await, rows_of(url, &of("not_connected")).await)
    };
    assert_eq!(outcomes().await, (0, 1), "nobody knows yet");
    stand_in.come_back().await.unwrap();
    eventually("the key is found good", || async {
        check(&trader, "2026-01-05T13:31:00Z").await;
        outcomes().await == (1, 1)
    })
    .await;
    assert_eq!(told(&trader).await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_calendar_and_another_time_at_the_broker_are_told_once() {
    let House { trader, stand_in } = House::start().await;
    let differences = async || {
        let incidents = trader.incidents().await.into_iter();
        let kinds = incidents.filter(|one| one["kind"].as_str().unwrap().ends_with("_differs"));
        kinds.map(|one| (one["kind"].clone(), one["detail"].clone())).collect::<Vec<_>>()
    };
    check(&trader, "2026-01-05T13:30:00Z").await;
    assert_eq!(differences().await, [], "both have the same days and the same time");

    stand_in.act(|market| market.calendar.holidays.insert("2026-01-08".parse().unwrap()));
    check(&trader, "2026-01-06T13:30:00Z").await;
    check(&trader, "2026-01-07T13:30:00Z").await;
    let [(kind, detail)] = &differences().await[..] else { panic!("told once: {:?}", differences().await) };
    assert_eq!(kind, "calendar_differs");
    let detail = detail.as_str().unwrap();
    assert!(detail.contains("2026-01-08 - / 14:30-21:00"), "{detail}");

    stand_in.act(|market| {
        market.calendar.holidays.remove(&"2026-01-08".parse().unwrap());
        market.clock_ahead = chrono::TimeDelta::seconds(90);
    });
    check(&trader, "2026-01-08T13:30:00Z").await;
    let told = differences().await;
    assert_eq!((told.len(), &told[0].0), (2, &json!("clock_differs")), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_kiwooms_is_tried_before_seoul_opens_and_not_before_new_york_does() {
    let house = kiwoom::House::start().await;
    let trader = &house.trader;
    house.stand_in.set_lock_words("App Key의 사용기간이 만료되었습니다[8001]");
    house.stand_in.set_key("another", "key");
    house.stand_in.revoke_tokens();
    check(trader, "2026-01-05T13:30:00Z").await;
    assert_eq!(checks(trader).await, 0, "New York's session is none of Kiwoom's");
    check(trader, "2026-01-04T23:00:00Z").await;
    let [expired] = &told(trader).await[..] else { panic!("told once") };
    assert_eq!(expired["kind"], "key_expired");
    assert!(expired["detail"].as_str().unwrap().contains("Asia/Seoul"), "{expired}");
}
