//! The lists of one generation, ready to be asked.

use std::sync::Arc;

use hashward_core::{AlgorithmSet, Digest, Generation, ListId};
use hashward_index::{EntryNumber, EntryRecord, IndexError, SealKey};
use hashward_list::OpenList;

use crate::lists::{BuildOptions, ListIndex, ListIndexBuilder, ListIndexError, LoadedList};

/// The immutable lists of one generation. Swapped whole; a batch pins one.
pub struct Snapshot {
    generation: Generation,
    lists: Vec<LoadedList>,
    parts: Vec<Part>,
}

/// An index of the snapshot, and the numbers that its lists and entries have here.
struct Part {
    index: Arc<ListIndex>,
    first_list: u32,
    first_entry: u32,
}

impl Snapshot {
    /// A snapshot over indexes: usually one; each sealed file of others is one more, and one more place to look.
    pub fn new(generation: Generation, indexes: Vec<Arc<ListIndex>>) -> Result<Self, ListIndexError> {
        let mut lists: Vec<LoadedList> = Vec::new();
        let mut parts = Vec::with_capacity(indexes.len());
        let mut numbers = 0_u64;
        for index in indexes {
            let first_list = u32::try_from(lists.len()).expect("lists are named by hand");
            let first_entry = u32::try_from(numbers).map_err(|_| ListIndexError::TooManyEntries)?;
            for list in index.lists() {
                if let Some(first) = lists.iter().find(|other| other.info.id == list.info.id) {
                    let (first, second) = (first.path.clone(), list.path.clone());
                    return Err(ListIndexError::SameId { id: list.info.id.clone(), first, second });
                }
                lists.push(list.clone());
            }
            numbers += index.numbers();
            parts.push(Part { index, first_list, first_entry });
        }
        if lists.is_empty() {
            return Err(ListIndexError::NoList);
        }
        if numbers > u64::from(u32::MAX) {
            return Err(ListIndexError::TooManyEntries);
        }
        Ok(Self { generation, lists, parts })
    }

    /// Builds the index over `lists`, in memory and sealed with a key that nobody else has.
    pub fn build(generation: Generation, lists: Vec<impl Into<OpenList>>) -> Result<Self, ListIndexError> {
        let key = SealKey::generate()?;
        let mut builder = ListIndexBuilder::new(&key, BuildOptions::default())?;
        for list in lists {
            builder.add(list.into(), &mut |_| {})?;
        }
        Self::new(generation, vec![Arc::new(builder.finish(&mut |_| {})?)])
    }

    /// The snapshot's generation.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// The loaded lists.
    pub fn lists(&self) -> &[LoadedList] {
        &self.lists
    }

    /// The algorithms of which some entry holds a digest: only these are worth computing.
    pub fn algorithms(&self) -> AlgorithmSet {
        let all = self.parts.iter().map(|part| part.index.algorithms());
        all.fold(AlgorithmSet::EMPTY, AlgorithmSet::union)
    }

    /// The names of a list's entries, in any order. None if there is no such list.
    pub(crate) fn entry_ids(&self, list: &ListId) -> Result<Option<Vec<u64>>, IndexError> {
        for part in &self.parts {
            if let Some(number) = part.index.lists().iter().position(|other| other.info.id == *list) {
                return part.index.entry_ids(number).map(Some);
            }
        }
        Ok(None)
    }

    /// The list of an entry.
    pub fn list(&self, entry: &EntryRecord<'_>) -> &LoadedList {
        &self.lists[entry.list as usize]
    }

    /// Calls `found` with the place in `digests` and the number of each entry that holds the digest there, in any
    /// order; see [`hashward_index::SignalIndex::lookup_batch`].
    pub fn lookup(
        &self,
        digests: &[Digest],
        found: &mut dyn FnMut(usize, EntryNumber),
    ) -> Result<(), IndexError> {
        self.parts.iter().try_for_each(|part| {
            part.index.index().lookup_batch(digests, &mut |place, entry| {
                found(place, EntryNumber(part.first_entry + entry.0));
            })
        })
    }

    /// What is known of an entry.
    pub fn record(&self, entry: EntryNumber) -> Result<EntryRecord<'_>, IndexError> {
        let after = self.parts.partition_point(|part| part.first_entry <= entry.0);
        let part = &self.parts[after - 1];
        let record = part.index.index().record(EntryNumber(entry.0 - part.first_entry))?;
        if record.list as usize >= part.index.lists().len() {
            return Err(IndexError::NoSuchEntry(entry));
        }
        Ok(EntryRecord { list: part.first_list + record.list, ..record })
    }
}
