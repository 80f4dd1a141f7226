//! Why a client did not trust something.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use crate::TransportError;

/// What went wrong for a client. Where a variant tells an attack, the attack's name stands in its text.
#[derive(Debug, thiserror::Error)]
pub enum TufError {
    /// A file is not what its role says.
    #[error("{file}: {why}")]
    Malformed {
        /// The file.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// Too few keys that count have signed.
    #[error(
        "{file}: too few signatures for {authority}: {counted} of {threshold} keys signed{}{}",
        not_counted(*.strangers, "by keys that do not count, or no longer (revoked)"),
        not_counted(*.repeated, "by a key that is counted already (duplicate signatures, or one key under two names)")
    )]
    TooFewSignatures {
        /// The file.
        file: String,
        /// Whose keys and threshold were asked, such as `root 3`.
        authority: String,
        /// Keys with a right signature.
        counted: usize,
        /// How many must sign.
        threshold: usize,
        /// Signatures by keys that this authority does not list for the role.
        strangers: usize,
        /// Right signatures by key material that was counted already.
        repeated: usize,
    },
    /// An older version than the trusted one.
    #[error("{file}: version {offered} is older than the trusted version {trusted} (rollback attack)")]
    Rollback {
        /// The file.
        file: String,
        /// The trusted version.
        trusted: u64,
        /// The version that was offered.
        offered: u64,
    },
    /// A role that the trusted snapshot lists is gone.
    #[error("{file}: {role} is no longer listed (rollback attack by removal)")]
    Removed {
        /// The file.
        file: String,
        /// The role that it should list.
        role: String,
    },
    /// A version number with another content than the trusted file of this number.
    #[error(
        "{file}: version {version} has another content than the trusted version {version} (reused number)"
    )]
    VersionReused {
        /// The file.
        file: String,
        /// The number.
        version: u64,
    },
    /// Another version than the one that is due.
    #[error("{file}: version {found} where version {expected} is due (mix-and-match attack)")]
    WrongVersion {
        /// The file.
        file: String,
        /// The version that was signed for, or that follows.
        expected: u64,
        /// The version in the file.
        found: u64,
    },
    /// The file's time is over.
    #[error(
        "{file} expired on {expires}, and it is {now}: nobody has signed a newer one, or it is withheld (freeze attack)"
    )]
    Expired {
        /// The file.
        file: String,
        /// When it expired.
        expires: Timestamp,
        /// When the update began.
        now: Timestamp,
    },
    /// A file is longer than allowed.
    #[error("{file} is longer than {bytes_max} bytes (endless data attack)")]
    EndlessData {
        /// The file.
        file: String,
        /// Its signed length, or the limit.
        bytes_max: u64,
    },
    /// A file has another length than was signed for.
    #[error("{file} has {found} bytes, and {expected} were signed for (wrong length)")]
    WrongLength {
        /// The file.
        file: String,
        /// The signed length.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// A file has another digest than was signed for.
    #[error("{file} does not have the digest that was signed for (wrong checksum)")]
    WrongChecksum {
        /// The file.
        file: String,
    },
    /// A file came too slowly.
    #[error("{file} took longer than {} s (slow retrieval attack)", time_max.as_secs_f32())]
    SlowRetrieval {
        /// The file.
        file: String,
        /// The limit.
        time_max: Duration,
    },
    /// This machine's clock shows an earlier time than at the last update.
    #[error(
        "the clock shows {now}, and at the last update it showed {seen} (clock stepped back): set it right; \
         if it was wrong then, remove {path}"
    )]
    ClockSteppedBack {
        /// What it shows.
        now: Timestamp,
        /// The latest time seen.
        seen: Timestamp,
        /// Where the latest time is kept.
        path: PathBuf,
    },
    /// A target's name would leave its folder.
    #[error("target `{name}` is refused: {why} (path traversal)")]
    PathTraversal {
        /// The name, shortened and escaped.
        name: String,
        /// What is wrong.
        why: &'static str,
    },
    /// Too large to be fetched at all.
    #[error("{file} has {length} bytes, and the limit is {bytes_max}")]
    TooLarge {
        /// The file.
        file: String,
        /// The signed length.
        length: u64,
        /// The limit.
        bytes_max: u64,
    },
    /// The search for a target ended before it was through.
    #[error("the search for target {target} met more than {max} delegated roles")]
    TooManyDelegations {
        /// The target.
        target: String,
        /// The limit.
        max: usize,
    },
    /// Nothing was refreshed yet.
    #[error("nothing is known yet: refresh first")]
    NotRefreshed,
    /// There is no trusted root.
    #[error("{path} holds no root: begin with a root that came over a trusted way")]
    NoRoot {
        /// The store.
        path: PathBuf,
    },
    /// A trusted root is there already, and it is another one.
    #[error("{path} holds another root already: it is not replaced")]
    OtherRoot {
        /// The store.
        path: PathBuf,
    },
    /// A file could not be had.
    #[error("{file}: {source}")]
    Transport {
        /// The file.
        file: String,
        /// Why.
        source: TransportError,
    },
    /// A disk failed.
    #[error("{path}: {source}")]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl TufError {
    pub(crate) fn malformed(file: &str, why: impl std::fmt::Display) -> Self {
        Self::Malformed { file: file.to_owned(), why: why.to_string() }
    }

    /// Whether another try may do better without anything being published: the network, a disk.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Transport { source, .. } => !matches!(source, TransportError::Refused { .. }),
            Self::Disk { .. } | Self::SlowRetrieval { .. } => true,
            _ => false,
        }
    }
}

fn not_counted(number: usize, why: &str) -> String {
    if number == 0 { String::new() } else { format!(", and {number} {why}") }
}
