//! The line is put together here, sink first: which delivery, which source, and what they share.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use hashward_engine::pipeline::{self, Ended, LineLimits};
use hashward_engine::{
    AlertSink, AtLeastOnce, AtLeastOnceOptions, Checkpoint, Delivery, Health, Judge, Metrics, PortError,
    SharedSink, Source, Stop,
};
use hashward_fetch::{FetchOptions, ReferenceContent, References};
use hashward_kafka::{KafkaOptions, OpenReference};
use hashward_local::{
    Inbox, InboxCheckpoint, InboxOptions, NdjsonOptions, NdjsonSink, OnDurable, PENDING_BYTES_DEFAULT,
};

use crate::config::{AlertsKind, Config, DeliveryKind, Finding, Form, Settings, SourceKind};
use crate::print::{Printer, Printing};

/// How long `validate` waits for each answer of a broker.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// What the line is made of, besides its two ends.
pub(crate) struct Line<'a> {
    /// The configuration.
    pub(crate) config: &'a Config,
    /// Decides.
    pub(crate) judge: &'a Judge,
    /// The wish to stop.
    pub(crate) stop: &'a Stop,
    /// What is counted.
    pub(crate) metrics: &'a Metrics,
    /// What is well.
    pub(crate) health: &'a Health,
    /// The file that alerts go to, if they go to a file.
    pub(crate) file: Option<Box<dyn AlertSink>>,
    /// Prints alerts, if they are to be printed.
    pub(crate) printer: Option<Printer>,
}

/// Why there is no line, or no more.
#[derive(Debug)]
pub(crate) enum LineError {
    /// It could not be put together.
    Setup(anyhow::Error),
    /// A port cannot go on.
    Port(PortError),
}

impl From<anyhow::Error> for LineError {
    fn from(error: anyhow::Error) -> Self {
        Self::Setup(error)
    }
}

impl From<PortError> for LineError {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}

/// Runs the configured line until it ends.
pub(crate) fn run(line: Line<'_>) -> Result<Ended, LineError> {
    let config = line.config;
    if config.kafka.delivery == DeliveryKind::Transactional {
        let references = open_references(config)?;
        let options = kafka_options(config);
        let parts = hashward_kafka::transactional(options, references, line.metrics, line.health)?;
        return line.between(parts.source, parts.delivery);
    }
    let mut line = line;
    match line.file.take() {
        None => {
            let sink = hashward_kafka::sink(kafka_options(config))?;
            line.into_sink(sink)
        }
        Some(file) => line.into_sink(file),
    }
}

/// The sinks that are there before the line is: that of the gate, and the file, which both share.
pub(crate) struct Sinks {
    /// The line's file; `None` if alerts go elsewhere, or there is no line.
    pub(crate) file: Option<Box<dyn AlertSink>>,
    /// The gate's; `None` if there is no gate.
    pub(crate) gate: Option<Box<dyn AlertSink>>,
}

impl Sinks {
    /// Opens them. A file prints what is written to it, whoever writes.
    pub(crate) fn open(
        config: &Config,
        metrics: &Metrics,
        printer: &mut Option<Printer>,
    ) -> Result<Self, LineError> {
        let (has_line, has_gate) = (config.source != SourceKind::None, config.gate.is_some());
        if config.alerts.kind == AlertsKind::Kafka {
            let kafka = || -> Result<Box<dyn AlertSink>, PortError> {
                Ok(Box::new(hashward_kafka::sink(kafka_options(config))?))
            };
            return Ok(Self { file: None, gate: has_gate.then(kafka).transpose()? });
        }
        let file: Box<dyn AlertSink> = Box::new(ndjson_sink(config, metrics, printer.take())?);
        Ok(match (has_line, has_gate) {
            (true, true) => {
                let [line, gate] = SharedSink::sides(file);
                Self { file: Some(Box::new(line)), gate: Some(Box::new(gate)) }
            }
            (true, false) => Self { file: Some(file), gate: None },
            (false, _) => Self { file: None, gate: Some(file) },
        })
    }
}

impl Line<'_> {
    /// The configured source before `sink`.
    fn into_sink(self, sink: impl AlertSink) -> Result<Ended, LineError> {
        let config = self.config;
        match config.source {
            SourceKind::Inbox => {
                let (source, checkpoint) = inbox(config, self.metrics)?;
                let delivery = self.at_least_once(sink, checkpoint);
                self.between(source, delivery)
            }
            SourceKind::Kafka => {
                let references = open_references(config)?;
                let parts = hashward_kafka::at_least_once(kafka_options(config), references, self.metrics)?;
                let delivery = self.at_least_once(sink, parts.checkpoint);
                self.between(parts.source, delivery)
            }
            SourceKind::None => unreachable!("without a source there is no line"),
        }
    }

    fn at_least_once<S: AlertSink, C: Checkpoint>(&self, sink: S, checkpoint: C) -> AtLeastOnce<S, C> {
        let line = &self.config.line;
        let options =
            AtLeastOnceOptions { in_flight_max: line.in_flight_max, unavailable_max: line.unavailable_max };
        AtLeastOnce::new(sink, checkpoint, options, self.metrics.clone(), self.health.clone())
    }

    fn between(self, source: impl Source, delivery: impl Delivery) -> Result<Ended, LineError> {
        let line = &self.config.line;
        let limits = LineLimits {
            prefetch_batches: line.prefetch_batches,
            undelivered_batches: line.undelivered_batches,
            drain: line.drain_timeout,
            unavailable_max: line.unavailable_max,
        };
        let delivery = Printing::new(delivery, self.printer, &self.config.instance);
        Ok(pipeline::run(source, self.judge, delivery, limits, self.stop, self.metrics, self.health)?)
    }
}

/// What is wrong around the line's ports: does the broker answer, are the topics there.
pub(crate) fn probe(config: &Config) -> Vec<Finding> {
    let (reads, sends) = (config.source == SourceKind::Kafka, config.alerts.kind == AlertsKind::Kafka);
    if !reads && !sends {
        return Vec::new();
    }
    let problems = hashward_kafka::probe(&kafka_options(config), reads, sends, PROBE_TIMEOUT);
    problems.into_iter().map(|problem| Finding::of(problem.key, problem.text)).collect()
}

/// The inbox folder and its progress.
fn inbox(config: &Config, metrics: &Metrics) -> Result<(Inbox, InboxCheckpoint)> {
    let options = InboxOptions {
        data_dir: config.inbox.directory.clone(),
        poll: config.inbox.poll,
        settle: config.inbox.settle,
        records_max: config.batch.records_max,
    };
    hashward_local::inbox(options, metrics.clone()).context("inbox.directory")
}

/// The two files for alerts and quarantined records. Alerts are printed once they are on the disk, and not
/// again after a restart.
fn ndjson_sink(config: &Config, metrics: &Metrics, printer: Option<Printer>) -> Result<NdjsonSink> {
    let options = NdjsonOptions {
        alerts: config.alerts.file.clone(),
        quarantine: config.alerts.quarantine_file.clone(),
        instance: config.instance.clone(),
        pending_bytes_max: PENDING_BYTES_DEFAULT,
    };
    let on_durable =
        printer.map(|mut printer| -> OnDurable { Box::new(move |line| printer.print_text(line)) });
    NdjsonSink::open(options, metrics.clone(), on_durable).context("alerts.file")
}

/// Opens what records refer to.
fn open_references(config: &Config) -> Result<OpenReference> {
    let references = &config.references;
    let options = FetchOptions {
        file_roots: references.file_roots.clone(),
        https_hosts: references.https_hosts.clone(),
        ca_file: references.ca_file.clone(),
        connect_timeout: references.connect_timeout,
        transfer_timeout: references.transfer_timeout,
        attempts_max: references.attempts_max,
    };
    let references = Arc::new(References::new(options).context("references")?);
    Ok(Arc::new(move |url| {
        Box::new(ReferenceContent { references: Arc::clone(&references), url: url.to_owned() })
    }))
}

fn kafka_options(config: &Config) -> KafkaOptions {
    let kafka = &config.kafka;
    let table = |settings: &Settings| -> BTreeMap<String, String> {
        settings.iter().map(|(name, value)| (name.to_owned(), value)).collect()
    };
    KafkaOptions {
        bootstrap_servers: kafka.bootstrap_servers.clone(),
        group_id: kafka.group_id.clone(),
        topics: kafka.topics.clone(),
        form: match kafka.form {
            Form::Auto => hashward_kafka::Form::Auto,
            Form::Content => hashward_kafka::Form::Content,
            Form::Digests => hashward_kafka::Form::Digests,
        },
        alerts_topic: kafka.alerts_topic.clone(),
        quarantine_topic: kafka.quarantine_topic.clone(),
        transactional_id: kafka.transactional_id.clone(),
        instance: config.instance.clone(),
        batch_records_max: config.batch.records_max,
        batch_bytes_max: config.batch.bytes_max,
        batch_wait: config.batch.wait,
        commit_interval: kafka.commit_interval,
        rebalance_drain: kafka.rebalance_drain,
        delivery_timeout: kafka.delivery_timeout,
        unavailable_max: config.line.unavailable_max,
        settings: table(&kafka.settings),
        consumer_settings: table(&kafka.consumer_settings),
        producer_settings: table(&kafka.producer_settings),
    }
}
