use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Lists that others publish as signed releases, as `hashward subscribe` takes them up.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawSubscriptions {
    /// The folder with the subscriptions. `run` matches against all their lists too, and follows their releases. It
    /// needs `lists.key_file`: what is fetched is kept sealed. Empty: no subscriptions.
    #[schemars(example = "/var/lib/hashward/subscriptions")]
    pub(crate) directory: String,
    /// How often `run` looks for new releases, in milliseconds, at most a day: each time a random quarter earlier or
    /// later, so that workers do not ask all at once.
    #[schemars(example = 300_000)]
    pub(crate) poll_ms: u64,
    /// The Kafka topic on which new releases are announced: every worker then looks at once, and `release publish
    /// --announce` says it there. It may hold anything: an announcement is a hint, and what is found is verified as
    /// always. Empty: none.
    #[schemars(example = "hashward.releases")]
    pub(crate) announcements_topic: String,
    /// After a look because of an announcement, the next one comes no sooner than this, in milliseconds.
    #[schemars(example = 1000)]
    pub(crate) announced_gap_ms: u64,
    /// How long one look may take, with everything that is fetched, in milliseconds. What came is kept: the next
    /// look goes on from there.
    #[schemars(example = 3_600_000)]
    pub(crate) pull_timeout_ms: u64,
    /// The largest file that is fetched, in bytes. What a release says to be larger is refused before.
    #[schemars(example = 1_073_741_824_u64)]
    pub(crate) file_bytes_max: u64,
    /// The file with the age identities that open encrypted releases. Empty: none.
    #[schemars(example = "/run/secrets/hashward-age-identity")]
    pub(crate) identity_file: String,
    /// A PEM file with the certificate authorities to trust for the publishers' servers, in place of the built-in
    /// ones of the public web. Empty: those.
    #[schemars(example = "/etc/ssl/certs/internal-ca.pem")]
    pub(crate) ca_file: String,
}

impl Default for RawSubscriptions {
    fn default() -> Self {
        Self {
            directory: String::new(),
            poll_ms: 60_000,
            announcements_topic: String::new(),
            announced_gap_ms: 100,
            pull_timeout_ms: 600_000,
            file_bytes_max: 64 << 30,
            identity_file: String::new(),
            ca_file: String::new(),
        }
    }
}
