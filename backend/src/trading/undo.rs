//! A line of the journal that takes an execution back: the books first, then its order.

use super::apply::Execution;
use super::batch::Batch;
use super::order::Order;
use super::store::{self, ExecutionRow, JournalLine};
use crate::account;
use crate::clock;
use crate::db::corrupt;
use crate::error::ApiError;
use crate::portfolio;
use diesel::QueryResult;
use diesel_async::AsyncPgConnection;
use domain::broker::ReportKind;
use domain::{Price, Quantity};
use std::collections::BTreeSet;

/// Whether a line takes an execution back.
pub(super) fn is_undo(line: &JournalLine) -> bool {
    undone_id(line).is_some()
}

fn undone_id(line: &JournalLine) -> Option<&str> {
    match &line.report {
        Ok(ReportKind::TradeCanceled { execution_id, .. }) => Some(execution_id),
        Ok(ReportKind::TradeCorrected { corrects, .. }) => Some(corrects),
        _ => None,
    }
}

fn execution(row: &ExecutionRow) -> QueryResult<Execution> {
    Ok(Execution {
        execution_id: row.execution_id.clone(),
        quantity: Quantity::new(row.quantity.normalize()).map_err(|_| corrupt("quantity"))?,
        price: Price::new(row.price.normalize()).map_err(|_| corrupt("price"))?,
        commission: row.commission.normalize(),
        tax: row.tax.normalize(),
    })
}

/// Applies such a line in the caller's transaction; the caller saves the batch. What was taken back before is not taken
/// back again, and what is not known here yet waits until it is.
pub(super) async fn apply(connection: &AsyncPgConnection, line: &JournalLine) -> Result<Batch, ApiError> {
    let now = clock::now();
    // The house's order of locks: the account, then its order, then the execution.
    let neighbours = store::neighbours_of(connection, std::iter::once(line.order_id)).await?;
    let symbols = neighbours.symbols().into_iter();
    account::lock_balances(connection, &BTreeSet::from([line.account_id]), symbols).await?;
    let ids = neighbours.siblings.into_iter().chain([line.order_id]);
    let orders = store::lock_orders(connection, ids).await?;
    let is_ours = |order: &Order| order.id == line.order_id && order.wish.account_id == line.account_id;
    let is_ours = orders.iter().any(is_ours);
    let row = match undone_id(line).filter(|_| is_ours) {
        Some(id) => store::lock_execution(connection, line.account_id, id).await?,
        None => None,
    };
    let row = row.filter(|row| row.order_id == line.order_id.0);
    if row.as_ref().is_some_and(|row| row.reversed_by.is_some()) {
        return Batch::load(connection, &[]).await;
    }
    let undone = row.as_ref().map(execution).transpose()?;
    let mut moved = None;
    if let Some(undone) = &undone {
        let reversed = portfolio::reverse_fill(connection, line.account_id, &undone.execution_id, now).await;
        let reversed = reversed.map_err(ApiError::internal)?;
        let reversal = reversed.journals.iter().find(|journal| journal.reverses().is_some());
        let reversal =
            reversal.ok_or_else(|| ApiError::internal("an execution was taken back by no journal"))?;
        store::mark_reversed(connection, line.account_id, &undone.execution_id, reversal.id()).await?;
        moved = Some((reversed.symbol, reversed.position.quantity));
    }
    let mut batch = Batch::load(connection, std::slice::from_ref(line)).await?;
    if let Some((symbol, quantity)) = moved {
        batch.tell_position(line.account_id, symbol, quantity)?;
    }
    let told = store::words_told(connection, line.order_id).await?;
    batch.undo(line, undone.as_ref(), &told)?;
    Ok(batch)
}
