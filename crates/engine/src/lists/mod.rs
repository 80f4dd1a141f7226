//! Lists behind one index: built from their sources, written to a sealed file, opened, and overlaid with what changed.

mod builder;
mod catalogue;
mod changes;
mod known_good;
mod rails;
mod sealed;
mod verify;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hashward_core::{AlgorithmSet, EntryId, ListId, ListInfo};
use hashward_index::{Index, IndexError, IndexWriter, Layered, Layout, Progress, SealKey, SignalIndex};
use hashward_list::{FolderState, ListError};

pub use builder::{BuildOptions, ListIndexBuilder};
pub use changes::{Changes, ChangesError};
pub use known_good::{KnownGood, KnownGoodError};
pub use rails::{Rails, Refusal, StepCaps, StepSize};
pub use verify::{Mismatch, STRANGERS, verify_against};

/// A list, as a snapshot holds it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LoadedList {
    /// What is true of the whole list.
    pub info: Arc<ListInfo>,
    /// The text file, list folder or sealed file it came from.
    pub path: PathBuf,
    /// How many entries of it are matched.
    pub entries: u64,
    /// How many lines were skipped because they are bad.
    pub skipped_lines: u64,
    /// Entries that are not matched because they are known to be harmless.
    pub quarantined: Quarantined,
    /// The state of the list folder it came from.
    pub state: Option<FolderState>,
}

/// Entries of a list that were held back from matching, because a known-good list has one of their digests.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Quarantined {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub first: Vec<EntryId>,
}

impl Quarantined {
    /// How many are named.
    pub const FIRST_MAX: usize = 20;

    /// Takes one out.
    pub(crate) fn remove(&mut self, entry: EntryId) {
        self.count = self.count.saturating_sub(1);
        self.first.retain(|first| *first != entry);
    }

    /// Takes one more in.
    pub(crate) fn push(&mut self, entry: EntryId) {
        self.count += 1;
        if self.first.len() < Self::FIRST_MAX {
            self.first.push(entry);
        }
    }
}

/// Why lists make no index.
#[derive(Debug, thiserror::Error)]
pub enum ListIndexError {
    /// There is nothing to match against.
    #[error("no list: an engine without a list protects nobody; name one with --list or `lists.files`")]
    NoList,
    /// Two lists would be told apart by nothing.
    #[error(
        "two lists have the id {id}: {} and {}; give one of them another id in the TOML beside it",
        .first.display(), .second.display()
    )]
    SameId {
        /// The id.
        id: ListId,
        /// Where one of them came from.
        first: PathBuf,
        /// Where the other came from.
        second: PathBuf,
    },
    /// More entries than there are numbers for.
    #[error("more than {} entries in all lists together", u32::MAX)]
    TooManyEntries,
    /// A list cannot be read.
    #[error(transparent)]
    List(#[from] ListError),
    /// The index cannot be built or opened.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The file holds an index, and not what this program says of its lists.
    #[error("index {}: its catalogue is not one that this version reads: {problem}; build it anew", .path.display())]
    Catalogue {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// Every entry of a list is known to be harmless.
    #[error("list {list}: every entry is held back as known good: expected a list of illegal material")]
    AllKnownGood {
        /// The list.
        list: ListId,
    },
    /// A guard rail keeps the new state of a list from going live.
    #[error("list {list}: {refusal}")]
    Refused {
        /// The list.
        list: ListId,
        /// Which rail, and why.
        refusal: Refusal,
    },
}

impl ListIndexError {
    /// Which guard rail refused, if one did.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Refused { refusal, .. } => Some(*refusal),
            _ => None,
        }
    }
}

/// Some lists, and the one index over all their entries. It does not change: see [`ListIndex::with_changes`].
pub struct ListIndex {
    lists: Vec<LoadedList>,
    /// What is true of the lists in the base, in the same order.
    base_lists: Arc<Vec<LoadedList>>,
    base: Arc<Index>,
    /// The base's file.
    file: Option<PathBuf>,
    /// What changed since the base was built.
    layered: Option<Layered>,
    /// The fingerprint of what was known as good when it was built.
    known_good: Option<String>,
    /// How many entries the overlay adds.
    added: u64,
    /// How many entries the overlay adds and withdraws.
    changes: u64,
}

impl ListIndex {
    fn new(lists: Vec<LoadedList>, base: Index, file: Option<&Path>, known_good: Option<String>) -> Self {
        let (base_lists, base, file) = (Arc::new(lists.clone()), Arc::new(base), file.map(Path::to_owned));
        Self { lists, base_lists, base, file, known_good, layered: None, added: 0, changes: 0 }
    }

    /// Opens a sealed file, which [`ListIndexBuilder`] wrote: a few reads at any size.
    pub fn open(path: &Path, key: &SealKey) -> Result<Self, ListIndexError> {
        let index = Index::open(path, key)?;
        let (lists, known_good) = catalogue::read(path, index.catalogue()?)?;
        Ok(Self::new(lists, index, Some(path), known_good))
    }

    /// The lists, in the order in which they were added.
    pub fn lists(&self) -> &[LoadedList] {
        &self.lists
    }

    /// What answers for the lists.
    pub fn index(&self) -> &dyn SignalIndex {
        match &self.layered {
            Some(layered) => layered,
            None => &*self.base,
        }
    }

    /// How many numbers entries have: those of withdrawn ones are not given again.
    pub(crate) fn numbers(&self) -> u64 {
        self.base.entries() + self.added
    }

    /// The algorithms of which some entry holds a digest.
    pub fn algorithms(&self) -> AlgorithmSet {
        self.index().algorithms()
    }

    /// How many entries the overlay adds and withdraws: what a fold would take in.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// How lookups in the base are laid out.
    pub fn layout(&self) -> Layout {
        self.base.layout()
    }

    /// How many bytes misses read.
    pub fn hot_bytes(&self) -> u64 {
        self.base.hot_bytes()
    }

    /// The file that holds the base, as it was opened; none if it is in memory.
    pub fn file(&self) -> Option<&PathBuf> {
        self.file.as_ref()
    }

    /// The fingerprint of what was known as good when it was built: see [`KnownGood::fingerprint`].
    pub fn known_good(&self) -> Option<&str> {
        self.known_good.as_deref()
    }

    /// Whether two indexes hold the same lists and entries, as far as that is told at a glance: the same bytes without an
    /// overlay, or one base under changes up to the same states.
    pub fn is_same(&self, other: &Self) -> bool {
        let same =
            |list: &LoadedList, other: &LoadedList| list.info == other.info && list.state == other.state;
        let same_lists = self.lists.len() == other.lists.len()
            && self.lists.iter().zip(&other.lists).all(|(list, other)| same(list, other));
        let bare = self.layered.is_none() && other.layered.is_none();
        same_lists
            && (Arc::ptr_eq(&self.base, &other.base)
                || bare && self.base.whole_hash() == other.base.whole_hash())
    }

    /// Reads the whole base and holds it against the hash that only the key's owner can make.
    pub fn verify(&self) -> Result<(), IndexError> {
        self.base.verify()
    }

    /// The same lists and entries without an overlay, in one sorted set: in a sealed file at `path`, or in memory. The
    /// digests are not needed. `key` must be the one of this index.
    pub fn folded(
        &self,
        path: Option<&Path>,
        key: &SealKey,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, ListIndexError> {
        let mut writer = writer_at(path, key)?.with_layout(self.layout());
        match &self.layered {
            Some(layered) => layered.fold_into(&mut writer)?,
            None => writer.copy(&self.base, &[])?,
        }
        let catalogue = catalogue::write(&self.lists, self.known_good.as_deref());
        let index = finished(writer, &catalogue, path, key, progress)?;
        Ok(Self::new(self.lists.clone(), index, path, self.known_good.clone()))
    }
}

/// A writer of an index file at `path`, or of an index in memory.
fn writer_at(path: Option<&Path>, key: &SealKey) -> Result<IndexWriter, IndexError> {
    match path {
        Some(path) => IndexWriter::create(path, key),
        None => IndexWriter::in_memory(key),
    }
}

/// What a writer made by [`writer_at`] has written, open.
fn finished(
    writer: IndexWriter,
    catalogue: &[u8],
    path: Option<&Path>,
    key: &SealKey,
    progress: &mut dyn FnMut(Progress),
) -> Result<Index, IndexError> {
    match path {
        Some(path) => {
            writer.finish(catalogue, progress)?;
            Index::open(path, key)
        }
        None => Index::from_bytes(writer.finish_to_bytes(catalogue)?, key),
    }
}

impl fmt::Debug for ListIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = self.lists.iter().map(|list| list.info.id.as_str()).collect();
        write!(f, "ListIndex({ids:?}, {:?}, {} changes)", self.base, self.changes)
    }
}
