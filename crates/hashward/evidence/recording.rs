//! What the line records: every alert before it leaves, and every generation of the lists that goes live.
//!
//! ```text
//! judge ─▶ Recording ─▶ the delivery ─▶ commit
//!             │ one append for each batch, durable before the delivery has it
//! gate  ─▶ RecordingSink ─▶ the sink ─▶ answer      one append for each alert
//! lists ─▶ Ledger
//! ```
//!
//! The delivering thread is the only one that writes: what the thread that watches the lists has to say waits in the
//! ledger until the next batch, or until the line is idle. An alert of a batch that is judged again after a crash has another
//! moment of decision. It is another alert then, of the same id, and has an entry of its own: so whatever leaves is in the
//! log.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use hashward_core::Alert;
use hashward_engine::{AlertSink, Delivery, Health, Judged, Metrics, Outgoing, Patience, PortError, Ticket};
use hashward_evidence::{AuditLog, EvidenceError, Record, What, alert_hash};
use jiff::Timestamp;
use serde_json::json;
use tracing::{error, info};

use super::log;
use crate::config::Config;

/// How errors name this part of the line.
const PORT: &str = "evidence.directory";
/// Records that wait in the ledger. Where it fills up the log has failed for so long that the line ends.
const WAITING_RECORDS_MAX: usize = 65_536;

/// What waits to be recorded. Clones are one ledger.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger(Arc<Mutex<Vec<Record>>>);

impl Ledger {
    /// Adds records, in their order.
    pub(crate) fn push(&self, records: impl IntoIterator<Item = Record>) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for record in records {
            if waiting.len() >= WAITING_RECORDS_MAX {
                let kind = record.what.kind().word();
                error!(kind, "not recorded: too much waits for the evidence log");
                return;
            }
            waiting.push(record);
        }
    }

    fn waiting(&self) -> Vec<Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes out the first ones, which are recorded now.
    fn recorded(&self, count: usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..count);
    }

    fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

/// The worker's log.
pub(crate) struct Recorder {
    log: AuditLog,
    ledger: Ledger,
    instance: String,
    unavailable_max: Duration,
    patience: Patience,
    metrics: Metrics,
    health: Health,
}

impl Recorder {
    /// Opens the configured log; `None` if there is none.
    pub(crate) fn open(config: &Config, metrics: &Metrics, health: &Health) -> Result<Option<Self>> {
        let Some(at) = &config.evidence else { return Ok(None) };
        let log = log::open(at).context("evidence")?;
        let (path, size) = (at.directory.display(), log.size());
        info!(%path, size, origin = %log.verifier().name(), verifier_key = %log.verifier(), "recording evidence");
        metrics.evidence_held(size);
        Ok(Some(Self {
            log,
            ledger: Ledger::default(),
            instance: config.instance.clone(),
            unavailable_max: config.line.unavailable_max,
            patience: Patience::default(),
            metrics: metrics.clone(),
            health: health.clone(),
        }))
    }

    /// Where others put what is to be recorded.
    pub(crate) fn ledger(&self) -> Ledger {
        self.ledger.clone()
    }

    /// Appends what waits and then `alerts`, all at once. Bears with a log that is unavailable, and calls `meanwhile`
    /// between two attempts.
    fn record(
        &mut self,
        alerts: Vec<Record>,
        mut meanwhile: impl FnMut() -> Result<(), PortError>,
    ) -> Result<(), PortError> {
        let mut records = self.ledger.waiting();
        let waiting = records.len();
        records.extend(alerts);
        if records.is_empty() {
            return Ok(());
        }
        while let Err(error) = self.append(&records) {
            self.patience.bear(port_error(&error), self.unavailable_max, &self.metrics, &self.health)?;
            meanwhile()?;
        }
        self.patience.relieved(&self.health);
        self.ledger.recorded(waiting);
        Ok(())
    }

    fn append(&mut self, records: &[Record]) -> Result<(), EvidenceError> {
        let appended = self.log.append(records)?;
        self.metrics.evidence_held(appended.size);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        for record in records {
            self.metrics.evidence_appended(record.what.kind(), now);
        }
        Ok(())
    }

    /// Appends what waits, if something does: for a worker without a line.
    pub(crate) fn rest(&mut self) {
        if !self.ledger.is_empty() {
            self.finish();
        }
    }

    /// Appends what waits, once more and no more. Whether nothing waits now.
    fn finish(&mut self) -> bool {
        let waiting = self.ledger.waiting();
        if let Err(error) = self.append(&waiting) {
            let waiting = waiting.len();
            error!(%error, waiting, "the last generations are not recorded");
            return false;
        }
        self.ledger.recorded(waiting.len());
        true
    }
}

/// The record of an alert: what binds it to the log, and nothing of what it says.
fn record(alert: &Alert, who: &str) -> Record {
    let what = What::Alert { alert: alert.alert_id, sha256: alert_hash(&json!(alert)) };
    Record { when: Timestamp::now(), who: who.to_owned(), what }
}

/// What fails with the disk may pass; a log that somebody changed stays changed.
fn port_error(error: &EvidenceError) -> PortError {
    let detail = error.to_string();
    match error {
        EvidenceError::Io { .. } | EvidenceError::Busy { .. } => {
            PortError::Unavailable { port: PORT, detail }
        }
        _ => PortError::Refused { port: PORT, detail },
    }
}

/// A delivery before which everything is recorded, if there is a log.
pub(crate) struct Recording<D> {
    delivery: D,
    recorder: Option<Recorder>,
}

impl<D> Recording<D> {
    /// Records what `delivery` is to deliver.
    pub(crate) fn new(delivery: D, recorder: Option<Recorder>) -> Self {
        Self { delivery, recorder }
    }
}

impl<D: Delivery> Delivery for Recording<D> {
    fn deliver(&mut self, judged: &Judged) -> Result<(), PortError> {
        if let Some(recorder) = &mut self.recorder {
            let alerts = judged.notable.iter().filter_map(|notable| match &notable.outgoing {
                Outgoing::Alert(alert) => Some(record(alert, &recorder.instance)),
                Outgoing::Quarantined(_) => None,
            });
            let alerts = alerts.collect();
            recorder.record(alerts, || self.delivery.idle(Duration::ZERO))?;
        }
        self.delivery.deliver(judged)
    }

    fn idle(&mut self, wait: Duration) -> Result<(), PortError> {
        if let Some(recorder) = &mut self.recorder
            && !recorder.ledger.is_empty()
        {
            recorder.record(Vec::new(), || self.delivery.idle(Duration::ZERO))?;
        }
        self.delivery.idle(wait)
    }

    fn drain(&mut self, deadline: Instant) -> Result<bool, PortError> {
        let recorded = self.recorder.as_mut().is_none_or(Recorder::finish);
        Ok(self.delivery.drain(deadline)? && recorded)
    }
}

/// The gate's sink, before which every alert is recorded. Who fails to record it fails to send it, and is tried again.
pub(crate) struct RecordingSink {
    sink: Box<dyn AlertSink>,
    recorder: Recorder,
    /// What is recorded, and perhaps not sent yet.
    recorded: Option<Ticket>,
}

impl RecordingSink {
    /// Records what `sink` is to deliver.
    pub(crate) fn new(sink: Box<dyn AlertSink>, recorder: Recorder) -> Self {
        Self { sink, recorder, recorded: None }
    }
}

impl AlertSink for RecordingSink {
    fn send(&mut self, ticket: Ticket, outgoing: &Outgoing) -> Result<(), PortError> {
        if let Outgoing::Alert(alert) = outgoing
            && self.recorded != Some(ticket)
        {
            let record = record(alert, &self.recorder.instance);
            self.recorder.append(&[record]).map_err(|error| port_error(&error))?;
            self.recorded = Some(ticket);
        }
        self.sink.send(ticket, outgoing)
    }

    fn acknowledged(&mut self, wait: Duration, acknowledged: &mut Vec<Ticket>) -> Result<(), PortError> {
        self.sink.acknowledged(wait, acknowledged)
    }
}
