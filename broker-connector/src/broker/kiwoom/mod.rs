//! Kiwoom: Korean shares, play money or real money, by its REST service of 2025 and later, or through a bridge to the older
//! interface (docs/kiwoom-bridge.md).
//!
//! Kiwoom knows no client order ids. Promises: an order is written down before it is sent and sent once, whatever is answered; an
//! answer that says nothing for certain is told as one, and the order is searched for in Kiwoom's lists by what it looks like;
//! numbers of orders, which begin anew every day, are kept with their day; an execution is a span of an order's shares, so no
//! drop, repetition or disorder of the stream books a share twice. One account's trouble stays its own.

mod bridge;
mod bridge_rows;
mod config;
#[cfg(test)]
mod damaged;
mod day;
mod desk;
mod fills;
mod limiter;
mod lists;
mod orders;
mod parse;
mod rest;
mod rows;
mod session;
mod store;
mod stream;
mod token;
mod wire;

pub use config::KiwoomSettings;

use super::outside::sessions::{Keeper, Sessions, load, save, seal};
use super::outside::way::{no_way, supervise};
use super::outside::{http, look};
use super::records::{Opening, Records, StoredAccount};
use super::{
    AccountState, Balance, Broker, BrokerError, Capabilities, Connected, Connection, ConnectionState,
    JournalLine, JournalQuery, KeyTrouble, ListedExecution, ListedOrder, OpeningTrouble, OrderState, Page,
    Position,
};
use crate::credentials::{Credentials, Environment, Vault};
use crate::journal::Journal;
use crate::recovery;
use async_trait::async_trait;
use bridge::Bridge;
use chrono::{DateTime, Utc};
use config::{ACCOUNT_NUMBER_LENGTH, ORDERS_AT_ONCE, READINGS_MAX};
use desk::Desk;
use domain::broker::{CancelOutcome, OrderRequest, PlaceOutcome, ReplaceOutcome, ReplaceRequest};
use domain::inquiry::TradeCash;
use domain::{AccountId, Currency, DecimalText, Market, OrderId, OrderType, TimeInForce};
use futures_util::{StreamExt, stream as streams};
use limiter::Limiter;
use parse::day_of;
use rest::{Failure, Rest};
use rust_decimal::Decimal;
use secrecy::{ExposeSecret, SecretString};
use session::Session;
use std::sync::{Arc, Weak};
use store::Store;
use token::Token;
use tokio_util::sync::CancellationToken;

/// Its name.
pub const NAME: &str = "kiwoom";

/// The adapter.
pub struct Kiwoom {
    me: Weak<Self>,
    settings: KiwoomSettings,
    client: reqwest::Client,
    journal: Journal,
    records: Records,
    store: Store,
    vault: Vault,
    sessions: Sessions<Session>,
    stop: CancellationToken,
}

/// Cash and shares at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reading {
    cash: Decimal,
    positions: Vec<Position>,
}

impl Kiwoom {
    /// Starts it: accounts that were connected before are followed as soon as the database tells of them.
    ///
    /// # Errors
    /// When the database's address cannot be read, or no client can be made.
    pub(crate) fn start(
        settings: KiwoomSettings,
        database_url: &SecretString,
        vault: Vault,
        stop: CancellationToken,
    ) -> anyhow::Result<Arc<Self>> {
        let (client, journal) = (http::client()?, Journal::new(database_url)?);
        let (records, store) = (Records::new(database_url)?, Store::new(database_url)?);
        let kiwoom = Arc::new_cyclic(|me| Self {
            me: me.clone(),
            settings,
            client,
            journal,
            records,
            store,
            vault,
            sessions: Sessions::default(),
            stop,
        });
        tokio::spawn(load(Arc::downgrade(&kiwoom), kiwoom.stop.clone()));
        Ok(kiwoom)
    }

    /// The desk that credentials open: an account's number and a token are for the bridge, a key for the REST service.
    fn desk(&self, credentials: Credentials) -> Result<Desk, BrokerError> {
        if is_account_number(credentials.key_id.expose_secret()) {
            let missing = || {
                OpeningTrouble::BridgeMissing.because("no bridge to Kiwoom is set (GAEMI_KIWOOM_BRIDGE_URL)")
            };
            let url = self.settings.bridge_url.clone().ok_or_else(missing)?;
            return Ok(Desk::Bridge(Box::new(Bridge::new(url, credentials))));
        }
        let (url, stream_url) = match credentials.environment {
            Environment::Paper => (&self.settings.paper_url, &self.settings.paper_stream_url),
            Environment::Live => (&self.settings.live_url, &self.settings.live_stream_url),
        };
        Ok(Desk::Rest(Box::new(Rest {
            client: self.client.clone(),
            url: url.clone(),
            stream_url: stream_url.clone(),
            credentials,
            limiter: Limiter::new(),
            token: Token::default(),
        })))
    }

    /// Starts an account's tasks with a desk.
    fn follow_at(&self, account: &StoredAccount, desk: Desk) {
        let session = Arc::new(Session::new(account, desk, self.stop.child_token()));
        self.sessions.put(&session);
        let me = self.me.clone();
        supervise("stream", Arc::clone(&session), stream::run);
        supervise("look", session, move |session| look_at_lists(me.clone(), session));
    }

    /// The session of an account, once Kiwoom has said that it is the one that was opened.
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
        if connection.currency != Currency::Krw {
            return Err(OpeningTrouble::OtherCurrency.because("an account at Kiwoom is in KRW"));
        }
        let known = self.sessions.known(connection.account_id)?;
        // What cannot be kept is not tried.
        let sealed = seal(&self.vault, &credentials, connection.account_id)?;
        let desk = self.desk(credentials.clone())?;
        let known = known.map(|known| (known.identity.number().to_owned(), known.opening.clone()));
        let (number, opening) = desk.during(first_look(&desk, known)).await?;
        let stored =
            StoredAccount { account_id: connection.account_id, broker_number: number, sealed, opening };
        let stored = save(self.books(), NAME, stored, &credentials).await?;
        self.follow_at(&stored, desk);
        Ok(connected(&stored.broker_number, &stored.opening))
    }

    async fn reading(&self, session: &Session) -> Result<Reading, BrokerError> {
        let cash = session.answer(session.desk.cash().await)?.settled;
        Ok(Reading { cash, positions: self.positions_of(session).await? })
    }

    async fn positions_of(&self, session: &Session) -> Result<Vec<Position>, BrokerError> {
        let held = session.answer(session.desk.held().await)?;
        let symbols = session.answer(session.symbols_of(held.iter().map(|held| held.code.as_str())).await)?;
        let mut positions: Vec<Position> = held
            .iter()
            .filter_map(|held| {
                Some(Position { symbol: *symbols.get(&held.code)?, quantity: Decimal::from(held.quantity) })
            })
            .collect();
        positions.sort_by_key(|position| position.symbol);
        Ok(positions)
    }
}

/// Whether a text is the number of an account, which no key of the REST service is.
fn is_account_number(text: &str) -> bool {
    text.len() == ACCOUNT_NUMBER_LENGTH && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The number of the account that a desk opens, and what it held when it was connected.
async fn first_look(desk: &Desk, known: Option<(String, Opening)>) -> Result<(String, Opening), BrokerError> {
    let number = desk.account_number().await.map_err(Failure::of_question)?;
    match known {
        Some((known, _)) if known != number => {
            Err(OpeningTrouble::OtherAccount.because("this key opens another account of Kiwoom's"))
        }
        Some((_, opening)) => Ok((number, opening)),
        None => Ok((number, opening(desk).await?)),
    }
}

/// What the account holds as it is connected: nothing may be open in it, and its cash is read until two readings agree.
async fn opening(desk: &Desk) -> Result<Opening, BrokerError> {
    for _ in 0..READINGS_MAX {
        let before = desk.cash().await.map_err(Failure::of_question)?;
        let opened_at = Utc::now();
        if !desk.open_orders(day_of(opened_at)).await.map_err(Failure::of_question)?.is_empty() {
            let detail = "orders are open in the account at Kiwoom: cancel them, or wait until they are done";
            return Err(OpeningTrouble::OrdersOpen.because(detail));
        }
        if desk.cash().await.map_err(Failure::of_question)?.settled == before.settled {
            let cash = before.settled.normalize();
            return Ok(Opening { currency: Currency::Krw, cash, movements: Vec::new(), opened_at });
        }
    }
    Err(BrokerError::Unavailable("the account's cash at Kiwoom does not stand still".into()))
}

fn connected(number: &str, opening: &Opening) -> Connected {
    Connected {
        broker_number: Some(number.to_owned()),
        opening_cash: Some(DecimalText(opening.cash)),
        opened_at: Some(opening.opened_at),
    }
}

async fn look_at_lists(kiwoom: Weak<Kiwoom>, session: Arc<Session>) {
    look::run(&session, || async {
        let kiwoom = kiwoom.upgrade()?;
        Some(recovery::follow(&*kiwoom, &kiwoom.journal, session.account_id).await.map(|_| ()))
    })
    .await;
}

impl Keeper for Kiwoom {
    type Session = Session;

    const NAME: &'static str = NAME;

    fn books(&self) -> (&Records, &Vault) {
        (&self.records, &self.vault)
    }

    fn sessions(&self) -> &Sessions<Session> {
        &self.sessions
    }

    fn follow(&self, account: &StoredAccount, credentials: Credentials) {
        match self.desk(credentials) {
            Ok(desk) => self.follow_at(account, desk),
            Err(error) => {
                tracing::error!(account = %account.account_id, %error, "an account at Kiwoom stays closed")
            }
        }
    }
}

#[async_trait]
impl Broker for Kiwoom {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            broker: NAME,
            markets: vec![Market::Krx],
            currencies: vec![Currency::Krw],
            order_types: vec![OrderType::Market, OrderType::Limit, OrderType::StopLimit],
            times_in_force: vec![TimeInForce::Day, TimeInForce::Ioc, TimeInForce::Fok],
            idempotent_orders: false,
            client_order_ids: false,
            journals_what_it_does: false,
            replace: true,
            replace_quantity: false,
            shared_exits: false,
            native_groups: Vec::new(),
            fractions: false,
            amounts: false,
            credentials: true,
            keeps_cash: true,
            short_selling: false,
            activities: false,
            market_hours: false,
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
                Ok(connected(session.identity.number(), &session.opening))
            }
        }
    }

    async fn connection_state(&self, account_id: AccountId) -> Result<ConnectionState, BrokerError> {
        let session = self.sessions.known(account_id)?;
        Ok(session.map_or_else(|| no_way(NAME, KeyTrouble::Missing), |session| session.connection_state()))
    }

    async fn balance(&self, account_id: AccountId) -> Result<Balance, BrokerError> {
        let session = self.session(account_id).await?;
        let cash = session.answer(session.desk.cash().await)?;
        Ok(Balance {
            currency: Currency::Krw,
            cash: DecimalText(cash.settled),
            buying_power: DecimalText(cash.buying_power),
        })
    }

    async fn positions(&self, account_id: AccountId) -> Result<Vec<Position>, BrokerError> {
        self.positions_of(&*self.session(account_id).await?).await
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
        let oldest = self.records.oldest_working(account_id).await?;
        Ok(oldest.map_or(since, |oldest| oldest.min(since)).max(session.opening.opened_at))
    }

    async fn order_by_number(
        &self,
        account_id: AccountId,
        broker_order_id: &str,
    ) -> Result<Option<ListedOrder>, BrokerError> {
        let session = self.session(account_id).await?;
        let Some((day, _)) = rows::day_and_number(broker_order_id) else { return Ok(None) };
        let orders = lists::orders_of(&session, &self.store, day).await?;
        Ok(orders.into_iter().find(|order| order.broker_order_id == broker_order_id))
    }

    async fn order_page(
        &self,
        account_id: AccountId,
        since: DateTime<Utc>,
        after: Option<String>,
    ) -> Result<Page<ListedOrder>, BrokerError> {
        lists::order_page(&*self.session(account_id).await?, &self.store, since, after.as_deref()).await
    }

    async fn execution_page(
        &self,
        account_id: AccountId,
        since: DateTime<Utc>,
        after: Option<String>,
    ) -> Result<Page<ListedExecution>, BrokerError> {
        lists::execution_page(&*self.session(account_id).await?, &self.store, since, after.as_deref()).await
    }

    /// Read, made known to the journal, and read again, until both readings agree: then no execution lies between what
    /// is told here and the line that is named. An execution of an order that belongs to nobody yet would be missing.
    async fn sync(&self, account_id: AccountId) -> Result<AccountState, BrokerError> {
        let session = self.session(account_id).await?;
        let mut before = self.reading(&session).await?;
        for _ in 0..READINGS_MAX {
            let unowned = recovery::follow(self, &self.journal, account_id).await?;
            if unowned > 0 {
                let reason = format!("{unowned} executed orders at Kiwoom belong to nobody here yet");
                return Err(BrokerError::Unavailable(reason));
            }
            let journal_id = self.journal.last_id().await?;
            let after = self.reading(&session).await?;
            if before == after {
                session.has_read();
                let cash = TradeCash { currency: Currency::Krw, amount: after.cash - session.opening.cash };
                return Ok(AccountState {
                    positions: after.positions,
                    trade_cash: vec![cash],
                    journal_id,
                    activity_id: None,
                    compare_after_seconds: session.desk.compare_after_seconds(),
                });
            }
            before = after;
        }
        Err(BrokerError::Unavailable("the account at Kiwoom does not stand still".into()))
    }

    async fn executions(&self, _: JournalQuery) -> Result<Vec<JournalLine>, BrokerError> {
        Err(BrokerError::Unsupported("the journal is read in one place for all brokers".into()))
    }
}
