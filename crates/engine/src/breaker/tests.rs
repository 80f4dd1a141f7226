//! The clock is a number here: nothing waits.

use hashward_core::{EntryId, ListId};
use proptest::prelude::*;

use super::*;

const LIMITS: BreakerLimits =
    BreakerLimits { matches_max: 3, window: Duration::from_secs(10), release: Duration::from_secs(5) };

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_305_600 + second).unwrap()
}

fn key(entry: u64) -> EntryKey {
    (list(), EntryId(entry))
}

fn list() -> ListId {
    "sample".parse().unwrap()
}

/// Counts a match of entry 1 at `second`, and says whether it may act.
fn acts(counts: &mut Counts, second: i64) -> bool {
    counts.release(at(second), &LIMITS);
    counts.count(&key(1), at(second), &LIMITS);
    !counts.tripped.holds(&list(), EntryId(1), at(second))
}

#[test]
fn so_many_matches_act_in_a_window() {
    for (seconds, expected) in [
        // The window begins with the first match, and ends after ten seconds.
        (&[0, 1, 2, 3, 9][..], &[true, true, true, false, false][..]),
        (&[0, 1, 9, 10, 11, 19, 20], &[true; 7]),
        (&[100, 100, 100, 100], &[true, true, true, false]),
        // Released five seconds after the end of the flooded window.
        (&[0, 0, 0, 0, 14], &[true, true, true, false, false]),
        (&[0, 0, 0, 0, 15, 15, 15, 15], &[true, true, true, false, true, true, true, false]),
        // What matches while the entry is tripped counts too: the window from 14 lets two more act.
        (&[0, 0, 0, 0, 14, 15, 15, 15], &[true, true, true, false, false, true, true, false]),
        // The window from 12 to 22 is flooded as well: released at 27.
        (
            &[0, 0, 0, 0, 12, 12, 12, 12, 15, 26, 27],
            &[true, true, true, false, false, false, false, false, false, false, true],
        ),
        // The window from 12 is not, and does not keep the entry tripped.
        (&[0, 0, 0, 0, 12, 12, 15], &[true, true, true, false, false, false, true]),
        // A clock that is set back begins anew.
        (&[100, 100, 100, 0, 0, 0, 0], &[true, true, true, true, true, true, false]),
        (&[1000, 1000, 1000, 1000, 0], &[true, true, true, false, true]),
    ] {
        let mut counts = Counts::default();
        let found: Vec<bool> = seconds.iter().map(|second| acts(&mut counts, *second)).collect();
        assert_eq!(found, expected, "{seconds:?}");
    }
}

#[test]
fn a_trip_and_a_release_are_told_once() {
    let mut counts = Counts::default();
    let trips: Vec<bool> = (0..6).map(|_| counts.count(&key(1), at(0), &LIMITS)).collect();
    assert_eq!(trips, [false, false, false, true, false, false]);
    assert_eq!(counts.release(at(14), &LIMITS), []);
    assert_eq!(counts.release(at(15), &LIMITS), [key(1)]);
    assert_eq!(counts.release(at(15), &LIMITS), []);
}

#[test]
fn entries_are_counted_apart() {
    let mut counts = Counts::default();
    for _ in 0..4 {
        counts.count(&key(1), at(0), &LIMITS);
        counts.count(&("other".parse().unwrap(), EntryId(2)), at(0), &LIMITS);
    }
    let tripped = Arc::clone(&counts.tripped);
    assert!(tripped.holds(&list(), EntryId(1), at(0)));
    assert!(!tripped.holds(&list(), EntryId(2), at(0)), "the same entry's name in another list");
    assert_eq!(tripped.len(), 2);
}

#[test]
fn the_stalest_are_forgotten() {
    let limits = BreakerLimits { matches_max: 1, ..LIMITS };
    let mut counts = Counts::default();
    for entry in 0..BREAKER_ENTRIES_MAX as u64 {
        assert_eq!(counts.make_room(&key(entry)), []);
        counts.count(&key(entry), at(0), &limits);
    }
    // Entry 0 trips, and is the newest again; entry 1 trips early, and is as stale as the others around it.
    counts.windows.get_mut(&key(1)).unwrap().matches = 2;
    Arc::make_mut(&mut counts.tripped).0.insert(key(1), at(15));
    assert!(counts.count(&key(0), at(0), &limits));
    assert_eq!(counts.make_room(&key(7)), [], "it is counted already");
    assert_eq!(counts.make_room(&key(u64::MAX)), [key(1)]);
    assert_eq!(counts.windows.len(), BREAKER_ENTRIES_MAX - FORGOTTEN_ENTRIES);
    let stale = 1..=FORGOTTEN_ENTRIES as u64;
    assert!(stale.clone().all(|entry| !counts.windows.contains_key(&key(entry))));
    assert!(counts.windows.contains_key(&key(stale.end() + 1)));
    assert!(counts.tripped.holds(&list(), EntryId(0), at(0)));
    assert_eq!(counts.make_room(&key(u64::MAX)), []);
}

proptest! {
    /// Over any stream of matches: never more than two windows' worth act within one window's time, and none is stopped
    /// that no flood came before.
    #[test]
    fn a_flood_is_stopped_and_nothing_else(steps in prop::collection::vec((0_i64..8, 0_u64..3), 1..200)) {
        let mut counts = Counts::default();
        let mut seen: Vec<(i64, u64, bool)> = Vec::new();
        let mut second = 0;
        for (step, entry) in steps {
            second += step;
            counts.release(at(second), &LIMITS);
            counts.count(&key(entry), at(second), &LIMITS);
            let acts = !counts.tripped.holds(&list(), EntryId(entry), at(second));
            seen.push((second, entry, acts));
            let of_entry = |from: i64| seen.iter().filter(move |(at, of, _)| *of == entry && *at > from);
            let acted = of_entry(second - 10).filter(|(_, _, acts)| *acts).count() as u64;
            prop_assert!(acted <= 2 * LIMITS.matches_max, "{acted} acted within ten seconds");
            if !acts {
                // A flooded window of ten seconds, which ended at most five seconds ago.
                let flooded = (second - 15..=second).any(|from| {
                    of_entry(from - 1).filter(|(at, _, _)| *at < from + 10).count() as u64 > LIMITS.matches_max
                });
                prop_assert!(flooded, "stopped without a flood");
            }
        }
    }
}
