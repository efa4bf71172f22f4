//! How many quotes a second a book with a thousand resting orders takes on one core, beside a reference measured in the
//! same run: the least that anybody has to do who compares a quote with the best limit of either side.
//!
//! Prints one `name value` a line, for `scripts/bench matching`.
#![allow(clippy::unwrap_used)]

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Currency, OrderId, Price, Quantity, Quote, Side};
use exchange::book::{Patience, Pricing};
use exchange::{Book, BookOrder, Course, Simulation};
use rust_decimal::Decimal;
use std::hint::black_box;
use std::io::Write;
use std::time::{Duration, Instant};

/// Orders that rest while quotes come.
const RESTING: u32 = 1_000;
/// Different quotes, taken in turn.
const QUOTES: u32 = 1_000;
/// How long each part is measured, and how often; the best round counts, because nothing makes a core faster.
const ROUND: Duration = Duration::from_millis(400);
const ROUNDS: usize = 5;
/// The middle of the market, in cents.
const MIDDLE: u32 = 15_000;

fn start() -> DateTime<Utc> {
    "2026-11-20T15:00:00Z".parse().unwrap()
}

fn cents(price: u32) -> Price {
    Price::new(Decimal::new(price.into(), 2)).unwrap()
}

fn limit(number: u32, setting: Simulation, side: Side, price: u32) -> BookOrder {
    let id = OrderId::generate();
    BookOrder {
        id,
        side,
        pricing: Pricing::Limit { limit: cents(price) },
        trigger: None,
        patience: Patience::Rests,
        quantity: Quantity::new(10.into()).unwrap(),
        sequence: number.into(),
        expires_at: None,
        course: Course::new(setting, id, start()),
        joins_evening: false,
    }
}

fn quote(last: u32, volume: u64) -> Quote {
    Quote {
        symbol: "AAPL".parse().unwrap(),
        price: cents(last),
        bid: Some(cents(last - 1)),
        ask: Some(cents(last + 1)),
        previous_close: Some(cents(MIDDLE)),
        volume,
        currency: Currency::Usd,
        session_date: start().date_naive(),
        open: cents(MIDDLE),
        high: cents(last),
        low: cents(last),
        at: start() + TimeDelta::seconds(5),
        source: "test".into(),
        simulated: false,
        delayed: false,
    }
}

/// Half of them buy below the market, half sell above it, ten at a price.
fn book(setting: Simulation) -> Book {
    let mut book = Book::new("AAPL".parse().unwrap());
    let first = Quote { at: start(), ..quote(MIDDLE, 1_000_000) };
    book.on_quote(&first, start());
    for number in 0..RESTING {
        let (side, step) = (number % 2, number / 20 + 10);
        let (side, price) = if side == 0 { (Side::Buy, MIDDLE - step) } else { (Side::Sell, MIDDLE + step) };
        book.submit(limit(number, setting, side, price), start());
    }
    // The first price after they are in the market: they come to rest.
    let later = start() + TimeDelta::seconds(5);
    book.on_quote(&quote(MIDDLE, 1_000_000), later);
    assert_eq!(book.len(), usize::try_from(RESTING).unwrap());
    book
}

/// Steps a second of the best round.
fn rate(mut step: impl FnMut(u64)) -> f64 {
    let mut best = 0.0_f64;
    for _ in 0..ROUNDS {
        let (began, mut steps) = (Instant::now(), 0_u64);
        while began.elapsed() < ROUND {
            for _ in 0..1_000 {
                step(steps);
                steps += 1;
            }
        }
        let seconds = began.elapsed().as_secs_f64();
        best = best.max(f64::from(u32::try_from(steps).unwrap()) / seconds);
    }
    best
}

fn nth<T>(items: &[T], step: u64) -> &T {
    let place = usize::try_from(step).unwrap() % items.len();
    items.get(place).unwrap()
}

/// Quotes that move about in the middle and reach nobody.
fn quiet(step: u32) -> Quote {
    quote(MIDDLE - 5 + step % 10, 1_000_000 + u64::from(step) * 100)
}

/// Quotes that reach nobody.
fn at_resting(setting: Simulation) -> f64 {
    let (mut book, now) = (book(setting), start() + TimeDelta::seconds(5));
    let quotes: Vec<Quote> = (0..QUOTES).map(quiet).collect();
    rate(|step| {
        black_box(book.on_quote(black_box(nth(&quotes, step)), now));
    })
}

/// Every second quote executes the best buy, which is then placed anew: a thousand rest all the time.
fn at_executing() -> f64 {
    let (mut book, now) = (book(Simulation::Ideal), start() + TimeDelta::seconds(5));
    let (reaching, quiet) = (quote(MIDDLE - 11, 1_000_000), quote(MIDDLE, 1_000_000));
    let mut sequence = i64::from(RESTING);
    rate(|step| {
        if step % 2 == 0 {
            let events = book.on_quote(&reaching, now);
            for _ in 0..black_box(events).len() {
                book.on_quote(&quiet, now);
                sequence += 1;
                let order = BookOrder { sequence, ..limit(0, Simulation::Ideal, Side::Buy, MIDDLE - 10) };
                black_box(book.submit(order, now));
            }
        } else {
            black_box(book.on_quote(&quiet, now));
        }
    })
}

/// Compares a quote with the best limit of either side and keeps its prices.
fn at_reference() -> f64 {
    let (bid, ask) = (cents(MIDDLE - 10), cents(MIDDLE + 10));
    let quotes: Vec<Quote> = (0..QUOTES).map(quiet).collect();
    let mut last = (cents(MIDDLE), cents(MIDDLE), start());
    rate(|step| {
        let quote = black_box(nth(&quotes, step));
        let reaches = quote.price_to_buy() <= bid || quote.price_to_sell() >= ask;
        last = (quote.price_to_sell(), quote.price_to_buy(), quote.at);
        black_box((reaches, last));
    })
}

fn main() {
    let mut out = std::io::stdout();
    for (name, rate) in [
        ("matching_reference_per_second", at_reference()),
        ("matching_per_second", at_resting(Simulation::Ideal)),
        ("matching_realistic_per_second", at_resting(Simulation::Realistic)),
        ("matching_executing_per_second", at_executing()),
    ] {
        let _ = writeln!(out, "{name} {rate:.0}");
    }
}
