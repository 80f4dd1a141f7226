use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// How many bytes a spool keeps in memory before it turns to the disk.
pub(crate) const SPOOL_BYTES_MAX: usize = 32 << 20;
/// How many bytes are read back at once.
const READ_BYTES: usize = 1 << 20;

/// Bytes that are collected now and copied later, in bounded memory: beyond a limit they wait in a file without a
/// name, which is gone with the process, however that ends.
pub(crate) struct Spool {
    buffer: Vec<u8>,
    /// Where the file may stand; without a folder all stays in memory.
    folder: Option<PathBuf>,
    in_memory_max: usize,
    file: Option<File>,
    spilled_bytes: u64,
}

impl Spool {
    /// Beyond `in_memory_max` bytes they go to a file in `folder`.
    pub(crate) fn new(folder: Option<&Path>, in_memory_max: usize) -> Self {
        Self {
            buffer: Vec::new(),
            folder: folder.map(Path::to_owned),
            in_memory_max,
            file: None,
            spilled_bytes: 0,
        }
    }

    /// How many bytes were collected.
    pub(crate) fn bytes(&self) -> u64 {
        self.spilled_bytes + self.buffer.len() as u64
    }

    #[inline]
    pub(crate) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() < self.in_memory_max { Ok(()) } else { self.spill() }
    }

    fn spill(&mut self) -> io::Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile_in(folder)?),
        };
        file.write_all(&self.buffer)?;
        self.spilled_bytes += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Gives all bytes to `take`, in order and in pieces.
    pub(crate) fn drain(self, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        if let Some(mut file) = self.file {
            file.rewind()?;
            let mut piece = vec![0; READ_BYTES];
            let mut left = self.spilled_bytes;
            while left > 0 {
                let bytes = usize::try_from(left).map_or(READ_BYTES, |left| left.min(READ_BYTES));
                file.read_exact(&mut piece[..bytes])?;
                take(&piece[..bytes])?;
                left -= bytes as u64;
            }
        }
        take(&self.buffer)
    }
}
