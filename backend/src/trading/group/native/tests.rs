use super::*;
use crate::trading::group::{GroupStatus, LegState};
use domain::{AccountId, OrderGroupId, Side, UserId};

fn wish(side: Side, order_type: OrderType) -> LegWish {
    let price = Some("100".parse().unwrap());
    LegWish {
        side,
        r#type: order_type,
        time_in_force: TimeInForce::Gtc,
        expire_date: None,
        limit_price: price.filter(|_| order_type == OrderType::Limit),
        stop_price: price.filter(|_| order_type == OrderType::Stop),
        trail_amount: None,
        trail_percent: None,
    }
}

fn group(kind: GroupKind, is_native: bool) -> Group {
    let leg = |name, wish| GroupLeg {
        name,
        order_id: OrderId::generate(),
        wish,
        state: LegState::Waiting,
        denials: None,
    };
    let mut legs = match kind {
        GroupKind::Oto => vec![leg(LegName::Then, wish(Side::Sell, OrderType::Stop))],
        GroupKind::Oco | GroupKind::Bracket => vec![
            leg(LegName::TakeProfit, wish(Side::Sell, OrderType::Limit)),
            leg(LegName::StopLoss, wish(Side::Sell, OrderType::Stop)),
        ],
    };
    if kind != GroupKind::Oco {
        legs.push(leg(LegName::Entry, wish(Side::Buy, OrderType::Limit)));
    }
    Group {
        id: OrderGroupId::generate(),
        account_id: AccountId::generate(),
        user_id: UserId::generate(),
        client_group_id: "one".to_owned(),
        kind,
        symbol: "AAPL".parse().unwrap(),
        quantity: Quantity::new(10.into()).unwrap(),
        is_native,
        status: GroupStatus::Active,
        cancel_requested_at: None,
        created_at: DateTime::UNIX_EPOCH,
        updated_at: DateTime::UNIX_EPOCH,
        legs,
    }
}

fn id(group: &Group, name: LegName) -> OrderId {
    group.legs.iter().find(|leg| leg.name == name).unwrap().order_id
}

#[test]
fn the_entry_of_a_bracket_brings_both_exits_and_they_follow_it() {
    let group = group(GroupKind::Bracket, true);
    let entry = id(&group, LegName::Entry);
    let Some(Contingency::Leads { class: OrderClass::Bracket, exits }) = group.contingency(entry) else {
        panic!("{:?}", group.contingency(entry))
    };
    let kinds: Vec<ExitKind> = exits.iter().map(|exit| exit.kind).collect();
    assert_eq!(kinds, [ExitKind::TakeProfit, ExitKind::StopLoss]);
    assert!(exits.iter().all(|exit| exit.side == Side::Sell));
    for name in [LegName::TakeProfit, LegName::StopLoss] {
        assert_eq!(group.contingency(id(&group, name)), Some(Contingency::Follows { leader: entry }));
    }
}

#[test]
fn the_exit_with_profit_of_two_brings_the_other() {
    let group = group(GroupKind::Oco, true);
    let (profit, loss) = (id(&group, LegName::TakeProfit), id(&group, LegName::StopLoss));
    let Some(Contingency::Leads { class: OrderClass::Oco, exits }) = group.contingency(profit) else {
        panic!("{:?}", group.contingency(profit))
    };
    assert_eq!(exits.iter().map(|exit| exit.order_id).collect::<Vec<_>>(), [loss]);
    assert_eq!(group.contingency(loss), Some(Contingency::Follows { leader: profit }));
}

#[test]
fn an_entry_brings_the_one_exit_that_follows_it_by_the_type_that_it_has() {
    for (order_type, kind) in
        [(OrderType::Limit, ExitKind::TakeProfit), (OrderType::Stop, ExitKind::StopLoss)]
    {
        let mut group = group(GroupKind::Oto, true);
        let then = group.legs.iter_mut().find(|leg| leg.name == LegName::Then).unwrap();
        then.wish = wish(Side::Sell, order_type);
        let (entry, then) = (id(&group, LegName::Entry), id(&group, LegName::Then));
        let Some(Contingency::Leads { class: OrderClass::Oto, exits }) = group.contingency(entry) else {
            panic!("{:?}", group.contingency(entry))
        };
        let told: Vec<_> = exits.iter().map(|exit| (exit.order_id, exit.kind, exit.side)).collect();
        assert_eq!(told, [(then, kind, Side::Sell)]);
        assert_eq!(group.contingency(then), Some(Contingency::Follows { leader: entry }));
    }
}

#[test]
fn orders_that_the_house_works_stand_alone_at_the_broker() {
    for kind in [GroupKind::Bracket, GroupKind::Oto] {
        let group = group(kind, false);
        assert!(group.legs.iter().all(|leg| group.contingency(leg.order_id).is_none()));
    }
}
