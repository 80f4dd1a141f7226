//! What is not as it was signed is refused, and what was there stays.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;
use std::path::Path;

use hashward_core::Algorithm;
use hashward_release::{
    BadFile, Header, Identities, Recipients, ReleaseError, Replica, ReplicaReader, SnapshotWish, TargetFile,
    route,
};
use support::{Maintainer, digests, is_held, key, list};

/// A maintainer with three releases, a snapshot and two deltas, and a replica of the first of them.
fn three() -> (Maintainer, Replica) {
    let mut maintainer = Maintainer::new();
    maintainer.put(0..100);
    maintainer.publish(SnapshotWish::WhenDue);
    let replica = maintainer.fresh("replica");
    for step in 0..2 {
        maintainer.put([200 + step]);
        maintainer.withdraw([step]);
        maintainer.publish(SnapshotWish::WhenDue);
    }
    (maintainer, replica)
}

fn apply(replica: &mut Replica, target: &TargetFile, header: &Header) -> Result<(), ReleaseError> {
    replica.apply(&target.path, header, &Identities::default()).map(|_| ())
}

fn release_of(folder: &Path) -> u64 {
    let reader = ReplicaReader::open(folder, &key(1)).unwrap();
    reader.verify().unwrap();
    reader.newest().release
}

#[test]
fn a_delta_over_the_wrong_base() {
    let (maintainer, mut replica) = three();
    let [_, second, third] = &maintainer.given[..] else { panic!("three targets") };
    let error = apply(&mut replica, third, &third.header).unwrap_err();
    assert!(matches!(error, ReleaseError::WrongBase { base: 2, to: 3, held: Some(1) }), "{error}");
    assert!(error.wants_snapshot());
    let mut of_other_base = second.header.clone();
    of_other_base.previous = Some(third.header.checksum);
    let error = apply(&mut replica, second, &of_other_base).unwrap_err();
    assert!(matches!(error, ReleaseError::OtherBase { base: 1 }), "{error}");
    let mut empty = Replica::open(&maintainer.at("empty"), &list(), &key(1)).unwrap();
    let error = apply(&mut empty, second, &second.header).unwrap_err();
    assert!(matches!(error, ReleaseError::WrongBase { held: None, .. }), "{error}");
    assert_eq!(release_of(&maintainer.at("replica")), 1);
}

#[test]
fn a_delta_that_does_not_make_the_signed_checksum() {
    let (maintainer, mut replica) = three();
    let second = &maintainer.given[1];
    let signed: [fn(&mut Header); 3] = [
        |header| header.checksum.0[3] ^= 1,
        |header| header.entries += 1,
        |header| *header.digests.get_mut(&Algorithm::Md5).unwrap() += 1,
    ];
    for change in signed {
        let mut header = second.header.clone();
        change(&mut header);
        let error = apply(&mut replica, second, &header).unwrap_err();
        assert!(matches!(error, ReleaseError::DeltaMismatch { release: 2 }), "{error}");
        assert_eq!(release_of(&maintainer.at("replica")), 1);
    }
    apply(&mut replica, second, &second.header).unwrap();
}

#[test]
fn a_snapshot_that_does_not_have_the_signed_checksum() {
    let (maintainer, mut replica) = three();
    let mut header = maintainer.given[0].header.clone();
    header.checksum.0[3] ^= 1;
    let mut empty = Replica::open(&maintainer.at("empty"), &list(), &key(1)).unwrap();
    let error = apply(&mut empty, &maintainer.given[0], &header).unwrap_err();
    assert!(matches!(error, ReleaseError::SnapshotMismatch { release: 1 }), "{error}");
    assert!(empty.newest().unwrap().is_none());
    let error = apply(&mut replica, &maintainer.given[0], &header).unwrap_err();
    assert!(matches!(error, ReleaseError::NumberReused { release: 1 }), "{error}");
}

#[test]
fn a_number_reused_a_rollback_and_another_list() {
    let (maintainer, mut replica) = three();
    maintainer.lead(&mut replica).unwrap();
    let [first, _, third] = &maintainer.given[..] else { panic!("three targets") };
    let error = apply(&mut replica, first, &first.header).unwrap_err();
    assert!(matches!(error, ReleaseError::Rollback { offered: 1, held: 3 }), "{error}");
    let mut reused = third.header.clone();
    reused.checksum = first.header.checksum;
    let error = apply(&mut replica, third, &reused).unwrap_err();
    assert!(matches!(error, ReleaseError::NumberReused { release: 3 }), "{error}");
    let held = replica.newest().unwrap();
    assert!(matches!(route(held.as_ref(), &[reused]), Err(ReleaseError::NumberReused { release: 3 })));
    let older = [first.header.clone()];
    assert!(matches!(route(held.as_ref(), &older), Err(ReleaseError::Rollback { offered: 1, held: 3 })));
    let mut other = third.header.clone();
    other.list.id = "other".parse().unwrap();
    let error = apply(&mut replica, third, &other).unwrap_err();
    assert!(matches!(error, ReleaseError::OtherList { .. }), "{error}");
    drop(replica);
    let error = Replica::open(&maintainer.at("replica"), &"other".parse().unwrap(), &key(1)).err().unwrap();
    assert!(matches!(error, ReleaseError::OtherList { .. }), "{error}");
    assert!(
        third.header.is_expired_at(third.header.expires) && !third.header.is_expired_at(third.header.created)
    );
    let error = third.header.fresh_at(third.header.expires).unwrap_err();
    assert!(matches!(error, ReleaseError::Expired { release: 3, .. }), "{error}");
}

/// Every byte of a delta and of a snapshot flipped, and every length cut: none of it is applied.
#[test]
fn no_damaged_file_is_applied() {
    let mut maintainer = Maintainer::new();
    maintainer.put(0..4);
    maintainer.publish(SnapshotWish::WhenDue);
    maintainer.put(4..6);
    maintainer.withdraw([0]);
    maintainer.publish(SnapshotWish::WhenDue);
    let mut follower = Replica::open(&maintainer.at("follower"), &list(), &key(1)).unwrap();
    let mut empty = Replica::open(&maintainer.at("empty"), &list(), &key(1)).unwrap();
    apply(&mut follower, &maintainer.given[0], &maintainer.given[0].header).unwrap();
    let damaged = maintainer.at("damaged");
    let mut made = 0;
    for (target, replica) in [(&maintainer.given[0], &mut empty), (&maintainer.given[1], &mut follower)] {
        let whole = fs::read(&target.path).unwrap();
        let cut = (0..whole.len()).map(|end| whole[..end].to_vec());
        let flipped = (0..whole.len()).map(|place| {
            let mut bytes = whole.clone();
            bytes[place] ^= 1 << (place % 8);
            bytes
        });
        let longer = [[&whole[..], b"\0"].concat(), [&whole[..], &whole[..]].concat()];
        for bytes in cut.chain(flipped).chain(longer) {
            fs::write(&damaged, &bytes).unwrap();
            let held = replica.newest().unwrap();
            let applied = replica.apply(&damaged, &target.header, &Identities::default());
            // A flag in zstd's own frame may say nothing: then all of it is what was signed.
            assert!(applied.is_err() || bytes.len() == whole.len());
            if applied.is_ok() {
                let release = target.header.release;
                assert_eq!(replica.newest().unwrap().unwrap().release, release);
                if let Some(held) = &held {
                    replica.roll_back(held.release).unwrap();
                } else {
                    let name = format!("empty {made}");
                    *replica = Replica::open(&maintainer.at(&name), &list(), &key(1)).unwrap();
                    made += 1;
                }
            } else {
                assert_eq!(replica.newest().unwrap(), held);
            }
        }
    }
    apply(&mut follower, &maintainer.given[1], &maintainer.given[1].header).unwrap();
    assert!(is_held(&maintainer.at("follower"), &maintainer.matchable()));
}

#[test]
fn more_than_was_signed_is_not_read() {
    let (maintainer, mut replica) = three();
    let second = &maintainer.given[1];
    let mut header = second.header.clone();
    header.content_bytes -= 1;
    let error = apply(&mut replica, second, &header).unwrap_err();
    assert!(matches!(error, ReleaseError::BadFile { problem: BadFile::TooLarge { .. }, .. }), "{error}");
    header.content_bytes += 2;
    let error = apply(&mut replica, second, &header).unwrap_err();
    assert!(matches!(error, ReleaseError::BadFile { problem: BadFile::Count, .. }), "{error}");
    // A bomb: a gigabyte of nothing in a few kilobytes.
    let bomb = zstd::encode_all(std::io::Read::take(std::io::repeat(0), 1 << 30), 3).unwrap();
    let target = TargetFile { path: maintainer.at("bomb"), ..second.clone() };
    fs::write(&target.path, bomb).unwrap();
    let error = apply(&mut replica, &target, &second.header).unwrap_err();
    assert!(matches!(error, ReleaseError::BadFile { problem: BadFile::Beginning(_), .. }), "{error}");
    // A window that would take 2 GiB of memory.
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    encoder.long_distance_matching(true).unwrap();
    std::io::copy(&mut std::io::Read::take(std::io::repeat(1), 1 << 28), &mut encoder).unwrap();
    fs::write(&target.path, encoder.finish().unwrap()).unwrap();
    let error = apply(&mut replica, &target, &second.header).unwrap_err();
    assert!(matches!(error, ReleaseError::BadFile { problem: BadFile::Zstd(_), .. }), "{error}");
    assert_eq!(release_of(&maintainer.at("replica")), 1);
}

#[test]
fn headers_are_held_against_what_they_must_be() {
    let (maintainer, _) = three();
    let good = maintainer.given[1].header.to_json();
    assert_eq!(Header::parse(&good).unwrap(), maintainer.given[1].header);
    for (field, value, expected) in [
        ("format", serde_json::json!(2), "format 2"),
        ("format", serde_json::json!("1"), "no `format`"),
        ("bucket_bits", serde_json::json!(25), "bucket_bits"),
        ("release", serde_json::json!(0), "release"),
        ("release", serde_json::json!(1), "previous"),
        ("entries", serde_json::json!(0), "empty list"),
        ("checksum", serde_json::json!("00"), "SHA-256"),
        ("expires", good["created"].clone(), "expires"),
        ("other", serde_json::json!(1), "unknown field"),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        let error = Header::parse(&bad).unwrap_err().to_string();
        assert!(error.contains(expected), "{field}: {error}");
    }
}

#[test]
fn an_encrypted_release_opens_to_its_recipients_alone() {
    let mut maintainer = Maintainer::new();
    let [mine, others] = [age::x25519::Identity::generate(), age::x25519::Identity::generate()];
    let write = |name: &str, identity: &age::x25519::Identity| {
        let text = format!(
            "# created by age-keygen\n{}\n",
            age::secrecy::ExposeSecret::expose_secret(&identity.to_string())
        );
        fs::write(maintainer.at(name), text).unwrap();
        Identities::from_file(&maintainer.at(name)).unwrap()
    };
    let (my_keys, other_keys) = (write("mine.txt", &mine), write("others.txt", &others));
    maintainer.recipients = Recipients::parse([mine.to_public().to_string().as_str()]).unwrap();
    maintainer.put(0..50);
    maintainer.publish(SnapshotWish::WhenDue);
    maintainer.put(50..60);
    maintainer.publish(SnapshotWish::WhenDue);
    let mut replica = Replica::open(&maintainer.at("replica"), &list(), &key(1)).unwrap();
    for target in &maintainer.given {
        assert!(target.header.encrypted);
        let bytes = fs::read(&target.path).unwrap();
        for digest in (0..60).flat_map(digests) {
            assert!(!bytes.windows(12).any(|window| window == &digest.as_bytes()[..12]));
        }
        for keys in [&other_keys, &Identities::default()] {
            let error = replica.apply(&target.path, &target.header, keys).unwrap_err();
            assert!(matches!(error, ReleaseError::NoIdentity { .. }), "{error}");
        }
        let header = Header { encrypted: false, ..target.header.clone() };
        let error = replica.apply(&target.path, &header, &my_keys).unwrap_err();
        assert!(matches!(error, ReleaseError::BadFile { problem: BadFile::Encryption, .. }), "{error}");
        replica.apply(&target.path, &target.header, &my_keys).unwrap();
    }
    assert!(is_held(&maintainer.at("replica"), &maintainer.matchable()));
    // Cut within the encrypted part, at any length.
    let target = &maintainer.given[1];
    let whole = fs::read(&target.path).unwrap();
    replica.roll_back(1).unwrap();
    for end in 0..whole.len() {
        fs::write(maintainer.at("cut"), &whole[..end]).unwrap();
        assert!(replica.apply(&maintainer.at("cut"), &target.header, &my_keys).is_err(), "cut at {end}");
    }
    for bad in ["", "age1", "AGE-SECRET-KEY-1"] {
        assert!(matches!(Recipients::parse([bad]), Err(ReleaseError::BadRecipient { .. })), "{bad}");
    }
    fs::write(maintainer.at("mine.txt"), "# nothing\n").unwrap();
    assert!(Identities::from_file(&maintainer.at("mine.txt")).is_err());
}

/// Somebody takes the folder away, or puts pieces of it elsewhere.
#[test]
fn a_stolen_replica_tells_nothing_and_cannot_be_tampered_with() {
    let (maintainer, mut replica) = three();
    maintainer.lead(&mut replica).unwrap();
    let folder = maintainer.at("replica");
    let mut seen = 0;
    let mut all = Vec::new();
    for file in fs::read_dir(&folder).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        seen += bytes.len();
        all.push(bytes);
    }
    assert!(seen > 20_000);
    for digest in (0..202).flat_map(digests) {
        let start = &digest.as_bytes()[..12];
        assert!(!all.iter().any(|bytes| bytes.windows(12).any(|window| window == start)));
    }
    // The desk's own file does hold them: what is looked for would be found.
    let desk = fs::read(maintainer.at("list/release.sqlite")).unwrap();
    let start = &digests(50).next().unwrap().as_bytes()[..12].to_vec();
    assert!(desk.windows(12).any(|window| window == start));

    let error = ReplicaReader::open(&folder, &key(2)).err().unwrap();
    assert!(matches!(error, ReleaseError::Damaged { .. }), "{error}");
    drop(replica);
    let connection = rusqlite::Connection::open(folder.join("replica.sqlite")).unwrap();
    // Two buckets change places.
    let places: Vec<i64> = connection
        .prepare("SELECT place FROM node ORDER BY place LIMIT 2")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let swap = format!(
        "UPDATE node SET place = -1 WHERE place = {0}; UPDATE node SET place = {0} WHERE place = {1}; \
         UPDATE node SET place = {1} WHERE place = -1;",
        places[0], places[1]
    );
    connection.execute_batch(&swap).unwrap();
    let reader = ReplicaReader::open(&folder, &key(1)).unwrap();
    assert!(matches!(reader.verify(), Err(ReleaseError::Damaged { .. })));
    let mut list = reader.into_list().unwrap();
    assert!(list.next_entry().is_err());
    connection.execute_batch(&swap).unwrap();
    ReplicaReader::open(&folder, &key(1)).unwrap().verify().unwrap();
    // One is taken out.
    connection.execute("DELETE FROM node WHERE place = ?1", [places[0]]).unwrap();
    assert!(ReplicaReader::open(&folder, &key(1)).unwrap().verify().is_err());
}

#[test]
fn a_snapshot_heals_a_damaged_replica() {
    let mut maintainer = Maintainer::new();
    maintainer.put(0..500);
    maintainer.publish(SnapshotWish::WhenDue);
    let mut replica = maintainer.fresh("replica");
    let folder = maintainer.at("replica");
    let damage = || {
        let connection = rusqlite::Connection::open(folder.join("replica.sqlite")).unwrap();
        connection.execute("UPDATE node SET bytes = zeroblob(length(bytes))", []).unwrap();
    };
    damage();
    assert!(ReplicaReader::open(&folder, &key(1)).unwrap().verify().is_err());
    maintainer.put([600]);
    maintainer.publish(SnapshotWish::Now);
    let error = maintainer.lead(&mut replica).unwrap_err();
    assert!(matches!(error, ReleaseError::Damaged { .. }) && error.wants_snapshot(), "{error}");
    for _ in 0..2 {
        for place in route(None, &maintainer.headers()).unwrap() {
            let target = &maintainer.given[place];
            replica.apply(&target.path, &target.header, &Identities::default()).unwrap();
        }
        assert!(is_held(&folder, &maintainer.matchable()));
        damage();
    }
}
