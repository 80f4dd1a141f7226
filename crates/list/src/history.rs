//! What can be asked of a list that knows its past: a list folder, or a replica of somebody else's list.

use hashward_core::{ListId, ListInfo};

use crate::store::{Store, StoreError};
use crate::{FolderState, ListError, MatchableEntry};

/// A list that says what changed in it from one of its states to another, so that an index need not be built anew.
pub trait ListHistory {
    /// What is true of the whole list now.
    fn info(&self) -> Result<ListInfo, ListError>;

    /// The state with a number; none if there is no such state, or it is not known any more.
    fn state(&self, number: u64) -> Result<Option<FolderState>, ListError>;

    /// What changed from the state `from` up to the state `to`, or to the newest one. None if that is not known.
    fn changes(&self, from: u64, to: Option<u64>) -> Result<Option<ListChanges>, ListError>;
}

/// A list that knows its past, under its id.
pub type NamedHistory = (ListId, Box<dyn ListHistory>);

/// What an entry was, and what it is: none where there was nothing to match.
pub type EntryPair = (Option<MatchableEntry>, Option<MatchableEntry>);

/// The entries that are not the same in two states, each once, in any order.
pub struct ListChanges {
    to: u64,
    pairs: Box<dyn Iterator<Item = Result<EntryPair, ListError>>>,
}

impl ListChanges {
    /// The changes that lead to the state `to`.
    pub fn new(to: u64, pairs: impl Iterator<Item = Result<EntryPair, ListError>> + 'static) -> Self {
        Self { to, pairs: Box::new(pairs) }
    }

    /// The state that the changes lead to.
    pub fn to(&self) -> u64 {
        self.to
    }
}

impl Iterator for ListChanges {
    type Item = Result<EntryPair, ListError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.pairs.next()
    }
}

impl ListHistory for Store {
    fn info(&self) -> Result<ListInfo, ListError> {
        Ok(Self::info(self)?)
    }

    fn state(&self, number: u64) -> Result<Option<FolderState>, ListError> {
        FolderState::numbered(self, number)
    }

    fn changes(&self, from: u64, to: Option<u64>) -> Result<Option<ListChanges>, ListError> {
        let diff = match to {
            Some(to) => self.diff(from, to),
            None => self.changes_since(from),
        };
        let diff = match diff {
            Err(StoreError::NoSuchState { .. }) => return Ok(None),
            diff => diff?,
        };
        let pair = |change: Result<crate::store::EntryChange, StoreError>| {
            let change = change?;
            Ok((
                change.before.and_then(MatchableEntry::stored),
                change.after.and_then(MatchableEntry::stored),
            ))
        };
        Ok(Some(ListChanges::new(diff.to(), diff.map(pair))))
    }
}
