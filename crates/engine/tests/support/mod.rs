//! Small worlds to test the line in: lists from text, contents from bytes, ports from memory.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::pedantic,
    clippy::unwrap_used,
    reason = "each test file uses a part of it, and may panic"
)]

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hashward_core::{Algorithm, AlgorithmSet, Generation};
use hashward_digest::digest_bytes;
use hashward_engine::{
    AlertSink, Batch, BreakerLimits, Checkpoint, Content, JudgeOptions, Outgoing, Payload, PortError,
    Position, Record, Snapshot, Source, Stop, StreamId, Ticket,
};
use hashward_list::{LoadOptions, load};

/// One list: its id, the lines of its TOML, and its text.
pub struct ListText {
    pub id: &'static str,
    pub toml: &'static str,
    pub text: String,
}

/// BSD-style lines with the digests that `algorithms` make of `content`, all under one name.
pub fn lines(name: &str, content: &[u8], algorithms: &[Algorithm]) -> String {
    let wanted: AlgorithmSet = algorithms.iter().copied().collect();
    let mut text = String::new();
    for digest in digest_bytes(wanted, content).iter() {
        let tag = digest.algorithm().word().to_uppercase();
        writeln!(text, "{tag} ({name}) = {}", digest.to_hex()).expect("writing to memory");
    }
    text
}

/// A snapshot of some lists.
pub fn snapshot(lists: &[ListText]) -> Snapshot {
    snapshot_of(7, lists)
}

/// A generation of some lists.
pub fn snapshot_of(generation: u64, lists: &[ListText]) -> Snapshot {
    let directory = tempfile::tempdir().expect("a temporary folder");
    let loaded = lists.iter().map(|list| {
        let path = directory.path().join(format!("{}.txt", list.id));
        fs::write(&path, &list.text).expect("a list can be written");
        fs::write(path.with_extension("toml"), format!("id = {:?}\n{}", list.id, list.toml))
            .expect("so can its TOML");
        load(&path, &LoadOptions::default()).unwrap_or_else(|error| panic!("{error}"))
    });
    Snapshot::build(Generation(generation), loaded.collect()).unwrap_or_else(|error| panic!("{error}"))
}

/// A judge with few threads and no limit of content.
pub fn judge_options() -> JudgeOptions {
    JudgeOptions {
        digest_threads: 2,
        open_threads: 1,
        read_buffer_bytes: 4096,
        content_bytes_max: u64::MAX,
        quarantine_bytes: false,
        breaker: BreakerLimits::OFF,
    }
}

/// Content with the digests that `snapshot` can match.
pub fn content(snapshot: &Snapshot, bytes: &[u8]) -> Content {
    Content::Digests(digest_bytes(snapshot.algorithms(), bytes))
}

/// A record whose value is its content.
pub fn record(batch: &mut Batch, stream: u64, offset: i64, bytes: &[u8]) {
    let payload = Payload::Bytes(batch.store(bytes));
    let origin = batch.origin_of(&Arc::from(format!("uploads/{stream}")));
    batch.records.push(Record {
        position: Position { stream: StreamId(stream), offset },
        origin,
        key: None,
        value: None,
        headers: Vec::new(),
        identity: None,
        payload,
    });
}

/// A source that hands out what it was given, and then asks the line to stop.
pub struct Given {
    pub batches: VecDeque<Vec<(u64, i64, Vec<u8>)>>,
    pub stop: Stop,
}

impl Source for Given {
    fn next_batch(&mut self, batch: &mut Batch) -> Result<(), PortError> {
        match self.batches.pop_front() {
            Some(given) => {
                given.iter().for_each(|(stream, offset, bytes)| record(batch, *stream, *offset, bytes))
            }
            None => self.stop.request(),
        }
        Ok(())
    }

    fn hold(&mut self, wait: Duration) -> Result<(), PortError> {
        std::thread::sleep(wait);
        Ok(())
    }
}

/// What the line did to its ports, in order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Done {
    Sent(Position),
    Acknowledged(Position),
    Settled(StreamId, i64),
    Committed,
}

/// A shared record of what was done.
pub type Deeds = Arc<Mutex<Vec<Done>>>;

/// A sink that acknowledges the newest first, so many at a time, and fails first if told to. Between two failures it
/// acknowledges nothing, as a client does that waits for its broker.
pub struct Backwards {
    pub deeds: Deeds,
    pub waiting: Vec<Ticket>,
    pub alerts: Arc<Mutex<Vec<Outgoing>>>,
    pub at_a_time: usize,
    pub failures_left: usize,
    pub quiet: bool,
}

impl AlertSink for Backwards {
    fn send(&mut self, ticket: Ticket, outgoing: &Outgoing) -> Result<(), PortError> {
        self.deeds.lock().unwrap().push(Done::Sent(ticket.0));
        self.alerts.lock().unwrap().push(outgoing.clone());
        self.waiting.push(ticket);
        Ok(())
    }

    fn acknowledged(&mut self, _wait: Duration, acknowledged: &mut Vec<Ticket>) -> Result<(), PortError> {
        if self.failures_left > 0 {
            self.quiet = !self.quiet;
            if !self.quiet {
                return Ok(());
            }
            self.failures_left -= 1;
            return Err(PortError::Unavailable { port: "alerts", detail: "not now".to_owned() });
        }
        for _ in 0..self.at_a_time {
            let Some(ticket) = self.waiting.pop() else { break };
            self.deeds.lock().unwrap().push(Done::Acknowledged(ticket.0));
            acknowledged.push(ticket);
        }
        Ok(())
    }
}

/// A checkpoint that remembers.
pub struct Remembers(pub Deeds);

impl Checkpoint for Remembers {
    fn settle(&mut self, stream: StreamId, end: i64) {
        self.0.lock().unwrap().push(Done::Settled(stream, end));
    }

    fn is_current(&self, _stream: StreamId) -> bool {
        true
    }

    fn commit(&mut self, now: bool) -> Result<(), PortError> {
        if now {
            self.0.lock().unwrap().push(Done::Committed);
        }
        Ok(())
    }
}
