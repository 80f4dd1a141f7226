use std::path::PathBuf;
use std::time::Duration;

use super::super::raw::RawSubscriptions;
use super::{Check, MS_MAX};

/// Lists that others publish.
#[derive(Clone, Debug)]
pub(crate) struct Subscriptions {
    /// The folder with the subscriptions; `None`: there are none.
    pub(crate) directory: Option<PathBuf>,
    /// How often it is looked for new releases, about.
    pub(crate) poll: Duration,
    /// The topic of announcements, if there is one.
    pub(crate) announcements_topic: Option<String>,
    /// The shortest time between two looks because of announcements.
    pub(crate) announced_gap: Duration,
    /// How long one look may take.
    pub(crate) pull_timeout: Duration,
    /// The largest file that is fetched.
    pub(crate) file_bytes_max: u64,
    /// The file with age identities, if there is one.
    pub(crate) identity_file: Option<PathBuf>,
    /// Certificate authorities; `None`: the built-in ones.
    pub(crate) ca_file: Option<PathBuf>,
}

pub(super) fn subscriptions(raw: &RawSubscriptions, check: &mut Check) -> Subscriptions {
    let mut optional = |key: &str, path: &str| (!path.is_empty()).then(|| check.path(key, path));
    let directory = optional("subscriptions.directory", &raw.directory);
    let identity_file = optional("subscriptions.identity_file", &raw.identity_file);
    let ca_file = optional("subscriptions.ca_file", &raw.ca_file);
    let topic = &raw.announcements_topic;
    Subscriptions {
        directory,
        poll: check.ms("subscriptions.poll_ms", raw.poll_ms, 1, MS_MAX),
        announcements_topic: (!topic.is_empty())
            .then(|| check.topic("subscriptions.announcements_topic", topic)),
        announced_gap: check.ms("subscriptions.announced_gap_ms", raw.announced_gap_ms, 1, MS_MAX),
        pull_timeout: check.ms("subscriptions.pull_timeout_ms", raw.pull_timeout_ms, 1, MS_MAX),
        file_bytes_max: check.within("subscriptions.file_bytes_max", raw.file_bytes_max, 1, 1 << 40),
        identity_file,
        ca_file,
    }
}
