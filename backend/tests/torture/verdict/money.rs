//! Cash, shares, cost and profit.

use super::broker::{self, Journal};
use crate::model::{Books, decimal};
use crate::processes::House;
use crate::trader::Trader;
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::BTreeMap;

fn shares(positions: &Value) -> BTreeMap<String, Decimal> {
    let positions = positions["positions"].as_array().unwrap().iter();
    let named = positions.map(|p| (p["symbol"].as_str().unwrap().to_owned(), decimal(&p["quantity"])));
    named.filter(|(_, quantity)| !quantity.is_zero()).collect()
}

/// Cash is what was brought in and what trading made of it, shares are executions, cost and profit are the model's, nothing
/// is held, and the broker says the same. Says how often shares were sold short.
pub(super) async fn is_as_reckoned(
    house: &House,
    trader: &Trader,
    orders: &BTreeMap<String, Value>,
    journal: &Journal,
) -> usize {
    let account = &trader.account;
    let is_won = orders.values().any(|order| order["currency"] == "KRW");
    let books = Books::after(&journal.executions, if is_won { 0 } else { 2 }, trader.sells_short);
    for (id, order) in orders {
        let filled = books.orders.get(id).copied().unwrap_or_default();
        assert_eq!(decimal(&order["filledQuantity"]), filled.quantity, "{order}");
        assert_eq!(decimal(&order["commission"]), filled.commission, "{order}");
        assert_eq!(decimal(&order["tax"]), filled.tax, "{order}");
        assert_eq!(decimal(&order["held"]), Decimal::ZERO, "{order}");
    }

    let sync = broker::ask(house, &format!("/broker/accounts/{account}/sync")).await;
    assert_eq!(broker::working(house, account).await, Vec::<Value>::new());
    let traded: Decimal =
        sync["tradeCash"].as_array().unwrap().iter().map(|cash| decimal(&cash["amount"])).sum();
    assert_eq!(traded, books.traded, "{sync}");
    let balance = trader.visitor.get(&format!("/api/accounts/{account}/balance")).await;
    assert_eq!(decimal(&balance["cash"]), trader.record.brought_in + books.traded, "{balance}");
    assert_eq!(decimal(&balance["held"]), Decimal::ZERO);
    if !trader.sells_short {
        assert_eq!(balance["cash"], balance["buyingPower"]);
    }

    let positions = trader.visitor.get(&format!("/api/portfolio/positions?accountId={account}")).await;
    let reckoned = books.positions.iter().map(|(symbol, position)| (symbol.clone(), position.shares));
    let reckoned: BTreeMap<String, Decimal> = reckoned.filter(|(_, shares)| !shares.is_zero()).collect();
    assert_eq!(shares(&positions), reckoned);
    assert_eq!(shares(&sync), reckoned);
    for position in positions["positions"].as_array().unwrap() {
        assert_eq!(position["available"], position["quantity"], "{position}");
        let model = &books.positions[position["symbol"].as_str().unwrap()];
        if model.was_oversold {
            continue;
        }
        for (figures, cost, profit) in
            [("byAverage", model.cost, model.profit), ("byFifo", model.cost_of_lots(), model.profit_of_lots)]
        {
            assert_eq!(decimal(&position[figures]["cost"]), cost, "{figures}: {position}");
            assert_eq!(decimal(&position[figures]["realisedPnl"]), profit, "{figures}: {position}");
        }
    }
    let value = trader.visitor.get(&format!("/api/portfolio?accountId={account}")).await;
    let value = &value["accounts"][0];
    assert_eq!(decimal(&value["netDeposits"]), trader.record.brought_in);
    assert_eq!(decimal(&value["commission"]), books.commission);
    assert_eq!(decimal(&value["tax"]), books.tax);
    books.sold_short
}
