//! What is trusted, and every check by which something becomes trusted. No file and no network is touched here.

use std::collections::BTreeMap;

use jiff::Timestamp as Time;

use crate::envelope::{Authority, Envelope, Tally};
use crate::metadata::{DelegatedRole, Delegations, MetaFile, Root, Signed, Snapshot, Targets, Timestamp};
use crate::{Custom, Hashes, Role, TargetFile, TargetPath, TufError};

/// A target file that may be downloaded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    /// Its path.
    pub path: TargetPath,
    /// Its length in bytes.
    pub length: u64,
    /// Its digests.
    pub hashes: Hashes,
    /// What its publisher says of it.
    pub custom: Option<Custom>,
}

impl Target {
    pub(crate) fn new(path: TargetPath, file: &TargetFile) -> Self {
        let TargetFile { length, hashes, custom, .. } = file.clone();
        Self { path, length, hashes, custom }
    }
}

/// Trusted metadata.
#[derive(Clone, Debug)]
pub(crate) struct Trusted {
    pub(crate) root: Envelope<Root>,
    pub(crate) timestamp: Option<Envelope<Timestamp>>,
    pub(crate) snapshot: Option<Envelope<Snapshot>>,
    /// `targets` and delegated roles.
    pub(crate) targets: BTreeMap<String, Envelope<Targets>>,
    /// The snapshot that was trusted before this refresh, unless rotated keys made an end of it.
    before: Option<Snapshot>,
}

/// What came of a timestamp that was offered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Offered {
    New,
    Same,
    /// The trusted number with another content.
    ReusedNumber,
}

impl Trusted {
    /// Section 5.1: the root that is trusted from before.
    pub(crate) fn with_root(bytes: &[u8]) -> Result<Self, TufError> {
        let root = Envelope::<Root>::parse("root.json", bytes)?;
        root.verify_with_itself()?;
        Ok(Self { root, timestamp: None, snapshot: None, targets: BTreeMap::new(), before: None })
    }

    /// Sections 5.3.4 and 5.3.5: whether a root may follow the trusted one.
    pub(crate) fn next_root(&self, bytes: &[u8]) -> Result<Envelope<Root>, TufError> {
        let expected = self.root.signed.version.checked_add(1).ok_or_else(|| {
            TufError::malformed("root.json", "its version is the last number of all: no root can follow it")
        })?;
        let file = format!("{expected}.root.json");
        let new = Envelope::<Root>::parse(&file, bytes)?;
        // 5.3.4: signed by a threshold of the trusted root's keys and by one of its own.
        new.verify(&file, &self.root.authority(Role::Root))?;
        new.verify(&file, &new.authority(Role::Root))?;
        // 5.3.5: exactly the next version.
        wrong_version(&file, expected, new.signed.version)?;
        Ok(new)
    }

    /// Section 5.3.11: whether keys of the timestamp or the snapshot were taken away.
    pub(crate) fn rotates(&self, new: &Envelope<Root>) -> bool {
        let materials = |root: &Root, role: Role| {
            let keyids = &root.role(role).keyids;
            let verifiers = keyids.iter().filter_map(|id| root.keys.get(id)?.verifier());
            verifiers.map(|verifier| verifier.material().clone()).collect::<std::collections::BTreeSet<_>>()
        };
        [Role::Timestamp, Role::Snapshot].into_iter().any(|role| {
            let (before, after) = (materials(&self.root.signed, role), materials(&new.signed, role));
            !before.is_subset(&after)
        })
    }

    /// A timestamp that was trusted before. One that today's root does not vouch for is not any more.
    pub(crate) fn take_kept_timestamp(&mut self, bytes: &[u8]) {
        self.timestamp = self.vouched(Role::Timestamp, bytes).ok();
    }

    /// A snapshot that was trusted before.
    pub(crate) fn take_kept_snapshot(&mut self, bytes: &[u8]) {
        self.snapshot = self.vouched(Role::Snapshot, bytes).ok();
        self.before = self.snapshot.as_ref().map(|snapshot| snapshot.signed.clone());
    }

    fn vouched<T: Signed>(&self, role: Role, bytes: &[u8]) -> Result<Envelope<T>, TufError> {
        let file = role.file();
        let envelope = Envelope::<T>::parse(&file, bytes)?;
        envelope.verify(&file, &self.root.authority(role))?;
        Ok(envelope)
    }

    /// Section 5.4, from 5.4.2 on.
    pub(crate) fn offer_timestamp(&mut self, bytes: &[u8], now: Time) -> Result<Offered, TufError> {
        let file = Role::Timestamp.file();
        // 5.4.2.
        let new: Envelope<Timestamp> = self.vouched(Role::Timestamp, bytes)?;
        if let Some(trusted) = &self.timestamp {
            // 5.4.3.1. An equal number is normal, and what is trusted stays.
            rollback(&file, trusted.signed.version, new.signed.version)?;
            if new.signed.version == trusted.signed.version {
                let is_same = new.canonical == trusted.canonical;
                trusted.verify_time(&file, now)?;
                return Ok(if is_same { Offered::Same } else { Offered::ReusedNumber });
            }
            // 5.4.3.2.
            rollback("snapshot.json", trusted.signed.snapshot().version, new.signed.snapshot().version)?;
        }
        // A refresh that stopped behind its timestamp may have left an older one and a newer snapshot.
        if let Some(snapshot) = &self.snapshot {
            rollback("snapshot.json", snapshot.signed.version, new.signed.snapshot().version)?;
        }
        // 5.4.4.
        new.verify_time(&file, now)?;
        self.timestamp = Some(new);
        Ok(Offered::New)
    }

    /// What the trusted timestamp says of the snapshot.
    pub(crate) fn snapshot_due(&self) -> &MetaFile {
        self.timestamp.as_ref().expect("a timestamp comes before a snapshot").signed.snapshot()
    }

    /// Whether the snapshot that is trusted already is the one that is due.
    pub(crate) fn has_snapshot_due(&self) -> bool {
        self.snapshot.as_ref().is_some_and(|snapshot| is_due(snapshot, self.snapshot_due()))
    }

    /// Section 5.5.6 for a snapshot that is trusted already.
    pub(crate) fn verify_snapshot_time(&self, now: Time) -> Result<(), TufError> {
        self.snapshot.as_ref().map_or(Ok(()), |snapshot| snapshot.verify_time(&Role::Snapshot.file(), now))
    }

    /// Section 5.5, from 5.5.2 on.
    pub(crate) fn offer_snapshot(&mut self, bytes: &[u8], now: Time) -> Result<(), TufError> {
        let file = Role::Snapshot.file();
        let due = self.snapshot_due();
        // 5.5.2.
        verify_file(&file, bytes, due)?;
        // 5.5.3.
        let new: Envelope<Snapshot> = self.vouched(Role::Snapshot, bytes)?;
        // 5.5.4.
        wrong_version(&file, due.version, new.signed.version)?;
        if let Some(trusted) = &self.snapshot {
            rollback(&file, trusted.signed.version, new.signed.version)?;
            if trusted.signed.version == new.signed.version && trusted.canonical != new.canonical {
                return Err(TufError::VersionReused { file, version: new.signed.version });
            }
            // 5.5.5: no targets metadata goes back or is gone.
            for (role, before) in &trusted.signed.meta {
                let Some(after) = new.signed.meta.get(role) else {
                    return Err(TufError::Removed { file, role: crate::path::tame(role) });
                };
                rollback(&crate::path::tame(role), before.version, after.version)?;
            }
        }
        // 5.5.6.
        new.verify_time(&file, now)?;
        self.snapshot = Some(new);
        Ok(())
    }

    /// What the trusted snapshot says of a targets role.
    pub(crate) fn targets_due(&self, role: &str) -> Option<&MetaFile> {
        let snapshot = self.snapshot.as_ref().expect("a snapshot comes before targets");
        snapshot.signed.meta.get(&format!("{role}.json"))
    }

    /// Section 5.6, from 5.6.2 on, for the top-level role and for delegated ones, which `delegator` leads to.
    pub(crate) fn offer_targets(
        &mut self,
        role: &str,
        delegator: Option<&str>,
        bytes: &[u8],
        now: Time,
    ) -> Result<(), TufError> {
        let file = format!("{}.json", crate::path::tame(role));
        let due = self
            .targets_due(role)
            .ok_or_else(|| TufError::malformed("snapshot.json", format_args!("it does not list {file}")))?;
        // 5.6.2.
        verify_file(&file, bytes, due)?;
        let new = Envelope::<Targets>::parse(&file, bytes)?;
        // 5.6.3.
        self.verify_targets(&file, &new, role, delegator)?;
        // 5.6.4.
        wrong_version(&file, due.version, new.signed.version)?;
        // 5.6.5.
        new.verify_time(&file, now)?;
        self.targets.insert(role.to_owned(), new);
        Ok(())
    }

    /// Refuses targets that were just taken if they have the number of the file that was `kept`, and another content.
    pub(crate) fn verify_number(
        &mut self,
        role: &str,
        delegator: Option<&str>,
        kept: &[u8],
    ) -> Result<(), TufError> {
        let name = format!("{role}.json");
        let listed = self.before.as_ref().and_then(|before| before.meta.get(&name)).map(|meta| meta.version);
        let Ok(kept) = Envelope::<Targets>::parse(&name, kept) else { return Ok(()) };
        if self.verify_targets(&name, &kept, role, delegator).is_err() {
            // Damaged, or signed by keys that no longer count: it proves nothing.
            return Ok(());
        }
        let version = self.targets[role].signed.version;
        let is_reused = listed == Some(version)
            && kept.signed.version == version
            && kept.canonical != self.targets[role].canonical;
        if is_reused {
            self.targets.remove(role);
            let file = format!("{}.json", crate::path::tame(role));
            return Err(TufError::VersionReused { file, version });
        }
        Ok(())
    }

    /// Whether the delegation from `delegator` covers the trusted file of `role` too: another role may have led to it
    /// before.
    pub(crate) fn verify_again(&self, role: &str, delegator: &str) -> Result<(), TufError> {
        let file = format!("{}.json", crate::path::tame(role));
        match self.targets.get(role) {
            Some(trusted) => self.verify_targets(&file, trusted, role, Some(delegator)).map(|_| ()),
            None => Err(TufError::NotRefreshed),
        }
    }

    fn verify_targets(
        &self,
        file: &str,
        envelope: &Envelope<Targets>,
        role: &str,
        delegator: Option<&str>,
    ) -> Result<Tally, TufError> {
        match delegator {
            None => envelope.verify(file, &self.root.authority(Role::Targets)),
            Some(delegator) => {
                let (delegations, delegated) = self.delegation(delegator, role)?;
                let authority = Authority {
                    name: format!("the delegation of {}", crate::path::tame(delegator)),
                    keys: &delegations.keys,
                    keyids: &delegated.keyids,
                    threshold: delegated.threshold,
                };
                envelope.verify(file, &authority)
            }
        }
    }

    fn delegation(&self, delegator: &str, role: &str) -> Result<(&Delegations, &DelegatedRole), TufError> {
        let delegations = self.targets.get(delegator).and_then(|targets| targets.signed.delegations.as_ref());
        let found = delegations.and_then(|delegations| {
            let mut roles = delegations.roles.iter().flatten();
            roles.find(|delegated| delegated.name == role).map(|delegated| (delegations, delegated))
        });
        found.ok_or_else(|| {
            TufError::malformed(
                &crate::path::tame(delegator),
                "it does not delegate to the role that was asked",
            )
        })
    }
}

/// Whether a file that is trusted already is the one that is named.
pub(crate) fn is_due<T: Signed>(envelope: &Envelope<T>, due: &MetaFile) -> bool {
    envelope.signed.version() == due.version && verify_file("", &envelope.bytes, due).is_ok()
}

/// Length and digests, where they were signed for.
pub(crate) fn verify_file(file: &str, bytes: &[u8], due: &MetaFile) -> Result<(), TufError> {
    let found = bytes.len() as u64;
    if let Some(expected) = due.length
        && expected != found
    {
        return Err(TufError::WrongLength { file: file.to_owned(), expected, found });
    }
    match &due.hashes {
        Some(hashes) if !hashes.are_of(bytes) => Err(TufError::WrongChecksum { file: file.to_owned() }),
        _ => Ok(()),
    }
}

fn rollback(file: &str, trusted: u64, offered: u64) -> Result<(), TufError> {
    if offered < trusted {
        return Err(TufError::Rollback { file: file.to_owned(), trusted, offered });
    }
    Ok(())
}

fn wrong_version(file: &str, expected: u64, found: u64) -> Result<(), TufError> {
    if expected != found {
        return Err(TufError::WrongVersion { file: file.to_owned(), expected, found });
    }
    Ok(())
}
