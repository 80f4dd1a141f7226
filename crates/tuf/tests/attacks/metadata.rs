//! Attacks on timestamp, snapshot and targets.

use std::collections::BTreeSet;
use std::time::Duration;

use hashward_tuf::TufError;
use serde_json::json;

use crate::editor::{Bench, OFFLINE, ONLINE, Served, after, now, signer};

/// One attack on a client that trusts version 2 of timestamp, snapshot and targets.
struct Attack {
    name: &'static str,
    /// What the attacker, or whoever makes the repository, does.
    does: fn(&mut Bench),
    /// Whether this is the error that names it.
    is_named: fn(&TufError) -> bool,
    /// Trusted files that step forward rightly before the attack is met, as the specification wants.
    steps_forward: &'static [&'static str],
}

const ATTACKS: &[Attack] = &[
    Attack {
        name: "rollback of the timestamp",
        does: |bench| {
            bench.timestamp["version"] = 1.into();
            bench.publish(&["timestamp"]);
        },
        is_named: |error| matches!(error, TufError::Rollback { file, trusted: 2, offered: 1 } if file == "timestamp.json"),
        steps_forward: &[],
    },
    Attack {
        name: "rollback of the snapshot",
        does: |bench| {
            bench.timestamp["meta"]["snapshot.json"]["version"] = 1.into();
            bench.next(&["timestamp"]);
        },
        is_named: |error| matches!(error, TufError::Rollback { file, trusted: 2, offered: 1 } if file == "snapshot.json"),
        steps_forward: &[],
    },
    Attack {
        name: "rollback of the targets",
        does: |bench| {
            bench.snapshot["meta"]["targets.json"]["version"] = 1.into();
            bench.next(&["snapshot", "timestamp"]);
        },
        is_named: |error| matches!(error, TufError::Rollback { file, .. } if file == "targets.json"),
        steps_forward: &["timestamp.json"],
    },
    Attack {
        name: "rollback by removal of a role",
        does: |bench| {
            bench.snapshot["meta"].as_object_mut().unwrap().remove("other.json");
            bench.next(&["snapshot", "timestamp"]);
        },
        is_named: |error| matches!(error, TufError::Removed { role, .. } if role == "other.json"),
        steps_forward: &["timestamp.json"],
    },
    Attack {
        name: "freeze: the timestamp that is trusted is served until it expires",
        does: |bench| {
            bench.timestamp["expires"] = "2026-03-01T12:00:00Z".into();
            bench.next(&["timestamp"]);
        },
        is_named: |error| matches!(error, TufError::Expired { file, .. } if file == "timestamp.json"),
        steps_forward: &[],
    },
    Attack {
        name: "an expired snapshot",
        does: |bench| {
            bench.snapshot["expires"] = "2026-02-01T00:00:00Z".into();
            bench.next(&["snapshot", "timestamp"]);
        },
        is_named: |error| matches!(error, TufError::Expired { file, .. } if file == "snapshot.json"),
        steps_forward: &["timestamp.json"],
    },
    Attack {
        name: "expired targets",
        does: |bench| {
            bench.targets["expires"] = "2026-02-01T00:00:00Z".into();
            bench.next(&["targets", "snapshot", "timestamp"]);
        },
        is_named: |error| matches!(error, TufError::Expired { file, .. } if file == "targets.json"),
        steps_forward: &["timestamp.json", "snapshot.json"],
    },
    Attack {
        name: "an expired root",
        does: |bench| {
            bench.root["expires"] = "2026-02-01T00:00:00Z".into();
            bench.next(&["root"]);
        },
        is_named: |error| matches!(error, TufError::Expired { file, .. } if file == "root.json"),
        steps_forward: &["root.json"],
    },
    Attack {
        name: "fast-forward without the keys",
        does: |bench| {
            bench.timestamp["version"] = u64::MAX.into();
            let bytes = bench.signed("timestamp", &[7]);
            bench.serve_as("timestamp", &bytes);
        },
        is_named: |error| matches!(error, TufError::TooFewSignatures { strangers: 1, counted: 0, .. }),
        steps_forward: &[],
    },
    Attack {
        name: "mix-and-match: another version of the snapshot than the timestamp's",
        does: |bench| {
            bench.bump("snapshot");
            let bytes = bench.signed("snapshot", &[ONLINE]);
            bench.serve_as("snapshot", &bytes);
            // Without length and digest only the version can tell.
            bench.timestamp["meta"]["snapshot.json"] = json!({ "version": 4 });
            bench.serve("metadata/4.snapshot.json", &bytes);
            bench.next(&["timestamp"]);
        },
        is_named: |error| matches!(error, TufError::WrongVersion { expected: 4, found: 3, .. }),
        steps_forward: &["timestamp.json"],
    },
    Attack {
        name: "mix-and-match: other targets than the snapshot's",
        does: |bench| {
            bench.next(&["targets"]);
            let later = bench.file("metadata/3.targets.json");
            bench.snapshot["meta"]["targets.json"] = json!({ "version": 5 });
            bench.serve("metadata/5.targets.json", &later);
            bench.next(&["snapshot", "timestamp"]);
        },
        is_named: |error| matches!(error, TufError::WrongVersion { expected: 5, found: 3, .. }),
        steps_forward: &["timestamp.json", "snapshot.json"],
    },
    Attack {
        name: "endless data for the timestamp",
        does: |bench| bench.serve_so("metadata/timestamp.json", Served::Endless),
        is_named: |error| matches!(error, TufError::EndlessData { file, bytes_max: 16384 } if file == "timestamp.json"),
        steps_forward: &[],
    },
    Attack {
        name: "endless data for a root",
        does: |bench| bench.serve_so("metadata/2.root.json", Served::Endless),
        is_named: |error| matches!(error, TufError::EndlessData { file, .. } if file == "2.root.json"),
        steps_forward: &[],
    },
    Attack {
        name: "endless data for targets, beyond their signed length",
        does: |bench| {
            bench.next(&["targets", "snapshot", "timestamp"]);
            bench.serve_so("metadata/3.targets.json", Served::Endless);
        },
        is_named: |error| matches!(error, TufError::EndlessData { file, bytes_max } if file == "3.targets.json" && *bytes_max < 2000),
        steps_forward: &["timestamp.json", "snapshot.json"],
    },
    Attack {
        name: "slow retrieval",
        does: |bench| {
            bench.limits.metadata_time_max = Duration::from_millis(50);
            let bytes = bench.file("metadata/timestamp.json");
            bench.serve_so("metadata/timestamp.json", Served::Trickled(bytes, Duration::from_millis(5)));
        },
        is_named: |error| matches!(error, TufError::SlowRetrieval { file, .. } if file == "timestamp.json"),
        steps_forward: &[],
    },
    Attack {
        name: "wrong length of targets",
        does: |bench| {
            bench.bump("targets");
            let mut bytes = bench.signed("targets", &OFFLINE);
            bench.serve_as("targets", &bytes);
            bytes.pop();
            bench.serve("metadata/3.targets.json", &bytes);
            bench.next(&["snapshot", "timestamp"]);
        },
        is_named: |error| matches!(error, TufError::WrongLength { file, .. } if file == "targets.json"),
        steps_forward: &["timestamp.json", "snapshot.json"],
    },
    Attack {
        name: "wrong checksum of targets",
        does: |bench| {
            bench.bump("targets");
            let bytes = bench.signed("targets", &OFFLINE);
            bench.serve_as("targets", &bytes);
            // The same file, signed by the same keys in another order.
            let other = bench.signed("targets", &[3, 2, 1]);
            assert_eq!(bytes.len(), other.len());
            bench.serve("metadata/3.targets.json", &other);
            bench.next(&["snapshot", "timestamp"]);
        },
        is_named: |error| matches!(error, TufError::WrongChecksum { file } if file == "targets.json"),
        steps_forward: &["timestamp.json", "snapshot.json"],
    },
    Attack {
        name: "duplicate signatures",
        does: |bench| {
            bench.bump("targets");
            let bytes = bench.signed("targets", &[1, 1, 1]);
            bench.serve_as("targets", &bytes);
            bench.next(&["snapshot", "timestamp"]);
        },
        is_named: |error| {
            matches!(error, TufError::TooFewSignatures { counted: 1, threshold: 2, repeated: 2, .. })
        },
        steps_forward: &["timestamp.json", "snapshot.json"],
    },
    Attack {
        name: "the same key listed twice",
        does: |bench| {
            // One key under two ids, both listed.
            bench.root["keys"]["alias"] = signer(1).key();
            let ids = json!([signer(1).id(), "alias", signer(2).id()]);
            bench.root["roles"]["targets"]["keyids"] = ids;
            bench.next(&["root"]);
            bench.bump("targets");
            let signed = bench.targets.clone();
            let mut alias = signer(1).signature(&signed);
            alias["keyid"] = "alias".into();
            let file = json!({ "signed": signed, "signatures": [signer(1).signature(&signed), alias] });
            bench.serve_as("targets", &serde_json::to_vec(&file).unwrap());
            bench.next(&["snapshot", "timestamp"]);
        },
        is_named: |error| {
            matches!(error, TufError::TooFewSignatures { counted: 1, threshold: 2, repeated: 1, .. })
        },
        steps_forward: &["root.json", "timestamp.json", "snapshot.json"],
    },
    Attack {
        name: "too few signatures",
        does: |bench| {
            bench.bump("targets");
            let bytes = bench.signed("targets", &[1]);
            bench.serve_as("targets", &bytes);
            bench.next(&["snapshot", "timestamp"]);
        },
        is_named: |error| {
            matches!(
                error,
                TufError::TooFewSignatures { counted: 1, threshold: 2, repeated: 0, strangers: 0, .. }
            )
        },
        steps_forward: &["timestamp.json", "snapshot.json"],
    },
    Attack {
        name: "a revoked key",
        does: |bench| {
            bench.keys("targets", &[1, 2, 4], 2);
            bench.next(&["root"]);
            bench.bump("targets");
            let bytes = bench.signed("targets", &[1, 3]);
            bench.serve_as("targets", &bytes);
            bench.next(&["snapshot", "timestamp"]);
        },
        is_named: |error| matches!(error, TufError::TooFewSignatures { counted: 1, strangers: 1, .. }),
        steps_forward: &["root.json", "timestamp.json", "snapshot.json"],
    },
    Attack {
        name: "a reused number of targets",
        does: |bench| {
            bench.targets["targets"]["list"]["length"] = 1.into();
            bench.publish(&["targets"]);
            bench.next(&["snapshot", "timestamp"]);
        },
        is_named: |error| matches!(error, TufError::VersionReused { file, version: 2 } if file == "targets.json"),
        steps_forward: &["timestamp.json", "snapshot.json"],
    },
    Attack {
        name: "a reused number of the snapshot",
        does: |bench| {
            bench.snapshot["meta"]["another.json"] = json!({ "version": 1 });
            bench.publish(&["snapshot"]);
            bench.next(&["timestamp"]);
        },
        is_named: |error| matches!(error, TufError::VersionReused { file, version: 2 } if file == "snapshot.json"),
        steps_forward: &["timestamp.json"],
    },
    Attack {
        name: "metadata of another role",
        does: |bench| {
            let bytes = bench.file("metadata/2.snapshot.json");
            bench.serve("metadata/timestamp.json", &bytes);
        },
        is_named: |error| matches!(error, TufError::Malformed { why, .. } if why.contains("`_type`")),
        steps_forward: &[],
    },
    Attack {
        name: "a threshold of 0",
        does: |bench| {
            bench.root["roles"]["timestamp"]["threshold"] = 0.into();
            bench.next(&["root"]);
        },
        is_named: |error| matches!(error, TufError::Malformed { why, .. } if why.contains("threshold")),
        steps_forward: &[],
    },
    Attack {
        name: "metadata is withheld",
        does: |bench| {
            bench.next(&["targets", "snapshot", "timestamp"]);
            bench.files.0.lock().unwrap().served.remove("metadata/3.snapshot.json");
        },
        is_named: |error| matches!(error, TufError::Transport { file, .. } if file == "3.snapshot.json"),
        steps_forward: &["timestamp.json"],
    },
];

fn at_version_two() -> Bench {
    let mut bench = Bench::new();
    bench.snapshot["meta"]["other.json"] = json!({ "version": 1 });
    bench.next(&["targets", "snapshot", "timestamp"]);
    bench.client().refresh(now()).unwrap();
    bench
}

#[test]
fn every_attack_is_refused_by_name_and_changes_nothing() {
    for attack in ATTACKS {
        let mut bench = at_version_two();
        let good = bench.all_files();
        let before = bench.trusted();
        let mut client = bench.client();
        client.refresh(now()).unwrap();
        (attack.does)(&mut bench);
        let error = bench.client().refresh(now()).expect_err(attack.name);
        assert!((attack.is_named)(&error), "{}: {error}", attack.name);
        let may: BTreeSet<String> = attack.steps_forward.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(bench.changed(&before), may, "{}", attack.name);
        // A client that runs goes on with what it had.
        assert_eq!(bench.list(&mut client).length, 13, "{}", attack.name);
        if attack.steps_forward.is_empty() {
            bench.limits.metadata_time_max = Duration::from_secs(60);
            bench.serve_all(good);
            bench.client().refresh(now()).expect(attack.name);
        }
    }
}

#[test]
fn the_texts_name_the_attacks() {
    for (attack, word) in [
        ("rollback of the timestamp", "rollback"),
        ("freeze: the timestamp that is trusted is served until it expires", "freeze"),
        ("mix-and-match: other targets than the snapshot's", "mix-and-match"),
        ("endless data for a root", "endless data"),
        ("slow retrieval", "slow retrieval"),
        ("wrong length of targets", "wrong length"),
        ("wrong checksum of targets", "wrong checksum"),
        ("duplicate signatures", "duplicate signatures"),
        ("the same key listed twice", "one key under two names"),
        ("too few signatures", "too few signatures"),
        ("a revoked key", "revoked"),
        ("a reused number of targets", "reused number"),
    ] {
        let attack = ATTACKS.iter().find(|known| known.name == attack).unwrap();
        let mut bench = at_version_two();
        (attack.does)(&mut bench);
        let told = bench.client().refresh(now()).unwrap_err().to_string();
        assert!(told.contains(word), "{told}");
    }
}

#[test]
fn a_good_repository_is_followed_with_no_request_too_many() {
    let mut bench = Bench::new();
    let mut client = bench.client();
    let refreshed = client.refresh(now()).unwrap();
    assert_eq!((refreshed.targets_version, refreshed.is_new), (1, true));
    assert_eq!(refreshed.expires, after(100));
    let asked = |bench: &Bench| std::mem::take(&mut bench.files.0.lock().unwrap().asked);
    assert_eq!(asked(&bench), ["2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"]);
    let again = bench.client().refresh(now()).unwrap();
    assert!(!again.is_new);
    assert_eq!(asked(&bench), ["2.root.json", "timestamp.json"], "what is kept is not asked for again");
    bench.next(&["timestamp"]);
    bench.client().refresh(now()).unwrap();
    assert_eq!(asked(&bench), ["2.root.json", "timestamp.json"]);
    bench.put("list", b"second");
    bench.next(&["targets", "snapshot", "timestamp"]);
    assert_eq!(client.refresh(now()).unwrap().targets_version, 2);
    assert_eq!(bench.list(&mut client).length, 6);
    assert_eq!(bench.list(&mut client).custom, Some(json!({ "list": "sample" })));
}

#[test]
fn the_trusted_timestamp_stays_where_its_number_is_reused() {
    let mut bench = at_version_two();
    bench.timestamp["meta"]["snapshot.json"]["version"] = 100.into();
    bench.publish(&["timestamp"]);
    let before = bench.trusted();
    let refreshed = bench.client().refresh(now()).unwrap();
    assert!(refreshed.is_number_reused && !refreshed.is_new && refreshed.snapshot_version == 2);
    assert_eq!(bench.changed(&before), BTreeSet::new());
}

#[test]
fn what_a_timestamp_named_is_not_taken_back_though_it_never_came() {
    let mut bench = at_version_two();
    let second = bench.timestamp["meta"].clone();
    bench.next(&["snapshot", "timestamp"]);
    bench.files.0.lock().unwrap().served.remove("metadata/3.snapshot.json");
    assert!(matches!(bench.client().refresh(now()), Err(TufError::Transport { .. })));
    bench.timestamp["meta"] = second;
    bench.next(&["timestamp"]);
    let error = bench.client().refresh(now()).unwrap_err();
    assert!(matches!(error, TufError::Rollback { trusted: 3, offered: 2, .. }), "{error}");
}

#[test]
fn a_frozen_repository_is_refused_once_it_has_expired() {
    let bench = at_version_two();
    bench.client().refresh(after(99)).unwrap();
    let before = bench.trusted();
    let error = bench.client().refresh(after(100)).unwrap_err();
    assert!(matches!(&error, TufError::Expired { file, .. } if file == "timestamp.json"), "{error}");
    assert_eq!(bench.changed(&before), BTreeSet::new());
}

#[test]
fn what_expired_meanwhile_is_replaced_by_what_has_not() {
    let mut bench = at_version_two();
    for role in ["targets", "snapshot", "timestamp"] {
        bench.part(role)["expires"] = "2026-12-01T00:00:00Z".into();
    }
    bench.root["expires"] = "2026-12-01T00:00:00Z".into();
    bench.next(&["root", "targets", "snapshot", "timestamp"]);
    bench.client().refresh(after(2000)).unwrap();
}

#[test]
fn a_clock_that_stepped_back_is_noticed() {
    let mut bench = at_version_two();
    bench.client().refresh(after(50)).unwrap();
    bench.next(&["timestamp"]);
    let before = bench.trusted();
    let error = bench.client().refresh(after(49)).unwrap_err();
    assert!(matches!(&error, TufError::ClockSteppedBack { seen, .. } if *seen == after(50)), "{error}");
    assert!(error.to_string().contains("clock stepped back"), "{error}");
    assert_eq!(bench.changed(&before), BTreeSet::new());
    // A small correction is none, and does not make anything live longer.
    let corrected = after(50) - jiff::SignedDuration::from_secs(200);
    bench.client().refresh(corrected).unwrap();
}

#[test]
fn signatures_that_count_for_nothing_do_no_harm() {
    let mut bench = at_version_two();
    bench.bump("targets");
    let bytes = bench.signed("targets", &[7, 3, 3, 8, 1]);
    bench.serve_as("targets", &bytes);
    bench.next(&["snapshot", "timestamp"]);
    bench.client().refresh(now()).unwrap();
}

#[test]
fn fields_that_are_not_known_are_signed_and_harmless() {
    let mut bench = at_version_two();
    bench.root["custom-field"] = json!({ "a": [1, null] });
    let id = signer(1).id();
    bench.root["keys"][&id]["extra"] = "value".into();
    bench.root["roles"]["root"]["another"] = true.into();
    bench.targets["x"] = "y".into();
    bench.next(&["root", "targets", "snapshot", "timestamp"]);
    assert_eq!(bench.client().refresh(now()).unwrap().root_version, 2);
    let mut altered: serde_json::Value =
        serde_json::from_slice(&bench.file("metadata/3.targets.json")).unwrap();
    altered["signed"]["x"] = "z".into();
    bench.bump("targets");
    altered["signed"]["version"] = 4.into();
    bench.serve_as("targets", &serde_json::to_vec(&altered).unwrap());
    bench.next(&["snapshot", "timestamp"]);
    assert!(matches!(bench.client().refresh(now()), Err(TufError::TooFewSignatures { .. })));
}
