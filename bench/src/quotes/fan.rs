//! How many messages a second reach many subscribers, and how soon.

use crate::pace::{Outcome, Stage};
use crate::process::{Process, Programs};
use crate::quote::{Clock, symbol};
use crate::readers::{self, Seen};
use crate::report;
use crate::vendor::Vendor;
use anyhow::{Context, Result};
use std::time::Duration;
use tokio::task::JoinSet;

/// Shares there are.
const SHARES: usize = 100;
/// Shares that a subscriber follows.
const FOLLOWED: usize = 10;
/// Subscribers of the two populations.
const SUBSCRIBERS: [usize; 2] = [1_000, 5_000];
/// Messages a second at which a search begins.
const RATE_MIN: u64 = 30_000;
/// A step of a search raises the rate by so many percent; the last steps by fewer.
const COARSE_PERCENT: u64 = 30;
const FINE_PERCENT: u64 = 8;
/// How often a rate is tried before it is held to be too high, and the pause between.
const TRIES: usize = 2;
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);
/// Messages come late when they take longer.
const TIME_MAX_MICROS: u64 = 100_000;
/// Messages a second when there is little to do.
const CALM_RATE: u64 = 20_000;
/// Rounds of the calm comparison, whose servers take turns.
const CALM_ROUNDS: usize = 3;

/// Who is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The quote server.
    Gaemi,
    /// A bare writer that writes all that waits in one go.
    Together,
    /// A bare writer that writes each message by itself.
    Each,
    /// The usual choice.
    Node,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Gaemi => "gaemi",
            Self::Together => "together",
            Self::Each => "each",
            Self::Node => "node",
        }
    }

    async fn start(self, programs: &Programs, vendor: &Vendor) -> Result<Process> {
        match self {
            Self::Gaemi => Process::gaemi(programs, vendor).await,
            Self::Together => Process::writer(true).await,
            Self::Each => Process::writer(false).await,
            Self::Node => Process::node(programs).await,
        }
    }
}

/// The shares that a subscriber follows, none beside the other.
pub(crate) fn followed(subscriber: usize) -> Vec<String> {
    (0..FOLLOWED).map(|turn| symbol((subscriber * 7 + turn * (SHARES / FOLLOWED)) % SHARES)).collect()
}

/// A server with subscribers who all have their first values.
pub(crate) async fn set_up<'a>(
    kind: Kind,
    programs: &Programs,
    vendor: &'a Vendor,
    subscribers: usize,
) -> Result<(Stage<'a>, JoinSet<()>)> {
    let (clock, seen) = (Clock::start(), Seen::new());
    let process = kind.start(programs, vendor).await?;
    let sockets = readers::join_all(process.port, subscribers, None, followed).await?;
    let reading = readers::read_all(sockets, clock, &seen);
    let followers = u64::try_from(subscribers * FOLLOWED / SHARES)?;
    let mut stage = Stage::new(process, vendor, clock, &seen, (SHARES, followers));
    stage.settle(u64::try_from(subscribers * FOLLOWED)?).await?;
    Ok((stage, reading))
}

/// Whether so many messages a second arrive in time and all of them. Another program may disturb a try, so a failure is
/// believed when it repeats.
async fn attempt(stage: &mut Stage<'_>, rate: u64, step: Duration) -> Result<Option<Outcome>> {
    for _ in 0..TRIES {
        let outcome = stage.measure(rate, step).await?;
        if outcome.p99_micros < TIME_MAX_MICROS && outcome.lost == 0 && !outcome.behind {
            return Ok(Some(outcome));
        }
        tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
    }
    Ok(None)
}

/// Raises the rate until messages come late or not at all; the best that went well.
async fn search(stage: &mut Stage<'_>, step: Duration) -> Result<Outcome> {
    let (mut best, mut rate, mut percent) = (Outcome::default(), RATE_MIN, COARSE_PERCENT);
    loop {
        match attempt(stage, rate, step).await? {
            Some(outcome) if outcome.rate > best.rate => best = outcome,
            Some(_) => {}
            None if percent == FINE_PERCENT => return Ok(best),
            None => {
                percent = FINE_PERCENT;
                rate = best.rate.max(RATE_MIN / 2);
            }
        }
        rate += rate * percent / 100;
    }
}

/// Every server with every population.
pub(crate) async fn run(programs: &Programs, step: Duration) -> Result<()> {
    let vendor = Vendor::start().await?;
    for subscribers in SUBSCRIBERS {
        for kind in [Kind::Together, Kind::Gaemi, Kind::Node] {
            let (mut stage, reading) = set_up(kind, programs, &vendor, subscribers).await?;
            let best = search(&mut stage, step).await?;
            stage.process.stop().await?;
            drop(reading);
            let figure = |name: &str| format!("fan_{}_{subscribers}_{name}", kind.name());
            report(&figure("rate"), best.rate)?;
            report(&figure("p99_micros"), best.p99_micros)?;
            report(&figure("cpu_nanos"), best.cpu_nanos)?;
        }
    }
    Ok(())
}

/// Few messages: the time each takes.
pub(crate) async fn calm(programs: &Programs, step: Duration) -> Result<()> {
    let vendor = Vendor::start().await?;
    let kinds = [Kind::Each, Kind::Gaemi];
    let mut times = [(); 2].map(|()| Vec::new());
    for _ in 0..CALM_ROUNDS {
        for (kind, times) in kinds.into_iter().zip(&mut times) {
            let (mut stage, reading) = set_up(kind, programs, &vendor, 1_000).await?;
            let outcome = stage.measure(CALM_RATE, step).await?;
            stage.process.stop().await?;
            drop(reading);
            times.push((outcome.p99_micros, outcome.p50_micros, outcome.lost));
        }
    }
    for (kind, mut times) in kinds.into_iter().zip(times) {
        times.sort_unstable();
        let (p99, p50, lost) = times.get(CALM_ROUNDS / 2).copied().context("no rounds")?;
        report(&format!("calm_{}_p99_micros", kind.name()), p99)?;
        report(&format!("calm_{}_p50_micros", kind.name()), p50)?;
        report(&format!("calm_{}_lost", kind.name()), lost)?;
    }
    Ok(())
}
