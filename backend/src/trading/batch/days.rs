//! The trading days of what a batch executes.

use super::Batch;
use chrono::TimeDelta;
use domain::{OrderId, Quote, Symbol};
use std::sync::Arc;

/// How far the price in memory may be from an execution to tell the day of its price. Prices that are played again can pass
/// a whole day in a minute.
const QUOTE_APART_MAX: TimeDelta = TimeDelta::seconds(5);

impl Batch {
    /// Writes down the trading day of each execution's price, as far as the last price known tells it: a chart of prices that
    /// are played again shows an execution at the day that was played, whenever it is looked at.
    pub(in crate::trading) fn date_executions(&mut self, last: impl Fn(Symbol) -> Option<Arc<Quote>>) {
        for row in &mut self.executions {
            let Some((order, _)) = self.orders.get(&OrderId(row.order_id)) else { continue };
            let quote = last(order.wish.symbol);
            row.session_date = quote
                .filter(|quote| (quote.at - row.occurred_at).abs() <= QUOTE_APART_MAX)
                .map(|quote| quote.session_date);
        }
    }
}
