//! Quotes at a steady rate into one of the servers, and what came of them.

use crate::process::Process;
use crate::quote::{Clock, Stamped};
use crate::readers::Seen;
use crate::vendor::Vendor;
use anyhow::{Context, Result, bail};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt as _;

/// How often quotes are sent that are due.
const TURN: Duration = Duration::from_millis(1);
/// Quotes in one message of the vendor.
const TOGETHER_MAX: usize = 64;
/// Distance between the numbers of shares that follow each other: no neighbours.
const STRIDE: usize = 37;
/// What has not come so long after the last quote is lost.
const LAST_MESSAGES_TIME_MAX: Duration = Duration::from_secs(2);
/// First part of a measurement, which does not count.
const WARM_UP: Duration = Duration::from_secs(1);
/// Every subscriber has its first values after so long, or the run ends.
const FIRST_VALUES_TIME_MAX: Duration = Duration::from_secs(60);

/// A server, its readers and the quotes it gets.
pub(crate) struct Stage<'a> {
    pub(crate) process: Process,
    pub(crate) vendor: &'a Vendor,
    pub(crate) clock: Clock,
    pub(crate) seen: Arc<Seen>,
    /// How many shares there are.
    pub(crate) shares: usize,
    /// How many messages one quote becomes.
    pub(crate) followers: u64,
    stamps: Vec<u64>,
    turn: usize,
    sent: u64,
    window: (u64, u64),
    /// Quotes sent within the window.
    in_window: u64,
}

/// What came of a measurement.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Outcome {
    /// Messages delivered a second.
    pub(crate) rate: u64,
    /// Messages that never came, of ten thousand.
    pub(crate) lost: u64,
    pub(crate) p50_micros: u64,
    pub(crate) p99_micros: u64,
    /// Processor time of the server for a message, in nanoseconds.
    pub(crate) cpu_nanos: u64,
    /// The quotes could not be sent at the rate wanted.
    pub(crate) behind: bool,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(
        process: Process,
        vendor: &'a Vendor,
        clock: Clock,
        seen: &Arc<Seen>,
        (shares, followers): (usize, u64),
    ) -> Self {
        // The volume that the vendor tells first is one share.
        let stamps = vec![1; shares];
        Self {
            process,
            vendor,
            clock,
            seen: Arc::clone(seen),
            shares,
            followers,
            stamps,
            turn: 0,
            sent: 0,
            window: (0, 0),
            in_window: 0,
        }
    }

    /// Sends so many quotes.
    async fn send(&mut self, count: usize) -> Result<()> {
        let (mut trades, mut lines) = (Vec::with_capacity(count), String::new());
        for _ in 0..count {
            let share = self.turn * STRIDE % self.shares;
            self.turn += 1;
            let before = self.stamps.get_mut(share).context("no such share")?;
            let stamp = self.clock.micros().max(*before + 1);
            let quote = Stamped { number: share, stamp, count: self.sent };
            if self.process.feed.is_some() {
                let _ = writeln!(lines, "{share} {}", quote.text());
            } else {
                trades.push(quote.trade(*before));
            }
            *before = stamp;
            self.sent += 1;
            self.in_window += u64::from((self.window.0..self.window.1).contains(&stamp));
        }
        match &mut self.process.feed {
            Some(feed) => feed.write_all(lines.as_bytes()).await.context("the yardstick is gone"),
            None => self.vendor.send(&trades).await,
        }
    }

    /// Waits until all subscribers have got as many messages as they follow shares: the vendor's last values, or quotes
    /// sent again and again where there are none.
    pub(crate) async fn settle(&mut self, messages: u64) -> Result<()> {
        let begun = Instant::now();
        while self.seen.messages.load(Ordering::Relaxed) < messages {
            if begun.elapsed() > FIRST_VALUES_TIME_MAX {
                bail!("only {} of {messages} first values came", self.seen.messages.load(Ordering::Relaxed));
            }
            if self.process.feed.is_some() {
                for _ in 0..self.shares.div_ceil(TOGETHER_MAX) {
                    self.send(TOGETHER_MAX.min(self.shares)).await?;
                }
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        // The server may still be noting what it has told already.
        tokio::time::sleep(Duration::from_millis(500)).await;
        Ok(())
    }

    /// Sends quotes so that so many messages a second are to be delivered, and tells what came of it.
    pub(crate) async fn measure(&mut self, rate: u64, time: Duration) -> Result<Outcome> {
        let quotes_a_second = rate.div_ceil(self.followers);
        let begun = Instant::now();
        let (from, to) = {
            let now = self.clock.micros();
            let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(0);
            (now + micros(WARM_UP), now + micros(WARM_UP + time))
        };
        self.seen.open(from, to);
        (self.window, self.in_window) = ((from, to), 0);
        let mut clock = tokio::time::interval(TURN);
        let (mut sent, mut cpu, mut behind) = (0_u64, None, false);
        while begun.elapsed() < WARM_UP + time {
            clock.tick().await;
            let due = u64::try_from(begun.elapsed().as_micros())? * quotes_a_second / 1_000_000;
            while sent < due && begun.elapsed() < WARM_UP + time {
                let count = usize::try_from(due - sent)?.min(TOGETHER_MAX);
                if cpu.is_none() && self.clock.micros() >= from {
                    cpu = Some(self.process.cpu_micros()?);
                }
                self.send(count).await?;
                sent += u64::try_from(count)?;
            }
            behind |= due.saturating_sub(sent) > quotes_a_second / 10;
        }
        let wanted = self.in_window * self.followers;
        let last = Instant::now();
        while self.seen.in_window.load(Ordering::Relaxed) < wanted && last.elapsed() < LAST_MESSAGES_TIME_MAX
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let came = self.seen.in_window.load(Ordering::Relaxed);
        let used = self.process.cpu_micros()?.saturating_sub(cpu.unwrap_or(0));
        Ok(Outcome {
            rate: came * 1_000 / u64::try_from(time.as_millis())?.max(1),
            lost: wanted.saturating_sub(came) * 10_000 / wanted.max(1),
            p50_micros: self.seen.permille_micros(500),
            p99_micros: self.seen.permille_micros(990),
            cpu_nanos: used * 1_000 / came.max(1),
            behind,
        })
    }
}
