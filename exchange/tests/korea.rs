//! What is different in Korea: every order ends with its session there, and the evening is one of its own.
#![allow(clippy::unwrap_used)]

use chrono::{DateTime, TimeDelta, Utc};
use domain::broker::OrderRequest;
use domain::{AccountId, Currency, Market, OrderId, OrderType, Price, Quantity, Quote, Side, TimeInForce};
use exchange::book::{Patience, Pricing};
use exchange::{Book, BookEvent, BookEventKind, BookOrder, CancelReason, Course, Simulation, market_day};
use rust_decimal::Decimal;

/// A moment of the Korean clock.
fn seoul(text: &str) -> DateTime<Utc> {
    format!("{text}+09:00").parse().unwrap()
}

fn won(price: u32) -> Price {
    Price::new(price.into()).unwrap()
}

fn id(number: u32) -> OrderId {
    OrderId(uuid::Uuid::from_u128(number.into()))
}

/// A purchase with friction that lasts until it is cancelled.
fn buy(number: u32, limit: u32, quantity: u32, at: DateTime<Utc>) -> BookOrder {
    BookOrder {
        id: id(number),
        side: Side::Buy,
        pricing: Pricing::Limit { limit: won(limit) },
        trigger: None,
        patience: Patience::Rests,
        quantity: Quantity::new(quantity.into()).unwrap(),
        sequence: number.into(),
        expires_at: None,
        course: Course::new(Simulation::Realistic, id(number), at),
        joins_evening: false,
    }
}

/// The last price, a tick below the ask and above the bid, and what was traded since the morning.
fn quote(last: u32, volume: u64, at: DateTime<Utc>) -> Quote {
    Quote {
        symbol: "005930.KS".parse().unwrap(),
        price: won(last),
        bid: Some(won(last - 100)),
        ask: Some(won(last + 100)),
        previous_close: Some(won(70_000)),
        volume,
        currency: Currency::Krw,
        session_date: market_day(Market::Krx, at),
        open: won(last),
        high: won(last),
        low: won(last),
        at,
        source: "test".into(),
        simulated: false,
        delayed: false,
    }
}

fn book() -> Book {
    Book::new("005930.KS".parse().unwrap())
}

/// Says a price of a moment.
fn say(book: &mut Book, at: &str, last: u32, volume: u64) -> Vec<BookEvent> {
    book.on_quote(&quote(last, volume, seoul(at)), seoul(at))
}

/// How much stands before an order that rests in a queue.
fn ahead(book: &Book, number: u32) -> Option<u64> {
    book.order(id(number)).unwrap().course.unwrap().ahead
}

fn reasons(events: &[BookEvent]) -> Vec<(OrderId, CancelReason)> {
    let reason = |event: &BookEvent| match event.kind {
        BookEventKind::Canceled(reason) => Some((event.order_id, reason)),
        _ => None,
    };
    events.iter().filter_map(reason).collect()
}

/// Executions as (shares, price).
fn fills(events: &[BookEvent]) -> Vec<(Decimal, Price)> {
    let fill = |event: &BookEvent| match &event.kind {
        BookEventKind::Filled { quantity, price, .. } => Some((quantity.value(), *price)),
        _ => None,
    };
    events.iter().filter_map(fill).collect()
}

/// A book in which an order has waited on a Friday behind 600 shares of others.
fn after_a_friday() -> Book {
    let mut book = book();
    say(&mut book, "2026-11-20T10:00:00", 70_000, 1_000_000);
    book.submit(buy(1, 69_000, 30, seoul("2026-11-20T10:00:00")), seoul("2026-11-20T10:00:00"));
    say(&mut book, "2026-11-20T10:01:00", 70_000, 1_000_000);
    assert_eq!(ahead(&book, 1), Some(1_000), "a thousandth of what was traded");
    say(&mut book, "2026-11-20T10:02:00", 69_000, 1_000_400);
    assert_eq!(ahead(&book, 1), Some(600));
    book
}

#[test]
fn an_order_that_outlives_its_session_is_given_in_anew_and_stands_at_the_end() {
    let mut book = after_a_friday();
    let events = say(&mut book, "2026-11-20T15:30:10", 70_000, 2_000_000);
    assert_eq!(ahead(&book, 1), None, "the exchange has ended it");
    let is_told = events.iter().any(|event| matches!(event.kind, BookEventKind::CourseMoved(_)));
    assert!(is_told, "what has to be known after a restart is told: {events:?}");
    assert_eq!((fills(&events), reasons(&events)), (vec![], vec![]));
    say(&mut book, "2026-11-23T09:00:30", 70_000, 500_000);
    assert_eq!(ahead(&book, 1), Some(500));
    say(&mut book, "2026-11-23T09:01:30", 69_000, 500_200);
    assert_eq!(ahead(&book, 1), Some(300), "within a session it keeps its place");
}

#[test]
fn an_order_is_given_in_anew_also_where_the_house_was_down_at_the_close() {
    let order = after_a_friday().order(id(1)).unwrap();
    let mut book = book();
    book.restore(&order, false);
    assert_eq!(ahead(&book, 1), Some(600));
    say(&mut book, "2026-11-23T09:00:30", 70_000, 500_000);
    say(&mut book, "2026-11-23T09:00:40", 70_000, 500_000);
    assert_eq!(ahead(&book, 1), Some(500));
}

#[test]
fn an_american_order_keeps_its_place_over_night() {
    let mut book = Book::new("AAPL".parse().unwrap());
    let american = |at: &str, volume| {
        let at: DateTime<Utc> = at.parse().unwrap();
        let quote = quote(70_000, volume, at);
        let session_date = at.date_naive();
        (Quote { symbol: "AAPL".parse().unwrap(), currency: Currency::Usd, session_date, ..quote }, at)
    };
    let (first, at) = american("2026-11-20T15:00:00Z", 1_000_000);
    book.on_quote(&first, at);
    book.submit(buy(1, 69_000, 30, at), at);
    for (at, volume) in [("2026-11-20T15:01:00Z", 1_000_000), ("2026-11-23T15:00:00Z", 0)] {
        let (next, at) = american(at, volume);
        book.on_quote(&next, at);
        assert_eq!(ahead(&book, 1), Some(1_000), "{at}");
    }
}

#[test]
fn on_a_day_whose_limits_do_not_allow_it_only_a_kept_order_waits() {
    let mut book = after_a_friday();
    say(&mut book, "2026-11-20T15:30:10", 70_000, 2_000_000);
    let monday = seoul("2026-11-23T09:00:00");
    let close = seoul("2026-11-23T15:30:00");
    book.submit(BookOrder { expires_at: Some(close), ..buy(2, 69_000, 30, monday) }, monday);
    let risen = |at: &str| Quote { previous_close: Some(won(100_000)), ..quote(101_000, 500_000, seoul(at)) };
    let events = book.on_quote(&risen("2026-11-23T09:00:30"), seoul("2026-11-23T09:00:30"));
    assert_eq!(reasons(&events), [(id(2), CancelReason::PriceLimit)]);
    assert_eq!(ahead(&book, 1), None, "it is not in the market on this day");
    let events = say(&mut book, "2026-11-24T09:00:30", 70_000, 300_000);
    assert_eq!((reasons(&events), ahead(&book, 1)), (vec![], Some(300)));
}

/// A purchase of the day that came in the evening.
fn evening_buy(number: u32, limit: u32, quantity: u32, at: &str) -> BookOrder {
    let expires_at = Some(seoul("2026-11-23T15:30:00"));
    BookOrder { joins_evening: true, expires_at, ..buy(number, limit, quantity, seoul(at)) }
}

#[test]
fn a_limit_order_of_the_day_that_comes_in_the_evening_joins_it() {
    use OrderType::{Limit, Stop};
    use TimeInForce::{Day, Gtc};
    for (at, symbol, order_type, time_in_force, joins_evening) in [
        ("2026-11-20T15:29:59", "005930.KS", Limit, Day, false),
        ("2026-11-20T15:30:00", "005930.KS", Limit, Day, true),
        ("2026-11-20T19:59:59", "247540.KQ", Limit, Day, true),
        ("2026-11-20T20:00:00", "005930.KS", Limit, Day, false),
        ("2026-11-20T17:00:00", "005930.KS", Limit, Gtc, false),
        ("2026-11-20T17:00:00", "005930.KS", OrderType::Market, Day, false),
        ("2026-11-20T17:00:00", "005930.KS", Stop, Day, false),
        ("2026-11-20T17:00:00", "069500.KS", Limit, Day, false),
        ("2026-11-21T17:00:00", "005930.KS", Limit, Day, false),
        ("2026-11-20T17:00:00", "AAPL", Limit, Day, false),
    ] {
        let price = |belongs: bool| belongs.then(|| won(70_000));
        let request = OrderRequest {
            order_id: id(1),
            account_id: AccountId::generate(),
            symbol: symbol.parse().unwrap(),
            side: Side::Buy,
            order_type,
            time_in_force,
            expire_date: None,
            quantity: Quantity::new(Decimal::ONE).unwrap(),
            limit_price: price(order_type == Limit),
            stop_price: price(order_type == Stop),
            trail_amount: None,
            trail_percent: None,
            protection_price: price(order_type != Limit),
            notional: None,
            withdrawn: false,
            contingency: None,
            submitted_at: seoul(at),
        };
        let order = BookOrder::new(&request, 1).unwrap();
        assert_eq!(order.joins_evening, joins_evening, "{at} {symbol} {order_type:?} {time_in_force:?}");
        if joins_evening {
            let close = Some(seoul("2026-11-23T15:30:00"));
            assert_eq!(order.expires_at, close, "what the evening leaves open is for the next session");
        }
    }
}

#[test]
fn an_evening_order_trades_at_the_close_then_in_the_after_market_and_then_in_the_next_session() {
    let mut book = book();
    say(&mut book, "2026-11-20T15:34:00", 70_000, 1_000_000);
    let order = evening_buy(1, 71_000, 250, "2026-11-20T15:35:00");
    book.submit(order, seoul("2026-11-20T15:35:00"));
    assert_eq!(fills(&say(&mut book, "2026-11-20T15:39:00", 70_000, 1_000_000)), []);
    let hundred = Decimal::from(100);
    let at_the_close = fills(&say(&mut book, "2026-11-20T15:40:30", 70_000, 1_001_000));
    assert_eq!(at_the_close, [(hundred, won(70_000))], "a tenth of what was traded, at the one price");

    assert_eq!(fills(&say(&mut book, "2026-11-20T16:00:10", 70_300, 1_001_000)), []);
    let later = fills(&say(&mut book, "2026-11-20T16:00:40", 70_300, 1_002_000));
    let (quantity, price) = later.first().copied().unwrap();
    assert_eq!((later.len(), quantity), (1, hundred));
    assert!((won(70_400)..=won(71_000)).contains(&price), "the ask or worse, within its limit: {price}");

    assert_eq!(fills(&say(&mut book, "2026-11-20T20:00:10", 70_300, 1_003_000)), []);
    let next = fills(&say(&mut book, "2026-11-23T09:00:30", 70_300, 500_000));
    assert_eq!(next.first().map(|fill| fill.0), Some(Decimal::from(50)));
    assert!(book.is_empty());
}

#[test]
fn an_order_that_does_not_join_the_evening_is_not_executed_in_it() {
    let mut book = book();
    book.submit(buy(1, 71_000, 10, seoul("2026-11-20T15:00:00")), seoul("2026-11-20T15:00:00"));
    for (at, volume) in [
        ("2026-11-20T15:39:30", 1_000_000),
        ("2026-11-20T15:40:30", 1_100_000),
        ("2026-11-20T16:00:00", 1_200_000),
        ("2026-11-20T16:01:00", 1_300_000),
        ("2026-11-20T19:59:00", 1_400_000),
    ] {
        assert_eq!(fills(&say(&mut book, at, 70_000, volume)), [], "{at}");
    }
    assert_eq!(fills(&say(&mut book, "2026-11-23T09:00:30", 70_000, 500_000)).len(), 1);
}

#[test]
fn the_queue_of_the_evening_ends_with_it() {
    let mut book = book();
    say(&mut book, "2026-11-20T16:00:00", 70_000, 1_000_000);
    let order = evening_buy(1, 69_000, 30, "2026-11-20T16:00:00");
    book.submit(order, seoul("2026-11-20T16:00:00"));
    say(&mut book, "2026-11-20T16:01:00", 70_000, 1_000_000);
    assert_eq!(ahead(&book, 1), Some(1_000));
    say(&mut book, "2026-11-20T16:02:00", 69_000, 1_000_700);
    assert_eq!(ahead(&book, 1), Some(300));
    say(&mut book, "2026-11-23T09:00:30", 70_000, 500_000);
    say(&mut book, "2026-11-23T09:00:40", 70_000, 500_000);
    assert_eq!(ahead(&book, 1), Some(500));
}

#[test]
fn latency_is_shorter_than_the_pauses_of_these_examples() {
    let order = buy(1, 69_000, 30, seoul("2026-11-20T10:00:00"));
    assert!(order.course.unwrap().active_at < seoul("2026-11-20T10:00:00") + TimeDelta::seconds(1));
}
