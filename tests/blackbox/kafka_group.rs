//! Several workers in one group: partitions come and go, and every record is judged.

use std::thread::sleep;
use std::time::Duration;

use crate::broker::{Broker, Isolation, NewRecord};
use crate::fixture::{Fixture, harmless, id_set, listed};
use crate::worker::{Worker, wait_for};

const LISTED: usize = 50;

fn produce(fixture: &Fixture, broker: &Broker, from: usize, count: usize) {
    let records = (from..from + count).map(|n| {
        let bytes = if n % 10 == 0 { listed(n / 10 % LISTED) } else { harmless(n) };
        NewRecord::new(bytes).partition((n % 6) as i32)
    });
    broker.produce_all(&fixture.topic("uploads"), records);
}

fn wait_owned(worker: &mut Worker, partitions: f64) {
    wait_for(&format!("{partitions} partitions"), || {
        (worker.metric("hashward_kafka_partitions_assigned", "") == partitions).then_some(())
    });
}

fn wait_done(fixture: &Fixture, broker: &Broker) {
    wait_for("everything to be committed", || fixture.all_committed(broker).then_some(()));
    let alerts = fixture.alerts(broker, Isolation::ReadCommitted);
    assert_eq!(id_set(&alerts), fixture.expected_ids(broker));
}

fn two_workers_share(delivery: &str) {
    let broker = Broker::shared();
    let fixture = Fixture::new(&format!("share-{delivery}"), LISTED);
    fixture.create_topics(broker, 6);
    let config = |id: &str| {
        let more = format!(
            "delivery = {delivery:?}\ntransactional_id = \"share-{id}\"\n[batch]\nrecords_max = 100\n"
        );
        fixture.kafka_config(
            broker,
            if delivery == "transactional" { &more } else { "[batch]\nrecords_max = 100\n" },
        )
    };
    let mut first = Worker::start(fixture.path(), &config("a"), &[]);
    wait_owned(&mut first, 6.0);
    produce(&fixture, broker, 0, 6_000);
    let mut second = Worker::start(fixture.path(), &config("b"), &["--set", "instance=second"]);
    produce(&fixture, broker, 6_000, 6_000);
    wait_owned(&mut first, 3.0);
    wait_owned(&mut second, 3.0);
    produce(&fixture, broker, 12_000, 6_000);
    wait_done(&fixture, broker);
    let judged = |worker: &mut Worker| worker.metric("hashward_contents_total", "");
    assert!(judged(&mut second) > 0.0, "the second worker has its share of the work");
    produce(&fixture, broker, 18_000, 6_000);
    let (status, log) = first.terminate();
    assert_eq!(status.code(), Some(0), "{log}");
    wait_owned(&mut second, 6.0);
    produce(&fixture, broker, 24_000, 6_000);
    wait_done(&fixture, broker);
    let alerts = fixture.alerts(broker, Isolation::ReadCommitted);
    assert_eq!(
        alerts.len(),
        fixture.expected_ids(broker).len(),
        "partitions that move in good order repeat nothing"
    );
    assert_eq!(second.metric("hashward_kafka_lag_records", ""), 0.0);
    assert_eq!(second.terminate().0.code(), Some(0));
}

#[test]
fn two_workers_share_at_least_once() {
    two_workers_share("at-least-once");
}

#[test]
fn two_workers_share_with_transactions() {
    two_workers_share("transactional");
}

/// A worker that stands still for longer than its session loses its partitions. When it wakes it must not commit them:
/// that would take back what their new owner has committed meanwhile.
#[test]
fn lost_partitions_never_commit() {
    let broker = Broker::shared();
    let fixture = Fixture::new("lost", LISTED);
    fixture.create_topics(broker, 6);
    let config = fixture.kafka_config(broker, "commit_interval_ms = 60000\n[batch]\nrecords_max = 100\n");
    let mut sleeper = Worker::start(fixture.path(), &config, &[]);
    wait_owned(&mut sleeper, 6.0);
    produce(&fixture, broker, 0, 3_000);
    // Judged and delivered, and not committed yet: the interval is a minute.
    wait_for("the sleeper to judge", || {
        (sleeper.metric("hashward_contents_total", "") >= 3_000.0).then_some(())
    });
    sleeper.signal("STOP");
    let quick = config.replace("commit_interval_ms = 60000", "commit_interval_ms = 50");
    let mut other = Worker::start(fixture.path(), &quick, &["--set", "instance=other"]);
    wait_owned(&mut other, 6.0);
    produce(&fixture, broker, 3_000, 3_000);
    wait_done(&fixture, broker);
    let committed = || broker.committed(&fixture.name, &fixture.topic("uploads"));
    let before = committed();
    sleeper.signal("CONT");
    wait_for("the sleeper to learn what it lost", || {
        (sleeper.metric("hashward_kafka_rebalances_total", "kind=\"lost\"") >= 1.0).then_some(())
    });
    for _ in 0..20 {
        assert_eq!(committed(), before, "a lost partition was committed\n{}", sleeper.log());
        sleep(Duration::from_millis(50));
    }
    wait_owned(&mut sleeper, 3.0);
    produce(&fixture, broker, 6_000, 600);
    wait_done_at_the_end(&fixture, broker, sleeper, other);
}

/// With a commit interval of a minute only the end of a worker commits.
fn wait_done_at_the_end(fixture: &Fixture, broker: &Broker, mut sleeper: Worker, other: Worker) {
    wait_for("the sleeper to judge its share", || {
        (sleeper.metric("hashward_contents_total", "") >= 3_300.0).then_some(())
    });
    assert_eq!(sleeper.terminate().0.code(), Some(0));
    wait_done(fixture, broker);
    assert_eq!(other.terminate().0.code(), Some(0));
}
