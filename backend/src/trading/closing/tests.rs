use super::*;
use crate::risk::Hold;
use domain::{Lifetime, NewOrder, OrderStatus, Price, Pricing, Quantity, Side, Size};
use proptest::prelude::*;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn close(portion: Portion, position: impl Into<Decimal>) -> Result<CloseRequest, Unclosable> {
    let symbol = "AAPL".parse().unwrap();
    let (account, user) = (AccountId::generate(), UserId::generate());
    CloseRequest::new(account, user, symbol, "k".to_owned(), portion, position.into(), now())
}

/// An open sale of so many shares.
fn sale(shares: u32, cancel_requested: bool) -> Order {
    open_order(Side::Sell, shares, cancel_requested)
}

fn open_order(side: Side, shares: u32, cancel_requested: bool) -> Order {
    let quantity: Quantity = Decimal::from(shares).to_string().parse().unwrap();
    let wish = NewOrder {
        account_id: AccountId::generate(),
        symbol: "AAPL".parse().unwrap(),
        side,
        pricing: Pricing::Limit("10".parse::<Price>().unwrap()),
        lifetime: Lifetime::Gtc,
        size: Size::Shares(quantity),
    };
    let id = OrderId::generate();
    let mut order =
        Order::denied(id, UserId::generate(), &ClientOrderId::from(id), (wish, quantity), Vec::new(), now());
    order.status = OrderStatus::New;
    order.denials = None;
    order.worst_price = wish.pricing.limit_price();
    order.held = match side {
        Side::Sell => Hold::Shares(Decimal::from(shares)).amount(),
        Side::Buy => Decimal::from(shares * 10),
    };
    order.cancel_requested_at = cancel_requested.then(now);
    order
}

#[test]
fn a_portion_is_a_number_of_shares() {
    let shares = |portion, held| close(portion, held).map(|request| request.close_max);
    let percent = |percent: &str| Portion::Percent(percent.parse().unwrap());
    assert_eq!(shares(Portion::All, 7), Ok(None));
    assert_eq!(shares(percent("100"), 7), Ok(None));
    assert_eq!(shares(percent("50"), 7), Ok(Some(Decimal::from(3))), "rounded down");
    assert_eq!(shares(percent("0.1"), 7), Err(Unclosable::TooLittle));
    assert_eq!(shares(Portion::Shares(Decimal::from(7)), 7), Ok(Some(Decimal::from(7))));
    assert_eq!(shares(Portion::Shares(Decimal::from(8)), 7), Err(Unclosable::TooMany));
    assert_eq!(shares(Portion::All, 0), Err(Unclosable::NothingOpen));
}

#[test]
fn what_was_sold_short_is_bought_back_and_counted_alike() {
    let percent = |percent: &str| Portion::Percent(percent.parse().unwrap());
    let short = |portion| close(portion, -7);
    let request = short(percent("50")).unwrap();
    assert_eq!((request.side, request.close_max, request.keep), (Side::Buy, Some(3.into()), 4.into()));
    assert_eq!(short(Portion::Shares(Decimal::from(8))), Err(Unclosable::TooMany));
    assert_eq!(short(percent("0.1")), Err(Unclosable::TooLittle));
    assert_eq!(close(Portion::All, 7).unwrap().side, Side::Sell);
}

#[test]
fn open_purchases_in_the_way_are_taken_back_as_far_as_they_are_needed() {
    let request = close(Portion::All, -10).unwrap();
    let purchases = [open_order(Side::Buy, 4, false)];
    let step = |total: i32, reserved: u32, orders: &[Order]| {
        let standing = Standing { total: total.into(), reserved: reserved.into(), orders };
        next_step(&request, &standing, now())
    };
    assert_eq!(step(10, 4, &purchases), Step::Cancel(vec![purchases[0].id]));
    assert_eq!(step(10, 4, &[open_order(Side::Buy, 4, true)]), Step::Wait);
    assert_eq!(step(6, 0, &[]), Step::Close(6.into()), "what was bought meanwhile counts");
    assert_eq!(step(0, 0, &[]), Step::NothingLeft);
    assert_eq!(step(-3, 0, &[]), Step::NothingLeft, "shares that are held by now are not added to");
}

#[test]
fn free_shares_are_sold_at_once_and_no_sale_is_taken_back_for_them() {
    let request = close(Portion::Shares(Decimal::from(6)), 10).unwrap();
    let sales = [sale(4, false)];
    let held = Standing { total: Decimal::TEN, reserved: Decimal::from(4), orders: &sales };
    assert_eq!(next_step(&request, &held, now()), Step::Close(Decimal::from(6)));
}

#[test]
fn only_the_sales_that_are_needed_are_taken_back_the_newest_first() {
    let request = close(Portion::Shares(Decimal::from(7)), 10).unwrap();
    let sales = [sale(2, false), sale(3, false)];
    let held = Standing { total: Decimal::TEN, reserved: Decimal::from(5), orders: &sales };
    assert_eq!(next_step(&request, &held, now()), Step::Cancel(vec![sales[0].id]));
    let sales = [sale(2, true), sale(3, false)];
    let held = Standing { total: Decimal::TEN, reserved: Decimal::from(5), orders: &sales };
    assert_eq!(next_step(&request, &held, now()), Step::Wait);
}

#[test]
fn of_two_exits_for_the_same_shares_the_one_that_holds_them_is_taken_back() {
    let request = close(Portion::All, 20).unwrap();
    let exit = |held: u32| Order { held: Decimal::from(held), ..sale(10, false) };
    let sales = [exit(0), exit(10), sale(10, false)];
    let held = Standing { total: Decimal::from(20), reserved: Decimal::from(20), orders: &sales };
    assert_eq!(next_step(&request, &held, now()), Step::Cancel(vec![sales[1].id, sales[2].id]));
    // The other exit's ten shares are none that come back.
    let returning = Order { cancel_requested_at: Some(now()), ..exit(0) };
    let sales = [returning, exit(10)];
    let held = Standing { total: Decimal::TEN, reserved: Decimal::TEN, orders: &sales };
    assert_eq!(next_step(&request, &held, now()), Step::Cancel(vec![sales[1].id]));
}

#[test]
fn a_sale_that_was_executed_meanwhile_counts_for_the_close() {
    let request = close(Portion::Shares(Decimal::from(6)), 10).unwrap();
    let held = |total: u32| Standing { total: Decimal::from(total), reserved: Decimal::ZERO, orders: &[] };
    assert_eq!(next_step(&request, &held(7), now()), Step::Close(Decimal::from(3)));
    assert_eq!(next_step(&request, &held(4), now()), Step::NothingLeft);
    assert_eq!(
        next_step(&request, &held(20), now()),
        Step::Close(Decimal::from(6)),
        "what is bought later stays"
    );
    let all = close(Portion::All, 10).unwrap();
    assert_eq!(next_step(&all, &held(20), now()), Step::Close(Decimal::from(20)), "unless all was meant");
}

#[test]
fn nobody_waits_for_ever_and_nothing_is_given_up_that_can_be_sold() {
    let request = close(Portion::All, 10).unwrap();
    let late = now() + WAIT_MAX + TimeDelta::seconds(1);
    let sales = [sale(4, true)];
    let held = Standing { total: Decimal::TEN, reserved: Decimal::from(4), orders: &sales };
    assert_eq!(next_step(&request, &held, now()), Step::Wait);
    assert_eq!(next_step(&request, &held, late), Step::GiveUp);
    let free = Standing { total: Decimal::TEN, reserved: Decimal::ZERO, orders: &[] };
    assert_eq!(next_step(&request, &free, late), Step::Close(Decimal::TEN));
}

#[test]
fn an_order_whose_fate_is_unknown_is_asked_for_again_under_the_same_key() {
    let request = close(Portion::All, 10).unwrap();
    assert_eq!(after_placing(&request, Outcome::Unknown, now() + WAIT_MAX * 2), None);
    assert_eq!(after_placing(&request, Outcome::NotYet("price"), now()), None);
    let late = after_placing(&request, Outcome::NotYet("price"), now() + WAIT_MAX * 2).unwrap();
    assert_eq!(late.status, CloseStatus::Failed, "an order of Friday does not go out on Monday");
    let overtaken = after_placing(&request, Outcome::Overtaken("x".into()), now()).unwrap();
    assert_eq!((overtaken.status, overtaken.attempt), (CloseStatus::Waiting, 2));
    assert_ne!(overtaken.order_key(), request.order_key());
    let refused = after_placing(&request, Outcome::Refused("x".into()), now()).unwrap();
    assert_eq!(refused.status, CloseStatus::Failed);
}

proptest! {
    #[test]
    fn a_close_never_sells_more_than_was_asked_or_than_is_free(
        held_at_first in 1..100u32, asked in 1..100u32, total in 0..150u32, sales in prop::collection::vec((1..20u32, any::<bool>()), 0..6),
    ) {
        let portion = if asked > held_at_first { Portion::All } else { Portion::Shares(Decimal::from(asked)) };
        let request = close(portion, held_at_first).unwrap();
        let sales: Vec<Order> = sales.into_iter().map(|(shares, returning)| sale(shares, returning)).collect();
        let reserved: Decimal = sales.iter().map(Order::leaves_quantity).sum();
        let total = Decimal::from(total).max(reserved);
        match next_step(&request, &Standing { total, reserved, orders: &sales }, now()) {
            Step::Close(shares) => {
                prop_assert!(shares > Decimal::ZERO && shares <= total - reserved && total - shares >= request.keep);
                prop_assert!(request.close_max.is_none_or(|most| shares <= most));
            }
            Step::Cancel(ids) => {
                let returning = |order: &Order| order.cancel_requested_at.is_some() || ids.contains(&order.id);
                let freed: Decimal = sales.iter().filter(|order| returning(order)).map(Order::leaves_quantity).sum();
                let wanted = (total - request.keep).min(request.close_max.unwrap_or(total));
                prop_assert!(total - reserved + freed >= wanted, "enough comes back");
            }
            Step::Wait => prop_assert!(sales.iter().any(|order| order.cancel_requested_at.is_some())),
            Step::NothingLeft => prop_assert!(total <= request.keep),
            Step::GiveUp => prop_assert!(false, "it is not late"),
        }
    }
}
