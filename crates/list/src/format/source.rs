use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::foreign::foreign;
use super::out::{Out, Progress, Stop};
use super::recognise::{LOOK_AHEAD_BYTES, recognise};
use super::{Format, FormatError, Item, read as readers};

/// How many bytes of a file are read at a time.
const READ_BYTES: usize = 256 * 1024;

/// How what a file leaves open is read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ReadOptions {
    /// In text, 64 hexadecimal digits without an algorithm's name are PDQ fingerprints rather than SHA-256.
    pub pdq: bool,
}

/// A file whose format is known, ready to be read.
pub struct Source<'a> {
    path: PathBuf,
    format: Format,
    total_bytes: u64,
    input: Input<'a>,
}

enum Input<'a> {
    File(File),
    Memory(&'a [u8]),
}

/// Opens a file and finds out its format, unless that is given.
pub fn open(path: &Path, format: Option<Format>) -> Result<Source<'static>, FormatError> {
    let io = |source| FormatError::Io { path: path.into(), source };
    // A pipe would block, and a device may have no end.
    let metadata = fs::metadata(path).map_err(io)?;
    if !metadata.is_file() {
        return Err(FormatError::NotAFile(path.into()));
    }
    let mut file = File::open(path).map_err(io)?;
    let mut beginning = Vec::new();
    file.by_ref().take(LOOK_AHEAD_BYTES as u64).read_to_end(&mut beginning).map_err(io)?;
    file.rewind().map_err(io)?;
    let format = format_of(path, &beginning, format)?;
    Ok(Source { path: path.into(), format, total_bytes: metadata.len(), input: Input::File(file) })
}

/// The same for a file in memory, which errors call `(memory)`.
pub fn in_memory(bytes: &[u8], format: Option<Format>) -> Result<Source<'_>, FormatError> {
    let path = PathBuf::from("(memory)");
    let format = format_of(&path, &bytes[..bytes.len().min(LOOK_AHEAD_BYTES)], format)?;
    Ok(Source { path, format, total_bytes: bytes.len() as u64, input: Input::Memory(bytes) })
}

/// Opens and reads a file; see [`open`] and [`Source::read`].
pub fn read(
    path: &Path,
    format: Option<Format>,
    options: &ReadOptions,
    sink: &mut dyn FnMut(Item) -> ControlFlow<()>,
) -> Result<(), FormatError> {
    open(path, format)?.read(options, sink)
}

fn format_of(path: &Path, beginning: &[u8], format: Option<Format>) -> Result<Format, FormatError> {
    if let Some(foreign) = foreign(beginning) {
        return Err(FormatError::Foreign { path: path.into(), foreign });
    }
    format.or_else(|| recognise(beginning)).ok_or_else(|| FormatError::Unrecognised(path.into()))
}

impl Source<'_> {
    /// The file's format.
    pub const fn format(&self) -> Format {
        self.format
    }

    /// The file's length, in bytes.
    pub const fn total_bytes(&self) -> u64 {
        self.total_bytes
    }

    /// Reads the file to its end, and tells each item; or no further, once `sink` says to break.
    ///
    /// An error means that items may be missing. Those before it were told.
    pub fn read(
        self,
        options: &ReadOptions,
        sink: &mut dyn FnMut(Item) -> ControlFlow<()>,
    ) -> Result<(), FormatError> {
        let Self { path, format, total_bytes, input } = self;
        let progress = Progress::default();
        let mut out = Out::new(sink, progress.clone());
        let read = match (format, input) {
            (Format::NsrlSqlite, Input::File(_)) => {
                readers::nsrl_sqlite::read_file(&path, total_bytes, &mut out)
            }
            (Format::NsrlSqlite, Input::Memory(bytes)) => readers::nsrl_sqlite::read_bytes(bytes, &mut out),
            (_, Input::File(file)) => {
                let reader = BufReader::with_capacity(READ_BYTES, file);
                readers::read(format, &mut Counted { reader, progress }, *options, &mut out)
            }
            (_, Input::Memory(bytes)) => {
                readers::read(format, &mut Counted { reader: bytes, progress }, *options, &mut out)
            }
        };
        match read {
            Ok(()) | Err(Stop::Enough) => Ok(()),
            Err(Stop::Io(source)) => Err(FormatError::Io { path, source }),
            Err(Stop::Malformed(place, problem)) => Err(FormatError::Malformed { path, place, problem }),
            Err(Stop::Database(reason)) => Err(FormatError::Database { path, reason }),
        }
    }
}

/// A reader that tells how far it is.
struct Counted<R> {
    reader: R,
    progress: Progress,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.progress.set(self.progress.get() + read as u64);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.reader.consume(bytes);
        self.progress.set(self.progress.get() + bytes as u64);
    }
}
