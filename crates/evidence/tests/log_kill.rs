//! A program that appends to a log is killed, again and again: what is there afterwards opens, is whole, and has grown
//! from everything that it ever told.
//!
//! The test starts itself as that program, with the folder in an environment variable.

#![expect(clippy::unwrap_used, reason = "this is a test, but none that the harness runs")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use hashward_core::AlertId;
use hashward_evidence::{
    AuditLog, Checkpoint, Hash, LogFolder, PrivateKey, Record, VerifierKey, What, verify,
};
use jiff::Timestamp;

const FOLDER_VARIABLE: &str = "HASHWARD_TEST_LOG_FOLDER";
const KILLS: u64 = 60;
/// The longest that the program lives, in microseconds.
const LIFE_US: u64 = 60_000;
const NAME: &str = "example.org/kill";

fn main() {
    if let Some(folder) = std::env::var_os(FOLDER_VARIABLE) {
        work(Path::new(&folder));
        return;
    }
    let entries = kills();
    println!("killed {KILLS} times, {entries} entries, whole each time");
    let entries = no_room();
    println!("not allowed to write further after {entries} entries, all of them whole");
}

fn kills() -> u64 {
    let dir = tempfile::tempdir().unwrap();
    let (folder, key) = init(dir.path());
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut remembered: Option<Checkpoint> = None;
    for _ in 0..KILLS {
        let mut child = spawn(Command::new(std::env::current_exe().unwrap()), dir.path());
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_micros(random % LIFE_US));
        child.kill().unwrap();
        let told = BufReader::new(child.stdout.take().unwrap()).lines();
        let told = told.map_while(Result::ok).filter_map(|line| line.parse::<u64>().ok()).last().unwrap_or(0);
        let status = child.wait().unwrap();
        assert_eq!(status.code(), None, "the program ended by itself: {status}");
        let checkpoint = is_whole(&folder, &key, remembered.as_ref());
        assert!(checkpoint.size >= told, "{told} entries were told, and {} are there", checkpoint.size);
        remembered = Some(checkpoint);
    }
    let size = remembered.unwrap().size;
    assert!(size > KILLS, "hardly anything was done before it was undone: {size}");
    size
}

/// Writes beyond a certain length of a file fail.
fn no_room() -> u64 {
    let dir = tempfile::tempdir().unwrap();
    let (folder, key) = init(dir.path());
    let mut shell = Command::new("sh");
    // In blocks of 512 bytes: less than a full bundle has.
    let limited = "trap '' XFSZ; ulimit -f 40; exec \"$0\"";
    shell.arg("-c").arg(limited).arg(std::env::current_exe().unwrap());
    let output = spawn(shell, dir.path()).wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && told.contains("tile/entries/"), "{told}");
    let stopped = is_whole(&folder, &key, None);
    assert!(stopped.size > 0, "there was room for some entries");
    // With room again, it goes on from there.
    let mut log = open(dir.path());
    assert_eq!(log.append(&[record(stopped.size)]).unwrap().first, stopped.size);
    is_whole(&folder, &key, Some(&stopped)).size
}

fn init(dir: &Path) -> (PathBuf, VerifierKey) {
    let private = PrivateKey::create(&dir.join("key")).unwrap();
    let name: hashward_evidence::KeyName = NAME.parse().unwrap();
    AuditLog::init(&dir.join("log"), &private, name.clone()).unwrap();
    (dir.join("log"), private.verifier(name))
}

fn open(dir: &Path) -> AuditLog {
    AuditLog::open(&dir.join("log"), PrivateKey::from_file(&dir.join("key")).unwrap()).unwrap()
}

fn spawn(mut command: Command, dir: &Path) -> Child {
    command.env(FOLDER_VARIABLE, dir).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Appends one batch after another, each of another length, until something ends that. Tells the size after each.
fn work(dir: &Path) {
    let mut log = open(dir);
    for step in log.size().. {
        let size = log.size();
        let records: Vec<Record> = (size..=size + step % 40).map(record).collect();
        let appended = log.append(&records).unwrap_or_else(|error| panic!("{error}"));
        println!("{}", appended.size);
    }
}

fn record(number: u64) -> Record {
    let what = What::Alert { alert: AlertId(u128::from(number)), sha256: Hash::of(&number.to_be_bytes()) };
    Record { when: Timestamp::UNIX_EPOCH, who: "a program".into(), what }
}

/// Opens the log, and sees to it that it is whole, has grown, and has the records that it must have.
fn is_whole(folder: &Path, key: &VerifierKey, remembered: Option<&Checkpoint>) -> Checkpoint {
    drop(open(folder.parent().unwrap()));
    let log = LogFolder::open(folder).unwrap();
    let report = verify(&log, key, remembered).unwrap();
    assert!(report.problems.is_empty() && report.strangers.is_empty(), "{report:?}");
    let size = report.checkpoint.size;
    let first = size.saturating_sub(2000);
    let found = log.entries(first, size).map(|entry| Record::from_entry(&entry.unwrap().1));
    assert!(found.eq((first..size).map(record).map(Some)));
    report.checkpoint
}
