//! The port through which a client reads.

use std::io::{self, Read};

use crate::RepoPath;

/// Opens files of one repository.
///
/// A transport keeps its own limits of time: a client can end a read only between two of its chunks.
pub trait Transport: Send + Sync {
    /// Opens a file behind its first `offset_bytes`. A file that has no more is an empty one.
    fn open(&self, path: &RepoPath, offset_bytes: u64) -> Result<Box<dyn Read + Send>, TransportError>;
}

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn open(&self, path: &RepoPath, offset_bytes: u64) -> Result<Box<dyn Read + Send>, TransportError> {
        (**self).open(path, offset_bytes)
    }
}

impl<T: Transport + ?Sized> Transport for std::sync::Arc<T> {
    fn open(&self, path: &RepoPath, offset_bytes: u64) -> Result<Box<dyn Read + Send>, TransportError> {
        (**self).open(path, offset_bytes)
    }
}

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// There is no such file.
    #[error("it is not there")]
    NotFound,
    /// No attempt will do better.
    #[error("{why}")]
    Refused {
        /// What was said.
        why: String,
    },
    /// A later attempt may do better.
    #[error("{why}")]
    Unavailable {
        /// What was said.
        why: String,
    },
    /// It ended, or failed, in the middle.
    #[error("reading it failed: {source}")]
    Read {
        /// How.
        source: io::Error,
    },
}
