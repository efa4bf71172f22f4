//! Whatever Kiwoom answers and its stream says is read or refused: nothing panics, and no price comes of what is none.

use super::answer::judge;
use super::parse;
use crate::bars::Interval;
use chrono::{DateTime, Utc};
use damage::mutations;
use domain::Symbol;
use serde_json::Value;

/// Damaged copies of each payload.
const COPIES: u64 = 4_000;

macro_rules! payload {
    ($name:literal) => {
        include_bytes!(concat!("../../../test_data/kiwoom/", $name, ".json"))
    };
}

fn samsung() -> Symbol {
    "005930.KS".parse().unwrap()
}

fn now() -> DateTime<Utc> {
    "2026-11-23T05:00:00Z".parse().unwrap()
}

fn damaged(payload: &[u8]) -> impl Iterator<Item = Value> {
    mutations(payload, COPIES).filter_map(|body| serde_json::from_slice(&body).ok())
}

#[test]
fn damaged_frames_of_the_stream_make_prices_that_can_be_or_none() {
    let frames: Vec<Value> = serde_json::from_slice(payload!("stream")).unwrap();
    for frame in frames {
        for said in damaged(frame.to_string().as_bytes()) {
            let _ = judge(200, &said).failure(Some(samsung()));
            for (kind, _, values) in parse::message(&said).map(|message| message.news).unwrap_or_default() {
                follow(&kind, &values);
            }
        }
    }
}

fn follow(kind: &str, values: &Value) {
    if let Ok(quote) = parse::traded(values, samsung(), "kiwoom", now()) {
        assert!(quote.bid.zip(quote.ask).is_none_or(|(bid, ask)| bid <= ask), "{kind}: {quote:?}");
    }
    if let Ok(sides) = parse::streamed_book(values, now()) {
        assert!(sides.bids.windows(2).all(|pair| pair[0].price > pair[1].price), "{kind}: {sides:?}");
        assert!(sides.asks.windows(2).all(|pair| pair[0].price < pair[1].price), "{kind}: {sides:?}");
    }
}

#[test]
fn damaged_answers_make_bars_that_can_be_or_none() {
    let minutes: Value = serde_json::from_slice(payload!("minutes")).unwrap();
    let minutes = parse::rows(&minutes, Interval::OneMinute).unwrap();
    for (payload, interval) in
        [(&payload!("days")[..], Interval::OneDay), (&payload!("minutes")[..], Interval::OneMinute)]
    {
        for body in damaged(payload) {
            let rows = parse::rows(&body, interval).unwrap_or_default();
            let bars = rows.iter().filter_map(|row| parse::bar(row, interval).ok());
            assert!(bars.into_iter().all(|bar| bar.is_consistent() && bar.volume > 0));
            if let Ok(quote) = parse::last_value(rows, minutes, samsung(), "kiwoom") {
                assert!(
                    quote.low <= quote.price && quote.price <= quote.high && quote.volume > 0,
                    "{quote:?}"
                );
            }
        }
    }
    for body in damaged(payload!("book")) {
        let _ = parse::answered_book(&body, now());
    }
    for body in damaged(payload!("shares")) {
        let _ = (parse::listings(&body), parse::listed(&body), judge(200, &body));
    }
}
