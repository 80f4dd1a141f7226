//! Releases from a list folder to replicas, by every way there is.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;

use hashward_core::Algorithm;
use hashward_list::{ListHistory as _, MatchableEntry};
use hashward_release::{
    Applied, Checksum, Desk, Identities, ReleaseError, Replica, ReplicaReader, SnapshotWish, TargetKind,
    Terms, encode, replica_state, route,
};
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
use sha2::{Digest as _, Sha256};
use support::{Maintainer, held, is_held, key, list};

/// The checksum as `docs/release-format.md` says it, with nothing spared.
fn naive_checksum(bits: u8, entries: &[&MatchableEntry]) -> Checksum {
    let hash = |parts: &[&[u8]]| -> [u8; 32] { Sha256::digest(parts.concat()).into() };
    let bucket_of = |key: u64| if bits == 0 { 0 } else { key >> (64 - bits) };
    let bucket = |number: u32| {
        let mut bytes = Vec::new();
        for entry in entries.iter().filter(|entry| bucket_of(entry.id.0) == u64::from(number)) {
            let mut row = Vec::new();
            encode(entry, &mut row);
            bytes.extend_from_slice(&u16::try_from(row.len()).unwrap().to_be_bytes());
            bytes.extend_from_slice(&row);
        }
        hash(&[&[0], &number.to_be_bytes(), &bytes])
    };
    let buckets: Vec<[u8; 32]> = (0..1 << bits).map(bucket).collect();
    let groups = buckets.chunks(64).zip(0_u32..);
    let groups: Vec<[u8; 32]> =
        groups.map(|(hashes, group)| hash(&[&[1], &group.to_be_bytes(), hashes.as_flattened()])).collect();
    let (rows, id) = (entries.len() as u64, list());
    let length = u8::try_from(id.as_str().len()).unwrap();
    let parts: [&[u8]; 5] =
        [&[2, 1, bits], &rows.to_be_bytes(), &[length], id.as_str().as_bytes(), groups.as_flattened()];
    Checksum(hash(&parts))
}

proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(6))]
    /// Whatever happens to a list, a replica that takes every delta, one that takes some at a time, and one that begins
    /// with a snapshot hold what the list folder holds, under the checksum that was signed.
    #[test]
    fn every_way_leads_to_the_list(
        steps in vec((0_u8..4, vec(0_u64..600, 0..200), any::<bool>()), 1..8),
        snapshots in any::<u8>(),
    ) {
        let mut maintainer = Maintainer::new();
        maintainer.put(0..40);
        let mut follower = Replica::open(&maintainer.at("follower"), &list(), &key(1)).unwrap();
        let mut sleeper = Replica::open(&maintainer.at("sleeper"), &list(), &key(1)).unwrap();
        for (number, (what, numbers, wakes)) in steps.into_iter().enumerate() {
            match what {
                0 => maintainer.put(numbers),
                1 => maintainer.withdraw(numbers.into_iter().filter(|number| *number != 0)),
                2 => maintainer.change(numbers, number as u64),
                _ => maintainer.put(numbers.into_iter().flat_map(|number| [number, number + 7])),
            }
            let wish = if snapshots >> number & 1 == 1 { SnapshotWish::Now } else { SnapshotWish::WhenDue };
            let targets = maintainer.publish(wish);
            let expected = maintainer.matchable();
            let header = &targets[0].header;
            let all: Vec<&MatchableEntry> = expected.values().collect();
            prop_assert_eq!(header.checksum, naive_checksum(header.bucket_bits, &all));
            prop_assert_eq!(header.entries, expected.len() as u64);
            for algorithm in Algorithm::ALL {
                let count = all.iter().filter(|entry| entry.digests.get(*algorithm).is_some()).count() as u64;
                prop_assert_eq!(header.digests.get(algorithm).copied().unwrap_or(0), count);
            }
            for target in &targets {
                prop_assert!(target.header.checksum == header.checksum && target.header.chain.snapshot == header.chain.snapshot);
            }
            maintainer.lead(&mut follower).unwrap();
            prop_assert!(is_held(&maintainer.at("follower"), &expected));
            if wakes {
                maintainer.lead(&mut sleeper).unwrap();
                prop_assert!(is_held(&maintainer.at("sleeper"), &expected));
            }
        }
        drop(maintainer.fresh("fresh"));
        prop_assert!(is_held(&maintainer.at("fresh"), &maintainer.matchable()));
    }
}

#[test]
fn deltas_are_small_and_lead_on() {
    let mut maintainer = Maintainer::new();
    maintainer.put(0..5_000);
    let first = maintainer.publish(SnapshotWish::WhenDue);
    assert_eq!(first.len(), 1);
    assert_eq!(first[0].name, "national.1.snapshot");
    let mut replica = maintainer.fresh("replica");
    maintainer.put(5_000..5_600);
    maintainer.change(0..300, 7);
    maintainer.withdraw(300..400);
    let second = maintainer.publish(SnapshotWish::WhenDue);
    assert_eq!(second.len(), 1);
    assert_eq!((second[0].header.kind, second[0].name.as_str()), (TargetKind::Delta, "national.2.delta"));
    let bytes = second[0].length_bytes;
    assert!(bytes < 100_000, "a delta of 1,000 changes has {bytes} bytes");
    assert_eq!(
        maintainer.lead(&mut replica).unwrap(),
        [Applied::Delta { added: 600, changed: 300, withdrawn: 100 }]
    );
    assert_eq!(maintainer.lead(&mut replica).unwrap(), []);
    let delta = &second[0];
    assert_eq!(
        replica.apply(&delta.path, &delta.header, &Identities::default()).unwrap(),
        Applied::AlreadyHeld
    );
    assert!(is_held(&maintainer.at("replica"), &maintainer.matchable()));
    ReplicaReader::open(&maintainer.at("replica"), &key(1)).unwrap().verify().unwrap();
}

#[test]
fn a_snapshot_is_due_after_a_quarter_or_when_the_buckets_no_longer_fit() {
    let mut maintainer = Maintainer::new();
    maintainer.put(0..1000);
    maintainer.publish(SnapshotWish::WhenDue);
    let mut kinds = Vec::new();
    for step in 0..10 {
        maintainer.put(1000 + step * 100..1100 + step * 100);
        kinds.push(
            maintainer
                .publish(SnapshotWish::WhenDue)
                .iter()
                .map(|target| target.header.kind)
                .collect::<Vec<_>>(),
        );
    }
    assert!(kinds.iter().all(|kinds| kinds.contains(&TargetKind::Delta)));
    let snapshots = kinds.iter().filter(|kinds| kinds.contains(&TargetKind::Snapshot)).count();
    assert_eq!(snapshots, 2, "each after a quarter: {kinds:?}");
    // Five times as many: other buckets, and no delta leads there.
    let mut replica = maintainer.fresh("replica");
    maintainer.put(10_000..18_000);
    let outgrown = maintainer.publish(SnapshotWish::WhenDue);
    assert_eq!(outgrown.iter().map(|target| target.header.kind).collect::<Vec<_>>(), [TargetKind::Snapshot]);
    maintainer.lead(&mut replica).unwrap();
    assert!(is_held(&maintainer.at("replica"), &maintainer.matchable()));
    maintainer.withdraw([1]);
    maintainer.publish(SnapshotWish::WhenDue);
    maintainer.lead(&mut replica).unwrap();
    assert!(is_held(&maintainer.at("replica"), &maintainer.matchable()));
}

#[test]
fn the_desk_goes_on_from_what_was_given_away() {
    let mut maintainer = Maintainer::new();
    maintainer.put(0..100);
    maintainer.publish(SnapshotWish::WhenDue);
    let mut replica = maintainer.fresh("replica");
    // Written, and never given away.
    maintainer.put(100..110);
    maintainer.make(SnapshotWish::WhenDue).unwrap();
    maintainer.put(110..120);
    maintainer.publish(SnapshotWish::WhenDue);
    maintainer.lead(&mut replica).unwrap();
    assert!(is_held(&maintainer.at("replica"), &maintainer.matchable()));
    // The desk's file is lost, or damaged.
    for damage in [false, true] {
        let file = maintainer.at("list/release.sqlite");
        if damage {
            let mut bytes = fs::read(&file).unwrap();
            let digest = support::digests(5).next().unwrap();
            let place = bytes.windows(16).position(|window| window == digest.as_bytes()).unwrap();
            bytes[place] ^= 1;
            fs::write(&file, bytes).unwrap();
        } else {
            fs::remove_file(&file).unwrap();
        }
        maintainer.change([5], 1 + u64::from(damage));
        let targets = maintainer.publish(SnapshotWish::WhenDue);
        assert_eq!(targets[0].header.kind, TargetKind::Delta);
        maintainer.lead(&mut replica).unwrap();
        assert!(is_held(&maintainer.at("replica"), &maintainer.matchable()));
    }
    // Nothing comes of what is only planned.
    maintainer.put(200..210);
    let mut desk = Desk::open(&maintainer.at("list")).unwrap();
    assert!(matches!(Desk::open(&maintainer.at("list")), Err(ReleaseError::Busy { .. })));
    let created = Timestamp::from_second(1_796_000_000).unwrap();
    let terms = Terms { created, expires: Timestamp::MAX, snapshot: SnapshotWish::WhenDue };
    for _ in 0..2 {
        let plan = desk.plan(maintainer.newest(), &terms).unwrap();
        assert_eq!((plan.step().before, plan.step().added, plan.is_unchanged()), (120, 10, false));
        assert!(plan.has_delta() && !plan.has_snapshot());
    }
    drop(desk);
    maintainer.withdraw(200..210);
    let mut desk = Desk::open(&maintainer.at("list")).unwrap();
    assert!(desk.plan(maintainer.newest(), &terms).unwrap().is_unchanged());
}

#[test]
fn another_history_is_told() {
    let mut maintainer = Maintainer::new();
    maintainer.put(0..100);
    maintainer.publish(SnapshotWish::WhenDue);
    maintainer.put(100..110);
    maintainer.publish(SnapshotWish::WhenDue);
    let mut replica = maintainer.fresh("replica");
    // Another folder, with the same list made again.
    let mut other = Maintainer::new();
    other.put(0..90);
    other.given = maintainer.given.clone();
    let error = other.make(SnapshotWish::WhenDue).unwrap_err();
    assert!(matches!(error, ReleaseError::OtherHistory { release: 2, .. }), "{error}");
    other.put(100..200);
    let error = other.make(SnapshotWish::WhenDue).unwrap_err();
    assert!(matches!(error, ReleaseError::OtherHistory { release: 2, .. }), "{error}");
    let targets = other.publish(SnapshotWish::Now);
    assert_eq!((targets.len(), targets[0].header.release), (1, 3));
    other.lead(&mut replica).unwrap();
    assert!(is_held(&maintainer.at("replica"), &other.matchable()));
}

#[test]
fn an_empty_list_is_not_released() {
    let mut maintainer = Maintainer::new();
    assert!(matches!(maintainer.make(SnapshotWish::WhenDue), Err(ReleaseError::Empty(_))));
    maintainer.put(0..3);
    maintainer.publish(SnapshotWish::WhenDue);
    maintainer.withdraw(0..3);
    assert!(matches!(maintainer.make(SnapshotWish::WhenDue), Err(ReleaseError::Empty(_))));
    let empty = maintainer.at("empty");
    drop(Replica::open(&empty, &list(), &key(1)).unwrap());
    assert!(matches!(ReplicaReader::open(&empty, &key(1)), Err(ReleaseError::NoRelease { .. })));
    assert_eq!(replica_state(&empty).unwrap(), None);
}

#[test]
fn a_replica_goes_back_and_tells_what_changed() {
    let mut maintainer = Maintainer::new();
    let mut states = Vec::new();
    maintainer.put(0..200);
    maintainer.publish(SnapshotWish::WhenDue);
    let mut replica = maintainer.fresh("replica");
    let folder = maintainer.at("replica");
    states.push(maintainer.matchable());
    for step in 0..3 {
        maintainer.put(200 + step * 5..205 + step * 5);
        maintainer.withdraw([step]);
        maintainer.change([100, 101 + step], step);
        maintainer.publish(SnapshotWish::WhenDue);
        maintainer.lead(&mut replica).unwrap();
        states.push(maintainer.matchable());
    }
    let reader = ReplicaReader::open(&folder, &key(1)).unwrap();
    assert_eq!(reader.kept().unwrap().iter().map(|header| header.release).collect::<Vec<_>>(), [1, 2, 3, 4]);
    for from in 1..=4 {
        for to in from..=4 {
            let mut entries = states[from - 1].clone();
            let changes = reader.changes(from as u64, Some(to as u64)).unwrap().unwrap();
            assert_eq!(changes.to(), to as u64);
            for pair in changes {
                let (before, after) = pair.unwrap();
                assert!(before != after);
                let key = before.as_ref().or(after.as_ref()).unwrap().id.0;
                assert!(entries.get(&key) == before.as_ref());
                match after {
                    Some(after) => entries.insert(key, after),
                    None => entries.remove(&key),
                };
            }
            assert!(entries == states[to - 1], "from {from} to {to}");
        }
    }
    assert!(reader.changes(0, None).unwrap().is_none() && reader.changes(2, Some(5)).unwrap().is_none());
    assert_eq!(replica.roll_back(2).unwrap().release, 2);
    assert!(is_held(&folder, &states[1]));
    // Who reads sees the moment when it began.
    assert_eq!(reader.newest().release, 4);
    let mut left = reader.into_list().unwrap();
    let mut count = 0;
    while left.next_entry().unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, states[3].len());
    assert!(matches!(replica.roll_back(3), Err(ReleaseError::NotKept { release: 3, .. })));
    maintainer.lead(&mut replica).unwrap();
    assert!(is_held(&folder, &states[3]));
}

#[test]
fn sixty_four_releases_are_kept() {
    let mut maintainer = Maintainer::new();
    maintainer.put(0..500);
    maintainer.publish(SnapshotWish::WhenDue);
    let mut replica = maintainer.fresh("replica");
    for step in 0..70 {
        maintainer.change([step], 77);
        maintainer.publish(SnapshotWish::WhenDue);
        maintainer.lead(&mut replica).unwrap();
    }
    let reader = ReplicaReader::open(&maintainer.at("replica"), &key(1)).unwrap();
    let kept: Vec<u64> = reader.kept().unwrap().iter().map(|header| header.release).collect();
    assert_eq!(kept, (7..=71).collect::<Vec<_>>());
    assert_eq!(reader.changes(7, None).unwrap().unwrap().count(), 64);
    assert!(reader.changes(6, None).unwrap().is_none());
    replica.roll_back(7).unwrap();
    assert_eq!(held(&maintainer.at("replica")).len(), 500);
}

#[test]
fn what_is_said_of_the_list_goes_along() {
    let mut maintainer = Maintainer::new();
    maintainer.put(0..5);
    maintainer.publish(SnapshotWish::WhenDue);
    let mut replica = maintainer.fresh("replica");
    let toml = maintainer.at("list/list.toml");
    fs::write(&toml, "id = 'national'\nowner = 'the office'\naction = 'block'\n").unwrap();
    let targets = maintainer.publish(SnapshotWish::WhenDue);
    assert_eq!(targets[0].header.list.owner.as_deref(), Some("the office"));
    maintainer.lead(&mut replica).unwrap();
    let reader = ReplicaReader::open(&maintainer.at("replica"), &key(1)).unwrap();
    assert_eq!(reader.info().unwrap().owner.as_deref(), Some("the office"));
    assert_eq!(replica_state(&maintainer.at("replica")).unwrap().unwrap().number, 2);
}

#[test]
fn the_shortest_way_is_taken() {
    let mut maintainer = Maintainer::new();
    maintainer.put(0..200);
    maintainer.publish(SnapshotWish::WhenDue);
    let first = maintainer.headers()[0].clone();
    for step in 0..3 {
        maintainer.put([300 + step]);
        maintainer.publish(if step == 1 { SnapshotWish::Now } else { SnapshotWish::WhenDue });
    }
    let names = |held| {
        let way = route(held, &maintainer.headers()).unwrap();
        way.into_iter().map(|place| maintainer.given[place].name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(Some(&first)), ["national.2.delta", "national.3.delta", "national.4.delta"]);
    assert_eq!(names(None), ["national.3.snapshot", "national.4.delta"]);
    let mut offered = maintainer.headers();
    offered.retain(|header| header.release != 2);
    let way = route(Some(&first), &offered).unwrap();
    assert_eq!(
        way.iter().map(|place| offered[*place].kind.word()).collect::<Vec<_>>(),
        ["snapshot", "delta"]
    );
    offered.retain(|header| header.kind != TargetKind::Snapshot);
    assert!(matches!(route(Some(&first), &offered), Err(ReleaseError::NoWay { release: 4 })));
}
