//! A jump in the prices of one source is weighed by what another one says: two scripted vendors and the program itself.

use crate::vendors::{Program, Script, Stream, alpaca, alpaca_rest};
use crate::yahoo::Stub;
use chrono::TimeDelta;
use serde_json::Value;
use std::sync::{Arc, Mutex};

/// What Alpaca's stand-in tells late, as Yahoo does: neither knows more than the other.
const LATE: Script = Script {
    refuse: false,
    hang_up: false,
    feed: "delayed_sip",
    trades: 20,
    price: 17.83,
    ahead: TimeDelta::seconds(5),
};

/// The program with Alpaca before Yahoo. Alpaca's last value is `first`, then its stream follows the script; Yahoo says 189.5.
async fn start(first: &str, script: Script, yahoo: &Stub) -> Program {
    let rest = alpaca_rest(Arc::new(Mutex::new(first.to_owned()))).await;
    let stream = Stream::play(script).await;
    let mut values = alpaca(&rest, &stream, "json", "secret");
    values.extend(yahoo.values(""));
    values.retain(|(name, _)| *name != "GAEMI_PROVIDERS");
    values.extend([
        ("GAEMI_PROVIDERS", "alpaca,yahoo".to_owned()),
        ("GAEMI_ALPACA_FEED", script.feed.to_owned()),
    ]);
    let program = Program::start(&values);
    program.until("/quote/AAPL", |quote| quote["price"] == first).await;
    program
}

fn says(status: &Value) -> Vec<&str> {
    let kept = status["quotes"]["keptBack"].as_array().unwrap();
    kept.iter().map(|kept| kept["otherSource"]["says"].as_str().unwrap_or("not asked")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_jump_that_another_source_denies_reaches_nobody_however_often_it_is_repeated() {
    let yahoo = Stub::start().await;
    let mut program = start("178.26", LATE, &yahoo).await;
    let all = |status: &Value| {
        status["quotes"]["quarantined"]["spike"].as_u64() >= Some(20) && !says(status).contains(&"awaited")
    };
    let status = program.until("/status", all).await;
    assert!(says(&status).iter().all(|says| *says == "denied"), "{:?}", says(&status));
    let last = status["quotes"]["keptBack"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["price"], &last["source"]), (&"17.83".into(), &"alpaca".into()));
    let other = &last["otherSource"];
    assert_eq!((&other["source"], &other["price"]), (&"yahoo".into(), &"189.5".into()));
    assert_eq!(status["quotes"]["published"], 1);
    assert_eq!(program.get("/quote/AAPL").await.1["price"], "178.26");
    assert_eq!(yahoo.asked(), 1, "it is not asked for each price");
    program.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_jump_that_another_source_confirms_is_told_without_a_second_one() {
    let yahoo = Stub::start().await;
    let mut program = start("100", Script { trades: 1, price: 189.0, ..LATE }, &yahoo).await;
    program.until("/quote/AAPL", |quote| quote["price"] == "189").await;
    let (_, status) = program.get("/status").await;
    assert_eq!(says(&status), ["confirmed"], "it was kept back until somebody was asked: {status}");
    assert_eq!((yahoo.asked(), &status["quotes"]["published"]), (1, &2.into()));
    program.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_other_source_is_away_the_first_is_believed_when_it_insists() {
    let yahoo = Stub::start().await;
    yahoo.stop();
    let mut program = start("178.26", LATE, &yahoo).await;
    program.until("/quote/AAPL", |quote| quote["price"] == "17.83").await;
    let (_, status) = program.get("/status").await;
    assert!(says(&status).contains(&"nothing"), "{status}");
    program.kill().await;
}
