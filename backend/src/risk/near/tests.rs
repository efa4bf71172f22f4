//! What comes close to a limit is told, and what is far from it or beyond it is not.

use super::*;
use crate::risk::{fixture, judge};
use domain::{AccountId, Currency, Lifetime, Pricing, Side, Size};

fn now() -> DateTime<Utc> {
    "2026-11-20T02:00:00Z".parse().unwrap()
}

fn quote(symbol: &str, price: &str) -> Quote {
    fixture::quote(symbol, price, now())
}

fn near(symbol: &str, side: Side, limit: &str, cash: i64) -> Vec<(Limit, Decimal, Decimal)> {
    let quote = quote(symbol, "10000");
    let order = NewOrder {
        account_id: AccountId::generate(),
        symbol: quote.symbol,
        side,
        pricing: Pricing::Limit(limit.parse().unwrap()),
        lifetime: Lifetime::Day,
        size: Size::Shares("1".parse().unwrap()),
    };
    let account = AccountState {
        currency: quote.currency,
        cash_free: cash.into(),
        shares_free: Decimal::ONE,
        symbol_unresolved: false,
        symbol_halted: false,
        margin: None,
        tariff: exchange::Tariff::Simulator,
        takes_amounts: false,
    };
    let terms = judge(order, &account, Some(&quote), now()).terms.unwrap();
    let limits = near_limits(&order, &terms, &account, &quote, now());
    limits.into_iter().map(|near| (near.limit, near.reached, near.bound)).collect()
}

#[test]
fn a_purchase_for_nearly_all_the_cash_is_told() {
    let told = near("AAPL", Side::Buy, "9000", 9_900);
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].0, told[0].2), (Limit::BuyingPower, Decimal::from(9_900)));
    assert!(told[0].1 >= Decimal::from(9_000));
}

#[test]
fn a_purchase_for_little_of_it_or_for_more_is_not() {
    assert_eq!(near("AAPL", Side::Buy, "9000", 20_000), []);
    assert_eq!(near("AAPL", Side::Buy, "9000", 5_000), []);
    assert_eq!(near("AAPL", Side::Sell, "9000", 0), []);
}

#[test]
fn in_korea_a_price_close_to_the_days_limits_is_told() {
    let won = |value: i64| Decimal::from(value);
    assert_eq!(near("005930.KS", Side::Sell, "12750", 0), [(Limit::PriceCeiling, won(12_750), won(13_000))]);
    assert_eq!(
        near("005930.KS", Side::Buy, "7200", 1_000_000),
        [(Limit::PriceFloor, won(7_200), won(7_000))]
    );
    assert_eq!(near("005930.KS", Side::Sell, "12500", 0), []);
    assert_eq!(near("005930.KS", Side::Buy, "10000", 1_000_000), []);
}

#[test]
fn elsewhere_the_day_has_no_limits() {
    assert_eq!(near("AAPL", Side::Sell, "12990", 0), []);
    assert_eq!(quote("AAPL", "1").currency, Currency::Usd);
}
