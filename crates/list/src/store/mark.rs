//! What people say of entries that are there.

use hashward_core::EntryId;

use super::error::StoreError;
use super::{Dispute, Selector, Step, StoredEntry, Tombstone};

/// The longest reason for a withdrawal or a dispute, in bytes.
pub const REASON_BYTES_MAX: usize = super::NOTE_BYTES_MAX;

impl Step<'_> {
    /// Withdraws what is selected, and says which entries that changed: those that were in force.
    pub fn withdraw(&mut self, selector: &Selector, reason: &str) -> Result<Vec<EntryId>, StoreError> {
        check_reason(reason)?;
        let tombstone = Tombstone { reason: reason.to_owned(), since: self.info.when };
        let withdrawn = self.mark(selector, |entry| {
            entry.withdrawn.get_or_insert_with(|| tombstone.clone());
        })?;
        self.summary.withdrawn += withdrawn.len() as u64;
        Ok(withdrawn)
    }

    /// Says of what is selected that it is disputed, and which entries that changed. Only an entry in force, or one that
    /// is put in force again, is touched by it in effect: it acts no harder than review.
    pub fn dispute(&mut self, selector: &Selector, reason: &str) -> Result<Vec<EntryId>, StoreError> {
        check_reason(reason)?;
        let dispute = Dispute { reason: reason.to_owned(), since: self.info.when };
        let disputed = self.mark(selector, |entry| {
            entry.disputed.get_or_insert_with(|| dispute.clone());
        })?;
        self.summary.changed += disputed.len() as u64;
        Ok(disputed)
    }

    /// Says of what is selected that it is disputed no more, and which entries that changed.
    pub fn undispute(&mut self, selector: &Selector) -> Result<Vec<EntryId>, StoreError> {
        let undisputed = self.mark(selector, |entry| entry.disputed = None)?;
        self.summary.changed += undisputed.len() as u64;
        Ok(undisputed)
    }

    fn mark(
        &mut self,
        selector: &Selector,
        mark: impl Fn(&mut StoredEntry),
    ) -> Result<Vec<EntryId>, StoreError> {
        self.attempt(|step| {
            let tables = &mut step.tables;
            let selected = selector.select(&step.store.names, |name, after| tables.holders(name, after))?;
            if selected.is_empty() {
                return Err(StoreError::NotFound { selector: selector.what() }.into());
            }
            let mut marked = Vec::new();
            for entry in selected {
                let mut after = entry.entry.clone();
                mark(&mut after);
                if after != entry.entry {
                    step.change(&entry, &after)?;
                    marked.push(after.id);
                }
            }
            Ok(marked)
        })
    }
}

fn check_reason(reason: &str) -> Result<(), StoreError> {
    match reason.len() {
        1..=REASON_BYTES_MAX => Ok(()),
        bytes => Err(StoreError::BadReason { bytes, bytes_max: REASON_BYTES_MAX }),
    }
}
