//! What the next targets list, and the files that they list.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use jiff::Timestamp as Time;

use super::{DeskError, Draft, Repository, Terms};
use crate::disk::{folder_of, unfinished};
use crate::{Custom, Hashes, RepoPath, Role, TargetFile, TargetPath};

/// A target file to be published.
#[derive(Clone, Debug, PartialEq)]
pub struct NewTarget {
    /// Under which path.
    pub path: TargetPath,
    /// Where it is now.
    pub file: PathBuf,
    /// Its length in bytes.
    pub length: u64,
    /// Its digest.
    pub sha256: [u8; 32],
    /// What is said of it.
    pub custom: Option<Custom>,
}

/// What the next targets change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// New ones, and those that replace one of their path.
    pub put: Vec<NewTarget>,
    /// Those that are no longer listed.
    pub remove: Vec<TargetPath>,
}

impl Repository {
    /// The draft of the next targets. Nothing is written: this is what a dry run shows.
    pub fn plan(&self, changes: &Changes, now: Time) -> Result<Draft, DeskError> {
        let published = self.published()?;
        let absent = || DeskError::Absent { path: self.folder.clone() };
        let published_targets = published.rest.ok_or_else(absent)?.targets;
        // What stands in the folder may have been changed there: nothing is built on what too few have signed.
        published_targets.verify(&Role::Targets.file(), &published.root.authority(Role::Targets))?;
        let mut targets = published_targets.signed;
        let root = &published.root.signed;
        for path in &changes.remove {
            if targets.targets.remove(path.as_str()).is_none() {
                return Err(DeskError::NoSuchTarget { target: path.to_string() });
            }
        }
        for new in &changes.put {
            let file = TargetFile {
                length: new.length,
                hashes: Hashes::sha256(new.sha256),
                custom: new.custom.clone(),
                other: std::collections::BTreeMap::new(),
            };
            targets.targets.insert(new.path.as_str().to_owned(), file);
        }
        targets.version = targets.version.saturating_add(1);
        targets.expires = Terms::of_root(root).expires(Role::Targets, now);
        let mut draft = Draft::new();
        draft.add(&targets, &[root]);
        Ok(draft)
    }

    /// Copies the target files into the repository, under names with their digests. No metadata names them yet, so
    /// that no reader sees them; what is there already is not copied again.
    pub fn place(&self, changes: &Changes) -> Result<(), DeskError> {
        for new in &changes.put {
            let hashes = Hashes::sha256(new.sha256);
            let to = self.file(&RepoPath::target(&new.path, hashes.prefix()));
            if is_such(&to, new.length, &hashes).map_err(disk(&to))? {
                continue;
            }
            let folder = folder_of(&to);
            self.disk.create_folders(folder).map_err(disk(folder))?;
            let temporary = unfinished(&to);
            self.disk.copy(&new.file, &temporary).map_err(disk(&temporary))?;
            if !is_such(&temporary, new.length, &hashes).map_err(disk(&temporary))? {
                self.disk.remove(&temporary).map_err(disk(&temporary))?;
                return Err(DeskError::OtherFile { path: new.file.clone(), target: new.path.to_string() });
            }
            self.disk.rename(&temporary, &to).map_err(disk(&to))?;
            self.disk.sync_folder(folder).map_err(disk(folder))?;
        }
        Ok(())
    }
}

/// Whether a file has this length and these digests. One that is not there has not.
pub(super) fn is_such(path: &Path, length: u64, hashes: &Hashes) -> io::Result<bool> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    if file.metadata()?.len() != length {
        return Ok(false);
    }
    let mut running = hashes.begin();
    let mut chunk = vec![0; 64 << 10];
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            return Ok(running.finish());
        }
        running.update(&chunk[..read]);
    }
}

pub(super) fn disk(path: &Path) -> impl FnOnce(io::Error) -> DeskError + '_ {
    |source| DeskError::Disk { path: path.to_owned(), source }
}
