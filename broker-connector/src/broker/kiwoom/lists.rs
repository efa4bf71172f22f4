//! Kiwoom's lists of orders and executions, day by day: a page of ours is a day of Kiwoom's, read to its end.

use super::config::HISTORY_DAYS_MAX;
use super::day::{self, Known};
use super::fills;
use super::parse::{self, day_of};
use super::rows::{FilledRow, broker_number};
use super::session::Session;
use super::store::{SpansByNumber, Store};
use crate::broker::{BrokerError, ExecutionFate, ListedExecution, ListedOrder, Page};
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use domain::{Price, Quantity};
use rust_decimal::Decimal;
use std::collections::HashMap;

/// When executions of a day that is over count as made, where nobody told when: at its close.
const CLOSE: &str = "153000";

/// The orders of a day, whoever made them.
pub(super) async fn orders_of(
    session: &Session,
    store: &Store,
    day: NaiveDate,
) -> Result<Vec<ListedOrder>, BrokerError> {
    let today = day_of(Utc::now());
    let mut rows = session.answer(session.desk.orders_of(day).await)?;
    if day == today && session.desk.lists_open_orders() {
        // What is open must be in the one list or the other.
        for open in session.answer(session.desk.open_orders(today).await)? {
            if !rows.iter().any(|row| row.number == open.number) {
                rows.push(open);
            }
        }
    }
    let symbols = session.answer(session.symbols_of(rows.iter().map(|row| row.code.as_str())).await)?;
    let numbers: Vec<String> = rows.iter().map(|row| broker_number(day, &row.number)).collect();
    let requests = store.replaces(session.account_id, &numbers).await?;
    let known = Known { day, is_over: day < today, symbols: &symbols, requests: &requests };
    Ok(day::orders(&rows, &known))
}

/// Whether an order came after the account was connected. Kiwoom tells no parts of seconds.
fn is_ours(session: &Session, at: DateTime<Utc>) -> bool {
    at + TimeDelta::seconds(1) > session.opening.opened_at
}

/// The day of a page, and where the next one begins.
fn place(
    session: &Session,
    since: DateTime<Utc>,
    after: Option<&str>,
) -> Result<(NaiveDate, Option<String>), BrokerError> {
    let today = day_of(Utc::now());
    let day = match after {
        Some(after) => NaiveDate::parse_from_str(after, "%Y-%m-%d")
            .map_err(|_| BrokerError::Conflict("there is no such page".into()))?,
        None => {
            let begin = day_of(since.max(session.opening.opened_at));
            let first = today - TimeDelta::days(HISTORY_DAYS_MAX);
            if begin < first {
                tracing::warn!(account = %session.account_id, %begin, "Kiwoom's history is not read that far back");
            }
            begin.clamp(first, today)
        }
    };
    let next = day.checked_add_days(Days::new(1)).filter(|next| *next <= today);
    Ok((day, next.map(|next| next.to_string())))
}

/// A day of orders.
pub(super) async fn order_page(
    session: &Session,
    store: &Store,
    since: DateTime<Utc>,
    after: Option<&str>,
) -> Result<Page<ListedOrder>, BrokerError> {
    let (day, next) = place(session, since, after)?;
    let orders = orders_of(session, store, day).await?;
    Ok(Page { items: orders.into_iter().filter(|order| is_ours(session, order.accepted_at)).collect(), next })
}

/// A day of executions. Those that were not written down yet are, first.
pub(super) async fn execution_page(
    session: &Session,
    store: &Store,
    since: DateTime<Utc>,
    after: Option<&str>,
) -> Result<Page<ListedExecution>, BrokerError> {
    let (day, next) = place(session, since, after)?;
    let now = Utc::now();
    let (rows, at) = if day == day_of(now) {
        (session.answer(session.desk.executed_today(day).await)?, now)
    } else {
        let orders = session.answer(session.desk.orders_of(day).await)?;
        let filled = orders.iter().filter(|order| order.filled > 0).map(parse::filled).collect();
        (filled, parse::at(day, CLOSE).unwrap_or(now))
    };
    let rows = rows.into_iter().filter(|row| row.ordered_at.is_none_or(|at| is_ours(session, at)));
    let rows: HashMap<String, FilledRow> = rows.map(|row| (broker_number(day, &row.number), row)).collect();
    let spans = spans_of(session, store, &rows, at).await?;
    Ok(Page { items: executions(&spans), next })
}

async fn spans_of(
    session: &Session,
    store: &Store,
    rows: &HashMap<String, FilledRow>,
    at: DateTime<Utc>,
) -> Result<SpansByNumber, BrokerError> {
    let numbers: Vec<String> = rows.keys().cloned().collect();
    let missing = |written: &SpansByNumber| -> SpansByNumber {
        let of_row = |(number, row): (&String, &FilledRow)| {
            let before = written.get(number).map(Vec::as_slice).unwrap_or_default();
            let spans = fills::missing(before, row, &session.told(number), at);
            (!spans.is_empty()).then(|| (number.clone(), spans))
        };
        rows.iter().filter_map(of_row).collect()
    };
    let written = store.spans(session.account_id, &numbers).await?;
    if missing(&written).is_empty() {
        return Ok(written);
    }
    store.add_spans(session.account_id, &numbers, missing).await
}

fn executions(spans: &SpansByNumber) -> Vec<ListedExecution> {
    let mut executions: Vec<ListedExecution> = spans
        .iter()
        .flat_map(|(number, spans)| spans.iter().map(move |span| (number, span)))
        .filter_map(|(number, span)| {
            Some(ListedExecution {
                broker_order_id: number.clone(),
                execution_id: span.execution_id(number),
                quantity: Quantity::new(Decimal::from(span.quantity())).ok()?,
                price: Price::new(span.price).ok()?,
                commission: span.commission,
                tax: span.tax,
                occurred_at: span.at,
                fate: ExecutionFate::Stands,
            })
        })
        .collect();
    executions.sort_by(|one, other| {
        (one.occurred_at, &one.execution_id).cmp(&(other.occurred_at, &other.execution_id))
    });
    executions
}
