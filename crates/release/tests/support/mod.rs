//! A maintainer with a list folder and a desk, and what providers do with its releases.
#![allow(clippy::unwrap_used, dead_code, reason = "shared by tests, each of which uses a part")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hashward_core::{Algorithm, Digest, ListId, ListInfo};
use hashward_list::store::{StepInfo, Store};
use hashward_list::{Change, LoadOptions, MatchableEntry, Statement};
use hashward_release::{
    Applied, Desk, Header, Identities, Recipients, ReleaseError, Replica, ReplicaKey, ReplicaReader,
    SnapshotWish, TargetFile, Terms, route,
};
use jiff::{Timestamp, ToSpan as _};
use tempfile::TempDir;
use zeroize::Zeroizing;

pub(crate) fn list() -> ListId {
    "national".parse().unwrap()
}

pub(crate) fn key(number: u8) -> ReplicaKey {
    ReplicaKey::new(Zeroizing::new([number; 32]))
}

fn by() -> StepInfo {
    StepInfo {
        who: "tester".into(),
        why: "a test".into(),
        when: Timestamp::from_second(1_790_000_000).unwrap(),
    }
}

/// MD5, SHA-1 and SHA-256 of the item with a number, as good as random.
pub(crate) fn digests(number: u64) -> impl Iterator<Item = Digest> {
    let algorithms = [Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha256];
    algorithms.into_iter().map(move |algorithm| {
        let mut bytes = vec![0; algorithm.digest_bytes()];
        let seed = [number.to_le_bytes(), (algorithm as u64).to_le_bytes()].concat();
        blake3::Hasher::new().update(&seed).finalize_xof().fill(&mut bytes);
        Digest::new(algorithm, &bytes).unwrap()
    })
}

pub(crate) fn statement(number: u64) -> Statement {
    Statement {
        key: Some(format!("item {number}")),
        digests: digests(number).collect(),
        size_bytes: Some(number * 1_000_003 % 9_000_000),
        ..Statement::default()
    }
}

/// A maintainer.
pub(crate) struct Maintainer {
    pub(crate) folder: TempDir,
    /// All targets that were given away.
    pub(crate) given: Vec<TargetFile>,
    pub(crate) recipients: Recipients,
    releases: i64,
}

impl Maintainer {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Store::init(&folder.path().join("list"), &ListInfo::bare(list()), by()).unwrap();
        std::fs::create_dir(folder.path().join("targets")).unwrap();
        Self { folder, given: Vec::new(), recipients: Recipients::default(), releases: 0 }
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn step(&self, statements: impl IntoIterator<Item = Statement>) {
        let mut store = Store::open(&self.at("list")).unwrap();
        let mut step = store.begin(by()).unwrap();
        for statement in statements {
            step.apply(&statement).unwrap();
        }
        step.commit().unwrap();
    }

    pub(crate) fn put(&self, numbers: impl IntoIterator<Item = u64>) {
        self.step(numbers.into_iter().map(statement));
    }

    pub(crate) fn withdraw(&self, numbers: impl IntoIterator<Item = u64>) {
        let withdrawn = |number| Statement { change: Change::Withdraw, ..statement(number) };
        self.step(numbers.into_iter().map(withdrawn));
    }

    /// Their items get another size.
    pub(crate) fn change(&self, numbers: impl IntoIterator<Item = u64>, size_bytes: u64) {
        let changed = |number| Statement { size_bytes: Some(size_bytes), ..statement(number) };
        self.step(numbers.into_iter().map(changed));
    }

    pub(crate) fn newest(&self) -> Option<&Header> {
        self.given.last().map(|target| &target.header)
    }

    /// Makes the next release, without giving it away.
    pub(crate) fn make(&mut self, snapshot: SnapshotWish) -> Result<Vec<TargetFile>, ReleaseError> {
        self.releases += 1;
        let created = Timestamp::from_second(1_795_000_000 + self.releases).unwrap();
        let terms = Terms { created, expires: created + 24.hours(), snapshot };
        let mut desk = Desk::open(&self.at("list"))?;
        desk.plan(self.newest(), &terms)?.write(&self.at("targets"), &self.recipients)
    }

    pub(crate) fn publish(&mut self, snapshot: SnapshotWish) -> Vec<TargetFile> {
        let made = self.make(snapshot).unwrap();
        self.given.extend(made.clone());
        made
    }

    pub(crate) fn headers(&self) -> Vec<Header> {
        self.given.iter().map(|target| target.header.clone()).collect()
    }

    /// Leads a replica to the newest release.
    pub(crate) fn lead(&self, replica: &mut Replica) -> Result<Vec<Applied>, ReleaseError> {
        let way = route(replica.newest()?.as_ref(), &self.headers())?;
        let targets = way.into_iter().map(|place| &self.given[place]);
        targets.map(|target| replica.apply(&target.path, &target.header, &Identities::default())).collect()
    }

    /// A replica of the newest release, by the shortest way from nothing.
    pub(crate) fn fresh(&self, name: &str) -> Replica {
        let mut replica = Replica::open(&self.at(name), &list(), &key(1)).unwrap();
        self.lead(&mut replica).unwrap();
        replica
    }

    /// What there is to match in the list folder now.
    pub(crate) fn matchable(&self) -> BTreeMap<u64, MatchableEntry> {
        let mut list = hashward_list::open(&self.at("list"), &LoadOptions::default()).unwrap();
        let mut entries = BTreeMap::new();
        while let Ok(Some(entry)) = list.next_entry() {
            entries.insert(entry.id.0, entry);
        }
        entries
    }
}

/// The entries of a replica, which must come in order.
pub(crate) fn held(folder: &Path) -> Vec<MatchableEntry> {
    let mut list = ReplicaReader::open(folder, &key(1)).unwrap().into_list().unwrap();
    let mut entries = Vec::new();
    while let Some(entry) = list.next_entry().unwrap() {
        entries.push(entry);
    }
    entries
}

pub(crate) fn is_held(folder: &Path, expected: &BTreeMap<u64, MatchableEntry>) -> bool {
    held(folder).iter().eq(expected.values())
}
