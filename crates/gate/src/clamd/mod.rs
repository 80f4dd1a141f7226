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

use crate::scanner::{FileReads, Identities, Review, Rules};
use crate::{AsyncDesk, Connection, Door};
pub use command::{Command, Reach};
use hashward_engine::core::Generation;
use roots::Roots;

/// What clients of the clamd door may use up.
#[derive(Clone, Copy, Debug)]
pub struct ClamdLimits {
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
}

impl Default for ClamdLimits {
    /// 100 MiB, 16 files; 30 s, 5 min, 10 min.
    fn default() -> Self {
        Self {
            stream_bytes_max: 100 << 20,
            files_max: 16,
            command_timeout: Duration::from_secs(30),
            stream_timeout: Duration::from_mins(5),
            scan_timeout: Duration::from_mins(10),
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

struct Parts {
    desk: AsyncDesk,
    rules: Rules,
    roots: Roots,
    limits: ClamdLimits,
    reads: FileReads,
    identities: Identities,
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
        Ok(Self(Arc::new(Parts {
            desk,
            rules: Rules { door, review },
            roots: Roots::open(roots)?,
            limits,
            reads: FileReads::new(limits.files_max),
            identities: Identities::new("clamd"),
        })))
    }

    /// Answers the commands of one connection; one of a Unix socket may come [with
    /// descriptors](crate::Listener::with_descriptors). Its errors are the client's, and concern nobody else.
    pub async fn answer(self, connection: Connection) {
        session::serve(self.0, connection).await;
    }
}

impl Parts {
    /// The generation of the lists that is asked now.
    fn generation(&self) -> Generation {
        self.desk.desk().decider().live().load().generation()
    }
}
