//! The lists of one generation, ready to be asked.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use hashward_core::{AlgorithmSet, Digest, Generation, ListId, ListInfo};
use hashward_index::{EntryNumber, EntryRecord, Index, IndexError, IndexWriter, SealKey, SignalIndex};
use hashward_list::List;

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
    /// The index cannot be built.
    #[error("the index over the lists cannot be built")]
    Index(#[from] IndexError),
}

impl Snapshot {
    /// Builds the index over `lists`, in memory and sealed with a key that nobody else has.
    pub fn build(generation: Generation, lists: Vec<List>) -> Result<Self, SnapshotError> {
        if lists.is_empty() {
            return Err(SnapshotError::NoList);
        }
        let key = SealKey::generate()?;
        let mut writer = IndexWriter::in_memory(&key)?;
        let mut ids = HashSet::new();
        let mut loaded: Vec<LoadedList> = Vec::with_capacity(lists.len());
        let mut digests = Vec::new();
        for (list, number) in lists.into_iter().zip(0..) {
            if !ids.insert(list.info.id.clone()) {
                let first = loaded.iter().find(|other| other.info.id == list.info.id);
                let first = first.map(|other| other.path.clone()).unwrap_or_default();
                return Err(SnapshotError::SameId(list.info.id, first, list.path));
            }
            for entry in &list.entries {
                digests.clear();
                digests.extend(entry.digests());
                let record = EntryRecord {
                    line: (entry.line > 0).then_some(entry.line),
                    disputed: entry.disputed,
                    ..EntryRecord::new(number, entry.id)
                };
                writer.add(&record, &digests)?;
            }
            loaded.push(LoadedList {
                info: Arc::new(list.info),
                path: list.path,
                entries: list.entries.len(),
                skipped_lines: list.skipped.count,
            });
        }
        let index = Index::from_bytes(writer.finish_to_bytes(&[])?, &key)?;
        Ok(Self { generation, lists: loaded, index: Box::new(index) })
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
    pub fn list(&self, entry: &EntryRecord<'_>) -> &LoadedList {
        &self.lists[entry.list as usize]
    }

    /// Calls `found` with the place in `digests` and the number of each entry that holds the digest there; see
    /// [`SignalIndex::lookup_batch`].
    pub fn lookup(
        &self,
        digests: &[Digest],
        found: &mut dyn FnMut(usize, EntryNumber),
    ) -> Result<(), IndexError> {
        self.index.lookup_batch(digests, found)
    }

    /// What is known of an entry.
    pub fn record(&self, entry: EntryNumber) -> Result<EntryRecord<'_>, IndexError> {
        self.index.record(entry)
    }
}
