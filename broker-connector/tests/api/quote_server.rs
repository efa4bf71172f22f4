//! A quote server that says what the test wants, over a real WebSocket.

use chrono::Utc;
use domain::market_data::{ClientMessage, write_quote};
use domain::{Quote, Symbol};
use futures_util::{SinkExt, StreamExt};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

#[derive(Default)]
struct Known {
    latest: BTreeMap<Symbol, Quote>,
    subscribed: BTreeSet<Symbol>,
}

/// Sends quotes to whoever is subscribed, the last one first.
#[derive(Clone)]
pub(crate) struct QuoteServer {
    port: u16,
    known: Arc<Mutex<Known>>,
    news: broadcast::Sender<Quote>,
}

impl QuoteServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            known: Arc::default(),
            news: broadcast::Sender::new(1024),
        };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Says a price, current now.
    pub(crate) fn say(&self, symbol: &str, bid: &str, ask: &str) {
        self.publish(quote(symbol, bid, ask));
    }

    pub(crate) fn publish(&self, quote: Quote) {
        self.known.lock().unwrap().latest.insert(quote.symbol, quote.clone());
        let _ = self.news.send(quote);
    }

    pub(crate) fn is_subscribed(&self, symbol: &str) -> bool {
        self.known.lock().unwrap().subscribed.contains(&symbol.parse().unwrap())
    }

    async fn serve(self, stream: TcpStream) {
        let Ok(mut socket) = accept_async(stream).await else { return };
        let mut news = self.news.subscribe();
        let mut mine = BTreeSet::new();
        loop {
            tokio::select! {
                message = socket.next() => {
                    let Some(Ok(Message::Text(text))) = message else { break };
                    match serde_json::from_str(text.as_str()).unwrap() {
                        ClientMessage::Subscribe { symbols, .. } => {
                            for symbol in symbols {
                                let symbol: Symbol = symbol.parse().unwrap();
                                mine.insert(symbol);
                                let latest = {
                                    let mut known = self.known.lock().unwrap();
                                    known.subscribed.insert(symbol);
                                    known.latest.get(&symbol).map(write_quote)
                                };
                                if let Some(text) = latest {
                                    let _ = socket.send(Message::text(text)).await;
                                }
                            }
                        }
                        ClientMessage::Unsubscribe { symbols, .. } => {
                            for symbol in symbols {
                                mine.remove(&symbol.parse().unwrap());
                            }
                        }
                        ClientMessage::Ping => {
                            let _ = socket.send(Message::text(r#"{"type":"pong"}"#)).await;
                        }
                    }
                }
                Ok(quote) = news.recv() => {
                    if mine.contains(&quote.symbol) && socket.send(Message::text(write_quote(&quote))).await.is_err() {
                        break;
                    }
                }
            }
        }
        let mut known = self.known.lock().unwrap();
        mine.iter().for_each(|symbol| {
            known.subscribed.remove(symbol);
        });
    }
}

pub(crate) fn quote(symbol: &str, bid: &str, ask: &str) -> Quote {
    let symbol: Symbol = symbol.parse().unwrap();
    Quote {
        symbol,
        price: bid.parse().unwrap(),
        bid: Some(bid.parse().unwrap()),
        ask: Some(ask.parse().unwrap()),
        previous_close: None,
        volume: 1,
        currency: symbol.currency(),
        session_date: Utc::now().date_naive(),
        open: bid.parse().unwrap(),
        high: ask.parse().unwrap(),
        low: bid.parse().unwrap(),
        at: Utc::now(),
        source: "test".into(),
        simulated: true,
        delayed: false,
    }
}
