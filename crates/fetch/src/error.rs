use std::io;
use std::path::PathBuf;

use crate::HostPatternError;

/// Why references cannot be opened as configured. All of these are found at start-up; what is wrong with one
/// reference is an [`hashward_engine::core::Unreadable`].
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// A folder for `file://` is not absolute.
    #[error("file_roots: {path} is not absolute")]
    RelativeRoot {
        /// The folder.
        path: PathBuf,
    },
    /// A folder for `file://` is not there, or is none.
    #[error("file_roots: {path}: {source}")]
    Root {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A host for `https://` is no host.
    #[error("https_hosts: {0}")]
    Host(#[from] HostPatternError),
    /// The file of trusted certificates cannot be read.
    #[error("ca_file: {path}: {source}")]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file of trusted certificates holds something else.
    #[error("ca_file: {path} holds no certificates in PEM: {detail}")]
    NoCertificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A limit that must be at least one is zero.
    #[error("{what} must be more than zero")]
    Zero {
        /// The limit.
        what: &'static str,
    },
}
