//! Groups: what belongs together has come and gone together.

use crate::model::decimal;
use crate::trader::Trader;
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Every group of the account.
pub(super) async fn listed(trader: &Trader) -> Vec<Value> {
    let (mut groups, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/order-groups?limit=100&accountId={}{cursor}", trader.account);
        let page = trader.visitor.get(&path).await;
        groups.extend(page["groups"].as_array().unwrap().iter().cloned());
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return groups,
        }
    }
}

/// Each group that was acknowledged is there, once, and nothing else is.
pub(super) fn are_those_asked_for(trader: &Trader, groups: &[Value]) {
    let mut keys = BTreeSet::new();
    for group in groups {
        let key = group["clientGroupId"].as_str().unwrap();
        assert!(keys.insert(key), "twice: {group}");
        let asked = trader.record.groups.get(key).unwrap_or_else(|| panic!("nobody asked for it: {group}"));
        match asked.made() {
            Some(made) => assert_eq!(made["id"], group["id"]),
            // A sending whose fate nobody knew was heard after all, behind the one that was refused.
            None => assert!(asked.answer.was_unknown, "it was refused: {group}"),
        }
        for field in ["kind", "symbol", "quantity"] {
            assert_eq!(asked.body[field], group[field], "{field} of {group}");
        }
    }
    for (key, asked) in &trader.record.groups {
        assert!(asked.answer.status != 201 || keys.contains(key.as_str()), "lost: {:?}", asked.answer);
    }
}

fn leg<'a>(group: &'a Value, name: &str) -> Option<&'a Value> {
    group["legs"].as_array().unwrap().iter().find(|leg| leg["leg"] == name)
}

/// No leg comes before its entry is complete, none is for more than the entry has brought, and nothing is left open. Says in
/// which symbols both exits were executed for the same shares, before the one could take back the other.
pub(super) fn have_kept_their_word(groups: &[Value], orders: &BTreeMap<String, Value>) -> BTreeSet<String> {
    let mut crossed = BTreeSet::new();
    for group in groups {
        assert_eq!(group["active"], false, "{group:#}");
        let order = |name| leg(group, name).and_then(|leg| orders.get(leg["orderId"].as_str().unwrap()));
        let filled = |order: Option<&Value>| order.map_or(Decimal::ZERO, |o| decimal(&o["filledQuantity"]));
        let whole = decimal(&group["quantity"]);
        let entry = order("entry");
        let shares = entry.map_or(whole, |entry| decimal(&entry["filledQuantity"]));
        assert!(shares <= whole, "{group:#}");
        for leg in group["legs"].as_array().unwrap().iter().filter(|leg| leg["leg"] != "entry") {
            let order = orders.get(leg["orderId"].as_str().unwrap());
            assert_ne!(leg["state"], "waiting", "{group:#}");
            assert_eq!(leg["state"] == "placed", order.is_some(), "{leg:#}");
            let Some(order) = order else { continue };
            assert!(shares > Decimal::ZERO, "an exit without shares: {group:#}");
            assert!(decimal(&order["quantity"]) <= shares, "{group:#}");
            if let Some(entry) = entry {
                assert!(order["createdAt"].as_str() >= entry["updatedAt"].as_str(), "too early: {group:#}");
            }
        }
        let (profit, loss) = (filled(order("take_profit")), filled(order("stop_loss")));
        assert!(profit <= shares && loss <= shares, "{group:#}");
        if profit + loss > shares {
            crossed.insert(group["symbol"].as_str().unwrap().to_owned());
        }
    }
    crossed
}
