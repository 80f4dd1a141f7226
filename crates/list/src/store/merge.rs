//! What an entry becomes by a statement.

use hashward_core::EntryId;
use jiff::Timestamp;

use super::StoredEntry;
use super::intake::Stated;

/// A new entry that says what is stated.
pub(super) fn born(stated: &Stated, source: Option<&str>, id: EntryId, at: Timestamp) -> StoredEntry {
    let statement = stated.statement;
    StoredEntry {
        id,
        source: stated.key.and(source).map(str::to_owned),
        key: stated.key.map(str::to_owned),
        digests: statement.digests,
        unmatched_signals: statement.unmatched_signals.clone(),
        size_bytes: statement.size_bytes,
        category: statement.category.clone(),
        reference: statement.reference.clone(),
        valid_from: statement.valid_from.map(to_microsecond),
        valid_until: statement.valid_until.map(to_microsecond),
        note: statement.note.clone(),
        disputed: None,
        withdrawn: None,
        listed_since: at,
    }
}

/// The entry with what is stated of it. A statement says what it says, and its silence changes nothing. Only when a
/// source gives its item another content, all that was said of the former content goes: signals of two contents in one
/// entry would contradict each other on every match.
pub(super) fn merged(entry: &StoredEntry, stated: &Stated, source: Option<&str>) -> StoredEntry {
    let statement = stated.statement;
    let mut merged = entry.clone();
    merged.withdrawn = None;
    if merged.key.is_none() && stated.key.is_some() {
        merged.key = stated.key.map(str::to_owned);
        merged.source = source.map(str::to_owned);
    }
    if stated.contradicts(entry) {
        merged.digests = statement.digests;
        merged.unmatched_signals.clone_from(&statement.unmatched_signals);
        merged.size_bytes = statement.size_bytes;
    }
    for digest in statement.digests.iter() {
        merged.digests.insert(&digest);
    }
    for (kind, value) in &statement.unmatched_signals {
        merged.unmatched_signals.insert(kind.clone(), value.clone());
    }
    put(&mut merged.size_bytes, statement.size_bytes.as_ref());
    put(&mut merged.category, statement.category.as_ref());
    put(&mut merged.reference, statement.reference.as_ref());
    put(&mut merged.valid_from, statement.valid_from.map(to_microsecond).as_ref());
    put(&mut merged.valid_until, statement.valid_until.map(to_microsecond).as_ref());
    put(&mut merged.note, statement.note.as_ref());
    merged
}

fn put<T: Clone>(field: &mut Option<T>, stated: Option<&T>) {
    if let Some(value) = stated {
        *field = Some(value.clone());
    }
}

/// A moment as it is held, so that what is read again is equal.
pub(super) fn to_microsecond(moment: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(moment.as_microsecond())
        .expect("a moment is in range without its nanoseconds")
}
