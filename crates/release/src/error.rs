use std::io;
use std::path::{Path, PathBuf};

use hashward_core::{EntryId, ListId};
use hashward_list::ListError;
use hashward_list::store::StoreError;

use crate::BadRow;
use crate::header::FORMAT_VERSION;

/// Why a release cannot be made, read or applied. No message shows a digest or a key.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// A file or folder cannot be read or written.
    #[error("{}: cannot be read or written", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is no room. What was there is as it was.
    #[error("{}: no room left: what was there is as it was before", .path.display())]
    NoRoom {
        /// The file.
        path: PathBuf,
    },
    /// Somebody else is at it.
    #[error("{}: somebody else is changing it: try again when that is done", .path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// SQLite fails for some other reason.
    #[error("{}: SQLite cannot go on", .path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// A file of ours is not as it was written, or is opened with another key.
    #[error("{}: is damaged, or sealed under another key: {problem}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: &'static str,
    },
    /// There is no replica, or something else.
    #[error("{}: is no replica of a list: {problem}", .path.display())]
    NotAReplica {
        /// The folder.
        path: PathBuf,
        /// What is missing, or there instead.
        problem: &'static str,
    },
    /// A replica holds no release yet.
    #[error("{}: holds no release yet: an empty list protects nobody; pull one", .path.display())]
    NoRelease {
        /// The folder.
        path: PathBuf,
    },
    /// The signed header is not as it should be.
    #[error("the signed header of a target is bad: {problem}")]
    BadHeader {
        /// What is wrong.
        problem: String,
    },
    /// The signed header is of a version that this program does not know.
    #[error(
        "the target has format {format}, and this program knows {FORMAT_VERSION}: use another version of it"
    )]
    OtherFormat {
        /// The version.
        format: u64,
    },
    /// A target file is not as it should be.
    #[error("{}: is not the target that its signed header says: {problem}", .path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: BadFile,
    },
    /// A target file is encrypted, and no identity here opens it.
    #[error("{}: is encrypted, and none of the {identities} identities here opens it: expected that of a recipient", .path.display())]
    NoIdentity {
        /// The file.
        path: PathBuf,
        /// How many identities there are.
        identities: usize,
    },
    /// A file of age identities or recipients cannot be read.
    #[error("{}:{line}: {problem}", .path.display())]
    BadAgeKey {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong, and what would be right.
        problem: &'static str,
    },
    /// A text that is no age recipient.
    #[error("{text:?} is no age recipient: expected one that begins with age1")]
    BadRecipient {
        /// The text; recipients are public.
        text: String,
    },
    /// More recipients than a file can have.
    #[error("{recipients} recipients: expected at most {}", crate::RECIPIENTS_MAX)]
    TooManyRecipients {
        /// How many there are.
        recipients: usize,
    },
    /// The target is one of another list.
    #[error("the target is of the list {found}: expected {expected}")]
    OtherList {
        /// The list in the header.
        found: ListId,
        /// The list that is held here.
        expected: ListId,
    },
    /// A delta leads from another release than the one that is held.
    #[error("delta over the wrong base: it leads from release {base} to {to}, and {}", shown(*.held))]
    WrongBase {
        /// The release that the delta leads from.
        base: u64,
        /// The release that it leads to.
        to: u64,
        /// The release that is held, if there is one.
        held: Option<u64>,
    },
    /// The delta's base has the right number and another content.
    #[error(
        "delta over the wrong base: release {base} is held with another checksum than the delta's base has"
    )]
    OtherBase {
        /// The release.
        base: u64,
    },
    /// A release came again with other content.
    #[error(
        "release number reused with other content: {release} is held with another checksum than what is offered"
    )]
    NumberReused {
        /// The release.
        release: u64,
    },
    /// What is offered is older than what is held.
    #[error("rollback: release {offered} is offered, and {held} is held")]
    Rollback {
        /// The newest that is offered.
        offered: u64,
        /// What is held.
        held: u64,
    },
    /// A delta does not lead to what was signed: nothing of it is kept. The snapshot is to be fetched.
    #[error(
        "the delta to release {release} does not make the signed checksum: it is discarded; fetch the snapshot"
    )]
    DeltaMismatch {
        /// The release.
        release: u64,
    },
    /// A snapshot is not what was signed: nothing of it is kept.
    #[error("the snapshot of release {release} does not have the signed checksum: it is discarded")]
    SnapshotMismatch {
        /// The release.
        release: u64,
    },
    /// What is offered cannot be reached from what is held.
    #[error("no snapshot and no chain of deltas leads to release {release}")]
    NoWay {
        /// The newest release that is offered.
        release: u64,
    },
    /// A release is stale.
    #[error("release {release} expired at {expires}")]
    Expired {
        /// The release.
        release: u64,
        /// When.
        expires: jiff::Timestamp,
    },
    /// A release that is not kept cannot be gone back to.
    #[error("release {release} is not kept: kept are {kept:?}")]
    NotKept {
        /// The release.
        release: u64,
        /// Those that are.
        kept: Vec<u64>,
    },
    /// The list has no entry that can be matched.
    #[error(
        "list {0}: holds no entry that can be matched: an empty list protects nobody, and is not released"
    )]
    Empty(ListId),
    /// Two entries of a list have one name.
    #[error("two entries are named {0}: withdraw one of them")]
    TwoEntries(EntryId),
    /// A list cannot be read.
    #[error(transparent)]
    List(#[from] ListError),
    /// The release before is not one of this list folder.
    #[error(
        "release {release} is of state {state} of the list, and this folder does not have that state: {problem}"
    )]
    OtherHistory {
        /// The release.
        release: u64,
        /// The state of the journal.
        state: u64,
        /// What differs.
        problem: &'static str,
    },
}

fn shown(held: Option<u64>) -> String {
    match held {
        Some(held) => format!("release {held} is held"),
        None => "no release is held".to_owned(),
    }
}

/// What is wrong with a target file.
#[derive(Debug, thiserror::Error)]
pub enum BadFile {
    /// It ends too early.
    #[error("it ends too early")]
    Short,
    /// It goes on after its end.
    #[error("it goes on after its end")]
    Long,
    /// It holds more than was signed.
    #[error("it holds more than the {bytes} bytes that were signed")]
    TooLarge {
        /// The signed length.
        bytes: u64,
    },
    /// Its first bytes are those of something else.
    #[error("it begins like something else: expected {0}")]
    Beginning(&'static str),
    /// It cannot be decompressed.
    #[error("it cannot be decompressed")]
    Zstd(#[source] io::Error),
    /// It cannot be decrypted.
    #[error("it cannot be decrypted")]
    Age,
    /// It is encrypted, or is not, and the header says otherwise.
    #[error("it is encrypted, or is not, and the header says otherwise")]
    Encryption,
    /// A row is bad.
    #[error(transparent)]
    Row(#[from] BadRow),
    /// Rows are not in their order, or one comes twice.
    #[error("its rows are not in order, each once")]
    Order,
    /// It holds other numbers of rows or bytes than were signed.
    #[error("it does not hold as much as was signed")]
    Count,
}

impl From<StoreError> for ReleaseError {
    fn from(error: StoreError) -> Self {
        Self::List(error.into())
    }
}

impl From<ReleaseError> for ListError {
    fn from(error: ReleaseError) -> Self {
        Self::Replica(Box::new(error))
    }
}

impl ReleaseError {
    /// Whether the snapshot can still be applied where a delta could not.
    pub fn wants_snapshot(&self) -> bool {
        matches!(
            self,
            Self::DeltaMismatch { .. }
                | Self::WrongBase { .. }
                | Self::OtherBase { .. }
                | Self::BadFile { .. }
                | Self::Damaged { .. }
        )
    }

    /// The error for a file or folder that cannot be read or written.
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoRoom { path },
            _ => Self::Io { path, source },
        }
    }
}
