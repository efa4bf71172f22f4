//! The journal of reports, as adapters write it that hear from a real broker.
//!
//! Promises: a line is written once, however often its report comes (its report id, and the execution it speaks of, are
//! unique in the account); whoever reads by growing ids misses none. The simulator, whose reports are born in its own
//! transactions, writes its lines itself.
//!
//! What brokers do beside orders has lines of its own (`activities.rs`) with the same promises.

mod activities;
mod store;

use crate::broker::BrokerError;
use chrono::{DateTime, Utc};
use domain::broker::{ExecutionReport, OrderRequest, ReportKind};
use domain::{AccountId, OrderId, Side, Symbol};
use secrecy::SecretString;
use std::collections::{BTreeSet, HashMap};
use store::Store;

/// Most lines of one transaction.
const LINES_PER_TRANSACTION_MAX: usize = 500;

/// A report with what else its line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The broker's own number of the order.
    pub broker_order_id: String,
    /// What is traded.
    pub symbol: Symbol,
    /// Bought or sold.
    pub side: Side,
    /// The report.
    pub report: ExecutionReport,
}

impl Entry {
    /// What happened to an order under a number of the broker's, which is empty where it has none.
    #[must_use]
    pub fn about(request: &OrderRequest, broker_order_id: &str, kind: ReportKind, at: DateTime<Utc>) -> Self {
        Self {
            broker_order_id: broker_order_id.to_owned(),
            symbol: request.symbol,
            side: request.side,
            report: ExecutionReport {
                report_id: report_id(request.order_id, &kind, at),
                account_id: request.account_id,
                order_id: request.order_id,
                kind,
                occurred_at: at,
            },
        }
    }
}

/// What the journal says about an order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// The kinds of its reports.
    pub kinds: BTreeSet<String>,
    /// Executions reported.
    pub executions: BTreeSet<String>,
    /// Executions reported as undone or corrected.
    pub undone: BTreeSet<String>,
}

/// The name of a report that is the same whoever makes it: what a stream tells and what is found in a broker's history
/// later is one line.
#[must_use]
pub fn report_id(order_id: OrderId, kind: &ReportKind, occurred_at: DateTime<Utc>) -> String {
    match kind {
        ReportKind::Fill { execution_id, .. } | ReportKind::TradeCorrected { execution_id, .. } => {
            format!("{execution_id}:{}", kind.name())
        }
        ReportKind::TradeCanceled { execution_id, .. } => format!("{execution_id}:trade_canceled"),
        // These can happen to an order again and again.
        ReportKind::Suspended { .. } | ReportKind::Resumed | ReportKind::DoneForDay => {
            format!("{order_id}:{}:{}", kind.name(), occurred_at.timestamp_micros())
        }
        ReportKind::Replaced { replace_id, .. } => format!("{order_id}:replaced:{replace_id}"),
        ReportKind::Accepted
        | ReportKind::Triggered { .. }
        | ReportKind::Rejected { .. }
        | ReportKind::Canceled { .. }
        | ReportKind::Expired => {
            format!("{order_id}:{}", kind.name())
        }
    }
}

/// The way to the journal.
#[derive(Clone)]
pub struct Journal {
    store: Store,
}

fn unavailable(error: anyhow::Error) -> BrokerError {
    BrokerError::Unavailable(format!("{error:#}"))
}

impl Journal {
    /// The journal in this database.
    ///
    /// # Errors
    /// When its address cannot be read.
    pub fn new(database_url: &SecretString) -> anyhow::Result<Self> {
        Ok(Self { store: Store::new(database_url)? })
    }

    /// Writes reports, in their order, and says how many were not there yet.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`]: then some may be written, and writing all of them again is right.
    pub async fn append(&self, broker: &str, entries: &[Entry]) -> Result<u64, BrokerError> {
        let mut added = 0;
        for entries in entries.chunks(LINES_PER_TRANSACTION_MAX) {
            added += self.store.append(broker, entries).await.map_err(unavailable)?;
        }
        Ok(added)
    }

    /// What it says about orders; those it does not mention are absent.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`].
    pub async fn told(&self, orders: &[OrderId]) -> Result<HashMap<OrderId, Told>, BrokerError> {
        self.store.told(orders).await.map_err(unavailable)
    }

    /// Its last line, 0 when it is empty.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`].
    pub async fn last_id(&self) -> Result<i64, BrokerError> {
        self.store.last_id().await.map_err(unavailable)
    }

    /// Up to when the history of an account was read to its end.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`].
    pub async fn recovered_through(&self, account: AccountId) -> Result<Option<DateTime<Utc>>, BrokerError> {
        self.store.recovered_through(account).await.map_err(unavailable)
    }

    /// Remembers that the history of an account was read to its end.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`].
    pub async fn set_recovered(&self, account: AccountId, through: DateTime<Utc>) -> Result<(), BrokerError> {
        self.store.set_recovered(account, through).await.map_err(unavailable)
    }

    /// The orders that a broker's own numbers stand for; numbers that stand for none are absent.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`].
    pub async fn links_of(
        &self,
        account: AccountId,
        broker_order_ids: &[String],
    ) -> Result<HashMap<String, OrderId>, BrokerError> {
        if broker_order_ids.is_empty() {
            return Ok(HashMap::new());
        }
        self.store.links_of(account, broker_order_ids).await.map_err(unavailable)
    }

    /// Writes that a broker's own number stands for an order, unless it stands for one already, and says for which.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`].
    pub async fn link(
        &self,
        account: AccountId,
        broker_order_id: &str,
        order: OrderId,
    ) -> Result<OrderId, BrokerError> {
        self.store.link(account, broker_order_id, order).await.map_err(unavailable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_once_has_one_name_and_what_happens_again_has_another() {
        let order = OrderId::generate();
        let (first, second) =
            (DateTime::from_timestamp(1, 0).unwrap(), DateTime::from_timestamp(2, 0).unwrap());
        assert_eq!(
            report_id(order, &ReportKind::Accepted, first),
            report_id(order, &ReportKind::Accepted, second)
        );
        assert_ne!(
            report_id(order, &ReportKind::Resumed, first),
            report_id(order, &ReportKind::Resumed, second)
        );
    }
}
