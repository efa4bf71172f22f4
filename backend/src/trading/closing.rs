//! Closing positions: a wish that is written down first, waits until the sales that hold the shares have been taken
//! back, and then becomes one market order, which goes the way of every order. What happens next is decided here, from
//! what is known at that moment. Pure, save for the files below it.

mod routes;
mod service;
mod worker;

pub(super) use routes::routes;
pub use service::Closing;

use super::order::Order;
use chrono::{DateTime, TimeDelta, Utc};
use domain::{AccountId, ClientOrderId, OrderId, Symbol, UserId};
use rust_decimal::Decimal;
use uuid::Uuid;

/// How long a close waits for the sales before it: longer than any exchange takes to answer, short enough that nobody
/// has forgotten it.
const WAIT_MAX: TimeDelta = TimeDelta::hours(1);
/// How often a close is placed anew after somebody else was quicker to take its shares.
const ATTEMPTS_MAX: i32 = 20;

/// How much of a position is to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Portion {
    /// All of it, also what is bought until then.
    All,
    /// So many shares.
    Shares(Decimal),
    /// So many percent of what is held when it is asked for, above 0 and at most 100.
    Percent(Decimal),
}

/// Where a close stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CloseStatus {
    /// For the sales that hold its shares.
    Waiting,
    /// Its order is decided and may have been placed.
    Placing,
    /// It is an order now.
    Placed,
    /// Other sales were executed meanwhile; nothing was left to sell.
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

/// A wish to close a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CloseRequest {
    pub(super) id: Uuid,
    pub(super) account_id: AccountId,
    pub(super) user_id: UserId,
    pub(super) symbol: Symbol,
    /// The caller's name for it.
    pub(super) key: String,
    pub(super) portion: Portion,
    /// The most that may be sold; `None` for all there is.
    pub(super) sell_max: Option<Decimal>,
    /// What must be left.
    pub(super) keep: Decimal,
    pub(super) status: CloseStatus,
    /// Number of the try, from 1.
    pub(super) attempt: i32,
    /// What the present try sells, once it is decided.
    pub(super) quantity: Option<Decimal>,
    pub(super) order_id: Option<OrderId>,
    pub(super) reason: Option<String>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
}

/// Why a close cannot be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unclosable {
    /// No share is held.
    NothingHeld,
    /// More than is held.
    TooMany,
    /// Less than the smallest quantity.
    TooLittle,
}

/// Digits behind the point of a quantity.
const QUANTITY_DIGITS: u32 = 9;

impl CloseRequest {
    /// A wish on a position of so many shares.
    pub(super) fn new(
        account_id: AccountId,
        user_id: UserId,
        symbol: Symbol,
        key: String,
        portion: Portion,
        held: Decimal,
        at: DateTime<Utc>,
    ) -> Result<Self, Unclosable> {
        if held <= Decimal::ZERO {
            return Err(Unclosable::NothingHeld);
        }
        let sell_max = shares_of(portion, held)?;
        Ok(Self {
            id: Uuid::now_v7(),
            account_id,
            user_id,
            symbol,
            key,
            portion,
            sell_max,
            keep: sell_max.map_or(Decimal::ZERO, |shares| held - shares),
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
fn shares_of(portion: Portion, held: Decimal) -> Result<Option<Decimal>, Unclosable> {
    let shares = match portion {
        Portion::All => return Ok(None),
        Portion::Percent(percent) if percent == Decimal::ONE_HUNDRED => return Ok(None),
        Portion::Shares(shares) => shares,
        Portion::Percent(percent) => {
            let digits = if held.fract().is_zero() { 0 } else { QUANTITY_DIGITS };
            // Dividing first keeps the product inside 28 digits.
            let exact = (held / Decimal::ONE_HUNDRED) * percent;
            exact.round_dp_with_strategy(digits, rust_decimal::RoundingStrategy::ToZero)
        }
    };
    if shares > held {
        return Err(Unclosable::TooMany);
    }
    if shares.is_zero() { Err(Unclosable::TooLittle) } else { Ok(Some(shares.normalize())) }
}

/// What is known of a position when a close takes its next step.
pub(super) struct Held<'a> {
    /// All shares.
    pub(super) total: Decimal,
    /// Those that open sales have reserved.
    pub(super) reserved: Decimal,
    /// Open sales of the symbol, newest first.
    pub(super) sales: &'a [Order],
}

/// The next step of a close that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// These sales are to be taken back.
    Cancel(Vec<OrderId>),
    /// Sales are on their way back.
    Wait,
    /// So many shares are free to be sold.
    Sell(Decimal),
    /// Nothing is left to be sold.
    NothingLeft,
    /// It has waited too long.
    GiveUp,
}

/// Decides the next step. Sales are taken back only as far as the shares are needed that they hold, the newest first. Of
/// two exits of a group that are for the same shares, the one that holds them counts: who takes it back takes both.
pub(super) fn next_step(request: &CloseRequest, held: &Held<'_>, now: DateTime<Utc>) -> Step {
    let left = held.total - request.keep;
    let wanted = request.sell_max.map_or(left, |most| most.min(left));
    if wanted <= Decimal::ZERO {
        return Step::NothingLeft;
    }
    if held.total - held.reserved >= wanted {
        return Step::Sell(wanted.normalize());
    }
    if request.is_late(now) {
        return Step::GiveUp;
    }
    let coming_back = |order: &&Order| order.cancel_requested_at.is_some();
    let returning: Decimal = held.sales.iter().filter(coming_back).map(|sale| sale.held).sum();
    let mut missing = wanted - (held.total - held.reserved) - returning;
    let mut cancelled = Vec::new();
    for sale in held.sales.iter().filter(|sale| !coming_back(sale) && sale.held > Decimal::ZERO) {
        if missing <= Decimal::ZERO {
            break;
        }
        missing -= sale.held;
        cancelled.push(sale.id);
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
    /// There is no price, and nothing was placed.
    NoPrice,
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
        Outcome::NoPrice if !request.is_late(now) => return None,
        Outcome::NoPrice => {
            next.status = CloseStatus::Failed;
            next.reason = Some("there was no price for too long".to_owned());
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
