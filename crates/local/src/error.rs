use std::io;
use std::path::PathBuf;

/// Why a part of the file system cannot be used as a port. All of these are found at start-up.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// A folder cannot be made or entered.
    #[error("folder {path}: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Files are moved from the inbox by renaming them, which works only within one file system.
    #[error("folder {path} is on another file system than {inbox}: files cannot be moved there in one step")]
    OtherFileSystem {
        /// The folder that is elsewhere.
        path: PathBuf,
        /// The inbox.
        inbox: PathBuf,
    },
    /// A limit that must be at least one is zero.
    #[error("{what} must be at least 1")]
    Zero {
        /// The limit.
        what: &'static str,
    },
    /// An output file cannot be opened, read, cut or synced.
    #[error("file {path}: {source}")]
    Output {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Alerts are cut back and synced, which only a regular file can do.
    #[error("{path} is not a regular file: a pipe or a device cannot keep alerts")]
    NotAFile {
        /// What was named as a file.
        path: PathBuf,
    },
    /// What the file holds was not written by Hashward: going on could destroy it.
    #[error(
        "file {path} holds something else than one JSON object a line: name another file, or move it away"
    )]
    NotNdjson {
        /// The file.
        path: PathBuf,
    },
    /// Two workers that write to one file would cut off each other's lines.
    #[error("file {path} is in use by another worker: give each worker its own file")]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// Alerts and quarantined records go to one file each.
    #[error("alerts and quarantined records are both to go to {path}: name two files")]
    SameFile {
        /// The file.
        path: PathBuf,
    },
}
