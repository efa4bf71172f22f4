//! Starting the server and talking to it.

use domain::market_data::{ServerMessage, ServerNotice, read_server_message};
use domain::{Quote, Symbol};
use futures_util::{SinkExt as _, StreamExt as _};
use market_data::{Application, Settings};
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

/// Whatever is awaited here comes within this time or never.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A running server.
pub(crate) struct Server {
    pub(crate) port: u16,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<anyhow::Result<()>>,
}

/// Settings from variables; the port is a free one.
pub(crate) fn settings(values: &[(&str, &str)]) -> Settings {
    let port = [("GAEMI_MARKET_DATA_PORT", "0")];
    Settings::from_values(
        port.iter().chain(values).map(|(name, value)| (name.to_string(), value.to_string())),
    )
    .unwrap()
}

impl Server {
    pub(crate) async fn start(values: &[(&str, &str)]) -> Self {
        Self::start_with(settings(values)).await
    }

    pub(crate) async fn start_with(settings: Settings) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let application = Application::build(settings).await.unwrap();
        let port = application.port();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(application.run_until_stopped(async move {
            let _ = stopped.await;
        }));
        Self { port, stop: Some(stop), running }
    }

    /// A server that plays the shipped record quickly.
    pub(crate) async fn replay() -> Self {
        Self::start(&[
            ("GAEMI_PROVIDERS", "replay,synthetic"),
            ("GAEMI_REPLAY_SESSION_SECONDS", "2"),
            ("GAEMI_REPLAY_TICKS_PER_SESSION", "40"),
            ("GAEMI_REPLAY_START", "2008-09-29"),
            ("GAEMI_SYNTHETIC_TICK_MILLIS", "50"),
        ])
        .await
    }

    pub(crate) async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        timeout(Duration::from_secs(5), self.running)
            .await
            .expect("it stops within five seconds")
            .unwrap()
            .unwrap();
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, serde_json::Value) {
        let response = reqwest::get(format!("http://127.0.0.1:{}{path}", self.port)).await.unwrap();
        let status = response.status().as_u16();
        if status >= 400 {
            assert_eq!(response.headers()["content-type"], "application/problem+json", "{path}");
        }
        (status, response.json().await.unwrap())
    }

    /// Waits until `/status` is as wished.
    pub(crate) async fn until_status(
        &self,
        wished: impl Fn(&serde_json::Value) -> bool,
    ) -> serde_json::Value {
        let waited = async {
            loop {
                let (_, status) = self.get("/status").await;
                if wished(&status) {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(DEADLINE, waited).await.expect("the status becomes as wished")
    }

    pub(crate) async fn connect(&self) -> Client {
        self.connect_with_buffer(None).await.unwrap()
    }

    /// Connects; a small receive buffer makes a client that does not read noticed soon.
    pub(crate) async fn connect_with_buffer(
        &self,
        bytes: Option<u32>,
    ) -> Result<Client, tokio_tungstenite::tungstenite::Error> {
        let socket = TcpSocket::new_v4().unwrap();
        if let Some(bytes) = bytes {
            socket.set_recv_buffer_size(bytes).unwrap();
        }
        let stream = socket.connect(([127, 0, 0, 1], self.port).into()).await.unwrap();
        let (socket, _) = client_async(format!("ws://127.0.0.1:{}/ws", self.port), stream).await?;
        let mut client = Client { socket };
        assert!(matches!(client.notice().await, ServerNotice::Status { .. }), "a status greets");
        Ok(client)
    }
}

/// A subscriber.
pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<TcpStream>,
}

impl Client {
    pub(crate) async fn say(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    pub(crate) async fn subscribe(&mut self, symbols: &[&str]) {
        let symbols = serde_json::to_string(symbols).unwrap();
        self.say(&format!(r#"{{"action":"subscribe","symbols":{symbols}}}"#)).await;
    }

    /// The next text, as it is.
    pub(crate) async fn text(&mut self) -> String {
        loop {
            match timeout(DEADLINE, self.socket.next()).await.expect("a message comes in time") {
                Some(Ok(Message::Text(text))) => return text.as_str().to_owned(),
                Some(Ok(Message::Close(_)) | Err(_)) | None => panic!("the connection has ended"),
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next message; nothing when the connection has ended.
    pub(crate) async fn next(&mut self) -> Option<ServerMessage> {
        loop {
            match timeout(DEADLINE, self.socket.next()).await.expect("a message comes in time") {
                Some(Ok(Message::Text(text))) => return Some(read_server_message(text.as_str()).unwrap()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    pub(crate) async fn notice(&mut self) -> ServerNotice {
        loop {
            if let ServerMessage::Notice(notice) = self.next().await.expect("the connection stands") {
                return notice;
            }
        }
    }

    pub(crate) async fn error_code(&mut self) -> (String, Option<String>) {
        loop {
            if let ServerNotice::Error { code, symbol, .. } = self.notice().await {
                return (code, symbol);
            }
        }
    }

    pub(crate) async fn subscribed(&mut self) -> Vec<Symbol> {
        loop {
            if let ServerNotice::Status { subscribed, .. } = self.notice().await {
                return subscribed;
            }
        }
    }

    pub(crate) async fn quote(&mut self) -> Quote {
        loop {
            if let ServerMessage::Quote(quote) = self.next().await.expect("the connection stands") {
                return *quote;
            }
        }
    }

    pub(crate) async fn quote_of(&mut self, symbol: &str) -> Quote {
        loop {
            let quote = self.quote().await;
            if quote.symbol.as_str() == symbol {
                return quote;
            }
        }
    }
}
