//! What a swap of the lists costs those who wait for a verdict, and how soon a change is judged by.
//! `cargo bench --bench swaps`.
//!
//! One thread judges batches as the line does. In every other round a second one changes a list folder, lays the change over
//! the index and swaps it in, as fast as it can. Times are the clock's, since it is a wait that is measured; both kinds of
//! rounds take turns in one run, and their ratio counts.
#![allow(missing_docs, reason = "a benchmark has no readers of its documentation")]
#![allow(clippy::pedantic, reason = "rates are told in floats")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hashward_core::{Algorithm, AlgorithmSet, Generation, ListInfo};
use hashward_digest::digest_bytes;
use hashward_engine::lists::{BuildOptions, Changes, ListIndex, ListIndexBuilder, Rails};
use hashward_engine::{
    Batch, BreakerLimits, Judge, JudgeOptions, Live, Metrics, Payload, Policy, Position, Record, Snapshot,
    StreamId,
};
use hashward_index::SealKey;
use hashward_list::store::{StepInfo, Store};
use hashward_list::{Change, LoadOptions, NamedHistory, Statement, open};
use jiff::Timestamp;
use prometheus::Registry;

const ENTRIES: usize = 200_000;
/// Entries that come, and as many that go, with each change.
const CHANGED: usize = 500;
const ROUNDS: usize = 6;
const BATCHES: usize = 3000;
const RECORDS: usize = 64;
const RECORD_BYTES: usize = 4096;
/// One record in so many is listed for good.
const LISTED_EACH: usize = 32;

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut store = list(folder.path());
    let key = SealKey::generate().expect("randomness");
    let base = build(folder.path(), &key);
    let live = Live::new(Arc::new(Snapshot::new(Generation(1), vec![Arc::clone(&base)]).expect("one index")));
    let options = JudgeOptions {
        digest_threads: 1,
        open_threads: 1,
        read_buffer_bytes: 65_536,
        content_bytes_max: u64::MAX,
        quarantine_bytes: false,
        breaker: BreakerLimits::OFF,
    };
    let metrics = Metrics::register(Registry::new()).expect("a new registry");
    let judge = Judge::new(live.clone(), Policy::default(), options, metrics).expect("threads");
    let (mut quiet, mut swapping, mut changes) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        if round % 2 == 0 {
            quiet.extend(judge_all(&judge));
            continue;
        }
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let changing = scope.spawn(|| {
                let mut took = Vec::new();
                while !done.load(Ordering::Relaxed) {
                    took.push(change(&mut store, &base, &live, &key, folder.path()));
                    thread::sleep(Duration::from_millis(20));
                }
                took
            });
            swapping.extend(judge_all(&judge));
            done.store(true, Ordering::Relaxed);
            changes.extend(changing.join().expect("the changing thread does not panic"));
        });
    }
    println!("| batches of {RECORDS} × {RECORD_BYTES} B | median, µs | 99 %, µs | longest, µs |");
    println!("|---|---|---|---|");
    for (name, times) in [("quiet", &mut quiet), ("while lists are swapped", &mut swapping)] {
        let [median, late, last] = percentiles(times);
        println!("| {name} | {median:.0} | {late:.0} | {last:.0} |");
    }
    let [median, late, last] = percentiles(&mut changes);
    println!();
    println!(
        "{} changes of {} entries in {ENTRIES}, from commit to live: median {:.1} ms, 99 % {:.1} ms, longest {:.1} ms",
        changes.len(),
        2 * CHANGED,
        median / 1e3,
        late / 1e3,
        last / 1e3
    );
}

/// The median, the 99th percentile and the longest, in microseconds.
fn percentiles(times: &mut [Duration]) -> [f64; 3] {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    [at(0.5), at(0.99), at(1.0)]
}

/// How long each batch took.
fn judge_all(judge: &Judge) -> Vec<Duration> {
    let (mut took, origin) = (Vec::with_capacity(BATCHES), Arc::from("bench"));
    for number in 0..BATCHES {
        let mut batch = Batch::default();
        for record in 0..RECORDS {
            let n = number * RECORDS + record;
            let content =
                if record % LISTED_EACH == 0 { content("listed", n % 100) } else { content("other", n) };
            let payload = Payload::Bytes(batch.store(&content));
            let origin = batch.origin_of(&origin);
            batch.records.push(Record {
                position: Position { stream: StreamId(0), offset: n as i64 },
                origin,
                key: None,
                value: None,
                headers: Vec::new(),
                identity: None,
                payload,
            });
        }
        let started = Instant::now();
        let judged = judge.judge(batch, Timestamp::now());
        took.push(started.elapsed());
        assert_eq!(
            judged.notable.len(),
            RECORDS / LISTED_EACH,
            "what is listed for good is found in each batch"
        );
    }
    took
}

fn content(kind: &str, n: usize) -> Vec<u8> {
    let mut content = format!("{kind} content number {n} ").into_bytes();
    content.resize(RECORD_BYTES, b'.');
    content
}

fn by() -> StepInfo {
    StepInfo { who: "bench".to_owned(), why: "a change".to_owned(), when: Timestamp::now() }
}

fn statement(kind: &str, n: usize, change: Change) -> Statement {
    let wanted = AlgorithmSet::EMPTY.with(Algorithm::Sha256);
    Statement { change, digests: digest_bytes(wanted, &content(kind, n)), ..Statement::default() }
}

fn list(folder: &Path) -> Store {
    let mut store = Store::init(&folder.join("list"), &ListInfo::bare("bench".parse().expect("an id")), by())
        .expect("a new list");
    let mut step = store.begin(by()).expect("nobody else changes it");
    for n in 0..ENTRIES {
        let kind = if n < 100 { "listed" } else { "filler" };
        step.apply(&statement(kind, n, Change::Put)).expect("a good statement");
    }
    step.commit().expect("room on the disk");
    store
}

fn build(folder: &Path, key: &SealKey) -> Arc<ListIndex> {
    let mut builder = ListIndexBuilder::new(key, BuildOptions::default()).expect("memory");
    let list = open(&folder.join("list"), &LoadOptions::default()).expect("the list is there");
    builder.add(list, &mut |_| {}).expect("it can be read");
    Arc::new(builder.finish(&mut |_| {}).expect("it can be built"))
}

/// Changes the list, and swaps the change in. How long that took from the commit on.
fn change(store: &mut Store, base: &ListIndex, live: &Live, key: &SealKey, folder: &Path) -> Duration {
    static CHANGES: AtomicU64 = AtomicU64::new(1);
    let number = CHANGES.fetch_add(1, Ordering::Relaxed) as usize;
    let mut step = store.begin(by()).expect("nobody else changes it");
    for n in 0..CHANGED {
        step.apply(&statement("new", number * CHANGED + n, Change::Put)).expect("a good statement");
        let gone = Change::Withdraw;
        if number > 1 {
            step.apply(&statement("new", (number - 1) * CHANGED + n, gone)).expect("a good statement");
        }
    }
    step.commit().expect("room on the disk");
    let started = Instant::now();
    let reader = Store::open_read_only(&folder.join("list")).expect("the list is there");
    let lists: [NamedHistory; 1] = [("bench".parse().expect("an id"), Box::new(reader))];
    let next = base.with_changes(
        &Changes { lists: &lists, rails: Rails::default(), now: Timestamp::now().as_second() },
        key,
    );
    let next = Arc::new(next.expect("few changes"));
    let generation = Generation(live.load().generation().0 + 1);
    live.swap(&Arc::new(Snapshot::new(generation, vec![next]).expect("one index")));
    started.elapsed()
}
