use super::*;
use crate::risk::{AccountState, judge};
use chrono::NaiveDate;
use domain::{
    AccountId, ClientOrderId, Currency, NewOrder, OrderId, Pricing, Quote, Side, TimeInForce, UserId,
};
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
    let wish = NewOrder {
        account_id: AccountId::generate(),
        symbol: "AAPL".parse().unwrap(),
        side,
        pricing: Pricing::Limit("100".parse().unwrap()),
        time_in_force: TimeInForce::Day,
        quantity: Quantity::new(Decimal::from(quantity)).unwrap(),
    };
    let account = AccountState {
        currency: Currency::Usd,
        cash_free: Decimal::from(1_000_000_000),
        shares_free: Decimal::from(1_000_000),
        symbol_unresolved: false,
    };
    let approved = judge(wish, &account, Some(&quote()), at(0).date_naive()).approved().unwrap();
    let id = OrderId::generate();
    Order::submitted(id, UserId::generate(), &ClientOrderId::from(id), &approved, at(0)).0
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
