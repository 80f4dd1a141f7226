//! What is sorted before it goes to the shelf.

use std::path::Path;

use hashward_core::EntryId;
use hashward_list::MatchableEntry;
use hashward_list::store::StoredEntry;

use crate::fault::Fault;
use crate::shelf::Change;
use crate::spool::{Record, Sorted, Spool};
use crate::{ReleaseError, row};

/// The rows of entries, to be sorted.
pub(super) struct RowSpool {
    spool: Spool,
    count: u64,
    row: Vec<u8>,
}

impl RowSpool {
    pub(super) fn new(folder: &Path) -> Self {
        Self { spool: Spool::new(folder), count: 0, row: Vec::new() }
    }

    /// Takes an entry, if there is something to match of it.
    pub(super) fn push(&mut self, entry: StoredEntry) -> Result<(), ReleaseError> {
        let Some(entry) = MatchableEntry::stored(entry) else { return Ok(()) };
        self.row.clear();
        row::encode(&entry, &mut self.row);
        self.count += 1;
        self.spool.push(entry.id.0, &self.row)
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn sorted(self) -> Result<Sorted, ReleaseError> {
        self.spool.sorted()
    }
}

/// Changes, to be sorted: of each, whether its key is new, then the row after, if there is one.
pub(super) struct ChangeSpool {
    spool: Spool,
    record: Vec<u8>,
}

impl ChangeSpool {
    pub(super) fn new(folder: &Path) -> Self {
        Self { spool: Spool::new(folder), record: Vec::new() }
    }

    pub(super) fn push(
        &mut self,
        key: u64,
        is_new: bool,
        after: Option<&MatchableEntry>,
    ) -> Result<(), ReleaseError> {
        self.record.clear();
        self.record.push(is_new.into());
        if let Some(after) = after {
            row::encode(after, &mut self.record);
        }
        self.spool.push(key, &self.record)
    }
}

/// Changes in the order of their keys, each key once.
pub(super) struct SortedChanges {
    sorted: Sorted,
    next: Option<Record>,
}

impl SortedChanges {
    pub(super) fn new(changes: ChangeSpool) -> Result<Self, ReleaseError> {
        let mut sorted = changes.spool.sorted()?;
        let next = sorted.next()?;
        Ok(Self { sorted, next })
    }

    pub(super) fn next(&mut self) -> Result<Option<Change>, Fault> {
        let Some((key, record)) = self.next.take() else { return Ok(None) };
        let mut change = change_of(key, &record);
        // One entry may go and another come whose names meet by chance.
        loop {
            self.next = self.sorted.next()?;
            let Some((_, record)) = self.next.take_if(|(next, _)| *next == key) else {
                return Ok(Some(change));
            };
            let other = change_of(key, &record);
            change.is_new &= other.is_new;
            change.after = match (change.after, other.after) {
                (Some(_), Some(_)) => return Err(ReleaseError::TwoEntries(EntryId(key)).into()),
                (one, another) => one.or(another),
            };
        }
    }
}

fn change_of(key: u64, record: &[u8]) -> Change {
    let (is_new, row) = record.split_first().expect("a record begins with a flag");
    Change { key, after: (!row.is_empty()).then(|| row.to_vec()), is_new: *is_new == 1 }
}
