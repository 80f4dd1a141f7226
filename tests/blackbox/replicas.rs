//! Somebody else's list, followed by a running worker: its replica is named like a list, and changes under it.

use std::fs;
use std::path::PathBuf;

use hashward_core::Algorithm;
use hashward_index::SealKey;
use hashward_release::{
    Desk, Identities, REPLICA_PURPOSE, Recipients, Replica, ReplicaKey, SnapshotWish, TargetFile, Terms,
};
use jiff::Timestamp;

use crate::fixture::{complaints, hex, listed};
use crate::list_fixture::{Lists, text_list};
use crate::lists_live::{generation, judged, start, wait_for_generation, wait_for_reload};
use crate::worker::{hashward, text};

const REPLICA: [&str; 4] = ["--list", "subscribed", "--set", "lists.key_file=seal.key"];

/// A list of fifty entries, its first release, and a replica of that.
struct Subscription {
    lists: Lists,
    replica: Replica,
    newest: Option<TargetFile>,
}

impl Subscription {
    fn new() -> Self {
        let lists = Lists::new();
        lists.write("import.txt", text_list(0..50));
        lists.ok(&["import", "national", "import.txt"]);
        lists.ok(&["key", "seal.key"]);
        fs::create_dir(lists.path("targets")).unwrap();
        let key = SealKey::from_file(&lists.path("seal.key")).unwrap();
        let key = ReplicaKey::new(key.derive(REPLICA_PURPOSE));
        let replica = Replica::open(&lists.path("subscribed"), &"national".parse().unwrap(), &key).unwrap();
        let mut subscription = Self { lists, replica, newest: None };
        subscription.release();
        subscription
    }

    /// The list as it is now is released, and the replica led to it.
    fn release(&mut self) {
        let created = Timestamp::now();
        let terms = Terms { created, expires: Timestamp::MAX, snapshot: SnapshotWish::WhenDue };
        let mut desk = Desk::open(&self.lists.path("national")).unwrap();
        let plan = desk.plan(self.newest.as_ref().map(|target| &target.header), &terms).unwrap();
        let targets = plan.write(&self.lists.path("targets"), &Recipients::default()).unwrap();
        let target = targets.last().unwrap().clone();
        self.replica.apply(&target.path, &target.header, &Identities::default()).unwrap();
        self.newest = Some(target);
    }

    fn add(&self, number: usize) {
        let digest = format!("sha256:{}", hex(Algorithm::Sha256, &listed(number)));
        self.lists.ok(&["add", "national", "--digest", &digest]);
    }
}

#[test]
fn a_worker_follows_a_replica_that_changes_under_it() {
    let mut subscription = Subscription::new();
    let kept = [&REPLICA[..], &["--set", "lists.generations_dir=kept"]].concat();
    let mut worker = start(&subscription.lists, &kept);
    assert_eq!(judged(&subscription.lists, "first", &listed(7)), Some(("block".to_owned(), 1)));
    assert_eq!(judged(&subscription.lists, "before", &listed(60)), None);
    subscription.add(60);
    subscription.release();
    wait_for_generation(&mut worker, 2.0);
    assert_eq!(worker.metric("hashward_snapshot_overlay_entries", ""), 1.0);
    assert_eq!(judged(&subscription.lists, "after", &listed(60)), Some(("block".to_owned(), 2)));
    subscription.lists.ok(&["withdraw", "national", "key:item-3", "--reason", "an error"]);
    subscription.release();
    wait_for_generation(&mut worker, 3.0);
    assert_eq!(judged(&subscription.lists, "withdrawn", &listed(3)), None);
    // One release back, as an operator may wish.
    subscription.replica.roll_back(2).unwrap();
    wait_for_generation(&mut worker, 4.0);
    assert_eq!(judged(&subscription.lists, "back", &listed(3)), Some(("block".to_owned(), 4)));
    assert_eq!(worker.terminate().0.code(), Some(0));

    // What came while nobody looked.
    let newest = subscription.newest.clone().unwrap();
    subscription.replica.apply(&newest.path, &newest.header, &Identities::default()).unwrap();
    let mut worker = start(&subscription.lists, &kept);
    assert_eq!(judged(&subscription.lists, "restarted", &listed(3)), None);
    assert_eq!(judged(&subscription.lists, "still", &listed(60)).unwrap().0, "block");
    assert_eq!(worker.metric("hashward_list_entries", "national"), 50.0);
    assert_eq!(worker.terminate().0.code(), Some(0));
}

#[test]
fn a_release_is_folded_in_refused_or_held_back_as_known_good() {
    let mut subscription = Subscription::new();
    subscription.lists.write("good.txt", format!("{}\n", hex(Algorithm::Sha256, &listed(61))));
    let more = ["--set", "lists.fold_after_ms=0", "--set", "guard.known_good_files=[\"good.txt\"]"];
    let mut worker = start(&subscription.lists, &[&REPLICA[..], &more].concat());
    subscription.add(60);
    subscription.add(61);
    subscription.release();
    wait_for_generation(&mut worker, 3.0);
    assert_eq!(worker.metric("hashward_snapshot_overlay_entries", ""), 0.0);
    assert_eq!(judged(&subscription.lists, "folded", &listed(60)), Some(("block".to_owned(), 3)));
    assert_eq!(judged(&subscription.lists, "good", &listed(61)), None);
    for number in 10..40 {
        let key = format!("key:item-{number}");
        subscription.lists.ok(&["withdraw", "national", &key, "--reason", "a mistake"]);
    }
    subscription.release();
    wait_for_reload(&mut worker, "refused", 1.0);
    assert_eq!(judged(&subscription.lists, "kept", &listed(20)), Some(("block".to_owned(), 3)));
    // The owner takes it back.
    subscription.replica.roll_back(2).unwrap();
    assert_eq!(generation(&mut worker), 3.0);
    complaints(&worker.log());
    assert_eq!(worker.terminate().0.code(), Some(0));
}

#[test]
fn a_replica_needs_its_key_and_tells_a_thief_nothing() {
    let subscription = Subscription::new();
    let scan = |arguments: &[&str]| {
        let mut command = hashward();
        command.current_dir(subscription.lists.path("")).args(["scan", "import.txt"]).args(arguments);
        command.output().unwrap()
    };
    let without = scan(&["--list", "subscribed"]);
    assert_eq!(without.status.code(), Some(2));
    assert!(text(&without.stderr).contains("subscribed: is sealed: no key"), "{}", text(&without.stderr));
    subscription.lists.ok(&["key", "other.key"]);
    let other = scan(&["--list", "subscribed", "--set", "lists.key_file=other.key"]);
    assert_eq!(other.status.code(), Some(2));
    let told = text(&other.stderr);
    assert!(told.contains("replica.sqlite: is damaged, or sealed under another key"), "{told}");
    assert_eq!(scan(&REPLICA).status.code(), Some(0));

    let files = fs::read_dir(subscription.lists.path("subscribed")).unwrap();
    let files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    assert!(files.iter().any(|file| file.ends_with("replica.sqlite")));
    let all: Vec<u8> = files.iter().flat_map(|file| fs::read(file).unwrap()).collect();
    let release = fs::read(subscription.lists.path("national/release.sqlite")).unwrap();
    for number in 0..50 {
        let hex = hex(Algorithm::Sha256, &listed(number));
        let bytes: Vec<u8> =
            (0..12).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap()).collect();
        for start in [&bytes[..], &hex.as_bytes()[..24]] {
            assert!(!all.windows(start.len()).any(|window| window == start), "entry {number} lies open");
        }
        assert!(release.windows(12).any(|window| window == bytes), "what is looked for would be found");
    }
}
