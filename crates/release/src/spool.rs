//! Sorts more records than memory holds: parts of them are sorted in memory and written out, then merged.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use crate::ReleaseError;

/// How much is sorted in memory at a time, in bytes.
const PART_BYTES: usize = 64 * 1024 * 1024;
/// What is read of each part at a time, in bytes.
const READ_BYTES: usize = 64 * 1024;
/// The most parts: as many files as a process may open everywhere, and a hundred million rows.
const PARTS_MAX: usize = 512;

/// A record with the key by which it is sorted.
pub(crate) type Record = (u64, Vec<u8>);

/// Takes records in any order, and gives them in that of their keys.
pub(crate) struct Spool {
    folder: PathBuf,
    part_bytes: usize,
    bytes: Vec<u8>,
    /// The key of each record in memory, and where it stands.
    places: Vec<(u64, usize, usize)>,
    parts: Vec<File>,
}

impl Spool {
    /// With its files, which have no name, in `folder`.
    pub(crate) fn new(folder: &Path) -> Self {
        let folder = folder.to_owned();
        Self { folder, part_bytes: PART_BYTES, bytes: Vec::new(), places: Vec::new(), parts: Vec::new() }
    }

    pub(crate) fn push(&mut self, key: u64, record: &[u8]) -> Result<(), ReleaseError> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(record);
        self.places.push((key, start, self.bytes.len()));
        if self.bytes.len() >= self.part_bytes {
            self.write_part().map_err(|source| failed(&self.folder, source))?;
        }
        Ok(())
    }

    fn write_part(&mut self) -> io::Result<()> {
        if self.parts.len() == PARTS_MAX {
            return Err(io::Error::other("more rows than can be sorted: expected a smaller list"));
        }
        self.places.sort_unstable();
        let mut file = BufWriter::new(tempfile::tempfile_in(&self.folder)?);
        for (key, start, end) in self.places.drain(..) {
            let bytes = u32::try_from(end - start).expect("records are bounded");
            file.write_all(&key.to_le_bytes())?;
            file.write_all(&bytes.to_le_bytes())?;
            file.write_all(&self.bytes[start..end])?;
        }
        self.bytes.clear();
        let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        self.parts.push(file);
        Ok(())
    }

    /// All records in the order of their keys.
    pub(crate) fn sorted(mut self) -> Result<Sorted, ReleaseError> {
        if !self.parts.is_empty() {
            self.write_part().map_err(|source| failed(&self.folder, source))?;
        }
        self.places.sort_unstable();
        let places = std::mem::take(&mut self.places);
        let readers = self.parts.into_iter().map(|file| BufReader::with_capacity(READ_BYTES, file));
        let (parts, bytes) = (readers.collect::<Vec<_>>(), self.bytes);
        let mut sorted =
            Sorted { folder: self.folder, parts, next: BinaryHeap::new(), bytes, places: places.into_iter() };
        for part in 0..sorted.parts.len() {
            sorted.refill(part)?;
        }
        Ok(sorted)
    }
}

/// Records in the order of their keys.
pub(crate) struct Sorted {
    folder: PathBuf,
    parts: Vec<BufReader<File>>,
    /// The first record of each part that is left.
    next: BinaryHeap<Reverse<(u64, usize, Vec<u8>)>>,
    bytes: Vec<u8>,
    /// What never left memory.
    places: std::vec::IntoIter<(u64, usize, usize)>,
}

impl Sorted {
    fn refill(&mut self, part: usize) -> Result<(), ReleaseError> {
        let read = read_record(&mut self.parts[part]).map_err(|source| failed(&self.folder, source))?;
        if let Some((key, record)) = read {
            self.next.push(Reverse((key, part, record)));
        }
        Ok(())
    }

    pub(crate) fn next(&mut self) -> Result<Option<Record>, ReleaseError> {
        if let Some((key, start, end)) = self.places.next() {
            return Ok(Some((key, self.bytes[start..end].to_vec())));
        }
        let Some(Reverse((key, part, record))) = self.next.pop() else { return Ok(None) };
        self.refill(part)?;
        Ok(Some((key, record)))
    }
}

fn read_record(part: &mut BufReader<File>) -> io::Result<Option<Record>> {
    let mut head = [0; 12];
    match part.read(&mut head[..1])? {
        0 => return Ok(None),
        _ => part.read_exact(&mut head[1..])?,
    }
    let [key, bytes] = [&head[..8], &head[8..]];
    let key = u64::from_le_bytes(*key.first_chunk().expect("eight bytes"));
    let bytes = u32::from_le_bytes(*bytes.first_chunk().expect("four bytes"));
    let mut record = vec![0; bytes as usize];
    part.read_exact(&mut record)?;
    Ok(Some((key, record)))
}

fn failed(folder: &Path, source: io::Error) -> ReleaseError {
    ReleaseError::io(folder, source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_in_order_from_any_number_of_parts() {
        let folder = tempfile::tempdir().unwrap();
        for part_bytes in [10, 1000, PART_BYTES] {
            let mut spool = Spool::new(folder.path());
            spool.part_bytes = part_bytes;
            let key = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            for number in 0..300 {
                spool.push(key(number), number.to_string().as_bytes()).unwrap();
            }
            let mut expected: Vec<Record> =
                (0..300).map(|n: u64| (key(n), n.to_string().into_bytes())).collect();
            expected.sort_unstable();
            let mut sorted = spool.sorted().unwrap();
            let given: Vec<Record> = std::iter::from_fn(|| sorted.next().unwrap()).collect();
            assert!(given == expected, "parts of {part_bytes} bytes");
        }
    }
}
