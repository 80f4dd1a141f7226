//! A repository that is a folder.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

use crate::{Area, RepoPath, Transport, TransportError};

/// Reads a repository from folders.
#[derive(Clone, Debug)]
pub struct FolderTransport {
    metadata: PathBuf,
    targets: PathBuf,
}

impl FolderTransport {
    /// The repository with `metadata` and `targets` in one folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        Self { metadata: folder.join("metadata"), targets: folder.join("targets") }
    }
}

impl Transport for FolderTransport {
    fn open(&self, path: &RepoPath, offset_bytes: u64) -> Result<Box<dyn Read + Send>, TransportError> {
        let folder = match path.area() {
            Area::Metadata => &self.metadata,
            Area::Targets => &self.targets,
        };
        let open = || {
            let mut file = File::open(folder.join(path.file()))?;
            if !file.metadata()?.is_file() {
                return Err(io::Error::other("it is no file"));
            }
            file.seek(SeekFrom::Start(offset_bytes))?;
            Ok(file)
        };
        match open() {
            Ok(file) => Ok(Box::new(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(TransportError::NotFound),
            Err(error) => Err(TransportError::Unavailable { why: error.to_string() }),
        }
    }
}
