use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::store::StoreError;
use crate::{BadLines, METADATA_BYTES_MAX};

/// Why a list is not loaded. Each message names the file, what is wrong with it, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// A file cannot be read.
    #[error("{}: cannot be read", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A folder, a pipe or a device.
    #[error("{}: is no regular file: expected a text file of digests, or TOML beside it", .0.display())]
    NotAFile(PathBuf),
    /// The file that describes a list was given in place of the list.
    #[error("{}: describes a list and is none: expected the text file beside it", .0.display())]
    NotAList(PathBuf),
    /// The file has no metadata that names the list, and its own name cannot.
    #[error(
        "{}: the file's name makes no list id: {problem}; rename it, or write `id = \"…\"` in {}",
        .path.display(), .metadata.display()
    )]
    BadId {
        /// The text file.
        path: PathBuf,
        /// Where the id can be given.
        metadata: PathBuf,
        /// What is wrong with the file's name.
        problem: String,
    },
    /// Lines that give no digest, in a list that is loaded whole or not at all.
    #[error("{}", Each(.path, .bad))]
    BadLines {
        /// The text file.
        path: PathBuf,
        /// How many bad lines, and the first of them.
        bad: BadLines,
    },
    /// The metadata are no TOML, or say something that nobody can mean.
    #[error("{}:{line}: {problem}", .path.display())]
    BadMetadata {
        /// The TOML file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// The metadata are too large to be somebody's description of a list.
    #[error("{}: larger than {METADATA_BYTES_MAX} bytes: expected the description of one list", .0.display())]
    MetadataTooLarge(PathBuf),
    /// A list folder cannot be read.
    #[error(transparent)]
    Folder(Box<StoreError>),
    /// A replica of somebody else's list cannot be read.
    #[error(transparent)]
    Replica(Box<dyn std::error::Error + Send + Sync>),
    /// More entries than an index can number.
    #[error("{}: more than {entries_max} entries: split the list", .path.display())]
    TooManyEntries {
        /// The text file.
        path: PathBuf,
        /// How many would fit.
        entries_max: u32,
    },
    /// There is no entry. A list that lost its entries must not look like one that is in force.
    #[error(
        "{}: holds no digest: an empty list protects nobody{}",
        .path.display(), Skipped(.path, .skipped)
    )]
    Empty {
        /// The text file.
        path: PathBuf,
        /// The lines that were skipped because they are bad.
        skipped: BadLines,
    },
}

impl From<StoreError> for ListError {
    fn from(error: StoreError) -> Self {
        Self::Folder(Box::new(error))
    }
}

/// Bad lines, each as `path:line: what is wrong: what would be right`.
struct Each<'a>(&'a Path, &'a BadLines);

impl fmt::Display for Each<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(path, bad) = self;
        let path = path.display();
        for (i, bad_line) in bad.first.iter().enumerate() {
            let separator = if i == 0 { "" } else { "\n" };
            let problem = bad_line.problem;
            write!(f, "{separator}{path}:{}: {problem}: expected {}", bad_line.line, problem.expected())?;
        }
        match bad.count - bad.first.len() as u64 {
            0 => Ok(()),
            more => write!(f, "\n{path}: and {more} more"),
        }
    }
}

/// The bad lines that were skipped, if there are any.
struct Skipped<'a>(&'a Path, &'a BadLines);

impl fmt::Display for Skipped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.1.is_empty() {
            Ok(())
        } else {
            write!(f, "; these lines were skipped:\n{}", Each(self.0, self.1))
        }
    }
}
