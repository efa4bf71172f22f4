//! Orders whose amount of money is sent to their broker, which says how many shares it was.

use super::*;

/// A purchase whose amount of money is sent to its broker: at the price of the moment for ten shares.
fn order_by_amount() -> Order {
    let order = order_for(Side::Buy, Pricing::Market, Size::Notional("1000".parse().unwrap()));
    assert_eq!((order.sends_amount, order.quantity), (true, shares(10)));
    order
}

fn counted(quantity: u32) -> ReportKind {
    ReportKind::Replaced {
        replace_id: ReplaceId(uuid::Uuid::from_u128(quantity.into())),
        quantity: shares(quantity),
        limit_price: None,
        stop_price: None,
        trail_amount: None,
        trail_percent: None,
    }
}

/// So many shares for half of what they cost when the order was judged.
fn cheap(number: u32, quantity: u32) -> ReportKind {
    match executed(number, quantity) {
        ReportKind::Fill { execution_id, quantity, commission, tax, .. } => {
            ReportKind::Fill { execution_id, quantity, price: "50".parse().unwrap(), commission, tax }
        }
        other => other,
    }
}

#[test]
fn an_amount_ends_by_the_brokers_word_and_not_by_the_shares_that_were_estimated() {
    let mut order = order_by_amount();
    let fees = order.held - Decimal::from(1000);
    report(&mut order, &ReportKind::Accepted);
    let effects = report(&mut order, &cheap(1, 15));
    assert_eq!((order.status, effects.incidents.len()), (OrderStatus::PartiallyFilled, 0));
    assert_eq!(order.held - fees, Decimal::from(250), "what is not spent stays held");
    report(&mut order, &cheap(2, 5));
    assert_eq!((order.status, order.is_estimated()), (OrderStatus::PartiallyFilled, true));
    let effects = report(&mut order, &counted(20));
    let events: Vec<&str> = effects.entries.iter().map(|entry| entry.event).collect();
    assert_eq!(events, ["amount_counted", "filled"]);
    assert_eq!((order.status, order.quantity, order.held), (OrderStatus::Filled, shares(20), Decimal::ZERO));
    assert_eq!((effects.incidents.len(), order.is_estimated()), (0, false));
    let first = order.as_first_answered();
    assert_eq!(
        (first.quantity, first.is_estimated()),
        (shares(10), true),
        "a repetition is answered as ever"
    );
    let late = report(&mut order, &cheap(3, 1));
    assert!(
        late.incidents.iter().any(|incident| incident.kind == "overfill"),
        "more than the broker counted"
    );
}

#[test]
fn an_amount_that_buys_fewer_shares_than_estimated_is_filled_by_them() {
    let mut order = order_by_amount();
    let effects = report(&mut order, &counted(8));
    assert_eq!((order.status, order.quantity, effects.incidents.len()), (OrderStatus::New, shares(8), 0));
    let effects = report(&mut order, &executed(1, 8));
    assert_eq!((order.status, order.held), (OrderStatus::Filled, Decimal::ZERO));
    assert!(effects.incidents.is_empty());
}

#[test]
fn an_amount_that_is_taken_back_gives_back_what_it_has_not_spent() {
    let mut order = order_by_amount();
    report(&mut order, &cheap(1, 15));
    let held = order.held;
    let effects = report(&mut order, &canceled());
    assert_eq!((order.status, order.held), (OrderStatus::Canceled, Decimal::ZERO));
    assert_eq!((effects.hold_change, effects.incidents.len()), (-held, 0));
}

/// What a broker may truthfully report of an amount that buys twenty shares where ten were estimated, or a part of them.
fn story_of_amount() -> impl Strategy<Value = (Vec<ReportKind>, OrderStatus)> {
    let ends = prop::sample::select(vec![None, Some((canceled(), OrderStatus::Canceled))]);
    (prop::collection::vec(1u32..8, 0..10), ends).prop_map(|(parts, end)| {
        let mut told = vec![ReportKind::Accepted];
        let mut left = 20;
        for (number, part) in (1..).zip(parts) {
            let part = part.min(left);
            if part > 0 {
                told.push(cheap(number, part));
                left -= part;
            }
        }
        let working = if left == 20 { OrderStatus::New } else { OrderStatus::PartiallyFilled };
        let status = match (left, end) {
            (0, _) => {
                told.push(counted(20));
                OrderStatus::Filled
            }
            (_, Some((end, status))) => {
                told.push(end);
                status
            }
            (_, None) => working,
        };
        (told, status)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn what_is_told_of_an_amount_tripled_and_shuffled_comes_to_the_same_books(
        ((told, status), order_of_arrival) in story_of_amount().prop_flat_map(|(told, status)| {
            let tripled: Vec<ReportKind> = std::iter::repeat_n(told.clone(), 3).flatten().collect();
            (Just((told, status)), Just(tripled).prop_shuffle())
        }),
    ) {
        let mut order = order_by_amount();
        let mut held = order.held;
        let mut known = HashSet::new();
        let late = told.contains(&canceled());
        for kind in &order_of_arrival {
            if let ReportKind::Fill { execution_id, .. } = kind && !known.insert(execution_id.clone()) {
                continue;
            }
            let effects = report(&mut order, kind);
            held += effects.hold_change;
            prop_assert_eq!(held, order.held);
            prop_assert!(effects.hold_change <= Decimal::ZERO);
            // An end that overtakes executions makes them late, and nothing makes them too many.
            prop_assert!(effects.incidents.iter().all(|incident| late && incident.kind == "late_fill"));
        }
        let executed: Decimal = told.iter().map(|kind| match kind {
            ReportKind::Fill { quantity, .. } => quantity.value(),
            _ => Decimal::ZERO,
        }).sum();
        prop_assert_eq!((order.filled_quantity, order.status), (executed, status));
        let spent = executed * Decimal::from(50);
        prop_assert!(order.status.is_terminal() || order.held >= Decimal::from(1000) - spent);
        prop_assert!(!order.status.is_terminal() || order.held.is_zero());
    }
}
