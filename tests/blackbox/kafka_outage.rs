//! The broker goes away and comes back: the worker waits, and goes on where it was.

use crate::broker::{Broker, Isolation, NewRecord};
use crate::fixture::{Fixture, harmless, id_set, ids, listed};
use crate::worker::{Worker, wait_for};

fn outage(delivery: &str) {
    let mut broker = Broker::start(&[]);
    let fixture = Fixture::new(&format!("outage-{delivery}"), 50);
    fixture.create_topics(&broker, 2);
    let more = format!(
        "delivery = {delivery:?}\n{}\n[batch]\nrecords_max = 50\n",
        if delivery == "transactional" { "transactional_id = \"outage\"" } else { "" }
    );
    let config = fixture.kafka_config(&broker, &more);
    let mut worker = Worker::start(fixture.path(), &config, &[]);
    let produce = |broker: &Broker, from: usize| {
        let records = (from..from + 2_000).map(|n| {
            NewRecord::new(if n % 10 == 0 { listed(n / 10 % 50) } else { harmless(n) })
                .partition((n % 2) as i32)
        });
        broker.produce_all(&fixture.topic("uploads"), records);
    };
    produce(&broker, 0);
    worker.wait_ready();
    wait_for("the first alerts", || (worker.metric("hashward_alerts_total", "") > 0.0).then_some(()));
    broker.stop();
    wait_for("the worker to say that it is not ready", || (worker.get("/readyz").0 == 503).then_some(()));
    assert!(!worker.has_ended(), "an outage is waited out\n{}", worker.log());
    broker.restart();
    produce(&broker, 2_000);
    wait_for("everything to be committed", || fixture.all_committed(&broker).then_some(()));
    worker.wait_ready();
    let alerts = fixture.alerts(&broker, Isolation::ReadCommitted);
    assert_eq!(id_set(&alerts), fixture.expected_ids(&broker));
    if delivery == "transactional" {
        assert_eq!(ids(&alerts).len(), 400);
    }
    let (status, log) = worker.terminate();
    assert_eq!(status.code(), Some(0), "{log}");
}

#[test]
fn at_least_once() {
    outage("at-least-once");
}

#[test]
fn transactional() {
    outage("transactional");
}
