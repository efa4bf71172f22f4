//! Kiwoom's stream: one conversation from its login to its end.
//!
//! A trade tells the whole day so far, so it is a quote by itself. The last value of a share that has not been traded since is
//! asked for over REST, one after the other, while the stream goes on; so are those for which a session has no room.

use super::answer::judge;
use super::parse::{self, Sides};
use super::{Kiwoom, NAME};
use crate::provider::{Provider as _, ProviderError, Update, Wanted};
use crate::sanity::Reason;
use chrono::Utc;
use domain::{Quote, Symbol};
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{SinkExt as _, StreamExt as _};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

/// Its place.
const PATH: &str = "/api/dostk/websocket";
/// The code that says that the same key has logged in elsewhere.
const DISPLACED: &str = "R10001";
/// Types that are registered: trades and books.
const TYPES: [&str; 2] = ["0B", "0D"];
/// Longest time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for an answer to what we said.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest silence after which the line is taken for dead: Kiwoom sends heartbeats.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// Largest frame that is read, in bytes.
const FRAME_SIZE_MAX: usize = 1024 * 1024;
/// Most shares of one registration. Public projects found about a hundred, and it is not known whether each type counts.
const REGISTRATION_MAX: usize = 50;
/// Most shares of a session, for the same reason; the others are asked for over REST in turn.
const SESSION_MAX: usize = 100;
/// How often a share is asked for of which the stream does not tell.
const POLL_INTERVAL: Duration = Duration::from_secs(15);
/// How often a share is asked for of which the stream would tell, as long as there is no value of it.
const RETRY_INTERVAL: Duration = Duration::from_secs(60);
/// How often it is looked which share is due.
const REVIEW_INTERVAL: Duration = Duration::from_millis(250);
/// Most questions at once: what the limiter lets through together.
const QUESTIONS_MAX: usize = 2;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;
type Told = (Symbol, Result<Result<Quote, Reason>, ProviderError>);

/// Why a conversation has ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// Another program has logged in with the same key.
    Displaced,
    /// There is no token; the way to the REST service has taken note of it already.
    NoToken(ProviderError),
    /// Anything else.
    Failed(ProviderError),
}

fn broken(what: impl std::fmt::Display) -> Ended {
    Ended::Failed(ProviderError::Unavailable(format!("stream: {what}")))
}

/// One conversation.
pub(super) struct Conversation<'a> {
    kiwoom: &'a Kiwoom,
    socket: Socket,
    /// Shares of which the stream tells, by their codes.
    registered: BTreeMap<String, Symbol>,
    /// Values that the stream keeps true.
    known: BTreeMap<Symbol, Quote>,
    /// When each share was asked for last.
    asked: BTreeMap<Symbol, Instant>,
    questions: FuturesUnordered<BoxFuture<'a, Told>>,
}

impl<'a> Conversation<'a> {
    /// Connects and logs in.
    pub(super) async fn begin(kiwoom: &'a Kiwoom) -> Result<Self, Ended> {
        let rest = &kiwoom.rest;
        let token = rest.token.living(rest).await.map_err(Ended::NoToken)?;
        let config = WebSocketConfig::default()
            .max_message_size(Some(FRAME_SIZE_MAX))
            .max_frame_size(Some(FRAME_SIZE_MAX));
        let url = format!("{}{PATH}", kiwoom.stream_url);
        let connecting = connect_async_with_config(url, Some(config), true);
        let connected = timeout(CONNECT_TIMEOUT, connecting).await.map_err(|_| broken("no connection"))?;
        let (socket, _) = connected.map_err(broken)?;
        let mut conversation = Self {
            kiwoom,
            socket,
            registered: BTreeMap::new(),
            known: BTreeMap::new(),
            asked: BTreeMap::new(),
            questions: FuturesUnordered::new(),
        };
        conversation.say(&json!({ "trnm": "LOGIN", "token": token.expose_secret() })).await?;
        let answer = timeout(ANSWER_TIMEOUT, conversation.login_answered()).await;
        let answer = answer.map_err(|_| broken("no answer to the login"))??;
        match judge(200, &answer).failure(None) {
            None => Ok(conversation),
            Some(failure) => {
                // The next conversation begins with another token; a key that does not open does not give one.
                rest.token.is_dead(&token).await;
                Err(broken(failure))
            }
        }
    }

    async fn login_answered(&mut self) -> Result<Value, Ended> {
        loop {
            let Some(message) = self.socket.next().await else { return Err(broken("it hangs up")) };
            let Some(said) = read(&message.map_err(broken)?)? else { continue };
            if said.get("trnm").and_then(Value::as_str) == Some("LOGIN") {
                return Ok(said);
            }
        }
    }

    async fn say(&mut self, message: &Value) -> Result<(), Ended> {
        let sent = timeout(ANSWER_TIMEOUT, self.socket.send(Message::text(message.to_string()))).await;
        sent.map_err(|_| broken("it takes nothing"))?.map_err(broken)
    }

    /// Listens until nobody wants anything, the wishes or the updates end, or the line breaks.
    pub(super) async fn listen(
        mut self,
        mut wanted: watch::Receiver<Wanted>,
        updates: &mpsc::Sender<Update>,
    ) -> Result<(), Ended> {
        let mut heard = Instant::now();
        let mut reviews = interval(REVIEW_INTERVAL);
        reviews.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                changed = wanted.changed() => if changed.is_err() { return Ok(()) },
                _ = reviews.tick() => {}
                Some((symbol, answer)) = self.questions.next() => self.take(symbol, answer, updates).await,
                message = timeout_at(heard + SILENCE_MAX, self.socket.next()) => {
                    let message = message.map_err(|_| broken("it is silent"))?;
                    heard = Instant::now();
                    self.heed(message.ok_or_else(|| broken("it hangs up"))?.map_err(broken)?, updates).await?;
                    // What is wanted is not looked at anew with each trade.
                    continue;
                }
            }
            let now = wanted.borrow_and_update().clone();
            if now.is_empty() || updates.is_closed() {
                return Ok(());
            }
            self.follow(&now).await?;
            self.ask_for(&now);
        }
    }

    /// Registers what is new and can be, and leaves what is not wanted any more.
    async fn follow(&mut self, wanted: &BTreeSet<Symbol>) -> Result<(), Ended> {
        let old: Vec<_> = self
            .registered
            .iter()
            .filter(|(_, symbol)| !wanted.contains(symbol))
            .map(|(code, _)| code.clone())
            .collect();
        let room = SESSION_MAX.saturating_sub(self.registered.len().saturating_sub(old.len()));
        let is_new =
            |symbol: &&Symbol| !self.is_registered(**symbol) && self.kiwoom.shares.is_confirmed(**symbol);
        let new: Vec<_> =
            wanted.iter().filter(is_new).take(room).map(|one| (parse::code_of(*one), *one)).collect();
        if old.is_empty() && new.is_empty() {
            return Ok(());
        }
        for codes in old.chunks(REGISTRATION_MAX) {
            let data = json!([{ "item": codes, "type": TYPES }]);
            self.say(&json!({ "trnm": "REMOVE", "grp_no": "1", "data": data })).await?;
        }
        self.registered.retain(|_, symbol| wanted.contains(symbol));
        for shares in new.chunks(REGISTRATION_MAX) {
            let codes: Vec<_> = shares.iter().map(|(code, _)| code).collect();
            let data = json!([{ "item": codes, "type": TYPES }]);
            // What is registered already stays.
            self.say(&json!({ "trnm": "REG", "grp_no": "1", "refresh": "1", "data": data })).await?;
        }
        self.registered.extend(new);
        let followed: BTreeSet<_> = self.registered.values().copied().collect();
        self.known.retain(|symbol, _| followed.contains(symbol));
        self.asked.retain(|symbol, _| wanted.contains(symbol));
        self.kiwoom.books.follow(&followed);
        Ok(())
    }

    /// Asks for the values of shares that the stream has not told and that are due, the longest overdue first.
    fn ask_for(&mut self, wanted: &BTreeSet<Symbol>) {
        while self.questions.len() < QUESTIONS_MAX && !self.kiwoom.rest.gate.is_resting() {
            let is_due = |symbol: &&Symbol| {
                let pause = if self.is_registered(**symbol) { RETRY_INTERVAL } else { POLL_INTERVAL };
                !self.known.contains_key(symbol)
                    && self.kiwoom.supports(**symbol)
                    && self.asked.get(symbol).is_none_or(|at| at.elapsed() >= pause)
            };
            let due = wanted.iter().filter(is_due).min_by_key(|symbol| self.asked.get(symbol)).copied();
            let Some(symbol) = due else { return };
            self.asked.insert(symbol, Instant::now());
            let kiwoom = self.kiwoom;
            self.questions.push(Box::pin(async move { (symbol, kiwoom.last_value(symbol).await) }));
        }
    }

    fn is_registered(&self, symbol: Symbol) -> bool {
        self.registered.get(&parse::code_of(symbol)) == Some(&symbol)
    }

    /// Takes what was answered about a share; what the stream has told meanwhile is newer.
    async fn take(
        &mut self,
        symbol: Symbol,
        answer: Result<Result<Quote, Reason>, ProviderError>,
        updates: &mpsc::Sender<Update>,
    ) {
        match answer {
            Ok(_) if self.known.contains_key(&symbol) => {}
            Ok(Ok(quote)) => self.tell(quote, updates).await,
            Ok(Err(reason)) => self.kiwoom.reject(symbol, reason, updates).await,
            Err(error) => tracing::debug!(%symbol, %error, "no value from kiwoom"),
        }
    }

    /// Passes a value on, and remembers it when the stream keeps it true.
    async fn tell(&mut self, quote: Quote, updates: &mpsc::Sender<Update>) {
        self.kiwoom.tally.accept_value();
        if self.is_registered(quote.symbol) {
            self.known.insert(quote.symbol, quote.clone());
        }
        // Nobody takes it any more: the loop ends by itself.
        let _ = updates.send(Update::Quote(Box::new(quote))).await;
    }

    async fn heed(&mut self, message: Message, updates: &mpsc::Sender<Update>) -> Result<(), Ended> {
        let said = match read(&message)? {
            Some(said) => parse::message(&said).map(|message| (said, message)),
            None if matches!(message, Message::Text(_)) => Err(Reason::Unreadable),
            None => return Ok(()),
        };
        let Ok((said, heard)) = said else {
            // One frame that cannot be read says nothing about the next.
            self.kiwoom.tally.reject(Reason::Unreadable);
            return Ok(());
        };
        match heard.name.as_str() {
            // Whoever does not send it back as it came is hung up on.
            "PING" => self.say(&said).await,
            "SYSTEM" if heard.code == DISPLACED => Err(Ended::Displaced),
            "REG" | "REMOVE" => {
                judge(200, &said).failure(None).map_or(Ok(()), |failure| Err(broken(failure)))
            }
            "REAL" => {
                for (kind, item, values) in heard.news {
                    self.hear(&kind, &item, &values, updates).await;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn hear(&mut self, kind: &str, item: &str, values: &Value, updates: &mpsc::Sender<Update>) {
        // A share that we have not registered is none that we asked for.
        let Some(symbol) = self.registered.get(item).copied() else { return };
        let now = Utc::now();
        match kind {
            "0B" => match parse::traded(values, symbol, NAME, now) {
                Ok(quote) if self.known.get(&symbol).is_some_and(|known| quote.at < known.at) => {
                    self.kiwoom.reject(symbol, Reason::Stale, updates).await;
                }
                Ok(quote) => self.tell(quote, updates).await,
                Err(reason) => self.kiwoom.reject(symbol, reason, updates).await,
            },
            "0D" => match parse::streamed_book(values, now) {
                Ok(sides) => self.hear_book(symbol, sides, updates).await,
                Err(reason) => self.kiwoom.reject(symbol, reason, updates).await,
            },
            _ => {}
        }
    }

    /// A book changes the best prices of the value that is known. One of an auction is not shown: nobody can trade at it.
    async fn hear_book(&mut self, symbol: Symbol, sides: Sides, updates: &mpsc::Sender<Update>) {
        let (bid, ask) = sides.best();
        if !sides.is_crossed() {
            self.kiwoom.books.put(symbol, sides, NAME);
        }
        let changed = self.known.get(&symbol).filter(|known| (known.bid, known.ask) != (bid, ask));
        if let Some(quote) = changed.map(|known| Quote { bid, ask, ..known.clone() }) {
            self.tell(quote, updates).await;
        }
    }
}

/// What a message says, if it is text and can be read.
fn read(message: &Message) -> Result<Option<Value>, Ended> {
    match message {
        Message::Text(text) => Ok(serde_json::from_str(text.as_str()).ok()),
        Message::Close(_) => Err(broken("it hangs up")),
        _ => Ok(None),
    }
}
