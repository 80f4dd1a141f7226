//! Logs that their own key's owner rewrote: only a remembered checkpoint tells.

use super::*;
use crate::{ConsistencyProof, EvidenceError, InclusionProof};

fn problems(fixture: &Fixture, remembered: &crate::Checkpoint) -> Vec<EvidenceError> {
    verify(&fixture.reader(), &fixture.verifier(), Some(remembered)).unwrap().problems
}

/// A log signed by the key of `fixture`, with its first records.
fn beginning(fixture: &Fixture, size: u64) -> Fixture {
    let other = Fixture { dir: folder() };
    fs::copy(fixture.key_file(), other.key_file()).unwrap();
    AuditLog::init(&other.folder(), &other.private(), "example.org/evidence".parse().unwrap()).unwrap();
    other.log().append(&records(0..size)).unwrap();
    other
}

/// Such a log, with other records from number `same` on.
fn forked(fixture: &Fixture, same: u64, size: u64) -> Fixture {
    let fork = beginning(fixture, same);
    fork.log().append(&records(size + same..size + size)).unwrap();
    fork
}

#[test]
fn a_fork_is_detected_wherever_it_begins() {
    const SIZE: u64 = 270;
    let fixture = Fixture::with(&[SIZE]);
    let key = fixture.verifier();
    let remembered = fixture.reader().checkpoint().unwrap().claim().clone();
    for same in [0, 1, 100, 255, 256, 257, 269] {
        for longer in [0, 1, 300] {
            let fork = forked(&fixture, same, SIZE);
            fork.log().append(&records(1000..1000 + longer)).unwrap();
            assert!(fork.verify().problems.is_empty(), "it is whole by itself");
            let found = problems(&fork, &remembered);
            assert!(matches!(found[..], [EvidenceError::Forked { .. }]), "{found:?}");
            let proof = ConsistencyProof::of(&fork.reader(), &remembered).unwrap_err();
            assert!(matches!(proof, EvidenceError::Forked { .. }) && proof.is_tampering(), "{proof}");
            // A proof that says otherwise says nothing.
            let other = fork.reader().checkpoint().unwrap().claim().clone();
            if longer > 0 {
                let mut of_fork = ConsistencyProof::of(&fork.reader(), &other).unwrap();
                of_fork.old_size = SIZE;
                let told = of_fork.verify(&key, &remembered, "p").unwrap_err();
                assert!(matches!(told, EvidenceError::Forked { .. }), "{told}");
            }
        }
    }
}

#[test]
fn a_log_cut_at_any_entry_is_detected() {
    const SIZE: u64 = 300;
    let fixture = Fixture::with(&[SIZE]);
    let key = fixture.verifier();
    let whole = fixture.reader().checkpoint().unwrap();
    let remembered = whole.claim();
    for size in 1..SIZE {
        let cut = beginning(&fixture, size);
        let reader = cut.reader();
        // Put back to an earlier state as a whole: the remembered checkpoint tells.
        let told = problems(&cut, remembered);
        assert!(
            matches!(told[..], [EvidenceError::Cut { remembered: SIZE, found, .. }] if found == size),
            "{told:?}"
        );
        let told = ConsistencyProof::of(&reader, remembered).unwrap_err();
        assert!(matches!(told, EvidenceError::Cut { .. }), "{told}");
        // Cut off under its checkpoint: the log itself tells.
        fs::write(cut.folder().join("checkpoint"), whole.as_str()).unwrap();
        let told = verify(&reader, &key, None).unwrap().problems;
        assert!(!told.is_empty(), "{size}");
        let opened = AuditLog::open(&cut.folder(), fixture.private()).unwrap_err();
        assert!(opened.is_tampering(), "{opened}");
        let proof = InclusionProof::of(&reader, SIZE - 1);
        assert!(proof.is_err_and(|error| error.is_tampering()), "{size}");
    }
}

#[test]
fn a_writer_does_not_follow_a_log_that_was_put_back_or_forked() {
    let fixture = Fixture::with(&[10]);
    let backup = fixture.dir.path().join("backup");
    copy(&fixture.folder(), &backup);
    let mut log = fixture.log();
    log.append(&records(10..20)).unwrap();
    copy(&backup, &fixture.folder());
    let told = log.append(&records(20..21)).unwrap_err();
    assert!(matches!(told, EvidenceError::Cut { remembered: 20, found: 10, .. }), "{told}");
    let fork = forked(&fixture, 9, 30);
    fs::remove_dir_all(fixture.folder()).unwrap();
    copy(&fork.folder(), &fixture.folder());
    let told = log.append(&records(20..21)).unwrap_err();
    assert!(matches!(told, EvidenceError::Forked { .. }), "{told}");
}
