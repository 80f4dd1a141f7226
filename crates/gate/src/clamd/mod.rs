//! The door that speaks clamd(8)'s protocol, so that whoever asks `ClamAV` can ask us.
//!
//! `FOUND` names a match `Hashward.<list>.<category>`. Streams and descriptors have no name of their own: an alert about one
//! has an id that is given once. Paths are checked below configured folders only. Nothing is unpacked: an archive, or a mail
//! with attachments, is one content unless the client takes it apart, as mail filters do.

mod command;
pub mod framing;
mod reply;
mod roots;
mod scan;
mod session;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::listener::ConnectionLimits;
use crate::scanner::{FileReads, Review, Rules};
use crate::{AsyncDesk, Door, Listener};
pub use command::{Command, Reach};
use hashward_engine::core::Generation;
use roots::Roots;

/// What clients of the clamd door may use up.
#[derive(Clone, Copy, Debug)]
pub struct ClamdLimits {
    /// Connections that are served at a time by each listener; more wait in the system's queue.
    pub connections_max: usize,
    /// The longest stream, in bytes, as clamd's `StreamMaxLength`.
    pub stream_bytes_max: u64,
    /// Files that are read at a time, for all connections together.
    pub files_max: usize,
    /// How long a client may take for a command, and how long it may be silent within a stream.
    pub command_timeout: Duration,
    /// How long a stream may take in all.
    pub stream_timeout: Duration,
    /// How long the check of a path may take in all.
    pub scan_timeout: Duration,
    /// How long what is in flight may take after a shutdown.
    pub grace: Duration,
}

impl Default for ClamdLimits {
    /// 16,384 connections, 100 MiB, 16 files; 30 s, 5 min, 10 min; 10 s.
    fn default() -> Self {
        Self {
            connections_max: 16_384,
            stream_bytes_max: 100 << 20,
            files_max: 16,
            command_timeout: Duration::from_secs(30),
            stream_timeout: Duration::from_mins(5),
            scan_timeout: Duration::from_mins(10),
            grace: Duration::from_secs(10),
        }
    }
}

/// Why the door cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum ClamdError {
    /// A folder below which paths may be checked is relative to nobody knows what.
    #[error("roots: {path} is not absolute")]
    RelativeRoot {
        /// The folder.
        path: PathBuf,
    },
    /// A folder below which paths may be checked cannot be opened.
    #[error("roots: {path}: {source}")]
    Root {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

/// The clamd door. It may be served by several listeners, and its limits hold for all of them together. Clones are the same.
#[derive(Clone)]
pub struct Clamd(Arc<Parts>);

/// Whether a door could check paths below `roots`.
pub fn check_roots(roots: &[PathBuf]) -> Result<(), ClamdError> {
    Roots::open(roots).map(drop)
}

struct Parts {
    desk: AsyncDesk,
    rules: Rules,
    roots: Roots,
    limits: ClamdLimits,
    reads: FileReads,
}

impl Clamd {
    /// A door that asks `desk`, and checks paths below `roots`.
    pub fn new(
        desk: AsyncDesk,
        door: Door,
        review: Review,
        roots: &[PathBuf],
        limits: ClamdLimits,
    ) -> Result<Self, ClamdError> {
        door.may_refuse(Rules::REFUSALS);
        Ok(Self(Arc::new(Parts {
            desk,
            rules: Rules { door, review },
            roots: Roots::open(roots)?,
            limits,
            reads: FileReads::new(limits.files_max),
        })))
    }

    /// Answers on `listener` until `shutdown` completes; then finishes what is in flight. Fails only if the runtime does not
    /// take the listener over.
    pub async fn serve(&self, listener: Listener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let ClamdLimits { connections_max, command_timeout, grace, .. } = self.0.limits;
        let of_listener = ConnectionLimits { connections_max, handshake_timeout: command_timeout, grace };
        let parts = Arc::clone(&self.0);
        let answering = move |connection| session::serve(Arc::clone(&parts), connection);
        let listener = listener.with_descriptors().of_door(self.0.rules.door.clone());
        listener.serve(of_listener, shutdown, answering).await
    }
}

impl Parts {
    /// The generation of the lists that is asked now.
    fn generation(&self) -> Generation {
        self.desk.desk().decider().live().load().generation()
    }
}
