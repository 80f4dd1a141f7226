//! A program that applies releases, and one that makes them, are killed again and again: what is there afterwards is one
//! release, whole.
//!
//! The test starts itself as that program, with the folder in an environment variable.

#![expect(clippy::unwrap_used, reason = "this is a test, but none that the harness runs")]

mod support;

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use hashward_release::{Header, Identities, Replica, ReplicaReader, SnapshotWish};
use support::{Maintainer, held, key, list};

const FOLDER_VARIABLE: &str = "HASHWARD_TEST_REPLICA_FOLDER";
const KILLS: u64 = 60;
/// The longest that the program lives, in microseconds.
const LIFE_US: u64 = 60_000;
const RELEASES: u64 = 12;
const ENTRIES: u64 = 1_500;

fn main() {
    if let Some(folder) = std::env::var_os(FOLDER_VARIABLE) {
        work(Path::new(&folder));
        return;
    }
    let mut maintainer = Maintainer::new();
    let mut states = Vec::new();
    for release in 0..RELEASES {
        maintainer.put(release * 20..ENTRIES + release * 20);
        maintainer.withdraw(release * 5..release * 5 + 5);
        maintainer.publish(SnapshotWish::Now);
        states.push(maintainer.matchable());
    }
    let targets: Vec<(Header, String)> =
        maintainer.given.iter().map(|t| (t.header.clone(), t.name.clone())).collect();
    let headers: Vec<_> = targets.iter().map(|(header, name)| (header.to_json(), name)).collect();
    std::fs::write(maintainer.at("targets/all.json"), serde_json::to_vec(&headers).unwrap()).unwrap();

    let is_one = |newest: &mut u64| {
        let folder = maintainer.at("replica");
        let Ok(reader) = ReplicaReader::open(&folder, &key(1)) else {
            assert_eq!(*newest, 0, "release {newest} was there, and now there is none");
            return;
        };
        reader.verify().unwrap();
        let release = reader.newest().release;
        assert!(release >= *newest, "release {newest} was there, and now there is {release}");
        let expected = &states[usize::try_from(release - 1).unwrap()];
        assert!(held(&folder).iter().eq(expected.values()), "release {release} is not what was released");
        *newest = release;
    };
    let (mut newest, mut random, mut rounds, mut ended) = (0, 0x9e37_79b9_7f4a_7c15_u64, 0, 0);
    for _ in 0..KILLS {
        let mut child = spawn(Command::new(std::env::current_exe().unwrap()), maintainer.folder.path());
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        std::thread::sleep(Duration::from_micros(random % LIFE_US));
        child.kill().unwrap();
        // One that was done before is no kill.
        ended += u64::from(child.wait().unwrap().success());
        is_one(&mut newest);
        if newest == RELEASES {
            std::fs::remove_dir_all(maintainer.at("replica")).unwrap();
            (newest, rounds) = (0, rounds + 1);
        }
    }
    println!("killed {} times, {rounds} times led to the end, one whole release each time", KILLS - ended);
    no_room(&maintainer, &mut newest, is_one);
}

/// Writes beyond a certain length of a file fail.
fn no_room(maintainer: &Maintainer, newest: &mut u64, is_one: impl Fn(&mut u64)) {
    let _ = std::fs::remove_dir_all(maintainer.at("replica"));
    *newest = 0;
    let mut refused = 0;
    for kib in [60, 150, 400, 700, 1000] {
        let mut shell = Command::new("sh");
        let limited = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\"", kib * 2);
        shell.arg("-c").arg(limited).arg(std::env::current_exe().unwrap());
        let output = spawn(shell, maintainer.folder.path()).wait_with_output().unwrap();
        if !output.status.success() {
            let told = String::from_utf8(output.stderr).unwrap();
            assert!(told.contains("replica.sqlite: "), "{told}");
            refused += 1;
        }
        is_one(newest);
    }
    assert!(refused > 1, "there was room enough");
    // With room again, it goes on.
    work(maintainer.folder.path());
    is_one(newest);
    assert_eq!(*newest, RELEASES);
    println!("not allowed to write further {refused} times, one whole release each time");
}

fn spawn(mut command: Command, folder: &Path) -> Child {
    command.env(FOLDER_VARIABLE, folder.as_os_str() as &OsStr).stderr(Stdio::piped()).spawn().unwrap()
}

/// Leads the replica to one release after another, now by a delta, now by a snapshot.
fn work(folder: &Path) {
    let text = std::fs::read(folder.join("targets/all.json")).unwrap();
    let all: Vec<(serde_json::Value, String)> = serde_json::from_slice(&text).unwrap();
    let targets: Vec<(Header, String)> =
        all.into_iter().map(|(json, name)| (Header::parse(&json).unwrap(), name)).collect();
    let fail = |error| -> ! { panic!("{error}") };
    let mut replica =
        Replica::open(&folder.join("replica"), &list(), &key(1)).unwrap_or_else(|error| fail(error));
    let next = replica.newest().unwrap().map_or(0, |header| header.release) + 1;
    for release in next..=RELEASES {
        let word = if release % 3 == 0 { "snapshot" } else { "delta" };
        let is_it = |(header, _): &&(Header, String)| {
            header.release == release && (release == 1 || header.kind.word() == word)
        };
        let (header, name) = targets.iter().find(is_it).unwrap();
        let file = folder.join("targets").join(name);
        replica.apply(&file, header, &Identities::default()).unwrap_or_else(|error| fail(error));
    }
}
