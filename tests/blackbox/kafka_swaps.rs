//! A hundred generations are swapped in while content streams through Kafka.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use hashward_core::{Action, Algorithm, Digests, ListInfo};
use hashward_digest::digest_bytes;
use hashward_list::store::{StepInfo, Store};
use hashward_list::{Change, Statement};
use jiff::Timestamp;

use crate::broker::{Broker, Isolation, NewRecord};
use crate::fixture::{Fixture, harmless, listed};
use crate::worker::{Worker, wait_for};

const SWAPS: usize = 100;
/// The content that every state of the list holds.
const ALWAYS: usize = 1000;
/// How much more the worker may hold at the end than when it had swapped ten times.
const GROWTH_KIB_MAX: u64 = 24 * 1024;

fn by() -> StepInfo {
    StepInfo { who: "tester".to_owned(), why: "a swap".to_owned(), when: Timestamp::now() }
}

fn digests(n: usize) -> Digests {
    digest_bytes([Algorithm::Sha256].into_iter().collect(), &listed(n))
}

/// One step of the list: `n` comes, and what came before it goes.
fn swap(store: &mut Store, n: usize) {
    let mut step = store.begin(by()).unwrap();
    step.apply(&Statement { digests: digests(n), ..Statement::default() }).unwrap();
    if let Some(before) = n.checked_sub(1) {
        let gone = Statement { change: Change::Withdraw, digests: digests(before), ..Statement::default() };
        step.apply(&gone).unwrap();
    }
    step.commit().unwrap();
}

fn resident_kib(worker: &Worker) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", worker.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Whether content need not flow any more.
struct Done(AtomicBool);

/// Says so when it goes, also with a test that fails.
struct Ended<'a>(&'a Done);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn every_verdict_is_right_for_the_generation_that_it_names() {
    let broker = Broker::shared();
    let fixture = Fixture::new("swaps", 1);
    fixture.create_topics(broker, 1);
    let mut info = ListInfo::bare("changing".parse().unwrap());
    info.action = Action::Block;
    let mut store = Store::init(&fixture.path().join("changing"), &info, by()).unwrap();
    let mut step = store.begin(by()).unwrap();
    step.apply(&Statement { digests: digests(ALWAYS), ..Statement::default() }).unwrap();
    step.commit().unwrap();
    swap(&mut store, 0);

    let config = fixture.kafka_config(broker, "[batch]\nrecords_max = 64\nwait_ms = 5\n");
    let config = config.replace(
        "files = [\"sample.txt\"]",
        "files = [\"changing\"]\nwatch_ms = 10\nfold_after_ms = 86400000",
    );
    let mut worker = Worker::start(fixture.path(), &config, &[]);
    worker.wait_ready();
    let uploads = fixture.topic("uploads");
    let produced = AtomicUsize::new(0);
    let done = Done(AtomicBool::new(false));
    let mut resident_early = 0;
    thread::scope(|scope| {
        // Content flows all the time: everything that any state lists, what all states list, and harmless content.
        scope.spawn(|| {
            let mut round = 0;
            while !done.0.load(Ordering::Relaxed) {
                let flow = (0..40).map(|i| match i % 4 {
                    0 => NewRecord::new(listed(ALWAYS)),
                    1 => NewRecord::new(harmless(i)),
                    _ => NewRecord::new(listed((round * 20 + i) % (SWAPS + 1))),
                });
                broker.produce_all(&uploads, flow);
                produced.fetch_add(40, Ordering::Relaxed);
                round += 1;
                thread::sleep(Duration::from_millis(10));
            }
        });
        let _ended = Ended(&done);
        for n in 0..=SWAPS {
            if n > 0 {
                swap(&mut store, n);
            }
            let expected = n as f64 + 1.0;
            wait_for(&format!("generation {expected}"), || {
                (worker.metric("hashward_snapshot_generation", "") >= expected).then_some(())
            });
            assert_eq!(worker.metric("hashward_snapshot_generation", ""), expected);
            // While this generation stands still: its entry must match, and the one before must not.
            let sure = |name: &str, n: usize| {
                NewRecord::new(listed(n))
                    .header("ce_id", format!("{name}-{n}"))
                    .header("ce_subject", name.to_owned())
            };
            let mut records = vec![sure("listed", n)];
            records.extend(n.checked_sub(1).map(|before| sure("withdrawn", before)));
            let count = records.len();
            broker.produce_all(&uploads, records);
            produced.fetch_add(count, Ordering::Relaxed);
            let so_far = produced.load(Ordering::Relaxed) as f64;
            wait_for("what was sent to be judged", || {
                (worker.metric("hashward_contents_total", "") >= so_far).then_some(())
            });
            if n == 10 {
                resident_early = resident_kib(&worker);
            }
        }
    });
    wait_for("everything to be committed", || fixture.all_committed(broker).then_some(()));

    let alerts = fixture.alerts(broker, Isolation::ReadCommitted);
    let mut always = 0;
    let mut generations: BTreeMap<u64, usize> = BTreeMap::new();
    let mut sure = 0;
    let hex_of = |n: usize| digests(n).get(Algorithm::Sha256).unwrap().to_hex();
    let always_hex = hex_of(ALWAYS);
    let states: Vec<String> = (0..=SWAPS).map(hex_of).collect();
    for data in &alerts {
        let generation = data["generation"].as_u64().unwrap();
        *generations.entry(generation).or_default() += 1;
        let matches = data["matches"].as_array().unwrap();
        assert_eq!(matches.len(), 1, "{data}");
        let found = matches[0]["digests"]["sha256"].as_str().unwrap();
        if found == always_hex {
            always += 1;
            continue;
        }
        let state = usize::try_from(generation).unwrap() - 1;
        assert_eq!(found, states[state], "generation {generation} lists nothing else: {data}");
        assert_ne!(data["content"]["subject"], "withdrawn", "{data}");
        sure += usize::from(data["content"]["subject"] == "listed");
    }
    let records = broker.read_all(&uploads, Isolation::ReadCommitted);
    let sent = records.iter().filter(|record| record.value == Some(listed(ALWAYS))).count();
    assert_eq!(always, sent, "what every generation lists is found each time");
    assert_eq!(sure, SWAPS + 1, "each generation finds what it lists");
    assert_eq!(generations.len(), SWAPS + 1, "each generation made a verdict");
    let resident = resident_kib(&worker);
    assert!(resident < resident_early + GROWTH_KIB_MAX, "{resident} KiB after {resident_early} KiB");
    assert_eq!(worker.terminate().0.code(), Some(0));
}
