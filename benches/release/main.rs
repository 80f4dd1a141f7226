//! What a release costs a maintainer and a provider. `cargo bench -p hashward-release`, with `-- --entries N` for lists of
//! other sizes and `-- --folder DIR` for another disk.
//!
//! A list folder of N entries (MD5, SHA-1 and SHA-256 each) is released, and a replica led to it. Then, round after round, 600
//! entries come, 300 change and 100 go; that is released, applied, laid over an index and swapped in. CPU times are those of
//! the process; memory is the peak of what is resident, from the page cache of SQLite up.
#![allow(missing_docs, reason = "a benchmark has no readers of its documentation")]
#![allow(clippy::pedantic, reason = "times are told in floats")]

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hashward_core::{Algorithm, Digest, Generation, ListId, ListInfo};
use hashward_engine::lists::{BuildOptions, Changes, ListIndex, ListIndexBuilder, Rails};
use hashward_engine::{Live, Snapshot};
use hashward_index::SealKey;
use hashward_list::store::{StepInfo, Store};
use hashward_list::{Change, NamedHistory, Statement};
use hashward_release::{
    Desk, Header, Identities, REPLICA_PURPOSE, Recipients, Replica, ReplicaKey, ReplicaReader, SnapshotWish,
    TargetFile, Terms,
};
use jiff::{Timestamp, ToSpan as _};
use rustix::time::{ClockId, clock_gettime};

const ROUNDS: u64 = 7;
/// Entries of one step when the list is made.
const STEP: u64 = 1_000_000;
const ADDED: u64 = 600;
const CHANGED: u64 = 300;
const WITHDRAWN: u64 = 100;

fn main() {
    let entries: u64 = argument("--entries").map_or(10_000_000, |text| text.parse().expect("a number"));
    let parent = argument("--folder").unwrap_or_else(|| std::env::temp_dir().display().to_string());
    let folder = tempfile::tempdir_in(parent).expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("targets")).expect("room on the disk");
    let started = Instant::now();
    let mut store = make_list(&at("list"), entries);
    println!("a list of {entries} entries, made in {:.0} s\n", started.elapsed().as_secs_f64());
    let key = SealKey::generate().expect("randomness");
    let replica_key = ReplicaKey::new(key.derive(REPLICA_PURPOSE));

    println!("| | CPU, s | clock, s | peak resident, MiB |");
    println!("|---|---|---|---|");
    let first = told("first release: rows sorted, hashed, snapshot written", || {
        publish(&at("list"), &at("targets"), None)
    });
    assert_eq!(first[0].header.entries, entries);
    let mut replica = Replica::open(&at("replica"), &list(), &replica_key).expect("a new replica");
    told("first pull: the snapshot applied", || apply(&mut replica, &first));
    let (base, live) = told("the index built from the replica, in memory", || {
        let base = Arc::new(build(&at("replica"), &key, &replica_key));
        let snapshot = Snapshot::new(Generation(1), vec![Arc::clone(&base)]).expect("one index");
        (base, Live::new(Arc::new(snapshot)))
    });
    println!(
        "\nsnapshot: {} bytes, {:.1} a digest",
        first[0].length_bytes,
        first[0].length_bytes as f64 / entries as f64 / 3.0
    );
    println!("replica: {} bytes; list folder: {} bytes\n", size(&at("replica")), size(&at("list")));

    let mut phases: [Vec<Cost>; 3] = Default::default();
    let mut newest = first[0].header.clone();
    let mut bytes = 0;
    for round in 0..ROUNDS {
        change(&mut store, entries, round);
        let (targets, cost) = costs(|| publish(&at("list"), &at("targets"), Some(&newest)));
        phases[0].push(cost);
        assert_eq!(targets.len(), 1, "a delta and no snapshot");
        let ((), cost) = costs(|| apply(&mut replica, &targets));
        phases[1].push(cost);
        let ((), cost) = costs(|| lay(&at("replica"), &base, &live, (&key, &replica_key)));
        phases[2].push(cost);
        newest = targets[0].header.clone();
        bytes = bytes.max(targets[0].length_bytes);
        assert!(bytes < 100_000, "the delta has {bytes} bytes");
        let found = |number| {
            let mut found = false;
            let digests: Vec<Digest> = digests(number).collect();
            live.load().lookup(&digests, &mut |_, _| found = true).expect("an index in memory");
            found
        };
        assert!(found(new_one(entries, round, 0)), "what came is matched");
        assert!(!found(gone_one(round, 0)), "what went is not");
        assert!(found(entries / 2), "what stayed is matched");
    }
    println!(
        "| 1,000 changes, {ROUNDS} times | CPU, s: median | longest | clock, s: median | longest | peak resident, MiB |"
    );
    println!("|---|---|---|---|---|---|");
    for (name, costs) in [
        ("publish: plan and write the delta", &phases[0]),
        ("apply the delta", &phases[1]),
        ("lay it over the index, swap it in", &phases[2]),
    ] {
        let [cpu, clock] = [|cost: &Cost| cost.cpu, |cost: &Cost| cost.clock].map(|of| {
            let mut times: Vec<f64> = costs.iter().map(of).collect();
            times.sort_by(f64::total_cmp);
            (times[times.len() / 2], times[times.len() - 1])
        });
        let peak = costs.iter().map(|cost| cost.peak_mib).max().expect("there are rounds");
        println!("| {name} | {:.3} | {:.3} | {:.3} | {:.3} | {peak} |", cpu.0, cpu.1, clock.0, clock.1);
    }
    println!("\nthe largest delta: {bytes} bytes");
    ReplicaReader::open(&at("replica"), &replica_key).expect("it is there").verify().expect("it is whole");
}

#[derive(Clone, Copy)]
struct Cost {
    cpu: f64,
    clock: f64,
    peak_mib: u64,
}

fn costs<T>(act: impl FnOnce() -> T) -> (T, Cost) {
    // Forgets the peak of before (proc(5)).
    fs::write("/proc/self/clear_refs", "5").expect("Linux");
    let (cpu, started) = (cpu_time(), Instant::now());
    let done = act();
    let cost = Cost {
        cpu: (cpu_time() - cpu).as_secs_f64(),
        clock: started.elapsed().as_secs_f64(),
        peak_mib: peak_kib() / 1024,
    };
    (done, cost)
}

fn told<T>(name: &str, act: impl FnOnce() -> T) -> T {
    let (done, Cost { cpu, clock, peak_mib }) = costs(act);
    println!("| {name} | {cpu:.1} | {clock:.1} | {peak_mib} |");
    done
}

fn cpu_time() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().expect("a time since the process began")
}

fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("Linux");
    line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
}

fn size(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).expect("it is there");
    files.map(|file| file.and_then(|file| file.metadata()).map_or(0, |metadata| metadata.len())).sum()
}

fn argument(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}

fn list() -> ListId {
    "bench".parse().expect("an id")
}

fn digests(number: u64) -> impl Iterator<Item = Digest> {
    [Algorithm::Md5, Algorithm::Sha1, Algorithm::Sha256].into_iter().map(move |algorithm| {
        let mut bytes = [0; 32];
        let seed = [number.to_le_bytes(), (algorithm as u64).to_le_bytes()].concat();
        blake3::Hasher::new().update(&seed).finalize_xof().fill(&mut bytes);
        Digest::new(algorithm, &bytes[..algorithm.digest_bytes()]).expect("as many bytes as it has")
    })
}

fn statement(number: u64, size_bytes: u64) -> Statement {
    let reference = Some(format!("REF-2026-{number:08}"));
    let digests = digests(number).collect();
    Statement { digests, size_bytes: Some(size_bytes), reference, ..Statement::default() }
}

fn by() -> StepInfo {
    StepInfo { who: "bench".to_owned(), why: "a change".to_owned(), when: Timestamp::now() }
}

fn make_list(folder: &Path, entries: u64) -> Store {
    let mut store = Store::init(folder, &ListInfo::bare(list()), by()).expect("a new list");
    for start in (0..entries).step_by(usize::try_from(STEP).expect("a few")) {
        let mut step = store.begin(by()).expect("nobody else changes it");
        for number in start..entries.min(start + STEP) {
            step.apply(&statement(number, number * 1_000_003 % 50_000_000)).expect("a good statement");
        }
        step.commit().expect("room on the disk");
    }
    store
}

fn new_one(entries: u64, round: u64, number: u64) -> u64 {
    entries + round * ADDED + number
}

fn gone_one(round: u64, number: u64) -> u64 {
    round * (CHANGED + WITHDRAWN) + CHANGED + number
}

fn change(store: &mut Store, entries: u64, round: u64) {
    let mut step = store.begin(by()).expect("nobody else changes it");
    let added = (0..ADDED).map(|number| statement(new_one(entries, round, number), number));
    let changed = (0..CHANGED).map(|number| statement(round * (CHANGED + WITHDRAWN) + number, 77));
    let gone = |number| Statement { change: Change::Withdraw, ..statement(gone_one(round, number), 0) };
    for statement in added.chain(changed).chain((0..WITHDRAWN).map(gone)) {
        step.apply(&statement).expect("a good statement");
    }
    step.commit().expect("room on the disk");
}

fn publish(folder: &Path, targets: &Path, previous: Option<&Header>) -> Vec<TargetFile> {
    let created = Timestamp::now();
    let terms = Terms { created, expires: created + 24.hours(), snapshot: SnapshotWish::WhenDue };
    let mut desk = Desk::open(folder).expect("a list folder");
    let plan = desk.plan(previous, &terms).expect("a release");
    plan.write(targets, &Recipients::default()).expect("room on the disk")
}

fn apply(replica: &mut Replica, targets: &[TargetFile]) {
    for target in targets {
        replica.apply(&target.path, &target.header, &Identities::default()).expect("what was made");
    }
}

fn build(replica: &Path, key: &SealKey, replica_key: &ReplicaKey) -> ListIndex {
    let mut builder = ListIndexBuilder::new(key, BuildOptions::default()).expect("memory");
    let list =
        ReplicaReader::open(replica, replica_key).expect("it is there").into_list().expect("it is whole");
    builder.add(list, &mut |_| {}).expect("it can be read");
    builder.finish(&mut |_| {}).expect("it can be built")
}

/// As a worker does when its replica has changed.
fn lay(replica: &Path, base: &ListIndex, live: &Live, (key, replica_key): (&SealKey, &ReplicaKey)) {
    let reader = ReplicaReader::open(replica, replica_key).expect("it is there");
    let lists: [NamedHistory; 1] = [(list(), Box::new(reader))];
    let changes = Changes { lists: &lists, rails: Rails::default(), now: Timestamp::now().as_second() };
    let next = Arc::new(base.with_changes(&changes, key).expect("few changes"));
    let generation = Generation(live.load().generation().0 + 1);
    live.swap(&Arc::new(Snapshot::new(generation, vec![next]).expect("one index")));
}
