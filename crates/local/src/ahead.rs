use std::fs::File;
use std::io::{self, IoSliceMut};
use std::num::NonZeroU64;
use std::os::unix::fs::FileExt;
use std::path::Path;

use hashward_core::Unreadable;
use rustix::fs::{Advice, fadvise};
use rustix::io::{Errno, ReadWriteFlags, preadv2};

use crate::file::{open_seen, see_regular};

/// How far the system is asked to fetch ahead: 512 KiB. Beyond that it goes on by itself, where it sees that a file is
/// read from its beginning to its end.
const FETCH_BYTES: NonZeroU64 = NonZeroU64::new(512 * 1024).expect("it is not zero");

/// A regular file that is read from its beginning to its end, and whose reader has other things to do while the system
/// fetches what is not in memory.
#[derive(Debug)]
pub struct ReadAhead {
    file: File,
    /// How long the file was when it was opened, in bytes.
    file_bytes: u64,
    /// Where the next bytes are.
    offset: u64,
    next: Next,
}

/// How the next bytes are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Next {
    /// If they are in memory.
    InMemory,
    /// They were asked for: the next read waits for them.
    Asked,
    /// This file system cannot tell what is in memory: every read waits.
    Waiting,
}

/// What a read gave.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Piece {
    /// So many bytes, and there may be more.
    Bytes(usize),
    /// So many bytes, perhaps none, and no more after them.
    Last(usize),
    /// The next bytes are not in memory. The system was asked to fetch them, and the next read waits for them.
    NotYet,
}

impl ReadAhead {
    /// Opens a regular file, as [`crate::open_file`] does.
    pub fn open(path: &Path) -> Result<Self, Unreadable> {
        see_regular(path)?;
        Self::open_found(path)
    }

    /// Opens a file that a [`crate::walk()`] has found. What stands there now is asked again once it is open, and is not
    /// read unless it is a regular file.
    pub fn open_found(path: &Path) -> Result<Self, Unreadable> {
        let (file, file_bytes) = open_seen(path)?;
        Ok(Self { file, file_bytes, offset: 0, next: Next::InMemory })
    }

    /// Reads the next bytes into the front of `window`, which is not empty.
    pub fn read(&mut self, window: &mut [u8]) -> io::Result<Piece> {
        if self.next == Next::InMemory {
            let mut windows = [IoSliceMut::new(window)];
            match preadv2(&self.file, &mut windows, self.offset, ReadWriteFlags::NOWAIT) {
                Ok(bytes) => return Ok(self.went_on(bytes, window.len())),
                Err(Errno::AGAIN) => {
                    self.next = Next::Asked;
                    // It is advice: a system that cannot take it reads later.
                    let _ = fadvise(&self.file, self.offset, Some(FETCH_BYTES), Advice::WillNeed);
                    return Ok(Piece::NotYet);
                }
                Err(Errno::OPNOTSUPP | Errno::NOSYS) => self.next = Next::Waiting,
                Err(error) => return Err(error.into()),
            }
        }
        let bytes = loop {
            match self.file.read_at(window, self.offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        if self.next == Next::Asked {
            self.next = Next::InMemory;
        }
        Ok(self.went_on(bytes, window.len()))
    }

    fn went_on(&mut self, bytes: usize, window_bytes: usize) -> Piece {
        self.offset += bytes as u64;
        // A read that comes short where the file ends was the last: another would only say so again.
        let comes_short = bytes < window_bytes && self.offset == self.file_bytes;
        if bytes == 0 || comes_short { Piece::Last(bytes) } else { Piece::Bytes(bytes) }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rustix::fs::fsync;

    use super::*;

    /// What is read of the file.
    fn read(mut file: ReadAhead) -> Vec<u8> {
        let mut window = vec![0; 10_000];
        let (mut content, mut was_absent) = (Vec::new(), false);
        loop {
            match file.read(&mut window).unwrap() {
                Piece::Last(bytes) => {
                    content.extend_from_slice(&window[..bytes]);
                    return content;
                }
                Piece::Bytes(bytes) => {
                    content.extend_from_slice(&window[..bytes]);
                    was_absent = false;
                }
                Piece::NotYet => {
                    assert!(!was_absent, "after asking, a read waits");
                    was_absent = true;
                }
            }
        }
    }

    #[test]
    fn what_is_read_is_what_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        for bytes in [0, 1, 9_999, 10_000, 10_001, 3_000_000] {
            let content: Vec<u8> = (0..=250).cycle().take(bytes).collect();
            fs::write(&path, &content).unwrap();
            assert!(read(ReadAhead::open(&path).unwrap()) == content, "{bytes} bytes, from memory");
            // As far as the system can be made to, it forgets the file.
            let file = File::open(&path).unwrap();
            fsync(&file).unwrap();
            fadvise(&file, 0, None, Advice::DontNeed).unwrap();
            assert!(read(ReadAhead::open_found(&path).unwrap()) == content, "{bytes} bytes, fetched");
        }
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_read_to_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        for (before, after) in [(100, 70_000), (70_000, 100), (0, 1), (1, 0)] {
            fs::write(&path, vec![1; before]).unwrap();
            let file = ReadAhead::open_found(&path).unwrap();
            fs::write(&path, vec![2; after]).unwrap();
            assert!(read(file) == vec![2; after], "{before}, then {after}");
        }
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        for path in [Path::new("/dev/zero"), &link, dir.path(), &dir.path().join("missing")] {
            assert!(ReadAhead::open(path).is_err() && ReadAhead::open_found(path).is_err(), "{path:?}");
        }
    }
}
