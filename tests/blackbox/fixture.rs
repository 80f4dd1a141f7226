//! What the tests share: a folder with a list in it, contents that are listed and contents that are not, and the alerts
//! that must come of them, worked out by the engine itself.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use hashward_core::{Algorithm, AlgorithmSet, Generation, Identity};
use hashward_digest::digest_bytes;
use hashward_engine::{Conditions, Content, Policy, Snapshot, alert, check};
use hashward_list::{LoadOptions, load};
use serde_json::Value;
use tempfile::TempDir;

use crate::broker::{Broker, Isolation, Record};

/// A folder of one test, with a list `sample.txt`.
pub struct Fixture {
    pub dir: TempDir,
    /// Tells this test's topics and groups from all others.
    pub name: String,
}

/// Listed content number `n`.
pub fn listed(n: usize) -> Vec<u8> {
    format!("listed content number {n}").into_bytes()
}

/// Content number `n` that no list knows.
pub fn harmless(n: usize) -> Vec<u8> {
    format!("harmless content number {n}").into_bytes()
}

/// The digest of `content` in hexadecimal digits.
pub fn hex(algorithm: Algorithm, content: &[u8]) -> String {
    let digests = digest_bytes(AlgorithmSet::EMPTY.with(algorithm), content);
    digests.get(algorithm).expect("it was asked for").to_hex()
}

impl Fixture {
    /// A folder whose list holds the SHA-256 of the first `count` listed contents, and asks to block them.
    pub fn new(test: &str, count: usize) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let dir = TempDir::new().expect("a temporary folder");
        let mut text = String::from("# listed contents\n");
        for n in 0..count {
            writeln!(text, "{}  item-{n}", hex(Algorithm::Sha256, &listed(n))).expect("writing to memory");
        }
        fs::write(dir.path().join("sample.txt"), text).expect("the list can be written");
        let info = "action = \"block\"\nowner = \"Sample Authority\"\nlegal_basis = \"Directive 2011/93/EU art. 25\"\n";
        fs::write(dir.path().join("sample.toml"), info).expect("its TOML can be written");
        let name = format!("{test}-{}", MADE.fetch_add(1, Ordering::Relaxed));
        Self { dir, name }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn list(&self) -> PathBuf {
        self.path().join("sample.txt")
    }

    /// The name of one of this test's topics.
    pub fn topic(&self, kind: &str) -> String {
        format!("{}.{kind}", self.name)
    }

    /// Makes this test's topics.
    pub fn create_topics(&self, broker: &Broker, partitions: i32) {
        broker.create_topic(&self.topic("uploads"), partitions, &[("max.message.bytes", "8388608")]);
        broker.create_topic(&self.topic("alerts"), 2, &[]);
        broker.create_topic(&self.topic("quarantine"), 1, &[("max.message.bytes", "8388608")]);
    }

    /// A configuration that reads this test's topics and sends alerts to them; `more` goes into `[kafka]`.
    pub fn kafka_config(&self, broker: &Broker, more: &str) -> String {
        format!(
            r#"
[lists]
files = ["sample.txt"]
[source]
kind = "kafka"
[alerts]
kind = "kafka"
[kafka]
bootstrap_servers = [{bootstrap:?}]
group_id = {name:?}
topics = [{uploads:?}]
alerts_topic = {alerts:?}
quarantine_topic = {quarantine:?}
consumer_settings = {{ "session.timeout.ms" = "2000", "heartbeat.interval.ms" = "300" }}
{more}
"#,
            bootstrap = broker.bootstrap(),
            name = self.name,
            uploads = self.topic("uploads"),
            alerts = self.topic("alerts"),
            quarantine = self.topic("quarantine"),
        )
    }

    /// Whether the group has committed everything that the uploads topic holds.
    pub fn all_committed(&self, broker: &Broker) -> bool {
        let uploads = self.topic("uploads");
        broker.committed(&self.name, &uploads) == broker.end_offsets(&uploads)
    }

    /// Every alert on the alerts topic.
    pub fn alerts(&self, broker: &Broker, isolation: Isolation) -> Vec<Value> {
        let records = broker.read_all(&self.topic("alerts"), isolation);
        records.iter().map(|record| json(record.value.as_deref().unwrap_or_default())).collect()
    }

    /// The alerts that the uploads topic must give rise to.
    pub fn expected_ids(&self, broker: &Broker) -> BTreeSet<String> {
        let uploads = broker.read_all(&self.topic("uploads"), Isolation::ReadCommitted);
        let contents =
            uploads.iter().map(|record| (content_id(&self.topic("uploads"), record), value(record)));
        self.expected(contents)
    }

    /// The ids of the alerts that `contents`, each with its identity, must give rise to.
    pub fn expected<'a>(&self, contents: impl Iterator<Item = (String, &'a [u8])>) -> BTreeSet<String> {
        let list = load(&self.list(), &LoadOptions::default()).expect("the list is well-formed");
        let snapshot = Snapshot::build(Generation(1), vec![list]).expect("one list");
        let (policy, now) = (Policy::default(), jiff::Timestamp::UNIX_EPOCH);
        let mut ids = BTreeSet::new();
        for (id, bytes) in contents {
            let content = Content::Digests(digest_bytes(snapshot.algorithms(), bytes));
            let identity = Identity { id, ..Identity::default() };
            let verdict = check(&snapshot, &policy, &Conditions::at(now), &content);
            let made = alert(&verdict, identity, now);
            ids.extend(made.map(|alert| alert.alert_id.to_string()));
        }
        ids
    }
}

fn value(record: &Record) -> &[u8] {
    record.value.as_deref().unwrap_or_default()
}

/// The identity of a record that brings none of its own.
pub fn content_id(topic: &str, record: &Record) -> String {
    format!("{topic}/{}/{}", record.partition, record.offset)
}

/// Parses what must be JSON.
pub fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(bytes)))
}

/// The ids of some alerts, in the order in which they came.
pub fn ids(alerts: &[Value]) -> Vec<String> {
    alerts.iter().map(|alert| alert["alert_id"].as_str().expect("an alert has an id").to_owned()).collect()
}

/// The ids of some alerts, each once.
pub fn id_set(alerts: &[Value]) -> BTreeSet<String> {
    ids(alerts).into_iter().collect()
}

/// The log lines that an operator would have to look at.
pub fn complaints(log: &str) -> Vec<&str> {
    log.lines()
        .filter(|line| line.contains("\"level\":\"ERROR\"") || line.contains("\"level\":\"WARN\""))
        .collect()
}

/// A generator of numbers that look random and are the same in each run.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn below(&mut self, bound: u64) -> u64 {
        // xorshift64*, Vigna 2016.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }
}
