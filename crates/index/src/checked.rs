use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::format::{BLOCK_BYTES, HEADER_BYTES, Header, SUM_BYTES, Span, block_sum};
use crate::map::Bytes;
use crate::{IndexError, Part};

/// The bytes of an index, each block of which is held against its checksum when it is first touched.
///
/// So opening costs the same at any size, and no damaged byte takes part in an answer. What happens to a block
/// after that, in memory, is not seen; [`crate::Index::verify`] looks at everything again.
pub(crate) struct Checked {
    bytes: Bytes,
    path: PathBuf,
    /// Where the checksums stand; the blocks end before them.
    sums: Range<usize>,
    /// A bit for each block: whether it was found to be right. The bytes never change, so that two threads may
    /// look at one block at the same time, and nothing else depends on a bit: no order is needed.
    right: Box<[AtomicU64]>,
}

impl Checked {
    /// The bytes that `header`, already found coherent and as long as the file, describes.
    pub(crate) fn new(bytes: Bytes, path: &Path, header: &Header) -> Self {
        let sums = header.span(Part::Sums);
        let (start, end) = (to_usize(sums.at), to_usize(sums.end()));
        let words = (sums.bytes / SUM_BYTES as u64).div_ceil(64);
        let right = (0..words).map(|_| AtomicU64::new(0)).collect();
        Self { bytes, path: path.to_owned(), sums: start..end, right }
    }

    /// Everything, unchecked.
    pub(crate) fn all(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes that hold the checksums of all blocks.
    pub(crate) fn sums(&self) -> &[u8] {
        &self.all()[self.sums.clone()]
    }

    pub(crate) fn damaged(&self, part: Part, at: u64) -> IndexError {
        IndexError::Damaged { path: self.path.clone(), part, at }
    }

    /// `N` bytes of a part, from `from` within it: [`Checked::bytes`] for what lookups do with each digest. The
    /// usual case, one block that is known to be right, takes a few instructions.
    #[inline]
    pub(crate) fn array<const N: usize>(
        &self,
        part: Part,
        span: Span,
        from: u64,
    ) -> Result<&[u8; N], IndexError> {
        if span.bytes.checked_sub(N as u64).is_some_and(|last| from <= last) {
            // Within a part, thus behind the header, and within the file and its address space.
            let at = to_usize(span.at + from);
            let (first, last) =
                ((at - HEADER_BYTES) / BLOCK_BYTES, (at + N - 1 - HEADER_BYTES) / BLOCK_BYTES);
            if first == last && self.is_known(first) {
                return Ok(self.all()[at..].first_chunk().expect("a part ends within the file"));
            }
        }
        Ok(self.bytes(part, span, from, N)?.try_into().expect("as many bytes as asked for"))
    }

    /// Some bytes of a part, from `from` within it, after a look at the checksums of their blocks. Bytes outside
    /// the part are damage: some other part sent us there.
    #[inline(never)]
    pub(crate) fn bytes(&self, part: Part, span: Span, from: u64, bytes: usize) -> Result<&[u8], IndexError> {
        if from.checked_add(bytes as u64).is_none_or(|end| end > span.bytes) {
            return Err(self.damaged(part, span.at));
        }
        let at = to_usize(span.at + from);
        if bytes > 0 {
            let last = (at + bytes - 1 - HEADER_BYTES) / BLOCK_BYTES;
            for block in (at - HEADER_BYTES) / BLOCK_BYTES..=last {
                if !self.is_known(block) {
                    self.check(part, block)?;
                }
            }
        }
        Ok(&self.all()[at..at + bytes])
    }

    /// Whether a block was found to be right.
    #[inline]
    fn is_known(&self, block: usize) -> bool {
        self.right[block / 64].load(Ordering::Relaxed) >> (block % 64) & 1 == 1
    }

    /// A part as a whole.
    pub(crate) fn part(&self, part: Part, span: Span) -> Result<&[u8], IndexError> {
        self.bytes(part, span, 0, to_usize(span.bytes))
    }

    /// Where the first block starts that is not as it was written, whatever was found before.
    pub(crate) fn first_damage(&self) -> Option<u64> {
        let blocks = self.sums.len() / SUM_BYTES;
        (0..blocks).find(|block| !self.is_right(*block)).map(|block| block_start(block) as u64)
    }

    #[cold]
    fn check(&self, part: Part, block: usize) -> Result<(), IndexError> {
        if !self.is_right(block) {
            return Err(self.damaged(part, block_start(block) as u64));
        }
        self.right[block / 64].fetch_or(1 << (block % 64), Ordering::Relaxed);
        Ok(())
    }

    fn is_right(&self, block: usize) -> bool {
        let start = block_start(block);
        let end = self.sums.start.min(start + BLOCK_BYTES);
        let sum = block_sum(&self.all()[start..end], block as u64);
        self.sums()[block * SUM_BYTES..][..SUM_BYTES] == sum.to_le_bytes()
    }
}

fn block_start(block: usize) -> usize {
    HEADER_BYTES + block * BLOCK_BYTES
}

/// A place in a file that is mapped, or that fits into memory.
pub(crate) fn to_usize(place: u64) -> usize {
    usize::try_from(place).expect("a place in the address space")
}
