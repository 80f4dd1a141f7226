//! The filter before the sorted set: a split block Bloom filter (Putze, Sanders, Singler, "Cache-, Hash- and
//! Space-Efficient Bloom Filters", 2007; the form with a bit in each word is that of Apache Impala and Parquet).
//!
//! A block is a cache line of eight 64-bit words; a seal sets one bit in each word of its block. At 16 bits a
//! signal about one stranger in a thousand passes. Seals are uniform and secret, so that they are their own hash.

use crate::format::{LINE_BYTES, START_BYTES};
use crate::lines::bucket_of;
use crate::seal::Seal;
use crate::spool::Spool;

const WORDS: usize = LINE_BYTES / 8;
/// 16 bits each.
const SIGNALS_PER_BLOCK: u64 = 32;
/// Bits of a seal below these choose tags; each word of a block takes six of the others.
const BITS_FROM: usize = 16;

/// How many blocks a filter for so many signals has.
pub(crate) fn blocks_for(signals: u64) -> u64 {
    signals.div_ceil(SIGNALS_PER_BLOCK).max(1)
}

/// The block of a seal. Blocks follow one another as seals do.
#[inline]
pub(crate) fn block_of(seal: Seal, blocks: u64) -> u64 {
    bucket_of(seal, blocks)
}

#[inline]
fn bit(seal: Seal, word: usize) -> u64 {
    1 << (seal.low >> (BITS_FROM + 6 * word) & 63)
}

/// Whether the seal may be among those that the block was made of.
#[inline]
pub(crate) fn may_hold(block: &[u8; LINE_BYTES], seal: Seal) -> bool {
    let mut missing = 0;
    for (word, bytes) in block.as_chunks::<8>().0.iter().enumerate() {
        missing |= !u64::from_le_bytes(*bytes) & bit(seal, word);
    }
    missing == 0
}

/// Writes the blocks of sorted seals, given one after another.
pub(crate) struct FilterWriter {
    blocks: u64,
    /// The block that is being filled.
    block: u64,
    words: [u64; WORDS],
}

impl FilterWriter {
    pub(crate) fn new(blocks: u64) -> Self {
        Self { blocks, block: 0, words: [0; WORDS] }
    }

    pub(crate) fn push(&mut self, seal: Seal, filter: &mut Spool) -> std::io::Result<()> {
        self.end_blocks_before(block_of(seal, self.blocks), filter)?;
        for (word, bits) in self.words.iter_mut().enumerate() {
            *bits |= bit(seal, word);
        }
        Ok(())
    }

    pub(crate) fn finish(mut self, filter: &mut Spool) -> std::io::Result<()> {
        self.end_blocks_before(self.blocks, filter)
    }

    fn end_blocks_before(&mut self, block: u64, filter: &mut Spool) -> std::io::Result<()> {
        while self.block < block {
            let words = std::mem::take(&mut self.words);
            words.iter().try_for_each(|word| filter.push(&word.to_le_bytes()))?;
            self.block += 1;
        }
        Ok(())
    }
}

/// Writes where each bucket's rows start, and after the last where they end.
pub(crate) struct StartWriter {
    buckets: u64,
    /// How many starts are written.
    written: u64,
    rows: u32,
}

impl StartWriter {
    pub(crate) fn new(buckets: u64) -> Self {
        Self { buckets, written: 0, rows: 0 }
    }

    pub(crate) fn push(&mut self, seal: Seal, starts: &mut Spool) -> std::io::Result<()> {
        self.start_buckets_to(bucket_of(seal, self.buckets), starts)?;
        self.rows += 1;
        Ok(())
    }

    pub(crate) fn finish(mut self, starts: &mut Spool) -> std::io::Result<()> {
        self.start_buckets_to(self.buckets, starts)
    }

    fn start_buckets_to(&mut self, bucket: u64, starts: &mut Spool) -> std::io::Result<()> {
        while self.written <= bucket {
            let start: [u8; START_BYTES] = self.rows.to_le_bytes();
            starts.push(&start)?;
            self.written += 1;
        }
        Ok(())
    }
}
