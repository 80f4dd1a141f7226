use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::EntryNumber;

/// What a part of an index file holds.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Part {
    /// Sizes, counts and places of the other parts.
    Header,
    /// What is known of each entry.
    Records,
    /// Seals and the entries that hold them, sorted.
    Rows,
    /// The lines or the filter that a lookup reads first.
    Front,
    /// Where each bucket's rows start; only behind a filter.
    Starts,
    /// The references of entries.
    Texts,
    /// The categories that records name by number.
    Categories,
    /// What the caller says of the lists.
    Catalogue,
    /// One checksum for each block of the parts before.
    Sums,
    /// The keyed checksum of the whole.
    Trailer,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Records => "records",
            Self::Rows => "rows",
            Self::Front => "front",
            Self::Starts => "starts",
            Self::Texts => "texts",
            Self::Categories => "categories",
            Self::Catalogue => "catalogue",
            Self::Sums => "checksums",
            Self::Trailer => "trailer",
        })
    }
}

/// Why an index could not be built, opened or asked. No variant says a digest, a seal or a key.
#[derive(Debug, Error)]
pub enum IndexError {
    /// The key's file cannot be read or written.
    #[error("key file {path}: {source}")]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The key's file can be read by everybody on the machine.
    #[error("key file {path}: mode {mode:03o} lets everybody read it: expected 600, 400, 640 or 440")]
    KeyExposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Text that is no key.
    #[error("{place}: no key: expected 64 hexadecimal digits, found {found}")]
    KeyText {
        /// Where the text stands.
        place: String,
        /// What is wrong, without the text itself.
        found: String,
    },
    /// The operating system has no randomness for a new key.
    #[error("no randomness for a new key: {0}")]
    Randomness(getrandom::Error),
    /// The file cannot be opened or mapped.
    #[error("index {path}: {source}")]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is something else.
    #[error("index {path}: no index file: expected one that `list build` wrote")]
    NotAnIndex {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by another version of the format.
    #[error("index {path}: format version {found}, expected {expected}: build it anew")]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version this program reads.
        expected: u32,
    },
    /// The file was sealed with another key.
    #[error("index {path}: sealed with another key: expected the key it was built with")]
    WrongKey {
        /// The file.
        path: PathBuf,
    },
    /// The file is shorter or longer than its header says.
    #[error("index {path}: {found} bytes, expected {expected}: the file was cut or added to; build it anew")]
    Length {
        /// The file.
        path: PathBuf,
        /// Its length in bytes.
        found: u64,
        /// The length in bytes that is right, or the least possible one.
        expected: u64,
    },
    /// Bytes of the file are not those that were written.
    #[error("index {path}: damaged in its {part} near byte {at}: build it anew or restore it")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The damaged part.
        part: Part,
        /// Where, in bytes from the start of the file.
        at: u64,
    },
    /// An entry that the index does not hold.
    #[error("{0:?} is not in this index: it was withdrawn, or belongs to another index")]
    NoSuchEntry(EntryNumber),
    /// Two indexes that should answer as one were sealed with different keys.
    #[error("two indexes sealed with different keys cannot be one: expected the same key")]
    KeysDiffer,
    /// More than the format has numbers for.
    #[error("more than {max} {what}: expected fewer, or several indexes")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The most there may be.
        max: u64,
    },
    /// A text or blob longer than its limit.
    #[error("{what} of {bytes} bytes: expected at most {max}")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// The greatest length.
        max: usize,
    },
    /// The new index cannot be written; what was there before is untouched.
    #[error("building index {path}: {source}; the file there before, if any, is unchanged")]
    Write {
        /// Where the index should come to stand.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}
