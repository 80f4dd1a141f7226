use crate::Hash;
use crate::folder::part;
use crate::merkle::{self, RightToLeft};
use crate::tile::{Row, TILE_WIDTH, Tile, row_length};

/// The partial tiles at the right edge of a tree, from the leaves up: what has to be known of it to let it grow. Few hashes,
/// however large the tree is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    size: u64,
    rows: Vec<Vec<Hash>>,
}

impl Rows {
    /// The rows of a tree of `size`, as they were read.
    pub(crate) fn new(size: u64, rows: Vec<Vec<Hash>>) -> Self {
        Self { size, rows }
    }

    /// How many leaves the tree has.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The next leaf. Each tile that is full by it is told.
    pub(crate) fn push(&mut self, leaf: Hash, mut full: impl FnMut(Tile, &[Hash])) {
        self.size += 1;
        let mut hash = leaf;
        for level in 0.. {
            let at = usize::try_from(level).expect("there are few levels");
            if self.rows.len() == at {
                self.rows.push(Vec::new());
            }
            let row = &mut self.rows[at];
            row.push(hash);
            if (row.len() as u64) < TILE_WIDTH {
                break;
            }
            let index = row_length(level, self.size) / TILE_WIDTH - 1;
            full(Tile::full(Row::Hashes(level), index), row);
            hash = merkle::perfect_root(row);
            row.clear();
        }
    }

    /// The partial tiles, none of them empty.
    pub(crate) fn partials(&self) -> impl Iterator<Item = (Tile, &[Hash])> {
        let rows = (0..).zip(&self.rows).filter(|(_, row)| !row.is_empty());
        rows.map(|(level, row)| {
            let index = row_length(level, self.size) / TILE_WIDTH;
            (part(Row::Hashes(level), index, self.size), row.as_slice())
        })
    }

    /// The last hash of the level's partial tile.
    pub(crate) fn last(&self, level: u32) -> Option<Hash> {
        self.rows.get(usize::try_from(level).expect("there are few levels"))?.last().copied()
    }

    /// The root of the tree.
    pub(crate) fn root(&self) -> Hash {
        let mut root = RightToLeft::default();
        for row in &self.rows {
            let mut end = row.len();
            while end > 0 {
                let length = 1 << end.trailing_zeros();
                root.push(merkle::perfect_root(&row[end - length..end]));
                end -= length;
            }
        }
        root.root()
    }
}
