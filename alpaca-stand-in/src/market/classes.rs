//! Orders that belong together: bracket, OCO and OTO (`order_class`), as Alpaca documents them. Exits wait (`held`) until their
//! entry is executed whole; the exit with a limit is worked first and the stop stays `held` beside it, which is why only one of
//! them reserves the shares; one exit that is executed makes the other smaller or ends it; a cancel of one ends all.

use super::{Market, Order, Refusal, check_price, decimal};
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

/// How an order belongs to others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Membership {
    /// Alpaca's word for its class; empty for an order that stands alone.
    pub class: &'static str,
    /// The number of the order that it came with; nothing for that order itself.
    pub parent: Option<String>,
}

/// What a request asks for beside its order.
pub(super) struct Asked {
    class: &'static str,
    take_profit: Option<Decimal>,
    /// Its stop price, and its limit where it has one.
    stop_loss: Option<(Decimal, Option<Decimal>)>,
}

fn malformed<T>(words: &str) -> Result<T, Refusal> {
    Err((422, 40_010_001, words.to_owned()))
}

impl Asked {
    /// Reads what a request asks for; nothing where its order stands alone.
    pub(super) fn read(body: &Value) -> Result<Option<Self>, Refusal> {
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let class = match text("order_class") {
            "" | "simple" => return Ok(None),
            "bracket" => "bracket",
            "oco" => "oco",
            "oto" => "oto",
            other => return malformed(&format!("invalid order_class: {other}")),
        };
        if !matches!(text("time_in_force"), "day" | "gtc") || body.get("extended_hours") == Some(&true.into())
        {
            return malformed("complex orders are for the regular session, day or gtc");
        }
        let part = |name: &str| body.get(name).cloned().unwrap_or_default();
        let (profit, loss) = (part("take_profit"), part("stop_loss"));
        let take_profit = decimal(&profit, "limit_price")?;
        let stop_loss = match decimal(&loss, "stop_price")? {
            Some(stop) => Some((stop, decimal(&loss, "limit_price")?)),
            None => None,
        };
        for price in [take_profit, stop_loss.map(|(stop, _)| stop), stop_loss.and_then(|(_, limit)| limit)] {
            check_price(price)?;
        }
        match (class, take_profit, stop_loss) {
            ("oto", Some(_), None) | ("oto", None, Some(_)) => {}
            ("oto", ..) => return malformed("oto orders require exactly one of take_profit and stop_loss"),
            (_, Some(profit), Some((stop, _))) => {
                let exits_by_selling = (text("side") == "buy") == (class == "bracket");
                let is_right_side = if exits_by_selling { profit > stop } else { profit < stop };
                if !is_right_side {
                    return malformed("take_profit.limit_price is on the wrong side of stop_loss.stop_price");
                }
            }
            _ => return malformed("complex orders require take_profit.limit_price and stop_loss.stop_price"),
        }
        if class == "oco" && text("type") != "limit" {
            return malformed("oco orders must be limit orders");
        }
        Ok(Some(Self { class, take_profit, stop_loss }))
    }

    /// Its word.
    pub(super) const fn class(&self) -> &'static str {
        self.class
    }

    /// The limit of an OCO's first order, which is its exit with profit.
    pub(super) fn first_limit(&self) -> Option<Decimal> {
        self.take_profit.filter(|_| self.class == "oco")
    }
}

impl Market {
    /// Puts the exits of an order beside it. They come with it and are no orders of their own before they are worked.
    pub(super) fn add_exits(&mut self, parent: &Order, asked: &Asked) {
        let opposite = if parent.side == "buy" { "sell" } else { "buy" };
        let side = if asked.class == "oco" { parent.side.clone() } else { opposite.to_owned() };
        let exit = |order_type: &str, limit_price, stop_price| Order {
            id: Uuid::now_v7().to_string(),
            client_order_id: Uuid::now_v7().to_string(),
            side: side.clone(),
            order_type: order_type.to_owned(),
            limit_price,
            stop_price,
            notional: None,
            status: "held",
            member: Membership { class: asked.class, parent: Some(parent.id.clone()) },
            ..parent.clone()
        };
        if let Some(limit) = asked.take_profit.filter(|_| asked.class != "oco") {
            self.orders.push(exit("limit", Some(limit), None));
        }
        if let Some((stop, limit)) = asked.stop_loss {
            let order_type = if limit.is_some() { "stop_limit" } else { "stop" };
            self.orders.push(exit(order_type, limit, Some(stop)));
        }
    }

    /// The others that an order came with, by their places.
    fn family(&self, place: usize) -> Vec<usize> {
        let Some(member) = self.orders.get(place).filter(|order| !order.member.class.is_empty()) else {
            return Vec::new();
        };
        let root = member.member.parent.as_ref().unwrap_or(&member.id);
        let belongs = |order: &Order| order.id == *root || order.member.parent.as_ref() == Some(root);
        let all = self.orders.iter().enumerate().filter(|(at, order)| *at != place && belongs(order));
        all.map(|(at, _)| at).collect()
    }

    /// What an execution leads to: exits are worked, made smaller, or ended.
    pub(super) fn after_execution(&mut self, place: usize) {
        let Some(executed) = self.orders.get(place).cloned() else { return };
        let is_entry = executed.member.parent.is_none() && executed.member.class != "oco";
        for other in self.family(place) {
            let Some(exit) = self.orders.get_mut(other).filter(|order| order.works()) else { continue };
            let is_worked_first = exit.order_type == "limit" || executed.member.class == "oto";
            if is_entry {
                if executed.status == "filled" && is_worked_first {
                    self.set(other, "new");
                    self.tell("new", other, None);
                }
            } else if executed.status == "filled" {
                self.set(other, "canceled");
                self.tell("canceled", other, None);
            } else {
                exit.quantity = executed.leaves();
            }
        }
    }

    /// Ends what an order came with.
    pub(super) fn end_family(&mut self, place: usize) {
        for other in self.family(place) {
            if self.orders.get(other).is_some_and(Order::works) {
                self.set(other, "canceled");
                self.tell("canceled", other, None);
            }
        }
    }

    /// The exits that came with an order, in their order.
    pub(crate) fn legs(&self, order: &Order) -> Vec<&Order> {
        self.orders.iter().filter(|leg| leg.member.parent.as_ref() == Some(&order.id)).collect()
    }
}
