use super::folder::read_folder;
use super::*;
use chrono::TimeDelta;

fn settings(start: Option<&str>) -> ReplaySettings {
    ReplaySettings {
        folder: None,
        session: Duration::from_secs(60),
        ticks_per_session: 120,
        start: start.map(|date| date.parse().unwrap()),
        state: None,
    }
}

fn shipped(start: Option<&str>) -> Replay {
    Replay::new(Tape::read([SHIPPED]).unwrap(), Vec::new(), &settings(start)).unwrap()
}

fn symbol(text: &str) -> Symbol {
    text.parse().unwrap()
}

const ALL: HistoryRange = HistoryRange { from: None, to: None, limit: 10_000 };

#[test]
fn the_position_depends_on_the_time_alone() {
    let pace = Pace::new(&settings(None));
    let at = |millis| pace.position(Duration::from_millis(millis));
    assert_eq!(at(0), Position { session: 0, tick: 0 });
    assert_eq!(at(499), Position { session: 0, tick: 0 });
    assert_eq!(at(500), Position { session: 0, tick: 1 });
    assert_eq!(at(59_999), Position { session: 0, tick: 119 });
    assert_eq!(at(60_000), Position { session: 1, tick: 0 });
    for ticks in [4, 7, 119, 120, 997] {
        let pace = Pace { session: Duration::from_secs(60), ticks };
        let mut position = Position { session: 3, tick: 0 };
        for _ in 0..2_000 {
            assert_eq!(pace.position(pace.begins(position)), position, "{ticks} ticks");
            position = pace.next(position);
        }
    }
}

#[test]
fn a_day_is_played_from_its_open_to_its_close() {
    let replay = shipped(Some("2008-09-29"));
    let quotes: Vec<_> =
        (0..120).map(|tick| replay.quote(symbol("AAPL"), Position { session: 0, tick }).unwrap()).collect();
    // 2008-09-29: open 119.62, high 119.68, low 100.59, close 105.26.
    let (first, last) = (&quotes[0], &quotes[119]);
    assert_eq!(first.price.to_string(), "119.62");
    assert_eq!(last.price.to_string(), "105.26");
    assert_eq!((last.high.to_string(), last.low.to_string()), ("119.68".into(), "100.59".into()));
    assert_eq!(last.previous_close.unwrap().to_string(), "128.24");
    assert!(quotes.windows(2).all(|pair| pair[0].volume <= pair[1].volume && pair[0].high <= pair[1].high));
    for quote in &quotes {
        assert_eq!(quote.session_date.to_string(), "2008-09-29");
        assert!(quote.bid.unwrap() < quote.price && quote.price < quote.ask.unwrap());
        assert_eq!(crate::sanity::judge(quote, None, quote.at), Ok(()));
        assert!(quote.delayed && !quote.simulated);
    }
}

#[test]
fn history_never_shows_the_future_of_the_replay() {
    let replay = shipped(Some("2008-09-29"));
    let position = Position { session: 0, tick: 10 };
    let quote = replay.quote(symbol("AAPL"), position).unwrap();
    let bars = replay.history_at(symbol("AAPL"), position, ALL).unwrap();
    let running = bars.last().unwrap();
    assert_eq!(running.date.to_string(), "2008-09-29");
    assert_eq!(
        (running.close, running.high, running.low, running.volume),
        (quote.price, quote.high, quote.low, quote.volume)
    );
    assert_ne!(running.low.to_string(), "100.59", "the low of the day has not been played yet");
    assert_eq!(bars[bars.len() - 2].close, quote.previous_close.unwrap());
    assert_eq!(bars.first().unwrap().date.to_string(), "2005-03-01");

    let range = HistoryRange { from: "2008-09-01".parse().ok(), to: "2008-09-12".parse().ok(), limit: 3 };
    let days: Vec<_> = replay
        .history_at(symbol("AAPL"), position, range)
        .unwrap()
        .iter()
        .map(|bar| bar.date.to_string())
        .collect();
    assert_eq!(days, ["2008-09-10", "2008-09-11", "2008-09-12"]);
}

#[test]
fn the_play_begins_with_a_year_of_history_behind_it() {
    let replay = shipped(None);
    let bars = replay.history_at(symbol("IBM"), Position { session: 0, tick: 0 }, ALL).unwrap();
    assert_eq!(bars.len(), 251, "250 days and the running one");
}

#[test]
fn after_the_last_day_comes_the_first_played_one() {
    let replay = shipped(Some("2013-02-28"));
    let day = |session| {
        replay.quote(symbol("MSFT"), Position { session, tick: 0 }).unwrap().session_date.to_string()
    };
    assert_eq!([day(0), day(1), day(2), day(3)], ["2013-02-28", "2013-03-01", "2013-02-28", "2013-03-01"]);
}

#[test]
fn a_share_without_a_row_for_the_day_keeps_its_last_price_and_time() {
    let record = "symbol,date,open,high,low,close,volume\n\
        IBM,2010-01-04,10,12,9,11,1000\nAAPL,2010-01-04,20,22,19,21,1000\n\
        IBM,2010-01-05,0,0,0,11,0\nAAPL,2010-01-05,21,23,20,22,1000\n\
        IBM,2010-01-06,11,13,10,12,1000\nAAPL,2010-01-06,22,24,21,23,1000\n";
    let settings = settings(Some("2010-01-04"));
    let replay = Replay::new(Tape::read([record]).unwrap(), Vec::new(), &settings).unwrap();
    let last = replay.quote(symbol("IBM"), Position { session: 0, tick: 119 }).unwrap();
    let halted = replay.quote(symbol("IBM"), Position { session: 1, tick: 60 }).unwrap();
    assert_eq!(halted, last, "same price, same time: nobody takes it for a new one");
    assert_eq!(halted.price.to_string(), "11");
    let next = replay.quote(symbol("IBM"), Position { session: 2, tick: 0 }).unwrap();
    assert_eq!(
        (next.price.to_string(), next.previous_close.unwrap().to_string()),
        ("11".into(), "11".into())
    );
    assert_eq!(next.session_date, NaiveDate::from_ymd_opt(2010, 1, 6).unwrap());
    assert_eq!(replay.report().rejected.get("halted_day"), Some(&1));
}

#[test]
fn a_restart_goes_on_where_the_play_was() {
    let folder = tempfile::tempdir().unwrap();
    let kept = |start| ReplaySettings { state: Some(folder.path().join("replay.json")), ..settings(start) };
    let start =
        |kept: &ReplaySettings| Replay::new(Tape::read([SHIPPED]).unwrap(), Vec::new(), kept).unwrap();
    let text = r#"{"record":"@","session":3,"dayPartMillionths":500000}"#;
    let record = start(&kept(None)).tape.identity();
    std::fs::write(folder.path().join("replay.json"), text.replace('@', &record)).unwrap();
    let again = start(&kept(None));
    let position = again.pace.position(again.elapsed());
    assert_eq!((position.session, position.tick), (3, 60));
    let quote = again.quote(symbol("AAPL"), position).unwrap();
    assert!(
        Utc::now() - quote.at < TimeDelta::seconds(1),
        "a price that is played now is of now: {}",
        quote.at
    );
    let other = start(&kept(Some("2008-09-29")));
    assert_eq!(other.pace.position(other.elapsed()), Position { session: 0, tick: 0 }, "another start");
    assert!(other.notes[0].contains("began anew"), "{:?}", other.notes);
}

#[test]
fn a_start_after_the_record_is_refused_by_name() {
    let refused = Replay::new(Tape::read([SHIPPED]).unwrap(), Vec::new(), &settings(Some("2020-01-01")));
    let message = refused.err().unwrap().to_string();
    assert!(message.contains("GAEMI_REPLAY_START") && message.contains("2013-03-01"), "{message}");
    assert!(
        Replay::new(
            Tape::read(["symbol,date,open,high,low,close,volume\n"]).unwrap(),
            Vec::new(),
            &settings(None)
        )
        .is_err()
    );
}

#[test]
fn a_file_that_is_no_record_is_named_and_the_others_are_played() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("a-notes.csv", b"title,text\n1,hello\n");
    write("b-binary.csv", &[0xff, 0xfe, 0x00]);
    write("c-good.csv", b"symbol,date,open,high,low,close,volume\nIBM,2010-01-04,10,12,9,11,1000\n");
    write("d-other.txt", b"symbol,date,open,high,low,close,volume\nAAPL,2010-01-04,10,12,9,11,1000\n");
    write("e-cut.parquet", b"PAR1");
    write("f-good.parquet", include_bytes!("../../../test_data/parquet/table.parquet"));
    let (tape, notes) = read_folder(folder.path()).unwrap();
    assert_eq!(tape.symbols(), [symbol("005930.KS"), symbol("AAPL"), symbol("IBM")]);
    let named = ["a-notes.csv", "b-binary.csv", "e-cut.parquet"];
    assert_eq!(notes.len(), named.len(), "{notes:?}");
    assert!(notes.iter().zip(named).all(|(note, name)| note.starts_with(name)), "{notes:?}");
}

/// Korean prices may not be shipped; whoever has the file names its folder.
#[test]
fn korean_halted_days_never_become_a_price() {
    let Some(folder) = std::env::var_os("GAEMI_TEST_MARKET_FOLDER") else {
        println!("skipped: GAEMI_TEST_MARKET_FOLDER names no folder with krx-daily.csv");
        return;
    };
    let (tape, _) = read_folder(std::path::Path::new(&folder)).unwrap();
    assert_eq!(tape.rejected.get(&row::RowError::HaltedDay), Some(&48));
    let samsung = symbol("005930.KS");
    let zero_prices: NaiveDate = "1995-06-10".parse().unwrap();
    assert!(tape.session_until(samsung, zero_prices).unwrap().date < zero_prices);

    let replay =
        Replay::new(tape, Vec::new(), &ReplaySettings { ticks_per_session: 8, ..settings(None) }).unwrap();
    for share in replay.tape.symbols() {
        for session in 0..1_000 {
            for tick in [0, 3, 7] {
                let quote = replay.quote(share, Position { session, tick }).unwrap();
                let units = grid::units(quote.price.value()).unwrap();
                assert_eq!(units % grid::tick(share.market(), units), 0, "{share} {quote:?}");
                assert_eq!(crate::sanity::judge(&quote, None, quote.at), Ok(()));
            }
        }
    }
}
