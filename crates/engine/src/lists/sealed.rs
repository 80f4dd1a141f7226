//! What a sealed file must pass whose digests nobody here has.

use std::sync::Arc;

use hashward_index::{EntryNumber, IndexError, Layered, OverlayBuilder, SealKey, SignalIndex as _};

use super::rails::StepSize;
use super::{KnownGood, ListIndex, ListIndexError, Rails};
use crate::Snapshot;

impl ListIndex {
    /// Holds the lists of a sealed file against the rails: entries that are known as good are held back, and a step that
    /// is too large is refused. Takes 16 bytes of memory for each entry, for a while.
    pub fn railed(self, rails: Rails<'_>, key: &SealKey) -> Result<Self, ListIndexError> {
        if let Some(previous) = rails.previous {
            for (number, list) in self.lists.iter().enumerate() {
                let Some(caps) = rails.caps_for(&list.info.id) else { continue };
                let Some(step) = self.step(number, previous)? else { continue };
                let list = || list.info.id.clone();
                caps.check(step).map_err(|refusal| ListIndexError::Refused { list: list(), refusal })?;
            }
        }
        match rails.known_good {
            Some(known_good) => self.without(known_good, key),
            None => Ok(self),
        }
    }

    /// What the step from the generation before does to a list: none if that did not hold it. Entries are told apart by
    /// their names.
    fn step(&self, number: usize, previous: &Snapshot) -> Result<Option<StepSize>, IndexError> {
        let id = &self.lists[number].info.id;
        let Some(mut before) = previous.entry_ids(id)? else { return Ok(None) };
        let mut after = self.entry_ids(number)?;
        before.sort_unstable();
        after.sort_unstable();
        let kept = after.iter().filter(|id| before.binary_search(id).is_ok()).count();
        Ok(Some(StepSize {
            before: before.len() as u64,
            added: (after.len() - kept) as u64,
            removed: before.len().saturating_sub(kept) as u64,
        }))
    }

    /// The names of a list's entries, in any order.
    pub(crate) fn entry_ids(&self, list: usize) -> Result<Vec<u64>, IndexError> {
        let mut ids = Vec::new();
        for number in 0..self.numbers() {
            let number = EntryNumber(u32::try_from(number).expect("entries are numbered by u32"));
            match self.index().record(number) {
                Ok(record) if record.list as usize == list => ids.push(record.id.0),
                // Withdrawn since the base was built, or another list's.
                Ok(_) | Err(IndexError::NoSuchEntry(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(ids)
    }

    /// The same without the entries that are known as good.
    fn without(self, known_good: &KnownGood, key: &SealKey) -> Result<Self, ListIndexError> {
        let mut held = Vec::new();
        self.base.shared_with(known_good.index(), &mut |entry| held.push(entry))?;
        if held.is_empty() {
            return Ok(self);
        }
        held.sort_unstable();
        held.dedup();
        let mut lists = self.lists.clone();
        let mut overlay = OverlayBuilder::new(key)?;
        for entry in &held {
            let record = self.base.record(*entry)?;
            let list = lists.get_mut(record.list as usize).ok_or(IndexError::NoSuchEntry(*entry))?;
            list.entries = list.entries.checked_sub(1).ok_or(IndexError::NoSuchEntry(*entry))?;
            list.quarantined.push(record.id);
            overlay.withdraw(*entry);
        }
        if let Some(list) = lists.iter().find(|list| list.entries == 0) {
            return Err(ListIndexError::AllKnownGood { list: list.info.id.clone() });
        }
        let layered = Layered::new(Arc::clone(&self.base), overlay.build()?)?;
        Ok(Self { lists, layered: Some(layered), ..self })
    }
}
