use super::*;
use domain::AccountId;
use std::collections::BTreeSet;
use std::future::pending;
use std::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// How often each pause is drawn: enough that a quarter which can be hit is hit.
const DRAWS: usize = 1_000;

#[test]
fn pauses_lie_between_half_and_the_whole_and_are_spread_over_all_of_it() {
    for pause in [RECONNECT_PAUSE_FIRST, RECONNECT_PAUSE_FIRST * 8, RECONNECT_PAUSE_MAX] {
        let mut hits = [0; 4];
        for _ in 0..DRAWS {
            let drawn = with_jitter(pause);
            assert!(drawn >= pause / 2 && drawn < pause, "{drawn:?} of {pause:?}");
            let quarter = (drawn - pause / 2).as_nanos() * 4 / (pause / 2).as_nanos();
            hits[usize::try_from(quarter).unwrap()] += 1;
        }
        assert!(hits.iter().all(|hits| *hits > DRAWS / 10), "{hits:?} of {pause:?}");
    }
}

#[test]
fn many_who_are_cut_off_at_once_do_not_call_again_as_one() {
    let drawn: BTreeSet<Duration> = (0..DRAWS).map(|_| with_jitter(RECONNECT_PAUSE_FIRST)).collect();
    assert!(drawn.len() > DRAWS / 4, "{} moments of {DRAWS} callers", drawn.len());
}

#[test]
fn no_pause_is_without_a_length_or_beyond_the_longest() {
    let mut pause = RECONNECT_PAUSE_FIRST;
    for _ in 0..DRAWS {
        let drawn = with_jitter(pause);
        assert!(drawn >= RECONNECT_PAUSE_FIRST / 2 && drawn < RECONNECT_PAUSE_MAX, "{drawn:?}");
        pause = longer(pause);
    }
    assert_eq!(pause, RECONNECT_PAUSE_MAX, "it grows no further");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_open_and_never_says_that_it_listens_is_called_again() {
    let way = Way::new("elsewhere", AccountId::generate(), CancellationToken::new());
    let found = Mutex::new(Vec::new());
    let talking = keep_talking(&way, || {
        let call = {
            let mut found = found.lock().unwrap();
            found.push((way.connection_state().state, way.connection_state().detail));
            found.len()
        };
        let way = &way;
        async move {
            if call == 2 {
                way.is("connected", None);
            }
            pending().await
        }
    });
    let goes_on = timeout(WELCOME_TIME_MAX * 10, talking).await;
    assert!(goes_on.is_err(), "nobody has ended it");
    let found = found.into_inner().unwrap();
    assert_eq!(found.len(), 2, "one that listens is left alone, however quiet it is: {found:?}");
    assert_eq!(found[0].0, "connecting");
    assert_eq!(found[1], ("down", Some("its stream does not say that it listens".to_owned())));
    assert_eq!(way.connection_state().state, "connected");
}

#[tokio::test(start_paused = true)]
async fn the_pauses_grow_while_nobody_answers_and_end_with_the_session() {
    let stop = CancellationToken::new();
    let way = Way::new("elsewhere", AccountId::generate(), stop.clone());
    let called_at = Mutex::new(Vec::new());
    let talking = keep_talking(&way, || {
        called_at.lock().unwrap().push(Instant::now());
        async { Err(Ended::broken("nobody is there")) }
    });
    let goes_on = timeout(RECONNECT_PAUSE_MAX * 20, talking).await;
    assert!(goes_on.is_err(), "nobody has ended it");
    let called_at = called_at.into_inner().unwrap();
    let pauses: Vec<Duration> = called_at.windows(2).map(|two| two[1] - two[0]).collect();
    // A timer is at most a millisecond late.
    let late = Duration::from_millis(1);
    let mut whole = RECONNECT_PAUSE_FIRST;
    for pause in &pauses {
        assert!(*pause >= whole / 2 && *pause <= whole + late, "{pause:?} of {whole:?}");
        whole = longer(whole);
    }
    assert!(pauses.len() > 20, "it was called again and again: {pauses:?}");
    stop.cancel();
    let talking = keep_talking(&way, || async { Err(Ended::broken("nobody is there")) });
    assert!(timeout(RECONNECT_PAUSE_MAX, talking).await.is_ok(), "it goes on although the session is over");
}
