use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use hashward_core::ListId;

use crate::fault::Fault;
use crate::file::{Layers, Record, Records, Unread};
use crate::shelf::{BaseWriter, Change, Commits, PairsWriter, Shelf, Sum};
use crate::{BadFile, Header, Identities, ReleaseError, ReplicaKey, TargetKind};

/// The name of the file of rows in a replica's folder.
pub(crate) const FILE: &str = "replica.sqlite";
/// Locked by whoever changes the replica.
const LOCK: &str = "lock";

/// Whether `path` is a folder that holds a replica.
pub fn is_replica_folder(path: &Path) -> bool {
    path.is_dir() && path.join(FILE).is_file()
}

/// Somebody else's list as a provider holds it: a folder in which release after release is applied. What is in it is sealed
/// under the deployment's key. To read it, see [`ReplicaReader`](crate::ReplicaReader).
///
/// After a kill at any point it is in the old state or in the new one. There is one [`Replica`] for a folder at a time.
pub struct Replica {
    shelf: Shelf,
    _lock: File,
}

/// What applying a target did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Applied {
    /// The release is held already.
    AlreadyHeld,
    /// The replica is that of the snapshot.
    Snapshot {
        /// How many entries it has.
        entries: u64,
    },
    /// The replica was changed.
    Delta {
        /// New entries.
        added: u64,
        /// Entries that say something else.
        changed: u64,
        /// Entries that are no more.
        withdrawn: u64,
    },
}

impl Replica {
    /// Opens the replica of a list in `folder`, and makes one that holds no release yet if there is none.
    pub fn open(folder: &Path, list: &ListId, key: &ReplicaKey) -> Result<Self, ReleaseError> {
        let io = |source| ReleaseError::io(folder, source);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io)?;
        let lock = locked(&folder.join(LOCK))?;
        let shelf = Shelf::create(&folder.join(FILE), list, Some(key))?;
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(io)?;
        Ok(Self { shelf, _lock: lock })
    }

    /// The release that is held.
    pub fn newest(&self) -> Result<Option<Header>, ReleaseError> {
        self.shelf.newest().map_err(|fault| self.shelf.error(fault))
    }

    /// Applies a target file whose length and hash are those that were signed with `header`: all of it, or nothing. What
    /// cannot be applied to what is held is an error that says why; see [`ReleaseError::wants_snapshot`].
    pub fn apply(
        &mut self,
        file: &Path,
        header: &Header,
        identities: &Identities,
    ) -> Result<Applied, ReleaseError> {
        if header.list.id != *self.shelf.list() {
            let (found, expected) = (header.list.id.clone(), self.shelf.list().clone());
            return Err(ReleaseError::OtherList { found, expected });
        }
        let apply = || match header.kind {
            TargetKind::Snapshot => self.apply_snapshot(file, header, identities),
            TargetKind::Delta => self.apply_delta(file, header, identities),
        };
        apply().map_err(|fault| self.shelf.error(fault))
    }

    /// Goes back to a release that is kept.
    pub fn roll_back(&mut self, release: u64) -> Result<Header, ReleaseError> {
        let back = self.shelf.within(|| self.shelf.go_back(release));
        back.map_err(|fault| self.shelf.error(fault))
    }

    /// Whether what is offered is held already, or must not be applied. What is held is told without its key, so that a
    /// snapshot heals a replica that cannot be read.
    fn is_held(&self, header: &Header) -> Result<bool, Fault> {
        let Some((held, checksum)) = self.shelf.newest_state()? else { return Ok(false) };
        let release = header.release;
        if release < held {
            return Err(ReleaseError::Rollback { offered: release, held }.into());
        }
        if release == held && checksum != header.checksum.to_string() {
            return Err(ReleaseError::NumberReused { release }.into());
        }
        Ok(release == held)
    }

    fn apply_snapshot(
        &self,
        file: &Path,
        header: &Header,
        identities: &Identities,
    ) -> Result<Applied, Fault> {
        // What is held may be damaged, or sealed under another key: then its own snapshot heals it.
        if self.is_held(header)? && self.is_sound()? {
            return Ok(Applied::AlreadyHeld);
        }
        let written = self.write_base(file, header, identities);
        // What was there before, or what did not come to be.
        let swept = self.shelf.sweep();
        let entries = written?;
        swept?;
        Ok(Applied::Snapshot { entries })
    }

    fn is_sound(&self) -> Result<bool, Fault> {
        match self.shelf.newest().and_then(|header| self.shelf.check(header.as_ref())) {
            Ok(()) => Ok(true),
            Err(Fault::Damaged(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }

    fn write_base(&self, file: &Path, header: &Header, identities: &Identities) -> Result<u64, Fault> {
        let mut records = open(file, header, identities)?;
        let mut writer = BaseWriter::new(&self.shelf, header.shape(), Commits::InSlices)?;
        while let Some(Record { key, row }) = next(&mut records, file)? {
            let row = row.expect("a snapshot withdraws nothing");
            writer.row(key, &row)?;
        }
        let base = writer.finish()?;
        if base.sum != sum_of(header) || base.tally.digests(&BTreeMap::new()) != header.digests {
            return Err(ReleaseError::SnapshotMismatch { release: header.release }.into());
        }
        self.shelf.within(|| self.shelf.take_base(&base, header))?;
        Ok(base.sum.rows)
    }

    fn apply_delta(&self, file: &Path, header: &Header, identities: &Identities) -> Result<Applied, Fault> {
        if self.is_held(header)? {
            return Ok(Applied::AlreadyHeld);
        }
        let release = header.release;
        let base = release - 1;
        let held = match self.shelf.newest()? {
            Some(held) if held.release == base => held,
            held => {
                let held = held.map(|held| held.release);
                return Err(ReleaseError::WrongBase { base, to: release, held }.into());
            }
        };
        if header.previous != Some(held.checksum) {
            return Err(ReleaseError::OtherBase { base }.into());
        }
        let mut records = open(file, header, identities)?;
        self.shelf.within(|| {
            let mut pairs = PairsWriter::new(&self.shelf, release);
            let mut changes = || {
                let record = next(&mut records, file)?;
                Ok(record.map(|Record { key, row }| Change { key, after: row, is_new: false }))
            };
            let made = self
                .shelf
                .change(held.checksum, &mut changes, &mut |before, after| pairs.pair(before, after))?;
            pairs.finish()?;
            if made.sum != sum_of(header) || made.tally.digests(&held.digests) != header.digests {
                return Err(ReleaseError::DeltaMismatch { release }.into());
            }
            self.shelf.note(header)?;
            self.shelf.forget_old()?;
            let tally = made.tally;
            Ok(Applied::Delta { added: tally.added, changed: tally.changed, withdrawn: tally.withdrawn })
        })
    }
}

pub(crate) fn sum_of(header: &Header) -> Sum {
    Sum { checksum: header.checksum, rows: header.entries }
}

fn open<'a>(path: &Path, header: &Header, identities: &'a Identities) -> Result<Records<'a>, Fault> {
    let io = |source| ReleaseError::io(path, source);
    let file = File::open(path).map_err(io)?;
    let layers = Layers::open(file, header, identities).map_err(|unread| match unread {
        Unread::Bad(problem) => bad(path, problem),
        Unread::NoIdentity => {
            ReleaseError::NoIdentity { path: path.to_owned(), identities: identities.0.len() }
        }
        Unread::Io(source) => io(source),
    })?;
    Ok(Records::new(layers, header).map_err(|problem| bad(path, problem))?)
}

fn next(records: &mut Records<'_>, path: &Path) -> Result<Option<Record>, Fault> {
    Ok(records.next().map_err(|problem| bad(path, problem))?)
}

fn bad(path: &Path, problem: BadFile) -> ReleaseError {
    ReleaseError::BadFile { path: PathBuf::from(path), problem }
}

fn locked(path: &Path) -> Result<File, ReleaseError> {
    let lock = File::create(path).map_err(|source| ReleaseError::io(path, source))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(ReleaseError::Busy { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(ReleaseError::io(path, source)),
    }
}
