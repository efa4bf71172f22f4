//! Whatever Alpaca answers, and whatever its stream says, is read or refused: nothing panics, and nothing goes on for ever.

use super::{activities, lists, parse, rest, stream, wire};
use crate::broker::{ListedExecution, ListedOrder};
use crate::recovery::chain::chains;
use crate::recovery::fixtures::replace_request;
use crate::recovery::plan;
use chrono::{DateTime, NaiveDate, Utc};
use damage::mutations;
use domain::{AccountId, OrderId};
use reqwest::StatusCode;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, HashMap};
use tokio_tungstenite::tungstenite::Message;

/// Damaged copies of each payload.
const COPIES: u64 = 4_000;

macro_rules! payload {
    ($name:literal) => {
        include_bytes!(concat!("../../../test_data/alpaca/", $name, ".json"))
    };
}

fn rows(body: &[u8]) -> Vec<Box<RawValue>> {
    serde_json::from_slice(body).unwrap_or_default()
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// What is made of a list of orders until it stands in the journal.
fn follow(orders: Vec<ListedOrder>, executions: &[ListedExecution]) {
    let numbers = orders.len();
    let chains = chains(orders);
    assert!(chains.len() <= numbers);
    let listed: Vec<ListedOrder> = chains.into_iter().map(|chain| chain.order).collect();
    let _ = plan::owners(&listed, &HashMap::new(), &[], now());
    let known: BTreeMap<OrderId, ListedOrder> =
        listed.into_iter().map(|order| (order.known_as.unwrap_or_else(OrderId::generate), order)).collect();
    let executions: Vec<(OrderId, ListedExecution)> =
        known.keys().flat_map(|id| executions.iter().map(|execution| (*id, execution.clone()))).collect();
    let _ = plan::missing(AccountId::generate(), &known, &executions, &HashMap::new(), &[]);
}

#[test]
fn the_payloads_themselves_are_read() {
    let orders: Vec<_> = rows(payload!("orders"))
        .iter()
        .filter_map(|item| lists::listed(item).unwrap())
        .map(|row| row.order)
        .collect();
    assert_eq!(orders.len(), 3);
    let fills: Vec<wire::Activity> = serde_json::from_slice(payload!("fills")).unwrap();
    assert_eq!(fills.iter().filter_map(parse::execution).count(), 1);
    let today = NaiveDate::from_ymd_opt(2026, 1, 6).unwrap();
    let activities = rows(payload!("activities"));
    assert_eq!(activities.iter().filter_map(|item| activities::activity(item, today).unwrap()).count(), 6);
    let positions: Vec<wire::Position> = serde_json::from_slice(payload!("positions")).unwrap();
    assert_eq!(positions.iter().filter_map(parse::position).count(), 1);
    assert!(serde_json::from_slice::<wire::Account>(payload!("account")).is_ok());
}

#[test]
fn damaged_lists_of_orders_and_executions_are_read_or_refused() {
    let fills: Vec<wire::Activity> = serde_json::from_slice(payload!("fills")).unwrap();
    let fills: Vec<ListedExecution> = fills.iter().filter_map(parse::execution).collect();
    for body in mutations(payload!("orders"), COPIES) {
        let listed: Vec<ListedOrder> = rows(&body)
            .iter()
            .filter_map(|item| lists::listed(item).ok().flatten())
            .map(|row| row.order)
            .collect();
        for order in &listed {
            let _ = parse::replacement(&replace_request(order, "3", "91"), order);
        }
        follow(listed, &fills);
    }
    for body in mutations(payload!("fills"), COPIES) {
        let fills: Vec<wire::Activity> = serde_json::from_slice(&body).unwrap_or_default();
        let fills: Vec<ListedExecution> = fills.iter().filter_map(parse::execution).collect();
        let orders = rows(payload!("orders"));
        follow(
            orders
                .iter()
                .filter_map(|item| lists::listed(item).ok().flatten())
                .map(|row| row.order)
                .collect(),
            &fills,
        );
    }
}

#[test]
fn damaged_activities_are_read_as_what_they_are_or_refused() {
    let today = NaiveDate::from_ymd_opt(2026, 1, 6).unwrap();
    for body in mutations(payload!("activities"), COPIES) {
        for item in rows(&body) {
            let Ok(Some(activity)) = activities::activity(&item, today) else { continue };
            assert!(activity.activity_id.chars().all(|letter| letter.is_ascii_graphic()));
            assert!(activity.amount.scale() <= 9 && !activity.word.is_empty(), "{activity:?}");
            assert!((activity.day - today).num_days() <= 31, "{activity:?}");
        }
    }
}

#[test]
fn damaged_accounts_positions_and_refusals_are_read_or_refused() {
    for body in mutations(payload!("account"), COPIES) {
        if let Ok(account) = serde_json::from_slice::<wire::Account>(&body) {
            let _ = (super::account::check(&account), domain::Currency::Usd.round(account.cash.0));
        }
    }
    for body in mutations(payload!("positions"), COPIES) {
        let positions: Vec<wire::Position> = serde_json::from_slice(&body).unwrap_or_default();
        let _ = positions.iter().filter_map(parse::position).count();
    }
    for body in mutations(payload!("refusal"), COPIES) {
        for status in [401, 403, 404, 422, 429, 500] {
            let refusal: wire::Refusal = serde_json::from_slice(&body).unwrap_or_default();
            let _ = rest::classify(StatusCode::from_u16(status).unwrap(), refusal);
        }
    }
}

#[test]
fn damaged_frames_of_the_stream_are_heard_or_passed_over() {
    let frames: Vec<Box<RawValue>> = rows(payload!("stream"));
    assert_eq!(frames.len(), 3);
    for frame in &frames {
        assert!(stream::read(&Message::text(frame.get())).is_some());
        for body in mutations(frame.get().as_bytes(), COPIES) {
            let _ = stream::read(&Message::binary(body.clone()));
            let _ = String::from_utf8(body).map(|text| stream::read(&Message::text(text)));
        }
    }
}
