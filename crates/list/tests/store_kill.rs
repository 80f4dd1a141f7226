//! A program that works on a list is killed, again and again: what is there afterwards is one state, whole.
//!
//! The test starts itself as that program, with the folder in an environment variable.

#![expect(clippy::unwrap_used, reason = "this is a test, but none that the harness runs")]

use std::ops::Range;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use hashward_core::{Algorithm, ListInfo};
use hashward_list::Statement;
use hashward_list::store::{StepInfo, Store, StoreError, StoredEntry, Which};
use jiff::Timestamp;

const FOLDER_VARIABLE: &str = "HASHWARD_TEST_STORE_FOLDER";
const KILLS: u64 = 120;
/// The longest that the program lives, in microseconds.
const LIFE_US: u64 = 80_000;
/// How many entries each step adds. It changes those of the step before, and withdraws those of the one before that.
const STEP_ENTRIES: u64 = 100;
/// After how many kills the whole list is checked.
const CHECK_EVERY: u64 = 20;

fn main() {
    if let Some(folder) = std::env::var_os(FOLDER_VARIABLE) {
        work(Path::new(&folder));
        return;
    }
    let states = kills();
    println!("killed {KILLS} times, {states} states made, one whole state each time");
    let states = no_room();
    println!("not allowed to write further after {states} states, the last of them whole");
}

fn kills() -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list");
    Store::init(&path, &info(0), by(0)).unwrap();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut newest = 0;
    for kill in 1..=KILLS {
        let mut child = spawn(Command::new(std::env::current_exe().unwrap()), &path);
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_micros(random % LIFE_US));
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.code(), None, "the program ended by itself: {status}");
        let state = is_one_state(&path, kill % CHECK_EVERY == 0);
        assert!(state >= newest, "state {newest} was there, and now there is {state}");
        newest = state;
    }
    assert!(newest > KILLS / 10, "hardly anything was done before it was undone: {newest} states");
    newest
}

/// Writes beyond a certain length of a file fail.
fn no_room() -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list");
    Store::init(&path, &info(0), by(0)).unwrap();
    let mut shell = Command::new("sh");
    let limited = "trap '' XFSZ; ulimit -f 2000; exec \"$0\"";
    shell.arg("-c").arg(limited).arg(std::env::current_exe().unwrap());
    let output = spawn(shell, &path).wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && told.contains("entries.sqlite: "), "{told}");
    let state = is_one_state(&path, true);
    assert!(state > 0, "there was room for some states");
    // With room again, it goes on from there.
    let mut store = Store::open(&path).unwrap();
    step(&mut store, state + 1).unwrap();
    drop(store);
    assert_eq!(is_one_state(&path, true), state + 1);
    state
}

fn spawn(mut command: Command, folder: &Path) -> Child {
    command.env(FOLDER_VARIABLE, folder).stderr(Stdio::piped()).spawn().unwrap()
}

/// Takes one step after another, until something ends that.
fn work(folder: &Path) {
    let mut store = Store::open(folder).unwrap();
    let next = store.state_number().unwrap() + 1;
    for state in next.. {
        step(&mut store, state).unwrap_or_else(|error| panic!("{error}"));
    }
}

fn step(store: &mut Store, state: u64) -> Result<(), StoreError> {
    let mut step = store.begin(by(state))?;
    for item in items(state) {
        step.apply(&statement(item, "new"))?;
    }
    for item in state.checked_sub(1).into_iter().flat_map(items) {
        step.apply(&statement(item, "changed"))?;
    }
    for item in state.checked_sub(2).into_iter().flat_map(items) {
        step.withdraw(&key(item).parse().unwrap(), "withdrawn")?;
    }
    step.set_info(&info(state))?;
    assert_eq!(step.commit()?.state, Some(state));
    Ok(())
}

/// The items that come with a state: none with state 0, which is empty.
fn items(state: u64) -> Range<u64> {
    state.saturating_sub(1) * STEP_ENTRIES..state * STEP_ENTRIES
}

fn statement(item: u64, note: &str) -> Statement {
    let mut statement =
        Statement { key: Some(key(item)), note: Some(note.to_owned()), ..Statement::default() };
    statement.digests.set(Algorithm::Sha256, blake3::hash(&item.to_le_bytes()).as_bytes());
    statement
}

fn key(item: u64) -> String {
    format!("item {item}")
}

fn info(state: u64) -> ListInfo {
    ListInfo { contact: Some(why(state)), ..ListInfo::bare("kill".parse().unwrap()) }
}

fn by(state: u64) -> StepInfo {
    StepInfo { who: "a program".into(), why: why(state), when: Timestamp::UNIX_EPOCH }
}

fn why(state: u64) -> String {
    format!("state {state}")
}

/// Sees to it that the list is what it must be in the state that it says it is in, and says which.
fn is_one_state(folder: &Path, whole: bool) -> u64 {
    let store = Store::open(folder).unwrap();
    let state = store.state_number().unwrap();
    assert_eq!(store.info().unwrap(), info(state));
    let entries: Vec<StoredEntry> = store.entries(Which::All).unwrap().map(Result::unwrap).collect();
    assert_eq!(entries.len() as u64, state * STEP_ENTRIES);
    for (item, entry) in (0..).zip(&entries) {
        let age = state - 1 - item / STEP_ENTRIES;
        assert_eq!(entry.key, Some(key(item)));
        assert_eq!(entry.digests, statement(item, "").digests);
        assert_eq!(entry.note.as_deref(), Some(if age == 0 { "new" } else { "changed" }));
        assert_eq!(entry.is_in_force(), age < 2);
    }
    let states = store.states(None, 100_000).unwrap();
    assert!(states.into_iter().map(|state| state.why).eq((0..=state).map(why)));
    if whole {
        let report = store.check().unwrap();
        assert!(report.is_sound() && !report.info_edited, "{:?}", report.problems);
    }
    state
}
