//! How an index file is laid out. All numbers are little-endian.
//!
//! ```text
//! header      one page: counts, places of the parts, checksum of the page
//! records     64 bytes an entry, by entry number
//! rows        20 bytes each: seal, entry number; sorted
//! front       lines of 64 bytes, or filter blocks of 64 bytes, in the order of the seals
//! starts      behind a filter: where each bucket's rows start, 4 bytes each, and the end
//! texts       references: length in 2 bytes, UTF-8
//! categories  words, each ended by a line feed
//! catalogue   the caller's bytes
//! sums        xxh3 of each 16-KiB block from the records to here
//! trailer     keyed BLAKE3 of all bytes after the header up to here, then of the header
//! ```
//!
//! A part starts at a multiple of 64 bytes, the records at byte 4096.

use hashward_core::AlgorithmSet;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::record::{RECORD_BYTES, algorithm_bits, algorithms_of};
use crate::rows::ROW_BYTES;
use crate::{PAIRS_MAX, Part};

pub(crate) const MAGIC: [u8; 16] = *b"hashward index\r\n";
pub(crate) const VERSION: u32 = 1;
pub(crate) const HEADER_BYTES: usize = 4096;
pub(crate) const TRAILER_BYTES: usize = 32;
/// What one checksum covers: read whole at its first touch, so small enough for a seldom hit from a disk, large
/// enough that the checksums are a two-thousandth of the file.
pub(crate) const BLOCK_BYTES: usize = 16 * 1024;
pub(crate) const SUM_BYTES: usize = 8;
/// Lines and filter blocks are cache lines.
pub(crate) const LINE_BYTES: usize = 64;
pub(crate) const START_BYTES: usize = 4;
/// How many rows a bucket has on average.
pub(crate) const BUCKET_ROWS: u64 = 16;
pub(crate) const KEY_CHECK_BYTES: usize = 16;
/// Where the header's own checksum stands: its last eight bytes.
const HEADER_SUM_AT: usize = HEADER_BYTES - SUM_BYTES;
/// Tells the header's checksum from a block's.
const HEADER_SEED: u64 = u64::MAX;

/// What stands between records and rows, and a lookup reads first.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Layout {
    /// A cache-line Bloom filter, 2 bytes a signal, before a sorted set that can stay on disk: about one miss in
    /// a thousand touches the set.
    FilterAndSet,
    /// A cache line for each bucket with 16 bits of each of its seals, 4 bytes a signal: a miss reads one line,
    /// a hit one more place. Rows can stay on disk here too: about one miss in 700 touches them.
    LineTable,
}

impl Layout {
    /// The largest line table that is chosen unasked.
    pub const LINE_TABLE_BYTES_MAX: u64 = 4 << 30;

    /// What suits an index of so many signals: the line table, since it answers faster, until it would take more
    /// than [`Layout::LINE_TABLE_BYTES_MAX`] of memory; beyond a billion signals the filter, at half of it.
    pub const fn for_signals(signals: u64) -> Self {
        if signals / BUCKET_ROWS * LINE_BYTES as u64 <= Self::LINE_TABLE_BYTES_MAX {
            Self::LineTable
        } else {
            Self::FilterAndSet
        }
    }

    const fn number(self) -> u32 {
        match self {
            Self::FilterAndSet => 1,
            Self::LineTable => 2,
        }
    }
}

/// The parts that the header names, in the order of the file.
pub(crate) const PARTS: [Part; 8] = [
    Part::Records,
    Part::Rows,
    Part::Front,
    Part::Starts,
    Part::Texts,
    Part::Categories,
    Part::Catalogue,
    Part::Sums,
];

/// Where a part stands, in bytes from the start of the file.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Span {
    pub(crate) at: u64,
    pub(crate) bytes: u64,
}

impl Span {
    pub(crate) const fn end(self) -> u64 {
        self.at.saturating_add(self.bytes)
    }
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Header {
    pub(crate) layout: Layout,
    pub(crate) key_check: [u8; KEY_CHECK_BYTES],
    pub(crate) file_bytes: u64,
    pub(crate) signals: u64,
    pub(crate) rows: u64,
    pub(crate) entries: u64,
    pub(crate) buckets: u64,
    pub(crate) algorithms: AlgorithmSet,
    /// xxh3 of the part with the checksums.
    pub(crate) sums_sum: u64,
    pub(crate) spans: [Span; PARTS.len()],
}

/// Why bytes are no header of this program.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum HeaderFault {
    Magic,
    Version(u32),
    /// A wrong checksum, or a number that contradicts another.
    Damaged,
}

pub(crate) const fn buckets_for(rows: u64) -> u64 {
    let buckets = rows.div_ceil(BUCKET_ROWS);
    if buckets == 0 { 1 } else { buckets }
}

/// The checksum of a block: its number goes in, so that blocks cannot change places unseen.
pub(crate) fn block_sum(block: &[u8], number: u64) -> u64 {
    xxh3_64_with_seed(block, number)
}

impl Header {
    pub(crate) fn span(&self, part: Part) -> Span {
        PARTS
            .iter()
            .zip(self.spans)
            .find(|(named, _)| **named == part)
            .map_or(Span::default(), |(_, span)| span)
    }

    pub(crate) fn to_bytes(&self) -> [u8; HEADER_BYTES] {
        let mut page = [0; HEADER_BYTES];
        page[..16].copy_from_slice(&MAGIC);
        page[16..20].copy_from_slice(&VERSION.to_le_bytes());
        page[20..24].copy_from_slice(&self.layout.number().to_le_bytes());
        page[24..40].copy_from_slice(&self.key_check);
        let counts = [
            self.file_bytes,
            self.signals,
            self.rows,
            self.entries,
            self.buckets,
            u64::from(algorithm_bits(self.algorithms)),
            self.sums_sum,
        ];
        let numbers = counts.into_iter().chain(self.spans.iter().flat_map(|span| [span.at, span.bytes]));
        for (place, number) in page[40..].chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        let sum = xxh3_64_with_seed(&page[..HEADER_SUM_AT], HEADER_SEED);
        page[HEADER_SUM_AT..].copy_from_slice(&sum.to_le_bytes());
        page
    }

    /// Reads a header and holds its numbers against each other, so that later no place is looked for outside
    /// the file. The file's length is the caller's to compare.
    pub(crate) fn from_bytes(page: &[u8; HEADER_BYTES]) -> Result<Self, HeaderFault> {
        let u64_at = |at: usize| u64::from_le_bytes(page[at..at + 8].try_into().expect("eight bytes"));
        let u32_at = |at: usize| u32::from_le_bytes(page[at..at + 4].try_into().expect("four bytes"));
        if page[..16] != MAGIC {
            return Err(HeaderFault::Magic);
        }
        if u32_at(16) != VERSION {
            return Err(HeaderFault::Version(u32_at(16)));
        }
        let sum = xxh3_64_with_seed(&page[..HEADER_SUM_AT], HEADER_SEED);
        let layout = [Layout::FilterAndSet, Layout::LineTable].into_iter().find(|l| l.number() == u32_at(20));
        let (true, Some(layout)) = (u64_at(HEADER_SUM_AT) == sum, layout) else {
            return Err(HeaderFault::Damaged);
        };
        let span = |place: usize| Span { at: u64_at(96 + 16 * place), bytes: u64_at(104 + 16 * place) };
        let header = Self {
            layout,
            key_check: page[24..40].try_into().expect("sixteen bytes"),
            file_bytes: u64_at(40),
            signals: u64_at(48),
            rows: u64_at(56),
            entries: u64_at(64),
            buckets: u64_at(72),
            algorithms: algorithms_of(page[80]),
            sums_sum: u64_at(88),
            spans: std::array::from_fn(span),
        };
        if header.is_coherent() { Ok(header) } else { Err(HeaderFault::Damaged) }
    }

    fn is_coherent(&self) -> bool {
        let counts = [self.rows, self.entries, self.buckets];
        if counts.iter().any(|count| *count > PAIRS_MAX) || i64::try_from(self.file_bytes).is_err() {
            return false;
        }
        // No sum below can overflow: each is compared with the file's length before the next.
        let mut end = HEADER_BYTES as u64;
        for span in self.spans {
            if span.at != end.next_multiple_of(LINE_BYTES as u64) || span.end() > self.file_bytes {
                return false;
            }
            end = span.end();
        }
        let bytes = |part| self.span(part).bytes;
        let blocks = (self.span(Part::Sums).at - HEADER_BYTES as u64).div_ceil(BLOCK_BYTES as u64);
        let front_fits = match self.layout {
            Layout::LineTable => {
                bytes(Part::Front) == (self.buckets + 1) * LINE_BYTES as u64 && bytes(Part::Starts) == 0
            }
            Layout::FilterAndSet => {
                bytes(Part::Front) >= LINE_BYTES as u64
                    && bytes(Part::Front).is_multiple_of(LINE_BYTES as u64)
                    && bytes(Part::Starts) == (self.buckets + 1) * START_BYTES as u64
            }
        };
        self.buckets == buckets_for(self.rows)
            && self.signals <= self.rows
            && bytes(Part::Records) == self.entries * RECORD_BYTES as u64
            && bytes(Part::Rows) == self.rows * ROW_BYTES as u64
            && front_fits
            && bytes(Part::Sums) == blocks * SUM_BYTES as u64
            && self.file_bytes == end + TRAILER_BYTES as u64
    }
}
