//! Target files (section 5.7): streamed, counted and digested while they come, and continued where they stopped.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::disk::folder_of;
use crate::{Client, RepoPath, Target, TransportError, TufError};

/// How much is read at once, in bytes.
const CHUNK_BYTES: usize = 64 << 10;

/// What a download did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Download {
    /// The file was there, and right.
    Present,
    /// It came. `resumed_bytes` of it were there from an earlier attempt.
    Fetched {
        /// What was there already.
        resumed_bytes: u64,
    },
}

impl Client {
    /// Brings a target to `to`. While it is not whole it stands beside it as `.NAME.part`, and another attempt goes on
    /// from there. What stands at `to` has the target's length and digests, or is what stood there before.
    pub fn download(&self, target: &Target, to: &Path) -> Result<Download, TufError> {
        let file = || target.path.to_string();
        if target.length > self.limits.target_bytes_max {
            let bytes_max = self.limits.target_bytes_max;
            return Err(TufError::TooLarge { file: file(), length: target.length, bytes_max });
        }
        if is_right(to, target).map_err(disk(to))? {
            return Ok(Download::Present);
        }
        let part = part_of(to);
        let resumed_bytes = match self.continued(target, &part) {
            // What was there may have been wrong, or of an older file: once more from the start.
            Err(TufError::WrongChecksum { .. } | TufError::EndlessData { .. })
                if fs::metadata(&part).is_ok_and(|part| part.len() > 0) =>
            {
                fs::remove_file(&part).map_err(disk(&part))?;
                self.continued(target, &part)
            }
            other => other,
        };
        let resumed_bytes = match resumed_bytes {
            Err(error @ (TufError::WrongChecksum { .. } | TufError::EndlessData { .. })) => {
                let _ = fs::remove_file(&part);
                return Err(error);
            }
            other => other?,
        };
        fs::rename(&part, to).map_err(disk(to))?;
        File::open(folder_of(to)).and_then(|folder| folder.sync_all()).map_err(disk(folder_of(to)))?;
        Ok(Download::Fetched { resumed_bytes })
    }

    /// Fills the part, and tells how much of it was there.
    fn continued(&self, target: &Target, part: &Path) -> Result<u64, TufError> {
        let file = || target.path.to_string();
        let mut running = target.hashes.begin();
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut out =
            OpenOptions::new().read(true).append(true).create(true).open(part).map_err(disk(part))?;
        // What is there is digested once more: nobody vouches for it.
        let mut have = 0;
        loop {
            let read = out.read(&mut chunk).map_err(disk(part))?;
            if read == 0 {
                break;
            }
            running.update(&chunk[..read]);
            have += read as u64;
        }
        let resumed_bytes = have;
        if have > target.length {
            return Err(TufError::EndlessData { file: file(), bytes_max: target.length });
        }
        let prefix = self.prefix(target)?;
        let time_max = self.limits.target_time_max;
        let began = Instant::now();
        let path = RepoPath::target(&target.path, prefix);
        let not_had = |source| TufError::Transport { file: file(), source };
        let mut reader = self.transport.open(&path, have).map_err(not_had)?;
        loop {
            let read = match reader.read(&mut chunk) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(source) => {
                    out.sync_all().map_err(disk(part))?;
                    return Err(not_had(TransportError::Read { source }));
                }
            };
            if began.elapsed() > time_max {
                return Err(TufError::SlowRetrieval { file: file(), time_max });
            }
            if read == 0 {
                break;
            }
            have += read as u64;
            // 5.7.2: no more than the signed length.
            if have > target.length {
                return Err(TufError::EndlessData { file: file(), bytes_max: target.length });
            }
            running.update(&chunk[..read]);
            out.write_all(&chunk[..read]).map_err(disk(part))?;
        }
        out.sync_all().map_err(disk(part))?;
        if have < target.length {
            return Err(TufError::WrongLength { file: file(), expected: target.length, found: have });
        }
        // 5.7.2: its digests.
        if running.finish() { Ok(resumed_bytes) } else { Err(TufError::WrongChecksum { file: file() }) }
    }

    /// 5.7.2: under a consistent snapshot the file's name begins with its digest.
    fn prefix<'a>(&self, target: &'a Target) -> Result<Option<&'a str>, TufError> {
        let session = self.session.as_ref().ok_or(TufError::NotRefreshed)?;
        Ok(session.trusted.root.signed.consistent_snapshot.then(|| target.hashes.prefix()).flatten())
    }
}

/// Whether the target stands at `path` already.
fn is_right(path: &Path, target: &Target) -> io::Result<bool> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    if file.metadata()?.len() != target.length {
        return Ok(false);
    }
    let mut running = target.hashes.begin();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            return Ok(running.finish());
        }
        running.update(&chunk[..read]);
    }
}

fn part_of(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.part"))
}

fn disk(path: &Path) -> impl FnOnce(io::Error) -> TufError + '_ {
    |source| TufError::Disk { path: path.to_owned(), source }
}
