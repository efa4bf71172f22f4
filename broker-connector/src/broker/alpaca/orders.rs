//! Orders on their way to Alpaca: sent, taken back, changed. What an answer, or its absence, says is told as it is.

use super::Alpaca;
use super::config::NUMBERS_MAX;
use super::lists::Row;
use super::members::refused_exits;
use super::notes::Note;
use super::parse;
use super::rest::{Failure, Refused};
use super::session::Session;
use super::wire;
use crate::broker::lateness::{Late, lateness};
use crate::broker::records::{Leg, Located};
use crate::broker::{BrokerError, KeyTrouble, ListedOrder};
use crate::journal::Entry;
use crate::recovery::chain::{Chain, chains};
use chrono::Utc;
use domain::OrderId;
use domain::broker::{CancelOutcome, OrderRequest, PlaceOutcome, ReplaceOutcome, ReplaceRequest, ReportKind};
use reqwest::Method;
use std::sync::Arc;

/// A word for an order that Alpaca does not find.
const UNKNOWN_ORDER: &str = "unknown_order";
/// A word for an order that has ended.
const ALREADY_FINAL: &str = "already_final";
/// How often a cancel follows an order to its next number.
const CANCEL_TRIES_MAX: usize = 4;

pub(super) fn path_of(number: &str) -> String {
    // A number comes from Alpaca, a client id from us: neither leaves its place in the path.
    let safe: String =
        number.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
    format!("/v2/orders/{safe}")
}

/// An order by its number, or by the id that we gave it; nothing where Alpaca has none.
pub(super) async fn find(
    session: &Session,
    number: Option<&str>,
    order: OrderId,
) -> Result<Option<wire::Order>, Failure> {
    let found = match number {
        Some(number) => session.rest.get(&path_of(number), &[]).await,
        None => {
            let query = [("client_order_id", parse::client_id(order))];
            session.rest.get("/v2/orders:by_client_order_id", &query).await
        }
    };
    match found {
        Ok(found) => Ok(Some(found)),
        Err(Failure::Refused(refused)) if refused.is_not_found() => Ok(None),
        Err(failure) => Err(session.note(failure)),
    }
}

/// An order under the number that it has now.
async fn newest(
    session: &Session,
    number: Option<&str>,
    order: OrderId,
) -> Result<Option<wire::Order>, Failure> {
    let mut found = find(session, number, order).await?;
    for _ in 0..NUMBERS_MAX {
        let Some(next) = found.as_ref().and_then(|order| order.replaced_by.clone()) else { return Ok(found) };
        match find(session, Some(&next), order).await? {
            // Refused in the place of the one before, which goes on.
            Some(refused) if refused.status == "rejected" => return Ok(found),
            Some(successor) => found = Some(successor),
            None => return Ok(found),
        }
    }
    Err(Failure::Unknown("an order has had too many numbers".into()))
}

/// What the journal says of an order that Alpaca has taken; nothing where it was refused in the same breath.
fn acknowledgement(request: &OrderRequest, order: &wire::Order) -> Option<Entry> {
    let at = || order.submitted_at.as_deref().and_then(parse::moment).unwrap_or_else(Utc::now);
    (order.status != "rejected").then(|| Entry::about(request, &order.id, ReportKind::Accepted, at()))
}

impl Alpaca {
    /// Sends one order.
    pub(super) async fn place(&self, request: &OrderRequest) -> PlaceOutcome {
        if request.leader().is_some() {
            return self.claim(request).await;
        }
        if let Some(late) = lateness(request, Utc::now()) {
            return self.too_late(request, late).await;
        }
        let session = match self.sessions.of(request.account_id) {
            Ok(session) => session,
            Err(error) => return error.unsent().into(),
        };
        if let Err(failure) = session.confirm().await {
            return self.not_ours(request, failure).await;
        }
        let order = match parse::new_order(request) {
            Ok(order) => order,
            Err(reason) => return self.refuse(request, "unsupported".into(), reason.into()).await,
        };
        let is_first = match self.outgoing.sending(request).await {
            Ok(is_first) => is_first,
            Err(error) => return error.unsent().into(),
        };
        let sent = session.rest.order(Method::POST, "/v2/orders", &order).await;
        let sent = match sent {
            // It is there already: an earlier sending arrived.
            Err(Failure::Refused(refused)) if refused.is_repetition() => {
                find(&session, None, request.order_id).await.and_then(|found| {
                    found.ok_or_else(|| Failure::Unknown("it is there and is not found".into()))
                })
            }
            sent => sent,
        };
        match sent {
            Ok(order) => self.accepted(&session, request, order).await,
            Err(failure) => self.not_accepted(&session, request, (failure, is_first)).await,
        }
    }

    /// What is said of an order that has waited too long: it is not sent any more. One that may have been sent before may be
    /// there.
    async fn too_late(&self, request: &OrderRequest, late: Late) -> PlaceOutcome {
        match self.records.located(request.order_id).await {
            Ok(None) => self.refuse(request, late.word().into(), late.word().into()).await,
            Ok(Some(Located { broker_order_id: Some(broker_order_id), .. })) => {
                PlaceOutcome::Accepted { broker_order_id }
            }
            Ok(Some(_)) => self.look_for(request, late).await,
            Err(error) => error.unsent().into(),
        }
    }

    /// Whether an order that is not sent any more is there. What cannot be asked is not known: whether it comes to light,
    /// questions find out.
    async fn look_for(&self, request: &OrderRequest, late: Late) -> PlaceOutcome {
        let unknown = |why: String| PlaceOutcome::OutcomeUnknown { reason: format!("{late}; {why}") };
        let session = match self.session(request.account_id).await {
            Ok(session) => session,
            Err(error) => return unknown(error.to_string()),
        };
        match find(&session, None, request.order_id).await {
            Ok(Some(order)) => self.accepted(&session, request, order).await,
            Ok(None) => unknown("Alpaca does not find it".into()),
            Err(failure) => unknown(failure.words()),
        }
    }

    /// Answers that Alpaca took an order; what is to be written about it follows.
    async fn accepted(
        &self,
        session: &Arc<Session>,
        request: &OrderRequest,
        order: wire::Order,
    ) -> PlaceOutcome {
        if !order.filled_qty.unwrap_or_default().0.is_zero() {
            session.ring();
        }
        self.note_exits(request, &order).await;
        let entry = acknowledgement(request, &order);
        let (order_id, broker_order_id) = (request.order_id, order.id.clone());
        self.notes.write(Note { session: Arc::clone(session), order_id, broker_order_id, entry }).await;
        PlaceOutcome::Accepted { broker_order_id: order.id }
    }

    async fn not_accepted(
        &self,
        session: &Arc<Session>,
        request: &OrderRequest,
        (failure, is_first): (Failure, bool),
    ) -> PlaceOutcome {
        match session.note(failure) {
            Failure::Refused(refused) if is_first => {
                self.refuse(request, refused.word(), refused.message).await
            }
            Failure::Refused(refused) => self.refused_again(session, request, refused).await,
            Failure::Unknown(reason) => {
                // Perhaps the lists know.
                session.ring();
                PlaceOutcome::OutcomeUnknown { reason }
            }
            failure @ (Failure::NotSent(_) | Failure::Limited(_) | Failure::Locked(_)) => {
                if is_first {
                    // What stays written is taken for sent, which only means that it is asked for.
                    let _ = self.records.not_sent(request.order_id).await;
                }
                failure.unsent().into()
            }
        }
    }

    /// What is said of an order that was sent before and is refused now. It may be there: the money or the shares that the
    /// second one lacks may be held by the first.
    async fn refused_again(
        &self,
        session: &Arc<Session>,
        request: &OrderRequest,
        refused: Refused,
    ) -> PlaceOutcome {
        match find(session, None, request.order_id).await {
            Ok(Some(order)) => self.accepted(session, request, order).await,
            Ok(None) => self.refuse(request, refused.word(), refused.message).await,
            Err(failure) => PlaceOutcome::OutcomeUnknown { reason: failure.words() },
        }
    }

    /// What is said of an order when nobody says that the account behind the key is ours. Only what was never sent to the
    /// account that was opened is refused for good.
    async fn not_ours(&self, request: &OrderRequest, failure: Failure) -> PlaceOutcome {
        if failure.is_of_other_account() {
            match self.records.located(request.order_id).await {
                Ok(None) => {
                    let code = KeyTrouble::OtherAccount.word().into();
                    return self.refuse(request, code, failure.words()).await;
                }
                Ok(Some(_)) => {}
                Err(error) => return error.unsent().into(),
            }
        }
        failure.unsent().into()
    }

    /// Writes that an order was refused, and says so.
    async fn refuse(&self, request: &OrderRequest, code: String, message: String) -> PlaceOutcome {
        let kind = ReportKind::Rejected { reason: message.clone() };
        let now = Utc::now();
        let mut entries = vec![Entry::about(request, "", kind, now)];
        entries.extend(refused_exits(request, &message, now));
        match self.journal.append(super::NAME, &entries).await {
            Ok(_) => PlaceOutcome::Rejected { code, message },
            Err(error) => PlaceOutcome::OutcomeUnknown { reason: error.to_string() },
        }
    }

    /// The session of an order, and the newest number that is known of it.
    async fn way_to(&self, order: OrderId) -> Result<Option<(Arc<Session>, Option<String>)>, BrokerError> {
        let Some(located) = self.records.located(order).await? else { return Ok(None) };
        let session = self.session(located.account_id).await?;
        if located.broker_order_id.is_some() {
            return Ok(Some((session, located.broker_order_id)));
        }
        let members = self.records.members(located.account_id, Vec::new(), &[order]).await?;
        match members.first() {
            // Alpaca does not know it by our id.
            Some(member) if member.leg != Leg::Leader => {
                let number = self.number_of(&session, member).await?;
                Ok(number.map(|number| (session, Some(number))))
            }
            _ => Ok(Some((session, None))),
        }
    }

    /// Asks for one order to be taken back.
    pub(super) async fn cancel(&self, order: OrderId) -> CancelOutcome {
        let unknown = || CancelOutcome::Rejected {
            code: UNKNOWN_ORDER.into(),
            message: "Alpaca does not have this order".into(),
        };
        let (session, number) = match self.way_to(order).await {
            Ok(Some(way)) => way,
            Ok(None) => return unknown(),
            Err(error) => return error.unsent().into(),
        };
        let number = match number {
            Some(number) => number,
            None => match find(&session, None, order).await {
                Ok(Some(found)) => found.id,
                Ok(None) => return unknown(),
                Err(failure) => return failure.unsent().into(),
            },
        };
        let outcome = cancel_number(&session, number, order).await;
        session.ring();
        outcome.unwrap_or_else(|failure| match session.note(failure) {
            Failure::Unknown(reason) => CancelOutcome::OutcomeUnknown { reason },
            Failure::Refused(refused) if refused.is_not_found() => unknown(),
            Failure::Refused(refused) => {
                CancelOutcome::Rejected { code: refused.word(), message: refused.message }
            }
            failure => failure.unsent().into(),
        })
    }

    /// Asks for other terms of one order.
    pub(super) async fn replace(&self, request: &ReplaceRequest) -> ReplaceOutcome {
        let rejected = |code: &str, message: &str| ReplaceOutcome::Rejected {
            code: code.to_owned(),
            message: message.to_owned(),
        };
        let (session, number) = match self.way_to(request.order_id).await {
            Ok(Some(way)) => way,
            Ok(None) => return rejected(UNKNOWN_ORDER, "Alpaca does not have this order"),
            Err(error) => return error.unsent().into(),
        };
        let present = match newest(&session, number.as_deref(), request.order_id).await {
            Ok(Some(present)) => present,
            Ok(None) => return rejected(UNKNOWN_ORDER, "Alpaca does not have this order"),
            Err(failure) => return failure.unsent().into(),
        };
        if parse::named(&present.client_order_id) == Some((request.order_id, Some(request.replace_id))) {
            // An earlier sending of this very request came true.
            session.ring();
            return ReplaceOutcome::Accepted;
        }
        let Some(listed) = parse::order(&present).filter(|_| parse::works(&present)) else {
            session.ring();
            return rejected(ALREADY_FINAL, "the order has ended at Alpaca");
        };
        if present.notional.is_some() {
            return rejected("by_amount", "Alpaca does not change orders by amount of money");
        }
        let replacement = match parse::replacement(request, &listed) {
            Ok(replacement) => replacement,
            Err((code, message)) => return rejected(code, message),
        };
        let sent = session.rest.order(Method::PATCH, &path_of(&present.id), &replacement).await;
        session.ring();
        match sent {
            Ok(successor) => {
                let _ = self.records.numbered(request.order_id, &successor.id).await;
                end_if_overtaken(&session, &present, &successor, request.order_id).await;
                ReplaceOutcome::Accepted
            }
            Err(failure) => match session.note(failure) {
                Failure::Refused(refused) if refused.is_repetition() => ReplaceOutcome::Accepted,
                Failure::Refused(Refused { message, .. }) if message.contains("order is already in") => {
                    rejected(ALREADY_FINAL, &message)
                }
                Failure::Refused(refused) => rejected(&refused.word(), &refused.message),
                Failure::Unknown(reason) => ReplaceOutcome::OutcomeUnknown { reason },
                failure => failure.unsent().into(),
            },
        }
    }

    /// An order with all its numbers, as Alpaca describes it now.
    pub(super) async fn describe(
        &self,
        order: OrderId,
    ) -> Result<Option<(Arc<Session>, ListedOrder)>, BrokerError> {
        let Some((session, number)) = self.way_to(order).await? else { return Ok(None) };
        let found = session.answer(newest(&session, number.as_deref(), order).await)?;
        let mut members = Vec::new();
        let mut next = found;
        while let Some(member) = next.take() {
            if members.len() < NUMBERS_MAX
                && let Some(before) = &member.replaces
            {
                next = session.answer(find(&session, Some(before.as_str()), order).await)?;
            }
            members.extend(parse::order(&member));
        }
        let chain: Option<Chain> = chains(members).into_iter().next();
        Ok(chain.map(|chain| (session, chain.order)))
    }
}

/// Asks for the order of a number to be taken back, and follows it to its next number where it has one.
async fn cancel_number(
    session: &Session,
    mut number: String,
    order: OrderId,
) -> Result<CancelOutcome, Failure> {
    for _ in 0..CANCEL_TRIES_MAX {
        let refused = match session.rest.delete(&path_of(&number)).await {
            Ok(()) => return Ok(CancelOutcome::Accepted),
            Err(Failure::Refused(refused)) if !refused.is_not_found() => refused,
            Err(failure) => return Err(failure),
        };
        // Refused: what the order is by now says why.
        let Some(found) = newest(session, Some(&number), order).await? else {
            return Err(Failure::Refused(refused));
        };
        if found.status == "pending_cancel" {
            return Ok(CancelOutcome::Accepted);
        }
        if !parse::works(&found) {
            return Ok(CancelOutcome::Rejected { code: ALREADY_FINAL.into(), message: refused.message });
        }
        if found.id == number {
            return Err(Failure::Refused(refused));
        }
        number = found.id;
    }
    Err(Failure::Unknown("the order gets new numbers faster than it is taken back".into()))
}

/// Where an order was executed in part between being looked at and being replaced, its successor would buy or sell that
/// part once more: it is taken back.
async fn end_if_overtaken(session: &Session, before: &wire::Order, successor: &wire::Order, order: OrderId) {
    let is_untouched = match find(session, Some(&before.id), order).await {
        Ok(Some(before)) => before.filled_qty.unwrap_or_default().0.is_zero(),
        // Nobody can say that it was touched, and taking back what was asked for would be worse.
        Ok(None) | Err(_) => true,
    };
    if is_untouched {
        return;
    }
    tracing::warn!(%order, "an order was executed in part while it was replaced; the rest is taken back");
    if let Err(failure) = session.rest.delete(&path_of(&successor.id)).await {
        tracing::error!(%order, reason = failure.words(), "a replacement that would overfill cannot be taken back");
    }
}

/// An order by Alpaca's number alone.
pub(super) async fn by_number(session: &Session, number: &str) -> Result<Option<Row>, BrokerError> {
    match session.rest.get::<wire::Order>(&path_of(number), &[]).await {
        Ok(found) => {
            let has_class = parse::has_class(&found);
            Ok(parse::order(&found).map(|order| Row { order, has_class }))
        }
        Err(Failure::Refused(refused)) if refused.is_not_found() => Ok(None),
        failed => session.answer(failed).map(|_| None),
    }
}
