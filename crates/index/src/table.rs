use crate::EntryNumber;

/// The digests of one algorithm, `N` bytes each, with the entries that hold them.
///
/// A row is a digest and one entry; a digest that several entries hold has as many rows, side by side. So
/// nothing but the one vector is allocated, and the common digest of one entry costs its own bytes and four
/// more.
///
/// A search halves the sorted rows. It never takes more than log₂(rows) steps, whatever digests a hostile
/// list holds: there is no hash to collide with, and no guess from the digest's value that could be led
/// astray.
#[derive(Default)]
pub(crate) struct Table<const N: usize> {
    rows: Vec<([u8; N], EntryNumber)>,
}

/// A [`Table`] of any width. Digests are as long as the table is wide.
pub(crate) trait Rows: Send + Sync {
    /// Adds a row; until [`Rows::seal`], nothing else may be asked.
    fn add(&mut self, digest: &[u8], entry: EntryNumber);

    /// Sorts the rows and drops the repeated ones.
    fn seal(&mut self);

    /// Calls `each` with every distinct digest, in order.
    fn for_each_digest(&self, each: &mut dyn FnMut(&[u8]));

    /// Calls `found` with each entry that holds the digest, in order.
    fn lookup(&self, digest: &[u8], found: &mut dyn FnMut(EntryNumber));
}

/// The digest as an array. It is one by construction: a digest is as long as its algorithm makes it.
fn array<const N: usize>(digest: &[u8]) -> [u8; N] {
    digest.try_into().expect("a digest is as long as its algorithm's table is wide")
}

impl<const N: usize> Rows for Table<N> {
    fn add(&mut self, digest: &[u8], entry: EntryNumber) {
        self.rows.push((array(digest), entry));
    }

    fn seal(&mut self) {
        self.rows.sort_unstable();
        self.rows.dedup();
        self.rows.shrink_to_fit();
    }

    fn for_each_digest(&self, each: &mut dyn FnMut(&[u8])) {
        for same in self.rows.chunk_by(|(left, _), (right, _)| left == right) {
            each(&same[0].0);
        }
    }

    fn lookup(&self, digest: &[u8], found: &mut dyn FnMut(EntryNumber)) {
        let wanted: [u8; N] = array(digest);
        let start = self.rows.partition_point(|(digest, _)| *digest < wanted);
        let same = self.rows[start..].iter().take_while(|(digest, _)| *digest == wanted);
        same.for_each(|(_, entry)| found(*entry));
    }
}
