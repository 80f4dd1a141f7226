use std::io;
use std::path::PathBuf;

use crate::{Checkpoint, Malformed};

/// Why evidence cannot be written, read or believed.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The file system refuses.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// There is no log.
    #[error("{}: there is no evidence log: expected a folder that `hashward evidence init` made", .path.display())]
    NoLog {
        /// The folder.
        path: PathBuf,
    },
    /// There is a log, or something else, where a new one should be made.
    #[error("{}: is not empty: a new log needs a folder of its own", .path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// Another writer holds the log.
    #[error("{}: another process writes to the log for longer than {waited_ms} ms", .path.display())]
    Busy {
        /// The lock file.
        path: PathBuf,
        /// How long it was waited for.
        waited_ms: u128,
    },
    /// The key file holds no key that signs.
    #[error("key file {}: {problem}: expected an Ed25519 key as PKCS#8, in PEM", .path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: KeyProblem,
    },
    /// Everybody on the machine may use the key file.
    #[error("key file {}: mode {mode:03o} lets everybody at it: expected 0600, or 0640 for its group", .path.display())]
    KeyExposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// No randomness for a new key.
    #[error("the system has no randomness for a new key")]
    Randomness,
    /// A record is larger than an entry may be.
    #[error("a record of kind {kind} has {bytes} bytes: expected at most {max}: shorten its texts", max = crate::ENTRY_BYTES_MAX)]
    RecordTooLarge {
        /// The record's kind.
        kind: hashward_core::EvidenceKind,
        /// How many bytes it has.
        bytes: usize,
    },
    /// The entry that is asked for is not in the log.
    #[error("entry {index} is not in the log: it has {size}, numbered from 0")]
    NoEntry {
        /// The number that was asked for.
        index: u64,
        /// How many there are.
        size: u64,
    },
    /// Something that a log consists of, a key or a proof does not have its form.
    #[error("{place}: {problem}")]
    Malformed {
        /// The file, or what it is.
        place: String,
        /// What is wrong.
        problem: Malformed,
    },
    /// No signature by the key, or a wrong one.
    #[error(
        "{place}: not signed by {name}: expected a signature that the verifier key {key_id:08x} confirms"
    )]
    BadSignature {
        /// The file, or what it is.
        place: String,
        /// The name of the key.
        name: String,
        /// The identifier of the key.
        key_id: u32,
    },
    /// A part of the log is not there.
    #[error("{}: is missing: the checkpoint says that it was written", .path.display())]
    Missing {
        /// The part.
        path: PathBuf,
    },
    /// A part of the log is not what the signed tree says.
    #[error("{}: {problem}", .path.display())]
    Changed {
        /// The part.
        path: PathBuf,
        /// What is not as it was.
        problem: ChangedPart,
    },
    /// The log is shorter than it was.
    #[error("{place}: the log was cut: it had {remembered} entries, and has {found}")]
    Cut {
        /// The log or the proof.
        place: String,
        /// How many entries the remembered checkpoint has.
        remembered: u64,
        /// How many there are.
        found: u64,
    },
    /// Two signed histories, of which neither grew from the other.
    #[error(
        "{place}: the log was forked: its {found} entries did not grow from the {remembered} of the remembered checkpoint"
    )]
    Forked {
        /// The log or the proof.
        place: String,
        /// How many entries the remembered checkpoint has.
        remembered: u64,
        /// How many there are.
        found: u64,
    },
    /// A proof that proves nothing.
    #[error("{place}: the proof does not lead to the signed root of {size} entries")]
    NotProven {
        /// The proof.
        place: String,
        /// The size of the tree.
        size: u64,
    },
    /// A proof is for a step from another checkpoint than the remembered one.
    #[error(
        "{place}: the proof is for the step from {proven} entries: expected from the {remembered} of the remembered checkpoint"
    )]
    OtherStep {
        /// The proof.
        place: String,
        /// From where it leads.
        proven: u64,
        /// From where it should lead.
        remembered: u64,
    },
}

impl EvidenceError {
    /// Whether somebody's evidence is not what was signed, as opposed to not being at hand.
    pub fn is_tampering(&self) -> bool {
        matches!(
            self,
            Self::Malformed { .. }
                | Self::BadSignature { .. }
                | Self::Missing { .. }
                | Self::Changed { .. }
                | Self::Cut { .. }
                | Self::Forked { .. }
                | Self::NotProven { .. }
        )
    }

    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::Io { path, source }
    }

    /// The log that ends with `found` has not grown from `remembered`.
    pub(crate) fn not_grown(place: impl Into<String>, remembered: &Checkpoint, found: &Checkpoint) -> Self {
        let (place, remembered, found) = (place.into(), remembered.size, found.size);
        if found < remembered {
            Self::Cut { place, remembered, found }
        } else {
            Self::Forked { place, remembered, found }
        }
    }
}

/// What is wrong with a file that should hold a private key. Says nothing of its bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum KeyProblem {
    /// It is longer than a key.
    #[error("too long for a key")]
    TooLong,
    /// No PEM block of a private key.
    #[error("no PEM block BEGIN PRIVATE KEY")]
    NotPem,
    /// The block holds something else.
    #[error("another kind of key")]
    NotEd25519,
}

/// What of a part of the log is not as it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ChangedPart {
    /// An entry and what the tree says of it differ.
    #[error("entry {index} was changed: the tree has another hash in its place")]
    Entry {
        /// Its number.
        index: u64,
    },
    /// A tile holds other hashes than those over what is below it.
    #[error("hash {number} of the tile was changed: what is below it gives another one")]
    Tile {
        /// Its number in the tile, from 0.
        number: u64,
    },
    /// A full tile gives another hash than the one above it.
    #[error("the tile was changed: the tile above has another hash in its place")]
    Below,
    /// The tiles give another root than the signed one.
    #[error("the tiles do not give the signed root")]
    Root,
    /// What an earlier checkpoint was written with differs from what the later one has at the same place.
    #[error("an earlier part differs from what it grew into")]
    Earlier,
}
