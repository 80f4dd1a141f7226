mod sorted;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use hashward_core::ListInfo;
use hashward_list::MatchableEntry;
use hashward_list::store::{Store, StoreError, Which};
use jiff::Timestamp;

use self::sorted::{ChangeSpool, RowSpool, SortedChanges};
use crate::fault::Fault;
use crate::plan::{Content, Plan, Step};
use crate::replica::sum_of;
use crate::shelf::{Base, BaseWriter, Commits, PairsWriter, Rows, Shelf, Sum, Tally};
use crate::tree::Shape;
use crate::{Header, ReleaseError, row};

/// What the desk knows of the release before, beside the list's entries: their rows and hashes. It can be made anew.
const FILE: &str = "release.sqlite";
/// Locked by whoever makes a release.
const LOCK: &str = "release.lock";
/// A snapshot is due when the deltas after it have this part of its length.
const DELTAS_PART: u64 = 4;

/// Where a maintainer's releases are made: beside a list folder.
///
/// The desk keeps the rows of the last release it made, so that a delta costs as much as there are changes. If that file is
/// lost, damaged, or of a release that was never given away, it is made anew of the list's journal.
pub struct Desk {
    folder: PathBuf,
    store: Store,
    shelf: Shelf,
    _lock: File,
}

/// What a release is to be like.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// When it is made.
    pub created: Timestamp,
    /// From when on it is stale.
    pub expires: Timestamp,
    /// Whether it gets a snapshot.
    pub snapshot: SnapshotWish,
}

/// Whether a release gets a snapshot.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SnapshotWish {
    /// If it is the first one, if the deltas since the last one have a quarter of its length, or if the list has outgrown
    /// its buckets.
    #[default]
    WhenDue,
    /// In any case. Then the release before need not be one of this folder's states: the release gets no delta if it is
    /// none.
    Now,
}

impl Desk {
    /// Opens the desk of the list in a list folder.
    pub fn open(folder: &Path) -> Result<Self, ReleaseError> {
        let store = Store::open_read_only(folder)?;
        let path = folder.join(LOCK);
        let lock = File::create(&path).map_err(|source| ReleaseError::io(&path, source))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ReleaseError::Busy { path }),
            Err(TryLockError::Error(source)) => return Err(ReleaseError::io(&path, source)),
        }
        let list = store.info()?.id;
        let shelf = match Shelf::create(&folder.join(FILE), &list, None) {
            Err(ReleaseError::Damaged { path, .. }) => {
                remove(&path)?;
                Shelf::create(&path, &list, None)?
            }
            shelf => shelf?,
        };
        Ok(Self { folder: folder.to_owned(), store, shelf, _lock: lock })
    }

    /// What is true of the whole list now.
    pub fn list(&self) -> Result<ListInfo, ReleaseError> {
        Ok(self.store.info()?)
    }

    /// Plans the release after `previous`, which is the newest that was given away; the first one if there is none. Nothing
    /// comes of it until it is written.
    pub fn plan(&mut self, previous: Option<&Header>, terms: &Terms) -> Result<Plan<'_>, ReleaseError> {
        let info = self.store.info()?;
        let Some(previous) = previous else { return self.whole(None, info, terms) };
        if previous.list.id != info.id {
            return Err(ReleaseError::OtherList { found: previous.list.id.clone(), expected: info.id });
        }
        match self.align(previous) {
            Err(ReleaseError::OtherHistory { .. }) if terms.snapshot == SnapshotWish::Now => {
                return self.whole(Some(previous), info, terms);
            }
            aligned => aligned?,
        }
        let made = match self.change(previous) {
            Err(ReleaseError::Damaged { .. }) => {
                self.rebuild(previous)?;
                self.change(previous)?
            }
            made => made?,
        };
        let Made { content, state, step } = made;
        let due = previous.chain.deltas_bytes.saturating_mul(DELTAS_PART) > previous.chain.snapshot_bytes;
        let snapshot = due || terms.snapshot == SnapshotWish::Now;
        Plan::new(&self.shelf, Some(previous), content, (info, state, terms), step, snapshot)
    }

    /// A release of the whole list, as it is now.
    fn whole(
        &self,
        previous: Option<&Header>,
        info: ListInfo,
        terms: &Terms,
    ) -> Result<Plan<'_>, ReleaseError> {
        let entries = self.store.entries(Which::InForce)?;
        let state = entries.state_number();
        let mut rows = RowSpool::new(&self.folder);
        for entry in entries {
            rows.push(entry?)?;
        }
        let shape = Shape::for_rows(rows.count());
        let base = self.base_of(rows, shape)?;
        let before = previous.map_or(0, |previous| previous.entries);
        let step = Step { before, added: base.sum.rows, changed: 0, withdrawn: before };
        Plan::new(&self.shelf, previous, Content::Base(base), (info, state, terms), step, true)
    }

    fn base_of(&self, rows: RowSpool, shape: Shape) -> Result<Base, ReleaseError> {
        let mut sorted = rows.sorted()?;
        let mut write = || -> Result<Base, Fault> {
            let mut writer = BaseWriter::new(&self.shelf, shape, Commits::InSlices)?;
            while let Some((key, row)) = sorted.next()? {
                writer.row(key, &row)?;
            }
            writer.finish()
        };
        write().map_err(|fault| self.shelf.error(fault))
    }

    /// Sees to it that the desk has the rows of the release before.
    fn align(&self, previous: &Header) -> Result<(), ReleaseError> {
        let release = previous.release;
        let align = || -> Result<bool, Fault> {
            let kept = self.shelf.header(release)?;
            if kept.is_none_or(|kept| kept.checksum != previous.checksum || kept.state != previous.state) {
                return Ok(false);
            }
            // What was made after it was never given away.
            self.shelf.within(|| self.shelf.go_back(release)).map(|_| true)
        };
        match align() {
            Ok(true) => Ok(()),
            Ok(false) | Err(Fault::Damaged(_) | Fault::Told(ReleaseError::BadHeader { .. })) => {
                self.rebuild(previous)
            }
            Err(fault) => Err(self.shelf.error(fault)),
        }
    }

    /// Makes the rows of the release before anew.
    fn rebuild(&self, previous: &Header) -> Result<(), ReleaseError> {
        let Header { release, state, .. } = *previous;
        let other = |problem| ReleaseError::OtherHistory { release, state, problem };
        let diff = match self.store.diff(0, state) {
            Err(StoreError::NoSuchState { .. }) => return Err(other("it has fewer")),
            diff => diff?,
        };
        let mut rows = RowSpool::new(&self.folder);
        for change in diff {
            if let Some(entry) = change?.after {
                rows.push(entry)?;
            }
        }
        let base = self.base_of(rows, previous.shape())?;
        if base.sum != sum_of(previous) {
            return Err(other("its entries were others; release a snapshot if that is meant"));
        }
        let take = || -> Result<(), Fault> {
            self.shelf.within(|| self.shelf.take_base(&base, previous))?;
            self.shelf.sweep()
        };
        take().map_err(|fault| self.shelf.error(fault))
    }

    fn change(&self, previous: &Header) -> Result<Made, ReleaseError> {
        let diff = self.store.changes_since(previous.state)?;
        let state = diff.to();
        let mut spool = ChangeSpool::new(&self.folder);
        for change in diff {
            let change = change?;
            let [before, after] =
                [change.before, change.after].map(|entry| entry.and_then(MatchableEntry::stored));
            if before != after {
                spool.push(change.id.0, before.is_none(), after.as_ref())?;
            }
        }
        let mut sorted = SortedChanges::new(spool)?;
        let release = previous.release + 1;
        let mut make = || -> Result<Made, Fault> {
            self.shelf.begin()?;
            let mut pairs = PairsWriter::new(&self.shelf, release);
            let mut heard = |before: Option<&[u8]>, after: Option<&[u8]>| pairs.pair(before, after);
            let made = self.shelf.change(previous.checksum, &mut || sorted.next(), &mut heard)?;
            pairs.finish()?;
            let Tally { added, changed, withdrawn, .. } = made.tally;
            let step = Step { before: previous.entries, added, changed, withdrawn };
            let content = if made.shape.fits(made.sum.rows) {
                Content::Changes(made)
            } else {
                // All buckets are others then: no delta leads there.
                Content::Reshaped(self.reshape(made.sum, Shape::for_rows(made.sum.rows))?)
            };
            Ok(Made { content, state, step })
        };
        make().map_err(|fault| {
            self.shelf.roll_back();
            self.shelf.error(fault)
        })
    }
}

impl Desk {
    /// The rows of the present set in other buckets, in a transaction.
    fn reshape(&self, sum: Sum, shape: Shape) -> Result<Base, Fault> {
        let mut rows = Rows::new(&self.shelf, sum)?;
        let mut writer = BaseWriter::new(&self.shelf, shape, Commits::Elsewhere)?;
        while let Some(row) = rows.next()? {
            let key = row::key(&row).map_err(|_| Fault::Damaged("it holds a row that is none"))?;
            writer.row(key, &row)?;
        }
        writer.finish()
    }
}

/// What a release is made of, and of which state of the list.
struct Made {
    content: Content,
    state: u64,
    step: Step,
}

/// Removes a file of SQLite's, and those beside it.
fn remove(path: &Path) -> Result<(), ReleaseError> {
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(ReleaseError::io(path, error));
            }
            _ => {}
        }
    }
    Ok(())
}
