//! The bad-tick corpus: years of real days, errors included, each judged right.
//!
//! What is right is worked out here from the raw text, by other means than the program's, and every good day is also
//! damaged in each way that has a name, which has to be found.

use super::tape::Tape;
use super::{NAME, SHIPPED, grid};
use crate::sanity::{Reason, Verdict, judge, weigh};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::{Currency, Price, Quote, Symbol};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// A row as its text says, without judgement.
struct Raw {
    symbol: Symbol,
    date: NaiveDate,
    prices: [Decimal; 4],
    volume: u64,
}

fn raw(text: &str) -> Vec<Raw> {
    let header: Vec<_> = text.lines().next().unwrap().split(',').collect();
    let column = |name: &str| header.iter().position(|known| *known == name).unwrap();
    let columns = ["open", "high", "low", "close"].map(column);
    text.lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<_> = line.split(',').collect();
            Raw {
                symbol: cells[column("symbol")].parse().unwrap(),
                date: cells[column("date")].parse().unwrap(),
                prices: columns.map(|column| cells[column].parse().unwrap()),
                volume: cells[column("volume")].parse().unwrap(),
            }
        })
        .collect()
}

fn is_bad(row: &Raw) -> bool {
    let [open, high, low, close] = row.prices;
    row.volume == 0
        || row.prices.iter().any(Decimal::is_zero)
        || low > open
        || low > close
        || high < open
        || high < close
}

/// A day's last quote, as it would be played at a moment.
fn quote(session: &super::Session, symbol: Symbol, at: DateTime<Utc>) -> Quote {
    let price = |units| grid::price(units).unwrap();
    Quote {
        symbol,
        price: price(session.day.close),
        bid: None,
        ask: None,
        previous_close: grid::price(session.previous_close),
        volume: session.volume,
        currency: symbol.currency(),
        session_date: session.date,
        open: price(session.day.open),
        high: price(session.day.high),
        low: price(session.day.low),
        at,
        source: NAME.to_owned(),
        simulated: false,
        delayed: true,
    }
}

/// Every damage that has a name, done to a good quote.
fn damaged(good: &Quote) -> Vec<(Quote, Reason)> {
    let scaled = |price: Price, part: i64| Price::new(price.value() * Decimal::new(part, 1)).unwrap();
    let (bid, ask) = (scaled(good.high, 11), scaled(good.low, 9));
    let other = if good.currency == Currency::Usd { Currency::Krw } else { Currency::Usd };
    vec![
        (Quote { volume: 0, ..good.clone() }, Reason::HaltedDay),
        (Quote { price: scaled(good.high, 11), ..good.clone() }, Reason::Inconsistent),
        (Quote { low: scaled(good.high, 11), ..good.clone() }, Reason::Inconsistent),
        (Quote { bid: Some(bid), ask: Some(ask), ..good.clone() }, Reason::Crossed),
        (Quote { currency: other, ..good.clone() }, Reason::WrongCurrency),
        (Quote { at: good.at + TimeDelta::hours(1), ..good.clone() }, Reason::Future),
        (Quote { at: good.at - TimeDelta::seconds(1), ..good.clone() }, Reason::Stale),
        (Quote { price: scaled(good.high, 30), high: scaled(good.high, 30), ..good.clone() }, Reason::Spike),
        (
            Quote {
                price: scaled(good.low, 4),
                low: scaled(good.low, 4),
                source: "other".into(),
                ..good.clone()
            },
            Reason::Spike,
        ),
    ]
}

/// Plays every good day in order and judges it beside the day before; what was refused of the raw rows is counted.
fn judge_all(text: &str) -> Verdicts {
    let tape = Tape::read([text]).unwrap();
    let mut verdicts = Verdicts::default();
    let mut rows: BTreeMap<Symbol, Vec<Raw>> = BTreeMap::new();
    for row in raw(text) {
        rows.entry(row.symbol).or_default().push(row);
    }
    let start: DateTime<Utc> = "2026-11-20T00:00:00Z".parse().unwrap();
    for (symbol, rows) in rows {
        let mut known: Option<Quote> = None;
        for (row, second) in rows.iter().zip(0i64..) {
            let session = tape.session_until(symbol, row.date).filter(|session| session.date == row.date);
            assert_eq!(session.is_none(), is_bad(row), "{symbol} {}", row.date);
            let Some(session) = session else {
                verdicts.refused += 1;
                continue;
            };
            let at = start + TimeDelta::seconds(second);
            let good = quote(session, symbol, at);
            assert_eq!(judge(&good, known.as_ref(), at), Ok(()), "{symbol} {}", row.date);
            let witness = Quote { source: "another".to_owned(), ..good.clone() };
            assert_eq!(weigh(&good, &witness, at), Verdict::Confirmed, "{symbol} {}", row.date);
            for (bad, reason) in damaged(&good) {
                assert_eq!(judge(&bad, Some(&good), at), Err(reason), "{symbol} {} {reason:?}", row.date);
                verdicts.damaged += 1;
                if reason == Reason::Spike {
                    let verdict = weigh(&bad, &witness, at);
                    assert_eq!(verdict, Verdict::Denied, "{symbol} {}", row.date);
                    let slow = Quote { at: at - TimeDelta::minutes(15), ..witness.clone() };
                    assert_eq!(weigh(&bad, &slow, at), Verdict::Undecided, "{symbol} {}", row.date);
                }
            }
            if let Some(before) = &known {
                verdicts.note(before, &good);
                let yesterday = Quote { source: "another".to_owned(), ..before.clone() };
                assert_eq!(weigh(&good, &yesterday, at), Verdict::Undecided, "{symbol} {}", row.date);
            }
            verdicts.believed += 1;
            known = Some(good);
        }
    }
    verdicts
}

#[derive(Default)]
struct Verdicts {
    believed: usize,
    refused: usize,
    damaged: usize,
    /// Days whose close before was counted anew, or is not known because the record does not tell how.
    splits: Vec<String>,
    /// Days that lost more than a quarter for real.
    crashes: Vec<String>,
}

impl Verdicts {
    fn note(&mut self, before: &Quote, after: &Quote) {
        let name = format!("{} {}", after.symbol, after.session_date);
        let first = after.open;
        let uncounted = Quote {
            previous_close: Some(before.price),
            price: first,
            high: first,
            low: first,
            ..after.clone()
        };
        if after.previous_close != Some(before.price) {
            // The day's first price, told by a source that has not counted what happened, is not believed.
            assert_eq!(judge(&uncounted, Some(before), after.at), Err(Reason::SplitDay), "{name}");
            let witness = Quote { source: "another".to_owned(), previous_close: None, ..uncounted.clone() };
            assert_eq!(weigh(&uncounted, &witness, after.at), Verdict::Confirmed, "{name}");
            self.splits.push(name);
        } else if after.price.value() < before.price.value() * Decimal::new(75, 2) {
            self.crashes.push(name);
        }
    }
}

#[test]
fn every_shipped_day_is_judged_right() {
    let verdicts = judge_all(SHIPPED);
    assert!(verdicts.believed > 8_000 && verdicts.damaged == verdicts.believed * 9);
    assert!(verdicts.splits.is_empty(), "{:?}", verdicts.splits);
}

/// The whole record may not be shipped; whoever has it names its folder.
#[test]
fn every_day_of_the_whole_record_is_judged_right() {
    let Some(folder) = std::env::var_os("GAEMI_TEST_MARKET_FOLDER") else {
        println!("skipped: GAEMI_TEST_MARKET_FOLDER names no folder with us-daily.csv and krx-daily.csv");
        return;
    };
    let read = |name: &str| std::fs::read_to_string(std::path::Path::new(&folder).join(name)).unwrap();
    let us = judge_all(&read("us-daily.csv"));
    assert_eq!(us.splits, ["AAPL 2000-06-21", "AAPL 2005-02-28", "MSFT 2003-02-18"]);
    assert!(us.crashes.contains(&"AAPL 2000-09-29".to_owned()), "{:?}", us.crashes);
    assert_eq!(us.refused, 0);
    let krx = judge_all(&read("krx-daily.csv"));
    assert_eq!(krx.refused, 48, "halted days, one of them with shares traded");
    let splits = [
        "035420.KS 2004-02-26",
        "035420.KS 2006-07-14",
        "035420.KS 2013-08-29",
        "035720.KS 2000-02-03",
        "090430.KS 2015-05-08",
    ];
    assert_eq!(krx.splits, splits, "what no limit of the exchange allows");
    assert!(krx.crashes.iter().any(|day| day.ends_with("1996-03-12")), "{:?}", krx.crashes);
    println!(
        "{} + {} days believed, {} refused, {} damaged ones found out",
        us.believed,
        krx.believed,
        krx.refused,
        us.damaged + krx.damaged
    );
}
