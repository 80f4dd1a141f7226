//! The configuration as it is written: every field, its meaning, its default and an example, in this one
//! place.
//!
//! The JSON Schema, `configs/reference.toml` and the table of known keys are all made from these structs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::gate::RawGate;
use super::settings::Settings;

/// Hashward's configuration. Every field may be left out; then its default holds.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields)]
#[schemars(title = "Hashward configuration")]
#[schemars(extend("$id" = "https://hashward.org/schema/hashward.schema.json"))]
pub(crate) struct RawConfig {
    /// The name of this worker. It stands in the `source` of every alert as `/hashward/<instance>`, so that a
    /// reader can tell which worker made it. 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'. Empty: the host's
    /// name.
    #[schemars(example = "upload-eu-1")]
    pub(crate) instance: String,
    /// What content is matched against.
    pub(crate) lists: RawLists,
    /// What stands between a mistake in a list and innocent people.
    pub(crate) guard: RawGuard,
    /// What a match calls for.
    pub(crate) policy: RawPolicy,
    /// Where content comes from.
    pub(crate) source: RawSource,
    /// The folder that is read with `source.kind = "inbox"`.
    pub(crate) inbox: RawInbox,
    /// Where alerts go.
    pub(crate) alerts: RawAlerts,
    /// What is kept of a record that cannot be judged.
    pub(crate) quarantine: RawQuarantine,
    /// The Kafka cluster, read with `source.kind = "kafka"` and written with `alerts.kind = "kafka"`.
    pub(crate) kafka: RawKafka,
    /// How much is read before it is judged as one batch. The first limit that is reached ends a batch.
    pub(crate) batch: RawBatch,
    /// The line from source to commit: threads, queues, and limits in time and size.
    pub(crate) line: RawLine,
    /// What Hashward may open when a record refers to content instead of carrying it.
    pub(crate) references: RawReferences,
    /// The listener for `/metrics`, `/livez`, `/readyz` and `/version`.
    pub(crate) http: RawHttp,
    /// The doors at which providers ask about one content and wait for the verdict.
    pub(crate) gate: RawGate,
    /// The log, on standard error.
    pub(crate) log: RawLog,
}

/// What content is matched against.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawLists {
    /// The lists: text files with one digest a line and an optional `.toml` beside each that says who answers
    /// for it; list folders; or sealed files that `list build` wrote. `run` needs at least one. The flag
    /// `--list` replaces them all.
    #[schemars(example = ["lists/national", "lists/shared-sha256.txt"])]
    pub(crate) files: Vec<String>,
    /// Whether a bad line of a list is counted and reported instead of refusing the whole list. A list with a
    /// skipped line protects less than its owner thinks.
    #[schemars(example = true)]
    pub(crate) skip_bad_lines: bool,
    /// The file with the key under which lists are sealed, as `list key` makes one. Keep it apart from what it
    /// seals. Empty: the variable `HASHWARD_SEAL_KEY`; without either a key of this process alone, which can
    /// open no sealed file.
    #[schemars(example = "/run/secrets/hashward-seal-key")]
    pub(crate) key_file: String,
    /// How often `run` and `scan` look whether a list has changed, in milliseconds, at most 86400000. A change
    /// goes live while content flows. 0: never.
    #[schemars(example = 5000)]
    pub(crate) watch_ms: u64,
    /// How long changes to list folders stay in memory, laid over the index, before they are folded into it,
    /// in milliseconds. Many changes are folded sooner.
    #[schemars(example = 600_000)]
    pub(crate) fold_after_ms: u64,
    /// How lookups are laid out: `filter` keeps a Bloom filter in memory, 2 bytes a digest, before a set that can
    /// stay on disk; `lines` a table of cache lines, 4 bytes a digest, that answers faster.
    #[schemars(example = &"filter")]
    pub(crate) layout: RawLayout,
    /// The folder in which `run` keeps generations of its lists, sealed: for `generations rollback`, and for
    /// a quick start. It needs a key. Empty: generations are in memory only.
    #[schemars(example = "/var/lib/hashward/generations")]
    pub(crate) generations_dir: String,
    /// How many generations are kept there, 2 to 1000.
    #[schemars(example = 30)]
    pub(crate) generations_kept: u64,
}

impl Default for RawLists {
    fn default() -> Self {
        Self {
            files: Vec::new(),
            skip_bad_lines: false,
            key_file: String::new(),
            watch_ms: 1000,
            fold_after_ms: 60_000,
            layout: RawLayout::Auto,
            generations_dir: String::new(),
            generations_kept: 8,
        }
    }
}

/// How lookups are laid out.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RawLayout {
    /// `lines` up to a billion digests, `filter` beyond.
    Auto,
    /// A Bloom filter before a sorted set.
    Filter,
    /// A table of cache lines.
    Lines,
}

/// What stands between a mistake in a list and innocent people.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawGuard {
    /// Files with digests of content that is known to be harmless, in any format that `list import` reads and
    /// in those of NSRL. An entry of a list that has one of them is held back from matching, and reported.
    #[schemars(example = ["/usr/share/nsrl/NSRLFile.txt"])]
    pub(crate) known_good_files: Vec<String>,
    /// Digests that no list may match, as `ALGORITHM:HEX`, or HEX where its length tells the algorithm. Those of
    /// empty content need not be named: every list is refused that holds one.
    #[schemars(example = ["sha256:5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9"])]
    pub(crate) never_match: Vec<String>,
    /// By how many percent of its entries a list may grow from one generation to the next. What grows more is
    /// refused, and the last good generation stays.
    #[schemars(example = 10)]
    pub(crate) growth_percent_max: u64,
    /// How many percent of a list's entries may go from one generation to the next, 0 to 100.
    #[schemars(example = 5)]
    pub(crate) removals_percent_max: u64,
    /// So many entries may always come or go in one step: a small list changes much with each entry.
    #[schemars(example = 100)]
    pub(crate) free_entries: u64,
    /// For how long an entry that is new in its list is observed only, in milliseconds, at most 366 days. 0: a
    /// new entry acts at once. An entry of a text list counts from the moment the worker first saw it; one that
    /// was there when the worker began counts as old.
    #[schemars(example = 86_400_000)]
    pub(crate) observe_new_ms: u64,
    /// Matches of one entry that act in one window; the next one trips the entry's breaker: it calls for
    /// `review` at most until it is released. Only matches that act harder than that count. 0: breakers never
    /// trip. Each worker counts its own matches, in memory, and begins at zero.
    ///
    /// Real floods of one known item happen: a terrorist video that many people share may come thousands of
    /// times in an hour. Too low a limit leaves them to your reviewers.
    #[schemars(example = 1000)]
    pub(crate) breaker_matches_max: u64,
    /// The length of a window, in milliseconds, 1 to 366 days. It begins with the entry's first match after the
    /// window before.
    #[schemars(example = 600_000)]
    pub(crate) breaker_window_ms: u64,
    /// How long a tripped entry stays tripped after the end of its last window with more than
    /// `breaker_matches_max` matches, in milliseconds, at most 366 days.
    #[schemars(example = 86_400_000)]
    pub(crate) breaker_release_ms: u64,
    /// Which share of a list's entries acts, in percent, 0 to 100, by the list's id; the other entries are
    /// observed. A list that is not named acts as a whole. The same entries are in the share on every worker,
    /// and a larger share only adds some.
    #[schemars(example = serde_json::json!({"shared-sha256": 25}))]
    pub(crate) rollout_percent: BTreeMap<String, u64>,
}

impl Default for RawGuard {
    fn default() -> Self {
        Self {
            known_good_files: Vec::new(),
            never_match: Vec::new(),
            growth_percent_max: 100,
            removals_percent_max: 20,
            free_entries: 1000,
            observe_new_ms: 0,
            breaker_matches_max: 10_000,
            breaker_window_ms: 3_600_000,
            breaker_release_ms: 3_600_000,
            rollout_percent: BTreeMap::new(),
        }
    }
}

/// What a match calls for.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawPolicy {
    /// The territories whose law binds you: ISO 3166-1 codes, or EU. A match on a list for other territories
    /// is observed only. Empty: every list is followed.
    #[schemars(example = ["DE", "CH"])]
    pub(crate) jurisdictions: Vec<String>,
    /// The strictest action that a match on MD5 or SHA-1 alone may call for. Anybody can make other content
    /// with the same MD5 or SHA-1, so that `block` here lets strangers decide what you block.
    #[schemars(example = &"observe")]
    pub(crate) weak_digest_action: RawAction,
    /// Whether content is public already when Hashward sees it: it decides between blocking and takedown.
    #[schemars(example = &"published")]
    pub(crate) stage: RawStage,
}

impl Default for RawPolicy {
    fn default() -> Self {
        Self { jurisdictions: Vec::new(), weak_digest_action: RawAction::Review, stage: RawStage::Upload }
    }
}

/// An action, from mild to strict.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RawAction {
    /// Count and record.
    Observe,
    /// A person decides.
    Review,
    /// Do not let it through.
    Block,
    /// Remove it.
    Takedown,
}

/// Whether content is public already.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RawStage {
    /// Judged before it is published: the strictest action is `block`.
    Upload,
    /// Public already: the strictest action is `takedown`.
    Published,
}

/// Where content comes from.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawSource {
    /// The kind of source.
    #[schemars(example = &"kafka")]
    pub(crate) kind: RawSourceKind,
}

/// The kinds of source.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RawSourceKind {
    /// Files that appear in a folder: see `[inbox]`.
    #[default]
    Inbox,
    /// Records of Kafka topics: see `[kafka]`.
    Kafka,
    /// Nowhere: only the doors of `[gate]` are open.
    None,
}

/// The folder that is read with `source.kind = "inbox"`.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawInbox {
    /// The data folder. Files put into its subfolder `inbox` are judged, and moved to `passed`, `held` or
    /// `unreadable` beside it. A relative path starts at the working directory.
    #[schemars(example = "/var/lib/hashward")]
    pub(crate) directory: String,
    /// How often the folder is looked through when nothing came, in milliseconds.
    #[schemars(example = 1000)]
    pub(crate) poll_ms: u64,
    /// How long a file must stay as it is before it counts as written to its end, in milliseconds. Writers
    /// that rename finished files into the inbox can do with 0. Names that begin with '.' or end in `.part`
    /// or `.tmp` are not taken.
    #[schemars(example = 0)]
    pub(crate) settle_ms: u64,
}

impl Default for RawInbox {
    fn default() -> Self {
        Self { directory: "hashward-data".to_owned(), poll_ms: 200, settle_ms: 500 }
    }
}

/// Where alerts go.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawAlerts {
    /// The kind of destination, for alerts and quarantined records alike.
    #[schemars(example = &"kafka")]
    pub(crate) kind: RawAlertsKind,
    /// With `kind = "file"`: the file that alerts are appended to, one JSON object (CloudEvents) a line, each
    /// on disk before it counts as delivered.
    #[schemars(example = "/var/lib/hashward/alerts.ndjson")]
    pub(crate) file: String,
    /// With `kind = "file"`: the file for records that could not be judged, one JSON object a line.
    #[schemars(example = "/var/lib/hashward/quarantine.ndjson")]
    pub(crate) quarantine_file: String,
    /// Whether alerts are printed on standard output too: readable lines, or JSON with the flag `--json`.
    /// Whoever reads them must keep up, or the line waits.
    #[schemars(example = false)]
    pub(crate) print: bool,
}

impl Default for RawAlerts {
    fn default() -> Self {
        Self {
            kind: RawAlertsKind::File,
            file: "hashward-data/alerts.ndjson".to_owned(),
            quarantine_file: "hashward-data/quarantine.ndjson".to_owned(),
            print: true,
        }
    }
}

/// The kinds of destination.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RawAlertsKind {
    /// Two files: see `file` and `quarantine_file`.
    File,
    /// Two topics: see `kafka.alerts_topic` and `kafka.quarantine_topic`.
    Kafka,
}

/// What is kept of a record that cannot be judged.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawQuarantine {
    /// Whether the record's bytes go to the quarantine too. They may be content that nobody has judged: by
    /// default only its coordinates, key, headers and the reason are kept.
    #[schemars(example = true)]
    pub(crate) keep_bytes: bool,
}

/// The Kafka cluster, read with `source.kind = "kafka"` and written with `alerts.kind = "kafka"`.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawKafka {
    /// The brokers to start with, each as `host:port`. The others are learned from them.
    #[schemars(example = ["kafka-1.example.net:9093", "kafka-2.example.net:9093"])]
    pub(crate) bootstrap_servers: Vec<String>,
    /// The consumer group. Workers with the same group share the partitions.
    #[schemars(example = &"hashward-uploads")]
    pub(crate) group_id: String,
    /// The topics that content is read from. Needed with `source.kind = "kafka"`.
    #[schemars(example = ["uploads"])]
    pub(crate) topics: Vec<String>,
    /// What the value of a record without the header `ce_dataref` is. With it, the header refers to the
    /// content.
    #[schemars(example = &"content")]
    pub(crate) form: RawForm,
    /// The topic that alerts are written to. It must not be one of `topics`.
    #[schemars(example = "trust.alerts")]
    pub(crate) alerts_topic: String,
    /// The topic for records that could not be judged. It must not be one of `topics`.
    #[schemars(example = "trust.quarantine")]
    pub(crate) quarantine_topic: String,
    /// What a crash may do: repeat an alert under the same id, or not even that.
    #[schemars(example = &"transactional")]
    pub(crate) delivery: RawDelivery,
    /// With `delivery = "transactional"`: the name of this worker's transactions. It is needed then, differs
    /// between workers, and stays the same over a restart of one worker: two workers with one name fence each
    /// other.
    #[schemars(example = "hashward-uploads-0")]
    pub(crate) transactional_id: String,
    /// How often progress is committed, in milliseconds. With `delivery = "transactional"` it says nothing:
    /// each batch is a transaction, and commits its own progress.
    #[schemars(example = 200)]
    pub(crate) commit_interval_ms: u64,
    /// How long a partition that is taken away is held to finish and commit what is in flight, in
    /// milliseconds. Keep it well below the consumer's `max.poll.interval.ms`.
    #[schemars(example = 5000)]
    pub(crate) rebalance_drain_ms: u64,
    /// How long librdkafka tries to deliver one alert before it reports a failure, in milliseconds.
    #[schemars(example = 120_000)]
    pub(crate) delivery_timeout_ms: u64,
    /// Settings for librdkafka, consumer and producer alike: TLS, SASL, addresses. Names as librdkafka
    /// documents them, in quotes. Settings that Hashward owns are refused. Values that are secrets are never
    /// shown.
    #[schemars(example = serde_json::json!({"security.protocol": "SASL_SSL"}))]
    pub(crate) settings: Settings,
    /// Settings for the consumer alone; they win over `settings`.
    #[schemars(example = serde_json::json!({"fetch.min.bytes": 65536}))]
    pub(crate) consumer_settings: Settings,
    /// Settings for the producer alone; they win over `settings`.
    #[schemars(example = serde_json::json!({"compression.type": "zstd"}))]
    pub(crate) producer_settings: Settings,
}

impl Default for RawKafka {
    fn default() -> Self {
        Self {
            bootstrap_servers: vec!["127.0.0.1:9092".to_owned()],
            group_id: "hashward".to_owned(),
            topics: Vec::new(),
            form: RawForm::Auto,
            alerts_topic: "hashward.alerts".to_owned(),
            quarantine_topic: "hashward.quarantine".to_owned(),
            delivery: RawDelivery::AtLeastOnce,
            transactional_id: String::new(),
            commit_interval_ms: 500,
            rebalance_drain_ms: 10_000,
            delivery_timeout_ms: 300_000,
            settings: Settings::default(),
            consumer_settings: Settings::default(),
            producer_settings: Settings::default(),
        }
    }
}

/// What a record's value is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RawForm {
    /// Digests where the content type or the value's shape says so, else content.
    Auto,
    /// The content itself: right where your users choose the bytes.
    Content,
    /// Digests that you computed: `{"digests": {"sha256": "…"}}`.
    Digests,
}

/// What a crash may do to an alert.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RawDelivery {
    /// No alert is lost; a crash may repeat some, under the same id.
    AtLeastOnce,
    /// Content, alerts and progress share one transaction: a `read_committed` reader sees each alert once.
    Transactional,
}

/// How much is read before it is judged as one batch.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawBatch {
    /// Records in one batch at most, 1 to 1048576.
    #[schemars(example = 1024)]
    pub(crate) records_max: u64,
    /// Bytes of keys and content in one batch, 1 to 4294967296. A single record beyond it makes a batch of
    /// its own. A batch of large contents ends earlier, where it fills the processor's lanes: 16 contents with
    /// AVX-512, 8 with AVX2. On many cores large contents want room for as many on each.
    #[schemars(example = 67_108_864)]
    pub(crate) bytes_max: u64,
    /// How long a batch that has a record waits for more, in milliseconds, at most 60000. Lower means faster
    /// alerts, higher means fewer and larger batches.
    #[schemars(example = 5)]
    pub(crate) wait_ms: u64,
}

impl Default for RawBatch {
    fn default() -> Self {
        Self { records_max: 8192, bytes_max: 16 * 1024 * 1024, wait_ms: 20 }
    }
}

/// The line from source to commit: threads, queues, and limits in time and size.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawLine {
    /// Batches that are read ahead while one is judged, 1 to 64. Each takes up to `batch.bytes_max` of
    /// memory.
    #[schemars(example = 4)]
    pub(crate) prefetch_batches: u64,
    /// Judged batches that wait for delivery, 1 to 64. Each takes up to `batch.bytes_max` of memory.
    #[schemars(example = 4)]
    pub(crate) undelivered_batches: u64,
    /// Alerts and quarantined records that are sent and not yet acknowledged, 1 to 16777216. When it is
    /// reached the line waits.
    #[schemars(example = 8192)]
    pub(crate) in_flight_max: u64,
    /// Threads that digest, at most 1024. 0: one for each core.
    #[schemars(example = 4)]
    pub(crate) digest_threads: u64,
    /// How long content of a scan that does not fill the lanes waits for other content to be digested with, in
    /// milliseconds, at most 1000. In the line nothing waits for company beyond `batch.wait_ms`.
    #[schemars(example = 5)]
    pub(crate) company_wait_ms: u64,
    /// Files or references that are open and read at a time, 1 to 1024.
    #[schemars(example = 32)]
    pub(crate) open_threads: u64,
    /// How much of a file or reference is read at a time, in bytes, 4096 to 67108864. Each reading thread has
    /// one such buffer.
    #[schemars(example = 1_048_576)]
    pub(crate) read_buffer_bytes: u64,
    /// The largest content that is read, in bytes. What is larger counts as unreadable and goes to the
    /// quarantine.
    #[schemars(example = 10_737_418_240_u64)]
    pub(crate) content_bytes_max: u64,
    /// How long the line may take to finish what is in flight after SIGTERM, in milliseconds, 1 to 3600000.
    /// What is not finished then is not committed, and is read again at the next start; the exit code is 3.
    #[schemars(example = 10_000)]
    pub(crate) drain_timeout_ms: u64,
    /// How long a source or a destination may stay unavailable before the process gives up with exit code 4,
    /// in milliseconds.
    #[schemars(example = 60_000)]
    pub(crate) unavailable_max_ms: u64,
}

impl Default for RawLine {
    fn default() -> Self {
        Self {
            prefetch_batches: 2,
            undelivered_batches: 2,
            in_flight_max: 65_536,
            digest_threads: 0,
            company_wait_ms: 20,
            open_threads: 8,
            read_buffer_bytes: 256 * 1024,
            content_bytes_max: 1 << 40,
            drain_timeout_ms: 30_000,
            unavailable_max_ms: 300_000,
        }
    }
}

/// What Hashward may open when a record refers to content instead of carrying it.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawReferences {
    /// The folders below which `file://` references may lead, as absolute paths. Empty: none is opened.
    #[schemars(example = ["/srv/uploads"])]
    pub(crate) file_roots: Vec<String>,
    /// The hosts that `https://` references may name: `host`, `host:port`, or `*.domain` for every host below
    /// a domain. Empty: none is opened.
    #[schemars(example = ["objects.example.net", "*.media.example.net"])]
    pub(crate) https_hosts: Vec<String>,
    /// A PEM file with the certificate authorities to trust for `https://` references, in place of the
    /// built-in ones of the public web. Empty: those.
    #[schemars(example = "/etc/ssl/certs/internal-ca.pem")]
    pub(crate) ca_file: String,
    /// How long resolving a host's name may take, and then connecting to it, in milliseconds.
    #[schemars(example = 2000)]
    pub(crate) connect_timeout_ms: u64,
    /// How long one `https://` reference may take in all, from resolving the name to the last byte, attempts and the
    /// pauses between them included, in milliseconds. However slowly bytes come, the record then goes to the
    /// quarantine. What comes behind waits meanwhile: a batch has at most 64 references, of which
    /// `line.open_threads` are read at a time.
    #[schemars(example = 60_000)]
    pub(crate) transfer_timeout_ms: u64,
    /// How often a server that does not answer is asked before the record goes to the quarantine, while
    /// `references.transfer_timeout_ms` lasts, 1 to 100.
    #[schemars(example = 5)]
    pub(crate) attempts_max: u64,
}

impl Default for RawReferences {
    fn default() -> Self {
        Self {
            file_roots: Vec::new(),
            https_hosts: Vec::new(),
            ca_file: String::new(),
            connect_timeout_ms: 5000,
            transfer_timeout_ms: 300_000,
            attempts_max: 3,
        }
    }
}

/// The listener for `/metrics`, `/livez`, `/readyz` and `/version`.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawHttp {
    /// Whether to listen at all.
    #[schemars(example = false)]
    pub(crate) enabled: bool,
    /// The address to listen on, as `IP:port`. Port 0 takes a free one; the log tells which.
    #[schemars(example = "127.0.0.1:0")]
    pub(crate) listen: String,
    /// Allows an address that other machines can reach. The listener has no password and no TLS: put it
    /// behind something that has, or on a network that only your monitoring reaches.
    #[schemars(example = true)]
    pub(crate) insecure: bool,
}

impl Default for RawHttp {
    fn default() -> Self {
        Self { enabled: true, listen: "127.0.0.1:9464".to_owned(), insecure: false }
    }
}

/// The log, on standard error.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RawLog {
    /// What is logged: `error`, `warn`, `info`, `debug` or `trace`; or directives by module, such as
    /// `info,hashward_kafka=debug`.
    #[schemars(example = "info,hashward_kafka=debug")]
    pub(crate) level: String,
    /// How it is written.
    #[schemars(example = &"json")]
    pub(crate) format: RawLogFormat,
}

impl Default for RawLog {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: RawLogFormat::Auto }
    }
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RawLogFormat {
    /// `human` on a terminal, else `json`.
    Auto,
    /// Lines for people.
    Human,
    /// One JSON object a line.
    Json,
}
