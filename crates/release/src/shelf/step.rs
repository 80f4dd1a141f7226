use hashward_core::EntryId;

use super::node::{BucketRows, Top, put_row};
use super::{Shelf, Sum, Tally};
use crate::fault::Fault;
use crate::seal::Place;
use crate::tree::{BucketHasher, HASH_BYTES, Hash, Shape, checksum, group_hash};
use crate::{Checksum, ReleaseError};

/// What becomes of one key.
pub(crate) struct Change {
    pub(crate) key: u64,
    /// None if it is withdrawn.
    pub(crate) after: Option<Vec<u8>>,
    /// Whether there must be no such key before.
    pub(crate) is_new: bool,
}

/// What came of some changes.
pub(crate) struct Outcome {
    pub(crate) shape: Shape,
    pub(crate) sum: Sum,
    pub(crate) tally: Tally,
}

/// Gives changes in the order of their keys, each key once.
pub(crate) type Changes<'a> = &'a mut dyn FnMut() -> Result<Option<Change>, Fault>;
/// Hears of each row that is not what it was, before and after.
pub(crate) type Heard<'a> = &'a mut dyn FnMut(Option<&[u8]>, Option<&[u8]>) -> Result<(), Fault>;

impl Shelf {
    /// Changes the present set, whose checksum is `before`, in a transaction: it costs as much as there are changes. What
    /// is changed is held against the hashes above it first, so that damage does not come under new hashes.
    pub(crate) fn change(
        &self,
        before: Checksum,
        changes: Changes<'_>,
        heard: Heard<'_>,
    ) -> Result<Outcome, Fault> {
        let base = self.base()?;
        let top = self.top(base)?;
        if checksum(self.list(), top.shape, top.rows, &top.groups) != before {
            return Err(Fault::Damaged("its hashes do not make the checksum of its release"));
        }
        let mut step = Step { shelf: self, base, top, group: None, tally: Tally::default(), heard };
        let mut next = changes()?;
        while let Some(first) = next {
            next = step.bucket(first, changes)?;
        }
        step.end_group()?;
        let checksum = self.put_top(base, &step.top)?;
        Ok(Outcome { shape: step.top.shape, sum: Sum { checksum, rows: step.top.rows }, tally: step.tally })
    }
}

struct Step<'a> {
    shelf: &'a Shelf,
    base: u32,
    top: Top,
    /// The group that is at hand, and the hashes of its buckets.
    group: Option<(u32, Vec<u8>)>,
    tally: Tally,
    heard: Heard<'a>,
}

impl Step<'_> {
    /// Makes all changes of one bucket, of which `first` is the first, and returns the first of another one.
    fn bucket(&mut self, first: Change, changes: Changes<'_>) -> Result<Option<Change>, Fault> {
        let shape = self.top.shape;
        let bucket = shape.bucket(first.key);
        let old = self.shelf.node(self.base, Place::Bucket(bucket))?.unwrap_or_default();
        let mut old_hasher = BucketHasher::new(bucket);
        for row in BucketRows(&old) {
            old_hasher.row(row?.1);
        }
        if *self.hash_of(bucket)? != old_hasher.finish() {
            return Err(Fault::Damaged("its rows are not those that its hashes are of"));
        }
        let mut rows = BucketRows(&old);
        let mut row = rows.next().transpose()?;
        let mut made = Made { hasher: BucketHasher::new(bucket), bytes: Vec::with_capacity(old.len() + 256) };
        let mut change = Some(first);
        loop {
            match (row, change.take_if(|change| shape.bucket(change.key) == bucket)) {
                (None, None) => break,
                (Some((key, bytes)), at) if at.as_ref().is_none_or(|change| key < change.key) => {
                    made.put(bytes);
                    row = rows.next().transpose()?;
                    change = at.or(change);
                }
                (held, Some(now)) => {
                    let before = held.filter(|(key, _)| *key == now.key).map(|(_, bytes)| bytes);
                    self.replace(before, &now, &mut made)?;
                    if before.is_some() {
                        row = rows.next().transpose()?;
                    }
                    change = changes()?;
                }
                (Some(_), None) => unreachable!("a row without a change before it is kept"),
            }
        }
        if made.bytes.is_empty() {
            self.shelf.remove_node(self.base, Place::Bucket(bucket))?;
        } else {
            self.shelf.put_node(self.base, Place::Bucket(bucket), &made.bytes)?;
        }
        *self.hash_of(bucket)? = made.hasher.finish();
        Ok(change)
    }

    fn replace(&mut self, before: Option<&[u8]>, now: &Change, made: &mut Made) -> Result<(), Fault> {
        let after = now.after.as_deref();
        if now.is_new && before.is_some() {
            return Err(ReleaseError::TwoEntries(EntryId(now.key)).into());
        }
        if let Some(after) = after {
            made.put(after);
        }
        if before == after {
            return Ok(());
        }
        let others = self.top.rows.checked_sub(before.is_some().into());
        self.top.rows = others.ok_or(Fault::Damaged("it counts too few rows"))? + u64::from(after.is_some());
        self.tally.take(before, after);
        (self.heard)(before, after)
    }

    /// The hash of a bucket, to be looked at and changed.
    fn hash_of(&mut self, bucket: u32) -> Result<&mut Hash, Fault> {
        let group_buckets = self.top.shape.group_buckets();
        let (group, place) = (bucket / group_buckets, (bucket % group_buckets) as usize * HASH_BYTES);
        if self.group.as_ref().is_none_or(|(at, _)| *at != group) {
            self.end_group()?;
            let hashes = self.shelf.node(self.base, Place::Group(group))?.unwrap_or_default();
            let above = group as usize * HASH_BYTES;
            if group_hash(group, &hashes) != self.top.groups[above..above + HASH_BYTES] {
                return Err(Fault::Damaged("its hashes are not those that the hashes above them are of"));
            }
            self.group = Some((group, hashes));
        }
        let (_, hashes) = self.group.as_mut().expect("it was taken in");
        Ok(hashes[place..].first_chunk_mut().expect("a group has as many hashes as its hash is of"))
    }

    fn end_group(&mut self) -> Result<(), Fault> {
        let Some((group, hashes)) = self.group.take() else { return Ok(()) };
        self.shelf.put_node(self.base, Place::Group(group), &hashes)?;
        let place = group as usize * HASH_BYTES;
        self.top.groups[place..place + HASH_BYTES].copy_from_slice(&group_hash(group, &hashes));
        Ok(())
    }
}

/// A bucket in the making.
struct Made {
    hasher: BucketHasher,
    bytes: Vec<u8>,
}

impl Made {
    fn put(&mut self, row: &[u8]) {
        self.hasher.row(row);
        put_row(&mut self.bytes, row);
    }
}
