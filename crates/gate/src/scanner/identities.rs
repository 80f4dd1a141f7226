use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use hashward_engine::core::Identity;

/// Names contents that come without a name: nobody else's, and never one twice.
#[derive(Debug)]
pub(crate) struct Identities {
    /// The door's name, and what tells this process from all others.
    source: &'static str,
    prefix: String,
    given: AtomicU64,
}

impl Identities {
    pub(crate) fn new(source: &'static str) -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let prefix = format!("{:x}-{:x}", since_epoch.as_nanos(), std::process::id());
        Self { source, prefix, given: AtomicU64::new(0) }
    }

    /// The identity of the next content, of which perhaps the object's name is known.
    pub(crate) fn next(&self, subject: Option<String>) -> Identity {
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        Identity {
            id: format!("{}-{number}", self.prefix),
            source: Some(self.source.to_owned()),
            subject,
            ..Identity::default()
        }
    }
}
