//! Alpaca: American shares, play money or real money.
//!
//! Promises: an order is written down before it is sent and bears our id, so sending it twice is ordering once; only what
//! provably never left is called not sent; the stream only says that something happened, and every execution is taken
//! from Alpaca's list of activities under the one number that it has there, so no drop, repetition or disorder of the
//! stream changes a book. One account's trouble stays its own: each has its key, its limiter and its tasks.

mod account;
mod config;
mod limiter;
mod lists;
mod look;
mod orders;
mod parse;
mod rest;
mod session;
mod stream;
mod wire;

pub use config::AlpacaSettings;

use super::records::{Records, StoredAccount};
use super::{
    AccountState, Balance, Broker, BrokerError, Capabilities, Connected, Connection, ConnectionState,
    JournalLine, JournalQuery, KeyTrouble, ListedExecution, ListedOrder, OrderState, Page, Position,
};
use crate::credentials::{Credentials, Environment, Vault};
use crate::journal::Journal;
use crate::recovery::{self, Awaited};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use config::{ORDERS_AT_ONCE, READINGS_MAX, START_PAUSE};
use domain::broker::{CancelOutcome, OrderRequest, PlaceOutcome, ReplaceOutcome, ReplaceRequest};
use domain::inquiry::TradeCash;
use domain::{AccountId, Currency, DecimalText, Market, OrderId, OrderType, TimeInForce};
use futures_util::{StreamExt, stream as streams};
use limiter::Limiter;
use rest::Rest;
use secrecy::SecretString;
use session::{Session, paused, supervise};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, Weak};
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
    vault: Vault,
    /// The accounts; nothing until they were read.
    sessions: RwLock<Option<HashMap<AccountId, Arc<Session>>>>,
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
        let (client, journal) = (rest::client()?, Journal::new(database_url)?);
        let records = Records::new(database_url)?;
        let alpaca = Arc::new_cyclic(|me| Self {
            me: me.clone(),
            settings,
            client,
            journal,
            records,
            vault,
            sessions: RwLock::default(),
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

    /// The way of an account.
    async fn session(&self, account: AccountId) -> Result<Arc<Session>, BrokerError> {
        let sessions = self.sessions.read().unwrap_or_else(PoisonError::into_inner);
        match sessions.as_ref() {
            None => Err(BrokerError::Unavailable("the accounts at Alpaca are being read".into())),
            Some(sessions) => {
                sessions.get(&account).cloned().ok_or(BrokerError::AuthExpired(KeyTrouble::Missing))
            }
        }
    }

    /// Puts a session in the place of the one before and starts its tasks.
    fn follow(&self, account: &StoredAccount, rest: Rest) {
        let session = Arc::new(Session::new(
            account.account_id,
            account.broker_number.clone(),
            rest,
            account.opening.clone(),
            self.stop.child_token(),
        ));
        let before = {
            let mut sessions = self.sessions.write().unwrap_or_else(PoisonError::into_inner);
            sessions.get_or_insert_default().insert(account.account_id, Arc::clone(&session))
        };
        if let Some(before) = before {
            before.stop.cancel();
        }
        let me = self.me.clone();
        supervise("stream", Arc::clone(&session), stream::run);
        supervise("look", session, move |session| look::run(me.clone(), session));
    }

    /// Makes an account known by a key, or gives it another key.
    async fn open(
        &self,
        connection: &Connection,
        credentials: Credentials,
    ) -> Result<Connected, BrokerError> {
        if connection.currency != Currency::Usd {
            return Err(BrokerError::Conflict("an account at Alpaca is in USD".into()));
        }
        let known = match self.session(connection.account_id).await {
            Ok(session) => Some(session),
            Err(BrokerError::AuthExpired(_)) => None,
            Err(error) => return Err(error),
        };
        let sealed = self.vault.seal(&credentials, connection.account_id);
        let sealed = sealed.map_err(|error| BrokerError::Conflict(format!("{error:#}")))?;
        let rest = self.rest(credentials);
        let account = account::account(&rest).await.map_err(rest::Failure::of_question)?;
        account::check(&account)?;
        if known.as_ref().is_some_and(|known| known.number != account.account_number) {
            return Err(BrokerError::Conflict("this key opens another account of Alpaca's".into()));
        }
        let opening = match &known {
            Some(known) => known.opening.clone(),
            None => account::opening(&rest).await.map_err(rest::Failure::of_question)?,
        };
        let stored = StoredAccount {
            account_id: connection.account_id,
            broker_number: account.account_number,
            sealed,
            opening,
        };
        self.records.save_account(NAME, &stored).await?;
        self.follow(&stored, rest);
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

/// Follows the accounts that were connected before. The tables are made by another process, perhaps later.
async fn load(alpaca: Weak<Alpaca>, stop: CancellationToken) {
    loop {
        let Some(alpaca) = alpaca.upgrade() else { return };
        match alpaca.records.accounts(NAME).await {
            Ok(accounts) => {
                alpaca.sessions.write().unwrap_or_else(PoisonError::into_inner).get_or_insert_default();
                for account in accounts {
                    match alpaca.vault.open(&account.sealed, account.account_id) {
                        Ok(credentials) => alpaca.follow(&account, alpaca.rest(credentials)),
                        Err(error) => {
                            let error = format!("{error:#}");
                            tracing::error!(account = %account.account_id, error, "an account at Alpaca stays closed");
                        }
                    }
                }
                return;
            }
            Err(error) => tracing::debug!(%error, "the accounts at Alpaca cannot be read yet"),
        }
        drop(alpaca);
        if paused(&stop, START_PAUSE).await {
            return;
        }
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
            fractions: true,
            credentials: true,
            keeps_cash: true,
            real_money: true,
        }
    }

    fn is_ready(&self) -> bool {
        self.sessions.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    async fn connect(&self, connection: Connection) -> Result<Connected, BrokerError> {
        match connection.credentials.clone() {
            Some(credentials) => self.open(&connection, credentials).await,
            None => {
                let session = self.session(connection.account_id).await?;
                Ok(connected(&session.number, session.opening.cash, session.opening.opened_at))
            }
        }
    }

    async fn connection_state(&self, account_id: AccountId) -> Result<ConnectionState, BrokerError> {
        match self.session(account_id).await {
            Ok(session) => Ok(session.connection_state()),
            Err(BrokerError::AuthExpired(trouble)) => Ok(ConnectionState {
                broker: NAME,
                state: trouble.word(),
                since: None,
                detail: Some(trouble.to_string()),
                heard_at: None,
                read_at: None,
            }),
            Err(error) => Err(error),
        }
    }

    async fn balance(&self, account_id: AccountId) -> Result<Balance, BrokerError> {
        let session = self.session(account_id).await?;
        let account = session.answer(account::account(&session.rest).await)?;
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
        let placing = orders.into_iter().map(|order| async move { self.place(&order).await });
        streams::iter(placing).buffered(ORDERS_AT_ONCE).collect().await
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
        orders::by_number(&session, broker_order_id).await
    }

    async fn order_page(
        &self,
        account_id: AccountId,
        since: DateTime<Utc>,
        after: Option<String>,
    ) -> Result<Page<ListedOrder>, BrokerError> {
        let session = self.session(account_id).await?;
        let per_page = self.settings.orders_per_page;
        session.answer(lists::orders(&session.rest, since, after.as_deref(), per_page).await)?
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

    /// Read, made known to the journal, and read again, until both readings agree: then no execution lies between what
    /// is told here and the line that is named.
    async fn sync(&self, account_id: AccountId) -> Result<AccountState, BrokerError> {
        let session = self.session(account_id).await?;
        let mut before = session.answer(account::reading(&session.rest, &session.opening).await)?;
        for _ in 0..READINGS_MAX {
            recovery::recover(self, &self.journal, account_id, Awaited::default()).await?;
            let journal_id = self.journal.last_id().await?;
            let after = session.answer(account::reading(&session.rest, &session.opening).await)?;
            if before == after {
                let amount = after.cash - session.opening.cash - after.moved;
                // Alpaca counts parts of a cent where parts of shares are traded; the books here do not.
                let amount = Currency::Usd.round(amount).normalize();
                let cash = TradeCash { currency: Currency::Usd, amount };
                let (orders, positions) = (Vec::new(), after.positions);
                return Ok(AccountState { orders, positions, trade_cash: vec![cash], journal_id });
            }
            before = after;
        }
        Err(BrokerError::Unavailable("the account at Alpaca does not stand still".into()))
    }

    async fn executions(&self, _: JournalQuery) -> Result<Vec<JournalLine>, BrokerError> {
        Err(BrokerError::Unsupported("the journal is read in one place for all brokers".into()))
    }
}
