//! Load for `scripts/bench quotes`: the quote server beside a bare TCP writer and the usual choice, Node with `ws`.
//!
//! `bench-quotes PART...` prints what it measured as `name value` lines. Parts:
//! - `fan`: the highest rate of messages to many subscribers; `calm`: the time they take at a low one;
//! - `idle`: memory of subscribers who wait; `sleepers`: readers who never read;
//! - `memory`: many shares at once; `soak`: growth over time;
//! - `history`: ten years of days out of Postgres, and a million minutes into it.
//!
//! Settings: `BENCH_MARKET_DATA` (the program), `BENCH_NODE_SCRIPT`, `BENCH_DATABASE_URL`, `BENCH_STEP_SECONDS`,
//! `BENCH_SOAK_SECONDS`.

mod fan;
mod history;
mod memory;
mod pace;
mod process;
mod quote;
mod readers;
mod vendor;
mod writer;

use anyhow::{Context, Result, bail};
use process::Programs;
use std::io::Write as _;
use std::time::Duration;

const USAGE: &str = "usage: bench-quotes fan|calm|idle|sleepers|memory|soak|history ...";

/// Prints one figure.
pub(crate) fn report(name: &str, value: impl std::fmt::Display) -> Result<()> {
    writeln!(std::io::stdout(), "{name} {value}").context("nobody reads the figures")
}

/// A number of seconds that is set, or the usual one.
fn seconds(name: &str, usual: u64) -> Result<Duration> {
    let set = std::env::var(name).ok().map(|text| text.parse()).transpose();
    Ok(Duration::from_secs(set.with_context(|| format!("{name} is no number of seconds"))?.unwrap_or(usual)))
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let parts: Vec<String> = std::env::args().skip(1).collect();
    if let [first, kind] = parts.as_slice()
        && first == "writer"
    {
        return writer::serve(kind == "together").await;
    }
    let set = |name: &str| std::env::var(name).with_context(|| format!("{name} is not set"));
    let programs = Programs {
        market_data: set("BENCH_MARKET_DATA")?.into(),
        node_script: set("BENCH_NODE_SCRIPT")?.into(),
        database_url: std::env::var("BENCH_DATABASE_URL").ok(),
    };
    let step = seconds("BENCH_STEP_SECONDS", 3)?;
    if parts.is_empty() {
        bail!(USAGE);
    }
    for part in parts {
        match part.as_str() {
            "fan" => fan::run(&programs, step).await?,
            "calm" => fan::calm(&programs, step).await?,
            "idle" => memory::of_idle_subscribers(&programs).await?,
            "sleepers" => memory::beside_sleepers(&programs, step).await?,
            "memory" => memory::of_many_shares(&programs, step).await?,
            "soak" => memory::over_time(&programs, seconds("BENCH_SOAK_SECONDS", 60)?).await?,
            "history" => history::run(&programs).await?,
            _ => bail!(USAGE),
        }
    }
    Ok(())
}
