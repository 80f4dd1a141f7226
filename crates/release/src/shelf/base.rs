use hashward_core::EntryId;

use super::node::{Top, put_row};
use super::{Shelf, Sum, Tally};
use crate::fault::Fault;
use crate::seal::Place;
use crate::tree::{BucketHasher, Shape, group_hash};
use crate::{Header, ReleaseError};

/// How many buckets are written in one transaction.
const BUCKETS_COMMITTED: u32 = 2_048;

/// Who commits what is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Commits {
    /// The writer, now and then, so that no transaction grows large.
    InSlices,
    /// Whoever has begun a transaction.
    Elsewhere,
}

/// A set that was written beside the present one.
pub(crate) struct Base {
    pub(super) number: u32,
    pub(crate) shape: Shape,
    pub(crate) sum: Sum,
    pub(crate) tally: Tally,
}

/// Writes a set under a base of its own, row by row in the order of their keys.
pub(crate) struct BaseWriter<'s> {
    shelf: &'s Shelf,
    commits: Commits,
    number: u32,
    top: Top,
    tally: Tally,
    bucket: u32,
    hasher: BucketHasher,
    bytes: Vec<u8>,
    /// The hashes of the buckets of the group that is being written.
    hashes: Vec<u8>,
    last: Option<u64>,
}

impl<'s> BaseWriter<'s> {
    pub(crate) fn new(shelf: &'s Shelf, shape: Shape, commits: Commits) -> Result<Self, Fault> {
        // What did not come to be before may stand where this is written.
        shelf.sweep()?;
        let number = shelf.base()? + 1;
        if commits == Commits::InSlices {
            shelf.begin()?;
        }
        Ok(Self {
            shelf,
            commits,
            number,
            top: Top { shape, rows: 0, groups: Vec::new() },
            tally: Tally::default(),
            bucket: 0,
            hasher: BucketHasher::new(0),
            bytes: Vec::new(),
            hashes: Vec::new(),
            last: None,
        })
    }

    pub(crate) fn row(&mut self, key: u64, row: &[u8]) -> Result<(), Fault> {
        match self.last {
            Some(last) if last == key => return Err(ReleaseError::TwoEntries(EntryId(key)).into()),
            last => assert!(last.is_none_or(|last| last < key), "rows are written in order"),
        }
        self.last = Some(key);
        while self.bucket < self.top.shape.bucket(key) {
            self.end_bucket()?;
        }
        self.hasher.row(row);
        put_row(&mut self.bytes, row);
        self.tally.take(None, Some(row));
        self.top.rows += 1;
        Ok(())
    }

    fn end_bucket(&mut self) -> Result<(), Fault> {
        if !self.bytes.is_empty() {
            self.shelf.put_node(self.number, Place::Bucket(self.bucket), &self.bytes)?;
            self.bytes.clear();
        }
        let hasher = std::mem::replace(&mut self.hasher, BucketHasher::new(self.bucket + 1));
        self.hashes.extend_from_slice(&hasher.finish());
        self.bucket += 1;
        let group_buckets = self.top.shape.group_buckets();
        if self.bucket.is_multiple_of(group_buckets) {
            let group = self.bucket / group_buckets - 1;
            self.shelf.put_node(self.number, Place::Group(group), &self.hashes)?;
            self.top.groups.extend_from_slice(&group_hash(group, &self.hashes));
            self.hashes.clear();
        }
        if self.commits == Commits::InSlices && self.bucket.is_multiple_of(BUCKETS_COMMITTED) {
            self.shelf.commit()?;
            self.shelf.begin()?;
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<Base, Fault> {
        while self.bucket < self.top.shape.buckets() {
            self.end_bucket()?;
        }
        let checksum = self.shelf.put_top(self.number, &self.top)?;
        if self.commits == Commits::InSlices {
            self.shelf.commit()?;
        }
        let sum = Sum { checksum, rows: self.top.rows };
        Ok(Base { number: self.number, shape: self.top.shape, sum, tally: std::mem::take(&mut self.tally) })
    }
}

impl Drop for BaseWriter<'_> {
    fn drop(&mut self) {
        if self.commits == Commits::InSlices {
            self.shelf.roll_back();
        }
    }
}

impl Shelf {
    /// Makes a base the present one, in a transaction: what was before cannot be gone back to.
    pub(crate) fn take_base(&self, base: &Base, header: &Header) -> Result<(), Fault> {
        self.connection.execute("UPDATE shelf SET base = ?1", [base.number])?;
        self.connection.execute_batch("DELETE FROM release; DELETE FROM change;")?;
        self.note(header)
    }
}
