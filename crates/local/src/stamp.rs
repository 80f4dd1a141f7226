use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// What tells one state of a file from another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Stamp {
    device: u64,
    inode: u64,
    pub(crate) bytes: u64,
    /// Nanoseconds since the Unix epoch.
    pub(crate) modified_ns: i128,
    /// When the inode changed: the one time that its owner cannot set at will.
    pub(crate) changed_ns: i128,
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let nanos = |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.len(),
            modified_ns: nanos(metadata.mtime(), metadata.mtime_nsec()),
            changed_ns: nanos(metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether the two are the same content of the same file, which may have been renamed in between:
    /// renaming changes the inode's time on most file systems.
    pub(crate) fn same_content(&self, other: &Self) -> bool {
        Self { changed_ns: 0, ..*self } == Self { changed_ns: 0, ..*other }
    }

    /// Whether the two are the same file, whatever it holds.
    pub(crate) fn same_file(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}
