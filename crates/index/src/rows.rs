use std::ops::Range;

use crate::checked::Checked;
use crate::format::{Header, Span};
use crate::seal::Seal;
use crate::{EntryNumber, IndexError, Part};

/// A row: a seal, and one entry that holds it. A seal that several entries hold has as many rows, side by side.
pub(crate) const ROW_BYTES: usize = 20;

pub(crate) fn row_bytes(seal: Seal, entry: EntryNumber) -> [u8; ROW_BYTES] {
    let mut bytes = [0; ROW_BYTES];
    bytes[..16].copy_from_slice(&seal.to_bytes());
    bytes[16..].copy_from_slice(&entry.0.to_le_bytes());
    bytes
}

pub(crate) fn row_of(bytes: &[u8; ROW_BYTES]) -> (Seal, EntryNumber) {
    let (seal, entry) = bytes.split_at(16);
    let seal = Seal::from_bytes(seal.try_into().expect("sixteen bytes"));
    (seal, EntryNumber(u32::from_le_bytes(entry.try_into().expect("four bytes"))))
}

/// The rows of an index, sorted by seal and entry.
#[derive(Clone, Copy)]
pub(crate) struct Rows {
    span: Span,
    count: u64,
    entries: u64,
}

impl Rows {
    pub(crate) fn of(header: &Header) -> Self {
        Self { span: header.span(Part::Rows), count: header.rows, entries: header.entries }
    }

    /// Where a row stands in the file, in bytes.
    pub(crate) fn place(&self, row: u64) -> u64 {
        self.span.at + row * ROW_BYTES as u64
    }

    #[inline]
    pub(crate) fn get(&self, file: &Checked, row: u64) -> Result<(Seal, EntryNumber), IndexError> {
        file.array(Part::Rows, self.span, row * ROW_BYTES as u64).map(row_of)
    }

    /// The first of `rows` that is not below `seal`; the end of `rows` if all are.
    pub(crate) fn lower_bound(
        &self,
        file: &Checked,
        rows: Range<u64>,
        seal: Seal,
    ) -> Result<u64, IndexError> {
        let Range { mut start, mut end } = rows;
        while start < end {
            let middle = start + (end - start) / 2;
            if self.get(file, middle)?.0 < seal {
                start = middle + 1;
            } else {
                end = middle;
            }
        }
        Ok(start)
    }

    /// Tells the entries of the rows from `row` on that hold `seal`.
    pub(crate) fn tell(
        &self,
        file: &Checked,
        row: u64,
        seal: Seal,
        found: &mut dyn FnMut(EntryNumber),
    ) -> Result<(), IndexError> {
        for row in row..self.count {
            let (held, entry) = self.get(file, row)?;
            if held != seal {
                break;
            }
            if u64::from(entry.0) >= self.entries {
                return Err(file.damaged(Part::Rows, self.place(row)));
            }
            found(entry);
        }
        Ok(())
    }
}
