//! Load for `scripts/bench`: sends orders to a running server and prints what it measured as `name value` lines.
//!
//! `bench-orders HOST:PORT SECONDS PART`, where the parts are
//! - `single`: one client on one account, beside a bare round trip;
//! - `accounts`: 32 clients over a thousand accounts;
//! - `account`: 64 clients on one account;
//! - `fills`: from acceptance to the position on the event stream;
//! - `connector`: the broker connector beside stand-ins, where `HOST:PORT` is the quote server;
//! - `history`: prints `seed ACCOUNT`, waits for a line, then compares that account with a fresh one.

mod accounts;
mod connector;
mod http;
mod measure;
mod stream;

use accounts::{RestingOrders, low_price, prepare, prepare_user};
use anyhow::{Context, Result, bail};
use http::get;
use measure::{measure, measure_together, per_second, percentile_micros, report, visit_all};
use std::sync::Arc;
use std::time::Duration;

/// Users who register for the run.
const USERS: usize = 20;
/// Accounts of each, so that orders seldom meet on one account's lock.
const ACCOUNTS_PER_USER: usize = 50;
/// Clients that order at the same time from many accounts.
const CLIENTS: usize = 32;
/// Clients that order at the same time from one account.
const CLIENTS_OF_ONE_ACCOUNT: usize = 64;
/// Turns in which the account with a history and the fresh one are measured, so that both see the same machine.
const HISTORY_TURNS: u32 = 5;

async fn of_one_client(address: &str, time: Duration) -> Result<()> {
    let accounts = prepare_user(address.to_owned(), 1).await?;
    let limit_price = low_price(address, accounts.first().context("no accounts")?).await?;
    let orders = RestingOrders::new(accounts, limit_price);

    let mut health = measure(address, 200, time, || Ok(get("/health", ""))).await?;
    report("health_p50_micros", percentile_micros(&mut health, 50))?;
    report("health_p99_micros", percentile_micros(&mut health, 99))?;

    let mut single = measure(address, 201, time, || orders.next()).await?;
    report("order_p50_micros", percentile_micros(&mut single, 50))?;
    report("order_p99_micros", percentile_micros(&mut single, 99))
}

async fn over_accounts(address: &str, time: Duration) -> Result<()> {
    let accounts = prepare(address, USERS, ACCOUNTS_PER_USER).await?;
    let limit_price = low_price(address, accounts.first().context("no accounts")?).await?;
    let orders = Arc::new(RestingOrders::new(accounts, limit_price));
    visit_all(address, &orders).await?;
    let mut many = measure_together(address, CLIENTS, time, &orders).await?;
    report("orders_p50_micros", percentile_micros(&mut many, 50))?;
    report("orders_p99_micros", percentile_micros(&mut many, 99))?;
    report("orders_per_second", per_second(many.len(), time)?)
}

async fn of_one_account(address: &str, time: Duration) -> Result<()> {
    let accounts = prepare_user(address.to_owned(), 1).await?;
    let limit_price = low_price(address, accounts.first().context("no accounts")?).await?;
    let orders = Arc::new(RestingOrders::new(accounts, limit_price));
    let mut all = measure_together(address, CLIENTS_OF_ONE_ACCOUNT, time, &orders).await?;
    report("account_p50_micros", percentile_micros(&mut all, 50))?;
    report("account_p99_micros", percentile_micros(&mut all, 99))?;
    report("account_orders_per_second", per_second(all.len(), time)?)
}

async fn of_fills(address: &str, time: Duration) -> Result<()> {
    let accounts = prepare_user(address.to_owned(), 1).await?;
    let account = accounts.first().context("no accounts")?;
    let mut latencies = stream::fills_to_positions(address, account, time).await?;
    report("fills", latencies.len())?;
    report("fill_p50_micros", percentile_micros(&mut latencies, 50))?;
    report("fill_p99_micros", percentile_micros(&mut latencies, 99))
}

async fn with_history(address: &str, time: Duration) -> Result<()> {
    let accounts = prepare_user(address.to_owned(), 2).await?;
    let [fresh, seeded] = accounts.as_slice() else { bail!("two accounts were wanted") };
    let limit_price = low_price(address, fresh).await?;
    report("seed", &seeded.id)?;
    std::io::stdin().read_line(&mut String::new())?;
    let [fresh, seeded] =
        [fresh, seeded].map(|account| Arc::new(RestingOrders::new(vec![account.clone()], limit_price)));
    let (turn, mut figures) = (time / HISTORY_TURNS, [Vec::new(), Vec::new()]);
    let mut together = [0, 0];
    for _ in 0..HISTORY_TURNS {
        for ((orders, singles), count) in [&fresh, &seeded].into_iter().zip(&mut figures).zip(&mut together) {
            singles.extend(measure(address, 201, turn, || orders.next()).await?);
            *count += measure_together(address, CLIENTS_OF_ONE_ACCOUNT, turn, orders).await?.len();
        }
    }
    for ((name, mut singles), count) in ["fresh", "history"].into_iter().zip(figures).zip(together) {
        report(&format!("{name}_p50_micros"), percentile_micros(&mut singles, 50))?;
        report(&format!("{name}_orders_per_second"), per_second(count, time)?)?;
    }
    Ok(())
}

// One thread: it shares two cores with what it measures, and another thread would have to be woken for every answer.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    const USAGE: &str =
        "usage: bench-orders HOST:PORT SECONDS single|accounts|account|fills|connector|history";
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, seconds, part] = arguments.as_slice() else { bail!(USAGE) };
    let time = Duration::from_secs(seconds.parse().context(USAGE)?);
    match part.as_str() {
        "single" => of_one_client(address, time).await,
        "accounts" => over_accounts(address, time).await,
        "account" => of_one_account(address, time).await,
        "fills" => of_fills(address, time).await,
        "connector" => connector::beside_the_broker(address).await,
        "history" => with_history(address, time).await,
        _ => bail!(USAGE),
    }
}
