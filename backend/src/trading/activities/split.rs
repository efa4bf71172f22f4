//! Splits as a broker tells of them: one line takes the shares of before, another brings those of after. Both together say
//! the ratio, and are one journal under the number of the later line.

use super::super::has_open_orders;
use super::super::incident::{Incident, SHARES_ACTIVITY};
use super::super::requests::request_cancel;
use super::super::store::{self, ActivityLine, OtherLeg};
use crate::error::{ApiError, ApiResult, ErrorCode};
use crate::events;
use crate::portfolio::{self, DifferenceError};
use chrono::{DateTime, TimeDelta, Utc};
use diesel_async::AsyncPgConnection;
use domain::{AccountId, OrderId, Symbol, UserId};
use rust_decimal::Decimal;

/// How long one line waits for the other, and both for the orders in their symbol: longer than the lists take to be read
/// again, and short enough that others behind them are not forgotten.
const WAIT_MAX: TimeDelta = TimeDelta::minutes(5);
/// What an order that is taken back says.
const REASON: &str = "corporate_action";
/// Orders that are taken back in one go.
const RECALLED_MAX: i64 = 1_000;

/// What one line of a split is, beside the other. Pure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leg {
    /// The other may still come.
    Early,
    /// The other comes behind it, and both are booked then.
    First,
    /// Both are there: so many shares stand where so many stood.
    Whole { old: Decimal, new: Decimal },
    /// The other did not come.
    Alone,
}

fn leg(line: &ActivityLine, other: Option<&OtherLeg>, now: DateTime<Utc>) -> Leg {
    let quantity = line.quantity.unwrap_or_default();
    match other {
        Some(other) if other.id > line.id => Leg::First,
        Some(other) => Leg::Whole { old: -quantity.min(other.quantity), new: quantity.max(other.quantity) },
        None if now - line.appended_at < WAIT_MAX => Leg::Early,
        None => Leg::Alone,
    }
}

/// How a line was taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is to be looked at again.
    NotYet,
    /// It is done, with what a person is to be told.
    Done(Option<Incident>),
}

fn told(line: &ActivityLine, why: &str) -> Taken {
    let detail = format!(
        "{}; not booked as a split: {why}; where shares differ from the broker's, they are booked without a cost",
        line.words()
    );
    Taken::Done(Some(line.in_facts(Incident::new(SHARES_ACTIVITY, detail).with("case", "no_split"))))
}

/// Takes the groups in the symbol of a split back that has come whole. Groups are locked before accounts, so this is done before
/// [`take_in`].
pub(super) async fn withdraw_groups(
    connection: &AsyncPgConnection,
    (line, symbol): (&ActivityLine, Symbol),
    now: DateTime<Utc>,
) -> ApiResult<()> {
    let other = store::other_leg(connection, line).await?;
    if matches!(leg(line, other.as_ref(), now), Leg::Whole { .. }) {
        store::withdraw_groups(connection, (line.account_id, symbol), now).await?;
    }
    Ok(())
}

/// Takes one line in; the caller has locked the account and the cursor. Orders in the symbol end first: their quantities and
/// prices mean something else by now.
pub(super) async fn take_in(
    connection: &AsyncPgConnection,
    (line, symbol): (&ActivityLine, Symbol),
    owner: UserId,
    now: DateTime<Utc>,
) -> ApiResult<Taken> {
    let other = store::other_leg(connection, line).await?;
    let (old, new) = match leg(line, other.as_ref(), now) {
        Leg::Early => return Ok(Taken::NotYet),
        Leg::First => return Ok(Taken::Done(None)),
        Leg::Alone => return Ok(told(line, "the other half of it is missing")),
        Leg::Whole { old, new } => (old, new),
    };
    let key = (line.account_id, symbol);
    if take_back(connection, owner, key).await? {
        let is_late = now - line.appended_at >= WAIT_MAX;
        return Ok(if is_late { told(line, "orders in it have not ended") } else { Taken::NotYet });
    }
    let place = (line.day, line.activity_id.as_str());
    match portfolio::split_by_broker(connection, key, (old, new), place, now).await {
        Ok(Some(quantity)) => {
            let event = portfolio::position_event(owner, key, quantity).map_err(ApiError::internal)?;
            events::append(connection, vec![event]).await?;
            Ok(Taken::Done(None))
        }
        Ok(None) => {
            let (old, new) = (old.normalize(), new.normalize());
            let why = format!("the books do not hold the {old} shares of which it makes {new}");
            Ok(told(line, &why))
        }
        Err(DifferenceError::Ledger(error)) => Ok(told(line, &error.to_string())),
        Err(DifferenceError::Database(error)) => Err(error.into()),
    }
}

/// Asks to take every open order of an account in a symbol back; whether there is any, or may be one by its group.
async fn take_back(
    connection: &AsyncPgConnection,
    owner: UserId,
    (account, symbol): (AccountId, Symbol),
) -> ApiResult<bool> {
    let open = store::cancellable_orders(connection, account, Some(symbol), None, RECALLED_MAX).await?;
    let unasked: Vec<OrderId> =
        open.iter().filter(|order| order.cancel_requested_at.is_none()).map(|order| order.id).collect();
    for order in unasked {
        match request_cancel(connection, owner, order, Some(REASON)).await {
            Err(error) if error.code() != ErrorCode::OrderNotOpen => return Err(error),
            Ok(_) | Err(_) => {}
        }
    }
    Ok(has_open_orders(connection, account, symbol).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{ActivityKind, Currency};

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn line(id: i64, quantity: i64) -> ActivityLine {
        ActivityLine {
            id,
            account_id: AccountId::generate(),
            activity_id: format!("20261120::{id}"),
            kind: ActivityKind::Split,
            word: "SPLIT/FSPLIT".into(),
            symbol: Some("AAPL".parse().unwrap()),
            currency: Currency::Usd,
            amount: Decimal::ZERO,
            quantity: Some(quantity.into()),
            day: "2026-11-20".parse().unwrap(),
            is_undone: false,
            appended_at: now(),
        }
    }

    fn other(id: i64, quantity: i64) -> OtherLeg {
        OtherLeg { id, quantity: quantity.into() }
    }

    #[test]
    fn two_lines_are_one_split_whichever_comes_first() {
        let whole = Leg::Whole { old: 10.into(), new: 30.into() };
        assert_eq!(leg(&line(1, -10), Some(&other(2, 30)), now()), Leg::First);
        assert_eq!(leg(&line(2, 30), Some(&other(1, -10)), now()), whole);
        assert_eq!(leg(&line(2, -10), Some(&other(1, 30)), now()), whole);
        let reverse = leg(&line(2, 1), Some(&other(1, -20)), now());
        assert_eq!(reverse, Leg::Whole { old: 20.into(), new: 1.into() });
    }

    #[test]
    fn half_a_split_is_waited_for_and_not_for_ever() {
        assert_eq!(leg(&line(1, 30), None, now()), Leg::Early);
        assert_eq!(leg(&line(1, 30), None, now() + WAIT_MAX), Leg::Alone);
    }
}
