//! A disk that stops, and one that hurries.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hashward_tuf::{Disk, RealDisk};

/// Does so many steps, then one by half, then none.
pub(crate) struct Faulty {
    left: AtomicUsize,
    has_room: bool,
}

impl Faulty {
    pub(crate) fn after(steps: usize, has_room: bool) -> Arc<Self> {
        Arc::new(Self { left: AtomicUsize::new(steps), has_room })
    }

    fn step(&self, half: impl FnOnce()) -> io::Result<()> {
        let left = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if left.is_ok() {
            return Ok(());
        }
        if self.has_room {
            half();
        }
        Err(io::ErrorKind::StorageFull.into())
    }
}

impl Disk for Faulty {
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.step(|| std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap())?;
        Hasty.write(path, bytes)
    }
    fn copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(|| {
            let bytes = std::fs::read(from).unwrap();
            std::fs::write(to, &bytes[..bytes.len() / 2]).unwrap();
        })?;
        Hasty.copy(from, to)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.step(|| ())?;
        Hasty.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.step(|| ())?;
        Hasty.remove(path)
    }
    fn create_folders(&self, path: &Path) -> io::Result<()> {
        self.step(|| ())?;
        Hasty.create_folders(path)
    }
    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        self.step(|| ())?;
        Hasty.sync_folder(path)
    }
}

/// A disk that waits for nothing: these tests stop no machine.
pub(crate) struct Hasty;

impl Disk for Hasty {
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        std::fs::write(path, bytes)
    }
    fn copy(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::copy(from, to).map(|_| ())
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }
    fn create_folders(&self, path: &Path) -> io::Result<()> {
        std::fs::create_dir_all(path)
    }
    fn sync_folder(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }
}
