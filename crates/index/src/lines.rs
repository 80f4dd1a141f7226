//! The line table: a cache line for each bucket of rows.
//!
//! A line holds the number of its bucket's first row (u32), then a tag for each of the bucket's first 30 rows in
//! their order: 16 bits of the seal, zero for no row. A tag that equals says which row to compare. A bucket has
//! 16 rows on average, so that one line in a thousand is full; then the rows beyond are searched too.

use crate::format::LINE_BYTES;
use crate::seal::Seal;
use crate::spool::Spool;

const LANES: usize = LINE_BYTES / 2;
/// The lanes that hold the number of the first row.
const START_LANES: usize = 2;
/// How many rows of a bucket have a tag.
pub(crate) const TAGS: usize = LANES - START_LANES;

/// The bucket of a seal: its place among all seals, scaled to the number of buckets. Buckets follow one another
/// as seals do.
#[inline]
pub(crate) fn bucket_of(seal: Seal, buckets: u64) -> u64 {
    let scaled = u128::from(seal.high) * u128::from(buckets);
    u64::try_from(scaled >> 64).expect("the high half of a product of 128 bits")
}

#[inline]
fn tag_of(seal: Seal) -> u16 {
    let [.., high, low] = seal.low.to_be_bytes();
    u16::from_be_bytes([high, low]).max(1)
}

/// What a line says about a seal.
pub(crate) struct Line<'a>(pub(crate) &'a [u8; LINE_BYTES]);

impl Line<'_> {
    /// The bucket's first row.
    #[inline]
    pub(crate) fn start(&self) -> u64 {
        let [a, b, c, d, ..] = *self.0;
        u64::from(u32::from_le_bytes([a, b, c, d]))
    }

    #[inline]
    fn lane(&self, lane: usize) -> u16 {
        u16::from_le_bytes([self.0[2 * lane], self.0[2 * lane + 1]])
    }

    /// Whether every tag is taken, so that the bucket may have more rows than tags.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.lane(LANES - 1) != 0
    }

    /// Whether the seal may be among the bucket's rows. No branch, so that it is compared sixteen bytes at once;
    /// the lanes with the number of the first row are compared too, which is seldom in vain.
    #[inline]
    pub(crate) fn may_hold(&self, seal: Seal) -> bool {
        let tag = tag_of(seal);
        let same = (0..LANES).fold(false, |same, lane| same | (self.lane(lane) == tag));
        same | self.is_full()
    }

    /// The rows whose tag is the seal's, counted from the bucket's first.
    #[inline]
    pub(crate) fn candidates(&self, seal: Seal) -> impl Iterator<Item = u64> {
        let tag = tag_of(seal);
        (0..TAGS as u64)
            .zip(START_LANES..)
            .filter(move |(_, lane)| self.lane(*lane) == tag)
            .map(|(row, _)| row)
    }
}

/// Writes the lines of sorted rows, given one after another.
pub(crate) struct LineWriter {
    buckets: u64,
    /// The bucket whose line is being filled.
    bucket: u64,
    tags: usize,
    line: [u8; LINE_BYTES],
    rows: u32,
}

impl LineWriter {
    pub(crate) fn new(buckets: u64) -> Self {
        Self { buckets, bucket: 0, tags: 0, line: [0; LINE_BYTES], rows: 0 }
    }

    pub(crate) fn push(&mut self, seal: Seal, lines: &mut Spool) -> std::io::Result<()> {
        let bucket = bucket_of(seal, self.buckets);
        self.end_lines_before(bucket, lines)?;
        if self.tags < TAGS {
            let at = 2 * (START_LANES + self.tags);
            self.line[at..at + 2].copy_from_slice(&tag_of(seal).to_le_bytes());
            self.tags += 1;
        }
        self.rows += 1;
        Ok(())
    }

    /// The lines that are left, and one more that says where the last bucket ends.
    pub(crate) fn finish(mut self, lines: &mut Spool) -> std::io::Result<()> {
        self.end_lines_before(self.buckets + 1, lines)
    }

    fn end_lines_before(&mut self, bucket: u64, lines: &mut Spool) -> std::io::Result<()> {
        while self.bucket < bucket {
            lines.push(&self.line)?;
            self.line = [0; LINE_BYTES];
            self.line[..4].copy_from_slice(&self.rows.to_le_bytes());
            self.tags = 0;
            self.bucket += 1;
        }
        Ok(())
    }
}
