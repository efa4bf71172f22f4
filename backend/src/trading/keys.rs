//! Asks before a market opens whether the keys of accounts at brokers still open them, so that their owners hear of a dead
//! key while there is time to enter another.
//!
//! Promises: each account is asked about once for each session of its broker's markets, and told of at most once,
//! whatever is restarted; a broker's clock and calendar are compared with ours on the way; a broker that does not answer is asked again until the session is over. Orders that meet a dead key
//! in between are told of as well.

use super::connector::{Connector, OTHER_ACCOUNT, OpenError};
use super::gate::Gate;
use super::incident::{Incident, NewIncident};
use super::inquirer::tell;
use super::lane::{Lane, Lanes};
use super::{hours, store, stranger};
use crate::account;
use crate::clock;
use crate::db::Pool;
use crate::error::{ApiError, ApiResult};
use crate::events::EventHub;
use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use domain::{AccountId, Market};
use exchange::sessions::{regular_open, time_zone};
use exchange::{market_day, regular_close};
use futures_util::{StreamExt, stream};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often is looked whether the time has come, and how soon a broker that did not answer is asked again.
const LOOK_INTERVAL: Duration = Duration::from_secs(60);
/// Keys that are asked about at once.
const AT_ONCE_MAX: usize = 4;

/// How long before the regular session of a market its keys are asked about.
const fn lead(market: Market) -> TimeDelta {
    match market {
        // At 08:00 in Seoul, before orders for the opening auction are taken; at 08:30 in New York.
        Market::Krx | Market::Us => TimeDelta::minutes(60),
    }
}

/// The session whose keys are to be asked about at a moment: from some time before it opens until it closes, for a server
/// that was down in the morning is better late than silent. Pure.
fn session_at(market: Market, at: DateTime<Utc>) -> Option<NaiveDate> {
    let day = market_day(market, at);
    let (opens, closes) = (regular_open(market, day)?, regular_close(market, day)?);
    (opens - lead(market) <= at && at < closes).then_some(day)
}

/// What is known of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyState {
    /// It opens its account.
    Good,
    /// There is one, and it cannot be read; or none.
    Missing,
    /// The broker never knew it.
    Wrong,
    /// Its day is over.
    Expired,
    /// It was good and is not any more.
    Revoked,
    /// It opens another account than the one that was opened.
    OtherAccount,
    /// The account was never opened at its broker.
    NotConnected,
}

impl KeyState {
    /// The stored name; of what is wrong also the kind of the incident.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Missing => "key_missing",
            Self::Wrong => "key_wrong",
            Self::Expired => "key_expired",
            Self::Revoked => "key_revoked",
            Self::OtherAccount => OTHER_ACCOUNT,
            Self::NotConnected => "not_connected",
        }
    }

    /// What an answer says; nothing where it says nothing about the key.
    fn read(answer: &Result<(), OpenError>) -> Option<Self> {
        match answer {
            Ok(()) => Some(Self::Good),
            Err(OpenError::Unreachable(_)) => None,
            Err(OpenError::Refused { code, .. }) => match code.as_str() {
                // The connector has never heard of the account, and takes it for one of play money.
                "unsupported" => Some(Self::NotConnected),
                code => Self::of_word(code),
            },
        }
    }

    /// What the connector's word for a key that does not open says; nothing where it is no such word.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        let locked = [Self::Missing, Self::Wrong, Self::Expired, Self::Revoked, Self::OtherAccount];
        locked.into_iter().find(|state| state.name() == word)
    }

    /// What is wrong, and what to do.
    const fn trouble(self) -> Option<&'static str> {
        match self {
            // That one is told by itself, and not again every day.
            Self::Good | Self::OtherAccount | Self::NotConnected => None,
            Self::Missing => Some("its key cannot be read here; enter it again"),
            Self::Wrong => Some("the broker does not know its key; enter the right one"),
            Self::Expired => Some("its key has expired; make a new one at the broker and enter it"),
            Self::Revoked => Some("its key was revoked at the broker; make a new one there and enter it"),
        }
    }
}

/// Asks about keys. Cloning is cheap.
#[derive(Clone)]
pub(super) struct KeyKeeper {
    pub(super) pool: Pool,
    pub(super) connector: Connector,
    pub(super) events: Arc<EventHub>,
    pub(super) lanes: Lanes,
    pub(super) gate: Gate,
}

impl KeyKeeper {
    /// Asks whenever it is time until told to stop.
    pub(super) async fn run(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
            if let Err(error) = self.check(clock::now()).await {
                tracing::warn!(%error, "the keys of brokers cannot be looked at; trying again");
            }
        }
    }

    /// Asks about every key that is to be asked about at a moment and was not yet.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn check(&self, at: DateTime<Utc>) -> ApiResult<()> {
        for lane in Lane::ALL {
            for market in lane.markets_abroad() {
                if let Some(day) = session_at(*market, at) {
                    self.check_session(lane, *market, day).await?;
                }
            }
        }
        Ok(())
    }

    async fn check_session(&self, lane: Lane, market: Market, day: NaiveDate) -> ApiResult<()> {
        let accounts = self.lanes.on(lane);
        if accounts.is_empty() {
            return Ok(());
        }
        let checked = store::keys_checked(&*self.pool.get().await?, market, day).await?;
        let open = accounts.into_iter().filter(|account| !checked.contains(account));
        let outcomes: Vec<ApiResult<Option<AccountId>>> = stream::iter(open)
            .map(|account| self.check_key(account, (lane, market), day))
            .buffer_unordered(AT_ONCE_MAX)
            .collect()
            .await;
        let opened: Vec<Option<AccountId>> = outcomes.into_iter().collect::<ApiResult<_>>()?;
        // One account asks for all: the market is the same.
        match opened.into_iter().flatten().next() {
            Some(account) => self.check_hours(account, (lane, market), day).await,
            None => Ok(()),
        }
    }

    /// Asks a broker for its clock and its calendar, and tells what is different from ours.
    async fn check_hours(
        &self,
        account: AccountId,
        (lane, market): (Lane, Market),
        day: NaiveDate,
    ) -> ApiResult<()> {
        let days = (day, day.checked_add_days(Days::new(hours::DAYS - 1)).unwrap_or(day));
        let told = match self.connector.market_hours(account, days).await {
            Ok(told) => told,
            // Not every broker tells its hours.
            Err(OpenError::Refused { code, .. }) if code == "unsupported" => return Ok(()),
            Err(error) => {
                tracing::warn!(%account, %error, "a broker does not tell its hours");
                return Ok(());
            }
        };
        for incident in hours::differences(lane.name(), market, days, &told) {
            tell_once(&self.pool, &self.events, account, incident).await?;
        }
        Ok(())
    }

    async fn check_key(
        &self,
        account: AccountId,
        (lane, market): (Lane, Market),
        day: NaiveDate,
    ) -> ApiResult<Option<AccountId>> {
        let answer = self.connector.key_opens(account).await;
        let Some(state) = KeyState::read(&answer) else {
            tracing::warn!(%account, ?answer, "nobody says whether a key is good; it is asked about again");
            return Ok(None);
        };
        let mut connection = self.pool.get().await?;
        let told = connection
            .transaction(async |connection| {
                let connection: &AsyncPgConnection = connection;
                let at = clock::now();
                let is_first = store::insert_key_check(connection, (account, market, day), state, at).await?;
                if state == KeyState::OtherAccount {
                    return stranger::note(connection, &self.gate, account).await;
                }
                let Some(trouble) = state.trouble().filter(|_| is_first) else { return Ok(false) };
                let accounts = BTreeSet::from([account]);
                let locked = account::lock_balances(connection, &accounts, std::iter::empty()).await?;
                let owner = locked.account(account).map(|(owner, _)| owner);
                let incident = Incident::new(state.name(), words(lane, market, day, trouble))
                    .with("broker", lane.name())
                    .with("day", day)
                    .with_some("opens", regular_open(market, day).map(|at| at.to_rfc3339()));
                tell(connection, &[NewIncident::new(owner, account, incident, at)]).await?;
                Ok::<_, ApiError>(true)
            })
            .await?;
        if told {
            tracing::error!(%account, state = state.name(), "a key of a broker's is not good");
            self.events.wake();
        }
        Ok((state == KeyState::Good).then_some(account))
    }
}

/// Tells the owner of an account that its orders wait for a key, unless the same was told and is not acknowledged yet.
///
/// # Errors
/// The database's.
pub(super) async fn tell_of_waiting(
    pool: &Pool,
    events: &EventHub,
    (lane, account): (Lane, AccountId),
    state: KeyState,
) -> ApiResult<()> {
    let Some(trouble) = state.trouble() else { return Ok(()) };
    let detail = format!(
        "orders of an account at {} wait, and are refused when they have waited too long: {trouble}",
        lane.name()
    );
    let incident = Incident::new(state.name(), detail).with("case", "waiting").with("broker", lane.name());
    if tell_once(pool, events, account, incident).await? {
        tracing::error!(%account, state = state.name(), "orders wait for a key of a broker's");
    }
    Ok(())
}

/// Tells the owner of an account of an incident, unless the same was told and is not acknowledged yet; whether it is news.
async fn tell_once(
    pool: &Pool,
    events: &EventHub,
    account: AccountId,
    incident: Incident,
) -> ApiResult<bool> {
    let mut connection = pool.get().await?;
    let is_news = connection
        .transaction(async |connection| {
            let connection: &AsyncPgConnection = connection;
            let accounts = BTreeSet::from([account]);
            let locked = account::lock_balances(connection, &accounts, std::iter::empty()).await?;
            let owner = locked.account(account).map(|(owner, _)| owner);
            let incident = NewIncident::new(owner, account, incident, clock::now());
            let is_news = !store::is_told(connection, &incident).await?;
            if is_news {
                tell(connection, &[incident]).await?;
            }
            Ok::<_, ApiError>(is_news)
        })
        .await?;
    if is_news {
        events.wake();
    }
    Ok(is_news)
}

fn words(lane: Lane, market: Market, day: NaiveDate, trouble: &str) -> String {
    let zone = time_zone(market);
    let opens = regular_open(market, day).map(|at| at.with_timezone(&zone).format("%H:%M").to_string());
    let opens = opens.unwrap_or_default();
    format!(
        "an account at {} before the session of {day}, which opens at {opens} ({zone}): {trouble}",
        lane.name()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(market: Market, at: &str) -> Option<String> {
        session_at(market, at.parse().unwrap()).map(|day| day.to_string())
    }

    #[test]
    fn keys_are_asked_about_from_an_hour_before_the_open_to_the_close_of_trading_days() {
        for (market, at, expected) in [
            (Market::Us, "2026-01-05T13:29:59Z", None),
            (Market::Us, "2026-01-05T13:30:00Z", Some("2026-01-05")),
            (Market::Us, "2026-01-05T20:59:59Z", Some("2026-01-05")),
            (Market::Us, "2026-01-05T21:00:00Z", None),
            // In summer New York is an hour nearer.
            (Market::Us, "2026-07-06T12:30:00Z", Some("2026-07-06")),
            (Market::Us, "2026-01-03T15:00:00Z", None),
            (Market::Us, "2026-01-01T15:00:00Z", None),
            (Market::Krx, "2026-01-04T22:59:59Z", None),
            (Market::Krx, "2026-01-04T23:00:00Z", Some("2026-01-05")),
            (Market::Krx, "2026-01-05T06:30:00Z", None),
            // The day of the entrance examination begins an hour later.
            (Market::Krx, "2026-11-18T23:30:00Z", None),
            (Market::Krx, "2026-11-19T00:00:00Z", Some("2026-11-19")),
        ] {
            assert_eq!(session(market, at).as_deref(), expected, "{market} {at}");
        }
    }

    #[test]
    fn each_trouble_has_words_of_its_own_and_silence_is_none() {
        let refused = |code: &str| Err(OpenError::Refused { code: code.into(), detail: String::new() });
        let mut words = BTreeSet::new();
        for code in ["key_missing", "key_wrong", "key_expired", "key_revoked"] {
            let state = KeyState::read(&refused(code)).unwrap();
            assert_eq!(state.name(), code);
            words.insert(state.trouble().unwrap());
        }
        assert_eq!(words.len(), 4);
        assert_eq!(KeyState::read(&Ok(())).and_then(KeyState::trouble), None);
        assert_eq!(KeyState::read(&refused("unsupported")), Some(KeyState::NotConnected));
        assert_eq!(KeyState::read(&refused("rate_limited")), None);
        assert_eq!(KeyState::read(&Err(OpenError::Unreachable("x".into()))), None);
    }
}
