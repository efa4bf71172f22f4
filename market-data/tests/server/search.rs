//! Shares that are in no list of this house are found where a vendor knows them, and can then be used like others.

use crate::support::Server;
use crate::vendors::{Program, Vendor, alpha_vantage};
use crate::yahoo::{Stub, borrowed};
use domain::Quote;
use serde_json::Value;

fn symbols(answer: &Value) -> Vec<&str> {
    answer["instruments"].as_array().unwrap().iter().map(|found| found["symbol"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_that_only_yahoo_knows_is_found_and_can_be_used() {
    let yahoo = Stub::start().await;
    let mut program = Program::start(&yahoo.values("yahoo"));
    program.until("/ready", |ready| ready["status"] == "ready").await;
    let (status, found) = program.get("/search?q=rocket%20lab").await;
    assert_eq!((status, &found["complete"]), (200, &true.into()), "{found}");
    assert_eq!(symbols(&found), ["RKLB", "900001.KQ", "RKLX"]);
    let first = &found["instruments"][0];
    for (field, value) in [
        ("name", "Rocket Lab Corporation"),
        ("market", "US"),
        ("currency", "USD"),
        ("lotSize", "1"),
        ("source", "yahoo"),
        ("foundBy", "yahoo"),
    ] {
        assert_eq!(first[field], value, "{field}");
    }
    assert_eq!(found["instruments"][1]["board"], "KOSDAQ");

    let (status, quote) = program.get("/quote/RKLB").await;
    assert_eq!(status, 200, "{quote}");
    let quote: Quote = serde_json::from_value(quote).unwrap();
    assert_eq!((quote.symbol.as_str(), quote.source.as_str()), ("RKLB", "yahoo"));
    let (status, history) = program.get("/history/RKLB?limit=10").await;
    assert_eq!((status, history["bars"].as_array().unwrap().len()), (200, 3), "{history}");
    let (_, again) = program.get("/search?q=Rocket%20%20LAB").await;
    assert_eq!(again["instruments"][0]["tickSize"], "0.01", "its price is known by now");
    assert_eq!(yahoo.searched(), 1, "the same words are asked for once");

    let (status, refused) = program.get("/quote/900001.KQ").await;
    assert_eq!((status, &refused["code"]), (404, &"unknown_symbol".into()), "found, and without a price");
    program.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_asked_for_what_the_own_list_answers() {
    let yahoo = Stub::start().await;
    let server = Server::start(&borrowed(&yahoo.values("yahoo"))).await;
    for query in
        ["q=aapl", "q=%EC%82%BC%EC%84%B1%EC%A0%84%EC%9E%90", "q=%E3%85%85%E3%85%85%E3%85%88%E3%85%88", "q=s"]
    {
        let (status, found) = server.get(&format!("/search?{query}")).await;
        assert_eq!((status, &found["complete"]), (200, &true.into()), "{query}");
        assert_eq!(found["instruments"][0]["foundBy"], Value::Null);
    }
    assert_eq!(server.get("/search?q=").await.0, 400);
    assert_eq!(yahoo.searched(), 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_goes_on_without_its_vendors_and_says_so() {
    let yahoo = Stub::start().await;
    yahoo.stop();
    let server = Server::start(&borrowed(&yahoo.values("yahoo"))).await;
    let (status, found) = server.get("/search?q=rocket").await;
    assert_eq!((status, &found["complete"]), (200, &false.into()), "{found}");
    let (_, found) = server.get("/search?q=hathaway").await;
    assert_eq!(
        (symbols(&found), &found["complete"]),
        (vec!["BRK-B"], &false.into()),
        "what is known is told"
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rationed_vendor_searches_where_there_is_no_other_and_keeps_half_for_prices() {
    let vendor = Vendor::start(|request| {
        assert!(request.contains("function=SYMBOL_SEARCH&keywords=t"), "{request}");
        (200, include_str!("../../test_data/alpha_vantage/symbol_search.json").to_owned())
    })
    .await;
    let server = Server::start(&borrowed(&alpha_vantage(&vendor, "alpha_vantage"))).await;
    let (_, found) = server.get("/search?q=tractor").await;
    assert_eq!((symbols(&found), &found["complete"]), (vec!["TSCO", "TSCDY"], &true.into()));
    assert_eq!(found["instruments"][0]["foundBy"], "alpha_vantage");
    let (_, found) = server.get("/search?q=tsc").await;
    assert_eq!((symbols(&found), &found["complete"]), (vec![], &false.into()), "one of two is for prices");
    assert_eq!(vendor.asked(), 1);
    let korean = server.get("/search?q=tractor&market=KRX").await.1;
    assert_eq!(symbols(&korean).len(), 0, "a market that it was not asked for");
    server.stop().await;
}
