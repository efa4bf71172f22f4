//! Kiwoom's prices, its place taken by the stand-in that speaks its wire format, and what happens when the key, the token, the
//! line or the vendor fails.

use crate::support::{Client, DEADLINE, Server};
use crate::yahoo::{Stub, borrowed};
use chrono::Utc;
use domain::{Market, Quote};
use futures_util::StreamExt as _;
use kiwoom_stand_in::{APP_KEY, SECRET_KEY, StandIn};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

const SAMSUNG: &str = "005930.KS";

fn values(stand_in: &StandIn, secret: &str, providers: &str) -> Vec<(&'static str, String)> {
    vec![
        ("GAEMI_PROVIDERS", providers.to_owned()),
        ("GAEMI_KIWOOM_PRICES_APP_KEY", APP_KEY.to_owned()),
        ("GAEMI_KIWOOM_PRICES_SECRET_KEY", secret.to_owned()),
        ("GAEMI_KIWOOM_PRICES_URL", stand_in.url()),
        ("GAEMI_KIWOOM_PRICES_STREAM_URL", stand_in.url().replacen("http", "ws", 1)),
    ]
}

async fn stand_in() -> StandIn {
    kiwoom_stand_in::until_the_day_has_room().await;
    let stand_in = StandIn::start().await.unwrap();
    stand_in.act(|market| market.trade("005930", 70_100, 5, true));
    stand_in
}

async fn start(stand_in: &StandIn) -> Server {
    Server::start(&borrowed(&values(stand_in, SECRET_KEY, "kiwoom"))).await
}

/// The same with Yahoo behind it.
async fn start_before(stand_in: &StandIn, yahoo: &Stub) -> Server {
    let mut values = values(stand_in, SECRET_KEY, "kiwoom,yahoo");
    values.extend(yahoo.values("").into_iter().filter(|(name, _)| *name != "GAEMI_PROVIDERS"));
    Server::start(&borrowed(&values)).await
}

async fn eventually(what: &str, holds: impl Fn() -> bool) {
    let waited = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(DEADLINE, waited).await.expect(what);
}

/// A subscriber to Samsung who has got the last value, while the stream tells of it.
async fn follower(server: &Server, stand_in: &StandIn) -> Client {
    let mut client = server.connect().await;
    client.subscribe(&[SAMSUNG]).await;
    client.quote_of(SAMSUNG).await;
    eventually("the share is registered", || stand_in.is_followed("005930")).await;
    client
}

/// The next quote of Samsung at a price.
async fn quote_at(client: &mut Client, price: &str) -> Quote {
    let found = async {
        loop {
            let quote = client.quote_of(SAMSUNG).await;
            if quote.price.to_string() == price {
                return quote;
            }
        }
    };
    timeout(DEADLINE, found).await.expect("the price comes")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_value_comes_first_and_then_trades_and_books_at_once() {
    let stand_in = stand_in().await;
    let server = start(&stand_in).await;
    let mut client = server.connect().await;
    client.subscribe(&[SAMSUNG, "AAPL"]).await;
    assert_eq!(
        client.error_code().await,
        ("unknown_symbol".into(), Some("AAPL".into())),
        "no American shares there"
    );
    let first = client.quote_of(SAMSUNG).await;
    assert_eq!((first.price.to_string(), first.source.as_str()), ("70100".into(), "kiwoom"));
    assert_eq!(first.session_date, exchange::market_day(Market::Krx, Utc::now()));
    assert_eq!((first.bid, first.previous_close.unwrap().to_string()), (None, "70000".into()));
    eventually("the share is registered", || stand_in.is_followed("005930")).await;

    stand_in
        .act(|market| market.quote("005930", &[(70_000, 30), (70_100, 40)], &[(69_900, 10), (69_800, 20)]));
    let quoted = client.quote_of(SAMSUNG).await;
    assert_eq!((quoted.price, quoted.bid.unwrap().to_string()), (first.price, "69900".into()));
    stand_in.act(|market| market.trade("005930", 69_900, 7, false));
    let traded = quote_at(&mut client, "69900").await;
    assert_eq!(
        (traded.volume, traded.high.to_string(), traded.low.to_string()),
        (12, "70100".into(), "69900".into())
    );
    assert_eq!(
        (traded.bid.unwrap().to_string(), traded.ask.unwrap().to_string()),
        ("69900".into(), "70000".into())
    );
    assert_eq!(traded.change().unwrap().to_string(), "-100");
    assert!(traded.at >= first.at && !traded.delayed && !traded.simulated);

    let (status, book) = server.get("/orderbook/005930.KS").await;
    assert_eq!(
        (status, &book["asks"][1]["price"], &book["bids"][0]["quantity"]),
        (200, &"70100".into(), &10.into()),
        "{book}"
    );
    assert_eq!(stand_in.calls("ka10004"), 0, "the stream has told it");
    client.say(r#"{"action":"subscribe","symbols":["005930.KS"],"channel":"order_book"}"#).await;
    let book = timeout(DEADLINE, async {
        loop {
            let said: Value = serde_json::from_str(&client.text().await).unwrap();
            if said["type"] == "order_book" {
                return said;
            }
        }
    });
    assert_eq!(book.await.unwrap()["bids"][1]["price"], 69_800);

    client.say(r#"{"action":"unsubscribe","symbols":["005930.KS"]}"#).await;
    client.say(r#"{"action":"unsubscribe","symbols":["005930.KS"],"channel":"order_book"}"#).await;
    eventually("who wants nothing keeps no line", || !stand_in.is_followed("005930")).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_book_that_the_stream_does_not_tell_is_asked_for_and_one_of_an_auction_is_not_shown() {
    let stand_in = stand_in().await;
    stand_in.act(|market| market.quote("000660", &[(200_500, 30)], &[(200_000, 10), (199_900, 5)]));
    stand_in.act(|market| market.quote("035720", &[(40_000, 30)], &[(40_050, 10)]));
    let server = start(&stand_in).await;
    let (status, book) = server.get("/orderbook/000660.KS").await;
    assert_eq!(
        (status, book["asks"].as_array().unwrap().len(), book["bids"].as_array().unwrap().len()),
        (200, 1, 2)
    );
    assert_eq!((&book["bids"][1]["price"], &book["simulated"]), (&"199900".into(), &false.into()), "{book}");
    server.get("/orderbook/000660.KS").await;
    assert_eq!(stand_in.calls("ka10004"), 1, "the same book serves for a while");
    let (status, body) = server.get("/orderbook/035720.KS").await;
    assert_eq!(
        (status, &body["code"]),
        (503, &"provider_unavailable".into()),
        "bids stand above offers: {body}"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_key_is_told_and_not_tried_again_and_again() {
    let stand_in = stand_in().await;
    let server = Server::start(&borrowed(&values(&stand_in, "a-wrong-secret", "kiwoom"))).await;
    assert_eq!(server.get("/history/005930.KS").await.0, 503);
    let status = server.until_status(|status| status["providers"][0]["health"]["circuit"] == "open").await;
    let health = &status["providers"][0]["health"];
    assert!(health["lastError"].as_str().unwrap().contains("8001"), "{health}");
    assert!(!status.to_string().contains("a-wrong-secret"), "the secret is nowhere");
    let asked = stand_in.calls("au10001");
    assert_eq!(server.get("/history/005930.KS").await.0, 503);
    assert_eq!((stand_in.calls("au10001"), stand_in.logins()), (asked, 0), "it is given a rest");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_dies_on_the_way_is_replaced_once_and_nobody_notices() {
    let stand_in = stand_in().await;
    let server = start(&stand_in).await;
    let mut client = follower(&server, &stand_in).await;
    assert_eq!(stand_in.tokens_issued(), 1);
    stand_in.revoke_tokens();
    let (status, body) = server.get("/history/005930.KS?limit=5").await;
    assert_eq!((status, body["bars"].as_array().map(Vec::len)), (200, Some(5)), "{body}");
    assert_eq!(stand_in.tokens_issued(), 2);
    stand_in.act(|market| market.trade("005930", 70_200, 1, true));
    quote_at(&mut client, "70200").await;

    // The stream as well asks for another one, at its next login.
    stand_in.revoke_tokens();
    stand_in.close_streams();
    eventually("it logs in again", || stand_in.is_followed("005930") && stand_in.tokens_issued() == 3).await;
    stand_in.act(|market| market.trade("005930", 70_300, 1, true));
    quote_at(&mut client, "70300").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_else_logs_in_with_the_key_keeps_the_line_and_the_next_source_serves() {
    let (stand_in, yahoo) = (stand_in().await, Stub::start().await);
    let server = start_before(&stand_in, &yahoo).await;
    let mut client = follower(&server, &stand_in).await;

    // The other program: a login of its own with the same key.
    let url = format!("{}/api/dostk/websocket", stand_in.url().replacen("http", "ws", 1));
    let (mut other, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let token = reqwest::Client::new()
        .post(format!("{}/oauth2/token", stand_in.url()))
        .json(&json!({ "grant_type": "client_credentials", "appkey": APP_KEY, "secretkey": SECRET_KEY }));
    let token: Value = token.send().await.unwrap().json().await.unwrap();
    let login = json!({ "trnm": "LOGIN", "token": token["token"] }).to_string();
    futures_util::SinkExt::send(&mut other, Message::text(login)).await.unwrap();

    let served = async { while client.quote_of(SAMSUNG).await.source != "yahoo" {} };
    timeout(DEADLINE, served).await.expect("the next source serves");
    let status = server.until_status(|status| status["serving"][0]["source"] == "yahoo").await;
    let health = &status["providers"][0]["health"];
    assert!(health["restSeconds"].as_u64().unwrap() > 800, "a quarter of an hour: {health}");
    assert!(health["lastError"].as_str().unwrap().contains("another program"), "{health}");
    let why = status["serving"][0]["whyNotBetter"].as_str().unwrap();
    assert!(why.contains("kiwoom") && why.contains("another program"), "{why}");
    assert_eq!(stand_in.logins(), 2, "ours and the other's");

    // Three heartbeats later the other is still there: nobody has thrown it out.
    for _ in 0..3 {
        let heard = timeout(DEADLINE, async {
            loop {
                let message = other.next().await.expect("the line stands").unwrap();
                let said: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
                if said["trnm"] == "PING" {
                    return message;
                }
                assert_ne!(said["trnm"], "SYSTEM", "it is thrown out");
            }
        });
        let ping = heard.await.expect("heartbeats come");
        futures_util::SinkExt::send(&mut other, ping).await.unwrap();
    }
    assert_eq!(stand_in.logins(), 2);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vendor_that_is_away_is_stood_in_for_and_serves_again_when_it_is_back() {
    let (stand_in, yahoo) = (stand_in().await, Stub::start().await);
    let server = start_before(&stand_in, &yahoo).await;
    let mut client = follower(&server, &stand_in).await;
    stand_in.set_away(true);
    let served = async { while client.quote_of(SAMSUNG).await.source != "yahoo" {} };
    timeout(2 * DEADLINE, served).await.expect("the next source serves");
    stand_in.set_away(false);
    eventually("it is back", || stand_in.is_followed("005930")).await;
    // Its prices are told again, and not only the last one.
    stand_in.act(|market| market.trade("005930", 70_200, 1, true));
    assert_eq!(quote_at(&mut client, "70200").await.source, "kiwoom");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_with_status_200_are_refusals() {
    let stand_in = stand_in().await;
    let server = start(&stand_in).await;
    let mut client = server.connect().await;
    client.subscribe(&["999999.KS", "950160.KS"]).await;
    let mut refused = [client.error_code().await, client.error_code().await];
    refused.sort();
    let unknown = |symbol: &str| ("unknown_symbol".to_owned(), Some(symbol.to_owned()));
    assert_eq!(
        refused,
        [unknown("950160.KS"), unknown("999999.KS")],
        "one does not exist, one is on the other board"
    );
    stand_in.act(|market| market.trade("950160", 17_000, 3, true));
    client.subscribe(&["950160.KQ"]).await;
    assert_eq!(client.quote_of("950160.KQ").await.price.to_string(), "17000");

    stand_in.limit_next(1);
    assert_eq!(server.get("/history/005930.KS").await.0, 503, "too much was asked");
    let status = server.until_status(|status| status["providers"][0]["health"]["failuresInARow"] == 1).await;
    assert!(status.to_string().contains("it was asked too often"), "{status}");
    let answered = async { while server.get("/history/005930.KS").await.0 != 200 {} };
    timeout(DEADLINE, answered).await.expect("it answers after a pause");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_are_none_are_counted_and_the_line_stands() {
    let stand_in = stand_in().await;
    let server = start(&stand_in).await;
    let mut client = follower(&server, &stand_in).await;
    let trade = |values: Value| json!({ "trnm": "REAL", "data": [{ "type": "0B", "name": "", "item": "005930", "values": values }] });
    for frame in [
        json!("{ this is no JSON"),
        json!("[]"),
        json!("{\"trnm\":7}"),
        trade(json!({})),
        trade(json!({ "10": "0", "11": "0", "25": "3" })),
        trade(json!({ "10": "NaN" })),
    ] {
        stand_in.announce(frame);
    }
    let rejected = |status: &Value, reason: &str| {
        status["providers"][0]["report"]["rejected"][reason].as_u64().unwrap_or(0)
    };
    server.until_status(|status| rejected(status, "unreadable") == 5 && rejected(status, "zero") == 1).await;
    stand_in.act(|market| market.trade("005930", 70_200, 1, true));
    assert_eq!(client.quote_of(SAMSUNG).await.price.to_string(), "70200", "nothing else was told in between");
    assert_eq!(stand_in.logins(), 1);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_is_read_page_by_page_within_the_limits() {
    let stand_in = stand_in().await;
    stand_in.act(|market| market.split("005930", 100));
    let server = start(&stand_in).await;
    let (status, body) = server.get("/history/005930.KS?interval=1d&adjustment=raw&limit=1300").await;
    let bars = body["bars"].as_array().unwrap();
    assert_eq!((status, bars.len()), (200, 1_300));
    assert!(
        bars.windows(2).all(|pair| pair[0]["date"].as_str() < pair[1]["date"].as_str()),
        "oldest first, none twice"
    );
    let close = |bar: &Value| bar["close"].as_str().unwrap().parse::<u64>().unwrap();
    assert_eq!(close(&bars[1_299]), 70_100, "today's so far");
    assert_eq!(close(&bars[1_199]), 69_010, "after the split");
    assert_eq!(close(&bars[1_198]), 3_450_000, "before the split it was counted in old shares");
    assert!(
        stand_in.calls("ka10081") >= 3 && stand_in.most_in_a_second() <= 3,
        "{}",
        stand_in.most_in_a_second()
    );

    let (_, body) = server.get("/history/005930.KS?interval=1d&adjustment=splits&limit=200").await;
    assert_eq!(close(&body["bars"][0]), 68_020, "in today's shares");
    assert_eq!(server.get("/history/005930.KS?interval=1d&adjustment=all").await.0, 501);
    let today = exchange::market_day(Market::Krx, Utc::now());
    let (_, body) =
        server.get(&format!("/history/005930.KS?interval=5m&adjustment=raw&from={today}&to={today}")).await;
    assert_eq!(
        (body["bars"].as_array().unwrap().len(), &body["bars"][0]["close"]),
        (1, &"70100".into()),
        "{body}"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shares_that_the_own_list_lacks_are_found_by_their_korean_names() {
    let stand_in = stand_in().await;
    let server = start(&stand_in).await;
    let found = async {
        loop {
            let (_, body) = server.get("/search?q=%ED%8B%B0%EC%8A%88%EC%A7%84").await;
            if body["complete"] == true {
                return body;
            }
        }
    };
    let body = timeout(DEADLINE, found).await.expect("the lists are read");
    let share = &body["instruments"][0];
    assert_eq!((&share["symbol"], &share["foundBy"]), (&"950160.KQ".into(), &"kiwoom".into()), "{body}");
    server.stop().await;
}
