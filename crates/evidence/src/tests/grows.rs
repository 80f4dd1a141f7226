//! What a log is while all goes well.

use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::{ConsistencyProof, EvidenceError, InclusionProof, Proof, SignedCheckpoint};

#[test]
fn an_empty_log_is_signed() {
    let fixture = Fixture::new();
    fixture.is_whole(0);
    assert_eq!(fixture.log().append(&[]).unwrap().size, 0);
    let again = AuditLog::init(&fixture.folder(), &fixture.private(), "x".parse().unwrap());
    assert!(matches!(again, Err(EvidenceError::NotEmpty { .. })));
    fixture.is_whole(0);
}

#[test]
fn it_grows_in_steps_of_every_length() {
    let mut sizes = vec![1, 2, 3, 100, 255, 256, 257, 511, 512, 1024];
    sizes.extend([66_000, 66_001]);
    let fixture = Fixture::new();
    let mut log = fixture.log();
    for size in sizes {
        let first = log.size();
        let appended = log.append(&records(first..size)).unwrap();
        assert_eq!((appended.first, appended.size), (first, size));
        fixture.is_whole(size);
        // What was written is all that is needed to go on.
        if size % 2 == 0 {
            drop(log);
            log = fixture.log();
        }
    }
    let partials =
        files(&fixture.folder()).iter().filter(|file| file.to_string_lossy().contains(".p/")).count();
    assert!(partials < 12, "outgrown partial tiles are gone: {partials}");
}

#[test]
fn one_entry_at_a_time() {
    let fixture = Fixture::new();
    let mut log = fixture.log();
    for number in 0..600 {
        assert_eq!(log.append(&[record(number)]).unwrap().first, number);
    }
    fixture.is_whole(600);
}

#[test]
fn two_writers_take_turns() {
    let fixture = Fixture::new();
    let (mut one, mut other) = (fixture.log(), fixture.log());
    for number in (0..300).step_by(2) {
        one.append(&[record(number)]).unwrap();
        other.append(&[record(number + 1)]).unwrap();
    }
    fixture.is_whole(300);
}

#[test]
fn every_entry_and_every_step_is_proven() {
    let fixture = Fixture::new();
    let mut log = fixture.log();
    let key = fixture.verifier();
    let mut remembered: Vec<SignedCheckpoint> = vec![fixture.reader().checkpoint().unwrap()];
    for size in [1, 2, 130, 256, 300, 515] {
        log.append(&records(log.size()..size)).unwrap();
        remembered.push(fixture.reader().checkpoint().unwrap());
    }
    let folder = fixture.reader();
    for index in 0..515 {
        let proof = InclusionProof::of(&folder, index).unwrap();
        let Proof::Inclusion(read) = Proof::parse(proof.to_text().as_bytes()).unwrap() else { panic!() };
        assert_eq!(read, proof);
        assert_eq!(Record::from_entry(read.verify(&key, "p").unwrap()), Some(record(index)));
    }
    assert!(matches!(
        InclusionProof::of(&folder, 515),
        Err(EvidenceError::NoEntry { index: 515, size: 515 })
    ));
    for old in &remembered {
        let old = old.signed_by(&key, "old").unwrap();
        let proof = ConsistencyProof::of(&folder, old).unwrap();
        let Proof::Consistency(read) = Proof::parse(proof.to_text().as_bytes()).unwrap() else { panic!() };
        assert_eq!(read, proof);
        assert_eq!(read.verify(&key, old, "p").unwrap().size, 515);
        for other in remembered.iter().map(SignedCheckpoint::claim).filter(|other| *other != old) {
            let other = read.verify(&key, other, "p").unwrap_err();
            assert!(matches!(other, EvidenceError::OtherStep { .. }), "{other}");
        }
    }
}

#[test]
fn keys_are_kept_close() {
    let fixture = Fixture::new();
    let path = fixture.key_file();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&path).unwrap();
    let secret = text.lines().nth(1).unwrap();
    assert!(PrivateKey::create(&path).is_err(), "a key is never overwritten");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).unwrap();
    let exposed = PrivateKey::from_file(&path).unwrap_err();
    assert!(matches!(exposed, EvidenceError::KeyExposed { mode: 0o604, .. }), "{exposed}");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let told = format!("{:?} {:?}", fixture.private(), fixture.log());
    assert!(!told.contains(secret) && told.contains("PrivateKey(…)"), "{told}");
    for broken in ["", "-----BEGIN PRIVATE KEY-----\n", &text.replace("MC4", "MC5"), &"x".repeat(5000)] {
        fs::write(&path, broken).unwrap();
        let error = PrivateKey::from_file(&path).unwrap_err().to_string();
        assert!(
            error.contains("evidence.key") && error.contains("expected") && !error.contains(secret),
            "{error}"
        );
    }
}

#[test]
fn another_key_signs_another_log() {
    let fixture = Fixture::with(&[5]);
    let other = PrivateKey::create(&fixture.dir.path().join("other.key")).unwrap();
    let key = other.verifier("example.org/evidence".parse().unwrap());
    let error = verify(&fixture.reader(), &key, None).unwrap_err();
    assert!(matches!(error, EvidenceError::BadSignature { .. }) && error.is_tampering(), "{error}");
    let error = AuditLog::open(&fixture.folder(), other).unwrap_err();
    assert!(matches!(error, EvidenceError::BadSignature { .. }), "{error}");
    let text = key.to_string();
    assert_eq!(text.parse::<VerifierKey>().unwrap(), key);
    for wrong in
        ["", "a+b", "a b+00000000+AQ==", &text[1..], &text.replace('+', "-"), &text[..text.len() - 4]]
    {
        assert!(wrong.parse::<VerifierKey>().is_err(), "{wrong}");
    }
}
