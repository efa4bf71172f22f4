//! What a broker says beside what our books say. Pure.

use super::super::apply::{describe, describe_fields};
use super::super::order::{Order, Replacement};
use crate::account::Commodity;
use domain::inquiry::{AccountState, Finding, OrderState, TermsInForce};
use domain::{OrderId, OrderStatus, ReplaceId};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};

/// The kind of difference that a request for other terms makes which the broker has not done.
pub(in crate::trading) const REPLACE_NOT_DONE: &str = "replace_not_done";

/// Something that is not the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::trading) struct Difference {
    /// `order_status`, `order_filled`, `order_missing`, `order_terms`, [`REPLACE_NOT_DONE`], `position` or `cash`.
    pub(in crate::trading) kind: &'static str,
    pub(in crate::trading) order_id: Option<OrderId>,
    pub(in crate::trading) commodity: Option<Commodity>,
    pub(in crate::trading) ours: String,
    pub(in crate::trading) theirs: String,
}

impl Difference {
    fn of_order(kind: &'static str, order: &Order, ours: String, theirs: String) -> Self {
        Self { kind, order_id: Some(order.id), commodity: None, ours, theirs }
    }
}

/// Compares our open orders with what the broker says about them. What it could not say is no difference, nor is a request
/// for other terms that was made just now: `overdue` are those that should have been done.
pub(in crate::trading) fn compare_orders<'a>(
    findings: impl Iterator<Item = (&'a Order, &'a Finding)>,
    overdue: &BTreeSet<ReplaceId>,
) -> BTreeSet<Difference> {
    let mut differences = BTreeSet::new();
    for (order, finding) in findings {
        match finding {
            Finding::Found { order: theirs } => {
                let differs = order.status.is_terminal() != theirs.status.is_terminal();
                if differs && !waits_for_other_terms(order, theirs) {
                    differences.insert(Difference::of_order(
                        "order_status",
                        order,
                        order.status.to_string(),
                        theirs.status.to_string(),
                    ));
                }
                if order.filled_quantity != theirs.filled_quantity {
                    differences.insert(Difference::of_order(
                        "order_filled",
                        order,
                        order.filled_quantity.normalize().to_string(),
                        theirs.filled_quantity.normalize().to_string(),
                    ));
                }
                differences.extend(compare_terms(order, theirs, overdue));
            }
            // One that was never heard of is asked for by its inquiry.
            Finding::Absent if order.status != OrderStatus::PendingNew && !order.status.is_terminal() => {
                let ours = order.status.to_string();
                differences.insert(Difference::of_order("order_missing", order, ours, "absent".to_owned()));
            }
            Finding::Absent | Finding::Unclear { .. } => {}
        }
    }
    differences
}

/// Whether an order is filled there, and here as well, but open for the sake of other terms that are asked for.
fn waits_for_other_terms(order: &Order, theirs: &OrderState) -> bool {
    let is_filled = order.filled_quantity >= order.quantity.value();
    is_filled && order.replacing.is_some() && theirs.status == OrderStatus::Filled
}

/// Compares what an order that works asks for. Where a request for other terms came true, the journal says so by now.
pub(in crate::trading) fn compare_terms(
    order: &Order,
    theirs: &OrderState,
    overdue: &BTreeSet<ReplaceId>,
) -> Option<Difference> {
    let order_type = order.pricing.order_type();
    // What somebody else has made may be of a type that is not traded here.
    if order.status.is_terminal() || order_type != theirs.order_type {
        return None;
    }
    let works = !theirs.status.is_terminal();
    let prices = theirs.prices().of_type(order_type);
    let in_words = describe_fields(theirs.quantity, prices);
    let differ = |words| Some(Difference::of_order("order_terms", order, words, in_words.clone()));
    let Some(replacing) = order.replacing else {
        let same_size = order.is_estimated() || order.quantity.value() == theirs.quantity;
        let same = same_size && order.pricing.fields() == prices;
        return if same || !works { None } else { differ(describe(&order.terms())) };
    };
    match order.open_replace()?.in_force(theirs.quantity, prices) {
        TermsInForce::Present if overdue.contains(&replacing.id) => {
            Some(Difference::of_order(REPLACE_NOT_DONE, order, words_of(&replacing), in_words))
        }
        TermsInForce::Other if works => differ(words_of(&replacing)),
        TermsInForce::Present | TermsInForce::Asked | TermsInForce::Other => None,
    }
}

/// A request for other terms in words that no other has.
pub(in crate::trading) fn words_of(replacing: &Replacement) -> String {
    format!("{} asked for by {}", describe(&replacing.terms), replacing.id)
}

/// Compares what trading has left in an account.
pub(in crate::trading) fn compare_holdings(
    ours: &BTreeMap<Commodity, Decimal>,
    theirs: &AccountState,
) -> BTreeSet<Difference> {
    let positions =
        theirs.positions.iter().map(|position| (Commodity::Shares(position.symbol), position.quantity));
    let cash = theirs.trade_cash.iter().map(|cash| (Commodity::Cash(cash.currency), cash.amount));
    let theirs: BTreeMap<Commodity, Decimal> = positions.chain(cash).collect();
    let commodities: BTreeSet<Commodity> = ours.keys().chain(theirs.keys()).copied().collect();
    let amount = |side: &BTreeMap<Commodity, Decimal>, commodity: &Commodity| {
        side.get(commodity).copied().unwrap_or_default().normalize()
    };
    commodities
        .into_iter()
        .map(|commodity| (commodity, amount(ours, &commodity), amount(&theirs, &commodity)))
        .filter(|(_, ours, theirs)| ours != theirs)
        .map(|(commodity, ours, theirs)| Difference {
            kind: match commodity {
                Commodity::Shares(_) => "position",
                Commodity::Cash(_) => "cash",
            },
            order_id: None,
            commodity: Some(commodity),
            ours: ours.to_string(),
            theirs: theirs.to_string(),
        })
        .collect()
}

/// What was different at both looks, in the same way: the rest was under way.
pub(in crate::trading) fn lasting(
    first: BTreeSet<Difference>,
    second: &BTreeSet<Difference>,
) -> Vec<Difference> {
    first.into_iter().filter(|difference| second.contains(difference)).collect()
}

/// By how much the broker has more than we do; what both hold does not count.
pub(in crate::trading) fn amount_of(difference: &Difference) -> Option<(Commodity, Decimal)> {
    let parse = |text: &str| text.parse::<Decimal>().ok();
    let amount = parse(&difference.theirs)?.checked_sub(parse(&difference.ours)?)?;
    Some((difference.commodity?, amount))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::inquiry::{Position, TradeCash};
    use domain::{Currency, Symbol};

    fn apple() -> Symbol {
        "AAPL".parse().unwrap()
    }

    fn state(shares: i64, cash: &str) -> AccountState {
        AccountState {
            positions: vec![Position { symbol: apple(), quantity: Decimal::from(shares) }],
            trade_cash: vec![TradeCash { currency: Currency::Usd, amount: cash.parse().unwrap() }],
            journal_id: 1,
            activity_id: None,
            compare_after_seconds: None,
        }
    }

    fn ours(shares: &str, cash: &str) -> BTreeMap<Commodity, Decimal> {
        BTreeMap::from([
            (Commodity::Shares(apple()), shares.parse().unwrap()),
            (Commodity::Cash(Currency::Usd), cash.parse().unwrap()),
        ])
    }

    #[test]
    fn equal_amounts_differ_in_nothing_whatever_their_digits() {
        assert!(compare_holdings(&ours("10.000", "-1500.50"), &state(10, "-1500.5")).is_empty());
    }

    #[test]
    fn a_difference_says_by_how_much() {
        let found = compare_holdings(&ours("7", "-1500.5"), &state(10, "-1500.5"));
        let amounts: Vec<_> = found.iter().filter_map(amount_of).collect();
        assert_eq!(amounts, [(Commodity::Shares(apple()), Decimal::from(3))]);
    }

    #[test]
    fn what_only_one_side_has_is_a_difference() {
        let found = compare_holdings(&BTreeMap::new(), &state(10, "-5"));
        assert_eq!(found.len(), 2);
        let nothing = AccountState { positions: vec![], trade_cash: vec![], ..state(0, "0") };
        assert_eq!(compare_holdings(&ours("10", "-5"), &nothing).len(), 2);
    }

    #[test]
    fn what_was_different_in_another_way_a_moment_later_was_under_way() {
        let first = compare_holdings(&ours("7", "0"), &state(10, "0"));
        let second = compare_holdings(&ours("8", "0"), &state(10, "0"));
        assert!(lasting(first.clone(), &second).is_empty());
        assert_eq!(lasting(first.clone(), &first).len(), 1);
    }
}
