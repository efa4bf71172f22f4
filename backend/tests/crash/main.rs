//! Every process is killed in the middle of its work, again and again, and nothing is lost, doubled or made up.
//!
//! `GAEMI_CRASH_KILLS` sets how often each process is killed, `GAEMI_CRASH_SEED` the orders and the moments.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test may fail loudly, and tells what it has measured"
)]

mod books;
mod chance;
mod cluster;
#[path = "../api/helpers/database.rs"]
#[allow(dead_code, reason = "the tests of the API need more of it")]
mod database;
mod listener;
mod load;
mod processes;
mod verdict;
mod visitor;

use books::{an_order_is_on_its_way, assert_books_balance};
use chance::Chance;
use listener::Listener;
use load::Trader;
use processes::{House, READY_AGAIN_MAX};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use visitor::Visitor;

const KILLS_DEFAULT: u64 = 3;
const SEED_DEFAULT: u64 = 1;
/// Longest pause before a process is killed, and before its successor starts, in milliseconds.
const LIFE_MILLIS_MAX: u64 = 900;
const DOWN_MILLIS_MAX: u64 = 300;
const USERS: u64 = 3;
const CURRENCIES: [&str; 2] = ["USD", "KRW"];

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable)
        .map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number")))
}

async fn pause(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

/// Kills one process after another, half of the time at any moment and half while an order is on its way.
async fn kill_all_in_turn(house: &mut House, kills: u64, chance: &mut Chance) {
    let mut turns: Vec<&str> = (0..kills).flat_map(|_| house.names()).collect();
    chance.shuffle(&mut turns);
    for name in turns {
        pause(chance.below(LIFE_MILLIS_MAX)).await;
        if chance.one_in(2) {
            an_order_is_on_its_way(&house.database_url).await;
        }
        let killed = Instant::now();
        house.kill(name);
        pause(chance.below(DOWN_MILLIS_MAX)).await;
        if name != "postgres" {
            assert_books_balance(&house.database_url).await;
        }
        let ready = house.until_ready(killed, READY_AGAIN_MAX).await;
        println!("{name} killed, all ready again after {} ms", ready.as_millis());
        assert_books_balance(&house.database_url).await;
    }
}

async fn all(traders: Vec<JoinHandle<Trader>>) -> Vec<Trader> {
    let mut done = Vec::new();
    for trader in traders {
        done.push(trader.await.expect("the trader got its answers"));
    }
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_killed_nothing_is_lost_doubled_or_made_up() {
    let (kills, seed) =
        (number("GAEMI_CRASH_KILLS", KILLS_DEFAULT), number("GAEMI_CRASH_SEED", SEED_DEFAULT));
    let mut house = House::start().await;
    let stop = Arc::new(AtomicBool::new(false));
    let (mut visitors, mut listeners, mut traders) = (Vec::new(), Vec::new(), Vec::new());
    for user in 0..USERS {
        let visitor = Arc::new(Visitor::register(&house.backend, &format!("ant{user}@example.com")).await);
        listeners.push(Listener::start(Arc::clone(&visitor)));
        for (place, currency) in (0..).zip(CURRENCIES) {
            let trader = Trader::open(Arc::clone(&visitor), currency, seed * 1_000 + user * 10 + place).await;
            traders.push(tokio::spawn(trader.run(Arc::clone(&stop))));
        }
        visitors.push(visitor);
    }
    kill_all_in_turn(&mut house, kills, &mut Chance::new(seed)).await;
    stop.store(true, Ordering::Relaxed);
    let mut traders = all(traders).await;

    verdict::nothing_is_under_way(&house).await;
    for trader in &mut traders {
        verdict::take_everything_back(&house, trader).await;
    }
    verdict::nothing_is_under_way(&house).await;
    let mut listed = Vec::new();
    for trader in &traders {
        let orders = verdict::listed(trader).await;
        verdict::orders_are_those_asked_for(trader, &orders).await;
        verdict::money_and_shares_are_the_brokers(&house, trader, &orders).await;
        listed.push(orders);
    }
    let orders: usize = listed.iter().map(|orders| orders.len()).sum();
    let mut streams = 0;
    for (listener, orders) in listeners.into_iter().zip(listed.chunks(CURRENCIES.len())) {
        let orders: Vec<_> = orders.iter().collect();
        streams += verdict::everything_was_heard(&house, listener, &orders).await;
    }
    let unresolved = verdict::the_books_are_in_order(&house).await;
    let unknown: u64 = visitors.iter().map(|visitor| visitor.unknown.load(Ordering::Relaxed)).sum();
    println!(
        "{orders} orders, {unresolved} of them unresolved for a while; {unknown} requests repeated because their fate \
         was unknown; {streams} event streams"
    );
    assert!(unknown > 0 && streams > USERS, "the kills were felt");
}
