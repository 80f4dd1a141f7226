//! Delivery in which a reader of committed messages sees each alert once: the alerts of a batch and the offsets behind
//! it are one transaction (KIP-98, KIP-447).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hashward_engine::{Delivery, Health, Judged, Metrics, Part, PortError, StreamId, Ticket};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, Producer, PurgeConfig};
use rdkafka::{Offset, TopicPartitionList};
use tracing::{debug, info, warn};

use crate::KafkaOptions;
use crate::assignment::Assignment;
use crate::context::{ConsumerSide, ProducerSide};
use crate::error::{PORT, is_fenced, port_error};
use crate::record::message;
use crate::sink::enqueue;

/// Delivers each batch in one transaction.
pub struct Transactional {
    pub(crate) consumer: Arc<BaseConsumer<ConsumerSide>>,
    pub(crate) producer: BaseProducer<ProducerSide>,
    pub(crate) assignment: Arc<Assignment>,
    pub(crate) options: Arc<KafkaOptions>,
    pub(crate) metrics: Metrics,
    pub(crate) health: Health,
}

/// How one try at a transaction ended, if not well.
enum Failure {
    /// Some of the batch's partitions left meanwhile: the rest is tried at once.
    Stale,
    /// The transaction was or must be aborted; the next try may do better.
    Abort(PortError),
    /// Trying again cannot help.
    End(PortError),
}

/// How long one call to the coordinator may take; what is not done by then is tried again.
const CALL: Duration = Duration::from_secs(10);
/// The first and the longest pause between two tries.
const RETRY_FIRST: Duration = Duration::from_millis(20);
const RETRY_LONGEST: Duration = Duration::from_secs(1);

impl Transactional {
    /// Takes over from an earlier worker with the same transactional id: its open transaction is aborted.
    pub(crate) fn begin(&self) -> Result<(), PortError> {
        let deadline = Instant::now() + self.options.unavailable_max;
        loop {
            match self.producer.init_transactions(CALL) {
                Ok(()) => return Ok(()),
                Err(error) if is_retriable(&error) && Instant::now() < deadline => {
                    warn!(%error, "transactions cannot begin, trying again");
                    self.health.not_ready(Part::Delivery, error.to_string());
                }
                Err(error) => return Err(port_error("beginning transactions", &error)),
            }
        }
    }

    fn transaction(&self, judged: &Judged) -> Result<(), Failure> {
        let mut ends = self.current_ends(judged);
        if ends.is_empty() {
            return Ok(());
        }
        self.producer.begin_transaction().map_err(|error| failure("beginning", &error))?;
        for notable in &judged.notable {
            let position = judged.batch.records[notable.record].position;
            if ends.contains_key(&position.stream) {
                let message = message(&self.options, &notable.outgoing);
                enqueue(&self.producer, &message, Ticket(position), self.options.delivery_timeout)
                    .map_err(Failure::Abort)?;
            }
        }
        // First the group's generation, then the question whether the partitions are still ours: if they leave after
        // the answer, the generation is an old one, and the broker refuses the offsets.
        let group = self.consumer.group_metadata().expect("the consumer has a group");
        let offsets = self.offsets(&mut ends).ok_or(Failure::Stale)?;
        self.until_done("sending offsets", || {
            self.producer.send_offsets_to_transaction(&offsets, &group, CALL)
        })?;
        self.until_done("committing", || self.producer.commit_transaction(CALL))?;
        self.producer.context().take_reports();
        for (stream, end) in ends {
            self.assignment.settle(stream, end);
        }
        Ok(())
    }

    /// How far the batch goes in each stream that is still ours.
    fn current_ends(&self, judged: &Judged) -> BTreeMap<StreamId, i64> {
        let owned = self.assignment.lock();
        let positions = judged.batch.records.iter().map(|record| record.position);
        positions
            .filter(|position| owned.get(position.stream).is_some())
            .map(|position| (position.stream, position.offset + 1))
            .collect()
    }

    /// The offsets to commit, if every stream is still ours.
    fn offsets(&self, ends: &mut BTreeMap<StreamId, i64>) -> Option<TopicPartitionList> {
        let owned = self.assignment.lock();
        let mut offsets = TopicPartitionList::new();
        for (stream, end) in ends {
            let partition = owned.get(*stream)?;
            offsets
                .add_partition_offset(&partition.topic, partition.number, Offset::Offset(*end))
                .expect("offsets are not negative");
        }
        Some(offsets)
    }

    /// Repeats a call that ran out of time: librdkafka resumes it where it was.
    fn until_done(&self, doing: &str, call: impl Fn() -> Result<(), KafkaError>) -> Result<(), Failure> {
        let deadline = Instant::now() + self.options.unavailable_max;
        loop {
            match call() {
                Ok(()) => return Ok(()),
                Err(error) if is_retriable(&error) && Instant::now() < deadline => {
                    debug!(%error, doing, "trying again");
                    self.health.not_ready(Part::Delivery, format!("{doing}: {error}"));
                    std::thread::sleep(RETRY_FIRST);
                }
                Err(error) => return Err(failure(doing, &error)),
            }
        }
    }

    fn abort(&self) -> Result<(), PortError> {
        // librdkafka ends an abort only when somebody has taken the reports of all the transaction's messages, and the
        // only one who could is this thread: what is not sent is dropped, what is under way is waited for.
        let aborted = self.until_done("aborting", || {
            self.producer.purge(PurgeConfig::default().queue());
            self.producer.flush(CALL)?;
            self.producer.abort_transaction(CALL)
        });
        self.producer.context().take_reports();
        match aborted {
            Ok(()) => Ok(()),
            Err(Failure::Abort(error) | Failure::End(error)) => Err(error),
            Err(Failure::Stale) => unreachable!("an abort asks for no partitions"),
        }
    }
}

impl Delivery for Transactional {
    fn deliver(&mut self, judged: &Judged) -> Result<(), PortError> {
        let started = Instant::now();
        let mut pause = RETRY_FIRST;
        loop {
            match self.transaction(judged) {
                Ok(()) => {
                    self.metrics.committed(true);
                    self.metrics.deliveries(judged.notable.len(), 0);
                    self.health.ready(Part::Delivery);
                    return Ok(());
                }
                Err(Failure::Stale) => self.abort()?,
                Err(Failure::Abort(error)) if started.elapsed() < self.options.unavailable_max => {
                    self.metrics.committed(false);
                    self.metrics.delivery_failed();
                    info!(%error, "transaction aborted, trying again");
                    self.abort()?;
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(RETRY_LONGEST);
                }
                Err(Failure::Abort(error) | Failure::End(error)) => return Err(error),
            }
        }
    }

    fn idle(&mut self, _wait: Duration) -> Result<(), PortError> {
        self.producer.poll(Duration::ZERO);
        match self.producer.client().fatal_error() {
            None => Ok(()),
            Some((code, reason)) if is_fenced(code) => Err(PortError::Fenced { port: PORT, detail: reason }),
            Some((code, reason)) => {
                Err(PortError::Refused { port: PORT, detail: format!("{code}: {reason}") })
            }
        }
    }

    /// Nothing is ever in flight between two batches.
    fn drain(&mut self, _deadline: Instant) -> Result<bool, PortError> {
        Ok(true)
    }
}

fn is_retriable(error: &KafkaError) -> bool {
    matches!(error, KafkaError::Transaction(inner) if inner.is_retriable())
        || matches!(error, KafkaError::Flush(_))
}

fn failure(doing: &str, error: &KafkaError) -> Failure {
    let requires_abort = matches!(error, KafkaError::Transaction(inner) if inner.txn_requires_abort());
    if requires_abort {
        let detail = format!("{doing}: {error}");
        return Failure::Abort(PortError::Unavailable { port: PORT, detail });
    }
    Failure::End(port_error(doing, error))
}
