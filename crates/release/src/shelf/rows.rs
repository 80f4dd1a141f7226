use std::borrow::Borrow;
use std::collections::VecDeque;

use super::node::{BucketRows, Top, number_of};
use super::{Base, Shelf, Sum};
use crate::fault::Fault;
use crate::seal::Place;
use crate::tree::{BucketHasher, HASH_BYTES, checksum, group_hash};

/// Goes through all rows in the order of their keys, a group of buckets at a time, and holds each bucket against the hashes
/// above it. The connection should stay in one transaction.
pub(crate) struct Rows<S> {
    shelf: S,
    base: u32,
    top: Top,
    group: u32,
    page: VecDeque<Vec<u8>>,
}

impl<S: Borrow<Shelf>> Rows<S> {
    /// Of the present set, which has the given sum.
    pub(crate) fn new(shelf: S, sum: Sum) -> Result<Self, Fault> {
        let base = shelf.borrow().base()?;
        Self::of(shelf, base, sum)
    }

    /// Of a set that is not the present one yet.
    pub(crate) fn of_base(shelf: S, base: &Base) -> Result<Self, Fault> {
        Self::of(shelf, base.number, base.sum)
    }

    fn of(shelf: S, base: u32, sum: Sum) -> Result<Self, Fault> {
        let top = shelf.borrow().top(base)?;
        let found = checksum(shelf.borrow().list(), top.shape, top.rows, &top.groups);
        if (Sum { checksum: found, rows: top.rows }) != sum {
            return Err(Fault::Damaged("its hashes do not make the checksum of its release"));
        }
        Ok(Self { shelf, base, top, group: 0, page: VecDeque::new() })
    }

    pub(crate) fn shelf(&self) -> &Shelf {
        self.shelf.borrow()
    }

    pub(crate) fn next(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        while self.page.is_empty() && self.group < self.top.shape.groups() {
            self.read_page()?;
            self.group += 1;
        }
        Ok(self.page.pop_front())
    }

    fn read_page(&mut self) -> Result<(), Fault> {
        let kept: &Shelf = self.shelf.borrow();
        let bad = || Fault::Damaged("its rows are not those that its hashes are of");
        let below = kept.node(self.base, Place::Group(self.group))?.ok_or_else(bad)?;
        let place = self.group as usize * HASH_BYTES;
        if group_hash(self.group, &below) != self.top.groups[place..place + HASH_BYTES] {
            return Err(bad());
        }
        let buckets = self.top.shape.group_buckets();
        let first = self.group * buckets;
        let sql = "SELECT place, bytes FROM node WHERE place >= ?1 AND place < ?2 ORDER BY place";
        let mut statement = kept.connection.prepare_cached(sql)?;
        let start = number_of(self.base, Place::Bucket(first));
        let mut nodes = statement.query([start, start + i64::from(buckets)])?;
        let mut found = nodes.next()?;
        for (bucket, hash) in (first..).zip(below.chunks_exact(HASH_BYTES)) {
            let mut hasher = BucketHasher::new(bucket);
            let place = number_of(self.base, Place::Bucket(bucket));
            if let Some(row) = found
                && row.get::<_, i64>(0)? == place
            {
                let bytes = kept.seal.open(Place::Bucket(bucket), row.get(1)?)?;
                for row in BucketRows(&bytes) {
                    let (_, row) = row?;
                    hasher.row(row);
                    self.page.push_back(row.to_vec());
                }
                found = nodes.next()?;
            }
            if hasher.finish() != hash {
                return Err(bad());
            }
        }
        Ok(())
    }
}
