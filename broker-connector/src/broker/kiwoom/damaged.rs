//! Whatever Kiwoom answers, and whatever its stream and the bridge say, is read or refused: nothing panics, and nothing goes
//! on for ever.

use super::bridge::read_frames;
use super::day::{Known, orders};
use super::fills;
use super::parse;
use super::rest::judge;
use super::rows::OrderRow;
use super::{bridge_rows, rows, wire};
use chrono::{DateTime, NaiveDate, Utc};
use damage::mutations;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// Damaged copies of each payload.
const COPIES: u64 = 4_000;

macro_rules! payload {
    ($name:literal) => {
        include_bytes!(concat!("../../../test_data/kiwoom/", $name, ".json"))
    };
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 23).unwrap()
}

fn now() -> DateTime<Utc> {
    "2026-11-23T05:00:00Z".parse().unwrap()
}

/// An answer as it is read: judged first.
fn answer<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    for status in [200, 401, 429, 500] {
        let _ = judge(status, body);
    }
    serde_json::from_slice(body).ok()
}

/// What is made of a day's rows until they are orders and executions.
fn follow(read: &[OrderRow]) {
    let symbols = HashMap::from([("005930".to_owned(), "005930.KS".parse().unwrap())]);
    for is_over in [false, true] {
        let known = Known { day: day(), is_over, symbols: &symbols, requests: &HashMap::new() };
        assert!(orders(read, &known).len() <= read.len());
    }
    for row in read {
        follow_fill(&parse::filled(row));
    }
}

fn follow_fill(filled: &rows::FilledRow) {
    let told = rows::Told { through: 4, quantity: 4, price: 69_900.into(), at: now() };
    let spans = fills::missing(&[], filled, &[told], now());
    assert!(spans.iter().map(fills::Span::quantity).sum::<i64>() <= filled.quantity.max(0));
    let _ = fills::missing(&spans, filled, &[], now());
}

fn orders_of_day(body: &[u8]) -> Vec<OrderRow> {
    let page: Option<wire::OrdersOfDay> = answer(body);
    let rows = page.map(|page| page.rows).unwrap_or_default();
    rows.iter().filter_map(|row| parse::order_of_day(day(), row).ok().flatten()).collect()
}

fn open_orders(body: &[u8]) -> Vec<OrderRow> {
    let page: Option<wire::OpenOrders> = answer(body);
    let rows = page.map(|page| page.rows).unwrap_or_default();
    rows.iter().filter_map(|row| parse::open_order(day(), row).ok().flatten()).collect()
}

fn executed(body: &[u8]) -> Vec<rows::FilledRow> {
    let page: Option<wire::Executions> = answer(body);
    let rows = page.map(|page| page.rows).unwrap_or_default();
    parse::executed(day(), &rows).unwrap_or_default()
}

#[test]
fn the_payloads_themselves_are_read() {
    assert_eq!(orders_of_day(payload!("orders_of_day")).len(), 3);
    assert_eq!(open_orders(payload!("open_orders")).len(), 1);
    let [filled] = &executed(payload!("executions"))[..] else { panic!("one order") };
    assert_eq!(filled.quantity, 7);
    assert!(answer::<wire::Deposit>(payload!("deposit")).is_some());
    assert!(answer::<wire::Holdings>(payload!("holdings")).is_some());
    let token: wire::Token = answer(payload!("token")).unwrap();
    assert!(token.expires_dt.as_deref().and_then(parse::moment).is_some());
}

#[test]
fn damaged_lists_are_read_or_refused() {
    for body in mutations(payload!("orders_of_day"), COPIES) {
        follow(&orders_of_day(&body));
    }
    for body in mutations(payload!("open_orders"), COPIES) {
        follow(&open_orders(&body));
    }
    for body in mutations(payload!("executions"), COPIES) {
        executed(&body).iter().for_each(follow_fill);
    }
}

#[test]
fn damaged_answers_are_read_or_refused() {
    for body in mutations(payload!("holdings"), COPIES) {
        for row in answer::<wire::Holdings>(&body).map(|page| page.rows).unwrap_or_default() {
            let _ = parse::share_code(&row.stk_cd).map(|code| rows::shares(row.rmnd_qty, &code));
        }
    }
    for body in mutations(payload!("token"), COPIES) {
        let _ = answer::<wire::Token>(&body).and_then(|token| parse::moment(&token.expires_dt?));
    }
    for body in mutations(payload!("deposit"), COPIES) {
        let _ = answer::<wire::Deposit>(&body).map(|cash| cash.d2_entra.0 - cash.ord_alow_amt.0);
    }
    for body in mutations(payload!("taken"), COPIES) {
        let _ = answer::<wire::Taken>(&body).and_then(|taken| rows::other_number(&taken.ord_no));
    }
    mutations(payload!("refusal"), COPIES).for_each(|body| drop(answer::<wire::Outcome>(&body)));
}

#[test]
fn damaged_frames_of_the_stream_are_heard_or_passed_over() {
    let frames: Vec<Box<RawValue>> = serde_json::from_slice(payload!("stream")).unwrap();
    for frame in frames {
        for body in mutations(frame.get().as_bytes(), COPIES) {
            let Ok(said) = serde_json::from_slice::<wire::StreamMessage>(&body) else { continue };
            let _ = said.outcome.class();
            for data in &said.data {
                if let Some((_, told)) = parse::told(&data.values, now()) {
                    assert!(told.quantity > 0 && told.through >= told.quantity, "{told:?}");
                }
            }
        }
    }
}

#[test]
fn damaged_frames_and_rows_of_the_bridge_are_read_or_refused() {
    let frames: Vec<Box<RawValue>> = serde_json::from_slice(payload!("bridge_frames")).unwrap();
    for frame in frames {
        let copies =
            mutations(frame.get().as_bytes(), COPIES).filter_map(|body| String::from_utf8(body).ok());
        read_frames(copies);
    }
    for body in mutations(payload!("bridge_rows"), COPIES) {
        let Ok(parts) = serde_json::from_slice::<HashMap<String, Box<RawValue>>>(&body) else { continue };
        read_rows(&parts);
    }
}

fn read_rows(parts: &HashMap<String, Box<RawValue>>) {
    let part = |name: &str| parts.get(name).map(|part| part.get()).unwrap_or_default();
    if let Ok(page) = serde_json::from_str::<bridge_rows::Rows<bridge_rows::Order>>(part("orders")) {
        follow(&page.rows.into_iter().filter_map(|row| row.read(day()).ok()).collect::<Vec<_>>());
    }
    if let Ok(page) = serde_json::from_str::<bridge_rows::Rows<bridge_rows::Execution>>(part("executions")) {
        page.rows.into_iter().filter_map(|row| row.read(day()).ok()).for_each(|row| follow_fill(&row));
    }
    if let Ok(page) = serde_json::from_str::<bridge_rows::Rows<bridge_rows::Holding>>(part("positions")) {
        page.rows.into_iter().for_each(|row| drop(row.read()));
    }
    let _ = serde_json::from_str::<bridge_rows::Cash>(part("cash"));
    let instrument = serde_json::from_str::<bridge_rows::Instrument>(part("instrument"));
    let _ = instrument.map(|found| found.market.and_then(|board| parse::symbol("005930", &board)));
}
