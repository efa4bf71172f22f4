use super::*;

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
    let drawn: std::collections::BTreeSet<Duration> =
        (0..DRAWS).map(|_| with_jitter(RECONNECT_PAUSE_FIRST)).collect();
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
