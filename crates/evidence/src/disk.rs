//! Every change of a log's folder, in an order that a power failure respects.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::EvidenceError;

/// Writes below one folder.
#[derive(Debug)]
pub(crate) struct Disk {
    root: PathBuf,
    /// After so many changes the disk fails: what a kill or a full disk leaves behind.
    #[cfg(test)]
    pub(crate) changes_left: std::cell::Cell<Option<u32>>,
}

impl Disk {
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            #[cfg(test)]
            changes_left: std::cell::Cell::new(None),
        }
    }

    /// Writes files, and returns when they are durable under their names. Files of these names are overwritten: nobody has
    /// been told of them.
    pub(crate) fn write_all<'a>(
        &self,
        files: impl Iterator<Item = (PathBuf, &'a [u8])>,
    ) -> Result<(), EvidenceError> {
        let mut touched = BTreeSet::new();
        for (name, bytes) in files {
            let path = self.root.join(&name);
            let folder = path.parent().expect("a file stands in a folder").to_owned();
            self.make_folder(&folder, &mut touched).map_err(EvidenceError::io(&folder))?;
            self.write(&path, bytes).map_err(EvidenceError::io(&path))?;
            touched.insert(folder);
        }
        touched.iter().try_for_each(|folder| self.sync_folder(folder))
    }

    /// Replaces the file `name` by one with these bytes, in one step and durably. Until then it is built at `next`.
    pub(crate) fn replace(&self, next: &str, name: &str, bytes: &[u8]) -> Result<(), EvidenceError> {
        let path = self.root.join(next);
        self.write(&path, bytes).map_err(EvidenceError::io(&path))?;
        self.rename(next, name)
    }

    /// Lets what stands at `next`, which is durable, be `name`.
    pub(crate) fn rename(&self, next: &str, name: &str) -> Result<(), EvidenceError> {
        let to = self.root.join(name);
        self.change().and_then(|()| fs::rename(self.root.join(next), &to)).map_err(EvidenceError::io(&to))?;
        self.sync()
    }

    /// Makes durable under which name what stands in the folder itself.
    pub(crate) fn sync(&self) -> Result<(), EvidenceError> {
        self.sync_folder(&self.root)
    }

    /// Removes a file or a folder with all its files, if it is there. It may come back after a power failure.
    pub(crate) fn remove(&self, name: &Path) -> Result<(), EvidenceError> {
        let path = self.root.join(name);
        let removed = self.change().and_then(|()| {
            let is_folder = fs::symlink_metadata(&path)?.is_dir();
            if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }
        });
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(EvidenceError::io(path)(error)),
            _ => Ok(()),
        }
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let changed = self.change();
        #[cfg(test)]
        if changed.is_err() {
            fs::write(path, &bytes[..bytes.len() / 2])?;
        }
        changed?;
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// Makes a folder and those around it, and notes whose listings changed by that.
    fn make_folder(&self, folder: &Path, touched: &mut BTreeSet<PathBuf>) -> io::Result<()> {
        if folder.is_dir() {
            return Ok(());
        }
        let around = folder.parent().expect("the log's own folder is there");
        self.make_folder(around, touched)?;
        self.change()?;
        fs::create_dir(folder)?;
        touched.insert(around.to_owned());
        Ok(())
    }

    fn sync_folder(&self, folder: &Path) -> Result<(), EvidenceError> {
        let synced = self.change().and_then(|()| File::open(folder)?.sync_all());
        synced.map_err(EvidenceError::io(folder))
    }

    #[cfg_attr(
        not(test),
        expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "tests let it fail")
    )]
    fn change(&self) -> io::Result<()> {
        #[cfg(test)]
        if let Some(left) = self.changes_left.get() {
            let left = left.checked_sub(1).ok_or_else(|| io::Error::other("no more changes"))?;
            self.changes_left.set(Some(left));
        }
        Ok(())
    }
}
