//! A repository's folder, and what is published in it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp as Time;

use super::draft::{Draft, Pending, pending};
use super::terms::name_of;
use super::{DeskError, Terms};
use crate::envelope::Envelope;
use crate::metadata::{Root, Signed, Snapshot, Targets, Timestamp};
use crate::trusted::Trusted;
use crate::{Disk, RealDisk, RepoPath, Role};

/// The largest metadata file that is read back, in bytes.
const METADATA_BYTES_MAX: u64 = 64 << 20;

/// A folder with `metadata/` and `targets/`, as a web server gives it out.
#[derive(Clone)]
pub struct Repository {
    pub(super) folder: PathBuf,
    pub(super) disk: Arc<dyn Disk>,
}

/// What is published.
#[derive(Clone, Debug)]
pub(super) struct Published {
    pub(super) root: Envelope<Root>,
    /// None before the first release.
    pub(super) rest: Option<Rest>,
}

#[derive(Clone, Debug)]
pub(super) struct Rest {
    pub(super) timestamp: Envelope<Timestamp>,
    pub(super) snapshot: Envelope<Snapshot>,
    pub(super) targets: Envelope<Targets>,
}

/// How a repository is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Status {
    /// In the order root, targets, snapshot, timestamp.
    pub roles: Vec<RoleStatus>,
    /// How many target files are listed.
    pub targets: usize,
}

/// How one role is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RoleStatus {
    /// Who signed, and who may.
    pub signatures: Pending,
    /// When it stops to count.
    pub expires: Time,
    /// Whether it has.
    pub is_expired: bool,
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repository").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Repository {
    /// The repository in `folder`, or the one that will be there.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self::with_disk(folder, Arc::new(RealDisk))
    }

    /// The same on another disk.
    pub fn with_disk(folder: impl Into<PathBuf>, disk: Arc<dyn Disk>) -> Self {
        Self { folder: folder.into(), disk }
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The draft of a new repository: root 1 and targets 1, which list nothing. Nothing is written.
    pub fn create(&self, terms: &Terms, now: Time) -> Result<Draft, DeskError> {
        terms.verify()?;
        if self.file(&RepoPath::metadata("root", Some(1))).exists() {
            return Err(DeskError::Present { path: self.folder.clone() });
        }
        let root = terms.root(1, now);
        let targets = Targets {
            version: 1,
            expires: terms.expires(Role::Targets, now),
            targets: std::collections::BTreeMap::new(),
            delegations: None,
            other: std::collections::BTreeMap::new(),
        };
        let mut draft = Draft::new();
        draft.add(&root, &[&root]);
        draft.add(&targets, &[&root]);
        Ok(draft)
    }

    /// The draft of the next root, under other terms or for another term of life. Targets that the new keys have not
    /// signed come with it, to be signed by old and new keys: then readers with either root follow.
    pub fn rotate(&self, terms: &Terms, now: Time) -> Result<Draft, DeskError> {
        terms.verify()?;
        let published = self.published()?;
        let before = &published.root.signed;
        let root = terms.root(before.version.saturating_add(1), now);
        let mut draft = Draft::new();
        draft.add(&root, &[before, &root]);
        if let Some(rest) = &published.rest
            && before.role(Role::Targets) != root.role(Role::Targets)
        {
            rest.targets.verify(&Role::Targets.file(), &published.root.authority(Role::Targets))?;
            let mut targets = rest.targets.signed.clone();
            targets.version = targets.version.saturating_add(1);
            targets.expires = terms.expires(Role::Targets, now);
            draft.add(&targets, &[before, &root]);
        }
        Ok(draft)
    }

    /// The terms that hold.
    pub fn terms(&self) -> Result<Terms, DeskError> {
        Ok(Terms::of_root(&self.published()?.root.signed))
    }

    /// The targets that are published. `None` before the first release.
    pub fn targets(&self) -> Result<Option<Targets>, DeskError> {
        Ok(self.published()?.rest.map(|rest| rest.targets.signed))
    }

    /// How it is.
    pub fn status(&self, now: Time) -> Result<Status, DeskError> {
        let Published { root, rest } = self.published()?;
        let mut roles = vec![role_status(&root, &root, now)];
        let mut targets = 0;
        if let Some(rest) = &rest {
            roles.push(role_status(&rest.targets, &root, now));
            roles.push(role_status(&rest.snapshot, &root, now));
            roles.push(role_status(&rest.timestamp, &root, now));
            targets = rest.targets.signed.targets.len();
        }
        Ok(Status { roles, targets })
    }

    /// What is published. Roots are verified; of the rest whoever builds on it verifies what it builds on, for when
    /// keys are just being rotated the rest may be signed by the old ones.
    pub(super) fn published(&self) -> Result<Published, DeskError> {
        let read = |role: &str, version| self.read(&RepoPath::metadata(role, version));
        let first = read("root", Some(1))?.ok_or_else(|| DeskError::Absent { path: self.folder.clone() })?;
        let mut trusted = Trusted::with_root(&first)?;
        while let Some(bytes) = read("root", Some(trusted.root.signed.version.saturating_add(1)))? {
            trusted.root = trusted.next_root(&bytes)?;
        }
        let Some(bytes) = read("timestamp", None)? else {
            return Ok(Published { root: trusted.root, rest: None });
        };
        let timestamp = parsed::<Timestamp>(&bytes)?;
        let snapshot = parsed::<Snapshot>(&self.named("snapshot", timestamp.signed.snapshot().version)?)?;
        let targets =
            parsed::<Targets>(&self.named("targets", snapshot.signed.meta["targets.json"].version)?)?;
        Ok(Published { root: trusted.root, rest: Some(Rest { timestamp, snapshot, targets }) })
    }

    fn named(&self, role: &str, version: u64) -> Result<Vec<u8>, DeskError> {
        let path = RepoPath::metadata(role, Some(version));
        self.read(&path)?
            .ok_or_else(|| DeskError::Disk { path: self.file(&path), source: io::ErrorKind::NotFound.into() })
    }

    pub(super) fn file(&self, path: &RepoPath) -> PathBuf {
        let area = match path.area() {
            crate::Area::Metadata => "metadata",
            crate::Area::Targets => "targets",
        };
        self.folder.join(area).join(path.file())
    }

    fn read(&self, path: &RepoPath) -> Result<Option<Vec<u8>>, DeskError> {
        use std::io::Read as _;
        let path = self.file(path);
        let disk = |source| DeskError::Disk { path: path.clone(), source };
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(disk(source)),
        };
        let mut bytes = Vec::new();
        file.take(METADATA_BYTES_MAX).read_to_end(&mut bytes).map_err(disk)?;
        Ok(Some(bytes))
    }

    /// Keeps other processes from changing the repository, until the file is dropped.
    pub(super) fn lock(&self) -> Result<File, DeskError> {
        let disk = |source| DeskError::Disk { path: self.folder.clone(), source };
        let folder = File::open(&self.folder).map_err(disk)?;
        match folder.try_lock() {
            Ok(()) => Ok(folder),
            Err(fs::TryLockError::WouldBlock) => Err(DeskError::Busy { path: self.folder.clone() }),
            Err(fs::TryLockError::Error(source)) => Err(disk(source)),
        }
    }
}

fn parsed<T: Signed>(bytes: &[u8]) -> Result<Envelope<T>, DeskError> {
    Ok(Envelope::parse(&T::ROLE.file(), bytes)?)
}

fn role_status<T: Signed>(envelope: &Envelope<T>, root: &Envelope<Root>, now: Time) -> RoleStatus {
    let signatures = pending(envelope, &root.authority(T::ROLE), |id| name_of(&root.signed, id));
    let expires = envelope.signed.expires();
    RoleStatus { signatures, expires, is_expired: expires <= now }
}
