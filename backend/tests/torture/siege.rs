//! A house under load: people who trade and listen while processes are killed, and the verdict at the end.

use crate::chance::Chance;
use crate::disk::SmallDisk;
use crate::listener::Listener;
use crate::processes::House;
use crate::summary::Summary;
use crate::supervisor::Supervisor;
use crate::trader::Trader;
use crate::verdict::{self, Account};
use crate::visitor::Visitor;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use tokio::task::JoinHandle;

const USERS: u64 = 3;
/// Each user has an account of each kind: its currency, and whether it buys on credit and sells short.
const KINDS: [(&str, bool); 3] = [("USD", false), ("KRW", false), ("USD", true)];

/// A siege.
pub(crate) struct Siege {
    pub(crate) supervisor: Supervisor,
    stop: Arc<AtomicBool>,
    visitors: Vec<Arc<Visitor>>,
    listeners: Vec<Listener>,
    traders: Vec<JoinHandle<Trader>>,
    began: Instant,
}

impl Siege {
    /// Starts everything, Postgres on a disk of its own where one is given, and the load.
    pub(crate) async fn begin(seed: u64, disk: Option<SmallDisk>) -> Self {
        println!("seed {seed}");
        let house = House::start(disk).await;
        let stop = Arc::new(AtomicBool::new(false));
        let (mut visitors, mut listeners, mut traders) = (Vec::new(), Vec::new(), Vec::new());
        for user in 0..USERS {
            let visitor =
                Arc::new(Visitor::register(&house.backend, &format!("ant{user}@example.com")).await);
            listeners.push(Listener::start(Arc::clone(&visitor)));
            for (place, (currency, sells_short)) in (0..).zip(KINDS) {
                let seed = seed * 1_000 + user * 10 + place;
                let trader = Trader::open(Arc::clone(&visitor), currency, sells_short, seed).await;
                traders.push(tokio::spawn(trader.run(Arc::clone(&stop))));
            }
            visitors.push(visitor);
        }
        let supervisor = Supervisor::new(house, Chance::new(seed));
        Self { supervisor, stop, visitors, listeners, traders, began: Instant::now() }
    }

    /// Ends the load and judges everything.
    pub(crate) async fn end(self) -> Summary {
        self.stop.store(true, Ordering::Relaxed);
        let lasted = self.began.elapsed();
        let mut traders = Vec::new();
        for trader in self.traders {
            traders.push(trader.await.expect("the trader got its answers"));
        }
        let Supervisor { house, report, .. } = self.supervisor;
        verdict::nothing_is_under_way(&house).await;
        for trader in &mut traders {
            verdict::take_everything_back(&house, trader).await;
        }
        verdict::nothing_is_under_way(&house).await;
        let mut accounts = Vec::new();
        for trader in &traders {
            accounts.push(verdict::account(&house, trader).await);
        }
        let mut streams = 0;
        for (listener, accounts) in self.listeners.into_iter().zip(accounts.chunks(KINDS.len())) {
            streams += verdict::everything_was_heard(&house, listener, accounts).await;
        }
        let unresolved = verdict::the_books_are_in_order(&house, &accounts).await;
        let complaints = house.complaints();
        assert!(complaints.is_empty(), "{complaints:#?}");
        let unknown: u64 = self.visitors.iter().map(|visitor| visitor.unknown.load(Ordering::Relaxed)).sum();
        assert!(unknown > 0, "what was done was felt");
        assert!(report.kills.is_empty() || streams > USERS, "the kills were felt");
        let sum = |of: fn(&Account) -> usize| -> usize { accounts.iter().map(of).sum() };
        let summary = Summary {
            up: lasted - report.down,
            sent: traders.iter().map(|trader| trader.record.orders_placed()).sum(),
            orders: sum(|account| account.placed),
            unresolved,
            executions: sum(|account| account.executions),
            replaced: sum(|account| account.replaced),
            groups: sum(|account| account.groups),
            crossed: sum(|account| account.crossed.len()),
            sold_short: sum(|account| account.sold_short),
            unknown,
            streams,
            report,
        };
        println!("{summary}");
        summary
    }
}
