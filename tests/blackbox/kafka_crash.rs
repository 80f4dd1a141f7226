//! `kill -9` in the middle, again and again: no alert is lost, and with transactions none is seen twice.

use std::thread::sleep;
use std::time::Duration;

use crate::broker::{Broker, Isolation, NewRecord, produce_all};
use crate::fixture::{Fixture, Numbers, harmless, id_set, ids, listed};
use crate::worker::{Worker, wait_for};

const KILLS: usize = 50;
const RECORDS_PER_KILL: usize = 2_000;
const CHUNK: usize = 50;
/// One record in so many is listed.
const LISTED_EACH: usize = 20;
const LISTED: usize = 500;

/// Kills a worker 50 times while 100,000 records come in. Returns the alerts that a reader of `isolation` sees, and how
/// many are expected.
fn kill_again_and_again(delivery: &str, more: &str, isolation: Isolation) -> (Fixture, Vec<String>) {
    let broker = Broker::shared();
    let fixture = Fixture::new(&format!("crash-{delivery}"), LISTED);
    fixture.create_topics(broker, 4);
    let more =
        format!("{more}\ndelivery = {delivery:?}\ncommit_interval_ms = 50\n[batch]\nrecords_max = 200\n");
    let config = fixture.kafka_config(broker, &more);
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let producer = broker.producer(&[]);
    let mut made = 0;
    let mut produce = |count: usize| {
        let records = (made..made + count).map(|n| {
            let bytes = if n % LISTED_EACH == 0 { listed(n / LISTED_EACH % LISTED) } else { harmless(n) };
            NewRecord::new(bytes).partition((n % 4) as i32)
        });
        produce_all(&producer, &fixture.topic("uploads"), records);
        made += count;
    };
    for kill in 0..KILLS {
        produce(RECORDS_PER_KILL / 2);
        let mut worker = Worker::start(fixture.path(), &config, &[]);
        wait_for("the worker to judge something", || {
            assert!(!worker.has_ended(), "kill {kill}: ended by itself\n{}", worker.log());
            (worker.metric("hashward_contents_total", "") > 0.0).then_some(())
        });
        let chunks = RECORDS_PER_KILL / 2 / CHUNK;
        let kill_before = numbers.below(chunks as u64) as usize;
        let mut alive = Some(worker);
        for chunk in 0..chunks {
            if chunk == kill_before {
                sleep(Duration::from_micros(numbers.below(20_000)));
                alive.take().expect("killed once").kill();
            }
            produce(CHUNK);
        }
    }
    let mut worker = Worker::start(fixture.path(), &config, &[]);
    worker.wait_ready();
    wait_for("everything to be committed", || fixture.all_committed(broker).then_some(()));
    let (status, log) = worker.terminate();
    assert_eq!(status.code(), Some(0), "{log}");
    let alerts = fixture.alerts(broker, isolation);
    let expected = fixture.expected_ids(broker);
    assert_eq!(expected.len(), KILLS * RECORDS_PER_KILL / LISTED_EACH);
    assert_eq!(id_set(&alerts), expected, "the set of alert ids is the expected set");
    println!("{delivery}: {} alerts, {} of them repeats", alerts.len(), alerts.len() - expected.len());
    (fixture, ids(&alerts))
}

#[test]
fn at_least_once_loses_nothing() {
    let (_, alerts) = kill_again_and_again("at-least-once", "", Isolation::ReadCommitted);
    let expected = KILLS * RECORDS_PER_KILL / LISTED_EACH;
    // If no kill ever came between a delivery and its commit, this test has tested nothing.
    assert!(
        alerts.len() > expected,
        "50 kills and not one repeat: the worker was never killed in the middle"
    );
}

#[test]
fn transactions_show_each_alert_once() {
    let id = "transactional_id = \"crash-worker\"";
    let (fixture, alerts) = kill_again_and_again("transactional", id, Isolation::ReadCommitted);
    let expected = KILLS * RECORDS_PER_KILL / LISTED_EACH;
    assert_eq!(alerts.len(), expected, "a reader of committed messages sees each alert once");
    // What was aborted is still in the log: a reader that does not care about transactions sees it.
    let all = fixture.alerts(Broker::shared(), Isolation::ReadUncommitted);
    assert!(
        all.len() > expected,
        "50 kills and not one aborted alert: the worker was never killed in the middle"
    );
}
