//! Every process is killed in the middle of its work, again and again, and nothing is lost, doubled or made up.
//!
//! `GAEMI_TORTURE_KILLS` sets how often each process is killed at random, `GAEMI_TORTURE_SEED` the orders and the moments.
//! `scripts/torture` runs these tests by themselves.
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
mod disk;
mod listener;
mod model;
mod processes;
mod siege;
mod summary;
mod supervisor;
mod trader;
mod verdict;
mod visitor;
mod wishes;

use chance::Chance;
use disk::SmallDisk;
use failpoint::Failpoint;
use siege::Siege;
use summary::Summary;

const KILLS_DEFAULT: u64 = 2;
const SEED_DEFAULT: u64 = 1;
/// Least number of orders that are taken in a second, all accounts together, while everything is up.
const ORDERS_PER_SECOND_MIN: u64 = 20;
/// Kills of each process after which everything is judged, and begun anew: books that grow for ever are asked for ever.
const KILLS_PER_SIEGE_MAX: u64 = 20;
/// How often the disk is filled.
const DISK_FILLED_TIMES: usize = 2;
/// Sieges measure how soon killed programs are back: there is one at a time.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable)
        .map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number")))
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_killed_nothing_is_lost_doubled_or_made_up() {
    let _alone = ALONE.lock().await;
    let mut left = number("GAEMI_TORTURE_KILLS", KILLS_DEFAULT);
    let mut seed = number("GAEMI_TORTURE_SEED", SEED_DEFAULT);
    let mut all = Summary::default();
    while left > 0 {
        let kills = left.min(KILLS_PER_SIEGE_MAX);
        let mut siege = Siege::begin(seed, None).await;
        siege.supervisor.kill_all_in_turn(kills).await;
        let summary = siege.end().await;
        let per_second = summary.orders_per_second();
        assert!(per_second >= ORDERS_PER_SECOND_MIN, "{per_second} orders/s are no load");
        all = all.and(summary);
        left -= kills;
        seed += 1;
    }
    println!("all together:\n{all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_place_a_program_dies_at_nothing_is_lost_doubled_or_made_up() {
    let _alone = ALONE.lock().await;
    let seed = number("GAEMI_TORTURE_SEED", SEED_DEFAULT);
    let mut points = Failpoint::ALL.to_vec();
    Chance::new(seed).shuffle(&mut points);
    let mut siege = Siege::begin(seed, None).await;
    for point in points {
        siege.supervisor.kill_at(point).await;
    }
    siege.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_nothing_is_promised_and_afterwards_nothing_is_missing() {
    let _alone = ALONE.lock().await;
    let Some(disk) = SmallDisk::mount() else {
        println!("Nobody may mount a file system here, so no disk is filled.");
        return;
    };
    let mut siege = Siege::begin(number("GAEMI_TORTURE_SEED", SEED_DEFAULT), Some(disk)).await;
    for _ in 0..DISK_FILLED_TIMES {
        siege.supervisor.fill_disk().await;
    }
    siege.end().await;
}
