//! Thousands of interleavings of everything that can go wrong between a trader, this server and a broker, without a
//! socket, a clock or a database.
//!
//! The code that runs here is the code that runs in production: what is decided on an order (`decide`), what may be sent
//! and what is asked (`delivery`, `reconcile::compare`), what the connector concludes from a broker's history (`recovery::plan`), what a report
//! does to order and books (`apply`, `batch`). Only their neighbours are played: the tables are maps, the wire loses,
//! repeats and reorders. The venue of the faulty broker is the model: at the end the books must say what it did.
//!
//! A failure names its seed. `GAEMI_SIMULATIONS` sets how many are played, `GAEMI_SIMULATION_SEED` plays one.

mod replaces;
mod steps;
mod verdict;
mod world;

use world::World;

/// Seeds played unless the environment says otherwise.
const SIMULATIONS: u64 = 10_000;
/// Things that happen in one simulation before everything calms down.
const STEPS: usize = 60;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a whole number"))
}

fn play(seed: u64) {
    let mut world = World::new(seed);
    for _ in 0..STEPS {
        world.step();
    }
    world.calm_down();
    world.judge();
}

fn play_all(first: u64, step: u64) {
    if let Some(seed) = number("GAEMI_SIMULATION_SEED") {
        return play(seed);
    }
    let count = number("GAEMI_SIMULATIONS").unwrap_or(SIMULATIONS);
    for seed in (0..count).filter(|seed| seed % step == first) {
        let played = std::panic::catch_unwind(|| play(seed));
        assert!(
            played.is_ok(),
            "the simulation of seed {seed} has failed: GAEMI_SIMULATION_SEED={seed} plays it again"
        );
    }
}

// Two halves, so that two processors have something to do.
#[test]
fn no_order_is_lost_and_none_is_executed_twice_whatever_goes_wrong_between() {
    play_all(0, 2);
}

#[test]
fn no_order_is_lost_and_none_is_executed_twice_whatever_goes_wrong_between_again() {
    play_all(1, 2);
}
