//! Nodes: the rows of a bucket, the hashes of a group's buckets, and the hashes of all groups.

use rusqlite::OptionalExtension as _;

use super::Shelf;
use crate::fault::Fault;
use crate::row;
use crate::seal::Place;
use crate::tree::{Shape, checksum};

/// Where a node stands: its base, then its kind, then its number.
const BASE_SHIFT: u32 = 32;
const KIND_SHIFT: u32 = 28;
/// How many nodes are removed in one step.
const SWEPT: i64 = 4_096;
/// A count of rows and a number of bits before the hashes of the groups.
const TOP_BEGINNING_BYTES: usize = 9;

pub(super) fn number_of(base: u32, place: Place) -> i64 {
    let (kind, number) = match place {
        Place::Bucket(number) => (0, number),
        Place::Group(number) => (1, number),
        Place::Top => (2, 0),
        Place::Header(_) | Place::Changes(..) => unreachable!("these are no nodes"),
    };
    (i64::from(base) << BASE_SHIFT) + (i64::from(kind) << KIND_SHIFT) + i64::from(number)
}

/// The hashes of all groups, and what else the checksum is made of.
pub(super) struct Top {
    pub(super) shape: Shape,
    pub(super) rows: u64,
    pub(super) groups: Vec<u8>,
}

impl Shelf {
    pub(super) fn node(&self, base: u32, place: Place) -> Result<Option<Vec<u8>>, Fault> {
        let mut statement = self.connection.prepare_cached("SELECT bytes FROM node WHERE place = ?1")?;
        let kept = statement.query_row([number_of(base, place)], |row| row.get(0)).optional()?;
        kept.map(|kept| self.seal.open(place, kept)).transpose()
    }

    pub(super) fn put_node(&self, base: u32, place: Place, bytes: &[u8]) -> Result<(), Fault> {
        let sql = "INSERT OR REPLACE INTO node (place, bytes) VALUES (?1, ?2)";
        let bytes = self.seal.close(place, bytes);
        self.connection.prepare_cached(sql)?.execute((number_of(base, place), bytes))?;
        Ok(())
    }

    pub(super) fn remove_node(&self, base: u32, place: Place) -> Result<(), Fault> {
        let mut statement = self.connection.prepare_cached("DELETE FROM node WHERE place = ?1")?;
        statement.execute([number_of(base, place)])?;
        Ok(())
    }

    pub(super) fn top(&self, base: u32) -> Result<Top, Fault> {
        let bytes = self.node(base, Place::Top)?.ok_or(Fault::Damaged("it has no hashes"))?;
        let bad = || Fault::Damaged("its hashes are not as many as there must be");
        let (beginning, groups) = bytes.split_first_chunk::<TOP_BEGINNING_BYTES>().ok_or_else(bad)?;
        let [bits, rows @ ..] = *beginning;
        let shape = Shape::new(bits).ok_or_else(bad)?;
        if groups.len() != shape.groups() as usize * crate::tree::HASH_BYTES {
            return Err(bad());
        }
        Ok(Top { shape, rows: u64::from_be_bytes(rows), groups: groups.to_vec() })
    }

    /// Keeps it, and says the checksum of the set.
    pub(super) fn put_top(&self, base: u32, top: &Top) -> Result<crate::Checksum, Fault> {
        let mut bytes = vec![top.shape.bits()];
        bytes.extend_from_slice(&top.rows.to_be_bytes());
        bytes.extend_from_slice(&top.groups);
        self.put_node(base, Place::Top, &bytes)?;
        Ok(checksum(self.list(), top.shape, top.rows, &top.groups))
    }

    /// Removes the nodes of other bases than the present one: what a snapshot took the place of, or did not come to be.
    pub(crate) fn sweep(&self) -> Result<(), Fault> {
        let base = self.base()?;
        let (first, end) = (i64::from(base) << BASE_SHIFT, (i64::from(base) + 1) << BASE_SHIFT);
        for sql in [
            "DELETE FROM node WHERE place IN (SELECT place FROM node WHERE place < ?1 LIMIT ?2)",
            "DELETE FROM node WHERE place IN (SELECT place FROM node WHERE place >= ?1 LIMIT ?2)",
        ] {
            let border = if sql.contains('<') { first } else { end };
            while self.connection.execute(sql, [border, SWEPT])? > 0 {}
        }
        Ok(())
    }
}

/// Appends a row as buckets hold it.
pub(super) fn put_row(bytes: &mut Vec<u8>, row: &[u8]) {
    let length = u16::try_from(row.len()).expect("rows are bounded");
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(row);
}

/// Goes through rows as buckets hold them.
pub(super) struct BucketRows<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for BucketRows<'a> {
    type Item = Result<(u64, &'a [u8]), Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let bad = || Fault::Damaged("a bucket does not hold rows");
        let mut take = || {
            let (length, rest) = self.0.split_first_chunk::<2>().ok_or_else(bad)?;
            let (row, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into()).ok_or_else(bad)?;
            self.0 = rest;
            Ok((row::key(row).map_err(|_| bad())?, row))
        };
        let taken = take();
        if taken.is_err() {
            self.0 = &[];
        }
        Some(taken)
    }
}
