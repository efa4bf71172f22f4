use super::*;
use crate::provider::Level;
use crate::sanity::SPIKE_CONFIRMATIONS;
use crate::sanity::tests::{now, price, quote};
use crate::witness::Says;
use chrono::TimeDelta;
use std::collections::BTreeMap;
use std::task::{Context, Waker};

fn offer(hub: &Hub, quote: Quote) -> Option<Arc<Quote>> {
    hub.offer(quote, now(), &mut Wakers::default()).ok()
}

fn follower(hub: &Hub, channel: Channel) -> Arc<Mailbox> {
    let mailbox = Arc::new(Mailbox::default());
    hub.subscribe(&mailbox, Topic { channel, symbol: quote().symbol }).unwrap();
    mailbox
}

fn subscriber(hub: &Hub) -> Arc<Mailbox> {
    follower(hub, Channel::Quotes)
}

fn sequence(text: &str) -> u64 {
    serde_json::from_str::<serde_json::Value>(text).unwrap()["sequence"].as_u64().unwrap()
}

#[test]
fn all_subscribers_share_one_text() {
    let hub = Hub::default();
    let (one, other) = (subscriber(&hub), subscriber(&hub));
    offer(&hub, quote()).unwrap();
    let take = |mailbox: &Mailbox| {
        let mut taken = Vec::new();
        let _ = mailbox.poll_take(&mut Context::from_waker(Waker::noop()), &mut taken, usize::MAX);
        taken
    };
    let (one, other) = (take(&one), take(&other));
    assert_eq!(one[0].wire().as_ptr(), other[0].wire().as_ptr(), "written once");
}

#[test]
fn what_is_kept_back_is_counted_and_never_sent() {
    let hub = Hub::default();
    let mailbox = subscriber(&hub);
    assert!(offer(&hub, Quote { volume: 0, ..quote() }).is_none());
    assert!(offer(&hub, Quote { at: now() + TimeDelta::hours(1), ..quote() }).is_none());
    assert!(mailbox.texts().is_empty());
    assert_eq!(hub.quarantine.counts(), BTreeMap::from([("halted_day", 1), ("future", 1)]));
    let shown: Vec<_> = hub.quarantine.recent().into_iter().map(|kept| (kept.reason, kept.price)).collect();
    assert_eq!(shown, [("halted_day", Some(price("150"))), ("future", Some(price("150")))]);
}

#[test]
fn a_spike_is_believed_when_the_source_insists() {
    let hub = Hub::default();
    offer(&hub, quote()).unwrap();
    let spike = Quote { price: price("75"), low: price("70"), ..quote() };
    assert!(offer(&hub, spike.clone()).is_none());
    assert!(offer(&hub, quote()).is_some(), "back to the old price: it was none");
    assert!((1..SPIKE_CONFIRMATIONS).all(|_| offer(&hub, spike.clone()).is_none()));
    assert!(offer(&hub, spike).is_some());
}

/// A price by another source, of now.
fn told(text: &str) -> Quote {
    let price = price(text);
    Quote {
        price,
        open: price,
        high: price,
        low: price,
        bid: None,
        ask: None,
        source: "yahoo".into(),
        ..quote()
    }
}

fn said(hub: &Hub) -> Vec<Option<Says>> {
    let says = |kept: crate::quarantine::KeptBack| kept.other_source.map(|testimony| testimony.says);
    hub.quarantine.recent().into_iter().map(says).collect()
}

#[tokio::test(start_paused = true)]
async fn a_spike_that_another_source_denies_is_never_believed_however_the_first_insists() {
    let hub = Hub::default();
    offer(&hub, quote()).unwrap();
    let mailbox = subscriber(&hub);
    mailbox.texts();
    let spike = Quote { price: price("75"), low: price("70"), ..quote() };
    assert!(offer(&hub, spike.clone()).is_none());
    assert!(hub.ask("yahoo", &spike, now()));
    for _ in 0..2 * SPIKE_CONFIRMATIONS {
        assert!(offer(&hub, spike.clone()).is_none(), "the answer is on its way");
    }
    assert!(hub.hear(spike.symbol, Some(told("149")), now(), &mut Wakers::default()).is_none());
    for _ in 0..2 * SPIKE_CONFIRMATIONS {
        assert!(offer(&hub, spike.clone()).is_none());
    }
    assert!(mailbox.texts().is_empty());
    assert!(said(&hub).iter().all(|says| *says == Some(Says::Denied)), "{:?}", said(&hub));
    assert!(offer(&hub, quote()).is_some(), "what agrees with what is known needs nobody");
}

#[tokio::test(start_paused = true)]
async fn a_spike_that_another_source_confirms_is_believed_at_once() {
    let hub = Hub::default();
    offer(&hub, quote()).unwrap();
    let mailbox = subscriber(&hub);
    mailbox.texts();
    let fall = Quote { price: price("75"), low: price("75"), ..quote() };
    assert!(offer(&hub, fall.clone()).is_none());
    assert!(hub.ask("yahoo", &fall, now()));
    let believed = hub.hear(fall.symbol, Some(told("76")), now(), &mut Wakers::default());
    assert_eq!(believed.as_deref(), Some(&fall));
    assert_eq!(mailbox.texts().len(), 1);
    assert!(offer(&hub, Quote { price: price("74"), low: price("74"), ..fall }).is_some());
}

#[tokio::test(start_paused = true)]
async fn where_another_source_has_nothing_to_say_insistence_decides() {
    for told in [None, Some(Quote { at: now() - TimeDelta::minutes(15), ..told("149") }), Some(told("105"))] {
        let hub = Hub::default();
        offer(&hub, quote()).unwrap();
        let fall = Quote { price: price("75"), low: price("75"), ..quote() };
        assert!(offer(&hub, fall.clone()).is_none());
        assert!(hub.ask("yahoo", &fall, now()));
        assert!(hub.hear(fall.symbol, told, now(), &mut Wakers::default()).is_none(), "the second time");
        assert!(offer(&hub, fall).is_some(), "the third");
    }
}

#[tokio::test(start_paused = true)]
async fn a_doubted_price_that_has_grown_old_meanwhile_is_left_out() {
    let hub = Hub::default();
    offer(&hub, quote()).unwrap();
    let fall = Quote { price: price("75"), low: price("75"), ..quote() };
    assert!(offer(&hub, fall.clone()).is_none());
    assert!(hub.ask("yahoo", &fall, now()));
    let later = Quote { at: now() + TimeDelta::seconds(1), ..quote() };
    assert!(offer(&hub, later.clone()).is_some());
    assert!(hub.hear(fall.symbol, Some(told("76")), now(), &mut Wakers::default()).is_none());
    assert_eq!(hub.last(fall.symbol).as_deref(), Some(&later));
}

#[test]
fn a_low_that_was_never_believed_is_not_told_either() {
    let hub = Hub::default();
    offer(&hub, quote()).unwrap();
    assert!(offer(&hub, Quote { price: price("15"), low: price("15"), ..quote() }).is_none());
    let after = offer(&hub, Quote { price: price("150.2"), low: price("15"), ..quote() }).unwrap();
    assert_eq!(after.low, quote().low);
}

#[tokio::test(start_paused = true)]
async fn a_memory_is_given_only_when_nothing_fresh_comes() {
    let hub = Hub::default();
    hub.remember(quote(), now());
    let patient = subscriber(&hub);
    hub.wanted(Instant::now(), &BTreeSet::new());
    assert!(patient.texts().is_empty(), "a fresh price may be on its way");
    tokio::time::advance(MEMORY_DELAY).await;
    hub.wanted(Instant::now(), &BTreeSet::new());
    assert_eq!(patient.texts().len(), 1);

    let lucky = subscriber(&hub);
    offer(&hub, Quote { price: price("150.5"), ..quote() }).unwrap();
    tokio::time::advance(MEMORY_DELAY).await;
    hub.wanted(Instant::now(), &BTreeSet::new());
    let frames = lucky.texts();
    assert!(frames.len() == 1 && frames[0].contains("150.5"), "{frames:?}");
}

#[tokio::test(start_paused = true)]
async fn interest_over_rest_passes_and_the_value_becomes_a_memory() {
    let hub = Hub::default();
    assert!(hub.quote(quote().symbol, Duration::from_secs(1)).await.is_none());
    assert_eq!(hub.wanted(Instant::now(), &BTreeSet::new()).len(), 1);
    offer(&hub, quote()).unwrap();
    assert_eq!(hub.quote(quote().symbol, Duration::ZERO).await.as_deref(), Some(&quote()));
    tokio::time::advance(INTEREST + Duration::from_secs(1)).await;
    assert!(hub.wanted(Instant::now(), &BTreeSet::new()).is_empty());
    assert!(hub.state().last.values().all(|last| !last.fresh));
}

#[test]
fn a_symbol_that_turns_out_unknown_is_taken_back_with_a_word() {
    let hub = Hub::default();
    let mailbox = subscriber(&hub);
    hub.refuse(quote().symbol);
    assert!(mailbox.subscribed().is_empty() && hub.subscribed_symbols() == 0);
    assert!(mailbox.texts()[0].contains("unknown_symbol"));
}

#[test]
fn who_leaves_leaves_nothing_behind() {
    let hub = Hub::default();
    hub.remember(quote(), now());
    let mailbox = subscriber(&hub);
    hub.unsubscribe(&mailbox, &mailbox.subscribed());
    assert_eq!(Arc::strong_count(&mailbox), 1);
    assert_eq!(hub.subscribed_symbols(), 0);
}

#[test]
fn a_gap_in_the_numbers_tells_that_something_was_missed() {
    let hub = Hub::new(now());
    let mailbox = subscriber(&hub);
    let number = |count: u32| Quote { volume: 1_000 + u64::from(count), ..quote() };
    (0..100_000).for_each(|count| _ = offer(&hub, number(count)));
    let texts = mailbox.texts();
    let numbers: Vec<_> = texts.iter().map(|text| sequence(text)).collect();
    let (first, last) = (numbers[0], numbers[numbers.len() - 1]);
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1) && first + 99_999 > last - 600);
    assert_eq!(last, u64::try_from(now().timestamp_micros()).unwrap() + 99_999);

    let late = subscriber(&hub).texts();
    assert!(late[0].contains(r#""snapshot":true"#) && sequence(&late[0]) == last, "{late:?}");
    offer(&hub, number(100_000));
    let next = mailbox.texts();
    assert!(sequence(&next[0]) == last + 1 && !next[0].contains("snapshot"), "{next:?}");
}

#[test]
fn each_channel_has_its_own_words() {
    let hub = Hub::default();
    let (ticks, bars) = (follower(&hub, Channel::Ticks), follower(&hub, Channel::Bars));
    offer(&hub, quote());
    assert!(ticks.texts()[0].starts_with(r#"{"type":"tick","symbol":"AAPL","price":150,"#));
    assert!(bars.texts().is_empty(), "bars are told once a second");
    hub.tell_minutes(now());
    assert!(bars.texts()[0].contains(r#""final":false"#));
    hub.tell_minutes(now());
    assert!(bars.texts().is_empty(), "nothing has changed");
    offer(&hub, Quote { at: now() + TimeDelta::seconds(60), ..quote() });
    assert!(bars.texts()[0].contains(r#""final":true"#), "the next minute has begun");
}

#[test]
fn an_order_book_is_told_when_it_changes_and_to_whoever_joins() {
    let hub = Hub::default();
    let follower_of_books = follower(&hub, Channel::OrderBook);
    let level = |text: &str| Level { price: price(text), quantity: 10 };
    let book = |bid: &str| OrderBook {
        symbol: quote().symbol,
        currency: quote().currency,
        bids: vec![level(bid)],
        asks: vec![level("150.01")],
        at: now(),
        source: "synthetic",
        simulated: true,
    };
    assert_eq!(hub.books_wanted(), BTreeSet::from([quote().symbol]));
    hub.offer_book(book("150"));
    hub.offer_book(book("150"));
    hub.offer_book(book("149.5"));
    let told = follower_of_books.texts();
    assert!(told.len() == 2 && told[1].contains(r#""bids":[{"price":149.5,"quantity":10}]"#), "{told:?}");
    let joined = follower(&hub, Channel::OrderBook).texts();
    assert!(joined[0].contains(r#""snapshot":true"#) && sequence(&joined[0]) == sequence(&told[1]));
}

#[test]
fn what_another_server_tells_is_passed_on_letter_by_letter_and_never_back_in_time() {
    let (leading, following) = (Hub::new(now()), Hub::new(now() + TimeDelta::hours(1)));
    let tap = Arc::new(Mailbox::default());
    leading.tap(Some(&tap));
    offer(&leading, quote());
    offer(&leading, Quote { price: price("150.5"), ..quote() });
    let told = tap.texts();
    let mailbox = subscriber(&following);
    for text in [&told[1], &told[0], &told[1]] {
        let (quote, place) = domain::market_data::read_quote(text).unwrap();
        following.accept(quote, place.unwrap(), text);
    }
    assert_eq!(mailbox.texts(), [told[1].clone()]);
    following.begin_numbers(now() + TimeDelta::hours(1));
    offer(&following, Quote { price: price("150.7"), ..quote() });
    let next = mailbox.texts();
    assert!(sequence(&next[0]) > sequence(&told[1]) + 1, "who takes over leaves a gap");
    leading.tell_tap(&BTreeSet::from([quote().symbol]));
    assert!(tap.texts()[0].contains(r#""price":150.5"#));
}
