use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::folder::{CHECKPOINT, part};
use crate::rows::Rows;
use crate::tile::{Row, TILE_WIDTH, Tile, row_length};
use crate::{ChangedPart, Checkpoint, EvidenceError, Hash, LogFolder, VerifierKey, bundle, merkle, tile};

/// So many problems are told; there may be more.
pub const PROBLEMS_MAX: usize = 100;
/// How deep the folders of a log go: the row, the groups of digits of a 64-bit number, and partial tiles.
const FOLDERS_DEEP_MAX: u32 = 10;

/// What reading all of a log found.
#[derive(Debug)]
pub struct Report {
    /// The signed head.
    pub checkpoint: Checkpoint,
    /// What is not as it was signed, up to [`PROBLEMS_MAX`]. Empty: the log is whole, to the last byte.
    pub problems: Vec<EvidenceError>,
    /// Files that are no part of the log, up to [`PROBLEMS_MAX`]: what an append left that was cut short, or somebody
    /// else's. They change nothing of what the log says.
    pub strangers: Vec<PathBuf>,
}

/// Reads all of a log and holds it against its checkpoint, and that against a `remembered` one. Fails if the head is not
/// signed by `key`, or if something cannot be read; everything else that is wrong is in the report.
pub fn verify(
    folder: &LogFolder,
    key: &VerifierKey,
    remembered: Option<&Checkpoint>,
) -> Result<Report, EvidenceError> {
    let signed = folder.checkpoint()?;
    let place = folder.path().join(CHECKPOINT).display().to_string();
    let checkpoint = signed.signed_by(key, place)?.clone();
    let mut whole = Whole { folder, size: checkpoint.size, problems: Vec::new(), strangers: Vec::new() };
    whole.tree(checkpoint.root)?;
    whole.walk(Path::new("tile"), FOLDERS_DEEP_MAX)?;
    if let Some(remembered) = remembered {
        whole.grew_from(remembered, &checkpoint)?;
    }
    Ok(Report { checkpoint, problems: whole.problems, strangers: whole.strangers })
}

struct Whole<'a> {
    folder: &'a LogFolder,
    size: u64,
    problems: Vec<EvidenceError>,
    strangers: Vec<PathBuf>,
}

impl Whole<'_> {
    fn problem(&mut self, problem: EvidenceError) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }

    fn changed(&mut self, tile: Tile, problem: ChangedPart) {
        let path = self.folder.path().join(tile.path());
        self.problem(EvidenceError::Changed { path, problem });
    }

    /// What was read; `None` if it was tampered with, which is noted.
    fn noted<T>(&mut self, read: Result<T, EvidenceError>) -> Result<Option<T>, EvidenceError> {
        match read {
            Err(error) if error.is_tampering() => {
                self.problem(error);
                Ok(None)
            }
            read => read.map(Some),
        }
    }

    /// Computes the tree anew from the entries, and compares each tile and the root with it.
    fn tree(&mut self, root: Hash) -> Result<(), EvidenceError> {
        let mut rows = Rows::default();
        for index in 0..self.size.div_ceil(TILE_WIDTH) {
            // Without leaves nothing on the right and above can be told.
            let Some(leaves) = self.leaves(index)? else { return Ok(()) };
            let mut full = Vec::new();
            for leaf in leaves {
                rows.push(leaf, |tile, hashes| full.push((tile, hashes.to_vec())));
            }
            for (tile, hashes) in full {
                self.compare(tile, &hashes)?;
            }
        }
        for (tile, hashes) in rows.partials() {
            self.compare(tile, hashes)?;
        }
        if rows.root() != root {
            let path = self.folder.path().to_owned();
            self.problem(EvidenceError::Changed { path, problem: ChangedPart::Root });
        }
        Ok(())
    }

    /// The hashes of the entries of a bundle. Where the entries are damaged, those that the tile has of them: so what is above
    /// is still compared.
    fn leaves(&mut self, index: u64) -> Result<Option<Vec<Hash>>, EvidenceError> {
        let (bundle, leaves) = (part(Row::Entries, index, self.size), part(Row::Hashes(0), index, self.size));
        let read = self.folder.read_exact(bundle);
        let read = read
            .and_then(|bytes| bundle::leaves(&bytes, bundle.width).map_err(self.folder.malformed(bundle)));
        let found = self.noted(read)?;
        let in_tile = self.folder.read_exact(leaves);
        let in_tile = in_tile
            .and_then(|bytes| tile::hashes(&bytes, leaves.width).map_err(self.folder.malformed(leaves)));
        let in_tile = self.noted(in_tile)?;
        if let (Some(found), Some(in_tile)) = (&found, &in_tile) {
            for (number, (found, in_tile)) in (0..).zip(found.iter().zip(in_tile)) {
                if found != in_tile {
                    self.changed(bundle, ChangedPart::Entry { index: index * TILE_WIDTH + number });
                }
            }
        }
        Ok(in_tile.or(found))
    }

    /// Compares a tile above the leaves with what it should hold.
    fn compare(&mut self, tile: Tile, expected: &[Hash]) -> Result<(), EvidenceError> {
        if tile.row == Row::Hashes(0) {
            return Ok(());
        }
        let read = self.folder.read_exact(tile);
        let read =
            read.and_then(|bytes| tile::hashes(&bytes, tile.width).map_err(self.folder.malformed(tile)));
        let Some(found) = self.noted(read)? else { return Ok(()) };
        for (number, _) in
            (0..).zip(found.iter().zip(expected)).filter(|(_, (found, expected))| found != expected)
        {
            self.changed(tile, ChangedPart::Tile { number });
        }
        Ok(())
    }

    /// Looks at every file below `name`, for partial tiles of earlier checkpoints and for strangers.
    fn walk(&mut self, name: &Path, deep: u32) -> Result<(), EvidenceError> {
        let folder = self.folder.path().join(name);
        let listing = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            listing => listing.map_err(EvidenceError::io(&folder))?,
        };
        for entry in listing {
            let entry = entry.map_err(EvidenceError::io(&folder))?;
            let name = name.join(entry.file_name());
            if entry.file_type().map_err(EvidenceError::io(&folder))?.is_dir() && deep > 0 {
                self.walk(&name, deep - 1)?;
                continue;
            }
            match Tile::parse(&name).map(|tile| (tile, self.in_force(tile))) {
                Some((tile, Some(grown))) if tile.width < grown.width => self.earlier(tile, grown)?,
                Some((tile, Some(grown))) if tile == grown => {}
                _ if self.strangers.len() < PROBLEMS_MAX => {
                    self.strangers.push(self.folder.path().join(name));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The part at the place of `tile` in the log as it is now, if it is within.
    fn in_force(&self, tile: Tile) -> Option<Tile> {
        let length = match tile.row {
            Row::Entries => self.size,
            Row::Hashes(level) => row_length(level, self.size),
        };
        let is_within = tile.index.checked_mul(TILE_WIDTH).is_some_and(|start| start < length);
        is_within.then(|| part(tile.row, tile.index, self.size))
    }

    /// An earlier checkpoint's part must begin what it grew into.
    fn earlier(&mut self, tile: Tile, grown: Tile) -> Result<(), EvidenceError> {
        let (read, whole) = (self.folder.read_exact(tile), self.folder.read_exact(grown));
        // What is wrong with the grown part is told already.
        let (Some(earlier), Ok(whole)) = (self.noted(read)?, whole) else { return Ok(()) };
        if earlier != begin(&whole, tile) {
            self.changed(tile, ChangedPart::Earlier);
        }
        Ok(())
    }

    /// Holds the head against one that somebody remembers.
    fn grew_from(&mut self, remembered: &Checkpoint, head: &Checkpoint) -> Result<(), EvidenceError> {
        let not_grown = || EvidenceError::not_grown(self.folder.shown(), remembered, head);
        if remembered.size > head.size {
            let problem = not_grown();
            self.problem(problem);
            return Ok(());
        }
        let problem = not_grown();
        let root = merkle::root(&mut self.folder.nodes(head.size), remembered.size);
        if self.noted(root)?.is_some_and(|root| root != remembered.root) {
            self.problem(problem);
        }
        Ok(())
    }
}

/// The first bytes of a grown part: those that an earlier, narrower one had.
fn begin(whole: &[u8], narrow: Tile) -> &[u8] {
    let width = usize::try_from(narrow.width).expect("a tile's width is small");
    let length = match narrow.row {
        Row::Hashes(_) => width * Hash::BYTES,
        Row::Entries => bundle::length_of(whole, width),
    };
    &whole[..length.min(whole.len())]
}
