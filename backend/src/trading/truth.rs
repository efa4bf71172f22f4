//! What can be done about incidents and orders that nobody knows of.

use super::connector::AskError;
use super::incident::IncidentDocument;
use super::order::Order;
use super::reconcile::RunDocument;
use super::service::TradingService;
use super::store;
use crate::clock;
use crate::error::{ApiError, ApiResult, ErrorCode};
use domain::inquiry::{Resolution, ResolveRequest};
use domain::{AccountId, OrderId, UserId};
use std::collections::BTreeSet;
use uuid::Uuid;

/// When a caller should come back who found the broker out of reach.
const RETRY_AFTER_SECONDS: u64 = 5;

impl TradingService {
    /// A page of a user's incidents, newest first.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn incidents(
        &self,
        user: UserId,
        only_unacknowledged: bool,
        before: Option<Uuid>,
        limit: i64,
    ) -> ApiResult<Vec<IncidentDocument>> {
        let connection = self.pool.get().await?;
        Ok(store::list_incidents(&connection, user, only_unacknowledged, before, limit).await?)
    }

    /// Notes that an incident was seen.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] also for the incidents of others.
    pub(super) async fn acknowledge(
        &self,
        user: UserId,
        incident: Uuid,
        note: Option<String>,
    ) -> ApiResult<IncidentDocument> {
        let connection = self.pool.get().await?;
        let incident = store::acknowledge_incident(&connection, user, incident, note, clock::now()).await?;
        incident.ok_or_else(|| ApiError::new(ErrorCode::NotFound, ""))
    }

    /// A page of comparisons, newest first.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn reconciliations(
        &self,
        accounts: &[AccountId],
        before: Option<Uuid>,
        limit: i64,
    ) -> ApiResult<Vec<RunDocument>> {
        Ok(store::list_runs(&*self.pool.get().await?, accounts, before, limit).await?)
    }

    /// Has an account compared with its broker soon.
    pub(super) fn reconcile(&self, account: AccountId) {
        self.reconciler.ask_for(BTreeSet::from([account]));
    }

    /// Passes on what a person says about an order that nobody knows of.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`], [`ErrorCode::OrderNotUnresolved`] while it is known or still being asked for,
    /// [`ErrorCode::BrokerDisagrees`], or that the broker cannot be reached.
    pub(super) async fn resolve(
        &self,
        user: UserId,
        id: OrderId,
        resolution: Resolution,
    ) -> ApiResult<Order> {
        let connection = self.pool.get().await?;
        let order = store::order_of(&connection, user, id).await?;
        let order = order.ok_or_else(|| ApiError::new(ErrorCode::NotFound, ""))?;
        if order.unresolved_since.is_none() || order.status.is_terminal() {
            return Err(ApiError::new(
                ErrorCode::OrderNotUnresolved,
                format!("the order is {}", order.status),
            ));
        }
        let inquiry = store::inquiry_of(&connection, id).await?;
        if inquiry.is_none_or(|inquiry| inquiry.given_up_at.is_none()) {
            return Err(ApiError::new(ErrorCode::OrderNotUnresolved, "the broker is still being asked"));
        }
        drop(connection);
        let request = order.description().ok_or_else(|| ApiError::internal("an order without terms"))?;
        match self.connector.resolve(&ResolveRequest { order: request, resolution }).await {
            Ok(()) => Ok(order),
            Err(AskError::Conflict(detail)) => Err(ApiError::new(ErrorCode::BrokerDisagrees, detail)),
            Err(AskError::OtherAccount(_)) => Err(ApiError::new(ErrorCode::BrokerAccountChanged, "")),
            Err(AskError::Unreachable(reason)) => {
                tracing::warn!(reason, order = %id, "a person's word about an order cannot be passed on");
                Err(ApiError::new(ErrorCode::ServiceUnavailable, "the broker cannot be reached")
                    .retry_after_seconds(RETRY_AFTER_SECONDS))
            }
        }
    }
}
