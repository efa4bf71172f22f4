//! What a batch tells browsers.

use super::super::apply::Execution;
use super::super::document::OrderDocument;
use super::super::order::Order;
use super::super::store::JournalLine;
use super::Batch;
use crate::account::balance_event;
use crate::error::ApiError;
use crate::events::{EventKind, NewEvent};
use crate::portfolio::position_event;
use chrono::{DateTime, Utc};
use domain::{AccountId, Currency, DecimalText, OrderId, Price, Quantity, Side, Symbol};
use rust_decimal::Decimal;
use serde::Serialize;

/// An execution as it is told to browsers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExecutionEvent {
    account_id: AccountId,
    order_id: OrderId,
    execution_id: String,
    symbol: Symbol,
    side: Side,
    quantity: Quantity,
    price: Price,
    commission: DecimalText,
    tax: DecimalText,
    currency: Currency,
    occurred_at: DateTime<Utc>,
}

impl Batch {
    /// Tells of a position that was moved beside these books.
    pub(in crate::trading) fn tell_position(
        &mut self,
        account_id: AccountId,
        symbol: Symbol,
        quantity: Decimal,
    ) -> Result<(), ApiError> {
        let Some((user, _)) = self.balances.account(account_id) else { return Ok(()) };
        let event = position_event(user, (account_id, symbol), quantity).map_err(ApiError::internal)?;
        self.execution_events.push(event);
        Ok(())
    }

    /// Tells of an execution.
    pub(super) fn tell_execution(
        &mut self,
        line: &JournalLine,
        order: &Order,
        execution: &Execution,
    ) -> Result<(), ApiError> {
        let event = ExecutionEvent {
            account_id: line.account_id,
            order_id: line.order_id,
            execution_id: execution.execution_id.clone(),
            symbol: order.wish.symbol,
            side: order.wish.side,
            quantity: execution.quantity,
            price: execution.price,
            commission: execution.commission.into(),
            tax: execution.tax.into(),
            currency: order.currency(),
            occurred_at: line.occurred_at,
        };
        let event = NewEvent::new(order.user_id, EventKind::Execution, &event).map_err(ApiError::internal)?;
        self.execution_events.push(event);
        Ok(())
    }

    /// What is told: every changed order as it stands now, every execution, and the balances and positions they moved.
    pub(super) fn events(&mut self) -> Result<Vec<NewEvent>, serde_json::Error> {
        let mut told = Vec::new();
        for order in self.changed_orders() {
            told.push(NewEvent::new(order.user_id, EventKind::Order, &OrderDocument::from(order))?);
        }
        told.append(&mut self.execution_events);
        for incident in &self.incidents {
            told.extend(incident.event().transpose()?);
        }
        for (account_id, currency) in &self.cash_changed {
            let Some((user, _)) = self.balances.account(*account_id) else { continue };
            let cash = self.balances.cash(*account_id, *currency);
            told.push(balance_event(user, &cash, self.now)?);
        }
        for (key, state) in self.books.changed() {
            let Some((user, _)) = self.balances.account(key.0) else { continue };
            told.push(position_event(user, key, state.quantity)?);
        }
        Ok(told)
    }
}
