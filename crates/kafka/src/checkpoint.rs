use std::sync::Arc;
use std::time::{Duration, Instant};

use hashward_engine::{Checkpoint, Metrics, PortError, StreamId};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::RDKafkaErrorCode as Code;
use tracing::{debug, warn};

use crate::assignment::Assignment;
use crate::context::ConsumerSide;
use crate::error::port_error;

/// Commits settled offsets to the consumer group, now and then and at the end.
pub struct KafkaCheckpoint {
    consumer: Arc<BaseConsumer<ConsumerSide>>,
    assignment: Arc<Assignment>,
    interval: Duration,
    last: Instant,
    metrics: Metrics,
}

impl KafkaCheckpoint {
    pub(crate) fn new(
        consumer: Arc<BaseConsumer<ConsumerSide>>,
        assignment: Arc<Assignment>,
        interval: Duration,
        metrics: Metrics,
    ) -> Self {
        Self { consumer, assignment, interval, last: Instant::now(), metrics }
    }
}

impl Checkpoint for KafkaCheckpoint {
    fn settle(&mut self, stream: StreamId, end: i64) {
        self.assignment.settle(stream, end);
    }

    fn is_current(&self, stream: StreamId) -> bool {
        self.assignment.lock().get(stream).is_some()
    }

    fn commit(&mut self, now: bool) -> Result<(), PortError> {
        if !now && self.last.elapsed() < self.interval {
            return Ok(());
        }
        self.last = Instant::now();
        // The lock is held until the broker has answered, so that no partition can leave in between.
        let mut owned = self.assignment.lock();
        let offsets = owned.uncommitted();
        if offsets.count() == 0 {
            return Ok(());
        }
        let result = self.consumer.commit(&offsets, CommitMode::Sync);
        self.metrics.committed(result.is_ok());
        match result {
            Ok(()) => owned.committed(&offsets),
            // What was not committed is tried again; if the worker ends before, its records are read again.
            Err(error) => match error.rdkafka_error_code() {
                Some(Code::FencedInstanceId) => return Err(port_error("committing", &error)),
                Some(Code::RebalanceInProgress) => debug!("commit postponed by a rebalance"),
                // There is no later commit that could make up for this one.
                _ if now => return Err(port_error("committing", &error)),
                _ => warn!(%error, "commit failed, trying again"),
            },
        }
        Ok(())
    }
}
