//! Lists, page by page. Pure.

use crate::answers;
use crate::market::{Kind, Market};
use chrono::{NaiveDate, Utc};
use chrono_tz::Asia::Seoul;
use serde_json::{Map, Value, json};

/// A body, and where the next page begins.
pub(crate) type Paged = (Value, Option<String>);

fn paged(market: &Market, name: &str, rows: Vec<Value>, next_key: &str) -> Paged {
    let begin: usize = next_key.parse().unwrap_or_default();
    let count = rows.len();
    let end = begin.saturating_add(market.rows_per_page).min(count);
    let rows: Vec<Value> = rows.into_iter().skip(begin).take(market.rows_per_page).collect();
    let mut body = Map::new();
    body.insert(name.to_owned(), rows.into());
    body.insert("return_code".into(), 0.into());
    body.insert("return_msg".into(), "조회가 완료되었습니다".into());
    (body.into(), (end < count).then(|| end.to_string()))
}

fn said<'a>(body: &'a Value, name: &str) -> &'a str {
    body.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// ka10075: what is open, the newest first.
pub(crate) fn open_orders(market: &Market, next_key: &str) -> Paged {
    let open = market.orders.iter().rev().filter(|order| order.works());
    paged(market, "oso", open.map(answers::open_order).collect(), next_key)
}

/// ka10076: what was executed today, one row an order.
pub(crate) fn executions(market: &Market, next_key: &str) -> Paged {
    let today = Utc::now().with_timezone(&Seoul).date_naive();
    let filled = market.orders.iter().rev().filter(|order| order.filled > 0 && order.day() == today);
    paged(market, "cntr", filled.map(answers::execution).collect(), next_key)
}

/// kt00007: the orders of a day.
pub(crate) fn orders_of_day(market: &Market, body: &Value, next_key: &str) -> Paged {
    let today = Utc::now().with_timezone(&Seoul).date_naive();
    let day = NaiveDate::parse_from_str(said(body, "ord_dt"), "%Y%m%d").unwrap_or(today);
    let mut rows: Vec<_> = market
        .orders
        .iter()
        .filter(|order| order.day() == day)
        .filter(|order| said(body, "qry_tp") != "4" || (order.filled > 0 && order.kind != Kind::Cancel))
        .collect();
    if said(body, "qry_tp") == "2" {
        rows.reverse();
    }
    let rows = rows.into_iter().map(answers::order_of_day).collect();
    paged(market, "acnt_ord_cntr_prps_dtl", rows, next_key)
}

/// kt00018: what is held.
pub(crate) fn positions(market: &Market, next_key: &str) -> Paged {
    let rows = market.positions.iter().map(|(code, quantity)| answers::position(code, *quantity));
    let (mut body, next) = paged(market, "acnt_evlt_remn_indv_tot", rows.collect(), next_key);
    if let Some(body) = body.as_object_mut() {
        body.insert("tot_pur_amt".into(), json!("000000000000000"));
        body.insert("tot_evlt_pl".into(), json!("-00000000000100"));
    }
    (body, next)
}
