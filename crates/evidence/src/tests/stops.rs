//! Whatever stops a writer: the log is in the old state or in the new one, and goes on from there.

use super::*;
use crate::{EvidenceError, SignedCheckpoint};

/// From which size to which the appends go that are stopped: into a tile, over its end, over the end of two levels.
const STEPS: [(u64, u64); 5] = [(0, 1), (3, 7), (250, 260), (256, 300), (255, 800)];

/// Lets the append fail at each of its changes of the disk in turn, as a kill or a full disk would.
fn stop_everywhere(from: u64, to: u64, then: impl Fn(&Fixture, AuditLog, u32)) -> u32 {
    let whole = Fixture::with(&[from]);
    for changes in 0.. {
        let fixture = Fixture { dir: folder() };
        copy(whole.dir.path(), fixture.dir.path());
        let mut log = fixture.log();
        log.disk.changes_left.set(Some(changes));
        match log.append(&records(from..to)) {
            // The last changes are of no consequence, and their failure is none.
            Ok(_) if log.disk.changes_left.get() > Some(0) => return changes,
            Ok(_) => fixture.is_whole(to),
            Err(error) => {
                assert!(matches!(error, EvidenceError::Io { .. }), "{error}");
                then(&fixture, log, changes);
            }
        }
    }
    unreachable!("an append ends")
}

#[test]
fn after_a_kill_it_opens_in_one_state() {
    // And over the end of two levels.
    for (from, to) in STEPS.into_iter().chain([(65_530, 65_540)]) {
        let stops = stop_everywhere(from, to, |fixture, log, changes| {
            drop(log);
            let told = fixture.verify();
            assert!(told.problems.is_empty(), "a reader sees no damage: {:?}", told.problems);
            let next = SignedCheckpoint::from_file(&fixture.folder().join("checkpoint.next"));
            let is_signed = next.is_ok_and(|next| next.signed_by(&fixture.verifier(), "next").is_ok());
            let size = fixture.log().size();
            assert!(size == to || !is_signed, "what was signed is never unsaid: {changes} changes");
            assert!(size == from || size == to, "{size} after {changes} changes from {from} to {to}");
            fixture.is_whole(size);
            // Another history than the one that was stopped, if it was not signed yet.
            fixture.log().append(&records(size..to + 3)).unwrap();
            fixture.is_whole(to + 3);
        });
        assert!(stops > 5, "{stops}");
    }
}

#[test]
fn after_an_error_the_same_records_stand_there_once() {
    for (from, to) in STEPS {
        stop_everywhere(from, to, |fixture, mut log, _| {
            // Twice without room, then with it.
            assert!(log.append(&records(from..to)).is_err());
            log.disk.changes_left.set(None);
            let appended = log.append(&records(from..to)).unwrap();
            assert_eq!((appended.first, appended.size), (from, to));
            log.append(&records(to..to + 1)).unwrap();
            drop(log);
            let size = fixture.log().size();
            fixture.is_whole(size);
            assert_eq!(size, to + 1);
        });
    }
}

#[test]
fn another_writer_goes_on_from_what_was_signed() {
    for (from, to) in STEPS {
        stop_everywhere(from, to, |fixture, log, _| {
            let mut other = fixture.log();
            drop(log);
            let size = other.size();
            other.append(&records(size..to + 1)).unwrap();
            fixture.is_whole(to + 1);
        });
    }
}

#[test]
fn an_append_that_was_done_is_known_under_what_others_appended() {
    let (from, to) = (250, 260);
    stop_everywhere(from, to, |fixture, mut log, changes| {
        let mut other = fixture.log();
        let was_done = other.size() == to;
        other.append(&records(to..to + 5)).unwrap();
        log.disk.changes_left.set(None);
        let first = log.append(&records(from..to)).unwrap().first;
        assert_eq!(first == from, was_done, "after {changes} changes: {first}");
        assert_eq!(fixture.verify().checkpoint.size, to + 5);
    });
}

#[test]
fn a_lock_that_is_held_is_waited_for_and_not_for_ever() {
    let fixture = Fixture::with(&[1]);
    let mut log = fixture.log();
    let holder = fs::File::open(fixture.folder().join("lock")).unwrap();
    holder.lock().unwrap();
    let error = log.append(&[record(1)]).unwrap_err();
    assert!(matches!(error, EvidenceError::Busy { .. }) && !error.is_tampering(), "{error}");
    holder.unlock().unwrap();
    log.append(&[record(1)]).unwrap();
    fixture.is_whole(2);
}
