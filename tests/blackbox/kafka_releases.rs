//! A release that is announced on Kafka reaches every worker at once.

use std::fs;

use crate::broker::{Broker, NewRecord};
use crate::fixture::{Fixture, listed};
use crate::publisher::{Provider, Publisher};
use crate::worker::{Worker, wait_for};

const WORKERS: [&str; 3] = ["one", "two", "three"];

#[test]
fn an_announced_release_reaches_every_worker() {
    let broker = Broker::shared();
    let publisher = Publisher::new();
    publisher.add(0);
    publisher.publish(&[]);
    let fixtures = WORKERS.map(|name| Fixture::new(&format!("releases-{name}"), 0));
    let announcements = fixtures[0].topic("announcements");
    broker.create_topic(&announcements, 1, &[]);
    // Polling is out of the question: what comes, comes because it was announced.
    let subscriptions = |name: &str| {
        format!(
            "[subscriptions]\ndirectory = {name:?}\npoll_ms = 86400000\nannouncements_topic = {announcements:?}\n"
        )
    };
    let mut workers = Vec::new();
    for (name, fixture) in WORKERS.iter().zip(&fixtures) {
        fixture.create_topics(broker, 1);
        let provider = Provider::new(&publisher, name, None);
        let config = fixture.kafka_config(broker, "[batch]\nwait_ms = 5\n") + &subscriptions(name);
        let config = config.replace("files = [\"sample.txt\"]", "key_file = \"seal.key\"");
        fs::write(publisher.path(&format!("{name}.toml")), &config).unwrap();
        let mut command =
            publisher.command(&["run", "--log-format", "json", "--set", "http.listen=127.0.0.1:0"]);
        command.arg("--config").arg(publisher.path(&format!("{name}.toml")));
        let mut worker = Worker::spawn(command);
        worker.wait_ready();
        assert_eq!(provider.release(), 1);
        workers.push(worker);
    }
    publisher.add(1);
    publisher.publish(&["--announce", "--config", "one.toml"]);
    for worker in &mut workers {
        wait_for("release 2", || (worker.metric("hashward_list_entries", "national") == 2.0).then_some(()));
    }
    for fixture in &fixtures {
        broker.produce_all(&fixture.topic("uploads"), [NewRecord::new(listed(1))]);
    }
    for fixture in &fixtures {
        let alerts = wait_for("the alert", || {
            let alerts = fixture.alerts(broker, crate::broker::Isolation::ReadCommitted);
            (!alerts.is_empty()).then_some(alerts)
        });
        assert_eq!(alerts[0]["matches"][0]["list"], "national");
    }
    for worker in workers {
        worker.terminate();
    }
}
