use super::*;
use domain::{AccountId, OrderType, Quantity, Side};
use serde_json::json;

fn broker(shared_exits: bool, order_types: &[&str], times_in_force: &[&str]) -> CapabilitiesDocument {
    let described = json!({
        "broker": "elsewhere", "markets": ["US"], "currencies": ["USD"], "orderTypes": order_types,
        "timesInForce": times_in_force, "replace": true, "replaceQuantity": true, "sharedExits": shared_exits,
        "fractions": false, "credentials": true, "keepsCash": true, "realMoney": true,
    });
    let mut broker: CapabilitiesDocument = serde_json::from_value(described).unwrap();
    broker.groups = kinds_at(&broker);
    broker
}

fn leg(side: Side, order_type: OrderType, time_in_force: TimeInForce) -> LegWish {
    let price = Some("100".parse().unwrap());
    LegWish {
        side,
        r#type: order_type,
        time_in_force,
        expire_date: None,
        limit_price: price.filter(|_| matches!(order_type, OrderType::Limit | OrderType::StopLimit)),
        stop_price: price.filter(|_| matches!(order_type, OrderType::Stop | OrderType::StopLimit)),
        trail_amount: None,
        trail_percent: None,
    }
}

fn bracket() -> NewGroup {
    NewGroup {
        account_id: AccountId::generate(),
        kind: GroupKind::Bracket,
        symbol: "AAPL".parse().unwrap(),
        quantity: Quantity::new(10.into()).unwrap(),
        legs: vec![
            (LegName::Entry, leg(Side::Buy, OrderType::Market, TimeInForce::Day)),
            (LegName::TakeProfit, leg(Side::Sell, OrderType::Limit, TimeInForce::Gtc)),
            (LegName::StopLoss, leg(Side::Sell, OrderType::Stop, TimeInForce::Gtc)),
        ],
        left_open: vec![LegName::TakeProfit],
        is_native: false,
    }
}

/// The refused fields with their rules; nothing where the broker works it.
fn refused(group: &mut NewGroup, broker: &CapabilitiesDocument) -> Vec<(String, String)> {
    let Err(error) = group.fit(broker) else { return Vec::new() };
    assert_eq!(error.code(), ErrorCode::OrderDenied);
    error.field_errors().iter().map(|error| (error.field.clone(), error.rule.clone())).collect()
}

fn pair(field: &str, rule: &str) -> (String, String) {
    (field.to_owned(), rule.to_owned())
}

#[test]
fn a_broker_that_takes_everything_works_every_kind() {
    let all = broker(true, &["market", "limit", "stop"], &["day", "gtc"]);
    assert_eq!(all.groups, [GroupKind::Oto, GroupKind::Oco, GroupKind::Bracket]);
    let mut group = bracket();
    assert_eq!(refused(&mut group, &all), []);
    assert_eq!(group.legs[1].1.time_in_force, TimeInForce::Gtc, "what it keeps it is asked to keep");
}

#[test]
fn two_exits_are_refused_where_each_sale_reserves_its_shares_or_keeps_its_size() {
    let reserves = broker(false, &["market", "limit", "stop"], &["day", "gtc"]);
    assert_eq!(refused(&mut bracket(), &reserves), [pair("stopLoss", "group_unsupported")]);
    let mut keeps_sizes = broker(true, &["market", "limit", "stop"], &["day", "gtc"]);
    keeps_sizes.replace_quantity = false;
    assert_eq!(kinds_at(&keeps_sizes), [GroupKind::Oto]);
}

#[test]
fn each_leg_that_cannot_be_is_named_with_its_reason_and_what_was_left_open_is_for_the_day() {
    let day_only = broker(true, &["market", "limit"], &["day", "ioc"]);
    let mut group = bracket();
    let complaints = refused(&mut group, &day_only);
    let expected = [
        pair("stopLoss.type", "order_type_unsupported"),
        pair("stopLoss.timeInForce", "time_in_force_unsupported"),
    ];
    assert_eq!(complaints, expected);
    assert_eq!(group.legs[1].1.time_in_force, TimeInForce::Day);
    assert_eq!(group.legs[2].1.time_in_force, TimeInForce::Gtc, "what was asked for is not changed");
}

#[test]
fn what_the_house_cannot_work_is_the_brokers_where_it_takes_it_as_one_order() {
    let mut takes = broker(false, &["market", "limit", "stop", "trailing_stop"], &["day", "gtc"]);
    takes.native_groups = vec![GroupKind::Bracket, GroupKind::Oco];
    takes.groups = kinds_at(&takes);
    assert_eq!(takes.groups, [GroupKind::Oto, GroupKind::Oco, GroupKind::Bracket]);
    let mut group =
        NewGroup { left_open: vec![LegName::Entry, LegName::TakeProfit, LegName::StopLoss], ..bracket() };
    assert_eq!(refused(&mut group, &takes), []);
    assert!(group.is_native);
    assert!(group.legs.iter().all(|(_, wish)| wish.time_in_force == TimeInForce::Gtc));

    let mut for_the_day = NewGroup { left_open: vec![LegName::TakeProfit, LegName::StopLoss], ..bracket() };
    assert_eq!(refused(&mut for_the_day, &takes), []);
    assert!(for_the_day.legs.iter().all(|(_, wish)| wish.time_in_force == TimeInForce::Day));

    let mut trailing = bracket();
    trailing.legs[2].1 = leg(Side::Sell, OrderType::TrailingStop, TimeInForce::Day);
    assert_eq!(refused(&mut trailing, &takes), [pair("stopLoss.type", "order_type_unsupported")]);

    takes.shared_exits = true;
    let mut by_the_house = bracket();
    assert_eq!(refused(&mut by_the_house, &takes), []);
    assert!(!by_the_house.is_native, "where simple orders do, they are the same at every broker");
}

/// A purchase at 100 and what follows it, neither of which says how long it stays.
fn one_after_the_other(then: LegWish) -> NewGroup {
    NewGroup {
        kind: GroupKind::Oto,
        legs: vec![
            (LegName::Entry, leg(Side::Buy, OrderType::Limit, TimeInForce::Day)),
            (LegName::Then, then),
        ],
        left_open: vec![LegName::Entry, LegName::Then],
        ..bracket()
    }
}

fn exit(order_type: OrderType, limit: Option<&str>, stop: Option<&str>) -> LegWish {
    let price = |text: Option<&str>| text.map(|text| text.parse().unwrap());
    LegWish {
        limit_price: price(limit),
        stop_price: price(stop),
        ..leg(Side::Sell, order_type, TimeInForce::Gtc)
    }
}

fn takes_exits_that_follow() -> CapabilitiesDocument {
    let all = ["market", "limit", "stop", "stop_limit", "trailing_stop"];
    let mut broker = broker(false, &all, &["day", "gtc", "ioc"]);
    broker.native_groups = vec![GroupKind::Oto];
    broker.groups = kinds_at(&broker);
    broker
}

#[test]
fn an_exit_that_follows_a_purchase_is_the_brokers_where_it_takes_it_with_that() {
    let takes = takes_exits_that_follow();
    for then in [
        exit(OrderType::Limit, Some("101"), None),
        exit(OrderType::Stop, None, Some("99")),
        exit(OrderType::StopLimit, Some("98"), Some("99")),
    ] {
        let mut group = one_after_the_other(then);
        assert_eq!(refused(&mut group, &takes), []);
        assert!(group.is_native, "{then:?}");
        assert!(group.legs.iter().all(|(_, wish)| wish.time_in_force == TimeInForce::Gtc), "{then:?}");

        let mut for_the_day = NewGroup { left_open: vec![LegName::Then], ..one_after_the_other(then) };
        assert_eq!(refused(&mut for_the_day, &takes), []);
        assert!(for_the_day.is_native);
        assert!(for_the_day.legs.iter().all(|(_, wish)| wish.time_in_force == TimeInForce::Day));

        let mut elsewhere = one_after_the_other(then);
        assert_eq!(
            refused(&mut elsewhere, &broker(true, &["limit", "stop", "stop_limit"], &["day", "gtc"])),
            []
        );
        assert!(!elsewhere.is_native, "a broker that has no such class");
    }
    let mut at_any_price = one_after_the_other(exit(OrderType::Stop, None, Some("99")));
    at_any_price.legs[0].1 = leg(Side::Buy, OrderType::Market, TimeInForce::Day);
    assert_eq!(refused(&mut at_any_price, &takes), []);
    assert!(at_any_price.is_native, "what it will have cost nobody knows yet");
}

#[test]
fn whatever_else_follows_an_order_is_two_simple_orders() {
    let takes = takes_exits_that_follow();
    let above = exit(OrderType::Limit, Some("101"), None);
    let with_entry = |entry| {
        let mut group = one_after_the_other(above);
        group.legs[0].1 = entry;
        group
    };
    let said = |entry, then| {
        let mut group = NewGroup { left_open: Vec::new(), ..one_after_the_other(above) };
        group.legs[0].1.time_in_force = entry;
        group.legs[1].1.time_in_force = then;
        group
    };
    let trailing = LegWish {
        trail_percent: Some("5".parse().unwrap()),
        ..leg(Side::Buy, OrderType::TrailingStop, TimeInForce::Day)
    };
    for (what, mut group) in [
        ("another purchase", one_after_the_other(LegWish { side: Side::Buy, ..above })),
        ("a purchase after a sale", {
            let mut group = with_entry(leg(Side::Sell, OrderType::Limit, TimeInForce::Day));
            group.legs[1].1.side = Side::Buy;
            group
        }),
        ("a sale at any price", one_after_the_other(exit(OrderType::Market, None, None))),
        ("a stop that trails", one_after_the_other(LegWish { side: Side::Sell, ..trailing })),
        ("after a stop that trails", with_entry(trailing)),
        (
            "a sale no dearer than the purchase",
            one_after_the_other(exit(OrderType::Limit, Some("100"), None)),
        ),
        ("a stop no lower than the purchase", one_after_the_other(exit(OrderType::Stop, None, Some("100")))),
        ("the entry for the day and the exit for longer", said(TimeInForce::Day, TimeInForce::Gtc)),
        ("the entry for longer and the exit for the day", said(TimeInForce::Gtc, TimeInForce::Day)),
        ("both at once or not at all", said(TimeInForce::Ioc, TimeInForce::Ioc)),
    ] {
        let asked: Vec<TimeInForce> = group.legs.iter().map(|(_, wish)| wish.time_in_force).collect();
        assert_eq!(refused(&mut group, &takes), [], "{what}");
        assert!(!group.is_native, "{what}");
        let got: Vec<TimeInForce> = group.legs.iter().map(|(_, wish)| wish.time_in_force).collect();
        assert_eq!(got, asked, "{what}: each stays as long as it was to stay");
    }
}
