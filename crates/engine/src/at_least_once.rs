//! Delivery in which no alert is lost, and a crash may send some again under the same id.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tracing::{info, warn};

use crate::{
    AlertSink, Checkpoint, Delivery, Health, Judged, Metrics, Part, PortError, Prefix, StreamId, Ticket,
};

/// Limits of [`AtLeastOnce`].
#[derive(Clone, Copy, Debug)]
pub struct AtLeastOnceOptions {
    /// Alerts and quarantined records that may be under way at a time. More wait, and with them the source.
    pub in_flight_max: usize,
    /// How long a sink may stay unavailable before the worker gives up and leaves its work to the next start.
    pub unavailable_max: Duration,
}

/// Sends to an [`AlertSink`], and settles the contiguous prefix of what it acknowledged at a [`Checkpoint`].
pub struct AtLeastOnce<S, C> {
    sink: S,
    checkpoint: C,
    options: AtLeastOnceOptions,
    metrics: Metrics,
    health: Health,
    streams: HashMap<StreamId, Stream>,
    in_flight: usize,
    acknowledged: Vec<Ticket>,
    /// Since when the sink fails, and the pause before it is asked again.
    failing: Option<(Instant, Duration)>,
}

#[derive(Default)]
struct Stream {
    prefix: Prefix,
    /// What the checkpoint was last told.
    settled_end: i64,
}

/// The first and the longest pause between two attempts at a sink that fails.
const RETRY_FIRST: Duration = Duration::from_millis(50);
const RETRY_LONGEST: Duration = Duration::from_secs(2);
/// How long one look for acknowledgements takes while the line waits for room.
const ROOM_WAIT: Duration = Duration::from_millis(20);

impl<S: AlertSink, C: Checkpoint> AtLeastOnce<S, C> {
    /// A delivery to `sink` that remembers its progress at `checkpoint`.
    pub fn new(
        sink: S,
        checkpoint: C,
        options: AtLeastOnceOptions,
        metrics: Metrics,
        health: Health,
    ) -> Self {
        let streams = HashMap::new();
        let acknowledged = Vec::new();
        Self {
            sink,
            checkpoint,
            options,
            metrics,
            health,
            streams,
            in_flight: 0,
            acknowledged,
            failing: None,
        }
    }

    /// Collects acknowledgements, tells the checkpoint how far each stream is settled, and commits what is due.
    fn collect(&mut self, wait: Duration, commit_now: bool) -> Result<(), PortError> {
        if self.in_flight > 0 {
            let result = self.sink.acknowledged(wait, &mut self.acknowledged);
            self.sink_answered(result)?;
        } else if !wait.is_zero() {
            std::thread::sleep(wait);
        }
        let acknowledged = self.acknowledged.len();
        for Ticket(position) in self.acknowledged.drain(..) {
            if let Some(stream) = self.streams.get_mut(&position.stream) {
                stream.prefix.acknowledge(position.offset);
            }
        }
        self.in_flight -= acknowledged;
        self.metrics.deliveries(acknowledged, self.in_flight);
        let checkpoint = &mut self.checkpoint;
        self.streams.retain(|id, stream| {
            let end = stream.prefix.settled_end();
            if end > stream.settled_end {
                stream.settled_end = end;
                checkpoint.settle(*id, end);
            }
            checkpoint.is_current(*id) || stream.prefix.waiting() > 0
        });
        self.checkpoint.commit(commit_now)
    }

    /// Bears with a sink that is unavailable, up to the limit.
    fn sink_answered(&mut self, result: Result<(), PortError>) -> Result<(), PortError> {
        let Err(error) = result else {
            if let Some((since, _)) = self.failing.take() {
                info!(after_ms = since.elapsed().as_millis() as u64, "delivery works again");
                self.health.ready(Part::Delivery);
            }
            return Ok(());
        };
        self.metrics.delivery_failed();
        let PortError::Unavailable { .. } = error else { return Err(error) };
        let (since, pause) = self.failing.unwrap_or_else(|| {
            warn!(%error, "delivery fails, trying again");
            (Instant::now(), RETRY_FIRST)
        });
        if since.elapsed() >= self.options.unavailable_max {
            return Err(error);
        }
        self.health.not_ready(Part::Delivery, error.to_string());
        std::thread::sleep(pause);
        self.failing = Some((since, (pause * 2).min(RETRY_LONGEST)));
        Ok(())
    }
}

impl<S: AlertSink, C: Checkpoint> Delivery for AtLeastOnce<S, C> {
    fn deliver(&mut self, judged: &Judged) -> Result<(), PortError> {
        let mut notable = judged.notable.iter().peekable();
        for (number, record) in judged.batch.records.iter().enumerate() {
            let position = record.position;
            let mut tickets = 0;
            while let Some(next) = notable.next_if(|notable| notable.record == number) {
                while self.in_flight >= self.options.in_flight_max {
                    self.collect(ROOM_WAIT, false)?;
                }
                self.checkpoint.decided(position, &next.decision);
                self.sink.send(Ticket(position), &next.outgoing)?;
                self.in_flight += 1;
                tickets += 1;
            }
            self.streams.entry(position.stream).or_default().prefix.push(position.offset, tickets);
        }
        self.collect(Duration::ZERO, false)
    }

    fn idle(&mut self, wait: Duration) -> Result<(), PortError> {
        self.collect(wait, false)
    }

    fn drain(&mut self, deadline: Instant) -> Result<bool, PortError> {
        while self.in_flight > 0 && Instant::now() < deadline {
            self.collect(ROOM_WAIT, false)?;
        }
        self.collect(Duration::ZERO, true)?;
        Ok(self.in_flight == 0)
    }
}
