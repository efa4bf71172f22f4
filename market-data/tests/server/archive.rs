//! The archive against a real Postgres, and the server when there is none.

use crate::database::Database;
use crate::support::Server;
use crate::yahoo::{Stub, borrowed};
use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::{Bar, Symbol};
use market_data::bars::interval::moments;
use market_data::bars::store::SeriesKey;
use market_data::bars::{Adjustment, Archive, BarsRequest, CorporateAction, Interval, TimedBar};
use market_data::provider::{
    Capabilities, HistoryRange, Provider, ProviderError, ProviderReport, Update, Wanted,
};
use rust_decimal::Decimal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::{mpsc, watch};

/// A source that makes bars up and counts how often it is asked.
#[derive(Default)]
struct Source {
    asked: AtomicUsize,
    silent: AtomicBool,
}

#[async_trait]
impl Provider for Source {
    fn name(&self) -> &'static str {
        "stand-in"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            simulated: false,
            delayed: true,
            history: true,
            bid_ask: false,
            order_book: false,
            recorded: false,
            search: false,
            intervals: &Interval::ALL,
            adjustments: &[Adjustment::Splits, Adjustment::Raw],
        }
    }

    fn instruments(&self) -> Vec<Symbol> {
        Vec::new()
    }

    fn supports(&self, _: Symbol) -> bool {
        true
    }

    async fn probe(&self) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn run(&self, _: watch::Receiver<Wanted>, _: mpsc::Sender<Update>) -> Result<(), ProviderError> {
        Ok(())
    }

    async fn history(&self, _: Symbol, _: HistoryRange) -> Result<Vec<Bar>, ProviderError> {
        Err(ProviderError::Unsupported("history"))
    }

    async fn bars(&self, request: BarsRequest) -> Result<Vec<TimedBar>, ProviderError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.silent.load(Ordering::SeqCst) {
            return Err(ProviderError::Unavailable("silent".into()));
        }
        let market = request.symbol.market();
        let days = request.from.iter_days().take_while(|day| *day <= request.to);
        let days = days.filter(|day| exchange::is_trading_day(market, *day));
        Ok(days
            .flat_map(|day| match request.interval {
                Interval::OneDay => vec![bar(moments(market, request.interval, day, day).0)],
                _ => session(market, day, request.interval),
            })
            .collect())
    }

    fn report(&self) -> ProviderReport {
        ProviderReport::default()
    }
}

fn bar(starts_at: DateTime<Utc>) -> TimedBar {
    let price = |text: &str| text.parse().unwrap();
    TimedBar {
        starts_at,
        open: price("100.25"),
        high: price("101.5"),
        low: price("99.0001"),
        close: price("100.75"),
        volume: 1_000,
    }
}

fn session(market: domain::Market, day: NaiveDate, interval: Interval) -> Vec<TimedBar> {
    let span = exchange::trading_day(market, day).unwrap().regular;
    let count = (span.to - span.from).num_minutes() / i64::from(interval.minutes());
    (0..count).map(|step| bar(span.from + interval.length() * i32::try_from(step).unwrap())).collect()
}

fn days(from: &str, to: &str, interval: Interval) -> BarsRequest {
    BarsRequest {
        symbol: "AAPL".parse().unwrap(),
        interval,
        adjustment: Adjustment::Splits,
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gap_is_asked_for_once_however_many_want_it() {
    for database in Database::each().await {
        let source = Arc::new(Source::default());
        let provider: Arc<dyn Provider> = source.clone();
        let archive = Arc::new(Archive::new(database.store(), None));
        let now = at("2026-11-21T17:00:00Z");
        let wanted = days("2016-11-21", "2026-11-20", Interval::OneDay);
        let askers: Vec<_> = (0..8)
            .map(|_| {
                let (archive, provider) = (Arc::clone(&archive), Arc::clone(&provider));
                tokio::spawn(async move { archive.bars(&provider, wanted, 5_000, now).await.unwrap() })
            })
            .collect();
        for asker in askers {
            let answer = asker.await.unwrap();
            assert!(answer.complete);
            assert_eq!(answer.bars.len(), 2_514, "ten years of trading days");
            assert_eq!(answer.bars[0], bar(at("2016-11-21T00:00:00Z")), "as it was given, to the last digit");
        }
        assert_eq!(source.asked.load(Ordering::SeqCst), 1);
        let longer = days("2016-11-01", "2026-11-21", Interval::OneDay);
        let answer = archive.bars(&provider, longer, 5_000, now).await.unwrap();
        assert_eq!(source.asked.load(Ordering::SeqCst), 3, "only what was missing before and behind");
        assert_eq!(answer.bars.len(), 2_528);
        let raw =
            BarsRequest { adjustment: Adjustment::Raw, ..days("2026-11-20", "2026-11-20", Interval::OneDay) };
        archive.bars(&provider, raw, 5, now).await.unwrap();
        assert_eq!(source.asked.load(Ordering::SeqCst), 4, "raw prices are a series of their own");
        database.drop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_day_is_never_taken_for_a_whole_one() {
    for database in Database::each().await {
        let source = Arc::new(Source::default());
        let provider: Arc<dyn Provider> = source.clone();
        let archive = Archive::new(database.store(), None);
        let wanted = days("2026-11-16", "2026-11-20", Interval::OneDay);
        for _ in 0..2 {
            let answer = archive.bars(&provider, wanted, 10, at("2026-11-20T16:00:00Z")).await.unwrap();
            assert_eq!(answer.bars.len(), 5);
        }
        assert_eq!(source.asked.load(Ordering::SeqCst), 2, "four days for good, the fifth for a minute");
        let next_day = at("2026-11-21T17:00:00Z");
        archive.bars(&provider, wanted, 10, next_day).await.unwrap();
        assert_eq!(source.asked.load(Ordering::SeqCst), 3, "the whole day");
        archive.bars(&provider, wanted, 10, next_day).await.unwrap();
        assert_eq!(source.asked.load(Ordering::SeqCst), 3);
        database.drop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn longer_bars_are_made_of_minutes_that_are_known() {
    for database in Database::each().await {
        let source = Arc::new(Source::default());
        let provider: Arc<dyn Provider> = source.clone();
        let archive = Archive::new(database.store(), None);
        let now = at("2026-11-21T17:00:00Z");
        let minutes = archive
            .bars(&provider, days("2026-10-20", "2026-11-20", Interval::OneMinute), 20_000, now)
            .await
            .unwrap();
        assert_eq!(minutes.bars.len(), 24 * 390);
        let hours = archive
            .bars(&provider, days("2026-11-16", "2026-11-20", Interval::OneHour), 500, now)
            .await
            .unwrap();
        assert_eq!(hours.bars.len(), 5 * 7, "six whole hours and a half one each day");
        assert_eq!(hours.bars[0].volume, 60_000);
        assert_eq!(source.asked.load(Ordering::SeqCst), 1, "nobody was asked for hours");
        database.drop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_known_is_answered_while_the_source_is_silent() {
    for database in Database::each().await {
        let source = Arc::new(Source::default());
        let provider: Arc<dyn Provider> = source.clone();
        let archive = Archive::new(database.store(), None);
        let now = at("2026-11-21T17:00:00Z");
        archive.bars(&provider, days("2026-11-16", "2026-11-18", Interval::OneDay), 10, now).await.unwrap();
        source.silent.store(true, Ordering::SeqCst);
        let wanted = days("2026-11-16", "2026-11-20", Interval::OneDay);
        let answer = archive.bars(&provider, wanted, 10, now).await.unwrap();
        assert_eq!((answer.bars.len(), answer.complete), (3, false), "and says that days are missing");
        let nothing = days("2025-11-17", "2025-11-18", Interval::OneDay);
        assert!(archive.bars(&provider, nothing, 10, now).await.is_err());
        source.silent.store(false, Ordering::SeqCst);
        let answer = archive.bars(&provider, wanted, 10, now).await.unwrap();
        assert_eq!(
            (answer.bars.len(), answer.complete),
            (5, true),
            "a failure is not taken for an empty span"
        );
        database.drop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_minutes_are_forgotten_by_months_and_asked_for_again() {
    for database in Database::each().await {
        let source = Arc::new(Source::default());
        let provider: Arc<dyn Provider> = source.clone();
        let store = database.store();
        let archive = Archive::new(database.store(), Some(TimeDelta::days(400)));
        let now = at("2026-11-21T17:00:00Z");
        let summer = days("2026-07-28", "2026-07-30", Interval::OneMinute);
        let wanted = days("2026-09-28", "2026-10-02", Interval::OneMinute);
        for wanted in [summer, wanted] {
            archive.bars(&provider, wanted, 20_000, now).await.unwrap();
        }
        let forgotten = store.forget_minutes(at("2026-10-15T00:00:00Z")).await.unwrap();
        // The extension's parts begin where it likes; what is left of one is forgotten by rows.
        assert!(
            forgotten == 2 || database.has_hypertables && forgotten > 0,
            "July and September: {forgotten}"
        );
        let left = database.count("SELECT count(*) FROM market.minute_bars").await;
        assert_eq!(left, 2 * 390, "two days of October");
        let answer = archive.bars(&provider, wanted, 20_000, now).await.unwrap();
        assert_eq!(answer.bars.len(), 5 * 390);
        assert_eq!(source.asked.load(Ordering::SeqCst), 3);
        database.drop().await;
    }
}

fn minutes_of_a_year(count: usize) -> Vec<TimedBar> {
    let first: NaiveDate = "2015-01-02".parse().unwrap();
    let days = first.iter_days().filter(|day| exchange::is_trading_day(domain::Market::Us, *day));
    days.flat_map(|day| session(domain::Market::Us, day, Interval::OneMinute)).take(count).collect()
}

/// Run by hand, optimised: `cargo test --release -p market-data --test server -- --ignored --nocapture figures`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn figures_of_the_archive() {
    let Some(database) = Database::make().await else { return };
    let archive = Archive::new(database.store(), None);
    let key = |interval| SeriesKey {
        symbol: "AAPL".parse().unwrap(),
        source: "stand-in".into(),
        interval,
        adjustment: Adjustment::Splits,
    };
    let bars = minutes_of_a_year(1_000_000);
    let began = std::time::Instant::now();
    archive.load(&key(Interval::OneMinute), &bars).await.unwrap();
    let took = began.elapsed();
    println!("{} minute bars in {took:?}: {:.0} a second", bars.len(), 1e6 / took.as_secs_f64());

    let provider: Arc<dyn Provider> = Arc::new(Source::default());
    let now = at("2026-11-21T17:00:00Z");
    for (name, wanted, limit) in [
        ("ten years of days", days("2016-11-21", "2026-11-20", Interval::OneDay), 5_000),
        ("a month of minutes", days("2026-10-20", "2026-11-20", Interval::OneMinute), 20_000),
    ] {
        archive.bars(&provider, wanted, limit, now).await.unwrap();
        let mut times = Vec::new();
        for _ in 0..200 {
            let began = std::time::Instant::now();
            archive.bars(&provider, wanted, limit, now).await.unwrap();
            times.push(began.elapsed());
        }
        times.sort();
        println!("{name}: p50 {:?}, p99 {:?}", times[100], times[198]);
    }
    database.drop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_over_bars_that_are_there_leaves_them() {
    for database in Database::each().await {
        let archive = Archive::new(database.store(), None);
        let key = SeriesKey {
            symbol: "AAPL".parse().unwrap(),
            source: "stand-in".into(),
            interval: Interval::OneMinute,
            adjustment: Adjustment::Raw,
        };
        let bars = minutes_of_a_year(60_000);
        archive.load(&key, &bars[..30_000]).await.unwrap();
        let dearer = TimedBar { high: "500".parse().unwrap(), ..bars[0].clone() };
        let others: Vec<_> = std::iter::once(dearer).chain(bars[1..].iter().cloned()).collect();
        archive.load(&key, &others).await.unwrap();
        let store = database.store();
        let day: NaiveDate = "2015-01-02".parse().unwrap();
        let found = store.find(&key, day, day).await.unwrap();
        let all = (bars[0].starts_at, bars[59_999].starts_at + TimeDelta::minutes(1));
        let read = store.read(found.id, Interval::OneMinute, all, 100_000).await.unwrap();
        assert_eq!(read.len(), 60_000);
        assert_eq!(read, bars, "the first stayed as it was");
        database.drop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn minutes_that_were_put_together_here_are_history_for_sources_without_any() {
    for database in Database::each().await {
        let store = database.store();
        let key = SeriesKey {
            symbol: "AAPL".parse().unwrap(),
            source: "replay".into(),
            interval: Interval::OneMinute,
            adjustment: Adjustment::Raw,
        };
        // A Saturday: recorded days are played when no exchange is open.
        let minutes: Vec<_> = (0..10)
            .map(|minute| TimedBar {
                starts_at: at("2026-11-21T17:00:00Z") + TimeDelta::minutes(minute),
                open: "150".parse().unwrap(),
                high: format!("15{minute}.5").parse().unwrap(),
                low: "149.25".parse().unwrap(),
                close: "150.125".parse().unwrap(),
                volume: 7,
            })
            .collect();
        let day: NaiveDate = "2026-11-21".parse().unwrap();
        let id = store.find(&key, day, day).await.unwrap().id;
        let rows: Vec<_> = minutes.iter().map(|bar| (id, bar)).collect();
        store.record(&rows[..7]).await.unwrap();
        store.record(&rows).await.unwrap();

        let server =
            Server::start(&[("GAEMI_PROVIDERS", "replay,synthetic"), ("DATABASE_URL", &database.url)]).await;
        let (status, read) = server.get("/history/AAPL?interval=1m&from=2026-11-21&to=2026-11-21").await;
        assert_eq!((status, &read["complete"]), (200, &serde_json::json!(false)), "{read}");
        assert_eq!(read["bars"].as_array().unwrap().len(), 10, "each once");
        assert_eq!(read["bars"][9], serde_json::to_value(&minutes[9]).unwrap());
        let (_, read) = server.get("/history/AAPL?interval=5m&from=2026-11-21&to=2026-11-21").await;
        assert_eq!(read["bars"].as_array().unwrap().len(), 2);
        assert_eq!(
            (&read["bars"][0]["high"], &read["bars"][0]["volume"]),
            (&serde_json::json!("154.5"), &serde_json::json!(35))
        );
        let (_, none) = server.get("/history/MSFT?interval=1m").await;
        assert_eq!(none["bars"], serde_json::json!([]));
        server.stop().await;
        database.drop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_source_does_not_tell_any_more_is_no_action_any_more() {
    for database in Database::each().await {
        let store = database.store();
        let (symbol, now) = ("AAPL".parse().unwrap(), at("2026-11-21T17:00:00Z"));
        assert_eq!(store.actions(symbol, "stand-in").await.unwrap(), None, "never asked");
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let number = |text: &str| text.parse::<Decimal>().unwrap();
        let split = CorporateAction::split(day("2020-08-31"), number("4"), number("1")).unwrap();
        let paid = CorporateAction::dividend(day("2020-08-31"), number("0.26")).unwrap();
        let wrong = CorporateAction::dividend(day("2021-02-05"), number("20.5")).unwrap();
        let corrected = CorporateAction::dividend(day("2021-02-05"), number("0.205")).unwrap();
        store.replace_actions(symbol, "stand-in", now, &[paid.clone(), split.clone(), wrong]).await.unwrap();
        let later = now + TimeDelta::hours(13);
        store.replace_actions(symbol, "stand-in", later, &[split.clone(), corrected.clone()]).await.unwrap();
        assert_eq!(store.actions(symbol, "stand-in").await.unwrap(), Some((later, vec![split, corrected])));
        store.replace_actions(symbol, "another", now, std::slice::from_ref(&paid)).await.unwrap();
        assert_eq!(store.actions(symbol, "another").await.unwrap(), Some((now, vec![paid])));
        store.replace_actions(symbol, "another", now, &[]).await.unwrap();
        assert_eq!(
            store.actions(symbol, "another").await.unwrap(),
            Some((now, vec![])),
            "asked, and there is nothing"
        );
        database.drop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn corporate_actions_are_asked_for_once_and_outlive_their_source() {
    for database in Database::each().await {
        let yahoo = Stub::start().await;
        let mut values = yahoo.values("yahoo");
        values.push(("DATABASE_URL", database.url.clone()));
        let server = Server::start(&borrowed(&values)).await;
        let (status, told) = server.get("/actions/AAPL").await;
        assert_eq!(
            (status, &told["complete"], &told["source"]),
            (200, &true.into(), &"yahoo".into()),
            "{told}"
        );
        assert_eq!(told["actions"][0]["kind"], "dividend");
        assert_eq!(told["actions"][0]["amount"], "0.26");
        let asked = yahoo.asked();
        yahoo.stop();
        assert_eq!(server.get("/actions/AAPL").await.1, told, "from the server's own store");
        assert_eq!(yahoo.asked(), asked);
        assert_eq!(server.get("/actions/%2e").await.0, 400);
        server.stop().await;
        database.drop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_database_the_server_works_as_if_it_had_none() {
    let server = Server::start(&[
        ("GAEMI_PROVIDERS", "replay,synthetic"),
        ("DATABASE_URL", "postgres://nobody@127.0.0.1:9/nothing"),
    ])
    .await;
    assert_eq!(server.get("/quote/AAPL").await.0, 200);
    assert_eq!(server.get("/history/AAPL").await.0, 200);
    let (_, status) = server.get("/status").await;
    assert_eq!(status["bars"]["reachable"], false);
    server.stop().await;
}
