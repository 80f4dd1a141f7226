//! A folder into which content is put, and from which judged content is moved away.
//!
//! ```text
//! <data folder>/inbox/        content to judge, in any sub-folders
//!               passed/       nothing matched, or only lists that are observed
//!               held/         to review, block or take down
//!               unreadable/   could not be judged
//! ```
//!
//! Whoever puts content into the inbox has two ways. Sure: write under a name that begins with `.` or ends
//! with `.part` or `.tmp`, and rename when complete; neither such files nor folders of such names are looked
//! into. Usually enough: write in place; a file is taken when its size and times have stood still for a
//! while.
//!
//! A file's own place is the checkpoint: while it is in the inbox it is not settled. After a crash it is
//! judged again under the same identity, so that its alert has the same id. A file that was replaced or
//! changed while it was judged stays, and is judged again as what it is then.

mod checkpoint;
mod in_flight;
mod scan;
mod shelf;
mod source;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hashward_engine::{Metrics, StreamId};

pub use self::checkpoint::InboxCheckpoint;
use self::in_flight::InFlight;
use self::shelf::Shelf;
pub use self::source::Inbox;
use crate::LocalError;

/// Where the inbox is, and how it is read.
#[derive(Clone, Debug)]
pub struct InboxOptions {
    /// The folder that holds `inbox/`, `passed/`, `held/` and `unreadable/`. What is missing is created.
    pub data_dir: PathBuf,
    /// How long to wait between two looks into the inbox.
    pub poll: Duration,
    /// How long a file's size and times must have stood still before it is taken. Zero takes files at first
    /// sight, for inboxes into which complete files are renamed.
    pub settle: Duration,
    /// The most files of one batch.
    pub records_max: usize,
}

impl InboxOptions {
    /// The usual pace for `data_dir`: a look each second, files that stood still for two seconds, 256 in a
    /// batch.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            poll: Duration::from_secs(1),
            settle: Duration::from_secs(2),
            records_max: 256,
        }
    }
}

/// Files come from one stream for as long as the process lives; offsets count them.
const STREAM: StreamId = StreamId(0);

/// The port's name in errors and logs.
const PORT: &str = "inbox";

/// The folders, as paths.
#[derive(Clone, Debug)]
struct Folders {
    inbox: PathBuf,
    data_dir: PathBuf,
}

impl Folders {
    fn of(&self, kind: Shelf) -> PathBuf {
        self.data_dir.join(kind.word())
    }
}

/// The files that were offered and are not moved away yet: what the two halves of the inbox share.
#[derive(Clone, Debug, Default)]
struct Shared(Arc<Mutex<InFlight>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, InFlight> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens the inbox: the source of its files, and the checkpoint that moves them away. Commits count in
/// `metrics`.
///
/// Fails if a folder cannot be made, or if `passed/`, `held/` or `unreadable/` is on another file system than
/// `inbox/`.
pub fn inbox(options: InboxOptions, metrics: Metrics) -> Result<(Inbox, InboxCheckpoint), LocalError> {
    if options.records_max == 0 {
        return Err(LocalError::Zero { what: "the inbox's records_max" });
    }
    let folders = Folders { inbox: options.data_dir.join("inbox"), data_dir: options.data_dir.clone() };
    let device = folder(&folders.inbox)?;
    for shelf in Shelf::ALL {
        let path = folders.of(shelf);
        if folder(&path)? != device {
            return Err(LocalError::OtherFileSystem { path, inbox: folders.inbox });
        }
    }
    let shared = Shared::default();
    let checkpoint = InboxCheckpoint::new(folders.clone(), shared.clone(), options.settle, metrics);
    Ok((Inbox::new(folders.inbox, shared, options), checkpoint))
}

/// Makes sure that there is a folder, and says on which device.
fn folder(path: &Path) -> Result<u64, LocalError> {
    let device = fs::create_dir_all(path).and_then(|()| fs::metadata(path)).map(|metadata| metadata.dev());
    device.map_err(|source| LocalError::Folder { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests;
