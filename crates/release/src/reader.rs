use std::path::Path;

use hashward_core::ListInfo;
use hashward_list::{FolderState, ListChanges, ListError, ListHistory, MatchableEntry, OpenList};

use crate::fault::Fault;
use crate::replica::{FILE, is_replica_folder, sum_of};
use crate::shelf::{Rows, Shelf};
use crate::{Header, ReleaseError, ReplicaKey, row};

/// More changed entries than these are not told one by one: an index is built anew of so many.
pub const CHANGES_TOLD_MAX: usize = 65_536;

/// A replica as it was at the moment when this was opened: whoever changes it meanwhile does not show.
pub struct ReplicaReader {
    shelf: Shelf,
    newest: Header,
}

impl ReplicaReader {
    /// Opens the replica in `folder`, which must hold a release.
    pub fn open(folder: &Path, key: &ReplicaKey) -> Result<Self, ReleaseError> {
        let shelf = opened(folder, Some(key))?;
        let newest = || -> Result<Option<Header>, Fault> {
            shelf.hold_still()?;
            shelf.newest()
        };
        match newest().map_err(|fault| shelf.error(fault))? {
            Some(newest) => Ok(Self { shelf, newest }),
            None => Err(ReleaseError::NoRelease { path: folder.to_owned() }),
        }
    }

    /// The release that is held.
    pub fn newest(&self) -> &Header {
        &self.newest
    }

    /// The releases that are held or can be gone back to, the oldest first.
    pub fn kept(&self) -> Result<Vec<Header>, ReleaseError> {
        let kept = || -> Result<Vec<Header>, Fault> {
            let mut kept = Vec::new();
            for number in self.shelf.releases()? {
                kept.extend(self.shelf.header(number)?);
            }
            Ok(kept)
        };
        kept().map_err(|fault| self.shelf.error(fault))
    }

    /// Reads all of it and holds it against the checksum of its release.
    pub fn verify(&self) -> Result<(), ReleaseError> {
        self.shelf.check(Some(&self.newest)).map_err(|fault| self.shelf.error(fault))
    }

    /// All entries, one after another, for an index.
    pub fn into_list(self) -> Result<OpenList, ReleaseError> {
        let (info, path) = (self.newest.list.clone(), self.shelf.path().to_owned());
        let folder = path.parent().unwrap_or(&path);
        let state = state_of(&self.newest);
        let rows = Rows::new(self.shelf, sum_of(&self.newest)).map_err(|fault| fault.at(&path))?;
        Ok(OpenList::new(info, folder, state, Entries { rows, is_done: false }))
    }
}

impl Shelf {
    /// Holds all rows against what the release says of them.
    pub(crate) fn check(&self, newest: Option<&Header>) -> Result<(), Fault> {
        let newest = newest.ok_or(Fault::Damaged("it holds no release"))?;
        let mut rows = Rows::new(self, sum_of(newest))?;
        while rows.next()?.is_some() {}
        Ok(())
    }
}

/// In which state the replica in `folder` is, told without its key: none if it holds no release.
pub fn replica_state(folder: &Path) -> Result<Option<FolderState>, ReleaseError> {
    let shelf = opened(folder, None)?;
    let state = shelf.newest_state().map_err(|fault| shelf.error(fault))?;
    Ok(state.map(|(number, hash)| FolderState { number, hash }))
}

fn opened(folder: &Path, key: Option<&ReplicaKey>) -> Result<Shelf, ReleaseError> {
    if !is_replica_folder(folder) {
        let problem = "it has no replica.sqlite; expected the folder of a subscription";
        return Err(ReleaseError::NotAReplica { path: folder.to_owned(), problem });
    }
    Shelf::open_read_only(&folder.join(FILE), key)
}

fn state_of(header: &Header) -> FolderState {
    FolderState { number: header.release, hash: header.checksum.to_string() }
}

/// The entries of a replica.
struct Entries {
    rows: Rows<Shelf>,
    is_done: bool,
}

impl Iterator for Entries {
    type Item = Result<MatchableEntry, ListError>;

    /// After an error there is nothing more.
    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        let entry = self.rows.next().and_then(|row| row.as_deref().map(decoded).transpose());
        self.is_done = !matches!(entry, Ok(Some(_)));
        entry.map_err(|fault| self.rows.shelf().error(fault).into()).transpose()
    }
}

fn decoded(row: &[u8]) -> Result<MatchableEntry, Fault> {
    row::decode(row).map_err(|_| Fault::Damaged("it holds a row that is none"))
}

impl ListHistory for ReplicaReader {
    fn info(&self) -> Result<ListInfo, ListError> {
        Ok(self.newest.list.clone())
    }

    fn state(&self, number: u64) -> Result<Option<FolderState>, ListError> {
        let header = self.shelf.header(number).map_err(|fault| self.shelf.error(fault))?;
        Ok(header.as_ref().map(state_of))
    }

    fn changes(&self, from: u64, to: Option<u64>) -> Result<Option<ListChanges>, ListError> {
        let to = to.unwrap_or(self.newest.release);
        let pairs = self.shelf.pairs_between(from, to, CHANGES_TOLD_MAX);
        let Some(pairs) = pairs.map_err(|fault| self.shelf.error(fault))? else { return Ok(None) };
        let path = self.shelf.path().to_owned();
        let pairs = pairs.into_values().map(move |(before, after)| {
            let entry = |row: Option<Vec<u8>>| {
                row.as_deref().map(decoded).transpose().map_err(|fault| ListError::from(fault.at(&path)))
            };
            Ok((entry(before)?, entry(after)?))
        });
        Ok(Some(ListChanges::new(to, pairs)))
    }
}
