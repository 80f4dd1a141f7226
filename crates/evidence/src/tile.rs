//! Where the parts of a log stand in its folder (C2SP tlog-tiles).

use std::path::{Path, PathBuf};

use crate::{Hash, Malformed};

/// How many hashes a full tile has, and how many entries a full bundle.
pub(crate) const TILE_WIDTH: u64 = 256;
/// Levels of the tree that one level of tiles covers.
pub(crate) const TILE_HEIGHT: u32 = 8;

/// The most levels of tiles that a log has: its size is a 64-bit number.
pub(crate) const TILE_LEVELS: u32 = u64::BITS / TILE_HEIGHT;

/// What kind of part it is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Row {
    /// Hashes, of the leaves at level 0, and of full tiles of the level below above that.
    Hashes(u32),
    /// The entries themselves.
    Entries,
}

/// One part: `width` hashes or entries from number `index` × 256 of the row on.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Tile {
    pub(crate) row: Row,
    pub(crate) index: u64,
    /// 1 to 256; less than 256 only at the end of the row.
    pub(crate) width: u64,
}

impl Tile {
    /// The full tile at `index`.
    pub(crate) fn full(row: Row, index: u64) -> Self {
        Self { row, index, width: TILE_WIDTH }
    }

    pub(crate) fn is_full(self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The folder of the row's partial tiles of this index.
    pub(crate) fn partial_folder(self) -> PathBuf {
        let mut path = self.stem();
        path.push_str(".p");
        path.into()
    }

    /// Where it stands in the log's folder.
    pub(crate) fn path(self) -> PathBuf {
        if self.is_full() {
            return self.stem().into();
        }
        self.partial_folder().join(self.width.to_string())
    }

    /// The part that stands at a path, if one can stand there.
    pub(crate) fn parse(path: &Path) -> Option<Self> {
        let text = path.to_str()?;
        let (row, rest) = text.strip_prefix("tile/")?.split_once('/')?;
        let row = if row == "entries" { Row::Entries } else { Row::Hashes(row.parse().ok()?) };
        let (groups, width) = match rest.split_once(".p/") {
            Some((groups, width)) => (groups, width.parse().ok()?),
            None => (rest, TILE_WIDTH),
        };
        let mut index: u64 = 0;
        for group in groups.split('/') {
            let digits: u64 = group.strip_prefix('x').unwrap_or(group).parse().ok()?;
            index = index.checked_mul(1000)?.checked_add(digits)?;
        }
        let tile = Self { row, index, width };
        // Other ways to write it are no part of a log.
        ((1..=TILE_WIDTH).contains(&width) && tile.path() == path).then_some(tile)
    }

    fn stem(self) -> String {
        let row = match self.row {
            Row::Hashes(level) => level.to_string(),
            Row::Entries => "entries".to_owned(),
        };
        let mut groups = vec![format!("{:03}", self.index % 1000)];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(format!("x{:03}", rest % 1000));
            rest /= 1000;
        }
        groups.reverse();
        format!("tile/{row}/{}", groups.join("/"))
    }
}

/// How many hashes the level has in a log of `size` entries: one for each full tile below.
pub(crate) fn row_length(level: u32, size: u64) -> u64 {
    size.checked_shr(level * TILE_HEIGHT).unwrap_or(0)
}

/// The levels that a log of `size` entries has.
pub(crate) fn levels(size: u64) -> impl DoubleEndedIterator<Item = u32> + Clone {
    let used = u64::BITS - size.leading_zeros();
    0..used.div_ceil(TILE_HEIGHT)
}

/// The hashes of a tile that should hold `width` of them.
pub fn hashes(bytes: &[u8], width: u64) -> Result<Vec<Hash>, Malformed> {
    let width = usize::try_from(width).unwrap_or(usize::MAX);
    let (hashes, rest) = bytes.as_chunks::<{ Hash::BYTES }>();
    if hashes.len() != width || !rest.is_empty() {
        let (found, expected) = (bytes.len(), width.saturating_mul(Hash::BYTES));
        return Err(Malformed::TileLength { found, expected });
    }
    Ok(hashes.iter().copied().map(Hash).collect())
}

/// A tile's bytes.
pub(crate) fn bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_specification() {
        let path = |row, index, width| {
            let tile = Tile { row, index, width };
            assert_eq!(Tile::parse(&tile.path()), Some(tile));
            tile.path().display().to_string()
        };
        assert_eq!(path(Row::Hashes(0), 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(path(Row::Entries, 0, 256), "tile/entries/000");
        assert_eq!(path(Row::Hashes(2), 273, 112), "tile/2/273.p/112");
        assert_eq!(path(Row::Entries, 1000, 1), "tile/entries/x001/000.p/1");
    }

    #[test]
    fn other_paths_are_no_parts() {
        for path in [
            "checkpoint",
            "tile/0/1",
            "tile/0/0001",
            "tile/0/x000/001",
            "tile/00/001",
            "tile/+1/001",
            "tile/0/001.p/0",
            "tile/0/001.p/256",
            "tile/0/001.p/01",
            "tile/entries/001.p",
            "tile/data/001",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert_eq!(Tile::parse(Path::new(path)), None, "{path}");
        }
    }

    #[test]
    fn sizes_of_the_specification() {
        assert_eq!(levels(0).count(), 0);
        assert_eq!([1, 255, 256, 65_536, u64::MAX].map(|size| levels(size).count()), [1, 1, 2, 3, 8]);
        assert_eq!([0, 1, 2, 3].map(|level| row_length(level, 70_000)), [70_000, 273, 1, 0]);
        assert_eq!(row_length(8, u64::MAX), 0);
    }
}
