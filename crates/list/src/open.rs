use std::path::{Path, PathBuf};
use std::vec;

use hashward_core::{Category, Digests, EntryId, ListInfo};
use jiff::Timestamp;

use crate::store::{Entries, Store, StoredEntry, Which, is_list_folder};
use crate::{BadLines, List, ListEntry, ListError, LoadOptions, load};

/// An entry as matching needs it: no note, no name, and only signals that can be matched.
#[derive(Clone, Eq, PartialEq)]
pub struct MatchableEntry {
    /// The entry's name in alerts.
    pub id: EntryId,
    /// The line of a text list on which it begins, from 1.
    pub line: Option<u64>,
    /// Whether somebody disputes that the entry belongs into the list.
    pub disputed: bool,
    /// Its digests: at least one.
    pub digests: Digests,
    /// The content's length, in bytes.
    pub size_bytes: Option<u64>,
    /// What it is about, if that is not what the whole list is about.
    pub category: Option<Category>,
    /// The owner's own name for it.
    pub reference: Option<String>,
    /// From when on it counts, in Unix seconds.
    pub valid_from: Option<i64>,
    /// Until when it counts, in Unix seconds.
    pub valid_until: Option<i64>,
    /// Since when it is in the list, in Unix seconds. A text list does not say.
    pub listed_since: Option<i64>,
}

impl MatchableEntry {
    /// What there is to match of an entry of a list folder: nothing if it is withdrawn, or has no digest that can be.
    ///
    /// An entry that is not valid yet, or no more, is one too: whether it is valid is asked when content comes.
    pub fn stored(entry: StoredEntry) -> Option<Self> {
        if !entry.is_in_force() || entry.digests.algorithms().is_empty() {
            return None;
        }
        Some(Self {
            id: entry.id,
            line: None,
            disputed: entry.disputed.is_some(),
            digests: entry.digests,
            size_bytes: entry.size_bytes,
            category: entry.category,
            reference: entry.reference,
            valid_from: entry.valid_from.map(Timestamp::as_second),
            valid_until: entry.valid_until.map(Timestamp::as_second),
            listed_since: Some(entry.listed_since.as_second()),
        })
    }

    fn of_text(entry: &ListEntry) -> Self {
        Self {
            id: entry.id,
            line: Some(entry.line),
            disputed: false,
            digests: entry.digests().collect(),
            size_bytes: None,
            category: None,
            reference: None,
            valid_from: None,
            valid_until: None,
            listed_since: None,
        }
    }
}

impl std::fmt::Debug for MatchableEntry {
    /// Shows no byte of a digest.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MatchableEntry({}, {})", self.id, self.digests.algorithms())
    }
}

/// A list that is open: what is true of all of it, and its entries, one after another. The entries of a list folder or a
/// replica are read as they are asked for; it is seen as it was when it was opened.
pub struct OpenList {
    /// What is true of the whole list.
    pub info: ListInfo,
    /// The text file, the list folder, or the replica's folder.
    pub path: PathBuf,
    /// The bad lines that are not in the list. None, unless [`LoadOptions::skip_bad_lines`] is set.
    pub skipped: BadLines,
    /// The state of a list folder or a replica.
    pub state: Option<FolderState>,
    rest: Rest,
    /// How many entries were given.
    given: u64,
}

/// In which state a list folder or a replica is: its number, and the hash that tells it from a state of the same number
/// with another history, or with other entries.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FolderState {
    /// The number.
    pub number: u64,
    /// The hash, in hexadecimal digits.
    pub hash: String,
}

impl FolderState {
    /// The newest state of a list folder.
    pub fn newest(store: &Store) -> Result<Self, ListError> {
        let state = store.newest_state()?;
        Ok(Self { number: state.number, hash: state.hash.to_string() })
    }

    /// A state of a list folder by its number: none if there is no such state.
    pub fn numbered(store: &Store, number: u64) -> Result<Option<Self>, ListError> {
        let found = store.states(number.checked_sub(1), 1)?.pop();
        Ok(found.map(|state| Self { number: state.number, hash: state.hash.to_string() }))
    }
}

enum Rest {
    Text(vec::IntoIter<ListEntry>),
    Folder(Box<Entries>),
    Others(Box<dyn Iterator<Item = Result<MatchableEntry, ListError>> + Send>),
}

/// Opens the list at `path`: a list folder ([`Store`]), or a text list ([`load()`]).
pub fn open(path: &Path, options: &LoadOptions) -> Result<OpenList, ListError> {
    if !is_list_folder(path) {
        return Ok(load(path, options)?.into());
    }
    let store = Store::open_read_only(path)?;
    let entries = store.entries(Which::InForce)?;
    // The list may have been changed since the folder was opened: the entries say of which state they are.
    let state = FolderState::numbered(&store, entries.state_number())?;
    Ok(OpenList {
        info: store.info()?,
        path: path.into(),
        skipped: BadLines::default(),
        state,
        rest: Rest::Folder(Box::new(entries)),
        given: 0,
    })
}

impl OpenList {
    /// A list that is read elsewhere, in some state.
    pub fn new(
        info: ListInfo,
        path: &Path,
        state: FolderState,
        entries: impl Iterator<Item = Result<MatchableEntry, ListError>> + Send + 'static,
    ) -> Self {
        let rest = Rest::Others(Box::new(entries));
        Self { info, path: path.into(), skipped: BadLines::default(), state: Some(state), rest, given: 0 }
    }

    /// The next entry that can be matched. None at the end, which is an error if there was not a single one.
    pub fn next_entry(&mut self) -> Result<Option<MatchableEntry>, ListError> {
        let next = match &mut self.rest {
            Rest::Text(entries) => entries.next().map(|entry| MatchableEntry::of_text(&entry)),
            Rest::Others(entries) => entries.next().transpose()?,
            Rest::Folder(entries) => loop {
                match entries.next() {
                    None => break None,
                    Some(entry) => {
                        if let Some(entry) = MatchableEntry::stored(entry?) {
                            break Some(entry);
                        }
                    }
                }
            },
        };
        self.given += u64::from(next.is_some());
        if self.given == 0 {
            return Err(ListError::Empty { path: self.path.clone(), skipped: self.skipped.clone() });
        }
        Ok(next)
    }
}

impl OpenList {
    /// Puts the next entries into `batch`, at most `entries_max`, in place of what was there. Says whether there are more.
    pub fn next_batch(
        &mut self,
        batch: &mut Vec<MatchableEntry>,
        entries_max: usize,
    ) -> Result<bool, ListError> {
        batch.clear();
        while batch.len() < entries_max {
            match self.next_entry()? {
                Some(entry) => batch.push(entry),
                None => return Ok(false),
            }
        }
        Ok(true)
    }
}

impl From<List> for OpenList {
    fn from(list: List) -> Self {
        let List { info, entries, path, skipped } = list;
        Self { info, path, skipped, state: None, rest: Rest::Text(entries.into_iter()), given: 0 }
    }
}

impl std::fmt::Debug for OpenList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenList({}, {:?})", self.info.id, self.path)
    }
}
