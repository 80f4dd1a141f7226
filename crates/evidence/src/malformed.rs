use crate::{ENTRY_BYTES_MAX, NAME_BYTES_MAX, NOTE_BYTES_MAX};

/// What is wrong with the form of a note, a checkpoint, a tile, a bundle, a key or a proof.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Malformed {
    /// It is longer than it may be.
    #[error("longer than {NOTE_BYTES_MAX} bytes")]
    TooLong,
    /// It is not text, or text with control characters.
    #[error("not UTF-8 text without control characters")]
    NotText,
    /// The note ends otherwise than with a blank line and signatures.
    #[error("no signatures after a blank line")]
    NoSignatures,
    /// A line after the blank one is no signature.
    #[error("a bad signature line: expected `— NAME BASE64`")]
    SignatureLine,
    /// A name that no key can have.
    #[error(
        "a bad name: expected 1 to {NAME_BYTES_MAX} bytes without spaces and '+', such as example.org/evidence"
    )]
    Name,
    /// The text of a note is no checkpoint.
    #[error("no checkpoint: expected lines with an origin, a size and a root hash in base64")]
    Checkpoint,
    /// A checkpoint of another log.
    #[error("the checkpoint is of another log: expected one whose first line is the key's name")]
    Origin,
    /// A verifier key has another form.
    #[error("no verifier key: expected NAME+ID+BASE64 of an Ed25519 key")]
    VerifierKey,
    /// A tile of another length.
    #[error("a tile of {found} bytes: expected {expected}")]
    TileLength {
        /// How long it is.
        found: usize,
        /// How long it should be.
        expected: usize,
    },
    /// A bundle that does not hold its number of entries.
    #[error(
        "a bundle that is not {expected} entries with their lengths before them, each of at most {ENTRY_BYTES_MAX} bytes"
    )]
    Bundle {
        /// How many there should be.
        expected: usize,
    },
    /// A proof in another form.
    #[error(
        "no proof: expected `c2sp.org/tlog-proof@v1`, or `old SIZE`, hashes in base64, a blank line and a checkpoint"
    )]
    Proof,
    /// A proof of an entry without the entry.
    #[error("a proof without its entry: expected it in base64 in a line `extra`")]
    NoEntry,
}
