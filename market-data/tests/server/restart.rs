//! What a kill leaves behind, with the program itself.

use crate::support::DEADLINE;
use domain::Quote;
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// The program, playing a recorded day every two seconds.
struct Program {
    child: Child,
    port: u16,
}

impl Program {
    fn start(state: Option<&Path>) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(env!("CARGO_BIN_EXE_market-data"));
        command
            .env_clear()
            .env("GAEMI_MARKET_DATA_PORT", port.to_string())
            .env("GAEMI_PROVIDERS", "replay")
            .env("GAEMI_REPLAY_START", "2008-09-29")
            .env("GAEMI_REPLAY_SESSION_SECONDS", "2")
            .env("GAEMI_REPLAY_TICKS_PER_SESSION", "40");
        if let Some(state) = state {
            command.env("GAEMI_REPLAY_STATE", state);
        }
        let child = command.stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
        Self { child, port }
    }

    async fn quote(&self) -> Quote {
        let url = format!("http://127.0.0.1:{}/quote/AAPL", self.port);
        let asked = async {
            loop {
                match reqwest::get(&url).await {
                    Ok(answer) if answer.status() == 200 => return answer.json().await.unwrap(),
                    _ => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        };
        timeout(DEADLINE, asked).await.expect("a quote comes in time")
    }

    /// The first quote of the third recorded day or a later one.
    async fn quote_of_a_later_day(&self) -> Quote {
        let waited = async {
            loop {
                let quote = self.quote().await;
                if quote.session_date >= "2008-10-01".parse().unwrap() {
                    return quote;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(DEADLINE, waited).await.expect("the days go by")
    }

    /// `kill -9`.
    async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_goes_on_with_the_replay_where_it_was() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("replay.json");
    let first = Program::start(Some(&state));
    let mut last = first.quote_of_a_later_day().await;
    first.kill().await;
    for _ in 0..2 {
        let again = Program::start(Some(&state));
        let quote = again.quote().await;
        again.kill().await;
        let (before, after) = ((last.session_date, last.volume), (quote.session_date, quote.volume));
        assert!(after >= before, "the play went back from {before:?} to {after:?}");
        assert!(quote.at >= last.at, "an older price came after a newer one");
        let days = (quote.session_date - last.session_date).num_days();
        assert!(days <= 7, "the play has leapt {days} days ahead");
        last = quote;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_file_the_replay_begins_anew() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("replay.json");
    let first = Program::start(Some(&state));
    first.quote_of_a_later_day().await;
    first.kill().await;
    std::fs::remove_file(&state).unwrap();
    let again = Program::start(Some(&state));
    assert_eq!(again.quote().await.session_date, "2008-09-29".parse().unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_can_be_checked_without_a_start() {
    let check = |providers: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_market-data"));
        command.env_clear().env("GAEMI_PROVIDERS", providers).arg("check-settings").output()
    };
    assert!(check("yahoo,replay").await.unwrap().status.success());
    for wrong in ["foo", "auto,foo", "replay,"] {
        let refused = check(wrong).await.unwrap();
        assert!(!refused.status.success(), "{wrong}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("GAEMI_PROVIDERS"), "{refused:?}");
    }
}
