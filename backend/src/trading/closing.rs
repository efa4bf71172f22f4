//! Closing positions: a wish that is written down first, waits until the open orders in its way have been taken back,
//! and then becomes one market order, which goes the way of every order: what is held is sold, what was sold short is
//! bought back. What happens next is decided here, from what is known at that moment. Pure, save for the files below it.

mod routes;
mod service;
mod worker;

pub(super) use routes::routes;
pub use service::Closing;

use super::order::Order;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{AccountId, ClientOrderId, OrderId, Side, Symbol, UserId};
use rust_decimal::Decimal;
use uuid::Uuid;

/// How long a close waits for the orders before it: longer than any exchange takes to answer, short enough that nobody
/// has forgotten it.
const WAIT_MAX: TimeDelta = TimeDelta::hours(1);
/// How often a close is placed anew after somebody else was quicker to take its shares.
const ATTEMPTS_MAX: i32 = 20;

/// How much of a position is to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Portion {
    /// All of it, also what is bought, or sold short, until then.
    All,
    /// So many shares.
    Shares(Decimal),
    /// So many percent of what is held when it is asked for, above 0 and at most 100.
    Percent(Decimal),
}

/// Where a close stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CloseStatus {
    /// For the orders in its way.
    Waiting,
    /// Its order is decided and may have been placed.
    Placing,
    /// It is an order now.
    Placed,
    /// Other orders were executed meanwhile; nothing was left to close.
    NothingLeft,
    /// It was given up; the reason says why.
    Failed,
    /// Its owner took it back.
    Withdrawn,
}

impl CloseStatus {
    /// Every status.
    pub(super) const ALL: [Self; 6] =
        [Self::Waiting, Self::Placing, Self::Placed, Self::NothingLeft, Self::Failed, Self::Withdrawn];

    /// The stored and shown name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "WAITING",
            Self::Placing => "PLACING",
            Self::Placed => "PLACED",
            Self::NothingLeft => "NOTHING_LEFT",
            Self::Failed => "FAILED",
            Self::Withdrawn => "WITHDRAWN",
        }
    }
}

/// Who wants a position closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// Its owner.
    Trader,
    /// The house, because a margin call was not answered.
    MarginCall,
}

impl Cause {
    /// Both.
    pub(super) const ALL: [Self; 2] = [Self::Trader, Self::MarginCall];

    /// The stored and shown name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Trader => "TRADER",
            Self::MarginCall => "MARGIN_CALL",
        }
    }
}

/// A wish to close a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CloseRequest {
    pub(super) id: Uuid,
    pub(super) account_id: AccountId,
    pub(super) user_id: UserId,
    pub(super) symbol: Symbol,
    /// The caller's name for it.
    pub(super) key: String,
    /// How it closes: what is held is sold, what was sold short is bought back.
    pub(super) side: Side,
    pub(super) cause: Cause,
    pub(super) portion: Portion,
    /// The most shares that may be closed; `None` for all there are.
    pub(super) close_max: Option<Decimal>,
    /// Shares that must be left of the position.
    pub(super) keep: Decimal,
    pub(super) status: CloseStatus,
    /// Number of the try, from 1.
    pub(super) attempt: i32,
    /// The shares of the present try, once they are decided.
    pub(super) quantity: Option<Decimal>,
    pub(super) order_id: Option<OrderId>,
    pub(super) reason: Option<String>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
}

/// Why a close cannot be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unclosable {
    /// No share is held or owed.
    NothingOpen,
    /// More than the position.
    TooMany,
    /// Less than the smallest quantity.
    TooLittle,
}

/// Digits behind the point of a quantity.
const QUANTITY_DIGITS: u32 = 9;

impl CloseRequest {
    /// A wish on a position of so many shares, below zero of those sold short.
    pub(super) fn new(
        account_id: AccountId,
        user_id: UserId,
        symbol: Symbol,
        key: String,
        portion: Portion,
        position: Decimal,
        at: DateTime<Utc>,
    ) -> Result<Self, Unclosable> {
        if position.is_zero() {
            return Err(Unclosable::NothingOpen);
        }
        let open = position.abs();
        let close_max = shares_of(portion, open)?;
        Ok(Self {
            id: Uuid::now_v7(),
            account_id,
            user_id,
            symbol,
            key,
            side: if position < Decimal::ZERO { Side::Buy } else { Side::Sell },
            cause: Cause::Trader,
            portion,
            close_max,
            keep: close_max.map_or(Decimal::ZERO, |shares| open - shares),
            status: CloseStatus::Waiting,
            attempt: 1,
            quantity: None,
            order_id: None,
            reason: None,
            created_at: at,
            updated_at: at,
        })
    }

    /// The key of its order: each try has one, and a try that is repeated finds its order.
    pub(super) fn order_key(&self) -> Option<ClientOrderId> {
        format!("close:{}:{}", self.id, self.attempt).parse().ok()
    }

    /// Whether another wish under the same key is this one.
    pub(super) fn is_same(&self, symbol: Symbol, portion: Portion) -> bool {
        self.symbol == symbol && self.portion == portion
    }

    fn is_late(&self, now: DateTime<Utc>) -> bool {
        now - self.created_at > WAIT_MAX
    }
}

/// The shares of a portion; `None` for all. A percentage of whole shares is whole, rounded down.
fn shares_of(portion: Portion, open: Decimal) -> Result<Option<Decimal>, Unclosable> {
    let shares = match portion {
        Portion::All => return Ok(None),
        Portion::Percent(percent) if percent == Decimal::ONE_HUNDRED => return Ok(None),
        Portion::Shares(shares) => shares,
        Portion::Percent(percent) => {
            let digits = if open.fract().is_zero() { 0 } else { QUANTITY_DIGITS };
            // Dividing first keeps the product inside 28 digits.
            let exact = (open / Decimal::ONE_HUNDRED) * percent;
            exact.round_dp_with_strategy(digits, rust_decimal::RoundingStrategy::ToZero)
        }
    };
    if shares > open {
        return Err(Unclosable::TooMany);
    }
    if shares.is_zero() { Err(Unclosable::TooLittle) } else { Ok(Some(shares.normalize())) }
}

/// What is known of a position when a close takes its next step, seen from the side it is closed on.
pub(super) struct Standing<'a> {
    /// All shares that can be closed; below zero once the position lies on the other side.
    pub(super) total: Decimal,
    /// Those that open orders of the same side are for.
    pub(super) reserved: Decimal,
    /// Open orders of the symbol and side, newest first.
    pub(super) orders: &'a [Order],
}

/// The next step of a close that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// These orders are to be taken back.
    Cancel(Vec<OrderId>),
    /// Orders are on their way back.
    Wait,
    /// So many shares are free to be closed.
    Close(Decimal),
    /// Nothing is left to be closed.
    NothingLeft,
    /// It has waited too long.
    GiveUp,
}

/// Decides the next step. Orders are taken back only as far as the shares are needed that they are for, the newest first.
/// Of two exits of a group that are for the same shares, the one that holds them counts: who takes it back takes both.
pub(super) fn next_step(request: &CloseRequest, standing: &Standing<'_>, now: DateTime<Utc>) -> Step {
    let left = standing.total - request.keep;
    let wanted = request.close_max.map_or(left, |most| most.min(left));
    if wanted <= Decimal::ZERO {
        return Step::NothingLeft;
    }
    let free = standing.total - standing.reserved;
    if free >= wanted {
        return Step::Close(wanted.normalize());
    }
    if request.is_late(now) {
        return Step::GiveUp;
    }
    let coming_back = |order: &&Order| order.cancel_requested_at.is_some();
    let returning: Decimal = standing.orders.iter().filter(coming_back).map(Order::shares_taken).sum();
    let mut missing = wanted - free - returning;
    let mut cancelled = Vec::new();
    for order in standing.orders.iter().filter(|order| !coming_back(order)) {
        let taken = order.shares_taken();
        if taken.is_zero() {
            continue;
        }
        if missing <= Decimal::ZERO {
            break;
        }
        missing -= taken;
        cancelled.push(order.id);
    }
    if cancelled.is_empty() { Step::Wait } else { Step::Cancel(cancelled) }
}

/// How placing the order of a close ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is an order.
    Placed(OrderId),
    /// Risk has refused it for a reason that may pass: somebody else was quicker.
    Overtaken(String),
    /// It was refused for good.
    Refused(String),
    /// Nothing was placed for a reason that passes: what is missing.
    NotYet(&'static str),
    /// Nobody knows, or nothing could be done.
    Unknown,
}

/// The close after its order was placed, or not; `None` when the same try is to be repeated.
pub(super) fn after_placing(
    request: &CloseRequest,
    outcome: Outcome,
    now: DateTime<Utc>,
) -> Option<CloseRequest> {
    let mut next = CloseRequest { updated_at: now, ..request.clone() };
    match outcome {
        Outcome::Unknown => return None,
        Outcome::NotYet(_) if !request.is_late(now) => return None,
        Outcome::NotYet(missing) => {
            next.status = CloseStatus::Failed;
            next.reason = Some(format!("there was no {missing} for too long"));
        }
        Outcome::Placed(order) => {
            next.status = CloseStatus::Placed;
            next.order_id = Some(order);
        }
        Outcome::Overtaken(_) if request.attempt < ATTEMPTS_MAX => {
            next.status = CloseStatus::Waiting;
            next.attempt += 1;
            next.quantity = None;
        }
        Outcome::Overtaken(reason) | Outcome::Refused(reason) => {
            next.status = CloseStatus::Failed;
            next.reason = Some(reason);
        }
    }
    Some(next)
}

#[cfg(test)]
mod tests;
