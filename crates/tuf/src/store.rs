//! What a client trusts, kept on its disk.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp as Time;

use crate::disk::replace;
use crate::envelope::Envelope;
use crate::metadata::{Root, time};
use crate::path::encoded;
use crate::{Disk, RealDisk, Role, TufError};

/// The latest time seen. It is no metadata, and named so that nothing takes it for some.
const CLOCK_FILE: &str = "latest-time";

/// A folder with the metadata that a client trusts: `root.json`, `timestamp.json`, `snapshot.json`, `targets.json` and
/// `ROLE.json`, byte for byte as they came, and the latest time at which an update succeeded.
///
/// Every file is in the old state or in the new one, whenever the machine stops. One client at a time uses it.
#[derive(Clone)]
pub struct Store {
    folder: PathBuf,
    disk: Arc<dyn Disk>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Store {
    /// The store in `folder`. It need not be there yet.
    pub fn open(folder: impl Into<PathBuf>) -> Self {
        Self::with_disk(folder, Arc::new(RealDisk))
    }

    /// The same on another disk.
    pub fn with_disk(folder: impl Into<PathBuf>, disk: Arc<dyn Disk>) -> Self {
        Self { folder: folder.into(), disk }
    }

    /// Begins with a root that came over a trusted way (section 5.1). The same root again changes nothing; another
    /// one is refused.
    pub fn begin(&self, root: &[u8]) -> Result<(), TufError> {
        Envelope::<Root>::parse("root.json", root)?.verify_with_itself()?;
        match self.read("root")? {
            Some(present) if present == root => Ok(()),
            Some(_) => Err(TufError::OtherRoot { path: self.folder.clone() }),
            None => {
                self.disk
                    .create_folders(&self.folder)
                    .map_err(|source| TufError::Disk { path: self.folder.clone(), source })?;
                self.write("root", root)
            }
        }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn path(&self, role: &str) -> PathBuf {
        self.folder.join(format!("{}.json", encoded(role)))
    }

    /// The trusted file of a role, if there is one.
    pub fn read(&self, role: &str) -> Result<Option<Vec<u8>>, TufError> {
        read(&self.path(role))
    }

    pub(crate) fn write(&self, role: &str, bytes: &[u8]) -> Result<(), TufError> {
        let path = self.path(role);
        replace(&*self.disk, &path, bytes).map_err(|source| TufError::Disk { path, source })
    }

    pub(crate) fn remove(&self, role: Role) -> Result<(), TufError> {
        let path = self.path(role.name());
        let removed = self.disk.remove(&path).and_then(|()| self.disk.sync_folder(&self.folder));
        removed.map_err(|source| TufError::Disk { path, source })
    }

    /// The fixed start of an update (section 5.2): `now`, unless the clock stepped back behind the latest time seen.
    pub(crate) fn start(&self, now: Time, slack: Duration) -> Result<Time, TufError> {
        let path = self.folder.join(CLOCK_FILE);
        let Some(bytes) = read(&path)? else { return Ok(now) };
        let text = String::from_utf8_lossy(&bytes);
        let seen: Time = text.trim().parse().map_err(|_| {
            TufError::malformed(
                &path.to_string_lossy(),
                "it must hold a moment such as `2026-01-31T12:00:00Z`; remove it to forget the latest time seen",
            )
        })?;
        if now.checked_add(slack).is_ok_and(|latest| latest < seen) {
            return Err(TufError::ClockSteppedBack { now, seen, path });
        }
        Ok(now.max(seen))
    }

    /// Keeps the time of an update that succeeded. At such a time the trusted timestamp had not expired: a clock that
    /// was wrong once can block updates until that moment at most.
    pub(crate) fn saw(&self, now: Time) -> Result<(), TufError> {
        let path = self.folder.join(CLOCK_FILE);
        let text = format!("{}\n", time::text(now));
        replace(&*self.disk, &path, text.as_bytes()).map_err(|source| TufError::Disk { path, source })
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, TufError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(TufError::Disk { path: path.to_owned(), source }),
    }
}
