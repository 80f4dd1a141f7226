//! Roots: how trust is handed on, and how it is not.

use hashward_tuf::{Store, TufError};
use serde_json::json;

use crate::editor::{Bench, OFFLINE, ONLINE, now, signer};

#[test]
fn a_root_rotated_through_several_versions_is_followed_step_by_step() {
    let mut bench = Bench::new();
    bench.client().refresh(now()).unwrap();
    for (numbers, signed_by) in [
        (vec![1, 2, 4], vec![1, 2]),
        (vec![4, 5, 1], vec![1, 4]),
        (vec![4, 5, 6], vec![4, 5]),
        (vec![4, 5, 6], vec![5, 6]),
    ] {
        bench.keys("root", &numbers, 2);
        bench.bump("root");
        let bytes = bench.signed("root", &signed_by);
        bench.serve_as("root", &bytes);
    }
    assert_eq!(bench.client().refresh(now()).unwrap().root_version, 5);
    assert_eq!(bench.trusted()["root.json"], bench.file("metadata/5.root.json"), "byte for byte");
}

#[test]
fn a_step_of_the_chain_cannot_be_left_out() {
    let mut bench = Bench::new();
    for numbers in [[1, 2, 4], [4, 2, 5]] {
        bench.keys("root", &numbers, 2);
        bench.bump("root");
        let bytes = bench.signed("root", &[1, 2, 4, 5]);
        bench.serve_as("root", &bytes);
    }
    // Version 3 in version 2's place.
    let third = bench.file("metadata/3.root.json");
    bench.serve("metadata/2.root.json", &third);
    let error = bench.client().refresh(now()).unwrap_err();
    assert!(matches!(error, TufError::WrongVersion { expected: 2, found: 3, .. }), "{error}");
    assert_eq!(bench.trusted()["root.json"], bench.file("metadata/1.root.json"));
}

fn refused(numbers: &[u8], threshold: u32, signed_by: &[u8]) -> TufError {
    let mut bench = Bench::new();
    bench.client().refresh(now()).unwrap();
    bench.keys("root", numbers, threshold);
    bench.bump("root");
    let bytes = bench.signed("root", signed_by);
    bench.serve_as("root", &bytes);
    let before = bench.trusted();
    let error = bench.client().refresh(now()).unwrap_err();
    assert!(bench.changed(&before).is_empty(), "{error}");
    error
}

#[test]
fn a_root_signed_only_by_the_new_keys_is_refused() {
    let error = refused(&[4, 5, 6], 2, &[4, 5, 6]);
    assert!(
        matches!(&error, TufError::TooFewSignatures { authority, counted: 0, strangers: 3, .. } if authority == "root in root 1"),
        "{error}"
    );
}

#[test]
fn a_root_signed_only_by_the_old_keys_is_refused() {
    let error = refused(&[4, 5, 6], 2, &OFFLINE);
    assert!(
        matches!(&error, TufError::TooFewSignatures { authority, .. } if authority == "root in root 2"),
        "{error}"
    );
}

#[test]
fn neither_an_old_nor_a_new_threshold_is_lowered_by_the_other() {
    assert!(matches!(refused(&OFFLINE, 1, &[1]), TufError::TooFewSignatures { threshold: 2, .. }));
    assert!(matches!(refused(&OFFLINE, 3, &[1, 2]), TufError::TooFewSignatures { threshold: 3, .. }));
}

#[test]
fn a_fast_forward_is_undone_by_new_keys() {
    // The attacker had the online key, and used numbers that nobody can go beyond.
    let mut bench = Bench::new();
    bench.snapshot["version"] = (u64::MAX - 1).into();
    bench.publish(&["snapshot"]);
    bench.timestamp["version"] = (u64::MAX - 1).into();
    bench.publish(&["timestamp"]);
    bench.client().refresh(now()).unwrap();
    bench.snapshot["version"] = 2.into();
    bench.timestamp["version"] = 2.into();
    bench.publish(&["snapshot", "timestamp"]);
    assert!(matches!(bench.client().refresh(now()), Err(TufError::Rollback { .. })));
    for role in ["snapshot", "timestamp"] {
        bench.keys(role, &[10], 1);
    }
    bench.next(&["root", "snapshot", "timestamp"]);
    let refreshed = bench.client().refresh(now()).unwrap();
    assert_eq!((refreshed.snapshot_version, refreshed.timestamp_version), (3, 3));
}

#[test]
fn new_keys_of_the_timestamp_let_the_snapshot_go_back_too() {
    let mut bench = Bench::new();
    bench.next(&["snapshot", "timestamp"]);
    bench.client().refresh(now()).unwrap();
    bench.keys("timestamp", &[10], 1);
    bench.snapshot["version"] = 1.into();
    bench.publish(&["snapshot"]);
    bench.timestamp["version"] = 1.into();
    bench.publish(&["timestamp"]);
    bench.next(&["root"]);
    let refreshed = bench.client().refresh(now()).unwrap();
    assert_eq!((refreshed.snapshot_version, refreshed.timestamp_version), (1, 1));
}

#[test]
fn targets_go_back_once_the_snapshots_key_is_another() {
    let mut bench = Bench::new();
    bench.targets["version"] = 99_999.into();
    bench.publish(&["targets"]);
    bench.next(&["snapshot", "timestamp"]);
    bench.client().refresh(now()).unwrap();
    bench.targets["version"] = 2.into();
    bench.publish(&["targets"]);
    bench.next(&["snapshot", "timestamp"]);
    assert!(matches!(bench.client().refresh(now()), Err(TufError::Rollback { .. })));
    bench.keys("snapshot", &[10], 1);
    bench.next(&["root", "snapshot", "timestamp"]);
    assert_eq!(bench.client().refresh(now()).unwrap().targets_version, 2);
}

#[test]
fn a_key_that_is_added_undoes_nothing() {
    let mut bench = Bench::new();
    bench.next(&["timestamp"]);
    bench.client().refresh(now()).unwrap();
    bench.keys("timestamp", &[ONLINE, 10], 1);
    bench.next(&["root"]);
    bench.timestamp["version"] = 1.into();
    bench.publish(&["timestamp"]);
    assert!(matches!(bench.client().refresh(now()), Err(TufError::Rollback { .. })));
}

#[test]
fn the_last_number_of_all_is_no_way_to_a_crash() {
    let mut bench = Bench::new();
    for role in ["targets", "snapshot", "timestamp"] {
        bench.part(role)["version"] = u64::MAX.into();
        bench.publish(&[role]);
    }
    bench.client().refresh(now()).unwrap();
    let mut last = bench.root.clone();
    last["version"] = u64::MAX.into();
    let signatures = [signer(1).signature(&last), signer(2).signature(&last)];
    let file = serde_json::to_vec(&json!({ "signed": last, "signatures": signatures })).unwrap();
    let store = Store::open(bench.folder.path().join("last"));
    store.begin(&file).unwrap();
    hashward_tuf::Client::new(bench.files.clone(), store, bench.limits.clone()).refresh(now()).unwrap();
}

#[test]
fn a_chain_of_roots_is_followed_so_far_and_no_further() {
    let mut bench = Bench::new();
    for _ in 0..5 {
        bench.next(&["root"]);
    }
    bench.limits.root_rotations_max = 3;
    assert_eq!(bench.client().refresh(now()).unwrap().root_version, 4);
    assert_eq!(bench.client().refresh(now()).unwrap().root_version, 6, "the next refresh goes on");
}

#[test]
fn a_first_root_must_be_sound_and_stays() {
    let mut bench = Bench::new();
    let folder = bench.folder.path().join("other");
    let store = Store::open(&folder);
    let unsigned = bench.signed("root", &[1]);
    assert!(matches!(store.begin(&unsigned), Err(TufError::TooFewSignatures { .. })));
    assert!(matches!(store.begin(b"{}"), Err(TufError::Malformed { .. })));
    assert!(!folder.exists());
    let right = bench.signed("root", &[1, 2]);
    store.begin(&right).unwrap();
    store.begin(&right).unwrap();
    let other = bench.signed("root", &[1, 3]);
    assert!(matches!(store.begin(&other), Err(TufError::OtherRoot { .. })));
    assert!(matches!(
        hashward_tuf::Client::new(
            bench.files.clone(),
            Store::open(folder.join("none")),
            bench.limits.clone()
        )
        .refresh(now()),
        Err(TufError::NoRoot { .. })
    ));
}

#[test]
fn a_damaged_trusted_root_is_told_before_anything_is_asked() {
    let bench = Bench::new();
    let path = bench.folder.path().join("trusted/root.json");
    std::fs::write(&path, b"{ \"signed\": {} }").unwrap();
    assert!(matches!(bench.client().refresh(now()), Err(TufError::Malformed { .. })));
    assert!(bench.files.0.lock().unwrap().asked.is_empty());
}

#[test]
fn a_scheme_that_is_not_known_counts_for_nothing_and_is_no_error() {
    let mut bench = Bench::new();
    bench.root["keys"]["unknown"] =
        json!({ "keytype": "ml-dsa", "scheme": "ml-dsa-44", "keyval": { "public": "00" } });
    let keyids = json!([signer(1).id(), signer(2).id(), "unknown"]);
    bench.root["roles"]["root"]["keyids"] = keyids;
    bench.bump("root");
    let bytes = bench.signed("root", &[1, 2]);
    bench.serve_as("root", &bytes);
    assert_eq!(bench.client().refresh(now()).unwrap().root_version, 2);
}

#[test]
fn an_ecdsa_key_counts_once_however_it_is_written() {
    use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
    let random = ring::rand::SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random).unwrap();
    // RFC 5480: a public key of P-256, uncompressed.
    let mut spki = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00".to_vec();
    spki.extend_from_slice(pair.public_key().as_ref());
    let pem = pkcs8::Document::try_from(spki).unwrap().to_pem("PUBLIC KEY", pkcs8::LineEnding::LF).unwrap();
    let key = |keytype: &str, pem: &str| json!({ "keytype": keytype, "scheme": "ecdsa-sha2-nistp256", "keyval": { "public": pem } });
    let mut bench = Bench::new();
    bench.root["keys"]["one"] = key("ecdsa", &pem);
    bench.root["keys"]["two"] = key("ecdsa-sha2-nistp256", pem.trim());
    for (threshold, is_enough) in [(1, true), (2, false)] {
        bench.root["roles"]["timestamp"] = json!({ "keyids": ["one", "two"], "threshold": threshold });
        bench.next(&["root"]);
        bench.bump("timestamp");
        let signed = bench.timestamp.clone();
        let signatures: Vec<_> = ["one", "two"]
            .map(|id| {
                let signature = pair.sign(&random, &crate::editor::message(&signed)).unwrap();
                json!({ "keyid": id, "sig": crate::editor::hex(signature.as_ref()) })
            })
            .into();
        let file = json!({ "signed": signed, "signatures": signatures });
        bench.serve("metadata/timestamp.json", &serde_json::to_vec(&file).unwrap());
        assert_eq!(bench.client().refresh(now()).is_ok(), is_enough, "{threshold}");
    }
}
