//! What is open never asks for more equity than there is, whoever asks in whatever order.

use super::*;
use crate::risk::{AccountState, Hold, OpenOrder, fixture, judge, judge_change, judge_close};
use chrono::{DateTime, NaiveDate, Utc};
use domain::{AccountId, Lifetime, NewOrder, Size};
use proptest::prelude::*;

const APPLE: &str = "AAPL";
const MICROSOFT: &str = "MSFT";

fn now() -> DateTime<Utc> {
    "2026-11-20T15:00:00Z".parse().unwrap()
}

fn quote(symbol: &str, price: i64) -> Quote {
    fixture::quote(symbol, &price.to_string(), now())
}

fn book(cash: i64, may_short: bool) -> MarginBook {
    MarginBook {
        rules: MarginRules::on(NaiveDate::from_ymd_opt(2026, 11, 20).unwrap()),
        may_short,
        is_called: false,
        currency: Currency::Usd,
        cash: cash.into(),
        exposures: BTreeMap::new(),
    }
}

fn with(mut book: MarginBook, symbol: &str, quantity: i64, price: i64) -> MarginBook {
    let exposure = Exposure { quantity: quantity.into(), mark: Some(price.into()), ..Exposure::default() };
    book.exposures.insert(symbol.parse().unwrap(), exposure);
    book
}

fn order(symbol: &str, side: Side, quantity: &str, limit: &str) -> NewOrder {
    NewOrder {
        account_id: AccountId::generate(),
        symbol: symbol.parse().unwrap(),
        side,
        pricing: Pricing::Limit(limit.parse().unwrap()),
        lifetime: Lifetime::Day,
        size: Size::Shares(quantity.parse().unwrap()),
    }
}

fn state(book: &MarginBook, quote: &Quote) -> AccountState {
    let here = book.exposures.get(&quote.symbol).copied().unwrap_or_default();
    let buying: Decimal = book.exposures.values().map(|exposure| exposure.buying_cost).sum();
    AccountState {
        currency: Currency::Usd,
        cash_free: book.cash - buying,
        shares_free: here.quantity - here.selling,
        symbol_unresolved: false,
        symbol_halted: false,
        margin: Some(book.seen_from(quote.symbol, Some(quote.price.value()))),
        tariff: exchange::Tariff::Simulator,
        takes_amounts: false,
    }
}

/// Judges an order; where it is approved the book counts it.
fn place(book: &mut MarginBook, order: NewOrder, quote: &Quote) -> Result<Hold, Vec<Denial>> {
    let judgement = judge(order, &state(book, quote), Some(quote), now());
    let Some(approved) = judgement.approved() else { return Err(judgement.denials) };
    book.exposures.entry(order.symbol).or_default().mark = Some(quote.price.value());
    book.add(order.symbol, &approved.terms().asked(order.side));
    Ok(approved.terms().hold)
}

fn rules_of(denied: Result<Hold, Vec<Denial>>) -> Vec<String> {
    denied.unwrap_err().into_iter().map(|denial| denial.rule).collect()
}

#[test]
fn twice_the_equity_can_be_bought_and_not_a_cent_more() {
    let apple = quote(APPLE, 100);
    // 10,000 of equity cover 20,000 with their fees of 1.00.
    assert!(place(&mut book(10_000, false), order(APPLE, Side::Buy, "199", "100"), &apple).is_ok());
    let denied = place(&mut book(10_000, false), order(APPLE, Side::Buy, "200", "100"), &apple).unwrap_err();
    assert_eq!(denied[0].rule, "insufficient_margin");
    assert_eq!(denied[0].nearest, ["199"], "the most that would be allowed");
}

#[test]
fn a_short_sale_needs_half_of_its_worth_beside_its_proceeds() {
    let apple = quote(APPLE, 100);
    let mut account = book(10_000, true);
    assert!(place(&mut account, order(APPLE, Side::Sell, "200", "100"), &apple).is_ok());
    assert_eq!(
        rules_of(place(&mut account, order(APPLE, Side::Sell, "1", "100"), &apple)),
        ["insufficient_margin"]
    );
}

#[test]
fn a_sale_that_crosses_from_long_to_short_is_judged_by_what_is_short() {
    let apple = quote(APPLE, 100);
    // 100 shares of 10,000 and no cash: 5,000 are asked for while they are held, 200 short ask for 10,000.
    let mut account = with(book(0, true), APPLE, 100, 100);
    let denied = place(&mut account, order(APPLE, Side::Sell, "301", "100"), &apple).unwrap_err();
    assert_eq!(
        (denied[0].rule.as_str(), &denied[0].nearest[..]),
        ("insufficient_margin", &["300".to_owned()][..])
    );
    assert_eq!(
        place(&mut account, order(APPLE, Side::Sell, "300", "100"), &apple),
        Ok(Hold::Shares(300.into()))
    );
}

#[test]
fn without_short_selling_no_more_is_sold_than_is_held() {
    let apple = quote(APPLE, 100);
    let mut account = with(book(10_000, false), APPLE, 10, 100);
    let denied = place(&mut account, order(APPLE, Side::Sell, "11", "100"), &apple).unwrap_err();
    assert_eq!(
        (denied[0].rule.as_str(), &denied[0].nearest[..]),
        ("insufficient_shares", &["10".to_owned()][..])
    );
    assert!(place(&mut account, order(APPLE, Side::Sell, "10", "100"), &apple).is_ok());
}

#[test]
fn the_way_out_is_always_open() {
    // The price has doubled: nothing is left, and still the shares can be bought back.
    let (apple, microsoft) = (quote(APPLE, 200), quote(MICROSOFT, 200));
    let mut account = MarginBook { is_called: true, ..with(book(15_000, true), APPLE, -100, 200) };
    assert_eq!(account.equity(), Decimal::from(-5_000));
    assert!(place(&mut account, order(APPLE, Side::Buy, "100", "200"), &apple).is_ok());
    assert_eq!(
        rules_of(place(&mut account, order(MICROSOFT, Side::Buy, "1", "200"), &microsoft)),
        ["margin_call", "insufficient_margin", "insufficient_buying_power"]
    );
}

#[test]
fn an_order_that_closes_never_goes_through_zero() {
    let apple = quote(APPLE, 100);
    let closing = |book: &MarginBook, side, quantity| {
        let order = order(APPLE, side, quantity, "100");
        let judgement = judge_close(order, &state(book, &apple), Some(&apple), now());
        assert_eq!(judgement.approved().is_some(), judgement.denials.is_empty());
        judgement.denials.into_iter().map(|denial| denial.rule).collect::<Vec<_>>()
    };
    let mut short = with(book(15_000, true), APPLE, -10, 100);
    assert_eq!(closing(&short, Side::Buy, "11"), ["more_than_owed"]);
    assert_eq!(closing(&short, Side::Buy, "10"), [""; 0]);
    place(&mut short, order(APPLE, Side::Buy, "4", "90"), &apple).unwrap();
    assert_eq!(closing(&short, Side::Buy, "7"), ["more_than_owed"], "what is being bought counts");
    assert_eq!(closing(&short, Side::Buy, "6"), [""; 0]);
    let long = with(book(15_000, true), APPLE, 10, 100);
    assert_eq!(closing(&long, Side::Buy, "1"), ["more_than_owed"]);
    assert_eq!(closing(&long, Side::Sell, "11"), ["insufficient_shares"]);
    assert_eq!(closing(&long, Side::Sell, "10"), [""; 0]);
}

#[test]
fn a_called_account_takes_nothing_that_asks_for_more() {
    let apple = quote(APPLE, 100);
    let mut account = MarginBook { is_called: true, ..with(book(50_000, true), APPLE, 10, 100) };
    assert_eq!(rules_of(place(&mut account, order(APPLE, Side::Buy, "1", "100"), &apple)), ["margin_call"]);
    assert_eq!(rules_of(place(&mut account, order(APPLE, Side::Sell, "50", "100"), &apple)), ["margin_call"]);
    assert!(place(&mut account, order(APPLE, Side::Sell, "10", "100"), &apple).is_ok());
}

#[test]
fn a_position_is_not_turned_round_where_none_may_be_opened() {
    let apple = quote(APPLE, 100);
    // As many shares short ask for as much as the shares held; they are a new position all the same.
    let called = MarginBook { is_called: true, ..with(book(50_000, true), APPLE, 10, 100) };
    let sold = place(&mut called.clone(), order(APPLE, Side::Sell, "20", "100"), &apple);
    assert_eq!(rules_of(sold), ["margin_call"]);
    let owing = MarginBook { is_called: true, ..with(book(50_000, true), APPLE, -10, 100) };
    let bought = place(&mut owing.clone(), order(APPLE, Side::Buy, "20", "99"), &apple);
    assert_eq!(rules_of(bought), ["margin_call"]);
    let mut small = with(book(900, true), APPLE, 10, 100);
    let sold = place(&mut small, order(APPLE, Side::Sell, "20", "100"), &apple);
    assert_eq!(rules_of(sold), ["equity_too_small"]);
    assert!(place(&mut small, order(APPLE, Side::Sell, "10", "100"), &apple).is_ok());
    // What is already being sold is not there twice.
    let again = place(&mut small, order(APPLE, Side::Sell, "10", "100"), &apple);
    assert_eq!(rules_of(again), ["equity_too_small"]);
}

#[test]
fn below_two_thousand_nothing_is_lent() {
    let apple = quote(APPLE, 100);
    assert!(place(&mut book(1_900, true), order(APPLE, Side::Buy, "18", "100"), &apple).is_ok());
    let bought = place(&mut book(1_900, true), order(APPLE, Side::Buy, "19", "100"), &apple);
    assert_eq!(rules_of(bought), ["insufficient_buying_power"]);
    let sold = place(&mut book(1_900, true), order(APPLE, Side::Sell, "1", "100"), &apple);
    assert_eq!(rules_of(sold), ["equity_too_small"]);
}

#[test]
fn proceeds_of_short_sales_buy_nothing_by_themselves() {
    let (apple, microsoft) = (quote(APPLE, 100), quote(MICROSOFT, 100));
    // 10,000 of their own, and 15,000 that the shares sold have brought: 7,500 are bound by these.
    let mut account = with(book(25_000, true), APPLE, -150, 100);
    let denied = place(&mut account, order(MICROSOFT, Side::Buy, "51", "100"), &microsoft);
    assert_eq!(rules_of(denied), ["insufficient_margin"]);
    assert!(place(&mut account, order(MICROSOFT, Side::Buy, "49", "100"), &microsoft).is_ok());
    assert_eq!(
        rules_of(place(&mut account, order(APPLE, Side::Sell, "2", "100"), &apple)),
        ["insufficient_margin"]
    );
}

#[test]
fn a_share_that_has_fallen_by_a_tenth_is_sold_short_above_the_bid_only() {
    let apple = Quote { previous_close: Some("111.2".parse().unwrap()), ..quote(APPLE, 100) };
    let at_bid = place(&mut book(10_000, true), order(APPLE, Side::Sell, "1", "100"), &apple);
    assert_eq!(rules_of(at_bid), ["short_sale_price_test"]);
    assert!(place(&mut book(10_000, true), order(APPLE, Side::Sell, "1", "100.01"), &apple).is_ok());
    let mut holder = with(book(10_000, true), APPLE, 1, 100);
    assert!(place(&mut holder, order(APPLE, Side::Sell, "1", "100"), &apple).is_ok(), "it is held");
}

#[test]
fn a_short_sale_above_the_bid_gets_no_price_at_the_bid_later() {
    let apple = Quote { previous_close: Some("111.2".parse().unwrap()), ..quote(APPLE, 100) };
    let mut account = book(10_000, true);
    place(&mut account, order(APPLE, Side::Sell, "1", "101"), &apple).unwrap();
    let changed = |account: &MarginBook, limit: &str| {
        let price: domain::Price = "101".parse().unwrap();
        let open = OpenOrder {
            symbol: apple.symbol,
            side: Side::Sell,
            pricing: Pricing::Limit(price),
            quantity: "1".parse().unwrap(),
            worst_price: price,
            fees_max: Decimal::ONE,
            held: Decimal::ONE,
            filled_quantity: Decimal::ZERO,
            filled_notional: Decimal::ZERO,
            charged: Decimal::ZERO,
        };
        let pricing = Pricing::Limit(limit.parse().unwrap());
        let changed = judge_change(&open, pricing, open.quantity, &state(account, &apple), &apple, now());
        changed.err().unwrap_or_default().into_iter().map(|denial| denial.rule).collect::<Vec<_>>()
    };
    assert_eq!(changed(&account, "100"), ["short_sale_price_test"]);
    assert_eq!(changed(&account, "100.5"), [""; 0]);
    let mut holder = with(book(10_000, true), APPLE, 1, 100);
    place(&mut holder, order(APPLE, Side::Sell, "1", "101"), &apple).unwrap();
    assert_eq!(changed(&holder, "100"), [""; 0], "it is held");
}

#[test]
fn fewer_shares_at_a_higher_price_ask_for_no_more_than_they_offer() {
    let apple = quote(APPLE, 100);
    let mut account = book(2_000, true);
    place(&mut account, order(APPLE, Side::Sell, "40", "100"), &apple).unwrap();
    let changed = |quantity: &str, limit: &str| {
        let price: domain::Price = "100".parse().unwrap();
        let open = OpenOrder {
            symbol: apple.symbol,
            side: Side::Sell,
            pricing: Pricing::Limit(price),
            quantity: "40".parse().unwrap(),
            worst_price: price,
            fees_max: Decimal::ONE,
            held: Decimal::from(40),
            filled_quantity: Decimal::ZERO,
            filled_notional: Decimal::ZERO,
            charged: Decimal::ZERO,
        };
        let pricing = Pricing::Limit(limit.parse().unwrap());
        let changed =
            judge_change(&open, pricing, quantity.parse().unwrap(), &state(&account, &apple), &apple, now());
        changed.err().unwrap_or_default().into_iter().map(|denial| denial.rule).collect::<Vec<_>>()
    };
    assert_eq!(changed("20", "200"), [""; 0], "it is worth as much as before");
    assert_eq!(changed("20", "200.1"), ["insufficient_margin"]);
    assert_eq!(changed("40", "100.1"), ["insufficient_margin"]);
    assert_eq!(changed("41", "100"), ["insufficient_margin"]);
}

#[test]
fn parts_of_shares_are_not_sold_short() {
    let apple = quote(APPLE, 100);
    let sold = place(&mut book(10_000, true), order(APPLE, Side::Sell, "1.5", "100"), &apple);
    assert_eq!(rules_of(sold), ["short_whole_shares"]);
}

#[test]
fn what_is_open_and_has_no_price_is_not_guessed() {
    let apple = quote(APPLE, 100);
    let mut account = with(book(100_000, true), MICROSOFT, 5, 100);
    account.exposures.get_mut(&MICROSOFT.parse().unwrap()).unwrap().mark = None;
    assert_eq!(rules_of(place(&mut account, order(APPLE, Side::Buy, "1", "100"), &apple)), ["no_price"]);
}

/// The slow, obvious reference: every open order in a list, and each share of it bought or sold one by one.
struct Slow {
    cash: Decimal,
    held: BTreeMap<&'static str, (i64, i64)>,
    open: Vec<(&'static str, Side, i64, Decimal)>,
}

impl Slow {
    fn equity(&self) -> Decimal {
        self.cash + self.held.values().map(|(shares, price)| Decimal::from(shares * price)).sum::<Decimal>()
    }

    /// Half of the worth of what would be held if only purchases came true, or be short if only sales did.
    fn required(&self) -> Decimal {
        self.held
            .iter()
            .map(|(symbol, (shares, price))| {
                self.side(symbol, *shares, *price, Side::Buy).max(self.side(
                    symbol,
                    *shares,
                    *price,
                    Side::Sell,
                ))
            })
            .sum::<Decimal>()
            / Decimal::TWO
    }

    fn side(&self, symbol: &str, shares: i64, price: i64, side: Side) -> Decimal {
        let sign = if side == Side::Buy { 1 } else { -1 };
        let (mut there, mut worth) = (shares * sign, Decimal::from((shares * sign).max(0) * price));
        let orders: Vec<_> = self.open.iter().filter(|(of, way, ..)| *of == symbol && *way == side).collect();
        let all: i64 = orders.iter().map(|(_, _, quantity, _)| quantity).sum();
        let sum: Decimal = orders.iter().map(|(.., amount)| amount).sum();
        for _ in 0..all {
            there += 1;
            if there > 0 {
                let each = sum / Decimal::from(all);
                worth += if side == Side::Sell { each.max(price.into()) } else { each };
            }
        }
        worth
    }
}

fn wishes() -> impl Strategy<Value = Vec<(bool, bool, i64, i64)>> {
    prop::collection::vec((any::<bool>(), any::<bool>(), 1i64..120, 90i64..110), 1..50)
}

proptest! {
    #[test]
    fn whatever_is_asked_for_is_decided_as_the_reference_does(
        cash in 2_000i64..40_000, apples in -60i64..60, microsofts in -60i64..60, wishes in wishes(),
    ) {
        let mut account = with(with(book(cash, true), APPLE, apples, 100), MICROSOFT, microsofts, 50);
        prop_assume!(account.equity() >= account.rules.equity_min && account.equity() >= account.required());
        let mut slow = Slow {
            cash: cash.into(),
            held: BTreeMap::from([(APPLE, (apples, 100)), (MICROSOFT, (microsofts, 50))]),
            open: Vec::new(),
        };
        for (is_apple, buys, quantity, percent) in wishes {
            let (symbol, price) = if is_apple { (APPLE, 100) } else { (MICROSOFT, 50) };
            let side = if buys { Side::Buy } else { Side::Sell };
            let limit = Decimal::from(price * percent) / Decimal::ONE_HUNDRED;
            let wish = order(symbol, side, &quantity.to_string(), &limit.to_string());
            let placed = place(&mut account, wish, &quote(symbol, price));
            let before = slow.required();
            let amount = limit * Decimal::from(quantity);
            let fees = exchange::fees_max(
                domain::Market::Us, side, limit.to_string().parse().unwrap(), quantity.to_string().parse().unwrap(),
                now().date_naive(),
            ).unwrap().total().unwrap();
            slow.open.push((symbol, side, quantity, if buys { amount + fees } else { amount }));
            let after = slow.required();
            // Whole cents are compared: the reference does not round.
            let cent = Decimal::new(1, 2);
            if placed.is_ok() {
                prop_assert!(after <= slow.equity() || after <= before + cent, "{after} of {}", slow.equity());
            } else {
                prop_assert!(after + cent > slow.equity() && after + cent > before, "{after} of {}", slow.equity());
                slow.open.pop();
            }
        }
        prop_assert!(account.required() <= account.equity());
    }
}

#[test]
fn an_order_that_binds_nearly_all_the_equity_is_told() {
    let near = |quantity: &str| {
        let (apple, book) = (quote(APPLE, 100), book(10_000, true));
        let (order, account) = (order(APPLE, Side::Buy, quantity, "100"), state(&book, &apple));
        let terms = judge(order, &account, Some(&apple), now()).terms.unwrap();
        crate::risk::near_limits(&order, &terms, &account, &apple, now())
    };
    // Half of what is bought must be the account's own: 9,500 of 10,000, and commission.
    let told = near("190");
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].limit, told[0].bound), (crate::risk::Limit::Equity, Decimal::from(10_000)));
    assert!(told[0].reached >= Decimal::from(9_500));
    assert_eq!(near("100"), []);
    assert_eq!(near("210"), [], "a reason against it, and not a limit that is near");
}
