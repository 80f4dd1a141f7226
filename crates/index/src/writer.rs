use std::io;
use std::path::{Path, PathBuf};

use hashward_core::{AlgorithmSet, Digest};

use crate::format::{Header, KEY_CHECK_BYTES, Layout, PARTS, Span, buckets_for};
use crate::front::Front;
use crate::output::{Output, folder_of};
use crate::pairs::{PAIRS_IN_MEMORY_MAX, Pairs};
use crate::record::RawRecord;
use crate::rows::row_bytes;
use crate::seal::{Seal, Sealer};
use crate::spool::Spool;
use crate::texts::Texts;
use crate::{EntryNumber, EntryRecord, Index, IndexError, Part, SealKey, SignalIndex as _};

/// The greatest number of entries, and of pairs of a digest and an entry, in one index.
pub const PAIRS_MAX: u64 = u32::MAX as u64;
/// The longest catalogue.
pub const CATALOGUE_BYTES_MAX: usize = 64 << 20;
/// After how many rows progress is told.
const PROGRESS_ROWS: u64 = 1 << 20;

/// How far the last step of a build is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Progress {
    /// Pairs of a digest and an entry that are written.
    pub written: u64,
    /// All of them.
    pub total: u64,
}

/// Builds an index from entries that come one after another, in bounded memory: fixed buffers of about 250 MB, and a
/// 256th of all pairs of a digest and an entry. Only a digest that very many entries hold needs more: 24 bytes for
/// each of them.
///
/// An index file appears at its path in one step, whole and on the disk. Until then, what is there stays in use;
/// an error, a full disk or a kill leaves it so. The unfinished file stands beside it under a name of its own;
/// what a kill leaves of it, the next build removes.
pub struct IndexWriter {
    output: Output,
    /// Where the index will stand; for errors.
    path: PathBuf,
    folder: Option<PathBuf>,
    sealer: Sealer,
    key_check: [u8; KEY_CHECK_BYTES],
    layout: Option<Layout>,
    records_start: u64,
    entries: u32,
    algorithms: AlgorithmSet,
    pairs: Pairs,
    texts: Texts,
    seals: Vec<Seal>,
}

impl IndexWriter {
    /// A writer of an index file at `path`. The folder needs room for the index and half of it more.
    pub fn create(path: &Path, key: &SealKey) -> Result<Self, IndexError> {
        let failed = |source| IndexError::Write { path: path.to_owned(), source };
        let output = Output::to_file(path, key.whole_hasher()).map_err(failed)?;
        Self::new(output, path, Some(folder_of(path)), key)
    }

    /// A writer of an index in memory, for small ones: see [`IndexWriter::finish_to_bytes`].
    pub fn in_memory(key: &SealKey) -> Result<Self, IndexError> {
        Self::new(Output::to_memory(key.whole_hasher()), Path::new(crate::index::IN_MEMORY), None, key)
    }

    fn new(
        mut output: Output,
        path: &Path,
        folder: Option<&Path>,
        key: &SealKey,
    ) -> Result<Self, IndexError> {
        let started = output.start_part();
        Ok(Self {
            output,
            path: path.to_owned(),
            folder: folder.map(Path::to_owned),
            sealer: Sealer::new(key),
            key_check: key.check_value(),
            layout: None,
            records_start: started.map_err(|source| IndexError::Write { path: path.to_owned(), source })?,
            entries: 0,
            algorithms: AlgorithmSet::EMPTY,
            pairs: Pairs::new(folder, PAIRS_IN_MEMORY_MAX),
            texts: Texts::new(folder),
            seals: Vec::new(),
        })
    }

    /// Sets the layout; without this it is [`Layout::for_signals`].
    #[must_use]
    pub fn with_layout(mut self, layout: Layout) -> Self {
        self.layout = Some(layout);
        self
    }

    /// Adds an entry with the digests of its item and returns its number: they count from 0. The record's
    /// algorithms become those of `digests`.
    pub fn add(&mut self, record: &EntryRecord, digests: &[Digest]) -> Result<EntryNumber, IndexError> {
        let mut seals = std::mem::take(&mut self.seals);
        seals.clear();
        seals.resize(digests.len(), Seal::default());
        self.sealer.seal_batch(digests, &mut seals);
        let algorithms = digests.iter().map(Digest::algorithm).collect();
        let added = self.add_sealed(&EntryRecord { algorithms, ..*record }, &mut seals);
        self.seals = seals;
        added
    }

    /// Adds an entry whose digests are sealed already, with the key of this writer. `seals` comes back sorted.
    pub fn add_sealed(
        &mut self,
        record: &EntryRecord,
        seals: &mut [Seal],
    ) -> Result<EntryNumber, IndexError> {
        let number = self.add_record(record)?;
        seals.sort_unstable();
        for same in seals.chunk_by(|left, right| left == right) {
            self.add_pair(same[0], number)?;
        }
        Ok(number)
    }

    /// Adds every entry of an index that `withdrawn`, sorted, does not name, in their order.
    pub fn copy(&mut self, index: &Index, withdrawn: &[EntryNumber]) -> Result<(), IndexError> {
        if index.key_check() != &self.key_check {
            return Err(IndexError::KeysDiffer);
        }
        let first = u64::from(self.entries);
        for number in (0..index.entries()).map(entry_number) {
            if withdrawn.binary_search(&number).is_err() {
                self.add_record(&index.record(number)?)?;
            }
        }
        for row in 0..index.rows() {
            let (seal, number) = index.row(row)?;
            if let Err(gone_before) = withdrawn.binary_search(&number) {
                self.add_pair(seal, entry_number(first + u64::from(number.0) - gone_before as u64))?;
            }
        }
        Ok(())
    }

    fn add_record(&mut self, record: &EntryRecord) -> Result<EntryNumber, IndexError> {
        if u64::from(self.entries) == PAIRS_MAX {
            return Err(IndexError::TooMany { what: "entries", max: PAIRS_MAX });
        }
        let category = record.category.map(|category| self.texts.category(category)).transpose()?;
        let reference = record.reference.map(|text| self.texts.reference(text)).transpose()?;
        let reference_at = reference.transpose().map_err(|source| self.failed(source))?;
        let raw = RawRecord {
            list: record.list,
            id: record.id.0,
            algorithms: record.algorithms,
            disputed: record.disputed,
            category,
            size_bytes: record.size_bytes,
            valid_from: record.valid_from,
            valid_until: record.valid_until,
            listed_since: record.listed_since,
            line: record.line,
            reference_at,
        };
        self.output.write(&raw.to_bytes()).map_err(|source| self.failed(source))?;
        self.algorithms = self.algorithms.union(record.algorithms);
        self.entries += 1;
        Ok(EntryNumber(self.entries - 1))
    }

    fn add_pair(&mut self, seal: Seal, entry: EntryNumber) -> Result<(), IndexError> {
        if self.pairs.count() == PAIRS_MAX {
            return Err(IndexError::TooMany { what: "pairs of a digest and an entry", max: PAIRS_MAX });
        }
        self.pairs.push(seal, entry).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> IndexError {
        IndexError::Write { path: self.path.clone(), source }
    }

    /// Writes what is left and puts the file in its place. `catalogue` is kept for the reader, byte by byte.
    pub fn finish(self, catalogue: &[u8], progress: &mut dyn FnMut(Progress)) -> Result<(), IndexError> {
        self.write(catalogue, progress).map(|_| ())
    }

    /// The bytes of an index in memory. Panics if the writer is one of a file.
    pub fn finish_to_bytes(self, catalogue: &[u8]) -> Result<Vec<u8>, IndexError> {
        assert!(self.folder.is_none(), "a writer of a file has no bytes to give");
        let bytes = self.write(catalogue, &mut |_| {})?;
        Ok(bytes.expect("only a writer in memory gives its bytes"))
    }

    fn write(
        self,
        catalogue: &[u8],
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Option<Vec<u8>>, IndexError> {
        if catalogue.len() > CATALOGUE_BYTES_MAX {
            let (bytes, max) = (catalogue.len(), CATALOGUE_BYTES_MAX);
            return Err(IndexError::TooLong { what: "a catalogue", bytes, max });
        }
        let path = self.path.clone();
        self.write_parts(catalogue, progress).map_err(|source| IndexError::Write { path, source })
    }

    fn write_parts(
        self,
        catalogue: &[u8],
        progress: &mut dyn FnMut(Progress),
    ) -> io::Result<Option<Vec<u8>>> {
        let Self { mut output, pairs, texts, .. } = self;
        let rows = pairs.count();
        let layout = self.layout.unwrap_or(Layout::for_signals(rows));
        let mut front = Front::new(layout, rows, self.folder.as_deref());
        let records = output.end_part(self.records_start);

        let start = output.start_part()?;
        let (mut signals, mut written, mut last) = (0, 0, None);
        pairs.drain_sorted(|seal, entry| {
            output.write(&row_bytes(seal, entry))?;
            front.push(seal)?;
            signals += u64::from(last != Some(seal));
            last = Some(seal);
            written += 1;
            if written % PROGRESS_ROWS == 0 || written == rows {
                progress(Progress { written, total: rows });
            }
            Ok(())
        })?;
        let row_span = output.end_part(start);
        let (front, starts) = front.finish()?;
        let (references, words) = texts.into_parts();
        let front = write_spool(&mut output, front)?;
        let starts = write_spool(&mut output, starts)?;
        let references = write_spool(&mut output, references)?;
        let words = write_part(&mut output, words.as_bytes())?;
        let catalogue = write_part(&mut output, catalogue)?;
        let (sums, sums_sum) = output.write_sums()?;
        let spans: [Span; PARTS.len()] = PARTS.map(|part| match part {
            Part::Records => records,
            Part::Rows => row_span,
            Part::Front => front,
            Part::Starts => starts,
            Part::Texts => references,
            Part::Categories => words,
            Part::Catalogue => catalogue,
            Part::Sums => sums,
            Part::Header | Part::Trailer => unreachable!("PARTS names neither"),
        });
        let header = Header {
            layout,
            key_check: self.key_check,
            file_bytes: output.file_bytes(),
            signals,
            rows,
            entries: u64::from(self.entries),
            buckets: buckets_for(rows),
            algorithms: self.algorithms,
            sums_sum,
            spans,
        };
        output.finish(&header)
    }
}

fn entry_number(number: u64) -> EntryNumber {
    EntryNumber(u32::try_from(number).expect("there are at most PAIRS_MAX entries"))
}

fn write_part(output: &mut Output, bytes: &[u8]) -> io::Result<Span> {
    let start = output.start_part()?;
    output.write(bytes)?;
    Ok(output.end_part(start))
}

fn write_spool(output: &mut Output, spool: Spool) -> io::Result<Span> {
    let start = output.start_part()?;
    spool.drain(|bytes| output.write(bytes))?;
    Ok(output.end_part(start))
}
