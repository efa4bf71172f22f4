//! The book's rules, as examples and as properties over arbitrary histories.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Currency, OrderId, Price, Quantity, Quote, Side, Symbol};
use exchange::book::{Patience, Pricing};
use exchange::quote_age::{DELAYED_QUOTE_AGE_MAX, LIVE_QUOTE_AGE_MAX};
use exchange::{Book, BookEvent, BookEventKind, BookOrder, CancelReason};
use proptest::prelude::*;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

fn symbol() -> Symbol {
    "AAPL".parse().unwrap()
}

fn start() -> DateTime<Utc> {
    "2026-11-20T15:00:00Z".parse().unwrap()
}

fn cents(price: u32) -> Price {
    Price::new(Decimal::new(price.into(), 2)).unwrap()
}

fn order(number: u32, side: Side, pricing: Pricing) -> BookOrder {
    BookOrder {
        id: id(number),
        side,
        pricing,
        trigger: None,
        patience: Patience::Rests,
        quantity: Quantity::new(Decimal::from(number % 90 + 1)).unwrap(),
        sequence: number.into(),
        expires_at: None,
        course: None,
        joins_evening: false,
    }
}

fn id(number: u32) -> OrderId {
    OrderId(uuid::Uuid::from_u128(number.into()))
}

fn limit(number: u32, side: Side, price: u32) -> BookOrder {
    order(number, side, Pricing::Limit { limit: cents(price) })
}

fn market(number: u32, side: Side, protection: u32) -> BookOrder {
    order(number, side, Pricing::Market { protection: cents(protection) })
}

fn quote(bid: u32, ask: u32, at: DateTime<Utc>) -> Quote {
    Quote {
        symbol: symbol(),
        price: cents(bid),
        bid: Some(cents(bid)),
        ask: Some(cents(ask)),
        previous_close: None,
        volume: 0,
        currency: Currency::Usd,
        session_date: at.date_naive(),
        open: cents(bid),
        high: cents(ask),
        low: cents(bid),
        at,
        source: "test".into(),
        simulated: true,
        delayed: false,
    }
}

/// Executions as (order number, price in cents).
fn fills(events: &[BookEvent]) -> Vec<(u32, Price)> {
    let fill = |event: &BookEvent| match event.kind {
        BookEventKind::Filled { price, .. } => {
            Some((u32::try_from(event.order_id.0.as_u128()).unwrap(), price))
        }
        _ => None,
    };
    events.iter().filter_map(fill).collect()
}

fn kinds(events: &[BookEvent]) -> Vec<&BookEventKind> {
    events.iter().map(|event| &event.kind).collect()
}

#[test]
fn a_market_order_waits_for_the_first_quote() {
    let mut book = Book::new(symbol());
    assert_eq!(kinds(&book.submit(market(1, Side::Buy, 20_000), start())), [&BookEventKind::Accepted]);
    assert_eq!(fills(&book.on_quote(&quote(15_024, 15_026, start()), start())), [(1, cents(15_026))]);
    assert_eq!(fills(&book.submit(market(2, Side::Sell, 10_000), start())), [(2, cents(15_024))]);
}

#[test]
fn without_bid_and_ask_the_last_price_counts() {
    let mut book = Book::new(symbol());
    book.on_quote(&Quote { bid: None, ask: None, ..quote(15_000, 15_100, start()) }, start());
    assert_eq!(fills(&book.submit(market(1, Side::Buy, 20_000), start())), [(1, cents(15_000))]);
}

#[test]
fn beyond_the_protection_a_market_order_is_taken_back() {
    let beyond = BookEventKind::Canceled(CancelReason::PriceMovedBeyondProtection);
    let mut book = Book::new(symbol());
    book.submit(market(1, Side::Buy, 15_000), start());
    assert_eq!(kinds(&book.on_quote(&quote(14_999, 15_001, start()), start())), [&beyond]);
    let events = book.submit(market(2, Side::Sell, 15_000), start());
    assert_eq!(kinds(&events), [&BookEventKind::Accepted, &beyond]);
    assert!(book.is_empty());
}

#[test]
fn a_limit_order_that_meets_the_market_gets_its_price_and_a_resting_one_its_limit() {
    let mut book = Book::new(symbol());
    book.on_quote(&quote(14_990, 15_000, start()), start());
    assert_eq!(fills(&book.submit(limit(1, Side::Buy, 15_100), start())), [(1, cents(15_000))]);
    assert!(fills(&book.submit(limit(2, Side::Buy, 14_999), start())).is_empty());
    assert!(fills(&book.on_quote(&quote(14_990, 15_000, start()), start())).is_empty());
    assert_eq!(fills(&book.on_quote(&quote(14_000, 14_001, start()), start())), [(2, cents(14_999))]);
}

#[test]
fn a_limit_order_that_arrived_before_any_quote_meets_the_first_one() {
    let mut book = Book::new(symbol());
    book.submit(limit(1, Side::Buy, 15_100), start());
    book.submit(limit(2, Side::Buy, 14_900), start());
    assert_eq!(fills(&book.on_quote(&quote(14_990, 15_000, start()), start())), [(1, cents(15_000))]);
    assert_eq!(fills(&book.on_quote(&quote(14_000, 14_001, start()), start())), [(2, cents(14_900))]);
}

#[test]
fn a_restored_order_rests_or_waits_for_its_first_price_as_it_did_before() {
    let order = limit(1, Side::Buy, 15_100);
    for (waits_for_price, executed_at) in [(false, 15_100), (true, 15_000)] {
        let mut book = Book::new(symbol());
        book.restore(&order, waits_for_price);
        let executed = fills(&book.on_quote(&quote(14_990, 15_000, start()), start()));
        assert_eq!(executed, [(1, cents(executed_at))]);
    }
}

/// What is told of waiting for a first price.
fn waits(events: &[BookEvent]) -> Vec<bool> {
    let of_event = |event: &BookEvent| match event.kind {
        BookEventKind::WaitsForPrice(waits) => Some(waits),
        _ => None,
    };
    events.iter().filter_map(of_event).collect()
}

#[test]
fn whether_an_order_waits_for_its_first_price_is_told_when_it_changes() {
    let mut book = Book::new(symbol());
    let far = || quote(14_990, 15_000, start());
    assert_eq!(waits(&book.submit(limit(1, Side::Buy, 14_000), start())), [true]);
    assert_eq!(waits(&book.replace(limit(1, Side::Buy, 14_100), start()).unwrap()), [false; 0], "as before");
    assert_eq!(waits(&book.submit(market(2, Side::Buy, 99_999), start())), [false; 0], "it never rests");
    assert_eq!(waits(&book.on_quote(&far(), start())), [false], "the other one is executed");
    assert_eq!(waits(&book.on_quote(&far(), start())), [false; 0]);
    assert_eq!(waits(&book.submit(limit(3, Side::Buy, 14_000), start())), [false; 0], "it rests at once");
    let later = start() + LIVE_QUOTE_AGE_MAX * 2;
    assert_eq!(
        waits(&book.replace(limit(3, Side::Buy, 14_200), later).unwrap()),
        [true],
        "no price is young enough"
    );
}

#[test]
fn better_prices_first_then_earlier_orders() {
    let mut book = Book::new(symbol());
    book.on_quote(&quote(14_980, 15_000, start()), start());
    for (number, price) in [(1, 14_900), (2, 14_950), (3, 14_900), (4, 14_950), (5, 14_800)] {
        book.submit(limit(number, Side::Buy, price), start());
    }
    let served = fills(&book.on_quote(&quote(14_000, 14_850, start()), start()));
    assert_eq!(served.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [2, 4, 1, 3]);
    assert_eq!(book.len(), 1);
}

#[test]
fn old_foreign_future_and_overtaken_quotes_execute_nothing() {
    let mut book = Book::new(symbol());
    book.submit(market(1, Side::Buy, 99_999), start());
    let at = |delta| quote(14_999, 15_000, start() + delta);
    let useless = [
        Quote { symbol: "MSFT".parse().unwrap(), ..at(TimeDelta::zero()) },
        at(-LIVE_QUOTE_AGE_MAX - TimeDelta::milliseconds(1)),
        Quote { delayed: true, ..at(-DELAYED_QUOTE_AGE_MAX - TimeDelta::milliseconds(1)) },
        at(TimeDelta::minutes(1)),
    ];
    for quote in useless {
        assert!(book.on_quote(&quote, start()).is_empty(), "{quote:?}");
    }
    assert_eq!(fills(&book.on_quote(&at(TimeDelta::zero()), start())).len(), 1);
    book.submit(limit(2, Side::Buy, 14_000), start());
    let overtaken = quote(10_000, 10_001, start() - TimeDelta::milliseconds(1));
    assert!(book.on_quote(&overtaken, start()).is_empty());
}

#[test]
fn an_order_does_not_meet_a_quote_that_grew_old() {
    let mut book = Book::new(symbol());
    book.on_quote(&quote(14_999, 15_000, start()), start());
    let later = start() + LIVE_QUOTE_AGE_MAX + TimeDelta::seconds(1);
    assert_eq!(kinds(&book.submit(market(1, Side::Buy, 99_999), later)), [&BookEventKind::Accepted]);
    assert_eq!(fills(&book.on_quote(&quote(15_999, 16_000, later), later)), [(1, cents(16_000))]);
}

#[test]
fn an_order_whose_day_is_over_is_never_executed() {
    let mut book = Book::new(symbol());
    let end = start() + TimeDelta::hours(6);
    book.submit(BookOrder { expires_at: Some(end), ..limit(1, Side::Buy, 15_000) }, start());
    assert_eq!(book.next_expiry(), Some(end));
    assert!(book.expire(end - TimeDelta::milliseconds(1)).is_empty());
    let events = book.on_quote(&quote(10_000, 10_001, end), end);
    assert_eq!(kinds(&events), [&BookEventKind::Expired]);
    assert_eq!(book.next_expiry(), None);
    let late = BookOrder { expires_at: Some(end), ..limit(2, Side::Buy, 20_000) };
    assert_eq!(kinds(&book.submit(late, end)), [&BookEventKind::Accepted, &BookEventKind::Expired]);
}

#[test]
fn what_was_taken_back_is_not_executed_and_cannot_be_taken_back_again() {
    let mut book = Book::new(symbol());
    book.submit(limit(1, Side::Sell, 15_000), start());
    assert!(book.cancel(id(1), start()).is_ok());
    assert!(book.cancel(id(1), start()).is_err());
    assert!(book.on_quote(&quote(20_000, 20_001, start()), start()).is_empty());
}

#[test]
fn thousands_of_resting_orders_cost_only_when_they_are_reached() {
    let mut book = Book::new(symbol());
    book.on_quote(&quote(20_000, 20_001, start()), start());
    for number in 0..20_000 {
        book.submit(limit(number, Side::Buy, 9_000 + number % 1_000), start());
    }
    for _ in 0..10_000 {
        assert!(book.on_quote(&quote(10_000, 10_001, start()), start()).is_empty());
    }
    assert_eq!(book.on_quote(&quote(1, 2, start()), start()).len(), 20_000);
    assert!(book.is_empty());
}

#[derive(Debug, Clone)]
enum Step {
    Limit { buy: bool, price: u32, lives_seconds: Option<i64> },
    Market { buy: bool, protection: u32 },
    Cancel { number: u32 },
    Quote { bid: u32, spread: u32, age_seconds: i64 },
    Wait { seconds: i64 },
}

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (any::<bool>(), 9_000u32..11_000, prop::option::of(1i64..600))
            .prop_map(|(buy, price, lives_seconds)| Step::Limit { buy, price, lives_seconds }),
        2 => (any::<bool>(), 9_000u32..11_000).prop_map(|(buy, protection)| Step::Market { buy, protection }),
        1 => (0u32..60).prop_map(|number| Step::Cancel { number }),
        4 => (9_000u32..11_000, 0u32..50, 0i64..150)
            .prop_map(|(bid, spread, age_seconds)| Step::Quote { bid, spread, age_seconds }),
        1 => (1i64..200).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

const fn side(buy: bool) -> Side {
    if buy { Side::Buy } else { Side::Sell }
}

/// Plays a history; gives every order and every event in order.
fn play(steps: &[Step]) -> (BTreeMap<OrderId, BookOrder>, Vec<BookEvent>, Book) {
    let (mut book, mut now) = (Book::new(symbol()), start());
    let (mut orders, mut events) = (BTreeMap::new(), Vec::new());
    for (number, step) in steps.iter().enumerate() {
        let number = u32::try_from(number).unwrap();
        let mut new = None;
        match step {
            Step::Limit { buy, price, lives_seconds } => {
                let expires_at = lives_seconds.map(|seconds| now + TimeDelta::seconds(seconds));
                new = Some(BookOrder { expires_at, ..limit(number, side(*buy), *price) });
            }
            Step::Market { buy, protection } => new = Some(market(number, side(*buy), *protection)),
            Step::Cancel { number } => events.extend(book.cancel(id(*number), now).unwrap_or_default()),
            Step::Quote { bid, spread, age_seconds } => {
                let quote = quote(*bid, bid + spread, now - TimeDelta::seconds(*age_seconds));
                events.extend(book.on_quote(&quote, now));
            }
            Step::Wait { seconds } => {
                now += TimeDelta::seconds(*seconds);
                events.extend(book.expire(now));
            }
        }
        if let Some(order) = new {
            orders.insert(order.id, order.clone());
            events.extend(book.submit(order, now));
        }
    }
    (orders, events, book)
}

proptest! {
    #[test]
    fn no_order_is_executed_at_a_worse_price_than_it_named(steps in prop::collection::vec(a_step(), 0..80)) {
        let (orders, events, _) = play(&steps);
        for event in &events {
            if let BookEventKind::Filled { price, quantity, execution_id, leaves } = &event.kind {
                let order = &orders[&event.order_id];
                let (Pricing::Market { protection: worst } | Pricing::Limit { limit: worst }) = order.pricing;
                match order.side {
                    Side::Buy => prop_assert!(*price <= worst),
                    Side::Sell => prop_assert!(*price >= worst),
                }
                prop_assert_eq!(*quantity, order.quantity);
                prop_assert!(leaves.is_zero());
                prop_assert_eq!(execution_id.clone(), format!("{}:1", order.id));
                prop_assert!(order.expires_at.is_none_or(|end| event.at < end));
            }
        }
    }

    #[test]
    fn every_order_is_accepted_once_and_ends_at_most_once(steps in prop::collection::vec(a_step(), 0..80)) {
        let (orders, events, book) = play(&steps);
        let mut working = 0;
        for id in orders.keys() {
            let waits = |kind: &&BookEventKind| matches!(kind, BookEventKind::WaitsForPrice(_));
            let life = events.iter().filter(|event| event.order_id == *id).map(|event| &event.kind);
            let life: Vec<_> = life.filter(|kind| !waits(kind)).collect();
            prop_assert_eq!(life[0], &BookEventKind::Accepted);
            prop_assert!(life.len() <= 2 && !life[1..].contains(&&BookEventKind::Accepted), "{:?}", life);
            working += usize::from(life.len() == 1);
        }
        prop_assert_eq!(book.len(), working);
        prop_assert!(events.iter().all(|event| orders.contains_key(&event.order_id)));
    }

    #[test]
    fn the_same_history_gives_the_same_events(steps in prop::collection::vec(a_step(), 0..80)) {
        prop_assert_eq!(play(&steps).1, play(&steps).1);
    }

    #[test]
    fn of_resting_orders_at_one_price_the_earlier_is_served_first(
        prices in prop::collection::vec(9_990u32..10_000, 2..60), ask in 9_980u32..10_010,
    ) {
        let mut book = Book::new(symbol());
        book.on_quote(&quote(20_000, 20_001, start()), start());
        for (number, price) in prices.iter().enumerate() {
            book.submit(limit(u32::try_from(number).unwrap(), Side::Buy, *price), start());
        }
        let served = fills(&book.on_quote(&quote(9_000, ask, start()), start()));
        let mut expected: Vec<(u32, Price)> = prices.iter().enumerate()
            .filter(|(_, price)| **price >= ask)
            .map(|(number, price)| (u32::try_from(number).unwrap(), cents(*price)))
            .collect();
        expected.sort_by_key(|(number, price)| (std::cmp::Reverse(*price), *number));
        prop_assert_eq!(served, expected);
    }
}
