//! Redis comes, goes, hangs; the prices go on.

use crate::support::Server;
use crate::yahoo::{Stub, borrowed};
use domain::Quote;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

/// Names the Redis server when it is none on the path.
const REDIS_VARIABLE: &str = "GAEMI_TEST_REDIS_SERVER";

/// A private Redis on a socket in a folder.
pub(crate) async fn start_redis(folder: &Path) -> Child {
    let socket = folder.join("redis.sock");
    let named = std::env::var(REDIS_VARIABLE).ok().filter(|name| !name.is_empty());
    let child = Command::new(named.as_deref().unwrap_or("redis-server"))
        .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
        .arg(&socket)
        .arg("--dir")
        .arg(folder)
        .stdout(std::process::Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("a redis-server on the PATH, or named by GAEMI_TEST_REDIS_SERVER");
    let began = Instant::now();
    while tokio::net::UnixStream::connect(&socket).await.is_err() {
        assert!(began.elapsed() < crate::support::DEADLINE, "redis never listens");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    child
}

fn written(status: &serde_json::Value) -> u64 {
    status["cache"]["written"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prices_go_on_while_redis_dies_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut redis = start_redis(folder.path()).await;
    let url = format!("redis+unix://{}", folder.path().join("redis.sock").display());
    let values = [
        ("GAEMI_PROVIDERS", "synthetic"),
        ("GAEMI_SYNTHETIC_TICK_MILLIS", "50"),
        ("REDIS_URL", url.as_str()),
    ];
    let server = Server::start(&values).await;
    let mut client = server.connect().await;
    client.subscribe(&["005930.KS"]).await;
    server.until_status(|status| written(status) > 0 && status["cache"]["reachable"] == true).await;

    redis.kill().await.unwrap();
    let status = server.until_status(|status| status["cache"]["reachable"] == false).await;
    for _ in 0..20 {
        client.quote_of("005930.KS").await;
    }
    let _redis = start_redis(folder.path()).await;
    server.until_status(|now| written(now) > written(&status)).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_the_last_values_are_there_with_their_own_time() {
    let folder = tempfile::tempdir().unwrap();
    let _redis = start_redis(folder.path()).await;
    let url = format!("redis+unix://{}", folder.path().join("redis.sock").display());
    let stub = Stub::start().await;
    let mut values = stub.values("yahoo");
    values.push(("REDIS_URL", url));
    let server = Server::start(&borrowed(&values)).await;
    let before: Quote = serde_json::from_value(server.get("/quote/AAPL").await.1).unwrap();
    server.stop().await;

    stub.stop();
    let server = Server::start(&borrowed(&values)).await;
    let mut client = server.connect().await;
    client.subscribe(&["AAPL"]).await;
    assert_eq!(client.quote().await, before, "the same price, not pretending to be newer");
    let after: Quote = serde_json::from_value(server.get("/quote/AAPL").await.1).unwrap();
    assert_eq!(after, before);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_hangs_delays_nothing() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    let began = Instant::now();
    let server = Server::start(&[("GAEMI_PROVIDERS", "replay"), ("REDIS_URL", &url)]).await;
    assert_eq!(server.get("/quote/AAPL").await.0, 200);
    assert!(began.elapsed() < Duration::from_secs(5));
    let status = server.until_status(|status| status["cache"]["failures"].as_u64().unwrap() >= 2).await;
    assert_eq!(
        (&status["cache"]["reachable"], &status["cache"]["configured"]),
        (&false.into(), &true.into())
    );
    server.stop().await;
}
