//! What releases changed: rows before and after, in the order of their keys.

use std::collections::VecDeque;

use rusqlite::OptionalExtension as _;

use super::Shelf;
use crate::fault::Fault;
use crate::seal::Place;

/// How many bytes a part has, but for its last pair.
const PART_BYTES: usize = 256 * 1024;

/// A row before and after; none where there was none.
pub(crate) type Pair = (Option<Vec<u8>>, Option<Vec<u8>>);

/// Writes what a release changes.
pub(crate) struct PairsWriter<'s> {
    shelf: &'s Shelf,
    release: u64,
    part: u32,
    bytes: Vec<u8>,
}

impl<'s> PairsWriter<'s> {
    pub(crate) fn new(shelf: &'s Shelf, release: u64) -> Self {
        Self { shelf, release, part: 0, bytes: Vec::new() }
    }

    pub(crate) fn pair(&mut self, before: Option<&[u8]>, after: Option<&[u8]>) -> Result<(), Fault> {
        for row in [before, after] {
            let row = row.unwrap_or_default();
            self.bytes.extend_from_slice(&u16::try_from(row.len()).expect("rows are bounded").to_be_bytes());
            self.bytes.extend_from_slice(row);
        }
        if self.bytes.len() >= PART_BYTES { self.end_part() } else { Ok(()) }
    }

    fn end_part(&mut self) -> Result<(), Fault> {
        let bytes = self.shelf.seal.close(Place::Changes(self.release, self.part), &self.bytes);
        let sql = "INSERT INTO change (release, part, bytes) VALUES (?1, ?2, ?3)";
        let mut statement = self.shelf.connection.prepare_cached(sql)?;
        statement.execute((self.release.cast_signed(), self.part, bytes))?;
        self.part += 1;
        self.bytes.clear();
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<(), Fault> {
        if self.bytes.is_empty() { Ok(()) } else { self.end_part() }
    }
}

/// Reads what a release changed.
pub(crate) struct Pairs<'s> {
    shelf: &'s Shelf,
    release: u64,
    part: u32,
    read: VecDeque<Pair>,
}

impl<'s> Pairs<'s> {
    pub(crate) fn new(shelf: &'s Shelf, release: u64) -> Self {
        Self { shelf, release, part: 0, read: VecDeque::new() }
    }

    pub(crate) fn next(&mut self) -> Result<Option<Pair>, Fault> {
        if self.read.is_empty() {
            self.read_part()?;
        }
        Ok(self.read.pop_front())
    }

    fn read_part(&mut self) -> Result<(), Fault> {
        let sql = "SELECT bytes FROM change WHERE release = ?1 AND part = ?2";
        let mut statement = self.shelf.connection.prepare_cached(sql)?;
        let kept =
            statement.query_row((self.release.cast_signed(), self.part), |row| row.get(0)).optional()?;
        let Some(kept) = kept else { return Ok(()) };
        let bytes = self.shelf.seal.open(Place::Changes(self.release, self.part), kept)?;
        let mut rest = bytes.as_slice();
        let mut take = || {
            let (length, after) = rest.split_first_chunk::<2>()?;
            let (row, after) = after.split_at_checked(u16::from_be_bytes(*length).into())?;
            rest = after;
            Some((!row.is_empty()).then(|| row.to_vec()))
        };
        while let Some(before) = take() {
            let after = take().ok_or(Fault::Damaged("what a release changed is not in pairs"))?;
            self.read.push_back((before, after));
        }
        self.part += 1;
        Ok(())
    }
}
