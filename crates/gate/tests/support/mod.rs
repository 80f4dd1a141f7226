//! A small world behind the doors: one list, a desk, a sink in memory.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    clippy::pedantic,
    clippy::unwrap_used,
    reason = "each test file uses a part of it, and may panic"
)]

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hashward_engine::core::{AlgorithmSet, Generation, Identity};
use hashward_engine::desk::DeskOptions;
use hashward_engine::{
    AlertSink, BreakerLimits, Decider, Desk, Health, Live, Metrics, Outgoing, Part, Policy, PortError,
    Snapshot, Ticket,
};
use hashward_gate::{AsyncDesk, AsyncDeskLimits};
use hashward_list::{LoadOptions, load};
use prometheus::Registry;

/// The one content that is listed.
pub const LISTED: &[u8] = b"a listed content\n";

/// A sink that keeps the ids of alerts, durable at once.
#[derive(Clone, Default)]
pub struct Kept {
    pub alerts: Arc<Mutex<Vec<Outgoing>>>,
    sent: Arc<Mutex<Vec<Ticket>>>,
}

impl AlertSink for Kept {
    fn send(&mut self, ticket: Ticket, outgoing: &Outgoing) -> Result<(), PortError> {
        self.alerts.lock().unwrap().push(outgoing.clone());
        self.sent.lock().unwrap().push(ticket);
        Ok(())
    }

    fn acknowledged(&mut self, _wait: Duration, acknowledged: &mut Vec<Ticket>) -> Result<(), PortError> {
        acknowledged.append(&mut self.sent.lock().unwrap());
        Ok(())
    }
}

pub struct World {
    pub desk: AsyncDesk,
    pub live: Live,
    pub sink: Kept,
    pub metrics: Metrics,
    pub health: Health,
}

/// Lists of which one holds [`LISTED`] by MD5 and SHA-256.
pub fn snapshot(generation: u64) -> Snapshot {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sample.txt");
    let all = hashward_engine::core::Algorithm::ALL;
    let wanted: AlgorithmSet = all.iter().copied().filter(|a| matches!(a.word(), "md5" | "sha256")).collect();
    let mut text = String::new();
    for digest in hashward_digest::digest_bytes(wanted, LISTED).iter() {
        text += &format!("{} (one) = {}\n", digest.algorithm().word().to_uppercase(), digest.to_hex());
    }
    fs::write(&path, text).unwrap();
    fs::write(path.with_extension("toml"), "id = \"sample\"\naction = \"block\"\n").unwrap();
    let list = load(&path, &LoadOptions::default()).unwrap();
    Snapshot::build(Generation(generation), vec![list]).unwrap()
}

pub fn world(options: DeskOptions, limits: AsyncDeskLimits) -> World {
    let live = Live::new(Arc::new(snapshot(1)));
    let metrics = Metrics::register(Registry::new()).unwrap();
    let health = Health::of(&[Part::Gate]);
    let sink = Kept::default();
    let decider = Decider::new(live.clone(), Policy::default(), BreakerLimits::OFF, metrics.clone());
    let desk = Desk::start(options, decider, Box::new(sink.clone()), &health).unwrap();
    World { desk: AsyncDesk::new(desk, limits), live, sink, metrics, health }
}

pub fn named(id: &str) -> Identity {
    Identity { id: id.to_owned(), ..Identity::default() }
}
