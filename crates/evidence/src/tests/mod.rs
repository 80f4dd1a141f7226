//! Logs on a real disk.

mod damage;
mod forks;
mod grows;
mod stops;

use std::fs;
use std::path::{Path, PathBuf};

use hashward_core::AlertId;
use jiff::Timestamp;
use tempfile::TempDir;

use crate::{AuditLog, Hash, LogFolder, PrivateKey, Record, Report, VerifierKey, What, verify};

/// So many of the last records are compared with what was appended; all of them are held against their signed tree.
const LAST_RECORDS: u64 = 1000;

/// A log in a folder of one test, and its key beside it.
struct Fixture {
    dir: TempDir,
}

impl Fixture {
    fn new() -> Self {
        let fixture = Self { dir: folder() };
        let private = PrivateKey::create(&fixture.key_file()).unwrap();
        AuditLog::init(&fixture.folder(), &private, "example.org/evidence".parse().unwrap()).unwrap();
        fixture
    }

    fn with(sizes: &[u64]) -> Self {
        let fixture = Self::new();
        let mut log = fixture.log();
        for size in sizes {
            log.append(&records(log.size()..*size)).unwrap();
        }
        fixture
    }

    fn key_file(&self) -> PathBuf {
        self.dir.path().join("evidence.key")
    }

    fn folder(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    fn private(&self) -> PrivateKey {
        PrivateKey::from_file(&self.key_file()).unwrap()
    }

    fn log(&self) -> AuditLog {
        AuditLog::open(&self.folder(), self.private()).unwrap()
    }

    fn reader(&self) -> LogFolder {
        LogFolder::open(&self.folder()).unwrap()
    }

    fn verifier(&self) -> VerifierKey {
        self.private().verifier("example.org/evidence".parse().unwrap())
    }

    fn verify(&self) -> Report {
        verify(&self.reader(), &self.verifier(), None).unwrap()
    }

    /// Sees to it that the log is whole, with these many entries and nothing else beside them.
    fn is_whole(&self, size: u64) {
        let report = self.verify();
        assert!(report.problems.is_empty(), "{:?}", report.problems);
        assert!(report.strangers.is_empty(), "{:?}", report.strangers);
        assert_eq!(report.checkpoint.size, size);
        let first = size.saturating_sub(LAST_RECORDS);
        let expected = records(first..size).into_iter().map(Some);
        let reader = self.reader();
        let entries = reader.entries(first, size).map(|entry| Record::from_entry(&entry.unwrap().1));
        assert!(entries.eq(expected));
    }
}

/// A folder in memory where there is one: these tests are about order, and wait for no disk.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

/// The records of these numbers.
fn records(numbers: std::ops::Range<u64>) -> Vec<Record> {
    numbers.map(record).collect()
}

fn record(number: u64) -> Record {
    let sha256 = Hash::of(&number.to_be_bytes());
    let what = What::Alert { alert: AlertId(u128::from(number)), sha256 };
    Record { when: Timestamp::UNIX_EPOCH, who: "worker-1".into(), what }
}

/// Every file below a folder, in order.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

/// Copies a log, which no longer grows.
fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let copied = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(copied.parent().unwrap()).unwrap();
        fs::copy(&file, copied).unwrap();
    }
}
