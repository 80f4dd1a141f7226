//! The configuration as the rest of the program uses it: every value is checked, units are in the types.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hashward_core::{Action, Digest, ListId, Territory};
use hashward_engine::lists::StepCaps;
use hashward_engine::{BreakerLimits, Policy, Rollout, Stage};
use hashward_fetch::HostPattern;
use hashward_index::Layout;

use crate::digest_text::parse_digest;

use super::finding::{ConfigError, Finding, Places};
use super::gate::{Gate, gate};
use super::host;
use super::raw::{
    RawAction, RawAlerts, RawBatch, RawConfig, RawGuard, RawHttp, RawInbox, RawKafka, RawLayout, RawLine,
    RawLists, RawPolicy, RawReferences, RawStage,
};
use super::settings::Settings;

pub(crate) use super::raw::{
    RawAlertsKind as AlertsKind, RawDelivery as DeliveryKind, RawForm as Form, RawLogFormat as LogFormat,
    RawSourceKind as SourceKind,
};

/// A configuration whose every value is good by itself. Whether they go together, [`super::topology`] says.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// The configuration as written, with defaults filled in.
    pub(crate) raw: RawConfig,
    /// Where it was written, for what is found wrong with it later.
    pub(crate) places: Places,
    /// The name of this worker.
    pub(crate) instance: String,
    /// What is matched against.
    pub(crate) lists: Lists,
    /// What lists must pass.
    pub(crate) guard: Guard,
    /// What matches call for.
    pub(crate) policy: Policy,
    /// When an entry that matches a flood stops to act.
    pub(crate) breaker: BreakerLimits,
    /// Where content comes from.
    pub(crate) source: SourceKind,
    /// The folder.
    pub(crate) inbox: Inbox,
    /// Where alerts go.
    pub(crate) alerts: Alerts,
    /// Whether quarantined records keep their bytes.
    pub(crate) quarantine_bytes: bool,
    /// The cluster.
    pub(crate) kafka: Kafka,
    /// The limits of a batch.
    pub(crate) batch: Batch,
    /// The limits of the line.
    pub(crate) line: Line,
    /// What references may open.
    pub(crate) references: References,
    /// The listener's address; `None` if there is to be none.
    pub(crate) http: Option<SocketAddr>,
    /// The gate; `None` if every door is closed.
    pub(crate) gate: Option<Gate>,
    /// What is logged.
    pub(crate) log_level: String,
    /// How it is logged.
    pub(crate) log_format: LogFormat,
}

/// What is matched against.
#[derive(Clone, Debug)]
pub(crate) struct Lists {
    /// The lists.
    pub(crate) files: Vec<PathBuf>,
    /// Whether bad lines of lists are skipped.
    pub(crate) skip_bad_lines: bool,
    /// The file with the key; `None`: the environment, or none.
    pub(crate) key_file: Option<PathBuf>,
    /// How often it is looked whether a list has changed; `None`: never.
    pub(crate) watch: Option<Duration>,
    /// How lookups are laid out; `None`: by the number of digests.
    pub(crate) layout: Option<Layout>,
    /// How long changes stay an overlay.
    pub(crate) fold_after: Duration,
    /// Where generations are kept; `None`: nowhere.
    pub(crate) generations_dir: Option<PathBuf>,
    /// How many are kept.
    pub(crate) generations_kept: usize,
}

/// What lists must pass.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    /// Files with digests of harmless content.
    pub(crate) known_good_files: Vec<PathBuf>,
    /// Digests of harmless content.
    pub(crate) never_match: Vec<Digest>,
    /// How much may change in one step.
    pub(crate) caps: StepCaps,
}

/// The folder that is read.
#[derive(Clone, Debug)]
pub(crate) struct Inbox {
    /// The data folder.
    pub(crate) directory: PathBuf,
    /// How often it is looked through.
    pub(crate) poll: Duration,
    /// How long a file must stay as it is.
    pub(crate) settle: Duration,
}

/// Where alerts go.
#[derive(Clone, Debug)]
pub(crate) struct Alerts {
    /// The kind of destination.
    pub(crate) kind: AlertsKind,
    /// The file for alerts.
    pub(crate) file: PathBuf,
    /// The file for quarantined records.
    pub(crate) quarantine_file: PathBuf,
    /// Whether alerts are printed too.
    pub(crate) print: bool,
}

/// The Kafka cluster.
#[derive(Clone, Debug)]
pub(crate) struct Kafka {
    /// The brokers to start with.
    pub(crate) bootstrap_servers: Vec<String>,
    /// The consumer group.
    pub(crate) group_id: String,
    /// The content topics.
    pub(crate) topics: Vec<String>,
    /// What a record's value is.
    pub(crate) form: Form,
    /// The topic for alerts.
    pub(crate) alerts_topic: String,
    /// The topic for quarantined records.
    pub(crate) quarantine_topic: String,
    /// What a crash may do.
    pub(crate) delivery: DeliveryKind,
    /// The name of this worker's transactions; may be empty if there are none.
    pub(crate) transactional_id: String,
    /// How often progress is committed.
    pub(crate) commit_interval: Duration,
    /// How long a partition that is taken away is held.
    pub(crate) rebalance_drain: Duration,
    /// How long librdkafka tries to deliver.
    pub(crate) delivery_timeout: Duration,
    /// Settings for consumer and producer.
    pub(crate) settings: Settings,
    /// Settings for the consumer, which win over `settings`.
    pub(crate) consumer_settings: Settings,
    /// Settings for the producer, which win over `settings`.
    pub(crate) producer_settings: Settings,
}

/// The limits of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch {
    /// Records at most.
    pub(crate) records_max: usize,
    /// Bytes at most.
    pub(crate) bytes_max: usize,
    /// How long it waits for more.
    pub(crate) wait: Duration,
}

/// The limits of the line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    /// Batches read ahead.
    pub(crate) prefetch_batches: usize,
    /// Judged batches that wait.
    pub(crate) undelivered_batches: usize,
    /// Deliveries under way.
    pub(crate) in_flight_max: usize,
    /// Threads that digest; never 0.
    pub(crate) digest_threads: usize,
    /// How long content of a scan waits for company.
    pub(crate) company_wait: Duration,
    /// Threads that open and read.
    pub(crate) open_threads: usize,
    /// The buffer of a reading thread.
    pub(crate) read_buffer_bytes: usize,
    /// The largest content.
    pub(crate) content_bytes_max: u64,
    /// How long a drain may take.
    pub(crate) drain_timeout: Duration,
    /// How long a port may be unavailable.
    pub(crate) unavailable_max: Duration,
}

/// What references may open.
#[derive(Clone, Debug)]
pub(crate) struct References {
    /// Folders for `file://`.
    pub(crate) file_roots: Vec<PathBuf>,
    /// Hosts for `https://`.
    pub(crate) https_hosts: Vec<String>,
    /// Certificate authorities; `None`: the built-in ones.
    pub(crate) ca_file: Option<PathBuf>,
    /// How long connecting may take.
    pub(crate) connect_timeout: Duration,
    /// How long a transfer may take.
    pub(crate) transfer_timeout: Duration,
    /// Attempts.
    pub(crate) attempts_max: u32,
}

impl TryFrom<RawConfig> for Config {
    type Error = ConfigError;

    fn try_from(raw: RawConfig) -> Result<Self, ConfigError> {
        let mut check = Check::default();
        let config = Self {
            instance: instance(&raw.instance, &mut check),
            lists: lists(&raw.lists, &mut check),
            guard: guard(&raw.guard, &mut check),
            policy: policy(&raw.policy, &raw.guard, &mut check),
            breaker: breaker(&raw.guard, &mut check),
            source: raw.source.kind,
            inbox: inbox(&raw.inbox, &mut check),
            alerts: alerts(&raw.alerts, &mut check),
            quarantine_bytes: raw.quarantine.keep_bytes,
            kafka: kafka(&raw.kafka, &mut check),
            batch: batch(&raw.batch, &mut check),
            line: line(&raw.line, &mut check),
            references: references(&raw.references, &mut check),
            http: http(&raw.http, &mut check),
            gate: gate(&raw.gate, &mut check),
            log_level: log_level(&raw.log.level, &mut check),
            log_format: raw.log.format,
            raw,
            places: Places::default(),
        };
        if check.0.is_empty() { Ok(config) } else { Err(ConfigError(check.0)) }
    }
}

/// Collects what is wrong, so that everything is told at once.
#[derive(Default)]
pub(super) struct Check(Vec<Finding>);

/// The longest time that a field takes: a day.
pub(super) const MS_MAX: u64 = 24 * 3600 * 1000;
/// The longest time that a guard rail takes: 366 days.
const GUARD_MS_MAX: u64 = 366 * MS_MAX;

impl Check {
    pub(super) fn wrong(&mut self, key: &str, what: impl std::fmt::Display) {
        self.0.push(Finding::of(key, what));
    }

    pub(super) fn within(&mut self, key: &str, value: u64, least: u64, most: u64) -> u64 {
        if (least..=most).contains(&value) {
            return value;
        }
        self.wrong(key, format_args!("{value}: expected {least} to {most}"));
        least
    }

    pub(super) fn count(&mut self, key: &str, value: u64, least: u64, most: u64) -> usize {
        usize::try_from(self.within(key, value, least, most)).expect("every limit fits into memory")
    }

    pub(super) fn small(&mut self, key: &str, value: u64, least: u64, most: u32) -> u32 {
        u32::try_from(self.within(key, value, least, u64::from(most))).expect("the limit is an u32")
    }

    pub(super) fn ms(&mut self, key: &str, value: u64, least: u64, most: u64) -> Duration {
        Duration::from_millis(self.within(key, value, least, most))
    }

    fn path(&mut self, key: &str, path: &str) -> PathBuf {
        if path.is_empty() || path.contains('\0') {
            self.wrong(key, format_args!("{path:?}: expected a path"));
        }
        PathBuf::from(path)
    }

    fn paths(&mut self, key: &str, paths: &[String]) -> Vec<PathBuf> {
        paths.iter().map(|path| self.path(key, path)).collect()
    }

    fn topic(&mut self, key: &str, topic: &str) -> String {
        // What Apache Kafka allows (org.apache.kafka.common.internals.Topic).
        let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let right =
            (1..=249).contains(&topic.len()) && topic.bytes().all(good) && topic != "." && topic != "..";
        if !right {
            let expected = "expected a topic name: 1 to 249 of A-Z, a-z, 0-9, '.', '_' and '-'";
            self.wrong(key, format_args!("{topic:?}: {expected}"));
        }
        topic.to_owned()
    }
}

fn instance(instance: &str, check: &mut Check) -> String {
    const CHARS_MAX: usize = 64;
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if instance.is_empty() {
        return host::name().filter(|name| name.len() <= CHARS_MAX && name.bytes().all(good)).unwrap_or_else(
            || {
                // A host without a usable name still gets a worker that says what it is.
                "hashward".to_owned()
            },
        );
    }
    if instance.len() > CHARS_MAX || !instance.bytes().all(good) {
        let expected = format_args!("expected 1 to {CHARS_MAX} of A-Z, a-z, 0-9, '.', '_' and '-'");
        check.wrong("instance", format_args!("{instance:?}: {expected}"));
    }
    instance.to_owned()
}

fn lists(raw: &RawLists, check: &mut Check) -> Lists {
    let mut optional = |key: &str, path: &str| (!path.is_empty()).then(|| check.path(key, path));
    let key_file = optional("lists.key_file", &raw.key_file);
    let generations_dir = optional("lists.generations_dir", &raw.generations_dir);
    let watch = check.ms("lists.watch_ms", raw.watch_ms, 0, MS_MAX);
    Lists {
        files: check.paths("lists.files", &raw.files),
        skip_bad_lines: raw.skip_bad_lines,
        key_file,
        watch: (!watch.is_zero()).then_some(watch),
        layout: match raw.layout {
            RawLayout::Auto => None,
            RawLayout::Filter => Some(Layout::FilterAndSet),
            RawLayout::Lines => Some(Layout::LineTable),
        },
        fold_after: check.ms("lists.fold_after_ms", raw.fold_after_ms, 0, MS_MAX),
        generations_dir,
        generations_kept: check.count("lists.generations_kept", raw.generations_kept, 2, 1000),
    }
}

fn guard(raw: &RawGuard, check: &mut Check) -> Guard {
    let mut never_match = Vec::with_capacity(raw.never_match.len());
    for text in &raw.never_match {
        match parse_digest(text) {
            Ok(digest) => never_match.push(digest),
            Err(error) => check.wrong("guard.never_match", error),
        }
    }
    Guard {
        known_good_files: check.paths("guard.known_good_files", &raw.known_good_files),
        never_match,
        caps: StepCaps {
            growth_percent_max: check.within(
                "guard.growth_percent_max",
                raw.growth_percent_max,
                0,
                1_000_000,
            ),
            removals_percent_max: check.within(
                "guard.removals_percent_max",
                raw.removals_percent_max,
                0,
                100,
            ),
            free_entries: raw.free_entries,
        },
    }
}

fn policy(raw: &RawPolicy, guard: &RawGuard, check: &mut Check) -> Policy {
    let mut jurisdictions = Vec::new();
    for code in &raw.jurisdictions {
        match code.parse::<Territory>() {
            Ok(territory) => jurisdictions.push(territory),
            Err(error) => check.wrong("policy.jurisdictions", error),
        }
    }
    let weak_digest_action = match raw.weak_digest_action {
        RawAction::Observe => Action::Observe,
        RawAction::Review => Action::Review,
        RawAction::Block => Action::Block,
        RawAction::Takedown => Action::Takedown,
    };
    let stage = match raw.stage {
        RawStage::Upload => Stage::Upload,
        RawStage::Published => Stage::Published,
    };
    let observe_new = check.ms("guard.observe_new_ms", guard.observe_new_ms, 0, GUARD_MS_MAX);
    let rollout = rollout(&guard.rollout_percent, check);
    Policy { jurisdictions, weak_digest_action, stage, observe_new, rollout }
}

fn rollout(shares: &BTreeMap<String, u64>, check: &mut Check) -> Rollout {
    let mut rollout = Vec::new();
    for (list, percent) in shares {
        let key = format!("guard.rollout_percent.{list}");
        let percent = check.small(&key, *percent, 0, u32::from(Rollout::PERCENT_MAX));
        match list.parse::<ListId>() {
            Ok(list) => rollout.push((list, u8::try_from(percent).expect("the limit is an u8"))),
            Err(error) => check.wrong(&key, error),
        }
    }
    Rollout::from_iter(rollout)
}

fn breaker(raw: &RawGuard, check: &mut Check) -> BreakerLimits {
    BreakerLimits {
        matches_max: raw.breaker_matches_max,
        window: check.ms("guard.breaker_window_ms", raw.breaker_window_ms, 1, GUARD_MS_MAX),
        release: check.ms("guard.breaker_release_ms", raw.breaker_release_ms, 0, GUARD_MS_MAX),
    }
}

fn inbox(raw: &RawInbox, check: &mut Check) -> Inbox {
    Inbox {
        directory: check.path("inbox.directory", &raw.directory),
        poll: check.ms("inbox.poll_ms", raw.poll_ms, 1, MS_MAX),
        settle: check.ms("inbox.settle_ms", raw.settle_ms, 0, MS_MAX),
    }
}

fn alerts(raw: &RawAlerts, check: &mut Check) -> Alerts {
    Alerts {
        kind: raw.kind,
        file: check.path("alerts.file", &raw.file),
        quarantine_file: check.path("alerts.quarantine_file", &raw.quarantine_file),
        print: raw.print,
    }
}

fn kafka(raw: &RawKafka, check: &mut Check) -> Kafka {
    if raw.bootstrap_servers.is_empty() {
        check.wrong("kafka.bootstrap_servers", "empty: expected at least one broker, such as 127.0.0.1:9092");
    }
    for server in &raw.bootstrap_servers {
        if !is_host_and_port(server) {
            let expected = "expected host:port, such as kafka-1.example.net:9093";
            check.wrong("kafka.bootstrap_servers", format_args!("{server:?}: {expected}"));
        }
    }
    if raw.group_id.is_empty() {
        check.wrong("kafka.group_id", "empty: expected a name");
    }
    let tables = [
        ("kafka.settings", &raw.settings),
        ("kafka.consumer_settings", &raw.consumer_settings),
        ("kafka.producer_settings", &raw.producer_settings),
    ];
    for (key, settings) in tables {
        for name in settings.names() {
            if let Some(instead) = hashward_kafka::owned_setting(name) {
                check.wrong(&format!("{key}.{name}"), format_args!("Hashward owns this setting: {instead}"));
            }
        }
    }
    Kafka {
        bootstrap_servers: raw.bootstrap_servers.clone(),
        group_id: raw.group_id.clone(),
        topics: raw.topics.iter().map(|topic| check.topic("kafka.topics", topic)).collect(),
        form: raw.form,
        alerts_topic: check.topic("kafka.alerts_topic", &raw.alerts_topic),
        quarantine_topic: check.topic("kafka.quarantine_topic", &raw.quarantine_topic),
        delivery: raw.delivery,
        transactional_id: raw.transactional_id.clone(),
        commit_interval: check.ms("kafka.commit_interval_ms", raw.commit_interval_ms, 1, MS_MAX),
        rebalance_drain: check.ms("kafka.rebalance_drain_ms", raw.rebalance_drain_ms, 1, MS_MAX),
        delivery_timeout: check.ms("kafka.delivery_timeout_ms", raw.delivery_timeout_ms, 1, MS_MAX),
        settings: raw.settings.clone(),
        consumer_settings: raw.consumer_settings.clone(),
        producer_settings: raw.producer_settings.clone(),
    }
}

fn is_host_and_port(server: &str) -> bool {
    let Some((host, port)) = server.rsplit_once(':') else { return false };
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'[' | b']' | b':');
    !host.is_empty() && host.bytes().all(good) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

fn batch(raw: &RawBatch, check: &mut Check) -> Batch {
    Batch {
        records_max: check.count("batch.records_max", raw.records_max, 1, 1 << 20),
        bytes_max: check.count("batch.bytes_max", raw.bytes_max, 1, 1 << 32),
        wait: check.ms("batch.wait_ms", raw.wait_ms, 0, 60_000),
    }
}

fn line(raw: &RawLine, check: &mut Check) -> Line {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let digest_threads = match check.count("line.digest_threads", raw.digest_threads, 0, 1024) {
        0 => cores,
        threads => threads,
    };
    Line {
        prefetch_batches: check.count("line.prefetch_batches", raw.prefetch_batches, 1, 64),
        undelivered_batches: check.count("line.undelivered_batches", raw.undelivered_batches, 1, 64),
        in_flight_max: check.count("line.in_flight_max", raw.in_flight_max, 1, 1 << 24),
        digest_threads,
        company_wait: check.ms("line.company_wait_ms", raw.company_wait_ms, 0, 1000),
        open_threads: check.count("line.open_threads", raw.open_threads, 1, 1024),
        read_buffer_bytes: check.count("line.read_buffer_bytes", raw.read_buffer_bytes, 4096, 1 << 26),
        content_bytes_max: check.within("line.content_bytes_max", raw.content_bytes_max, 1, i64::MAX as u64),
        drain_timeout: check.ms("line.drain_timeout_ms", raw.drain_timeout_ms, 1, 3_600_000),
        unavailable_max: check.ms("line.unavailable_max_ms", raw.unavailable_max_ms, 1, MS_MAX),
    }
}

fn references(raw: &RawReferences, check: &mut Check) -> References {
    for host in &raw.https_hosts {
        if let Err(error) = host.parse::<HostPattern>() {
            check.wrong("references.https_hosts", error);
        }
    }
    for root in raw.file_roots.iter().filter(|root| !Path::new(root).is_absolute()) {
        let expected = "expected an absolute path: references are absolute too";
        check.wrong("references.file_roots", format_args!("{root:?}: {expected}"));
    }
    References {
        file_roots: check.paths("references.file_roots", &raw.file_roots),
        https_hosts: raw.https_hosts.clone(),
        ca_file: (!raw.ca_file.is_empty()).then(|| PathBuf::from(&raw.ca_file)),
        connect_timeout: check.ms("references.connect_timeout_ms", raw.connect_timeout_ms, 1, MS_MAX),
        transfer_timeout: check.ms("references.transfer_timeout_ms", raw.transfer_timeout_ms, 1, MS_MAX),
        attempts_max: check.small("references.attempts_max", raw.attempts_max, 1, 100),
    }
}

fn http(raw: &RawHttp, check: &mut Check) -> Option<SocketAddr> {
    let Ok(address) = raw.listen.parse::<SocketAddr>() else {
        let expected = "expected IP:port, such as 127.0.0.1:9464 or [::1]:9464";
        check.wrong("http.listen", format_args!("{:?}: {expected}", raw.listen));
        return None;
    };
    if raw.enabled && !address.ip().is_loopback() && !raw.insecure {
        let expected = "other machines can reach it, and it has no password: take a loopback address, or set \
                        http.insecure = true";
        check.wrong("http.listen", format_args!("{:?}: {expected}", raw.listen));
    }
    raw.enabled.then_some(address)
}

fn log_level(level: &str, check: &mut Check) -> String {
    if let Err(what) = crate::logging::check_level(level) {
        check.wrong("log.level", format_args!("{level:?}: {what}"));
    }
    level.to_owned()
}
