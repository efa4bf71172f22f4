//! Orders that were sent as one: Alpaca makes up ids and numbers for the exits, and works them by itself.
//!
//! Whose a number is, is found by asking for the order that it came with, so that neither a lost answer nor a list that is
//! ahead of it makes a stranger of an exit. Of exits that are no orders here yet nothing is told: what became of them is
//! read again when they are.

use super::Alpaca;
use super::lists::Row;
use super::orders::{find, path_of};
use super::parse;
use super::rest::Failure;
use super::session::Session;
use super::wire;
use crate::broker::records::{Leg, Member};
use crate::broker::{BrokerError, ListedOrder};
use crate::journal::{Entry, report_id};
use chrono::{DateTime, Utc};
use domain::broker::{
    Contingency, ExecutionReport, Exit, OrderClass, OrderRequest, PlaceOutcome, ReportKind, Unsent,
};
use domain::{AccountId, OrderId, OrderStatus};
use std::collections::BTreeSet;

/// Most leaders that are asked for their exits for one page: others follow with the next look.
const LEADERS_PER_PAGE_MAX: usize = 20;
/// A word for an exit whose leader was refused.
const LEADER_REFUSED: &str = "leader_refused";

impl Alpaca {
    /// Gives exits that came with an order of ours their ids, notes which sizes Alpaca has changed, and leaves out what is no
    /// order here yet.
    pub(super) async fn named(
        &self,
        session: &Session,
        rows: Vec<Row>,
    ) -> Result<Vec<ListedOrder>, BrokerError> {
        if !rows.iter().any(|row| row.has_class) {
            return Ok(rows.into_iter().map(|row| row.order).collect());
        }
        let mut members = self.members_among(session.account_id, &rows).await?;
        let is_nameless = |row: &Row| row.has_class && row.order.known_as.is_none();
        if rows.iter().any(|row| is_nameless(row) && member_of(row, &members).is_none()) {
            self.number_exits(session).await?;
            members = self.members_among(session.account_id, &rows).await?;
        }
        let mut named = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(member) = member_of(&row, &members).filter(|_| row.has_class) else {
                named.push(row.order);
                continue;
            };
            if member.leg != Leg::Leader && !member.is_claimed {
                if !row.order.filled_quantity.is_zero() {
                    session.holds_back();
                }
                continue;
            }
            if member.leg != Leg::Leader && row.order.status != OrderStatus::Rejected {
                self.follow_number(member, &row.order.broker_order_id).await?;
            }
            let resized = row.order.quantity != member.quantity;
            let resized_by = resized.then(|| parse::resize_id(member.order_id, row.order.quantity));
            named.push(ListedOrder { known_as: Some(member.order_id), resized_by, ..row.order });
        }
        Ok(named)
    }

    /// Notes the number of an exit in whose place Alpaca itself has put another order.
    async fn follow_number(&self, member: &Member, number: &str) -> Result<(), BrokerError> {
        if member.broker_order_id.as_deref() == Some(number) {
            return Ok(());
        }
        self.records.numbered(member.order_id, number).await
    }

    async fn members_among(&self, account: AccountId, rows: &[Row]) -> Result<Vec<Member>, BrokerError> {
        let with_class = || rows.iter().filter(|row| row.has_class).map(|row| &row.order);
        let replaced =
            with_class().filter_map(|order| Some(order.replaces.as_ref()?.broker_order_id.clone()));
        let numbers = with_class().map(|order| order.broker_order_id.clone()).chain(replaced).collect();
        let orders: Vec<OrderId> = with_class().filter_map(|order| order.known_as).collect();
        self.records.members(account, numbers, &orders).await
    }

    /// Asks for exits whose numbers are not known, because the answer that told them was lost or is still under way.
    async fn number_exits(&self, session: &Session) -> Result<(), BrokerError> {
        let unnumbered = self.records.unnumbered(session.account_id).await?;
        let leader = |member: &Member| match member.leg {
            Leg::Exit { leader, .. } => Some(leader),
            Leg::Leader => None,
        };
        let leaders: BTreeSet<OrderId> = unnumbered.iter().filter_map(leader).collect();
        for leader in leaders.into_iter().take(LEADERS_PER_PAGE_MAX) {
            let legs = session.answer(legs_of(session, leader).await)?;
            for member in &unnumbered {
                if let Leg::Exit { leader: of, kind } = member.leg
                    && of == leader
                    && let Some(number) = parse::number_of_exit(&legs, kind)
                {
                    self.records.numbered(member.order_id, number).await?;
                }
            }
        }
        Ok(())
    }

    /// The number of an exit, asked for where no answer has told it.
    pub(super) async fn number_of(
        &self,
        session: &Session,
        member: &Member,
    ) -> Result<Option<String>, BrokerError> {
        let Leg::Exit { leader, kind } = member.leg else { return Ok(member.broker_order_id.clone()) };
        if member.broker_order_id.is_some() {
            return Ok(member.broker_order_id.clone());
        }
        let legs = session.answer(legs_of(session, leader).await)?;
        let Some(number) = parse::number_of_exit(&legs, kind) else { return Ok(None) };
        self.records.numbered(member.order_id, number).await?;
        Ok(Some(number.to_owned()))
    }

    /// Writes the numbers of exits that the answer to their leader tells. What cannot be written now is asked for later.
    pub(super) async fn note_exits(&self, request: &OrderRequest, answer: &wire::Order) {
        let legs = answer.legs.as_deref().unwrap_or_default();
        let numbered =
            |exit: &Exit| Some((exit.order_id, parse::number_of_exit(legs, exit.kind)?.to_owned()));
        let numbers: Vec<(OrderId, String)> = request.exits().iter().filter_map(numbered).collect();
        if !numbers.is_empty() {
            let _ = self.records.all_numbered(&numbers).await;
        }
    }

    /// An exit that came with another order has become an order here. Nothing is sent: it is at Alpaca, or never will be.
    pub(super) async fn claim(&self, request: &OrderRequest) -> PlaceOutcome {
        let told = match self.journal.told(&[request.order_id]).await {
            Ok(told) => told,
            Err(error) => return error.unsent().into(),
        };
        if told.get(&request.order_id).is_some_and(|told| told.kinds.contains("rejected")) {
            let message = "the order that it came with was refused".to_owned();
            return PlaceOutcome::Rejected { code: LEADER_REFUSED.into(), message };
        }
        let session = match self.session(request.account_id).await {
            Ok(session) => session,
            Err(error) => return error.unsent().into(),
        };
        let member = match self.records.claim(request.order_id).await {
            Ok(Some(member)) => member,
            Ok(None) => return Unsent::never_left("the order that it comes with was not sent yet").into(),
            Err(error) => return error.unsent().into(),
        };
        match self.number_of(&session, &member).await {
            Ok(Some(number)) => {
                let entry = Entry::about(request, &number, ReportKind::Accepted, Utc::now());
                // Whatever cannot be written now is found in the lists.
                let _ = self.journal.append(super::NAME, &[entry]).await;
                session.ring();
                PlaceOutcome::Accepted { broker_order_id: number }
            }
            Ok(None) => {
                let reason = "Alpaca does not show the order that it came with".to_owned();
                PlaceOutcome::OutcomeUnknown { reason }
            }
            Err(error) => PlaceOutcome::OutcomeUnknown { reason: error.to_string() },
        }
    }
}

/// What is said of the exits of an order that was refused, where they are orders here already.
pub(super) fn refused_exits(request: &OrderRequest, reason: &str, at: DateTime<Utc>) -> Vec<Entry> {
    let Some(Contingency::Leads { class: OrderClass::Oco, exits }) = &request.contingency else {
        return Vec::new();
    };
    let refused = |order_id: OrderId, side| {
        let kind = ReportKind::Rejected { reason: reason.to_owned() };
        let report_id = report_id(order_id, &kind, at);
        let account_id = request.account_id;
        let report = ExecutionReport { report_id, account_id, order_id, kind, occurred_at: at };
        Entry { broker_order_id: String::new(), symbol: request.symbol, side, report }
    };
    exits.iter().map(|exit| refused(exit.order_id, exit.side)).collect()
}

/// The order that a row is of, or stands in the place of.
fn member_of<'a>(row: &Row, members: &'a [Member]) -> Option<&'a Member> {
    let order = &row.order;
    let before = order.replaces.as_ref().map(|before| &before.broker_order_id);
    members.iter().find(|member| {
        order.known_as == Some(member.order_id)
            || member.broker_order_id.as_ref().is_some_and(|number| {
                *number == order.broker_order_id || before.is_some_and(|before| number == before)
            })
    })
}

/// The exits that came with an order; none where Alpaca does not have it.
async fn legs_of(session: &Session, leader: OrderId) -> Result<Vec<wire::Order>, Failure> {
    let Some(leader) = find(session, None, leader).await? else { return Ok(Vec::new()) };
    let nested = [("nested", "true".to_owned())];
    let found: wire::Order = session.rest.get(&path_of(&leader.id), &nested).await?;
    Ok(found.legs.unwrap_or_default())
}
