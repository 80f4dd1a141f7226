mod damage;
mod names;
mod random;
mod room;
mod selectors;
mod steps;
mod twin;

use std::path::{Path, PathBuf};

use hashward_core::{Algorithm, Digest, Digests, ListInfo};
use jiff::Timestamp;
use tempfile::TempDir;

use super::{EntryChange, StepInfo, Store, StoredEntry, Summary, Which};
use crate::{Change, Statement};

/// A list of its own for one test, and what it is in.
struct Fixture {
    folder: TempDir,
    store: Store,
}

impl Fixture {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let store = Store::init(&folder.path().join("list"), &bare(), by(0)).unwrap();
        Self { folder, store }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("list")
    }

    /// Takes statements in, in one step.
    fn import(&mut self, statements: &[Statement]) -> Summary {
        let mut step = self.store.begin(by(1)).unwrap();
        for statement in statements {
            step.apply(statement).unwrap();
        }
        step.commit().unwrap()
    }

    fn all(&self) -> Vec<StoredEntry> {
        self.store.entries(Which::All).unwrap().map(Result::unwrap).collect()
    }

    fn diff(&self, from: u64, to: u64) -> Vec<EntryChange> {
        self.store.diff(from, to).unwrap().map(Result::unwrap).collect()
    }
}

fn bare() -> ListInfo {
    ListInfo::bare("test-list".parse().unwrap())
}

fn by(second: i64) -> StepInfo {
    StepInfo { who: "somebody".into(), why: "a test".into(), when: at(second) }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A digest told by one byte.
fn digest(algorithm: Algorithm, byte: u8) -> Digest {
    Digest::new(algorithm, &vec![byte; algorithm.digest_bytes()]).unwrap()
}

fn put(key: &str, signals: &[(Algorithm, u8)]) -> Statement {
    let digests: Digests = signals.iter().map(|(algorithm, byte)| digest(*algorithm, *byte)).collect();
    Statement { key: (!key.is_empty()).then(|| key.to_owned()), digests, ..Statement::default() }
}

fn withdraw(key: &str, signals: &[(Algorithm, u8)]) -> Statement {
    Statement { change: Change::Withdraw, ..put(key, signals) }
}

/// An error's text with the folder's own path cut out, and the texts of its sources.
fn told(error: &dyn std::error::Error, folder: &Path) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text.replace(&format!("{}", folder.display()), "LIST")
}
