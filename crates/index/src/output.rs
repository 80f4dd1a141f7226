use std::fs::{self, File, Permissions};
use std::io::{self, Seek as _, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use xxhash_rust::xxh3::xxh3_64;

use crate::format::{
    BLOCK_BYTES, HEADER_BYTES, Header, LINE_BYTES, SUM_BYTES, Span, TRAILER_BYTES, block_sum,
};

/// How many bytes are written at once: whole blocks.
const WRITE_BYTES: usize = 64 * BLOCK_BYTES;
/// What stands between the name of an index and the random end of its unfinished file's name.
const BUILDING: &str = ".building-";
/// The owner writes, a group of readers may be given.
const MODE: u32 = 0o640;

/// Where the bytes of a new index go.
enum Target {
    /// A file under another name, locked as long as its builder lives.
    File {
        building: NamedTempFile,
        path: PathBuf,
    },
    Memory(Vec<u8>),
}

/// Writes a file's parts one after another, and last its header, with all checksums on the way.
pub(crate) struct Output {
    target: Target,
    /// Bytes that no checksum has seen yet: less than [`WRITE_BYTES`], from a block's start.
    buffer: Vec<u8>,
    /// Where the next byte goes, from the start of the file.
    at: u64,
    sums: Vec<u8>,
    whole: blake3::Hasher,
}

impl Output {
    /// A new file that will stand at `path`. What builds before it left unfinished is removed.
    pub(crate) fn to_file(path: &Path, whole: blake3::Hasher) -> io::Result<Self> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
        let mut prefix = name.to_owned();
        prefix.push(BUILDING);
        let folder = folder_of(path);
        remove_leftovers(folder, &prefix.to_string_lossy())?;
        let mut building = tempfile::Builder::new()
            .prefix(&prefix)
            .permissions(Permissions::from_mode(MODE))
            .tempfile_in(folder)?;
        building.as_file().lock()?;
        building.write_all(&[0; HEADER_BYTES])?;
        Ok(Self::new(Target::File { building, path: path.to_owned() }, whole))
    }

    /// The same bytes in memory.
    pub(crate) fn to_memory(whole: blake3::Hasher) -> Self {
        Self::new(Target::Memory(vec![0; HEADER_BYTES]), whole)
    }

    fn new(target: Target, whole: blake3::Hasher) -> Self {
        Self { target, buffer: Vec::new(), at: HEADER_BYTES as u64, sums: Vec::new(), whole }
    }

    /// Where the next part starts.
    pub(crate) fn start_part(&mut self) -> io::Result<u64> {
        let start = self.at.next_multiple_of(LINE_BYTES as u64);
        let padding = usize::try_from(start - self.at).expect("less than a line");
        self.write(&[0; LINE_BYTES][..padding])?;
        Ok(start)
    }

    /// The span of the part that started at `start` and ends here.
    pub(crate) fn end_part(&self, start: u64) -> Span {
        Span { at: start, bytes: self.at - start }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.at += bytes.len() as u64;
        let mut rest = bytes;
        while self.buffer.len() + rest.len() >= WRITE_BYTES {
            let (now, later) = rest.split_at(WRITE_BYTES - self.buffer.len());
            self.buffer.extend_from_slice(now);
            self.write_blocks()?;
            rest = later;
        }
        self.buffer.extend_from_slice(rest);
        Ok(())
    }

    fn write_blocks(&mut self) -> io::Result<()> {
        for block in self.buffer.chunks(BLOCK_BYTES) {
            let number = (self.sums.len() / SUM_BYTES) as u64;
            self.sums.extend_from_slice(&block_sum(block, number).to_le_bytes());
        }
        self.whole.update(&self.buffer);
        self.target.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    /// Writes the checksums and returns where they stand, and their own.
    pub(crate) fn write_sums(&mut self) -> io::Result<(Span, u64)> {
        let start = self.start_part()?;
        self.write_blocks()?;
        self.target.write_all(&self.sums)?;
        self.whole.update(&self.sums);
        self.at += self.sums.len() as u64;
        Ok((self.end_part(start), xxh3_64(&self.sums)))
    }

    /// How long the file will be.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.at + TRAILER_BYTES as u64
    }

    /// Writes trailer and header; then the file takes its place, whole and on the disk, or the error leaves what
    /// was there. In memory, the bytes are the result.
    pub(crate) fn finish(mut self, header: &Header) -> io::Result<Option<Vec<u8>>> {
        let page = header.to_bytes();
        self.whole.update(&page);
        self.target.write_all(self.whole.finalize().as_bytes())?;
        match self.target {
            Target::Memory(mut bytes) => {
                bytes[..HEADER_BYTES].copy_from_slice(&page);
                Ok(Some(bytes))
            }
            Target::File { mut building, path } => {
                building.seek(SeekFrom::Start(0))?;
                building.write_all(&page)?;
                building.as_file().sync_all()?;
                building.persist(&path).map_err(|failed| failed.error)?;
                File::open(folder_of(&path))?.sync_all()?;
                Ok(None)
            }
        }
    }
}

impl Target {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::File { building, .. } => building.write_all(bytes),
            Self::Memory(memory) => memory.write_all(bytes),
        }
    }
}

/// The folder in which `path` stands.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// Removes unfinished files whose builder is gone: its lock went with it.
fn remove_leftovers(folder: &Path, prefix: &str) -> io::Result<()> {
    for item in fs::read_dir(folder)? {
        let item = item?;
        if !item.file_name().to_string_lossy().starts_with(prefix) || !item.file_type()?.is_file() {
            continue;
        }
        // Another builder may finish or clean up at the same time.
        let Ok(file) = File::open(item.path()) else { continue };
        if file.try_lock().is_ok() {
            match fs::remove_file(item.path()) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
    Ok(())
}
