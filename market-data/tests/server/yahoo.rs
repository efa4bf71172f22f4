//! Yahoo's place is taken by a local TLS server that its host names are led to.

use crate::support::Server;
use chrono::{NaiveTime, Utc};
use domain::{Bar, Market, Quote};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::PrivateKeyDer;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const TEMPLATE: &str = include_str!("../../test_data/yahoo/chart_aapl_5d.json");
const NOT_FOUND: &str = include_str!("../../test_data/yahoo/not_found.json");
const FOUND: &str = include_str!("../../test_data/yahoo/search.json");
/// The shares that it has prices of.
const QUOTED: [&str; 3] = ["AAPL", "RKLB", "005930.KS"];
/// What makes Korean prices of the recorded ones.
const WON: f64 = 370.0;

/// The stand-in.
pub(crate) struct Stub {
    pub(crate) address: SocketAddr,
    pub(crate) certificate: PathBuf,
    requests: Arc<AtomicUsize>,
    searches: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
    _folder: tempfile::TempDir,
}

/// What it answers to a request.
fn answer(request: &str) -> (&'static str, String) {
    if request.contains("/v1/finance/search?") {
        return ("200 OK", FOUND.to_owned());
    }
    let asked = QUOTED.iter().find(|symbol| request.contains(&format!("/chart/{symbol}?")));
    asked.map_or_else(|| ("404 Not Found", NOT_FOUND.to_owned()), |symbol| ("200 OK", answer_now(symbol)))
}

/// The recorded answer, moved to end now and to be about a share.
fn answer_now(symbol: &str) -> String {
    let mut answer: serde_json::Value = serde_json::from_str(TEMPLATE).unwrap();
    let now = Utc::now().timestamp();
    answer["chart"]["result"][0]["meta"]["symbol"] = symbol.into();
    let result = &mut answer["chart"]["result"][0];
    let market = symbol.parse::<domain::Symbol>().unwrap().market();
    if market == Market::Krx {
        result["meta"]["currency"] = "KRW".into();
        in_won(&mut result["meta"]);
        in_won(&mut result["indicators"]);
    }
    // Its day is that of its market, in every season.
    let today = exchange::market_day(market, Utc::now());
    let begins = exchange::sessions::day_start(market, today).timestamp();
    result["meta"]["gmtoffset"] = (today.and_time(NaiveTime::MIN).and_utc().timestamp() - begins).into();
    result["meta"]["regularMarketTime"] = now.into();
    result["timestamp"] = (0..5).rev().map(|days| now - days * 86_400).collect::<Vec<_>>().into();
    answer.to_string()
}

/// Makes Korean prices of recorded ones, which alone have a point, wherever they are.
fn in_won(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Number(number) if number.is_f64() => {
            *value = (number.as_f64().unwrap() * WON).round().into();
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(in_won),
        serde_json::Value::Object(map) => map.values_mut().for_each(in_won),
        _ => {}
    }
}

impl Stub {
    pub(crate) async fn start() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let hosts = ["query1.finance.yahoo.com", "query2.finance.yahoo.com"].map(str::to_owned).to_vec();
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(hosts).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let certificate = folder.path().join("root.pem");
        std::fs::write(&certificate, cert.pem()).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let searches = Arc::new(AtomicUsize::new(0));
        let (counted, searched) = (Arc::clone(&requests), Arc::clone(&searches));
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (acceptor, counted) = (acceptor.clone(), Arc::clone(&counted));
                let searched = Arc::clone(&searched);
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(socket).await else { return };
                    let mut request = vec![0; 8_192];
                    let Ok(length) = stream.read(&mut request).await else { return };
                    counted.fetch_add(1, Ordering::SeqCst);
                    let request = String::from_utf8_lossy(&request[..length]).into_owned();
                    searched.fetch_add(usize::from(request.contains("/search?")), Ordering::SeqCst);
                    let (status, body) = answer(&request);
                    let head = format!(
                        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                        body.len()
                    );
                    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
                    let _ = stream.shutdown().await;
                });
            }
        });
        Self { address, certificate, requests, searches, task, _folder: folder }
    }

    pub(crate) fn values(&self, providers: &str) -> Vec<(&'static str, String)> {
        vec![
            ("GAEMI_PROVIDERS", providers.to_owned()),
            ("GAEMI_YAHOO_RESOLVE_TO", self.address.to_string()),
            ("GAEMI_YAHOO_ROOT_CERTIFICATE", self.certificate.display().to_string()),
        ]
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    /// How often it was searched.
    pub(crate) fn searched(&self) -> usize {
        self.searches.load(Ordering::SeqCst)
    }

    pub(crate) fn stop(&self) {
        self.task.abort();
    }
}

pub(crate) fn borrowed<'a>(values: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    values.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn yahoo_is_chosen_when_it_answers_and_its_prices_arrive() {
    let stub = Stub::start().await;
    let server = Server::start(&borrowed(&stub.values("auto"))).await;
    let (_, status) = server.get("/status").await;
    assert_eq!(status["providers"][0]["name"], "yahoo");

    let (code, body) = server.get("/quote/AAPL").await;
    assert_eq!(code, 200, "{body}");
    let quote: Quote = serde_json::from_value(body).unwrap();
    assert_eq!((quote.price.to_string(), quote.source.as_str()), ("189.5".into(), "yahoo"));
    assert_eq!(quote.previous_close.unwrap().to_string(), "188.01");

    let (_, body) = server.get("/history/AAPL?limit=10").await;
    let bars: Vec<Bar> = serde_json::from_value(body["bars"].clone()).unwrap();
    assert_eq!(bars.len(), 3, "a row without an open and one without a close are no bars");
    let before = stub.requests.load(Ordering::SeqCst);
    server.get("/history/AAPL?limit=10").await;
    assert_eq!(stub.requests.load(Ordering::SeqCst), before, "the same history is not fetched again");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_share_that_yahoo_does_not_find_is_unknown_to_everybody() {
    let stub = Stub::start().await;
    let server = Server::start(&borrowed(&stub.values("yahoo"))).await;
    let mut client = server.connect().await;
    client.subscribe(&["ZZZ"]).await;
    assert_eq!(client.error_code().await, ("unknown_symbol".into(), Some("ZZZ".into())));
    assert_eq!(server.get("/quote/ZZZ").await.0, 404);
    server.until_status(|status| status["subscribers"]["symbols"] == 0).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_yahoo_recorded_prices_are_played() {
    let stub = Stub::start().await;
    stub.stop();
    let server = Server::start(&borrowed(&stub.values("auto"))).await;
    let (_, status) = server.get("/status").await;
    let names: Vec<_> =
        status["providers"].as_array().unwrap().iter().map(|provider| provider["name"].clone()).collect();
    assert_eq!(names, ["replay", "synthetic"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_yahoo_that_is_silent_leaves_no_price_and_says_so() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let server = Server::start(&[("GAEMI_PROVIDERS", "yahoo"), ("GAEMI_YAHOO_RESOLVE_TO", &address)]).await;
    let (status, body) = server.get("/quote/AAPL").await;
    assert_eq!((status, &body["code"]), (503, &"no_price_yet".into()));
    assert_eq!(server.get("/health").await.0, 200);
    server.stop().await;
}
