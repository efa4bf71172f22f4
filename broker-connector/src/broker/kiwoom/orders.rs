//! Orders on their way to Kiwoom: sent once, taken back, changed. What an answer, or its absence, says is told as it is.

use super::lists;
use super::parse::{self, day_of};
use super::rest::Failure;
use super::rows::{Target, broker_number, day_and_number};
use super::session::Session;
use super::store::Found;
use super::{Kiwoom, NAME};
use crate::broker::lateness::{Late, lateness};
use crate::broker::{BrokerError, KeyTrouble, ListedOrder};
use crate::journal::Entry;
use crate::recovery::chain::chains;
use chrono::Utc;
use domain::broker::{
    CancelOutcome, OrderRequest, PlaceOutcome, ReplaceOutcome, ReplaceRequest, ReportKind, Unsent,
};
use domain::{OrderId, OrderStatus};
use std::sync::Arc;

/// A word for an order that Kiwoom does not find.
const UNKNOWN_ORDER: &str = "unknown_order";
/// A word for an order that has ended.
const ALREADY_FINAL: &str = "already_final";
/// A word for what Kiwoom does not have.
const UNSUPPORTED: &str = "unsupported";
/// How often a cancel follows an order to its next number.
const CANCEL_TRIES_MAX: usize = 3;
/// What is said of an order that was handed over before and of which nobody has heard.
const SENT_BEFORE: &str = "it may have been sent before, and Kiwoom is never sent to twice";

/// An order that can be spoken of at Kiwoom.
struct Way {
    session: Arc<Session>,
    found: Found,
    /// Its number as we write it.
    number: String,
}

fn works(order: &ListedOrder) -> bool {
    matches!(
        order.status,
        OrderStatus::New | OrderStatus::PartiallyFilled | OrderStatus::PendingNew | OrderStatus::Suspended
    )
}

impl Kiwoom {
    /// Sends one order, once.
    pub(super) async fn place(&self, request: &OrderRequest) -> PlaceOutcome {
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
        let ticket = match parse::ticket(request) {
            Ok(ticket) => ticket,
            Err(reason) => return self.refuse(request, UNSUPPORTED.into(), reason.into()).await,
        };
        match session.knows(request.symbol).await {
            Ok(true) => {}
            Ok(false) => {
                let message = "Kiwoom does not know this share on this board";
                return self.refuse(request, "unknown_symbol".into(), message.into()).await;
            }
            Err(failure) => return failure.unsent().into(),
        }
        match self.records.sending(request).await {
            Ok(true) => {}
            Ok(false) => return self.sent_before(request).await,
            Err(error) => return error.unsent().into(),
        }
        match session.desk.place(&ticket).await {
            Ok(number) => self.accepted(&session, request, &number).await,
            Err(failure) => self.not_accepted(&session, request, failure).await,
        }
    }

    /// What is said of an order that has waited too long: it is not sent any more. One that was sent before may be there.
    async fn too_late(&self, request: &OrderRequest, late: Late) -> PlaceOutcome {
        match self.store.find(request.order_id).await {
            Ok(None) => self.refuse(request, late.word().into(), late.word().into()).await,
            Ok(Some(_)) => self.sent_before(request).await,
            Err(error) => error.unsent().into(),
        }
    }

    /// What is known of an order that comes again.
    async fn sent_before(&self, request: &OrderRequest) -> PlaceOutcome {
        let unknown = |reason: String| PlaceOutcome::OutcomeUnknown { reason };
        match self.store.find(request.order_id).await {
            Ok(Some(Found { number: Some(broker_order_id), .. })) => {
                return PlaceOutcome::Accepted { broker_order_id };
            }
            Ok(_) => {}
            Err(error) => return unknown(error.to_string()),
        }
        match self.journal.told(&[request.order_id]).await {
            Ok(told) if told.values().any(|told| told.kinds.contains("rejected")) => {
                PlaceOutcome::Rejected { code: ALREADY_FINAL.into(), message: "it was refused before".into() }
            }
            Ok(_) => unknown(SENT_BEFORE.into()),
            Err(error) => unknown(error.to_string()),
        }
    }

    async fn accepted(&self, session: &Session, request: &OrderRequest, number: &str) -> PlaceOutcome {
        let at = Utc::now();
        let broker_order_id = broker_number(day_of(at), number);
        // Whatever cannot be written now is found in the lists.
        let _ = self.records.numbered(request.order_id, &broker_order_id).await;
        match self.journal.link(request.account_id, &broker_order_id, request.order_id).await {
            Ok(linked) if linked != request.order_id => {
                tracing::error!(order = %request.order_id, %linked, broker_order_id, "two orders have one number");
                return PlaceOutcome::OutcomeUnknown { reason: "its number is another order's".into() };
            }
            Ok(_) => {
                let entry = Entry::about(request, &broker_order_id, ReportKind::Accepted, at);
                let _ = self.journal.append(NAME, &[entry]).await;
            }
            Err(error) => tracing::warn!(order = %request.order_id, %error, "a number cannot be linked now"),
        }
        session.ring();
        PlaceOutcome::Accepted { broker_order_id }
    }

    async fn not_accepted(
        &self,
        session: &Session,
        request: &OrderRequest,
        failure: Failure,
    ) -> PlaceOutcome {
        match session.note(failure) {
            Failure::Refused(refused) => self.refuse(request, refused.word(), refused.message).await,
            Failure::Unknown(reason) => {
                session.ring();
                PlaceOutcome::OutcomeUnknown { reason }
            }
            failure @ (Failure::NotSent(_) | Failure::Limited(_) | Failure::Locked(_)) => {
                match self.records.not_sent(request.order_id).await {
                    Ok(()) => failure.unsent().into(),
                    // It would be taken for sent when it comes again.
                    Err(error) => PlaceOutcome::OutcomeUnknown { reason: error.to_string() },
                }
            }
        }
    }

    /// What is said of an order when nobody says that the account behind the key is ours. Only what was never sent to the
    /// account that was opened is refused for good.
    async fn not_ours(&self, request: &OrderRequest, failure: Failure) -> PlaceOutcome {
        if failure.is_of_other_account() {
            match self.store.find(request.order_id).await {
                Ok(None) => {
                    let code = KeyTrouble::OtherAccount.word().into();
                    return self.refuse(request, code, failure.words()).await;
                }
                Ok(Some(_)) => return self.sent_before(request).await,
                Err(error) => return error.unsent().into(),
            }
        }
        failure.unsent().into()
    }

    /// Writes that an order was refused, and says so.
    async fn refuse(&self, request: &OrderRequest, code: String, message: String) -> PlaceOutcome {
        let kind = ReportKind::Rejected { reason: message.clone() };
        match self.journal.append(NAME, &[Entry::about(request, "", kind, Utc::now())]).await {
            Ok(_) => PlaceOutcome::Rejected { code, message },
            Err(error) => PlaceOutcome::OutcomeUnknown { reason: error.to_string() },
        }
    }

    /// The way to an order that has a number; nothing where the order is not known here.
    async fn way_to(&self, order: OrderId) -> Result<Option<Way>, BrokerError> {
        let Some(found) = self.store.find(order).await? else { return Ok(None) };
        let Some(number) = found.number.clone() else {
            return Err(BrokerError::Unavailable("nobody knows yet whether Kiwoom has this order".into()));
        };
        Ok(Some(Way { session: self.session(found.account_id).await?, found, number }))
    }

    /// Asks for one order to be taken back.
    pub(super) async fn cancel(&self, order: OrderId) -> CancelOutcome {
        let rejected = |code: &str, message: &str| CancelOutcome::Rejected {
            code: code.to_owned(),
            message: message.to_owned(),
        };
        let way = match self.way_to(order).await {
            Ok(Some(way)) => way,
            Ok(None) => return rejected(UNKNOWN_ORDER, "Kiwoom does not have this order"),
            Err(error) => return error.unsent().into(),
        };
        let mut number = way.number.clone();
        for _ in 0..CANCEL_TRIES_MAX {
            let refused = match self.cancel_number(&way, &number).await {
                Ok(()) => {
                    way.session.ring();
                    return CancelOutcome::Accepted;
                }
                Err(Failure::Refused(refused)) => refused,
                Err(Failure::Unknown(reason)) => {
                    way.session.ring();
                    return CancelOutcome::OutcomeUnknown { reason };
                }
                Err(failure) => return way.session.note(failure).unsent().into(),
            };
            // Refused: what the order is by now says why.
            match self.newest(&way.session, &number).await {
                Ok(Some(present)) if !works(&present) => {
                    way.session.ring();
                    return rejected(ALREADY_FINAL, &refused.message);
                }
                Ok(Some(present)) if present.broker_order_id != number => number = present.broker_order_id,
                Ok(Some(_)) => return rejected(&refused.word(), &refused.message),
                Ok(None) => return rejected(UNKNOWN_ORDER, &refused.message),
                Err(error) => return error.unsent().into(),
            }
        }
        Unsent::never_left("the order gets new numbers faster than it is taken back").into()
    }

    async fn cancel_number(&self, way: &Way, number: &str) -> Result<(), Failure> {
        let target = self.target(way, number).await?;
        way.session.desk.cancel(&target).await
    }

    /// How an order is named to Kiwoom.
    async fn target(&self, way: &Way, number: &str) -> Result<Target, Failure> {
        let unreadable = || Failure::NotSent("the order's number cannot be read".into());
        let (_, own) = day_and_number(number).ok_or_else(unreadable)?;
        let symbol = match way.found.symbol {
            Some(symbol) => symbol,
            None => {
                let described = self.newest(&way.session, number).await;
                let described = described.map_err(|error| Failure::NotSent(error.to_string()))?;
                described.ok_or_else(|| Failure::NotSent("Kiwoom does not list this order".into()))?.symbol
            }
        };
        Ok(Target { number: own.to_owned(), code: parse::code_of(symbol) })
    }

    /// Asks for another price of one order, once.
    pub(super) async fn replace(&self, request: &ReplaceRequest) -> ReplaceOutcome {
        let rejected = |code: &str, message: &str| ReplaceOutcome::Rejected {
            code: code.to_owned(),
            message: message.to_owned(),
        };
        match self.store.find_replace(request.replace_id).await {
            Ok(Some(Some(_))) => return ReplaceOutcome::Accepted,
            Ok(Some(None)) => return ReplaceOutcome::OutcomeUnknown { reason: SENT_BEFORE.into() },
            Ok(None) => {}
            Err(error) => return error.unsent().into(),
        }
        let way = match self.way_to(request.order_id).await {
            Ok(Some(way)) => way,
            Ok(None) => return rejected(UNKNOWN_ORDER, "Kiwoom does not have this order"),
            Err(error) => return error.unsent().into(),
        };
        let present = match self.newest(&way.session, &way.number).await {
            Ok(Some(present)) => present,
            Ok(None) => return rejected(UNKNOWN_ORDER, "Kiwoom does not have this order"),
            Err(error) => return error.unsent().into(),
        };
        if !works(&present) {
            way.session.ring();
            return rejected(ALREADY_FINAL, "the order has ended at Kiwoom");
        }
        let (price, stop) = match parse::other_prices(request, &present) {
            Ok(prices) => prices,
            Err((code, message)) => return rejected(code, message),
        };
        match self.store.sending_replace(request.replace_id, way.found.account_id, request.order_id).await {
            Ok(true) => {}
            Ok(false) => return ReplaceOutcome::OutcomeUnknown { reason: SENT_BEFORE.into() },
            Err(error) => return error.unsent().into(),
        }
        let sent = match self.target(&way, &present.broker_order_id).await {
            Ok(target) => way.session.desk.change(&target, price, stop).await,
            Err(failure) => Err(failure),
        };
        way.session.ring();
        match sent {
            Ok(number) => self.changed(&way, request, &number).await,
            Err(failure) => self.not_changed(&way, request, failure).await,
        }
    }

    async fn changed(&self, way: &Way, request: &ReplaceRequest, number: &str) -> ReplaceOutcome {
        let number = broker_number(day_of(Utc::now()), number);
        // Whatever cannot be written now is found in the lists, where the new number names the old one.
        let _ = self.store.replace_done(request.replace_id, &number).await;
        let _ = self.records.numbered(request.order_id, &number).await;
        let _ = self.journal.link(way.found.account_id, &number, request.order_id).await;
        way.session.ring();
        ReplaceOutcome::Accepted
    }

    async fn not_changed(&self, way: &Way, request: &ReplaceRequest, failure: Failure) -> ReplaceOutcome {
        let failure = way.session.note(failure);
        if let Failure::Unknown(reason) = failure {
            return ReplaceOutcome::OutcomeUnknown { reason };
        }
        if let Err(error) = self.store.replace_not_done(request.replace_id).await {
            return ReplaceOutcome::OutcomeUnknown { reason: error.to_string() };
        }
        let Failure::Refused(refused) = failure else {
            return failure.unsent().into();
        };
        let present = self.newest(&way.session, &way.number).await.ok().flatten();
        let code = match present {
            Some(present) if !works(&present) => ALREADY_FINAL.to_owned(),
            _ => refused.word(),
        };
        ReplaceOutcome::Rejected { code, message: refused.message }
    }

    /// The order that has, or had, a number, with all its numbers, as Kiwoom lists it now.
    pub(super) async fn newest(
        &self,
        session: &Session,
        number: &str,
    ) -> Result<Option<ListedOrder>, BrokerError> {
        let Some((day, _)) = day_and_number(number) else { return Ok(None) };
        let orders = lists::orders_of(session, &self.store, day).await?;
        let mut chains = chains(orders).into_iter();
        Ok(chains.find(|chain| chain.numbers.iter().any(|own| own == number)).map(|chain| chain.order))
    }

    /// An order as Kiwoom lists it now.
    pub(super) async fn describe(
        &self,
        order: OrderId,
    ) -> Result<Option<(Arc<Session>, ListedOrder)>, BrokerError> {
        let Some(Found { account_id, number: Some(number), .. }) = self.store.find(order).await? else {
            return Ok(None);
        };
        let session = self.session(account_id).await?;
        let newest = self.newest(&session, &number).await?;
        Ok(newest.map(|order| (session, order)))
    }
}
