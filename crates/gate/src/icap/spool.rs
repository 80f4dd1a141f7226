//! Bodies that may have to be sent back: in memory at first, then in a file without a name.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use tokio::task::spawn_blocking;

/// How much is written and read at a time, in bytes.
const PIECE_BYTES: usize = 64 << 10;

/// What all spools of a door may take up together. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct SpoolRoom(Arc<Room>);

#[derive(Debug)]
struct Room {
    folder: PathBuf,
    memory_bytes_max: usize,
    disk_bytes_max: u64,
    /// Taken on disk by all.
    disk_bytes: AtomicU64,
}

/// One body. Its file never has a name, and is gone with it, also when the process dies.
#[derive(Debug)]
pub(super) struct Spool {
    room: SpoolRoom,
    /// What is not in the file: all of a small body, the end of a large one.
    memory: Vec<u8>,
    file: Option<Arc<File>>,
    file_bytes: u64,
}

/// Why a body cannot be kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum SpoolError {
    /// There is no more room.
    #[error("bodies that wait for a verdict take up all the room that they may")]
    Full,
    /// The file cannot be made, written or read.
    #[error("spooling a body: {0}")]
    Io(#[from] io::Error),
}

/// Why a body could not be kept, as it is counted.
pub(super) const REFUSALS: &[&str] = &["spool-full", "spool-failed"];

impl SpoolError {
    /// The word for it.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Full => REFUSALS[0],
            Self::Io(_) => REFUSALS[1],
        }
    }
}

impl SpoolRoom {
    /// Up to `memory_bytes_max` of each body stay in memory, the rest goes to files in `folder` that take up to
    /// `disk_bytes_max` together.
    pub(super) fn new(folder: PathBuf, memory_bytes_max: usize, disk_bytes_max: u64) -> Self {
        let disk_bytes = AtomicU64::new(0);
        Self(Arc::new(Room { folder, memory_bytes_max, disk_bytes_max, disk_bytes }))
    }

    fn take(&self, bytes: u64) -> Result<(), SpoolError> {
        let taken = |now: u64| now.checked_add(bytes).filter(|&sum| sum <= self.0.disk_bytes_max);
        let took = self.0.disk_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken);
        took.map(drop).map_err(|_| SpoolError::Full)
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.room.0.disk_bytes.fetch_sub(self.file_bytes, Ordering::Relaxed);
    }
}

impl Spool {
    pub(super) fn new(room: &SpoolRoom) -> Self {
        Self { room: room.clone(), memory: Vec::new(), file: None, file_bytes: 0 }
    }

    /// Keeps the next bytes of the body.
    pub(super) async fn push(&mut self, bytes: &[u8]) -> Result<(), SpoolError> {
        self.memory.extend_from_slice(bytes);
        let kept_bytes_max = if self.file.is_some() { PIECE_BYTES } else { self.room.0.memory_bytes_max };
        if self.memory.len() <= kept_bytes_max {
            return Ok(());
        }
        let file = self.file().await?;
        let (piece, offset) = (std::mem::take(&mut self.memory), self.file_bytes);
        self.room.take(piece.len() as u64)?;
        self.file_bytes += piece.len() as u64;
        spawn_blocking(move || file.write_all_at(&piece, offset)).await.map_err(io::Error::other)??;
        Ok(())
    }

    /// The file, made when it is needed first.
    async fn file(&mut self) -> io::Result<Arc<File>> {
        if let Some(file) = &self.file {
            return Ok(Arc::clone(file));
        }
        let folder = self.room.0.folder.clone();
        let file =
            spawn_blocking(move || tempfile::tempfile_in(folder)).await.map_err(io::Error::other)??;
        Ok(Arc::clone(self.file.insert(Arc::new(file))))
    }

    /// The next bytes from `offset` on; empty at the end.
    pub(super) async fn read(&self, offset: u64) -> Result<Bytes, SpoolError> {
        if let Some(file) = self.file.as_ref().filter(|_| offset < self.file_bytes) {
            let (file, left) = (Arc::clone(file), self.file_bytes - offset);
            let length = usize::try_from(left).unwrap_or(PIECE_BYTES).min(PIECE_BYTES);
            let read = spawn_blocking(move || {
                let mut piece = vec![0; length];
                file.read_exact_at(&mut piece, offset).map(|()| piece)
            });
            return Ok(read.await.map_err(io::Error::other)??.into());
        }
        let from = usize::try_from(offset - self.file_bytes).unwrap_or(usize::MAX).min(self.memory.len());
        let to = self.memory.len().min(from + PIECE_BYTES);
        Ok(Bytes::copy_from_slice(&self.memory[from..to]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run<T>(test: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test)
    }

    async fn whole(spool: &Spool) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let piece = spool.read(all.len() as u64).await.unwrap();
            if piece.is_empty() {
                return all;
            }
            all.extend_from_slice(&piece);
        }
    }

    #[test]
    fn what_was_kept_comes_back_and_leaves_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let room = SpoolRoom::new(dir.path().to_path_buf(), 1000, 1_000_000);
        run(async {
            for length in [0, 1, 1000, 1001, 70_000, 400_001] {
                let content: Vec<u8> = (0..length).map(|n: u32| n.to_le_bytes()[n as usize % 3]).collect();
                let mut spool = Spool::new(&room);
                for piece in content.chunks(977) {
                    spool.push(piece).await.unwrap();
                }
                assert_eq!(whole(&spool).await, content);
                assert_eq!(spool.file.is_some(), length > 1000);
                assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "the file has no name");
            }
        });
        assert_eq!(room.0.disk_bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn all_spools_together_have_a_limit() {
        let room = SpoolRoom::new(std::env::temp_dir(), 10, 100_000);
        run(async {
            let (mut first, mut second) = (Spool::new(&room), Spool::new(&room));
            first.push(&vec![1; 60_000]).await.unwrap();
            assert!(matches!(second.push(&vec![2; 60_000]).await, Err(SpoolError::Full)));
            drop(first);
            let mut third = Spool::new(&room);
            third.push(&vec![3; 60_000]).await.unwrap();
            assert_eq!(whole(&third).await, vec![3; 60_000]);
            let nowhere = SpoolRoom::new("/nowhere/at/all".into(), 10, 100_000);
            assert!(matches!(Spool::new(&nowhere).push(&[4; 11]).await, Err(SpoolError::Io(_))));
        });
    }
}
