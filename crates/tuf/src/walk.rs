//! A repository's folder, verified as a client would, with every step told.

use std::io::Read;
use std::path::Path;

use jiff::Timestamp as Time;

use crate::metadata::time;
use crate::trusted::Trusted;
use crate::{FolderTransport, Limits, RepoPath, Role, TargetPath, Transport, TransportError, TufError};

/// One step of a verification.
#[derive(Debug)]
pub struct Step {
    /// The section of the specification.
    pub section: &'static str,
    /// What was verified, and found.
    pub told: String,
    /// What is wrong. Nothing follows such a step, but for target files, each of which is told.
    pub error: Option<TufError>,
}

/// Verifies a repository's folder without a network: `root` is the root that is trusted, or the folder's first one,
/// which then vouches only for itself. Target files are read whole.
pub fn verify_folder(folder: &Path, root: Option<&[u8]>, now: Time, told: &mut dyn FnMut(Step)) -> bool {
    let mut walk = Walk {
        transport: FolderTransport::new(folder),
        limits: Limits::default(),
        now,
        told,
        is_right: true,
    };
    if let Err((section, what, error)) = walk.walk(root) {
        walk.tell(section, what, Some(error));
    }
    walk.is_right
}

struct Walk<'a> {
    transport: FolderTransport,
    limits: Limits,
    now: Time,
    told: &'a mut dyn FnMut(Step),
    is_right: bool,
}

type Failed = (&'static str, String, TufError);

impl Walk<'_> {
    fn tell(&mut self, section: &'static str, told: String, error: Option<TufError>) {
        self.is_right &= error.is_none();
        (self.told)(Step { section, told, error });
    }

    fn walk(&mut self, root: Option<&[u8]>) -> Result<(), Failed> {
        let mut trusted = self.root(root)?;
        self.timestamp(&mut trusted)?;
        self.snapshot(&mut trusted)?;
        self.targets(&mut trusted)?;
        self.files(&trusted);
        Ok(())
    }

    fn root(&mut self, root: Option<&[u8]>) -> Result<Trusted, Failed> {
        let section = "5.3";
        let failed = |what: &str, error| (section, what.to_owned(), error);
        let first = if let Some(root) = root {
            root.to_vec()
        } else {
            let path = RepoPath::metadata("root", Some(1));
            self.due(&path, self.limits.root_bytes_max).map_err(|error| failed("the first root", error))?
        };
        let mut trusted = Trusted::with_root(&first).map_err(|error| failed("the trusted root", error))?;
        let origin = if root.is_some() {
            "trusted because it was given"
        } else {
            "the folder's first one: it vouches for itself only, give --root to hold it against one you trust"
        };
        self.tell("5.3.2", format!("root {}: {origin}", trusted.root.signed.version), None);
        loop {
            let next = trusted.root.signed.version.saturating_add(1);
            let path = RepoPath::metadata("root", Some(next));
            let what = format!("root {next}");
            let bytes = self.read(&path, self.limits.root_bytes_max);
            let Some(bytes) = bytes.map_err(|error| (section, what.clone(), error))? else { break };
            trusted.root = trusted.next_root(&bytes).map_err(|error| ("5.3.4", what, error))?;
            let told = format!("root {next}: signed by enough keys of root {} and of itself", next - 1);
            self.tell("5.3.4", told, None);
        }
        let file = Role::Root.file();
        let what = format!("root {} is the newest", trusted.root.signed.version);
        trusted.root.verify_time(&file, self.now).map_err(|error| ("5.3.10", what.clone(), error))?;
        self.tell(
            "5.3.10",
            format!("{what}, and counts until {}", time::text(trusted.root.signed.expires)),
            None,
        );
        Ok(trusted)
    }

    fn timestamp(&mut self, trusted: &mut Trusted) -> Result<(), Failed> {
        let failed = |error| ("5.4", "the timestamp".to_owned(), error);
        let path = RepoPath::metadata("timestamp", None);
        let bytes = self.due(&path, self.limits.timestamp_bytes_max).map_err(failed)?;
        trusted.offer_timestamp(&bytes, self.now).map_err(failed)?;
        let timestamp = trusted.timestamp.as_ref().expect("it was just verified");
        let told = format!(
            "timestamp {}: signed by {}, counts until {}, names snapshot {}",
            timestamp.signed.version,
            signers(trusted, Role::Timestamp),
            time::text(timestamp.signed.expires),
            timestamp.signed.snapshot().version
        );
        self.tell("5.4", told, None);
        Ok(())
    }

    fn snapshot(&mut self, trusted: &mut Trusted) -> Result<(), Failed> {
        let failed = |error| ("5.5", "the snapshot".to_owned(), error);
        let due = trusted.snapshot_due();
        let version = trusted.root.signed.consistent_snapshot.then_some(due.version);
        let bytes_max = due.length.unwrap_or(self.limits.snapshot_bytes_max);
        let bytes = self.due(&RepoPath::metadata("snapshot", version), bytes_max).map_err(failed)?;
        trusted.offer_snapshot(&bytes, self.now).map_err(failed)?;
        let snapshot = trusted.snapshot.as_ref().expect("it was just verified");
        let told = format!(
            "snapshot {}: as the timestamp says, signed by {}, counts until {}, names targets {}",
            snapshot.signed.version,
            signers(trusted, Role::Snapshot),
            time::text(snapshot.signed.expires),
            snapshot.signed.meta["targets.json"].version
        );
        self.tell("5.5", told, None);
        Ok(())
    }

    fn targets(&mut self, trusted: &mut Trusted) -> Result<(), Failed> {
        let failed = |error| ("5.6", "the targets".to_owned(), error);
        let due = trusted.targets_due("targets").expect("a snapshot that was parsed names them");
        let version = trusted.root.signed.consistent_snapshot.then_some(due.version);
        let bytes_max = due.length.unwrap_or(self.limits.targets_bytes_max);
        let bytes = self.due(&RepoPath::metadata("targets", version), bytes_max).map_err(failed)?;
        trusted.offer_targets("targets", None, &bytes, self.now).map_err(failed)?;
        let targets = &trusted.targets["targets"].signed;
        let told = format!(
            "targets {}: as the snapshot says, signed by {}, counts until {}, lists {} files",
            targets.version,
            signers(trusted, Role::Targets),
            time::text(targets.expires),
            targets.targets.len()
        );
        self.tell("5.6", told, None);
        Ok(())
    }

    fn files(&mut self, trusted: &Trusted) {
        let is_prefixed = trusted.root.signed.consistent_snapshot;
        for (path, file) in &trusted.targets["targets"].signed.targets {
            let told = format!("target {}: {} bytes", crate::path::tame(path), file.length);
            let error = path.parse().and_then(|path: TargetPath| {
                let at = RepoPath::target(&path, is_prefixed.then(|| file.hashes.prefix()).flatten());
                self.file(&at, file)
            });
            self.tell("5.7.2", told, error.err());
        }
    }

    fn file(&self, path: &RepoPath, listed: &crate::TargetFile) -> Result<(), TufError> {
        let not_had = |source| TufError::Transport { file: path.to_string(), source };
        let mut reader = self.transport.open(path, 0).map_err(not_had)?.take(listed.length.saturating_add(1));
        let mut running = listed.hashes.begin();
        let (mut chunk, mut found) = (vec![0; 64 << 10], 0);
        loop {
            let read = reader.read(&mut chunk).map_err(|source| not_had(TransportError::Read { source }))?;
            if read == 0 {
                break;
            }
            running.update(&chunk[..read]);
            found += read as u64;
        }
        if found != listed.length {
            return Err(TufError::WrongLength { file: path.to_string(), expected: listed.length, found });
        }
        if running.finish() { Ok(()) } else { Err(TufError::WrongChecksum { file: path.to_string() }) }
    }

    fn due(&self, path: &RepoPath, bytes_max: u64) -> Result<Vec<u8>, TufError> {
        let missing = || TufError::Transport { file: path.to_string(), source: TransportError::NotFound };
        self.read(path, bytes_max)?.ok_or_else(missing)
    }

    fn read(&self, path: &RepoPath, bytes_max: u64) -> Result<Option<Vec<u8>>, TufError> {
        crate::client::fetch(&self.transport, path, bytes_max, self.limits.metadata_time_max)
    }
}

/// The names of those whose signatures count.
fn signers(trusted: &Trusted, role: Role) -> String {
    let root = &trusted.root;
    let authority = root.authority(role);
    let tally = match role {
        Role::Root => root.tally(&authority),
        Role::Timestamp => trusted.timestamp.as_ref().map(|file| file.tally(&authority)).unwrap_or_default(),
        Role::Snapshot => trusted.snapshot.as_ref().map(|file| file.tally(&authority)).unwrap_or_default(),
        Role::Targets => {
            trusted.targets.get("targets").map(|file| file.tally(&authority)).unwrap_or_default()
        }
    };
    let names: Vec<String> = tally.counted.iter().map(|id| crate::desk::name_of(&root.signed, id)).collect();
    names.join(", ")
}
