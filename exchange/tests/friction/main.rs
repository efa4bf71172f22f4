//! Orders that share the market with others: examples, and properties over arbitrary histories.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

mod harsher;
mod volume;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{Currency, OrderId, Price, Quantity, Quote, Side};
use exchange::book::{Patience, Pricing, Trigger};
use exchange::{Book, BookEvent, BookEventKind, BookOrder, CancelReason, Course, Simulation};
use proptest::prelude::*;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

fn start() -> DateTime<Utc> {
    "2026-11-20T15:00:00Z".parse().unwrap()
}

/// Long enough for every order to be in the market.
const WAIT: TimeDelta = TimeDelta::seconds(3);

fn cents(price: u32) -> Price {
    Price::new(Decimal::new(price.into(), 2)).unwrap()
}

fn id(number: u32) -> OrderId {
    OrderId(uuid::Uuid::from_u128(number.into()))
}

fn shares(quantity: u32) -> Quantity {
    Quantity::new(quantity.into()).unwrap()
}

/// A limit order that is taken at a moment.
fn limit(
    number: u32,
    setting: Simulation,
    side: Side,
    price: u32,
    quantity: u32,
    at: DateTime<Utc>,
) -> BookOrder {
    BookOrder {
        id: id(number),
        side,
        pricing: Pricing::Limit { limit: cents(price) },
        trigger: None,
        patience: Patience::Rests,
        quantity: shares(quantity),
        sequence: number.into(),
        expires_at: None,
        course: Course::new(setting, id(number), at),
        joins_evening: false,
    }
}

fn buy(number: u32, price: u32, quantity: u32) -> BookOrder {
    limit(number, Simulation::Realistic, Side::Buy, price, quantity, start())
}

fn market(number: u32, protection: u32, quantity: u32) -> BookOrder {
    BookOrder { pricing: Pricing::Market { protection: cents(protection) }, ..buy(number, 1, quantity) }
}

/// Last price in cents, bid and ask a cent around it.
fn quote(last: u32, volume: u64, at: DateTime<Utc>) -> Quote {
    Quote {
        symbol: "AAPL".parse().unwrap(),
        price: cents(last),
        bid: Some(cents(last - 1)),
        ask: Some(cents(last + 1)),
        previous_close: None,
        volume,
        currency: Currency::Usd,
        session_date: at.date_naive(),
        open: cents(last),
        high: cents(last),
        low: cents(last),
        at,
        source: "test".into(),
        simulated: false,
        delayed: false,
    }
}

/// A book that has seen a price, with a million shares traded so far.
fn book_at(last: u32) -> Book {
    let mut book = Book::new("AAPL".parse().unwrap());
    book.on_quote(&quote(last, 1_000_000, start()), start());
    book
}

/// A minute later for every step, so many more shares traded.
fn next(book: &mut Book, minute: i64, last: u32, traded: u64) -> Vec<BookEvent> {
    let at = start() + WAIT + TimeDelta::minutes(minute);
    let volume = book.last_quote().unwrap().volume + traded;
    book.on_quote(&quote(last, volume, at), at)
}

/// Executions as (order, shares, price).
fn fills(events: &[BookEvent]) -> Vec<(OrderId, Decimal, Price)> {
    let fill = |event: &BookEvent| match &event.kind {
        BookEventKind::Filled { quantity, price, .. } => Some((event.order_id, quantity.value(), *price)),
        _ => None,
    };
    events.iter().filter_map(fill).collect()
}

fn reasons(events: &[BookEvent]) -> Vec<CancelReason> {
    let reason = |event: &BookEvent| match event.kind {
        BookEventKind::Canceled(reason) => Some(reason),
        _ => None,
    };
    events.iter().filter_map(reason).collect()
}

fn ahead(book: &Book, number: u32) -> Option<u64> {
    book.order(id(number))?.course?.ahead
}

#[test]
fn an_order_is_on_its_way_before_it_is_in_the_market() {
    let mut book = book_at(15_000);
    let order = market(1, 20_000, 10);
    let active_at = order.course.unwrap().active_at;
    assert!(active_at > start());
    assert_eq!(book.submit(order, start()).len(), 1, "the price that it saw is not the one it gets");
    let early = active_at - TimeDelta::milliseconds(1);
    assert!(fills(&book.on_quote(&quote(15_000, 1_001_000, early), early)).is_empty());
    let executed = fills(&book.on_quote(&quote(15_000, 1_002_000, active_at), active_at));
    assert_eq!((executed.len(), executed[0].1), (1, Decimal::from(10)));
    assert!(executed[0].2 >= cents(15_001), "a taker pays the ask, or worse: {}", executed[0].2);
}

#[test]
fn a_large_order_is_executed_in_parts_by_what_is_traded() {
    let mut book = book_at(15_000);
    book.submit(market(1, 20_000, 250), start());
    let mut parts = Vec::new();
    for (minute, traded) in [(0, 1_000), (1, 0), (2, 9), (3, 1_500)] {
        parts.push(fills(&next(&mut book, minute, 15_000, traded)).first().map(|fill| fill.1));
    }
    let tenth = |shares: u32| Some(Decimal::from(shares));
    assert_eq!(parts, [tenth(100), None, None, tenth(150)], "a tenth of each volume");
    assert!(book.is_empty());
}

#[test]
fn the_parts_are_numbered_and_say_what_is_left() {
    let mut book = book_at(15_000);
    book.submit(market(1, 20_000, 150), start());
    let mut told = Vec::new();
    for minute in 0..2 {
        for event in next(&mut book, minute, 15_000, 1_000) {
            if let BookEventKind::Filled { execution_id, leaves, .. } = event.kind {
                told.push((execution_id, leaves));
            }
        }
    }
    assert_eq!(told, [(format!("{}:1", id(1)), 50.into()), (format!("{}:2", id(1)), 0.into())]);
}

#[test]
fn a_resting_order_waits_behind_what_stood_at_its_price() {
    let mut book = book_at(15_000);
    book.submit(buy(1, 14_900, 30), start());
    next(&mut book, 0, 15_000, 0);
    assert_eq!(ahead(&book, 1), Some(1_000), "a thousandth of a million");
    assert!(fills(&next(&mut book, 1, 14_950, 50_000)).is_empty(), "not its price");
    assert_eq!(ahead(&book, 1), Some(1_000));
    assert!(fills(&next(&mut book, 2, 14_900, 900)).is_empty());
    assert_eq!(ahead(&book, 1), Some(100));
    assert_eq!(fills(&next(&mut book, 3, 14_900, 110)), [(id(1), 10.into(), cents(14_900))]);
    assert_eq!(
        fills(&next(&mut book, 4, 14_899, 100)),
        [(id(1), 10.into(), cents(14_900))],
        "beyond its price"
    );
}

#[test]
fn a_price_beyond_it_has_eaten_the_queue() {
    let mut book = book_at(15_000);
    book.submit(buy(1, 14_900, 30), start());
    next(&mut book, 0, 15_000, 0);
    assert_eq!(fills(&next(&mut book, 1, 14_850, 200)), [(id(1), 20.into(), cents(14_900))]);
    assert_eq!(ahead(&book, 1), Some(0));
}

#[test]
fn the_other_side_at_its_price_has_eaten_the_queue() {
    let mut book = book_at(15_000);
    book.submit(buy(1, 14_900, 30), start());
    next(&mut book, 0, 15_000, 0);
    let at = start() + WAIT + TimeDelta::minutes(1);
    let volume = book.last_quote().unwrap().volume + 200;
    let offered = Quote { bid: Some(cents(14_899)), ask: Some(cents(14_900)), ..quote(14_905, volume, at) };
    assert_eq!(fills(&book.on_quote(&offered, at)), [(id(1), 20.into(), cents(14_900))]);
}

#[test]
fn a_later_order_stands_behind_an_earlier_one_and_inherits_what_was_before_it() {
    let mut book = book_at(15_000);
    book.submit(buy(1, 14_900, 10), start());
    book.submit(buy(2, 14_900, 10), start());
    next(&mut book, 0, 15_000, 0);
    assert_eq!(
        (ahead(&book, 1), ahead(&book, 2)),
        (Some(1_000), Some(0)),
        "the same thousand is before both"
    );
    next(&mut book, 1, 14_900, 400);
    assert_eq!((ahead(&book, 1), ahead(&book, 2)), (Some(600), Some(0)));
    let events = book.cancel(id(1), start()).unwrap();
    assert_eq!(ahead(&book, 2), Some(600));
    assert!(
        matches!(events[1].kind, BookEventKind::CourseMoved(course) if course.ahead == Some(600)),
        "{events:?}"
    );
    assert!(fills(&next(&mut book, 2, 14_900, 500)).is_empty());
    assert_eq!(fills(&next(&mut book, 3, 14_900, 200)), [(id(2), 10.into(), cents(14_900))]);
}

#[test]
fn other_terms_cost_the_place_and_fewer_shares_do_not() {
    let mut book = book_at(15_000);
    book.submit(buy(1, 14_900, 30), start());
    next(&mut book, 0, 15_000, 0);
    next(&mut book, 1, 14_900, 900);
    let before = book.order(id(1)).unwrap();
    book.replace(BookOrder { quantity: shares(20), ..before.clone() }, start()).unwrap();
    assert_eq!(ahead(&book, 1), Some(100));
    let now = start() + TimeDelta::minutes(2);
    let course = before.course.map(|course| course.anew(id(1), now));
    book.replace(BookOrder { sequence: 9, course, ..before }, now).unwrap();
    assert_eq!(ahead(&book, 1), None, "on its way again");
    next(&mut book, 3, 15_000, 0);
    assert_eq!(ahead(&book, 1), Some(1_001), "a thousandth of what was traded by then");
}

#[test]
fn a_stop_gets_a_price_after_the_one_that_woke_it() {
    let mut book = book_at(15_000);
    let stop = BookOrder { trigger: Some(Trigger::Stop(cents(15_100))), ..market(1, 20_000, 10) };
    book.submit(stop, start());
    let events = next(&mut book, 0, 15_100, 10_000);
    assert!(matches!(events[0].kind, BookEventKind::Triggered(_)) && fills(&events).is_empty(), "{events:?}");
    assert!(fills(&next(&mut book, 1, 15_300, 10_000))[0].2 >= cents(15_301));
}

#[test]
fn outside_the_session_an_order_waits() {
    let mut book = book_at(15_000);
    book.submit(market(1, 20_000, 10), start());
    let evening: DateTime<Utc> = "2026-11-20T21:30:00Z".parse().unwrap();
    let told =
        |volume, at| Quote { session_date: "2026-11-20".parse().unwrap(), ..quote(15_000, volume, at) };
    book.on_quote(&told(1_500_000, evening), evening);
    let later = evening + TimeDelta::minutes(1);
    assert!(fills(&book.on_quote(&told(1_600_000, later), later)).is_empty());
    let morning: DateTime<Utc> = "2026-11-23T14:31:00Z".parse().unwrap();
    assert_eq!(fills(&book.on_quote(&quote(15_000, 90_000, morning), morning)).len(), 1);
}

#[test]
fn an_auction_is_shared_too_and_what_is_left_is_taken_back() {
    let mut book = book_at(15_000);
    let close: DateTime<Utc> = "2026-11-20T21:00:00Z".parse().unwrap();
    let patience = Patience::Auction { kind: exchange::AuctionKind::Closing, at: close };
    book.submit(BookOrder { patience, ..market(1, 20_000, 500) }, start());
    let before = close - TimeDelta::minutes(1);
    book.on_quote(&quote(15_000, 2_000_000, before), before);
    let events = book.on_quote(&quote(15_010, 2_003_000, close), close);
    assert_eq!(fills(&events), [(id(1), 300.into(), cents(15_010))]);
    assert_eq!(reasons(&events), [CancelReason::NotExecutedInAuction]);
}

#[test]
fn what_was_traded_before_anybody_looked_is_shared_with_nobody() {
    let first_price_at = |at: &str| {
        let (at, mut book) = (at.parse().unwrap(), book_at(15_000));
        book.submit(market(1, 20_000, 500), start());
        fills(&book.on_quote(&quote(15_000, 1_000_000, at), at)).len()
    };
    assert_eq!(first_price_at("2026-11-23T14:30:01Z"), 1, "the opening is shared");
    assert_eq!(first_price_at("2026-11-23T17:00:00Z"), 0, "a morning without prices is not");
}

#[test]
fn an_order_that_was_put_back_goes_on_where_it_was() {
    let mut first = book_at(15_000);
    first.submit(buy(1, 14_900, 30), start());
    first.submit(market(2, 20_000, 300), start());
    next(&mut first, 0, 15_000, 100);
    next(&mut first, 1, 14_900, 400);
    let mut second = Book::new("AAPL".parse().unwrap());
    second.on_quote(first.last_quote().unwrap(), start() + WAIT + TimeDelta::minutes(1));
    for number in [1, 2] {
        second.restore(&first.order(id(number)).unwrap(), false);
    }
    for minute in 2..8 {
        assert_eq!(next(&mut first, minute, 14_900, 900), next(&mut second, minute, 14_900, 900));
    }
}

#[derive(Debug, Clone)]
enum Step {
    Limit { setting: Simulation, buy: bool, price: u32, quantity: u32 },
    Market { setting: Simulation, buy: bool, quantity: u32 },
    Cancel { number: u32 },
    Quote { last: u32, traded: u64 },
}

fn a_setting() -> impl Strategy<Value = Simulation> {
    prop_oneof![
        1 => Just(Simulation::Ideal), 3 => Just(Simulation::Realistic), 2 => Just(Simulation::Harsh)
    ]
}

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (a_setting(), any::<bool>(), 9_990u32..10_010, 1u32..200)
            .prop_map(|(setting, buy, price, quantity)| Step::Limit { setting, buy, price, quantity }),
        1 => (a_setting(), any::<bool>(), 1u32..200)
            .prop_map(|(setting, buy, quantity)| Step::Market { setting, buy, quantity }),
        1 => (0u32..60).prop_map(|number| Step::Cancel { number }),
        5 => (9_990u32..10_010, prop_oneof![Just(0u64), 0u64..5_000]).prop_map(|(last, traded)| Step::Quote { last, traded }),
    ]
}

/// What a quote did: what was traded, what stood in the book before, and what happened.
struct Turn {
    traded: u64,
    volume: u64,
    before: Vec<BookOrder>,
    events: Vec<BookEvent>,
}

struct Played {
    orders: BTreeMap<OrderId, BookOrder>,
    turns: Vec<Turn>,
    events: Vec<BookEvent>,
}

/// Plays a history, five seconds a step.
fn play(steps: &[Step]) -> Played {
    let mut book = Book::new("AAPL".parse().unwrap());
    let (mut now, mut volume) = (start(), 100_000);
    let mut played = Played { orders: BTreeMap::new(), turns: Vec::new(), events: Vec::new() };
    book.on_quote(&quote(10_000, volume, now), now);
    for (number, step) in steps.iter().enumerate() {
        now += TimeDelta::seconds(5);
        let number = u32::try_from(number).unwrap();
        let side = |buy| if buy { Side::Buy } else { Side::Sell };
        let new = match step {
            Step::Limit { setting, buy, price, quantity } => {
                Some(limit(number, *setting, side(*buy), *price, *quantity, now))
            }
            Step::Market { setting, buy, quantity } => {
                let worst = if *buy { 20_000 } else { 1 };
                let pricing = Pricing::Market { protection: cents(worst) };
                Some(BookOrder { pricing, ..limit(number, *setting, side(*buy), 1, *quantity, now) })
            }
            Step::Cancel { number } => {
                played.events.extend(book.cancel(id(*number), now).unwrap_or_default());
                None
            }
            Step::Quote { last, traded } => {
                volume += traded;
                let before = played.orders.keys().filter_map(|id| book.order(*id)).collect();
                let events = book.on_quote(&quote(*last, volume, now), now);
                played.events.extend(events.clone());
                played.turns.push(Turn { traded: *traded, volume, before, events });
                None
            }
        };
        if let Some(order) = new {
            played.orders.insert(order.id, order.clone());
            played.events.extend(book.submit(order, now));
        }
    }
    played
}

fn has_friction(played: &Played, id: OrderId) -> bool {
    played.orders[&id].course.is_some()
}

proptest! {
    #[test]
    fn no_more_is_executed_than_the_share_of_what_was_traded(steps in prop::collection::vec(a_step(), 0..80)) {
        let played = play(&steps);
        for turn in &played.turns {
            let of = |setting| -> Decimal {
                let fills = fills(&turn.events);
                let chosen = fills.iter().filter(|(id, ..)| {
                    played.orders[id].course.is_some_and(|course| course.simulation == setting)
                });
                chosen.map(|(_, quantity, _)| *quantity).sum()
            };
            let share = |setting: Simulation| {
                Decimal::from(setting.friction().unwrap().volume_share(turn.volume, turn.traded))
            };
            let (realistic, harsh) = (of(Simulation::Realistic), of(Simulation::Harsh));
            prop_assert!(harsh <= share(Simulation::Harsh));
            prop_assert!(realistic + harsh <= share(Simulation::Realistic));
        }
    }

    #[test]
    fn nobody_pays_more_than_was_named_and_nothing_is_executed_twice(steps in prop::collection::vec(a_step(), 0..80)) {
        let played = play(&steps);
        let mut executed: BTreeMap<OrderId, Decimal> = BTreeMap::new();
        for (id, quantity, price) in fills(&played.events) {
            let order = &played.orders[&id];
            let (Pricing::Market { protection: worst } | Pricing::Limit { limit: worst }) = order.pricing;
            let is_fair = match order.side {
                Side::Buy => price <= worst,
                Side::Sell => price >= worst,
            };
            prop_assert!(is_fair);
            *executed.entry(id).or_default() += quantity;
        }
        for (id, quantity) in executed {
            prop_assert!(quantity <= played.orders[&id].quantity.value());
        }
    }

    #[test]
    fn the_same_history_gives_the_same_executions(steps in prop::collection::vec(a_step(), 0..80)) {
        prop_assert_eq!(play(&steps).events, play(&steps).events);
    }

    #[test]
    fn of_resting_orders_the_better_price_and_then_the_earlier_is_served_first(steps in prop::collection::vec(a_step(), 0..80)) {
        let played = play(&steps);
        for turn in &played.turns {
            for side in [Side::Buy, Side::Sell] {
                let rests = |order: &&BookOrder| order.side == side && order.course.is_some_and(|course| course.ahead.is_some());
                let mut resting: Vec<&BookOrder> = turn.before.iter().filter(rests).collect();
                let worst = |order: &BookOrder| match order.pricing {
                    Pricing::Limit { limit } => limit.value(),
                    Pricing::Market { protection } => protection.value(),
                };
                resting.sort_by_key(|order| {
                    let price = worst(order);
                    (if side == Side::Buy { -price } else { price }, order.sequence)
                });
                let had = |order: &BookOrder| -> Decimal {
                    fills(&turn.events).iter().filter(|(id, ..)| *id == order.id).map(|(_, quantity, _)| *quantity).sum()
                };
                // Once one has not had all it wanted, nobody behind it has anything.
                let unserved = resting.iter().position(|order| had(order) < order.quantity.value());
                for order in resting.iter().skip(unserved.map_or(resting.len(), |place| place + 1)) {
                    prop_assert!(had(order).is_zero(), "{:?}", order.id);
                }
            }
        }
    }

    #[test]
    fn nobody_jumps_the_queue(volumes in prop::collection::vec(0u64..2_000, 1..40), quantity in 1u32..500) {
        let mut book = book_at(15_000);
        book.submit(buy(1, 14_900, quantity), start());
        next(&mut book, 0, 15_000, 0);
        let queue = Decimal::from(ahead(&book, 1).unwrap());
        let (mut traded, mut had) = (Decimal::ZERO, Decimal::ZERO);
        for (minute, volume) in volumes.into_iter().enumerate() {
            let events = next(&mut book, i64::try_from(minute).unwrap() + 1, 14_900, volume);
            traded += Decimal::from(volume);
            had += fills(&events).iter().map(|(_, quantity, _)| *quantity).sum::<Decimal>();
            prop_assert!(had <= (traded - queue).max(Decimal::ZERO));
        }
    }

    #[test]
    fn an_order_without_friction_does_not_notice_the_others(steps in prop::collection::vec(a_step(), 0..80)) {
        let played = play(&steps);
        let is_ideal = |step: &Step| !matches!(step,
            Step::Limit { setting, .. } | Step::Market { setting, .. } if *setting != Simulation::Ideal);
        // In the place of the others come cancels of nothing, so that numbers and times stay.
        let alone: Vec<Step> =
            steps.iter().map(|step| if is_ideal(step) { step.clone() } else { Step::Cancel { number: u32::MAX } }).collect();
        let of_ideal = |played: &Played, events: &[BookEvent]| -> Vec<BookEvent> {
            events.iter().filter(|event| !has_friction(played, event.order_id)).cloned().collect()
        };
        let (alone, events) = (play(&alone), of_ideal(&played, &played.events));
        prop_assert_eq!(of_ideal(&alone, &alone.events), events);
    }
}
