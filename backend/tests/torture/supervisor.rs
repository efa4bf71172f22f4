//! Kills processes under load, at any moment or at a chosen place of their program, and sees to it that all are back in
//! time and that the books balance whenever they can be asked.

use crate::books::{an_order_is_on_its_way, assert_books_balance};
use crate::chance::Chance;
use crate::processes::{House, READY_AGAIN_MAX, Waiting};
use failpoint::{Failpoint, Program};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Longest pause before a process is killed, and before its successor starts, in milliseconds.
const LIFE_MILLIS_MAX: u64 = 900;
const DOWN_MILLIS_MAX: u64 = 300;
/// One of so many kills takes another process along.
const TWO_AT_ONCE_ONE_IN: u64 = 6;
/// Longest wait until a place is passed under load.
const REACHED_MAX: Duration = Duration::from_secs(60);
/// At most which passing of a place is waited for.
const PASSING_MAX: u64 = 2;

/// What Postgres says that has no room.
const NO_ROOM: &str = "No space left on device";
/// How long it has none, once it has said so.
const FULL_FOR: Duration = Duration::from_secs(3);

/// The supervisor.
pub(crate) struct Supervisor {
    pub(crate) house: House,
    chance: Chance,
    pub(crate) report: Report,
}

/// What it has seen.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) kills: BTreeMap<&'static str, u64>,
    pub(crate) reached: Vec<&'static str>,
    pub(crate) slowest_ready: Duration,
    /// In which something was not ready.
    pub(crate) down: Duration,
}

async fn pause(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

impl Supervisor {
    pub(crate) fn new(house: House, chance: Chance) -> Self {
        Self { house, chance, report: Report::default() }
    }

    fn kill(&mut self, name: &'static str) {
        self.house.kill(name);
        *self.report.kills.entry(name).or_default() += 1;
    }

    /// Kills every process so many times, in any order, half of the time at any moment and half while an order is on its
    /// way; now and then two at once.
    pub(crate) async fn kill_all_in_turn(&mut self, kills: u64) {
        let mut turns: Vec<&str> = (0..kills).flat_map(|_| self.house.names()).collect();
        self.chance.shuffle(&mut turns);
        for name in turns {
            pause(self.chance.below(LIFE_MILLIS_MAX)).await;
            if self.chance.one_in(2) {
                an_order_is_on_its_way(&self.house.database_url).await;
            }
            let killed = Instant::now();
            self.kill(name);
            let mut fallen = vec![name];
            if self.chance.one_in(TWO_AT_ONCE_ONE_IN) {
                let names: Vec<&str> =
                    self.house.names().into_iter().filter(|other| *other != name).collect();
                let other = *self.chance.pick(&names);
                self.kill(other);
                fallen.push(other);
            }
            let what = format!("{} killed", fallen.join(" and "));
            self.heal(&what, fallen.contains(&"postgres"), killed).await;
        }
    }

    /// The books balance while something is down, and when all is ready again, which is soon.
    async fn heal(&mut self, what: &str, is_postgres_down: bool, killed: Instant) {
        pause(self.chance.below(DOWN_MILLIS_MAX)).await;
        if !is_postgres_down {
            assert_books_balance(&self.house.database_url).await;
        }
        let ready = self.house.until_ready(killed, READY_AGAIN_MAX).await;
        println!("{what}, all ready again after {} ms", ready.as_millis());
        self.report.slowest_ready = self.report.slowest_ready.max(ready);
        self.report.down += ready;
        assert_books_balance(&self.house.database_url).await;
    }

    /// Lets a program die at a place, under load: at its first passing, or soon after.
    pub(crate) async fn kill_at(&mut self, point: Failpoint) {
        let passing = if is_rare(point) { 1 } else { 1 + self.chance.below(PASSING_MAX) };
        let armed = Instant::now();
        self.house.arm(point, passing);
        provoke(&mut self.house, point);
        let (mut waiting, mut up_since) = (Waiting::until(REACHED_MAX), None);
        while !self.house.has_fallen(point) {
            let_the_other_rise(&mut self.house, point);
            if up_since.is_none() && self.house.is_ready().await {
                up_since = Some(Instant::now());
            }
            waiting.pause(|| format!("{} was never passed", point.name())).await;
        }
        let killed = Instant::now();
        self.report.down += up_since.unwrap_or(killed) - armed;
        *self.report.kills.entry(point.program().name()).or_default() += 1;
        self.report.reached.push(point.name());
        self.house.disarm(point);
        self.house.disarm(LOSES_ORDERS);
        self.heal(&format!("{} killed", point.name()), false, killed).await;
    }

    /// Leaves Postgres no room on its disk under load, and gives it back after a while.
    pub(crate) async fn fill_disk(&mut self) {
        pause(self.chance.below(LIFE_MILLIS_MAX)).await;
        let before = self.house.count_in_log("postgres", NO_ROOM);
        self.house.fill_disk(true);
        let filled = Instant::now();
        let mut waiting = Waiting::until(REACHED_MAX);
        while self.house.count_in_log("postgres", NO_ROOM) == before {
            waiting.pause(|| "Postgres never missed the room on its disk".to_owned()).await;
        }
        let missed = Instant::now();
        while missed.elapsed() < FULL_FOR {
            self.house.keep_running();
            pause(DOWN_MILLIS_MAX).await;
        }
        self.report.down += filled.elapsed();
        self.house.fill_disk(false);
        self.heal("disk filled and cleared", true, Instant::now()).await;
    }
}

/// Places that are passed once in a process's life, or only after something has gone wrong.
fn is_rare(point: Failpoint) -> bool {
    matches!(point, Failpoint::InquiryAnswered | Failpoint::AccountConnected | Failpoint::SimulatorTakenOver)
}

/// Where the connector takes orders along of which nobody else has heard.
const LOSES_ORDERS: Failpoint = Failpoint::OrdersReceived;

/// What has to happen for a place to be passed, beside the load.
fn provoke(house: &mut House, point: Failpoint) {
    match point {
        Failpoint::InquiryAnswered => house.arm(LOSES_ORDERS, 1),
        // A backend asks for accounts before it sends their first order.
        Failpoint::AccountConnected => house.kill(Program::Backend.name()),
        _ => {}
    }
}

/// The connector comes back after it has fallen for another place: somebody has to answer.
fn let_the_other_rise(house: &mut House, point: Failpoint) {
    if point == Failpoint::InquiryAnswered && house.has_fallen(LOSES_ORDERS) {
        house.disarm(LOSES_ORDERS);
    }
}
