use crate::folder::part;
use crate::rows::Rows;
use crate::tile::{Row, TILE_WIDTH, Tile, levels, row_length};
use crate::{ChangedPart, EvidenceError, Hash, LogFolder, bundle, merkle, tile};

/// The right edge of a log: what has to be known of it to append.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edge {
    rows: Rows,
    /// The partial bundle.
    bundle: Vec<u8>,
}

/// A file of the log, and what is to stand in it.
pub(crate) type Part = (Tile, Vec<u8>);

impl Edge {
    /// Reads the right edge of the tree of `size` entries, and holds it against `root`: the partial tiles, the full tiles on
    /// their left, and the last bundle.
    pub(crate) fn load(folder: &LogFolder, (size, root): (u64, Hash)) -> Result<Self, EvidenceError> {
        let mut rows = Vec::new();
        for level in levels(size) {
            let partial = part(Row::Hashes(level), row_length(level, size) / TILE_WIDTH, size);
            rows.push(if partial.width == 0 { Vec::new() } else { folder.hashes(partial)? });
        }
        let rows = Rows::new(size, rows);
        if rows.root() != root {
            return Err(EvidenceError::Changed {
                path: folder.path().to_owned(),
                problem: ChangedPart::Root,
            });
        }
        check_last_full(folder, &rows)?;
        let bundle = last_bundle(folder, size)?;
        Ok(Self { rows, bundle })
    }

    pub(crate) fn size(&self) -> u64 {
        self.rows.size()
    }

    pub(crate) fn root(&self) -> Hash {
        self.rows.root()
    }

    /// The log after `entries`, and the parts that have to be written before it is signed.
    pub(crate) fn grown(&self, entries: &[Vec<u8>]) -> (Self, Vec<Part>) {
        let mut grown = self.clone();
        let mut parts: Vec<Part> = Vec::new();
        for entry in entries {
            bundle::push(&mut grown.bundle, entry);
            grown.rows.push(Hash::of_leaf(entry), |full, hashes| parts.push((full, tile::bytes(hashes))));
            let size = grown.size();
            if size.is_multiple_of(TILE_WIDTH) {
                let full = Tile::full(Row::Entries, size / TILE_WIDTH - 1);
                parts.push((full, std::mem::take(&mut grown.bundle)));
            }
        }
        let size = grown.size();
        if !grown.bundle.is_empty() {
            parts.push((part(Row::Entries, size / TILE_WIDTH, size), grown.bundle.clone()));
        }
        // A row that did not grow has its partial tile already.
        let has_grown = |tile: &Tile| match tile.row {
            Row::Hashes(level) => row_length(level, self.size()) < row_length(level, size),
            Row::Entries => unreachable!("rows are of hashes"),
        };
        let partials = grown.rows.partials().filter(|(tile, _)| has_grown(tile));
        parts.extend(partials.map(|(tile, hashes)| (tile, tile::bytes(hashes))));
        (grown, parts)
    }
}

/// The last full tile of each level must give the last hash of the level above.
fn check_last_full(folder: &LogFolder, rows: &Rows) -> Result<(), EvidenceError> {
    let size = rows.size();
    let mut last_above = None;
    for level in levels(size).rev() {
        let full = (row_length(level, size) / TILE_WIDTH).checked_sub(1);
        let full = full.map(|index| Tile::full(Row::Hashes(level), index));
        let hashes = full.map(|tile| folder.hashes(tile)).transpose()?;
        if let (Some(tile), Some(hashes)) = (full, &hashes)
            && Some(merkle::perfect_root(hashes)) != last_above
        {
            let path = folder.path().join(tile.path());
            return Err(EvidenceError::Changed { path, problem: ChangedPart::Below });
        }
        last_above = rows.last(level).or(hashes.and_then(|hashes| hashes.last().copied()));
    }
    Ok(())
}

/// The last bundle, if it is partial. It must hold what the last leaves are of, in either case.
fn last_bundle(folder: &LogFolder, size: u64) -> Result<Vec<u8>, EvidenceError> {
    let Some(last) = size.checked_sub(1) else { return Ok(Vec::new()) };
    let index = last / TILE_WIDTH;
    let (bundle, leaves) = (part(Row::Entries, index, size), part(Row::Hashes(0), index, size));
    let bytes = folder.read_exact(bundle)?;
    let found = bundle::leaves(&bytes, bundle.width).map_err(folder.malformed(bundle))?;
    let expected = folder.hashes(leaves)?;
    if let Some(number) = found.iter().zip(&expected).position(|(found, expected)| found != expected) {
        let index = index * TILE_WIDTH + number as u64;
        let path = folder.path().join(bundle.path());
        return Err(EvidenceError::Changed { path, problem: ChangedPart::Entry { index } });
    }
    Ok(if bundle.is_full() { Vec::new() } else { bytes })
}
