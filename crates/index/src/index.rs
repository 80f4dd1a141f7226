use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use hashward_core::{AlgorithmSet, Category, Digest, EntryId};
use xxhash_rust::xxh3::xxh3_64;

use crate::checked::{Checked, to_usize};
use crate::format::{
    HEADER_BYTES, Header, HeaderFault, KEY_CHECK_BYTES, Layout, MAGIC, PARTS, TRAILER_BYTES, VERSION,
};
use crate::lookup::in_batches;
use crate::map::Bytes;
use crate::record::{RECORD_BYTES, RawRecord};
use crate::rows::Rows;
use crate::seal::{Seal, Sealer};
use crate::texts::categories_of;
use crate::{EntryNumber, EntryRecord, IndexError, Part, SealKey, SignalIndex};

/// What stands for a path where there is no file.
pub(crate) const IN_MEMORY: &str = "(in memory)";
const FILE_BYTES_MIN: u64 = (HEADER_BYTES + TRAILER_BYTES) as u64;

/// An index as [`crate::IndexWriter`] wrote it, mapped or in memory. It never changes; any number of threads and
/// processes may ask it at once.
pub struct Index {
    pub(crate) file: Checked,
    pub(crate) header: Header,
    pub(crate) rows: Rows,
    pub(crate) sealer: Sealer,
    categories: Vec<Category>,
    /// Keyed, and without any byte yet.
    whole: blake3::Hasher,
}

impl Index {
    /// Opens an index file by mapping it: the same few reads at any size. The header, the checksums and the
    /// categories are checked now, all else at its first touch: an answer may be [`IndexError::Damaged`], never
    /// one from damaged bytes. [`Index::verify`] reads everything at once.
    ///
    /// The file must not be changed in place or cut while it is open: a process that reads what was cut off is
    /// ended by the system. [`crate::IndexWriter`] renames a new file into place, and nothing else may write here.
    pub fn open(path: &Path, key: &SealKey) -> Result<Self, IndexError> {
        let failed = |source| IndexError::Open { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let found = file.metadata().map_err(failed)?.len();
        if found < FILE_BYTES_MIN {
            return Err(IndexError::Length { path: path.to_owned(), found, expected: FILE_BYTES_MIN });
        }
        Self::new(Bytes::map(&file).map_err(failed)?, path, key)
    }

    /// An index from the bytes of a whole file.
    pub fn from_bytes(bytes: Vec<u8>, key: &SealKey) -> Result<Self, IndexError> {
        Self::new(Bytes::Owned(bytes), Path::new(IN_MEMORY), key)
    }

    fn new(bytes: Bytes, path: &Path, key: &SealKey) -> Result<Self, IndexError> {
        let owned = || path.to_owned();
        let found = bytes.len() as u64;
        let length = |expected| IndexError::Length { path: owned(), found, expected };
        let page: &[u8; HEADER_BYTES] = bytes.first_chunk().ok_or_else(|| length(FILE_BYTES_MIN))?;
        let header = Header::from_bytes(page).map_err(|fault| match fault {
            HeaderFault::Magic => IndexError::NotAnIndex { path: owned() },
            HeaderFault::Version(found) => IndexError::Version { path: owned(), found, expected: VERSION },
            HeaderFault::Damaged => IndexError::Damaged { path: owned(), part: Part::Header, at: 0 },
        })?;
        if header.file_bytes != found {
            return Err(length(header.file_bytes));
        }
        if header.key_check != key.check_value() {
            return Err(IndexError::WrongKey { path: owned() });
        }
        let (front, rows) = (header.span(Part::Front), header.span(Part::Rows));
        bytes.advise_huge_pages(to_usize(front.at), to_usize(front.bytes));
        bytes.advise_random(to_usize(rows.at), to_usize(rows.bytes));
        let file = Checked::new(bytes, path, &header);
        if xxh3_64(file.sums()) != header.sums_sum {
            return Err(file.damaged(Part::Sums, header.span(Part::Sums).at));
        }
        let words = header.span(Part::Categories);
        let categories = categories_of(file.part(Part::Categories, words)?)
            .ok_or_else(|| file.damaged(Part::Categories, words.at))?;
        let rows = Rows::of(&header);
        Ok(Self { file, header, rows, sealer: Sealer::new(key), categories, whole: key.whole_hasher() })
    }

    /// How lookups are laid out.
    pub fn layout(&self) -> Layout {
        self.header.layout
    }

    /// How many pairs of a digest and an entry there are: at least [`SignalIndex::signals`].
    pub fn rows(&self) -> u64 {
        self.header.rows
    }

    /// The length of the file.
    pub fn file_bytes(&self) -> u64 {
        self.header.file_bytes
    }

    /// How many bytes misses read: the part that should stay in memory.
    pub fn hot_bytes(&self) -> u64 {
        self.header.span(Part::Front).bytes
    }

    /// What the builder said of the lists.
    pub fn catalogue(&self) -> Result<&[u8], IndexError> {
        self.file.part(Part::Catalogue, self.header.span(Part::Catalogue))
    }

    /// Reads the hot bytes, so that the first lookups need not wait for the disk, and checks them.
    pub fn warm(&self) -> Result<(), IndexError> {
        self.file.part(Part::Front, self.header.span(Part::Front)).map(|_| ())
    }

    /// The keyed hash of the whole file, as its builder wrote it: two files with the same one hold the same bytes.
    pub fn whole_hash(&self) -> [u8; 32] {
        *self.file.all().last_chunk().expect("a file has a trailer")
    }

    /// Reads the whole file and holds it against the hash that only the key's owner can make.
    pub fn verify(&self) -> Result<(), IndexError> {
        let (header, rest) = self.file.all().split_at(HEADER_BYTES);
        let (parts, trailer) = rest.split_at(rest.len() - TRAILER_BYTES);
        let mut whole = self.whole.clone();
        whole.update(parts).update(header);
        let trailer: &[u8; TRAILER_BYTES] = trailer.try_into().expect("split off with this length");
        // `blake3::Hash` compares in constant time.
        if whole.finalize() == *trailer {
            return Ok(());
        }
        let at = self.file.first_damage().unwrap_or(self.header.file_bytes - TRAILER_BYTES as u64);
        let holds = |part: &&Part| self.header.span(**part).end() > at;
        Err(self.file.damaged(PARTS.iter().find(holds).copied().unwrap_or(Part::Trailer), at))
    }

    /// A seal and an entry that holds it, by their place in the order of seals.
    pub(crate) fn row(&self, row: u64) -> Result<(Seal, EntryNumber), IndexError> {
        let (seal, entry) = self.rows.get(&self.file, row)?;
        if u64::from(entry.0) >= self.header.entries {
            return Err(self.file.damaged(Part::Rows, self.rows.place(row)));
        }
        Ok((seal, entry))
    }

    pub(crate) fn key_check(&self) -> &[u8; KEY_CHECK_BYTES] {
        &self.header.key_check
    }

    fn reference(&self, place: u64) -> Result<&str, IndexError> {
        let texts = self.header.span(Part::Texts);
        let length = u16::from_le_bytes(*self.file.array(Part::Texts, texts, place)?);
        let text = self.file.bytes(Part::Texts, texts, place + size_of_val(&length) as u64, length.into())?;
        str::from_utf8(text).map_err(|_| self.file.damaged(Part::Texts, texts.at))
    }
}

impl SignalIndex for Index {
    fn algorithms(&self) -> AlgorithmSet {
        self.header.algorithms
    }

    fn signals(&self) -> u64 {
        self.header.signals
    }

    fn entries(&self) -> u64 {
        self.header.entries
    }

    fn lookup_batch(
        &self,
        digests: &[Digest],
        found: &mut dyn FnMut(usize, EntryNumber),
    ) -> Result<(), IndexError> {
        in_batches(&self.sealer, digests, self.header.algorithms, |start, asked| {
            self.lookup_seals(asked, &mut |place, entry| found(start + place, entry))
        })
    }

    fn record(&self, entry: EntryNumber) -> Result<EntryRecord<'_>, IndexError> {
        let number = u64::from(entry.0);
        if number >= self.header.entries {
            return Err(IndexError::NoSuchEntry(entry));
        }
        let records = self.header.span(Part::Records);
        let raw = self.file.array(Part::Records, records, number * RECORD_BYTES as u64)?;
        let raw = RawRecord::from_bytes(raw);
        let unknown = || self.file.damaged(Part::Records, records.at + number * RECORD_BYTES as u64);
        let category = raw
            .category
            .map(|number| self.categories.get(usize::from(number)).ok_or_else(unknown))
            .transpose()?;
        Ok(EntryRecord {
            list: raw.list,
            id: EntryId(raw.id),
            algorithms: raw.algorithms,
            disputed: raw.disputed,
            category,
            size_bytes: raw.size_bytes,
            valid_from: raw.valid_from,
            valid_until: raw.valid_until,
            listed_since: raw.listed_since,
            line: raw.line,
            reference: raw.reference_at.map(|place| self.reference(place)).transpose()?,
        })
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Header { layout, signals, entries, algorithms, .. } = &self.header;
        write!(f, "Index({signals} digests of {algorithms}, {entries} entries, {layout:?})")
    }
}

/// Whether the file at `path` begins like an index file. What cannot be read does not.
pub fn is_index_file(path: &Path) -> bool {
    let mut magic = [0; MAGIC.len()];
    path.is_file()
        && File::open(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok()
        && magic == MAGIC
}
