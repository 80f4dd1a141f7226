//! What librdkafka calls back: rebalances, statistics, logs, delivery reports.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use hashward_engine::{Metrics, Ticket};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, OwnedMessage};
use rdkafka::producer::ProducerContext;
use rdkafka::statistics::Statistics;
use tracing::{debug, error, info, warn};

use crate::assignment::{Assignment, partitions_of};
use crate::polled::MessageQueue;

/// The consumer's side.
pub(crate) struct ConsumerSide {
    pub(crate) assignment: Arc<Assignment>,
    pub(crate) metrics: Metrics,
    /// How long a revoked partition is kept for what is in flight.
    pub(crate) rebalance_drain: Duration,
    /// Whether offsets are committed by the consumer; if not, transactions do.
    pub(crate) commits: bool,
    /// Whether at least one broker was connected when librdkafka last told.
    pub(crate) connected: AtomicBool,
    /// Where the messages of assigned partitions go, while somebody reads them.
    pub(crate) messages: OnceLock<Weak<MessageQueue>>,
}

impl ConsumerSide {
    fn gone(&self, kind: &'static str, partitions: &[(String, i32)], owned: usize) {
        for (topic, number) in partitions {
            self.metrics.partition_gone(topic, *number);
        }
        self.metrics.rebalanced(kind, owned);
    }
}

fn log_line(level: RDKafkaLogLevel, facility: &str, text: &str) {
    match level {
        RDKafkaLogLevel::Emerg
        | RDKafkaLogLevel::Alert
        | RDKafkaLogLevel::Critical
        | RDKafkaLogLevel::Error => {
            error!(facility, text, "librdkafka");
        }
        RDKafkaLogLevel::Warning => warn!(facility, text, "librdkafka"),
        RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => info!(facility, text, "librdkafka"),
        RDKafkaLogLevel::Debug => debug!(facility, text, "librdkafka"),
    }
}

fn log_error(error: &KafkaError, reason: &str) {
    // A closed connection is not an event: idle ones are closed all the time, and the next request opens another.
    if error.rdkafka_error_code() == Some(RDKafkaErrorCode::BrokerTransportFailure) {
        debug!(%error, reason, "librdkafka");
    } else {
        warn!(%error, reason, "librdkafka");
    }
}

impl ClientContext for ConsumerSide {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        log_line(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let down = error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown);
        // Told once for each outage, and not with every attempt to connect.
        if down && !self.connected.swap(false, Ordering::Relaxed) {
            debug!(%error, reason, "librdkafka");
        } else {
            log_error(&error, reason);
        }
    }

    fn stats(&self, statistics: Statistics) {
        let up = statistics.brokers.values().any(|broker| broker.state == "UP");
        self.connected.store(up, Ordering::Relaxed);
        // Whoever holds it waits for a broker; the next statistics come soon.
        let Some(owned) = self.assignment.try_lock() else { return };
        for (_, partition) in owned.streams() {
            let known = statistics.topics.get(&*partition.topic);
            let Some(known) = known.and_then(|topic| topic.partitions.get(&partition.number)) else {
                continue;
            };
            let start = [known.committed_offset, known.lo_offset].into_iter().find(|offset| *offset >= 0);
            let end = known.ls_offset;
            if let (Some(done), true) = (partition.settled_end().or(start), end >= 0) {
                self.metrics.partition_lag(&partition.topic, partition.number, (end - done).max(0));
            }
        }
    }
}

impl ConsumerContext for ConsumerSide {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(list) => {
                let partitions = partitions_of(list);
                if let Some(messages) = self.messages.get().and_then(Weak::upgrade) {
                    for (topic, number) in &partitions {
                        messages.gather(topic, *number);
                    }
                }
                let owned = self.assignment.assign(&partitions);
                self.metrics.rebalanced("assigned", owned);
                info!(partitions = partitions.len(), owned, "partitions assigned");
            }
            Rebalance::Revoke(list) if consumer.assignment_lost() => {
                let partitions = partitions_of(list);
                let owned = self.assignment.remove(&mut self.assignment.lock(), &partitions);
                self.gone("lost", &partitions, owned);
                warn!(partitions = partitions.len(), owned, "partitions lost, nothing committed");
            }
            Rebalance::Revoke(list) => {
                let partitions = partitions_of(list);
                let settled = self.assignment.wait_settled(&partitions, self.rebalance_drain);
                let mut owned = self.assignment.lock();
                if self.commits {
                    let offsets = owned.uncommitted();
                    let result = if offsets.count() == 0 {
                        Ok(())
                    } else {
                        consumer.commit(&offsets, CommitMode::Sync)
                    };
                    match result {
                        Ok(()) => owned.committed(&offsets),
                        Err(error) => warn!(%error, "last commit before giving partitions away failed"),
                    }
                }
                let owned = self.assignment.remove(&mut owned, &partitions);
                self.gone("revoked", &partitions, owned);
                info!(partitions = partitions.len(), owned, settled, "partitions revoked");
            }
            Rebalance::Error(error) => warn!(%error, "rebalance failed"),
        }
    }

    /// Statistics and logs are served at this interval while no record comes.
    fn main_queue_min_poll_interval(&self) -> rdkafka::util::Timeout {
        rdkafka::util::Timeout::After(Duration::from_millis(100))
    }
}

/// What became of a message that was handed to librdkafka.
pub(crate) enum Report {
    /// Every in-sync replica has it.
    Delivered(Ticket),
    /// It was not delivered; here it is again.
    Failed(Ticket, KafkaError, Box<OwnedMessage>),
}

/// The producer's side: delivery reports, until the sink collects them.
#[derive(Default)]
pub(crate) struct ProducerSide {
    reports: Mutex<Vec<Report>>,
}

impl ProducerSide {
    /// The reports that came since the last call.
    pub(crate) fn take_reports(&self) -> Vec<Report> {
        std::mem::take(&mut *self.reports.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ClientContext for ProducerSide {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        log_line(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            debug!(%error, reason, "librdkafka");
        } else {
            log_error(&error, reason);
        }
    }
}

impl ProducerContext for ProducerSide {
    type DeliveryOpaque = Box<Ticket>;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: Box<Ticket>) {
        let report = match result {
            Ok(_) => Report::Delivered(*ticket),
            Err((error, message)) => Report::Failed(*ticket, error.clone(), Box::new(message.detach())),
        };
        self.reports.lock().unwrap_or_else(PoisonError::into_inner).push(report);
    }
}
