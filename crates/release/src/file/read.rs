use std::io::{self, BufRead, BufReader, Read};

use super::{Record, WINDOW_LOG_MAX, magic};
use crate::row::{self, KEY_BYTES, ROW_BYTES_MAX};
use crate::{BadFile, BadRow, Header, Identities, TargetKind};

/// What an age file begins with.
const AGE_BEGINNING: &[u8] = b"age-encryption.org/";
/// What is read at a time, in bytes.
const READ_BYTES: usize = 128 * 1024;

/// Why a file is not read.
pub(crate) enum Unread {
    /// What it holds is bad.
    Bad(BadFile),
    /// It is encrypted to others.
    NoIdentity,
    /// The file system says so.
    Io(io::Error),
}

impl From<BadFile> for Unread {
    fn from(bad: BadFile) -> Self {
        Self::Bad(bad)
    }
}

/// Opens what lies around the content.
pub(crate) struct Layers;

impl Layers {
    /// The compressed content: decrypted, if the header says that it is encrypted.
    pub(crate) fn open<'a>(
        file: impl Read + 'a,
        header: &Header,
        identities: &'a Identities,
    ) -> Result<Box<dyn BufRead + 'a>, Unread> {
        let mut file = BufReader::with_capacity(READ_BYTES, file);
        let beginning = file.fill_buf().map_err(Unread::Io)?;
        let is_encrypted = beginning.starts_with(AGE_BEGINNING);
        if is_encrypted != header.encrypted {
            return Err(BadFile::Encryption.into());
        }
        if !is_encrypted {
            return Ok(Box::new(file));
        }
        let decryptor = age::Decryptor::new_buffered(file).map_err(|_| BadFile::Age)?;
        let identities = identities.0.iter().map(|identity| identity as &dyn age::Identity);
        let opened = decryptor.decrypt(identities).map_err(|error| match error {
            age::DecryptError::NoMatchingKeys => Unread::NoIdentity,
            _ => BadFile::Age.into(),
        })?;
        Ok(Box::new(BufReader::with_capacity(READ_BYTES, opened)))
    }
}

/// The rows of a target file, one after another, in bounded memory: held against the signed header as far as can be
/// before the checksum is.
pub struct Records<'a> {
    content: BufReader<io::Take<zstd::stream::read::Decoder<'a, Box<dyn BufRead + 'a>>>>,
    kind: TargetKind,
    content_bytes: u64,
    read_bytes: u64,
    last: Option<u64>,
    is_done: bool,
}

impl<'a> Records<'a> {
    /// Of the bytes of a file that is not encrypted.
    pub fn of_bytes(file: &'a [u8], header: &Header) -> Result<Self, BadFile> {
        Self::new(Box::new(file), header)
    }

    /// Of the compressed content.
    pub(crate) fn new(compressed: Box<dyn BufRead + 'a>, header: &Header) -> Result<Self, BadFile> {
        let mut decoder = zstd::stream::read::Decoder::with_buffer(compressed).map_err(BadFile::Zstd)?;
        decoder.window_log_max(WINDOW_LOG_MAX).map_err(BadFile::Zstd)?;
        // A byte more than was signed shows that there is more.
        let content = decoder.take(header.content_bytes.saturating_add(1));
        let mut records = Self {
            content: BufReader::with_capacity(READ_BYTES, content),
            kind: header.kind,
            content_bytes: header.content_bytes,
            read_bytes: 0,
            last: None,
            is_done: false,
        };
        records.beginning(header)?;
        Ok(records)
    }

    fn beginning(&mut self, header: &Header) -> Result<(), BadFile> {
        let id = header.list.id.as_str().as_bytes();
        let mut magic_bytes = [0; 8];
        self.read(&mut magic_bytes)?;
        if magic_bytes != *magic(self.kind) {
            return Err(BadFile::Beginning("the kind of target that was signed"));
        }
        let mut release = [0; 8];
        self.read(&mut release)?;
        let mut id_bytes = [0];
        self.read(&mut id_bytes)?;
        let mut found = vec![0; id_bytes[0].into()];
        self.read(&mut found)?;
        if u64::from_be_bytes(release) != header.release || found != id {
            return Err(BadFile::Beginning("the list and release that were signed"));
        }
        Ok(())
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<(), BadFile> {
        self.read_bytes += bytes.len() as u64;
        if self.read_bytes > self.content_bytes {
            return Err(BadFile::TooLarge { bytes: self.content_bytes });
        }
        self.content.read_exact(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => BadFile::Short,
            _ => BadFile::Zstd(error),
        })
    }

    /// The next row; none after the last one.
    pub(crate) fn next(&mut self) -> Result<Option<Record>, BadFile> {
        if self.is_done {
            return Ok(None);
        }
        let mut length = [0; 2];
        self.read(&mut length)?;
        let bytes = usize::from(u16::from_be_bytes(length));
        if bytes == 0 {
            self.is_done = true;
            return self.end().map(|()| None);
        }
        if bytes > ROW_BYTES_MAX {
            return Err(BadRow("is too long").into());
        }
        let mut row = vec![0; bytes];
        self.read(&mut row)?;
        let key = row::key(&row)?;
        if self.last.is_some_and(|last| last >= key) {
            return Err(BadFile::Order);
        }
        self.last = Some(key);
        if bytes == KEY_BYTES && self.kind == TargetKind::Delta {
            return Ok(Some(Record { key, row: None }));
        }
        row::decode(&row)?;
        Ok(Some(Record { key, row: Some(row) }))
    }

    /// Reads all of it, and says how many rows there are: for those who look at a file and do not apply it.
    pub fn count_all(mut self) -> Result<u64, BadFile> {
        let mut count = 0;
        while self.next()?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    fn end(&mut self) -> Result<(), BadFile> {
        let more = self.content.read(&mut [0]).map_err(BadFile::Zstd)?;
        if more > 0 {
            return Err(BadFile::Long);
        }
        if self.read_bytes == self.content_bytes { Ok(()) } else { Err(BadFile::Count) }
    }
}
