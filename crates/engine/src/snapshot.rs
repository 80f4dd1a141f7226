//! The lists of one generation, ready to be asked.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use hashward_core::{AlgorithmSet, Digest, EntryId, Generation, ListId, ListInfo};
use hashward_index::{EntryNumber, MemoryIndex, MemoryIndexBuilder, SignalIndex};
use hashward_list::List;

/// What the verdict needs to know of an entry.
#[derive(Clone, Copy, Debug)]
pub struct EntryRecord {
    /// The entry's list, as a number into [`Snapshot::lists`].
    pub list: u32,
    /// The entry's name.
    pub id: EntryId,
    /// The algorithms of which the entry holds digests.
    pub algorithms: AlgorithmSet,
    /// The line of the list's file on which the entry begins, from 1.
    pub line: u64,
}

/// A list of the snapshot.
#[derive(Clone, Debug)]
pub struct LoadedList {
    /// What is true of the whole list.
    pub info: Arc<ListInfo>,
    /// The file it came from.
    pub path: PathBuf,
    /// How many entries it has.
    pub entries: usize,
    /// How many lines were skipped because they are bad.
    pub skipped_lines: u64,
}

/// The immutable lists of one generation. Swapped whole; a batch pins one.
pub struct Snapshot {
    generation: Generation,
    lists: Vec<LoadedList>,
    entries: Vec<EntryRecord>,
    index: Box<dyn SignalIndex>,
}

/// Why lists make no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// There is nothing to match against.
    #[error("no list: an engine without a list protects nobody; name one with --list FILE or `lists`")]
    NoList,
    /// Two lists would be told apart by nothing.
    #[error("two lists have the id {0}: {1} and {2}; give one of them another id in the TOML beside it")]
    SameId(ListId, PathBuf, PathBuf),
    /// More entries than entry numbers.
    #[error("{0} entries: at most {max} fit", max = u32::MAX)]
    TooManyEntries(usize),
}

impl Snapshot {
    /// Builds the index over `lists`.
    pub fn build(generation: Generation, lists: Vec<List>) -> Result<Self, SnapshotError> {
        if lists.is_empty() {
            return Err(SnapshotError::NoList);
        }
        let total: usize = lists.iter().map(|list| list.entries.len()).sum();
        if u32::try_from(total).is_err() {
            return Err(SnapshotError::TooManyEntries(total));
        }
        let numbered = |count: usize| u32::try_from(count).expect("no more than the entries counted above");
        let mut ids = HashSet::new();
        let mut builder = MemoryIndexBuilder::default();
        let mut loaded: Vec<LoadedList> = Vec::with_capacity(lists.len());
        let mut entries = Vec::with_capacity(total);
        for list in lists {
            if !ids.insert(list.info.id.clone()) {
                let first = loaded.iter().find(|other| other.info.id == list.info.id);
                let first = first.map(|other| other.path.clone()).unwrap_or_default();
                return Err(SnapshotError::SameId(list.info.id, first, list.path));
            }
            let number = numbered(loaded.len());
            for entry in &list.entries {
                let entry_number = EntryNumber(numbered(entries.len()));
                entry.digests().for_each(|digest| builder.add(&digest, entry_number));
                let algorithms = entry.digests().map(|digest| digest.algorithm()).collect();
                entries.push(EntryRecord { list: number, id: entry.id, algorithms, line: entry.line });
            }
            loaded.push(LoadedList {
                info: Arc::new(list.info),
                path: list.path,
                entries: list.entries.len(),
                skipped_lines: list.skipped.count,
            });
        }
        let index: MemoryIndex = builder.build();
        Ok(Self { generation, lists: loaded, entries, index: Box::new(index) })
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
        self.index.algorithms()
    }

    /// The list of an entry.
    pub fn list(&self, entry: &EntryRecord) -> &LoadedList {
        &self.lists[entry.list as usize]
    }

    /// Calls `found` with the number and record of each entry that holds `digest`.
    pub fn lookup(&self, digest: &Digest, mut found: impl FnMut(EntryNumber, &EntryRecord)) {
        self.index.lookup(digest, &mut |number| found(number, &self.entries[number.0 as usize]));
    }
}
