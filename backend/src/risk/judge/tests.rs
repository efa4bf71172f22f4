//! What is approved can be paid, and every reason against an order is named.

use super::*;
use crate::risk::{OpenOrder, fixture, judge_change};
use domain::{AccountId, Lifetime, Pricing, Size};
use proptest::prelude::*;

fn today() -> DateTime<Utc> {
    "2026-11-20T15:00:00Z".parse().unwrap()
}

fn quote(symbol: &str, price: &str) -> Quote {
    fixture::quote(symbol, price, today())
}

fn order(symbol: &str, side: Side, quantity: &str, pricing: Pricing) -> NewOrder {
    NewOrder {
        account_id: AccountId::generate(),
        symbol: symbol.parse().unwrap(),
        side,
        pricing,
        lifetime: Lifetime::Day,
        size: Size::Shares(quantity.parse().unwrap()),
    }
}

fn dollars(cash: i64, shares: i64) -> AccountState {
    AccountState {
        currency: Currency::Usd,
        cash_free: Decimal::from(cash),
        shares_free: Decimal::from(shares),
        symbol_unresolved: false,
        symbol_halted: false,
        margin: None,
        tariff: exchange::Tariff::Simulator,
        takes_amounts: false,
    }
}

fn limit(price: &str) -> Pricing {
    Pricing::Limit(price.parse().unwrap())
}

fn rules_against(order: NewOrder, account: &AccountState, quote: Option<&Quote>) -> Vec<String> {
    let judgement = judge(order, account, quote, today());
    assert_eq!(judgement.approved().is_none(), !judgement.denials.is_empty());
    judgement.denials.into_iter().map(|denial| denial.rule).collect()
}

#[test]
fn an_order_that_can_be_paid_is_approved_and_holds_its_worst_cost() {
    let apple = quote("AAPL", "150");
    let judgement =
        judge(order("AAPL", Side::Buy, "10", limit("140")), &dollars(2_000, 0), Some(&apple), today());
    let terms = judgement.approved().unwrap().terms();
    assert_eq!(terms.hold, Hold::Cash(Decimal::from(1_400) + terms.fees_max));
}

fn waiting_for(stop: &str) -> Pricing {
    Pricing::Stop(stop.parse().unwrap())
}

#[test]
fn nothing_is_paid_by_a_price_that_is_too_old() {
    let old = fixture::quote("AAPL", "100", today() - chrono::TimeDelta::minutes(30));
    let account = dollars(10_000, 10);
    let rules = |side, pricing| rules_against(order("AAPL", side, "1", pricing), &account, Some(&old));
    for pricing in [Pricing::Market, waiting_for("120")] {
        assert_eq!(rules(Side::Buy, pricing), ["stale_price"], "{pricing:?}");
        assert_eq!(rules(Side::Sell, pricing), [""; 0], "what is held gets out");
    }
    assert_eq!(rules(Side::Buy, limit("90")), [""; 0]);
    let by_amount = |side, pricing| NewOrder {
        size: Size::Notional("100".parse().unwrap()),
        ..order("AAPL", side, "1", pricing)
    };
    for side in [Side::Buy, Side::Sell] {
        assert_eq!(rules_against(by_amount(side, Pricing::Market), &account, Some(&old)), ["stale_price"]);
        assert_eq!(rules_against(by_amount(side, limit("90")), &account, Some(&old)), [""; 0]);
    }
    let fresh = fixture::quote("AAPL", "100", today() - chrono::TimeDelta::minutes(15));
    assert_eq!(
        rules_against(order("AAPL", Side::Buy, "1", Pricing::Market), &account, Some(&fresh)),
        [""; 0]
    );
}

#[test]
fn an_order_that_waits_is_made_larger_by_a_fresh_price_only_and_smaller_by_any() {
    let quote = |minutes| fixture::quote("AAPL", "100", today() - chrono::TimeDelta::minutes(minutes));
    let account = dollars(10_000, 0);
    let open = OpenOrder {
        symbol: "AAPL".parse().unwrap(),
        side: Side::Buy,
        pricing: waiting_for("120"),
        quantity: "10".parse().unwrap(),
        worst_price: "126".parse().unwrap(),
        fees_max: Decimal::ONE,
        held: Decimal::from(1_261),
        filled_quantity: Decimal::ZERO,
        filled_notional: Decimal::ZERO,
        charged: Decimal::ZERO,
    };
    let change = |quantity: &str, stop: &str, minutes| {
        let (pricing, quantity) = (waiting_for(stop), quantity.parse().unwrap());
        let judged = judge_change(&open, pricing, quantity, &account, &quote(minutes), today());
        judged.err().unwrap_or_default().into_iter().map(|denial| denial.rule).collect::<Vec<_>>()
    };
    assert_eq!(change("20", "120", 30), ["stale_price"]);
    assert_eq!(change("10", "130", 30), ["stale_price"]);
    assert_eq!(change("5", "120", 30), [""; 0]);
    assert_eq!(change("20", "120", 5), [""; 0]);
}

#[test]
fn a_market_order_holds_a_protection_above_the_ask() {
    let apple = quote("AAPL", "100");
    let judgement =
        judge(order("AAPL", Side::Buy, "1", Pricing::Market), &dollars(2_000, 0), Some(&apple), today());
    assert_eq!(judgement.terms.unwrap().worst_price.to_string(), "105");
}

#[test]
fn every_reason_is_named() {
    let mut account = AccountState { currency: Currency::Krw, ..dollars(1, 0) };
    account.symbol_unresolved = true;
    let samsung = quote("005930.KS", "70000");
    let rules =
        rules_against(order("005930.KS", Side::Buy, "1.5", limit("100050")), &account, Some(&samsung));
    assert_eq!(
        rules,
        ["whole_shares", "tick_size", "price_limit", "unresolved_order", "insufficient_buying_power"]
    );
}

#[test]
fn what_is_not_there_is_not_sold_and_what_is_not_owned_is_not_spent() {
    let apple = quote("AAPL", "150");
    let rules = rules_against(order("AAPL", Side::Sell, "11", limit("150")), &dollars(0, 10), Some(&apple));
    assert_eq!(rules, ["insufficient_shares"]);
    let rules = rules_against(order("AAPL", Side::Buy, "10", limit("150")), &dollars(1_500, 0), Some(&apple));
    assert_eq!(rules, ["insufficient_buying_power"], "the fees are not covered");
}

#[test]
fn without_a_price_nothing_is_approved() {
    for pricing in [Pricing::Market, limit("150")] {
        assert_eq!(
            rules_against(order("AAPL", Side::Buy, "1", pricing), &dollars(1_000, 0), None),
            ["no_price"]
        );
    }
}

#[test]
fn a_tick_that_is_off_names_the_nearest_prices() {
    let samsung = quote("005930.KS", "70000");
    let won = AccountState { currency: Currency::Krw, cash_free: Decimal::from(10_000_000), ..dollars(0, 0) };
    let judgement = judge(order("005930.KS", Side::Buy, "1", limit("70050")), &won, Some(&samsung), today());
    assert!(judgement.denials[0].message.contains("70000 or 70100"), "{:?}", judgement.denials);
    assert_eq!(judgement.denials[0].nearest, ["70000", "70100"]);
}

#[test]
fn an_astronomical_order_is_refused_without_overflow() {
    let apple = quote("AAPL", "999999999999999");
    for pricing in [Pricing::Market, limit("999999999999999")] {
        let rules =
            rules_against(order("AAPL", Side::Buy, "999999999999999", pricing), &dollars(1, 0), Some(&apple));
        assert!(rules.contains(&"too_large".to_owned()), "{rules:?}");
    }
}

proptest! {
    #[test]
    fn approved_orders_never_cost_more_than_was_free(
        cash in 0i64..1_000_000, cents in 1i64..100_000, quantities in prop::collection::vec(1u32..500, 1..50),
    ) {
        let apple = quote("AAPL", &Decimal::new(cents, 2).to_string());
        let mut account = dollars(cash, 0);
        for quantity in quantities {
            let order = order("AAPL", Side::Buy, &quantity.to_string(), Pricing::Limit(apple.price));
            if let Some(approved) = judge(order, &account, Some(&apple), today()).approved() {
                account.cash_free -= approved.terms().hold.amount();
            }
            prop_assert!(account.cash_free >= Decimal::ZERO);
        }
    }

    #[test]
    fn a_hold_shrinks_with_its_order_and_ends_with_it(
        cents in 1i64..100_000, quantity in 1u32..1_000, filled in 0u32..1_000, fees in 0i64..1_000,
    ) {
        let price = Price::new(Decimal::new(cents, 2)).unwrap();
        let filled = filled.min(quantity);
        let hold = |leaves: u32, charged: i64| {
            Hold::of(Side::Buy, Currency::Usd, price, Decimal::from(fees), Decimal::from(leaves), Decimal::from(charged)).unwrap().amount()
        };
        prop_assert!(hold(quantity - filled, 0) <= hold(quantity, 0));
        prop_assert_eq!(hold(0, 0), Decimal::ZERO);
        prop_assert!(hold(quantity, fees + 1) >= Decimal::ZERO);
    }

    /// Against the obvious: execute the order in the dearest way there is, cent by cent, and look at the purse.
    #[test]
    fn whatever_crosses_a_change_the_purse_never_falls_below_what_is_held(
        (first, second) in ((1i64..20_000, 1u32..300), (1i64..20_000, 1u32..300)),
        before in 0u32..300, crossing in 0u32..300, cheaper in 0i64..50,
    ) {
        let cents = |cents: i64| Price::new(Decimal::new(cents.max(1), 2)).unwrap();
        let shares = |number: u32| Quantity::new(Decimal::from(number)).unwrap();
        let (quantity, more) = (shares(first.1), shares(second.1));
        let apple = quote("AAPL", "100");
        let rich = dollars(100_000_000, 0);
        let placed = order("AAPL", Side::Buy, &quantity.to_string(), Pricing::Limit(cents(first.0)));
        let terms = judge(placed, &rich, Some(&apple), today()).approved().unwrap().terms();
        let mut fees = exchange::OrderFees::new(domain::Market::Us, Side::Buy);
        let (mut filled, mut notional, mut charged, mut spent) =
            (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
        let mut execute = |number: u32, price: Price, filled: &mut Decimal, notional: &mut Decimal, charged: &mut Decimal, spent: &mut Decimal| {
            if number > 0 {
                let cost = fees.charge(price, shares(number), today().date_naive()).unwrap().total().unwrap();
                *filled += Decimal::from(number);
                *notional += price.value() * Decimal::from(number);
                *charged += cost;
                *spent += price.value() * Decimal::from(number) + cost;
            }
        };
        let early = before.min(first.1.saturating_sub(1));
        execute(early, cents(first.0 - cheaper), &mut filled, &mut notional, &mut charged, &mut spent);
        let hold = |worst: Price, fees_max: Decimal, quantity: Quantity, filled: Decimal, charged: Decimal| {
            let leaves = (quantity.value() - filled).max(Decimal::ZERO);
            Hold::of(Side::Buy, Currency::Usd, worst, fees_max, leaves, charged).unwrap().amount()
        };
        let held = hold(terms.worst_price, terms.fees_max, quantity, filled, charged);
        let open = OpenOrder {
            symbol: placed.symbol,
            side: Side::Buy,
            pricing: placed.pricing,
            quantity,
            worst_price: terms.worst_price,
            fees_max: terms.fees_max,
            held,
            filled_quantity: filled,
            filled_notional: notional,
            charged,
        };
        let asked = Pricing::Limit(cents(second.0));
        let Ok(changed) = judge_change(&open, asked, more, &rich, &apple, today()) else { return Ok(()) };
        let purse = changed.hold.amount();
        let spent_before = spent;
        let late = crossing.min(first.1 - early);
        execute(late, cents(first.0), &mut filled, &mut notional, &mut charged, &mut spent);
        let left = hold(changed.worst_price, changed.fees_max, more, filled, charged);
        prop_assert!(spent - spent_before + left <= purse, "{} spent, {left} held of {purse}", spent - spent_before);
        let rest = second.1.saturating_sub(early + late);
        let spent_then = spent;
        execute(rest, cents(second.0), &mut filled, &mut notional, &mut charged, &mut spent);
        prop_assert!(spent - spent_then <= left, "{} spent of {left} held", spent - spent_then);
    }
}

#[test]
fn an_amount_that_is_sent_as_it_is_holds_itself_and_its_shares_are_an_estimate() {
    let by_amount = |side, pricing| NewOrder {
        size: Size::Notional("100".parse().unwrap()),
        ..order("AAPL", side, "1", pricing)
    };
    let there =
        AccountState { takes_amounts: true, tariff: exchange::Tariff::CommissionFree, ..dollars(100, 10) };
    let terms_of = |order: NewOrder, account: &AccountState| {
        judge(order, account, Some(&quote("AAPL", "150")), today()).terms.unwrap()
    };
    let sent = terms_of(by_amount(Side::Buy, Pricing::Market), &there);
    assert_eq!((sent.sends_amount, sent.hold), (true, Hold::Cash(Decimal::ONE_HUNDRED)));
    let here = AccountState { takes_amounts: false, ..there };
    let as_shares = terms_of(by_amount(Side::Buy, Pricing::Market), &here);
    assert!(!as_shares.sends_amount && as_shares.hold.amount() > Decimal::ONE_HUNDRED);
    for order in [by_amount(Side::Buy, limit("150")), by_amount(Side::Sell, Pricing::Market)] {
        assert!(!terms_of(order, &there).sends_amount, "a limit and a sale are for shares");
    }
}
