//! The door that speaks clamd(8)'s protocol, so that whoever asks ClamAV can ask us.
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

use hashward_engine::core::Generation;
use tokio::sync::Semaphore;

use crate::AsyncDesk;
use crate::door::{self, Bound, FileReads, Identities, Rules};
pub use command::{Command, Reach};
use roots::Roots;

/// What clients of the clamd door may use up.
#[derive(Clone, Copy, Debug)]
pub struct ClamdLimits {
    /// Connections that are served at a time; more wait in the system's queue.
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
    /// 256 connections, 100 MiB, 16 files; 30 s, 5 min, 10 min; 10 s.
    fn default() -> Self {
        Self {
            connections_max: 256,
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

/// The clamd door. It may be served at several addresses, and its limits hold for all of them together. Clones are the same.
#[derive(Clone)]
pub struct Clamd(Arc<Door>);

struct Door {
    desk: AsyncDesk,
    rules: Rules,
    roots: Roots,
    limits: ClamdLimits,
    reads: FileReads,
    identities: Identities,
    /// A permit for each connection.
    room: Arc<Semaphore>,
}

impl Clamd {
    /// A door that asks `desk`, and checks paths below `roots`.
    pub fn new(
        desk: AsyncDesk,
        rules: Rules,
        roots: &[PathBuf],
        limits: ClamdLimits,
    ) -> Result<Self, ClamdError> {
        Ok(Self(Arc::new(Door {
            desk,
            rules,
            roots: Roots::open(roots)?,
            limits,
            reads: FileReads::new(limits.files_max),
            identities: Identities::new("clamd"),
            room: Arc::new(Semaphore::new(limits.connections_max)),
        })))
    }

    /// Answers until `shutdown` completes; then finishes what is in flight, for as long as the limits say. Fails only if the
    /// runtime does not take the listener over.
    pub async fn serve(&self, bound: Bound, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let session = |connection| session::serve(Arc::clone(&self.0), connection);
        door::serve(bound, self.0.limits.grace, Arc::clone(&self.0.room), shutdown, session).await
    }
}

impl Door {
    /// The generation of the lists that is asked now.
    fn generation(&self) -> Generation {
        self.desk.desk().decider().live().load().generation()
    }

    /// Connections that are served now.
    fn connections(&self) -> usize {
        self.limits.connections_max - self.room.available_permits()
    }
}
