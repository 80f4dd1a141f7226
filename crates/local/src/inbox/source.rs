use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs::symlink_metadata;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use hashward_core::Identity;
use hashward_engine::{Batch, Payload, PortError, Position, Record, Source};

use super::scan::{Scanner, Settled, stamp};
use super::{InboxOptions, PORT, STREAM, Shared};
use crate::FileContent;
use crate::file::not_a_file;
use crate::stamp::Stamp;

/// The files of the inbox as a source. Made by [`super::inbox`].
#[derive(Debug)]
pub struct Inbox {
    root: PathBuf,
    origin: Arc<str>,
    shared: Shared,
    scanner: Scanner,
    /// What the last look found and no batch took yet.
    ready: VecDeque<Settled>,
    next_scan: Instant,
    next_offset: i64,
    options: InboxOptions,
}

/// The longest wait for content before an empty batch is returned, so that a stop is heard soon.
const WAIT_MAX: Duration = Duration::from_millis(100);

impl Inbox {
    pub(super) fn new(root: PathBuf, shared: Shared, options: InboxOptions) -> Self {
        Self {
            scanner: Scanner::new(root.clone(), options.settle),
            root,
            origin: PORT.into(),
            shared,
            ready: VecDeque::new(),
            next_scan: Instant::now(),
            next_offset: 0,
            options,
        }
    }

    /// The record for a file; `None` if it was changed or taken away since the look, then the next look
    /// decides.
    fn record(&mut self, settled: Settled, origin: usize) -> Option<Record> {
        let Settled { relative, stamp: seen } = settled;
        let path = self.root.join(&relative);
        if stamp(&path) != Some(seen) {
            return None;
        }
        let metadata = symlink_metadata(&path).ok()?;
        let position = Position { stream: STREAM, offset: self.next_offset };
        self.next_offset += 1;
        let identity = identity(&relative, &seen);
        self.shared.lock().offer(position.offset, relative, seen);
        let payload = if metadata.is_file() {
            Payload::Deferred(Box::new(FileContent { path }))
        } else {
            Payload::Unreadable(Box::new(not_a_file(&metadata)))
        };
        Some(Record {
            position,
            origin,
            key: None,
            value: None,
            headers: Vec::new(),
            identity: Some(Box::new(identity)),
            payload,
        })
    }
}

impl Source for Inbox {
    fn next_batch(&mut self, batch: &mut Batch) -> Result<(), PortError> {
        if self.ready.is_empty() {
            let early = self.next_scan.saturating_duration_since(Instant::now());
            thread::sleep(early.min(WAIT_MAX));
            if early > WAIT_MAX {
                return Ok(());
            }
            let found = self.scanner.scan(Instant::now(), &self.shared).map_err(|error| {
                let detail = format!("looking into {}: {error}", self.root.display());
                PortError::Unavailable { port: PORT, detail }
            })?;
            self.ready = found.into();
            self.next_scan = Instant::now() + self.options.poll;
        }
        while batch.records.len() < self.options.records_max
            && let Some(settled) = self.ready.pop_front()
        {
            let origin = batch.origin_of(&self.origin);
            batch.records.extend(self.record(settled, origin));
        }
        Ok(())
    }

    fn hold(&mut self, wait: Duration) -> Result<(), PortError> {
        thread::sleep(wait);
        Ok(())
    }
}

/// What names one state of one file: the same after a restart, and another for a later upload under the same
/// name.
fn identity(relative: &Path, stamp: &Stamp) -> Identity {
    let name = escaped(relative.as_os_str());
    Identity {
        id: format!("{name}@{}:{}:{}", stamp.modified_ns, stamp.changed_ns, stamp.bytes),
        subject: Some(relative.to_str().map_or(name, str::to_owned)),
        ..Identity::default()
    }
}

/// A name as text that no other name has: bytes that are not UTF-8, and `%` itself, become `%` and two
/// digits.
fn escaped(name: &OsStr) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.as_bytes().utf8_chunks() {
        text.push_str(&chunk.valid().replace('%', "%25"));
        for byte in chunk.invalid() {
            write!(text, "%{byte:02X}").expect("writing to memory");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_names_look_alike() {
        for (name, text) in [
            (&b"cat.jpg"[..], "cat.jpg"),
            ("größe/ö".as_bytes(), "größe/ö"),
            (b"\xff\xfe.jpg", "%FF%FE.jpg"),
            (b"%FF%FE.jpg", "%25FF%25FE.jpg"),
            (b"a\xc3", "a%C3"),
        ] {
            assert_eq!(escaped(OsStr::from_bytes(name)), text);
        }
    }
}
