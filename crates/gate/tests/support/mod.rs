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
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hashward_engine::core::{AlgorithmSet, Generation, Identity};
use hashward_engine::desk::DeskOptions;
use hashward_engine::{
    AlertSink, BreakerLimits, Decider, Desk, Health, Live, Metrics, Outgoing, Part, Policy, PortError,
    Snapshot, Ticket,
};
use hashward_gate::{
    Address, AsyncDesk, AsyncDeskLimits, Caller, Door, DoorKind, Fail, Gatekeeper, HttpDoor, HttpLimits,
    Listener, Role, TenantLimits, Tenants,
};
use hashward_list::{LoadOptions, load};
use prometheus::Registry;
use serde_json::Value;

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

/// An HTTP door that is served on a thread of its own.
pub struct Served {
    pub world: World,
    pub address: std::net::SocketAddr,
    shutdown: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// What a served door is like, besides the usual.
pub struct DoorOptions {
    pub desk: DeskOptions,
    pub limits: HttpLimits,
    pub tenants: TenantLimits,
    pub gatekeeper: Gatekeeper,
    pub fail: Fail,
}

impl Default for DoorOptions {
    /// Anybody may ask as a provider; what cannot be judged does not pass.
    fn default() -> Self {
        let anonymous = Caller { tenant: "anybody".to_owned(), role: Role::Provider };
        let gatekeeper = Gatekeeper { anonymous: Some(anonymous), ..Gatekeeper::default() };
        Self {
            desk: DeskOptions::default(),
            limits: HttpLimits::default(),
            tenants: TenantLimits::default(),
            gatekeeper,
            fail: Fail::Closed,
        }
    }
}

impl Served {
    pub fn with(options: DoorOptions) -> Self {
        let world = world(options.desk, AsyncDeskLimits::default());
        let listener = Listener::bind(&Address::Tcp("127.0.0.1:0".parse().unwrap())).unwrap();
        let address = listener.tcp_addr().unwrap();
        let door = Door::new(DoorKind::Http, options.fail, world.metrics.clone());
        let tenants = Tenants::new(options.tenants);
        let door = HttpDoor::new(world.desk.clone(), door, options.gatekeeper, tenants, options.limits);
        let (shutdown, is_shutdown) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(door.serve(listener, async { drop(is_shutdown.await) })).unwrap();
        });
        Self { world, address, shutdown: Some(shutdown), thread: Some(thread) }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// The status and the body of the answer to a request on a connection of its own.
    pub fn ask(&self, head: &str, body: &[u8]) -> (u16, String) {
        let (status, _, body) = self.ask_whole(head, body);
        (status, body)
    }

    /// The same with the answer's head, in lower case.
    pub fn ask_whole(&self, head: &str, body: &[u8]) -> (u16, String, String) {
        let mut stream = self.connect();
        let length = body.len();
        write!(stream, "{head}\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n").unwrap();
        // A refusal may come before the body is read.
        drop(stream.write_all(body));
        read_answer(stream)
    }

    /// Posts a content, and reads the answer as JSON.
    pub fn post(&self, path: &str, headers: &str, body: &[u8]) -> (u16, Value) {
        let (status, body) = self.ask(&format!("POST {path} HTTP/1.1{headers}"), body);
        (status, serde_json::from_str(&body).unwrap_or_else(|_| panic!("{status}: {body}")))
    }

    pub fn metric(&self, line: &str) -> u64 {
        let text = self.world.metrics.render();
        let found = text.lines().find_map(|told| told.strip_prefix(line)?.trim().parse().ok());
        found.unwrap_or_else(|| panic!("{line} is not served"))
    }

    /// Asks for the end, and waits for it.
    pub fn stop(&mut self) {
        drop(self.shutdown.take());
        self.thread.take().into_iter().for_each(|thread| thread.join().unwrap());
    }
}

/// Everything up to the end of the connection: status, head in lower case, body.
pub fn read_answer(mut stream: TcpStream) -> (u16, String, String) {
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(bytes @ 1..) = stream.read(&mut buffer) {
        answer.extend_from_slice(&buffer[..bytes]);
    }
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    (head[9..12].parse().unwrap(), head.to_ascii_lowercase(), body.to_owned())
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Waits until something holds.
pub fn until(what: &str, holds: impl Fn() -> bool) {
    let started = std::time::Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
