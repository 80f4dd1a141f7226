//! How a worker ends that cannot go on, and what `validate` says before it starts.

use std::net::TcpListener;
use std::{fs, path::Path};

use crate::broker::{Broker, Isolation, NewRecord};
use crate::fixture::{Fixture, id_set, listed};
use crate::worker::{Worker, hashward_output, text, wait_for};

fn put_in_inbox(directory: &Path, bytes: &[u8]) {
    let inbox = directory.join("inbox");
    fs::create_dir_all(&inbox).unwrap();
    fs::write(inbox.join(".new"), bytes).unwrap();
    fs::rename(inbox.join(".new"), inbox.join("new")).unwrap();
}

#[test]
fn a_destination_that_stays_away_ends_the_worker_and_loses_nothing() {
    let mut broker = Broker::start(&[]);
    let fixture = Fixture::new("ends-unavailable", 3);
    fixture.create_topics(&broker, 1);
    let more = "delivery_timeout_ms = 1000\n[line]\nunavailable_max_ms = 1500\n[inbox]\ndirectory = \".\"\n";
    let config = fixture.kafka_config(&broker, more).replace("[source]\nkind = \"kafka\"", "");
    let mut worker = Worker::start(fixture.path(), &config, &[]);
    worker.wait_ready();
    broker.stop();
    put_in_inbox(fixture.path(), &listed(1));
    let status = worker.wait();
    assert_eq!(status.code(), Some(4), "{}", worker.log());
    broker.restart();
    let worker = Worker::start(fixture.path(), &config, &[]);
    wait_for("the alert", || (fixture.alerts(&broker, Isolation::ReadCommitted).len() == 1).then_some(()));
    assert_eq!(worker.terminate().0.code(), Some(0));
}

#[test]
fn a_second_worker_with_the_same_identity_ends_the_first() {
    let broker = Broker::shared();
    let fixture = Fixture::new("ends-fenced", 20);
    fixture.create_topics(broker, 2);
    let more = "delivery = \"transactional\"\ntransactional_id = \"same\"\n[batch]\nrecords_max = 10\n";
    let config = fixture.kafka_config(broker, more);
    let produce = || {
        let records = (0..200).map(|n| NewRecord::new(listed(n % 20)).partition((n % 2) as i32));
        broker.produce_all(&fixture.topic("uploads"), records);
    };
    let mut first = Worker::start(fixture.path(), &config, &[]);
    produce();
    wait_for("the first to commit", || fixture.all_committed(broker).then_some(()));
    let mut second = Worker::start(fixture.path(), &config, &[]);
    second.wait_ready();
    // The first learns it from the broker when it next sends something.
    wait_for("the first to end", || {
        produce();
        first.has_ended().then_some(())
    });
    let status = first.wait();
    assert_eq!(status.code(), Some(5), "{}", first.log());
    wait_for("the second to commit", || fixture.all_committed(broker).then_some(()));
    let alerts = fixture.alerts(broker, Isolation::ReadCommitted);
    assert_eq!(id_set(&alerts), fixture.expected_ids(broker));
    assert_eq!(alerts.len(), fixture.expected_ids(broker).len(), "each alert once");
    assert_eq!(second.terminate().0.code(), Some(0));
}

#[test]
fn validate_asks_the_broker() {
    let broker = Broker::shared();
    let fixture = Fixture::new("ends-validate", 1);
    let config = fixture.path().join("hashward.toml");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let check = |written: &str| {
        fs::write(&config, written).unwrap();
        let arguments = ["validate", "--config", "hashward.toml", "--set", &format!("http.listen={free}")];
        let output = hashward_output(fixture.path(), &arguments);
        (output.status.code(), text(&output.stdout))
    };
    let good = fixture.kafka_config(broker, "");
    let (code, told) = check(&good);
    assert_eq!(code, Some(2), "{told}");
    let missing = format!(
        "hashward.toml:11: kafka.topics: there is no topic {:?}: create it first",
        fixture.topic("uploads")
    );
    assert!(told.contains(&missing), "{told}");
    fixture.create_topics(broker, 1);
    let (code, told) = check(&good);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.lines().all(|line| line.ends_with("ok")) && told.contains("environment"), "{told}");
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (code, told) = check(&good.replace(broker.bootstrap(), &nobody.to_string()));
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("hashward.toml:9: kafka.bootstrap_servers: no answer from 127.0.0.1"), "{told}");
}
