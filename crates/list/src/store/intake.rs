//! What a statement must be like to be taken in.

use hashward_core::{Algorithm, Digest};

use super::{Refusal, StoredEntry};
use crate::{Change, Statement};

/// The longest key, in bytes: as long as a path on Linux.
pub const KEY_BYTES_MAX: usize = 4096;
/// The longest reference number, in bytes.
pub const REFERENCE_BYTES_MAX: usize = 1024;
/// The longest note, in bytes.
pub const NOTE_BYTES_MAX: usize = 16 * 1024;
/// The longest word for a kind of unmatched signals, in bytes.
pub const KIND_BYTES_MAX: usize = 64;
/// How many kinds of unmatched signals an item may have.
pub const KINDS_MAX: usize = 16;
/// The longest unmatched signal, in bytes; one of TMK+PDQF in base64 has 350 KB.
pub const UNMATCHED_BYTES_MAX: usize = 512 * 1024;

/// A statement, and the key by which it is taken.
#[derive(Clone, Copy)]
pub(super) struct Stated<'a> {
    pub(super) statement: &'a Statement,
    /// Not the statement's own where that is empty, or stands for several items.
    pub(super) key: Option<&'a str>,
}

impl<'a> Stated<'a> {
    pub(super) fn new(statement: &'a Statement) -> Self {
        Self { statement, key: statement.key.as_deref().filter(|key| !key.is_empty()) }
    }

    pub(super) fn without_key(self) -> Self {
        Self { key: None, ..self }
    }

    /// Whether the entry has a signal of the same kind that is another one.
    pub(super) fn contradicts(&self, entry: &StoredEntry) -> bool {
        let other_digest =
            |digest: &Digest| entry.digests.get(digest.algorithm()).is_some_and(|held| held != *digest);
        let other_value = |(kind, value)| entry.unmatched_signals.get(kind).is_some_and(|held| held != value);
        self.statement.digests.iter().any(|digest| other_digest(&digest))
            || self.statement.unmatched_signals.iter().any(other_value)
    }

    /// How many of the stated signals the entry has.
    pub(super) fn held_by(&self, entry: &StoredEntry) -> usize {
        let digests = self.statement.digests.iter();
        let unmatched = self.statement.unmatched_signals.iter();
        digests.filter(|digest| entry.digests.get(digest.algorithm()).as_ref() == Some(digest)).count()
            + unmatched.filter(|(kind, value)| entry.unmatched_signals.get(*kind) == Some(value)).count()
    }

    /// How many signals are stated.
    pub(super) fn signals(&self) -> usize {
        self.statement.digests.algorithms().len() + self.statement.unmatched_signals.len()
    }

    /// Whether all that can be matched is XXH3, which is never a ground for an alert.
    pub(super) fn is_only_hint(&self) -> bool {
        let algorithms = self.statement.digests.algorithms();
        algorithms.len() == 1 && algorithms.contains(Algorithm::Xxh3)
    }

    /// Why the statement is not taken in, whatever the list holds.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        let Statement {
            change, digests, unmatched_signals, reference, valid_from, valid_until, note, ..
        } = self.statement;
        if self.signals() == 0 && (*change == Change::Put || self.key.is_none()) {
            return Some(Refusal::NoSignal);
        }
        if let Some(empty) =
            digests.iter().find(|digest| *digest == Digest::of_empty_content(digest.algorithm()))
        {
            return Some(Refusal::EmptyContent(empty.algorithm()));
        }
        if unmatched_signals.len() > KINDS_MAX {
            return Some(Refusal::TooManyKinds { kinds: unmatched_signals.len(), kinds_max: KINDS_MAX });
        }
        if let (Some(from), Some(until)) = (valid_from, valid_until)
            && from >= until
        {
            return Some(Refusal::NeverValid);
        }
        let longest_kind = unmatched_signals.keys().map(String::len).max();
        let unmatched_bytes = unmatched_signals.values().map(String::len).sum();
        [
            ("key", self.key.map_or(0, str::len), KEY_BYTES_MAX),
            ("reference", reference.as_ref().map_or(0, String::len), REFERENCE_BYTES_MAX),
            ("note", note.as_ref().map_or(0, String::len), NOTE_BYTES_MAX),
            ("the name of a kind of signals", longest_kind.unwrap_or(0), KIND_BYTES_MAX),
            ("what is there of unmatched signals", unmatched_bytes, UNMATCHED_BYTES_MAX),
        ]
        .into_iter()
        .find(|(_, bytes, bytes_max)| bytes > bytes_max)
        .map(|(field, bytes, bytes_max)| Refusal::TooLong { field, bytes, bytes_max })
    }
}
