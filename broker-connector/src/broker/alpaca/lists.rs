//! Alpaca's lists of orders and executions, page by page.

use super::config::ACTIVITIES_PER_PAGE;
use super::rest::{Failure, Rest};
use super::{account, parse, wire};
use crate::broker::records::Opening;
use crate::broker::{BrokerError, ListedExecution, ListedOrder, Page};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::value::RawValue;

/// Which list a page is of, and after which moment it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    /// Only open orders: they are read first, however old they are.
    open: bool,
    after: Option<DateTime<Utc>>,
}

impl Place {
    fn read(text: Option<&str>) -> Option<Self> {
        let Some(text) = text else { return Some(Self { open: true, after: None }) };
        let (list, after) = text.split_once('@')?;
        let after = match after {
            "" => None,
            after => Some(DateTime::parse_from_rfc3339(after).ok()?.to_utc()),
        };
        Some(Self { open: list == "open", after })
    }

    fn write(self) -> String {
        let list = if self.open { "open" } else { "all" };
        format!("{list}@{}", self.after.map(written).unwrap_or_default())
    }
}

fn written(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Nanos, true)
}

fn unreadable(what: &str) -> BrokerError {
    BrokerError::Unavailable(format!("Alpaca lists an order of ours that cannot be read: {what}"))
}

/// An order of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) order: ListedOrder,
    /// Whether it came with others.
    pub(super) has_class: bool,
}

/// The order in an item of a list; nothing for orders of other things than shares.
pub(super) fn listed(item: &RawValue) -> Result<Option<Row>, BrokerError> {
    let order: wire::Order = match serde_json::from_str(item.get()) {
        Ok(order) => order,
        // One of ours that cannot be read must not count as absent.
        Err(error) if item.get().contains("\"gaemi-") => return Err(unreadable(&error.to_string())),
        Err(error) => {
            tracing::warn!(%error, "an order at Alpaca cannot be read");
            return Ok(None);
        }
    };
    match parse::order(&order) {
        None if parse::named(&order.client_order_id).is_some() => Err(unreadable(&order.id)),
        listed => Ok(listed.map(|listed| Row { order: listed, has_class: parse::has_class(&order) })),
    }
}

/// A page of orders: first the open ones, then all that were submitted since a moment.
pub(super) async fn orders(
    rest: &Rest,
    since: DateTime<Utc>,
    after: Option<&str>,
    orders_per_page: usize,
) -> Result<Result<Page<Row>, BrokerError>, Failure> {
    let Some(place) = Place::read(after) else {
        return Ok(Err(BrokerError::Conflict("there is no such page".into())));
    };
    let mut query = vec![
        ("status", if place.open { "open" } else { "all" }.to_owned()),
        ("direction", "asc".to_owned()),
        ("limit", orders_per_page.to_string()),
    ];
    query.extend(place.after.map(|after| ("after", written(after))));
    let list: Vec<Box<RawValue>> = rest.get("/v2/orders", &query).await?;
    let next = match next_place(place, since, &list, orders_per_page) {
        Ok(next) => next.map(Place::write),
        Err(error) => return Ok(Err(error)),
    };
    let items: Result<Vec<_>, BrokerError> =
        list.iter().filter_map(|item| listed(item).transpose()).collect();
    Ok(items.map(|items| Page { items, next }))
}

/// Where the next page begins. Pages overlap by the last moment of the one before: Alpaca leaves out what was submitted at
/// the very moment that it is given.
fn next_place(
    place: Place,
    since: DateTime<Utc>,
    list: &[Box<RawValue>],
    orders_per_page: usize,
) -> Result<Option<Place>, BrokerError> {
    if list.len() < orders_per_page {
        return Ok(place.open.then_some(Place { open: false, after: Some(since) }));
    }
    let last: Option<wire::Order> = account::items(list).flatten().last();
    let last = last.and_then(|order| DateTime::parse_from_rfc3339(order.submitted_at.as_deref()?).ok());
    let next = last.map(|at| at.to_utc() - TimeDelta::nanoseconds(1));
    match next {
        Some(next) if place.after.is_none_or(|after| next > after) => {
            Ok(Some(Place { after: Some(next), ..place }))
        }
        _ => Err(BrokerError::Unavailable("Alpaca's list of orders does not go on".into())),
    }
}

/// A page of executions since a moment, none from before the account was connected.
pub(super) async fn executions(
    rest: &Rest,
    opening: &Opening,
    since: DateTime<Utc>,
    after: Option<String>,
) -> Result<Page<ListedExecution>, Failure> {
    let mut query = vec![
        ("after", written(since.max(opening.opened_at - TimeDelta::seconds(1)))),
        ("direction", "asc".to_owned()),
        ("page_size", ACTIVITIES_PER_PAGE.to_string()),
    ];
    query.extend(after.map(|token| ("page_token", token)));
    let list: Vec<wire::Activity> = rest.get("/v2/account/activities/FILL", &query).await?;
    let next = list.last().filter(|_| list.len() >= ACTIVITIES_PER_PAGE).map(|last| last.id.clone());
    let ours = |execution: &ListedExecution| execution.occurred_at > opening.opened_at;
    Ok(Page { items: list.iter().filter_map(parse::execution).filter(ours).collect(), next })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(nanos: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_nanos(1_800_000_000_000_000_000 + nanos)
    }

    fn order(submitted: DateTime<Utc>) -> Box<RawValue> {
        let order = serde_json::json!({
            "id": "1", "client_order_id": "x", "symbol": "AAPL", "side": "buy", "type": "market",
            "time_in_force": "day", "status": "new", "qty": "1", "submitted_at": written(submitted),
        });
        RawValue::from_string(order.to_string()).unwrap()
    }

    #[test]
    fn open_orders_are_read_to_their_end_before_the_others() {
        let first = Place::read(None).unwrap();
        assert!(first.open);
        let full = [order(at(1)), order(at(2))];
        let second = next_place(first, at(0), &full, 2).unwrap().unwrap();
        assert_eq!(second, Place { open: true, after: Some(at(1)) });
        let all = next_place(second, at(0), &full[1..], 2).unwrap().unwrap();
        assert_eq!(all, Place { open: false, after: Some(at(0)) });
        assert_eq!(next_place(all, at(0), &[], 2), Ok(None));
        assert_eq!(Place::read(Some(&second.write())), Some(second));
    }

    #[test]
    fn a_list_that_stands_still_is_no_end() {
        let place = Place { open: false, after: Some(at(0)) };
        let same = [order(at(1)), order(at(1))];
        assert!(next_place(place, at(0), &same, 2).is_err());
    }
}
