//! The twin that tests hold other indexes against: too slow to use, too plain to be wrong.

use hashward_core::{AlgorithmSet, Digest};

use crate::{EntryNumber, EntryRecord, IndexError, SignalIndex};

/// An index that looks at every digest it holds, each time.
#[derive(Clone, Default)]
pub struct NaiveIndex<'a> {
    /// By number; `None` where an entry was withdrawn.
    entries: Vec<Option<(EntryRecord<'a>, Vec<Digest>)>>,
}

impl<'a> NaiveIndex<'a> {
    /// An index without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry; its number is how many were added before.
    pub fn add(&mut self, record: &EntryRecord<'a>, digests: &[Digest]) -> EntryNumber {
        let algorithms = digests.iter().map(Digest::algorithm).collect();
        self.entries.push(Some((EntryRecord { algorithms, ..*record }, digests.to_vec())));
        EntryNumber(u32::try_from(self.entries.len() - 1).expect("a naive index is small"))
    }

    /// Withdraws an entry. Panics if no such entry was added.
    pub fn withdraw(&mut self, entry: EntryNumber) {
        self.entries[entry.0 as usize] = None;
    }

    fn held(&self) -> impl Iterator<Item = (EntryNumber, &(EntryRecord<'a>, Vec<Digest>))> {
        let numbered = (0..).map(EntryNumber).zip(&self.entries);
        numbered.filter_map(|(number, entry)| Some((number, entry.as_ref()?)))
    }
}

impl SignalIndex for NaiveIndex<'_> {
    fn algorithms(&self) -> AlgorithmSet {
        self.held().flat_map(|(_, (_, digests))| digests).map(Digest::algorithm).collect()
    }

    fn signals(&self) -> u64 {
        let mut distinct: Vec<&Digest> = Vec::new();
        for digest in self.held().flat_map(|(_, (_, digests))| digests) {
            if !distinct.contains(&digest) {
                distinct.push(digest);
            }
        }
        distinct.len() as u64
    }

    fn entries(&self) -> u64 {
        self.held().count() as u64
    }

    fn lookup_batch(
        &self,
        digests: &[Digest],
        found: &mut dyn FnMut(usize, EntryNumber),
    ) -> Result<(), IndexError> {
        for (place, digest) in digests.iter().enumerate() {
            for (number, (_, digests)) in self.held() {
                if digests.contains(digest) {
                    found(place, number);
                }
            }
        }
        Ok(())
    }

    fn record(&self, entry: EntryNumber) -> Result<EntryRecord<'_>, IndexError> {
        let held = self.held().find(|(number, _)| *number == entry);
        held.map(|(_, (record, _))| *record).ok_or(IndexError::NoSuchEntry(entry))
    }
}
