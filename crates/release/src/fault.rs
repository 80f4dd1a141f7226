use std::path::Path;

use rusqlite::ErrorCode;

use crate::ReleaseError;

/// What goes wrong below the places that know which file it is about.
#[derive(Debug)]
pub(crate) enum Fault {
    Sqlite(rusqlite::Error),
    Damaged(&'static str),
    Told(ReleaseError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<ReleaseError> for Fault {
    fn from(error: ReleaseError) -> Self {
        Self::Told(error)
    }
}

impl Fault {
    /// The error for those outside.
    pub(crate) fn at(self, path: &Path) -> ReleaseError {
        let path = path.to_owned();
        let source = match self {
            Self::Told(error) => return error,
            Self::Damaged(problem) => return ReleaseError::Damaged { path, problem },
            Self::Sqlite(source) => source,
        };
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => ReleaseError::Busy { path },
            Some(ErrorCode::DiskFull) => ReleaseError::NoRoom { path },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                ReleaseError::Damaged { path, problem: "SQLite cannot read it" }
            }
            _ => ReleaseError::Sqlite { path, source },
        }
    }
}
