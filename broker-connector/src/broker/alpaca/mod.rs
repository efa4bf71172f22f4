//! Alpaca: American shares, play money or real money.
//!
//! Promises: an order is written down before it is sent and bears our id, so sending it twice is ordering once; only what
//! provably never left is called not sent; the stream only says that something happened, and every execution is taken
//! from Alpaca's list of activities under the one number that it has there, so no drop, repetition or disorder of the
//! stream changes a book; what Alpaca does beside orders is taken from the same list in the same way. One account's trouble stays its own: each has its key, its limiter and its tasks.

mod account;
mod activities;
mod config;
#[cfg(test)]
mod damaged;
mod hours;
mod limiter;
mod lists;
mod members;
mod notes;
mod orders;
mod parse;
mod rest;
mod session;
mod stream;
mod wire;

pub use config::AlpacaSettings;

use super::outside::sessions::{Keeper, Sessions, load, save, seal};
use super::outside::way::{no_way, supervise};
use super::outside::{http, look};
use super::records::{Records, StoredAccount};
use super::{
    AccountState, Balance, Broker, BrokerError, Capabilities, Connected, Connection, ConnectionState,
    JournalLine, JournalQuery, KeyTrouble, ListedActivity, ListedExecution, ListedOrder, MarketHours,
    OpeningTrouble, OrderState, Page, Position,
};
use crate::credentials::{Credentials, Environment, Vault};
use crate::journal::Journal;
use crate::recovery::{self, Awaited};
use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use config::{ORDERS_AT_ONCE, READINGS_MAX};
use domain::broker::{CancelOutcome, OrderClass, OrderRequest, PlaceOutcome, ReplaceOutcome, ReplaceRequest};
use domain::inquiry::TradeCash;
use domain::{AccountId, Currency, DecimalText, Market, OrderId, OrderType, TimeInForce};
use futures_util::{StreamExt, stream as streams};
use limiter::Limiter;
use notes::Notes;
use rest::{Failure, Rest};
use secrecy::SecretString;
use session::Session;
use std::sync::{Arc, Weak};
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// Its name.
pub const NAME: &str = "alpaca";

/// The adapter.
pub struct Alpaca {
    me: Weak<Self>,
    settings: AlpacaSettings,
    client: reqwest::Client,
    journal: Journal,
    records: Records,
    /// Where orders are written before they are sent: on connections that live on the thread which answers requests, so that
    /// no order waits for another thread to be woken.
    outgoing: Records,
    vault: Vault,
    sessions: Sessions<Session>,
    notes: Notes,
    stop: CancellationToken,
}

impl Alpaca {
    /// Starts it: accounts that were connected before are followed as soon as the database tells of them.
    ///
    /// # Errors
    /// When the database's address cannot be read, or no client can be made.
    pub(crate) fn start(
        settings: AlpacaSettings,
        database_url: &SecretString,
        vault: Vault,
        stop: CancellationToken,
    ) -> anyhow::Result<Arc<Self>> {
        let (client, journal) = (http::client()?, Journal::new(database_url)?);
        let (records, outgoing) = (Records::new(database_url)?, Records::new(database_url)?);
        let notes = Notes::start(records.clone(), journal.clone());
        let alpaca = Arc::new_cyclic(|me| Self {
            me: me.clone(),
            settings,
            client,
            journal,
            records,
            outgoing,
            vault,
            sessions: Sessions::default(),
            notes,
            stop,
        });
        tokio::spawn(load(Arc::downgrade(&alpaca), alpaca.stop.clone()));
        Ok(alpaca)
    }

    fn rest(&self, credentials: Credentials) -> Rest {
        let url = match credentials.environment {
            Environment::Paper => &self.settings.paper_url,
            Environment::Live => &self.settings.live_url,
        };
        let url = url.trim_end_matches('/').to_owned();
        Rest { client: self.client.clone(), url, credentials, limiter: Limiter::new() }
    }

    /// Starts an account's tasks with a way to Alpaca.
    fn follow_by(&self, account: &StoredAccount, rest: Rest) {
        let session = Arc::new(Session::new(account, rest, self.stop.child_token()));
        self.sessions.put(&session);
        let me = self.me.clone();
        supervise("stream", Arc::clone(&session), stream::run);
        supervise("look", session, move |session| look_at_lists(me.clone(), session));
    }

    /// The session of an account, once Alpaca has said that it is the one that was opened.
    async fn session(&self, account: AccountId) -> Result<Arc<Session>, BrokerError> {
        let session = self.sessions.of(account)?;
        session.answer(session.confirm().await)?;
        Ok(session)
    }

    /// Makes an account known by a key, or gives it another key.
    async fn open(
        &self,
        connection: &Connection,
        credentials: Credentials,
    ) -> Result<Connected, BrokerError> {
        if connection.currency != Currency::Usd {
            return Err(OpeningTrouble::OtherCurrency.because("an account at Alpaca is in USD"));
        }
        let known = self.sessions.known(connection.account_id)?;
        // What cannot be kept is not tried.
        let sealed = seal(&self.vault, &credentials, connection.account_id)?;
        let rest = self.rest(credentials.clone());
        let account = account::account(&rest).await.map_err(Failure::of_question)?;
        account::check(&account)?;
        if known.as_ref().is_some_and(|known| known.identity.number() != account.account_number) {
            return Err(OpeningTrouble::OtherAccount.because("this key opens another account of Alpaca's"));
        }
        let opening = match &known {
            Some(known) => known.opening.clone(),
            None => account::opening(&rest).await.map_err(Failure::of_question)?,
        };
        let stored = StoredAccount {
            account_id: connection.account_id,
            broker_number: account.account_number,
            sealed,
            opening,
        };
        let stored = save(self.books(), NAME, stored, &credentials).await?;
        self.follow_by(&stored, rest);
        Ok(connected(&stored.broker_number, stored.opening.cash, stored.opening.opened_at))
    }
}

fn connected(number: &str, cash: rust_decimal::Decimal, opened_at: DateTime<Utc>) -> Connected {
    Connected {
        broker_number: Some(number.to_owned()),
        opening_cash: Some(DecimalText(cash)),
        opened_at: Some(opened_at),
    }
}

async fn look_at_lists(alpaca: Weak<Alpaca>, session: Arc<Session>) {
    look::run(&session, || async {
        let alpaca = alpaca.upgrade()?;
        let looked = recovery::recover(&*alpaca, &alpaca.journal, session.account_id, Awaited::default());
        Some(looked.await.map(|_| ()))
    })
    .await;
}

impl Keeper for Alpaca {
    type Session = Session;

    const NAME: &'static str = NAME;

    fn books(&self) -> (&Records, &Vault) {
        (&self.records, &self.vault)
    }

    fn sessions(&self) -> &Sessions<Session> {
        &self.sessions
    }

    fn follow(&self, account: &StoredAccount, credentials: Credentials) {
        self.follow_by(account, self.rest(credentials));
    }
}

#[async_trait]
impl Broker for Alpaca {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        use TimeInForce::{Cls, Day, Fok, Gtc, Ioc, Opg};
        Capabilities {
            broker: NAME,
            markets: vec![Market::Us],
            currencies: vec![Currency::Usd],
            order_types: OrderType::ALL.to_vec(),
            times_in_force: vec![Day, Gtc, Ioc, Fok, Opg, Cls],
            idempotent_orders: true,
            client_order_ids: true,
            journals_what_it_does: false,
            replace: true,
            replace_quantity: true,
            shared_exits: false,
            native_groups: vec![OrderClass::Bracket, OrderClass::Oco, OrderClass::Oto],
            fractions: true,
            amounts: true,
            credentials: true,
            keeps_cash: true,
            short_selling: false,
            activities: true,
            market_hours: true,
            real_money: true,
        }
    }

    fn is_ready(&self) -> bool {
        self.sessions.are_read()
    }

    async fn connect(&self, connection: Connection) -> Result<Connected, BrokerError> {
        match connection.credentials.clone() {
            Some(credentials) => self.open(&connection, credentials).await,
            None => {
                let session = self.sessions.of(connection.account_id)?;
                Ok(connected(session.identity.number(), session.opening.cash, session.opening.opened_at))
            }
        }
    }

    async fn connection_state(&self, account_id: AccountId) -> Result<ConnectionState, BrokerError> {
        let session = self.sessions.known(account_id)?;
        Ok(session.map_or_else(|| no_way(NAME, KeyTrouble::Missing), |session| session.connection_state()))
    }

    async fn balance(&self, account_id: AccountId) -> Result<Balance, BrokerError> {
        let session = self.session(account_id).await?;
        let account = session.answer(session.account().await)?;
        Ok(Balance {
            currency: Currency::Usd,
            cash: DecimalText(account.cash.0),
            buying_power: DecimalText(account.buying_power.unwrap_or(account.cash).0),
        })
    }

    async fn positions(&self, account_id: AccountId) -> Result<Vec<Position>, BrokerError> {
        let session = self.session(account_id).await?;
        session.answer(account::positions(&session.rest).await)
    }

    async fn place_orders(&self, orders: Vec<OrderRequest>) -> Vec<PlaceOutcome> {
        // Exits after what they come with.
        let (exits, others): (Vec<_>, Vec<_>) =
            orders.into_iter().enumerate().partition(|(_, order)| order.leader().is_some());
        let mut outcomes: Vec<(usize, PlaceOutcome)> = Vec::new();
        for part in [others, exits] {
            let placing =
                part.into_iter().map(|(place, order)| async move { (place, self.place(&order).await) });
            outcomes.extend(streams::iter(placing).buffered(ORDERS_AT_ONCE).collect::<Vec<_>>().await);
        }
        outcomes.sort_by_key(|(place, _)| *place);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }

    async fn cancel_orders(&self, orders: Vec<OrderId>) -> Vec<CancelOutcome> {
        let cancelling = orders.into_iter().map(|order| self.cancel(order));
        streams::iter(cancelling).buffered(ORDERS_AT_ONCE).collect().await
    }

    async fn replace_orders(&self, requests: Vec<ReplaceRequest>) -> Vec<ReplaceOutcome> {
        let replacing = requests.into_iter().map(|request| async move { self.replace(&request).await });
        streams::iter(replacing).buffered(ORDERS_AT_ONCE).collect().await
    }

    async fn order_status(&self, order_id: OrderId) -> Result<Option<OrderState>, BrokerError> {
        let described = self.describe(order_id).await?;
        Ok(described.map(|(session, order)| order.state(session.account_id, order_id)))
    }

    async fn history_begins(
        &self,
        account_id: AccountId,
        since: DateTime<Utc>,
    ) -> Result<DateTime<Utc>, BrokerError> {
        let session = self.session(account_id).await?;
        let oldest = self.records.oldest_working(account_id).await?.map(account::with_margin);
        Ok(oldest.map_or(since, |oldest| oldest.min(since)).max(session.opening.opened_at))
    }

    async fn order_by_number(
        &self,
        account_id: AccountId,
        broker_order_id: &str,
    ) -> Result<Option<ListedOrder>, BrokerError> {
        let session = self.session(account_id).await?;
        let found = orders::by_number(&session, broker_order_id).await?;
        Ok(self.named(&session, found.into_iter().collect()).await?.pop())
    }

    async fn order_page(
        &self,
        account_id: AccountId,
        since: DateTime<Utc>,
        after: Option<String>,
    ) -> Result<Page<ListedOrder>, BrokerError> {
        let session = self.session(account_id).await?;
        let per_page = self.settings.orders_per_page;
        let page =
            session.answer(lists::orders(&session.rest, since, after.as_deref(), per_page).await)??;
        Ok(Page { items: self.named(&session, page.items).await?, next: page.next })
    }

    async fn execution_page(
        &self,
        account_id: AccountId,
        since: DateTime<Utc>,
        after: Option<String>,
    ) -> Result<Page<ListedExecution>, BrokerError> {
        let session = self.session(account_id).await?;
        session.answer(lists::executions(&session.rest, &session.opening, since, after).await)
    }

    async fn activity_page(
        &self,
        account_id: AccountId,
        since: DateTime<Utc>,
        after: Option<String>,
    ) -> Result<Page<ListedActivity>, BrokerError> {
        let session = self.session(account_id).await?;
        session.answer(activities::page(&session.rest, &session.opening, since, after).await)
    }

    async fn market_hours(
        &self,
        account_id: AccountId,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<MarketHours, BrokerError> {
        let session = self.session(account_id).await?;
        session.answer(hours::hours(&session.rest, from, to).await)
    }

    /// Read, made known to the journal, and read again, until both readings agree: then no execution and nothing that
    /// Alpaca did beside orders lies between what is told here and the lines that are named.
    async fn sync(&self, account_id: AccountId) -> Result<AccountState, BrokerError> {
        let (session, began) = (self.session(account_id).await?, Instant::now());
        let mut before = session.answer(account::reading(&session).await)?;
        for _ in 0..READINGS_MAX {
            recovery::recover(self, &self.journal, account_id, Awaited::default()).await?;
            let activity_id = recovery::follow_activities(self, &self.journal, account_id).await?;
            let journal_id = self.journal.last_id().await?;
            let after = session.answer(account::reading(&session).await)?;
            if session.has_held_back_since(began) {
                return Err(BrokerError::Unavailable("executed exits are no orders here yet".into()));
            }
            if before == after {
                // Alpaca counts parts of a cent where parts of shares are traded; the books here do not.
                let amount = Currency::Usd.round(after.cash - session.opening.cash).normalize();
                return Ok(AccountState {
                    positions: after.positions,
                    trade_cash: vec![TradeCash { currency: Currency::Usd, amount }],
                    journal_id,
                    activity_id: Some(activity_id),
                    compare_after_seconds: None,
                });
            }
            before = after;
        }
        Err(BrokerError::Unavailable("the account at Alpaca does not stand still".into()))
    }

    async fn executions(&self, _: JournalQuery) -> Result<Vec<JournalLine>, BrokerError> {
        Err(BrokerError::Unsupported("the journal is read in one place for all brokers".into()))
    }
}
