//! What the quote server keeps in memory: for those who wait, for those who never read, for many shares, over time.

use crate::fan::{Kind, followed, set_up};
use crate::pace::Stage;
use crate::process::{Process, Programs};
use crate::quote::{Clock, symbol};
use crate::readers::{self, Seen};
use crate::report;
use crate::vendor::{Vendor, symbols};
use anyhow::Result;
use std::time::{Duration, Instant};

/// Subscribers who wait.
const IDLE_SUBSCRIBERS: usize = 5_000;
/// Readers who never read, and those beside them who do.
const SLEEPERS: usize = 500;
const READERS: usize = 500;
/// What the system keeps for a reader who does not read: little, so that the server notices soon.
const SLEEPERS_BUFFER: u32 = 4_096;
/// Messages a second to those who read.
const RATE: u64 = 20_000;
/// Shares at once, and who follows how many of them.
const MANY_SHARES: usize = 500;
const SUBSCRIBERS_OF_MANY: usize = 100;
const FOLLOWED_OF_MANY: usize = 50;
/// Time for memory to become what it stays.
const REST: Duration = Duration::from_secs(3);

/// Memory of subscribers who wait.
pub(crate) async fn of_idle_subscribers(programs: &Programs) -> Result<()> {
    let vendor = Vendor::start().await?;
    let (mut stage, reading) = set_up(Kind::Gaemi, programs, &vendor, 1).await?;
    stage.settle(10).await?;
    tokio::time::sleep(REST).await;
    let before = stage.process.resident_kilobytes()?;
    let sockets = readers::join_all(stage.process.port, IDLE_SUBSCRIBERS, None, followed).await?;
    let more = readers::read_all(sockets, Clock::start(), &Seen::new());
    tokio::time::sleep(REST).await;
    let after = stage.process.resident_kilobytes()?;
    report("idle_kilobytes_before", before)?;
    report("idle_kilobytes_after", after)?;
    report("idle_bytes_each", (after.saturating_sub(before)) * 1_024 / u64::try_from(IDLE_SUBSCRIBERS)?)?;
    drop((more, reading));
    stage.process.stop().await
}

/// The others' times while many do not read.
pub(crate) async fn beside_sleepers(programs: &Programs, step: Duration) -> Result<()> {
    let vendor = Vendor::start().await?;
    let (mut stage, reading) = set_up(Kind::Gaemi, programs, &vendor, READERS).await?;
    let alone = stage.measure(RATE, step * 2).await?;
    let before = stage.process.resident_kilobytes()?;
    let sleepers =
        readers::join_all(stage.process.port, SLEEPERS, Some(SLEEPERS_BUFFER), |_| symbols(100)).await?;
    let beside = stage.measure(RATE, step * 2).await?;
    let after = stage.process.resident_kilobytes()?;
    // They are dropped by now or soon; the memory of those who are is given back or used again.
    let dropped = stage.measure(RATE, step * 4).await?;
    report("sleepers_alone_p99_micros", alone.p99_micros)?;
    report("sleepers_beside_p99_micros", beside.p99_micros)?;
    report("sleepers_dropped_p99_micros", dropped.p99_micros)?;
    report("sleepers_lost", alone.lost + beside.lost + dropped.lost)?;
    report("sleepers_grown_kilobytes", after.saturating_sub(before))?;
    report("sleepers_kilobytes_later", stage.process.resident_kilobytes()?)?;
    drop((sleepers, reading));
    stage.process.stop().await
}

/// Memory with many shares at once.
pub(crate) async fn of_many_shares(programs: &Programs, step: Duration) -> Result<()> {
    let vendor = Vendor::start().await?;
    let (clock, seen) = (Clock::start(), Seen::new());
    let process = Process::gaemi(programs, &vendor).await?;
    let spread = MANY_SHARES / FOLLOWED_OF_MANY;
    let some = |subscriber: usize| {
        (0..FOLLOWED_OF_MANY).map(|turn| symbol((subscriber + turn * spread) % MANY_SHARES)).collect()
    };
    let sockets = readers::join_all(process.port, SUBSCRIBERS_OF_MANY, None, some).await?;
    let reading = readers::read_all(sockets, clock, &seen);
    let followers = u64::try_from(SUBSCRIBERS_OF_MANY * FOLLOWED_OF_MANY / MANY_SHARES)?;
    let mut stage = Stage::new(process, &vendor, clock, &seen, (MANY_SHARES, followers));
    stage.settle(u64::try_from(SUBSCRIBERS_OF_MANY * FOLLOWED_OF_MANY)?).await?;
    let outcome = stage.measure(RATE, step * 2).await?;
    report("memory_kilobytes", stage.process.resident_kilobytes()?)?;
    report("memory_rate", outcome.rate)?;
    report("memory_lost", outcome.lost)?;
    drop(reading);
    stage.process.stop().await
}

/// Growth at a steady rate: after the first twelfth of the time, and at its end.
pub(crate) async fn over_time(programs: &Programs, time: Duration) -> Result<()> {
    let vendor = Vendor::start().await?;
    let (mut stage, reading) = set_up(Kind::Gaemi, programs, &vendor, 1_000).await?;
    stage.measure(RATE, (time / 12).max(REST)).await?;
    let (before, begun, mut lost) = (stage.process.resident_kilobytes()?, Instant::now(), 0);
    while begun.elapsed() < time {
        lost += stage.measure(RATE, time.min(Duration::from_secs(30))).await?.lost;
    }
    report("soak_seconds", begun.elapsed().as_secs())?;
    report("soak_kilobytes", before)?;
    report("soak_grown_kilobytes", stage.process.resident_kilobytes()?.saturating_sub(before))?;
    report("soak_lost", lost)?;
    drop(reading);
    stage.process.stop().await
}
