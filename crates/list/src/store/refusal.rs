use std::fmt;

use hashward_core::{Algorithm, EntryId};

/// Why a statement is not taken into the list. It shows nothing of what the statement says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// There is neither a digest nor any other signal, and for a withdrawal no key either.
    NoSignal,
    /// It holds the digest of content of zero bytes.
    EmptyContent(Algorithm),
    /// A text is too long.
    TooLong {
        /// Which one.
        field: &'static str,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        bytes_max: usize,
    },
    /// There are too many kinds of signals that Hashward does not match.
    TooManyKinds {
        /// How many.
        kinds: usize,
        /// How many there may be.
        kinds_max: usize,
    },
    /// It would be valid until a moment that is not after the one from which it is valid.
    NeverValid,
    /// Some of its signals are those of an entry, and others are not what that entry has: a collision, or one of the two
    /// is wrong.
    Contradicts(EntryId),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSignal => f.write_str("no signal: expected at least one digest"),
            Self::EmptyContent(algorithm) => write!(
                f,
                "the {algorithm} digest of empty content: it would match every empty file and every unfinished upload"
            ),
            Self::TooLong { field, bytes, bytes_max } => {
                write!(f, "{field} has {bytes} bytes: expected at most {bytes_max}")
            }
            Self::TooManyKinds { kinds, kinds_max } => {
                write!(f, "{kinds} kinds of unmatched signals: expected at most {kinds_max}")
            }
            Self::NeverValid => f.write_str("never valid: expected valid_from before valid_until"),
            Self::Contradicts(entry) => write!(
                f,
                "contradicts {entry}: one signal is the same and another is not; expected all signals to be of one \
                 content; withdraw the entry if it is wrong, or give the item a key of its own"
            ),
        }
    }
}
