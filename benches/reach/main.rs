//! How long a release takes from the publisher's desk to the verdicts of three workers: `cargo bench --bench reach`.
//!
//! Three workers follow one subscription each, announcements are on a real broker, and content flows all the time. In each
//! round one entry comes, and is published and announced. Told is the time from the end of `release publish` to the first
//! alert by the new entry, worker by worker; below zero where a worker was faster than the command could end. Everything
//! shares this machine's cores. `-- --entries N` makes the list larger.
#![allow(missing_docs, unreachable_pub, reason = "a benchmark has no readers of its documentation")]
#![allow(
    clippy::pedantic,
    clippy::unwrap_used,
    dead_code,
    reason = "the tests use the rest of what is theirs"
)]

#[path = "../../tests/blackbox/broker.rs"]
mod broker;
#[path = "../../tests/blackbox/fixture.rs"]
mod fixture;
#[path = "../../tests/blackbox/list_fixture.rs"]
mod list_fixture;
#[path = "../../tests/blackbox/publisher.rs"]
mod publisher;
#[path = "../../tests/blackbox/worker.rs"]
mod worker;

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{env, thread};

use hashward_core::Algorithm;
use jiff::Timestamp;

use broker::{Broker, Isolation, NewRecord};
use fixture::{Fixture, hex, json, listed};
use publisher::{PUBLISH, Provider, Publisher};
use worker::{Worker, wait_for};

const WORKERS: [&str; 3] = ["one", "two", "three"];
const ROUNDS: usize = 7;
const ENTRIES: usize = 1_000_000;
/// How often the content of a round is sent to each worker.
const EVERY: Duration = Duration::from_millis(5);

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let asked =
        arguments.iter().position(|argument| argument == "--entries").map(|place| &arguments[place + 1]);
    let entries: usize = asked.map_or(ENTRIES, |text| text.parse().expect("--entries takes a number"));
    let broker = Broker::start(&[]);
    let publisher = Publisher::new();
    write_list(&publisher, entries);
    publisher.lists.ok(&["import", "national", "many.txt"]);
    publisher.publish(&[]);
    let fixtures = WORKERS.map(|name| Fixture::new(&format!("reach-{name}"), 0));
    let announcements = fixtures[0].topic("announcements");
    broker.create_topic(&announcements, 1, &[]);
    let mut workers = Vec::new();
    let began = Instant::now();
    for (name, fixture) in WORKERS.iter().zip(&fixtures) {
        fixture.create_topics(&broker, 1);
        Provider::new(&publisher, name, None);
        let more = format!(
            "[batch]\nwait_ms = 5\n[subscriptions]\ndirectory = {name:?}\npoll_ms = 86400000\n\
             announcements_topic = {announcements:?}\n"
        );
        let config = fixture.kafka_config(&broker, &more);
        let config = config.replace("files = [\"sample.txt\"]", "key_file = \"seal.key\"");
        fs::write(publisher.path(&format!("{name}.toml")), config).unwrap();
        let mut command =
            publisher.command(&["run", "--log-format", "json", "--set", "http.listen=127.0.0.1:0"]);
        command.arg("--config").arg(publisher.path(&format!("{name}.toml")));
        workers.push(Worker::spawn(command));
    }
    for worker in &mut workers {
        let all = entries as f64;
        while worker.metric("hashward_list_entries", "national") < all {
            thread::sleep(Duration::from_millis(200));
        }
    }
    println!(
        "{entries} entries; from an empty disk to matching, all three: {:.1} s",
        began.elapsed().as_secs_f64()
    );

    let round = Arc::new(AtomicUsize::new(0));
    let topics: Vec<String> = fixtures.iter().map(|fixture| fixture.topic("uploads")).collect();
    let producer = broker.producer(&[("linger.ms", "0")]);
    let now = Arc::clone(&round);
    thread::spawn(move || {
        loop {
            let content = listed(entries + now.load(Ordering::Relaxed));
            for topic in &topics {
                broker::produce_all(&producer, topic, [NewRecord::new(content.clone())]);
            }
            thread::sleep(EVERY);
        }
    });
    println!("| round | published in, s | one, s | two, s | three, s |\n|---|---|---|---|---|");
    let mut slowest = Vec::new();
    for n in 0..ROUNDS {
        round.store(n, Ordering::Relaxed);
        publisher.add(entries + n);
        let began = Instant::now();
        let arguments = [&PUBLISH[..], &["--announce", "--config", "one.toml"]].concat();
        publisher.ok(&arguments);
        let (published, took) = (Timestamp::now(), began.elapsed().as_secs_f64());
        let digest = hex(Algorithm::Sha256, &listed(entries + n));
        let reached = fixtures.each_ref().map(|fixture| {
            let first = wait_for("an alert by the new entry", || first_alert(&broker, fixture, &digest));
            first.duration_since(published).as_secs_f64()
        });
        println!("| {n} | {took:.3} | {:.3} | {:.3} | {:.3} |", reached[0], reached[1], reached[2]);
        slowest.push(reached.into_iter().fold(f64::MIN, f64::max));
    }
    slowest.sort_by(f64::total_cmp);
    println!("slowest worker: median {:.3} s, worst {:.3} s", slowest[ROUNDS / 2], slowest[ROUNDS - 1]);
}

/// When the first alert by an entry was decided.
fn first_alert(broker: &Broker, fixture: &Fixture, digest: &str) -> Option<Timestamp> {
    let alerts = broker.read_all(&fixture.topic("alerts"), Isolation::ReadCommitted);
    let decided = alerts.iter().filter_map(|record| {
        let alert = json(record.value.as_deref()?);
        let is_of_it = alert["matches"][0]["digests"]["sha256"] == digest;
        is_of_it.then(|| alert["decided_at"].as_str().unwrap().parse::<Timestamp>().unwrap())
    });
    decided.min()
}

/// A text list of the SHA-256 digests of listed contents.
fn write_list(publisher: &Publisher, entries: usize) {
    let mut file = BufWriter::new(File::create(publisher.path("many.txt")).unwrap());
    for n in 0..entries {
        writeln!(file, "{}", hex(Algorithm::Sha256, &listed(n))).unwrap();
    }
    file.flush().unwrap();
}
