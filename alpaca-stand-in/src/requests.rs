//! The REST service: what is asked, and what is answered. Pure but for the clock.

use crate::answers;
use crate::market::{ActivityKind, Market, Order};
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde_json::{Value, json};
use std::collections::HashMap;

/// Most orders on a page.
const ORDERS_MAX: usize = 500;

/// A status and a body; nothing is written for an empty one.
pub(crate) type Answer = (u16, Value);

/// A request.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: HashMap<String, String>,
    pub(crate) body: Value,
}

impl Asked {
    /// Whether it sends, changes or takes back an order.
    pub(crate) fn is_about_an_order(&self) -> bool {
        self.path.starts_with("/v2/orders") && self.method != "GET"
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether members are asked for inside of the order that they came with. Alpaca's own client writes `True`.
    fn is_nested(&self) -> bool {
        self.parameter("nested").is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    fn moment(&self, name: &str) -> Option<DateTime<Utc>> {
        let text = self.parameter(name)?;
        DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc())
    }
}

fn refused((status, code, message): (u16, u64, String)) -> Answer {
    (status, answers::refusal(code, &message))
}

fn not_found(what: &str) -> Answer {
    (404, answers::refusal(40_410_000, what))
}

/// Answers.
pub(crate) fn answer(market: &mut Market, asked: &Asked) -> Answer {
    let parts: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
    match (asked.method.as_str(), parts.as_slice()) {
        ("GET", ["v2", "account"]) => (200, answers::account(market)),
        ("GET", ["v2", "positions"]) => (200, answers::positions(market)),
        ("GET", ["v2", "clock"]) => (200, clock(market)),
        ("GET", ["v2", "calendar"]) => calendar(market, asked),
        ("GET", ["v2", "account", "activities"]) => activities(market, asked, None),
        ("GET", ["v2", "account", "activities", kind]) => activities(market, asked, Some(kind)),
        ("GET", ["v2", "orders"]) => orders(market, asked),
        ("POST", ["v2", "orders"]) => {
            let placed = market.submit(&asked.body);
            placed.map_or_else(refused, |order| (200, answers::nested(market, &order)))
        }
        ("DELETE", ["v2", "orders"]) => cancel_all(market),
        ("GET", ["v2", "orders:by_client_order_id"]) => {
            let wanted = asked.parameter("client_order_id").unwrap_or_default();
            let found = market.orders.iter().find(|order| order.client_order_id == wanted);
            found.map_or_else(|| not_found("order not found"), |order| (200, answers::order(order)))
        }
        ("GET", ["v2", "orders", id]) => {
            let found = market.place_of(id).and_then(|place| market.orders.get(place));
            let show = |order: &Order| written(market, asked, order);
            found.map_or_else(|| not_found("order not found"), |order| (200, show(order)))
        }
        ("PATCH", ["v2", "orders", id]) => {
            market.replace(id, &asked.body).map_or_else(refused, |order| (200, answers::order(&order)))
        }
        ("DELETE", ["v2", "orders", id]) => market.cancel(id).map_or_else(refused, |()| (204, Value::Null)),
        _ => not_found("endpoint not found"),
    }
}

/// An order as it was asked for: with what came with it, or alone.
fn written(market: &Market, asked: &Asked, order: &Order) -> Value {
    if asked.is_nested() { answers::nested(market, order) } else { answers::order(order) }
}

fn clock(market: &mut Market) -> Value {
    let now = market.now() + market.clock_ahead;
    let (is_open, next_open, next_close) = market.calendar.clock(now);
    json!({
        "timestamp": answers::written(now), "is_open": is_open,
        "next_open": answers::written(next_open), "next_close": answers::written(next_close),
    })
}

fn calendar(market: &Market, asked: &Asked) -> Answer {
    let day = |name: &str| asked.parameter(name).and_then(|text| text.parse::<NaiveDate>().ok());
    let (Some(from), Some(to)) = (day("start"), day("end")) else {
        return (422, answers::refusal(40_010_001, "start and end are required"));
    };
    let ahead = to.checked_add_days(Days::new(10)).unwrap_or(to);
    let days = market.calendar.trading_days(from, ahead);
    let rows =
        days.iter().zip(days.iter().skip(1)).filter(|(day, _)| **day <= to).filter_map(|(day, settles)| {
            let (open, close) = market.calendar.hours(*day)?;
            Some(json!({
                "date": day.to_string(), "open": open.format("%H:%M").to_string(),
                "close": close.format("%H:%M").to_string(), "session_open": "0400", "session_close": "2000",
                "settlement_date": settles.to_string(),
            }))
        });
    (200, rows.collect())
}

fn orders(market: &Market, asked: &Asked) -> Answer {
    let status = asked.parameter("status").unwrap_or("open");
    let limit = asked.parameter("limit").and_then(|limit| limit.parse().ok()).unwrap_or(50_usize);
    let (after, until) = (asked.moment("after"), asked.moment("until"));
    let symbols: Option<Vec<&str>> = asked.parameter("symbols").map(|symbols| symbols.split(',').collect());
    let wanted = |order: &&Order| {
        let of_status = match status {
            "open" => order.works(),
            "closed" => !order.works(),
            _ => true,
        };
        let is_shown = !asked.is_nested() || order.member.parent.is_none();
        of_status
            && is_shown
            && after.is_none_or(|after| order.submitted_at > after)
            && until.is_none_or(|until| order.submitted_at < until)
            && symbols.as_ref().is_none_or(|symbols| symbols.contains(&order.symbol.as_str()))
    };
    let mut found: Vec<&Order> = market.orders.iter().filter(wanted).collect();
    found.sort_by_key(|order| order.submitted_at);
    if asked.parameter("direction") != Some("asc") {
        found.reverse();
    }
    (200, found.into_iter().take(limit.min(ORDERS_MAX)).map(|order| written(market, asked, order)).collect())
}

fn cancel_all(market: &mut Market) -> Answer {
    let open: Vec<String> =
        market.orders.iter().filter(|order| order.works()).map(|order| order.id.clone()).collect();
    let rows = open.into_iter().map(|id| {
        let status = market.cancel(&id).map_or_else(|(status, _, _)| status, |()| 200);
        json!({ "id": id, "status": status })
    });
    (207, rows.collect())
}

fn activities(market: &Market, asked: &Asked, kind: Option<&str>) -> Answer {
    let page_size = asked.parameter("page_size").and_then(|size| size.parse().ok()).unwrap_or(100_usize);
    let after = asked.moment("after");
    let words: Option<Vec<&str>> =
        kind.or(asked.parameter("activity_types")).map(|words| words.split(',').collect());
    let movements_only = asked.parameter("category") == Some("non_trade_activity");
    let mut found: Vec<_> = market
        .activities
        .iter()
        .filter(|activity| {
            let word = match &activity.kind {
                ActivityKind::Fill { .. } => "FILL",
                ActivityKind::Movement { movement, .. } => movement.word.as_str(),
            };
            !(movements_only && word == "FILL")
                && words.as_ref().is_none_or(|words| words.contains(&word))
                && after.is_none_or(|after| activity.at > after)
        })
        .collect();
    found.sort_by(|one, other| one.id.cmp(&other.id));
    if asked.parameter("direction") != Some("asc") {
        found.reverse();
    }
    if let Some(token) = asked.parameter("page_token") {
        let place = found.iter().position(|activity| activity.id == token).map_or(0, |place| place + 1);
        found.drain(..place);
    }
    (200, found.into_iter().take(page_size.min(100)).map(|one| answers::activity(market, one)).collect())
}
