use std::sync::Arc;

use hashward_core::{AlgorithmSet, Digest};

use crate::lookup::in_batches;
use crate::{EntryNumber, EntryRecord, Index, IndexError, IndexWriter, SealKey, SignalIndex};

/// Collects the newest changes over a base.
pub struct OverlayBuilder {
    added: IndexWriter,
    withdrawn: Vec<EntryNumber>,
    key: SealKey,
}

impl OverlayBuilder {
    /// No change yet.
    pub fn new(key: &SealKey) -> Result<Self, IndexError> {
        Ok(Self { added: IndexWriter::in_memory(key)?, withdrawn: Vec::new(), key: key.clone() })
    }

    /// Adds an entry, as [`IndexWriter::add`] does.
    pub fn add(&mut self, record: &EntryRecord, digests: &[Digest]) -> Result<(), IndexError> {
        self.added.add(record, digests).map(|_| ())
    }

    /// Withdraws an entry of the base. A changed entry is withdrawn and added anew.
    pub fn withdraw(&mut self, entry: EntryNumber) {
        self.withdrawn.push(entry);
    }

    /// The changes, ready to lie over a base. Costs as much as there are changes.
    pub fn build(mut self) -> Result<Overlay, IndexError> {
        self.withdrawn.sort_unstable();
        self.withdrawn.dedup();
        let added = Index::from_bytes(self.added.finish_to_bytes(&[])?, &self.key)?;
        Ok(Overlay { added, withdrawn: self.withdrawn })
    }
}

/// The newest changes over a base: entries that were added, as a small index in memory, and the numbers of entries
/// that were withdrawn. Meant for what a build has not folded in yet: thousands, not millions.
#[derive(Debug)]
pub struct Overlay {
    added: Index,
    /// Sorted, each once.
    withdrawn: Vec<EntryNumber>,
}

/// A base and an overlay that answer as one. The overlay's entries have the numbers after the base's.
#[derive(Debug)]
pub struct Layered {
    base: Arc<Index>,
    overlay: Overlay,
    /// How many numbers the base has given.
    base_entries: u32,
}

impl Layered {
    /// Lays an overlay over its base. Both need the same key, and what is withdrawn must be the base's.
    pub fn new(base: Arc<Index>, overlay: Overlay) -> Result<Self, IndexError> {
        if base.key_check() != overlay.added.key_check() {
            return Err(IndexError::KeysDiffer);
        }
        let base_entries = u32::try_from(base.entries()).expect("a header's count of entries");
        if let Some(last) = overlay.withdrawn.last().filter(|entry| entry.0 >= base_entries) {
            return Err(IndexError::NoSuchEntry(*last));
        }
        if base.entries() + overlay.added.entries() > crate::PAIRS_MAX {
            return Err(IndexError::TooMany { what: "entries", max: crate::PAIRS_MAX });
        }
        Ok(Self { base, overlay, base_entries })
    }

    /// Adds what base and overlay hold together to a writer with the same key, without what is withdrawn. The
    /// digests are not needed: their seals are copied. Numbers are given anew, in the same order.
    pub fn fold_into(&self, writer: &mut IndexWriter) -> Result<(), IndexError> {
        writer.copy(&self.base, &self.overlay.withdrawn)?;
        writer.copy(&self.overlay.added, &[])
    }

    fn is_withdrawn(&self, entry: EntryNumber) -> bool {
        self.overlay.withdrawn.binary_search(&entry).is_ok()
    }
}

impl SignalIndex for Layered {
    /// Of an algorithm all entries may have been withdrawn.
    fn algorithms(&self) -> AlgorithmSet {
        self.base.algorithms().union(self.overlay.added.algorithms())
    }

    /// At most so many: a digest may be in both, or in withdrawn entries only.
    fn signals(&self) -> u64 {
        self.base.signals() + self.overlay.added.signals()
    }

    fn entries(&self) -> u64 {
        self.base.entries() - self.overlay.withdrawn.len() as u64 + self.overlay.added.entries()
    }

    fn lookup_batch(
        &self,
        digests: &[Digest],
        found: &mut dyn FnMut(usize, EntryNumber),
    ) -> Result<(), IndexError> {
        let (base, added) = (&self.base, &self.overlay.added);
        in_batches(&base.sealer, digests, self.algorithms(), |start, asked| {
            base.lookup_seals(asked, &mut |place, entry| {
                if !self.is_withdrawn(entry) {
                    found(start + place, entry);
                }
            })?;
            added.lookup_seals(asked, &mut |place, EntryNumber(entry)| {
                found(start + place, EntryNumber(self.base_entries + entry));
            })
        })
    }

    fn record(&self, entry: EntryNumber) -> Result<EntryRecord<'_>, IndexError> {
        match entry.0.checked_sub(self.base_entries) {
            Some(added) => {
                let missing = |error| match error {
                    IndexError::NoSuchEntry(_) => IndexError::NoSuchEntry(entry),
                    other => other,
                };
                self.overlay.added.record(EntryNumber(added)).map_err(missing)
            }
            None if self.is_withdrawn(entry) => Err(IndexError::NoSuchEntry(entry)),
            None => self.base.record(entry),
        }
    }
}
