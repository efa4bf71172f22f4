//! Orders that wait: for a price, for an auction, or not at all.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Currency, OrderId, Price, Quote, Side, Trail};
use exchange::book::{AUCTION_PRICE_WAIT_MAX, Patience, Pricing, Trigger};
use exchange::{AuctionKind, Book, BookEvent, BookEventKind, BookOrder, CancelReason};
use proptest::prelude::*;
use rust_decimal::Decimal;

fn start() -> DateTime<Utc> {
    "2026-11-20T15:00:00Z".parse().unwrap()
}

fn price(text: &str) -> Price {
    text.parse().unwrap()
}

fn order(side: Side, pricing: Pricing, trigger: Option<Trigger>) -> BookOrder {
    BookOrder {
        id: OrderId::generate(),
        side,
        pricing,
        trigger,
        patience: Patience::Rests,
        quantity: "10".parse().unwrap(),
        sequence: 1,
        expires_at: None,
        course: None,
        joins_evening: false,
    }
}

fn market(protection: &str) -> Pricing {
    Pricing::Market { protection: price(protection) }
}

fn limit(limit: &str) -> Pricing {
    Pricing::Limit { limit: price(limit) }
}

fn stop(at: &str) -> Option<Trigger> {
    Some(Trigger::Stop(price(at)))
}

fn trailing(amount: &str) -> Option<Trigger> {
    Some(Trigger::Trailing { trail: Trail::Amount(price(amount)), mark: None })
}

/// Last price, bid and ask in whole units.
fn quote(last: &str, bid: &str, ask: &str, at: DateTime<Utc>) -> Quote {
    Quote {
        symbol: "AAPL".parse().unwrap(),
        price: price(last),
        bid: Some(price(bid)),
        ask: Some(price(ask)),
        previous_close: None,
        volume: 0,
        currency: Currency::Usd,
        session_date: at.date_naive(),
        open: price("99"),
        high: price("1000"),
        low: price("1"),
        at,
        source: "test".into(),
        simulated: true,
        delayed: false,
    }
}

fn flat(last: &str) -> Quote {
    quote(last, last, last, start())
}

fn book_at(last: &str) -> Book {
    let mut book = Book::new("AAPL".parse().unwrap());
    book.on_quote(&flat(last), start());
    book
}

fn kinds(events: Vec<BookEvent>) -> Vec<BookEventKind> {
    events.into_iter().map(|event| event.kind).collect()
}

fn fill_price(kind: &BookEventKind) -> Price {
    match kind {
        BookEventKind::Filled { price, .. } => *price,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_stop_wakes_up_by_the_last_price_and_is_executed_at_the_touch() {
    let mut book = book_at("100");
    let buy = order(Side::Buy, market("115"), stop("110"));
    assert_eq!(kinds(book.submit(buy, start())), [BookEventKind::Accepted]);
    assert!(book.on_quote(&quote("109", "109", "112", start()), start()).is_empty(), "the ask wakes nobody");
    let events = kinds(book.on_quote(&quote("110", "110", "112", start()), start()));
    assert_eq!(events[0], BookEventKind::Triggered(price("110")));
    assert_eq!(fill_price(&events[1]), price("112"));
    assert!(book.is_empty());
}

#[test]
fn a_stop_that_the_market_has_passed_wakes_up_on_arrival() {
    let mut book = book_at("100");
    let events = kinds(book.submit(order(Side::Sell, market("50"), stop("100")), start()));
    assert_eq!(events[..2], [BookEventKind::Accepted, BookEventKind::Triggered(price("100"))]);
    assert_eq!(fill_price(&events[2]), price("100"));
}

#[test]
fn a_stop_that_sells_in_a_gap_beyond_its_protection_is_taken_back() {
    let mut book = book_at("100");
    book.submit(order(Side::Buy, market("105"), stop("100.5")), start());
    let events = kinds(book.on_quote(&flat("106"), start()));
    assert_eq!(events[1], BookEventKind::Canceled(CancelReason::PriceMovedBeyondProtection));
}

#[test]
fn a_stop_limit_rests_at_its_limit_once_it_is_awake() {
    let mut book = book_at("100");
    book.submit(order(Side::Sell, limit("95"), stop("96")), start());
    assert_eq!(kinds(book.on_quote(&flat("94"), start())), [BookEventKind::Triggered(price("94"))]);
    let events = kinds(book.on_quote(&flat("97"), start()));
    assert_eq!(fill_price(&events[0]), price("95"));
}

#[test]
fn a_trailing_stop_follows_the_best_price_and_never_goes_back() {
    let mut book = book_at("100");
    let sell = order(Side::Sell, market("40"), trailing("10"));
    let id = sell.id;
    assert_eq!(kinds(book.submit(sell, start()))[1], BookEventKind::MarkMoved(price("100")));
    assert_eq!(kinds(book.on_quote(&flat("120"), start())), [BookEventKind::MarkMoved(price("120"))]);
    assert!(book.on_quote(&flat("111"), start()).is_empty());
    assert_eq!(book.order(id).unwrap().trigger.unwrap().stop_price(Side::Sell), Some(price("110")));
    let events = kinds(book.on_quote(&flat("110"), start()));
    assert_eq!(events[0], BookEventKind::Triggered(price("110")));
    assert_eq!(fill_price(&events[1]), price("110"));
}

#[test]
fn what_is_to_happen_at_once_waits_for_its_first_price_only() {
    let at_once = |pricing| BookOrder { patience: Patience::AtOnce, ..order(Side::Buy, pricing, None) };
    let mut book = book_at("100");
    assert_eq!(fill_price(&kinds(book.submit(at_once(limit("100")), start()))[1]), price("100"));
    let refused = BookEventKind::Canceled(CancelReason::NotExecutableAtOnce);
    assert_eq!(kinds(book.submit(at_once(limit("99")), start()))[1], refused);

    let mut empty = Book::new("AAPL".parse().unwrap());
    let end = start() + TimeDelta::seconds(10);
    let waiting = BookOrder { expires_at: Some(end), ..at_once(limit("99")) };
    assert_eq!(kinds(empty.submit(waiting.clone(), start())), [BookEventKind::Accepted]);
    assert_eq!(kinds(empty.on_quote(&flat("100"), start()))[0], refused);
    let mut silent = Book::new("AAPL".parse().unwrap());
    silent.submit(waiting, start());
    assert_eq!(kinds(silent.expire(end)), [refused]);
}

#[test]
fn an_order_for_an_auction_gets_the_auctions_price_or_nothing() {
    let opening = start() + TimeDelta::hours(1);
    let in_auction = |kind, side, pricing| BookOrder {
        patience: Patience::Auction { kind, at: opening },
        expires_at: Some(opening + AUCTION_PRICE_WAIT_MAX),
        ..order(side, pricing, None)
    };
    let mut book = book_at("90");
    let (buy, cheap) = (
        in_auction(AuctionKind::Opening, Side::Buy, market("100")),
        BookOrder { sequence: 2, ..in_auction(AuctionKind::Opening, Side::Buy, limit("98")) },
    );
    let close = BookOrder { sequence: 3, ..in_auction(AuctionKind::Closing, Side::Sell, limit("90")) };
    for order in [&buy, &cheap, &close] {
        assert_eq!(kinds(book.submit(order.clone(), start())), [BookEventKind::Accepted]);
    }
    let before = quote("95", "95", "96", opening - TimeDelta::seconds(1));
    assert!(book.on_quote(&before, opening).is_empty(), "a price from before the auction");
    let events = book.on_quote(&quote("95", "95", "96", opening), opening);
    let of = |order: &BookOrder| events.iter().find(|event| event.order_id == order.id).unwrap().kind.clone();
    assert_eq!(fill_price(&of(&buy)), price("99"), "the session's open");
    assert_eq!(of(&cheap), BookEventKind::Canceled(CancelReason::NotExecutedInAuction));
    assert_eq!(fill_price(&of(&close)), price("95"), "the first price told from the close on");

    let missed = book.submit(in_auction(AuctionKind::Opening, Side::Buy, market("100")), opening);
    assert_eq!(kinds(missed)[1], BookEventKind::Canceled(CancelReason::AuctionMissed));
    let mut silent = Book::new("AAPL".parse().unwrap());
    silent.submit(buy, start());
    let ended = kinds(silent.expire(opening + AUCTION_PRICE_WAIT_MAX));
    assert_eq!(ended, [BookEventKind::Canceled(CancelReason::NoAuctionPrice)]);
}

#[test]
fn a_korean_limit_beyond_the_price_limits_never_rests() {
    let mut book = Book::new("005930.KS".parse().unwrap());
    let wide = BookOrder { side: Side::Sell, ..order(Side::Sell, limit("100000"), None) };
    let waits = [BookEventKind::Accepted, BookEventKind::WaitsForPrice(true)];
    assert_eq!(kinds(book.submit(wide, start())), waits);
    let quote = Quote {
        symbol: "005930.KS".parse().unwrap(),
        previous_close: Some(price("70000")),
        currency: Currency::Krw,
        ..flat("70100")
    };
    let events = kinds(book.on_quote(&quote, start()));
    assert_eq!(events, [BookEventKind::Canceled(CancelReason::PriceLimit)]);
}

#[test]
fn new_terms_arrive_anew_and_a_smaller_quantity_keeps_its_place() {
    let mut book = book_at("100");
    let first = order(Side::Buy, limit("90"), None);
    let second = BookOrder { sequence: 2, ..order(Side::Buy, limit("90"), None) };
    book.submit(first.clone(), start());
    book.submit(second.clone(), start());
    let smaller = BookOrder { quantity: "5".parse().unwrap(), ..first.clone() };
    assert_eq!(kinds(book.replace(smaller.clone(), start()).unwrap()), [BookEventKind::Replaced]);
    let marketable = BookOrder { pricing: limit("101"), sequence: 3, ..second };
    let events = kinds(book.replace(marketable, start()).unwrap());
    assert_eq!(fill_price(&events[1]), price("100"), "it meets the market at once");
    let events = book.on_quote(&flat("80"), start());
    assert!(
        matches!(&events[0].kind, BookEventKind::Filled { quantity, .. } if quantity.value() == Decimal::from(5))
    );
    assert!(book.replace(smaller, start()).is_err(), "what was executed cannot be changed");
}

#[test]
fn a_stop_that_is_moved_to_the_market_wakes_up() {
    let mut book = book_at("100");
    let sell = order(Side::Sell, market("40"), stop("90"));
    book.submit(sell.clone(), start());
    let moved = BookOrder { trigger: stop("100"), sequence: 2, ..sell };
    let events = kinds(book.replace(moved, start()).unwrap());
    assert_eq!(events[..2], [BookEventKind::Replaced, BookEventKind::Triggered(price("100"))]);
}

proptest! {
    /// Against the obvious: walk over all prices and look each time.
    #[test]
    fn trailing_stops_wake_up_exactly_when_a_slow_reference_says(
        prices in prop::collection::vec(50u32..150, 1..60), amount in 1u32..30, buys: bool,
    ) {
        let side = if buys { Side::Buy } else { Side::Sell };
        let protection = if buys { "100000" } else { "0.0001" };
        let mut book = Book::new("AAPL".parse().unwrap());
        book.submit(order(side, market(protection), trailing(&amount.to_string())), start());
        let mut seen: Vec<u32> = Vec::new();
        for last in prices {
            seen.push(last);
            let best = if buys { seen.iter().min() } else { seen.iter().max() }.copied().unwrap();
            let wakes = if buys { last >= best + amount } else { last + amount <= best };
            let events = kinds(book.on_quote(&flat(&last.to_string()), start()));
            let woke = events.iter().any(|kind| matches!(kind, BookEventKind::Triggered(_)));
            prop_assert_eq!(woke, wakes);
            if woke {
                prop_assert!(book.is_empty());
                return Ok(());
            }
        }
        prop_assert_eq!(book.len(), 1);
    }
}
