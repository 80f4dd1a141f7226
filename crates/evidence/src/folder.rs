use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::bundle::{self, BUNDLE_BYTES_MAX};
use crate::checkpoint::read_bounded;
use crate::merkle::{self, Nodes};
use crate::tile::{self, Row, TILE_HEIGHT, TILE_WIDTH, Tile, row_length};
use crate::{EvidenceError, Hash, Malformed, SignedCheckpoint};

/// The file with the signed head.
pub(crate) const CHECKPOINT: &str = "checkpoint";

/// A log's folder, to be read. What is read is believed only as far as it is checked: by a proof, or by
/// [`verify()`](crate::verify()).
#[derive(Clone, Debug)]
pub struct LogFolder {
    path: PathBuf,
}

impl LogFolder {
    /// The log in a folder, which must have a checkpoint.
    pub fn open(path: &Path) -> Result<Self, EvidenceError> {
        match fs::metadata(path.join(CHECKPOINT)) {
            Ok(_) => Ok(Self { path: path.to_owned() }),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Err(EvidenceError::NoLog { path: path.to_owned() })
            }
            Err(error) => Err(EvidenceError::io(path)(error)),
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The newest checkpoint, whoever may have signed it.
    pub fn checkpoint(&self) -> Result<SignedCheckpoint, EvidenceError> {
        SignedCheckpoint::from_file(&self.path.join(CHECKPOINT))
    }

    /// How errors name the log.
    pub(crate) fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// The bytes of a part, as they stand in the file of just this part.
    pub(crate) fn read_exact(&self, tile: Tile) -> Result<Vec<u8>, EvidenceError> {
        let path = self.path.join(tile.path());
        let bytes_max = match tile.row {
            Row::Entries => BUNDLE_BYTES_MAX,
            Row::Hashes(_) => tile_bytes_max(),
        };
        match read_bounded(&path, bytes_max) {
            Ok(bytes) => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(EvidenceError::Missing { path }),
            Err(error) => Err(EvidenceError::io(path)(error)),
        }
    }

    /// The bytes of a part; of a partial one from the full one too, which takes its place in time.
    fn read(&self, tile: Tile) -> Result<(Tile, Vec<u8>), EvidenceError> {
        match self.read_exact(tile) {
            Err(missing @ EvidenceError::Missing { .. }) if !tile.is_full() => {
                let full = Tile::full(tile.row, tile.index);
                self.read_exact(full).map(|bytes| (full, bytes)).map_err(|_| missing)
            }
            read => Ok((tile, read?)),
        }
    }

    pub(crate) fn malformed(&self, tile: Tile) -> impl FnOnce(Malformed) -> EvidenceError {
        let place = self.path.join(tile.path()).display().to_string();
        move |problem| EvidenceError::Malformed { place, problem }
    }

    /// The hashes of a tile.
    pub(crate) fn hashes(&self, tile: Tile) -> Result<Vec<Hash>, EvidenceError> {
        let (found, bytes) = self.read(tile)?;
        let mut hashes = tile::hashes(&bytes, found.width).map_err(self.malformed(found))?;
        hashes.truncate(usize::try_from(tile.width).expect("a tile's width is small"));
        Ok(hashes)
    }

    /// The entries from number `first` on, to the end of their bundle, in a log of `size`.
    fn rest_of_bundle(&self, first: u64, size: u64) -> Result<Vec<Vec<u8>>, EvidenceError> {
        let (found, bytes) = self.read(part(Row::Entries, first / TILE_WIDTH, size))?;
        let entries = bundle::entries(&bytes, found.width).map_err(self.malformed(found))?;
        let end = size.min((first / TILE_WIDTH + 1) * TILE_WIDTH);
        let (skip, take) = (first % TILE_WIDTH, end - first);
        let small = |number| usize::try_from(number).expect("a bundle has few entries");
        Ok(entries.into_iter().skip(small(skip)).take(small(take)).map(<[u8]>::to_vec).collect())
    }

    /// The entry of a number, in a log of `size`.
    pub fn entry(&self, index: u64, size: u64) -> Result<Vec<u8>, EvidenceError> {
        if index >= size {
            return Err(EvidenceError::NoEntry { index, size });
        }
        let mut entries = self.rest_of_bundle(index, size)?;
        Ok(entries.swap_remove(0))
    }

    /// The entries from number `first` on, of a log of `size`, each with its number. A bundle is in memory at a time.
    pub fn entries(
        &self,
        first: u64,
        size: u64,
    ) -> impl Iterator<Item = Result<(u64, Vec<u8>), EvidenceError>> {
        let starts = std::iter::successors(Some(first), |start| Some((start / TILE_WIDTH + 1) * TILE_WIDTH));
        starts.take_while(move |start| *start < size).flat_map(move |start| {
            let (entries, failed) = match self.rest_of_bundle(start, size) {
                Ok(entries) => (entries, None),
                Err(error) => (Vec::new(), Some(Err(error))),
            };
            (start..).zip(entries).map(Ok).chain(failed)
        })
    }

    /// The hashes of the tree of the first `size` entries.
    pub(crate) fn nodes(&self, size: u64) -> TileNodes<'_> {
        TileNodes { folder: self, size, read: HashMap::new() }
    }
}

/// The longest tile.
pub(crate) fn tile_bytes_max() -> usize {
    usize::try_from(TILE_WIDTH).expect("a tile is small") * Hash::BYTES
}

/// The part of a row at `index` in a log of `size`, as wide as it is then.
pub(crate) fn part(row: Row, index: u64, size: u64) -> Tile {
    let length = match row {
        Row::Entries => size,
        Row::Hashes(level) => row_length(level, size),
    };
    Tile { row, index, width: (length - index * TILE_WIDTH).min(TILE_WIDTH) }
}

/// Reads tiles as they are asked for, each once. A proof needs a few for each level.
pub(crate) struct TileNodes<'a> {
    folder: &'a LogFolder,
    size: u64,
    read: HashMap<Tile, Vec<Hash>>,
}

impl Nodes for TileNodes<'_> {
    type Error = EvidenceError;

    fn node(&mut self, level: u32, index: u64) -> Result<Hash, EvidenceError> {
        let (row, height) = (level / TILE_HEIGHT, level % TILE_HEIGHT);
        let first = index << height;
        let tile = part(Row::Hashes(row), first / TILE_WIDTH, self.size);
        let hashes = match self.read.entry(tile) {
            std::collections::hash_map::Entry::Occupied(read) => read.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => place.insert(self.folder.hashes(tile)?),
        };
        let start = usize::try_from(first % TILE_WIDTH).expect("a tile is small");
        Ok(merkle::perfect_root(&hashes[start..start + (1 << height)]))
    }
}
