//! What a client says on its WebSocket, and what it is answered.

use crate::feed::Feed;
use crate::hub::{SubscribeError, notice, unknown_symbol};
use crate::mailbox::{Mailbox, Topic};
use domain::Symbol;
use domain::market_data::{Channel, ClientMessage, SYMBOLS_PER_CONNECTION_MAX, ServerNotice};
use std::sync::Arc;

/// The client's side of the conversation.
pub(crate) struct Client<'a> {
    pub(crate) feed: &'a Feed,
    pub(crate) mailbox: &'a Arc<Mailbox>,
}

impl Client<'_> {
    /// Does what a message asks for, or says why not.
    pub(crate) fn heed(&self, text: &str) {
        match serde_json::from_str(text) {
            Ok(ClientMessage::Subscribe { symbols, channel }) => self.subscribe(&symbols, channel),
            Ok(ClientMessage::Unsubscribe { symbols, channel }) => {
                let symbols = symbols.iter().filter_map(|symbol| self.read(symbol));
                let topics: Vec<_> = symbols.map(|symbol| Topic { channel, symbol }).collect();
                self.feed.hub.unsubscribe(self.mailbox, &topics);
                self.tell_status(channel);
            }
            Ok(ClientMessage::Ping) => self.mailbox.put_notice(notice(&ServerNotice::Pong)),
            Err(error) => self.tell_error("malformed_message", &error.to_string(), None),
        }
    }

    /// Answers what is no text.
    pub(crate) fn refuse_binary(&self) {
        self.tell_error("malformed_message", "messages are JSON text", None);
    }

    fn read(&self, text: &str) -> Option<Symbol> {
        let symbol = text.parse();
        if let Err(error) = &symbol {
            let shown: String = text.chars().take(domain::instrument::SYMBOL_LENGTH_MAX * 2).collect();
            self.tell_error("invalid_symbol", &format!("{error}"), Some(shown));
        }
        symbol.ok()
    }

    fn subscribe(&self, symbols: &[String], channel: Channel) {
        for symbol in symbols.iter().filter_map(|symbol| self.read(symbol)) {
            let Some(provider) = self.feed.provider_of(symbol) else {
                self.mailbox.put_notice(notice(&unknown_symbol(symbol.as_str())));
                continue;
            };
            let named = Some(symbol.as_str().to_owned());
            if channel == Channel::OrderBook && !provider.capabilities().order_book {
                let message = format!("{} has no order books", provider.name());
                self.tell_error("unsupported", &message, named);
                continue;
            }
            let refusal = match self.feed.hub.subscribe(self.mailbox, Topic { channel, symbol }) {
                Ok(()) => continue,
                Err(SubscribeError::ConnectionFull) => {
                    format!("a connection may have {SYMBOLS_PER_CONNECTION_MAX} symbols")
                }
                Err(SubscribeError::ServerFull) => "all clients together want too many symbols".to_owned(),
            };
            self.tell_error("too_many_symbols", &refusal, named);
        }
        self.tell_status(channel);
    }

    /// Tells what the client is subscribed to on a channel.
    pub(crate) fn tell_status(&self, channel: Channel) {
        let providers = self.feed.providers.iter().map(|provider| provider.name().to_owned()).collect();
        let subscribed = self.mailbox.symbols(channel);
        self.mailbox.put_notice(notice(&ServerNotice::Status { subscribed, channel, providers }));
    }

    fn tell_error(&self, code: &str, message: &str, symbol: Option<String>) {
        let error = ServerNotice::Error { code: code.to_owned(), message: message.to_owned(), symbol };
        self.mailbox.put_notice(notice(&error));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sanity::tests::quote;
    use damage::mutations;
    use domain::market_data::{Place, read_quote, read_server_message, write_quote_at};

    #[test]
    fn damaged_messages_are_read_or_refused() {
        for text in [
            r#"{"type":"subscribe","symbols":["AAPL","005930.KS"],"channel":"order_book"}"#,
            r#"{"type":"unsubscribe","symbols":["BRK-B"]}"#,
            r#"{"type":"ping"}"#,
        ] {
            for message in mutations(text.as_bytes(), 4_000) {
                let text = String::from_utf8_lossy(&message);
                if let Ok(ClientMessage::Subscribe { symbols, .. }) = serde_json::from_str(&text) {
                    for symbol in symbols {
                        let read = symbol.parse::<Symbol>();
                        assert!(
                            read.is_err() || read.is_ok_and(|read| read.as_str() == symbol),
                            "{symbol:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn damaged_quotes_are_prices_or_refused() {
        let text = write_quote_at(&quote(), Place { sequence: 7, snapshot: true });
        for message in mutations(text.as_bytes(), 10_000) {
            let text = String::from_utf8_lossy(&message);
            if let Ok((quote, _)) = read_quote(&text) {
                assert!(quote.price.value() > rust_decimal::Decimal::ZERO);
            }
            let _ = read_server_message(&text);
        }
    }
}
