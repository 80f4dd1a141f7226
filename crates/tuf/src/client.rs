//! The client's work flow (section 5), from the first step to the last.

use std::time::{Duration, Instant};

use jiff::Timestamp as Time;

use crate::trusted::{Offered, Target, Trusted};
use crate::{Limits, RepoPath, Role, Store, TargetPath, Transport, TransportError, TufError};

/// Follows one repository.
pub struct Client {
    pub(crate) transport: Box<dyn Transport>,
    pub(crate) store: Store,
    pub(crate) limits: Limits,
    pub(crate) session: Option<Session>,
}

/// What the last refresh that succeeded led to.
pub(crate) struct Session {
    pub(crate) trusted: Trusted,
    pub(crate) start: Time,
}

/// What a refresh led to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refreshed {
    /// Version of the trusted root.
    pub root_version: u64,
    /// Version of the trusted timestamp.
    pub timestamp_version: u64,
    /// Version of the trusted snapshot.
    pub snapshot_version: u64,
    /// Version of the trusted top-level targets.
    pub targets_version: u64,
    /// When the first of the four expires.
    pub expires: Time,
    /// Whether the timestamp is another one than before.
    pub is_new: bool,
    /// Whether another timestamp was offered under the trusted one's number. It was discarded, as 5.4.3.1 wants it;
    /// that it exists means that the online key signs for two masters.
    pub is_number_reused: bool,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Client {
    /// A client that reads through `transport` and keeps what it trusts in `store`.
    pub fn new(transport: impl Transport + 'static, store: Store, limits: Limits) -> Self {
        Self { transport: Box::new(transport), store, limits, session: None }
    }

    /// Brings the trusted metadata up to date. `now` is the fixed start of the update (section 5.2).
    ///
    /// When it fails, what was verified before the failing step is kept as the specification says, nothing else is
    /// changed, and what an earlier refresh of this client led to remains what [`Client::target`] answers from.
    pub fn refresh(&mut self, now: Time) -> Result<Refreshed, TufError> {
        // 5.2.
        let start = self.store.start(now, self.limits.clock_slack)?;
        // 5.3.
        let mut trusted = self.update_root(start)?;
        // 5.4.
        let offered = self.update_timestamp(&mut trusted, start)?;
        // 5.5.
        self.update_snapshot(&mut trusted, start)?;
        // 5.6, but for delegations, which are loaded when a target asks for them.
        self.update_targets(&mut trusted, start)?;
        self.store.saw(start)?;
        let refreshed = refreshed(&trusted, offered);
        self.session = Some(Session { trusted, start });
        Ok(refreshed)
    }

    /// The top-level targets of the last refresh that succeeded. A path that is unsafe as a file's name is an error of
    /// its own.
    pub fn targets(&self) -> Result<impl Iterator<Item = Result<Target, TufError>>, TufError> {
        let session = self.session.as_ref().ok_or(TufError::NotRefreshed)?;
        let targets = &session.trusted.targets["targets"].signed.targets;
        Ok(targets.iter().map(|(path, file)| Ok(Target::new(path.parse()?, file))))
    }

    /// What publishers say in the top-level targets beside the specified fields, by name.
    pub fn other(&self, name: &str) -> Option<&crate::Custom> {
        self.session.as_ref()?.trusted.targets["targets"].signed.other.get(name)
    }

    /// Looks a target up, through delegations where they lead to it (section 5.6.7). `None`: nobody who may say so
    /// lists it.
    pub fn target(&mut self, path: &TargetPath) -> Result<Option<Target>, TufError> {
        let mut session = self.session.take().ok_or(TufError::NotRefreshed)?;
        let found = self.search(&mut session, path);
        self.session = Some(session);
        found
    }

    /// Section 5.3.
    fn update_root(&self, start: Time) -> Result<Trusted, TufError> {
        let no_root = || TufError::NoRoot { path: self.store.folder().to_owned() };
        // 5.3.1 and 5.3.2.
        let bytes = self.store.read("root")?.ok_or_else(no_root)?;
        let mut trusted = Trusted::with_root(&bytes)?;
        for _ in 0..self.limits.root_rotations_max {
            // 5.3.3: the next version, as long as there is one.
            let next = RepoPath::metadata("root", Some(trusted.root.signed.version.saturating_add(1)));
            let Some(bytes) = self.fetch(&next, self.limits.root_bytes_max)? else { break };
            // 5.3.4 and 5.3.5. 5.3.6: that it may have expired does not matter yet.
            let root = trusted.next_root(&bytes)?;
            if trusted.rotates(&root) {
                // 5.3.11, which undoes a fast-forward: before the root is kept, for afterwards nothing would tell that
                // keys were taken away.
                self.store.remove(Role::Timestamp)?;
                self.store.remove(Role::Snapshot)?;
            }
            // 5.3.7 and 5.3.8.
            trusted.root = root;
            self.store.write("root", &bytes)?;
        }
        // 5.3.10.
        trusted.root.verify_time(&Role::Root.file(), start)?;
        Ok(trusted)
    }

    /// Section 5.4.
    fn update_timestamp(&self, trusted: &mut Trusted, start: Time) -> Result<Offered, TufError> {
        if let Some(bytes) = self.store.read("timestamp")? {
            trusted.take_kept_timestamp(&bytes);
        }
        if let Some(bytes) = self.store.read("snapshot")? {
            trusted.take_kept_snapshot(&bytes);
        }
        // 5.4.1.
        let path = RepoPath::metadata("timestamp", None);
        let bytes = self.fetch_due(&path, self.limits.timestamp_bytes_max)?;
        let offered = trusted.offer_timestamp(&bytes, start)?;
        if offered == Offered::New {
            // 5.4.5.
            self.store.write("timestamp", &bytes)?;
        }
        Ok(offered)
    }

    /// Section 5.5.
    fn update_snapshot(&self, trusted: &mut Trusted, start: Time) -> Result<(), TufError> {
        if trusted.has_snapshot_due() {
            return trusted.verify_snapshot_time(start);
        }
        let due = trusted.snapshot_due();
        // 5.5.1.
        let version = trusted.root.signed.consistent_snapshot.then_some(due.version);
        let path = RepoPath::metadata("snapshot", version);
        let bytes = self.fetch_due(&path, due.length.unwrap_or(self.limits.snapshot_bytes_max))?;
        trusted.offer_snapshot(&bytes, start)?;
        // 5.5.7.
        self.store.write("snapshot", &bytes)
    }

    /// Section 5.6 for the top-level role.
    fn update_targets(&self, trusted: &mut Trusted, start: Time) -> Result<(), TufError> {
        self.load_targets(trusted, "targets", None, start)
    }

    /// Loads a targets role: the kept file if it is the one that is due and counts, the repository's otherwise.
    pub(crate) fn load_targets(
        &self,
        trusted: &mut Trusted,
        role: &str,
        delegator: Option<&str>,
        start: Time,
    ) -> Result<(), TufError> {
        let kept = self.store.read(role)?;
        if let Some(bytes) = &kept
            && trusted.offer_targets(role, delegator, bytes, start).is_ok()
        {
            return Ok(());
        }
        let file = format!("{}.json", crate::path::tame(role));
        let due = trusted
            .targets_due(role)
            .ok_or_else(|| TufError::malformed("snapshot.json", format_args!("it does not list {file}")))?;
        let due_version = due.version;
        // 5.6.1.
        let version = trusted.root.signed.consistent_snapshot.then_some(due_version);
        let bytes_max = due.length.unwrap_or(self.limits.targets_bytes_max);
        let bytes = self.fetch_due(&RepoPath::metadata(role, version), bytes_max)?;
        trusted.offer_targets(role, delegator, &bytes, start)?;
        if let Some(kept) = &kept {
            trusted.verify_number(role, delegator, kept)?;
        }
        // 5.6.6.
        self.store.write(role, &bytes)
    }

    fn fetch_due(&self, path: &RepoPath, bytes_max: u64) -> Result<Vec<u8>, TufError> {
        self.fetch(path, bytes_max)?
            .ok_or_else(|| TufError::Transport { file: path.to_string(), source: TransportError::NotFound })
    }

    fn fetch(&self, path: &RepoPath, bytes_max: u64) -> Result<Option<Vec<u8>>, TufError> {
        fetch(&*self.transport, path, bytes_max, self.limits.metadata_time_max)
    }
}

/// Reads a whole file within the limits of bytes and time. `None`: it is not there.
pub(crate) fn fetch(
    transport: &dyn Transport,
    path: &RepoPath,
    bytes_max: u64,
    time_max: Duration,
) -> Result<Option<Vec<u8>>, TufError> {
    let file = || path.to_string();
    let began = Instant::now();
    let mut reader = match transport.open(path, 0) {
        Ok(reader) => reader,
        Err(TransportError::NotFound) => return Ok(None),
        Err(source) => return Err(TufError::Transport { file: file(), source }),
    };
    let mut bytes = Vec::new();
    let mut chunk = [0; 16 << 10];
    loop {
        let read = match reader.read(&mut chunk) {
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(source) => {
                return Err(TufError::Transport { file: file(), source: TransportError::Read { source } });
            }
        };
        if began.elapsed() > time_max {
            return Err(TufError::SlowRetrieval { file: file(), time_max });
        }
        if read == 0 {
            return Ok(Some(bytes));
        }
        if bytes.len() as u64 + read as u64 > bytes_max {
            return Err(TufError::EndlessData { file: file(), bytes_max });
        }
        bytes.extend_from_slice(&chunk[..read]);
    }
}

fn refreshed(trusted: &Trusted, offered: Offered) -> Refreshed {
    let timestamp = trusted.timestamp.as_ref().expect("it was just verified");
    let snapshot = trusted.snapshot.as_ref().expect("it was just verified");
    let targets = &trusted.targets["targets"];
    let expires = [
        trusted.root.signed.expires,
        timestamp.signed.expires,
        snapshot.signed.expires,
        targets.signed.expires,
    ];
    Refreshed {
        root_version: trusted.root.signed.version,
        timestamp_version: timestamp.signed.version,
        snapshot_version: snapshot.signed.version,
        targets_version: targets.signed.version,
        expires: expires.into_iter().min().expect("there are four"),
        is_new: offered == Offered::New,
        is_number_reused: offered == Offered::ReusedNumber,
    }
}
