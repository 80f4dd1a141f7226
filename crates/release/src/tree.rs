//! The checksum of a sorted set of rows, made so that a few changes need a few hashes.
//!
//! Rows stand in *buckets* by the first bits of their keys; [`GROUP_BUCKETS`] buckets make a *group*. With `‖` for
//! concatenation, integers big-endian, and rows in the order of their keys:
//!
//! ```text
//! bucket = SHA-256(00 ‖ bucket number: u32 ‖ for each row: its length: u16 ‖ the row)
//! group  = SHA-256(01 ‖ group number: u32 ‖ the hashes of its buckets)
//! set    = SHA-256(02 ‖ format version: u8 ‖ bucket bits: u8 ‖ rows: u64 ‖ length of the list's id: u8 ‖ the id
//!                     ‖ the hashes of all groups)
//! ```

use std::fmt;

use hashward_core::ListId;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

use crate::header::FORMAT_VERSION;

/// How many buckets a group has; a set with fewer buckets has one group of them all.
pub const GROUP_BUCKETS: u32 = 1 << GROUP_BITS;
/// The most bits that name a bucket: a thousand million rows.
pub const BUCKET_BITS_MAX: u8 = 24;
/// How many rows a bucket has on average, when the bits are chosen: this, up to twice as many.
const ROWS_CHOSEN: u64 = 32;
/// A set keeps its bits until its buckets have fewer rows on average.
const ROWS_MIN: u64 = 16;
/// Or more.
const ROWS_MAX: u64 = 128;
const GROUP_BITS: u8 = 6;
pub(crate) const HASH_BYTES: usize = 32;

/// A hash of the tree: of a bucket, a group, or the set.
pub(crate) type Hash = [u8; HASH_BYTES];

/// The SHA-256 of a sorted set of rows, organised as the module says.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Checksum(pub [u8; HASH_BYTES]);

/// Into how many buckets a set is parted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Shape {
    bits: u8,
}

impl Shape {
    /// By the number of bits; none if there are too many.
    pub(crate) fn new(bits: u8) -> Option<Self> {
        (bits <= BUCKET_BITS_MAX).then_some(Self { bits })
    }

    /// For a set of so many rows.
    pub(crate) fn for_rows(rows: u64) -> Self {
        let bits = (rows / ROWS_CHOSEN).checked_ilog2().unwrap_or(0);
        Self { bits: u8::try_from(bits).expect("at most 64").min(BUCKET_BITS_MAX) }
    }

    /// Whether a set that grew or shrank to so many rows can stay parted like this.
    pub(crate) fn fits(self, rows: u64) -> bool {
        let average = rows >> self.bits;
        (average >= ROWS_MIN || self.bits == 0) && (average <= ROWS_MAX || self.bits == BUCKET_BITS_MAX)
    }

    pub(crate) fn bits(self) -> u8 {
        self.bits
    }

    pub(crate) fn buckets(self) -> u32 {
        1 << self.bits
    }

    pub(crate) fn groups(self) -> u32 {
        1 << self.bits.saturating_sub(GROUP_BITS)
    }

    /// How many buckets each group has.
    pub(crate) fn group_buckets(self) -> u32 {
        self.buckets() / self.groups()
    }

    /// The bucket of a key.
    pub(crate) fn bucket(self, key: u64) -> u32 {
        let shifted = key.checked_shr(64 - u32::from(self.bits)).unwrap_or(0);
        u32::try_from(shifted).expect("as few bits as a shape has")
    }
}

/// Hashes the rows of one bucket, in their order.
pub(crate) struct BucketHasher(Sha256);

impl BucketHasher {
    pub(crate) fn new(bucket: u32) -> Self {
        Self(Sha256::new().chain_update([0]).chain_update(bucket.to_be_bytes()))
    }

    pub(crate) fn row(&mut self, row: &[u8]) {
        let bytes = u16::try_from(row.len()).expect("rows are bounded");
        self.0.update(bytes.to_be_bytes());
        self.0.update(row);
    }

    pub(crate) fn finish(self) -> Hash {
        self.0.finalize().into()
    }
}

/// The hash of a group, of its buckets' hashes one after another.
pub(crate) fn group_hash(group: u32, buckets: &[u8]) -> Hash {
    Sha256::new().chain_update([1]).chain_update(group.to_be_bytes()).chain_update(buckets).finalize().into()
}

/// The checksum of a set, of its groups' hashes one after another.
pub(crate) fn checksum(list: &ListId, shape: Shape, rows: u64, groups: &[u8]) -> Checksum {
    let id = list.as_str().as_bytes();
    let id_bytes = u8::try_from(id.len()).expect("the id of a list is short");
    let hasher = Sha256::new()
        .chain_update([2, FORMAT_VERSION, shape.bits])
        .chain_update(rows.to_be_bytes())
        .chain_update([id_bytes])
        .chain_update(id)
        .chain_update(groups);
    Checksum(hasher.finalize().into())
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checksum({self})")
    }
}

impl Serialize for Checksum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Checksum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let hex = String::deserialize(deserializer)?;
        let expected = || de::Error::custom("expected a SHA-256 in 64 lower-case hexadecimal digits");
        let digits = hex.as_bytes();
        if digits.len() != 2 * HASH_BYTES || digits.iter().any(u8::is_ascii_uppercase) {
            return Err(expected());
        }
        let mut hash = [0; HASH_BYTES];
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            *byte = digit(pair[0]).ok_or_else(expected)? << 4 | digit(pair[1]).ok_or_else(expected)?;
        }
        Ok(Self(hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        for (rows, bits) in [(0, 0), (1, 0), (63, 0), (64, 1), (10_000_000, 18), (100_000_000, 21)] {
            let shape = Shape::for_rows(rows);
            assert_eq!(shape.bits(), bits, "{rows} rows");
            assert!(shape.fits(rows));
            assert_eq!(shape.groups() * shape.group_buckets(), shape.buckets());
        }
        let shape = Shape::for_rows(10_000_000);
        assert!(shape.fits(30_000_000) && !shape.fits(40_000_000) && !shape.fits(4_000_000));
        assert_eq!(shape.bucket(u64::MAX), shape.buckets() - 1);
        assert_eq!(Shape::for_rows(1).bucket(u64::MAX), 0);
        assert_eq!(Shape::new(BUCKET_BITS_MAX + 1), None);
    }

    #[test]
    fn checksums_are_read_as_they_are_written() {
        let checksum = checksum(&"a".parse().unwrap(), Shape::for_rows(0), 0, &group_hash(0, &[]));
        let text = serde_json::to_string(&checksum).unwrap();
        assert_eq!(serde_json::from_str::<Checksum>(&text).unwrap(), checksum);
        for bad in
            [text.to_uppercase(), text.replace('"', "\"0"), text.replacen('"', "\"g", 1), "\"\"".into()]
        {
            assert!(serde_json::from_str::<Checksum>(&bad).is_err(), "{bad}");
        }
    }
}
