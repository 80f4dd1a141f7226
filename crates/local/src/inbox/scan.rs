use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::symlink_metadata;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tracing::warn;
use walkdir::WalkDir;

use super::{PORT, Shared};
use crate::stamp::Stamp;

/// How many names one look into the inbox remembers; the rest waits for the next look.
const NAMES_MAX: usize = 16_384;
/// How deep sub-folders may be nested.
const DEPTH_MAX: usize = 32;

/// A file that has stood still for long enough.
#[derive(Clone, Debug)]
pub(super) struct Settled {
    /// Its path below the inbox.
    pub(super) relative: PathBuf,
    pub(super) stamp: Stamp,
}

/// Looks into the inbox and remembers what has not stood still for long enough.
#[derive(Debug)]
pub(super) struct Scanner {
    inbox: PathBuf,
    settle: Duration,
    /// Each file's state when it was last seen to change, and when that was.
    watched: HashMap<PathBuf, (Stamp, Instant)>,
    /// What was last complained about, so that the same is not logged at each look.
    complained: Complaint,
}

/// What a look could not look into. Folders are counted and not named: what is in them may have matched
/// nothing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Complaint {
    folders_unreadable: usize,
    folders_too_deep: usize,
    last_error: Option<String>,
}

impl Scanner {
    pub(super) fn new(inbox: PathBuf, settle: Duration) -> Self {
        Self { inbox, settle, watched: HashMap::new(), complained: Complaint::default() }
    }

    /// Looks once: everything that has stood still for long enough and is not in flight, oldest first.
    pub(super) fn scan(&mut self, now: Instant, shared: &Shared) -> io::Result<Vec<Settled>> {
        let mut settled = Vec::new();
        let mut watched = HashMap::new();
        let mut complaint = Complaint::default();
        let walk = WalkDir::new(&self.inbox).min_depth(1).max_depth(DEPTH_MAX).into_iter();
        for entry in walk.filter_entry(|entry| !is_being_written(entry.file_name())) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) if error.depth() == 0 => return Err(error.into()),
                Err(error) => {
                    complaint.unreadable(&error.into());
                    continue;
                }
            };
            if entry.file_type().is_dir() {
                complaint.folders_too_deep += usize::from(entry.depth() == DEPTH_MAX);
                continue;
            }
            if settled.len() + watched.len() == NAMES_MAX {
                break;
            }
            let Ok(relative) = entry.path().strip_prefix(&self.inbox) else { continue };
            // In this order: a file that is moved away between the two questions is gone at the second.
            if shared.lock().contains(relative) {
                continue;
            }
            let Some(stamp) = stamp(entry.path()) else { continue };
            let since = match self.watched.get(relative) {
                Some((then, since)) if *then == stamp => *since,
                _ => now,
            };
            if now.duration_since(since) >= self.settle {
                settled.push(Settled { relative: relative.to_owned(), stamp });
            } else {
                watched.insert(relative.to_owned(), (stamp, since));
            }
        }
        self.watched = watched;
        self.complain(complaint);
        settled.sort_by(|a, b| (a.stamp.modified_ns, &a.relative).cmp(&(b.stamp.modified_ns, &b.relative)));
        Ok(settled)
    }

    fn complain(&mut self, complaint: Complaint) {
        if complaint != self.complained && complaint != Complaint::default() {
            warn!(
                port = PORT,
                folders_unreadable = complaint.folders_unreadable,
                folders_too_deep = complaint.folders_too_deep,
                depth_max = DEPTH_MAX,
                error = complaint.last_error.as_deref(),
                "folders of the inbox cannot be looked into, what is in them is not judged"
            );
        }
        self.complained = complaint;
    }
}

impl Complaint {
    fn unreadable(&mut self, error: &io::Error) {
        // A folder that vanished while the look went on held nothing any more.
        if error.kind() != io::ErrorKind::NotFound {
            self.folders_unreadable += 1;
            // The kind only: walkdir's own text names the folder.
            self.last_error = Some(error.kind().to_string());
        }
    }
}

/// The state of what is at `path` now, without following a link.
pub(super) fn stamp(path: &Path) -> Option<Stamp> {
    symlink_metadata(path).ok().map(|metadata| Stamp::of(&metadata))
}

/// Names for what is not complete yet.
fn is_being_written(name: &OsStr) -> bool {
    let name = name.as_bytes();
    name.starts_with(b".") || name.ends_with(b".part") || name.ends_with(b".tmp")
}
