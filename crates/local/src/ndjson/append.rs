//! A file that only ever grows by whole lines, as far as anybody can tell after a recovery.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions, TryLockError, create_dir_all};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use serde_json::Value;
use tracing::warn;

use super::recent::IDS_MAX;
use crate::LocalError;
use crate::stamp::Stamp;

/// How far from the end of a file ids are read.
const TAIL_BYTES: u64 = 64 << 20;
/// How much is read at a time while the last line feed is looked for.
const STEP_BYTES: usize = 64 << 10;

pub(super) struct AppendFile {
    path: PathBuf,
    file: File,
    /// Up to here the file is on the disk, and ends with a line feed.
    durable_bytes: u64,
    /// A write failed and could not be cut off yet: nothing may be written before it is.
    is_torn: bool,
}

impl AppendFile {
    /// Opens the file and cuts a torn line off its end; also says the last ids in it, oldest first.
    pub(super) fn open(path: &Path) -> Result<(Self, VecDeque<String>), LocalError> {
        let failed = |source| LocalError::Output { path: path.to_owned(), source };
        let file = open_locked(path)?;
        let bytes = file.metadata().map_err(failed)?.len();
        let mut first = [0];
        if bytes > 0 {
            file.read_exact_at(&mut first, 0).map_err(failed)?;
        }
        let durable_bytes = whole_lines(&file, bytes).map_err(failed)?;
        let torn_bytes = bytes - durable_bytes;
        // A file of somebody else's begins otherwise, or has no lines at all; it must not be cut.
        if bytes > 0 && first != *b"{" || torn_bytes > TAIL_BYTES {
            return Err(LocalError::NotNdjson { path: path.to_owned() });
        }
        if torn_bytes > 0 {
            warn!(path = %path.display(), torn_bytes, "cutting off a line that a crash left half-written");
            file.set_len(durable_bytes).map_err(failed)?;
        }
        // What a crashed process wrote is trusted as written from here on, so it must be on the disk.
        file.sync_all().map_err(failed)?;
        let ids = last_ids(&file, durable_bytes).map_err(failed)?;
        Ok((Self { path: path.to_owned(), file, durable_bytes, is_torn: false }, ids))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends whole lines and waits until they are on the disk. After an error none of them is in the file,
    /// or will not be once writing works again.
    pub(super) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.is_torn {
            self.cut()?;
        }
        self.follow()?;
        let written = self.file.write_all_at(lines, self.durable_bytes).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // Also after a failed sync: the system may have dropped what it could not write, and says so only
            // once.
            self.is_torn = true;
            if let Err(error) = self.cut() {
                warn!(path = %self.path.display(), %error, "half-written lines cannot be cut off yet");
            }
            return Err(error);
        }
        self.durable_bytes += lines.len() as u64;
        Ok(())
    }

    /// Cuts off what is not durable. A file that somebody emptied meanwhile is not made longer again.
    fn cut(&mut self) -> io::Result<()> {
        if self.file.metadata()?.len() > self.durable_bytes {
            self.file.set_len(self.durable_bytes)?;
        }
        self.is_torn = false;
        Ok(())
    }

    /// Follows a log rotation: a new file where ours was moved away, the new end where ours was emptied.
    fn follow(&mut self) -> io::Result<()> {
        let ours = self.file.metadata()?;
        let is_in_place =
            std::fs::metadata(&self.path).is_ok_and(|named| Stamp::of(&named).same_file(&Stamp::of(&ours)));
        if !is_in_place {
            let (next, _) = Self::open(&self.path).map_err(io::Error::other)?;
            warn!(path = %self.path.display(), "the file was moved away, writing to a new one");
            *self = next;
        } else if ours.len() != self.durable_bytes {
            warn!(path = %self.path.display(), bytes = ours.len(), "the file was changed by somebody else");
            self.durable_bytes = whole_lines(&self.file, ours.len())?;
            self.cut()?;
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn of_device(path: &str) -> Self {
        let file = OpenOptions::new().write(true).open(path).unwrap();
        Self { path: path.into(), file, durable_bytes: 0, is_torn: false }
    }
}

fn open_locked(path: &Path) -> Result<File, LocalError> {
    let failed = |source| LocalError::Output { path: path.to_owned(), source };
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    create_dir_all(folder).map_err(|source| LocalError::Folder { path: folder.to_owned(), source })?;
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    // Somebody's device is not opened for writing at all: that alone may make it do something.
    if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(LocalError::NotAFile { path: path.to_owned() });
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(flags);
    let file = options.open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(LocalError::NotAFile { path: path.to_owned() });
    }
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(LocalError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => return Err(failed(source)),
    }
    // So that the name of a new file is still there after a power failure.
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    Ok(file)
}

/// How many bytes of the first `bytes` are whole lines: up to the last line feed.
fn whole_lines(file: &File, bytes: u64) -> io::Result<u64> {
    let mut end = bytes;
    let mut buffer = vec![0; STEP_BYTES];
    while end > 0 {
        let step_bytes = usize::try_from(end).map_or(STEP_BYTES, |end| end.min(STEP_BYTES));
        let start = end - step_bytes as u64;
        let step = &mut buffer[..step_bytes];
        file.read_exact_at(step, start)?;
        if let Some(last) = step.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + last as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// The ids of the last lines, oldest first: as many as are remembered, from no more than the tail of the
/// file.
fn last_ids(file: &File, bytes: u64) -> io::Result<VecDeque<String>> {
    let start = bytes.saturating_sub(TAIL_BYTES);
    let mut reader = BufReader::new(file);
    reader.seek(SeekFrom::Start(start))?;
    let mut line = Vec::new();
    if start > 0 {
        // Most likely the rest of a line.
        reader.read_until(b'\n', &mut line)?;
    }
    let mut ids = VecDeque::new();
    let mut lines_without_id: u64 = 0;
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let object: Option<Value> = serde_json::from_slice(&line).ok();
        let Some(id) = object.as_ref().and_then(|object| object.get("id")?.as_str()) else {
            lines_without_id += 1;
            continue;
        };
        ids.push_back(id.to_owned());
        if ids.len() > IDS_MAX {
            ids.pop_front();
        }
    }
    if lines_without_id > 0 {
        warn!(lines_without_id, "lines at the end of an output file are no JSON objects with an id");
    }
    Ok(ids)
}
