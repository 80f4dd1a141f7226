//! A batch of lookups in steps: each step starts to load the memory that the next one reads, for all seals of the
//! batch, so that many reads are under way at the same time. A step's misses go no further.

use std::hint::black_box;

use hashward_core::{AlgorithmSet, Digest};

use crate::checked::to_usize;
use crate::filter;
use crate::format::{LINE_BYTES, Layout, START_BYTES, Span};
use crate::index::Index;
use crate::lines::{Line, TAGS, bucket_of};
use crate::rows::ROW_BYTES;
use crate::seal::{Asked, BATCH, Seal, Sealer};
use crate::{EntryNumber, IndexError, Part};

/// How many rows of a bucket are loaded before they are searched: most buckets have fewer.
const TOUCHED_ROWS_MAX: u64 = 24;

type Found<'a> = &'a mut dyn FnMut(usize, EntryNumber);

impl Index {
    /// Tells places and entries of at most [`BATCH`] seals.
    pub(crate) fn lookup_seals(&self, asked: &[Asked], found: Found<'_>) -> Result<(), IndexError> {
        match self.header.layout {
            Layout::LineTable => self.lookup_lines(asked, found),
            Layout::FilterAndSet => self.lookup_filter(asked, found),
        }
    }

    fn lookup_lines(&self, asked: &[Asked], found: Found<'_>) -> Result<(), IndexError> {
        let (front, buckets) = (self.header.span(Part::Front), self.header.buckets);
        let all = self.file.all();
        for Asked { seal, .. } in asked {
            touch(all, line_place(front, bucket_of(*seal, buckets)));
        }
        let mut candidates = Candidates::new();
        for (number, Asked { seal, .. }) in asked.iter().enumerate() {
            let line = Line(self.line(front, bucket_of(*seal, buckets))?);
            if line.may_hold(*seal) {
                candidates.push(number);
                let row = line.start() + line.candidates(*seal).next().unwrap_or(TAGS as u64);
                touch(all, to_usize(self.rows.place(row)));
            }
        }
        for Asked { seal, place } in candidates.of(asked) {
            self.lookup_line(*seal, &mut |entry| found(*place, entry))?;
        }
        Ok(())
    }

    /// Compares the rows to which a line points.
    fn lookup_line(&self, seal: Seal, found: &mut dyn FnMut(EntryNumber)) -> Result<(), IndexError> {
        let (front, bucket) = (self.header.span(Part::Front), bucket_of(seal, self.header.buckets));
        let line = Line(self.line(front, bucket)?);
        for candidate in line.candidates(seal) {
            let row = line.start() + candidate;
            if self.rows.get(&self.file, row)?.0 == seal {
                return self.rows.tell(&self.file, row, seal, found);
            }
        }
        if line.is_full() {
            let end = Line(self.line(front, bucket + 1)?).start();
            let row = self.rows.lower_bound(&self.file, line.start() + TAGS as u64..end, seal)?;
            self.rows.tell(&self.file, row, seal, found)?;
        }
        Ok(())
    }

    fn lookup_filter(&self, asked: &[Asked], found: Found<'_>) -> Result<(), IndexError> {
        let (front, buckets) = (self.header.span(Part::Front), self.header.buckets);
        let blocks = front.bytes / LINE_BYTES as u64;
        let starts = self.header.span(Part::Starts);
        let all = self.file.all();
        for Asked { seal, .. } in asked {
            touch(all, line_place(front, filter::block_of(*seal, blocks)));
        }
        let mut candidates = Candidates::new();
        for (number, Asked { seal, .. }) in asked.iter().enumerate() {
            if filter::may_hold(self.line(front, filter::block_of(*seal, blocks))?, *seal) {
                candidates.push(number);
                let start = bucket_of(*seal, buckets) * START_BYTES as u64;
                touch(all, to_usize(starts.at + start));
            }
        }
        for Asked { seal, .. } in candidates.of(asked) {
            let (start, end) = self.bucket_rows(bucket_of(*seal, buckets))?;
            for row in (start..end.min(start + TOUCHED_ROWS_MAX)).step_by(LINE_BYTES / ROW_BYTES) {
                touch(all, to_usize(self.rows.place(row)));
            }
        }
        for Asked { seal, place } in candidates.of(asked) {
            let (start, end) = self.bucket_rows(bucket_of(*seal, buckets))?;
            let row = self.rows.lower_bound(&self.file, start..end, *seal)?;
            self.rows.tell(&self.file, row, *seal, &mut |entry| found(*place, entry))?;
        }
        Ok(())
    }

    /// The cache line with the given number of the front.
    #[inline]
    fn line(&self, front: Span, number: u64) -> Result<&[u8; LINE_BYTES], IndexError> {
        self.file.array(Part::Front, front, number * LINE_BYTES as u64)
    }

    /// Where the rows of a bucket behind the filter start and end.
    fn bucket_rows(&self, bucket: u64) -> Result<(u64, u64), IndexError> {
        let starts = self.header.span(Part::Starts);
        let bytes: &[u8; 2 * START_BYTES] =
            self.file.array(Part::Starts, starts, bucket * START_BYTES as u64)?;
        let (start, end) = bytes.split_at(START_BYTES);
        let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().expect("half of what was asked for"));
        Ok((number(start).into(), number(end).into()))
    }
}

/// Starts to load the cache line in which `bytes[at]` stands: a read for whose value nothing waits, so that the
/// core goes on. An instruction to prefetch would be the common way, but processors may drop it where the page's
/// address must first be looked up, as for most lines of a large index; a read is never dropped.
#[inline]
fn touch(bytes: &[u8], at: usize) {
    if let Some(byte) = bytes.get(at) {
        black_box(*byte);
    }
}

/// The numbers of the seals that pass the front.
struct Candidates {
    numbers: [u8; BATCH],
    count: usize,
}

impl Candidates {
    fn new() -> Self {
        Self { numbers: [0; BATCH], count: 0 }
    }

    #[inline]
    fn push(&mut self, number: usize) {
        self.numbers[self.count] = u8::try_from(number).expect("a batch is small");
        self.count += 1;
    }

    fn of<'a>(&self, asked: &'a [Asked]) -> impl Iterator<Item = &'a Asked> {
        self.numbers[..self.count].iter().map(|number| &asked[usize::from(*number)])
    }
}

fn line_place(part: Span, line: u64) -> usize {
    to_usize(part.at + line * LINE_BYTES as u64)
}

/// Seals the digests of the `wanted` algorithms and gives them to `lookup`, a batch at a time, with the place in
/// `digests` from which on the batch counts.
pub(crate) fn in_batches(
    sealer: &Sealer,
    digests: &[Digest],
    wanted: AlgorithmSet,
    mut lookup: impl FnMut(usize, &[Asked]) -> Result<(), IndexError>,
) -> Result<(), IndexError> {
    let mut asked = [Asked::default(); BATCH];
    for (number, batch) in digests.chunks(BATCH).enumerate() {
        let count = sealer.seal_chunk(batch, wanted, &mut asked);
        lookup(number * BATCH, &asked[..count])?;
    }
    Ok(())
}
