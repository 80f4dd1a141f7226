use std::collections::VecDeque;
use std::fs::remove_dir;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hashward_core::Decision;
use hashward_engine::{Checkpoint, Metrics, PortError, Position, StreamId};
use tracing::error;

use super::in_flight::Offered;
use super::scan::stamp;
use super::shelf::{Moved, Shelf, shelve};
use super::{Folders, PORT, STREAM, Shared};
use crate::stamp::Stamp;

/// Moves judged files out of the inbox. Made by [`super::inbox`].
#[derive(Debug)]
pub struct InboxCheckpoint {
    folders: Folders,
    shared: Shared,
    metrics: Metrics,
    /// What is settled and not moved away yet.
    settled: VecDeque<Offered>,
    /// Why files could not be moved, and when to try again.
    stuck: Option<(String, Instant)>,
    emptied: VecDeque<Emptied>,
    settle: Duration,
}

/// A folder of the inbox out of which the last file known was moved.
#[derive(Debug)]
struct Emptied {
    path: PathBuf,
    stamp: Stamp,
    since: Instant,
}

/// The pause between two attempts to move files that cannot be moved.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// How many emptied folders are remembered. Those beyond stay, which harms nobody.
const EMPTIED_MAX: usize = 1024;
/// How long a folder stays empty at least: whoever has just made it needs a moment to put something in.
const EMPTY_FOR: Duration = Duration::from_secs(1);

impl InboxCheckpoint {
    pub(super) fn new(folders: Folders, shared: Shared, settle: Duration, metrics: Metrics) -> Self {
        Self {
            folders,
            shared,
            metrics,
            settled: VecDeque::new(),
            stuck: None,
            emptied: VecDeque::new(),
            settle: settle.max(EMPTY_FOR),
        }
    }

    /// Moves everything that is settled. What cannot be moved stays settled, and does not keep others from
    /// moving.
    fn move_settled(&mut self) -> Result<(), PortError> {
        let mut failed: Option<String> = None;
        for _ in 0..self.settled.len() {
            let Some(offered) = self.settled.pop_front() else { break };
            match shelve(&self.folders, &offered) {
                Ok(moved) => {
                    self.shared.lock().forget(&offered.relative);
                    if moved == Moved::Shelved {
                        self.remember_emptied(&offered.relative);
                    }
                }
                Err(error) => {
                    failed.get_or_insert_with(|| detail(&self.folders, &offered, &error));
                    self.settled.push_back(offered);
                }
            }
        }
        self.metrics.committed(failed.is_none());
        self.stuck = failed.map(|detail| (detail, Instant::now() + RETRY_AFTER));
        let Some((detail, _)) = &self.stuck else { return Ok(()) };
        let files = self.settled.len();
        error!(port = PORT, files, %detail, "judged files cannot be moved out of the inbox");
        Err(PortError::Unavailable { port: PORT, detail: detail.clone() })
    }

    fn remember_emptied(&mut self, relative: &Path) {
        let Some(above) = relative.parent().filter(|above| *above != Path::new("")) else { return };
        let path = self.folders.inbox.join(above);
        self.remember(path);
    }

    /// Remembers a folder as it is now; any change from now on was made by somebody else.
    fn remember(&mut self, path: PathBuf) {
        let Some(stamp) = stamp(&path) else { return };
        self.emptied.retain(|emptied| emptied.path != path);
        if self.emptied.len() < EMPTIED_MAX {
            self.emptied.push_back(Emptied { path, stamp, since: Instant::now() });
        }
    }

    /// Removes folders that were emptied, and into which nobody has put anything since.
    fn remove_emptied(&mut self) {
        let settle = self.settle;
        while self.emptied.front().is_some_and(|emptied| emptied.since.elapsed() >= settle) {
            let Some(Emptied { path, stamp: then, .. }) = self.emptied.pop_front() else { break };
            // Removing fails where there is something inside, which is as it should be.
            let removed = stamp(&path) == Some(then) && remove_dir(&path).is_ok();
            if let Some(above) = path.parent().filter(|above| removed && *above != self.folders.inbox) {
                self.remember(above.to_owned());
            }
        }
    }
}

/// What happened, without the file's name: `/readyz` shows it to anybody who asks, and an alert names what matched.
fn detail(folders: &Folders, offered: &Offered, error: &std::io::Error) -> String {
    let shelf = folders.of(offered.shelf);
    format!("moving a file from {} to {}: {error}", folders.inbox.display(), shelf.display())
}

impl Checkpoint for InboxCheckpoint {
    fn decided(&mut self, position: Position, decision: &Decision) {
        if position.stream == STREAM {
            self.shared.lock().decided(position.offset, Shelf::of(decision));
        }
    }

    fn settle(&mut self, stream: StreamId, end: i64) {
        if stream == STREAM {
            self.settled.extend(self.shared.lock().settled(end));
        }
    }

    fn is_current(&self, stream: StreamId) -> bool {
        stream == STREAM
    }

    /// Moves what is settled, at each call: a file's place is its own record. If files cannot be moved, this
    /// fails with [`PortError::Unavailable`] until they can, and tries once a second.
    fn commit(&mut self, now: bool) -> Result<(), PortError> {
        if let Some((detail, retry_at)) = &self.stuck
            && !now
            && Instant::now() < *retry_at
        {
            return Err(PortError::Unavailable { port: PORT, detail: detail.clone() });
        }
        self.remove_emptied();
        if self.settled.is_empty() { Ok(()) } else { self.move_settled() }
    }
}
