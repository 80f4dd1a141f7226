//! The door that speaks ICAP (RFC 3507), so that proxies, storage gateways and web application firewalls can ask.
//!
//! | Service | Looks at |
//! |---|---|
//! | `reqmod` | requests on their way to a server: uploads |
//! | `respmod` | responses on their way to a client: downloads |
//! | `avscan` | both |
//!
//! A verdict comes behind the last byte. So a message that passes is answered 204 where the client keeps it (`Allow: 204`, or
//! all of it was in the preview); else its body is kept here until then, and sent back byte for byte. Each part of a form
//! (`multipart/form-data`) is a content of its own. Nothing else is unpacked: neither archives nor content encodings.

mod chunks;
mod encapsulated;
mod form;
pub mod framing;
mod head;
mod http;
mod page;
mod reply;
mod session;
mod spool;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hashward_engine::core::Identity;

use crate::listener::ConnectionLimits;
use crate::scanner::{self, Review, Rules, Taken};
use crate::{AsyncDesk, Door, DoorKind, Listener};
pub use encapsulated::Sections;
pub use head::{Head, Method};
use spool::SpoolRoom;

/// What clients of the ICAP door may use up.
#[derive(Clone, Copy, Debug)]
pub struct IcapLimits {
    /// Connections that are served at a time by each listener; more wait in the system's queue. Clients are told.
    pub connections_max: usize,
    /// How much of a body a client is asked to send before it waits, in bytes. Smaller bodies pass with less ado.
    pub preview_bytes: u64,
    /// How much of a body that has to be sent back stays in memory, in bytes.
    pub spool_memory_bytes_max: usize,
    /// How much of all such bodies together goes to disk, in bytes.
    pub spool_disk_bytes_max: u64,
    /// How long a connection may be idle between two requests.
    pub idle_timeout: Duration,
    /// How long a head may take, and how long a client may be silent within a body.
    pub silence_timeout: Duration,
    /// How long a body may take in all.
    pub body_timeout: Duration,
    /// How long what is in flight may take after a shutdown.
    pub grace: Duration,
}

impl Default for IcapLimits {
    /// 16,384 connections; 4 KiB, 256 KiB, 4 GiB; 60 s, 30 s, 5 min; 10 s.
    fn default() -> Self {
        Self {
            connections_max: 16_384,
            preview_bytes: 4096,
            spool_memory_bytes_max: 256 << 10,
            spool_disk_bytes_max: 4 << 30,
            idle_timeout: Duration::from_mins(1),
            silence_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_mins(5),
            grace: Duration::from_secs(10),
        }
    }
}

/// The ICAP door. It may be served by several listeners, and its limits hold for all of them together. Clones are the same.
#[derive(Clone)]
pub struct Icap(Arc<Parts>);

struct Parts {
    desk: AsyncDesk,
    rules: Rules,
    limits: IcapLimits,
    spools: SpoolRoom,
    /// Tells this process' replies from those of one before.
    started: u64,
}

/// A service by its name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Service {
    Reqmod,
    Respmod,
    Both,
}

impl Icap {
    /// A door that asks `desk`, and keeps bodies in files without a name in `spool_folder`, where they do not fit into memory.
    pub fn new(
        desk: AsyncDesk,
        door: Door,
        review: Review,
        spool_folder: PathBuf,
        limits: IcapLimits,
    ) -> Self {
        door.may_refuse(Rules::REFUSALS);
        door.may_refuse(spool::REFUSALS);
        let IcapLimits { spool_memory_bytes_max, spool_disk_bytes_max, .. } = limits;
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(Arc::new(Parts {
            desk,
            rules: Rules { door, review },
            limits,
            spools: SpoolRoom::new(spool_folder, spool_memory_bytes_max, spool_disk_bytes_max),
            started: since_epoch.as_secs(),
        }))
    }

    /// Answers on `listener` until `shutdown` completes; then finishes what is in flight. Fails only if the runtime does not
    /// take the listener over.
    pub async fn serve(&self, listener: Listener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let IcapLimits { connections_max, silence_timeout, grace, .. } = self.0.limits;
        let of_listener = ConnectionLimits { connections_max, handshake_timeout: silence_timeout, grace };
        let parts = Arc::clone(&self.0);
        let answering = move |connection| session::serve(Arc::clone(&parts), connection);
        let listener = listener.of_door(self.0.rules.door.clone());
        listener.serve(of_listener, shutdown, answering).await
    }
}

impl Parts {
    /// At most 32 bytes, as RFC 3507, section 4.7 asks.
    fn tag(&self) -> String {
        let generation = self.desk.desk().decider().live().load().generation();
        format!("{:x}-{generation}", self.started & 0xffff_ffff)
    }

    fn open(&self, url: Option<String>, content_type: Option<String>) -> Taken {
        let identity = Identity { content_type, ..scanner::unnamed(DoorKind::Icap, url) };
        Taken::open(&self.desk, identity)
    }
}

impl Service {
    fn named(name: &str) -> Option<Self> {
        match name {
            "reqmod" => Some(Self::Reqmod),
            "respmod" => Some(Self::Respmod),
            "avscan" => Some(Self::Both),
            _ => None,
        }
    }

    fn methods(self) -> &'static str {
        match self {
            Self::Reqmod => "REQMOD",
            Self::Respmod => "RESPMOD",
            Self::Both => "REQMOD, RESPMOD",
        }
    }

    fn takes(self, method: Method) -> bool {
        match method {
            Method::Options => true,
            Method::Reqmod => self != Self::Respmod,
            Method::Respmod => self != Self::Reqmod,
        }
    }
}
