//! The file system as ports: an inbox folder in, NDJSON files out, and a walk over folders for a one-shot
//! scan.
//!
//! Everything here is synchronous and opens nothing but regular files: a symbolic link, pipe, socket or
//! device that somebody drops where content is expected is told as unreadable, and never followed, read or
//! waited for.
//!
//! Nothing about content that matched nothing is written anywhere: no log line, no error text and no state
//! file names a file that was let through.

mod ahead;
mod base64;
mod error;
mod file;
mod inbox;
mod ndjson;
mod stamp;
mod walk;

pub use ahead::{Piece, ReadAhead};
pub use error::LocalError;
pub use file::{FileContent, open_file};
pub use inbox::{Inbox, InboxCheckpoint, InboxOptions, inbox};
pub use ndjson::{NdjsonOptions, NdjsonSink, OnDurable, PENDING_BYTES_DEFAULT};
pub use walk::{Found, Skipped, Walk, walk};
