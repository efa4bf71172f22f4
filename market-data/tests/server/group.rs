//! Several servers that are one, each a process of its own, and what they survive.

use crate::cache::start_redis;
use crate::support::DEADLINE;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use std::collections::HashMap;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Another takes over within this time.
const TAKE_OVER_TIME_MAX: Duration = Duration::from_secs(5);

/// A server of the group.
struct Member {
    child: Child,
    port: u16,
}

impl Member {
    async fn start(folder: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(env!("CARGO_BIN_EXE_market-data"))
            .env_clear()
            .env("GAEMI_MARKET_DATA_PORT", port.to_string())
            .env("GAEMI_PROVIDERS", "synthetic")
            .env("GAEMI_SYNTHETIC_TICK_MILLIS", "50")
            .env("GAEMI_MARKET_DATA_GROUP", "test")
            .env("REDIS_URL", format!("redis+unix://{}", folder.join("redis.sock").display()))
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let member = Self { child, port };
        let listening = async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(DEADLINE, listening).await.expect("it listens");
        member
    }

    async fn role(&self) -> String {
        let answer = reqwest::get(format!("http://127.0.0.1:{}/status", self.port)).await.unwrap();
        let status: Value = answer.json().await.unwrap();
        status["group"]["role"].as_str().unwrap().to_owned()
    }

    async fn until_role(&self, wished: &str) {
        let waited = async {
            while self.role().await != wished {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(DEADLINE, waited).await.unwrap_or_else(|_| panic!("it never is {wished}"));
    }

    async fn follow(&self, symbol: &str) -> Follower {
        let (mut socket, _) = connect_async(format!("ws://127.0.0.1:{}/ws", self.port)).await.unwrap();
        let request = format!(r#"{{"action":"subscribe","symbols":["{symbol}"]}}"#);
        socket.send(Message::text(request)).await.unwrap();
        Follower { socket }
    }

    /// `kill -9`.
    async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

struct Follower {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Follower {
    /// The next quote: its number and its text.
    async fn quote(&mut self) -> (u64, String) {
        loop {
            let message =
                timeout(DEADLINE, self.socket.next()).await.expect("a quote comes").unwrap().unwrap();
            let Message::Text(text) = message else { continue };
            let value: Value = serde_json::from_str(text.as_str()).unwrap();
            if value["type"] == "quote" {
                return (value["sequence"].as_u64().unwrap(), text.as_str().to_owned());
            }
        }
    }

    /// Quotes until so much time has passed.
    async fn quotes_for(&mut self, time: Duration) -> HashMap<u64, String> {
        let (mut quotes, begun) = (HashMap::new(), Instant::now());
        while begun.elapsed() < time {
            let (number, text) = self.quote().await;
            quotes.insert(number, text);
        }
        quotes
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_takes_prices_in_and_the_others_pass_them_on_letter_by_letter() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let _redis = start_redis(folder.path()).await;
    let leading = Member::start(folder.path()).await;
    leading.until_role("leading").await;
    let following = Member::start(folder.path()).await;
    following.until_role("following").await;

    // Nobody wants it from the leading one itself.
    let mut there = following.follow("AAPL").await;
    there.quote().await;
    let mut here = leading.follow("AAPL").await;
    here.quote().await;
    let (told, passed_on) =
        tokio::join!(here.quotes_for(Duration::from_secs(1)), there.quotes_for(Duration::from_secs(1)));
    let both: Vec<_> = told.keys().filter(|number| passed_on.contains_key(number)).collect();
    assert!(both.len() > 5, "{} of {} and {}", both.len(), told.len(), passed_on.len());
    let plain = |text: &String| text.replace(r#","snapshot":true"#, "");
    assert!(both.iter().all(|number| plain(&told[number]) == plain(&passed_on[number])));

    let url = format!("http://127.0.0.1:{}/quote/IBM", following.port);
    assert_eq!(reqwest::get(url).await.unwrap().status(), 200, "what nobody has followed is asked for");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_one_that_takes_prices_in_is_killed_another_takes_over() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let _redis = start_redis(folder.path()).await;
    let leading = Member::start(folder.path()).await;
    leading.until_role("leading").await;
    let following = Member::start(folder.path()).await;
    following.until_role("following").await;
    let mut follower = following.follow("AAPL").await;
    let mut last = follower.quote().await.0;

    leading.kill().await;
    let killed_at = Instant::now();
    // What was under way still comes; then nothing, until another has taken over and its numbers leave a gap.
    loop {
        let (number, _) = follower.quote().await;
        assert!(number > last, "numbers never go back");
        if number > last + 1_000 {
            break;
        }
        last = number;
    }
    assert!(killed_at.elapsed() < TAKE_OVER_TIME_MAX, "it took {:?}", killed_at.elapsed());
    assert_eq!(following.role().await, "leading");
    follower.quotes_for(Duration::from_millis(500)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prices_go_on_everywhere_while_redis_is_gone() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let mut redis = start_redis(folder.path()).await;
    let leading = Member::start(folder.path()).await;
    leading.until_role("leading").await;
    let following = Member::start(folder.path()).await;
    following.until_role("following").await;
    let (mut here, mut there) = (leading.follow("AAPL").await, following.follow("AAPL").await);
    let mut last = here.quote().await.0;
    there.quote().await;

    redis.kill().await.unwrap();
    for _ in 0..40 {
        let number = here.quote().await.0;
        assert_eq!(number, last + 1, "the one that takes prices in goes on without a gap");
        last = number;
    }
    following.until_role("alone").await;
    there.quotes_for(Duration::from_millis(500)).await;

    let _redis = start_redis(folder.path()).await;
    following.until_role("following").await;
    assert_eq!(leading.role().await, "leading", "the lease goes back to whoever had it");
    there.quotes_for(Duration::from_millis(500)).await;
}
