use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::disk::Disk;
use crate::edge::Edge;
use crate::folder::CHECKPOINT;
use crate::tile::{Row, TILE_LEVELS, TILE_WIDTH, Tile, row_length};
use crate::{
    Checkpoint, EvidenceError, Hash, KeyName, LogFolder, PrivateKey, Record, SignedCheckpoint, VerifierKey,
    merkle,
};

/// The next checkpoint, while it comes to be. What it is over is durable before it is there.
const NEXT: &str = "checkpoint.next";
/// Locked by whoever appends.
const LOCK: &str = "lock";
/// How long another writer is waited for.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(5);
const LOCK_RETRY: Duration = Duration::from_millis(2);

/// A log, to be appended to. Several processes may have it open; they append one after another.
#[derive(Debug)]
pub struct AuditLog {
    folder: LogFolder,
    pub(crate) disk: Disk,
    lock: File,
    private: PrivateKey,
    key: VerifierKey,
    checkpoint: SignedCheckpoint,
    edge: Edge,
    /// An append that failed, and may yet be found done.
    unsettled: Option<Unsettled>,
}

/// What was tried: the entries, and the head that they were to lead to.
#[derive(Debug)]
struct Unsettled {
    entries: Hash,
    head: (u64, Hash),
}

/// What an append led to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Appended {
    /// The number of the first appended entry.
    pub first: u64,
    /// How many entries the log has now.
    pub size: u64,
}

impl AuditLog {
    /// Makes an empty log in a folder that is empty or not there. Its checkpoints bear `name`.
    pub fn init(folder: &Path, private: &PrivateKey, name: KeyName) -> Result<(), EvidenceError> {
        let failed = || EvidenceError::io(folder);
        fs::create_dir_all(folder).map_err(failed())?;
        if fs::read_dir(folder).map_err(failed())?.next().is_some() {
            return Err(EvidenceError::NotEmpty { path: folder.to_owned() });
        }
        let key = private.verifier(name.clone());
        let signed = SignedCheckpoint::sign(Checkpoint::of_nothing(name), private, &key);
        File::create(folder.join(LOCK)).map_err(failed())?;
        Disk::new(folder).replace(NEXT, CHECKPOINT, signed.as_str().as_bytes())
    }

    /// Opens a log with the key that signs its checkpoints. Reads its right edge only, whatever its size, and clears away
    /// what a crash left.
    pub fn open(folder: &Path, private: PrivateKey) -> Result<Self, EvidenceError> {
        let folder = LogFolder::open(folder)?;
        let checkpoint = folder.checkpoint()?;
        let key = private.verifier(checkpoint.claim().origin.clone());
        let path = folder.path().join(LOCK);
        let mut options = File::options();
        let lock =
            options.write(true).create(true).truncate(false).open(&path).map_err(EvidenceError::io(path))?;
        let disk = Disk::new(folder.path());
        let edge = Edge::default();
        let mut log = Self { folder, disk, lock, private, key, checkpoint, edge, unsettled: None };
        let locked = log.lock()?;
        log.checkpoint = log.settled()?;
        let head = log.checkpoint.claim().head();
        log.edge = Edge::load(&log.folder, head)?;
        log.discard_tail()?;
        drop(locked);
        Ok(log)
    }

    /// The key by which others check the log.
    pub fn verifier(&self) -> &VerifierKey {
        &self.key
    }

    /// How many entries the log has, as far as is known here.
    pub fn size(&self) -> u64 {
        self.edge.size()
    }

    /// Appends records, all of them or none, and returns when they are durable. After an error the same records may be
    /// appended again: they do not come to stand there twice.
    pub fn append(&mut self, records: &[Record]) -> Result<Appended, EvidenceError> {
        let entries = records.iter().map(Record::entry).collect::<Result<Vec<_>, _>>()?;
        let locked = self.lock()?;
        self.catch_up()?;
        let (edge, parts) = self.edge.grown(&entries);
        let tried = Hash::of(&entries.iter().flat_map(|entry| Hash::of_leaf(entry).0).collect::<Vec<_>>());
        let count = entries.len() as u64;
        if let Some(Unsettled { head: (end, root), entries }) = &self.unsettled
            && *entries == tried
            && *end <= self.edge.size()
            && merkle::root(&mut self.folder.nodes(self.edge.size()), *end)? == *root
        {
            // It is there, and what failed was to make that durable.
            let appended = Appended { first: *end - count, size: self.edge.size() };
            self.disk.sync()?;
            self.unsettled = None;
            return Ok(appended);
        }
        let appended = Appended { first: self.edge.size(), size: edge.size() };
        if entries.is_empty() {
            return Ok(appended);
        }
        let head = Checkpoint { origin: self.key.name().clone(), size: edge.size(), root: edge.root() };
        self.unsettled = Some(Unsettled { entries: tried, head: head.head() });
        let signed = SignedCheckpoint::sign(head, &self.private, &self.key);
        self.disk.write_all(parts.iter().map(|(tile, bytes)| (tile.path(), bytes.as_slice())))?;
        self.disk.replace(NEXT, CHECKPOINT, signed.as_str().as_bytes())?;
        (self.edge, self.checkpoint, self.unsettled) = (edge, signed, None);
        self.remove_outgrown(parts.iter().map(|(tile, _)| *tile));
        drop(locked);
        Ok(appended)
    }

    /// Takes the lock, waiting for another writer.
    fn lock(&self) -> Result<Locked, EvidenceError> {
        let path = self.folder.path().join(LOCK);
        let started = Instant::now();
        loop {
            match self.lock.try_lock() {
                Ok(()) => {
                    let lock = self.lock.try_clone().map_err(EvidenceError::io(path))?;
                    return Ok(Locked(lock));
                }
                Err(TryLockError::WouldBlock) if started.elapsed() < LOCK_WAIT_MAX => {
                    thread::sleep(LOCK_RETRY);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(EvidenceError::Busy { path, waited_ms: LOCK_WAIT_MAX.as_millis() });
                }
                Err(TryLockError::Error(error)) => return Err(EvidenceError::io(path)(error)),
            }
        }
    }

    /// Follows what other writers appended. What they led to must have grown from what is known here.
    fn catch_up(&mut self) -> Result<(), EvidenceError> {
        let found = self.settled()?;
        if found == self.checkpoint {
            return Ok(());
        }
        let (old, new) = (self.checkpoint.claim(), found.claim());
        if !self.has_grown(old, new)? {
            return Err(EvidenceError::not_grown(self.folder.shown(), old, new));
        }
        self.edge = Edge::load(&self.folder, new.head())?;
        self.checkpoint = found;
        Ok(())
    }

    fn has_grown(&self, old: &Checkpoint, new: &Checkpoint) -> Result<bool, EvidenceError> {
        if old.size > new.size {
            return Ok(false);
        }
        let path = merkle::consistency(&mut self.folder.nodes(new.size), old.size, new.size)?;
        Ok(merkle::is_consistent(&path, old.head(), new.head()))
    }

    /// The signed checkpoint in force. A next one that a crash left whole takes its place, so that nothing that was signed is
    /// ever unsaid; one that is torn goes.
    fn settled(&self) -> Result<SignedCheckpoint, EvidenceError> {
        let checkpoint = self.folder.checkpoint()?;
        let place = || self.folder.path().join(CHECKPOINT).display().to_string();
        let present = checkpoint.signed_by(&self.key, place())?;
        let next_path = self.folder.path().join(NEXT);
        if !fs::exists(&next_path).map_err(EvidenceError::io(&next_path))? {
            return Ok(checkpoint);
        }
        if let Ok(next) = SignedCheckpoint::from_file(&next_path)
            && let Ok(head) = next.signed_by(&self.key, place())
            && head.size > present.size
            && self.has_grown(present, head)?
        {
            Edge::load(&self.folder, head.head())?;
            self.disk.rename(NEXT, CHECKPOINT)?;
            return Ok(next);
        }
        self.disk.remove(Path::new(NEXT))?;
        Ok(checkpoint)
    }

    /// Removes what an append left that did not come to its checkpoint.
    fn discard_tail(&self) -> Result<(), EvidenceError> {
        let size = self.edge.size();
        let hashes = (0..TILE_LEVELS).map(|level| (Row::Hashes(level), row_length(level, size)));
        for (row, length) in hashes.chain([(Row::Entries, size)]) {
            let mut at = length / TILE_WIDTH;
            self.remove_outgrown(at.checked_sub(1).map(|last| Tile::full(row, last)).into_iter());
            self.discard_partials(Tile { row, index: at, width: length % TILE_WIDTH })?;
            loop {
                let (full, partials) = (Tile::full(row, at), Tile { row, index: at + 1, width: 0 });
                let there = |path: &Path| self.folder.path().join(path).exists();
                let (has_full, has_partials) = (there(&full.path()), there(&partials.partial_folder()));
                if !has_full && !has_partials {
                    break;
                }
                self.disk.remove(&full.path())?;
                self.disk.remove(&partials.partial_folder())?;
                at += 1;
            }
        }
        Ok(())
    }

    /// Removes the partial tiles that are wider than the one in force.
    fn discard_partials(&self, in_force: Tile) -> Result<(), EvidenceError> {
        let name = in_force.partial_folder();
        let folder = self.folder.path().join(&name);
        let Ok(entries) = fs::read_dir(&folder) else { return Ok(()) };
        for entry in entries {
            let file = entry.map_err(EvidenceError::io(&folder))?.file_name();
            let width: Option<u64> = file.to_str().and_then(|width| width.parse().ok());
            if width.is_some_and(|width| width > in_force.width) {
                self.disk.remove(&name.join(file))?;
            }
        }
        Ok(())
    }

    /// Removes the partial tiles whose full ones are durable (C2SP tlog-tiles, "Partial Tiles").
    fn remove_outgrown(&self, written: impl Iterator<Item = Tile>) {
        for tile in written.filter(|tile| tile.is_full()) {
            // Nobody needs them any more, and nobody is hurt where they stay.
            drop(self.disk.remove(&tile.partial_folder()));
        }
    }
}

/// Unlocks when it is dropped.
struct Locked(File);

impl Drop for Locked {
    fn drop(&mut self) {
        // Closing the last handle unlocks too: this can only be early, not wrong.
        drop(self.0.unlock());
    }
}
