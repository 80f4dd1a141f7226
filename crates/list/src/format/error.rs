use std::io;
use std::path::PathBuf;

use super::{Foreign, Format, Place};
use crate::Problem;

/// Why a file cannot be read as a list, or a list not written. Each message names the file, what is wrong with it, and
/// what would be right.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The file cannot be read.
    #[error("{}: cannot be read", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A folder, a pipe or a device.
    #[error("{}: is no regular file: expected a hash list", .0.display())]
    NotAFile(PathBuf),
    /// The file is known for something that is no hash list, or none that can be used.
    #[error("{}: this is {foreign}: {}", .path.display(), .foreign.advice())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is.
        foreign: Foreign,
    },
    /// The file begins like no list that is known.
    #[error("{}: begins like no known list: expected one of {}", .0.display(), Format::WORDS.join(", "))]
    Unrecognised(PathBuf),
    /// The file is not written in its format's language, or breaks off, so that nobody can say where an item ends.
    #[error("{}: {place}: {problem}: expected {}", .path.display(), .problem.expected())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where.
        place: Place,
        /// What is wrong.
        problem: Problem,
    },
    /// The database cannot be read.
    #[error("{}: cannot be read as an NSRL database: {reason}: expected SQLite with a table FILE", .path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// `SQLite`'s words for the kind of error. Its message is not kept: it may quote the file.
        reason: &'static str,
    },
    /// The format is only read.
    #[error("lists are not written as {0}: expected text, hashdeep, signal-lines, vics or stix")]
    NotWritable(Format),
    /// The list cannot be written where it should go.
    #[error("the list cannot be written")]
    Write(#[source] io::Error),
}
