mod amounts;

use super::*;
use crate::risk::{AccountState, judge};
use crate::trading::order::Replacement;
use crate::trading::replace::{ask, refuse};
use chrono::NaiveDate;
use domain::{AccountId, ClientOrderId, Currency, Lifetime, NewOrder, OrderId, Quote, Side, Size, UserId};
use proptest::prelude::*;
use std::collections::HashSet;

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
}

fn quote() -> Quote {
    let price: Price = "100".parse().unwrap();
    Quote {
        symbol: "AAPL".parse().unwrap(),
        price,
        bid: Some(price),
        ask: Some(price),
        previous_close: Some(price),
        volume: 1,
        currency: Currency::Usd,
        session_date: NaiveDate::from_ymd_opt(2013, 3, 1).unwrap(),
        open: price,
        high: price,
        low: price,
        at: at(0),
        source: "replay".to_owned(),
        simulated: false,
        delayed: true,
    }
}

/// An order made the way the server makes them.
fn order(side: Side, quantity: u32) -> Order {
    let pricing = Pricing::Limit("100".parse().unwrap());
    order_for(side, pricing, Size::Shares(Quantity::new(Decimal::from(quantity)).unwrap()))
}

fn order_for(side: Side, pricing: Pricing, size: Size) -> Order {
    let wish = NewOrder {
        account_id: AccountId::generate(),
        symbol: "AAPL".parse().unwrap(),
        side,
        pricing,
        lifetime: Lifetime::Day,
        size,
    };
    let account = AccountState {
        currency: Currency::Usd,
        cash_free: Decimal::from(1_000_000_000),
        shares_free: Decimal::from(1_000_000),
        symbol_unresolved: false,
        symbol_halted: false,
        margin: None,
        tariff: exchange::Tariff::Simulator,
        takes_amounts: true,
    };
    let approved = judge(wish, &account, Some(&quote()), at(0)).approved().unwrap();
    let id = OrderId::generate();
    Order::submitted(id, UserId::generate(), &ClientOrderId::from(id), &approved, at(0))
}

fn executed(number: u32, quantity: u32) -> ReportKind {
    ReportKind::Fill {
        execution_id: format!("x:{number}"),
        quantity: Quantity::new(Decimal::from(quantity)).unwrap(),
        price: "100".parse().unwrap(),
        commission: Decimal::ZERO,
        tax: Decimal::ZERO,
    }
}

fn report(order: &mut Order, kind: &ReportKind) -> Effects {
    apply(order, kind, at(1), at(2))
}

fn canceled() -> ReportKind {
    ReportKind::Canceled { reason: None }
}

#[test]
fn a_fill_before_the_acknowledgement_implies_it() {
    let mut order = order(Side::Buy, 10);
    assert!(report(&mut order, &executed(1, 10)).execution.is_some());
    assert_eq!(order.status, OrderStatus::Filled);
    assert_eq!(order.held, Decimal::ZERO);
    assert_eq!(
        report(&mut order, &ReportKind::Accepted),
        Effects::default(),
        "the late acknowledgement is old news"
    );
}

#[test]
fn a_partial_fill_gives_its_part_of_the_hold_back() {
    let mut order = order(Side::Sell, 10);
    report(&mut order, &ReportKind::Accepted);
    let effects = report(&mut order, &executed(1, 4));
    assert_eq!(effects.hold_change, Decimal::from(-4));
    assert_eq!((order.held, order.leaves_quantity()), (Decimal::from(6), Decimal::from(6)));
}

#[test]
fn a_cancel_gives_the_rest_of_the_hold_back() {
    let mut order = order(Side::Buy, 10);
    let held = order.held;
    report(&mut order, &ReportKind::Accepted);
    assert_eq!(report(&mut order, &canceled()).hold_change, -held);
    assert_eq!(order.status, OrderStatus::Canceled);
}

#[test]
fn a_fill_after_cancel_books_the_money() {
    let mut order = order(Side::Buy, 10);
    report(&mut order, &canceled());
    let effects = report(&mut order, &executed(1, 3));
    assert!(effects.execution.is_some());
    assert_eq!(effects.incidents[0].kind, "late_fill");
    assert_eq!((order.status, order.filled_quantity), (OrderStatus::Canceled, Decimal::from(3)));
    assert_eq!(effects.hold_change, Decimal::ZERO, "its hold was given back by the cancel");
}

#[test]
fn a_fill_of_a_refused_order_is_booked_and_raises_an_alarm() {
    let mut order = order(Side::Buy, 10);
    report(&mut order, &ReportKind::Rejected { reason: "no".to_owned() });
    let effects = report(&mut order, &executed(1, 10));
    assert!(effects.execution.is_some());
    assert_eq!(effects.incidents[0].kind, "fill_of_refused_order");
}

#[test]
fn more_shares_than_ordered_are_booked_and_raise_an_alarm() {
    let mut order = order(Side::Buy, 10);
    let effects = report(&mut order, &executed(1, 11));
    assert!(effects.execution.is_some());
    assert_eq!(effects.incidents[0].kind, "overfill");
    assert_eq!((order.status, order.leaves_quantity()), (OrderStatus::Filled, Decimal::ZERO));
}

#[test]
fn any_word_of_the_broker_resolves_what_was_unknown() {
    let mut order = order(Side::Buy, 10);
    order.unresolved_since = Some(at(0));
    report(&mut order, &ReportKind::Accepted);
    assert_eq!(order.unresolved_since, None);
}

fn shares(quantity: u32) -> Quantity {
    Quantity::new(Decimal::from(quantity)).unwrap()
}

/// The order is asked to be for so many shares at this limit.
fn asked(order: &mut Order, quantity: u32, limit: u32) -> ReplaceId {
    let price = Price::new(Decimal::from(limit)).unwrap();
    let terms = OrderTerms {
        quantity: shares(quantity),
        pricing: Pricing::Limit(price),
        worst_price: Some(price),
        ..order.terms()
    };
    let replacement = Replacement { id: ReplaceId::generate(), terms };
    let asking = ask(order, replacement, at(1));
    assert!(asking.hold_change >= Decimal::ZERO, "asking never frees anything");
    replacement.id
}

fn replaced(id: ReplaceId, quantity: u32, limit: u32) -> ReportKind {
    ReportKind::Replaced {
        replace_id: id,
        quantity: shares(quantity),
        limit_price: Some(Price::new(Decimal::from(limit)).unwrap()),
        stop_price: None,
        trail_amount: None,
        trail_percent: None,
    }
}

#[test]
fn while_other_terms_are_asked_for_the_larger_hold_stands() {
    let mut order = order(Side::Sell, 10);
    report(&mut order, &ReportKind::Accepted);
    let more = asked(&mut order, 15, 100);
    assert_eq!((order.held, order.quantity), (Decimal::from(15), shares(10)));
    let effects = report(&mut order, &replaced(more, 15, 90));
    assert_eq!(effects.replace_answered, Some((more, true)));
    assert_eq!((order.held, order.quantity), (Decimal::from(15), shares(15)));
    let less = asked(&mut order, 5, 90);
    assert_eq!(order.held, Decimal::from(15));
    assert_eq!(report(&mut order, &replaced(less, 5, 90)).hold_change, Decimal::from(-10));
    assert_eq!(report(&mut order, &replaced(more, 15, 90)), Effects::default(), "it has taken effect once");
    let first = order.as_first_answered();
    assert_eq!((first.quantity, first.held), (shares(10), Decimal::TEN), "a repetition is answered as ever");
}

#[test]
fn a_refused_replace_gives_its_part_of_the_hold_back() {
    let mut order = order(Side::Sell, 10);
    report(&mut order, &ReportKind::Accepted);
    let id = asked(&mut order, 15, 100);
    let refused = refuse(&mut order, id, Some("no".to_owned()), at(3)).unwrap();
    assert_eq!(
        (refused.entries[0].event, refused.hold_change, order.held),
        ("replace_rejected", Decimal::from(-5), Decimal::TEN)
    );
    assert!(refuse(&mut order, id, None, at(3)).is_none(), "once");
}

#[test]
fn a_fill_that_crosses_a_larger_replace_leaves_the_order_open_until_that_is_answered() {
    let mut order = order(Side::Sell, 10);
    report(&mut order, &ReportKind::Accepted);
    let id = asked(&mut order, 15, 100);
    report(&mut order, &executed(1, 10));
    assert_eq!((order.status, order.held), (OrderStatus::PartiallyFilled, Decimal::from(5)));
    let mut refused = order.clone();
    refuse(&mut refused, id, None, at(3));
    assert_eq!((refused.status, refused.held), (OrderStatus::Filled, Decimal::ZERO));
    report(&mut order, &replaced(id, 15, 100));
    assert_eq!((order.status, order.leaves_quantity()), (OrderStatus::PartiallyFilled, Decimal::from(5)));
}

#[test]
fn a_fill_beyond_the_old_terms_leaves_it_to_the_broker_to_say_which_hold() {
    let mut order = order(Side::Sell, 10);
    report(&mut order, &ReportKind::Accepted);
    let id = asked(&mut order, 15, 100);
    let effects = report(&mut order, &executed(1, 15));
    assert_eq!((order.status, effects.incidents.len()), (OrderStatus::PartiallyFilled, 0));
    assert_eq!((order.quantity, order.held), (shares(10), Decimal::ZERO));
    let mut undone = order.clone();
    let effects = report(&mut order, &replaced(id, 15, 100));
    assert_eq!(effects.replace_answered, Some((id, true)));
    assert_eq!((order.status, order.quantity), (OrderStatus::Filled, shares(15)));
    let refused = refuse(&mut undone, id, None, at(3)).unwrap();
    assert_eq!(refused.incident.map(|incident| incident.kind), Some("overfill"));
    assert_eq!((undone.status, undone.quantity), (OrderStatus::Filled, shares(10)));
}

#[test]
fn a_fill_beyond_all_terms_is_an_overfill() {
    let mut order = order(Side::Sell, 10);
    report(&mut order, &ReportKind::Accepted);
    asked(&mut order, 15, 100);
    let effects = report(&mut order, &executed(1, 16));
    assert_eq!(effects.incidents[0].kind, "overfill");
}

#[test]
fn an_order_that_ends_beyond_its_old_terms_had_those_asked_for() {
    let mut order = order(Side::Sell, 10);
    report(&mut order, &ReportKind::Accepted);
    let id = asked(&mut order, 15, 100);
    report(&mut order, &executed(1, 12));
    let effects = report(&mut order, &canceled());
    assert_eq!(
        (order.status, order.quantity, order.held),
        (OrderStatus::Canceled, shares(15), Decimal::ZERO)
    );
    assert_eq!(effects.replace_answered, Some((id, true)));
}

#[test]
fn a_replace_to_no_more_than_what_is_filled_ends_the_order() {
    for quantity in [3, 4] {
        let mut order = order(Side::Buy, 10);
        report(&mut order, &executed(1, 4));
        let id = asked(&mut order, quantity, 100);
        assert_eq!(order.status, OrderStatus::PartiallyFilled);
        let effects = report(&mut order, &replaced(id, quantity, 100));
        assert_eq!((order.status, order.quantity), (OrderStatus::Filled, shares(4)));
        assert_eq!((order.held, effects.incidents.len()), (Decimal::ZERO, 0));
        let events: Vec<&str> = effects.entries.iter().map(|entry| entry.event).collect();
        assert_eq!(events, ["replaced", "filled"]);
    }
}

#[test]
fn an_order_that_ends_takes_its_request_with_it() {
    for end in [canceled(), ReportKind::Expired, executed(1, 10)] {
        let mut order = order(Side::Buy, 10);
        report(&mut order, &ReportKind::Accepted);
        let id = asked(&mut order, 5, 100);
        let effects = report(&mut order, &end);
        assert_eq!((order.held, effects.replace_answered), (Decimal::ZERO, Some((id, false))));
        assert_eq!(report(&mut order, &replaced(id, 5, 100)), Effects::default());
    }
}

#[test]
fn a_replace_that_nobody_asked_for_is_taken_and_raises_an_alarm() {
    let mut order = order(Side::Sell, 10);
    report(&mut order, &ReportKind::Accepted);
    let effects = report(&mut order, &replaced(ReplaceId::generate(), 4, 90));
    assert_eq!(effects.incidents[0].kind, "unasked_replace");
    assert_eq!((order.quantity, order.held), (shares(4), Decimal::from(4)));
}

#[test]
fn an_order_is_triggered_once_and_that_implies_the_acknowledgement() {
    let mut order = order(Side::Buy, 10);
    let triggered = ReportKind::Triggered { price: "100".parse().unwrap() };
    let effects = report(&mut order, &triggered);
    assert_eq!((effects.entries[0].event, order.status), ("triggered", OrderStatus::New));
    assert_eq!(report(&mut order, &triggered), Effects::default());
    assert_eq!(order.triggered_at, Some(at(1)));
}

/// What a broker may truthfully report of an order of a hundred shares, before the way scrambles it.
fn story() -> impl Strategy<Value = Vec<ReportKind>> {
    let ends = prop::sample::select(vec![None, Some(canceled()), Some(ReportKind::Expired)]);
    (prop::collection::vec(1u32..30, 0..8), ends).prop_map(|(parts, end)| {
        let mut told = vec![ReportKind::Accepted];
        let mut left = 100;
        for (number, part) in (1..).zip(parts) {
            let part = part.min(left);
            if part > 0 {
                told.push(executed(number, part));
                left -= part;
            }
        }
        if left > 0 {
            told.extend(end);
        }
        told
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn reports_tripled_and_shuffled_come_to_the_same_books(
        (told, order_of_arrival) in story().prop_flat_map(|told| {
            let tripled: Vec<ReportKind> = std::iter::repeat_n(told.clone(), 3).flatten().collect();
            (Just(told), Just(tripled).prop_shuffle())
        }),
        sell in any::<bool>(),
    ) {
        let side = if sell { Side::Sell } else { Side::Buy };
        let mut order = order(side, 100);
        let (mut held, mut sequence, mut ended) = (order.held, order.event_sequence, false);
        let mut booked = Decimal::ZERO;
        let mut known = HashSet::new();
        for kind in &order_of_arrival {
            // The applier refuses an execution that it has booked; the rest reaches the order every time.
            if let ReportKind::Fill { execution_id, .. } = kind && !known.insert(execution_id.clone()) {
                continue;
            }
            let before = order.filled_quantity;
            let effects = report(&mut order, kind);
            held += effects.hold_change;
            prop_assert_eq!(held, order.held);
            prop_assert!(order.held >= Decimal::ZERO && effects.hold_change <= Decimal::ZERO);
            prop_assert!(order.filled_quantity >= before);
            prop_assert!(!ended || order.status.is_terminal(), "what has ended stays ended");
            ended = order.status.is_terminal();
            booked += effects.execution.map_or(Decimal::ZERO, |execution| execution.quantity.value());
            for entry in effects.entries {
                sequence += 1;
                prop_assert_eq!(entry.sequence, sequence);
            }
        }
        let executed: Decimal = told.iter().map(|kind| match kind {
            ReportKind::Fill { quantity, .. } => quantity.value(),
            _ => Decimal::ZERO,
        }).sum();
        prop_assert_eq!(booked, executed);
        prop_assert_eq!(order.filled_quantity, executed);
        prop_assert_eq!(order.held, order.hold_due());
        prop_assert!(!order.status.is_terminal() || order.held.is_zero());
        let told_end = told.len() > 1 && !matches!(told.last(), Some(ReportKind::Fill { .. } | ReportKind::Accepted));
        prop_assert_eq!(order.status.is_terminal(), told_end || executed == Decimal::ONE_HUNDRED);
    }
}

/// A broker with one order, which may be cancelled, changed and executed at any moment; and what it says, in order.
#[derive(Debug, Clone)]
struct Broker {
    open: Option<u32>,
    filled: u32,
    executions: u32,
    told: Vec<ReportKind>,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Fill(u32),
    Cancel,
    /// The trader asks for so many shares; the request arrives with the next `Deliver`.
    Ask(u32),
    Deliver,
    /// The backend reads so many reports.
    Read(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1u32..40).prop_map(Step::Fill),
        1 => Just(Step::Cancel),
        3 => (1u32..150).prop_map(Step::Ask),
        3 => Just(Step::Deliver),
        4 => (1usize..4).prop_map(Step::Read),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn replaces_fills_and_cancels_that_cross_come_to_the_brokers_truth(
        steps in prop::collection::vec(step(), 0..40), sell in any::<bool>(), tripled in any::<bool>(),
    ) {
        let mut order = order(if sell { Side::Sell } else { Side::Buy }, 100);
        let mut broker =
            Broker { open: Some(100), filled: 0, executions: 0, told: vec![ReportKind::Accepted] };
        let (mut read, mut under_way, mut held) = (0, None, order.held);
        let mut known = HashSet::new();
        for step in steps.into_iter().chain([Step::Deliver, Step::Read(usize::MAX)]) {
            match step {
                Step::Fill(part) => {
                    if let Some(total) = broker.open {
                        let part = part.min(total - broker.filled);
                        broker.executions += 1;
                        broker.filled += part;
                        broker.told.push(executed(broker.executions, part));
                        broker.open = Some(total).filter(|total| broker.filled < *total);
                    }
                }
                Step::Cancel => {
                    if broker.open.take().is_some() {
                        broker.told.push(canceled());
                    }
                }
                Step::Ask(quantity) => {
                    if !order.status.is_terminal() && order.replacing.is_none() {
                        under_way = Some((asked(&mut order, quantity, 100), quantity));
                        held = order.held;
                    }
                }
                Step::Deliver => {
                    let Some((id, quantity)) = under_way.take() else { continue };
                    if broker.open.is_some() {
                        let quantity = quantity.max(broker.filled);
                        broker.told.push(replaced(id, quantity, 100));
                        broker.open = Some(quantity).filter(|total| broker.filled < *total);
                    } else if let Some(refused) = refuse(&mut order, id, None, at(2)) {
                        held += refused.hold_change;
                    }
                }
                Step::Read(count) => {
                    let new: Vec<ReportKind> = broker.told.iter().skip(read).take(count).cloned().collect();
                    read += new.len();
                    let times = if tripled { 3 } else { 1 };
                    for kind in new.iter().flat_map(|kind| std::iter::repeat_n(kind, times)) {
                        if let ReportKind::Fill { execution_id, .. } = kind && !known.insert(execution_id.clone()) {
                            continue;
                        }
                        let effects = report(&mut order, kind);
                        held += effects.hold_change;
                        prop_assert!(effects.hold_change <= Decimal::ZERO);
                        prop_assert!(effects.incidents.is_empty(), "{:?}", effects.incidents);
                    }
                }
            }
            prop_assert_eq!((order.held, order.held), (held, order.hold_due()));
            prop_assert!(!order.status.is_terminal() || order.held.is_zero());
        }
        prop_assert_eq!(order.filled_quantity, Decimal::from(broker.filled));
        prop_assert_eq!(order.status.is_terminal(), broker.open.is_none(), "{:?} {:?}", order, broker);
        if let Some(total) = broker.open {
            prop_assert_eq!(order.quantity, shares(total));
        }
    }
}
