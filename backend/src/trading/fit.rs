//! Whether a broker takes an order, or other terms for one. Pure.
//!
//! Asked before anything is written: what the broker would refuse anyhow holds no money, and its owner learns at once which
//! field it is.

use super::brokerage::CapabilitiesDocument;
use super::order::Order;
use crate::error::FieldError;
use domain::{NewOrder, OrderType, Quantity, Size, TimeInForce};

/// Whether a broker takes a time in force.
pub(super) fn keeps(broker: &CapabilitiesDocument, time_in_force: TimeInForce) -> bool {
    broker.times_in_force.iter().any(|taken| taken == time_in_force.name())
}

/// What of a type and a time in force a broker does not take; `place` is before the names of the fields.
pub(super) fn against_terms(
    broker: &CapabilitiesDocument,
    place: &str,
    (order_type, time_in_force): (OrderType, TimeInForce),
) -> Vec<FieldError> {
    let mut complaints = Vec::new();
    let mut complain = |field: &str, asked: &str, rule: &str, taken: &[String]| {
        let (broker, taken) = (&broker.broker, taken.join(", "));
        let message = format!("{asked} is not taken at {broker}, which takes {taken}");
        complaints.push(FieldError::new(format!("{place}{field}"), rule, message));
    };
    if !broker.order_types.iter().any(|taken| taken == order_type.name()) {
        complain("type", order_type.name(), "order_type_unsupported", &broker.order_types);
    }
    if !keeps(broker, time_in_force) {
        complain("timeInForce", time_in_force.name(), "time_in_force_unsupported", &broker.times_in_force);
    }
    complaints
}

/// What of an order a broker does not take.
pub(super) fn against_order(broker: &CapabilitiesDocument, order: &NewOrder) -> Vec<FieldError> {
    let terms = (order.pricing.order_type(), order.lifetime.time_in_force());
    let mut complaints = against_terms(broker, "", terms);
    let market = order.symbol.market().code();
    if !broker.markets.iter().any(|traded| traded == market) {
        let message = format!("{market} is not traded at {}", broker.broker);
        complaints.push(FieldError::new("symbol", "not_at_this_broker", message));
    }
    let in_parts = match order.size {
        Size::Shares(quantity) => (!quantity.is_whole()).then_some("quantity"),
        Size::Notional(_) => Some("notional"),
    };
    if let Some(field) = in_parts.filter(|_| !broker.fractions) {
        let message = format!("parts of shares are not traded at {}", broker.broker);
        complaints.push(FieldError::new(field, "whole_shares", message));
    }
    complaints
}

/// What a broker has against another number of shares, or against any other terms.
pub(super) fn against_change(
    broker: &CapabilitiesDocument,
    order: &Order,
    quantity: Quantity,
) -> Option<FieldError> {
    let name = &broker.broker;
    if !broker.replace {
        let message = format!("{name} does not change open orders");
        return Some(FieldError::new("", "replace_unsupported", message));
    }
    let message = || format!("{name} changes the prices of an open order, and not how many shares it is for");
    (quantity != order.quantity && !broker.replace_quantity)
        .then(|| FieldError::new("quantity", "replace_unsupported", message()))
}

/// What speaks against other terms for an order whose exits came to the broker with it: nobody says what becomes of them when
/// another order takes its place there.
pub(super) fn against_change_of_leader(order: &Order) -> Option<FieldError> {
    let message =
        "its exits came to the broker with it: take it back and place the group anew, or change an exit";
    order.leads_others().then(|| FieldError::new("", "replace_unsupported", message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{AccountId, Lifetime, Pricing, Side};
    use serde_json::json;

    /// Takes limit orders for whole Korean shares for the day, as Kiwoom does.
    fn broker() -> CapabilitiesDocument {
        let described = json!({
            "broker": "elsewhere", "markets": ["KRX"], "currencies": ["KRW"], "orderTypes": ["limit"],
            "timesInForce": ["day"], "replace": true, "replaceQuantity": false, "sharedExits": false,
            "fractions": false, "credentials": true, "keepsCash": true, "realMoney": true,
        });
        serde_json::from_value(described).unwrap()
    }

    fn order(symbol: &str, pricing: Pricing, lifetime: Lifetime, quantity: &str) -> NewOrder {
        NewOrder {
            account_id: AccountId::generate(),
            symbol: symbol.parse().unwrap(),
            side: Side::Buy,
            pricing,
            lifetime,
            size: Size::Shares(quantity.parse().unwrap()),
        }
    }

    fn refused(order: &NewOrder) -> Vec<(String, String)> {
        against_order(&broker(), order).into_iter().map(|error| (error.field, error.rule)).collect()
    }

    fn pair(field: &str, rule: &str) -> (String, String) {
        (field.to_owned(), rule.to_owned())
    }

    #[test]
    fn every_part_of_an_order_that_a_broker_does_not_take_is_named() {
        let limit = Pricing::Limit("70000".parse().unwrap());
        assert_eq!(refused(&order("005930.KS", limit, Lifetime::Day, "3")), []);
        assert_eq!(
            refused(&order("005930.KS", Pricing::Market, Lifetime::Gtc, "3")),
            [pair("type", "order_type_unsupported"), pair("timeInForce", "time_in_force_unsupported")]
        );
        assert_eq!(
            refused(&order("AAPL", limit, Lifetime::Day, "1.5")),
            [pair("symbol", "not_at_this_broker"), pair("quantity", "whole_shares")]
        );
        let by_amount = NewOrder {
            size: Size::Notional("1000".parse().unwrap()),
            ..order("005930.KS", limit, Lifetime::Day, "3")
        };
        assert_eq!(refused(&by_amount), [pair("notional", "whole_shares")]);
    }
}
