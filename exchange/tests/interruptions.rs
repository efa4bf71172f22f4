//! Interruptions after large moves: who waits, what ends them, and what can never happen while they last.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use chrono::{DateTime, TimeDelta, Utc};
use domain::{OrderId, Price, Quantity, Quote, Side, Symbol};
use exchange::book::{Patience, Pricing, Trigger};
use exchange::interruptions::Band;
use exchange::{
    AuctionKind, Book, BookEvent, BookEventKind, BookOrder, CancelReason, Course, InterruptionKind,
    MarketState, Simulation,
};
use proptest::prelude::*;
use rust_decimal::Decimal;

/// A moment of a session of the market: eleven in Seoul, noon in New York.
fn start(symbol: &str) -> DateTime<Utc> {
    let text = if symbol.ends_with(".KS") { "2026-11-20T02:00:00Z" } else { "2026-11-20T17:00:00Z" };
    text.parse().unwrap()
}

fn price(value: u32) -> Price {
    Price::new(value.into()).unwrap()
}

fn id(number: u32) -> OrderId {
    OrderId(uuid::Uuid::from_u128(number.into()))
}

fn limit(number: u32, side: Side, at: u32, quantity: u32, now: DateTime<Utc>) -> BookOrder {
    BookOrder {
        id: id(number),
        side,
        pricing: Pricing::Limit { limit: price(at) },
        trigger: None,
        patience: Patience::Rests,
        quantity: Quantity::new(quantity.into()).unwrap(),
        sequence: number.into(),
        expires_at: None,
        course: Course::new(Simulation::Realistic, id(number), now),
        joins_evening: false,
    }
}

fn quote(symbol: &str, last: u32, volume: u64, at: DateTime<Utc>) -> Quote {
    let symbol: Symbol = symbol.parse().unwrap();
    Quote {
        symbol,
        price: price(last),
        bid: Some(price(last)),
        ask: Some(price(last)),
        previous_close: Some(price(10_000)),
        volume,
        currency: symbol.currency(),
        session_date: exchange::market_day(symbol.market(), at),
        open: price(10_000),
        high: price(last.max(10_000)),
        low: price(last.min(10_000)),
        at,
        source: "test".into(),
        simulated: false,
        delayed: false,
    }
}

/// A book and what has been told of its share so far.
struct World {
    symbol: &'static str,
    book: Book,
    volume: u64,
    now: DateTime<Utc>,
}

impl World {
    fn new(symbol: &'static str) -> Self {
        let mut world =
            Self { symbol, book: Book::new(symbol.parse().unwrap()), volume: 0, now: start(symbol) };
        world.say(0, 10_000, 1_000_000);
        world
    }

    /// So many seconds later a price, and so many shares traded.
    fn say(&mut self, seconds: i64, last: u32, traded: u64) -> Vec<BookEvent> {
        self.now += TimeDelta::seconds(seconds);
        self.volume += traded;
        self.book.on_quote(&quote(self.symbol, last, self.volume, self.now), self.now)
    }

    fn submit(&mut self, order: BookOrder) -> Vec<BookEvent> {
        self.book.submit(order, self.now)
    }

    fn buy(&mut self, number: u32, at: u32, quantity: u32) -> Vec<BookEvent> {
        self.submit(limit(number, Side::Buy, at, quantity, self.now))
    }
}

fn fills(events: &[BookEvent]) -> Vec<(OrderId, Decimal, Price)> {
    let fill = |event: &BookEvent| match &event.kind {
        BookEventKind::Filled { quantity, price, .. } => Some((event.order_id, quantity.value(), *price)),
        _ => None,
    };
    events.iter().filter_map(fill).collect()
}

fn told(events: &[BookEvent], kind: &BookEventKind) -> Vec<OrderId> {
    events.iter().filter(|event| event.kind == *kind).map(|event| event.order_id).collect()
}

const VOLATILITY: BookEventKind = BookEventKind::Suspended(InterruptionKind::Volatility);
const PAUSE: BookEventKind = BookEventKind::Suspended(InterruptionKind::Pause);
const KOREAN: &str = "247540.KS";

#[test]
fn ten_percent_from_the_opening_interrupt_and_one_price_ends_it() {
    let mut world = World::new(KOREAN);
    world.buy(1, 11_500, 30);
    world.buy(2, 11_200, 30);
    // Step by step, so that no step is large.
    for last in [10_300, 10_600, 10_900] {
        assert_eq!(told(&world.say(5, last, 0), &VOLATILITY), []);
    }
    let events = world.say(5, 11_000, 10_000);
    assert_eq!(told(&events, &VOLATILITY), [id(1), id(2)], "who waits is told why");
    assert_eq!(fills(&events), [], "the trade at the threshold does not happen");

    assert_eq!(fills(&world.say(60, 11_100, 10_000)), [], "nothing is matched while it lasts");
    assert_eq!(told(&world.buy(3, 11_300, 30), &VOLATILITY), [id(3)]);
    assert_eq!(fills(&world.say(59, 11_050, 10_000)), []);

    let resumed = world.book.expire(world.now + TimeDelta::seconds(40));
    assert_eq!(told(&resumed, &BookEventKind::Resumed), [id(1), id(2), id(3)], "it ends without a price too");
    let events = world.say(40, 11_200, 600);
    assert_eq!(told(&events, &BookEventKind::Resumed), [], "and is told once");
    assert_eq!(
        fills(&events),
        [(id(1), 30.into(), price(11_200)), (id(3), 30.into(), price(11_200))],
        "all at one price, the better limit first, a tenth of what was traded"
    );
    assert_eq!(told(&world.say(5, 11_300, 100), &VOLATILITY), [], "bands are drawn from its price");
}

#[test]
fn one_large_step_interrupts_and_the_same_way_in_small_ones_does_not() {
    let mut world = World::new(KOREAN);
    world.buy(1, 9_000, 10);
    assert_eq!(told(&world.say(5, 10_590, 100), &VOLATILITY), []);
    assert_eq!(told(&world.say(5, 9_950, 100), &VOLATILITY), [id(1)], "six percent from trade to trade");

    let mut world = World::new(KOREAN);
    world.buy(1, 9_000, 10);
    world.say(5, 10_590, 100);
    assert_eq!(told(&world.say(30, 9_950, 100), &VOLATILITY), [], "trades in between were not seen");
}

#[test]
fn an_interruption_of_the_market_itself_is_not_drawn_a_second_time() {
    let mut world = World::new(KOREAN);
    world.buy(1, 11_500, 30);
    world.say(5, 10_500, 0);
    world.say(5, 10_900, 0);
    // Two minutes without a trade, then the price of the auction that ended them.
    for _ in 0..4 {
        world.say(29, 10_900, 0);
    }
    let events = world.say(10, 11_200, 10_000);
    assert_eq!(told(&events, &VOLATILITY), []);
    assert_eq!(fills(&events), [(id(1), 30.into(), price(11_200))]);
}

#[test]
fn an_order_that_must_be_executed_at_once_does_not_wait() {
    let mut world = World::new(KOREAN);
    let at_once =
        |number, now| BookOrder { patience: Patience::AtOnce, ..limit(number, Side::Buy, 11_500, 10, now) };
    world.submit(at_once(1, world.now));
    let canceled = BookEventKind::Canceled(CancelReason::Interrupted(InterruptionKind::Volatility));
    assert_eq!(told(&world.say(5, 11_000, 1_000), &canceled), [id(1)]);
    assert_eq!(told(&world.submit(at_once(2, world.now)), &canceled), [id(2)]);
}

#[test]
fn the_ideal_market_has_no_interruptions() {
    let mut world = World::new(KOREAN);
    world.buy(1, 5_000, 10);
    world.say(5, 11_000, 1_000);
    let events = world.submit(BookOrder { course: None, ..limit(2, Side::Buy, 11_000, 10, world.now) });
    assert_eq!(fills(&events), [(id(2), 10.into(), price(11_000))]);
}

#[test]
fn a_stop_does_not_wake_by_a_price_at_which_nothing_is_traded() {
    let mut world = World::new(KOREAN);
    let stop = Some(Trigger::Stop(price(11_000)));
    world.submit(BookOrder { trigger: stop, ..limit(1, Side::Buy, 12_000, 10, world.now) });
    assert_eq!(told(&world.say(5, 11_000, 1_000), &BookEventKind::Triggered(price(11_000))), []);
    let events = world.say(160, 11_100, 1_000);
    assert_eq!(told(&events, &BookEventKind::Triggered(price(11_100))), [id(1)]);
}

#[test]
fn an_american_price_that_stays_at_its_band_pauses_trading() {
    let mut world = World::new("AAPL");
    world.buy(1, 10_600, 30);
    let events = world.say(5, 10_500, 1_000);
    assert_eq!(fills(&events), [(id(1), 30.into(), price(10_500))], "at the band trading goes on");
    world.buy(2, 10_600, 30);
    assert_eq!(fills(&world.say(5, 10_501, 1_000)), [], "beyond it nothing is traded");
    assert_eq!(told(&world.say(10, 10_500, 0), &PAUSE), [id(2)], "fifteen seconds");
    assert_eq!(fills(&world.say(110, 10_400, 1_000)), []);
    assert_eq!(fills(&world.say(110, 10_400, 1_000)), []);
    let events = world.say(80, 10_550, 1_000);
    assert_eq!(told(&events, &BookEventKind::Resumed), [id(2)]);
    assert_eq!(fills(&events), [(id(2), 30.into(), price(10_550))]);
}

#[test]
fn an_american_price_that_comes_back_in_time_pauses_nothing() {
    let mut world = World::new("AAPL");
    world.buy(1, 9_000, 30);
    world.say(5, 10_500, 1_000);
    world.say(10, 10_499, 1_000);
    assert_eq!(told(&world.say(5, 10_500, 1_000), &PAUSE), []);
    assert_eq!(told(&world.say(14, 10_500, 1_000), &PAUSE), []);
    assert_eq!(told(&world.say(1, 10_500, 1_000), &PAUSE), [id(1)]);
}

#[test]
fn an_interruption_ends_with_its_session() {
    let mut world = World::new(KOREAN);
    world.now = "2026-11-20T06:29:00Z".parse().unwrap();
    world.say(0, 10_000, 100);
    world.buy(1, 9_000, 10);
    assert_eq!(told(&world.say(5, 11_000, 1_000), &VOLATILITY), [id(1)]);
    assert_eq!(world.book.next_expiry(), Some("2026-11-20T06:30:00Z".parse().unwrap()));
}

#[test]
fn an_auction_serves_the_better_price_before_the_earlier() {
    let mut world = World::new(KOREAN);
    let close: DateTime<Utc> = "2026-11-20T06:30:00Z".parse().unwrap();
    let for_close = |number, at| BookOrder {
        patience: Patience::Auction { kind: AuctionKind::Closing, at: close },
        ..limit(number, Side::Buy, at, 30, start(KOREAN))
    };
    world.submit(for_close(1, 10_100));
    world.submit(for_close(2, 10_200));
    world.now = close - TimeDelta::seconds(30);
    world.say(0, 10_000, 0);
    let executed = fills(&world.say(30, 10_000, 300));
    assert_eq!(executed, [(id(2), 30.into(), price(10_000))], "there is enough for one");
}

#[derive(Debug, Clone)]
enum Step {
    Say { seconds: i64, last: u32, traded: u64 },
    Order { side: Side, at: u32, quantity: u32 },
    Cancel { number: u32 },
}

fn a_step() -> impl Strategy<Value = Step> {
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    let seconds = prop_oneof![1i64..20, 100i64..119];
    prop_oneof![
        5 => (seconds, 850u32..1_150, 0u64..20_000)
            .prop_map(|(seconds, last, traded)| Step::Say { seconds, last: last * 10, traded }),
        2 => (side, 850u32..1_150, 1u32..500).prop_map(|(side, at, quantity)| Step::Order { side, at: at * 10, quantity }),
        1 => (0u32..20).prop_map(|number| Step::Cancel { number }),
    ]
}

fn a_symbol() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just(KOREAN), Just("005930.KS"), Just("AAPL")]
}

/// What a step told, and the market as it was written down by then.
struct Told {
    events: Vec<BookEvent>,
    market: Option<MarketState>,
    at: DateTime<Utc>,
}

fn take(world: &mut World, number: u32, step: &Step) -> Vec<BookEvent> {
    match *step {
        Step::Say { seconds, last, traded } => {
            world.now += TimeDelta::seconds(seconds);
            let mut events = world.book.expire(world.now);
            events.extend(world.say(0, last, traded));
            events
        }
        Step::Order { side, at, quantity } => world.submit(limit(number, side, at, quantity, world.now)),
        Step::Cancel { number } => world.book.cancel(id(number), world.now).unwrap_or_default(),
    }
}

/// Plays a history in a book that is never empty, so that the market is always written down.
fn play(symbol: &'static str, steps: &[Step]) -> Vec<Told> {
    let mut world = World::new(symbol);
    world.submit(limit(1_000, Side::Buy, 100, 1, world.now));
    let mut market = None;
    (0..)
        .zip(steps)
        .map(|(number, step)| {
            let events = take(&mut world, number, step);
            market = world.book.take_market_change().or(market);
            Told { events, market, at: world.now }
        })
        .collect()
}

proptest! {
    #[test]
    fn nothing_is_executed_during_an_interruption_and_every_one_ends(
        symbol in a_symbol(), steps in prop::collection::vec(a_step(), 0..120),
    ) {
        let mut interrupted_until = None;
        for Told { events, market, at } in play(symbol, &steps) {
            if let Some(until) = interrupted_until && at < until {
                prop_assert!(fills(&events).is_empty(), "{at} before {until}: {events:?}");
            }
            let interruption = market.and_then(|market| market.interruption);
            if let Some(interruption) = interruption {
                let lasts = interruption.ends_at - interruption.began_at;
                let (least, most) = match interruption.kind {
                    InterruptionKind::Volatility => (120, 150),
                    InterruptionKind::Pause => (300, 300),
                };
                prop_assert!((least..=most).contains(&lasts.num_seconds()));
            }
            interrupted_until = interruption.map(|interruption| interruption.ends_at);
        }
    }

    #[test]
    fn while_trading_goes_on_no_execution_is_beyond_the_band(
        symbol in a_symbol(), steps in prop::collection::vec(a_step(), 0..120),
    ) {
        let mut before: Option<MarketState> = None;
        for (told, step) in play(symbol, &steps).into_iter().zip(&steps) {
            let is_uncrossing = |before: MarketState| Some(before.reference) != told.market.map(|market| market.reference);
            if let Some(before) = before && !is_uncrossing(before) && matches!(step, Step::Say { .. }) {
                let band = Band::around(symbol.parse().unwrap(), &before, told.at).unwrap();
                for (order, _, at) in fills(&told.events) {
                    prop_assert!(band.contains(at), "{order} at {at} beyond {band:?}");
                }
            }
            before = told.market;
        }
    }

    #[test]
    fn the_same_prices_and_orders_give_the_same_twice(symbol in a_symbol(), steps in prop::collection::vec(a_step(), 0..120)) {
        let events = |told: Vec<Told>| told.into_iter().map(|told| told.events).collect::<Vec<_>>();
        prop_assert_eq!(events(play(symbol, &steps)), events(play(symbol, &steps)));
    }

    #[test]
    fn after_a_restart_the_market_is_as_it_was(symbol in a_symbol(), steps in prop::collection::vec(a_step(), 1..80)) {
        let mut world = World::new(symbol);
        world.submit(limit(1_000, Side::Buy, 100, 1, world.now));
        let mut market = world.book.take_market_change();
        for (number, step) in (0..).zip(&steps) {
            take(&mut world, number, step);
            market = world.book.take_market_change().or(market);
        }
        let mut next = Book::new(symbol.parse().unwrap());
        for number in (0..=1_000).filter_map(|number| world.book.order(id(number))) {
            next.restore(&number, false);
        }
        if let Some(market) = market {
            next.restore_market(&market);
        }
        for number in 0..=1_000 {
            prop_assert_eq!(next.order(id(number)), world.book.order(id(number)));
        }
        let probe = limit(2_000, Side::Buy, 9_000, 1, world.now);
        let is_suspended = |events: &[BookEvent]| events.iter().any(|event| matches!(event.kind, BookEventKind::Suspended(_)));
        let (before, after) = (world.book.submit(probe.clone(), world.now), next.submit(probe, world.now));
        prop_assert_eq!(is_suspended(&before), is_suspended(&after));
        prop_assert_eq!(next.next_expiry().is_some_and(|at| at > world.now), world.book.next_expiry().is_some_and(|at| at > world.now));
    }
}
