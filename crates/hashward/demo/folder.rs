//! Where the demo works.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};

/// A folder that is removed with everything in it when this is dropped, unless it is to be kept.
pub(crate) struct Folder {
    path: PathBuf,
    kept: bool,
}

impl Folder {
    /// The folder that the user names, which must be empty, or a temporary one.
    pub(crate) fn new(named: Option<&Path>, keep: bool) -> Result<Self> {
        let Some(path) = named else { return Self::temporary(keep) };
        fs::create_dir_all(path).with_context(|| path.display().to_string())?;
        let mut entries = fs::read_dir(path).with_context(|| path.display().to_string())?;
        if entries.next().is_some() {
            bail!("--dir {}: it is not empty; name a new folder", path.display());
        }
        Ok(Self { path: path.to_owned(), kept: true })
    }

    fn temporary(kept: bool) -> Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let name = format!("hashward-demo-{}-{}", std::process::id(), now.subsec_nanos());
        let path = std::env::temp_dir().join(name);
        // Fails if somebody put something there before us.
        fs::create_dir(&path).with_context(|| path.display().to_string())?;
        Ok(Self { path, kept })
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it stays.
    pub(crate) fn is_kept(&self) -> bool {
        self.kept
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.kept
            && let Err(error) = fs::remove_dir_all(&self.path)
        {
            eprintln!("{} cannot be removed: {error}", self.path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_empty_folders_are_used() {
        let dir = tempfile::tempdir().unwrap();
        let new = dir.path().join("new");
        drop(Folder::new(Some(&new), false).unwrap());
        assert!(new.is_dir());
        fs::write(new.join("mine"), "").unwrap();
        assert!(Folder::new(Some(&new), false).is_err());
        let temporary = Folder::new(None, false).unwrap();
        let path = temporary.path().to_owned();
        drop(temporary);
        assert!(!path.exists());
    }
}
