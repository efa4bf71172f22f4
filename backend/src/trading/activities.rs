//! Takes what brokers did beside orders into the books: dividends, fees, interest, money that came or went.
//!
//! Promises: each line of the connector's list is taken in once, in its order; its journal, what is told of it and the
//! cursor share one transaction, so whatever is killed when, it is either taken in or not. A split waits for its other half,
//! and for the orders in its symbol to end, some minutes at most, and what is behind it in its account with it; other accounts do
//! not wait. What nobody here understands moves cash as the broker says, as its difference, and a person is told; nothing is passed over in silence.

mod split;

use super::dispatcher::DispatchQueue;
use super::incident::{Incident, NewIncident, SHARES_ACTIVITY, UNBOOKED_ACTIVITY, UNKNOWN_ACTIVITY};
use super::inquirer::tell;
use super::lane::Lanes;
use super::store::{self, ActivityLine};
use crate::account::{self, ByBroker, LockedBalances, balance_event};
use crate::clock;
use crate::db::Pool;
use crate::error::{ApiError, ApiResult, ErrorCode};
use crate::events::{self, EventHub};
use crate::portfolio::{self, DifferenceError};
use chrono::{DateTime, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::{AccountId, ActivityKind, Money, UserId};
use rust_decimal::Decimal;
use split::Taken;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How often is looked when nobody says that there is something.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);
/// Pause after a line could not be taken in.
const TRY_PAUSE: Duration = Duration::from_millis(200);
/// How often a line is tried before it is passed over with an incident.
const LINE_TRIES_MAX: u32 = 3;

/// Says that there may be something to take in. Cloning is cheap.
#[derive(Clone, Default)]
pub(super) struct ActivityLook(Arc<Notify>);

impl ActivityLook {
    /// Has it looked at once.
    pub(super) fn look(&self) {
        self.0.notify_one();
    }
}

/// Takes the lines in.
pub(super) struct ActivityClerk {
    pub(super) pool: Pool,
    pub(super) events: Arc<EventHub>,
    pub(super) lanes: Lanes,
    pub(super) look: ActivityLook,
    pub(super) dispatch: DispatchQueue,
}

impl ActivityClerk {
    /// Takes in what comes until told to stop.
    pub(super) async fn run(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.take_all_in() => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.look.0.notified() => {}
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
        }
    }

    /// Takes in everything that is there. A line that cannot be taken in although the database answers does not hold up
    /// those behind it, and one that waits holds up those of its account alone.
    async fn take_all_in(&self) {
        let mut failures = 0;
        let mut waiting = BTreeSet::new();
        // Play money has no such lines.
        while self.lanes.is_any_elsewhere() {
            let taken = match failures {
                LINE_TRIES_MAX => self.take_next_in(&waiting, Manner::PassOver).await,
                _ => self.take_next_in(&waiting, Manner::Book).await,
            };
            match taken {
                Ok(Next::Taken) => failures = 0,
                Ok(Next::Nothing) => break,
                Ok(Next::Waits(account)) => {
                    waiting.insert(account);
                    failures = 0;
                }
                Err(error) => {
                    tracing::warn!(%error, "what a broker did beside orders cannot be taken in; trying again");
                    if error.code() != ErrorCode::Internal || failures == LINE_TRIES_MAX {
                        return;
                    }
                    failures += 1;
                    tokio::time::sleep(TRY_PAUSE).await;
                }
            }
        }
        if !waiting.is_empty() {
            self.dispatch.look();
        }
    }

    /// Takes the next line in that is of no account that waits.
    async fn take_next_in(&self, waiting: &BTreeSet<AccountId>, manner: Manner) -> ApiResult<Next> {
        let mut connection = self.pool.get().await?;
        let taken = connection
            .transaction(async |connection| {
                let connection: &AsyncPgConnection = connection;
                store::lock_activity_cursor(connection).await?;
                let Some(line) = store::next_activity(connection, waiting).await? else {
                    return Ok::<_, ApiError>(Next::Nothing);
                };
                if !take_in(connection, &line, manner).await? {
                    return Ok(Next::Waits(line.account_id));
                }
                store::note_activity_taken_in(connection, line.id).await?;
                Ok(Next::Taken)
            })
            .await?;
        if taken != Next::Nothing {
            self.events.wake();
        }
        Ok(taken)
    }
}

/// What became of the next line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// It is taken in.
    Taken,
    /// It is to be looked at again, and so is what is behind it in its account.
    Waits(AccountId),
    /// There is none.
    Nothing,
}

/// How a line is taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// As it says.
    Book,
    /// It was tried in vain: a person is told.
    PassOver,
}

/// What is to be done about a line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Plan {
    movement: Option<ByBroker>,
    incident: Option<Incident>,
}

/// Decides about a line. Pure.
fn plan(line: &ActivityLine) -> Plan {
    let sign = if line.is_undone { Decimal::NEGATIVE_ONE } else { Decimal::ONE };
    // Brokers count parts of a cent; the books do not.
    let amount = line.currency.round(line.amount * sign);
    let movement = ByBroker {
        account_id: line.account_id,
        kind: line.kind,
        symbol: line.symbol,
        money: Money::new(amount, line.currency),
        day: line.day,
        activity_id: line.activity_id.clone(),
        is_undone: line.is_undone,
    };
    let incident = match line.kind {
        // One that is taken back says nothing that could be booked.
        ActivityKind::Shares | ActivityKind::Split => Some(line.in_facts(Incident::new(
            SHARES_ACTIVITY,
            format!(
                "{}; where shares differ from the broker's, they are booked without a cost",
                line.words()
            ),
        ))),
        ActivityKind::Other => Some(line.in_facts(Incident::new(
            UNKNOWN_ACTIVITY,
            format!("{}; what it is for is not known here: its cash is booked as a difference", line.words()),
        ))),
        _ => None,
    };
    Plan { movement: (!amount.is_zero()).then_some(movement), incident }
}

impl ActivityLine {
    /// It in words.
    fn words(&self) -> String {
        let does = if self.is_undone { "takes back" } else { "lists" };
        let symbol = self.symbol.map(|symbol| format!(" on {symbol}")).unwrap_or_default();
        let shares = self.quantity.map(|quantity| format!(", {} shares", quantity.normalize()));
        let (word, day, amount) = (&self.word, self.day, self.amount.normalize());
        format!(
            "the broker {does} {word}{symbol} of {day}: {amount} {}{}",
            self.currency,
            shares.unwrap_or_default()
        )
    }

    /// What a sentence about it needs.
    fn in_facts(&self, incident: Incident) -> Incident {
        incident
            .with("word", &self.word)
            .with("day", self.day)
            .with("amount", self.amount.normalize())
            .with("currency", self.currency)
            .with_some("symbol", self.symbol)
            .with_some("shares", self.quantity.map(|quantity| quantity.normalize()))
            .with_some("undone", self.is_undone.then_some("true"))
    }
}

/// Takes a line in; says whether that is done, or is to be tried again later.
async fn take_in(connection: &AsyncPgConnection, line: &ActivityLine, manner: Manner) -> ApiResult<bool> {
    let at = clock::now();
    let split = line.symbol.filter(|_| line.kind == ActivityKind::Split && !line.is_undone);
    if let (Manner::Book, Some(symbol)) = (manner, split) {
        split::withdraw_groups(connection, (line, symbol), at).await?;
    }
    let accounts = BTreeSet::from([line.account_id]);
    let locked = account::lock_balances(connection, &accounts, std::iter::empty()).await?;
    let owner = locked.account(line.account_id).map(|(owner, _)| owner);
    let Plan { movement, incident } = plan(line);
    let unbooked = |case: &str, why: &str| {
        let detail = format!("{}; not booked: {why}", line.words());
        line.in_facts(Incident::new(UNBOOKED_ACTIVITY, detail).with("case", case))
    };
    if let (Manner::Book, Some(owner), Some(symbol)) = (manner, owner, split) {
        let Taken::Done(incident) = split::take_in(connection, (line, symbol), owner, at).await? else {
            return Ok(false);
        };
        tell_of(connection, (line, Some(owner)), incident, at).await?;
        return Ok(true);
    }
    let incident = match (manner, owner, movement) {
        (Manner::PassOver, _, _) => Some(unbooked("in_vain", "it was tried in vain, the log says why")),
        (Manner::Book, None, Some(_)) => Some(unbooked("stranger", "the account is none of this house")),
        (Manner::Book, Some(owner), Some(movement)) => {
            match portfolio::book_by_broker(connection, &movement, at).await {
                Ok(()) => {
                    tell_balance(connection, (owner, &locked), &movement, at).await?;
                    incident
                }
                Err(DifferenceError::Ledger(error)) => Some(unbooked("refused", &error.to_string())),
                Err(DifferenceError::Database(error)) => return Err(error.into()),
            }
        }
        (Manner::Book, _, None) => incident,
    };
    tell_of(connection, (line, owner), incident, at).await?;
    Ok(true)
}

async fn tell_of(
    connection: &AsyncPgConnection,
    (line, owner): (&ActivityLine, Option<UserId>),
    incident: Option<Incident>,
    at: DateTime<Utc>,
) -> ApiResult<()> {
    let Some(incident) = incident else { return Ok(()) };
    tracing::error!(account = %line.account_id, kind = incident.kind, detail = incident.detail, "a broker did something that a person must look at");
    tell(connection, &[NewIncident::new(owner, line.account_id, incident, at)]).await
}

async fn tell_balance(
    connection: &AsyncPgConnection,
    (owner, locked): (UserId, &LockedBalances),
    movement: &ByBroker,
    at: DateTime<Utc>,
) -> ApiResult<()> {
    let mut cash = locked.cash(movement.account_id, movement.money.currency);
    cash.total += movement.money.amount;
    let told = balance_event(owner, &cash, at).map_err(ApiError::internal)?;
    Ok(events::append(connection, vec![told]).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Currency;

    fn line(kind: ActivityKind, amount: &str) -> ActivityLine {
        ActivityLine {
            id: 1,
            account_id: AccountId::generate(),
            activity_id: "20261120::1".into(),
            kind,
            word: "DIV".into(),
            symbol: Some("AAPL".parse().unwrap()),
            currency: Currency::Usd,
            amount: amount.parse().unwrap(),
            quantity: Some(Decimal::TEN),
            day: "2026-11-20".parse().unwrap(),
            is_undone: false,
            appended_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn what_is_understood_is_booked_without_a_word() {
        for kind in ActivityKind::ALL {
            let plan = plan(&line(kind, "12.34"));
            let understood =
                !matches!(kind, ActivityKind::Split | ActivityKind::Shares | ActivityKind::Other);
            assert_eq!(plan.incident.is_none(), understood, "{kind:?}");
            assert_eq!(plan.movement.unwrap().money.amount, Decimal::new(1234, 2));
        }
    }

    #[test]
    fn what_is_taken_back_moves_the_other_way() {
        let plan = plan(&ActivityLine { is_undone: true, ..line(ActivityKind::Fee, "-0.05") });
        let movement = plan.movement.unwrap();
        assert!(movement.is_undone);
        assert_eq!(movement.money.amount, Decimal::new(5, 2));
    }

    #[test]
    fn what_moves_no_cash_is_told_and_not_booked() {
        for amount in ["0", "0.004"] {
            let plan = plan(&line(ActivityKind::Shares, amount));
            assert_eq!(plan.movement, None);
            let told = plan.incident.unwrap();
            assert_eq!(told.kind, SHARES_ACTIVITY);
            assert!(told.detail.contains("AAPL") && told.detail.contains("10 shares"), "{}", told.detail);
        }
    }
}
