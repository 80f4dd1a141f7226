//! Every metric that Hashward serves: name, help, unit and labels, in this one place.
//!
//! Names follow `hashward_<name>_<unit>_total`. Labels carry words of our own vocabulary, list ids and Kafka topics;
//! never a digest, and never the name or URL of content.

use std::time::Duration;

use hashward_core::{Action, Decision, EvidenceKind, Generation, UnreadableKind};
use prometheus::core::Collector;
use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::lists::Refusal;

/// One metric as it is documented.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct MetricDoc {
    /// The name as served.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// The labels, in order.
    pub labels: &'static [&'static str],
    /// What it counts.
    pub help: &'static str,
}

macro_rules! metrics {
    ($($field:ident: $type:ident $kind:literal $name:literal [$($label:literal),*] $help:literal;)+) => {
        /// The metrics of one process. Cheap to clone; clones count together.
        #[derive(Clone, Debug)]
        pub struct Metrics {
            registry: Registry,
            $($field: $type,)+
        }

        /// Every metric, in the order in which they are documented.
        pub const METRICS: &[MetricDoc] = &[
            $(MetricDoc { name: $name, kind: $kind, labels: &[$($label),*], help: $help },)+
        ];

        impl Metrics {
            /// Registers every metric with `registry`, which must not hold them yet.
            pub fn register(registry: Registry) -> prometheus::Result<Self> {
                $(let $field: $type = New::new($name, $help, &[$($label),*])?;
                registry.register(Box::new($field.clone()))?;)+
                let metrics = Self { registry, $($field,)+ };
                metrics.start_at_zero();
                Ok(metrics)
            }
        }
    };
}

metrics! {
    contents: IntCounterVec "counter" "hashward_contents_total" ["verdict"]
        "Contents judged, by verdict.";
    content_bytes: IntCounter "counter" "hashward_content_bytes_total" []
        "Bytes of content digested.";
    batches: IntCounter "counter" "hashward_batches_total" []
        "Batches judged.";
    batch_seconds: Histogram "histogram" "hashward_batch_judge_seconds" []
        "Time to digest and judge one batch, in seconds.";
    alerts: IntCounterVec "counter" "hashward_alerts_total" ["action"]
        "Alerts made, by action. A replay after a crash makes the same alert again.";
    quarantined: IntCounterVec "counter" "hashward_quarantined_total" ["reason"]
        "Records that could not be judged, by reason.";
    acknowledged: IntCounter "counter" "hashward_deliveries_acknowledged_total" []
        "Alerts and quarantined records whose delivery was acknowledged.";
    repeats_dropped: IntCounter "counter" "hashward_deliveries_repeated_total" []
        "Alerts and quarantined records not written again because they were written already.";
    delivery_failures: IntCounter "counter" "hashward_delivery_failures_total" []
        "Attempts to deliver that failed; each is tried again until its time limit.";
    in_flight: IntGauge "gauge" "hashward_deliveries_in_flight" []
        "Alerts and quarantined records sent and not yet acknowledged.";
    commits: IntCounterVec "counter" "hashward_commits_total" ["result"]
        "Commits of the source's progress, by result: ok or failed.";
    source_paused: IntGauge "gauge" "hashward_source_paused" []
        "1 while the source takes in nothing because the line is full.";
    lag: IntGaugeVec "gauge" "hashward_kafka_lag_records" ["topic", "partition"]
        "Records of the partition that are not yet settled, for each partition this worker owns.";
    partitions: IntGauge "gauge" "hashward_kafka_partitions_assigned" []
        "Partitions this worker owns.";
    rebalances: IntCounterVec "counter" "hashward_kafka_rebalances_total" ["kind"]
        "Changes of the owned partitions, by kind: assigned, revoked or lost.";
    generation: IntGauge "gauge" "hashward_snapshot_generation" []
        "The generation of the loaded lists.";
    loaded: Gauge "gauge" "hashward_snapshot_loaded_timestamp_seconds" []
        "When the loaded lists went live, in seconds since the Unix epoch.";
    entries: IntGaugeVec "gauge" "hashward_list_entries" ["list"]
        "Entries of each loaded list.";
    bad_lines: IntGaugeVec "gauge" "hashward_list_skipped_lines" ["list"]
        "Lines of each loaded list that were skipped because they are bad.";
    held_back: IntGaugeVec "gauge" "hashward_list_held_back_entries" ["list"]
        "Entries of each loaded list that are not matched because they are known as good.";
    renewals: IntCounterVec "counter" "hashward_list_reloads_total" ["result"]
        "Changes of the lists, by result: applied (a generation went live), refused by a guard rail, or failed.";
    guard_refusals: IntCounterVec "counter" "hashward_guard_refusals_total" ["rail"]
        "New states of lists that a guard rail kept from going live, by rail: growth or removals.";
    laid_over: IntGauge "gauge" "hashward_snapshot_overlay_entries" []
        "Changed entries that lie over the index and are not folded into it yet.";
    held: IntGauge "gauge" "hashward_snapshot_held" []
        "1 while an operator holds the lists at a kept generation.";
    breaker_trips: IntCounterVec "counter" "hashward_breaker_trips_total" ["list"]
        "Entries whose breaker tripped because they matched a flood, by list.";
    breaker_open: IntGauge "gauge" "hashward_breaker_open_entries" []
        "Entries whose breaker has tripped and is not released: they ask for review at most.";
    pulls: IntCounterVec "counter" "hashward_subscription_pulls_total" ["subscription", "result"]
        "Looks for new releases, by subscription and result: applied, same or failed.";
    pulled: GaugeVec "gauge" "hashward_subscription_pulled_timestamp_seconds" ["subscription"]
        "When a look for new releases last succeeded, in seconds since the Unix epoch.";
    release: IntGaugeVec "gauge" "hashward_list_release" ["list"]
        "The number of the release of each subscribed list.";
    release_created: GaugeVec "gauge" "hashward_list_release_created_timestamp_seconds" ["list"]
        "When the release of each subscribed list was made, in seconds since the Unix epoch.";
    release_expires: GaugeVec "gauge" "hashward_list_release_expires_timestamp_seconds" ["list"]
        "When the release of each subscribed list is stale, in seconds since the Unix epoch.";
    release_stale: IntGaugeVec "gauge" "hashward_list_release_stale" ["list"]
        "1 while the release of a subscribed list is stale: it is matched on, and a newer one is missing.";
    release_held: IntGaugeVec "gauge" "hashward_list_release_held" ["list"]
        "1 while an operator holds a subscribed list at a release.";
    evidence_entries: IntCounterVec "counter" "hashward_evidence_entries_total" ["kind"]
        "Entries appended to the evidence log, by kind.";
    evidence_appended: Gauge "gauge" "hashward_evidence_last_append_timestamp_seconds" []
        "When something was last appended to the evidence log, in seconds since the Unix epoch; 0 if nothing was.";
    evidence_size: IntGauge "gauge" "hashward_evidence_size_entries" []
        "Entries that the evidence log holds.";
    gate_answers: IntCounterVec "counter" "hashward_gate_answers_total" ["door", "verdict"]
        "Contents answered about at the gate, by door and verdict.";
    gate_refusals: IntCounterVec "counter" "hashward_gate_refusals_total" ["door", "reason"]
        "Requests at the gate that got no verdict, by door and reason.";
    gate_seconds: HistogramVec "histogram" "hashward_gate_answer_seconds" ["door"]
        "Time from a content's last byte to its answer at the gate, in seconds.";
    gate_connected: IntGaugeVec "gauge" "hashward_gate_connections" ["door"]
        "Open connections of each door of the gate.";
    gate_fails_open: IntGaugeVec "gauge" "hashward_gate_fails_open" ["door"]
        "1 where content passes a door of the gate without a verdict while Hashward is not well, 0 where it does not.";
    ready: IntGauge "gauge" "hashward_ready" []
        "1 while every part is ready.";
    build: IntGaugeVec "gauge" "hashward_build_info" ["version"]
        "Always 1; the label tells the version.";
}

/// What is told of the release of a list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReleaseGauges {
    /// Its number.
    pub number: u64,
    /// When it was made, in seconds since the Unix epoch.
    pub created_seconds: f64,
    /// When it is stale, in seconds since the Unix epoch.
    pub expires_seconds: f64,
    /// Whether it is.
    pub is_stale: bool,
    /// Whether an operator holds the list at it.
    pub is_held: bool,
}

/// Makes one metric of its type.
trait New: Collector + Clone + Sized + 'static {
    fn new(name: &str, help: &str, labels: &[&str]) -> prometheus::Result<Self>;
}

macro_rules! new {
    ($($type:ident: |$name:ident, $help:ident, $labels:ident| $make:expr;)+) => {
        $(impl New for $type {
            fn new($name: &str, $help: &str, $labels: &[&str]) -> prometheus::Result<Self> { $make }
        })+
    };
}

/// From a quarter of a millisecond to half a minute: a small batch in memory to a large file behind a reference.
const SECONDS_BUCKETS: [f64; 10] = [0.000_25, 0.001, 0.004, 0.016, 0.064, 0.25, 1.0, 4.0, 15.0, 30.0];

new! {
    IntCounter: |name, help, _labels| Self::new(name, help);
    IntGauge: |name, help, _labels| Self::new(name, help);
    Gauge: |name, help, _labels| Self::new(name, help);
    GaugeVec: |name, help, labels| Self::new(Opts::new(name, help), labels);
    IntCounterVec: |name, help, labels| Self::new(Opts::new(name, help), labels);
    IntGaugeVec: |name, help, labels| Self::new(Opts::new(name, help), labels);
    Histogram: |name, help, _labels|
        Self::with_opts(HistogramOpts::new(name, help).buckets(SECONDS_BUCKETS.to_vec()));
    HistogramVec: |name, help, labels|
        Self::new(HistogramOpts::new(name, help).buckets(SECONDS_BUCKETS.to_vec()), labels);
}

impl Metrics {
    /// Serves every label value from the start, so that a rate is never missing its first step.
    fn start_at_zero(&self) {
        for (counter, words) in [
            (&self.contents, &Decision::WORDS[..]),
            (&self.alerts, Action::WORDS),
            (&self.quarantined, UnreadableKind::WORDS),
            (&self.commits, &["ok", "failed"]),
            (&self.rebalances, &["assigned", "revoked", "lost"]),
            (&self.renewals, &["applied", "refused", "failed"]),
            (&self.guard_refusals, &Refusal::WORDS),
            (&self.evidence_entries, EvidenceKind::WORDS),
        ] {
            for word in words {
                counter.with_label_values(&[*word]).inc_by(0);
            }
        }
        self.build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
    }

    /// Everything, in the text format of Prometheus.
    pub fn render(&self) -> String {
        let mut text = String::new();
        TextEncoder::new().encode_utf8(&self.registry.gather(), &mut text).expect("writing to memory");
        text
    }

    /// A batch was judged: how many records got each decision, in the order of [`Decision::WORDS`].
    pub fn batch_judged(&self, took: Duration, bytes: u64, decisions: [u64; Decision::WORDS.len()]) {
        self.batches.inc();
        self.batch_seconds.observe(took.as_secs_f64());
        self.decided(bytes, decisions);
    }

    /// Contents were judged: how many of them got each decision, in the order of [`Decision::WORDS`].
    pub fn decided(&self, bytes: u64, decisions: [u64; Decision::WORDS.len()]) {
        self.content_bytes.inc_by(bytes);
        for (word, count) in Decision::WORDS.iter().zip(decisions) {
            if count > 0 {
                self.contents.with_label_values(&[*word]).inc_by(count);
            }
        }
    }

    /// An alert was made.
    pub fn alert_made(&self, action: Action) {
        self.alerts.with_label_values(&[action.word()]).inc();
    }

    /// A record was found unreadable.
    pub fn record_quarantined(&self, kind: UnreadableKind) {
        self.quarantined.with_label_values(&[kind.word()]).inc();
    }

    /// Deliveries were acknowledged, and so many are still under way.
    pub fn deliveries(&self, acknowledged: usize, in_flight: usize) {
        self.delivered(acknowledged);
        self.in_flight.set(gauge(in_flight));
    }

    /// Deliveries were acknowledged.
    pub fn delivered(&self, acknowledged: usize) {
        self.acknowledged.inc_by(acknowledged as u64);
    }

    /// Something was written already and is not written again.
    pub fn repeat_dropped(&self) {
        self.repeats_dropped.inc();
    }

    /// An attempt to deliver failed.
    pub fn delivery_failed(&self) {
        self.delivery_failures.inc();
    }

    /// A commit ended.
    pub fn committed(&self, ok: bool) {
        self.commits.with_label_values(&[if ok { "ok" } else { "failed" }]).inc();
    }

    /// The source stopped or resumed taking in content.
    pub fn source_paused(&self, paused: bool) {
        self.source_paused.set(i64::from(paused));
    }

    /// How far a partition is behind.
    pub fn partition_lag(&self, topic: &str, partition: i32, records: i64) {
        self.lag.with_label_values(&[topic, &partition.to_string()]).set(records);
    }

    /// A partition is no longer ours.
    pub fn partition_gone(&self, topic: &str, partition: i32) {
        // It may never have been counted; then there is nothing to remove.
        drop(self.lag.remove_label_values(&[topic, &partition.to_string()]));
    }

    /// Partitions were `assigned`, `revoked` or `lost`, and so many are owned now.
    pub fn rebalanced(&self, kind: &'static str, owned: usize) {
        self.rebalances.with_label_values(&[kind]).inc();
        self.partitions.set(gauge(owned));
    }

    /// A generation of the lists went live at `now_seconds` since the Unix epoch.
    pub fn snapshot_live(&self, generation: Generation, now_seconds: f64) {
        self.generation.set(generation.0.cast_signed());
        self.loaded.set(now_seconds);
    }

    /// What a loaded list holds.
    pub fn list_loaded(&self, list: &str, entries: u64, skipped_lines: u64, held_back: u64) {
        self.entries.with_label_values(&[list]).set(entries.cast_signed());
        self.bad_lines.with_label_values(&[list]).set(skipped_lines.cast_signed());
        self.held_back.with_label_values(&[list]).set(held_back.cast_signed());
        // Served from the start, so that the first trip is seen as a step.
        self.breaker_trips.with_label_values(&[list]).inc_by(0);
    }

    /// A list is no longer loaded.
    pub fn list_gone(&self, list: &str) {
        for gauges in [&self.entries, &self.bad_lines, &self.held_back] {
            // It may never have been loaded; then there is nothing to remove.
            drop(gauges.remove_label_values(&[list]));
        }
    }

    /// A publisher was asked for new releases, with this result: `applied`, `same` or `failed`. `when`, in seconds since
    /// the Unix epoch, if that succeeded.
    pub fn pulled(&self, subscription: &str, result: &'static str, when: Option<f64>) {
        for word in ["applied", "same", "failed"] {
            self.pulls.with_label_values(&[subscription, word]).inc_by(u64::from(word == result));
        }
        if let Some(when) = when {
            self.pulled.with_label_values(&[subscription]).set(when);
        }
    }

    /// A subscription is there no more.
    pub fn subscription_gone(&self, subscription: &str) {
        for result in ["applied", "same", "failed"] {
            // It may never have been counted; then there is nothing to remove.
            drop(self.pulls.remove_label_values(&[subscription, result]));
        }
        drop(self.pulled.remove_label_values(&[subscription]));
    }

    /// A list is subscribed to no more.
    pub fn release_gone(&self, list: &str) {
        drop(self.release.remove_label_values(&[list]));
        drop(self.release_created.remove_label_values(&[list]));
        drop(self.release_expires.remove_label_values(&[list]));
        drop(self.release_stale.remove_label_values(&[list]));
        drop(self.release_held.remove_label_values(&[list]));
    }

    /// Which release of a subscribed list is held.
    pub fn release_held(&self, list: &str, release: &ReleaseGauges) {
        let number = i64::try_from(release.number).unwrap_or(i64::MAX);
        self.release.with_label_values(&[list]).set(number);
        self.release_created.with_label_values(&[list]).set(release.created_seconds);
        self.release_expires.with_label_values(&[list]).set(release.expires_seconds);
        self.release_stale.with_label_values(&[list]).set(release.is_stale.into());
        self.release_held.with_label_values(&[list]).set(release.is_held.into());
    }

    /// The lists were read, with this result: `applied`, `refused` or `failed`.
    pub fn lists_renewed(&self, result: &'static str) {
        self.renewals.with_label_values(&[result]).inc();
    }

    /// A guard rail kept a new state of a list from going live.
    pub fn guard_refused(&self, rail: &'static str) {
        self.guard_refusals.with_label_values(&[rail]).inc();
    }

    /// So many changed entries lie over the index.
    pub fn lists_laid_over(&self, entries: u64) {
        self.laid_over.set(entries.cast_signed());
    }

    /// Whether an operator holds the lists at a kept generation.
    pub fn lists_held(&self, held: bool) {
        self.held.set(i64::from(held));
    }

    /// The breaker of an entry of the list tripped.
    pub fn breaker_tripped(&self, list: &str) {
        self.breaker_trips.with_label_values(&[list]).inc();
    }

    /// So many breakers have tripped and are not released.
    pub fn breakers_open(&self, entries: usize) {
        self.breaker_open.set(gauge(entries));
    }

    /// The evidence log holds so many entries.
    pub fn evidence_held(&self, entries: u64) {
        self.evidence_size.set(entries.cast_signed());
    }

    /// An entry of this kind was appended to the evidence log at `now_seconds` since the Unix epoch.
    pub fn evidence_appended(&self, kind: EvidenceKind, now_seconds: f64) {
        self.evidence_entries.with_label_values(&[kind.word()]).inc();
        self.evidence_appended.set(now_seconds);
    }

    /// A door of the gate is open, and lets content pass without a verdict or not. Everything that is counted of it is
    /// served from then on.
    pub fn gate_door(&self, door: &'static str, fails_open: bool) {
        self.gate_fails_open.with_label_values(&[door]).set(i64::from(fails_open));
        self.gate_connections(door, 0);
        self.gate_seconds.with_label_values(&[door]);
        for word in Decision::WORDS {
            self.gate_answered(door, word, 0);
        }
    }

    /// So many connections of a door came, or went.
    pub fn gate_connections(&self, door: &'static str, change: i64) {
        self.gate_connected.with_label_values(&[door]).add(change);
    }

    /// So many contents were answered about at a door.
    pub fn gate_answered(&self, door: &'static str, verdict: &'static str, contents: u64) {
        self.gate_answers.with_label_values(&[door, verdict]).inc_by(contents);
    }

    /// A content was answered about, so long after its last byte.
    pub fn gate_took(&self, door: &'static str, took: Duration) {
        self.gate_seconds.with_label_values(&[door]).observe(took.as_secs_f64());
    }

    /// So many requests at a door got no verdict.
    pub fn gate_refused(&self, door: &'static str, reason: &'static str, requests: u64) {
        self.gate_refusals.with_label_values(&[door, reason]).inc_by(requests);
    }

    /// Whether every part is ready.
    pub fn ready(&self, ready: bool) {
        self.ready.set(i64::from(ready));
    }

    /// How many contents were judged so far.
    pub fn contents_judged(&self) -> u64 {
        Decision::WORDS.iter().map(|word| self.contents.with_label_values(&[*word]).get()).sum()
    }
}

/// A count as a gauge takes it.
fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rule() {
        for metric in METRICS {
            assert!(metric.name.starts_with("hashward_"), "{}", metric.name);
            assert_eq!(metric.kind == "counter", metric.name.ends_with("_total"), "{}", metric.name);
            assert!(metric.help.ends_with('.'), "{}", metric.help);
        }
    }

    #[test]
    fn what_is_documented_is_what_is_served() {
        let metrics = Metrics::register(Registry::new()).unwrap();
        metrics.partition_lag("uploads", 0, 7);
        metrics.list_loaded("sample", 3, 0, 0);
        metrics.pulled("publisher", "same", Some(1.0));
        let (created_seconds, expires_seconds, is_stale, is_held) = (1.0, 2.0, false, false);
        let release = ReleaseGauges { number: 1, created_seconds, expires_seconds, is_stale, is_held };
        metrics.release_held("sample", &release);
        metrics.gate_door("http", true);
        metrics.gate_refused("http", "full", 0);
        let text = metrics.render();
        let mut served: Vec<(&str, &str)> =
            text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect();
        let mut documented: Vec<(&str, &str)> = METRICS.iter().map(|m| (m.name, m.kind)).collect();
        served.sort_unstable();
        documented.sort_unstable();
        assert_eq!(served, documented);
    }
}
