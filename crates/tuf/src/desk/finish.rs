//! The last step of a release: thresholds are verified, and files written so that no reader sees half of it.

use jiff::Timestamp as Time;

use super::changes::{disk, is_such};
use super::draft::{Draft, Pending, file_bytes, pending, value_of};
use super::repository::{Published as State, Rest};
use super::terms::name_of;
use super::{DeskError, Repository, Terms};
use crate::canonical::canonical;
use crate::disk::replace;
use crate::envelope::{Envelope, Signature};
use crate::hashes::hex;
use crate::metadata::{MetaFile, Root, Signed, Snapshot, Targets, Timestamp};
use crate::{Hashes, PrivateKey, RepoPath, Role, TargetPath};

/// What is published now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Published {
    /// Version of the root.
    pub root_version: u64,
    /// Version of the targets.
    pub targets_version: u64,
    /// Version of the snapshot.
    pub snapshot_version: u64,
    /// Version of the timestamp.
    pub timestamp_version: u64,
}

impl Repository {
    /// Publishes a draft that enough have signed, with a new snapshot and timestamp by the online keys.
    ///
    /// Target files are there already ([`Repository::place`]). Written are targets, then the snapshot, both under
    /// names that nothing leads to yet; the timestamp, which leads to them, comes last. A root comes behind the
    /// timestamp if readers who do not have it yet can follow the timestamp too, and right before it otherwise. What
    /// was interrupted is finished by another call.
    pub fn finish(&self, draft: &Draft, online: &[PrivateKey], now: Time) -> Result<Published, DeskError> {
        if !self.file(&RepoPath::metadata("root", Some(1))).exists() {
            let folder = self.folder.join("metadata");
            self.disk.create_folders(&folder).map_err(disk(&folder))?;
        }
        let _lock = self.lock()?;
        let before = match self.published() {
            Err(DeskError::Absent { .. }) => None,
            other => Some(other?),
        };
        let root = self.due_root(draft, before.as_ref())?;
        let targets = self.due_targets(draft, before.as_ref(), &root)?;
        let rest = before.as_ref().and_then(|before| before.rest.as_ref());
        self.verify_files(&targets.signed, rest.map(|rest| &rest.targets.signed))?;
        let old_root = before.as_ref().map(|before| &before.root);
        let terms = Terms::of_root(&root.signed);
        let snapshot = next_snapshot(&targets, rest, &terms, now);
        let snapshot = sign(&snapshot, &root, old_root, online)?;
        let timestamp = next_timestamp(&snapshot, rest, &terms, now);
        let timestamp = sign(&timestamp, &root, old_root, online)?;

        self.write("targets", Some(targets.signed.version), &targets.bytes)?;
        self.write("snapshot", Some(snapshot.signed.version), &snapshot.bytes)?;
        let readers_with_old_root_follow = old_root.is_some_and(|old| {
            timestamp.verify("", &old.authority(Role::Timestamp)).is_ok()
                && snapshot.verify("", &old.authority(Role::Snapshot)).is_ok()
                && targets.verify("", &old.authority(Role::Targets)).is_ok()
        });
        if !readers_with_old_root_follow {
            self.write("root", Some(root.signed.version), &root.bytes)?;
        }
        self.write("timestamp", None, &timestamp.bytes)?;
        if readers_with_old_root_follow
            && old_root.is_some_and(|old| old.signed.version < root.signed.version)
        {
            self.write("root", Some(root.signed.version), &root.bytes)?;
        }
        Ok(Published {
            root_version: root.signed.version,
            targets_version: targets.signed.version,
            snapshot_version: snapshot.signed.version,
            timestamp_version: timestamp.signed.version,
        })
    }

    /// Signs a new timestamp for what is published, so that it does not expire; and a new snapshot, when half of the
    /// present one's life is over.
    pub fn renew(&self, online: &[PrivateKey], now: Time) -> Result<Published, DeskError> {
        let _lock = self.lock()?;
        let State { root, rest } = self.published()?;
        let rest = rest.ok_or_else(|| DeskError::Absent { path: self.folder.clone() })?;
        let terms = Terms::of_root(&root.signed);
        let half = jiff::SignedDuration::from_mins(i64::from(terms.roles[&Role::Snapshot].hours) * 30);
        let is_old = rest.snapshot.signed.expires.duration_since(now) < half;
        let snapshot = if is_old {
            let snapshot = next_snapshot(&rest.targets, Some(&rest), &terms, now);
            let snapshot = sign(&snapshot, &root, None, online)?;
            self.write("snapshot", Some(snapshot.signed.version), &snapshot.bytes)?;
            snapshot
        } else {
            rest.snapshot.clone()
        };
        let timestamp = next_timestamp(&snapshot, Some(&rest), &terms, now);
        let timestamp = sign(&timestamp, &root, None, online)?;
        self.write("timestamp", None, &timestamp.bytes)?;
        Ok(Published {
            root_version: root.signed.version,
            targets_version: rest.targets.signed.version,
            snapshot_version: snapshot.signed.version,
            timestamp_version: timestamp.signed.version,
        })
    }

    /// The draft's root, or the published one if it has none.
    fn due_root(&self, draft: &Draft, before: Option<&State>) -> Result<Envelope<Root>, DeskError> {
        let drafted = draft.envelope::<Root>()?;
        let Some(before) = before else {
            let root = drafted.ok_or_else(|| DeskError::Absent { path: self.folder.clone() })?;
            follows(&root, 0)?;
            enough(&root, &root)?;
            return Ok(root);
        };
        let published = &before.root;
        match drafted {
            None => Ok(published.clone()),
            // It was published, and then the machine stopped.
            Some(root) if root.canonical == published.canonical => Ok(published.clone()),
            Some(root) => {
                follows(&root, published.signed.version)?;
                enough(&root, published)?;
                enough(&root, &root)?;
                Ok(root)
            }
        }
    }

    /// The draft's targets, or the published ones if it has none.
    fn due_targets(
        &self,
        draft: &Draft,
        before: Option<&State>,
        root: &Envelope<Root>,
    ) -> Result<Envelope<Targets>, DeskError> {
        let published = before.and_then(|before| before.rest.as_ref()).map(|rest| &rest.targets);
        let targets = match (draft.envelope::<Targets>()?, published) {
            (None, None) => return Err(DeskError::Absent { path: self.folder.clone() }),
            (None, Some(published)) => published.clone(),
            (Some(targets), Some(published)) if targets.canonical == published.canonical => published.clone(),
            (Some(targets), published) => {
                follows(&targets, published.map_or(0, |published| published.signed.version))?;
                targets
            }
        };
        enough(&targets, root)?;
        Ok(targets)
    }

    /// Whether the target files that were not listed before are there.
    fn verify_files(&self, targets: &Targets, before: Option<&Targets>) -> Result<(), DeskError> {
        for (path, file) in &targets.targets {
            if before
                .and_then(|before| before.targets.get(path))
                .is_some_and(|listed| listed.length == file.length && listed.hashes == file.hashes)
            {
                continue;
            }
            let target: TargetPath = path.parse()?;
            let place = self.file(&RepoPath::target(&target, file.hashes.prefix()));
            if !is_such(&place, file.length, &file.hashes).map_err(disk(&place))? {
                return Err(DeskError::OtherFile { path: place, target: path.clone() });
            }
        }
        Ok(())
    }

    fn write(&self, role: &str, version: Option<u64>, bytes: &[u8]) -> Result<(), DeskError> {
        let path = self.file(&RepoPath::metadata(role, version));
        replace(&*self.disk, &path, bytes).map_err(disk(&path))
    }
}

fn next_snapshot(targets: &Envelope<Targets>, before: Option<&Rest>, terms: &Terms, now: Time) -> Snapshot {
    let mut meta = before.map(|rest| rest.snapshot.signed.meta.clone()).unwrap_or_default();
    meta.insert("targets.json".to_owned(), meta_file(targets));
    Snapshot {
        version: before.map_or(1, |rest| rest.snapshot.signed.version.saturating_add(1)),
        expires: terms.expires(Role::Snapshot, now),
        meta,
        other: before.map(|rest| rest.snapshot.signed.other.clone()).unwrap_or_default(),
    }
}

fn next_timestamp(
    snapshot: &Envelope<Snapshot>,
    before: Option<&Rest>,
    terms: &Terms,
    now: Time,
) -> Timestamp {
    Timestamp {
        version: before.map_or(1, |rest| rest.timestamp.signed.version.saturating_add(1)),
        expires: terms.expires(Role::Timestamp, now),
        meta: [("snapshot.json".to_owned(), meta_file(snapshot))].into(),
        other: before.map(|rest| rest.timestamp.signed.other.clone()).unwrap_or_default(),
    }
}

fn meta_file<T: Signed>(envelope: &Envelope<T>) -> MetaFile {
    MetaFile {
        version: envelope.signed.version(),
        length: Some(envelope.bytes.len() as u64),
        hashes: Some(Hashes::of(&envelope.bytes)),
        other: std::collections::BTreeMap::new(),
    }
}

/// Signs with every key that the new root, or the old one, lists for the role.
fn sign<T: Signed>(
    signed: &T,
    root: &Envelope<Root>,
    old: Option<&Envelope<Root>>,
    keys: &[PrivateKey],
) -> Result<Envelope<T>, DeskError> {
    let value = value_of(signed);
    let message = canonical(&value).expect("snapshots and timestamps hold whole numbers only");
    let listed =
        |root: &Envelope<Root>, id: &str| root.signed.role(T::ROLE).keyids.iter().any(|listed| listed == id);
    let mut signatures: Vec<Signature> = Vec::new();
    for key in keys {
        let counts = listed(root, key.id()) || old.is_some_and(|old| listed(old, key.id()));
        if counts && !signatures.iter().any(|made| made.keyid == key.id()) {
            signatures.push(Signature { keyid: key.id().to_owned(), sig: hex(&key.sign(&message)) });
        }
    }
    let bytes = file_bytes(&value, &signatures);
    let envelope = Envelope::of_value(&T::ROLE.file(), value, signatures, bytes)?;
    enough(&envelope, root)?;
    Ok(envelope)
}

/// Refuses a file that too few of `root`'s keys for it have signed, and says whose are missing.
fn enough<T: Signed>(envelope: &Envelope<T>, root: &Envelope<Root>) -> Result<(), DeskError> {
    let found = pending(envelope, &root.authority(T::ROLE), |id| name_of(&root.signed, id));
    if envelope.verify(&T::ROLE.file(), &root.authority(T::ROLE)).is_ok() {
        return Ok(());
    }
    let Pending { role, version, authority, threshold, signed_by, missing } = found;
    Err(DeskError::SignatureMissing { role, version, authority, threshold, signed_by, missing })
}

fn follows<T: Signed>(envelope: &Envelope<T>, published: u64) -> Result<(), DeskError> {
    let draft = envelope.signed.version();
    if draft == published.saturating_add(1) {
        Ok(())
    } else {
        Err(DeskError::Superseded { role: T::ROLE, draft, published })
    }
}
