//! Alpaca's stream: one conversation from greeting to end.

use super::parse::{self, Event};
use super::{Alpaca, msgpack};
use crate::provider::{ProviderError, Update, Wanted};
use crate::settings::StreamFormat;
use domain::Symbol;
use futures_util::{SinkExt as _, StreamExt as _};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

/// Longest time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for an answer to what we said.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// How often the line is tried while nothing comes.
const PING_INTERVAL: Duration = Duration::from_secs(10);
/// Pings without an answer after which the line is taken for dead.
const SILENT_PINGS_MAX: u32 = 2;
/// Largest frame that is read, in bytes.
const FRAME_SIZE_MAX: usize = 1024 * 1024;

/// Codes that a person has to do something about: credentials and contracts.
const REFUSALS: [u64; 3] = [402, 408, 409];

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

fn unavailable(what: impl std::fmt::Display) -> ProviderError {
    ProviderError::Unavailable(format!("stream: {what}"))
}

fn refusal(code: u64) -> ProviderError {
    if REFUSALS.contains(&code) {
        ProviderError::Refused(format!("its stream answers {code}: are credentials and feed right?"))
    } else {
        unavailable(format_args!("it answers {code}"))
    }
}

/// One conversation.
pub(super) struct Conversation<'a> {
    alpaca: &'a Alpaca,
    socket: Socket,
    /// The values as trades have changed them.
    known: BTreeMap<Symbol, parse::Followed>,
}

impl<'a> Conversation<'a> {
    /// Connects and identifies itself.
    pub(super) async fn begin(alpaca: &'a Alpaca) -> Result<Self, ProviderError> {
        let mut request = alpaca.stream_url.as_str().into_client_request().map_err(unavailable)?;
        if alpaca.format == StreamFormat::Msgpack {
            request.headers_mut().insert("content-type", HeaderValue::from_static("application/msgpack"));
        }
        let config = WebSocketConfig::default()
            .max_message_size(Some(FRAME_SIZE_MAX))
            .max_frame_size(Some(FRAME_SIZE_MAX));
        let connecting = connect_async_with_config(request, Some(config), true);
        let connected =
            timeout(CONNECT_TIMEOUT, connecting).await.map_err(|_| unavailable("no connection"))?;
        let (socket, _) = connected.map_err(unavailable)?;
        let mut conversation = Self { alpaca, socket, known: BTreeMap::new() };
        conversation.expect("connected").await?;
        let credentials = &alpaca.rest.credentials;
        conversation
            .say(&json!({
                "action": "auth",
                "key": credentials.key_id.expose_secret(),
                "secret": credentials.secret.expose_secret(),
            }))
            .await?;
        conversation.expect("authenticated").await?;
        Ok(conversation)
    }

    async fn say(&mut self, message: &Value) -> Result<(), ProviderError> {
        // Words are taken as text in both forms of the stream.
        let sent = timeout(ANSWER_TIMEOUT, self.socket.send(Message::text(message.to_string()))).await;
        sent.map_err(|_| unavailable("it takes nothing"))?.map_err(unavailable)
    }

    async fn expect(&mut self, word: &str) -> Result<(), ProviderError> {
        let answer = async {
            loop {
                let Some(message) = self.socket.next().await else { return Err(unavailable("it hangs up")) };
                for event in read(message)? {
                    match event {
                        Event::Success(said) if said == word => return Ok(()),
                        Event::Error { code } => return Err(refusal(code)),
                        _ => {}
                    }
                }
            }
        };
        timeout(ANSWER_TIMEOUT, answer).await.map_err(|_| unavailable(format_args!("no {word}")))?
    }

    /// Listens until nobody wants anything, the wishes or the updates end, or the line breaks.
    pub(super) async fn listen(
        mut self,
        mut wanted: watch::Receiver<Wanted>,
        updates: &mpsc::Sender<Update>,
    ) -> Result<(), ProviderError> {
        let mut subscribed = BTreeSet::new();
        let mut silent_pings = 0;
        loop {
            let now = wanted.borrow_and_update().clone();
            if now.is_empty() {
                return Ok(());
            }
            if *now != subscribed {
                self.follow(&now, &subscribed, updates).await?;
                subscribed = now.as_ref().clone();
            }
            tokio::select! {
                changed = wanted.changed() => if changed.is_err() { return Ok(()) },
                message = timeout(PING_INTERVAL, self.socket.next()) => match message {
                    Ok(None) => return Err(unavailable("it hangs up")),
                    Ok(Some(message)) => {
                        silent_pings = 0;
                        if !self.heed(read(message)?, updates).await? {
                            return Ok(());
                        }
                    }
                    Err(_) if silent_pings >= SILENT_PINGS_MAX => return Err(unavailable("it is silent")),
                    Err(_) => {
                        silent_pings += 1;
                        let ping = Message::Ping(bytes::Bytes::new());
                        timeout(ANSWER_TIMEOUT, self.socket.send(ping)).await.map_err(|_| unavailable("it takes nothing"))?.map_err(unavailable)?;
                    }
                },
            }
        }
    }

    /// Subscribes to what is new and takes its last values first; leaves what is not wanted any more.
    async fn follow(
        &mut self,
        wanted: &BTreeSet<Symbol>,
        subscribed: &BTreeSet<Symbol>,
        updates: &mpsc::Sender<Update>,
    ) -> Result<(), ProviderError> {
        let (new, old): (Vec<_>, Vec<_>) = (
            wanted.difference(subscribed).copied().collect(),
            subscribed.difference(wanted).copied().collect(),
        );
        let names =
            |symbols: &[Symbol]| symbols.iter().map(|one| parse::vendor_symbol(*one)).collect::<Vec<_>>();
        if !old.is_empty() {
            let names = names(&old);
            self.say(&json!({ "action": "unsubscribe", "trades": &names, "quotes": &names })).await?;
            self.known.retain(|symbol, _| wanted.contains(symbol));
        }
        if !new.is_empty() {
            let names = names(&new);
            self.say(&json!({ "action": "subscribe", "trades": &names, "quotes": &names })).await?;
            for quote in self.alpaca.last_values(&new, updates).await? {
                self.known.insert(quote.symbol, parse::Followed::new(quote));
            }
        }
        Ok(())
    }

    /// Turns events into quotes; false when nobody takes them any more.
    async fn heed(
        &mut self,
        events: Vec<Event>,
        updates: &mpsc::Sender<Update>,
    ) -> Result<bool, ProviderError> {
        let mut changed = BTreeSet::new();
        for event in events {
            match event {
                Event::Error { code } => return Err(refusal(code)),
                Event::Trade { symbol, price, size, at } => {
                    let share = self.known.get_mut(&symbol).filter(|share| share.quote.at <= at);
                    if share.is_some_and(|share| share.trade(price, size, at)) {
                        changed.insert(symbol);
                    }
                }
                Event::Sides { symbol, bid, ask } => {
                    if let Some(share) = self.known.get_mut(&symbol) {
                        (share.quote.bid, share.quote.ask) = (bid, ask);
                        changed.insert(symbol);
                    }
                }
                Event::Rejected { symbol, reason } => {
                    self.alpaca.tally.reject(reason);
                    if updates.send(Update::Rejected { symbol, reason }).await.is_err() {
                        return Ok(false);
                    }
                }
                Event::Success(_) | Event::Subscribed | Event::Other => {}
            }
        }
        for share in changed.iter().filter_map(|symbol| self.known.get(symbol)) {
            self.alpaca.tally.accept_value();
            if updates.send(Update::Quote(Box::new(share.quote.clone()))).await.is_err() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The events of a message, in either form.
fn read(message: Result<Message, Error>) -> Result<Vec<Event>, ProviderError> {
    let value: Value = match message.map_err(unavailable)? {
        Message::Text(text) => {
            serde_json::from_str(text.as_str()).map_err(|_| unavailable("unreadable text"))?
        }
        Message::Binary(frame) => msgpack::read(&frame).map_err(unavailable)?,
        Message::Close(_) => return Err(unavailable("it hangs up")),
        _ => return Ok(Vec::new()),
    };
    parse::events(&value).map_err(|_| unavailable("unreadable message"))
}
