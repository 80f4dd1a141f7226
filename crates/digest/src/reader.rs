use std::fmt;
use std::io::{self, Read};

use hashward_core::{AlgorithmSet, Digests};

use crate::{Digester, digest_bytes};

/// Why content could not be read to its end.
#[derive(Debug)]
pub enum ReadError {
    /// There is more content than allowed.
    TooLarge {
        /// The limit that it exceeds, in bytes.
        content_bytes_max: u64,
    },
    /// The reader failed.
    Io(io::Error),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { content_bytes_max } => {
                write!(f, "content is larger than the limit of {content_bytes_max} bytes")
            }
            Self::Io(_) => f.write_str("reading the content failed"),
        }
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::TooLarge { .. } => None,
            Self::Io(error) => Some(error),
        }
    }
}

/// The digests of everything `reader` has, one of each wanted algorithm, and how many bytes that was.
///
/// `buffer` is all the memory used; a few times [`crate::CHUNK_BYTES`] is a good length. At most one byte
/// beyond `content_bytes_max` is asked for. A read that was interrupted ([`io::ErrorKind::Interrupted`]) is
/// made again.
///
/// Panics if `buffer` is empty: the digests of nothing would look like those of empty content.
pub fn digest_reader(
    wanted: AlgorithmSet,
    reader: &mut (impl Read + ?Sized),
    buffer: &mut [u8],
    content_bytes_max: u64,
) -> Result<(Digests, u64), ReadError> {
    assert!(!buffer.is_empty(), "the buffer must hold at least one byte");
    let mut digester: Option<Digester> = None;
    let mut content_bytes: u64 = 0;
    loop {
        let left = (content_bytes_max - content_bytes).saturating_add(1);
        let window_bytes = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let window = &mut buffer[..window_bytes];
        let filled = read_full(reader, window).map_err(ReadError::Io)?;
        content_bytes += filled as u64;
        if content_bytes > content_bytes_max {
            return Err(ReadError::TooLarge { content_bytes_max });
        }
        let at_end = filled < window_bytes;
        match digester {
            None if at_end => return Ok((digest_bytes(wanted, &window[..filled]), content_bytes)),
            None => digester.insert(Digester::new(wanted)).update(&window[..filled]),
            Some(ref mut digester) => digester.update(&window[..filled]),
        }
        if at_end && let Some(digester) = digester {
            return Ok((digester.finish(), content_bytes));
        }
    }
}

/// Reads until `window` is full or the reader is at its end, and says how many bytes there are. Readers that
/// deliver little at a time would otherwise cost a pass through all algorithms for each little piece. A read that was
/// interrupted is made again; after any other error nothing is known of what `window` holds.
pub fn read_full(reader: &mut (impl Read + ?Sized), window: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < window.len() {
        match reader.read(&mut window[filled..]) {
            Ok(0) => break,
            Ok(bytes) => filled += bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
