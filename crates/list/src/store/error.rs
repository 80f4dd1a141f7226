use std::io;
use std::path::{Path, PathBuf};

use hashward_core::ListId;
use rusqlite::ErrorCode;

use super::schema::SCHEMA_VERSION;
use crate::ListError;

/// Why something could not be done with a list folder. No message shows a digest or a key.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder cannot be read or written.
    #[error("{}: cannot be read or written", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The folder holds no list.
    #[error("{}: is no list folder: {problem}", .path.display())]
    NotAListFolder {
        /// The folder.
        path: PathBuf,
        /// What is missing, or there instead.
        problem: &'static str,
    },
    /// There is something in the folder where a list should begin.
    #[error("{}: is there already: expected a folder that holds no list", .0.display())]
    AlreadyThere(PathBuf),
    /// The list was written by a later version.
    #[error("{}: has schema version {found}, and this program knows {SCHEMA_VERSION}: use a newer one", .path.display())]
    NewerSchema {
        /// The file of entries.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
    /// The manifest is not as it should be.
    #[error(transparent)]
    Manifest(#[from] ListError),
    /// The manifest is too large to be read again.
    #[error("{}: the manifest would have {bytes} bytes: expected at most {}", .path.display(), crate::METADATA_BYTES_MAX)]
    ManifestTooLarge {
        /// The manifest.
        path: PathBuf,
        /// How large it would be.
        bytes: usize,
    },
    /// The manifest names another list.
    #[error("{}: names the list {found:?}: expected {expected:?}, after which its entries are named", .path.display(), found = .found.as_str(), expected = .expected.as_str())]
    OtherListId {
        /// The manifest.
        path: PathBuf,
        /// The id that it gives.
        found: ListId,
        /// The id that the list was made with.
        expected: ListId,
    },
    /// Somebody else is changing the list.
    #[error("{}: somebody else is changing the list: waited {waited_ms} ms; try again when that is done", .path.display())]
    Busy {
        /// The file of entries.
        path: PathBuf,
        /// How long this program waited, in milliseconds.
        waited_ms: u64,
    },
    /// The list was read without the means to keep a writer from it, and there was one.
    #[error("{}: was changed while it was read: read it again", .0.display())]
    ChangedMeanwhile(PathBuf),
    /// There is no room for the change. The list is as it was before.
    #[error("{}: no room left: the list is as it was before", .path.display())]
    NoRoom {
        /// The file of entries.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The file of entries is damaged.
    #[error("{}: is damaged: {problem}; restore the folder from a copy", .path.display())]
    Damaged {
        /// The file of entries.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// SQLite fails for some other reason.
    #[error("{}: SQLite cannot go on", .path.display())]
    Sqlite {
        /// The file of entries.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The list was opened for reading.
    #[error("{}: is opened for reading only", .0.display())]
    ReadOnly(PathBuf),
    /// The step does not say who takes it and why, or says it at length.
    #[error("`{field}` of a step has {bytes} bytes: expected 1 to {bytes_max}")]
    BadStep {
        /// Which of the two.
        field: &'static str,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        bytes_max: usize,
    },
    /// A reason for a withdrawal or a dispute is missing or too long.
    #[error("a reason of {bytes} bytes: expected 1 to {bytes_max}")]
    BadReason {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        bytes_max: usize,
    },
    /// The name of a source is too long.
    #[error("the name of a source has {bytes} bytes: expected 1 to {bytes_max}")]
    BadSource {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        bytes_max: usize,
    },
    /// The step failed before, and can only be dropped.
    #[error("the step failed before, and nothing of it is kept: begin another")]
    StepFailed,
    /// No entry is selected.
    #[error("no entry has {selector}")]
    NotFound {
        /// What the selector looks at, without its value.
        selector: &'static str,
    },
    /// A selector takes in more than anybody means one by one.
    #[error("more than {max} entries have {selector}: expected fewer; import a file that withdraws them")]
    TooManySelected {
        /// What the selector looks at, without its value.
        selector: &'static str,
        /// How many may be selected.
        max: usize,
    },
    /// There is no such state.
    #[error("there is no state {state}: expected 0 to {newest}")]
    NoSuchState {
        /// The state that was asked for.
        state: u64,
        /// The newest state.
        newest: u64,
    },
}

/// What goes wrong below the places that know which file it is about.
#[derive(Debug)]
pub(super) enum Fault {
    Sqlite(rusqlite::Error),
    /// Something in the file cannot have been written by this program.
    Damaged(String),
    Told(StoreError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Told(error)
    }
}

impl Fault {
    /// The error for those outside: `path` is the file of entries, `waited_ms` how long SQLite waits for others.
    pub(super) fn at(self, path: &Path, waited_ms: u64) -> StoreError {
        let path = path.to_owned();
        let source = match self {
            Self::Told(error) => return error,
            Self::Damaged(problem) => return StoreError::Damaged { path, problem },
            Self::Sqlite(source) => source,
        };
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { path, waited_ms },
            Some(ErrorCode::DiskFull) => StoreError::NoRoom { path, source },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                StoreError::Damaged { path, problem: source.to_string() }
            }
            _ => StoreError::Sqlite { path, source },
        }
    }
}
