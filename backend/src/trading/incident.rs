//! What no order of business produces: a person must look.

use crate::events::{EventKind, NewEvent};
use chrono::{DateTime, Utc};
use domain::{AccountId, OrderId, UserId};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// A broker has executed what was refused: nothing new is placed in the account until a person says so.
pub(super) const FILL_OF_REFUSED_ORDER: &str = "fill_of_refused_order";
/// Nobody can say whether the broker has an order.
pub(super) const UNRESOLVED_ORDER: &str = "unresolved_order";
/// An order that we did not make was found at the broker.
pub(super) const EXTERNAL_ORDER: &str = "external_order";
/// The broker reports about an order that neither we nor it can describe.
pub(super) const UNKNOWN_ORDER: &str = "unknown_order";
/// The broker's complete history does not have an order that works here.
pub(super) const ORDER_MISSING: &str = "order_missing";
/// The broker says another thing about an order than its reports did.
pub(super) const ORDER_DIFFERS: &str = "order_differs";
/// The broker holds other shares or cash than its executions come to.
pub(super) const BROKER_DIFFERENCE: &str = "broker_difference";
/// The broker has done something beside orders that is not understood here; its cash is booked as a difference.
pub(super) const UNKNOWN_ACTIVITY: &str = "unknown_activity";
/// The broker has moved shares without an execution, and says not what it means for them.
pub(super) const SHARES_ACTIVITY: &str = "shares_activity";
/// The broker has done something beside orders that cannot be booked.
pub(super) const UNBOOKED_ACTIVITY: &str = "unbooked_activity";

/// A new name cannot be taken on, because shares of the one name are held and those of the other are owed.
pub(super) const NAME_BLOCKED: &str = "name_blocked";

/// The broker's calendar has another session than ours.
pub(super) const CALENDAR_DIFFERS: &str = "calendar_differs";
/// The broker's clock says another time than ours, or that a session is on that is over here.
pub(super) const CLOCK_DIFFERS: &str = "clock_differs";

/// The broker speaks of another account than the one that was opened.
pub(super) const ACCOUNT_CHANGED: &str = "account_changed";

/// The equity of an account with credit is below what must stay.
pub(super) const MARGIN_CALL: &str = "margin_call";
/// Nobody answered, and positions are reduced on the owner's behalf.
pub(super) const MARGIN_REDUCTION: &str = "margin_reduction";

/// What a sentence about an incident needs, by stable names: amounts, names, moments and words that have sentences of their own.
/// Where one kind has several sentences, `case` says which.
pub(super) type Facts = BTreeMap<String, String>;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Incident {
    /// Stable word.
    pub(super) kind: &'static str,
    /// The same for people, in English.
    pub(super) detail: String,
    /// The same for programs that say it in another language.
    pub(super) facts: Facts,
}

impl Incident {
    pub(super) const fn new(kind: &'static str, detail: String) -> Self {
        Self { kind, detail, facts: Facts::new() }
    }

    /// The same with a fact of its sentence.
    pub(super) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.facts.insert(name.to_owned(), value.to_string());
        self
    }

    /// The same with a fact, where there is one.
    pub(super) fn with_some(self, name: &'static str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Whether it asks for a halt of its account.
    pub(super) fn halts(&self) -> bool {
        self.kind == FILL_OF_REFUSED_ORDER
    }
}

/// An incident about to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewIncident {
    pub(super) id: Uuid,
    /// Nothing where the account is not one of ours.
    pub(super) user_id: Option<UserId>,
    pub(super) account_id: AccountId,
    pub(super) order_id: Option<OrderId>,
    /// The line of the journal it comes from.
    pub(super) report_id: Option<i64>,
    pub(super) incident: Incident,
    pub(super) at: DateTime<Utc>,
}

impl NewIncident {
    /// An incident of an account.
    pub(super) fn new(
        user_id: Option<UserId>,
        account_id: AccountId,
        incident: Incident,
        at: DateTime<Utc>,
    ) -> Self {
        Self { id: Uuid::now_v7(), user_id, account_id, order_id: None, report_id: None, incident, at }
    }

    /// The same about an order.
    pub(super) fn about(self, order_id: OrderId) -> Self {
        Self { order_id: Some(order_id), ..self }
    }

    /// The same with the line of the journal it comes from.
    pub(super) fn with_report(self, report_id: i64) -> Self {
        Self { report_id: Some(report_id), ..self }
    }

    /// How it is told; nothing where there is nobody to tell.
    pub(super) fn event(&self) -> Option<Result<NewEvent, serde_json::Error>> {
        let document = IncidentDocument {
            id: self.id,
            account_id: Some(self.account_id),
            order_id: self.order_id,
            kind: self.incident.kind.to_owned(),
            detail: self.incident.detail.clone(),
            facts: self.incident.facts.clone(),
            occurred_at: self.at,
            acknowledged_at: None,
            note: None,
        };
        self.user_id.map(|user| NewEvent::new(user, EventKind::Incident, &document))
    }
}

/// Something that a person must look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Incident)]
#[serde(rename_all = "camelCase")]
pub(super) struct IncidentDocument {
    pub(super) id: Uuid,
    pub(super) account_id: Option<AccountId>,
    pub(super) order_id: Option<OrderId>,
    /// Stable word: `overfill`, `late_fill`, `fill_of_refused_order`, `unresolved_order`, …
    pub(super) kind: String,
    /// The same for people, in English.
    pub(super) detail: String,
    /// What a sentence in another language needs, by stable names; where one kind has several sentences, `case` says which.
    pub(super) facts: Facts,
    pub(super) occurred_at: DateTime<Utc>,
    /// When its owner said to have seen it.
    pub(super) acknowledged_at: Option<DateTime<Utc>>,
    /// What its owner wrote about it.
    pub(super) note: Option<String>,
}
